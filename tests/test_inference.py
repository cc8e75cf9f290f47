"""Statistics of a few seeds against exact values and their own guarantees."""

import numpy as np
import pytest

from workbench.inference import (
    ENOUGH_SEEDS,
    LEVEL,
    bootstrap_interval,
    holm,
    holm_levels,
    paired_t_p,
    sign_flip_p,
    t_interval,
)


def test_the_interval_of_three_values_is_the_one_in_the_tables() -> None:
    # Mean 2, standard deviation 1; the two-sided 95 % quantile at two degrees of
    # freedom is 4.303.
    found = t_interval([1.0, 2.0, 3.0])
    assert found.mean == 2
    assert found.high - 2 == pytest.approx(4.303 / np.sqrt(3), abs=1e-3)
    assert 2 - found.low == pytest.approx(found.high - 2)


def test_one_value_has_a_mean_and_no_interval() -> None:
    found = t_interval([0.7])
    assert found.mean == 0.7
    assert np.isnan([found.low, found.high]).all()


def test_no_values_have_nothing() -> None:
    found = t_interval([])
    assert np.isnan([found.mean, found.low, found.high]).all()


def test_intervals_of_five_seeds_hold_the_truth_as_often_as_they_say() -> None:
    generator = np.random.default_rng(0)
    draws = generator.normal(0.3, 1.0, size=(2000, 5))
    found = [t_interval(list(each)) for each in draws]
    share = np.mean([each.low <= 0.3 <= each.high for each in found])
    assert 0.93 <= share <= 0.97


@pytest.mark.parametrize(
    ("number", "smallest"), [(1, 1.0), (5, 0.0625), (6, 0.03125), (10, 2**-9)]
)
def test_seeds_that_all_agree_give_the_smallest_sign_flip_p(
    number: int, smallest: float
) -> None:
    assert sign_flip_p([0.1] * number) == smallest
    assert sign_flip_p([-0.1 * (1 + at) for at in range(number)]) == smallest


def test_five_seeds_can_never_be_called_a_difference_by_sign_flips() -> None:
    assert sign_flip_p([1.0] * (ENOUGH_SEEDS - 1)) > LEVEL
    assert sign_flip_p([1.0] * ENOUGH_SEEDS) < LEVEL


def test_sign_flips_are_counted_exactly() -> None:
    # Of the eight sums ±3 ±2 ±1, those with |sum| ≥ |3 + 2 − 1| = 4: ±6, ±4.
    assert sign_flip_p([3.0, 2.0, -1.0]) == 4 / 8


def test_no_difference_at_all_is_no_evidence() -> None:
    assert sign_flip_p([0.0] * 6) == 1
    assert paired_t_p([0.0] * 6) == 1


def test_many_pairs_are_drawn_and_close_to_exact() -> None:
    differences = np.random.default_rng(2).normal(0.2, 1.0, 17)
    signs = 1 - 2 * ((np.arange(2**17)[:, None] >> np.arange(17)) & 1)
    exact = (np.abs(signs @ differences) >= abs(differences.sum()) - 1e-12).mean()
    assert sign_flip_p(list(differences)) == pytest.approx(exact, abs=0.01)


@pytest.mark.parametrize("test", [paired_t_p, sign_flip_p])
def test_swapping_the_sides_keeps_the_p_value(test) -> None:
    differences = [0.1, 0.3, -0.05, 0.2, 0.15, 0.1]
    assert test(differences) == pytest.approx(test([-each for each in differences]))


def test_nothing_to_pair_has_no_p_value() -> None:
    assert np.isnan(sign_flip_p([]))
    assert np.isnan(paired_t_p([]))
    assert np.isnan(paired_t_p([0.3]))


def test_the_paired_t_test_agrees_with_its_interval() -> None:
    generator = np.random.default_rng(4)
    for _ in range(200):
        differences = list(generator.normal(0.8, 1.0, 6))
        interval = t_interval(differences)
        leaves_out_zero = interval.low > 0 or interval.high < 0
        assert (paired_t_p(differences) < LEVEL) == leaves_out_zero


def test_the_paired_t_p_value_is_the_one_in_the_tables() -> None:
    # Mean 1, standard deviation 1 over four: t = 2 at three degrees of freedom.
    spread = np.sqrt(3) / 2
    differences = [1 - spread, 1 + spread, 1 - spread, 1 + spread]
    assert paired_t_p(differences) == pytest.approx(0.13933, abs=1e-4)


def test_differences_that_are_all_the_same_are_certain() -> None:
    assert paired_t_p([0.25] * 6) == 0


def test_holm_multiplies_the_smallest_by_their_number_and_never_falls() -> None:
    # .01 × 3, then .02 × 2 = .04, then .03 × 1 raised to the one before.
    assert holm([0.03, 0.01, 0.02]) == pytest.approx([0.04, 0.03, 0.04])


def test_holm_stops_at_one_and_leaves_unknown_ones_out_of_the_count() -> None:
    found = holm([0.9, float("nan"), 0.02])
    assert found[0] == pytest.approx(0.9)
    assert np.isnan(found[1])
    assert found[2] == pytest.approx(0.04)
    assert holm([0.7, 0.8]) == [1.0, 1.0]
    assert holm([]) == []


def test_one_p_value_needs_no_adjustment() -> None:
    assert holm([0.04]) == [0.04]
    assert holm_levels([0.04]) == [LEVEL]


def test_levels_shrink_with_what_is_left_and_stop_at_the_first_tie() -> None:
    # .001 < .05/3, .03 ≥ .05/2, so .04 is held to the same.
    found = holm_levels([0.04, 0.001, 0.03])
    assert found == pytest.approx([LEVEL / 2, LEVEL / 3, LEVEL / 2])


def test_an_interval_at_its_level_leaves_out_zero_exactly_when_holm_says_so() -> None:
    generator = np.random.default_rng(7)
    for _ in range(300):
        family = generator.normal(generator.uniform(0, 2, (4, 1)), 1.0, (4, 6))
        p_values = [paired_t_p(list(each)) for each in family]
        for differences, level, adjusted in zip(
            family, holm_levels(p_values), holm(p_values), strict=True
        ):
            interval = t_interval(list(differences), level)
            assert (interval.low > 0 or interval.high < 0) == (adjusted < LEVEL)


def mean_label(labels: np.ndarray, outputs: np.ndarray) -> float:
    return float(labels.mean())


def test_the_bootstrap_of_a_mean_is_as_wide_as_its_standard_error_says() -> None:
    labels = np.arange(400) % 2.0
    low, high = bootstrap_interval(mean_label, labels, labels)
    assert high - low == pytest.approx(2 * 1.96 * 0.5 / np.sqrt(400), rel=0.1)
    assert low < 0.5 < high


def test_the_bootstrap_gives_the_same_interval_every_time() -> None:
    labels = np.random.default_rng(0).normal(size=50)
    first = bootstrap_interval(mean_label, labels, labels)
    assert bootstrap_interval(mean_label, labels, labels) == first
    assert bootstrap_interval(mean_label, labels, labels, seed=1) != first


def test_the_bootstrap_passes_over_samples_without_a_score() -> None:
    def only_mixed(labels: np.ndarray, outputs: np.ndarray) -> float:
        return 1.0 if np.ptp(labels) else float("nan")

    assert bootstrap_interval(only_mixed, np.array([0.0, 1.0]), np.zeros(2)) == (1, 1)
    never = bootstrap_interval(only_mixed, np.zeros(2), np.zeros(2))
    assert np.isnan(never).all()
