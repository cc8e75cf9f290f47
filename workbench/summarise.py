"""Summaries executed over the rows: what is counted for each row, and which rows are.

Both come from one join, so that what is audited is what is trained on.
"""

from collections.abc import Mapping, Sequence
from itertools import takewhile
from typing import assert_never

import numpy as np
import pyarrow as pa

from workbench.aggregate import MAX_TALLIES, AggregateRef, Aggregation, Step
from workbench.blueprint import RowNode
from workbench.clock import time_sql
from workbench.database import Database, quote
from workbench.edges import column_values, follow
from workbench.errors import GraphError
from workbench.schema import Schema, Stype, value_sql

MAX_PAIRS = 50_000_000
Way = tuple[tuple[Step, ...], bool]


def row_values(
    database: Database,
    schema: Schema,
    rule: RowNode,
    rows: np.ndarray | None = None,
) -> pa.Table:
    """Return all that the rows of a node type know but what is nearly always 0.

    Args:
        database: Where the rows are.
        schema: What the keys are.
        rule: The node type.
        rows: int64, the table's rows that are asked for, ascending; None for all.

    Returns:
        One row a row asked for, in row order; one column a reference, under its name.
    """
    dense = [ref for ref in rule.columns if not ref.is_sparse]
    values = column_values(database, schema, rule.table, dense)
    for way, held in ways_of(rule).items():
        refs = [ref for ref in held if not ref.is_sparse]
        if not refs:
            continue
        found = _aggregate_values(database, schema, rule.table, way, refs, rows)
        for ref in refs:
            values = values.append_column(ref.name, found.column(ref.name))
    return values if rows is None else values.take(pa.array(rows))


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
    _check_pairs(database, schema, table, way)
    source = _gathering(database, schema, table, way)
    found = database.sql(f"SELECT row, own FROM ({source}) ORDER BY row, own")
    return found.column(0).to_numpy(), found.column(1).to_numpy()


def _aggregate_values(
    database: Database,
    schema: Schema,
    table: str,
    way: Way,
    refs: Sequence[AggregateRef],
    rows: np.ndarray | None,
) -> pa.Table:
    """Return the summaries of one path, one row a row of the table.

    Only those of the rows asked for are filled in where that saves work. Where no time
    is looked at, all rows of one parent know the same of what is around it, so that it
    is summarised once a parent and not once a row.
    """
    path, _ = way
    above = [step.key for step in takewhile(lambda step: not step.is_down, path)]
    if not above or len(above) == len(path) or _limits(schema, table, way):
        return _query_values(database, schema, table, way, refs, rows)
    parent, rest = schema.key(above[-1]).ref_table, (path[len(above) :], False)
    held = follow(database, schema, table, above)
    found = _query_values(database, schema, parent, rest, refs, None)
    taken = found.take(pa.array(held, mask=held < 0))
    columns = [
        column.fill_null(0) if ref.how in _COUNTS else column
        for ref, column in zip(refs, taken.columns, strict=True)
    ]
    return pa.table(columns, names=taken.column_names)


def summary_query(
    database: Database,
    schema: Schema,
    table: str,
    way: Way,
    refs: Sequence[AggregateRef],
    *,
    is_cut: bool = False,
) -> str:
    """Return the SQL of one path's summaries: ``__row``, then ``c0``, ``c1`` and on.

    Where ``is_cut``, its one parameter is the rows that are asked for.
    """
    source = _gathering(database, schema, table, way, is_cut=is_cut)
    values = {ref.column: _value_sql(schema, ref) for ref in refs if ref.column}
    at = {column: f"v{index}" for index, column in enumerate(values)}
    ranked = {ref.column for ref in refs if ref.how is Aggregation.TALLY}
    shown = [
        f"{_summary_sql(ref, at.get(ref.column, ''))} AS c{index}"
        for index, ref in enumerate(refs)
    ]
    picked = [
        f"coalesce(found.c{index}, 0) AS c{index}"
        if ref.how in _COUNTS
        else f"found.c{index}"
        for index, ref in enumerate(refs)
    ]
    # Values are read once a row, not once a pair of rows.
    read = ", ".join(
        [
            "__row",
            *(f"{values[one]} AS {at[one]}" for one in at),
            *(
                f"{_rank_sql(refs[0].table, values[one])} AS r{at[one]}"
                for one in at
                if one in ranked
            ),
        ]
    )
    return (
        f"WITH held AS MATERIALIZED (SELECT {read} FROM {quote(refs[0].table)}),\n"
        f"pairs AS ({source}),\n"
        f"found AS (SELECT own, {', '.join(shown)} FROM pairs"
        " JOIN held ON held.__row = pairs.row GROUP BY own)\n"
        f"SELECT t.__row, {', '.join(picked)} FROM {quote(table)} t"
        " LEFT JOIN found ON found.own = t.__row ORDER BY t.__row"
    )


def _query_values(
    database: Database,
    schema: Schema,
    table: str,
    way: Way,
    refs: Sequence[AggregateRef],
    rows: np.ndarray | None,
) -> pa.Table:
    _check_pairs(database, schema, table, way)
    is_cut = rows is not None
    query = summary_query(database, schema, table, way, refs, is_cut=is_cut)
    found = database.sql(query, [rows.tolist()] if rows is not None else [])
    return found.drop_columns(["__row"]).rename_columns([ref.name for ref in refs])


