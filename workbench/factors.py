"""The columns that a split goes by: of the target's table, or of what it refers to."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime

import numpy as np

from workbench.database import ROW, Database, quote
from workbench.errors import TaskError, unknown
from workbench.heldout import (
    Factor,
    Grid,
    count_grid,
    order_values,
    rank_values,
    split_held_out,
)
from workbench.hints import TaskSpec
from workbench.schema import Column, ForeignKey, Schema, Stype, value_sql
from workbench.split import SplitKind, read_named, read_split

MOST_HOPS = 6
ORDERED = frozenset({Stype.NUMERICAL, Stype.TIMESTAMP})
NUMBERS = frozenset({"BIGINT", "DOUBLE"})


@dataclass(frozen=True, slots=True)
class FactorColumn:
    """A column that a split names, and the keys that lead from a row to its value.

    Attributes:
        table: The column's table.
        column: The column.
        path: Foreign keys from the target's table, child to parent; may be empty.
    """

    table: str
    column: Column
    path: tuple[ForeignKey, ...]

    @property
    def name(self) -> str:
        """``table.column``."""
        return f"{self.table}.{self.column.name}"


def find_factors(schema: Schema, spec: TaskSpec) -> tuple[FactorColumn, ...]:
    """Return the columns that a task's split names, in its order.

    Raises:
        SchemaError: A table or column is not there.
        TaskError: The split cannot be read, uses the target, or names a table that
            keys reach from the target's table in no way or in several.
    """
    kind, named = read_split(spec.split)
    columns, _ = read_named(kind, named)
    found = tuple(_find(schema, spec, name) for name in columns)
    if (spec.table, spec.column) in {(one.table, one.column.name) for one in found}:
        raise TaskError(
            f'The split "{spec.split}" uses the target itself; choose another column.'
        )
    if len({one.name for one in found}) < len(found):
        raise TaskError(
            f'The split "{spec.split}" names one column twice; name two columns.'
        )
    return found


def factor_choices(schema: Schema, table: str) -> tuple[str, ...]:
    """Return every column that a split of a table's rows can name.

    Those of the table itself come first; those of another table that exactly one path
    of keys leads to are written ``table.column``.
    """
    own = [column.name for column in schema.table(table).columns]
    ends = [path[-1].ref_table for path in _paths(schema, table)]
    return (
        *own,
        *(
            f"{end}.{column.name}"
            for end in dict.fromkeys(ends)
            if ends.count(end) == 1
            for column in schema.table(end).columns
        ),
    )


def divide_by_factors(
    database: Database, schema: Schema, spec: TaskSpec, rows: np.ndarray
) -> tuple[np.ndarray, Grid]:
    """Return the side of each row, and how many rows of each combination are where.

    Args:
        database: The rows.
        schema: What they mean.
        spec: A task whose split holds values out.
        rows: int64 ``[n]``: rows of its table.

    Raises:
        SchemaError: A column is not there.
        TaskError: The split does not fit the columns.
    """
    kind, named = read_split(spec.split)
    columns = find_factors(schema, spec)
    values = read_named(kind, named)[1]
    factors = [
        _read(database, spec.table, one, rows, kind is SplitKind.LEAVE)
        for one in columns
    ]
    left_out = [_level(factors[0], value) for value in values] or None
    split = split_held_out(kind, factors, spec.split_seed, left_out)
    return split, count_grid(factors, split)


def _find(schema: Schema, spec: TaskSpec, written: str) -> FactorColumn:
    own = {column.name: column for column in schema.table(spec.table).columns}
    if written in own:
        return FactorColumn(spec.table, own[written], ())
    table, dot, name = written.rpartition(".")
    if not dot:
        missing = unknown(f'column of "{spec.table}"', written, own)
        raise TaskError(
            f"{missing} A column of a table that it refers to is written TABLE.COLUMN."
        )
    column = schema.column(table, name)
    if table == spec.table:
        return FactorColumn(table, column, ())
    paths = [one for one in _paths(schema, spec.table) if one[-1].ref_table == table]
    if not paths:
        raise TaskError(
            f'The split column "{written}" cannot be reached: no keys lead from a row'
            f' of "{spec.table}" to one row of "{table}".'
        )
    if len(paths) > 1:
        ways = " and ".join(
            ", ".join(f"{key.table}.{'+'.join(key.columns)}" for key in path)
            for path in paths[:2]
        )
        raise TaskError(
            f'The split column "{written}" is reached from "{spec.table}" in'
            f" {len(paths)} ways, such as by {ways}; choose a column that one way"
            " leads to."
        )
    return FactorColumn(table, column, paths[0])


def _paths(schema: Schema, table: str) -> Iterator[tuple[ForeignKey, ...]]:
    """Yield every path of keys from child to parent, nearest first, no table twice."""
    paths: list[tuple[ForeignKey, ...]] = [(key,) for key in schema.keys_from(table)]
    while paths:
        path = paths.pop(0)
        visited = {table, *(key.ref_table for key in path[:-1])}
        if path[-1].ref_table in visited:
            continue
        yield path
        if len(path) < MOST_HOPS:
            paths += [(*path, key) for key in schema.keys_from(path[-1].ref_table)]


def _read(
    database: Database,
    table: str,
    factor: FactorColumn,
    rows: np.ndarray,
    each_value: bool,
) -> Factor:
    """Return a column as levels of the target's rows."""
    column, stored = factor.column, quote(factor.column.name)
    physical = database.physical_type(factor.table, column.name)
    is_time = column.stype is Stype.TIMESTAMP
    is_number = column.stype is Stype.NUMERICAL or (
        physical in NUMBERS and column.stype is not Stype.ID and not is_time
    )
    wanted = f"CAST({stored} AS VARCHAR)"
    if column.stype in ORDERED and not (is_time and each_value):
        wanted = value_sql(column.stype, stored)
    elif is_number:
        wanted = f"CAST({stored} AS DOUBLE)"
    held = database.rows(
        f"SELECT {wanted} FROM {quote(factor.table)} ORDER BY {quote(ROW)}"
    )
    links = rows
    for key in factor.path:
        step = database.links(key.table, key.columns, key.ref_table, key.ref_columns)
        links = np.array([step[at] if at >= 0 else -1 for at in links], dtype=np.int64)
    values = [held[at][0] if at >= 0 else None for at in links]
    if each_value:
        texts = [_number(one) if isinstance(one, float) else one for one in values]
        return rank_values(texts, factor.name)
    if is_number or is_time:
        return order_values(values, factor.name, _day if is_time else _short)
    return rank_values(values, factor.name)


def _level(factor: Factor, value: str) -> int:
    if value not in factor.levels:
        raise TaskError(unknown(f'value of "{factor.name}"', value, factor.levels))
    return factor.levels.index(value)


def _number(value: float) -> str:
    return f"{value:.10g}"


def _short(value: float) -> str:
    return f"{value:.0f}" if value == round(value) else f"{value:.4g}"


def _day(seconds: float) -> str:
    return datetime.fromtimestamp(seconds, UTC).date().isoformat()
