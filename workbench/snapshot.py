"""One DuckDB file per content, in the cache: written once, then only read."""

import hashlib
import json
import shutil
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import closing
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from types import MappingProxyType
from typing import Any

import duckdb
import numpy as np
import pyarrow as pa

from workbench.errors import DatabaseError
from workbench.limits import Limits
from workbench.reader import (
    ROW,
    AbstractReader,
    MistypedError,
    Reflection,
    SourceColumn,
    SourceKey,
    SourceTable,
    quote,
)

FORMAT = 2  # a new number makes every snapshot be written again
FOLDER, DEPOT = "snapshots", "graphs"
SNAPSHOT_ENDING = ".duckdb"
META = '"__workbench"."meta"'
TYPES: Mapping[str, str] = MappingProxyType(
    {"int64": "BIGINT", "double": "DOUBLE", "string": "VARCHAR"}
)  # how each of Arrow's types is stored
CLOSED: Mapping[str, str] = MappingProxyType(
    {"enable_external_access": "false", "lock_configuration": "true"}
)  # no file, extension or network beyond the snapshot, and no way to open up
WRITTEN_BY: Mapping[str, str] = MappingProxyType({**CLOSED, "threads": "1"})
# One thread, as rows arrive one batch after the other.
ROWS_A_COMMIT = 1_000_000  # small tables share a commit; more rows would wait in memory


@dataclass(frozen=True, slots=True)
class Reading:
    """How far a source has been read.

    Attributes:
        table: The table being read.
        num_rows: Rows read so far, of all tables.
        total_rows: Rows of all tables.
        seconds: Time spent so far.
    """

    table: str
    num_rows: int
    total_rows: int
    seconds: float

    @property
    def seconds_left(self) -> float | None:
        """How long it may still take, once that can be told."""
        if not self.num_rows:
            return None
        return self.seconds * (self.total_rows - self.num_rows) / self.num_rows


OnReading = Callable[[Reading], None]


@dataclass(frozen=True, slots=True)
class Snapshot:
    """An opened snapshot: see `workbench.database.Database`."""

    name: str
    source: str
    fingerprint: str
    path: Path
    tables: tuple[SourceTable, ...]
    warnings: tuple[str, ...]
    has_rows: bool
    types: Mapping[tuple[str, str], str]
    connection: duckdb.DuckDBPyConnection


def take_snapshot(
    reader: AbstractReader,
    source: str,
    root: Path,
    limits: Limits | None = None,
    on_reading: OnReading = lambda reading: None,
) -> Snapshot:
    """Open the snapshot of a source's content, writing it first where there is none.

    Two processes may do this at the same time: each writes a file of its own and
    renames it at the end, and both files hold the same.

    Args:
        reader: The opened source.
        source: How the source is named, without a password.
        root: The cache's folder.
        limits: How much may be read.
        on_reading: Called after every batch of rows; what it raises ends the reading.

    Raises:
        DatabaseError: The cache cannot be written, or a limit is exceeded.
    """
    known = reader.fingerprint
    if known is not None and _path(root, known).is_file():
        try:
            found = open_snapshot(_path(root, known))
            return replace(found, name=reader.name, source=source)
        except duckdb.Error:  # cut short or by another DuckDB: write again
            _path(root, known).unlink(missing_ok=True)
    folder = root / FOLDER
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=folder, prefix="part-") as scratch:
            draft = Path(scratch) / f"draft{SNAPSHOT_ENDING}"
            path = _path(root, _write(reader, source, draft, limits, on_reading))
            draft.replace(path)
    except (OSError, duckdb.IOException) as error:
        raise DatabaseError(
            f'The cache folder "{root}" cannot be written to, or is full; set'
            " WORKBENCH_CACHE to one that can."
        ) from error
    return open_snapshot(path)


def open_snapshot(path: Path) -> Snapshot:
    """Open a snapshot's file.

    Raises:
        duckdb.Error: It is no snapshot, or is written by another version.
    """
    connection = duckdb.connect(str(path), read_only=True, config={**CLOSED})
    content = _read_meta(connection, META)
    types = connection.execute(
        "SELECT table_name, column_name, data_type FROM duckdb_columns()"
        " WHERE schema_name = 'main' AND NOT internal AND column_name != ?",
        [ROW],
    ).fetchall()
    return Snapshot(
        name=content["name"],
        source=content["source"],
        fingerprint=content["fingerprint"],
        path=path,
        tables=tuple(map(_read_table, content["tables"])),
        warnings=tuple(content["warnings"]),
        has_rows=content["has_rows"],
        types=MappingProxyType({(table, name): kind for table, name, kind in types}),
        connection=connection,
    )


