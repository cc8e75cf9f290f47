"""What is predicted: the target's labels, the rows, and the three-way split."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from types import MappingProxyType
from typing import Any

import duckdb
import numpy as np

from workbench.clock import row_times
from workbench.coded import Coded
from workbench.database import ROW, Database, quote
from workbench.errors import TaskError
from workbench.factors import divide_by_factors
from workbench.filters import render_filter
from workbench.heldout import Grid
from workbench.hints import TaskSpec
from workbench.leaks import Leak, find_leaks, take_sides
from workbench.schema import Column, Schema, Stype, Table, value_sql
from workbench.split import (
    OUTSIDE,
    SEEN,
    TEST,
    TRAIN,
    VAL,
    SplitKind,
    read_split,
    split_given,
    split_groups,
    split_random,
    split_time,
)

__all__ = [
    "SEEN",
    "TEST",
    "TRAIN",
    "VAL",
    "Grid",
    "Leak",
    "Task",
    "TaskSpec",
    "TaskType",
    "define_task",
    "suspected_leaks",
]

FEWEST_ROWS = 30
MOST_INTEGER_CLASSES = 20
MOST_TEXT_CLASSES = 50
VALUE_METRICS = frozenset({"mae", "r2"})  # asking for one asks for a regression
SIDES: Mapping[int, str] = MappingProxyType(
    {TRAIN: "training", VAL: "validation", TEST: "test"}
)
HELD_OUT_SIDES: Mapping[int, str] = MappingProxyType({**SIDES, SEEN: "set-aside"})
FEWEST_ON_A_SIDE = 10  # where values are held out; a score of fewer says nothing


class TaskType(StrEnum):
    """What kind of value is predicted."""

    BINARY = "binary"
    MULTICLASS = "multiclass"
    REGRESSION = "regression"


DEFAULT_METRICS: Mapping[TaskType, str] = MappingProxyType(
    {
        TaskType.BINARY: "roc-auc",
        TaskType.MULTICLASS: "accuracy",
        TaskType.REGRESSION: "r2",
    }
)


@dataclass(frozen=True, slots=True)
class Task:
    """What is predicted, for which rows, and which of them are trained on.

    Attributes:
        spec: What was asked for.
        task_type: Binary, multiclass or regression.
        classes: The classes as text, in the order of their labels; empty for
            regression.
        metric: Name of the metric that decides.
        rows: int64 ``[n]``: rows of the target table, ascending.
        labels: float64 ``[n]``: index into ``classes``, or the value.
        split: int8 ``[n]``: 0 training, 1 validation, 2 test; 3, only where the split
            holds values out, for rows of values trained on that are set aside.
        keys: The primary key of each row as text, or its row number.
        grid: How many rows of which values are on which side, where the split holds
            values out.
        times: float64 ``[n]``: the moment each row is predicted at, seconds since 1970,
            from the table's confirmed time column; inf, so that everything counts as
            known, for a row without one. None where the table has no such column.
    """

    spec: TaskSpec
    task_type: TaskType
    classes: tuple[str, ...]
    metric: str
    rows: np.ndarray
    labels: np.ndarray
    split: np.ndarray
    keys: tuple[str, ...]
    grid: Grid | None = None
    times: np.ndarray | None = None


def define_task(database: Database, schema: Schema, spec: TaskSpec | str) -> Task:
    """Settle labels, rows and split of what should be predicted.

    Rows without a target, outside the filter, or without a value in the column that
    decides the split take no part. Two distinct values make a binary task; at most 20
    distinct whole numbers, or 50 texts, a multiclass one; anything else is a value.

    Args:
        database: The rows.
        schema: What they mean.
        spec: What is asked for, or the name of a ready-made task.

    Raises:
        SchemaError: A table, column or ready-made task is not there.
        TaskError: The target, filter or split does not make a task.
    """
    asked = schema.ready_task(spec) if isinstance(spec, str) else spec
    if asked.seed_table not in (None, *(table.name for table in schema.tables)):
        raise TaskError(
            "A forecast predicts rows of a table of its own, which this database does"
            " not hold; make it with with_seeds first."
        )
    kind, split_column = read_split(asked.split)
    table, target = _check_names(schema, asked)
    own = split_column and not kind.holds_values_out
    decider = table.column(split_column) if own else None
    _check_split(asked, kind, decider)
    rows, values, deciding = _fetch(database, table, target, asked, decider)
    task_type, classes, labels = _label(asked, target, values)
    grid = None
    if kind.holds_values_out:
        split, grid = divide_by_factors(database, schema, asked, rows)
    else:
        split = _divide(kind, asked, task_type, labels, deciding)
    inside = split != OUTSIDE
    rows, labels, split = rows[inside], labels[inside], split[inside]
    _check_sides(asked, task_type, labels, split)
    if grid is not None:
        _check_held_out(asked, split)
    return Task(
        spec=asked,
        task_type=task_type,
        classes=classes,
        metric=asked.metric or DEFAULT_METRICS[task_type],
        rows=rows,
        labels=labels,
        split=split,
        keys=_row_keys(database, table, rows),
        grid=grid,
        times=_moments(database, schema, table, rows),
    )


def suspected_leaks(database: Database, schema: Schema, task: Task) -> tuple[Leak, ...]:
    """Return the columns that alone predict the target, which is rarely honest.

    Every column the target's row carries, or inherits along keys from child to
    parent, is given to a decision tree of its own, grown on the training rows.

    Returns:
        Columns with an area under the ROC curve (averaged over classes), or an R², of
        at least .98 on the validation rows, best first.
    """
    sides = take_sides(task.rows, task.labels, task.split, len(task.classes))
    hidden = task.spec.hidden
    return find_leaks(database, schema, task.spec.table, hidden, sides)


def _check_names(schema: Schema, spec: TaskSpec) -> tuple[Table, Column]:
    for name in (spec.target, *spec.hide):
        if "." not in name:
            raise TaskError(
                f'"{name}" names no column; write TABLE.COLUMN, such as'
                f' "{schema.tables[0].name}.{schema.tables[0].columns[0].name}".'
            )
    for table, column in sorted(spec.hidden):
        schema.column(table, column)
    return schema.table(spec.table), schema.column(spec.table, spec.column)


def _check_split(spec: TaskSpec, kind: SplitKind, decider: Column | None) -> None:
    if decider is not None and decider.name == spec.column:
        raise TaskError(
            f'The split "{spec.split}" uses the target itself; choose another column.'
        )
    times = (Stype.TIMESTAMP, Stype.NUMERICAL)
    if kind is SplitKind.TIME and decider and decider.stype not in times:
        raise TaskError(
            f'The column "{spec.table}.{decider.name}" holds no times: it is'
            f" {decider.stype}. Split by a column of dates, times or years."
        )


def _fetch(
    database: Database,
    table: Table,
    target: Column,
    spec: TaskSpec,
    decider: Column | None,
) -> tuple[np.ndarray, Coded, Coded]:
    """Return row numbers, target values and the split's values of the task's rows."""
    names = [column.name for column in table.columns]
    condition = render_filter(spec.where, table.name, names) if spec.where else "true"
    deciding = "NULL"
    if decider is not None:
        deciding = quote(decider.name)
        if decider.stype in (Stype.TIMESTAMP, Stype.NUMERICAL):
            deciding = value_sql(decider.stype, deciding)
    wanted = quote(target.name)
    if target.stype is Stype.NUMERICAL and _is_text(database, table, target):
        wanted = value_sql(target.stype, wanted)
    row = quote(ROW)
    try:
        rows, (values, by, chosen) = database.coded(
            f"SELECT {row}, {wanted}, {deciding}, {condition}"
            f" FROM {quote(table.name)} WHERE {wanted} IS NOT NULL"
        )
    except duckdb.Error as error:
        if not spec.where:
            raise
        raise TaskError(
            f'The filter "{spec.where}" does not fit the values: '
            f"{str(error).splitlines()[0]}"
        ) from error
    if not {type(one) for one in chosen.values} <= {bool, type(None)}:
        raise TaskError(
            f'The filter "{spec.where}" is no condition; compare something, as in'
            f' "{target.name} IS NOT NULL".'
        )
    kept = np.array([one is True for one in chosen.values])[chosen.places]
    return rows[kept], values.filter(kept), by.filter(kept)


def _is_text(database: Database, table: Table, column: Column) -> bool:
    return database.physical_type(table.name, column.name) == "VARCHAR"


def _label(
    spec: TaskSpec, target: Column, values: Coded
) -> tuple[TaskType, tuple[str, ...], np.ndarray]:
    """Decide what kind of task the values make, and number the classes."""
    if target.stype is Stype.TIMESTAMP:
        raise TaskError(
            f'The target "{spec.target}" holds dates, which cannot be predicted;'
            " choose a column of numbers or classes."
        )
    if len(values) < FEWEST_ROWS:
        where = " that the filter keeps" if spec.where else ""
        raise TaskError(
            f'The target "{spec.target}" has {len(values)} rows with a value{where};'
            f" at least {FEWEST_ROWS} are needed."
        )
    distinct = values.distinct()
    if len(distinct) < 2:
        raise TaskError(
            f'The target "{spec.target}" is "{distinct[0]}" in every row; choose a'
            " column with at least two values."
        )
    if _is_value(spec, distinct):
        return TaskType.REGRESSION, (), values.numbers()
    if len(distinct) > MOST_TEXT_CLASSES:
        raise TaskError(
            f'The target "{spec.target}" has {len(distinct):,} different texts; at most'
            f" {MOST_TEXT_CLASSES} can be told apart."
        )
    labels = values.numbers({one: place for place, one in enumerate(distinct)})
    kind = TaskType.BINARY if len(distinct) == 2 else TaskType.MULTICLASS
    return kind, tuple(map(_class_name, distinct)), labels


def _is_value(spec: TaskSpec, distinct: Sequence[Any]) -> bool:
    if isinstance(distinct[0], str):
        return False
    if spec.metric in VALUE_METRICS:
        return True
    most = 2 if isinstance(distinct[0], float) else MOST_INTEGER_CLASSES
    return len(distinct) > most


def _class_name(value: str | float) -> str:
    return (
        str(int(value)) if isinstance(value, float) and value % 1 == 0 else str(value)
    )


def _divide(
    kind: SplitKind,
    spec: TaskSpec,
    task_type: TaskType,
    labels: np.ndarray,
    deciding: Coded,
) -> np.ndarray:
    match kind:
        case SplitKind.RANDOM:
            stratified = task_type is not TaskType.REGRESSION
            return split_random(labels, stratified, spec.split_seed)
        case SplitKind.TIME:
            return split_time(deciding.numbers())
        case SplitKind.GROUP:
            groups = {one: place for place, one in enumerate(deciding.distinct())}
            places = [groups.get(one, OUTSIDE) for one in deciding.values]
            numbers = np.array(places)[deciding.places]
            return split_groups(numbers, spec.split_seed)
        case SplitKind.COLUMN:
            column = f"{spec.table}.{spec.split.partition(':')[2]}"
            return split_given(deciding.listed(), column)
        case (
            SplitKind.COMPOSITION
            | SplitKind.INTERPOLATION
            | SplitKind.EXTRAPOLATION
            | SplitKind.LEAVE
        ):
            raise ValueError(f"A split of the kind {kind} goes by factors.")


def _check_sides(
    spec: TaskSpec, task_type: TaskType, labels: np.ndarray, split: np.ndarray
) -> None:
    what = "one class" if task_type is not TaskType.REGRESSION else "one value"
    for side, name in SIDES.items():
        num_distinct = len(np.unique(labels[split == side]))
        if num_distinct == 0:
            raise TaskError(
                f'The split "{spec.split}" leaves no rows for the {name} part; choose'
                " another split."
            )
        if num_distinct == 1:
            raise TaskError(
                f'The split "{spec.split}" leaves {what} alone in the {name} part;'
                " choose another split, or a filter that keeps more rows."
            )


def _check_held_out(spec: TaskSpec, split: np.ndarray) -> None:
    for side, name in HELD_OUT_SIDES.items():
        number = int((split == side).sum())
        if number < FEWEST_ON_A_SIDE:
            raise TaskError(
                f'The split "{spec.split}" leaves {number} rows for the {name} part; at'
                f" least {FEWEST_ON_A_SIDE} are needed. Choose a column with fewer and"
                " commoner values, or another split."
            )


def _moments(
    database: Database, schema: Schema, table: Table, rows: np.ndarray
) -> np.ndarray | None:
    """Return when each row is predicted, inf where it has no time."""
    times = row_times(database, schema, table.name)
    if times is None:
        return None
    return np.where(np.isnan(times[rows]), np.inf, times[rows])


def _row_keys(database: Database, table: Table, rows: np.ndarray) -> tuple[str, ...]:
    """Return the primary key of each row, its parts joined, or the row number."""
    if not table.primary_key:
        return tuple(map(str, rows.tolist()))
    keys = database.key_texts(table.name, table.primary_key)
    return tuple(map(keys.__getitem__, rows.tolist()))
