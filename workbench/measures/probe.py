"""Whether the label is still in the states: a linear probe, fitted per layer."""

from collections.abc import Mapping
from types import MappingProxyType

import numpy as np

from workbench.measure import PRECISION, Flag, Measure, Measurement
from workbench.score import METRICS
from workbench.task import TEST, TRAIN, VAL, TaskType
from workbench.view import Labelled, Labels

# Penalties over the number of training rows: from hardly any to nothing but the mean.
PENALTIES = 10.0 ** np.arange(-6, 5)
# A linear probe gives no probabilities, and a score must be higher when better.
SUBSTITUTES: Mapping[str, str] = MappingProxyType({"log-loss": "accuracy", "mae": "r2"})


def probe(labelled: Labelled) -> Measurement:
    """Return the test score of a ridge regression from states to labels."""
    labels = labelled.labels
    train, val, test = (labels.split == part for part in (TRAIN, VAL, TEST))
    number = int(test.sum())
    if min(train.sum(), val.sum(), test.sum()) < 2:
        return Measurement(float("nan"), number, Flag.TOO_FEW_ROWS)
    states = _standardised(labelled.rows.scaled, train)
    wanted = _wanted(labels)
    centre = wanted[train].mean(axis=0)
    fits = _ridges(states[train], wanted[train] - centre)
    best, chosen = -np.inf, fits[-1]
    for weights in reversed(fits):  # of equals the most penalised
        score = _score(labels, states[val] @ weights + centre, val)
        if score > best:
            best, chosen = score, weights
    value = _score(labels, states[test] @ chosen + centre, test)
    flag = Flag.NONE if np.isfinite(value) else Flag.NOT_DEFINED
    return Measurement(value, number, flag)


def _standardised(states: np.ndarray, train: np.ndarray) -> np.ndarray:
    """Scale channels by the training rows; one without variance becomes 0."""
    mean = states[train].mean(axis=0)
    spread = states[train].std(axis=0)
    size = np.sqrt((states[train] ** 2).mean(axis=0))
    # What is left below is the rounding of float32 states.
    varies = spread > np.sqrt(PRECISION) * size
    return np.where(varies, (states - mean) / np.where(varies, spread, 1), 0)


def _wanted(labels: Labels) -> np.ndarray:
    """Return one-hot classes [rows, classes], or values [rows, 1]."""
    if labels.task_type is TaskType.REGRESSION:
        return labels.values[:, None]
    return np.eye(labels.num_classes)[labels.values.astype(int)]


def _ridges(states: np.ndarray, wanted: np.ndarray) -> list[np.ndarray]:
    """Return the weights of every penalty, the smallest penalty first."""
    values, vectors = np.linalg.eigh(states.T @ states / len(states))
    turned = vectors.T @ (states.T @ wanted) / len(states)
    return [
        vectors @ (turned / (values.clip(min=0) + penalty)[:, None])
        for penalty in PENALTIES
    ]


def _score(labels: Labels, outputs: np.ndarray, rows: np.ndarray) -> float:
    metric = METRICS[SUBSTITUTES.get(labels.metric, labels.metric)]
    found = outputs[:, 0] if outputs.shape[1] == 1 else outputs
    if labels.task_type is TaskType.BINARY:
        found = outputs[:, 1]
    return float(metric.score(labels.values[rows], found))


PROBE = Measure(
    name="probe",
    title="Is the label still in the states? (linear probe)",
    function=probe,
    formula=(
        "test score of the ridge regression from standardised states to one-hot classes"
        " (or values), fitted on training rows, its penalty chosen on validation rows;"
        " in the task's metric, accuracy in place of log loss and R² in place of MAE"
    ),
    value_range="the metric's; higher is better",
    at_collapse="what a constant scores",
    comparable="layers and graphs, on the same rows and width",
    source=(
        "Alain, Bengio (2016), arXiv:1610.01644; differs in: ridge in closed form, so"
        " that no optimiser takes part"
    ),
    min_rows=6,
    takes=Labelled,
)
