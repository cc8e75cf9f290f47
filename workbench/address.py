"""What a user writes to name a source, taken apart: kind, files, options, password."""

import difflib
import os
import re
import zipfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path
from urllib.parse import parse_qs, urlencode

from sqlalchemy.engine import URL, make_url
from sqlalchemy.exc import ArgumentError

from workbench.errors import DatabaseError

SAMPLE = "sample:"
JOINT = " + "  # several scripts are one source: "tables.sql + keys.sql"
PASSWORD_SETTING = "WORKBENCH_PASSWORD"
SCHEMA_OPTION, DIALECT_OPTION = "db-schema", "dialect"
HEAD = 512
SECRET = re.compile("pass|pwd|secret|token", re.IGNORECASE)


class Kind(StrEnum):
    """The kinds of source, each read by one member of ``readers``."""

    SQLITE = "sqlite"
    DUCKDB = "duckdb"
    FILES = "files"
    WORKBOOK = "workbook"
    SCRIPT = "script"
    DBML = "dbml"
    RELBENCH = "relbench"
    SERVER = "server"


BY_ENDING: Mapping[str, Kind] = {
    ".csv": Kind.FILES,
    ".tsv": Kind.FILES,
    ".tab": Kind.FILES,
    ".txt": Kind.FILES,
    ".parquet": Kind.FILES,
    ".tar": Kind.FILES,
    ".tgz": Kind.FILES,
    ".gz": Kind.FILES,
    ".bz2": Kind.FILES,
    ".xz": Kind.FILES,
    ".zip": Kind.FILES,
    ".xlsx": Kind.WORKBOOK,
    ".xlsm": Kind.WORKBOOK,
    ".sql": Kind.SCRIPT,
    ".ddl": Kind.SCRIPT,
    ".dbml": Kind.DBML,
    ".duckdb": Kind.DUCKDB,
    ".sqlite": Kind.SQLITE,
    ".sqlite3": Kind.SQLITE,
    ".db": Kind.SQLITE,
    ".db3": Kind.SQLITE,
}
"""The kind of a file whose first bytes tell nothing, by its ending."""

BY_MAGIC = (
    (0, b"SQLite format 3\x00", Kind.SQLITE),
    (8, b"DUCK", Kind.DUCKDB),
    (0, b"PAR1", Kind.FILES),
    (0, b"\x1f\x8b", Kind.FILES),
    (0, b"BZh", Kind.FILES),
    (0, b"\xfd7zXZ", Kind.FILES),
    (257, b"ustar", Kind.FILES),
)
UNREADABLE = (
    (
        b"PGDMP",
        "a PostgreSQL archive; turn it into a script with"
        " pg_restore --no-owner -f dump.sql FILE",
    ),
    (b"\xd0\xcf\x11\xe0", "an old Office file; save the workbook as .xlsx"),
    (b"%PDF", "a PDF; save its tables as CSV"),
    (b"\x80", "a pickle or another program's own format; save the tables as Parquet"),
)
MANIFESTS = ("manifest.yaml", "manifest.yml", "manifest.json")


@dataclass(frozen=True, slots=True)
class Address:
    """A source, taken apart.

    Attributes:
        kind: Which reader opens it.
        shown: How it is named everywhere: as written, without a password.
        paths: The files or folders; empty for a server.
        url: A server's address with the password; never shown, stored or logged.
        schemas: The schemas of a server to read; its default one when empty.
        dialect: The SQL dialect of a script; detected when None.
    """

    kind: Kind
    shown: str
    paths: tuple[Path, ...] = ()
    url: URL | None = field(default=None, repr=False)
    schemas: tuple[str, ...] = ()
    dialect: str | None = None


def parse_address(
    written: str,
    password: str | None = None,
    environment: Mapping[str, str] = os.environ,
) -> Address:
    """Take apart what names a source; ``sample:NAME`` is not among these.

    Args:
        written: A path, several scripts joined by `JOINT`, or a SQLAlchemy URL; options
            as `with_options` adds them may follow.
        password: A server's password.
        environment: Where the password is looked for when nothing else gives one.

    Raises:
        DatabaseError: There is no such file, or no reader for its kind.
    """
    if "://" in written:
        return _parse_url(written, password or environment.get(PASSWORD_SETTING))
    plain, options = _without_options(written)
    parts = plain.split(JOINT)
    paths = tuple(Path(part).expanduser() for part in parts)
    kinds = {kind_of(path) for path in paths}
    if len(paths) > 1 and kinds != {Kind.SCRIPT}:
        raise DatabaseError(
            f'The source "{written}" joins several files; only .sql scripts can be'
            " read as one database. Give one of them, or a folder."
        )
    dialect = options.get(DIALECT_OPTION, [None])[0]
    return Address(kinds.pop(), written, paths, dialect=dialect)


def joined_sources(written: Sequence[str]) -> list[str]:
    """Return the sources of a command line, where all .sql files together are one.

    >>> joined_sources(["tables.sql", "sample:elements", "keys.sql"])
    ['tables.sql + keys.sql', 'sample:elements']
    """
    scripts = [one for one in written if BY_ENDING.get(Path(one).suffix) is Kind.SCRIPT]
    joint = JOINT.join(scripts)
    replaced = [joint if one in scripts else one for one in written]
    return list(dict.fromkeys(replaced))


