"""What a row is shown of its own time: whether to unfold a study's graphs, and how."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np

from workbench.audit import NUM_SAMPLES, FutureRows, future_rows, table_times
from workbench.blueprint import Blueprint
from workbench.database import Database
from workbench.errors import GraphError
from workbench.instances import FAN_OUTS, MOST, Instances, Unfolding
from workbench.links import Links, link
from workbench.schema import Schema
from workbench.task import Task
from workbench.timeline import instances_of, unfold_links


@dataclass(frozen=True, slots=True)
class Timed:
    """A graph whose rows to predict have moments, before it is unfolded.

    Attributes:
        links: The whole graph.
        target: Node type of the rows to predict.
        rows: int64 [n]: the rows to predict.
        moments: float64 [n]: when each is predicted.
        times: When the rows of each table came to be.
        depth: Number of layers of the deepest network.
        whole: What the rows would see of their future on the whole graph.
    """

    links: Links
    target: str
    rows: np.ndarray
    moments: np.ndarray
    times: Mapping[str, np.ndarray]
    depth: int
    whole: FutureRows


@dataclass(frozen=True, slots=True)
class Timing:
    """How a graph respects the moments of its rows, and what the audit found.

    Attributes:
        unfolding: How the graph is unfolded; None where no later row is in reach, so
            that it is trained on whole.
        found: Rows from the future in what is trained on.
        whole: The same in the whole graph, which is not trained on where there are any.
        num_moments: Number of different moments at which rows are predicted.
        num_instances: Nodes that are trained on; 0 without unfolding.
        num_messages: Messages that are trained on; 0 without unfolding.
        cut: Messages left out by the fan-out.
        num_untimed: Rows to predict without a time, for which everything is known.
    """

    unfolding: Unfolding | None
    found: FutureRows
    whole: FutureRows
    num_moments: int
    num_instances: int = 0
    num_messages: int = 0
    cut: int = 0
    num_untimed: int = 0

    @property
    def share_kept(self) -> float:
        """Share of the messages that the fan-out leaves, 0 to 1."""
        return self.num_messages / max(self.num_messages + self.cut, 1) or 1.0

    def to_json(self) -> dict[str, Any]:
        """Return the values for ``plan --json``."""
        unfolding = self.unfolding
        return {
            "unfolding": None if unfolding is None else asdict(unfolding),
            "moments": self.num_moments,
            "instances": self.num_instances,
            "messages": self.num_messages,
            "messages_cut": self.cut,
            "rows_without_time": self.num_untimed,
            "future_rows": self.found.count,
            "future_rows_without_unfolding": self.whole.count,
            "way_without_unfolding": self.whole.path,
        }


def open_timed(
    database: Database, schema: Schema, task: Task, blueprint: Blueprint, depth: int
) -> Timed | None:
    """Return what unfolding a graph needs, or None where rows have no moments."""
    if task.times is None:
        return None
    links = link(database, schema, blueprint)
    times = table_times(database, schema)
    found = future_rows(links, blueprint.target, task.rows, task.times, times, depth)
    return Timed(links, blueprint.target, task.rows, task.times, times, depth, found)


def settle_timing(graphs: Sequence[Timed], most: int = MOST) -> tuple[Timing, ...]:
    """Decide for all graphs of a study alike how they are unfolded, and audit them.

    Where no graph shows a later row, all are trained on whole. Else all are unfolded,
    with the largest fan-out with which every one of them has at most ``most`` instances
    and messages: all neighbours, 64, 32, 16, 8, 4, 2 or 1, the latest first.

    Args:
        graphs: The study's graphs.
        most: Most instances and messages of one graph.

    Returns:
        One a graph, in order. The audit does not look at how it was unfolded.

    Raises:
        GraphError: Even with one neighbour a row there would be too many instances.
    """
    if not any(one.whole.count for one in graphs):
        return tuple(
            Timing(
                unfolding=None,
                found=one.whole,
                whole=one.whole,
                num_moments=len(np.unique(one.moments)),
                num_untimed=int(np.isinf(one.moments).sum()),
            )
            for one in graphs
        )
    *earlier, last = FAN_OUTS
    for fan_out in earlier:
        try:
            return _unfold_all(graphs, fan_out, most)
        except GraphError:
            continue
    return _unfold_all(graphs, last, most)


def time_notes(timings: Sequence[Timing]) -> Iterator[str]:
    """Yield what a reader has to know of how the graphs of a source respect time."""
    unfolding = next((one.unfolding for one in timings if one.unfolding), None)
    if unfolding is not None:
        yield from _unfolding_notes(timings, unfolding)
    untimed = max((one.num_untimed for one in timings), default=0)
    if untimed:
        yield f"{untimed:,} rows to predict have no time: for them all counts as known."


def _unfolding_notes(timings: Sequence[Timing], unfolding: Unfolding) -> Iterator[str]:
    worst = max(timings, key=lambda one: one.whole.count)
    yield (
        "Every row is predicted from what was known at its own time: each graph is"
        f" unfolded over {worst.num_moments:,} moments. Hops, reach and random walks"
        " are those of the whole graph; layers are measured on the unfolded one."
    )
    if worst.whole.count:
        yield (
            f"A whole graph would show up to {NUM_SAMPLES} rows together"
            f" {worst.whole.count:,} later ones, such as by way of {worst.whole.path};"
            " the unfolded ones show none."
        )
    kept = min(one.share_kept for one in timings)
    if kept < 1:
        yield (
            f"Of each row at most {unfolding.fan_out} neighbours per key are seen, the"
            f" latest first, so that every graph fits: in one of them {kept:.1%} of the"
            " messages stay."
        )


def _unfold_all(
    graphs: Sequence[Timed], fan_out: int | None, most: int
) -> tuple[Timing, ...]:
    unfoldings = [Unfolding(one.depth, fan_out) for one in graphs]
    found = [
        instances_of(one.links, (one.target, one.rows, one.moments), unfolding, most)
        for one, unfolding in zip(graphs, unfoldings, strict=True)
    ]
    return tuple(_audit(*each) for each in zip(graphs, unfoldings, found, strict=True))


def _audit(graph: Timed, unfolding: Unfolding, instances: Instances) -> Timing:
    return Timing(
        unfolding=unfolding,
        found=future_rows(
            unfold_links(graph.links, instances),
            graph.target,
            np.arange(len(graph.rows)),
            graph.moments,
            graph.times,
            unfolding.depth,
        ),
        whole=graph.whole,
        num_moments=instances.num_moments,
        num_instances=instances.num_instances,
        num_messages=instances.num_messages,
        cut=instances.cut,
        num_untimed=int(np.isinf(graph.moments).sum()),
    )
