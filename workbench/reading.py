"""What the curves say of each arm in one line, without claiming a cause.

A score that falls with depth has at least three readings, and they look different in
the training score and in the rank of the representations. Accuracy and smoothing are
mostly uncorrelated on real graphs (Kormann, Doerr, Lutzeyer 2026, arXiv:2601.07419;
Arnaiz-Rodriguez and Errica 2025, arXiv:2505.15547), so a line says what occurs
together and stops there.
"""

from dataclasses import dataclass

import pandas as pd

from workbench.chart import (
    Series,
    best_depths,
    higher_is_better,
    last_layers,
    means_by,
    number,
    pick,
    target_type,
)
from workbench.results import Results

HEADLINE_MEASURE = "effective-rank-centred"
TRAIN_SHARE = 0.5
RANK_SHARE = 0.5


@dataclass(frozen=True, slots=True)
class Reading:
    """How an arm takes depth.

    Attributes:
        series: The arm, network and remedy.
        kind: ``unfinished``, ``level``, ``smoothed``, ``untrained`` or ``overreached``.
        sentence: The same in words, with the numbers.
    """

    series: Series
    kind: str
    sentence: str


def read_depth(results: Results, series: Series) -> Reading:
    """Return what happens to a series from its best depth to its deepest.

    The test score counts as falling when the deepest interval lies wholly beyond the
    best depth's. Then the training score counts as falling with it when it loses at
    least half as much, and the representations as collapsing when the centred effective
    rank of the target's rows at the last layer loses at least half.
    """
    means = _means(results, series)
    best = best_depths(results).get(series)
    if "halving" in results.comparison:
        return Reading(series, "unfinished", _halved_in_words(best))
    if best is None or best not in means.index:
        return Reading(series, "unfinished", "No run finished.")
    deepest = max(means.index.tolist())
    first = f"Best at depth {best} ({number(means.loc[best, 'test'])})"
    if deepest == best:
        end = "the deepest tried; a deeper one might do better."
        return Reading(series, "level", f"{first}, {end}")
    top, end = means.loc[best], means.loc[deepest]
    if not _falls(results, series, best, deepest):
        sentence = (
            f"{first}; at depth {deepest} ({number(end['test'])}) the intervals still"
            " overlap: no clear loss with depth."
        )
        return Reading(series, "level", sentence)
    sign = 1 if higher_is_better(results) else -1
    lost_test = sign * (top["test"] - end["test"])
    lost_train = sign * (top["train"] - end["train"])
    fall = f"{first}, down to {number(end['test'])} at depth {deepest}."
    scores = f"{number(top['train'])} to {number(end['train'])}"
    ranks = _rank_in_words(top["rank"], end["rank"])
    if lost_train < TRAIN_SHARE * lost_test:
        sentence = (
            f"{fall} The training score holds ({scores}): deeper networks fit what does"
            " not carry over to test rows."
        )
        return Reading(series, "overreached", sentence)
    if end["rank"] <= RANK_SHARE * top["rank"]:
        sentence = (
            f"{fall} The training score falls too ({scores}), and the rows' states"
            f" become alike ({ranks}): what the field calls oversmoothing occurs"
            " together with the loss."
        )
        return Reading(series, "smoothed", sentence)
    sentence = (
        f"{fall} The training score falls too ({scores}) while the states keep their"
        f" variety ({ranks}): deeper networks train less well, without oversmoothing."
    )
    return Reading(series, "untrained", sentence)


def _halved_in_words(best: int | None) -> str:
    """Return why nothing is said of depth where most depths were stopped early."""
    if best is None:
        return "Every depth was stopped early (halving)."
    return (
        f"Depth {best} is left after halving; of the depths that were stopped early"
        " nothing is said."
    )


def _means(results: Results, series: Series) -> pd.DataFrame:
    """Return the mean train and test score and the mean rank, by depth."""
    done = pick(series.rows(results.trials), status="ok")
    layers = pick(
        series.rows(results.layers),
        measure=HEADLINE_MEASURE,
        state="trained",
        node_type=target_type(results),
    )
    means = means_by(done, "depth", "train", "test")
    means["rank"] = means_by(last_layers(layers), "depth", "value")["value"]
    return means


def _falls(results: Results, series: Series, best: int, deepest: int) -> bool:
    cells = {
        cell["depth"]: cell for cell in results.comparison["cells"] if series.owns(cell)
    }
    top, end = cells[best], cells[deepest]
    if None in (top["low"], top["high"], end["low"], end["high"]):
        return False
    if higher_is_better(results):
        return end["high"] < top["low"]
    return end["low"] > top["high"]


def _rank_in_words(top: float, end: float) -> str:
    return f"centred effective rank {top:.1f} to {end:.1f}"
