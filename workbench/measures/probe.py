"""Whether the label is still in the states: a linear probe, fitted per layer."""

from collections.abc import Mapping
from types import MappingProxyType

import numpy as np

from workbench.measure import PRECISION, Flag, Measure, Measurement
from workbench.score import METRICS
from workbench.task import TEST, TRAIN, VAL, TaskType
from workbench.view import Labelled, Labels

# Penalties over the number of training rows: from nothing but the mean to hardly any.
PENALTIES = 10.0 ** np.arange(4, -7, -1)
# A linear probe gives no probabilities, and a score must be higher when better.
SUBSTITUTES: Mapping[str, str] = MappingProxyType({"log-loss": "accuracy", "mae": "r2"})


def probe(labelled: Labelled) -> Measurement:
    """Return the test score of a ridge regression from states to labels."""
    labels = labelled.labels
    train, val, test = (labels.split == part for part in (TRAIN, VAL, TEST))
    number = int(test.sum())
    if min(train.sum(), val.sum(), test.sum()) < 2:
        return Measurement(float("nan"), number, Flag.TOO_FEW_ROWS)
    wanted = _wanted(labels)
    centre = wanted[train].mean(axis=0)
    states = labelled.rows.scaled
    origin, weights = _ridges(states[train], wanted[train] - centre)
    guesses = np.tensordot(states[val] - origin, weights, axes=1) + centre
    # Of equals the most penalised, which comes first.
    scores = [_score(labels, guesses[:, at], val) for at in range(len(PENALTIES))]
    chosen = int(np.argmax(np.nan_to_num(scores, nan=-np.inf)))
    value = _score(labels, (states[test] - origin) @ weights[:, chosen] + centre, test)
    flag = Flag.NONE if np.isfinite(value) else Flag.NOT_DEFINED
    return Measurement(value, number, flag)


def _wanted(labels: Labels) -> np.ndarray:
    """Return one-hot classes [rows, classes], or values [rows, 1]."""
    if labels.task_type is TaskType.REGRESSION:
        return labels.values[:, None]
    return np.eye(labels.num_classes)[labels.values.astype(int)]


def _ridges(states: np.ndarray, wanted: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return the mean of the states and the weights of every penalty.

    Channels are standardised; one without variance has no weight.

    Returns:
        Mean [channels]; weights [channels, penalties, outputs] of states less it.
    """
    number, mean = len(states), states.mean(axis=0)
    centred = states - mean
    square = centred.T @ centred / number
    spread = np.sqrt(np.diag(square))
    # What is left below is the rounding of float32 states.
    varies = spread > np.sqrt(PRECISION) * np.sqrt(spread**2 + mean**2)
    shrink = np.where(varies, 1 / np.where(varies, spread, 1), 0)
    values, vectors = np.linalg.eigh(square * np.outer(shrink, shrink))
    turned = vectors.T @ (shrink[:, None] * (centred.T @ wanted)) / number
    shares = 1 / (values.clip(min=0)[:, None] + PENALTIES)  # [channels, penalties]
    weights = np.tensordot(vectors, turned[:, None] * shares[:, :, None], axes=1)
    return mean, shrink[:, None, None] * weights


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
