"""Metrics against values counted by hand, and the labels they cannot judge."""

import numpy as np
import pytest
from sklearn import metrics

from workbench.score import METRICS, constant_outputs
from workbench.task import DEFAULT_METRICS, TaskType

LABELS = np.array([0.0, 0.0, 1.0, 1.0])
CHANCES = np.array([0.1, 0.4, 0.35, 0.8])
CLASS_TASKS = (TaskType.BINARY, TaskType.MULTICLASS)
CLASSES = np.array([0.0, 1.0, 2.0])
SHARES = np.array([[0.5, 0.3, 0.2], [0.6, 0.3, 0.1], [0.2, 0.2, 0.6]])


def score(name: str, labels: np.ndarray, outputs: np.ndarray) -> float:
    return METRICS[name].score(labels, outputs)


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("roc-auc", 3 / 4),  # of four pairs only .4 above .35 is wrong
        ("average-precision", (1 + 2 / 3) / 2),  # precision at each positive
        ("log-loss", -np.log([0.9, 0.6, 0.35, 0.8]).mean()),
        ("accuracy", 3 / 4),
        ("macro-f1", (4 / 5 + 2 / 3) / 2),  # of 0: P 2/3, R 1; of 1: P 1, R 1/2
    ],
)
def test_two_classes_are_scored_as_counted_by_hand(name: str, expected: float) -> None:
    assert score(name, LABELS, CHANCES) == pytest.approx(expected)


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        # Class 0: .5 below .6, above .2, 1/2; class 1: both rivals: .3 ties .3 and
        # beats .2, 3/4; class 2: 1.
        ("roc-auc", (1 / 2 + 3 / 4 + 1) / 3),
        ("log-loss", -np.log([0.5, 0.3, 0.6]).mean()),
        ("accuracy", 2 / 3),
        ("macro-f1", (2 / 3 + 0 + 1) / 3),
    ],
)
def test_several_classes_count_alike(name: str, expected: float) -> None:
    assert score(name, CLASSES, SHARES) == pytest.approx(expected)


def test_values_are_scored_as_counted_by_hand() -> None:
    labels, outputs = np.array([1.0, 2.0, 3.0]), np.array([1.0, 2.5, 2.0])
    assert score("mae", labels, outputs) == pytest.approx(1.5 / 3)
    assert score("r2", labels, outputs) == pytest.approx(1 - 1.25 / 2)


REFERENCE = {
    "roc-auc": lambda y, p: metrics.roc_auc_score(y, p, multi_class="ovr"),
    "average-precision": metrics.average_precision_score,
    "log-loss": metrics.log_loss,
    "accuracy": lambda y, p: metrics.accuracy_score(y, chosen(p)),
    "macro-f1": lambda y, p: metrics.f1_score(y, chosen(p), average="macro"),
    "mae": metrics.mean_absolute_error,
    "r2": metrics.r2_score,
}


def chosen(outputs: np.ndarray) -> np.ndarray:
    return outputs.argmax(axis=1) if outputs.ndim == 2 else outputs >= 0.5


def test_every_metric_has_a_reference() -> None:
    assert set(REFERENCE) == set(METRICS)


@pytest.mark.parametrize("name", sorted(METRICS))
def test_two_classes_or_values_score_as_in_scikit_learn_ties_included(
    name: str,
) -> None:
    generator = np.random.default_rng(0)
    for digits in (1, 2, 16):
        outputs = generator.uniform(size=60).round(digits)
        labels = (outputs + generator.normal(0, 0.5, 60) > 0.5).astype(float)
        expected = REFERENCE[name](labels, outputs)
        assert score(name, labels, outputs) == pytest.approx(expected, abs=1e-12)


