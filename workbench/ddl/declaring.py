"""A database as a script declares it, with the rows that the script brings."""

import hashlib
from collections.abc import Iterable, Sequence
from itertools import chain

import pyarrow as pa

from workbench.columnar import ColumnarReader, Relation
from workbench.ddl.declared import DeclaredSchema, DeclaredTable, Unread
from workbench.errors import DatabaseError
from workbench.reader import Request, SourceColumn, SourceKey, hash_file
from workbench.staging import Staging

Batch = tuple[str, tuple[str, ...], Sequence[tuple[str | None, ...]]]
"""A table, the columns that are given, and rows as texts, NULL as None."""


def stage_declared(
    request: Request,
    schema: DeclaredSchema,
    batches: Iterable[Batch] = (),
    unread: Sequence[Unread] = (),
) -> ColumnarReader:
    """Put declared tables and their rows in a private place and return their reader.

    Args:
        request: What was asked to be opened.
        schema: The tables.
        batches: Their rows; read to the end before this returns.
        unread: What of the rows is not read; looked at after the last batch.

    Raises:
        DatabaseError: No table is declared, or a file has changed meanwhile.
    """
    shown = f'script "{request.address}"'
    if not schema.tables:
        raise DatabaseError(
            f"The {shown} declares no tables"
            f"{_first(schema.unread)}; give a file with CREATE TABLE in it."
        )
    fingerprint = _hash(request)
    staging = Staging(limits=request.limits)
    try:
        num_rows = 0
        staged = {table.name: _create(staging, table) for table in schema.tables}
        for table, columns, rows in batches:
            sql, names = staged[table]
            staging.append(sql, _to_arrow(list(names), columns, rows))
            num_rows += len(rows)
    except BaseException:
        staging.close()
        raise
    return ColumnarReader(
        request.path.name.partition(".")[0],
        fingerprint,
        staging.connection,
        [_relation(table, *staged[table.name]) for table in schema.tables],
        shown=shown,
        warnings=[
            *schema.notes,
            *(
                f'{one.file}, line {one.line}: "{one.text}" is not read: {one.why}.'
                for one in chain(schema.unread, unread)
            ),
        ],
        has_rows=num_rows > 0,
        close=staging.close,
    )


def _first(unread: Sequence[Unread]) -> str:
    return f" ({unread[0].why}, line {unread[0].line})" if unread else ""


def _create(staging: Staging, table: DeclaredTable) -> tuple[str, dict[str, str]]:
    """Return the staged table as SQL, and its columns' names by the declared ones."""
    declared = [column.name for column in table.columns]
    sql, names, _ = staging.create(declared)
    return sql, dict(zip(declared, names, strict=True))


def _to_arrow(
    names: Sequence[str],
    given: Sequence[str],
    rows: Sequence[tuple[str | None, ...]],
) -> pa.RecordBatch:
    """Return rows with all columns of the table; those not given are NULL."""
    values = dict(zip(given, zip(*rows, strict=True), strict=True))
    arrays = [
        pa.array(values[name], type=pa.string())
        if name in values
        else pa.nulls(len(rows), type=pa.string())
        for name in names
    ]
    return pa.record_batch(arrays, names=list(names))


def _relation(table: DeclaredTable, sql: str, names: dict[str, str]) -> Relation:
    return Relation(
        name=table.name,
        sql=sql,
        columns=tuple(
            SourceColumn(names[one.name], one.sql_type, one.nullable)
            for one in table.columns
        ),
        is_text=True,
        primary_key=tuple(names.get(one, one) for one in table.primary_key),
        foreign_keys=tuple(
            SourceKey(
                tuple(names.get(one, one) for one in key.columns),
                key.ref_table,
                key.ref_columns,
            )
            for key in table.foreign_keys
        ),
    )


def _hash(request: Request) -> str:
    total = hashlib.sha256(str(request.dialect).encode())
    for path in request.paths:
        total.update(hash_file(path))
    return total.hexdigest()[:16]