def with_options(
    written: str, schemas: Sequence[str] = (), dialect: str | None = None
) -> str:
    """Return an address that says which schemas and which SQL dialect are meant.

    >>> with_options("postgresql://host/shop", ["sales", "hr"])
    'postgresql://host/shop?db-schema=sales&db-schema=hr'
    >>> with_options("tables.sql", dialect="tsql")
    'tables.sql?dialect=tsql'
    """
    options = [(SCHEMA_OPTION, name) for name in schemas]
    options += [(DIALECT_OPTION, dialect)] if dialect else []
    if not options:
        return written
    has_query = "://" in written and "?" in written
    return f"{written}{'&' if has_query else '?'}{urlencode(options)}"


def kind_of(path: Path) -> Kind:
    """Return the kind of a file or folder, told by its first bytes, then its ending.

    Raises:
        DatabaseError: It is missing, empty, no file, or of no kind that can be read.
    """
    if path.is_dir():
        return Kind.RELBENCH if _is_relbench(path) else Kind.FILES
    if not path.exists():
        raise DatabaseError(_missing(path))
    if not path.is_file():
        raise DatabaseError(f'"{path}" is neither a file nor a folder.')
    head = _head(path)
    if not head:
        raise DatabaseError(f'The file "{path}" is empty; there is nothing to read.')
    for at, magic, kind in BY_MAGIC:
        if head[at:].startswith(magic):
            return kind
    if head.startswith(b"PK\x03\x04"):
        return Kind.WORKBOOK if _is_workbook(path) else Kind.FILES
    for magic, what in UNREADABLE:
        if head.startswith(magic):
            raise DatabaseError(f'The file "{path}" is {what}.')
    kind = BY_ENDING.get(path.suffix.lower())
    if kind is None:
        raise DatabaseError(
            f'The file "{path}" is of no kind that can be read; these can: SQLite,'
            " DuckDB, CSV, Parquet, zip, tar, .xlsx, .sql and .dbml."
        )
    return kind


def without_password(written: str) -> str:
    """Return an address as it may be shown, stored and logged.

    >>> without_password("postgresql://ann:secret@host/shop?sslpassword=x")
    'postgresql://ann@host/shop'
    """
    return _shown(_url(written)) if "://" in written else written


def _parse_url(written: str, password: str | None) -> Address:
    url = _url(written)
    shown = _shown(url)
    dialect = url.get_backend_name()
    if dialect in (Kind.SQLITE, Kind.DUCKDB):
        if not url.database:
            raise DatabaseError(f'The source "{shown}" names no file.')
        path = Path(url.database).expanduser()
        if kind_of(path) != dialect:
            raise DatabaseError(
                f'The file "{path}" is not what "{shown}" says; give its path alone.'
            )
        return Address(Kind(dialect), shown, (path,))
    if url.password is None and password:
        url = url.set(password=password)
    schemas = url.query.get(SCHEMA_OPTION, ())
    return Address(
        kind=Kind.SERVER,
        shown=shown,
        url=url.difference_update_query([SCHEMA_OPTION, DIALECT_OPTION]),
        schemas=(schemas,) if isinstance(schemas, str) else tuple(schemas),
    )


def _without_options(written: str) -> tuple[str, dict[str, list[str]]]:
    """Return a path and the options behind it; a name may hold other question marks."""
    plain, mark, query = written.rpartition("?")
    options = parse_qs(query) if mark else {}
    if options and set(options) <= {SCHEMA_OPTION, DIALECT_OPTION}:
        return plain, options
    return written, {}


def _url(written: str) -> URL:
    try:
        return make_url(written)
    except (ArgumentError, ValueError) as error:
        raise DatabaseError(
            "The source is written like a URL but cannot be understood; write"
            " postgresql://USER@HOST/DATABASE, sqlite:///FILE or the path of a file."
            " Special characters of a password are written %40 for @, %2F for /."
        ) from error


def _shown(url: URL) -> str:
    # Built anew: URL.set takes None for "leave it".
    plain = URL.create(
        drivername=url.drivername,
        username=url.username,
        host=url.host,
        port=url.port,
        database=url.database,
        query={name: url.query[name] for name in url.query if not SECRET.search(name)},
    )
    return plain.render_as_string(hide_password=False)


def _head(path: Path) -> bytes:
    try:
        with path.open("rb") as file:
            return file.read(HEAD)
    except OSError as error:
        raise DatabaseError(f'The file "{path}" may not be read.') from error


def _is_workbook(path: Path) -> bool:
    try:
        with zipfile.ZipFile(path) as archive:
            return "xl/workbook.xml" in archive.namelist()
    except (zipfile.BadZipFile, OSError, ValueError, NotImplementedError):
        return path.suffix.lower() in (".xlsx", ".xlsm")


def _is_relbench(path: Path) -> bool:
    """Return whether a manifest, or the Parquet files, say which column is a key."""
    # Imported here: most sources need no Parquet.
    import pyarrow as pa
    import pyarrow.parquet as pq

    for file in sorted([*path.glob("*.parquet"), *path.glob("db/*.parquet")])[:1]:
        if any((path / name).is_file() for name in MANIFESTS):
            return True
        try:
            metadata = pq.read_schema(file).metadata or {}
        except (pa.ArrowException, OSError):
            return False
        return b"pkey_col" in metadata or b"fkey_col_to_pkey_table" in metadata
    return False


def _missing(path: Path) -> str:
    beside = [one.name for one in path.parent.glob("*")] if path.parent.is_dir() else []
    near = difflib.get_close_matches(path.name, beside, n=1)
    hint = f'; did you mean "{path.parent / near[0]}"?' if near else "."
    return f'There is no file "{path}"{hint}'
