"""SQLite files, also those in WAL mode, read completely and never written."""

import hashlib
import shutil
import sqlite3
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass
from itertools import groupby
from operator import itemgetter
from pathlib import Path

import adbc_driver_manager
import adbc_driver_sqlite.dbapi
import pyarrow as pa

from workbench.errors import DatabaseError
from workbench.reader import (
    BATCH_ROWS,
    AbstractReader,
    MistypedError,
    Reflection,
    Request,
    SourceColumn,
    SourceKey,
    SourceTable,
    distinct_names,
    finite,
    hash_file,
    quote,
    resolve_keys,
)

MAGIC = b"SQLite format 3\x00"
EXAMPLES = {pa.int64(): "0", pa.float64(): "0.0", pa.string(): "''"}
CHECKED = (pa.int64(), pa.float64())  # the driver tells where a value is no such number
SAFETY = ("PRAGMA trusted_schema = OFF", "PRAGMA query_only = ON")
WAL_MODE = 2  # bytes 18 and 19 of the header, the file format's versions
LOGS = ("-wal", "-journal")
ATTEMPTS = 3
COLUMNS_PER_QUERY = 250
BATCH_OPTION = "adbc.sqlite.query.batch_rows"


def open_sqlite(request: Request) -> "SqliteReader":
    """Open an SQLite file.

    Raises:
        DatabaseError: It is no SQLite database, or changes all the time.
    """
    return SqliteReader(request.path)


class SqliteReader(AbstractReader):
    """An SQLite file.

    A file in WAL mode without a pending log is opened as immutable, since SQLite would
    otherwise create files beside it. A file with a pending log or journal is copied
    together with the log into a private folder, and the copy is read.

    Source: https://www.sqlite.org/fileformat2.html, section 1.3, and
    https://www.sqlite.org/wal.html, "Read-Only Databases".
    """

    def __init__(self, path: Path) -> None:
        header = _read_header(path)
        self._path = path
        self._state = _state(path)
        self._folder: tempfile.TemporaryDirectory[str] | None = None
        opened, immutable = path, WAL_MODE in header[18:20]
        if _logs(path):
            self._folder, self._state = _copy(path)
            opened, immutable = Path(self._folder.name) / "copy.db", False
        self._fingerprint = _hash([opened, *_logs(opened)])
        uri = f"{opened.resolve().as_uri()}?mode={'rw' if self._folder else 'ro'}"
        self._uri = f"{uri}&immutable=1" if immutable else uri
        self._distrusted: set[str] = set()
        self._queries: dict[str, str] = {}

    @property
    def name(self) -> str:
        """The file's name without its ending."""
        return self._path.stem

    @property
    def fingerprint(self) -> str:
        """16 hexadecimal digits over the bytes of the file and its pending log."""
        return self._fingerprint

    def reflect(self) -> Reflection:
        """Return the tables; views, virtual and internal tables are left out.

        A column is a 64-bit integer, a double or a text. SQLite's declared types bind
        nothing: they are believed where reading checks them, and once one turns out
        wrong the values of all rows decide.
        """
        with self._told(), closing(_connect(self._uri)) as connection:
            draft = _Draft(connection, self._distrusted)
            drawn = draft.tables()
        if not drawn:
            raise DatabaseError(f'The file "{self._path}" holds no tables.')
        self._queries = {one.table.name: one.query for one in drawn}
        tables, left_out = resolve_keys([one.table for one in drawn], draft.renamed)
        return Reflection(
            tables=tables,
            types={
                (one.table.name, name): kind
                for one in drawn
                for name, kind in one.types.items()
            },
            warnings=(*draft.warnings, *left_out),
        )

    def batches(
        self, table: SourceTable, types: Mapping[tuple[str, str], pa.DataType]
    ) -> Iterator[pa.RecordBatch]:
        """Yield the rows in the order of the rowid, or of the primary key.

        Raises:
            MistypedError: A declared type was not kept by some value.
        """
        fields = [
            pa.field(one.name, types[table.name, one.name]) for one in table.columns
        ]
        # The first row has a value of every type, so that the driver cannot guess.
        typed = ", ".join(EXAMPLES[field.type] for field in fields)
        with (
            self._told(),
            closing(adbc_driver_sqlite.dbapi.connect(self._uri)) as connection,
            connection.cursor() as cursor,
        ):
            for pragma in SAFETY:
                cursor.execute(pragma)
            cursor.adbc_statement.set_options(**{BATCH_OPTION: str(BATCH_ROWS)})
            cursor.execute(f"SELECT {typed} UNION ALL {self._queries[table.name]}")
            is_first = True
            try:
                for batch in cursor.fetch_record_batch():
                    yield _as_reflected(batch.slice(int(is_first)), pa.schema(fields))
                    is_first = False
            except OSError as error:
                if "Type mismatch" not in str(error):
                    raise
                self._distrusted.add(table.name)
                raise MistypedError(table.name) from error

    def verify(self) -> None:
        """Check that the file is the one that was fingerprinted.

        Raises:
            DatabaseError: Something has written to the file since.
        """
        if self._folder is None and _state(self._path) != self._state:
            raise DatabaseError(_busy(self._path))

    def close(self) -> None:
        """Delete the private copy, if there is one."""
        if self._folder is not None:
            self._folder.cleanup()

    @contextmanager
    def _told(self) -> Iterator[None]:
        try:
            yield
        except (sqlite3.Error, adbc_driver_manager.Error, OSError) as error:
            raise DatabaseError(
                f'The file "{self._path}" cannot be read: SQLite says "{error}".'
            ) from error