_COUNTS = (Aggregation.COUNT, Aggregation.DISTINCT, Aggregation.TALLY)


def _check_pairs(database: Database, schema: Schema, table: str, way: Way) -> None:
    """Refuse a path on which few rows gather so many that memory would not do.

    Raises:
        GraphError: The path makes more than 50 million pairs of rows.
    """
    weights = np.ones(schema.table(table).num_rows)
    for step in way[0]:
        key = schema.key(step.key)
        links = follow(database, schema, key.table, (key.id,))
        if step.is_down:
            weights = np.append(weights, 0.0)[links]
        else:
            counts = np.zeros(schema.table(key.ref_table).num_rows + 1)
            np.add.at(counts, links, weights)
            weights = counts[:-1]
    num_pairs = weights.sum()
    if num_pairs > MAX_PAIRS:
        keys = " and ".join(f'"{step.key}"' for step in way[0])
        raise GraphError(
            f'Summaries in "{table}" along {keys} would gather {num_pairs:,.0f} pairs'
            ' of rows; choose a smaller "aggregate_depth", or drop a key of them in a'
            " topology file."
        )


def _limits(schema: Schema, table: str, way: Way) -> list[tuple[int, str]]:
    """Return at which steps rows can be too late: their place and their table."""
    path, is_bounded = way
    if not is_bounded or schema.table(table).time_column is None:
        return []
    keys = [(schema.key(step.key), step.is_down) for step in path]
    tables = [key.table if is_down else key.ref_table for key, is_down in keys]
    return [
        (place, one)
        for place, one in enumerate(tables, start=1)
        if schema.table(one).time_column is not None
    ]


def _gathering(
    database: Database, schema: Schema, table: str, way: Way, *, is_cut: bool = False
) -> str:
    """Return the SQL of a path's pairs: row ``own`` at its start, ``row`` at its end.

    Every row on the way has to be there at the time of the row at the start. Where it
    is cut, the list of rows to start from is the query's one parameter.
    """
    path, _ = way
    late = dict(_limits(schema, table, way))
    joins, conditions, last = [], [], "t0"
    for place, step in enumerate(path, start=1):
        key, alias = schema.key(step.key), f"t{place}"
        joined = key.table if step.is_down else key.ref_table
        child, parent = (alias, last) if step.is_down else (last, alias)
        pairs = database.comparable(
            (child, key.table, key.columns), (parent, key.ref_table, key.ref_columns)
        )
        matches = " AND ".join(f"{mine} = {theirs}" for mine, theirs in pairs)
        joins.append(
            f"JOIN {_rows_sql(schema, joined, place in late)} {alias} ON {matches}"
        )
        if place in late:
            conditions.append(f"coalesce({alias}.__time <= t0.__time, true)")
        last = alias
    if is_cut:
        conditions.append("t0.__row IN (SELECT unnest(CAST(? AS BIGINT[])))")
    where = f"WHERE {' AND '.join(conditions)}" if conditions else ""
    start = _rows_sql(schema, table, bool(late))
    return (
        f"SELECT t0.__row AS own, {last}.__row AS row"
        f" FROM {start} t0 {' '.join(joins)} {where}"
    )


def _rows_sql(schema: Schema, table: str, with_time: bool) -> str:
    """Return a table for FROM, with its time read once a row where that is asked."""
    if not with_time:
        return quote(table)
    time = time_sql(schema, table, "r")
    return f"(SELECT r.*, {time} AS __time FROM {quote(table)} r)"


def _value_sql(schema: Schema, ref: AggregateRef) -> str:
    stype = schema.column(ref.table, ref.column).stype
    value = value_sql(stype, quote(ref.column))
    if stype in (Stype.NUMERICAL, Stype.TIMESTAMP):
        return f"CASE WHEN isfinite({value}) THEN {value} END"
    return value


def _rank_sql(table: str, value: str) -> str:
    """Return the SQL of a value's place among the commonest of its column, or NULL."""
    commonest = (
        f"SELECT list(v ORDER BY n DESC, v)[:{MAX_TALLIES}] FROM (SELECT {value} AS v,"
        f" count(*) AS n FROM {quote(table)} WHERE v IS NOT NULL GROUP BY v)"
    )
    return f"list_position(({commonest}), {value})"


def _summary_sql(ref: AggregateRef, value: str) -> str:
    """Return the SQL of a summary over the rows of a group.

    Values are ordered, so that sums of fractions and ties come out the same whichever
    thread is first.
    """
    match ref.how:
        case Aggregation.COUNT:
            return "count(*)"
        case Aggregation.DISTINCT:
            return f"count(DISTINCT {value})"
        case Aggregation.MEAN:
            return f"avg({value} ORDER BY {value})"
        case Aggregation.SUM:
            return f"sum({value} ORDER BY {value})"
        case Aggregation.TALLY:
            return f"count(*) FILTER (WHERE r{value} = {ref.rank})"
        case Aggregation.MODE:
            return f"mode({value} ORDER BY {value})"
        case Aggregation.MIN | Aggregation.VALUE:
            return f"min({value})"
        case Aggregation.MAX:
            return f"max({value})"
        case Aggregation.BAG:
            raise ValueError("a bag is many values and no single one")
        case _:
            assert_never(ref.how)
