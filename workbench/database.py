"""A read-only, fingerprinted, columnar snapshot of a database's rows.

A source is read once, in batches, into one DuckDB file in the cache; everything later
reads that file. Many processes may hold the same snapshot open.
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from types import TracebackType
from typing import Any

import duckdb
import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from workbench.address import (
    JOINT,
    SAMPLE,
    Address,
    Kind,
    joined_sources,
    parse_address,
    with_options,
    without_password,
)
from workbench.coded import Coded, code
from workbench.depot import Arrays, Depot
from workbench.errors import DatabaseError, unknown
from workbench.limits import Limits, read_limits
from workbench.memo import Memo
from workbench.ordering import CLOSE
from workbench.reader import (
    ROW,
    Request,
    SourceColumn,
    SourceKey,
    SourceTable,
    quote,
)
from workbench.readers import READERS
from workbench.resources import cache_directory
from workbench.snapshot import (
    SNAPSHOT_ENDING,
    OnReading,
    Reading,
    Snapshot,
    depot_folder,
    derive_snapshot,
    extend_snapshot,
    find_snapshot,
    open_snapshot,
    take_snapshot,
)

__all__ = [
    "JOINT",
    "ROW",
    "SAMPLE",
    "SNAPSHOT_ENDING",
    "Database",
    "Limits",
    "Reading",
    "SourceColumn",
    "SourceKey",
    "SourceTable",
    "cache_directory",
    "connect",
    "derive",
    "extend",
    "fingerprint_of",
    "joined_sources",
    "quote",
    "reopen",
    "with_options",
    "without_password",
]

MOST_NUMBERS = 64 * 1024**2  # bytes of keys that are kept at hand
SMALL = 1024  # addresses that are always few enough to look whole numbers up by


@dataclass(frozen=True, slots=True)
class WholeNumbers:
    """A column of whole numbers.

    Attributes:
        values: int64 ``[rows]``, in row order; 0 for NULL.
        known: bool ``[rows]``, whether the value is not NULL; None where all are not.
    """

    values: np.ndarray
    known: np.ndarray | None

    @property
    def nbytes(self) -> int:
        """What the arrays take."""
        return self.values.nbytes + (0 if self.known is None else self.known.nbytes)

    def filled(self) -> np.ndarray:
        """Return the values that are not NULL."""
        return self.values if self.known is None else self.values[self.known]

    def rows(self) -> np.ndarray:
        """Return the rows that have a value."""
        if self.known is None:
            return np.arange(len(self.values))
        return np.flatnonzero(self.known)


class Database:
    """The rows of one source; a context manager, final, never written to.

    Every table of the source is a table of the snapshot with its own columns and
    ``__row``: 0, 1, 2, … in the source's order.

    Attributes:
        name: What the source is called in results: a file's stem, or the sample's name.
        source: The source as the user wrote it, without a password.
        fingerprint: 16 hexadecimal digits that change when the content does.
        path: The snapshot's file.
        tables: The source's tables.
        warnings: What was left out or read differently, one sentence each.
        depot: What was worked out of the rows before, by any process; it lies in the
            same cache as the snapshot.
        has_rows: False where the source is a schema and nothing else.
    """

    def __init__(self, snapshot: Snapshot) -> None:
        self.name = snapshot.name
        self.source = snapshot.source
        self.has_rows = snapshot.has_rows
        self.fingerprint = snapshot.fingerprint
        self.path = snapshot.path
        self.tables = snapshot.tables
        self.warnings = snapshot.warnings
        self._connection = snapshot.connection
        self._types = snapshot.types
        self._numbers = Memo(MOST_NUMBERS)
        self._in_order: dict[str, bool] = {}
        self.depot = Depot(
            depot_folder(snapshot.path),
            snapshot.fingerprint,
            max_bytes=read_limits().graph_megabytes * 10**6,
        )

    def __enter__(self) -> "Database":
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def close(self) -> None:
        """Close the snapshot."""
        self._connection.close()

    def table(self, name: str) -> SourceTable:
        """Return a table by name.

        Raises:
            DatabaseError: There is no such table.
        """
        for table in self.tables:
            if table.name == name:
                return table
        raise DatabaseError(unknown("table", name, [each.name for each in self.tables]))

    def physical_type(self, table: str, column: str) -> str:
        """Return how a column is stored: BIGINT, DOUBLE or VARCHAR.

        Raises:
            DatabaseError: There is no such table or column.
        """
        if (table, column) not in self._types:
            known = [each.name for each in self.table(table).columns]
            raise DatabaseError(unknown(f'column of "{table}"', column, known))
        return self._types[table, column]

    def sql(self, query: str, parameters: Sequence[object] = ()) -> pa.Table:
        """Return the result of a query over the snapshot, which cannot be written to.

        Args:
            query: DuckDB SQL; names of the source go through `quote`.
            parameters: Values for ``?`` in the query.
        """
        with self._connection.cursor() as cursor:
            return cursor.sql(query, params=list(parameters)).to_arrow_table()

    def rows(
        self, query: str, parameters: Sequence[object] = ()
    ) -> list[tuple[Any, ...]]:
        """Return the result of a query as Python values, for few rows or many types."""
        with self._connection.cursor() as cursor:
            return cursor.execute(query, list(parameters)).fetchall()

    def arrow(self, table: str, columns: Sequence[str]) -> pa.Table:
        """Return columns of a table, in row order.

        Raises:
            DatabaseError: There is no such table or column.
        """
        source = self.table(table)
        for column in columns:
            self.physical_type(source.name, column)
        return self.select(table, [*map(quote, columns)])

    def select(self, table: str, expressions: Sequence[str]) -> pa.Table:
        """Return what SQL makes of each row of a table alone, in row order.

        Args:
            table: Its name; it is called ``t0`` in the expressions.
            expressions: DuckDB SQL over its columns.
        """
        if expressions and self._is_stored_in_order(table):
            # DuckDB keeps the order of a table that it only reads.
            return self.sql(f"SELECT {', '.join(expressions)} FROM {quote(table)} t0")
        listed = ", ".join([quote(ROW), *expressions])
        return self.in_row_order(f"SELECT {listed} FROM {quote(table)} t0")

    def whole_numbers(self, table: str, column: str) -> "WholeNumbers":
        """Return a column of whole numbers in row order, kept until `release`.

        Raises:
            DatabaseError: There is no such table or column.
        """

        def read() -> WholeNumbers:
            (found,) = self.arrow(table, [column]).columns
            if not found.null_count:
                return WholeNumbers(found.to_numpy(), None)
            known = found.is_valid().to_numpy()
            return WholeNumbers(found.fill_null(0).to_numpy(), known)

        return self._numbers.get(json.dumps([table, column]), read)

    def release(self) -> None:
        """Give back memory that only the next question might have used again."""
        self._numbers.clear()
        pa.default_memory_pool().release_unused()

    def key_texts(self, table: str, columns: Sequence[str]) -> list[str]:
        """Return the key of every row as a text, in row order, its parts joined."""
        parts = [
            pa.array(map(str, part.to_pylist()), pa.string())
            if pa.types.is_floating(part.type) or part.null_count
            else part.cast(pa.string()).combine_chunks()
            for part in self.arrow(table, columns).columns
        ]
        return pc.binary_join_element_wise(*parts, ", ").to_pylist()

    def in_row_order(self, query: str) -> pa.Table:
        """Return the result of a query by its first column, which is left out.

        Rows are stored in order and mostly come out so; that is seen at a glance, where
        sorting would move every value.

        Args:
            query: DuckDB SQL without ORDER BY, whose first column is a row number that
                no other row of the result has.
        """
        found = self.sql(query)
        rows = found.column(0).to_numpy()
        found = found.remove_column(0)
        if _ascends(rows):
            return found
        return found.take(pa.array(np.argsort(rows)))

    def coded(self, query: str) -> tuple[np.ndarray, list[Coded]]:
        """Return the row numbers of a query's result, and the other columns by value.

        Args:
            query: As of `in_row_order`.
        """
        row, *others = self.sql(query).columns
        rows = row.to_numpy()
        columns = [code(one) for one in others]
        if _ascends(rows):
            return rows, columns
        order = np.argsort(rows)
        return rows[order], [one.filter(order) for one in columns]

    def links(
        self,
        columns_of: str,
        columns: Sequence[str],
        ref_table: str,
        ref_columns: Sequence[str],
    ) -> np.ndarray:
        """Return the row of the parent that every row of a table refers to.

        Values are compared by what they are: 64-bit integers exactly, a whole number
        and its text as equal.

        Args:
            columns_of: The table that refers.
            columns: Its columns.
            ref_table: The table referred to.
            ref_columns: Its columns, one for each of ``columns``.

        Returns:
            int64 ``[rows of columns_of]``, read-only: a row of ``ref_table``, or -1
            where a part of the key is NULL or no such row exists. Where several rows
            match, the first.
        """
        key = (columns_of, tuple(columns), ref_table, tuple(ref_columns))
        num_parents = self.table(ref_table).num_rows

        def fits(found: Arrays) -> bool:
            rows = found.arrays["rows"]
            return not len(rows) or -1 <= rows.min() <= rows.max() < num_parents

        found = self.depot.get(
            f"links {json.dumps(key)}",
            lambda: Arrays({"rows": self._join(*key)}),
            fits,
        )
        rows = found.arrays["rows"]
        rows.flags.writeable = False
        return rows

    def comparable(
        self,
        own: tuple[str, str, Sequence[str]],
        ref: tuple[str, str, Sequence[str]],
    ) -> list[tuple[str, str]]:
        """Return, a part of a key, two SQL expressions that are equal where it matches.

        Args:
            own: Alias, table and columns of the side that refers.
            ref: Alias, table and columns of the side referred to.
        """
        alias, table, columns = own
        ref_alias, ref_table, ref_columns = ref
        return [
            _comparable(
                f"{alias}.{quote(column)}",
                self.physical_type(table, column),
                f"{ref_alias}.{quote(ref_column)}",
                self.physical_type(ref_table, ref_column),
            )
            for column, ref_column in zip(columns, ref_columns, strict=True)
        ]

    def _join(
        self,
        columns_of: str,
        columns: tuple[str, ...],
        ref_table: str,
        ref_columns: tuple[str, ...],
    ) -> np.ndarray:
        if len(columns) == 1 and self._are_whole(
            (columns_of, columns[0]), (ref_table, ref_columns[0])
        ):
            links = self._look_up(columns_of, columns[0], ref_table, ref_columns[0])
            if links is not None:
                return links
        num_rows = self.table(columns_of).num_rows
        pairs = self.comparable(
            ("c", columns_of, columns), ("p", ref_table, ref_columns)
        )
        keys = ", ".join(f"{own} AS k{at}" for at, (own, _) in enumerate(pairs))
        ref_keys = ", ".join(f"{ref} AS k{at}" for at, (_, ref) in enumerate(pairs))
        same = " AND ".join(f"child.k{at} = parent.k{at}" for at in range(len(pairs)))
        row = quote(ROW)
        found = self.sql(
            "SELECT child.r, parent.r FROM"
            f" (SELECT {row} AS r, {keys} FROM {quote(columns_of)} c) child JOIN"
            f" (SELECT min({row}) AS r, {ref_keys} FROM {quote(ref_table)} p"
            f" GROUP BY ALL) parent ON {same}"
        )
        links = np.full(num_rows, -1, dtype=np.int64)
        links[found.column(0).to_numpy()] = found.column(1).to_numpy()
        return links

    def _are_whole(self, *columns: tuple[str, str]) -> bool:
        return all(self.physical_type(*one) == "BIGINT" for one in columns)

    def _look_up(
        self, columns_of: str, column: str, ref_table: str, ref_column: str
    ) -> np.ndarray | None:
        """Return the links of whole numbers in close rank, by a table of addresses.

        Keys mostly count up, so that the number itself can be the place to look at.

        Returns:
            As `links`, or None where the numbers of the parents are too far apart.
        """
        ref, own = (
            self.whole_numbers(ref_table, ref_column),
            self.whole_numbers(columns_of, column),
        )
        ref_keys = ref.filled()
        if not len(ref_keys):
            return np.full(len(own.values), -1, dtype=np.int64)
        low, high = int(ref_keys.min()), int(ref_keys.max())
        if high - low >= CLOSE * len(ref_keys) + SMALL:
            return None
        # What lies below the lowest wraps around to far above the highest.
        places = own.values - low
        outside = places.view(np.uint64) > high - low
        if own.known is not None:
            outside |= ~own.known
        has_outside = bool(outside.any())
        if has_outside:
            places[outside] = 0
        if not _counts_up(ref.values, high - low):
            row_at = np.full(high - low + 1, -1, dtype=np.int64)
            ref_rows = ref.rows()[::-1]
            row_at[ref.values[ref_rows] - low] = ref_rows  # the first row stays
            places = row_at[places]
        if has_outside:
            places[outside] = -1
        return places

    def _is_stored_in_order(self, table: str) -> bool:
        if table not in self._in_order:
            rows = self.sql(f"SELECT {quote(ROW)} FROM {quote(table)}").column(0)
            self._in_order[table] = _ascends(rows.to_numpy())
        return self._in_order[table]


def connect(
    source: str | Path,
    *,
    password: str | None = None,
    schemas: Sequence[str] = (),
    dialect: str | None = None,
    shown: str | None = None,
    cache: Path | None = None,
    limits: Limits | None = None,
    on_reading: OnReading = lambda reading: None,
) -> Database:
    """Open a source, reading it into the cache unless its content is there already.

    A server is read anew every time, in one read-only transaction.

    Args:
        source: A file or folder (SQLite, DuckDB, CSV, Parquet, zip, tar, workbook, SQL
            script, DBML, RelBench), several scripts joined by " + ", a SQLAlchemy URL,
            or ``sample:NAME``.
        password: A server's password; else the URL's, else ``$WORKBENCH_PASSWORD``.
        schemas: The schemas of a server to read; its default one when empty.
        dialect: The SQL dialect of a script; detected when None.
        shown: How the source is named in results and messages, where its own address
            says nothing, as of an upload.
        cache: The folder to keep snapshots in, `cache_directory` by default.
        limits: How much may be read; by default what the environment sets.
        on_reading: Called after every batch of rows; what it raises ends the reading.

    Returns:
        The database; the source itself is closed again and was not written to.

    Raises:
        DatabaseError: The source cannot be read.
        SampleError: There is no such sample, or it cannot be built.
    """
    written = with_options(str(source), schemas, dialect)
    root = cache_directory() if cache is None else cache
    allowed = read_limits() if limits is None else limits
    if written.startswith(SAMPLE):
        name = written.removeprefix(SAMPLE)
        address = Address(Kind.SQLITE, written, (_build_sample(name),))
    else:
        address = parse_address(written, password)
    if address.kind is Kind.DUCKDB:
        kept = find_snapshot(address.paths[0])
        if kept is not None:
            return Database(kept)
    shown = shown or address.shown
    request = Request(
        address=shown,
        paths=address.paths,
        url=address.url,
        schemas=address.schemas,
        dialect=address.dialect,
        limits=allowed,
    )
    with READERS[address.kind](request) as reader:
        return Database(take_snapshot(reader, shown, root, allowed, on_reading))


def fingerprint_of(source: str) -> str | None:
    """Return the fingerprint that a source has now, without reading its rows.

    Returns:
        None for a server, whose content is not known before it is read, and for a
        source that cannot be opened any more.
    """
    if source.startswith(SAMPLE):
        with connect(source) as database:
            return database.fingerprint
    try:
        address = parse_address(source)
        if address.kind is Kind.SERVER:
            return None
        request = Request(address.shown, address.paths, dialect=address.dialect)
        with READERS[address.kind](request) as reader:
            return reader.fingerprint
    except DatabaseError:
        return None


def reopen(snapshot: Path) -> Database:
    """Open the snapshot of a database that was connected to before.

    Raises:
        DatabaseError: It has been cleared from the cache.
    """
    try:
        return Database(open_snapshot(snapshot))
    except duckdb.Error as error:
        raise DatabaseError(
            f'The snapshot "{snapshot}" is gone or cannot be read; open the source'
            " again."
        ) from error


def derive(
    database: Database, fingerprint: str, rows: Mapping[str, np.ndarray], root: Path
) -> Database:
    """Return a database of some rows of another one.

    Args:
        database: The other one.
        fingerprint: What the new one is known by.
        rows: By table, the positions of the rows to keep.
        root: The folder of the cache.
    """
    return Database(derive_snapshot(database.path, fingerprint, rows, root))


def extend(
    database: Database,
    fingerprint: str,
    table: SourceTable,
    rows: tuple[str, Sequence[object]],
    root: Path,
) -> Database:
    """Return a database of all rows of another one and of one more table.

    Args:
        database: The other one.
        fingerprint: What the new one is known by.
        table: The table; see `workbench.snapshot.extend_snapshot`.
        rows: A query that gives its rows, and the values for ``?`` in it.
        root: The folder of the cache.

    Raises:
        duckdb.Error: The query does not work out.
    """
    made = extend_snapshot(database.path, fingerprint, table, rows, root)
    # Files of the same content share a snapshot, whatever they are called.
    return Database(replace(made, name=database.name, source=database.source))


def _build_sample(name: str) -> Path:
    # Imported here: a builder may need packages that a user's own files do not.
    from workbench.samples import build_sample

    return build_sample(name)


def _ascends(rows: np.ndarray) -> bool:
    return bool((rows[1:] > rows[:-1]).all())


def _counts_up(keys: np.ndarray, spread: int) -> bool:
    """Return whether every key is one more than that before it, as row numbers are."""
    return len(keys) == spread + 1 and _ascends(keys)


def _comparable(own: str, own_type: str, ref: str, ref_type: str) -> tuple[str, str]:
    """Return two expressions of one type, so that equal values compare as equal."""
    if own_type == ref_type:
        return own, ref
    if "VARCHAR" in (own_type, ref_type):
        return _as_text(own, own_type), _as_text(ref, ref_type)
    return _as_whole(own, own_type), _as_whole(ref, ref_type)


def _as_text(expression: str, physical: str) -> str:
    if physical != "DOUBLE":
        return f"CAST({expression} AS VARCHAR)"
    whole = f"CAST({_as_whole(expression, physical)} AS VARCHAR)"
    return f"coalesce({whole}, CAST({expression} AS VARCHAR))"


def _as_whole(expression: str, physical: str) -> str:
    if physical != "DOUBLE":
        return expression
    whole = f"TRY_CAST({expression} AS BIGINT)"
    return f"CASE WHEN trunc({expression}) = {expression} THEN {whole} END"
