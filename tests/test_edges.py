"""Keys, folds and values executed in the snapshot, on rows written out."""

import sqlite3
import tempfile
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.tiny import make_key, make_schema, open_tiny
from workbench.blueprint import (
    ColumnRef,
    JunctionEdge,
    KeyEdge,
    KeyRole,
    ShortcutEdge,
    ValueEdge,
    ValueNode,
)
from workbench.clock import row_times
from workbench.edges import (
    column_values,
    edge_index,
    edge_values,
    folded_rows,
    follow,
    junction_rows,
    num_nodes,
    value_table,
)
from workbench.schema import Stype

SHOPS = """
CREATE TABLE shop (id INTEGER PRIMARY KEY, size REAL, opened TEXT, kind TEXT);
CREATE TABLE sale (id INTEGER PRIMARY KEY, shop INTEGER REFERENCES shop (id),
  cost REAL);
CREATE TABLE item (sale INTEGER REFERENCES sale (id), mark TEXT);
INSERT INTO shop VALUES (10, 1.5, '1970-01-02', 'b'), (20, 2.5, NULL, 'a'),
  (30, NULL, '1969-12-31', 'b'), (40, 4.5, 'soon', NULL);
INSERT INTO sale VALUES (1, 20, 7), (2, NULL, 8), (3, 10, 9), (4, 99, 10), (5, 40, 11);
INSERT INTO item VALUES (3, 'x'), (NULL, 'y'), (1, NULL), (5, 'x'), (77, 'x'), (4, 'w');
"""
STYPES = {
    "shop.size": "numerical",
    "shop.opened": "timestamp",
    "shop.kind": "categorical",
    "sale.cost": "numerical",
    "item.mark": "categorical",
}
UP = "item.sale->sale"
ON = "sale.shop->shop"


@pytest.fixture(scope="module")
def shops(tmp_path_factory):
    database, schema = open_tiny(tmp_path_factory.mktemp("shops"), SHOPS, STYPES)
    with database:
        yield database, schema


def ref(table: str, column: str, *path: str) -> ColumnRef:
    stype = Stype(STYPES[f"{table}.{column}"])
    return ColumnRef(path, table, column, stype, via=path)


def test_a_null_and_a_dangling_key_make_no_link(shops):
    edge = KeyEdge(ON, "sale", "shop", (), ON, KeyRole.EDGE)
    sources, targets = edge_index(*shops, edge)
    assert sources.tolist() == [0, 2, 4]
    assert targets.tolist() == [1, 0, 3]
    assert sources.dtype == targets.dtype == np.int64


def test_an_inherited_key_is_followed_from_the_folded_row(shops):
    edge = KeyEdge("both", "item", "shop", (UP,), ON, KeyRole.EDGE)
    sources, targets = edge_index(*shops, edge)
    assert sources.tolist() == [0, 2, 3]  # items of sales 3, 1 and 5
    assert targets.tolist() == [0, 1, 3]


def test_following_no_key_leads_to_the_row_itself(shops):
    assert follow(*shops, "item", ()).tolist() == [0, 1, 2, 3, 4, 5]
    assert follow(*shops, "item", (UP,)).tolist() == [2, -1, 0, 4, -1, 3]
    assert follow(*shops, "item", (UP, ON)).tolist() == [0, -1, 1, 3, -1, -1]


def test_folded_columns_come_in_row_order_with_null_behind_a_missing_parent(shops):
    columns = (
        ref("item", "mark"),
        ref("sale", "cost", UP),
        ref("shop", "size", UP, ON),
        ref("shop", "kind", UP, ON),
    )
    values = column_values(*shops, "item", columns)
    assert values.column_names == [column.name for column in columns]
    assert [column.to_pylist() for column in values.columns] == [
        ["x", "y", None, "x", "x", "w"],
        [9.0, None, 7.0, 11.0, None, 10.0],
        [1.5, None, 2.5, 4.5, None, None],
        ["b", None, "a", None, None, None],
    ]


def test_timestamps_are_seconds_since_1970_and_null_where_they_are_none(shops):
    values = column_values(*shops, "shop", (ref("shop", "opened"),))
    assert values.column("opened").to_pylist() == [86_400.0, None, -86_400.0, None]


def test_value_nodes_are_the_distinct_values_in_order_without_null(shops):
    column = ref("shop", "kind")
    assert value_table(*shops, column).to_pydict() == {"kind": ["a", "b"]}
    assert num_nodes(*shops, ValueNode("shop.kind", column)) == 2
    edge = ValueEdge("kinds", "shop", "shop.kind", column, KeyRole.EDGE)
    sources, targets = edge_index(*shops, edge)
    assert sources.tolist() == [0, 1, 2]
    assert targets.tolist() == [1, 0, 1]


