"""What the tables mean: keys, semantic types, junctions, each with its evidence."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from workbench.database import Database, SourceTable, quote
from workbench.errors import SchemaError, unknown
from workbench.hints import Hints, TableHint, TaskSpec, read_hints
from workbench.resources import resource_path
from workbench.stypes import (
    KeyPart,
    Profile,
    Stype,
    infer_stype,
    profile_sql,
    read_profile,
    value_sql,
)

__all__ = [
    "Column",
    "ForeignKey",
    "Hints",
    "Schema",
    "Stype",
    "Table",
    "infer_schema",
    "read_hints",
    "schema_to_json",
    "shipped_hints",
    "value_sql",
]


@dataclass(frozen=True, slots=True)
class Column:
    """A column and what it means.

    Attributes:
        name: Its name.
        sql_type: The type its source declares.
        stype: Its semantic type.
        nullable: Whether the source allows NULL.
        num_distinct: Number of distinct values, NULL aside.
        num_null: Number of rows without a value.
        evidence: Why it has this semantic type, in words.
    """

    name: str
    sql_type: str
    stype: Stype
    nullable: bool
    num_distinct: int
    num_null: int
    evidence: str


@dataclass(frozen=True, slots=True)
class ForeignKey:
    """A key from rows of one table to rows of another; its target is unique.

    Attributes:
        table: The table that refers.
        columns: Its columns.
        ref_table: The table referred to.
        ref_columns: Its columns, one for each of ``columns``.
        declared: Whether the database declares it; otherwise it comes from hints.
        num_null: Rows in which a part of the key is NULL.
        num_dangling: Rows whose key names a row that does not exist.
        evidence: Why the key is believed, by name.
    """

    table: str
    columns: tuple[str, ...]
    ref_table: str
    ref_columns: tuple[str, ...]
    declared: bool
    num_null: int
    num_dangling: int
    evidence: Mapping[str, object]

    @property
    def id(self) -> str:
        """The key's name, such as ``Batting.yearID+teamID->Teams``."""
        return f"{self.table}.{'+'.join(self.columns)}->{self.ref_table}"


@dataclass(frozen=True, slots=True)
class Table:
    """A table.

    Attributes:
        name: Its name.
        num_rows: Number of rows.
        primary_key: The columns of the primary key; empty without one.
        columns: Its columns, in the source's order.
        time_column: When a row came to be, where a hint confirms it.
    """

    name: str
    num_rows: int
    primary_key: tuple[str, ...]
    columns: tuple[Column, ...]
    time_column: str | None

    def column(self, name: str) -> Column:
        """Return a column by name.

        Raises:
            SchemaError: There is no such column.
        """
        for column in self.columns:
            if column.name == name:
                return column
        known = [column.name for column in self.columns]
        raise SchemaError(unknown(f'column of "{self.name}"', name, known))


@dataclass(frozen=True, slots=True)
class Schema:
    """The tables of a database and how they hang together.

    Attributes:
        name: The database's name.
        fingerprint: The fingerprint of its content.
        tables: Its tables, in the source's order.
        foreign_keys: Its keys, declared ones first.
        warnings: What was left out or looks odd, one sentence each.
        tasks: Ready-made tasks by name.
    """

    name: str
    fingerprint: str
    tables: tuple[Table, ...]
    foreign_keys: tuple[ForeignKey, ...]
    warnings: tuple[str, ...]
    tasks: Mapping[str, TaskSpec]

    def table(self, name: str) -> Table:
        """Return a table by name.

        Raises:
            SchemaError: There is no such table.
        """
        for table in self.tables:
            if table.name == name:
                return table
        raise SchemaError(unknown("table", name, [each.name for each in self.tables]))

    def column(self, table: str, column: str) -> Column:
        """Return a column of a table.

        Raises:
            SchemaError: There is no such table or column.
        """
        return self.table(table).column(column)

    def key(self, key_id: str) -> ForeignKey:
        """Return a foreign key by its id.

        Raises:
            SchemaError: There is no such key.
        """
        for key in self.foreign_keys:
            if key.id == key_id:
                return key
        known = [each.id for each in self.foreign_keys]
        raise SchemaError(unknown("foreign key", key_id, known))

    def keys_from(self, table: str) -> tuple[ForeignKey, ...]:
        """Return the keys by which a table refers to others."""
        return tuple(key for key in self.foreign_keys if key.table == table)

    def keys_into(self, table: str) -> tuple[ForeignKey, ...]:
        """Return the keys by which others, or the table itself, refer to a table."""
        return tuple(key for key in self.foreign_keys if key.ref_table == table)

    def ready_task(self, name: str) -> TaskSpec:
        """Return a ready-made task by name.

        Raises:
            SchemaError: The hints hold no such task.
        """
        if name not in self.tasks:
            raise SchemaError(unknown("ready-made task", name, self.tasks))
        return self.tasks[name]