def _read_header(path: Path) -> bytes:
    with path.open("rb") as file:
        header = file.read(100)
    if not header.startswith(MAGIC):
        raise DatabaseError(
            f'The file "{path}" is not an SQLite database, or is an encrypted one.'
        )
    return header.ljust(100, b"\0")


def _busy(path: Path) -> str:
    return (
        f'The file "{path}" changes while it is being read; close the program that'
        " writes to it, or give a copy."
    )


def _logs(path: Path) -> list[Path]:
    """Return the non-empty write-ahead log and rollback journal beside a file."""
    beside = [path.with_name(path.name + ending) for ending in LOGS]
    return [log for log in beside if log.is_file() and log.stat().st_size]


def _state(path: Path) -> tuple[tuple[str, int, int], ...]:
    """Return what changes when a file or its logs are written to."""
    found = [(one.name, one.stat()) for one in (path, *_logs(path))]
    return tuple((name, stat.st_size, stat.st_mtime_ns) for name, stat in found)


def _copy(
    path: Path,
) -> tuple[tempfile.TemporaryDirectory[str], tuple[tuple[str, int, int], ...]]:
    for _ in range(ATTEMPTS):
        state = _state(path)
        folder = tempfile.TemporaryDirectory(prefix="workbench-")
        target = Path(folder.name) / "copy.db"
        try:
            for one in (path, *_logs(path)):
                ending = one.name.removeprefix(path.name)
                shutil.copyfile(one, target.with_name(target.name + ending))
        except OSError as error:
            folder.cleanup()
            raise DatabaseError(f'The file "{path}" may not be copied.') from error
        if _state(path) == state:
            return folder, state
        folder.cleanup()
    raise DatabaseError(_busy(path))


def _hash(paths: Sequence[Path]) -> str:
    total = hashlib.sha256()
    for path in paths:
        total.update(hash_file(path))
    return total.hexdigest()[:16]


def _connect(uri: str) -> sqlite3.Connection:
    connection = sqlite3.connect(uri, uri=True, check_same_thread=False)
    connection.text_factory = lambda text: text.decode(errors="replace")
    for pragma in SAFETY:
        connection.execute(pragma)
    return connection


@dataclass(frozen=True, slots=True)
class _Declared:
    """A column as ``table_xinfo`` gives it; ``key`` counts from 1, 0 is outside it."""

    name: str
    sql_type: str
    nullable: bool
    key: int


@dataclass(frozen=True, slots=True)
class _Drawn:
    """A table that is ready to be read."""

    table: SourceTable
    types: Mapping[str, pa.DataType]
    query: str


