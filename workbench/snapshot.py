"""One DuckDB file per content, in the cache: written once, then only read."""

import json
import tempfile
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from types import MappingProxyType
from typing import Any

import duckdb
import numpy as np
import pyarrow as pa

from workbench.errors import DatabaseError
from workbench.reader import (
    AbstractReader,
    Reflection,
    SourceColumn,
    SourceKey,
    SourceTable,
    quote,
)

FORMAT = 1  # a new number makes every snapshot be written again
ROW = "__row"
FOLDER = "snapshots"
META = '"__workbench"."meta"'
CLOSED: Mapping[str, str] = MappingProxyType(
    {"enable_external_access": "false", "lock_configuration": "true"}
)  # no file, extension or network beyond the snapshot, and no way to open up


@dataclass(frozen=True, slots=True)
class Snapshot:
    """An opened snapshot: see `workbench.database.Database`."""

    fingerprint: str
    path: Path
    tables: tuple[SourceTable, ...]
    warnings: tuple[str, ...]
    types: Mapping[tuple[str, str], str]
    connection: duckdb.DuckDBPyConnection


def open_snapshot(reader: AbstractReader, root: Path) -> Snapshot:
    """Open the snapshot of a source's content, writing it first where there is none.

    Two processes may do this at the same time: each writes a file of its own and
    renames it at the end, and both files hold the same.

    Args:
        reader: The opened source.
        root: The cache's folder.

    Raises:
        DatabaseError: The cache cannot be written, or a table cannot be kept.
    """
    path = root / FOLDER / f"{reader.fingerprint}-{FORMAT}.duckdb"
    if path.is_file():
        try:
            return _open(path, reader.fingerprint)
        except duckdb.Error:
            path.unlink(missing_ok=True)  # cut short or by another DuckDB: write again
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=path.parent, prefix="part-") as folder:
            _write(reader, Path(folder) / path.name)
            (Path(folder) / path.name).replace(path)
    except OSError as error:
        raise DatabaseError(
            f'The cache folder "{root}" cannot be written to; set WORKBENCH_CACHE to'
            " one that can."
        ) from error
    return _open(path, reader.fingerprint)


def _write(reader: AbstractReader, path: Path) -> None:
    reflection = reader.reflect()
    with duckdb.connect(str(path), config={**CLOSED}) as connection:
        for table in reflection.tables:
            _write_table(connection, reader, table, reflection)
        reader.verify()
        content = {
            "tables": [asdict(table) for table in reflection.tables],
            "warnings": reflection.warnings,
        }
        connection.execute('CREATE SCHEMA "__workbench"')
        connection.execute(f"CREATE TABLE {META} (content VARCHAR)")
        connection.execute(f"INSERT INTO {META} VALUES (?)", [json.dumps(content)])


def _write_table(
    connection: duckdb.DuckDBPyConnection,
    reader: AbstractReader,
    table: SourceTable,
    reflection: Reflection,
) -> None:
    clash = [one.name for one in table.columns if one.name.lower() == ROW]
    if clash:
        raise DatabaseError(
            f'The table "{table.name}" has a column "{clash[0]}", a name the workbench'
            " needs for itself; rename the column."
        )
    columns = "".join(
        f", {quote(one.name)} {_physical(reflection, table.name, one.name)}"
        for one in table.columns
    )
    name = quote(table.name)
    connection.execute(f"CREATE TABLE {name} ({quote(ROW)} BIGINT{columns})")
    if not table.columns:
        connection.execute(f"INSERT INTO {name} SELECT * FROM range({table.num_rows})")
        return
    done = 0
    for batch in reader.batches(table, reflection.types):
        rows = pa.array(np.arange(done, done + batch.num_rows), type=pa.int64())
        connection.register("__batch", batch.add_column(0, ROW, rows))
        connection.execute(f"INSERT INTO {name} SELECT * FROM __batch")
        connection.unregister("__batch")
        done += batch.num_rows
    if done != table.num_rows:
        raise DatabaseError(
            f'The table "{table.name}" changes while it is being read; close the'
            " program that writes to it, or give a copy."
        )


def _physical(reflection: Reflection, table: str, column: str) -> str:
    kind = str(reflection.types[table, column])
    return {"int64": "BIGINT", "double": "DOUBLE", "string": "VARCHAR"}[kind]


def _open(path: Path, fingerprint: str) -> Snapshot:
    connection = duckdb.connect(str(path), read_only=True, config={**CLOSED})
    (text,) = connection.execute(f"SELECT content FROM {META}").fetchone() or ("",)
    content = json.loads(text)
    types = connection.execute(
        "SELECT table_name, column_name, data_type FROM duckdb_columns()"
        " WHERE schema_name = 'main' AND NOT internal AND column_name != ?",
        [ROW],
    ).fetchall()
    return Snapshot(
        fingerprint=fingerprint,
        path=path,
        tables=tuple(map(_read_table, content["tables"])),
        warnings=tuple(content["warnings"]),
        types=MappingProxyType({(table, name): kind for table, name, kind in types}),
        connection=connection,
    )


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