def infer_schema(database: Database, hints: Hints | None = None) -> Schema:
    """Find out what the tables of a database mean, from all rows.

    Nothing here depends on which rows hold which value of a column that is predicted:
    a semantic type comes from its own column alone, keys from key columns alone.

    Args:
        database: The rows.
        hints: What the database does not say of itself. By default the hint file that
            is shipped for a sample, or for a file of the same name; parts of it that
            do not fit a user's own file become warnings.

    Raises:
        SchemaError: A hint names a table or column that is not there.
    """
    if hints is None:
        hints, forgiving = shipped_hints(database), not _is_sample(database)
    else:
        forgiving = False
    inference = _Inference(database, hints, forgiving, list(database.warnings))
    inference.check_hints()
    keys = inference.foreign_keys()
    tables = tuple(inference.table(source, keys) for source in database.tables)
    return Schema(
        name=database.name,
        fingerprint=database.fingerprint,
        tables=tables,
        foreign_keys=keys,
        warnings=tuple(inference.warnings),
        tasks=dict(hints.tasks),
    )


def shipped_hints(database: Database) -> Hints:
    """Return the hints that come with the workbench for a database of this name."""
    path = resource_path("schemas") / f"{database.name}.hints.toml"
    return read_hints(path) if path.is_file() else Hints()


def schema_to_json(schema: Schema) -> dict[str, Any]:
    """Return what ``workbench inspect --json`` prints."""
    return {
        "name": schema.name,
        "fingerprint": schema.fingerprint,
        "tables": [
            {
                "name": table.name,
                "rows": table.num_rows,
                "primary_key": list(table.primary_key),
                "columns": [
                    {
                        "name": column.name,
                        "sql_type": column.sql_type,
                        "stype": str(column.stype),
                        "nullable": column.nullable,
                    }
                    for column in table.columns
                ],
                "foreign_keys": list(_keys_to_json(schema, table.name)),
            }
            for table in schema.tables
        ],
        "warnings": list(schema.warnings),
    }


def _keys_to_json(schema: Schema, table: str) -> Iterator[dict[str, Any]]:
    for key in schema.keys_from(table):
        yield {
            "columns": list(key.columns),
            "ref_table": key.ref_table,
            "ref_columns": list(key.ref_columns),
            "declared": key.declared,
            "evidence": dict(key.evidence),
            "dangling": key.num_dangling,
        }


def _is_sample(database: Database) -> bool:
    return database.source.startswith("sample:")


