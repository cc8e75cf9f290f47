"""Summaries executed over the rows: what is counted for each row, and which rows are.

Both come from one join, so that what is audited is what is trained on.
"""

from collections.abc import Mapping, Sequence
from typing import assert_never

import numpy as np
import pyarrow as pa

from workbench.aggregate import AggregateRef, Aggregation, Step
from workbench.blueprint import RowNode
from workbench.database import Database, quote
from workbench.edges import column_values, time_sql
from workbench.schema import Schema, Stype, value_sql

Way = tuple[tuple[Step, ...], bool]


def row_values(database: Database, schema: Schema, rule: RowNode) -> pa.Table:
    """Return all that the rows of a node type know.

    Returns:
        One row a table row, in row order; one column a reference, under its name.
    """
    values = column_values(database, schema, rule.table, rule.columns)
    for way, refs in ways_of(rule).items():
        found = _aggregate_values(database, schema, rule.table, way, refs)
        for ref in refs:
            values = values.append_column(ref.name, found.column(ref.name))
    return values


def ways_of(rule: RowNode) -> Mapping[Way, Sequence[AggregateRef]]:
    """Return a node's summaries by the path they share and whether it is bounded."""
    ways: dict[Way, list[AggregateRef]] = {}
    for ref in rule.aggregates:
        ways.setdefault((ref.path, ref.is_bounded), []).append(ref)
    return ways


def gathered(
    database: Database, schema: Schema, table: str, way: Way
) -> tuple[np.ndarray, np.ndarray]:
    """Return which rows a path gathers for which rows of a table.

    A row gathered on two ways along the path comes twice, as it counts twice.

    Returns:
        Two int64 arrays of equal length: the row gathered, ascending, and the row that
        it is summarised in.
    """
    last, source = _gathering(database, schema, table, way)
    found = database.sql(
        f"SELECT {last}.__row AS row, t0.__row AS own {source} ORDER BY row, own"
    )
    return found.column(0).to_numpy(), found.column(1).to_numpy()


def _aggregate_values(
    database: Database,
    schema: Schema,
    table: str,
    way: Way,
    refs: Sequence[AggregateRef],
) -> pa.Table:
    """Return the summaries of one path, one row a row of the table."""
    last, source = _gathering(database, schema, table, way)
    shown = [
        f"{_summary_sql(schema, ref, last)} AS c{at}" for at, ref in enumerate(refs)
    ]
    picked = [
        f"coalesce(c{at}, 0) AS c{at}" if ref.how in _COUNTS else f"c{at}"
        for at, ref in enumerate(refs)
    ]
    found = database.sql(
        f"SELECT {', '.join(picked)} FROM {quote(table)} own LEFT JOIN"
        f" (SELECT t0.__row AS row, {', '.join(shown)} {source} GROUP BY t0.__row) held"
        " ON held.row = own.__row ORDER BY own.__row"
    )
    return found.rename_columns([ref.name for ref in refs])


_COUNTS = (Aggregation.COUNT, Aggregation.DISTINCT)


def _gathering(
    database: Database, schema: Schema, table: str, way: Way
) -> tuple[str, str]:
    """Return the alias of a path's last table, and its FROM and WHERE; t0 is its start.

    Every row on the way has to be there at the time of the row at the start.
    """
    path, is_bounded = way
    limit = time_sql(schema, table, "t0") if is_bounded else None
    joins, conditions, last = [], [], "t0"
    for at, step in enumerate(path, start=1):
        key, alias = schema.key(step.key), f"t{at}"
        joined = key.table if step.is_down else key.ref_table
        child, parent = (alias, last) if step.is_down else (last, alias)
        pairs = database.comparable(
            (child, key.table, key.columns), (parent, key.ref_table, key.ref_columns)
        )
        matches = " AND ".join(f"{mine} = {theirs}" for mine, theirs in pairs)
        joins.append(f"JOIN {quote(joined)} {alias} ON {matches}")
        time = time_sql(schema, joined, alias)
        if limit is not None and time is not None:
            conditions.append(f"coalesce({time} <= {limit}, true)")
        last = alias
    where = f"WHERE {' AND '.join(conditions)}" if conditions else ""
    return last, f"FROM {quote(table)} t0 {' '.join(joins)} {where}"


def _summary_sql(schema: Schema, ref: AggregateRef, alias: str) -> str:
    """Return the SQL of a summary over the rows of a group.

    Values are ordered, so that sums of fractions and ties come out the same whichever
    thread is first.
    """
    if ref.how is Aggregation.COUNT:
        return "count(*)"
    column = schema.column(ref.table, ref.column)
    value = value_sql(column.stype, f"{alias}.{quote(ref.column)}")
    if column.stype in (Stype.NUMERICAL, Stype.TIMESTAMP):
        value = f"CASE WHEN isfinite({value}) THEN {value} END"
    match ref.how:
        case Aggregation.DISTINCT:
            return f"count(DISTINCT {value})"
        case Aggregation.MEAN:
            return f"avg({value} ORDER BY {value})"
        case Aggregation.MODE:
            return f"mode({value} ORDER BY {value})"
        case Aggregation.MIN | Aggregation.VALUE:
            return f"min({value})"
        case Aggregation.MAX:
            return f"max({value})"
        case _:
            assert_never(ref.how)
