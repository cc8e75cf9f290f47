"""Exact breadth-first search along the direction of messages, over all rows.

Distances start from every row to predict at once; the spread starts from a sample and
keeps, for every row, one bit a sampled row.
"""

import functools
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

import numpy as np

from workbench.links import Links

WORD = 64
CHUNK = 1 << 16


@dataclass(frozen=True, slots=True)
class Spread:
    """Rows of a table that come within reach at a hop, and of which sampled rows.

    Attributes:
        hop: The hop at which they are first seen.
        table: The table.
        rows: The rows, int64.
        bits: uint64 [rows, words]; bit i says that sampled row i sees it now first.
    """

    hop: int
    table: str
    rows: np.ndarray
    bits: np.ndarray

    def members(self, num_samples: int) -> Iterator[tuple[np.ndarray, np.ndarray]]:
        """Yield chunks of rows with a bool array [rows, samples] of who sees them."""
        for start in range(0, len(self.rows), CHUNK):
            stop = start + CHUNK
            words = np.ascontiguousarray(self.bits[start:stop])
            octets = words.astype("<u8", copy=False).view(np.uint8)
            flags = np.unpackbits(octets, axis=1, count=num_samples, bitorder="little")
            yield self.rows[start:stop], flags.astype(bool)


def node_hops(links: Links, target: str, rows: np.ndarray) -> dict[str, np.ndarray]:
    """Return how many layers each node is away from the nearest row to predict.

    Args:
        links: The graph.
        target: Node type of the rows to predict.
        rows: Which of its nodes they are.

    Returns:
        int64 [nodes] by node type; -1 for a node whose messages reach none of them.
    """
    hops = {
        name: np.full(count, -1, dtype=np.int64)
        for name, count in links.num_nodes.items()
    }
    hops[target][rows] = 0
    hop, fresh = 0, {target}
    while fresh:
        senders = set()
        for messages in links.messages:
            if messages.receiver in fresh:
                heard = hops[messages.receiver][messages.receivers] == hop
                found = messages.senders[heard]
                found = found[hops[messages.sender][found] < 0]
                if len(found):
                    hops[messages.sender][found] = hop + 1
                    senders.add(messages.sender)
        hop, fresh = hop + 1, senders
    return hops


def table_hops(links: Links, hops: Mapping[str, np.ndarray]) -> dict[str, int]:
    """Return the nearest hop at which a row of each table is seen.

    Args:
        links: The graph.
        hops: What `node_hops` returned.

    Returns:
        Hops by table; a table none of whose rows is ever seen is missing.
    """
    found: dict[str, int] = {}
    for sight in links.sights:
        near = hops[sight.node][sight.nodes]
        near = near[near >= 0]
        if len(near):
            hop = int(near.min()) + sight.delay
            found[sight.table] = min(hop, found.get(sight.table, hop))
    return found


def spread(
    links: Links, target: str, samples: np.ndarray, max_hops: int
) -> Iterator[Spread]:
    """Yield which rows come within reach of which sampled rows, hop by hop.

    Args:
        links: The graph.
        target: Node type of the sampled rows.
        samples: Its sampled nodes, each once.
        max_hops: The last hop.

    Returns:
        Each pair of a sampled row and a row it sees exactly once, at its first hop.
    """
    num_words = -(-len(samples) // WORD)
    reached = {
        name: np.zeros((count, num_words), dtype=np.uint64)
        for name, count in links.num_nodes.items()
    }
    seen = {
        table: np.zeros((num_rows, num_words), dtype=np.uint64)
        for table, num_rows in _table_sizes(links).items()
    }
    place = np.arange(len(samples))
    start = np.zeros_like(reached[target])
    start[samples, place // WORD] = np.uint64(1) << (place % WORD).astype(np.uint64)
    earlier: dict[str, np.ndarray] = {}
    fresh = _settle(reached, {target: start})
    for hop in range(max_hops + 1):
        showing: dict[str, np.ndarray] = {}
        for sight in links.sights:
            bits = (earlier if sight.delay else fresh).get(sight.node)
            if bits is not None:
                into = showing.setdefault(sight.table, np.zeros_like(seen[sight.table]))
                _spread_into(into, sight.rows, bits, sight.nodes)
        for table, bits in _settle(seen, showing).items():
            rows = np.flatnonzero(bits.any(axis=1))
            yield Spread(hop, table, rows, bits[rows])
        arriving: dict[str, np.ndarray] = {}
        for messages in links.messages:
            bits = fresh.get(messages.receiver)
            if bits is not None:
                into = arriving.setdefault(
                    messages.sender, np.zeros_like(reached[messages.sender])
                )
                _spread_into(into, messages.senders, bits, messages.receivers)
        earlier, fresh = fresh, _settle(reached, arriving)


def _table_sizes(links: Links) -> dict[str, int]:
    """Return how many rows of each table a sight can show."""
    sizes: dict[str, int] = {}
    for sight in links.sights:
        last = int(sight.rows[-1]) + 1 if len(sight.rows) else 0
        sizes[sight.table] = max(last, sizes.get(sight.table, 0))
    return sizes


def _settle(
    known: dict[str, np.ndarray], arriving: dict[str, np.ndarray]
) -> dict[str, np.ndarray]:
    """Add what arrives to what is known; return the part that is new, where any is."""
    fresh = {}
    for name, bits in arriving.items():
        new = bits & ~known[name]
        if new.any():
            known[name] |= new
            fresh[name] = new
    return fresh


def _spread_into(
    into: np.ndarray, rows: np.ndarray, bits: np.ndarray, nodes: np.ndarray
) -> None:
    """Join the bits of nodes into rows that see them; ``rows`` ascend."""
    any_bit = functools.reduce(np.bitwise_or, bits.T) != 0  # six times any(axis=1)
    active = np.flatnonzero(any_bit[nodes])
    if not len(active):
        return
    rows, values = rows[active], bits[nodes[active]]
    first = np.flatnonzero(np.diff(rows, prepend=-1))
    if len(first) < len(rows):
        values = np.bitwise_or.reduceat(values, first, axis=0)
    into[rows[first]] |= values
