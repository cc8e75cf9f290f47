"""The comparison in one sentence, generated from its numbers, case by case."""

import math
from collections.abc import Sequence

from workbench.comparison import (
    Cell,
    Contrast,
    Floor,
    Series,
    constant_train_score,
    learnt,
)
from workbench.inference import ENOUGH_SEEDS, t_interval
from workbench.score import METRICS

OWN_COLUMNS = "own columns"


def pronounce(
    metric: str,
    cells: Sequence[Cell],
    best: Sequence[Cell],
    contrasts: Sequence[Contrast],
    floors: Sequence[Floor],
    leaks: Sequence[str] = (),
) -> str:
    """Return the verdict.

    Args:
        metric: Name in ``METRICS``.
        cells: Every cell.
        best: Each series at its best depth by validation.
        contrasts: All pairs of ``best``.
        floors: The baselines.
        leaks: One sentence per suspected leak.

    Returns:
        One sentence. A suspected leak comes before everything; below six seeds
        nothing is called a difference.
    """
    if not best:
        return "No run has finished, so there is nothing to compare."
    judge = _Judge(metric, best)
    leader = judge.leader(best)
    if leaks:
        return (
            f"Suspected leak: {leaks[0]}, so no graph can be judged before that column"
            f" is hidden; {judge.describe(leader)} as it stands."
        )
    clauses = [
        judge.of_the_graphs(leader, contrasts),
        judge.of_the_floors(leader, floors),
        judge.of_training(cells, floors),
    ]
    return "; ".join(clause for clause in clauses if clause) + "."


class _Judge:
    """What the clauses share: the metric's direction and how cells are called."""

    def __init__(self, metric: str, best: Sequence[Cell]) -> None:
        self.metric = metric
        self.sign = 1 if METRICS[metric].higher_is_better else -1
        series = [cell.series for cell in best]
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
        name = " ".join(getattr(series, part) for part in self.shown)
        return f"{name} at depth {depth}"

    def describe(self, cell: Cell) -> str:
        """Return a cell, its score and its interval."""
        found = t_interval([trial.test for trial in cell.finished])
        score = f"{found.mean:.3f}"
        if not math.isnan(found.low):
            score += f" [{found.low:.3f}, {found.high:.3f}]"
        return f"{self.call(cell.series, cell.depth)} scores {score} ({self.metric})"

    def of_the_graphs(self, leader: Cell, contrasts: Sequence[Contrast]) -> str:
        """Say which graph is best, or that it does not matter."""
        num_seeds = len(leader.finished)
        if num_seeds < ENOUGH_SEEDS:
            seeds = "one seed" if num_seeds == 1 else f"{num_seeds} seeds"
            return (
                f"With {seeds} nothing can be called a difference yet:"
                f" {self.describe(leader)} and leads"
            )
        rivals = [pair for pair in contrasts if leader in (pair.a, pair.b)]
        beaten = [pair for pair in rivals if self._wins(leader, pair)]
        level = [pair for pair in rivals if pair.verdict == "tie"]
        if not rivals:
            return f"{self.describe(leader)}, the only graph compared"
        if not level:
            nearest = min(beaten or rivals, key=lambda pair: abs(pair.difference))
            return f"{self.describe(leader)}, {self._ahead(leader, nearest)}"
        names = ", ".join(self._rival(leader, pair) for pair in level)
        clause = f"{self.describe(leader)}, a tie with {names}"
        if beaten:
            nearest = min(beaten, key=lambda pair: abs(pair.difference))
            return f"{clause}, and {self._ahead(leader, nearest)}"
        return f"The choice of graph makes no difference that shows: {clause}"

    def of_the_floors(self, leader: Cell, floors: Sequence[Floor]) -> str:
        """Say whether the graph is worth it beside the best baseline by validation."""
        usable = [floor for floor in floors if not math.isnan(floor.val)]
        if not usable:
            return ""
        floor = max(usable, key=lambda each: self.sign * each.val)
        found = t_interval([trial.test for trial in leader.finished])
        # The graph must be above what the baseline could be on other test rows.
        worst, reach = (
            (found.low, floor.high) if self.sign > 0 else (found.high, floor.low)
        )
        worst = found.mean if math.isnan(worst) else worst
        reach = floor.test if math.isnan(reach) else reach
        shown = f"{floor.name}, {floor.test:.3f}"
        if self.sign * worst > self.sign * reach:
            return f"no baseline does as well (the best: {shown})"
        if floor.name in ("majority", "mean"):
            return f"no graph beats a constant ({shown})"
        if floor.name == OWN_COLUMNS or leader.depth == 0:
            return f"the graph does not help: the row alone does as well ({shown})"
        return f"a plain join does as well as any graph ({shown})"

    def of_training(self, cells: Sequence[Cell], floors: Sequence[Floor]) -> str:
        """Name depths that did not train although a shallower one did."""
        failed = []
        trained: set[Series] = set()
        for cell in cells:
            constant = constant_train_score(floors, cell.series.source)
            if not cell.finished:
                continue
            if learnt(cell.mean("train"), constant, self.metric):
                trained.add(cell.series)
            elif cell.series in trained:
                failed.append(self.call(cell.series, cell.depth))
        if not failed:
            return ""
        return f"{', '.join(failed)} did not train, which is not oversmoothing"

    def _wins(self, leader: Cell, pair: Contrast) -> bool:
        return pair.verdict == ("a better" if pair.a == leader else "b better")

    def _rival(self, leader: Cell, pair: Contrast) -> str:
        rival = pair.b if pair.a == leader else pair.a
        return self.call(rival.series, rival.depth)

    def _ahead(self, leader: Cell, pair: Contrast) -> str:
        """Return by how much the leader is ahead of a rival."""
        gain = self.sign * (pair.difference if pair.a == leader else -pair.difference)
        ends = sorted(abs(end) for end in (pair.low, pair.high))
        ahead = "ahead of" if gain > 0 else "behind"
        return (
            f"{ahead} {self._rival(leader, pair)} by {abs(gain):.3f}"
            f" [{ends[0]:.3f}, {ends[1]:.3f}]"
        )
