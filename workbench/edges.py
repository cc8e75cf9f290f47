"""Rules executed over the rows: edge lists, node and edge columns, distinct values.

The survey and the graph read the same arrays, so that what is counted before training
is what is trained on.
"""

from collections.abc import Sequence
from typing import assert_never

import numpy as np
import pyarrow as pa

from workbench.blueprint import (
    ColumnRef,
    EdgeRule,
    JunctionEdge,
    KeyEdge,
    KeyRole,
    RowNode,
    ShortcutEdge,
    ValueEdge,
    ValueNode,
)
from workbench.database import Database, quote
from workbench.schema import Schema, Stype, value_sql


def edge_index(
    database: Database, schema: Schema, rule: EdgeRule
) -> tuple[np.ndarray, np.ndarray]:
    """Return the links of an edge rule, each once, child → parent.

    A row whose key is NULL or dangling has no link, nor has a junction row that lacks
    one of its two parents, nor a NULL value.

    Args:
        database: Where the rows are.
        schema: What the keys are.
        rule: The edge rule.

    Returns:
        Two int64 arrays of equal length: the node index at the source and at the
        target of each link, ordered by the row that makes it. A row node's index is
        its row; a value node's is its place in `value_table`.
    """
    match rule:
        case KeyEdge():
            return _ancestors(database, schema, (*rule.path, rule.key))
        case ShortcutEdge():
            return _ancestors(database, schema, rule.path)
        case JunctionEdge():
            sources, targets, rows = _junction_links(database, schema, rule)
            return sources[rows], targets[rows]
        case ValueEdge():
            codes = value_codes(database, rule.column)
            if rule.column.path:
                table = schema.key(rule.column.path[0]).table
                holders = follow(database, schema, table, rule.column.path)
                codes = _take(codes, holders)
            children = np.flatnonzero(codes >= 0)
            return children, codes[children]
        case _:
            assert_never(rule)


def junction_rows(database: Database, schema: Schema, rule: JunctionEdge) -> np.ndarray:
    """Return the junction row behind each link of `edge_index`, int64."""
    return _junction_links(database, schema, rule)[2]


def edge_values(database: Database, schema: Schema, rule: JunctionEdge) -> pa.Table:
    """Return the attributes of a junction's links, one row a link of `edge_index`."""
    dense = [ref for ref in rule.columns if not ref.is_sparse]
    values = column_values(database, schema, rule.table, dense)
    return values.take(pa.array(junction_rows(database, schema, rule)))


def follow(
    database: Database, schema: Schema, table: str, path: Sequence[str]
) -> np.ndarray:
    """Return where each row of a table leads along keys.

    Returns:
        int64 [rows of the table]: a row of the last key's parent, -1 where a key on
        the way is NULL or dangling. An empty path leads to the row itself.
    """
    rows = np.arange(schema.table(table).num_rows, dtype=np.int64)
    for key_id in path:
        key = schema.key(key_id)
        links = database.links(key.table, key.columns, key.ref_table, key.ref_columns)
        rows = _take(links, rows)
    return rows


def num_nodes(database: Database, schema: Schema, rule: RowNode | ValueNode) -> int:
    """Return how many nodes a node rule makes."""
    match rule:
        case RowNode():
            return schema.table(rule.table).num_rows
        case ValueNode():
            return value_table(database, schema, rule.column).num_rows


def column_values(
    database: Database, schema: Schema, table: str, columns: Sequence[ColumnRef]
) -> pa.Table:
    """Return columns of a table and of what is folded into it.

    Folds run as left joins inside the snapshot, one join a distinct path.

    Args:
        database: Where the rows are.
        schema: What the keys are.
        table: The table whose rows carry the columns.
        columns: What to read.

    Returns:
        One row a table row, in row order; one column a reference, under its name.
        Timestamps are seconds since 1970 (float); a value behind a NULL or dangling
        key is null.
    """
    alias_of: dict[tuple[str, ...], str] = {(): "t0"}
    joins: list[str] = []
    for ref in columns:
        for end in range(1, len(ref.path) + 1):
            step = ref.path[:end]
            if step not in alias_of:
                child = alias_of[step[:-1]]
                alias_of[step] = f"t{len(alias_of)}"
                joins.append(_join(database, schema, step[-1], child, alias_of[step]))
    shown = [
        f"{_value_sql(ref, alias_of[ref.path])} AS c{index}"
        for index, ref in enumerate(columns)
    ]
    query = (
        f"SELECT {', '.join(['t0.__row', *shown])} FROM {quote(table)} t0"
        f" {' '.join(joins)} ORDER BY t0.__row"
    )
    found = database.sql(query).drop_columns(["__row"])
    return found.rename_columns([ref.name for ref in columns])


