"""SQLite files, also those in WAL mode, read completely and never written."""

import difflib
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
from typing import Final

import pyarrow as pa
from sqlalchemy import Inspector, create_engine, inspect
from sqlalchemy.exc import DatabaseError as EngineError
from sqlalchemy.pool import StaticPool

from workbench.errors import DatabaseError
from workbench.reader import (
    BATCH_ROWS,
    AbstractReader,
    Reflection,
    SourceColumn,
    SourceKey,
    SourceTable,
    quote,
)

MAGIC = b"SQLite format 3\x00"
OTHERS = ((0, b"PK\x03\x04", "a zip archive"), (8, b"DUCK", "a DuckDB file"))
WAL_MODE = 2  # bytes 18 and 19 of the header, the file format's versions
LOGS = ("-wal", "-journal")
ATTEMPTS = 3
COLUMNS_PER_QUERY = 500


class SqliteReader(AbstractReader):
    """An SQLite file.

    A file in WAL mode without a pending log is opened as immutable, since SQLite would
    otherwise create files beside it. A file with a pending log or journal is copied
    together with the log into a private folder, and the copy is read.

    Source: https://www.sqlite.org/fileformat2.html, section 1.3, and
    https://www.sqlite.org/wal.html, "Read-Only Databases".
    """

    def __init__(self, path: Path) -> None:
        """Check the file and open it.

        Raises:
            DatabaseError: There is no such file, or it is no SQLite database.
        """
        header = _read_header(path)
        self._path: Final = path
        self._state = _state(path)
        self._folder: tempfile.TemporaryDirectory[str] | None = None
        opened, immutable = path, WAL_MODE in header[18:20]
        if _logs(path):
            self._folder, self._state = _copy(path)
            opened, immutable = Path(self._folder.name) / "copy.db", False
        self._fingerprint = _hash([opened, *_logs(opened)])
        uri = f"{opened.resolve().as_uri()}?mode={'rw' if self._folder else 'ro'}"
        self._uri = f"{uri}&immutable=1" if immutable else uri
        self._engine = create_engine(
            "sqlite://", creator=lambda: _connect(self._uri), poolclass=StaticPool
        )

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

        A column is a 64-bit integer, a double or a text, decided by the values of all
        its rows: SQLite's declared types bind nothing.
        """
        with self._told(), closing(_connect(self._uri)) as connection:
            draft = _Draft(connection, inspect(self._engine), [])
            names = draft.table_names()
            if not names:
                raise DatabaseError(f'The file "{self._path}" holds no tables.')
            types = {name: draft.column_types(name) for name in names}
            tables = tuple(draft.table(name, types) for name in names)
        return Reflection(
            tables=tables,
            types={
                (table, column): kind
                for table, columns in types.items()
                for column, kind in columns.items()
            },
            warnings=tuple(draft.warnings),
        )

    def batches(
        self, table: SourceTable, types: Mapping[tuple[str, str], pa.DataType]
    ) -> Iterator[pa.RecordBatch]:
        """Yield the rows in the order of the rowid, or of the primary key."""
        kinds = [types[table.name, column.name] for column in table.columns]
        names = [column.name for column in table.columns]
        picked = ", ".join(map(_read_sql, names, kinds))
        with self._told(), closing(_connect(self._uri)) as connection:
            connection.text_factory = bytes  # Arrow decodes faster, a column at a time
            order = _row_order(connection, table)
            cursor = connection.execute(
                f"SELECT {picked} FROM {quote(table.name)} ORDER BY {order}"
            )
            while rows := cursor.fetchmany(BATCH_ROWS):
                columns = zip(*rows, strict=True)
                arrays = [
                    _to_arrow(values, kind)
                    for values, kind in zip(columns, kinds, strict=True)
                ]
                yield pa.record_batch(arrays, names=names)

    def verify(self) -> None:
        """Check that the file is the one that was fingerprinted.

        Raises:
            DatabaseError: Something has written to the file since.
        """
        if self._folder is None and _state(self._path) != self._state:
            raise DatabaseError(_busy(self._path))

    def close(self) -> None:
        """Close the file and delete the private copy, if there is one."""
        self._engine.dispose()
        if self._folder is not None:
            self._folder.cleanup()

    @contextmanager
    def _told(self) -> Iterator[None]:
        try:
            yield
        except (sqlite3.Error, EngineError) as error:
            cause = str(getattr(error, "orig", error))
            raise DatabaseError(
                f'The file "{self._path}" cannot be read: SQLite says "{cause}".'
            ) from error


def _read_header(path: Path) -> bytes:
    if path.is_dir():
        raise DatabaseError(f'"{path}" is a folder; give the SQLite file inside it.')
    if not path.is_file():
        raise DatabaseError(_missing(path))
    try:
        with path.open("rb") as file:
            header = file.read(100)
    except OSError as error:
        raise DatabaseError(f'The file "{path}" may not be read.') from error
    if not header:
        raise DatabaseError(f'The file "{path}" is empty; give an SQLite file.')
    if not header.startswith(MAGIC):
        kinds = [kind for at, magic, kind in OTHERS if header[at:].startswith(magic)]
        what = f"{kinds[0]}, not" if kinds else "not"
        raise DatabaseError(f'The file "{path}" is {what} an SQLite database.')
    return header.ljust(100, b"\0")


def _missing(path: Path) -> str:
    beside = [one.name for one in path.parent.glob("*")] if path.parent.is_dir() else []
    near = difflib.get_close_matches(path.name, beside, n=1)
    hint = f'; did you mean "{path.parent / near[0]}"?' if near else "."
    return f'There is no file "{path}"{hint}'


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
        with path.open("rb") as file:
            total.update(hashlib.file_digest(file, "sha256").digest())
    return total.hexdigest()[:16]


def _connect(uri: str) -> sqlite3.Connection:
    connection = sqlite3.connect(uri, uri=True, check_same_thread=False)
    connection.execute("PRAGMA trusted_schema = OFF")
    connection.execute("PRAGMA query_only = ON")
    return connection


@dataclass(frozen=True, slots=True)
class _Draft:
    """The reflection while it is being put together."""

    connection: sqlite3.Connection
    inspector: Inspector
    warnings: list[str]

    def table_names(self) -> list[str]:
        names = self.inspector.get_table_names()
        found = self.connection.execute(
            "SELECT name FROM sqlite_master WHERE type = 'table'"
            " AND sql LIKE 'CREATE VIRTUAL TABLE%'"
        )
        virtual = {name for (name,) in found}
        for name in sorted(virtual):
            self.warnings.append(f'The virtual table "{name}" is left out.')
        owned = tuple(f"{name}_" for name in virtual)  # shadow tables
        return [
            name
            for name in names
            if name not in virtual
            and not name.startswith(owned)
            and not name.lower().startswith("sqlite_")
        ]

    def column_types(self, table: str) -> dict[str, pa.DataType]:
        """Return the type of every column that can be read, in order."""
        declared = self._declared_types(table)
        types: dict[str, pa.DataType] = {}
        for column, low, high in self._stored_types(table, list(declared)):
            if "blob" in (low, high):
                self.warnings.append(
                    f'The column "{table}.{column}" holds binary data and is left out.'
                )
                continue
            types[column] = _arrow_type(low, high, declared[column])
            if low != high and types[column] == pa.string():
                self.warnings.append(
                    f'The column "{table}.{column}" mixes numbers and text and is read'
                    " as text."
                )
        return types

    def _stored_types(
        self, table: str, columns: Sequence[str]
    ) -> Iterator[tuple[str, str | None, str | None]]:
        for start in range(0, len(columns), COLUMNS_PER_QUERY):
            part = columns[start : start + COLUMNS_PER_QUERY]
            kinds = [f"nullif(typeof({quote(column)}), 'null')" for column in part]
            picked = ", ".join(f"min({kind}), max({kind})" for kind in kinds)
            found = self.connection.execute(f"SELECT {picked} FROM {quote(table)}")
            values = found.fetchone()
            yield from zip(part, values[::2], values[1::2], strict=True)

    def _declared_types(self, table: str) -> dict[str, str]:
        """Return the types as written; SQLAlchemy's would be SQLite's affinities."""
        found = self.connection.execute(
            "SELECT name, type FROM pragma_table_xinfo(?)", [table]
        )
        declared = dict(found.fetchall())
        columns = self.inspector.get_columns(table)
        return {each["name"]: declared[each["name"]] for each in columns}

    def table(
        self, name: str, types: Mapping[str, Mapping[str, pa.DataType]]
    ) -> SourceTable:
        (num_rows,) = self.connection.execute(
            f"SELECT count(*) FROM {quote(name)}"
        ).fetchone()
        declared = self._declared_types(name)
        columns = tuple(
            SourceColumn(each["name"], declared[each["name"]], bool(each["nullable"]))
            for each in self.inspector.get_columns(name)
            if each["name"] in types[name]
        )
        key = tuple(self.inspector.get_pk_constraint(name)["constrained_columns"])
        return SourceTable(
            name=name,
            num_rows=num_rows,
            columns=columns,
            primary_key=key if set(key) <= set(types[name]) else (),
            foreign_keys=tuple(self._foreign_keys(name, types)),
        )

    def _foreign_keys(
        self, table: str, types: Mapping[str, Mapping[str, pa.DataType]]
    ) -> Iterator[SourceKey]:
        for columns, ref_table, ref_columns in self._declared_keys(table):
            known = _known([ref_table], types)
            own = _known(columns, types[table])
            ref = self._referred(ref_columns, known[0], types) if known else ()
            if own and len(own) == len(ref):
                yield SourceKey(own, known[0], ref)
                continue
            self.warnings.append(
                f'The key of "{table}" ({", ".join(columns)}) to "{ref_table}" is left'
                " out: the table or a column of the key is not there."
            )

    def _referred(
        self,
        columns: Sequence[str | None],
        table: str,
        types: Mapping[str, Mapping[str, pa.DataType]],
    ) -> tuple[str, ...]:
        if None in columns:  # REFERENCES parent: its primary key
            columns = self.inspector.get_pk_constraint(table)["constrained_columns"]
        return _known(columns, types[table])

    def _declared_keys(
        self, table: str
    ) -> Iterator[tuple[list[str], str, list[str | None]]]:
        # Not SQLAlchemy's reflection: it parses the CREATE statement and warns where
        # a column has two keys.
        found = self.connection.execute(
            'SELECT id, "table", "from", "to" FROM pragma_foreign_key_list(?)'
            " ORDER BY id DESC, seq",
            [table],
        )
        for _, parts in groupby(found.fetchall(), key=itemgetter(0)):
            _, ref_tables, columns, ref_columns = zip(*parts, strict=True)
            yield list(columns), ref_tables[0], list(ref_columns)


def _known(names: Sequence[str | None], known: Mapping[str, object]) -> tuple[str, ...]:
    """Return names as they are spelt, SQLite ignoring case; empty if one is unknown."""
    spelt = {name.lower(): name for name in known}
    found = [spelt[name.lower()] for name in names if name and name.lower() in spelt]
    return tuple(found) if len(found) == len(names) else ()


def _arrow_type(low: str | None, high: str | None, declared: str) -> pa.DataType:
    match low, high:
        case None, _:
            return _declared_type(declared.upper())
        case "integer", "integer":
            return pa.int64()
        case (("integer" | "real"), "real"):
            return pa.float64()
        case _:
            return pa.string()


def _declared_type(declared: str) -> pa.DataType:
    """Return the type of a column without values.

    Source: https://www.sqlite.org/datatype3.html, section 3.1.
    """
    if "INT" in declared:
        return pa.int64()
    if any(part in declared for part in ("REAL", "FLOA", "DOUB", "NUM", "DEC")):
        return pa.float64()
    return pa.string()


def _read_sql(column: str, kind: pa.DataType) -> str:
    name = quote(column)
    if kind == pa.int64():
        return name
    if kind == pa.float64():
        finite = f"abs({name}) < 9e999"  # an infinity is a missing value
        return f"CASE WHEN {finite} THEN CAST({name} AS REAL) END"
    return f"CAST({name} AS TEXT)"


def _to_arrow(values: Sequence[object], kind: pa.DataType) -> pa.Array:
    if kind != pa.string():
        return pa.array(values, type=kind)
    binary = pa.array(values, type=pa.binary())
    try:
        return binary.cast(pa.string())
    except pa.ArrowInvalid:  # not UTF-8: keep what can be read
        texts = [
            None if value is None else value.decode(errors="replace")
            for value in binary.to_pylist()
        ]
        return pa.array(texts, type=pa.string())


def _row_order(connection: sqlite3.Connection, table: SourceTable) -> str:
    """Return the SQL of the source's order: the rowid where there is one."""
    for name in ("rowid", "_rowid_", "oid"):
        if any(column.name.lower() == name for column in table.columns):
            continue
        try:
            connection.execute(f"SELECT {name} FROM {quote(table.name)} LIMIT 0")
        except sqlite3.OperationalError:
            break
        return name
    return ", ".join(map(quote, table.primary_key)) or "1"
