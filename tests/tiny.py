"""Small schemas and databases, written out in full, for tests of planning."""

import sqlite3
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

import numpy as np

from workbench.database import Database, connect, quote
from workbench.schema import Column, ForeignKey, KeyOrigin, Schema, Stype, Table
from workbench.task import Task, TaskSpec, TaskType


def write_sqlite(path: Path, sql: str) -> Path:
    """Write an SQLite file from statements; nothing enforces its keys."""
    connection = sqlite3.connect(path)
    connection.executescript(f"BEGIN; {sql}; COMMIT;")  # one write, not one a row
    connection.close()
    return path


def write_customers(
    path: Path,
    sizes: Iterable[float],
    customers: Iterable[tuple[int, float, int, int]],
) -> Path:
    """Write customers who live in cities as an SQLite file.

    Args:
        path: Where to.
        sizes: Of every city, from number 0.
        customers: Number, age, whether good, and number of the city.
    """
    with sqlite3.connect(path) as connection:
        connection.executescript(
            """
            CREATE TABLE city (city_id INTEGER PRIMARY KEY, size REAL);
            CREATE TABLE customer (
              customer_id INTEGER PRIMARY KEY, age REAL, good INTEGER,
              city_id INTEGER REFERENCES city (city_id));
            """
        )
        connection.executemany("INSERT INTO city VALUES (?, ?)", enumerate(sizes))
        connection.executemany("INSERT INTO customer VALUES (?, ?, ?, ?)", customers)
    connection.close()
    return path


def make_table(
    name: str,
    columns: Mapping[str, str],
    primary_key: Sequence[str] = ("id",),
    num_rows: int = 12,
    num_distinct: int = 3,
    time_column: str | None = None,
) -> Table:
    """Return a table from the semantic types of its columns."""
    return Table(
        name=name,
        num_rows=num_rows,
        primary_key=tuple(primary_key),
        columns=tuple(
            Column(
                name=column,
                sql_type="",
                stype=Stype(stype),
                nullable=True,
                num_distinct=num_distinct,
                num_null=0,
                evidence="",
            )
            for column, stype in columns.items()
        ),
        time_column=time_column,
    )


def make_key(text: str, ref_columns: Sequence[str] = ("id",)) -> ForeignKey:
    """Return a key from its id, such as ``"person.city_id->city"``."""
    child, ref_table = text.split("->")
    table, columns = child.split(".")
    return ForeignKey(
        table=table,
        columns=tuple(columns.split("+")),
        ref_table=ref_table,
        ref_columns=tuple(ref_columns),
        origin=KeyOrigin.DECLARED,
        num_null=0,
        num_dangling=0,
        evidence={},
    )


def make_schema(tables: Sequence[Table], keys: Sequence[str | ForeignKey]) -> Schema:
    """Return a schema; a key is written as its id."""
    return Schema(
        name="tiny",
        fingerprint="0" * 16,
        tables=tuple(tables),
        foreign_keys=tuple(
            make_key(key) if isinstance(key, str) else key for key in keys
        ),
        warnings=(),
        tasks={},
    )


def open_tiny(
    folder: Path,
    sql: str,
    stypes: Mapping[str, str],
    time_columns: Mapping[str, str] | None = None,
) -> tuple[Database, Schema]:
    """Return a database made of statements, and a schema with the keys they declare.

    Columns that ``stypes`` does not name are ids, whatever their few rows look like.
    """
    database = connect(write_sqlite(folder / "tiny.db", sql), cache=folder / "cache")
    tables, keys = [], []
    for source in database.tables:
        columns = tuple(
            Column(
                name=column.name,
                sql_type=column.sql_type,
                stype=Stype(stypes.get(f"{source.name}.{column.name}", "id")),
                nullable=column.nullable,
                num_distinct=_num_distinct(database, source.name, column.name),
                num_null=0,
                evidence="",
            )
            for column in source.columns
        )
        when = (time_columns or {}).get(source.name)
        tables.append(
            Table(source.name, source.num_rows, source.primary_key, columns, when)
        )
        keys += [
            ForeignKey(
                source.name,
                key.columns,
                key.ref_table,
                key.ref_columns,
                KeyOrigin.DECLARED,
                0,
                0,
                {},
            )
            for key in source.foreign_keys
        ]
    return database, make_schema(tables, keys)


def _num_distinct(database: Database, table: str, column: str) -> int:
    query = f"SELECT count(DISTINCT {quote(column)}) FROM {quote(table)}"
    return database.sql(query).column(0)[0].as_py()


def make_task(
    target: str,
    rows: Sequence[int],
    hide: Sequence[str] = (),
    times: np.ndarray | None = None,
) -> Task:
    """Return a task over some rows, whatever their labels are.

    ``times`` are those of every row of the table, as `row_times` returns them.
    """
    count = len(rows)
    return Task(
        spec=TaskSpec(target=target, hide=tuple(hide)),
        task_type=TaskType.BINARY,
        classes=("0", "1"),
        metric="roc-auc",
        rows=np.asarray(rows, dtype=np.int64),
        labels=np.arange(count, dtype=np.float64) % 2,
        split=(np.arange(count) % 3).astype(np.int8),
        keys=tuple(str(row) for row in rows),
        times=None
        if times is None
        else np.nan_to_num(times[np.asarray(rows, dtype=np.int64)], nan=np.inf),
    )
