"""A source as a DuckDB connection holds it: relations, read in one of three types.

Files of rows (CSV, Parquet, workbooks, dumps, DuckDB's own) all arrive here, so that
what a value becomes is decided in one place.
"""

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass

import duckdb
import pyarrow as pa

from workbench.errors import DatabaseError
from workbench.reader import (
    BATCH_ROWS,
    AbstractReader,
    Reflection,
    SourceColumn,
    SourceKey,
    SourceTable,
    distinct_names,
    quote,
    resolve_keys,
)

WHOLE = frozenset(
    {"TINYINT", "SMALLINT", "INTEGER", "BIGINT", "UTINYINT", "USMALLINT", "UINTEGER"}
)
WIDE = frozenset({"UBIGINT", "HUGEINT", "UHUGEINT"})
BINARY = ("BLOB", "BIT", "GEOMETRY")
NUMBER_SHAPE = r"[+-]?(\d+(\.\d*)?|\.\d+)([eE][+-]?\d+)?"
WHOLE_SHAPE = r"-?(0|[1-9]\d{0,18})"  # 007 is a code, not the number 7
NO_NUMBER = r"(?i)[+-]?(nan|inf|infinity)"
COLUMNS_PER_QUERY = 200
UNTYPED = "untyped"  # a text whose type its values decide
DECLARED_TEXT = re.compile(r"CHAR|TEXT|CLOB|ENUM|\bSET\b|UUID|JSON|XML|STRING")
DECLARED_BINARY = re.compile(r"BLOB|BINARY|BYTEA|IMAGE|\bRAW|GEOMETR|GEOGRAPHY")


@dataclass(frozen=True, slots=True)
class Relation:
    """One table of a source, under its own name.

    Attributes:
        name: What the source calls it.
        sql: What stands behind FROM, quoted where it needs to be.
        columns: What the source declares of its columns, or None where only the
            relation itself says.
        is_text: Whether every value is kept as text, its type to be found in the rows.
        primary_key: Its columns; empty without one.
        foreign_keys: As declared; they may name what does not exist.
    """

    name: str
    sql: str
    columns: tuple[SourceColumn, ...] | None = None
    is_text: bool = False
    primary_key: tuple[str, ...] = ()
    foreign_keys: tuple[SourceKey, ...] = ()


