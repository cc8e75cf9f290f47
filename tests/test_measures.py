"""Laws of the measures: exact values, invariances, and what has no value."""

import numpy as np
import pytest

from workbench.measure import Flag
from workbench.measures import MEASURES, measure_rows

NAMES = sorted(MEASURES)
SCALE_FREE = sorted(set(MEASURES) - {"scale"})


def value(name: str, states: np.ndarray) -> float:
    return measure_rows(states)[name].value


def values(states: np.ndarray) -> dict[str, float]:
    return {name: found.value for name, found in measure_rows(states).items()}


def noise(rows: int = 40, channels: int = 6) -> np.ndarray:
    return np.random.default_rng(3).normal(size=(rows, channels)) + 0.5


@pytest.mark.parametrize("size", [2, 3, 7])
def test_the_identity_uses_every_direction_and_one_fewer_without_its_mean(
    size: int,
) -> None:
    found = values(np.eye(size))
    assert found["effective-rank"] == pytest.approx(size)
    assert found["effective-rank-centred"] == pytest.approx(size - 1)
    assert found["numerical-rank"] == pytest.approx(size)


def test_effective_rank_weighs_singular_values_and_not_their_squares() -> None:
    # Shares 2/3 and 1/3: exp(ln 3 − (2/3) ln 2) = 3 / 2^(2/3); squared, 4/5 and 1/5.
    found = value("effective-rank", np.diag([2.0, 1.0]))
    assert found == pytest.approx(3 / 2 ** (2 / 3))
    assert found == pytest.approx(1.889882, abs=1e-6)


def test_numerical_rank_is_total_energy_over_that_of_the_strongest_direction() -> None:
    assert value("numerical-rank", np.diag([2.0, 1.0])) == pytest.approx(5 / 4)


def test_multiples_of_one_row_have_rank_one() -> None:
    states = np.outer([1.0, -2.0, 3.0], [1.0, 1.0, 4.0])
    assert value("effective-rank", states) == pytest.approx(1)
    assert value("effective-rank-centred", states) == pytest.approx(1)
    assert value("numerical-rank", states) == pytest.approx(1)


def test_equal_rows_are_full_collapse() -> None:
    found = measure_rows(np.tile([3.0, 1.0, 0.0], (5, 1)))
    assert found["variance-share"].value == 0
    assert found["effective-rank-centred"].value == 0
    assert found["effective-rank"].value == pytest.approx(1)
    assert found["numerical-rank"].value == pytest.approx(1)
    assert found["cosine-distance"].value == pytest.approx(0, abs=1e-15)
    assert found["dead-share"].value == 0
    assert found["variance-share"].flag is Flag.COLLAPSED
    assert found["effective-rank-centred"].flag is Flag.COLLAPSED


def test_rounding_noise_around_a_common_row_is_not_taken_for_rank() -> None:
    states = np.tile([3.0, 1.0, 2.0], (50, 1))
    states += 1e-8 * np.random.default_rng(0).normal(size=states.shape)
    found = measure_rows(states)["effective-rank-centred"]
    assert (found.value, found.flag) == (0, Flag.COLLAPSED)


def test_orthogonal_rows_are_one_apart() -> None:
    assert value("cosine-distance", np.eye(4)) == pytest.approx(1)


def test_two_opposite_pairs_are_four_thirds_apart() -> None:
    # Of twelve ordered pairs eight are opposite (2) and four are equal (0).
    states = np.array([[1.0], [-1.0], [1.0], [-1.0]])
    assert value("cosine-distance", states) == pytest.approx(8 * 2 / 12)


def test_cosine_distance_is_the_mean_over_all_pairs() -> None:
    states = noise(30)
    unit = states / np.linalg.norm(states, axis=1, keepdims=True)
    distances = 1 - unit @ unit.T
    pairs = distances[~np.eye(30, dtype=bool)]
    assert value("cosine-distance", states) == pytest.approx(pairs.mean(), abs=1e-12)