class _Draft:
    """The reflection while it is being put together."""

    def __init__(self, connection: sqlite3.Connection, distrusted: set[str]) -> None:
        self.connection = connection
        self.distrusted = distrusted
        self.warnings: list[str] = []
        self.renamed: dict[str, Mapping[str, str]] = {}

    def tables(self) -> list[_Drawn]:
        names = self._table_names()
        shown, renamed = distinct_names(names, "table")
        self.warnings += renamed
        spelt = dict(zip(names, shown, strict=True))
        return [self._table(name, spelt) for name in names]

    def _table_names(self) -> list[str]:
        found = self.connection.execute(
            "SELECT name, sql LIKE 'CREATE VIRTUAL TABLE%' FROM sqlite_master"
            " WHERE type = 'table' ORDER BY name"
        ).fetchall()
        virtual = sorted(name for name, is_virtual in found if is_virtual)
        self.warnings += [
            f'The virtual table "{name}" is left out.' for name in virtual
        ]
        owned = tuple(f"{name}_" for name in virtual)  # shadow tables
        return [
            name
            for name, is_virtual in found
            if not is_virtual
            and not name.startswith(owned)
            and not name.lower().startswith("sqlite_")
        ]

    def _table(self, source_name: str, spelt: Mapping[str, str]) -> _Drawn:
        name = spelt[source_name]
        declared = self._declared(source_name)
        shown, renamed = distinct_names(
            [one.name for one in declared], f"column of {name}"
        )
        self.warnings += renamed
        new_names = {one.name: new for one, new in zip(declared, shown, strict=True)}
        self.renamed[name] = new_names
        readings = self._readings(source_name, declared, f"{name}.", new_names)
        columns = tuple(
            SourceColumn(new_names[one.name], one.sql_type, one.nullable)
            for one in declared
            if one.name in readings
        )
        ((num_rows,),) = self.connection.execute(
            f"SELECT count(*) FROM {quote(source_name)}"
        ).fetchall()
        picked = ", ".join(sql for sql, _ in readings.values()) or "NULL"
        order = _row_order(self.connection, source_name, declared)
        table = SourceTable(
            name=name,
            num_rows=num_rows,
            columns=columns,
            primary_key=_primary_key(declared, readings, new_names),
            foreign_keys=tuple(self._keys(source_name, spelt)),
        )
        return _Drawn(
            table=table,
            types={new_names[one]: kind for one, (_, kind) in readings.items()},
            # In a subquery, as ORDER BY would otherwise sort the examples in as well.
            query=f"SELECT * FROM (SELECT {picked} FROM {quote(source_name)}{order})",
        )

    def _declared(self, table: str) -> list[_Declared]:
        found = self.connection.execute(
            'SELECT name, type, "notnull", pk FROM pragma_table_xinfo(?)'
            " WHERE hidden <> 1",
            [table],
        )
        return [
            _Declared(name, sql_type or "", not required, key)
            for name, sql_type, required, key in found
        ]

    def _readings(
        self,
        table: str,
        declared: Sequence[_Declared],
        prefix: str,
        new_names: Mapping[str, str],
    ) -> dict[str, tuple[str, pa.DataType]]:
        """Return, by column, the SQL that reads it and the type that gives."""
        exact = table in self.distrusted
        found: dict[str, tuple[str, pa.DataType]] = {}
        for start in range(0, len(declared), COLUMNS_PER_QUERY):
            part = declared[start : start + COLUMNS_PER_QUERY]
            tests = ", ".join(_test_sql(one, exact) for one in part)
            is_asked = exact or any(_affinity(one) not in CHECKED for one in part)
            rows = f" FROM {quote(table)}" if is_asked else ""
            (answers,) = self.connection.execute(f"SELECT {tests}{rows}").fetchall()
            for at, one in enumerate(part):
                low, high, last = answers[3 * at : 3 * at + 3]
                shown = f'The column "{prefix}{new_names[one.name]}"'
                if "blob" in (low, last):
                    self.warnings.append(f"{shown} holds binary data and is left out.")
                    continue
                kind = _kind(low, high, one.sql_type)
                if low != high and kind == pa.string():
                    self.warnings.append(
                        f"{shown} mixes numbers and text and is read as text."
                    )
                is_certain = high is not None and (exact or _affinity(one) is None)
                found[one.name] = _read_sql(one.name, kind, is_certain), kind
        return found

    def _keys(self, table: str, spelt: Mapping[str, str]) -> Iterator[SourceKey]:
        found = self.connection.execute(
            'SELECT id, "table", "from", "to" FROM pragma_foreign_key_list(?)'
            " ORDER BY id DESC, seq",
            [table],
        )
        for _, parts in groupby(found.fetchall(), key=itemgetter(0)):
            _, ref_tables, columns, ref_columns = zip(*parts, strict=True)
            yield SourceKey(
                columns,
                spelt.get(ref_tables[0], ref_tables[0]),
                # REFERENCES parent, without columns: its primary key
                () if None in ref_columns else tuple(ref_columns),
            )