def depot_folder(snapshot: Path) -> Path | None:
    """Return where things made of a snapshot are kept: in the cache it lies in."""
    is_kept = snapshot.parent.name == FOLDER
    return snapshot.parent.parent / DEPOT if is_kept else None


def derive_snapshot(
    snapshot: Path, fingerprint: str, rows: Mapping[str, np.ndarray], root: Path
) -> Snapshot:
    """Return a snapshot of some rows of another one, in their order.

    Args:
        snapshot: The file of the other one.
        fingerprint: What the new one is known by.
        rows: By table, the positions of its rows.
        root: The cache's folder.
    """
    path = _path(root, fingerprint)
    if not path.is_file():
        with (
            tempfile.TemporaryDirectory(dir=root / FOLDER, prefix="part-") as scratch,
            closing(duckdb.connect(str(Path(scratch) / path.name))) as connection,
        ):
            connection.execute(f"ATTACH {_text(str(snapshot))} AS whole (READ_ONLY)")
            content = _derive(connection, fingerprint, rows)
            connection.execute("DETACH whole")
            _write_meta(connection, content)
            connection.close()
            (Path(scratch) / path.name).replace(path)
    return open_snapshot(path)


def extend_snapshot(
    snapshot: Path,
    fingerprint: str,
    table: SourceTable,
    rows: tuple[str, Sequence[object]],
    root: Path,
) -> Snapshot:
    """Return a snapshot of all rows of another one and of one more table.

    Args:
        snapshot: The file of the other one.
        fingerprint: What the new one is known by.
        table: The table; its number of rows is counted, its columns are declared with
            the types that snapshots store: BIGINT, DOUBLE or VARCHAR.
        rows: A query over the other tables that gives its rows, `ROW` first, and the
            values for ``?`` in it.
        root: The cache's folder.

    Raises:
        duckdb.Error: The query does not work out.
    """
    path = _path(root, fingerprint)
    if not path.is_file():
        with tempfile.TemporaryDirectory(dir=root / FOLDER, prefix="part-") as scratch:
            draft = Path(scratch) / path.name
            shutil.copyfile(snapshot, draft)
            with closing(duckdb.connect(str(draft), config={**CLOSED})) as connection:
                _extend(connection, fingerprint, table, rows)
            draft.replace(path)
    return open_snapshot(path)


def copy_snapshot(snapshot: Path, read: Callable[[], bytes], root: Path) -> Path:
    """Return a file with a snapshot's content, on a machine that may not have it.

    Args:
        snapshot: The file as another machine calls it. Where it is here too it is used
            as it is, if it lies in the cache, whose files are named by their content.
        read: Returns the content.
        root: The folder of this machine's cache.
    """
    folder = root / FOLDER
    if snapshot.is_file() and snapshot.parent == folder:
        return snapshot
    content = read()
    digest = hashlib.sha256(content).hexdigest()
    path = folder / f"{digest}{SNAPSHOT_ENDING}"
    if not path.is_file():
        folder.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=folder, prefix="part-") as scratch:
            draft = Path(scratch) / path.name
            draft.write_bytes(content)
            draft.replace(path)
    return path


def _extend(
    connection: duckdb.DuckDBPyConnection,
    fingerprint: str,
    table: SourceTable,
    rows: tuple[str, Sequence[object]],
) -> None:
    """Write a table into a copied snapshot, and that it is there."""
    name, (query, values) = quote(table.name), rows
    columns = "".join(f", {quote(one.name)} {one.sql_type}" for one in table.columns)
    connection.execute(f"CREATE TABLE {name} ({quote(ROW)} BIGINT{columns})")
    connection.execute(f"INSERT INTO {name} {query}", list(values))
    ((num_rows,),) = connection.execute(f"SELECT count(*) FROM {name}").fetchall()
    content = _read_meta(connection, META)
    content["tables"].append(asdict(replace(table, num_rows=num_rows)))
    content["fingerprint"] = fingerprint
    connection.execute(f"UPDATE {META} SET content = ?", [json.dumps(content)])


