"""Successive halving: which configurations of a study go on, and which stop early.

A configuration is a graph, a network, a remedy and a depth. Every one starts with one
seed; the better by validation go on to more. What is run is what the whole study would
run, seed by seed, so that it is found again when halving is turned off.

Source: Jamieson and Talwalkar (2016), arXiv:1502.07943, Algorithm 1; differs in: seeds
are the resource instead of steps of training, and a source keeps its own share.
"""

import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace

from workbench.cell import Cell
from workbench.planning import PlannedStudy
from workbench.score import METRICS


@dataclass(frozen=True, slots=True)
class Rung:
    """A part of a study that is run before anything is chosen again.

    Attributes:
        cells: What is run, in the study's order.
        stopped: What the rung before left out: its configurations, as cells of seed 0,
            and why.
    """

    cells: tuple[Cell, ...]
    stopped: Mapping[Cell, str] = field(default_factory=dict)


def climb(planned: PlannedStudy, val_of: Callable[[Cell], float]) -> Iterator[Rung]:
    """Yield what is run rung by rung; one rung of everything without halving.

    Args:
        planned: The study.
        val_of: The validation score of a cell of an earlier rung, NaN where it has
            none. Asked once the caller is done with that rung.
    """
    ends = rung_seeds(planned)
    groups = list(_by_source(planned).values())
    metric = planned.arms[0].task.metric
    begin, stopped = 0, {}
    for number, end in enumerate(ends, start=1):
        left = {one for group in groups for one in group}
        cells = tuple(
            cell
            for cell in planned.cells
            if begin <= cell.seed < end and configuration(cell) in left
        )
        yield Rung(cells, stopped)
        if end == ends[-1]:
            return
        begin, stopped = end, {}
        place = f"rung {number} of {len(ends)}, {_runs(end)} each"
        for at, group in enumerate(groups):
            scores = {one: _mean(one, end, val_of) for one in group}
            groups[at] = choose(scores, metric, planned.study.halving or 1)
            cut = scores[groups[at][-1]]
            stopped |= {
                one: f"Left out by halving after {place}: {_against(scores[one], cut)}."
                for one in group
                if one not in groups[at]
            }
            groups[at] = tuple(one for one in group if one in groups[at])


def choose(scores: Mapping[Cell, float], metric: str, one_in: int) -> tuple[Cell, ...]:
    """Return the configurations that go on, the best by validation first.

    Of equals the first of the study goes on; what has no score comes last.

    Args:
        scores: Validation scores in the study's order, NaN for none.
        metric: Name in ``METRICS``.
        one_in: One in so many goes on, rounded up.
    """
    sign = 1 if METRICS[metric].higher_is_better else -1

    def rank(one: Cell) -> float:
        return math.inf if math.isnan(scores[one]) else -sign * scores[one]

    return tuple(sorted(scores, key=rank)[: -(-len(scores) // one_in)])


def configuration(cell: Cell) -> Cell:
    """Return what all seeds of a cell share, as its cell of seed 0."""
    return replace(cell, seed=0)


def rung_seeds(planned: PlannedStudy) -> tuple[int, ...]:
    """Return up to how many seeds a configuration has after each rung it is in."""
    study, ends, seeds = planned.study, [], 1
    one_in = study.halving
    left = max(map(len, _by_source(planned).values()))
    while one_in and seeds < study.seeds and left > 1:
        ends.append(seeds)
        seeds, left = seeds * one_in, -(-left // one_in)
    return (*ends, study.seeds)


def expected_share(planned: PlannedStudy) -> Mapping[Cell, float]:
    """Return the share of cells like each one that is run, from 0 to 1."""
    ends = rung_seeds(planned)
    shares = {}
    for source, counts in _num_left(planned).items():
        for cell in planned.cells:
            if planned.arms[cell.arm].source == source:
                rung = next(at for at, end in enumerate(ends) if cell.seed < end)
                shares[cell] = counts[rung] / counts[0]
    return shares


def num_runs(planned: PlannedStudy) -> int:
    """Return how many cells are run, unless some are cancelled."""
    ends = rung_seeds(planned)
    added = [end - begin for begin, end in zip((0, *ends), ends, strict=False)]
    return sum(
        seeds * left
        for counts in _num_left(planned).values()
        for seeds, left in zip(added, counts, strict=True)
    )


def halving_in_words(planned: PlannedStudy) -> str:
    """Return what halving will do; nothing where it is off."""
    if planned.study.halving is None:
        return ""
    counts = [sum(left) for left in zip(*_num_left(planned).values(), strict=True)]
    ends = rung_seeds(planned)
    steps = ", ".join(
        f"then {left} with {_runs(end)}"
        for left, end in zip(counts[1:], ends[1:], strict=True)
    )
    return (
        f"Successive halving by validation score: {counts[0]} configurations (graph,"
        f" network, remedy and depth) with {_runs(ends[0])} each"
        f"{steps and f', {steps}'}; {num_runs(planned)} runs instead of"
        f" {len(planned.cells)}. It is exploratory: nothing will be called better or"
        " worse."
    )


def _by_source(planned: PlannedStudy) -> dict[str, tuple[Cell, ...]]:
    """Return the configurations of every source, in the study's order."""
    found: dict[str, list[Cell]] = {}
    for cell in planned.cells:
        if cell.seed == 0:
            found.setdefault(planned.arms[cell.arm].source, []).append(cell)
    return {source: tuple(cells) for source, cells in found.items()}


def _num_left(planned: PlannedStudy) -> dict[str, Sequence[int]]:
    """Return how many configurations of every source are in each rung."""
    num_rungs = len(rung_seeds(planned))
    found: dict[str, Sequence[int]] = {}
    for source, cells in _by_source(planned).items():
        counts = [len(cells)]
        while len(counts) < num_rungs:
            counts.append(-(-counts[-1] // (planned.study.halving or 1)))
        found[source] = counts
    return found


def _mean(one: Cell, seeds: int, val_of: Callable[[Cell], float]) -> float:
    """Return the mean validation score over the seeds that have one, or NaN."""
    found = [val_of(replace(one, seed=seed)) for seed in range(seeds)]
    known = [val for val in found if not math.isnan(val)]
    return math.fsum(known) / len(known) if known else math.nan


def _against(score: float, cut: float) -> str:
    """Return a validation score beside the last one that was good enough."""
    said = f"{_told(score)} on validation rows; the last to go on had {_told(cut)}"
    if _told(score) != _told(cut):
        return said
    why = "of equals the first of the study goes on" if score == cut else "a bit more"
    return said if math.isnan(score) else f"{said} too ({why})"


def _told(score: float) -> str:
    return "no score" if math.isnan(score) else f"{score:.4f}"


def _runs(seeds: int) -> str:
    return "1 run" if seeds == 1 else f"{seeds} runs"
