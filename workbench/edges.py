"""Rules executed over the rows: edge lists, node and edge columns, distinct values.

The survey and the graph read the same arrays, so that what is counted before training
is what is trained on.
"""

from collections.abc import Iterator, Sequence
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
from workbench.clock import row_times, time_sql
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
        the way is NULL or dangling. An empty path leads to the row itself. What one
        key gives cannot be written to, as that is what `Database.links` keeps.
    """
    rows = None
    for key_id in path:
        key = schema.key(key_id)
        links = database.links(key.table, key.columns, key.ref_table, key.ref_columns)
        rows = links if rows is None else _take(links, rows)
    if rows is None:
        return np.arange(schema.table(table).num_rows, dtype=np.int64)
    return rows


def folded_rows(
    database: Database, schema: Schema, table: str, path: Sequence[str]
) -> np.ndarray:
    """Return the row at the end of folded keys that each row of a table may know of.

    Returns:
        int64 [rows of the table], as of `follow`; -1 also where a row on the way came
        to be after the row itself. `column_values` reads these rows.
    """
    own = row_times(database, schema, table)
    rows = follow(database, schema, table, path)
    if own is None:
        return rows
    passed = passed_time(database, schema, table, path)
    return np.where(passed > own, -1, rows)  # never where one of them is NaN


def passed_time(
    database: Database, schema: Schema, table: str, path: Sequence[str]
) -> np.ndarray:
    """Return the newest time of the rows that keys lead to, the last one included.

    Returns:
        float64 [rows of the table]; -inf where no row on the way has a time.
    """
    newest = np.full(schema.table(table).num_rows, -np.inf)
    for one, rows in passed_rows(database, schema, table, path):
        times = row_times(database, schema, one)
        if times is not None:
            known = np.flatnonzero(rows >= 0)
            # fmax: a row without a time is nobody's future.
            newest[known] = np.fmax(newest[known], times[rows[known]])
    return newest


def passed_rows(
    database: Database, schema: Schema, table: str, path: Sequence[str]
) -> Iterator[tuple[str, np.ndarray]]:
    """Yield each table that keys lead through, and the row of it, as of `follow`."""
    for end in range(1, len(path) + 1):
        ref_table = schema.key(path[end - 1]).ref_table
        yield ref_table, follow(database, schema, table, path[:end])


def way_of(rule: EdgeRule) -> tuple[str, ...]:
    """Return the keys to the rows that a link passes between its ends.

    A key inherited from a folded row, a chain of keys and a folded row's value all tell
    of rows that are no node of the link.
    """
    match rule:
        case KeyEdge():
            return rule.path
        case ShortcutEdge():
            return rule.path[:-1]
        case ValueEdge():
            return rule.column.path
        case JunctionEdge():
            return ()
        case _:
            assert_never(rule)


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

    Folds run as left joins inside the snapshot, one join a distinct path. What came to
    be after the row that it is folded into stays away, and all that lies behind it.

    Args:
        database: Where the rows are.
        schema: What the keys are.
        table: The table whose rows carry the columns.
        columns: What to read.

    Returns:
        One row a table row, in row order; one column a reference, under its name.
        Timestamps are seconds since 1970 (float); a value behind a NULL or dangling
        key is null, and so is one behind a row that is newer than the row itself.
    """
    if any(ref.path for ref in columns):
        found = database.in_row_order(column_query(database, schema, table, columns))
    else:
        found = database.select(table, [_held(database, ref, "t0") for ref in columns])
    return found.rename_columns([ref.name for ref in columns])


def column_query(
    database: Database, schema: Schema, table: str, columns: Sequence[ColumnRef]
) -> str:
    """Return the SQL of `column_values`: ``__row``, then ``c0``, ``c1`` and on.

    Its rows come in any order.
    """
    alias_of: dict[tuple[str, ...], str] = {(): "t0"}
    joins: list[str] = []
    for ref in columns:
        for end in range(1, len(ref.path) + 1):
            step = ref.path[:end]
            if step not in alias_of:
                child = alias_of[step[:-1]]
                alias_of[step] = f"t{len(alias_of)}"
                joins.append(
                    _join(database, schema, step[-1], child, alias_of[step])
                    + _not_newer_sql(schema, table, step[-1], alias_of[step])
                )
    shown = [
        f"{_held(database, ref, alias_of[ref.path])} AS c{index}"
        for index, ref in enumerate(columns)
    ]
    listed = ", ".join(["t0.__row", *shown])
    tables = "\n".join([f"FROM {quote(table)} t0", *joins])
    return f"SELECT {listed}\n{tables}"


def value_table(database: Database, schema: Schema, column: ColumnRef) -> pa.Table:
    """Return the distinct values of a column, NULL aside, in ascending order.

    Returns:
        One row a value node, in node order; one column under the column's name.
    """
    return database.sql(value_query(column)).rename_columns([column.column])


def value_query(column: ColumnRef) -> str:
    """Return the SQL of `value_table`, whose one column is ``c0``."""
    return (
        f"SELECT DISTINCT {held_sql(column, 't0')} AS c0\nFROM {quote(column.table)} t0"
        "\nWHERE c0 IS NOT NULL\nORDER BY c0"
    )


def value_codes(database: Database, column: ColumnRef) -> np.ndarray:
    """Return the place in `value_table` of each row's value, int64; -1 for NULL."""
    found = database.sql(
        "SELECT CASE WHEN c0 IS NULL THEN -1"
        " ELSE dense_rank() OVER (ORDER BY c0 NULLS LAST) - 1 END AS code"
        f" FROM (SELECT __row, {held_sql(column, 't0')} AS c0"
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


def _not_newer_sql(schema: Schema, table: str, key_id: str, alias: str) -> str:
    """Return the condition that a joined row is not newer than the row it joins."""
    time = time_sql(schema, schema.key(key_id).ref_table, alias)
    own = time_sql(schema, table, "t0")
    if time is None or own is None:
        return ""
    return f" AND coalesce({time} <= {own}, true)"


def _held(database: Database, ref: ColumnRef, alias: str) -> str:
    """Return `held_sql`, or less where the values are stored as what they mean."""
    is_number = database.physical_type(ref.table, ref.column) != "VARCHAR"
    if ref.stype is Stype.NUMERICAL and is_number:
        return f"CAST({alias}.{quote(ref.column)} AS DOUBLE)"
    return held_sql(ref, alias)


def held_sql(ref: ColumnRef, alias: str) -> str:
    """Return the SQL of a column's values, whose table has this alias."""
    return value_sql(ref.stype, f"{alias}.{quote(ref.column)}")
