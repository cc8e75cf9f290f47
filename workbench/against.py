"""One series held against the others: paired differences at one depth, and ties.

The contrasts of ``comparison.json`` stand every series at its own best depth. Here the
depth is whatever a reader looks at.
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

from workbench.chart import Series, all_series, higher_is_better, pick
from workbench.inference import PairedTest, paired_tests
from workbench.results import Results

Standing = Literal["better", "worse", "tie", "too few seeds", "exploratory"]


@dataclass(frozen=True, slots=True)
class Delta:
    """How far a cell's test score is from another's, paired by seed.

    Attributes:
        series: The cell's series.
        depth: Its depth.
        n: Number of seeds both have.
        difference: Mean of its score less the other's.
        low: Lower end of the paired t-interval at Holm's level, or NaN.
        high: Upper end, or NaN.
        standing: What that says; better is higher or lower as the metric has it.
            After halving it is exploratory, whatever the numbers are.
    """

    series: Series
    depth: int
    n: int
    difference: float
    low: float
    high: float
    standing: Standing


def deltas_at(results: Results, baseline: Series, depth: int) -> dict[Series, Delta]:
    """Return how every other series differs from a baseline at the same depth.

    Intervals are at Holm's level over the series that are compared at this depth.

    Args:
        results: A results folder.
        baseline: The series that the others are held against.
        depth: Number of layers of both.

    Returns:
        By series; those without a seed in common with the baseline are left out.
    """
    others = [(one, depth) for one in all_series(results) if one != baseline]
    found = _against(results, (baseline, depth), others)
    return {delta.series: delta for delta in found}


def leading_cell(results: Results) -> tuple[Series, int] | None:
    """Return the series and depth that validation puts first, None where none has."""
    means = {
        (series, int(cell["depth"])): cell["val_mean"]
        for series in all_series(results)
        for cell in results.comparison["cells"]
        if series.owns(cell) and cell["val_mean"] is not None
    }
    if not means:
        return None
    sign = 1 if higher_is_better(results) else -1
    # Of equals the shallower, then the first of the study.
    return max(means, key=lambda cell: (sign * means[cell], -cell[1]))


def against_leader(results: Results) -> Mapping[tuple[Series, int], Delta]:
    """Return how every cell differs from the leading one, at Holm's level over all.

    The leader itself is left out. The leader was chosen by its validation score, so
    another cell's test score may be above its own.
    """
    leader = leading_cell(results)
    if leader is None:
        return {}
    cells = [
        (series, depth)
        for series in all_series(results)
        for depth in results.depths
        if (series, depth) != leader
    ]
    found = _against(results, leader, cells)
    return {(delta.series, delta.depth): delta for delta in found}


def _against(
    results: Results, base: tuple[Series, int], cells: Sequence[tuple[Series, int]]
) -> list[Delta]:
    scores = {cell: _scores(results, *cell) for cell in (base, *cells)}
    pairs = {
        cell: [
            scores[cell][seed] - scores[base][seed]
            for seed in scores[cell]
            if seed in scores[base]
        ]
        for cell in cells
    }
    pairs = {cell: found for cell, found in pairs.items() if found}
    is_halved = "halving" in results.comparison
    return [
        Delta(
            series=series,
            depth=depth,
            n=test.n,
            difference=test.interval.mean,
            low=test.interval.low,
            high=test.interval.high,
            standing="exploratory"
            if is_halved
            else _stand(test, higher_is_better(results)),
        )
        for (series, depth), test in zip(
            pairs, paired_tests(list(pairs.values())), strict=True
        )
    ]


def _scores(results: Results, series: Series, depth: int) -> dict[int, float]:
    """Return the test score of every finished seed."""
    rows = pick(series.rows(results.trials), depth=depth, status="ok")
    pairs = zip(rows["seed"], rows["test"], strict=True)
    return {int(seed): float(test) for seed, test in pairs if not math.isnan(test)}


def _stand(test: PairedTest, higher_is_better: bool) -> Standing:
    match test.standing:
        case "above" | "below" as side:
            return "better" if (side == "above") == higher_is_better else "worse"
        case standing:
            return standing
