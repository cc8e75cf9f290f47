"""What a database cannot say of itself, as a file: keys, types, times, tasks."""

import math
import tomllib
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, field, fields, replace
from pathlib import Path
from types import MappingProxyType
from typing import Any

import tomli_w

from workbench.errors import SchemaError, TaskError, unknown
from workbench.forecast import LABEL, SEED_TABLE, SEED_TIME, Forecast, read_forecast
from workbench.stypes import Stype


@dataclass(frozen=True, slots=True)
class TaskSpec:
    """What someone asks to have predicted, before any row is read.

    Attributes:
        target: ``Table.column``.
        where: One boolean SQL expression over the target table; other rows are left
            out of the task but stay in the graph.
        hide: Columns (``Table.column``) that no graph may show.
        split: ``random``, ``time:COLUMN``, ``group:COLUMN`` or ``column:COLUMN``.
        split_seed: The split's own seed.
        metric: A name in ``METRICS``, or None for the task type's default.
        name: The ready-made task's name, if it is one.
        description: A plain sentence.
        optimal: The best possible score of the metric on the test rows, from 0 to 1,
            where it is known because the signal was planted.
        horizon: Seconds from a row's own time until its label is known, for a task
            about the future; None where the label is a fact of the row.
        forecast: What makes the target table, for a task about later rows: it is
            no table of the source but has one row per entity and seed time.
    """

    target: str
    where: str | None = None
    hide: tuple[str, ...] = ()
    split: str = "random"
    split_seed: int = 0
    metric: str | None = None
    name: str = ""
    description: str = ""
    optimal: float | None = None
    horizon: float | None = None
    forecast: Forecast | None = None

    def __post_init__(self) -> None:
        """Check that labels are known when the forecast's window ends."""
        window_s = None if self.forecast is None else self.forecast.window_s
        if window_s not in (None, self.horizon):
            raise TaskError(
                f'The horizon of a forecast is its window, not "{self.horizon}";'
                f' leave it out, or write "{window_s}".'
            )

    @property
    def seed_table(self) -> str | None:
        """The table of entities and seed times, where something is forecast.

        Its rows are asked about and tell others nothing, whatever the topology.
        """
        return None if self.forecast is None else self.table

    @property
    def title(self) -> str:
        """What is predicted, as it is named where there is room for a few words."""
        if self.name:
            return self.name
        return self.target if self.forecast is None else self.forecast.title

    @property
    def table(self) -> str:
        """The table whose column is predicted."""
        return self.target.rpartition(".")[0]

    @property
    def column(self) -> str:
        """The column that is predicted."""
        return self.target.rpartition(".")[2]

    @property
    def hidden(self) -> frozenset[tuple[str, str]]:
        """Every (table, column) that no graph may show.

        The target, the columns of `hide`, and the column that holds the split where
        the split is ``column:COLUMN``.
        """
        names = [(self.table, self.column)]
        names += [(one.rpartition(".")[0], one.rpartition(".")[2]) for one in self.hide]
        kind, _, column = self.split.partition(":")
        if kind == "column":
            names.append((self.table, column))
        return frozenset(names)


def forecast_task(
    forecast: Forecast,
    hide: tuple[str, ...] = (),
    metric: str | None = None,
    name: str = "",
    description: str = "",
) -> TaskSpec:
    """Return the task of a forecast: its own table, split by its seed times.

    Args:
        forecast: What is asked.
        hide: Columns (``Table.column``) that no graph may show.
        metric: A name in ``METRICS``, or None for the task type's default.
        name: The ready-made task's name, if it is one.
        description: A plain sentence; the forecast's own where there is none.
    """
    return TaskSpec(
        target=f"{SEED_TABLE}.{LABEL}",
        hide=hide,
        split=f"time:{SEED_TIME}",
        metric=metric,
        name=name,
        description=description or forecast.sentence,
        horizon=float(forecast.window_s),
        forecast=forecast,
    )


def filled(settings: Mapping[str, Any]) -> dict[str, Any]:
    """Return settings without those that are None, tuples as lists, as TOML has them.

    Nested settings are treated alike.
    """
    return {
        name: filled(value)
        if isinstance(value, Mapping)
        else list(value)
        if isinstance(value, tuple)
        else value
        for name, value in settings.items()
        if value is not None
    }


@dataclass(frozen=True, slots=True)
class KeyHint:
    """A foreign key that someone accepts, or rejects."""

    table: str
    columns: tuple[str, ...]
    ref_table: str
    ref_columns: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class TableHint:
    """What a hint file says about one table.

    Attributes:
        primary_key: Its columns; none where rows have no key of their own; None where
            nothing is said.
        time_column: When a row came to be.
        columns: Semantic types by column.
    """

    primary_key: tuple[str, ...] | None = None
    time_column: str | None = None
    columns: Mapping[str, Stype] = field(default_factory=lambda: MappingProxyType({}))