def _affinity(column: _Declared) -> pa.DataType | None:
    """Return the type that SQLite prefers for a column, where it prefers one.

    Source: https://www.sqlite.org/datatype3.html, section 3.1.
    """
    declared = column.sql_type.upper()
    if "INT" in declared:
        return pa.int64()
    if any(part in declared for part in ("CHAR", "CLOB", "TEXT")):
        return pa.string()
    if "BLOB" not in declared and any(
        part in declared for part in ("REAL", "FLOA", "DOUB")
    ):
        return pa.float64()
    return None


def _test_sql(column: _Declared, exact: bool) -> str:
    """Return three aggregates: lowest and highest type, and the type that sorts last.

    Types sort as blob < integer < real < text, values with every blob last. Where the
    declared type is believed the first two are what it says, and only binary data,
    which the driver would take for text, is looked for.
    """
    name = quote(column.name)
    last = f"nullif(typeof(max({name})), 'null')"
    kind = None if exact else _affinity(column)
    if kind is None:
        stored = f"nullif(typeof({name}), 'null')"
        return f"min({stored}), max({stored}), {last}"
    believed = {pa.int64(): "integer", pa.float64(): "real", pa.string(): "text"}[kind]
    if kind in CHECKED:
        return f"'{believed}', '{believed}', NULL"
    return f"'{believed}', '{believed}', {last}"


def _kind(low: str | None, high: str | None, declared: str) -> pa.DataType:
    match low, high:
        case None, _:
            return _declared_kind(declared.upper())
        case "integer", "integer":
            return pa.int64()
        case (("integer" | "real"), "real"):
            return pa.float64()
        case _:
            return pa.string()


def _declared_kind(declared: str) -> pa.DataType:
    """Return the type of a column without values."""
    if "INT" in declared:
        return pa.int64()
    if any(part in declared for part in ("REAL", "FLOA", "DOUB", "NUM", "DEC")):
        return pa.float64()
    return pa.string()


def _read_sql(column: str, kind: pa.DataType, is_certain: bool) -> str:
    """Return the SQL of a column; one that is believed is read as it is and checked."""
    name = quote(column)
    if not is_certain or kind == pa.int64():
        return name
    return f"CAST({name} AS {'REAL' if kind == pa.float64() else 'TEXT'})"


def _primary_key(
    declared: Sequence[_Declared],
    readings: Mapping[str, object],
    new_names: Mapping[str, str],
) -> tuple[str, ...]:
    parts = sorted((one for one in declared if one.key), key=lambda one: one.key)
    if any(one.name not in readings for one in parts):
        return ()
    return tuple(new_names[one.name] for one in parts)


def _row_order(
    connection: sqlite3.Connection, table: str, declared: Sequence[_Declared]
) -> str:
    """Return the SQL of the source's order: the rowid where there is one."""
    for name in ("rowid", "_rowid_", "oid"):
        if any(one.name.lower() == name for one in declared):
            continue
        try:
            connection.execute(f"SELECT {name} FROM {quote(table)} LIMIT 0")
        except sqlite3.OperationalError:
            break
        return f" ORDER BY {name}"
    parts = sorted((one for one in declared if one.key), key=lambda one: one.key)
    listed = ", ".join(quote(one.name) for one in parts)
    return f" ORDER BY {listed}" if listed else ""


def _as_reflected(batch: pa.RecordBatch, schema: pa.Schema) -> pa.RecordBatch:
    """Return a batch under its columns' names, with what cannot be kept made NULL."""
    arrays = [
        _clean(array, field.type)
        for array, field in zip(batch.columns, schema, strict=True)
    ]
    return pa.record_batch(arrays, schema=schema)


def _clean(array: pa.Array, kind: pa.DataType) -> pa.Array:
    if kind == pa.float64():  # an infinity is a missing value
        return finite(array)
    if kind != pa.string():
        return array
    binary = array.cast(pa.binary())
    try:
        return binary.cast(kind)  # checks every byte
    except pa.ArrowInvalid:  # not UTF-8: keep what can be read
        texts = [
            None if value is None else value.decode(errors="replace")
            for value in binary.to_pylist()
        ]
        return pa.array(texts, type=kind)
