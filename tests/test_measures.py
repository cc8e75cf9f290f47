"""Laws of the measures: exact values, invariances, and what has no value."""

import numpy as np
import pytest
from scipy.spatial.distance import pdist, squareform

from workbench.measure import Flag, Measurement, Rows, singular_values
from workbench.measures import MEASURES, measure_rows, measures_of
from workbench.task import TaskType
from workbench.view import Labelled, Labels, Pairs, Siblings

NAMES = sorted(name for name, one in MEASURES.items() if one.takes is Rows)
SCALE_FREE = sorted(set(NAMES) - {"scale"})
RING = ([0, 1, 2, 3], [1, 2, 3, 0])  # C4: 0-1-2-3-0


def value(name: str, states: np.ndarray) -> float:
    return measure_rows(states)[name].value


def values(states: np.ndarray) -> dict[str, float]:
    return {name: found.value for name, found in measure_rows(states).items()}


def by_class(states, values, split=None, kind=TaskType.MULTICLASS, metric="accuracy"):
    """Return target rows with labels; every third one is a test row by default."""
    labels = np.asarray(values, dtype=float)
    parts = np.arange(len(labels)) % 3 if split is None else split
    number = 0 if kind is TaskType.REGRESSION else int(labels.max()) + 1
    known = Labels(labels, np.asarray(parts, dtype=np.int8), kind, number, metric)
    return measures_of(Labelled(Rows(np.asarray(states, dtype=float)), known))


def siblings(states, parents) -> dict[str, Measurement]:
    rows = Rows(np.asarray(states, dtype=float))
    sizes = np.bincount(parents)[parents]
    return measures_of(Siblings(rows, np.asarray(parents), float((sizes > 1).mean())))


def tied(states, first, second) -> dict[str, Measurement]:
    rows = Rows(np.asarray(states, dtype=float))
    return measures_of(Pairs(rows, np.asarray(first), np.asarray(second)))


def column(*entries: float) -> np.ndarray:
    return np.array(entries, dtype=float)[:, None]


