"""Rows for a schema that has none: consistent keys, plain values, drawn by chance.

What keys say decides everything that ties rows together; values say nothing of one
another. Every column is drawn by a generator of its own, so that a table more or less
changes no other.
"""

import sqlite3
from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing
from pathlib import Path

from workbench.database import quote
from workbench.planting.drawing import Drawing, Plan
from workbench.planting.invention import Values
from workbench.planting.kinship import fill_order, is_one_to_one, unique_sets
from workbench.schema import Schema, Table

BASE_ROWS = 300
MOST_TIMES = 8  # a table has at most so many times the rows of one that refers to none


def row_counts(schema: Schema, base: int = BASE_ROWS) -> dict[str, int]:
    """Return how many rows to give every table of a schema.

    ``base`` for a table that refers to no other, twice as many as the longest of the
    tables it refers to for any other, and at most eight times ``base``. Where a key
    allows one row for each, as many as the table referred to. Only the keys that lead
    out of a table count, so that one more table changes no other's rows.
    """
    factors: dict[str, int] = {}

    def factor(table: str, seen: tuple[str, ...]) -> int:
        if table in factors:
            return factors[table]
        found = 1
        for key in schema.keys_from(table):
            if key.ref_table not in (*seen, table):
                above = factor(key.ref_table, (*seen, table))
                single = is_one_to_one(schema, key)
                found = max(found, above if single else min(2 * above, MOST_TIMES))
        if not seen:
            factors[table] = found
        return found

    return {table.name: base * factor(table.name, ()) for table in schema.tables}


def write_plan(schema: Schema, path: Path, plan: Plan) -> Mapping[str, int]:
    """Write an SQLite file with a schema's tables, its keys declared, and rows.

    Every key refers to a row that exists. A key of several columns copies the row it
    refers to; keys that share a column agree on it, and one that cannot is NULL. A
    table that refers to itself refers to earlier rows (the first row, where it has to
    refer to something, to itself). One in twenty of the keys that may be NULL is. A
    junction holds no pair twice, and a table whose key is another's has at most one row
    for each: it gets fewer rows where keys allow no more.

    Args:
        schema: The tables, their keys and types.
        path: The file, which must not exist yet.
        plan: How many rows each table has, and what else is settled.

    Returns:
        How many rows each table got.

    Raises:
        SchemaError: Keys are made of one another in a circle.
    """
    drawing = Drawing(schema, plan)
    for name in fill_order(schema):
        drawing.fill(schema.table(name))
    with closing(sqlite3.connect(path)) as connection, connection:
        for table in schema.tables:
            _write(connection, schema, table, drawing.finished(table))
    return drawing.counts


def _write(
    connection: sqlite3.Connection,
    schema: Schema,
    table: Table,
    columns: Mapping[str, tuple[str, Values]],
) -> None:
    parts = list(_declarations(table, columns))
    if table.primary_key:
        parts.append(f"PRIMARY KEY ({_names(table.primary_key)})")
    needed = [
        each for each in unique_sets(schema, table.name) if each != table.primary_key
    ]
    parts += [f"UNIQUE ({_names(each)})" for each in needed]
    parts += [
        f"FOREIGN KEY ({_names(key.columns)}) REFERENCES"
        f" {quote(key.ref_table)} ({_names(key.ref_columns)})"
        for key in schema.keys_from(table.name)
    ]
    connection.execute(f"CREATE TABLE {quote(table.name)} ({', '.join(parts)})")
    marks = ", ".join("?" * len(columns))
    rows = zip(*(values for _, values in columns.values()), strict=True)
    connection.executemany(f"INSERT INTO {quote(table.name)} VALUES ({marks})", rows)


def _declarations(
    table: Table, columns: Mapping[str, tuple[str, Values]]
) -> Iterator[str]:
    nullable = {column.name: column.nullable for column in table.columns}
    for name, (sql_type, _) in columns.items():
        # A quoted type may be any text; SQLite only looks for words in it.
        kind = f" {quote(sql_type)}" if sql_type else ""
        yield f"{quote(name)}{kind}{'' if nullable.get(name, True) else ' NOT NULL'}"


def _names(columns: Sequence[str]) -> str:
    return ", ".join(map(quote, columns))
