"""What a database cannot say of itself, read from a file: keys, types, tasks."""

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from pathlib import Path
from types import MappingProxyType
from typing import Any

from workbench.errors import SchemaError, unknown
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
    """

    target: str
    where: str | None = None
    hide: tuple[str, ...] = ()
    split: str = "random"
    split_seed: int = 0
    metric: str | None = None
    name: str = ""
    description: str = ""

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


@dataclass(frozen=True, slots=True)
class KeyHint:
    """A foreign key that the database does not declare."""

    table: str
    columns: tuple[str, ...]
    ref_table: str
    ref_columns: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class TableHint:
    """What a hint file says about one table."""

    primary_key: tuple[str, ...] | None = None
    time_column: str | None = None
    columns: Mapping[str, Stype] = field(default_factory=lambda: MappingProxyType({}))


@dataclass(frozen=True, slots=True)
class Hints:
    """The content of a hint file.

    Attributes:
        tables: By table name.
        foreign_keys: Keys to add.
        tasks: Ready-made tasks by name.
    """

    tables: Mapping[str, TableHint] = field(
        default_factory=lambda: MappingProxyType({})
    )
    foreign_keys: tuple[KeyHint, ...] = ()
    tasks: Mapping[str, TaskSpec] = field(default_factory=lambda: MappingProxyType({}))


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
    reader.check(content, ("tables", "foreign_keys", "tasks"), "section")
    tables = reader.table(content, "tables")
    tasks = reader.table(content, "tasks")
    return Hints(
        tables=MappingProxyType(
            {name: reader.table_hint(tables, name) for name in tables}
        ),
        foreign_keys=tuple(map(reader.key_hint, reader.entries(content))),
        tasks=MappingProxyType({name: reader.task(tasks, name) for name in tasks}),
    )


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

    def entries(self, content: Mapping[str, Any]) -> list[Mapping[str, Any]]:
        value = content.get("foreign_keys", [])
        if isinstance(value, list) and all(isinstance(each, dict) for each in value):
            return value
        raise self.fail('"foreign_keys" should be written as [[foreign_keys]] entries.')

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
            key: self.text(entry, key) for key in ("target", *texts) if key in entry
        }
        if "target" not in settings:
            raise self.fail(f'the task "{name}" needs a "target".')
        if "hide" in entry:
            settings["hide"] = self.names(entry, "hide")
        if "split_seed" in entry:
            settings["split_seed"] = self.seed(entry)
        return TaskSpec(name=name, **settings)

    def seed(self, entry: Mapping[str, Any]) -> int:
        value = entry["split_seed"]
        if type(value) is not int or value < 0:
            raise self.fail('"split_seed" should be a whole number from 0 up.')
        return value