def _derive(
    connection: duckdb.DuckDBPyConnection,
    fingerprint: str,
    rows: Mapping[str, np.ndarray],
) -> dict[str, Any]:
    """Copy rows from the attached snapshot and return what describes them."""
    content = _read_meta(connection, f"whole.{META}")
    for table in content["tables"]:
        name, kept = quote(table["name"]), rows[table["name"]]
        listed = "".join(f", t.{quote(one['name'])}" for one in table["columns"])
        connection.register(
            "__kept", pa.table({"old": kept, "new": np.arange(len(kept))})
        )
        connection.execute(
            f"CREATE TABLE {name} AS SELECT k.new AS {quote(ROW)}{listed}"
            f" FROM whole.{name} t JOIN __kept k ON t.{quote(ROW)} = k.old"
            " ORDER BY k.new"
        )
        connection.unregister("__kept")
        table["num_rows"] = len(kept)
    return {**content, "fingerprint": fingerprint}


def _read_meta(connection: duckdb.DuckDBPyConnection, meta: str) -> dict[str, Any]:
    ((text,),) = connection.execute(f"SELECT content FROM {meta}").fetchall()
    return json.loads(text)


def _write_meta(
    connection: duckdb.DuckDBPyConnection, content: Mapping[str, Any]
) -> None:
    connection.execute('CREATE SCHEMA "__workbench"')
    connection.execute(f"CREATE TABLE {META} (content VARCHAR)")
    connection.execute(f"INSERT INTO {META} VALUES (?)", [json.dumps(content)])


def _text(value: str) -> str:
    return "'" + value.replace("'", "''") + "'"


def find_snapshot(path: Path) -> Snapshot | None:
    """Return an opened snapshot where `take_snapshot` wrote the file, else None.

    A file from elsewhere that calls itself a snapshot, and does not hold what it says,
    is none.
    """
    try:
        found = open_snapshot(path)
    except (duckdb.Error, KeyError, TypeError, ValueError):
        return None
    if _holds_what_it_says(found):
        return found
    found.connection.close()
    return None


def _holds_what_it_says(snapshot: Snapshot) -> bool:
    row = quote(ROW)
    for table in snapshot.tables:
        kinds = {snapshot.types.get((table.name, one.name)) for one in table.columns}
        if not kinds <= {*TYPES.values()}:
            return False
        try:
            (found,) = snapshot.connection.execute(
                f"SELECT count(*), count(DISTINCT {row}), min({row}), max({row})"
                f" FROM {quote(table.name)}"
            ).fetchall()
        except duckdb.Error:
            return False
        last = table.num_rows - 1
        ends = (0, last) if table.num_rows else (None, None)
        if found != (table.num_rows, table.num_rows, *ends):
            return False
    return True


def _write(
    reader: AbstractReader,
    source: str,
    draft: Path,
    limits: Limits | None,
    on_reading: OnReading,
) -> str:
    """Write a snapshot; a second time where declared types were not kept."""
    while True:
        writing = _Writing(reader, draft, limits or Limits(), on_reading)
        try:
            return writing.write(source)
        except MistypedError:
            draft.unlink()


def _path(root: Path, fingerprint: str) -> Path:
    return root / FOLDER / f"{fingerprint}-{FORMAT}{SNAPSHOT_ENDING}"


