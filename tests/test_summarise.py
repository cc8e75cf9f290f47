"""Summaries over rows written out, and against loops over random ones."""

import math
import statistics
import tempfile
from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.oracle import Oracle
from tests.tiny import make_task, open_tiny
from workbench.aggregate import AggregateRef, Aggregation
from workbench.aggregating import Aggregate
from workbench.blueprint import Blueprint, RowNode
from workbench.database import Database
from workbench.errors import GraphError
from workbench.schema import Schema
from workbench.summarise import gathered, row_values, ways_of
from workbench.task import TaskSpec
from workbench.topologies import TOPOLOGIES, plan_named, read_topology
from workbench.topology import plan

TABLES = """
CREATE TABLE shop (id INTEGER PRIMARY KEY, size REAL, day TEXT);
CREATE TABLE sale (id INTEGER PRIMARY KEY, shop INTEGER REFERENCES shop (id),
  y INTEGER, cost REAL, day TEXT);
CREATE TABLE item (sale INTEGER REFERENCES sale (id), mark TEXT, weight REAL, day TEXT);
"""
STYPES = {
    "shop.size": "numerical",
    "sale.y": "numerical",
    "sale.cost": "numerical",
    "item.mark": "categorical",
    "item.weight": "numerical",
}
TIMES = {"shop": "day", "sale": "day", "item": "day"}
ROWS = """
INSERT INTO shop VALUES (1, 10, '2020-01-01'), (2, 20, '2020-01-09');
INSERT INTO sale VALUES (1, 1, 0, 5, '2020-01-03'), (2, 1, 1, 6, '2020-01-05'),
  (3, 2, 0, 7, '2020-01-05'), (4, NULL, 1, 8, NULL), (5, 9, 0, 9, '2020-01-05');
INSERT INTO item VALUES (1, 'b', 2, '2020-01-02'), (1, 'a', 4, '2020-01-03'),
  (1, 'a', 8, '2020-01-04'), (1, NULL, NULL, NULL), (2, 'b', 1, '2020-01-05'),
  (2, 'a', 3, '2020-01-05'), (4, 'c', 5, '2030-01-01'), (NULL, 'z', 9, NULL),
  (77, 'z', 9, NULL);
"""


def values(
    database: Database, schema: Schema, blueprint: Blueprint
) -> dict[str, Sequence[Any]]:
    node = blueprint.node("sale")
    assert isinstance(node, RowNode)
    return row_values(database, schema, node).to_pydict()


def test_children_are_summarised_and_what_comes_later_is_not_counted(tmp_path):
    database, schema = open_tiny(tmp_path, TABLES + ROWS, STYPES, TIMES)
    with database:
        blueprint = plan_named(schema, TaskSpec("sale.y"), "aggregated")
        found = values(database, schema, blueprint)
    # Sale 1 leaves out its third item, a day late; an item without a day is counted.
    # Sale 4 has no day, so nothing is late. Shop 2 opens after its sale.
    assert found == {
        "cost": [5, 6, 7, 8, 9],
        "shop.size (→shop)": [10, 10, None, None, None],
        "count of item (←item.sale)": [3, 2, 0, 1, 0],
        "mode of item.mark (←item.sale)": ["a", "a", None, "c", None],  # a tie: by name
        "distinct values of item.mark (←item.sale)": [2, 2, 0, 1, 0],
        "mean of item.weight (←item.sale)": [3, 2, None, 5, None],
        "min of item.weight (←item.sale)": [2, 1, None, 5, None],
        "max of item.weight (←item.sale)": [4, 3, None, 5, None],
    }


def test_without_times_everything_is_counted(tmp_path):
    database, schema = open_tiny(tmp_path, TABLES + ROWS, STYPES)
    with database:
        blueprint = plan_named(schema, TaskSpec("sale.y"), "aggregated")
        found = values(database, schema, blueprint)
    assert found["count of item (←item.sale)"] == [4, 2, 0, 1, 0]
    assert found["shop.size (→shop)"] == [10, 10, 20, None, None]


