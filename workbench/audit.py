"""Whether a row is allowed to see rows from after its own moment.

The count is taken anew from the times of rows, over what is trained on. It knows
nothing of how the graph was unfolded, so that a mistake there is found here.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace

import numpy as np

from workbench.clock import row_times
from workbench.database import Database
from workbench.links import Links
from workbench.reach import spread
from workbench.schema import Schema

NUM_SAMPLES = 256


@dataclass(frozen=True, slots=True)
class FutureRows:
    """What the audit found.

    Attributes:
        count: Rows newer than the moment of the row that sees them, over at most 256 of
            the rows to predict that see any; 0 is exact for all rows.
        path: The shortest way to one of them, ``"Salaries ← Teams"``; empty when none.
    """

    count: int
    path: str


def table_times(database: Database, schema: Schema) -> dict[str, np.ndarray]:
    """Return when the rows of each table came to be, where a table says so."""
    return {
        table.name: found
        for table in schema.tables
        if (found := row_times(database, schema, table.name)) is not None
    }


def future_rows(
    links: Links,
    target: str,
    rows: np.ndarray,
    moments: np.ndarray,
    times: Mapping[str, np.ndarray],
    depth: int,
) -> FutureRows:
    """Count the rows from after its moment that a row to predict can see.

    The newest time within reach of every node is carried along the messages, layer by
    layer, so that "none" holds for every row. Counted is what a node carries, folded
    and summarised rows included, what rides on a link, and what a link passes.

    Args:
        links: The graph, whole or unfolded over time.
        target: Node type of the rows to predict.
        rows: int64 [n]: its nodes that are predicted.
        moments: float64 [n]: when each is predicted.
        times: float64 by table: when each of its rows came to be, NaN for unknown.
        depth: Number of layers.

    Returns:
        The count, and where it is not 0 the way on which it happens.

    Source: Fey et al. (2023), arXiv:2312.04615, whose temporal sampling rules such rows
        out.
    """
    seen = replace(links, sights=(*links.sights, *links.passages), passages=())
    limits = np.full(links.num_nodes[target], np.inf)
    limits[rows] = moments
    newest = _newest(seen, times, depth)
    for hop, state in enumerate(newest):
        late = rows[state[target][rows] > moments]
        if len(late):
            first = int(late[0])
            trail = _trail(seen, times, newest, target, first, hop, limits[first])
            late = rows[newest[-1][target][rows] > moments]
            count = _count(seen, times, target, _sample(late), depth, limits)
            return FutureRows(count, " ← ".join(trail))
    return FutureRows(0, "")


def _seen_times(
    links: Links, times: Mapping[str, np.ndarray], delay: int
) -> dict[str, np.ndarray]:
    """Return the newest time each node sees by itself (0) or on a message (1)."""
    newest = {name: np.full(n, -np.inf) for name, n in links.num_nodes.items()}
    for sight in links.sights:
        if sight.delay == delay and sight.table in times:
            shown = times[sight.table][sight.rows]
            known = np.flatnonzero(~np.isnan(shown))
            np.maximum.at(newest[sight.node], sight.nodes[known], shown[known])
    return newest


def _newest(
    links: Links, times: Mapping[str, np.ndarray], depth: int
) -> list[dict[str, np.ndarray]]:
    """Return the newest time each node sees, for 0, 1, … up to depth layers."""
    states = [_seen_times(links, times, delay=0)]
    riding = _seen_times(links, times, delay=1)
    for _ in range(depth):
        last = states[-1]
        state = {name: np.maximum(last[name], riding[name]) for name in last}
        for messages in links.messages:
            heard = last[messages.sender][messages.senders]
            np.maximum.at(state[messages.receiver], messages.receivers, heard)
        states.append(state)
    return states


def _trail(
    links: Links,
    times: Mapping[str, np.ndarray],
    newest: list[dict[str, np.ndarray]],
    node: str,
    row: int,
    hop: int,
    limit: float,
) -> list[str]:
    """Return the tables on a shortest way from a row to one from after its moment."""
    trail = [node]
    while True:
        shown = _shown_later(links, times, node, row, limit, 1 if hop else 0)
        if shown is not None:
            return trail if shown == node else [*trail, shown]
        node, row = _heard_later(links, newest[hop - 1], node, row, limit)
        trail.append(node)
        hop -= 1


def _shown_later(
    links: Links,
    times: Mapping[str, np.ndarray],
    node: str,
    row: int,
    limit: float,
    max_delay: int,
) -> str | None:
    """Return a table that shows a node something newer than a limit."""
    for sight in links.sights:
        if sight.node == node and sight.delay <= max_delay and sight.table in times:
            shown = times[sight.table][sight.rows[sight.nodes == row]]
            if (shown > limit).any():
                return sight.table
    return None


def _heard_later(
    links: Links, before: Mapping[str, np.ndarray], node: str, row: int, limit: float
) -> tuple[str, int]:
    """Return a node that sends to a node and has seen something newer than a limit."""
    for messages in links.messages:
        if messages.receiver == node:
            senders = messages.senders[messages.receivers == row]
            late = senders[before[messages.sender][senders] > limit]
            if len(late):
                return messages.sender, int(late[0])
    raise RuntimeError("What a node has seen it shows or was sent.")


def _sample(rows: np.ndarray) -> np.ndarray:
    if len(rows) <= NUM_SAMPLES:
        return rows
    chosen = np.random.default_rng(0).choice(rows, NUM_SAMPLES, replace=False)
    return np.sort(chosen)


def _count(
    links: Links,
    times: Mapping[str, np.ndarray],
    target: str,
    samples: np.ndarray,
    depth: int,
    moments: np.ndarray,
) -> int:
    """Return how many newer rows the sampled rows see, summed over them."""
    count, limits = 0, moments[samples]
    for found in spread(links, target, samples, depth):
        if found.table in times:
            shown = times[found.table]
            for rows, members in found.members(len(samples)):
                newer = shown[rows][:, None] > limits[None, :]
                count += int((newer & members).sum())
    return count