@dataclass(frozen=True, slots=True)
class Hints:
    """The content of a hint file.

    Attributes:
        tables: By table name.
        foreign_keys: Keys to add.
        rejected_keys: Keys that are none, whoever says so.
        tasks: Ready-made tasks by name.
        complete: Whether no further key is to be looked for in the rows.
    """

    tables: Mapping[str, TableHint] = field(
        default_factory=lambda: MappingProxyType({})
    )
    foreign_keys: tuple[KeyHint, ...] = ()
    rejected_keys: tuple[KeyHint, ...] = ()
    tasks: Mapping[str, TaskSpec] = field(default_factory=lambda: MappingProxyType({}))
    complete: bool = False

    def with_type(self, table: str, column: str, stype: Stype) -> "Hints":
        """Return the same hints, but for what a column means."""
        columns = {**self._table(table).columns, column: stype}
        return self._with_table(table, columns=MappingProxyType(columns))

    def with_time(self, table: str, column: str | None) -> "Hints":
        """Return the same hints, but for when the rows of a table came to be."""
        return self._with_table(table, time_column=column)

    def with_primary_key(self, table: str, columns: tuple[str, ...]) -> "Hints":
        """Return the same hints, but for a table's key; none of its own where empty."""
        return self._with_table(table, primary_key=columns)

    def accepting(self, key: KeyHint) -> "Hints":
        """Return the same hints with a foreign key added."""
        return replace(
            self,
            foreign_keys=tuple(dict.fromkeys((*self.foreign_keys, key))),
            rejected_keys=tuple(one for one in self.rejected_keys if one != key),
        )

    def allowing(self, key: KeyHint) -> "Hints":
        """Return the same hints with a foreign key neither added nor rejected."""
        return replace(
            self,
            rejected_keys=tuple(one for one in self.rejected_keys if one != key),
        )

    def rejecting(self, key: KeyHint) -> "Hints":
        """Return the same hints with a foreign key that is none."""
        return replace(
            self,
            foreign_keys=tuple(one for one in self.foreign_keys if one != key),
            rejected_keys=tuple(dict.fromkeys((*self.rejected_keys, key))),
        )

    def _table(self, name: str) -> TableHint:
        return self.tables.get(name, TableHint())

    def _with_table(self, name: str, **settings: Any) -> "Hints":
        changed = replace(self._table(name), **settings)
        return replace(self, tables=MappingProxyType({**self.tables, name: changed}))


SECTIONS = ("keys", "tables", "foreign_keys", "rejected_keys", "tasks")
COMPLETE = "complete"


def read_hints(path: Path) -> Hints:
    """Read a hint file (TOML).

    Raises:
        SchemaError: The file is missing, is no TOML, or holds a setting that is
            unknown or of the wrong kind.
    """
    try:
        content = tomllib.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise SchemaError(f'The hint file "{path}" cannot be read.') from error
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise SchemaError(f'The hint file "{path}" is not TOML: {error}.') from error
    reader = _Reader(str(path))
    reader.check(content, SECTIONS, "section")
    tables = reader.table(content, "tables")
    tasks = reader.table(content, "tasks")
    return Hints(
        tables=MappingProxyType(
            {name: reader.table_hint(tables, name) for name in tables}
        ),
        foreign_keys=reader.key_hints(content, "foreign_keys"),
        rejected_keys=reader.key_hints(content, "rejected_keys"),
        tasks=MappingProxyType({name: reader.task(tasks, name) for name in tasks}),
        complete=reader.is_complete(content),
    )


def hints_to_toml(hints: Hints) -> str:
    """Return the text of a hint file; `read_hints` of it gives equal hints."""
    content: dict[str, Any] = {"keys": COMPLETE} if hints.complete else {}
    content["tables"] = {
        name: _table_content(hint) for name, hint in hints.tables.items()
    }
    content["foreign_keys"] = _key_content(hints.foreign_keys)
    content["rejected_keys"] = _key_content(hints.rejected_keys)
    content["tasks"] = {name: _task_content(task) for name, task in hints.tasks.items()}
    return tomli_w.dumps({name: value for name, value in content.items() if value})


def _table_content(hint: TableHint) -> dict[str, Any]:
    content: dict[str, Any] = {}
    if hint.primary_key is not None:
        content["primary_key"] = list(hint.primary_key)
    if hint.time_column is not None:
        content["time_column"] = hint.time_column
    if hint.columns:
        content["columns"] = {name: str(stype) for name, stype in hint.columns.items()}
    return content


def _key_content(keys: Iterable[KeyHint]) -> list[dict[str, Any]]:
    return [
        {
            name: list(v) if isinstance(v, tuple) else v
            for name, v in asdict(key).items()
        }
        for key in keys
    ]


def _task_content(task: TaskSpec) -> dict[str, Any]:
    """Return a task's settings but those that are as they would be unsaid."""
    blank = TaskSpec("") if task.forecast is None else forecast_task(task.forecast)
    said = {
        each.name: getattr(task, each.name)
        for each in fields(TaskSpec)
        if each.name != "name" and getattr(task, each.name) != getattr(blank, each.name)
    }
    if task.forecast is not None:
        said["forecast"] = asdict(task.forecast)
    return filled(said)


