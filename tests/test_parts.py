"""Where rows lie in a graph: links counted by hand, parts numbered by their size."""

from dataclasses import replace

from tests.graphs import features, relation, shop
from workbench.graph import Graph
from workbench.parts import locate_rows


def test_a_rows_degree_is_the_number_of_messages_it_receives():
    # Orders, a city each but the last, and ratings: 3+1+2, 1+1+1, 0+1+2, 1+1+0, none.
    assert locate_rows(shop())["degree"].tolist() == [6, 3, 3, 2, 0]


def test_parts_are_numbered_from_the_largest():
    # Customers 0 and 1 share a city, 2 and 3 another, and 0 and 2 rate the same good.
    assert locate_rows(shop())["component"].tolist() == [0, 0, 0, 0, 1]


def test_parts_of_one_size_are_numbered_in_the_order_of_the_rows():
    graph = shop()
    city = next(one for one in graph.relations if one.name == "customer.city")
    ties = relation("stray.customer", ("stray", "customer"), [(0, 4), (1, 4)])
    alone = locate_rows(replace(graph, relations=(city, ties)))["component"]
    # Customers 0, 1 and a city; 2, 3 and a city; 4 and two strays: three nodes each.
    assert sorted(set(alone)) == [0, 1, 2]
    assert alone.tolist() == [0, 0, 1, 1, 2]


def test_without_links_every_row_is_a_part_of_its_own():
    found = locate_rows(replace(shop(), relations=()))
    assert found["degree"].tolist() == [0] * 5
    assert found["component"].tolist() == [0, 1, 2, 3, 4]


def test_a_chain_that_is_listed_from_its_end_is_one_part(monkeypatch):
    monkeypatch.setattr("workbench.parts.CHUNK", 7)  # many pieces
    nodes = {"row": features(101, 1), "stray": features(1, 1)}
    links = [(at, at + 1) for at in reversed(range(100))]
    chain = Graph("row", nodes, (relation("next", ("row", "row"), links),))
    assert set(locate_rows(chain)["component"]) == {0}
    cut = Graph("row", nodes, (relation("next", ("row", "row"), links[:40]),))
    # Rows 60 to 100 are tied; the 60 before them and the stray are alone.
    assert (locate_rows(cut)["component"] == 0).sum() == 41