def test_rows_are_tied_to_the_values_of_what_is_folded_into_them(shops):
    column = ref("shop", "kind", UP, ON)
    edge = ValueEdge("kinds", "item", "shop.kind", column, KeyRole.EDGE)
    sources, targets = edge_index(*shops, edge)
    assert sources.tolist() == [0, 2]
    assert targets.tolist() == [1, 0]


def test_every_kind_of_value_can_be_a_node(shops):
    for table, column, expected in (
        ("shop", "size", [1.5, 2.5, 4.5]),
        ("shop", "opened", [-86_400.0, 86_400.0]),
    ):
        one = ref(table, column)
        assert value_table(*shops, one).column(0).to_pylist() == expected
        edge = ValueEdge("e", table, "v", one, KeyRole.EDGE)
        assert len(edge_index(*shops, edge)[0]) == len(expected)


def test_a_junction_row_without_one_of_its_parents_makes_no_link(tmp_path):
    database, schema = open_tiny(
        tmp_path,
        """
        CREATE TABLE a (id INTEGER PRIMARY KEY);
        CREATE TABLE b (id INTEGER PRIMARY KEY);
        CREATE TABLE ab (a INTEGER REFERENCES a (id), b INTEGER REFERENCES b (id),
          w REAL);
        INSERT INTO a VALUES (1), (2);
        INSERT INTO b VALUES (1), (2), (3);
        INSERT INTO ab VALUES (2, 3, 0.5), (1, NULL, 1.5), (NULL, 1, 2.5), (1, 9, 3.5),
          (2, 3, 4.5), (1, 1, 5.5);
        """,
        {"ab.w": "numerical"},
    )
    weight = ColumnRef((), "ab", "w", Stype.NUMERICAL)
    edge = JunctionEdge(
        "ab", "ab", "a", "ab.a->a", "b", "ab.b->b", (weight,), KeyRole.EDGE
    )
    with database:
        sources, targets = edge_index(database, schema, edge)
        assert sources.tolist() == [1, 1, 0]
        assert targets.tolist() == [2, 2, 0]  # two rows that say the same are two links
        assert junction_rows(database, schema, edge).tolist() == [0, 4, 5]
        assert edge_values(database, schema, edge).to_pydict() == {"w": [0.5, 4.5, 5.5]}


def test_keys_beyond_two_to_the_53_are_told_apart(tmp_path):
    big = 2**53
    database, schema = open_tiny(
        tmp_path,
        f"""
        CREATE TABLE p (id INTEGER PRIMARY KEY, x REAL);
        CREATE TABLE c (p INTEGER REFERENCES p (id));
        INSERT INTO p VALUES ({big}, 1), ({big + 1}, 2);
        INSERT INTO c VALUES ({big + 1}), ({big}), (NULL);
        """,
        {"p.x": "numerical"},
    )
    folded = ColumnRef(("c.p->p",), "p", "x", Stype.NUMERICAL, ("p",))
    with database:
        assert follow(database, schema, "c", ("c.p->p",)).tolist() == [1, 0, -1]
        values = column_values(database, schema, "c", (folded,))
    assert values.to_pydict() == {"p→p.x": [2.0, 1.0, None]}


def test_folds_and_edges_agree_where_a_key_is_text_on_one_side(tmp_path):
    database, schema = open_tiny(
        tmp_path,
        """
        CREATE TABLE p (id INTEGER PRIMARY KEY, x REAL);
        CREATE TABLE c (p TEXT);
        INSERT INTO p VALUES (1, 10), (2, 20);
        INSERT INTO c VALUES ('2'), ('one'), ('1'), (NULL);
        """,
        {"p.x": "numerical"},
    )
    schema = make_schema(schema.tables, [make_key("c.p->p")])
    folded = ColumnRef(("c.p->p",), "p", "x", Stype.NUMERICAL, ("p",))
    with database:
        assert follow(database, schema, "c", ("c.p->p",)).tolist() == [1, -1, 0, -1]
        values = column_values(database, schema, "c", (folded,))
    assert values.column(0).to_pylist() == [20.0, None, 10.0, None]


def test_names_that_sql_would_misread_are_read(tmp_path):
    database, schema = open_tiny(
        tmp_path,
        """
        CREATE TABLE "order" (id INTEGER PRIMARY KEY, "a ""b"" c" REAL);
        CREATE TABLE "select from" ("group by" INTEGER REFERENCES "order" (id));
        INSERT INTO "order" VALUES (1, 5);
        INSERT INTO "select from" VALUES (1);
        """,
        {'order.a "b" c': "numerical"},
    )
    key = "select from.group by->order"
    column = ColumnRef((key,), "order", 'a "b" c', Stype.NUMERICAL, ("group by",))
    with database:
        values = column_values(database, schema, "select from", (column,))
    assert values.to_pydict() == {'group by→order.a "b" c': [5.0]}


