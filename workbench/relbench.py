"""A database written as a folder that RelBench and the workbench read."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from workbench.database import ROW, Database, quote
from workbench.errors import DatabaseError
from workbench.files.manifest import MANIFEST, to_text
from workbench.schema import ForeignKey, Schema, Stype, Table, value_sql

CHUNK_ROWS = 500_000
PHYSICAL = {"BIGINT": "int64", "DOUBLE": "double", "VARCHAR": "string"}
VAL_SHARE, TEST_SHARE = 0.8, 0.9  # of all timed rows lie before the two times


def write_relbench(database: Database, schema: Schema, folder: Path) -> Path:
    """Write tables, keys and times so that RelBench 3 loads them.

    RelBench wants keys of one column that count rows from 0, and rows in the order of
    their time. Where a table is not like that, columns are added to it and its rows are
    sorted; the manifest tells, so that the workbench reads back what was written.
    The times from which on rows are for validation and testing lie behind 80 % and 90 %
    of all timed rows.

    Args:
        database: The rows.
        schema: Keys and time columns.
        folder: A folder that does not exist yet or is empty.

    Returns:
        The manifest.

    Raises:
        DatabaseError: The folder is not empty or cannot be written to.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
        if any(folder.iterdir()):
            raise DatabaseError(f'The folder "{folder}" is not empty; name a new one.')
        (folder / "db").mkdir()
        writing = _Writing(database, schema)
        for table in schema.tables:
            _check_name(table.name)
            writing.write(table, folder / "db" / f"{table.name}.parquet")
        manifest = folder / MANIFEST
        text = to_text(
            database.name,
            f"The tables of {database.name}, written by the workbench.",
            writing.timestamps(),
            writing.entries,
        )
        manifest.write_text(text, encoding="utf-8")
    except OSError as error:
        raise DatabaseError(
            f'The folder "{folder}" cannot be written to, or is full.'
        ) from error
    return manifest


def _check_name(name: str) -> None:
    if "/" in name or "\\" in name or "\0" in name or name in (".", ".."):
        raise DatabaseError(
            f'The table "{name}" cannot be a file of that name; rename it first.'
        )


@dataclass(frozen=True, slots=True)
class _Order:
    """Where the rows of a table go.

    Attributes:
        rows: int64 ``[rows]``: the row that is written at every position.
        position: int64 ``[rows]``: the position of every row.
        seconds: float64 ``[rows]``: the time of every row, NaN where there is none;
            None for a table without time.
        is_kept: Whether rows stay in their order.
    """

    rows: np.ndarray
    position: np.ndarray
    seconds: np.ndarray | None
    is_kept: bool


@dataclass(slots=True)
class _Added:
    """Columns that RelBench needs beside the table's own."""

    taken: set[str]
    columns: dict[str, pa.Array] = field(default_factory=dict)

    def add(self, wanted: str, values: pa.Array) -> str:
        name, number = wanted, 2
        while name.casefold() in self.taken:
            name, number = f"{wanted}_{number}", number + 1
        self.taken.add(name.casefold())
        self.columns[name] = values
        return name


