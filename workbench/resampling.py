"""The noise of having these test rows and no others, beside that of training again.

Scores of thousands of resampled test sets are taken at once: a resample is a row of
weights, and every metric here is a formula of weighted sums.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from types import MappingProxyType

import numpy as np
import pandas as pd

from workbench.comparison import Cell, RowNoise, Series
from workbench.inference import LEVEL

NUM_RESAMPLES = 2000
FEWEST_RESAMPLES = 200
MAX_WEIGHTS = 2 * 10**8  # resamples × test rows × networks, a few seconds of work
CHUNK = 2 * 10**6

Weights = np.ndarray  # [resamples, rows]: how often each test row was drawn
WeightedScorer = Callable[[np.ndarray, np.ndarray, Weights], np.ndarray]


@dataclass(frozen=True, slots=True)
class TestRows:
    """What every network said of every test row.

    Attributes:
        predictions: As in ``predictions.parquet``.
        classes: The classes in the order of their labels; empty for values.
        groups: By source the group of each row, by its key, where the split keeps
            groups together: rows of a group are drawn together.
    """

    __test__ = False  # for pytest, which takes it for a test by its name

    predictions: pd.DataFrame
    classes: tuple[str, ...] = ()
    groups: Mapping[str, Mapping[str, str]] = field(
        default_factory=lambda: MappingProxyType({})
    )


class Resampled:
    """Scores of resampled test rows for some cells.

    Args:
        rows: What was said of the test rows.
        cells: The cells to look at.
        metric: Name in ``METRICS``. Of several classes only the share that is right
            and macro F1 can be told from what predictions keep.

    Two cells judged on the same rows see the same resamples, so that a difference
    between them holds no more noise than it has.

    Source: Efron, Tibshirani (1993), An Introduction to the Bootstrap, chapter 8; the
        two levels: Davison, Hinkley (1997), Bootstrap Methods, section 3.8.
    """

    def __init__(self, rows: TestRows, cells: Sequence[Cell], metric: str) -> None:
        scorer = _scorer(metric, len(rows.classes))
        found = [_judged(rows, cell) if scorer else None for cell in cells]
        judged = {
            _name(cell): one
            for cell, one in zip(cells, found, strict=True)
            if one is not None
        }
        work = sum(one.outputs.size for one in judged.values())
        affordable = MAX_WEIGHTS // max(work, 1)
        self.number = int(np.clip(affordable, FEWEST_RESAMPLES, NUM_RESAMPLES))
        self._seeds = {cell: one.seeds for cell, one in judged.items()}
        self._scores: dict[tuple[Series, int], np.ndarray] = {}
        sets = list(dict.fromkeys(one.keys for one in judged.values()))
        for cell, one in judged.items():
            # Rows of another test set are drawn on their own.
            start = sets.index(one.keys)
            if scorer is not None:
                self._scores[cell] = _scores(one, scorer, self.number, start)

    def of(self, cell: Cell) -> RowNoise | None:
        """Return the noise of a cell's mean score; None where it cannot be told."""
        if _name(cell) not in self._scores:
            return None
        return _noise(self._scores[_name(cell)])

    def between(self, a: Cell, b: Cell) -> RowNoise | None:
        """Return the noise of a's mean score less b's, over the seeds both have."""
        if _name(a) not in self._scores or _name(b) not in self._scores:
            return None
        first, second = self._seeds[_name(a)], self._seeds[_name(b)]
        both = [seed for seed in first if seed in second]
        if not both:
            return None
        mine, theirs = (
            self._scores[_name(cell)][:, [held.index(seed) for seed in both]]
            for cell, held in ((a, first), (b, second))
        )
        return _noise(mine - theirs)


def _name(cell: Cell) -> tuple[Series, int]:
    return cell.series, cell.depth


@dataclass(frozen=True, slots=True)
class _Judged:
    """A cell's test rows: keys and groups [n], labels [n], outputs [seeds, n]."""

    keys: tuple[str, ...]
    groups: tuple[str, ...]
    labels: np.ndarray
    outputs: np.ndarray
    seeds: tuple[int, ...]


def _judged(rows: TestRows, cell: Cell) -> _Judged | None:
    frame = rows.predictions
    if not len(frame):
        return None
    mine = frame[frame["depth"] == cell.depth]
    for name in Series.__slots__:
        mine = mine[mine[name] == getattr(cell.series, name)]
    seeds = tuple(trial.seed for trial in cell.finished)
    parts = [mine[mine["seed"] == seed] for seed in seeds]
    if not parts or not len(parts[0]):
        return None
    keys = tuple(map(str, parts[0]["key"]))
    if any(tuple(map(str, part["key"])) != keys for part in parts):
        return None
    group_of = rows.groups.get(cell.series.source, {})
    return _Judged(
        keys=keys,
        groups=tuple(group_of.get(key, key) for key in keys),
        labels=_labels(parts[0]["label"], rows.classes),
        outputs=np.stack([_outputs(part, rows.classes) for part in parts]),
        seeds=seeds,
    )


def _labels(texts: Iterable[str], classes: Sequence[str]) -> np.ndarray:
    if not classes:
        return np.array([float(text) for text in texts])
    place = {name: float(at) for at, name in enumerate(classes)}
    return np.array([place[text] for text in texts])


def _outputs(part: pd.DataFrame, classes: Sequence[str]) -> np.ndarray:
    """Return values, chances of the second of two classes, or the class chosen."""
    if len(classes) > 2:
        return _labels(part["prediction"], classes)
    return part["value"].to_numpy(dtype=float)