@dataclass(frozen=True, slots=True)
class _Reader:
    """Reads parts of one file; every complaint names the file."""

    path: str

    def fail(self, problem: str) -> SchemaError:
        return SchemaError(f'The hint file "{self.path}": {problem}')

    def check(
        self, found: Mapping[str, Any], known: tuple[str, ...], kind: str
    ) -> None:
        for name in found:
            if name not in known:
                raise self.fail(unknown(kind, name, known))

    def table(self, content: Mapping[str, Any], name: str) -> Mapping[str, Any]:
        value = content.get(name, {})
        if not isinstance(value, dict):
            raise self.fail(f'"{name}" should be a table of settings.')
        return value

    def is_complete(self, content: Mapping[str, Any]) -> bool:
        value = content.get("keys")
        if value not in (None, COMPLETE):
            raise self.fail(
                f'"keys" is "{value}"; "{COMPLETE}" is all it can be, which says that'
                " no further keys are to be looked for."
            )
        return value == COMPLETE

    def key_hints(self, content: Mapping[str, Any], name: str) -> tuple[KeyHint, ...]:
        value = content.get(name, [])
        if isinstance(value, list) and all(isinstance(each, dict) for each in value):
            return tuple(map(self.key_hint, value))
        raise self.fail(f'"{name}" should be written as [[{name}]] entries.')

    def text(self, content: Mapping[str, Any], name: str) -> str:
        value = content.get(name)
        if not isinstance(value, str):
            raise self.fail(f'"{name}" should be a text.')
        return value

    def names(self, content: Mapping[str, Any], name: str) -> tuple[str, ...]:
        value = content.get(name)
        if isinstance(value, list) and all(isinstance(each, str) for each in value):
            return tuple(value)
        raise self.fail(f'"{name}" should be a list of names.')

    def table_hint(self, content: Mapping[str, Any], name: str) -> TableHint:
        entry = self.table(content, name)
        self.check(entry, ("primary_key", "time_column", "columns"), "setting")
        columns = self.table(entry, "columns")
        return TableHint(
            primary_key=(
                self.names(entry, "primary_key") if "primary_key" in entry else None
            ),
            time_column=(
                self.text(entry, "time_column") if "time_column" in entry else None
            ),
            columns=MappingProxyType(
                {key: self.stype(columns, key) for key in columns}
            ),
        )

    def stype(self, content: Mapping[str, Any], name: str) -> Stype:
        value = self.text(content, name)
        if value not in list(Stype):
            raise self.fail(unknown("semantic type", value, list(Stype)))
        return Stype(value)

    def key_hint(self, entry: Mapping[str, Any]) -> KeyHint:
        known = ("table", "columns", "ref_table", "ref_columns")
        self.check(entry, known, "setting")
        hint = KeyHint(
            table=self.text(entry, "table"),
            columns=self.names(entry, "columns"),
            ref_table=self.text(entry, "ref_table"),
            ref_columns=self.names(entry, "ref_columns"),
        )
        if not hint.columns or len(hint.columns) != len(hint.ref_columns):
            raise self.fail(
                f'a key of "{hint.table}" needs as many "ref_columns" as "columns".'
            )
        return hint

    def task(self, content: Mapping[str, Any], name: str) -> TaskSpec:
        entry = self.table(content, name)
        self.check(entry, tuple(each.name for each in fields(TaskSpec)), "setting")
        texts = ("target", "where", "split", "metric", "description")
        settings: dict[str, Any] = {
            key: self.text(entry, key) for key in texts if key in entry
        }
        if "target" not in settings and "forecast" not in entry:
            raise self.fail(f'the task "{name}" needs a "target" or a "forecast".')
        if "hide" in entry:
            settings["hide"] = self.names(entry, "hide")
        if "split_seed" in entry:
            settings["split_seed"] = self.seed(entry)
        if "optimal" in entry:
            settings["optimal"] = self.share(entry, "optimal")
        if "horizon" in entry:
            settings["horizon"] = self.seconds(entry, "horizon")
        if "forecast" in entry:
            return replace(forecast_task(self.forecast(entry)), name=name, **settings)
        return TaskSpec(name=name, **settings)

    def forecast(self, content: Mapping[str, Any]) -> Forecast:
        try:
            return read_forecast(self.table(content, "forecast"))
        except TaskError as error:
            raise self.fail(str(error)) from error

    def seconds(self, entry: Mapping[str, Any], name: str) -> float:
        value = entry[name]
        if type(value) in (int, float) and 0 < value < math.inf:
            return float(value)
        raise self.fail(f'"{name}" should be a number of seconds above 0.')

    def share(self, entry: Mapping[str, Any], name: str) -> float:
        value = entry[name]
        if type(value) in (int, float) and 0 <= value <= 1:
            return float(value)
        raise self.fail(f'"{name}" should be a number from 0 to 1.')

    def seed(self, entry: Mapping[str, Any]) -> int:
        value = entry["split_seed"]
        if type(value) is not int or value < 0:
            raise self.fail('"split_seed" should be a whole number from 0 up.')
        return value