@dataclass(frozen=True, slots=True)
class _Inference:
    """One database and its hints while the schema is put together."""

    database: Database
    hints: Hints
    forgiving: bool
    warnings: list[str]
    unfit: set[object] = field(default_factory=set)

    def check_hints(self) -> None:
        """Look up every name in the hints; forgiven ones are kept in ``unfit``."""
        for name, hint in self.hints.tables.items():
            columns = [*(hint.primary_key or ()), *hint.columns]
            columns += [hint.time_column] if hint.time_column else []
            self._check(name, name, columns)
        for key in self.hints.foreign_keys:
            self._check(key, key.table, key.columns)
            self._check(key, key.ref_table, key.ref_columns)

    def _check(self, subject: object, table: str, columns: Iterable[str]) -> None:
        problem = self._problem(table, columns)
        if problem is None:
            return
        if not self.forgiving:
            raise SchemaError(f"A hint does not fit the database. {problem}")
        self.unfit.add(subject)
        self.warnings.append(f"A shipped hint is not used. {problem}")

    def _problem(self, table: str, columns: Iterable[str]) -> str | None:
        tables = {each.name: each for each in self.database.tables}
        if table not in tables:
            return unknown("table", table, tables)
        known = [column.name for column in tables[table].columns]
        missing = [column for column in columns if column not in known]
        return unknown(f'column of "{table}"', missing[0], known) if missing else None

    def hint(self, table: str) -> TableHint:
        if table in self.unfit:
            return TableHint()
        return self.hints.tables.get(table, TableHint())

    def foreign_keys(self) -> tuple[ForeignKey, ...]:
        """Return the keys whose target is unique, each once, declared ones first."""
        drafts = [
            (table.name, key.columns, key.ref_table, key.ref_columns, True)
            for table in self.database.tables
            for key in table.foreign_keys
        ]
        drafts += [
            (key.table, key.columns, key.ref_table, key.ref_columns, False)
            for key in self.hints.foreign_keys
            if key not in self.unfit
        ]
        found: dict[str, ForeignKey] = {}
        for draft in drafts:
            key = self._foreign_key(*draft)
            if key is not None:
                found.setdefault(key.id, key)
        return tuple(found.values())

    def _foreign_key(
        self,
        table: str,
        columns: tuple[str, ...],
        ref_table: str,
        ref_columns: tuple[str, ...],
        declared: bool,
    ) -> ForeignKey | None:
        if not self._is_unique(ref_table, ref_columns):
            self.warnings.append(
                f'The key of "{table}" ({", ".join(columns)}) to "{ref_table}" is left'
                f" out: several rows share the same {', '.join(ref_columns)}."
            )
            return None
        links = self.database.links(table, columns, ref_table, ref_columns)
        num_null = self._count_null(table, columns)
        num_linked = int(np.count_nonzero(links >= 0))
        num_filled = len(links) - num_null
        return ForeignKey(
            table=table,
            columns=columns,
            ref_table=ref_table,
            ref_columns=ref_columns,
            declared=declared,
            num_null=num_null,
            num_dangling=num_filled - num_linked,
            evidence={
                "origin": "declared" if declared else "hints",
                "matched": num_linked,
                "null": num_null,
                "ref_unique": True,
            },
        )

    def _is_unique(self, table: str, columns: Sequence[str]) -> bool:
        names = ", ".join(map(quote, columns))
        filled = " AND ".join(f"{quote(column)} IS NOT NULL" for column in columns)
        ((num_rows, num_distinct),) = self.database.rows(
            f"SELECT count(*), count(DISTINCT ({names})) FROM {quote(table)}"
            f" WHERE {filled}"
        )
        return num_rows == num_distinct

    def _count_null(self, table: str, columns: Sequence[str]) -> int:
        empty = " OR ".join(f"{quote(column)} IS NULL" for column in columns)
        ((num_null,),) = self.database.rows(
            f"SELECT count(*) FROM {quote(table)} WHERE {empty}"
        )
        return num_null

    def table(self, source: SourceTable, keys: Sequence[ForeignKey]) -> Table:
        primary_key = self._primary_key(source)
        parts = _key_parts(source.name, primary_key, keys)
        columns = tuple(self._columns(source, parts))
        return Table(
            name=source.name,
            num_rows=source.num_rows,
            primary_key=primary_key,
            columns=columns,
            time_column=self._time_column(source.name, columns),
        )

    def _primary_key(self, source: SourceTable) -> tuple[str, ...]:
        hinted = self.hint(source.name).primary_key
        if hinted is None or hinted == source.primary_key:
            return source.primary_key
        if self._is_unique(source.name, hinted):
            return hinted
        self.warnings.append(
            f'The hinted primary key of "{source.name}" ({", ".join(hinted)}) is not'
            " used: several rows share the same values."
        )
        return source.primary_key

    def _time_column(self, table: str, columns: Sequence[Column]) -> str | None:
        name = self.hint(table).time_column
        for column in columns:
            times = (Stype.TIMESTAMP, Stype.NUMERICAL)
            if column.name == name and column.stype not in times:
                raise SchemaError(
                    f'The time column "{table}.{name}" holds no times: it is'
                    f" {column.stype}. Give a column of dates, times or years."
                )
        return name

    def _columns(
        self, source: SourceTable, parts: Mapping[str, KeyPart]
    ) -> Iterator[Column]:
        overrides = self.hint(source.name).columns
        for column, profile in zip(source.columns, self._profiles(source), strict=True):
            stype, evidence = infer_stype(
                column.name,
                column.sql_type,
                profile,
                parts.get(column.name, KeyPart.NONE),
            )
            if column.name in overrides:
                stype, evidence = overrides[column.name], "said by the hints"
            yield Column(
                name=column.name,
                sql_type=column.sql_type,
                stype=stype,
                nullable=column.nullable,
                num_distinct=profile.num_distinct,
                num_null=profile.num_rows - profile.num_values,
                evidence=evidence,
            )

    def _profiles(self, source: SourceTable) -> list[Profile]:
        """Return every column's profile, by one query over the table."""
        types = [
            self.database.physical_type(source.name, column.name)
            for column in source.columns
        ]
        wanted = [
            profile_sql(quote(column.name), physical)
            for column, physical in zip(source.columns, types, strict=True)
        ]
        picked = ", ".join(["count(*)", *(each for group in wanted for each in group)])
        (found,) = self.database.rows(f"SELECT {picked} FROM {quote(source.name)}")
        values = iter(found)
        num_rows = next(values)
        return [
            read_profile(physical, num_rows, [next(values) for _ in group])
            for physical, group in zip(types, wanted, strict=True)
        ]


def _key_parts(
    table: str, primary_key: Sequence[str], keys: Sequence[ForeignKey]
) -> dict[str, KeyPart]:
    groups = [tuple(primary_key)]
    groups += [key.columns for key in keys if key.table == table]
    groups += [key.ref_columns for key in keys if key.ref_table == table]
    parts: dict[str, KeyPart] = {}
    for group in sorted(groups, key=len, reverse=True):  # a whole key decides last
        for column in group:
            parts[column] = KeyPart.WHOLE if len(group) == 1 else KeyPart.PART
    return parts
