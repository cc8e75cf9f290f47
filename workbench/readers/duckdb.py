"""DuckDB files, opened read-only and shut off from everything else."""

import re
from collections.abc import Mapping
from pathlib import Path

import duckdb

from workbench.columnar import ColumnarReader, Relation
from workbench.errors import DatabaseError
from workbench.files.deferred import checking, state_of
from workbench.files.listing import File, hash_files, left_out
from workbench.reader import Request, SourceColumn, SourceKey, quote

CLOSED = {
    "enable_external_access": "false",
    "autoinstall_known_extensions": "false",
    "autoload_known_extensions": "false",
    "lock_configuration": "true",
}
DEFAULT_SCHEMA = "main"
LOG = ".wal"
CAUSES: Mapping[str, str] = {
    r"could not set lock|conflicting lock|being used by another": (
        "another program has it open; close that program, or give a copy"
    ),
    r"different configuration|already attached|already open": (
        "this program has it open already; give a copy"
    ),
    r"encrypt|decrypt|cipher|\bkey\b": "it is encrypted; give a copy that is not",
    r"version number|newer version|storage version": (
        "another version of DuckDB wrote it; export its tables as Parquet"
    ),
    r"not a valid duckdb": "it is no DuckDB database",
}


def open_duckdb(request: Request) -> ColumnarReader:
    """Open a DuckDB file; its tables are read, its views and macros are not.

    Raises:
        DatabaseError: It is no DuckDB database, or cannot be opened as it is.
    """
    path = request.path
    if not path.is_file():
        raise DatabaseError(f'"{request.address}" is no file.')
    paths = [path, *_log(path)]
    state = state_of(paths)
    endings = ["", LOG]
    files = [File(endings[at], each) for at, each in enumerate(paths)]
    fingerprint = hash_files(files)
    try:
        connection = duckdb.connect(str(path), read_only=True, config={**CLOSED})
    except (duckdb.Error, RuntimeError) as error:
        raise explain(request.address, error) from error
    try:
        relations, warnings = _relations(connection)
    except duckdb.Error as error:
        connection.close()
        raise explain(request.address, error) from error
    if not relations:
        connection.close()
        raise DatabaseError(f'The file "{request.address}" holds no tables.')
    return ColumnarReader(
        path.stem,
        fingerprint,
        connection,
        relations,
        shown=f'DuckDB file "{request.address}"',
        warnings=warnings,
        verify=checking(paths, state),
    )


def _log(path: Path) -> list[Path]:
    """Return the write-ahead log beside a file, where it holds something."""
    log = path.with_name(path.name + LOG)
    return [log] if log.is_file() and log.stat().st_size else []


def explain(address: str, error: Exception) -> DatabaseError:
    """Return why a file could not be opened, in a sentence."""
    text = str(error)
    for pattern, why in CAUSES.items():
        if re.search(pattern, text, re.IGNORECASE):
            return DatabaseError(f'The DuckDB file "{address}" is not read: {why}.')
    return DatabaseError(
        f'The DuckDB file "{address}" is not read: it is damaged or cut short.'
    )


def _relations(
    connection: duckdb.DuckDBPyConnection,
) -> tuple[list[Relation], list[str]]:
    tables = connection.execute(
        "SELECT schema_name, table_name FROM duckdb_tables() WHERE NOT internal"
        " AND NOT temporary AND database_name = current_database()"
        " ORDER BY schema_name <> 'main', schema_name, table_name"
    ).fetchall()
    views = connection.execute(
        "SELECT schema_name, view_name FROM duckdb_views() WHERE NOT internal"
    ).fetchall()
    columns = _columns(connection)
    primary, foreign = _keys(connection)
    found = [
        Relation(
            name=_name(*place),
            sql=f"{quote(place[0])}.{quote(place[1])}",
            columns=tuple(columns.get(place, ())),
            primary_key=primary.get(place, ()),
            foreign_keys=tuple(foreign.get(place, ())),
        )
        for place in tables
    ]
    return found, left_out([_name(*place) for place in views], "are views")


def _name(schema: str, table: str) -> str:
    return table if schema == DEFAULT_SCHEMA else f"{schema}.{table}"


def _columns(
    connection: duckdb.DuckDBPyConnection,
) -> dict[tuple[str, str], list[SourceColumn]]:
    found: dict[tuple[str, str], list[SourceColumn]] = {}
    for schema, table, name, kind, nullable in connection.execute(
        "SELECT schema_name, table_name, column_name, data_type, is_nullable"
        " FROM duckdb_columns() WHERE NOT internal"
        " AND database_name = current_database() ORDER BY column_index"
    ).fetchall():
        column = SourceColumn(name, kind, bool(nullable))
        found.setdefault((schema, table), []).append(column)
    return found


def _keys(
    connection: duckdb.DuckDBPyConnection,
) -> tuple[
    dict[tuple[str, str], tuple[str, ...]], dict[tuple[str, str], list[SourceKey]]
]:
    primary: dict[tuple[str, str], tuple[str, ...]] = {}
    foreign: dict[tuple[str, str], list[SourceKey]] = {}
    for schema, table, kind, columns, ref_table, ref_columns in connection.execute(
        "SELECT schema_name, table_name, constraint_type, constraint_column_names,"
        " referenced_table, referenced_column_names FROM duckdb_constraints()"
        " WHERE database_name = current_database()"
        " AND constraint_type IN ('PRIMARY KEY', 'FOREIGN KEY')"
        " ORDER BY constraint_index"
    ).fetchall():
        if kind == "PRIMARY KEY":
            primary[schema, table] = tuple(columns)
            continue
        # DuckDB's keys stay within one schema
        key = SourceKey(tuple(columns), _name(schema, ref_table), tuple(ref_columns))
        foreign.setdefault((schema, table), []).append(key)
    return primary, foreign
