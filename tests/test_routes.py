"""Messages in the order of their receivers, sorted once and kept where many."""

from dataclasses import replace

import numpy as np
import pytest

from tests.graphs import relation
from workbench.blueprint import KeyRole
from workbench.depot import Arrays, Depot
from workbench.graph import Kept
from workbench.ordering import count_starts
from workbench.routes import (
    Route,
    is_route,
    pack_route,
    sort_route,
    unpack_route,
)

# Children 0 to 3 of parents 2, 0, 2 and 0; parent 1 has none.
SENDERS, RECEIVERS = np.array([0, 1, 2, 3]), np.array([2, 0, 2, 0])


def test_messages_are_sorted_by_receiver_and_keep_the_links_order() -> None:
    found = sort_route(SENDERS, RECEIVERS, num_receivers=3)
    assert found.receivers.tolist() == [0, 0, 2, 2]
    assert found.senders.tolist() == found.links.tolist() == [1, 3, 0, 2]
    assert found.starts.tolist() == [0, 2, 2, 4]
    assert found.num_heard == 2


def test_messages_that_do_not_run_are_left_out_with_their_place() -> None:
    runs = np.array([True, False, False, True])  # child 0 to parent 2, child 3 to 0
    found = sort_route(SENDERS, RECEIVERS, num_receivers=3, runs=runs)
    assert found.senders.tolist() == [3, 0]
    assert found.starts.tolist() == [0, 1, 1, 2]


def test_undirected_links_carry_a_message_each_way() -> None:
    found = sort_route(np.array([0]), np.array([1]), 2, is_undirected=True)
    assert found.senders.tolist() == [1, 0]
    assert found.receivers.tolist() == [0, 1]
    assert found.links.tolist() == [0, 0]


def test_without_links_every_receiver_starts_and_ends_at_nothing() -> None:
    nobody = np.zeros(0, dtype=np.int64)
    found = sort_route(nobody, nobody, num_receivers=2)
    assert found.starts.tolist() == [0, 0, 0]
    assert found.num_heard == 0


def test_indices_take_four_bytes_where_they_fit() -> None:
    found = sort_route(SENDERS, RECEIVERS, num_receivers=3)
    for one in (found.senders, found.receivers, found.links, found.starts):
        assert one.dtype == np.int32
    assert count_starts(RECEIVERS, 3).dtype == np.int32


def test_a_kept_route_is_the_one_that_was_sorted(tmp_path) -> None:
    made = sort_route(SENDERS, RECEIVERS, num_receivers=3)
    Depot(tmp_path).get("route", lambda: pack_route(made))
    packed = Depot(tmp_path).get("route", _never, lambda one: is_route(one, 4, 4, 3))
    found = unpack_route(packed)
    for name in ("senders", "receivers", "links", "starts"):
        assert np.array_equal(getattr(found, name), getattr(made, name))
    assert found.num_heard == made.num_heard


@pytest.mark.parametrize(
    ("name", "lie"),
    [
        ("senders", [9, 3, 0, 2]),  # there is no child 9
        ("senders", [1, 3, 0]),
        ("receivers", [0, 0, 2, 3]),
        ("receivers", [2, 0, 0, 2]),
        ("links", [1, 3, -1, 2]),
        ("starts", [0, 2, 2, 5]),
        ("starts", [0, 3, 2, 4]),
        ("starts", [0, 4]),
    ],
)
def test_arrays_that_lie_about_rows_are_no_route(name: str, lie: list[int]) -> None:
    honest = pack_route(sort_route(SENDERS, RECEIVERS, num_receivers=3))
    assert is_route(honest, 4, 4, 3)
    arrays = {**honest.arrays, name: np.array(lie, dtype=np.int32)}
    assert not is_route(Arrays(arrays, honest.facts), 4, 4, 3)


def test_kept_messages_are_used_for_the_links_they_were_made_of_alone() -> None:
    links = relation("key", ("child", "parent"), [(0, 1), (1, 0)], KeyRole.UP)
    marked = Route(*[np.array([7])] * 3, starts=np.array([0, 1, 2]), num_heard=2)
    kept = Kept(links.source_rows, links.target_rows, {False: marked})
    assert replace(links, kept=kept).route(False, 2) is marked
    other = replace(links, kept=kept, source_rows=links.source_rows.copy())
    assert other.route(False, 2).senders.tolist() == [1, 0]
    assert replace(links, kept=kept).route(False, 3).senders.tolist() == [1, 0]
    all_heard = (np.array([True, False]), np.array([False, False]))
    some = replace(links, kept=kept, heard=all_heard)
    assert some.route(False, 2).senders.tolist() == [0]


def _never() -> Arrays:
    raise AssertionError("this was kept")
