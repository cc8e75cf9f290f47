"""The comparison in one sentence, generated from its numbers, case by case."""

import math
import statistics
from collections.abc import Mapping, Sequence
from types import MappingProxyType

from workbench.comparison import (
    BEST_POSSIBLE,
    Cell,
    Contrast,
    Floor,
    Series,
    constant_train_score,
    disagree,
    learnt,
)
from workbench.inference import ENOUGH_SEEDS, t_interval
from workbench.score import METRICS

OWN_COLUMNS = "own columns"
CONSTANTS = ("majority", "mean")
WITHOUT_A_GRAPH: Mapping[str, str] = MappingProxyType(
    {
        OWN_COLUMNS: "the graph does not help: the row alone does {} ({})",
        "entity history": "what earlier rows of the same parent turned out to be does"
        " {} any graph ({})",
        "flattened table": "a plain join does {} any graph ({})",
    }
)
SUMMARIES = "plain summaries do {} any graph ({})"
AHEAD, BEHIND, TIE, OPEN = "ahead", "behind", "tie", "open"

# By source and topology: the number of hops of each "table.column", None for never.
Hops = Mapping[tuple[str, str], Mapping[str, int | None]]


def pronounce(
    metric: str,
    cells: Sequence[Cell],
    best: Sequence[Cell],
    contrasts: Sequence[Contrast],
    floors: Sequence[Floor],
    leaks: Sequence[str] = (),
    hops: Hops = MappingProxyType({}),
    halving: int | None = None,
) -> str:
    """Return the verdict.

    Args:
        metric: Name in ``METRICS``.
        cells: Every cell.
        best: Each series at its best depth by validation.
        contrasts: All pairs of ``best``.
        floors: The baselines.
        leaks: One sentence per suspected leak.
        hops: How far each column is, where that is known.
        halving: Of so many configurations one went on; None where all were run.

    Returns:
        One sentence. A suspected leak comes before everything; below six seeds
        nothing is called a difference, and after halving nothing at all.
    """
    if not best:
        return "No run has finished, so there is nothing to compare."
    judge = _Judge(metric, cells)
    leader = judge.leader(best)
    if leaks:
        return (
            f"Suspected leak: {leaks[0]}, so no graph can be judged before that column"
            f" is hidden; {judge.describe(leader)} as it stands"
            f"{'' if halving is None else ', after halving, which is exploratory'}."
        )
    if halving is not None:
        return judge.of_what_is_left(leader, cells, floors, halving)
    clauses = [
        judge.of_the_graphs(leader, contrasts, cells),
        judge.of_depth_zero(leader, cells),
        judge.of_the_floors(leader, floors),
        judge.of_the_seeds(leader, floors),
        judge.of_reach(leader, cells, best, hops),
        judge.of_training(leader, cells, best, floors),
        judge.of_the_missing(cells, best),
    ]
    return "; ".join(clause for clause in clauses if clause) + "."


def _tables(hops: Hops, series: Series, depth: int | None) -> set[str]:
    """Return the tables of which a graph sees something at a depth, or at any."""
    near = hops.get((series.source, series.topology), {})
    return {
        name.rpartition(".")[0]
        for name, hop in near.items()
        if hop is not None and (depth is None or hop <= depth)
    }


