"""Whether rows to predict are fed in batches, and in which: told from a plan.

All rows at once is exact and stays what is done wherever it fits. Where some run of a
study does not fit, every run of it gets the same batches, so that graphs and depths
take steps of the same size and are compared on like terms.
"""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any

import psutil

from workbench.cost import CellCost, estimate_cells
from workbench.engine import default_jobs
from workbench.feed import Batching
from workbench.instances import FAN_OUTS
from workbench.planning import PlannedStudy
from workbench.run import ALL, AUTO, FULL
from workbench.sampling import Choice
from workbench.task import TRAIN

MEMORY_SHARE = 0.5  # of what is free, so that other programs keep some
SIZES = tuple(2**power for power in range(16, 7, -1))  # 65,536 to 256 rows a batch
MOST_WORK = 4.0  # a run in batches takes at most so many times one of all rows at once
WORTH = 0.9  # batches that leave more of the memory than this are no help


@dataclass(frozen=True, slots=True)
class Settled:
    """How a study's rows are fed, and the estimate that decided it.

    Attributes:
        batching: The batches; None for all rows at once.
        whole_mb: Most memory of a run with all rows at once, in 10⁶ bytes.
        needed_mb: Most memory of a run as it is settled.
        limit_mb: What a run may take: half of what is free, over the runs at a time.
    """

    batching: Batching | None
    whole_mb: float
    needed_mb: float
    limit_mb: float

    @property
    def sentence(self) -> str:
        """What is done, in plain words."""
        whole, limit = f"{self.whole_mb:,.0f} MB", f"{self.limit_mb:,.0f} MB"
        if self.batching is not None:
            return (
                f"Rows are trained in {batches_in_words(self.batching)}: about"
                f" {self.needed_mb:,.0f} MB a run, of {limit} to spare; all rows at"
                f" once (full batch) would take {whole}."
            )
        if self.whole_mb <= self.limit_mb:
            return (
                f"All rows are trained at once (full batch): about {whole} a run, of"
                f" {limit} to spare."
            )
        return (
            f"All rows are trained at once (full batch), although a run takes about"
            f" {whole} and {limit} are to spare: batches were turned down, or would"
            " save little."
        )


def batches_in_words(batching: Batching) -> str:
    """Return the size of batches and what their rows see, in plain words."""
    heard = "with all neighbours"
    if batching.fan_out is not None:
        heard = f"with at most {batching.fan_out} neighbours per key"
        if batching.choice is Choice.DEGREE:
            heard += ", the better connected more often"
    return f"batches (mini-batches) of {batching.rows:,} {heard}"


def settle_batches(
    planned: PlannedStudy, jobs: int | None = None, free_mb: float | None = None
) -> Settled:
    """Decide for all runs of a study alike how rows to predict are fed.

    What the budget asks for is kept to. Left to itself (``auto``), a study gets all
    rows at once where every run of it is expected to fit into the memory there is. Else
    it gets all neighbours and the largest batch that fits; fewer neighbours (64, 32, …)
    only where runs would else take more than four times as long as with all rows at
    once; and what takes least memory where nothing fits.

    Args:
        planned: The study.
        jobs: Runs at the same time; by default one a core.
        free_mb: Free memory in 10⁶ bytes; by default that is looked up.
    """
    budget = planned.study.budget
    free = psutil.virtual_memory().available / 1e6 if free_mb is None else free_mb
    limit = free * MEMORY_SHARE / (jobs or default_jobs())
    whole = _total(replace(planned, batching=None))
    no_batches = Settled(None, whole.megabytes, whole.megabytes, limit)
    fits = whole.megabytes <= limit
    if budget.batch_rows == FULL or (budget.batch_rows == AUTO and fits):
        return no_batches
    tried = []
    for batching in _candidates(planned):
        cost = _total(replace(planned, batching=batching))
        found = Settled(batching, whole.megabytes, cost.megabytes, limit)
        tried.append(found)
        if cost.megabytes <= limit and cost.seconds <= MOST_WORK * whole.seconds:
            return found
    if not tried:
        return no_batches
    best = min(tried, key=lambda one: one.needed_mb)
    saves = best.needed_mb <= WORTH * whole.megabytes
    return best if saves or budget.batch_rows != AUTO else no_batches


def with_batches(planned: PlannedStudy, settled: Settled) -> PlannedStudy:
    """Return a planned study that says how its rows are fed.

    Its study names the batches, so that it runs in the same ones elsewhere.
    """
    batching = settled.batching
    if batching is None:
        return replace(planned, batching=None)
    study = planned.study
    fan_out = ALL if batching.fan_out is None else batching.fan_out
    budget = replace(study.budget, batch_rows=batching.rows, batch_fan_out=fan_out)
    plans = {name: _noted(plan, batching) for name, plan in planned.plans.items()}
    return replace(
        planned,
        study=replace(study, budget=budget),
        plans=plans,
        batching=batching,
    )


def _candidates(planned: PlannedStudy) -> Iterator[Batching]:
    """Yield what may be done, what comes closest to all rows at once first."""
    budget = planned.study.budget
    choice = Choice.UNIFORM
    if planned.study.neighbours == Choice.DEGREE:
        choice = Choice.DEGREE
    match budget.batch_fan_out:
        case int() as asked:
            fan_outs: tuple[int | None, ...] = (asked,)
        case str() as asked if asked == ALL:
            fan_outs = (None,)
        case _:
            fan_outs = FAN_OUTS
    if isinstance(budget.batch_rows, int):
        sizes: tuple[int, ...] = (budget.batch_rows,)
    else:
        fewest = min(int((arm.task.split == TRAIN).sum()) for arm in planned.arms)
        sizes = tuple(size for size in SIZES if 2 * size <= fewest)
    for fan_out in fan_outs:
        for rows in sizes:
            yield Batching(rows, fan_out, choice)


def _total(planned: PlannedStudy) -> CellCost:
    """Return the time of all runs together and the memory of the largest."""
    costs = estimate_cells(planned).values()
    return CellCost(
        prepare=0.0,
        seconds=sum(one.seconds for one in costs),
        megabytes=max(one.megabytes for one in costs),
    )


def _noted(plan: Any, batching: Batching) -> dict[str, Any]:
    """Return a source's plan with a note on its batches."""
    note = (
        f"Rows to predict are trained and scored in {batches_in_words(batching)},"
        " drawn anew for every batch. Layers and influence are measured with all"
        " neighbours of the rows that are looked at."
    )
    source = {**plan["source"], "notes": [*plan["source"]["notes"], note]}
    return {**plan, "source": source}
