"""The random walk by hop: exact on rings, and what it must agree with."""

from fractions import Fraction

import numpy as np
import pytest

from workbench.links import Links, Messages
from workbench.walk import walk_profile


def both_ways(child: str, parent: str, links: list[tuple[int, int]]):
    """Yield messages up and down a relation, as `workbench.links` sorts them."""
    pairs = np.array(links)
    for sender, receiver, turned in (
        (child, parent, pairs),
        (parent, child, pairs[:, ::-1]),
    ):
        order = np.argsort(turned[:, 0], kind="stable")
        yield Messages(sender, receiver, turned[order, 0], turned[order, 1])


def shares(links: Links, target: str, rows: list[int], depth: int) -> list[float]:
    found = walk_profile(links, target, np.array(rows), depth)
    return [one.share for one in found if one.depth == depth]


def ring(number: int) -> Links:
    """Return rows that each follow the one before: every node has two neighbours."""
    follows = [(at, (at + 1) % number) for at in range(number)]
    messages = tuple(both_ways("node", "node", follows))
    return Links({"node": number}, (), messages, ())


@pytest.mark.parametrize(
    ("depth", "expected"),
    [
        (0, [1]),
        (1, [Fraction(1, 3), Fraction(2, 3)]),
        (2, [Fraction(1, 3), Fraction(4, 9), Fraction(2, 9)]),
        (3, [Fraction(7, 27), Fraction(14, 27), Fraction(6, 27), 0]),
    ],
)
def test_the_profile_of_the_ring_of_four(
    depth: int, expected: list[Fraction | int]
) -> None:
    found = shares(ring(4), "node", [0, 1, 2, 3], depth)
    assert found == pytest.approx([float(share) for share in expected])


def test_the_mean_hop_on_the_ring_of_four() -> None:
    for depth, expected in ((2, 8 / 9), (3, 26 / 27)):
        found = shares(ring(4), "node", [1], depth)
        mean = sum(hop * share for hop, share in enumerate(found))
        assert mean == pytest.approx(expected)


def test_a_chain_of_parents_is_left_half_at_a_time() -> None:
    """The child hears its parent alone; the parent hears the child and its own."""
    messages = (*both_ways("a", "b", [(0, 0)]), *both_ways("b", "c", [(0, 0)]))
    links = Links({"a": 1, "b": 1, "c": 1}, (), messages, ())
    assert shares(links, "a", [0], 1) == pytest.approx([1 / 2, 1 / 2])
    # a: 1/2·1/2 + 1/2·1/3, b: 1/2·1/2 + 1/2·1/3, c: 1/2·1/3.
    assert shares(links, "a", [0], 2) == pytest.approx([5 / 12, 5 / 12, 1 / 6])


def test_children_share_what_their_relation_brings() -> None:
    """Twelve children weigh together as much as the parent itself."""
    messages = tuple(both_ways("child", "parent", [(at, 0) for at in range(12)]))
    links = Links({"child": 12, "parent": 1}, (), messages, ())
    assert shares(links, "parent", [0], 1) == pytest.approx([1 / 2, 1 / 2])


def test_a_relation_that_brings_nothing_loses_its_weight() -> None:
    messages = tuple(both_ways("child", "parent", [(0, 0)]))
    links = Links({"child": 1, "parent": 2}, (), messages, ())
    assert shares(links, "parent", [1], 1) == pytest.approx([1, 0])


def test_messages_that_run_one_way_are_walked_against_only() -> None:
    up, _ = both_ways("child", "parent", [(0, 0)])
    links = Links({"child": 1, "parent": 1}, (), (up,), ())
    assert shares(links, "parent", [0], 1) == pytest.approx([1 / 2, 1 / 2])
    assert shares(links, "child", [0], 1) == pytest.approx([1, 0])


def test_squared_chances_fall_with_the_number_of_neighbours() -> None:
    messages = tuple(both_ways("child", "parent", [(at, 0) for at in range(12)]))
    links = Links({"child": 12, "parent": 1}, (), messages, ())
    found = list(walk_profile(links, "parent", np.array([0]), 1))
    # Itself (1/2)², and twelve children of (1/24)² each: 12 to 1.
    assert [one.squared for one in found[1:]] == pytest.approx([12 / 13, 1 / 13])


def test_the_shares_of_every_depth_add_up_to_one() -> None:
    for depth in range(7):
        assert sum(shares(ring(9), "node", [0, 4], depth)) == pytest.approx(1)
