"""Small schemas and databases, written out in full, for tests of planning."""

import sqlite3
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np

from workbench.schema import Column, ForeignKey, Schema, Stype, Table
from workbench.task import Task, TaskSpec, TaskType


def write_sqlite(path: Path, sql: str) -> Path:
    """Write an SQLite file from statements; nothing enforces its keys."""
    connection = sqlite3.connect(path)
    connection.executescript(sql)
    connection.commit()
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
        declared=True,
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


def make_task(target: str, rows: Sequence[int], hide: Sequence[str] = ()) -> Task:
    """Return a task over some rows, whatever their labels are."""
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
    )
