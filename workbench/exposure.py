"""What rows that are trained on see of rows whose values were held out."""

from dataclasses import dataclass

import numpy as np

from workbench.links import Links
from workbench.reach import node_hops
from workbench.task import TEST, TRAIN, Task


@dataclass(frozen=True, slots=True)
class Exposure:
    """How near test rows come to rows that are trained on.

    Attributes:
        num_seen: Test rows that some training row sees, at whatever depth.
        num_test: Test rows in all.
        hop: The least depth at which one is seen; 0 where a training row's own features
            hold a summary of it.
        via: Node types between the two at that depth; empty at depth 0 and 1.
    """

    num_seen: int
    num_test: int
    hop: int
    via: tuple[str, ...]

    @property
    def sentence(self) -> str:
        """What a reader has to know, or empty where nothing is seen."""
        if not self.num_seen:
            return ""
        way = f", by way of {' and '.join(self.via)}" if self.via else ""
        when = (
            "already in their own summaries (depth 0)"
            if not self.hop
            else f"from depth {self.hop} on{way}"
        )
        return (
            "Rows of the held-out values are in this graph as neighbours: rows that"
            f" are trained on see {self.num_seen:,} of the {self.num_test:,} test rows"
            f" {when}. Their answers stay hidden, but what else is known of them is"
            " not new to the network (transductive)."
        )


def find_exposure(links: Links, target: str, task: Task) -> Exposure:
    """Return how near test rows come to training rows, along the way messages run.

    Args:
        links: The graph.
        target: Node type of the rows to predict.
        task: Which of them are trained on, and which are tested.
    """
    hops = node_hops(links, target, task.rows[task.split == TRAIN])
    tested = task.rows[task.split == TEST]
    near = np.full(links.num_nodes[target], np.inf)
    for sight in links.sights:
        if sight.table != task.spec.table:
            continue
        at = hops[sight.node][sight.nodes]
        np.minimum.at(
            near, sight.rows, np.where(at >= 0, at + float(sight.delay), np.inf)
        )
    found = near[tested]
    num_seen = int(np.isfinite(found).sum())
    hop = int(found.min()) if num_seen else 0
    return Exposure(num_seen, len(tested), hop, _between(links, target, tested, hops))


def _between(
    links: Links, target: str, tested: np.ndarray, hops: dict[str, np.ndarray]
) -> tuple[str, ...]:
    """Return the node types to which the nearest test rows send."""
    reached = hops[target][tested]
    nearest = int(min(reached[reached > 0], default=0))
    if nearest < 2:
        return ()
    is_near = np.zeros(links.num_nodes[target], dtype=bool)
    is_near[tested[reached == nearest]] = True
    found = {
        messages.receiver
        for messages in links.messages
        if messages.sender == target
        and (
            is_near[messages.senders]
            & (hops[messages.receiver][messages.receivers] == nearest - 1)
        ).any()
    }
    return tuple(sorted(found))
