"""What a study found, as values: trials, floors, cells, contrasts, and their JSON."""

import json
import math
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass
from typing import Any

from workbench.inference import Interval, t_interval
from workbench.score import METRICS

COMPARISON_VERSION = 1
BEST_POSSIBLE = "best possible (planted)"  # a baseline's name: a ceiling, not a floor
MARGIN = 0.05
DIGITS = 6
NOISE = (
    "Cells and contrasts: re-training noise over seeds, on one split and its test rows"
    " (95 % t-intervals; contrasts paired by seed, at Holm's level). Baselines: noise"
    " of the test rows (95 % bootstrap)."
)


@dataclass(frozen=True, slots=True)
class Trial:
    """One run: an arm, a network, a depth, a seed.

    Attributes:
        seconds: Wall time of the cell, its measures included.
        peak_mb: Peak memory of the worker process in megabytes.
        status: ok, failed, out-of-memory or cancelled.
        reason: Why there are no scores, or empty.
        gradient_ratio: First layer's gradient norm over the last layer's.
        seen: Score on rows of the values trained on that were set aside; NaN where the
            split holds no values out.
        width: Channels of every hidden state; 0 where it was not recorded.
    """

    source: str
    topology: str
    model: str
    remedy: str
    depth: int
    seed: int
    metric: str
    train: float
    val: float
    test: float
    best_epoch: int
    seconds: float
    peak_mb: float
    num_parameters: int
    status: str
    reason: str
    gradient_ratio: float
    seen: float = math.nan
    width: int = 0


@dataclass(frozen=True, slots=True)
class Floor:
    """A baseline without a graph.

    Attributes:
        name: The table it was given, such as ``"own columns"``.
        source: The source it was fitted on.
        learner: constant, linear model or boosted trees, whichever validated best.
        train: Score on the training rows.
        val: Score on the validation rows, by which its settings were chosen.
        test: Score on the test rows.
        low: Lower end of the interval over resampled test rows.
        high: Upper end.
        num_columns: Number of columns it was given.
        seen: Score on rows of the values trained on that were set aside, or NaN.
        gap_low: Lower end of the interval of `gap` over resampled rows.
        gap_high: Upper end.
    """

    name: str
    source: str
    learner: str
    train: float
    val: float
    test: float
    low: float
    high: float
    num_columns: int
    seen: float = math.nan
    gap_low: float = math.nan
    gap_high: float = math.nan


@dataclass(frozen=True, slots=True, order=True)
class Series:
    """What is trained at every depth: an arm, a model and a remedy."""

    source: str
    topology: str
    model: str
    remedy: str


@dataclass(frozen=True, slots=True)
class Cell:
    """All seeds of a series at one depth."""

    series: Series
    depth: int
    trials: tuple[Trial, ...]

    @property
    def finished(self) -> tuple[Trial, ...]:
        """The trials that have scores."""
        return tuple(trial for trial in self.trials if trial.status == "ok")

    def mean(self, part: str) -> float:
        """Return the mean over seeds of ``train``, ``val``, ``test`` or ``seen``."""
        return t_interval([getattr(trial, part) for trial in self.finished]).mean

    def gap(self, metric: str) -> Interval:
        """Return what is lost on values not trained on, its t-interval over seeds."""
        return t_interval(
            [gap_between(trial.seen, trial.test, metric) for trial in self.finished]
        )

    def name(self) -> dict[str, Any]:
        """Return the columns that say which cell this is."""
        return {**asdict(self.series), "depth": self.depth}


@dataclass(frozen=True, slots=True)
class Contrast:
    """Two series at their best depths, paired by seed.

    Attributes:
        a: One cell.
        b: The other.
        n: Number of seeds both have.
        difference: Mean of a's test score less b's.
        low: Lower end of the paired t-interval at Holm's level.
        high: Upper end.
        p: Two-sided p-value of the paired t-test.
        p_holm: The same, adjusted for the number of contrasts.
        p_sign_flip: Exact sign-flip permutation p-value, not adjusted.
        verdict: a better, b better, tie or too few seeds.
    """

    a: Cell
    b: Cell
    n: int
    difference: float
    low: float
    high: float
    p: float
    p_holm: float
    p_sign_flip: float
    verdict: str


