"""Single rows: found by a key or a few letters, named for a reader, shown whole."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import pyarrow as pa

from workbench.blueprint import NodeRule, RowNode
from workbench.database import Database, quote
from workbench.edges import value_table
from workbench.errors import DatabaseError
from workbench.schema import Schema, Stype, Table

NUM_FOUND = 20
MOST_LETTERS = 60
TITLES = (Stype.TEXT, Stype.FREE_TEXT, Stype.CATEGORICAL)
TELLING = 0.5  # a category is a name where it tells so many rows apart


@dataclass(frozen=True, slots=True)
class NamedRow:
    """A row and what a reader calls it.

    Attributes:
        row: Its number in its table, from 0.
        key: Its primary key, parts joined by a comma; the row's number without one.
        title: What stands in the table's first column of text, or of categories that
            nearly tell rows apart; may be empty.
    """

    row: int
    key: str
    title: str

    @property
    def text(self) -> str:
        """The key, and the title beside it."""
        return f"{self.key} · {self.title}" if self.title else self.key


def find_rows(
    database: Database, schema: Schema, table: str, text: str, most: int = NUM_FOUND
) -> tuple[NamedRow, ...]:
    """Return the rows that a search text means.

    What was typed is only ever compared, never run.

    Args:
        database: Where the rows are.
        schema: What they mean.
        table: The table.
        text: A key, or part of a text; of no letters, the first rows are returned.
        most: Most rows.

    Returns:
        Rows whose key is the text, then those of which another key is, then those with
        a column of text that holds it, whatever its case; each in the table's order.
    """
    found = schema.table(table)
    wanted, key = text.strip(), _key_sql(found)
    if not wanted:
        listed = database.rows(
            f"SELECT __row FROM {quote(table)} ORDER BY __row LIMIT ?", [most]
        )
        return name_rows(database, schema, table, [row for (row,) in listed])
    keys = [_text_sql(one.name) for one in found.columns if one.stype is Stype.ID]
    texts = [
        _text_sql(one.name)
        for one in found.columns
        if database.physical_type(table, one.name) == "VARCHAR"
    ]
    is_key = " OR ".join(["false", *(f"{one} = ?" for one in keys)])
    holds = " OR ".join(
        ["false", *(f"contains(lower({one}), lower(?))" for one in texts)]
    )
    listed = database.rows(
        f"SELECT __row, CASE WHEN {key} = ? THEN 0 WHEN {is_key} THEN 1"
        f" WHEN {holds} THEN 2 END AS place FROM {quote(table)}"
        " WHERE place IS NOT NULL ORDER BY place, __row LIMIT ?",
        [*[wanted] * (1 + len(keys) + len(texts)), most],
    )
    return name_rows(database, schema, table, [row for row, _ in listed])


def row_of_key(database: Database, schema: Schema, table: str, key: str) -> int:
    """Return the row that a key names.

    Raises:
        DatabaseError: No row has it.
    """
    listed = database.rows(
        f"SELECT __row FROM {quote(table)} WHERE {_key_sql(schema.table(table))} = ?"
        " ORDER BY __row LIMIT 1",
        [key],
    )
    if listed:
        return int(listed[0][0])
    some = [one.key for one in find_rows(database, schema, table, "", most=3)]
    shown = f"; {', '.join(some)} are some that have one" if some else ""
    raise DatabaseError(f'No row of {table} has the key "{key}"{shown}.')


def name_rows(
    database: Database, schema: Schema, table: str, rows: Sequence[int]
) -> tuple[NamedRow, ...]:
    """Return the names of rows, in the order asked for."""
    found = schema.table(table)
    title = _title_of(database, found)
    shown = "''" if title is None else f"coalesce({_text_sql(title)}, '')"
    listed = database.rows(
        f"SELECT __row, {_key_sql(found)}, {shown} FROM {quote(table)}"
        " WHERE __row IN (SELECT unnest(?))",
        [[int(row) for row in rows]],
    )
    named = {row: NamedRow(row, str(key), _shorten(said)) for row, key, said in listed}
    return tuple(named[int(row)] for row in rows)


def name_nodes(
    database: Database,
    schema: Schema,
    node: NodeRule,
    places: Sequence[int],
) -> tuple[str, ...]:
    """Return what nodes of a type are called: rows by key and title, values as such."""
    if isinstance(node, RowNode):
        return tuple(
            one.text for one in name_rows(database, schema, node.table, places)
        )
    values = value_table(database, schema, node.column).column(0).to_pylist()
    return tuple(_shorten(str(values[place])) for place in places)


def row_values(
    database: Database, schema: Schema, table: str, row: int
) -> Mapping[str, Any]:
    """Return a row's values by column, as the database holds them."""
    names = [column.name for column in schema.table(table).columns]
    wanted = ", ".join(map(quote, names)) or "1"
    ((*values,),) = database.rows(
        f"SELECT {wanted} FROM {quote(table)} WHERE __row = ?", [int(row)]
    )
    return dict(zip(names, values, strict=False))


def sample_rows(database: Database, table: str, most: int, seed: int = 0) -> pa.Table:
    """Return some rows of a table with all its columns, in the table's order.

    Args:
        database: Where the rows are.
        table: The table.
        most: Most rows.
        seed: 0 for the first rows; with any other, rows drawn by chance, each as
            likely, and the same ones for the same seed.
    """
    names = [quote(column.name) for column in database.table(table).columns]
    wanted = ", ".join(names) or "1"
    place = "hash(__row, ?)" if seed else "__row + CAST(? AS BIGINT)"
    return database.sql(
        f"SELECT {wanted} FROM {quote(table)} WHERE __row IN (SELECT __row FROM"
        f" {quote(table)} ORDER BY {place} LIMIT ?) ORDER BY __row",
        [seed, most],
    )


def _title_of(database: Database, table: Table) -> str | None:
    for stype in TITLES:
        for column in table.columns:
            fewest = TELLING * table.num_rows if stype is Stype.CATEGORICAL else 0
            if (
                column.stype is stype
                and column.num_distinct >= fewest
                and column.name not in table.primary_key
                and database.physical_type(table.name, column.name) == "VARCHAR"
            ):
                return column.name
    return None


def _key_sql(table: Table) -> str:
    """Return the SQL of a row's key as a text."""
    if not table.primary_key:
        return "CAST(__row AS VARCHAR)"
    parts = ", ".join(
        f"coalesce({_text_sql(name)}, 'None')" for name in table.primary_key
    )
    return f"concat_ws(', ', {parts})"


def _text_sql(column: str) -> str:
    return f"CAST({quote(column)} AS VARCHAR)"


def _shorten(text: str) -> str:
    return text if len(text) <= MOST_LETTERS else text[: MOST_LETTERS - 1] + "…"