class _Writing:
    """One database on its way into one folder."""

    def __init__(self, database: Database, schema: Schema) -> None:
        self.database = database
        self.schema = schema
        self.orders = {table.name: self._order(table) for table in schema.tables}
        self.entries: dict[str, dict[str, Any]] = {}

    def write(self, table: Table, path: Path) -> None:
        """Write one table and note it for the manifest."""
        order = self.orders[table.name]
        added = _Added({column.name.casefold() for column in table.columns})
        primary = self._own_key(table)
        if primary is None:
            numbers = pa.array(np.arange(table.num_rows), type=pa.int64())
            primary = added.add(f"{table.name}_row", numbers)
        keys = [key for key in self.schema.foreign_keys if key.table == table.name]
        foreign = {self._key_column(key, order, added): key.ref_table for key in keys}
        time = None
        if order.seconds is not None:
            time = added.add(f"{table.time_column}_time", _times(order))
        old = None
        if not order.is_kept:
            old = added.add("source_row", pa.array(order.rows, type=pa.int64()))
        self._write_rows(table, order, added, path)
        source: dict[str, Any] = {
            "primary_key": list(table.primary_key),
            "foreign_keys": [
                {
                    "columns": list(key.columns),
                    "ref_table": key.ref_table,
                    "ref_columns": list(key.ref_columns),
                }
                for key in keys
            ],
            "time_column": table.time_column,
            "added": list(added.columns),
            "order": old,
        }
        self.entries[table.name] = {
            "pkey": primary,
            "time_col": time,
            "fkeys": foreign,
            "source": source,
        }

    def timestamps(self) -> tuple[str, str]:
        """Return the times that lie behind most and behind nearly all timed rows."""
        found = [one.seconds for one in self.orders.values() if one.seconds is not None]
        times = np.concatenate([np.empty(0), *found])
        times = np.sort(times[np.isfinite(times)])
        if not len(times):
            return "1970-01-01", "1970-01-01"
        val, test = (
            datetime.fromtimestamp(
                float(times[int(share * (len(times) - 1))]), UTC
            ).strftime("%Y-%m-%d %H:%M:%S")
            for share in (VAL_SHARE, TEST_SHARE)
        )
        return val, test

    def _order(self, table: Table) -> _Order:
        rows = np.arange(table.num_rows)
        if table.time_column is None:
            return _Order(rows, rows, None, True)
        time = value_sql(Stype.TIMESTAMP, quote(table.time_column))
        found = self.database.sql(
            f"SELECT {time} FROM {quote(table.name)} ORDER BY {quote(ROW)}"
        )
        seconds = found.column(0).to_numpy(zero_copy_only=False).astype(float)
        sorted_rows = np.argsort(seconds, kind="stable")  # NaN last
        position = np.empty_like(rows)
        position[sorted_rows] = rows
        is_kept = bool((sorted_rows == rows).all())
        return _Order(sorted_rows, position, seconds, is_kept)

    def _own_key(self, table: Table) -> str | None:
        """Return the primary key where it counts rows from 0 already."""
        if len(table.primary_key) != 1 or not self.orders[table.name].is_kept:
            return None
        (name,) = table.primary_key
        if self.database.physical_type(table.name, name) != "BIGINT":
            return None
        ((counts,),) = self.database.rows(
            f"SELECT bool_and({quote(name)} IS NOT DISTINCT FROM {quote(ROW)})"
            f" FROM {quote(table.name)}"
        )
        return name if counts else None

    def _key_column(self, key: ForeignKey, order: _Order, added: _Added) -> str:
        """Return the column that points at rows of the parent by position."""
        parent = next(one for one in self.schema.tables if one.name == key.ref_table)
        is_whole = len(key.columns) == 1 and key.num_dangling == 0
        if (
            is_whole
            and self._own_key(parent) == key.ref_columns[0]
            and self.database.physical_type(key.table, key.columns[0]) == "BIGINT"
            and key.columns[0] not in added.columns
        ):
            return key.columns[0]
        links = self.database.links(
            key.table, key.columns, key.ref_table, key.ref_columns
        )
        links = links[order.rows]
        positions = self.orders[key.ref_table].position
        is_missing = links < 0
        values = np.zeros_like(links)
        values[~is_missing] = positions[links[~is_missing]]
        array = pa.array(values, type=pa.int64(), mask=is_missing)
        return added.add(f"{'_'.join(key.columns)}_row", array)

    def _write_rows(
        self, table: Table, order: _Order, added: _Added, path: Path
    ) -> None:
        kinds = {
            column.name: pa.type_for_alias(
                PHYSICAL[self.database.physical_type(table.name, column.name)]
            )
            for column in table.columns
        } | {name: values.type for name, values in added.columns.items()}
        start = 0
        with pq.ParquetWriter(path, pa.schema(list(kinds.items()))) as writer:
            for rows in self._chunks(table, order):
                extra = [
                    values.slice(start, rows.num_rows)
                    for values in added.columns.values()
                ]
                full = pa.table([*rows.columns, *extra], schema=writer.schema)
                writer.write_table(full)
                start += rows.num_rows

    def _chunks(self, table: Table, order: _Order) -> Iterator[pa.Table]:
        """Yield the rows in the order they are written in; at least one, empty part."""
        row = quote(ROW)
        listed = ", ".join([row, *(quote(column.name) for column in table.columns)])
        query = f"SELECT {listed} FROM {quote(table.name)}"
        if not order.is_kept:  # held in memory, since a file is written in one go
            rows = self.database.sql(f"{query} ORDER BY {row}").drop_columns([ROW])
            yield rows.take(pa.array(order.rows))
            return
        for start in range(0, max(table.num_rows, 1), CHUNK_ROWS):
            place = f"{row} BETWEEN {start} AND {start + CHUNK_ROWS - 1}"
            rows = self.database.sql(f"{query} WHERE {place} ORDER BY {row}")
            yield rows.drop_columns([ROW])


def _times(order: _Order) -> pa.Array:
    seconds = np.empty(0) if order.seconds is None else order.seconds[order.rows]
    is_missing = ~np.isfinite(seconds)
    micros = np.where(is_missing, 0, np.round(seconds * 1e6)).astype(np.int64)
    return pa.array(micros, type=pa.int64(), mask=is_missing).cast(pa.timestamp("us"))