def _scores(
    judged: _Judged, scorer: WeightedScorer, number: int, start: int
) -> np.ndarray:
    """Return the score of every resample and seed ``[number, seeds]``."""
    generator = np.random.default_rng([start, number])
    _, group = np.unique(np.array(judged.groups), return_inverse=True)
    num_groups, num_rows = int(group.max()) + 1, len(group)
    found = np.empty((number, len(judged.seeds)))
    step = max(1, CHUNK // num_rows)
    for first in range(0, number, step):
        size = min(step, number - first)
        drawn = generator.integers(0, num_groups, (size, num_groups))
        drawn += num_groups * np.arange(size)[:, None]
        counts = np.bincount(drawn.ravel(), minlength=size * num_groups)
        weights = counts.reshape(size, num_groups)[:, group].astype(float)
        for at, outputs in enumerate(judged.outputs):
            with np.errstate(invalid="ignore", divide="ignore"):
                scored = scorer(judged.labels, outputs, weights)
            found[first : first + size, at] = scored
    return found


def _noise(scores: np.ndarray) -> RowNoise:
    """Return intervals of the mean over seeds: rows drawn, and seeds drawn too."""
    number, num_seeds = scores.shape
    generator = np.random.default_rng(num_seeds)
    seeds = generator.integers(0, num_seeds, (number, num_seeds))
    rows = _ends(scores.mean(axis=1))
    both = _ends(np.take_along_axis(scores, seeds, axis=1).mean(axis=1))
    return RowNoise(*rows, *both)


def _ends(values: np.ndarray) -> tuple[float, float]:
    known = values[np.isfinite(values)]
    if not len(known):
        return float("nan"), float("nan")
    low, high = np.quantile(known, [LEVEL / 2, 1 - LEVEL / 2])
    return float(low), float(high)


def _scorer(metric: str, num_classes: int) -> WeightedScorer | None:
    """Return the weighted form of a metric; None where predictions keep too little."""
    return (SEVERAL if num_classes > 2 else SCORERS).get(metric)


def _roc_auc(labels: np.ndarray, outputs: np.ndarray, weights: Weights) -> np.ndarray:
    order = np.argsort(outputs, kind="stable")
    sorted_outputs, is_positive = outputs[order], labels[order] > 0
    negatives = np.zeros((len(weights), len(order) + 1))
    np.cumsum(weights[:, order] * ~is_positive, axis=1, out=negatives[:, 1:])
    at = sorted_outputs[is_positive]
    below = negatives[:, np.searchsorted(sorted_outputs, at, "left")]
    up_to = negatives[:, np.searchsorted(sorted_outputs, at, "right")]
    mine = weights[:, order[is_positive]]
    pairs = mine.sum(axis=1) * negatives[:, -1]
    return (mine * (below + up_to)).sum(axis=1) / 2 / pairs


def _average_precision(
    labels: np.ndarray, outputs: np.ndarray, weights: Weights
) -> np.ndarray:
    order = np.argsort(-outputs, kind="stable")
    ends = np.append(np.flatnonzero(np.diff(outputs[order])), len(order) - 1)
    held = np.cumsum(weights[:, order], axis=1)[:, ends]
    found = np.cumsum(weights[:, order] * (labels[order] > 0), axis=1)[:, ends]
    gained = np.diff(found, axis=1, prepend=0.0)
    precision = np.divide(found, held, out=np.zeros_like(found), where=held > 0)
    return (gained * precision).sum(axis=1) / found[:, -1]


def _log_loss(labels: np.ndarray, outputs: np.ndarray, weights: Weights) -> np.ndarray:
    own = np.where(labels > 0, outputs, 1 - outputs)
    return _mean(-np.log(np.clip(own, np.finfo(float).eps, 1)), weights)


def _binary(scorer: WeightedScorer) -> WeightedScorer:
    return lambda labels, outputs, weights: scorer(
        labels, (outputs >= 0.5).astype(float), weights
    )


def _accuracy(labels: np.ndarray, chosen: np.ndarray, weights: Weights) -> np.ndarray:
    return _mean((labels == chosen).astype(float), weights)


def _macro_f1(labels: np.ndarray, chosen: np.ndarray, weights: Weights) -> np.ndarray:
    classes = np.union1d(labels, chosen)
    own, said = labels[:, None] == classes, chosen[:, None] == classes
    hits, sizes = weights @ (own & said), weights @ own.astype(float) + weights @ said
    scores = np.divide(2 * hits, sizes, out=np.zeros_like(hits), where=sizes > 0)
    return scores.sum(axis=1) / (sizes > 0).sum(axis=1)


def _mae(labels: np.ndarray, outputs: np.ndarray, weights: Weights) -> np.ndarray:
    return _mean(np.abs(labels - outputs), weights)


def _r2(labels: np.ndarray, outputs: np.ndarray, weights: Weights) -> np.ndarray:
    centred = labels - labels.mean()  # so that little is lost in the difference below
    spread = _mean(centred**2, weights) - _mean(centred, weights) ** 2
    return 1 - _mean((labels - outputs) ** 2, weights) / spread


def _mean(values: np.ndarray, weights: Weights) -> np.ndarray:
    return weights @ values / weights.sum(axis=1)


SEVERAL: Mapping[str, WeightedScorer] = MappingProxyType(
    {"accuracy": _accuracy, "macro-f1": _macro_f1}
)
SCORERS: Mapping[str, WeightedScorer] = MappingProxyType(
    {
        "roc-auc": _roc_auc,
        "average-precision": _average_precision,
        "log-loss": _log_loss,
        "accuracy": _binary(_accuracy),
        "macro-f1": _binary(_macro_f1),
        "mae": _mae,
        "r2": _r2,
    }
)
