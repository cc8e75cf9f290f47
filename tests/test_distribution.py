"""How values are spread, counted by hand."""

from pathlib import Path

import pytest

from tests.tiny import make_schema, make_table, open_tiny
from workbench.distribution import Distribution, distributions

ROWS = """
CREATE TABLE t (
  id INTEGER PRIMARY KEY, size REAL, born TEXT, kind TEXT, same REAL, none TEXT
);
INSERT INTO t VALUES
  (1, 0, '1970-01-01', 'b', 2, NULL), (2, 11.9, '1970-01-31', 'a', 2, NULL),
  (3, 12, NULL, 'a', 2, NULL), (4, NULL, '1970-01-31', 'b', 2, NULL);
"""
STYPES = {
    "t.size": "numerical",
    "t.born": "timestamp",
    "t.kind": "categorical",
    "t.same": "numerical",
    "t.none": "text",
}


@pytest.fixture
def spread(tmp_path: Path) -> dict[str, Distribution]:
    database, schema = open_tiny(tmp_path, ROWS, STYPES)
    with database:
        return {one.column: one for one in distributions(database, schema, "t")}


def test_numbers_fall_into_twelve_bars_of_equal_width(spread) -> None:
    size = spread["size"]
    # From 0 to 12 a bar is 1 wide; 11.9 and 12 itself are in the last.
    assert size.counts == (1, *[0] * 10, 2)
    assert (size.labels, size.missing) == (("0", "12"), 0.25)


def test_times_are_shown_as_days(spread) -> None:
    assert spread["born"].labels == ("1970-01-01", "1970-01-31")
    assert spread["born"].counts == (1, *[0] * 10, 2)


def test_values_are_listed_commonest_first_and_equals_by_name(spread) -> None:
    assert spread["kind"] == Distribution("kind", 0.0, (2, 2), ("a", "b"), False)


def test_one_value_is_one_bar_and_no_value_none(spread) -> None:
    assert spread["same"].counts == (4, *[0] * 11)
    assert spread["none"] == Distribution("none", 1.0, (), (), False)


def test_an_empty_table_misses_nothing(tmp_path: Path) -> None:
    database, schema = open_tiny(
        tmp_path, "CREATE TABLE t (a REAL)", {"t.a": "numerical"}
    )
    with database:
        assert distributions(database, schema, "t") == (
            Distribution("a", 0.0, (), (), False),
        )


def test_the_keys_between_two_tables_are_those_of_every_shortest_way() -> None:
    names = ("order", "customer", "shop", "city", "stray")
    schema = make_schema(
        [make_table(name, {"id": "id"}) for name in names],
        [
            *("order.c->customer", "order.s->shop", "customer.t->city"),
            *("shop.t->city", "city.of->city"),
        ],
    )
    # Two ways of two keys each; the city's own key lies on neither.
    assert [key.id for key in schema.keys_between("order", "city")] == [
        "order.c->customer", "order.s->shop", "customer.t->city", "shop.t->city",
    ]  # fmt: skip
    assert [key.id for key in schema.keys_between("customer", "order")] == [
        "order.c->customer"
    ]
    assert schema.keys_between("order", "stray") == ()
    assert schema.keys_between("city", "city") == ()
