"""What rows see, drawn: whole without a limit, fair, distinct, and never the future."""

import numpy as np
import pytest

from tests.graphs import shop
from workbench.blueprint import KeyRole
from workbench.copies import Tracer
from workbench.instances import Instances, Tie, Unfolding
from workbench.sampler import Sampler, prepare_sampler
from workbench.sampling import Choice
from workbench.unfold import prepare_batches

NUM = {"person": 40, "club": 15}


def random_ties(seed: int) -> tuple[list[Tie], dict[str, np.ndarray]]:
    """Return memberships and a club's parent club, each with times, and rows' times."""
    draw = np.random.default_rng(seed)

    def tie(source: str, target: str, number: int, direction: KeyRole) -> Tie:
        return Tie(
            source=source,
            target=target,
            sources=draw.integers(0, NUM[source], number),
            targets=draw.integers(0, NUM[target], number),
            times=draw.integers(0, 10, number).astype(float),
            direction=direction,
        )

    ties = [
        tie("person", "club", 160, KeyRole.EDGE),
        tie("club", "club", 20, KeyRole.UP),
    ]
    times = {name: draw.integers(0, 6, one).astype(float) for name, one in NUM.items()}
    return ties, times


def sampler_in_time(seed: int) -> tuple[Sampler, dict[str, np.ndarray]]:
    ties, times = random_ties(seed)
    timing = times, np.arange(10.0)
    return prepare_sampler(ties, NUM, "person", timing), times


def heard(sampler: Sampler, found: Instances) -> list[tuple[int, bool, int, int, int]]:
    """Return tie, way, receiving instance, link and sending instance of messages."""
    messages = []
    for index, tied in enumerate(found.ties):
        for at, link in enumerate(tied.links):
            ends = int(tied.sources[at]), int(tied.targets[at])
            if tied.up[at]:
                messages.append((index, False, ends[1], int(link), ends[0]))
            if tied.down[at]:
                messages.append((index, True, ends[0], int(link), ends[1]))
    return messages


@pytest.mark.parametrize("disjoint", [False, True])
@pytest.mark.parametrize("choice", list(Choice))
@pytest.mark.parametrize("fan_out", [None, 1, 3])
def test_no_draw_hears_the_future_or_a_link_twice_or_more_than_the_fan_out(
    fan_out, choice, disjoint
):
    sampler, times = sampler_in_time(1)
    rows = np.arange(0, 40, 3)
    moments = np.maximum(times["person"][rows], rows % 10).astype(float)
    for seed in range(5):
        unfolding = Unfolding(3, fan_out, choice, seed)
        found = sampler.draw(rows, moments, unfolding, disjoint=disjoint)
        messages = heard(sampler, found)
        assert len(set(messages)) == len(messages)
        counts: dict[tuple[int, bool, int], int] = {}
        for tie, is_down, receiver, link, sender in messages:
            one = sampler.ties[tie]
            near, far = (
                (one.source, one.target) if is_down else (one.target, one.source)
            )
            moment = found.moments[near][receiver]
            assert found.moments[far][sender] == moment
            assert times[far][found.rows[far][sender]] <= moment
            assert one.times is not None
            assert one.times[link] <= moment
            counts[tie, is_down, receiver] = counts.get((tie, is_down, receiver), 0) + 1
        assert fan_out is None or max(counts.values()) <= fan_out


def test_without_a_limit_rows_of_their_own_see_what_the_tracer_copies_for_each():
    graph = shop(3)
    sampler = prepare_batches(graph)
    rows = np.array([0, 1, 3, 4])
    for depth in (1, 2, 3):
        found = sampler.draw(rows, None, Unfolding(depth), disjoint=True)
        copies = Tracer(graph).copy(rows, depth, {})
        assert copies is not None
        for name in graph.nodes:
            mine = sorted(zip(found.owners[name], found.rows[name], strict=True))
            owners = copies.owners[name]
            assert [one for one, _ in mine] == sorted(owners)
            assert len(set(mine)) == len(mine)
        links = [len(one.source_rows) for one in copies.relations]
        assert [len(one.links) for one in found.ties] == links


def test_rows_of_their_own_share_no_instance():
    sampler, _ = sampler_in_time(2)
    rows = np.arange(10)
    found = sampler.draw(rows, np.full(10, 9.0), Unfolding(3, 2), disjoint=True)
    assert found.rows["person"][:10].tolist() == rows.tolist()
    assert found.owners["person"][:10].tolist() == list(range(10))
    for tie, tied in zip(sampler.ties, found.ties, strict=True):
        ends = found.owners[tie.source][tied.sources], found.owners[tie.target]
        assert (ends[0] == ends[1][tied.targets]).all()