class _Writing:
    """One source on its way into one file."""

    def __init__(
        self,
        reader: AbstractReader,
        path: Path,
        limits: Limits,
        on_reading: OnReading,
    ) -> None:
        self.reader = reader
        self.path = path
        self.limits = limits
        self.on_reading = on_reading
        self.started = time.monotonic()
        self.num_rows = 0
        self.total_rows = 0
        self.num_waiting = 0  # rows since the last commit
        self.stopped_by: BaseException | None = None

    def write(self, source: str) -> str:
        """Write the file and return the fingerprint of the content."""
        reflection = self.reader.reflect()
        self._check_size(reflection)
        with duckdb.connect(str(self.path), config={**WRITTEN_BY}) as connection:
            connection.begin()
            for table in reflection.tables:
                self._write_table(connection, table, reflection)
                self._commit_many(connection)
            connection.commit()
            self.reader.verify()
            fingerprint = self.reader.fingerprint or _hash(connection, reflection)
            content = {
                "name": self.reader.name,
                "source": source,
                "fingerprint": fingerprint,
                "tables": [asdict(table) for table in reflection.tables],
                "warnings": reflection.warnings,
                "has_rows": reflection.has_rows,
            }
            _write_meta(connection, content)
        return fingerprint

    def _check_size(self, reflection: Reflection) -> None:
        self.limits.check("tables", len(reflection.tables), "tables")
        for table in reflection.tables:
            what = f'columns in "{table.name}"'
            self.limits.check("columns", len(table.columns), what)
            self.total_rows += table.num_rows
        self.limits.check("rows", self.total_rows, "rows")

    def _write_table(
        self,
        connection: duckdb.DuckDBPyConnection,
        table: SourceTable,
        reflection: Reflection,
    ) -> None:
        columns = "".join(
            f", {quote(one.name)} {_physical(reflection, table.name, one.name)}"
            for one in table.columns
        )
        name = quote(table.name)
        connection.execute(f"CREATE TABLE {name} ({quote(ROW)} BIGINT{columns})")
        if not table.columns:
            rows = f"SELECT * FROM range({table.num_rows})"
            connection.execute(f"INSERT INTO {name} {rows}")
            return
        fields = [
            pa.field(one.name, reflection.types[table.name, one.name])
            for one in table.columns
        ]
        schema = pa.schema([pa.field(ROW, pa.int64()), *fields])
        before = self.num_rows
        batches = self._numbered(table, reflection)
        rows = pa.RecordBatchReader.from_batches(schema, batches)
        self._insert(connection, name, rows)
        if self.num_rows - before != table.num_rows:
            raise DatabaseError(
                f'The table "{table.name}" changes while it is being read; close the'
                " program that writes to it, or give a copy."
            )

    def _numbered(
        self, table: SourceTable, reflection: Reflection
    ) -> Iterator[pa.RecordBatch]:
        """Yield the rows of a table with their numbers.

        DuckDB calls this, and of what is raised here it would pass on the words alone.
        """
        done = 0
        try:
            for batch in self.reader.batches(table, reflection.types):
                rows = pa.array(np.arange(done, done + batch.num_rows), pa.int64())
                yield batch.add_column(0, ROW, rows)
                done += batch.num_rows
                self._advance(table.name, batch.num_rows)
        except GeneratorExit:
            raise
        except BaseException as error:  # a page of the app is left by such a one
            self.stopped_by = error
            raise

    def _insert(
        self,
        connection: duckdb.DuckDBPyConnection,
        table: str,
        rows: pa.RecordBatchReader,
    ) -> None:
        connection.register("__rows", rows)
        try:
            connection.execute(f"INSERT INTO {table} SELECT * FROM __rows")
        except duckdb.Error:
            if self.stopped_by is not None:
                raise self.stopped_by from None
            raise
        connection.unregister("__rows")

    def _commit_many(self, connection: duckdb.DuckDBPyConnection) -> None:
        if self.num_waiting >= ROWS_A_COMMIT:
            connection.commit()
            connection.begin()
            self.num_waiting = 0

    def _advance(self, table: str, num_rows: int) -> None:
        self.num_rows += num_rows
        self.num_waiting += num_rows
        seconds = time.monotonic() - self.started
        self.limits.check("seconds", int(seconds), "seconds spent on reading so far")
        megabytes = self.path.stat().st_size // 1_000_000
        self.limits.check("megabytes", megabytes, "megabytes read so far")
        self.on_reading(Reading(table, self.num_rows, self.total_rows, seconds))


def _hash(connection: duckdb.DuckDBPyConnection, reflection: Reflection) -> str:
    """Return a hash of rows and declarations; the order of rows counts."""
    total = hashlib.sha256()
    for table in reflection.tables:
        total.update(json.dumps(asdict(table), sort_keys=True).encode())
        found = connection.execute(
            "SELECT bit_xor(h), sum(h % 4294967296) FROM"
            f" (SELECT hash(t) AS h FROM {quote(table.name)} t)"
        ).fetchall()
        total.update(repr(found).encode())
    return total.hexdigest()[:16]


def _physical(reflection: Reflection, table: str, column: str) -> str:
    kind = str(reflection.types[table, column])
    return TYPES[kind]


def _read_table(content: Mapping[str, Any]) -> SourceTable:
    return SourceTable(
        name=content["name"],
        num_rows=content["num_rows"],
        columns=tuple(SourceColumn(**column) for column in content["columns"]),
        primary_key=tuple(content["primary_key"]),
        foreign_keys=tuple(
            SourceKey(
                tuple(key["columns"]), key["ref_table"], tuple(key["ref_columns"])
            )
            for key in content["foreign_keys"]
        ),
    )
