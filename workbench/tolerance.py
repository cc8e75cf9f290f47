"""How much a model's score depends on which graph of the same facts it is given.

A model that tolerates the choice scores alike on all of them: the spread is 0.
"""

from collections.abc import Iterator, Sequence
from itertools import combinations

from workbench.comparison import Cell, Tolerance, paired_differences
from workbench.inference import LEVEL, t_interval
from workbench.score import METRICS


def tolerances(
    cells: Sequence[Cell], best: Sequence[Cell], metric: str
) -> tuple[Tolerance, ...]:
    """Return the spread of every model and remedy over the graphs it was trained on.

    Args:
        cells: Every cell.
        best: Each series at its best depth by validation.
        metric: Name in ``METRICS``.

    Returns:
        For each model and remedy the spread of the graphs at their own best depths,
        then at each depth; nothing where there is one graph alone.
    """
    kinds = dict.fromkeys((one.series.model, one.series.remedy) for one in cells)
    return tuple(
        found
        for kind in kinds
        for depth, group in _groups(cells, best, kind)
        if (found := spread(group, metric, depth)) is not None
    )


def spread(
    cells: Sequence[Cell], metric: str, depth: int | None = None
) -> Tolerance | None:
    """Return how far the best and the worst of some graphs' mean test scores lie apart.

    The largest of several noisy differences is too large on average, so the interval
    is made of all of them: every pair of graphs is compared by seed at a level divided
    by the number of pairs; the spread is at least as large as the largest lower end of
    a pair, and at most as large as the largest upper end.

    Args:
        cells: One cell a graph, of one model and remedy.
        metric: Name in ``METRICS``.
        depth: What the spread is reported for.

    Returns:
        The spread, in the metric's unit, 0 and above; None where fewer than two of the
        cells have a score.
    """
    done = [cell for cell in cells if cell.finished]
    if len(done) < 2:
        return None
    sign = 1 if METRICS[metric].higher_is_better else -1
    ordered = sorted(done, key=lambda cell: -sign * cell.mean("test"))
    pairs = list(combinations(done, 2))
    ends = [_ends(a, b, LEVEL / len(pairs)) for a, b in pairs]
    first = done[0].series
    return Tolerance(
        model=first.model,
        remedy=first.remedy,
        depth=depth,
        best=ordered[0],
        worst=ordered[-1],
        spread=abs(ordered[0].mean("test") - ordered[-1].mean("test")),
        low=max(low for low, _, _ in ends),
        high=max(high for _, high, _ in ends),
        n=min(number for _, _, number in ends),
    )


def _groups(
    cells: Sequence[Cell], best: Sequence[Cell], kind: tuple[str, str]
) -> Iterator[tuple[int | None, list[Cell]]]:
    def mine(some: Sequence[Cell]) -> list[Cell]:
        return [one for one in some if (one.series.model, one.series.remedy) == kind]

    yield None, mine(best)
    for depth in sorted({one.depth for one in cells}):
        yield depth, [one for one in mine(cells) if one.depth == depth]


def _ends(a: Cell, b: Cell, level: float) -> tuple[float, float, int]:
    """Return by how little and how much two cells may differ, and their common seeds.

    NaN with fewer than two seeds in common.
    """
    differences = paired_differences(a, b)
    found = t_interval(differences, level)
    if found.low <= 0 <= found.high:
        return 0.0, max(-found.low, found.high), len(differences)
    near, far = sorted((abs(found.low), abs(found.high)))
    return near, far, len(differences)
