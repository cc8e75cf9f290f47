"""A linear head in closed form: how well columns predict a label, in milliseconds.

Ridge regression on the labels, for classes on one column of 0 and 1 a class. Only the
penalty is chosen, on the validation rows; test rows are scored once.
"""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from scipy.linalg import cho_factor, cho_solve

from workbench.score import METRICS, Metric
from workbench.task import TEST, TRAIN, VAL, Task, TaskType

PENALTIES = (1e-2, 1e-1, 1.0, 10.0, 100.0)
NUM_BENDS = 128
RARE_CLASS_SHARE = 0.2
LEAST_SHARE = 1e-3
LEAST_SPREAD = 1e-6
LEAST_PENALTY = 1e-6  # of the constant
FARTHEST = 10.0  # deviations
SEED = 0


@dataclass(frozen=True, slots=True)
class HeadScore:
    """What a head scores.

    Attributes:
        val: Score on the validation rows, by which the penalty was chosen.
        test: Score on the test rows; nothing was chosen by it.
        penalty: The chosen penalty, in training rows.
    """

    val: float
    test: float
    penalty: float


def fit_head(design: np.ndarray, task: Task, places: np.ndarray) -> HeadScore:
    """Fit ridge heads on the training rows and score the one that validates best.

    Beside the columns themselves the head sees 128 fixed random bends of them
    (ReLU of random directions), so that it is not blind to what only several columns
    together tell. Classes are weighed as in training where one is rare.

    Args:
        design: float [rows, columns]; no column needs a certain scale.
        task: Labels and split.
        places: int64 [rows]: which of the task's rows the design is of.

    Returns:
        Scores in the task's metric; NaN where it is not defined.

    Source: Hoerl, Kennard (1970), Technometrics 12(1); the bends are those of an
        extreme learning machine, Huang et al. (2006), Neurocomputing 70.
    """
    metric = METRICS[task.metric]
    labels, split = task.labels[places], task.split[places]
    train, val, test = (np.flatnonzero(split == part) for part in (TRAIN, VAL, TEST))
    columns = _with_bends(_standardised(design, train))
    wanted = _wanted(task, labels[train])
    weights = _weights(task, metric, labels[train])
    sign = 1 if metric.higher_is_better else -1
    best = HeadScore(np.nan, np.nan, np.nan)
    for penalty, solved in _ridge(columns[train], wanted, weights):
        found = metric.score(labels[val], _outputs(task, columns[val], solved))
        if np.isnan(best.val) or sign * found > sign * best.val:
            score = metric.score(labels[test], _outputs(task, columns[test], solved))
            best = HeadScore(found, score, penalty)
    return best


def _standardised(design: np.ndarray, train: np.ndarray) -> np.ndarray:
    """Return columns of mean 0 and deviation 1 on training rows, constant ones out."""
    known = design[train]
    deviation = known.std(axis=0)
    varies = np.flatnonzero(deviation > LEAST_SPREAD)
    centre, scale = known.mean(axis=0)[varies], 1 / deviation[varies]
    shifted = (design[:, varies] - centre) * scale
    return np.clip(shifted, -FARTHEST, FARTHEST, out=shifted)


def _with_bends(columns: np.ndarray) -> np.ndarray:
    """Return the columns, ReLU of random mixtures of them, and a column of ones."""
    number = columns.shape[1]
    ones = np.ones((len(columns), 1), dtype=np.float32)
    if not number:
        return ones
    generator = np.random.default_rng([SEED, number])
    mixtures = generator.standard_normal((number, NUM_BENDS)) / np.sqrt(number)
    bends = columns @ mixtures.astype(np.float32)
    return np.hstack([columns, np.maximum(bends, 0, out=bends), ones])


def _wanted(task: Task, labels: np.ndarray) -> np.ndarray:
    """Return what the head is fitted to, [rows, outputs]: values, or 0 and 1."""
    if task.task_type is TaskType.MULTICLASS:
        return np.eye(len(task.classes))[labels.astype(int)]
    return labels[:, None]


def _weights(task: Task, metric: Metric, labels: np.ndarray) -> np.ndarray:
    """Return inverse class shares where a class is rare, as in training, else ones."""
    if task.task_type is TaskType.REGRESSION or metric.name == "log-loss":
        return np.ones(len(labels))
    classes = labels.astype(int)
    counts = np.bincount(classes, minlength=len(task.classes))
    shares = np.maximum(counts, 1) / max(len(labels), 1)
    if shares.min() >= RARE_CLASS_SHARE:
        return np.ones(len(labels))
    return (1 / (shares * len(shares)))[classes]


def _ridge(
    columns: np.ndarray, wanted: np.ndarray, weights: np.ndarray
) -> Iterator[tuple[float, np.ndarray]]:
    """Yield every penalty with its coefficients [columns, outputs]."""
    weighed = columns * weights.astype(np.float32)[:, None]
    gram = (weighed.T @ columns).astype(np.float64)
    cross = (weighed.T @ wanted.astype(np.float32)).astype(np.float64)
    held = np.append(np.ones(len(gram) - 1), LEAST_PENALTY) * weights.sum()
    for penalty in PENALTIES:
        yield penalty, cho_solve(cho_factor(gram + np.diag(penalty * held)), cross)


def _outputs(task: Task, columns: np.ndarray, solved: np.ndarray) -> np.ndarray:
    """Return what a head says of rows, in the form that metrics read."""
    raw = (columns @ solved.astype(np.float32)).astype(np.float64)
    match task.task_type:
        case TaskType.REGRESSION:
            return raw[:, 0]
        case TaskType.BINARY:
            return np.clip(raw[:, 0], LEAST_SHARE, 1 - LEAST_SHARE)
        case TaskType.MULTICLASS:
            shares = np.clip(raw, LEAST_SHARE, 1)
            return shares / shares.sum(axis=1, keepdims=True)
