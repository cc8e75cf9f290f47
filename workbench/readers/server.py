"""Database servers, read in one read-only transaction through SQLAlchemy.

PostgreSQL sends its rows to Arrow directly (ADBC, on the same snapshot of the data).
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import closing, contextmanager, suppress
from dataclasses import dataclass
from functools import partial
from types import MappingProxyType
from typing import Any

import adbc_driver_manager
import pyarrow as pa
import sqlalchemy as sa
from sqlalchemy.engine import URL, Connection, Engine
from sqlalchemy.exc import CompileError, NoSuchModuleError, SQLAlchemyError

from workbench.errors import DatabaseError, unknown
from workbench.limits import Limits
from workbench.reader import (
    BATCH_ROWS,
    AbstractReader,
    Reflection,
    Request,
    SourceColumn,
    SourceKey,
    SourceTable,
    distinct_names,
    finite,
    resolve_keys,
)

CONNECT_TIMEOUT_S = 15
VERBATIM = {"no_parameters": True}  # so that % is a character like any other
SHORTEST_SECRET = 4  # shorter ones would be found in any sentence
EXACT_DIGITS = 18  # decimal digits that always fit into 64 bits
DRIVERS: Mapping[str, str] = MappingProxyType(
    {
        "postgres": "postgresql+psycopg",
        "postgresql": "postgresql+psycopg",
        "mysql": "mysql+pymysql",
        "mariadb": "mariadb+pymysql",
    }
)
"""The driver for a URL that names none."""


AnyType = sa.types.TypeEngine[Any]
Reading = tuple[str, pa.DataType]


@dataclass(frozen=True, slots=True)
class Column:
    """A column to be read: the SQL that picks it, and what that gives."""

    name: str
    sql: str
    kind: pa.DataType


@dataclass(frozen=True, slots=True)
class Dialect:
    """What is particular to one kind of server.

    Attributes:
        connect: Arguments for the driver.
        begin: Statements that open the transaction: read-only, one state of the data,
            each statement limited in time.
        pick: The SQL of a column and the type it gives, or None to leave it out; called
            with the quoted name, the reflected type, and a function that says whether
            all its values fit into 64 bits.
        unescape: Turns a name as SQLAlchemy reflects it into the server's own.
        left_out: SQL that lists the tables of a schema that are not read, each with why
            or with NULL where nobody need be told; None where there are none.
    """

    connect: Callable[[Limits], Mapping[str, Any]]
    begin: Callable[[Limits], Sequence[str]]
    pick: Callable[[str, AnyType, Callable[[], bool]], Reading | None]
    left_out: str | None = None
    unescape: Callable[[str], str] = str


def open_server(request: Request) -> "ServerReader":
    """Connect to a server.

    Raises:
        DatabaseError: It cannot be reached, refuses the user, or its driver is missing.
    """
    if request.url is None:
        raise DatabaseError(f'The source "{request.address}" names no server.')
    return ServerReader(request, request.url)


class ServerReader(AbstractReader):
    """One transaction on one server."""

    def __init__(self, request: Request, url: URL) -> None:
        name = url.drivername.lower()
        self._url = url.set(drivername=DRIVERS.get(name, name))
        self._request = request
        self._dialect = DIALECTS.get(self._url.get_backend_name(), GENERIC)
        self._engine = self._make_engine()
        self._picked: dict[str, tuple[str, list[Column]]] = {}
        self._warnings: list[str] = []
        self._fast: Any = None
        try:
            with self._told("be reached"):
                self._connection = self._begin()
        except DatabaseError:
            self._engine.dispose()
            raise

    @property
    def name(self) -> str:
        """The name of the database."""
        return (self._url.database or self._url.host or "server").rpartition("/")[2]

    @property
    def fingerprint(self) -> None:
        """Not known before the rows are read."""
        return

    def reflect(self) -> Reflection:
        """Return the tables of the chosen schemas, without views and partitions."""
        with self._told("be read"):
            inspector = sa.inspect(self._connection)
            self._warnings = []
            found = [
                (schema, table)
                for schema in self._schemas(inspector)
                for table in self._table_names(inspector, schema)
            ]
            if not found:
                raise DatabaseError(
                    f'The database "{self._request.address}" shows this user no tables;'
                    " ask for another schema, or for the right to SELECT."
                )
            draft = _Draft(self._connection, inspector, self._dialect, found)
            tables = [draft.table(*one) for one in found]
        self._picked = draft.picked
        settled, left_out = resolve_keys(tables, draft.renamed)
        return Reflection(
            tables=settled,
            types={
                (table, column.name): column.kind
                for table, (_, columns) in draft.picked.items()
                for column in columns
            },
            warnings=(*self._warnings, *draft.warnings, *left_out),
        )

    def batches(
        self, table: SourceTable, types: Mapping[tuple[str, str], pa.DataType]
    ) -> Iterator[pa.RecordBatch]:
        """Yield the rows in the order of the primary key, else of the server."""
        query, columns = self._picked[table.name]
        schema = pa.schema([pa.field(one.name, one.kind) for one in columns])
        with self._told("be read to the end"):
            if self._url.get_backend_name() == "postgresql":
                yield from self._fast_batches(query, schema)
            else:
                yield from self._row_batches(query, schema)

    def verify(self) -> None:
        """Nothing to check: one transaction has seen one state of the data."""

    def close(self) -> None:
        """End the transaction and the connection."""
        # A server that has gone away cannot be told; nothing was written to it.
        with suppress(adbc_driver_manager.Error):
            if self._fast is not None:
                self._fast.close()
        with suppress(SQLAlchemyError):
            self._connection.detach()
            self._connection.close()
        self._engine.dispose()

    def _make_engine(self) -> Engine:
        arguments = dict(self._dialect.connect(self._request.limits))
        try:
            return sa.create_engine(self._url, connect_args=arguments)
        except NoSuchModuleError as error:
            known = sorted({*DIALECTS, "sqlite", "duckdb"})
            raise DatabaseError(
                unknown("kind of database", self._url.drivername, known)
                + " Others need their SQLAlchemy dialect to be installed."
            ) from error
        except ModuleNotFoundError as error:
            raise DatabaseError(
                f'Reading "{self._request.address}" needs the package "{error.name}";'
                ' run pip install "graph-modelling-workbench[databases]".'
            ) from error

    def _begin(self) -> Connection:
        connection = self._engine.connect()
        connection = connection.execution_options(isolation_level="AUTOCOMMIT")
        for statement in self._dialect.begin(self._request.limits):
            connection.exec_driver_sql(statement)
        return connection

    def _schemas(self, inspector: sa.Inspector) -> list[str | None]:
        if not self._request.schemas:
            return [None]
        known = inspector.get_schema_names()
        for name in self._request.schemas:
            if name not in known:
                raise DatabaseError(unknown("schema", name, known))
        default = inspector.default_schema_name
        return [None if name == default else name for name in self._request.schemas]

    def _table_names(self, inspector: sa.Inspector, schema: str | None) -> list[str]:
        names = sorted(inspector.get_table_names(schema))
        if self._dialect.left_out is None:
            return names
        found = self._connection.exec_driver_sql(
            self._dialect.left_out, (schema or inspector.default_schema_name,)
        )
        reasons = dict(map(tuple, found))
        self._warnings += [
            f'The table "{name}" is left out: {reasons[name]}.'
            for name in names
            if reasons.get(name)
        ]
        return [name for name in names if name not in reasons]

    def _row_batches(self, query: str, schema: pa.Schema) -> Iterator[pa.RecordBatch]:
        options = {**VERBATIM, "stream_results": True}
        found = self._connection.exec_driver_sql(query, execution_options=options)
        with closing(found) as result:
            while rows := result.fetchmany(BATCH_ROWS):
                columns = zip(*rows, strict=True)
                arrays = [
                    pa.array(map(CONVERT[field.type], values), type=field.type)
                    for values, field in zip(columns, schema, strict=True)
                ]
                yield _with_finite(pa.record_batch(arrays, schema=schema))

    def _fast_batches(self, query: str, schema: pa.Schema) -> Iterator[pa.RecordBatch]:
        if self._fast is None:
            self._fast = self._open_fast()
        with self._fast.cursor() as cursor:
            cursor.execute(query)
            for batch in cursor.fetch_record_batch():
                yield _with_finite(pa.record_batch(batch.columns, schema=schema))

    def _open_fast(self) -> Any:
        """Return a second connection, which sees what the first one sees."""
        # Imported here: only PostgreSQL has it, and the package is an extra.
        import adbc_driver_postgresql.dbapi as driver

        (snapshot,) = self._connection.exec_driver_sql(
            "SELECT pg_export_snapshot()"
        ).one()
        plain = self._url.set(drivername="postgresql")
        connection = driver.connect(plain.render_as_string(hide_password=False))
        with connection.cursor() as cursor:
            cursor.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ READ ONLY")
            cursor.execute(f"SET TRANSACTION SNAPSHOT '{snapshot}'")
            for statement in _postgresql_settings(self._request.limits):
                cursor.execute(statement)
        return connection

    @contextmanager
    def _told(self, what: str) -> Iterator[None]:
        try:
            yield
        except (SQLAlchemyError, adbc_driver_manager.Error, OSError) as error:
            cause = str(getattr(error, "orig", None) or error)
            if len(self._url.password or "") >= SHORTEST_SECRET:
                cause = cause.replace(str(self._url.password), "***")
            said = " ".join(cause.split())[:300].rstrip(".")
            raise DatabaseError(
                f'The database "{self._request.address}" cannot {what}: {said}.'
            ) from None  # the driver's own error may show the password


class _Draft:
    """The reflection of one database while it is being put together."""

    def __init__(
        self,
        connection: Connection,
        inspector: sa.Inspector,
        dialect: Dialect,
        found: Sequence[tuple[str | None, str]],
    ) -> None:
        self.connection = connection
        self.inspector = inspector
        self.dialect = dialect
        written = [
            name if schema is None else f"{schema}.{name}" for schema, name in found
        ]
        names, self.warnings = distinct_names(written, "table")
        self.names = dict(zip(found, names, strict=True))
        self.picked: dict[str, tuple[str, list[Column]]] = {}
        self.renamed: dict[str, Mapping[str, str]] = {}
        by_schema = {schema for schema, _ in found}
        self.columns = _multi(inspector.get_multi_columns, by_schema)
        self.primary_keys = _multi(inspector.get_multi_pk_constraint, by_schema)
        self.foreign_keys = _multi(inspector.get_multi_foreign_keys, by_schema)

    def table(self, schema: str | None, source_name: str) -> SourceTable:
        name = self.names[schema, source_name]
        quoted = self._quote
        relation = quoted(source_name)
        if schema is not None:
            relation = f"{quoted(schema)}.{relation}"
        reflected = self.columns[schema, source_name]
        shown, renamed = distinct_names(
            [self.dialect.unescape(one["name"]) for one in reflected],
            f"column of {name}",
        )
        self.warnings += renamed
        spelt = {one["name"]: new for one, new in zip(reflected, shown, strict=True)}
        self.renamed[name] = spelt
        picked, columns = [], []
        for one in reflected:
            column = quoted(one["name"])
            found = self.dialect.pick(
                column, one["type"], partial(self._fits, relation, column)
            )
            new = spelt[one["name"]]
            if found is None:
                self.warnings.append(
                    f'The column "{name}.{new}" holds binary data and is left out.'
                )
                continue
            picked.append(Column(new, *found))
            declared = _written_type(one["type"], self.connection)
            columns.append(SourceColumn(new, declared, bool(one["nullable"])))
        key = self.primary_keys[schema, source_name].get("constrained_columns") or []
        order = f" ORDER BY {', '.join(map(quoted, key))}" if key else ""
        listed = ", ".join(one.sql for one in picked) or "NULL"
        (num_rows,) = self.connection.exec_driver_sql(
            f"SELECT count(*) FROM {relation}", execution_options=VERBATIM
        ).one()
        self.picked[name] = f"SELECT {listed} FROM {relation}{order}", picked
        return SourceTable(
            name=name,
            num_rows=num_rows,
            columns=tuple(columns),
            primary_key=tuple(spelt[one] for one in key),
            foreign_keys=tuple(self._keys(schema, source_name)),
        )

    def _fits(self, relation: str, column: str) -> bool:
        (largest,) = self.connection.exec_driver_sql(
            f"SELECT max({column}) FROM {relation}", execution_options=VERBATIM
        ).one()
        return largest is None or int(largest) < 2**63

    def _quote(self, name: str) -> str:
        # Not quote_identifier, which doubles % for statements that have parameters.
        marks = self.connection.dialect.identifier_preparer
        plain = self.dialect.unescape(name).replace(
            marks.escape_quote, marks.escape_to_quote
        )
        return f"{marks.initial_quote}{plain}{marks.final_quote}"

    def _keys(self, schema: str | None, table: str) -> Iterator[SourceKey]:
        for key in self.foreign_keys[schema, table]:
            parent = key["referred_schema"], key["referred_table"]
            if parent not in self.names and parent[0] == schema:
                parent = None, parent[1]
            yield SourceKey(
                tuple(key["constrained_columns"]),
                self.names.get(parent, str(parent[1])),
                tuple(key["referred_columns"]),
            )


def _multi(
    ask: Callable[..., Mapping[Any, Any]], schemas: set[str | None]
) -> dict[tuple[str | None, str], Any]:
    return {
        key: value for schema in schemas for key, value in ask(schema=schema).items()
    }


def _written_type(kind: AnyType, connection: Connection) -> str:
    try:
        return kind.compile(dialect=connection.dialect)
    except CompileError:  # a type that SQLAlchemy does not know
        return ""


def _with_finite(batch: pa.RecordBatch) -> pa.RecordBatch:
    """Return a batch with NaN and infinities as missing values."""
    arrays = [
        finite(array) if array.type == pa.float64() else array
        for array in batch.columns
    ]
    return pa.record_batch(arrays, schema=batch.schema)


# --- the kinds of server ---------------------------------------------------

CONVERT: Mapping[pa.DataType, Callable[[Any], Any]] = MappingProxyType(
    {
        pa.int64(): lambda value: None if value is None else int(value),
        pa.float64(): lambda value: None if value is None else float(value),
        pa.string(): lambda value: None if value is None else str(value),
    }
)


def _is_whole(kind: AnyType) -> bool:
    if isinstance(kind, sa.Integer | sa.Boolean):
        return True
    return (
        isinstance(kind, sa.Numeric)
        and not isinstance(kind, sa.Float)
        and kind.scale == 0
        and kind.precision is not None
        and kind.precision <= EXACT_DIGITS
    )


def _is_long(kind: AnyType) -> bool:
    """Return whether a whole number may be longer than 64 bits."""
    return (
        isinstance(kind, sa.Numeric)
        and not isinstance(kind, sa.Float)
        and kind.scale == 0
        and not _is_whole(kind)
    )


def _pick_postgresql(
    name: str, kind: AnyType, fits: Callable[[], bool]
) -> Reading | None:
    match kind:
        case sa.LargeBinary():
            return None
        case sa.Boolean():
            return f"{name}::int::bigint", pa.int64()
        case _ if type(kind).__name__ == "INTERVAL":
            return f"extract(epoch from {name})::float8", pa.float64()
        case sa.ARRAY():
            return f"array_to_string({name}, '|')", pa.string()
        case _ if _is_whole(kind):
            return f"{name}::bigint", pa.int64()
        case sa.Float() | sa.Numeric() if not _is_long(kind):
            return f"{name}::float8", pa.float64()
        case _ if type(kind).__name__ == "MONEY":
            return f"{name}::numeric::float8", pa.float64()
        case _:
            return f"{name}::text", pa.string()


def _pick_mysql(name: str, kind: AnyType, fits: Callable[[], bool]) -> Reading | None:
    if type(kind).__name__ in ("BINARY", "VARBINARY", "GEOMETRY", "POINT"):
        return None
    match kind:
        case sa.LargeBinary():
            return None
        case sa.BigInteger() if getattr(kind, "unsigned", False):
            return (
                (name, pa.int64()) if fits() else (f"CAST({name} AS CHAR)", pa.string())
            )
        case sa.Date() | sa.DateTime() | sa.TIMESTAMP():
            shown = f"CAST({name} AS CHAR)"
            return (
                f"CASE WHEN {shown} NOT LIKE '0000-00-00%' THEN {shown} END",
                pa.string(),
            )
        case sa.Time():
            return f"TIME_TO_SEC({name}) + 0e0", pa.float64()
        case _ if type(kind).__name__ in ("BIT", "YEAR") or _is_whole(kind):
            return f"{name} + 0", pa.int64()
        case sa.Float() | sa.Numeric() if not _is_long(kind):
            return f"{name} + 0e0", pa.float64()
        case _:
            return f"CONVERT({name} USING utf8mb4)", pa.string()


def _pick_generic(name: str, kind: AnyType, fits: Callable[[], bool]) -> Reading | None:
    match kind:
        case sa.LargeBinary():
            return None
        case _ if _is_whole(kind):
            return name, pa.int64()
        case sa.Float() | sa.Numeric() if not _is_long(kind):
            return name, pa.float64()
        case _:
            return name, pa.string()


def _postgresql_settings(limits: Limits) -> tuple[str, ...]:
    return (
        f"SET LOCAL statement_timeout = '{limits.seconds}s'",
        "SET LOCAL lock_timeout = '30s'",
        "SET LOCAL TIME ZONE 'UTC'",
        "SET LOCAL DateStyle = 'ISO'",
        "SET LOCAL synchronize_seqscans = off",  # the same order every time
    )


def _mysql_settings(limits: Limits) -> tuple[str, ...]:
    return (
        # MariaDB counts seconds, MySQL milliseconds; each ignores the other's line.
        f"/*M! SET SESSION max_statement_time = {limits.seconds} */",
        f"/*!50708 SET SESSION max_execution_time = {limits.seconds * 1000} */",
        "SET SESSION time_zone = '+00:00'",
        "SET SESSION TRANSACTION ISOLATION LEVEL REPEATABLE READ",
        "START TRANSACTION WITH CONSISTENT SNAPSHOT, READ ONLY",
    )


_MYSQL = Dialect(
    connect=lambda limits: {
        "connect_timeout": CONNECT_TIMEOUT_S,
        "read_timeout": limits.seconds,
        "charset": "utf8mb4",
    },
    begin=_mysql_settings,
    pick=_pick_mysql,
    unescape=lambda name: name.replace("``", "`"),
)
GENERIC = Dialect(
    connect=lambda limits: {}, begin=lambda limits: (), pick=_pick_generic
)
DIALECTS: Mapping[str, Dialect] = MappingProxyType(
    {
        "postgresql": Dialect(
            connect=lambda limits: {"connect_timeout": CONNECT_TIMEOUT_S},
            begin=lambda limits: (
                "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY",
                *_postgresql_settings(limits),
            ),
            pick=_pick_postgresql,
            left_out="SELECT c.relname, CASE WHEN NOT c.relispartition"
            " THEN 'this user may not read it' END FROM pg_class c"
            " JOIN pg_namespace n ON n.oid = c.relnamespace WHERE n.nspname = %s"
            " AND (c.relispartition OR NOT has_table_privilege(c.oid, 'SELECT'))",
        ),
        "mysql": _MYSQL,
        "mariadb": _MYSQL,
    }
)
"""Servers that are read in a way of their own; all others as `GENERIC` has it."""