class ColumnarReader(AbstractReader):
    """Relations of a DuckDB connection, whichever files are behind it."""

    def __init__(
        self,
        name: str,
        fingerprint: str,
        connection: duckdb.DuckDBPyConnection,
        relations: Sequence[Relation],
        *,
        shown: str,
        warnings: Sequence[str] = (),
        has_rows: bool = True,
        verify: Callable[[], None] = lambda: None,
        close: Callable[[], None] = lambda: None,
    ) -> None:
        """Take over a connection.

        Args:
            name: The short name of the source.
            fingerprint: A hexadecimal hash of its content.
            connection: Closed with the reader.
            relations: The tables, each under the source's own name.
            shown: How the source is named in messages, such as ``file "a.csv"``.
            warnings: What has been left out so far.
            has_rows: False for a schema without rows.
            verify: Raises a DatabaseError when the source has changed.
            close: Called last, to remove private files.
        """
        self._name = name
        self._fingerprint = fingerprint
        self._connection = connection
        self._relations = tuple(relations)
        self._shown = shown
        self._warnings = tuple(warnings)
        self._has_rows = has_rows
        self._verify = verify
        self._close = close
        self._queries: dict[str, str] = {}

    @property
    def name(self) -> str:
        """The short name of the source."""
        return self._name

    @property
    def fingerprint(self) -> str:
        """The hash of the content."""
        return self._fingerprint

    def reflect(self) -> Reflection:
        """Return tables, keys, and the type that the values of every column have."""
        warnings = list(self._warnings)
        names, renamed = distinct_names([one.name for one in self._relations], "table")
        new_names = dict(zip([one.name for one in self._relations], names, strict=True))
        types: dict[tuple[str, str], pa.DataType] = {}
        tables = []
        columns: dict[str, Mapping[str, str]] = {}
        with self._told():
            for name, relation in zip(names, self._relations, strict=True):
                stored = self._stored(relation)
                shown, sentences = distinct_names(stored, f"column of {name}")
                columns[name] = dict(zip(stored, shown, strict=True))
                renamed += sentences
                table, kinds, sentences = self._table(
                    name, relation, stored, columns[name], new_names
                )
                tables.append(table)
                types |= {(name, column): kind for column, kind in kinds.items()}
                renamed += sentences
        settled, left_out = resolve_keys(tables, columns)
        return Reflection(
            tables=settled,
            types=types,
            warnings=(*warnings, *renamed, *left_out),
            has_rows=self._has_rows,
        )

    def batches(
        self, table: SourceTable, types: Mapping[tuple[str, str], pa.DataType]
    ) -> Iterator[pa.RecordBatch]:
        """Yield the rows in the order of the source."""
        with self._told():
            found = self._connection.sql(self._queries[table.name])
            yield from found.to_arrow_reader(BATCH_ROWS)

    def verify(self) -> None:
        """Check that the source still is what was fingerprinted."""
        self._verify()

    def close(self) -> None:
        """Close the connection and remove private files."""
        self._connection.close()
        self._close()

    @contextmanager
    def _told(self) -> Iterator[None]:
        try:
            yield
        except duckdb.Error as error:
            (cause, *_) = str(error).splitlines() or [""]
            raise DatabaseError(
                f"The {self._shown} cannot be read: {cause.rstrip('.')}."
            ) from error

    def _stored(self, relation: Relation) -> dict[str, str]:
        """Return DuckDB's type of every column, in order."""
        described = self._connection.execute(
            f"DESCRIBE SELECT * FROM {relation.sql}"
        ).fetchall()
        return {row[0]: row[1] for row in described}

    def _table(
        self,
        name: str,
        relation: Relation,
        stored: Mapping[str, str],
        spelt: Mapping[str, str],
        new_names: Mapping[str, str],
    ) -> tuple[SourceTable, dict[str, pa.DataType], list[str]]:
        declared = {one.name: one for one in relation.columns or ()}
        sentences = []
        kinds_of_values = {
            column: _kind(relation, declared.get(column), kind)
            for column, kind in stored.items()
        }
        readings = self._readings(relation.sql, kinds_of_values)
        columns, kinds, picked = [], {}, []
        for source_name, new_name in spelt.items():
            reading = readings.get(source_name)
            if reading is None:
                sentences.append(
                    f'The column "{name}.{new_name}" holds binary data and is left out.'
                )
                continue
            said = declared.get(source_name)
            columns.append(
                SourceColumn(
                    name=new_name,
                    sql_type=said.sql_type if said else stored[source_name],
                    nullable=said.nullable if said else True,
                )
            )
            expression, kinds[new_name] = reading
            picked.append(f"{expression} AS {quote(new_name)}")
        ((num_rows,),) = self._connection.execute(
            f"SELECT count(*) FROM {relation.sql}"
        ).fetchall()
        self._queries[name] = f"SELECT {', '.join(picked)} FROM {relation.sql}"
        table = SourceTable(
            name=name,
            num_rows=num_rows,
            columns=tuple(columns),
            primary_key=tuple(spelt.get(one, one) for one in relation.primary_key),
            foreign_keys=tuple(
                SourceKey(
                    key.columns,
                    new_names.get(key.ref_table, key.ref_table),
                    key.ref_columns,
                )
                for key in relation.foreign_keys
            ),
        )
        return table, kinds, sentences

    def _readings(
        self, relation: str, kinds: Mapping[str, str]
    ) -> dict[str, tuple[str, pa.DataType]]:
        """Return, by column, the SQL that reads it and the type that gives."""
        columns = list(kinds)
        found: dict[str, tuple[str, pa.DataType]] = {}
        for start in range(0, len(columns), COLUMNS_PER_QUERY):
            part = columns[start : start + COLUMNS_PER_QUERY]
            tests = ", ".join(_test_sql(quote(one), kinds[one]) for one in part)
            ((_, *answers),) = self._connection.execute(
                f"SELECT count(*), {tests} FROM {relation}"
            ).fetchall()
            for column, answer in zip(part, answers, strict=True):
                reading = _reading(quote(column), kinds[column], answer)
                if reading is not None:
                    found[column] = reading
        return found