def every_measure(states: np.ndarray) -> dict[str, Measurement]:
    """Return all measures of twelve rows or more, with classes, parents and ties."""
    at = np.arange(len(states))
    return {
        **measures_of(Rows(states)),
        **by_class(states, at % 2),
        **siblings(states, at // 3),
        **tied(states, at, (at + 1) % len(states)),
    }


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


def turned(values: np.ndarray, rows: int) -> np.ndarray:
    """Return a matrix with these singular values, of no particular directions."""
    generator = np.random.default_rng(4)
    left, _ = np.linalg.qr(generator.normal(size=(rows, len(values))))
    right, _ = np.linalg.qr(generator.normal(size=(len(values), len(values))))
    return (left * values) @ right


@pytest.mark.parametrize("rows", [8, 12, 300])
@pytest.mark.parametrize(
    "values",
    [
        np.linspace(9, 2, 8),
        10.0 ** -np.arange(8),  # down to a square that doubles cannot tell from 0
        10.0 ** (-2.0 * np.arange(8)),  # to the rounding of the largest
        np.array([1, 1e-5, 1e-5, 1e-5, 1e-9, 1e-9, 0, 0]),
        np.array([1.0, 0, 0, 0, 0, 0, 0, 0]),
        np.zeros(8),
    ],
)
def test_singular_values_are_exact_to_eleven_digits_of_the_largest(
    values: np.ndarray, rows: int
) -> None:
    for matrix in (turned(values, rows), turned(values, rows).T):
        found = singular_values(matrix, matrix.T @ matrix)
        assert found == pytest.approx(values, rel=0, abs=1e-11 * values[0])


@pytest.mark.parametrize(
    "states",
    [
        np.outer(np.arange(1.0, 31), np.arange(1.0, 9)),  # one direction
        np.hstack([noise(30, 4), np.full((30, 4), 3.0)]),  # constant channels
        np.hstack([noise(30, 4), np.zeros((30, 4))]),  # dead channels
        noise(30, 8)[np.arange(30) % 3],  # three rows again and again
        1 + 1e-5 * noise(30, 8),
        noise(5, 8),
    ],
)
def test_ranks_are_those_of_a_singular_value_decomposition(states: np.ndarray) -> None:
    found = values(states)
    for name, matrix in (
        ("effective-rank", states),
        ("effective-rank-centred", states - states.mean(axis=0)),
    ):
        shares = np.linalg.svd(matrix, compute_uv=False)
        shares = shares[shares > 0] / shares.sum()
        expected = np.exp(-(shares * np.log(shares)).sum())
        assert found[name] == pytest.approx(expected, rel=1e-9), name


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


# --- classes ----------------------------------------------------------------


def gdr(states, values) -> Measurement:
    return by_class(states, values)["group-distance-ratio"]


def test_states_without_class_structure_have_a_ratio_of_one() -> None:
    generator = np.random.default_rng(0)
    states, classes = generator.normal(size=(700, 16)), generator.integers(0, 7, 700)
    assert gdr(states, classes).value == pytest.approx(1, abs=0.02)


def test_the_ratio_is_of_distances_between_over_within_counted_by_hand() -> None:
    # Within: |0−2| = 2 and |10−13| = 3, mean 2.5. Between: 10, 13, 8, 11, mean 10.5.
    found = gdr(column(0, 2, 10, 13), [0, 0, 1, 1])
    assert found.value == pytest.approx(10.5 / 2.5)


def test_classes_that_are_one_point_each_are_infinitely_far_apart() -> None:
    assert gdr(np.eye(3)[[0, 0, 1, 1, 2, 2]], [0, 0, 1, 1, 2, 2]).value == np.inf


@pytest.mark.parametrize("gap", [1, 1e-4, 1e-9])
@pytest.mark.parametrize("size", [6, 250])
def test_the_ratio_is_that_of_distances_taken_pair_by_pair(
    size: int, gap: float
) -> None:
    """Classes of rows that lie far apart, near and nearly at one point."""
    classes = np.arange(size) % 2
    states = noise(size, 5) * gap + classes[:, None]
    apart = squareform(pdist(states))
    alike = classes[:, None] == classes
    pairs = ~np.eye(size, dtype=bool)
    inside = [apart[alike & pairs & (classes == one)].mean() for one in (0, 1)]
    expected = apart[~alike].mean() / np.mean(inside)
    assert gdr(states, classes).value == pytest.approx(expected, rel=1e-7)


def test_equal_rows_have_no_ratio() -> None:
    found = gdr(np.ones((6, 2)), [0, 0, 0, 1, 1, 1])
    assert np.isnan(found.value)
    assert found.flag is Flag.COLLAPSED


def test_a_class_that_is_missing_or_has_one_row_is_left_out() -> None:
    whole = gdr(column(0, 2, 10, 13), [0, 0, 5, 5])
    more = gdr(column(0, 2, 10, 13, 99), [0, 0, 5, 5, 3])
    assert more.value == pytest.approx(whole.value)
    assert np.isnan(gdr(column(0, 2, 10, 13), [0, 0, 0, 1]).value)


def test_a_value_to_predict_has_no_classes() -> None:
    found = by_class(noise(), np.arange(40.0), kind=TaskType.REGRESSION, metric="r2")
    assert found["group-distance-ratio"].flag is Flag.NOT_DEFINED


# --- the probe --------------------------------------------------------------


def test_the_probe_finds_a_label_that_is_a_line_and_none_in_noise() -> None:
    states = np.random.default_rng(0).normal(size=(900, 8))
    line = (states @ np.arange(8.0) > 0).astype(int)
    assert by_class(states, line)["probe"].value > 0.95
    coin = np.random.default_rng(1).integers(0, 2, 900)
    assert abs(by_class(states, coin)["probe"].value - 0.5) < 0.1


def test_the_probe_never_reads_a_test_label() -> None:
    """Test labels that contradict the training labels score exactly zero."""
    states = np.random.default_rng(0).normal(size=(300, 1))
    labels = (states[:, 0] > 0).astype(int)
    test = np.arange(300) % 3 == 2
    found = by_class(states, np.where(test, 1 - labels, labels))["probe"].value
    true = by_class(states, labels)["probe"].value
    assert found == pytest.approx(1 - true)


def test_the_probe_scores_test_rows_alone() -> None:
    states = np.random.default_rng(0).normal(size=(300, 4))
    found = by_class(states, (states[:, 0] > 0).astype(int))["probe"]
    assert found.num_rows == 100


def test_the_probe_of_collapsed_states_scores_what_a_constant_does() -> None:
    labels = np.where(np.arange(300) % 5 == 0, 1, 0)
    found = by_class(np.tile([1.0, 2.0], (300, 1)), labels)["probe"].value
    assert found == pytest.approx((labels[2::3] == 0).mean())


def test_the_probe_does_not_read_the_rounding_of_collapsed_states() -> None:
    labels = np.arange(300) // 3 % 2
    states = np.ones((300, 1)) + 1e-9 * labels[:, None]
    assert by_class(states, labels)["probe"].value == pytest.approx(0.5)


def test_the_probe_of_values_is_scored_by_r2_whatever_the_metric() -> None:
    states = np.random.default_rng(0).normal(size=(300, 3))
    values = states @ np.array([1.0, -2.0, 0.5]) + 7
    for metric in ("r2", "mae"):
        found = by_class(states, values, kind=TaskType.REGRESSION, metric=metric)
        assert found["probe"].value == pytest.approx(1, abs=1e-4)


@pytest.mark.parametrize("metric", ["roc-auc", "average-precision", "log-loss"])
def test_the_probe_of_two_classes_scores_in_a_metric_where_higher_is_better(
    metric: str,
) -> None:
    states = np.random.default_rng(0).normal(size=(300, 3))
    labels = (states[:, 0] > 0).astype(int)
    found = by_class(states, labels, kind=TaskType.BINARY, metric=metric)
    assert found["probe"].value > 0.9


def test_the_probe_needs_rows_of_every_part() -> None:
    found = by_class(noise(9), np.arange(9) % 2, split=np.zeros(9))["probe"]
    assert np.isnan(found.value)
    assert found.flag is Flag.TOO_FEW_ROWS


# --- siblings ---------------------------------------------------------------


@pytest.mark.parametrize(
    ("children", "expected"),
    [((1, 1, 3, 3), 0), ((1, 3, 1, 3), 1), ((1, 2, 3, 4), 0.2)],
)
def test_within_parent_share_is_the_variance_inside_families(
    children: tuple[float, ...], expected: float
) -> None:
    found = siblings(column(*children), [0, 0, 1, 1])
    assert found["within-parent-share"].value == pytest.approx(expected)
    assert found["within-parent-null"].value == pytest.approx(2 / 3)
    assert found["sibling-coverage"].value == 1


def test_a_one_to_one_key_has_no_within_parent_share() -> None:
    found = siblings(noise(5), [0, 1, 2, 3, 4])
    assert np.isnan(found["within-parent-share"].value)
    assert found["within-parent-share"].flag is Flag.NOT_DEFINED
    assert found["sibling-coverage"].value == 0


def test_an_only_child_takes_no_part() -> None:
    found = siblings(column(1, 2, 3, 4, 99), [0, 0, 1, 1, 2])
    assert found["within-parent-share"].value == pytest.approx(0.2)
    assert found["within-parent-share"].num_rows == 4
    assert found["sibling-coverage"].value == pytest.approx(4 / 5)


def test_independent_rows_lie_on_the_null_line() -> None:
    states = np.random.default_rng(0).normal(size=(2000, 8))
    found = siblings(states, np.arange(2000) // 4)
    # 2000 children of 500 parents.
    assert found["within-parent-null"].value == pytest.approx(1500 / 1999)
    assert found["within-parent-share"].value == pytest.approx(1500 / 1999, abs=0.01)


def test_the_within_parent_share_is_the_energy_on_cliques_of_siblings() -> None:
    states, parents = noise(12), np.arange(12) // 3
    centred = states - states.mean(axis=0)
    cliques = sum(
        ((states[i] - states[j]) ** 2).sum() / (2 * 3)
        for i in range(12)
        for j in range(12)
        if parents[i] == parents[j]
    )
    found = siblings(states, parents)["within-parent-share"].value
    assert found == pytest.approx(cliques / (centred**2).sum())


def test_equal_rows_have_nothing_to_share_out() -> None:
    found = siblings(np.ones((4, 2)), [0, 0, 1, 1])["within-parent-share"]
    assert np.isnan(found.value)
    assert found.flag is Flag.COLLAPSED


def test_a_single_family_has_no_between() -> None:
    found = siblings(noise(4), [7, 7, 7, 7])["within-parent-share"]
    assert found.flag is Flag.TOO_FEW_ROWS


# --- ties -------------------------------------------------------------------


@pytest.mark.parametrize(
    ("states", "combinatorial", "augmented"),
    [
        ((0, 1, 0, 1), 2, 2 / 3),  # E_sum 4, E_aug 4/3, ‖X‖² 2
        ((1, 0, -1, 0), 2, 2 / 3),
        ((1, -1, 1, -1), 4, 4 / 3),  # E_sum 16, E_aug 16/3, ‖X‖² 4
        ((1, 1, 1, 1), 0, 0),
    ],
)
def test_rayleigh_quotients_on_the_ring_of_four(
    states: tuple[float, ...], combinatorial: float, augmented: float
) -> None:
    found = tied(column(*states), *RING)
    assert found["edge-rayleigh"].value == pytest.approx(combinatorial)
    assert found["edge-rayleigh-augmented"].value == pytest.approx(augmented)


def test_rayleigh_quotients_on_the_star_of_four() -> None:
    star = [0, 0, 0], [1, 2, 3]
    degrees = np.array([3.0, 1, 1, 1])
    same = tied(column(1, 1, 1, 1), *star)
    assert same["edge-rayleigh"].value == 0
    # E_aug 0.1287 over ‖X‖² = 4.
    assert same["edge-rayleigh-augmented"].value == pytest.approx(0.1287 / 4, abs=1e-4)
    shaped = tied(column(*np.sqrt(1 + degrees)), *star)
    assert shaped["edge-rayleigh-augmented"].value == pytest.approx(0, abs=1e-15)
    assert tied(column(*np.sqrt(degrees)), *star)["edge-rayleigh"].value == (
        pytest.approx(1.608 / 6, abs=1e-4)
    )


def test_one_step_of_averaging_shrinks_augmented_energy_on_the_ring_ninefold() -> None:
    ring = np.roll(np.eye(4), 1, axis=0)
    step = (np.eye(4) + ring + ring.T) / 3
    for states in (column(0, 1, 0, -1), column(1, -1, 1, -1)):
        before = tied(states, *RING)["edge-rayleigh-augmented"].value
        after = tied(step @ states, *RING)["edge-rayleigh-augmented"].value
        energy = before * (states**2).sum()
        assert after * ((step @ states) ** 2).sum() == pytest.approx(energy / 9)


def test_alternating_rows_on_the_ring_are_two_apart_along_every_edge() -> None:
    found = tied(column(1, -1, 1, -1), *RING)
    assert found["edge-cosine-distance"].value == pytest.approx(2)
    assert found["cosine-gap"].value == pytest.approx(4 / 3 - 2)


def test_doubled_ties_both_ways_round_and_loops_change_nothing() -> None:
    at = np.arange(12)
    once = tied(noise(12), at, (at + 1) % 12)
    more = tied(
        noise(12),
        np.concatenate([at, (at + 1) % 12, at, at]),
        np.concatenate([(at + 1) % 12, at, (at + 1) % 12, at]),
    )
    assert {name: one.value for name, one in more.items()} == pytest.approx(
        {name: one.value for name, one in once.items()}
    )


def test_a_dead_row_has_no_part_in_edge_distances() -> None:
    """The two live rows point alike; to the dead one there is no distance."""
    found = tied([[1.0, 0.0], [2.0, 0.0], [0.0, 0.0]], [0, 1], [1, 2])
    assert found["edge-cosine-distance"].value == pytest.approx(0, abs=1e-15)
    assert found["cosine-gap"].value == pytest.approx(0, abs=1e-15)


def test_rows_without_a_tie_have_no_edge_measures() -> None:
    for found in tied(noise(4), [2], [2]).values():
        assert np.isnan(found.value)
        assert found.flag is Flag.NOT_DEFINED


# --- laws over the whole registry -------------------------------------------


def test_every_measure_is_reached_by_one_of_the_views() -> None:
    assert set(every_measure(noise(12))) == set(MEASURES)


@pytest.mark.parametrize("exponent", [-150, -12, 12, 150])
def test_size_changes_no_measure_but_scale(exponent: int) -> None:
    before, after = every_measure(noise(30)), every_measure(noise(30) * 10.0**exponent)
    for name in sorted(set(MEASURES) - {"scale"}):
        assert after[name].value == pytest.approx(before[name].value, rel=1e-9), name


def test_rotating_the_channels_changes_no_measure() -> None:
    """The probe alone standardises channel by channel, so it may move."""
    turn, _ = np.linalg.qr(np.random.default_rng(1).normal(size=(6, 6)))
    before, after = every_measure(noise(30)), every_measure(noise(30) @ turn)
    for name in sorted(set(MEASURES) - {"probe"}):
        assert after[name].value == pytest.approx(before[name].value, rel=1e-9), name


def test_the_order_of_rows_changes_no_measure() -> None:
    states, at = noise(30), np.arange(30)
    order = np.random.default_rng(1).permutation(30)
    back = np.argsort(order)
    before = every_measure(states)
    after = {
        **measures_of(Rows(states[order])),
        **by_class(states[order], (at % 2)[order], split=(at % 3)[order]),
        **siblings(states[order], (at // 3)[order]),
        **tied(states[order], back[at], back[(at + 1) % 30]),
    }
    for name in MEASURES:
        assert after[name].value == pytest.approx(before[name].value, rel=1e-9), name


def test_a_common_row_added_changes_only_what_reads_directions_or_size() -> None:
    before, after = every_measure(noise(30)), every_measure(noise(30) + 5.0)
    kept = {
        name
        for name in MEASURES
        if after[name].value == pytest.approx(before[name].value, rel=1e-9)
    }
    assert kept >= {
        *("effective-rank-centred", "within-parent-share", "group-distance-ratio"),
        *("probe", "dead-share", "within-parent-null", "sibling-coverage"),
    }
    assert kept.isdisjoint(
        {"variance-share", "cosine-distance", "effective-rank", "edge-rayleigh"}
    )


@pytest.mark.parametrize("bad", [np.nan, np.inf])
def test_what_is_not_finite_has_no_value_in_any_measure(bad: float) -> None:
    states = noise(30)
    states[2, 1] = bad
    for name, found in every_measure(states).items():
        assert np.isnan(found.value), name
        assert found.flag is Flag.NOT_FINITE, name


def test_rows_of_zeros_have_no_value_in_any_measure_but_scale() -> None:
    for name, found in every_measure(np.zeros((12, 3))).items():
        assert found.flag is Flag.ZERO, name
        assert np.isnan(found.value) or name == "scale", name
