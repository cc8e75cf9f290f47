"""A CREATE TABLE of SQLite, read by SQLite itself: in memory, and nothing else."""

import sqlite3
from contextlib import closing
from itertools import groupby
from operator import itemgetter
from typing import Final

from workbench.ddl.definition import Column, Definition, Key

_ALLOWED: Final = frozenset(
    (sqlite3.SQLITE_CREATE_TABLE, sqlite3.SQLITE_CREATE_INDEX, sqlite3.SQLITE_READ)
)
_BOOKKEEPING: Final = frozenset((sqlite3.SQLITE_INSERT, sqlite3.SQLITE_UPDATE))
_LONGEST: Final = 1_000_000


def sqlite_definition(statement: str) -> Definition | None:
    """Let SQLite read a statement that creates one table.

    The statement runs in a database of its own, in memory, which may do nothing but
    create a table and write that down: no rows, functions, triggers, views, virtual
    tables, PRAGMA or ATTACH.

    Args:
        statement: One CREATE TABLE.

    Returns:
        Its columns and keys, or nothing where SQLite refuses the statement.
    """
    if len(statement) > _LONGEST:
        return None
    with closing(sqlite3.connect(":memory:")) as connection:
        connection.set_authorizer(_authorize)
        try:
            connection.execute(statement)
        except (sqlite3.Error, sqlite3.Warning, ValueError):
            return None
        connection.set_authorizer(None)
        names = connection.execute("SELECT name FROM sqlite_master WHERE type='table'")
        found = [name for (name,) in names if not name.startswith("sqlite_")]
        return _read(connection, found[0]) if len(found) == 1 else None


def _authorize(
    action: int, first: str | None, second: str | None, base: str | None, source: object
) -> int:
    if action in _ALLOWED and base != "temp":
        return sqlite3.SQLITE_OK
    if action in _BOOKKEEPING and first in ("sqlite_master", "sqlite_sequence"):
        return sqlite3.SQLITE_OK
    return sqlite3.SQLITE_DENY


def _read(connection: sqlite3.Connection, table: str) -> Definition:
    found = connection.execute(
        'SELECT name, type, "notnull", pk FROM pragma_table_xinfo(?)', [table]
    ).fetchall()
    keys = sorted((pk, name) for name, _, _, pk in found if pk)
    return Definition(
        columns=[
            Column(name, sql_type.removesuffix(" GENERATED ALWAYS"), not required)
            for name, sql_type, required, _ in found
        ],
        primary_key=tuple(name for _, name in keys),
        keys=list(_keys(connection, table)),
    )


def _keys(connection: sqlite3.Connection, table: str) -> list[Key]:
    found = connection.execute(
        'SELECT id, "table", "from", "to" FROM pragma_foreign_key_list(?)'
        " ORDER BY id DESC, seq",
        [table],
    ).fetchall()
    keys = []
    for _, parts in groupby(found, key=itemgetter(0)):
        _, tables, columns, ref_columns = zip(*parts, strict=True)
        named = () if None in ref_columns else ref_columns
        keys.append(Key(columns, (tables[0],), named))
    return keys