def test_a_tie_can_have_a_fan_out_of_its_own():
    # One person in 9 clubs, each of which has 9 others.
    people = np.concatenate([np.zeros(9, dtype=int), np.arange(1, 82)])
    clubs = np.concatenate([np.arange(9), np.repeat(np.arange(9), 9)])
    ties = [
        Tie("person", "club", people, clubs, None, KeyRole.EDGE),
        Tie("person", "town", np.zeros(5, dtype=int), np.arange(5), None, KeyRole.EDGE),
    ]
    sampler = prepare_sampler(ties, {"person": 82, "club": 9, "town": 5}, "person")
    for limits, clubs_seen, towns_seen in (
        ({}, 4, 4),
        ({0: 2}, 2, 4),
        ({1: 1}, 4, 1),
        ({0: None, 1: 3}, 9, 3),
    ):
        found = sampler.draw(
            np.array([0]), None, Unfolding(1, 4, Choice.UNIFORM), fan_outs=limits
        )
        assert len(found.rows["club"]) == clubs_seen
        assert len(found.rows["town"]) == towns_seen


def test_every_neighbour_of_many_rows_is_drawn_equally_often():
    # 3 000 people in the same 6 clubs: each club is drawn 2 times in 6.
    number = 3000
    people, clubs = np.divmod(np.arange(6 * number), 6)
    tie = Tie("person", "club", people, clubs, None, KeyRole.DOWN)
    sampler = prepare_sampler([tie], {"person": number, "club": 6}, "person")
    unfolding = Unfolding(1, 2, Choice.UNIFORM, 5)
    found = sampler.draw(np.arange(number), None, unfolding)
    drawn = np.bincount(clubs[found.ties[0].links], minlength=6)
    deviation = np.sqrt(number * (2 / 6) * (4 / 6))
    assert drawn.sum() == 2 * number
    assert np.abs(drawn - number / 3).max() < 3 * deviation


def test_by_degree_a_neighbour_is_drawn_in_proportion_to_what_it_hears():
    # Everybody is in clubs 0 to 3; of 3 000 people, clubs 1, 2 and 3 have 1 000, 2 000
    # and 3 000 guests besides, who are not asked: they hear 4:5:6:7 (and one for each).
    number = 3000
    people, clubs = np.divmod(np.arange(4 * number), 4)
    guests = number + np.arange(6000)
    houses = np.repeat([1, 2, 3], [1000, 2000, 3000])
    tie = Tie(
        "person",
        "club",
        np.append(people, guests),
        np.append(clubs, houses),
        None,
        KeyRole.EDGE,
    )
    num_nodes = {"person": number + 6000, "club": 4}
    sampler = prepare_sampler([tie], num_nodes, "person")
    found = sampler.draw(np.arange(number), None, Unfolding(1, 1, Choice.DEGREE, 2))
    tied = found.ties[0]
    drawn = np.bincount(found.rows["club"][tied.targets[tied.down]], minlength=4)
    weights = np.array([3001, 4001, 5001, 6001]) / 18004
    deviation = np.sqrt(number * weights * (1 - weights))
    assert (np.abs(drawn - number * weights) < 3 * deviation).all()


def test_by_degree_messages_of_the_future_do_not_count():
    # Two clubs known at moment 1; the second is joined by 500 others at moment 5.
    tie = Tie(
        "person",
        "club",
        np.concatenate([[0, 0], np.arange(1, 501)]),
        np.concatenate([[0, 1], np.ones(500, dtype=int)]),
        np.concatenate([[1.0, 1.0], np.full(500, 5.0)]),
        KeyRole.EDGE,
    )
    number = {"person": 501, "club": 2}
    sampler = prepare_sampler([tie], number, "person", ({}, np.array([1.0, 9.0])))
    drawn = {1.0: 0, 9.0: 0}
    for moment in drawn:
        for seed in range(200):
            unfolding = Unfolding(1, 1, Choice.DEGREE, seed)
            found = sampler.draw(np.array([0]), np.array([moment]), unfolding)
            drawn[moment] += int(found.rows["club"][0])
    # Then a fair coin, three deviations wide; later 502 to 2.
    assert abs(drawn[1.0] - 100) < 3 * np.sqrt(50)
    assert drawn[9.0] > 190


def test_a_graph_that_hears_one_way_only_is_drawn_so():
    tie = Tie(
        "a",
        "b",
        np.array([0, 1, 2]),
        np.array([0, 0, 0]),
        None,
        KeyRole.EDGE,
        (np.array([True, False, True]), np.array([False, True, False])),
    )
    sampler = prepare_sampler([tie], {"a": 3, "b": 1}, "b")
    found = sampler.draw(np.array([0]), None, Unfolding(2))
    assert sorted(found.rows["a"].tolist()) == [0, 2]
    assert found.ties[0].up.tolist() == [True, True]
    assert not found.ties[0].down.any()