@dataclass(frozen=True, slots=True)
class Comparison:
    """What a study found; `to_json` is the contract."""

    task: str
    metric: str
    cells: tuple[Cell, ...]
    best: tuple[Cell, ...]
    contrasts: tuple[Contrast, ...]
    floors: tuple[Floor, ...]
    future_rows: int
    leaks: tuple[str, ...]
    verdict: str

    def failure_rate(self, cell: Cell) -> float:
        """Return the share of seeds that failed or learnt next to nothing.

        A seed learnt next to nothing when its training score is within five points
        (for losses, five percent) of what a constant scores. Cancelled seeds do not
        count.
        """
        counted = [trial for trial in cell.trials if trial.status != "cancelled"]
        if not counted:
            return math.nan
        constant = constant_train_score(self.floors, cell.series.source)
        failed = [
            trial.status != "ok" or not learnt(trial.train, constant, self.metric)
            for trial in counted
        ]
        return sum(failed) / len(failed)

    def to_json(self) -> str:
        """Return ``comparison.json``: the same study gives the same text."""
        document = {
            "version": COMPARISON_VERSION,
            "task": self.task,
            "metric": self.metric,
            "cells": [self._cell(cell) for cell in self.cells],
            "contrasts": [_contrast(contrast) for contrast in self.contrasts],
            "best": [cell.name() for cell in self.best],
            "baselines": [_floor(floor, self.metric) for floor in self.floors],
            "verdict": self.verdict,
            "leakage": {
                "future_rows_reachable": self.future_rows,
                "suspected": list(self.leaks),
            },
            "noise": NOISE,
        }
        return json.dumps(_rounded(document), indent=1, ensure_ascii=False) + "\n"

    def _cell(self, cell: Cell) -> dict[str, Any]:
        interval = t_interval([trial.test for trial in cell.finished])
        gap = cell.gap(self.metric)
        return {
            **cell.name(),
            "n": len(cell.finished),
            "mean": interval.mean,
            "low": interval.low,
            "high": interval.high,
            "failure_rate": self.failure_rate(cell),
            "train_mean": cell.mean("train"),
            "val_mean": cell.mean("val"),
            "seeds": [trial.test for trial in cell.trials],
            "seen_mean": cell.mean("seen"),
            "gap": gap.mean,
            "gap_low": gap.low,
            "gap_high": gap.high,
        }


def constant_train_score(floors: Iterable[Floor], source: str) -> float:
    """Return what a constant scores on a source's training rows, or NaN."""
    for floor in floors:
        if floor.source == source and floor.name in ("majority", "mean"):
            return floor.train
    return math.nan


def gap_between(seen: float, unseen: float, metric: str) -> float:
    """Return how much worse a score is on values not trained on; below 0 if better."""
    return seen - unseen if METRICS[metric].higher_is_better else unseen - seen


def learnt(train: float, constant: float, metric: str) -> bool:
    """Return whether a training score is clearly better than a constant's."""
    if math.isnan(constant):
        return True
    if METRICS[metric].higher_is_better:
        return train >= constant + MARGIN
    return train <= constant * (1 - MARGIN)


def _contrast(contrast: Contrast) -> dict[str, Any]:
    numbers = {
        name: getattr(contrast, name)
        for name in (
            "n",
            "difference",
            "low",
            "high",
            "p",
            "p_holm",
            "p_sign_flip",
            "verdict",
        )
    }
    return {"a": contrast.a.name(), "b": contrast.b.name(), **numbers}


def _floor(floor: Floor, metric: str) -> dict[str, Any]:
    return {
        "name": floor.name,
        "source": floor.source,
        "learner": floor.learner,
        "value": floor.test,
        "low": floor.low,
        "high": floor.high,
        "train": floor.train,
        "val": floor.val,
        "num_columns": floor.num_columns,
        "seen": floor.seen,
        "gap": gap_between(floor.seen, floor.test, metric),
        "gap_low": floor.gap_low,
        "gap_high": floor.gap_high,
    }


def _rounded(value: Any) -> Any:  # any JSON value
    """Return a JSON value with floats rounded and NaN and infinities as null."""
    if isinstance(value, float):
        return round(value, DIGITS) + 0.0 if math.isfinite(value) else None
    if isinstance(value, Mapping):
        return {name: _rounded(each) for name, each in value.items()}
    if isinstance(value, list):
        return [_rounded(each) for each in value]
    return value