def _kind(relation: Relation, declared: SourceColumn | None, stored: str) -> str:
    """Return DuckDB's type of a column's values, or that they have none of their own.

    A declared text stays one, whatever its values look like.
    """
    if not relation.is_text:
        return stored
    said = declared.sql_type.upper() if declared else ""
    if DECLARED_BINARY.search(said):
        return "BLOB"
    return "VARCHAR" if DECLARED_TEXT.search(said) else UNTYPED


def _test_sql(column: str, kind: str) -> str:
    """Return the SQL that is asked of all rows before a column's type is settled.

    For texts: 2 where all are whole numbers, 1 where all are numbers, else 0. For wide
    integers: whether all fit into 64 bits.
    """
    if _is_wide(kind):
        return f"bool_and(TRY_CAST({column} AS BIGINT) IS NOT NULL OR {column} IS NULL)"
    if kind != UNTYPED:
        return "NULL"
    trimmed = f"trim({column})"
    whole = (  # NULL for NULL, which says nothing of a column
        f"CASE WHEN {column} IS NOT NULL THEN"
        f" regexp_full_match({trimmed}, '{WHOLE_SHAPE}')"
        f" AND TRY_CAST({trimmed} AS BIGINT) IS NOT NULL END"
    )
    # A leading zero makes a code of a whole number; a fraction may have one.
    number = (
        f"regexp_full_match({trimmed}, '{NUMBER_SHAPE}')"
        f" AND NOT regexp_full_match({trimmed}, '[+-]?0\\d+')"
        f" AND length({trimmed}) < 40"
    )
    missing = f"regexp_full_match({trimmed}, '{NO_NUMBER}')"
    return (
        f"CASE WHEN bool_and({whole}) THEN 2"
        f" WHEN bool_and(({number}) OR {missing}) AND bool_or({number})"
        # whole numbers beyond 64 bits are keys: a double would merge neighbours
        f" AND NOT bool_or(regexp_full_match({trimmed}, '[+-]?\\d{{17,}}')) THEN 1"
        " ELSE 0 END"
    )


def _reading(column: str, kind: str, answer: object) -> tuple[str, pa.DataType] | None:
    if kind.startswith(BINARY):
        return None
    if kind == UNTYPED:
        if answer == 2:
            return f"CAST(trim({column}) AS BIGINT)", pa.int64()
        if answer == 1:
            return _finite(f"TRY_CAST(trim({column}) AS DOUBLE)"), pa.float64()
        return column, pa.string()
    if kind in WHOLE or kind == "BOOLEAN":
        return f"CAST({column} AS BIGINT)", pa.int64()
    if _is_wide(kind):
        if answer is None or answer:
            return f"CAST({column} AS BIGINT)", pa.int64()
        return f"CAST({column} AS VARCHAR)", pa.string()
    if kind in ("FLOAT", "DOUBLE") or kind.startswith("DECIMAL"):
        return _finite(f"CAST({column} AS DOUBLE)"), pa.float64()
    if kind.endswith("[]") and "STRUCT" not in kind and "[][]" not in kind:
        return f"array_to_string({column}, '|')", pa.string()
    return f"CAST({column} AS VARCHAR)", pa.string()


def _is_wide(stored: str) -> bool:
    return stored in WIDE or (stored.startswith("DECIMAL") and stored.endswith(",0)"))


def _finite(number: str) -> str:
    """Return a number's SQL with NaN and infinities as missing values."""
    return f"CASE WHEN isfinite({number}) THEN {number} END"