@pytest.mark.parametrize(
    "name", [each.name for each in METRICS.values() if each.task_types == CLASS_TASKS]
)
def test_several_classes_score_as_in_scikit_learn(name: str) -> None:
    generator = np.random.default_rng(1)
    outputs = generator.dirichlet(np.ones(4), 80)
    labels = np.array([generator.choice(4, p=each) for each in outputs], dtype=float)
    expected = REFERENCE[name](labels, outputs)
    assert score(name, labels, outputs) == pytest.approx(expected, abs=1e-12)


def test_one_half_is_the_first_chance_that_counts_as_class_one() -> None:
    assert score("accuracy", np.array([1.0, 0.0]), np.array([0.5, 0.4999])) == 1


def test_a_class_that_no_row_has_is_left_out_of_the_mean() -> None:
    labels = np.array([0.0, 1.0])
    outputs = np.array([[0.7, 0.2, 0.1], [0.1, 0.8, 0.1]])
    assert score("roc-auc", labels, outputs) == 1


@pytest.mark.parametrize("name", ["roc-auc", "average-precision"])
def test_one_class_alone_cannot_be_ranked(name: str) -> None:
    assert np.isnan(score(name, np.ones(3), np.array([0.2, 0.5, 0.9])))


def test_labels_that_are_all_equal_have_no_variance_to_explain() -> None:
    # The variance of three times .1 is not exactly zero in floating point.
    assert np.isnan(score("r2", np.full(3, 0.1), np.zeros(3)))


@pytest.mark.parametrize("name", sorted(METRICS))
def test_no_rows_have_no_score(name: str) -> None:
    assert np.isnan(score(name, np.array([]), np.array([])))


@pytest.mark.parametrize("name", ["roc-auc", "average-precision", "r2"])
def test_outputs_that_are_not_finite_have_no_score(name: str) -> None:
    assert np.isnan(score(name, LABELS, np.array([0.1, np.nan, 0.3, 0.4])))


def test_being_sure_and_wrong_costs_much_but_not_everything() -> None:
    found = score("log-loss", np.array([1.0, 0.0]), np.array([0.0, 0.0]))
    assert 10 < found < np.inf


@pytest.mark.parametrize("name", sorted(METRICS))
def test_a_perfect_prediction_is_never_beaten(name: str) -> None:
    metric = METRICS[name]
    worse = score(name, LABELS, np.array([0.4, 0.2, 0.3, 0.9]))
    best = score(name, LABELS, LABELS)
    assert best > worse if metric.higher_is_better else best < worse


@pytest.mark.parametrize("name", sorted(METRICS))
def test_the_order_of_rows_does_not_change_a_score(name: str) -> None:
    order = np.array([2, 0, 3, 1])
    turned = score(name, LABELS[order], CHANCES[order])
    assert turned == pytest.approx(score(name, LABELS, CHANCES))


@pytest.mark.parametrize("task_type", list(TaskType))
def test_every_kind_of_task_has_a_metric_that_can_judge_it(task_type: TaskType) -> None:
    assert task_type in METRICS[DEFAULT_METRICS[task_type]].task_types


def test_the_default_metrics_are_the_documented_ones() -> None:
    found = {str(each): name for each, name in DEFAULT_METRICS.items()}
    assert found == {"binary": "roc-auc", "multiclass": "accuracy", "regression": "r2"}


def test_a_constant_ranks_at_chance_and_explains_nothing() -> None:
    chances = constant_outputs(TaskType.BINARY, np.array([0.0, 0.0, 1.0]), 2, 4)
    assert chances == pytest.approx(np.full(4, 1 / 3))
    assert score("roc-auc", LABELS, chances) == 1 / 2
    means = constant_outputs(TaskType.REGRESSION, LABELS, 0, 4)
    assert score("r2", LABELS, means) == pytest.approx(0)


def test_a_constant_says_the_class_shares_of_the_training_rows() -> None:
    labels = np.array([0.0, 2.0, 2.0, 2.0])
    outputs = constant_outputs(TaskType.MULTICLASS, labels, 3, 2)
    assert outputs == pytest.approx(np.array([[0.25, 0, 0.75], [0.25, 0, 0.75]]))
