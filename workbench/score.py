"""What a prediction is worth: the metrics users choose from.

They are written out here because a bootstrap calls them thousands of times, and most of
a library call goes into checking its input; the tests hold them to scikit-learn's.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from types import MappingProxyType

import numpy as np

from workbench.task import TaskType

Scorer = Callable[[np.ndarray, np.ndarray], float]
CLASSES = (TaskType.BINARY, TaskType.MULTICLASS)


@dataclass(frozen=True, slots=True)
class Metric:
    """A score of predictions against labels.

    Attributes:
        name: What users type.
        label: The name in plain words, the field's term beside it.
        higher_is_better: False for losses and errors.
        task_types: The tasks it can judge.
        score: Takes labels [rows] and outputs (probability of class 1 [rows],
            probabilities [rows, classes] or values [rows]) and returns the score; NaN
            where it is not defined, such as one class alone under ROC-AUC.
        formula: The definition, with range.
        source: Where it comes from.
    """

    name: str
    label: str
    higher_is_better: bool
    task_types: tuple[TaskType, ...]
    score: Scorer
    formula: str
    source: str


def constant_outputs(
    task_type: TaskType, train_labels: np.ndarray, num_classes: int, num_rows: int
) -> np.ndarray:
    """Return what a predictor that knows nothing but the training labels says.

    Class shares for classes, the mean for values; as many rows as asked for.
    """
    match task_type:
        case TaskType.BINARY:
            return np.full(num_rows, train_labels.mean())
        case TaskType.MULTICLASS:
            counts = np.bincount(train_labels.astype(int), minlength=num_classes)
            return np.tile(counts / counts.sum(), (num_rows, 1))
        case TaskType.REGRESSION:
            return np.full(num_rows, train_labels.mean())


def _chosen(outputs: np.ndarray) -> np.ndarray:
    """Return the predicted class of each row."""
    return outputs.argmax(axis=1) if outputs.ndim == 2 else (outputs >= 0.5).astype(int)


def _per_class(labels: np.ndarray, outputs: np.ndarray, score: Scorer) -> float:
    """Return a binary score, or its mean over the classes that labels hold."""
    if len(np.unique(labels)) < 2 or not np.isfinite(outputs).all():
        return float("nan")
    if outputs.ndim == 1:
        return float(score(labels > 0, outputs))
    present = np.unique(labels).astype(int)
    scores = [score(labels == each, outputs[:, each]) for each in present]
    return float(np.mean(scores))


def _roc_auc(labels: np.ndarray, outputs: np.ndarray) -> float:
    return _per_class(labels, outputs, _ranking)


def _ranking(is_positive: np.ndarray, outputs: np.ndarray) -> float:
    """Return the share of pairs of a positive and a negative in the right order."""
    num_positive = is_positive.sum()
    num_pairs = num_positive * (len(is_positive) - num_positive)
    from scipy.stats import rankdata  # slow to load, and seldom needed

    ranks = rankdata(outputs)[is_positive].sum()
    return float((ranks - num_positive * (num_positive + 1) / 2) / num_pairs)


def _average_precision(labels: np.ndarray, outputs: np.ndarray) -> float:
    return _per_class(labels, outputs, _mean_precision)


def _mean_precision(is_positive: np.ndarray, outputs: np.ndarray) -> float:
    """Return the mean, over positives, of the precision at their own output."""
    order = np.argsort(-outputs, kind="stable")
    falls = np.flatnonzero(np.diff(outputs[order]))  # rows of one output count at once
    ends = np.append(falls, len(order) - 1)
    found = np.cumsum(is_positive[order])[ends]
    return float((np.diff(found, prepend=0) * found / (ends + 1)).sum() / found[-1])


def _log_loss(labels: np.ndarray, outputs: np.ndarray) -> float:
    if not len(labels):
        return float("nan")
    columns = outputs if outputs.ndim == 2 else np.column_stack([1 - outputs, outputs])
    own = columns[np.arange(len(labels)), labels.astype(int)]
    return float(-np.log(np.clip(own, np.finfo(float).eps, 1)).mean())


def _accuracy(labels: np.ndarray, outputs: np.ndarray) -> float:
    return float((_chosen(outputs) == labels).mean()) if len(labels) else float("nan")


def _macro_f1(labels: np.ndarray, outputs: np.ndarray) -> float:
    if not len(labels):
        return float("nan")
    own, chosen = labels.astype(int), _chosen(outputs)
    number = int(max(own.max(), chosen.max())) + 1
    hits = np.bincount(own[own == chosen], minlength=number)
    sizes = np.bincount(own, minlength=number) + np.bincount(chosen, minlength=number)
    return float((2 * hits[sizes > 0] / sizes[sizes > 0]).mean())


def _mae(labels: np.ndarray, outputs: np.ndarray) -> float:
    return float(np.abs(labels - outputs).mean()) if len(labels) else float("nan")


def _r2(labels: np.ndarray, outputs: np.ndarray) -> float:
    if len(labels) < 2 or not np.ptp(labels) or not np.isfinite(outputs).all():
        return float("nan")
    missed = ((labels - outputs) ** 2).sum()
    return float(1 - missed / ((labels - labels.mean()) ** 2).sum())


METRICS: Mapping[str, Metric] = MappingProxyType(
    {
        metric.name: metric
        for metric in (
            Metric(
                "roc-auc",
                "Ranking of positives above negatives (ROC-AUC)",
                True,
                CLASSES,
                _roc_auc,
                "P(score of a positive > score of a negative), ties half, in [0, 1],"
                " .5 at chance; several classes: mean over one class against the rest",
                "Hanley, McNeil (1982), Radiology 143(1)",
            ),
            Metric(
                "average-precision",
                "Precision over all recalls (average precision)",
                True,
                CLASSES,
                _average_precision,
                "Σ (recall_n − recall_{n−1}) precision_n, in [0, 1], the positive share"
                " at chance; several classes: mean over one class against the rest",
                "scikit-learn, average_precision_score",
            ),
            Metric(
                "log-loss",
                "Surprise at the labels (log loss)",
                False,
                CLASSES,
                _log_loss,
                "−mean ln p(own class), in [0, ∞)",
                "Good (1952), JRSS B 14(1)",
            ),
            Metric(
                "accuracy",
                "Share predicted right (accuracy)",
                True,
                CLASSES,
                _accuracy,
                "share of rows whose likeliest class is their own, in [0, 1]",
                "scikit-learn, accuracy_score",
            ),
            Metric(
                "macro-f1",
                "F1, every class counted alike (macro F1)",
                True,
                CLASSES,
                _macro_f1,
                "mean of 2PR / (P + R) over the classes in labels or predictions,"
                " in [0, 1]",
                "van Rijsbergen (1979), Information Retrieval",
            ),
            Metric(
                "mae",
                "Mean absolute error (MAE)",
                False,
                (TaskType.REGRESSION,),
                _mae,
                "mean |label − prediction|, in [0, ∞), in the label's unit",
                "scikit-learn, mean_absolute_error",
            ),
            Metric(
                "r2",
                "Share of variance explained (R²)",
                True,
                (TaskType.REGRESSION,),
                _r2,
                "1 − Σ (label − prediction)² / Σ (label − mean)², in (−∞, 1], 0 for"
                " the mean",
                "scikit-learn, r2_score",
            ),
        )
    }
)
