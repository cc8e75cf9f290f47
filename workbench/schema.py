"""What the tables mean: keys, semantic types, junctions, each with its evidence."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from workbench.database import Database
from workbench.errors import SchemaError, unknown
from workbench.hints import Hints, TaskSpec, read_hints
from workbench.stypes import Stype, value_sql

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
