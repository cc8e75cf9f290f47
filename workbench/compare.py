"""Trials into one table: means, intervals, paired differences, floors, a verdict."""

import math
from collections.abc import Sequence
from itertools import combinations

from workbench.comparison import Cell, Comparison, Contrast, Floor, Series, Trial
from workbench.inference import (
    ENOUGH_SEEDS,
    LEVEL,
    holm,
    holm_levels,
    paired_t_p,
    sign_flip_p,
    t_interval,
)
from workbench.score import METRICS
from workbench.verdict import pronounce

__all__ = ["Cell", "Comparison", "Contrast", "Floor", "Series", "Trial", "compare"]


def compare(
    trials: Sequence[Trial],
    floors: Sequence[Floor],
    *,
    task_name: str,
    metric: str,
    future_rows: int,
    leaks: Sequence[str] = (),
) -> Comparison:
    """Compare everything that has finished.

    Args:
        trials: Every cell and seed of a study, finished or not.
        floors: The baselines of every source.
        task_name: What the task is called.
        metric: Name in ``METRICS``; test scores are in its unit.
        future_rows: Rows from after their target row's time within reach.
        leaks: One sentence per suspected leak.

    Returns:
        Cells in the order of the trials; each series' best depth by mean validation
        score, the shallower of equals; all pairs of series at their best depths.
    """
    cells = _cells(trials)
    best = _best(cells, metric)
    contrasts = _contrasts(best, metric)
    return Comparison(
        task=task_name,
        metric=metric,
        cells=cells,
        best=best,
        contrasts=contrasts,
        floors=tuple(floors),
        future_rows=future_rows,
        leaks=tuple(leaks),
        verdict=pronounce(metric, cells, best, contrasts, floors, leaks),
    )


def _cells(trials: Sequence[Trial]) -> tuple[Cell, ...]:
    groups: dict[tuple[Series, int], list[Trial]] = {}
    for trial in trials:
        series = Series(trial.source, trial.topology, trial.model, trial.remedy)
        groups.setdefault((series, trial.depth), []).append(trial)
    order = {series: rank for rank, (series, _) in enumerate(groups)}
    return tuple(
        Cell(series, depth, tuple(sorted(found, key=lambda trial: trial.seed)))
        for (series, depth), found in sorted(
            groups.items(), key=lambda group: (order[group[0][0]], group[0][1])
        )
    )


def _best(cells: Sequence[Cell], metric: str) -> tuple[Cell, ...]:
    sign = 1 if METRICS[metric].higher_is_better else -1
    best: dict[Series, Cell] = {}
    for cell in cells:
        if not cell.finished or math.isnan(cell.mean("val")):
            continue
        held = best.get(cell.series)
        if held is None or sign * cell.mean("val") > sign * held.mean("val"):
            best[cell.series] = cell
    return tuple(best.values())


def _contrasts(best: Sequence[Cell], metric: str) -> tuple[Contrast, ...]:
    pairs = list(combinations(best, 2))
    differences = [_differences(a, b) for a, b in pairs]
    p_values = [paired_t_p(found) for found in differences]
    adjusted, levels = holm(p_values), holm_levels(p_values)
    contrasts = []
    for at, ((a, b), found) in enumerate(zip(pairs, differences, strict=True)):
        interval = t_interval(found, levels[at])
        contrasts.append(
            Contrast(
                a=a,
                b=b,
                n=len(found),
                difference=interval.mean,
                low=interval.low,
                high=interval.high,
                p=p_values[at],
                p_holm=adjusted[at],
                p_sign_flip=sign_flip_p(found),
                verdict=_decide(len(found), interval.mean, adjusted[at], metric),
            )
        )
    return tuple(contrasts)


def _differences(a: Cell, b: Cell) -> list[float]:
    """Return a's test score less b's for every seed that both have."""
    other = {trial.seed: trial.test for trial in b.finished}
    return [
        trial.test - other[trial.seed]
        for trial in a.finished
        if trial.seed in other
        and not math.isnan(trial.test)
        and not math.isnan(other[trial.seed])
    ]


def _decide(n: int, difference: float, p_holm: float, metric: str) -> str:
    if n < ENOUGH_SEEDS:
        return "too few seeds"
    if p_holm >= LEVEL:
        return "tie"
    a_better = (difference > 0) == METRICS[metric].higher_is_better
    return "a better" if a_better else "b better"