def test_a_row_of_a_year_counts_as_its_last_day(tmp_path):
    database, schema = open_tiny(
        tmp_path,
        """
        CREATE TABLE t (year INTEGER, day TEXT);
        INSERT INTO t VALUES (1970, '1970-01-02'), (NULL, NULL), (1969, '1969-12-31');
        """,
        {},
        {"t": "year"},
    )
    with database:
        years = row_times(database, schema, "t")
        assert years is not None
        assert (years / 86_400).tolist()[::2] == [364.0, -1.0]
        assert np.isnan(years[1])


def test_a_table_without_a_confirmed_time_has_no_times(shops):
    assert row_times(*shops, "sale") is None


KEYS = st.none() | st.integers(1, 6)


@settings(max_examples=10, deadline=None)
@given(
    shops=st.integers(0, 4),
    sales=st.lists(KEYS, max_size=6),
    items=st.lists(KEYS, max_size=9),
)
def test_shortcuts_are_the_join_along_their_keys(shops, sales, items):
    def cell(key: int | None) -> str:
        return "NULL" if key is None else str(key)

    rows = [f"INSERT INTO shop (id) VALUES ({at});" for at in range(1, shops + 1)]
    rows += [
        f"INSERT INTO sale VALUES ({at}, {cell(key)}, 0);"
        for at, key in enumerate(sales, start=1)
    ]
    rows += [f"INSERT INTO item VALUES ({cell(key)}, 'x');" for key in items]
    sql = SHOPS.partition("INSERT")[0] + "\n".join(rows)
    with tempfile.TemporaryDirectory() as name:
        database, schema = open_tiny(Path(name), sql, STYPES)
        joined = sqlite3.connect(Path(name) / "tiny.db").execute(
            "SELECT item.rowid - 1, shop.rowid - 1 FROM item"
            " JOIN sale ON item.sale = sale.id JOIN shop ON sale.shop = shop.id"
        )
        edge = ShortcutEdge("both", "item", "shop", (UP, ON), KeyRole.EDGE)
        with database:
            sources, targets = edge_index(database, schema, edge)
        found = sorted(zip(sources.tolist(), targets.tolist(), strict=True))
        assert found == sorted(joined.fetchall())


def test_a_fold_stops_at_a_row_that_is_newer_than_the_row_itself(tmp_path):
    # c → p → g. Child 1: both older. Child 2: its parent is newer, so that nothing
    # behind it is known. Child 3: the grandparent alone is newer. Child 4 and its
    # parent have no time, and nothing is newer than them or they than anything.
    database, schema = open_tiny(
        tmp_path,
        """
        CREATE TABLE g (id INTEGER PRIMARY KEY, x REAL, day TEXT);
        CREATE TABLE p (id INTEGER PRIMARY KEY, x REAL, day TEXT,
          g INTEGER REFERENCES g (id));
        CREATE TABLE c (id INTEGER PRIMARY KEY, day TEXT, p INTEGER REFERENCES p (id));
        INSERT INTO g VALUES (1, 10, '2020-01-01'), (2, 20, '2020-01-09');
        INSERT INTO p VALUES (1, 1, '2020-01-02', 1), (2, 2, '2020-01-08', 1),
          (3, 3, '2020-01-02', 2), (4, 4, NULL, 2);
        INSERT INTO c VALUES (1, '2020-01-05', 1), (2, '2020-01-05', 2),
          (3, '2020-01-05', 3), (4, NULL, 4);
        """,
        {"p.x": "numerical", "g.x": "numerical"},
        {"c": "day", "p": "day", "g": "day"},
    )
    one, two = ("c.p->p",), ("c.p->p", "p.g->g")
    refs = (
        ColumnRef(one, "p", "x", Stype.NUMERICAL, ("p",)),
        ColumnRef(two, "g", "x", Stype.NUMERICAL, ("p", "g")),
    )
    with database:
        values = column_values(database, schema, "c", refs)
        parents = folded_rows(database, schema, "c", one)
        grandparents = folded_rows(database, schema, "c", two)
    assert values.column(0).to_pylist() == [1, None, 3, 4]
    assert values.column(1).to_pylist() == [10, None, None, 20]
    assert parents.tolist() == [0, -1, 2, 3]
    assert grandparents.tolist() == [0, -1, -1, 1]
