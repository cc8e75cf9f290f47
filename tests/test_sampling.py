"""Which neighbours stay: counted by hand, and against the chances of a fair draw."""

import numpy as np
import pytest

from workbench.sampling import Choice, sample_neighbours, sort_neighbours

COUNTS = np.array([3, 0, 7, 5, 1])


def draw(counts, fan_out, choice=Choice.UNIFORM, seed=0):
    generator = np.random.default_rng(seed)
    owners, places = sample_neighbours(
        np.asarray(counts),
        fan_out,
        choice,
        generator,
        lambda receivers, places: 1.0 + places,
    )
    return list(zip(owners.tolist(), places.tolist(), strict=True))


@pytest.mark.parametrize("choice", list(Choice))
@pytest.mark.parametrize("fan_out", [None, 7, 100])
def test_where_none_has_to_go_all_stay(fan_out, choice):
    everybody = [(at, one) for at, count in enumerate(COUNTS) for one in range(count)]
    assert draw(COUNTS, fan_out, choice) == everybody


@pytest.mark.parametrize("choice", list(Choice))
@pytest.mark.parametrize("fan_out", [1, 2, 4, 6])
def test_neighbours_are_distinct_their_own_and_as_many_as_allowed(fan_out, choice):
    for seed in range(20):
        drawn = draw(COUNTS, fan_out, choice, seed)
        assert len(set(drawn)) == len(drawn)
        assert all(0 <= place < COUNTS[owner] for owner, place in drawn)
        numbers = np.bincount([owner for owner, _ in drawn], minlength=len(COUNTS))
        assert numbers.tolist() == np.minimum(COUNTS, fan_out).tolist()


def test_the_latest_are_the_last_ones():
    assert draw([4, 1, 3], 2, Choice.LATEST) == [(0, 2), (0, 3), (1, 0), (2, 1), (2, 2)]


def test_the_same_seed_draws_the_same_and_another_one_differs():
    assert draw([1000], 10, seed=3) == draw([1000], 10, seed=3)
    assert draw([1000], 10, seed=3) != draw([1000], 10, seed=4)


def test_without_receivers_nothing_is_drawn():
    assert draw(np.zeros(0, dtype=np.int64), 3) == []


@pytest.mark.parametrize("fan_out", [1, 3, 8])
def test_every_neighbour_has_the_same_chance(fan_out):
    # 20,000 receivers with 9 neighbours each: a place is drawn a binomial number of
    # times, with chance fan_out / 9.
    number, count = 20_000, 9
    drawn = draw(np.full(number, count), fan_out)
    found = np.bincount([place for _, place in drawn], minlength=count)
    chance = fan_out / count
    deviation = np.sqrt(number * chance * (1 - chance))
    assert np.abs(found - number * chance).max() < 3 * deviation


def test_every_pair_of_neighbours_has_the_same_chance():
    # 2 of 4, without order: 6 pairs, each with chance 1/6.
    number = 12_000
    drawn = np.array(draw(np.full(number, 4), 2))[:, 1].reshape(number, 2)
    pairs, found = np.unique(drawn, axis=0, return_counts=True)
    assert pairs.tolist() == [[0, 1], [0, 2], [0, 3], [1, 2], [1, 3], [2, 3]]
    deviation = np.sqrt(number * (1 / 6) * (5 / 6))
    assert np.abs(found - number / 6).max() < 3 * deviation


def test_what_is_known_at_a_moment_is_counted_up_to_it_and_lies_oldest_first():
    receivers = np.array([1, 0, 1, 1, 0])
    times = np.array([5.0, 2.0, -np.inf, 3.0, 9.0])
    found = sort_neighbours(
        receivers, times, np.array([2.0, 4.0]), 3, np.random.default_rng(0)
    )
    # Receiver 0 hears messages 1 (time 2) and 4 (time 9, after the last moment);
    # receiver 1 hears 2 (always), 3 (time 3) and 0 (time 5); receiver 2 hears nothing.
    assert found.starts.tolist() == [0, 2, 5, 5]
    assert found.order.tolist() == [1, 4, 2, 3, 0]
    known = found.count_known(np.array([0, 0, 1, 1, 2]), np.array([0, 1, 0, 1, 1]))
    assert known.tolist() == [1, 1, 1, 2, 0]