def row_times(database: Database, schema: Schema, table: str) -> np.ndarray | None:
    """Return when each row of a table came to be, or None where nothing says so.

    Returns:
        float64 [rows], seconds since 1970, NaN where the row has no time. A bare year
        counts as its last day, so that two rows of one year are never each other's
        future.
    """
    value = time_sql(schema, table, "t0")
    if value is None:
        return None
    found = database.sql(
        f"SELECT {value} AS seconds FROM {quote(table)} t0 ORDER BY __row"
    )
    seconds = found.column(0).cast(pa.float64())
    return seconds.fill_null(float("nan")).to_numpy()


def time_sql(schema: Schema, table: str, alias: str) -> str | None:
    """Return the SQL of `row_times`, or None where nothing says so."""
    column = schema.table(table).time_column
    if column is None:
        return None
    value = f"{alias}.{quote(column)}"
    number = f"TRY_CAST(CAST({value} AS VARCHAR) AS DOUBLE)"
    last_day = f"epoch(make_timestamp(CAST({number} AS BIGINT), 12, 31, 0, 0, 0.0))"
    return (
        f"CASE WHEN {number} BETWEEN 1000 AND 3000 THEN {last_day}"
        f" ELSE {value_sql(Stype.TIMESTAMP, value)} END"
    )


def value_table(database: Database, schema: Schema, column: ColumnRef) -> pa.Table:
    """Return the distinct values of a column, NULL aside, in ascending order.

    Returns:
        One row a value node, in node order; one column under the column's name.
    """
    value = _value_sql(column, "t0")
    found = database.sql(
        f"SELECT DISTINCT {value} AS c0 FROM {quote(column.table)} t0"
        " WHERE c0 IS NOT NULL ORDER BY c0"
    )
    return found.rename_columns([column.column])


def value_codes(database: Database, column: ColumnRef) -> np.ndarray:
    """Return the place in `value_table` of each row's value, int64; -1 for NULL."""
    found = database.sql(
        "SELECT CASE WHEN c0 IS NULL THEN -1"
        " ELSE dense_rank() OVER (ORDER BY c0 NULLS LAST) - 1 END AS code"
        f" FROM (SELECT __row, {_value_sql(column, 't0')} AS c0"
        f" FROM {quote(column.table)} t0) ORDER BY __row"
    )
    return found.column(0).cast(pa.int64()).to_numpy()


def _ancestors(
    database: Database, schema: Schema, path: Sequence[str]
) -> tuple[np.ndarray, np.ndarray]:
    """Return every row that keys lead somewhere from, and where they lead."""
    ancestors = follow(database, schema, schema.key(path[0]).table, path)
    rows = np.flatnonzero(ancestors >= 0)
    return rows, ancestors[rows]


def _take(values: np.ndarray, rows: np.ndarray) -> np.ndarray:
    """Return values at rows, -1 where the row is -1."""
    if not len(values):
        return np.full(len(rows), -1, dtype=np.int64)
    return np.where(rows >= 0, values[rows], -1)


def _junction_links(
    database: Database, schema: Schema, rule: JunctionEdge
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return both parents of every junction row, and the rows that are links."""
    sources = follow(database, schema, rule.table, (rule.source_key,))
    targets = follow(database, schema, rule.table, (rule.target_key,))
    rows = np.flatnonzero((sources >= 0) & (targets >= 0))
    if rule.direction is KeyRole.UNDIRECTED and not rule.columns:
        rows = rows[_first_of_pairs(sources[rows], targets[rows])]
    return sources, targets, rows


def _first_of_pairs(sources: np.ndarray, targets: np.ndarray) -> np.ndarray:
    """Return where each pair of two different rows is listed first, either way."""
    pairs = np.sort(np.column_stack([sources, targets]), axis=1)
    first = np.unique(pairs, axis=0, return_index=True)[1]
    return np.sort(first[sources[first] != targets[first]])


def _join(
    database: Database, schema: Schema, key_id: str, child: str, parent: str
) -> str:
    key = schema.key(key_id)
    pairs = database.comparable(
        (child, key.table, key.columns), (parent, key.ref_table, key.ref_columns)
    )
    matches = " AND ".join(f"{mine} = {theirs}" for mine, theirs in pairs)
    return f"LEFT JOIN {quote(key.ref_table)} {parent} ON {matches}"


def _value_sql(ref: ColumnRef, alias: str) -> str:
    return value_sql(ref.stype, f"{alias}.{quote(ref.column)}")
