"""What a study found, as values: trials, floors, cells, contrasts, and their JSON."""

import json
import math
import statistics
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from workbench.inference import ENOUGH_SEEDS, Interval, t_interval
from workbench.score import METRICS

COMPARISON_VERSION = 1
STOPPED_EARLY = "stopped-early"  # the status of what halving left out
BEST_POSSIBLE = "best possible (planted)"  # a baseline's name: a ceiling, not a floor
MARGIN = 0.05
SEPARATION = 3.0
DIGITS = 6
NOISE = (
    "Cells and contrasts: re-training noise over seeds, on one split and its test rows"
    " (95 % t-intervals, one depth at a time and not all depths at once; contrasts"
    " paired by seed, at Holm's level over all the contrasts shown). These test rows:"
    " what other rows of the same kind would change, the networks as they are (95 %"
    " bootstrap of rows, of whole groups where the split keeps them together); both:"
    " seeds drawn as well. Baselines: noise of the test rows (95 % bootstrap)."
)


@dataclass(frozen=True, slots=True)
class Trial:
    """One run: an arm, a network, a depth, a seed.

    Attributes:
        seconds: Wall time of the cell, its measures included.
        peak_mb: Peak memory of the worker process in megabytes.
        status: ok, failed, out-of-memory, cancelled or stopped-early.
        reason: Why there are no scores, or empty.
        gradient_ratio: First layer's gradient norm over the last layer's.
        seen: Score on rows of the values trained on that were set aside; NaN where the
            split holds no values out.
        width: Channels of every hidden state; 0 where it was not recorded.
        batch_rows: Most rows to predict in a batch; 0 where all were trained at once.
        batch_fan_out: Most neighbours per key in a batch; 0 for all.
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
    batch_rows: int = 0
    batch_fan_out: int = 0


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

    @property
    def is_stopped(self) -> bool:
        """Whether halving left it out."""
        return any(trial.status == STOPPED_EARLY for trial in self.trials)

    def gap(self, metric: str) -> Interval:
        """Return what is lost on values not trained on, its t-interval over seeds."""
        return t_interval(
            [gap_between(trial.seen, trial.test, metric) for trial in self.finished]
        )

    def name(self) -> dict[str, Any]:
        """Return the columns that say which cell this is."""
        return {**asdict(self.series), "depth": self.depth}


@dataclass(frozen=True, slots=True)
class RowNoise:
    """95 % bootstrap intervals of a mean score, or of a difference of two.

    Attributes:
        rows_low: Lower end over resampled test rows, the networks as they are.
        rows_high: Upper end.
        both_low: Lower end over resampled seeds, each with resampled test rows.
        both_high: Upper end.
    """

    rows_low: float
    rows_high: float
    both_low: float
    both_high: float


UNKNOWN_NOISE = RowNoise(math.nan, math.nan, math.nan, math.nan)


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
        row_noise: What other test rows would change of the difference.
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
    row_noise: RowNoise = UNKNOWN_NOISE


@dataclass(frozen=True, slots=True)
class Tolerance:
    """How much the way the facts are stored or drawn decides of a model's score.

    Attributes:
        model: The model.
        remedy: The remedy.
        depth: Number of layers; None where every graph stands at its own best depth.
        best: The graph with the best mean score.
        worst: The one with the worst.
        spread: How far apart their mean scores are; 0 where the graph does not matter.
        low: Lower end of a simultaneous 95 % interval over seeds.
        high: Upper end.
        n: Fewest seeds that two of the graphs have in common.
    """

    model: str
    remedy: str
    depth: int | None
    best: Cell
    worst: Cell
    spread: float
    low: float
    high: float
    n: int


@dataclass(frozen=True, slots=True)
class Comparison:
    """What a study found; `to_json` is the contract.

    Attributes:
        row_noise: What other test rows would change of each of ``best``.
        halving: Of so many configurations one went on; None where all were run.
    """

    task: str
    metric: str
    cells: tuple[Cell, ...]
    best: tuple[Cell, ...]
    contrasts: tuple[Contrast, ...]
    floors: tuple[Floor, ...]
    future_rows: int
    leaks: tuple[str, ...]
    verdict: str
    row_noise: tuple[RowNoise, ...]
    tolerances: tuple[Tolerance, ...] = ()
    halving: int | None = None

    def failure_rate(self, cell: Cell) -> float:
        """Return the share of seeds that failed or learnt next to nothing.

        A seed learnt next to nothing when its training score is within five points
        (for losses, five percent) of what a constant scores. Seeds that were cancelled
        or stopped early do not count.
        """
        left_out = ("cancelled", STOPPED_EARLY)
        counted = [trial for trial in cell.trials if trial.status not in left_out]
        if not counted:
            return math.nan
        constant = constant_train_score(self.floors, cell.series.source)
        failed = [
            trial.status != "ok" or not learnt(trial.train, constant, self.metric)
            for trial in counted
        ]
        return sum(failed) / len(failed)

    def disagree(self, cell: Cell) -> bool:
        """Return whether some seeds of a cell succeed and others do not."""
        constant = constant_train_score(self.floors, cell.series.source)
        return disagree(cell, constant, self.metric)

    def to_json(self) -> str:
        """Return ``comparison.json``: the same study gives the same text."""
        document = {
            "version": COMPARISON_VERSION,
            "task": self.task,
            "metric": self.metric,
            "cells": [self._cell(cell) for cell in self.cells],
            "contrasts": [_contrast(contrast) for contrast in self.contrasts],
            "best": [
                {**cell.name(), **asdict(noise)}
                for cell, noise in zip(self.best, self.row_noise, strict=True)
            ],
            "baselines": [_floor(floor, self.metric) for floor in self.floors],
            "verdict": self.verdict,
            "leakage": {
                "future_rows_reachable": self.future_rows,
                "suspected": list(self.leaks),
            },
            "tolerance": [_tolerance(one) for one in self.tolerances],
            "noise": NOISE,
        }
        if self.halving is not None:
            document["halving"] = {
                "one_in": self.halving,
                "configurations": len(self.cells),
                "stopped_early": sum(cell.is_stopped for cell in self.cells),
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
            "median": _median(cell),
            "seeds_disagree": self.disagree(cell),
            "failure_rate": self.failure_rate(cell),
            "train_mean": cell.mean("train"),
            "val_mean": cell.mean("val"),
            "seeds": [trial.test for trial in cell.trials],
            "seen_mean": cell.mean("seen"),
            "gap": gap.mean,
            "gap_low": gap.low,
            "gap_high": gap.high,
            **({} if self.halving is None else {"stopped_early": cell.is_stopped}),
        }


def disagree(cell: Cell, constant: float, metric: str) -> bool:
    """Return whether the seeds of a cell make two groups, so that a mean is of neither.

    That is where the scores fall apart, or where some seeds learnt and others did not,
    a margin lying between the training scores of the two: .05 of a score, or 5 % of a
    constant's loss.

    Args:
        cell: All seeds of a series at one depth.
        constant: What a constant scores on the training rows, or NaN.
        metric: Name in ``METRICS``.
    """
    if fall_apart([trial.test for trial in cell.finished], metric):
        return True
    sign = 1 if METRICS[metric].higher_is_better else -1
    trains = [trial.train for trial in cell.finished]
    learning = [sign * one for one in trains if learnt(one, constant, metric)]
    failing = [sign * one for one in trains if not learnt(one, constant, metric)]
    if not learning or not failing:
        return False
    least = MARGIN if sign > 0 else MARGIN * abs(constant)
    return min(learning) - max(failing) >= least


def fall_apart(scores: Sequence[float], metric: str) -> bool:
    """Return whether the scores of seeds make two groups.

    Two or more seeds stand on either side of a gap that is three times as wide as
    either side, and that counts: .05 of a score, or 5 % of a loss. With fewer than six
    seeds nothing is said. Of normal scores, 1.3 % of sets of six do so by chance.
    """
    found = sorted(score for score in scores if not math.isnan(score))
    if len(found) < ENOUGH_SEEDS:
        return False
    cuts = range(2, len(found) - 1)
    cut = max(cuts, key=lambda at: found[at] - found[at - 1])
    gap = found[cut] - found[cut - 1]
    sides = max(found[cut - 1] - found[0], found[-1] - found[cut])
    is_loss = not METRICS[metric].higher_is_better
    least = MARGIN * (abs(found[0]) if is_loss else 1.0)
    return gap >= least and gap >= SEPARATION * sides


def paired_differences(a: Cell, b: Cell) -> list[float]:
    """Return a's test score less b's for every seed that both have."""
    other = {trial.seed: trial.test for trial in b.finished}
    return [
        trial.test - other[trial.seed]
        for trial in a.finished
        if trial.seed in other
        and not math.isnan(trial.test)
        and not math.isnan(other[trial.seed])
    ]


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


def _median(cell: Cell) -> float:
    scores = [trial.test for trial in cell.finished]
    return statistics.median(scores) if scores else math.nan


def _tolerance(one: Tolerance) -> dict[str, Any]:
    return {
        "model": one.model,
        "remedy": one.remedy,
        "depth": one.depth,
        "spread": one.spread,
        "low": one.low,
        "high": one.high,
        "n": one.n,
        "best": one.best.name(),
        "worst": one.worst.name(),
    }


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
    return {
        "a": contrast.a.name(),
        "b": contrast.b.name(),
        **numbers,
        **asdict(contrast.row_noise),
    }


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