def test_variance_share_is_centred_over_total_energy() -> None:
    # Rows 1 and 3: mean 2, centred squares 1 + 1, total squares 1 + 9.
    assert value("variance-share", np.array([[1.0], [3.0]])) == pytest.approx(2 / 10)


def test_scale_is_the_logarithm_of_the_root_mean_square() -> None:
    # Squares 9, 16, 0 and 0 have the mean 25 / 4.
    found = value("scale", np.array([[3.0, 4.0], [0.0, 0.0]]))
    assert found == pytest.approx(np.log10(2.5))


@pytest.mark.parametrize("exponent", [-150, -12, 12, 150])
def test_size_changes_nothing_but_scale(exponent: int) -> None:
    before, after = values(noise()), values(noise() * 10.0**exponent)
    for name in SCALE_FREE:
        assert after[name] == pytest.approx(before[name], rel=1e-9), name
    assert after["scale"] == pytest.approx(before["scale"] + exponent, abs=1e-9)


def test_rotating_the_channels_changes_nothing() -> None:
    turn, _ = np.linalg.qr(np.random.default_rng(1).normal(size=(6, 6)))
    before, after = values(noise()), values(noise() @ turn)
    assert after == pytest.approx(before, rel=1e-9)


def test_the_order_of_rows_changes_nothing() -> None:
    order = np.random.default_rng(1).permutation(40)
    assert values(noise()[order]) == pytest.approx(values(noise()), rel=1e-9)


def test_only_the_centred_rank_and_nothing_else_ignores_a_common_row() -> None:
    before, after = values(noise()), values(noise() + 5.0)
    kept = {
        name for name in NAMES if after[name] == pytest.approx(before[name], rel=1e-9)
    }
    assert kept == {"effective-rank-centred", "dead-share"}


def test_rows_of_zeros_have_no_value_but_a_scale_of_minus_infinity() -> None:
    for name, found in measure_rows(np.zeros((4, 3))).items():
        assert found.flag is Flag.ZERO
        if name == "scale":
            assert found.value == -np.inf
        else:
            assert np.isnan(found.value), name


@pytest.mark.parametrize("bad", [np.nan, np.inf])
@pytest.mark.parametrize("name", NAMES)
def test_what_is_not_finite_has_no_value(name: str, bad: float) -> None:
    states = noise()
    states[2, 1] = bad
    found = measure_rows(states)[name]
    assert np.isnan(found.value)
    assert found.flag is Flag.NOT_FINITE


@pytest.mark.parametrize("shape", [(0, 4), (3, 0)])
@pytest.mark.parametrize("name", NAMES)
def test_nothing_to_measure_has_no_value(name: str, shape: tuple[int, int]) -> None:
    found = measure_rows(np.zeros(shape))[name]
    assert np.isnan(found.value)
    assert found.flag is Flag.TOO_FEW_ROWS


@pytest.mark.parametrize(
    "name", ["variance-share", "effective-rank-centred", "cosine-distance"]
)
def test_one_row_alone_is_not_called_collapsed(name: str) -> None:
    found = measure_rows(np.array([[1.0, 2.0]]))[name]
    assert np.isnan(found.value)
    assert found.flag is Flag.TOO_FEW_ROWS


def test_a_dead_row_is_counted_and_left_out_of_the_distance() -> None:
    found = measure_rows(np.vstack([np.eye(4), np.zeros((1, 4))]))
    assert found["dead-share"].value == pytest.approx(1 / 5)
    assert found["cosine-distance"].value == pytest.approx(1)
    assert found["cosine-distance"].num_rows == 4


def test_one_live_row_has_no_distance_to_another() -> None:
    found = measure_rows(np.array([[1.0, 2.0], [0.0, 0.0]]))["cosine-distance"]
    assert np.isnan(found.value)
    assert found.flag is Flag.TOO_FEW_ROWS


@pytest.mark.parametrize("name", NAMES)
def test_single_precision_states_are_measured_in_double(name: str) -> None:
    states = noise().astype(np.float32)
    assert value(name, states) == value(name, states.astype(np.float64))


def test_states_are_left_as_they_were() -> None:
    states = noise()
    measure_rows(states)
    assert np.array_equal(states, noise())