def test_siblings_are_summarised_with_the_row_itself_up_to_its_time(tmp_path):
    database, schema = open_tiny(tmp_path, TABLES + ROWS, STYPES, TIMES)
    text = 'base = "aggregated"\naggregate_depth = 2'
    with database:
        blueprint = plan(schema, TaskSpec("sale.y"), read_topology(text))
        found = values(database, schema, blueprint)
    assert found["count of sale (→shop←sale.shop)"] == [1, 2, 0, 0, 0]
    assert found["mean of sale.cost (→shop←sale.shop)"] == [5, 5.5, None, None, None]


def test_names_that_sql_would_misread_are_summarised(tmp_path):
    database, schema = open_tiny(
        tmp_path,
        """
        CREATE TABLE "order" (id INTEGER PRIMARY KEY, y REAL);
        CREATE TABLE "select from" ("group by" INTEGER REFERENCES "order" (id),
          "a ""b"" c" REAL);
        INSERT INTO "order" VALUES (1, 5), (2, 6);
        INSERT INTO "select from" VALUES (1, 3), (1, 5);
        """,
        {'select from.a "b" c': "numerical", "order.y": "numerical"},
    )
    with database:
        node = plan_named(schema, TaskSpec("order.y"), "aggregated").node("order")
        assert isinstance(node, RowNode)
        found = row_values(database, schema, node).to_pydict()
    assert found['mean of select from.a "b" c (←select from.group by)'] == [4, None]


def test_a_column_with_a_name_that_summaries_use_within_is_still_summarised(tmp_path):
    database, schema = open_tiny(
        tmp_path,
        """
        CREATE TABLE shop (id INTEGER PRIMARY KEY, y REAL, c0 REAL, c1 REAL);
        CREATE TABLE sale (shop INTEGER REFERENCES shop (id), c0 REAL, own REAL);
        INSERT INTO shop VALUES (1, 5, 7, 8), (2, 6, 8, 9);
        INSERT INTO sale VALUES (1, 3, 1), (1, 5, 2);
        """,
        {f"{one}.c0": "numerical" for one in ("shop", "sale")} | {"sale.own": "id"},
    )
    with database:
        node = plan_named(schema, TaskSpec("shop.y"), "aggregated").node("shop")
        assert isinstance(node, RowNode)
        found = row_values(database, schema, node).to_pydict()
    assert found["mean of sale.c0 (←sale.shop)"] == [4, None]
    assert found["count of sale (←sale.shop)"] == [2, 0]


KEYS = st.none() | st.integers(1, 5)
DAYS = st.none() | st.integers(1, 6).map("2020-01-{:02d}".format)
NUMBERS = st.none() | st.sampled_from([0.1, 0.2, 0.7, 1e6])
TOWNS = st.tuples(
    st.lists(st.tuples(NUMBERS, DAYS), max_size=4),
    st.lists(st.tuples(KEYS, NUMBERS, DAYS), min_size=1, max_size=5),
    st.lists(
        st.tuples(KEYS, st.sampled_from([None, "a", "b"]), NUMBERS, DAYS), max_size=8
    ),
)


def sql_of(town: tuple[list, list, list]) -> str:
    def row(table: str, *cells: object) -> str:
        shown = ", ".join("NULL" if one is None else repr(one) for one in cells)
        return f"INSERT INTO {table} VALUES ({shown});"

    shops, sales, items = town
    lines = [row("shop", at, *one) for at, one in enumerate(shops, start=1)]
    lines += [
        row("sale", at, shop, at % 2, cost, day)
        for at, (shop, cost, day) in enumerate(sales, start=1)
    ]
    lines += [row("item", *one) for one in items]
    return TABLES + "\n".join(lines)


def expected(oracle: Oracle, ref: AggregateRef, row: int) -> object:
    """Return a summary by a loop over the rows."""
    rows = oracle.gather(ref.path, "sale", row, ref.is_bounded)
    if ref.how is Aggregation.COUNT:
        return len(rows)
    held = [oracle.rows[ref.table][at][ref.column] for at in rows]
    known = sorted(one for one in held if one is not None)
    if ref.how is Aggregation.DISTINCT:
        return len(set(known))
    if ref.how is Aggregation.TALLY:
        counts = Counter(row[ref.column] for row in oracle.rows[ref.table])
        counts.pop(None, None)
        ranked = sorted(counts, key=lambda one: (-counts[one], one))
        return known.count(ranked[ref.rank - 1]) if ref.rank <= len(ranked) else 0
    if not known:
        return None
    summaries = {
        Aggregation.SUM: lambda: pytest.approx(math.fsum(known)),
        Aggregation.MEAN: lambda: pytest.approx(statistics.fmean(known)),
        Aggregation.MODE: lambda: max(known, key=known.count),  # of equals the first
        Aggregation.MIN: lambda: known[0],
        Aggregation.VALUE: lambda: known[0],
        Aggregation.MAX: lambda: known[-1],
    }
    return summaries[ref.how]()