class _Judge:
    """What the clauses share: the metric's direction and how cells are called."""

    def __init__(self, metric: str, cells: Sequence[Cell]) -> None:
        self.metric = metric
        self.sign = 1 if METRICS[metric].higher_is_better else -1
        series = [cell.series for cell in cells]
        self.shown = [
            part
            for part in ("source", "topology", "model", "remedy")
            if part == "topology" or len({getattr(each, part) for each in series}) > 1
        ]

    def leader(self, best: Sequence[Cell]) -> Cell:
        """Return the cell with the best mean validation score; the first of equals."""
        return max(best, key=lambda cell: self.sign * cell.mean("val"))

    def call(self, series: Series, depth: int) -> str:
        """Return what a cell is called among the ones compared."""
        return f"{self.name(series)} at depth {depth}"

    def name(self, series: Series) -> str:
        """Return what tells a series from the others."""
        return " ".join(getattr(series, part) for part in self.shown)

    def describe(self, cell: Cell) -> str:
        """Return a cell, its score and its interval."""
        found = t_interval([trial.test for trial in cell.finished])
        score = f"{found.mean:.3f}"
        if not math.isnan(found.low):
            score += f" [{found.low:.3f}, {found.high:.3f}]"
        return f"{self.call(cell.series, cell.depth)} scores {score} ({self.metric})"

    def of_the_graphs(
        self, leader: Cell, contrasts: Sequence[Contrast], cells: Sequence[Cell]
    ) -> str:
        """Say which graph is best, or that it does not matter."""
        num_seeds = len(leader.finished)
        if num_seeds < ENOUGH_SEEDS:
            seeds = "one seed" if num_seeds == 1 else f"{num_seeds} seeds"
            return (
                f"With {seeds} nothing can be called a difference yet:"
                f" {self.describe(leader)} and leads"
            )
        rivals = [pair for pair in contrasts if leader in (pair.a, pair.b)]
        if not rivals:
            return f"{self.describe(leader)}, the only one to compare"
        groups: dict[str, list[Contrast]] = {}
        for pair in rivals:
            groups.setdefault(self._standing(leader, pair), []).append(pair)
        clause = ", ".join(
            [
                self.describe(leader),
                *(
                    f"behind {self._gap(leader, pair)}"
                    for pair in groups.get(BEHIND, [])
                ),
                *self._together("a tie with", leader, groups.get(TIE, [])),
                *self._ahead(leader, groups.get(AHEAD, [])),
                *self._together("too few seeds against", leader, groups.get(OPEN, [])),
            ]
        )
        later = self._later(leader, groups.get(TIE, []), cells)
        if later:
            clause += f"; what takes {leader.depth} there takes {', '.join(later)}"
        if set(groups) == {TIE}:
            changes = (
                "changes the depth it takes, not the score"
                if later
                else "makes no difference that shows"
            )
            return f"The choice of graph {changes}: {clause}"
        return clause

    def of_what_is_left(
        self,
        leader: Cell,
        cells: Sequence[Cell],
        floors: Sequence[Floor],
        one_in: int,
    ) -> str:
        """Say what halving left, and that nothing follows from it."""
        stopped = sum(cell.is_stopped for cell in cells)
        floor = self._best_floor(floors)
        beside = floor and f"; the best baseline is {floor.name}, {floor.test:.3f}"
        return (
            f"Exploratory, by successive halving (one configuration in {one_in} goes"
            f" on): {self.describe(leader)} and is first by validation of what is left;"
            f" {stopped} of {len(cells)} configurations were stopped early"
            f"{beside or ''}; what is left was chosen, so nothing is claimed: run the"
            " study without halving for that."
        )

    def of_depth_zero(self, leader: Cell, cells: Sequence[Cell]) -> str:
        """Say that no message helps where the row alone is best."""
        deeper = [cell for cell in cells if cell.series == leader.series and cell.depth]
        if leader.depth or not deeper or len(leader.finished) < ENOUGH_SEEDS:
            return ""
        return "its best depth is 0, so the edges of the graph add nothing that shows"

    def of_the_floors(self, leader: Cell, floors: Sequence[Floor]) -> str:
        """Say whether the graph is worth it beside the best baseline by validation."""
        floor = self._best_floor(floors)
        if floor is None:
            return "no baseline was computed, so nothing says what needs no graph"
        shown = f"{floor.name}, {floor.test:.3f}"
        if len(leader.finished) < ENOUGH_SEEDS:
            return f"the best baseline is {shown}"
        found = t_interval([trial.test for trial in leader.finished])
        ends = sorted((self.sign * found.low, self.sign * found.high))
        # The graph must be above what the baseline could be on other test rows.
        known = [end for end in (floor.low, floor.high) if not math.isnan(end)]
        reach = sorted(self.sign * end for end in known or [floor.test])
        if ends[0] > reach[-1]:
            return f"no baseline does as well (the best: {shown})"
        if floor.name in CONSTANTS:
            return f"no graph beats a constant ({shown})"
        better = reach[0] > ends[1]
        how = "better" if better else "as well"
        if floor.name != OWN_COLUMNS:
            how += " than" if better else " as"
        return WITHOUT_A_GRAPH.get(floor.name, SUMMARIES).format(how, shown)

    def of_the_seeds(self, leader: Cell, floors: Sequence[Floor]) -> str:
        """Say that the leader's mean is of two groups of seeds, where it is."""
        scores = [trial.test for trial in leader.finished]
        constant = constant_train_score(floors, leader.series.source)
        done = [learnt(trial.train, constant, self.metric) for trial in leader.finished]
        if not disagree(leader, constant, self.metric):
            return ""
        told = "the scores make two groups"
        if not all(done):
            told = f"{sum(done)} learnt and {len(done) - sum(done)} did not"
        return (
            f"its seeds disagree ({told}; median {statistics.median(scores):.3f}), so"
            " its mean is of neither"
        )

    def of_reach(
        self, leader: Cell, cells: Sequence[Cell], best: Sequence[Cell], hops: Hops
    ) -> str:
        """Name the tables that a graph's deepest network does not see, and others do.

        Of the leader: those that further layers would see, where more of them might
        help, its best depth being its deepest.
        """
        deepest = {cell.series: cell.depth for cell in cells if cell.finished}
        seen = _tables(hops, leader.series, leader.depth)
        said = []
        for series in (cell.series for cell in best):
            depth = deepest[series]
            there = _tables(hops, series, depth)
            ever = _tables(hops, series, None)
            lacked = ever - there
            if series != leader.series:
                lacked &= seen
            elif leader.depth < depth:
                lacked = set()
            if lacked:
                names = ", ".join(sorted(lacked))
                said.append(
                    f"{self.call(series, depth)}, its deepest, does not yet see {names}"
                )
        return " and ".join(said)

    def of_training(
        self,
        leader: Cell,
        cells: Sequence[Cell],
        best: Sequence[Cell],
        floors: Sequence[Floor],
    ) -> str:
        """Name depths beyond the best that did not train although the best did.

        A shallower depth that learns nothing may lack the signal, not the training.
        """
        best_depth = {cell.series: cell.depth for cell in best}
        failed = []
        trained: set[Series] = set()
        for cell in cells:
            if not cell.finished:
                continue
            constant = constant_train_score(floors, cell.series.source)
            if learnt(cell.mean("train"), constant, self.metric):
                trained.add(cell.series)
            elif cell.series in trained and cell.depth > best_depth[cell.series]:
                failed.append(self.call(cell.series, cell.depth))
        if leader.series not in trained:
            return (
                "its training score is no better than a constant's either: it did not"
                " train, or nothing within its reach tells"
            )
        if not failed:
            return ""
        return f"{', '.join(failed)} did not train, which is not oversmoothing"

    def of_the_missing(self, cells: Sequence[Cell], best: Sequence[Cell]) -> str:
        """Name the series of which nothing has finished."""
        known = {cell.series for cell in best}
        absent = [cell.series for cell in cells if cell.series not in known]
        names = ", ".join(map(self.name, dict.fromkeys(absent)))
        return f"no run of {names} has finished" if names else ""

    def _best_floor(self, floors: Sequence[Floor]) -> Floor | None:
        """Return the baseline with the best validation score, if there is one."""
        usable = [
            floor
            for floor in floors
            if floor.name != BEST_POSSIBLE and not math.isnan(floor.val)
        ]
        return max(usable, key=lambda each: self.sign * each.val, default=None)

    def _later(
        self, leader: Cell, ties: Sequence[Contrast], cells: Sequence[Cell]
    ) -> list[str]:
        """Return the rivals that tie, but whose score at the leader's depth is below.

        Below means that the two intervals of re-training do not meet.
        """
        own = self._ends(leader)
        later = []
        for pair in ties:
            rival = pair.b if pair.a == leader else pair.a
            for cell in cells:
                same = cell.series == rival.series and cell.depth == leader.depth
                if same and rival.depth > leader.depth and self._ends(cell)[1] < own[0]:
                    later.append(f"{rival.depth} in {self.name(rival.series)}")
        return later

    def _ends(self, cell: Cell) -> tuple[float, float]:
        """Return the worse and the better end of a cell's interval, higher better."""
        found = t_interval([trial.test for trial in cell.finished])
        low, high = sorted((self.sign * found.low, self.sign * found.high))
        return low, high

    def _standing(self, leader: Cell, pair: Contrast) -> str:
        """Return how a contrast looks from the leader's side."""
        match pair.verdict:
            case "tie":
                return TIE
            case "a better":
                return AHEAD if pair.a == leader else BEHIND
            case "b better":
                return BEHIND if pair.a == leader else AHEAD
            case _:
                return OPEN

    def _rival(self, leader: Cell, pair: Contrast) -> str:
        rival = pair.b if pair.a == leader else pair.a
        return self.call(rival.series, rival.depth)

    def _gap(self, leader: Cell, pair: Contrast) -> str:
        """Return a rival and how far it is away, whichever is better."""
        ends = sorted(abs(end) for end in (pair.low, pair.high))
        return (
            f"{self._rival(leader, pair)} by {abs(pair.difference):.3f}"
            f" [{ends[0]:.3f}, {ends[1]:.3f}]"
        )

    def _ahead(self, leader: Cell, beaten: Sequence[Contrast]) -> list[str]:
        if not beaten:
            return []
        gap = self._gap(leader, min(beaten, key=lambda pair: abs(pair.difference)))
        if len(beaten) == 1:
            return [f"ahead of {gap}"]
        return [f"ahead of {len(beaten)} others, the nearest {gap}"]

    def _together(
        self, words: str, leader: Cell, pairs: Sequence[Contrast]
    ) -> list[str]:
        names = " and ".join(self._rival(leader, pair) for pair in pairs)
        return [f"{words} {names}"] if names else []
