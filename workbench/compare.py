"""Trials into one table: means, intervals, paired differences, floors, a verdict."""

import math
from collections.abc import Sequence
from dataclasses import replace
from itertools import combinations

from workbench.comparison import (
    UNKNOWN_NOISE,
    Cell,
    Comparison,
    Contrast,
    Floor,
    Series,
    Trial,
    paired_differences,
)
from workbench.inference import PairedTest, paired_tests, sign_flip_p
from workbench.resampling import Resampled, TestRows
from workbench.score import METRICS
from workbench.tolerance import tolerances
from workbench.verdict import Hops, pronounce

__all__ = ["Cell", "Comparison", "Contrast", "Floor", "Series", "Trial", "compare"]


def compare(
    trials: Sequence[Trial],
    floors: Sequence[Floor],
    *,
    task_name: str,
    metric: str,
    future_rows: int,
    leaks: Sequence[str] = (),
    hops: Hops | None = None,
    test_rows: TestRows | None = None,
    halving: int | None = None,
) -> Comparison:
    """Compare everything that has finished.

    Args:
        trials: Every cell and seed of a study, finished or not.
        floors: The baselines of every source.
        task_name: What the task is called.
        metric: Name in ``METRICS``; test scores are in its unit.
        future_rows: Rows from after their target row's time within reach.
        leaks: One sentence per suspected leak.
        hops: By source and topology how far each column is; without it nothing is said
            of what is out of reach.
        test_rows: What every network said of every test row; without it nothing is
            said of the noise of the test rows.
        halving: Of so many configurations one went on to more seeds. Those left were
            chosen, so nothing is set against anything: no contrasts, no tolerance.

    Returns:
        Cells in the order of the trials; each series' best depth by mean validation
        score, the shallower of equals; all pairs of series at their best depths.
    """
    cells = _cells(trials)
    best = _best(cells, metric)
    drawn = None if test_rows is None else Resampled(test_rows, best, metric)
    contrasts = tuple(
        replace(one, row_noise=(drawn and drawn.between(one.a, one.b)) or UNKNOWN_NOISE)
        for one in (_contrasts(best, metric) if halving is None else ())
    )
    return Comparison(
        task=task_name,
        metric=metric,
        cells=cells,
        best=best,
        contrasts=contrasts,
        floors=tuple(floors),
        future_rows=future_rows,
        leaks=tuple(leaks),
        row_noise=tuple((drawn and drawn.of(cell)) or UNKNOWN_NOISE for cell in best),
        tolerances=tolerances(cells, best, metric) if halving is None else (),
        verdict=pronounce(
            metric, cells, best, contrasts, floors, leaks, hops or {}, halving
        ),
        halving=halving,
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
    differences = [paired_differences(a, b) for a, b in pairs]
    tests = paired_tests(differences)
    return tuple(
        Contrast(
            a=a,
            b=b,
            n=test.n,
            difference=test.interval.mean,
            low=test.interval.low,
            high=test.interval.high,
            p=test.p,
            p_holm=test.p_holm,
            p_sign_flip=sign_flip_p(found),
            verdict=_decide(test, metric),
        )
        for (a, b), found, test in zip(pairs, differences, tests, strict=True)
    )


def _decide(test: PairedTest, metric: str) -> str:
    if test.standing in ("too few seeds", "tie"):
        return test.standing
    a_better = (test.standing == "above") == METRICS[metric].higher_is_better
    return "a better" if a_better else "b better"