@settings(max_examples=6, deadline=None)
@given(town=TOWNS, depth=st.integers(1, 3), is_bounded=st.booleans())
def test_summaries_and_what_is_audited_are_those_of_a_loop(town, depth, is_bounded):
    aggregated = TOPOLOGIES["aggregated"]
    wide = replace(aggregated, passes=(Aggregate(depth, is_wide=True),))
    with tempfile.TemporaryDirectory() as name:
        database, schema = open_tiny(Path(name), sql_of(town), STYPES, TIMES)
        oracle = Oracle.read(Path(name) / "tiny.db", schema)
        with database:
            node = plan(schema, TaskSpec("sale.y"), wide).node("sale")
            assert isinstance(node, RowNode)
            refs = tuple(replace(one, is_bounded=is_bounded) for one in node.aggregates)
            found = row_values(database, schema, replace(node, aggregates=refs))
            for ref in refs:
                assert found.column(ref.name).to_pylist() == [
                    expected(oracle, ref, row) for row in range(len(town[1]))
                ]
            asked = np.arange(0, len(town[1]), 2)
            part = row_values(database, schema, replace(node, aggregates=refs), asked)
            assert part.num_rows == len(asked)
            for ref in refs:
                every = found.column(ref.name).to_pylist()
                assert part.column(ref.name).to_pylist() == every[::2]
            for way in ways_of(replace(node, aggregates=refs)):
                rows, owners = gathered(database, schema, "sale", way)
                assert sorted(zip(owners.tolist(), rows.tolist(), strict=True)) == [
                    (own, row)
                    for own in range(len(town[1]))
                    for row in sorted(oracle.gather(way[0], "sale", own, is_bounded))
                ]


def test_the_same_rows_give_the_same_bits_whichever_thread_is_first(tmp_path):
    rows = ",".join(
        f"({at % 7 + 1}, 'a', {at * 0.1 + 1e-9}, NULL)" for at in range(50_000)
    )
    sales = "".join(
        f"INSERT INTO sale VALUES ({at}, 1, 0, 1, NULL);" for at in range(1, 8)
    )
    sql = f"{TABLES}{sales}INSERT INTO item VALUES {rows};"
    database, schema = open_tiny(tmp_path, sql, STYPES)
    with database:
        blueprint = plan_named(schema, make_task("sale.y", [0]).spec, "aggregated")
        first = values(database, schema, blueprint)
        assert all(values(database, schema, blueprint) == first for _ in range(3))


def test_a_path_on_which_few_rows_gather_very_many_is_refused(tmp_path):
    hubs = "".join(f"INSERT INTO hub VALUES ({at});" for at in range(20))
    rows = ", ".join(f"({max(at - 7100, 0)}, 0, {at})" for at in range(7120))
    database, schema = open_tiny(
        tmp_path,
        "CREATE TABLE hub (id INTEGER PRIMARY KEY);"
        "CREATE TABLE row (hub INTEGER REFERENCES hub (id), y REAL, x REAL);"
        f"{hubs} INSERT INTO row VALUES {rows};",
        {"row.y": "numerical", "row.x": "numerical"},
    )
    text = 'base = "aggregated"\naggregate_depth = 2'
    with database:
        node = plan(schema, TaskSpec("row.y"), read_topology(text)).node("row")
        assert isinstance(node, RowNode)
        (way,) = [way for way in ways_of(node) if len(way[0]) == 2]
        # 7,101 rows refer to the first hub, so 7,101² + 19 pairs
        with pytest.raises(GraphError, match="would gather 50,424,220 pairs of rows"):
            gathered(database, schema, "row", way)
        # without times a summary is made once a parent, which costs nothing
        assert row_values(database, schema, node).num_rows == 7120
