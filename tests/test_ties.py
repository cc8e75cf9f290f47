"""Which rows are sampled together: families of one key, and rows that are tied."""

import numpy as np
import pytest

from tests.graphs import features, relation, shop
from workbench.graph import Graph
from workbench.ties import MAX_CHILDREN, MAX_ROWS, sample_families, sample_ties


def graph_of(links: list[tuple[int, int]], ends: tuple[str, str], sizes) -> Graph:
    nodes = {name: features(size, 1) for name, size in sizes.items()}
    return Graph(target=ends[0], nodes=nodes, relations=(relation("key", ends, links),))


def test_families_are_the_children_that_share_a_parent() -> None:
    found = {one.relation: one for one in sample_families(shop())}
    assert set(found) == {"order.customer", "customer.city", "order.follows"}
    orders = found["order.customer"]  # three of customer 0, one each of 1 and 3
    assert orders.rows.tolist() == [0, 1, 2]
    assert orders.parents.tolist() == [0, 0, 0]
    assert orders.coverage == pytest.approx(3 / 5)
    assert found["customer.city"].parents.tolist() == [0, 0, 1, 1]


def test_a_key_without_siblings_keeps_its_children_and_says_so() -> None:
    found = {one.relation: one for one in sample_families(shop())}["order.follows"]
    assert found.coverage == 0
    assert found.rows.tolist() == [1, 2, 4]


def test_ties_are_links_within_a_type_and_shared_rows_across_a_junction() -> None:
    found = {one.relation: one for one in sample_ties(shop())}
    assert set(found) == {"rating", "order.follows"}
    follows = found["order.follows"]
    pairs = set(zip(follows.first.tolist(), follows.second.tolist(), strict=True))
    assert pairs == {(1, 0), (2, 1), (4, 3)}
    rating = found["rating"]  # good 1 was rated by customers 0, 1 and 2
    assert rating.node_type == "customer"
    ends = zip(rating.first.tolist(), rating.second.tolist(), strict=True)
    pairs = {frozenset(rating.rows[[*pair]].tolist()) for pair in ends}
    assert pairs == {frozenset({0, 1}), frozenset({0, 2}), frozenset({1, 2})}


def test_large_tables_are_sampled_by_whole_families_always_the_same() -> None:
    links = [(child, child // 4) for child in range(40_000)]
    graph = graph_of(links, ("child", "parent"), {"child": 40_000, "parent": 10_000})
    (first,), (second,) = sample_families(graph), sample_families(graph)
    assert np.array_equal(first.rows, second.rows)
    assert len(first.rows) == MAX_ROWS
    assert np.array_equal(first.parents, first.rows // 4)
    sizes = np.bincount(first.parents)
    assert (sizes[sizes > 0] == 4).mean() > 0.99
    assert first.coverage == 1


def test_no_parent_fills_the_sample_alone() -> None:
    links = [(child, 0 if child < 5000 else child // 2) for child in range(8000)]
    graph = graph_of(links, ("child", "parent"), {"child": 8000, "parent": 4000})
    (found,) = sample_families(graph)
    assert np.bincount(found.parents)[0] <= MAX_CHILDREN


def test_a_key_without_links_has_no_family_and_no_tie() -> None:
    graph = graph_of([], ("child", "parent"), {"child": 3, "parent": 2})
    assert list(sample_families(graph)) == []
    assert list(sample_ties(graph)) == []


def test_a_long_chain_of_rows_is_cut_to_a_sample_with_its_ties_inside() -> None:
    links = [(at + 1, at) for at in range(5000)]
    graph = graph_of(links, ("row", "row"), {"row": 5001})
    (found,) = sample_ties(graph)
    assert len(found.rows) <= MAX_ROWS
    assert len(found.first) >= MAX_ROWS // 2
    steps = found.rows[found.first] - found.rows[found.second]
    assert set(steps.tolist()) == {1}


def test_families_are_drawn_in_the_order_of_their_parents_ranks() -> None:
    # Two children each: 500 of 5 000 parents fill the sample, the first by rank.
    links = [(child, child % 5000) for child in range(10_000)]
    graph = graph_of(links, ("child", "parent"), {"child": 10_000, "parent": 5000})
    (found,) = sample_families(graph)
    generator = np.random.default_rng(0)
    generator.permutation(10_000)
    first = np.flatnonzero(generator.permutation(5000) < MAX_ROWS // 2)
    assert np.array_equal(np.unique(found.parents), first)
