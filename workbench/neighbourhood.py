"""One row's neighbourhood: what a network hears of it, and what it does not.

A graph is judged by what a single row gets to see. Each hop of it is told apart into
what is heard, what a fan-out sampled away, and what came to be only after the row's own
moment, so that no network may hear it.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from workbench.errors import GraphError, unknown
from workbench.instances import Instances, Unfolding
from workbench.links import Links
from workbench.timeline import instances_of, unfold_links

ALWAYS = np.inf


@dataclass(frozen=True, slots=True)
class Entering:
    """What a hop brings of a table.

    Attributes:
        hop: Number of hops from the row.
        table: The table.
        num_seen: Rows that are seen here for the first time.
        num_cut: Rows that would be, had the fan-out not left all ways to them out.
        num_later: Rows that would be, had they or the ways to them been there already.
    """

    hop: int
    table: str
    num_seen: int
    num_cut: int
    num_later: int


@dataclass(frozen=True, slots=True)
class Within:
    """Nodes and links within some hops of a row.

    Attributes:
        nodes: int64 [nodes] by node type: the hop of each node, -1 beyond all of them.
        links: int64 by edge rule, in order: the links along which a message runs.
    """

    nodes: Mapping[str, np.ndarray]
    links: tuple[np.ndarray, ...]


@dataclass(frozen=True, slots=True)
class Neighbourhood:
    """What one row hears over some layers, and what is kept from it.

    A node or link is in one of the three at most.

    Attributes:
        node: Node type of the row.
        row: Which of its nodes.
        moment: When the row is predicted, seconds since 1970; inf where nothing is
            later.
        depth: Number of hops.
        seen: What a network of that many layers hears.
        cut: What it would hear without the fan-out.
        later: What it would hear besides if it knew the future.
        entering: A hop and table each, by hop and then by table; only where there is
            something to count.
    """

    node: str
    row: int
    moment: float
    depth: int
    seen: Within
    cut: Within
    later: Within
    entering: tuple[Entering, ...]

    @property
    def sentence(self) -> str:
        """What the row hears and what is kept from it, in plain words."""
        tables = {one.table for one in self.entering if one.num_seen}
        seen, cut, later = (
            sum(getattr(one, name) for one in self.entering)
            for name in ("num_seen", "num_cut", "num_later")
        )
        said = [
            f"Within {_many(self.depth, 'hop')}: {_many(seen, 'row')} of"
            f" {_many(len(tables), 'table')}."
        ]
        if cut:
            said.append(f"Sampled away: {_many(cut, 'row')}.")
        if later:
            said.append(f"Hidden by the clock: {_many(later, 'row')} that came later.")
        return " ".join(said)


def neighbourhood_to_json(found: Neighbourhood) -> dict[str, Any]:
    """Return what enters at each hop as values that JSON can hold."""
    return {
        "node": found.node,
        "row": found.row,
        "moment": None if np.isinf(found.moment) else found.moment,
        "depth": found.depth,
        "in_words": found.sentence,
        "entering": [
            {
                "hop": one.hop,
                "table": one.table,
                "seen": one.num_seen,
                "cut": one.num_cut,
                "later": one.num_later,
            }
            for one in found.entering
        ],
    }


def find_neighbourhood(
    links: Links,
    node: str,
    row: int,
    unfolding: Unfolding,
    moment: float = ALWAYS,
) -> Neighbourhood:
    """Return what one row hears, hop by hop, and what is kept from it.

    The search is the one that a graph is unfolded with before it is trained on, so what
    is shown is what a network would hear of this row.

    Args:
        links: The graph over the rows.
        node: Node type of the row.
        row: Which of its nodes.
        unfolding: How many hops, and how many neighbours per key one row hears.
        moment: When the row is predicted, seconds since 1970; inf for no limit.

    Raises:
        GraphError: The graph has no such node, or too much is within reach.
    """
    if node not in links.num_nodes:
        raise GraphError(unknown("node type in this graph", node, links.num_nodes))
    if not 0 <= row < links.num_nodes[node]:
        raise GraphError(
            f'There is no row "{row}" of {node}; the rows are numbered from 0 to'
            f" {links.num_nodes[node] - 1:,}."
        )
    kept = _look(links, node, row, moment, unfolding)
    everybody = Unfolding(unfolding.depth)
    known = kept
    if unfolding.fan_out is not None:
        known = _look(links, node, row, moment, everybody)
    whole = known
    if moment < ALWAYS:
        whole = _look(links, node, row, ALWAYS, everybody)
    return Neighbourhood(
        node=node,
        row=row,
        moment=moment,
        depth=unfolding.depth,
        seen=kept.within,
        cut=_without(known.within, kept.within),
        later=_without(whole.within, known.within),
        entering=tuple(_entering(kept.rows, known.rows, whole.rows, unfolding.depth)),
    )


@dataclass(frozen=True, slots=True)
class _Look:
    """What one search found: nodes and links, and the hop of every row by table."""

    within: Within
    rows: Mapping[str, np.ndarray]


def _look(
    links: Links, node: str, row: int, moment: float, unfolding: Unfolding
) -> _Look:
    seeds = node, np.array([row]), np.array([moment])
    found = instances_of(links, seeds, unfolding)
    nodes = {
        name: np.full(count, -1, dtype=np.int64)
        for name, count in links.num_nodes.items()
    }
    for name, hops in nodes.items():
        hops[found.rows[name]] = found.hops[name]
    return _Look(
        Within(nodes, tuple(tied.links[tied.up | tied.down] for tied in found.ties)),
        _rows_seen(links, found, unfolding.depth),
    )


def _rows_seen(links: Links, found: Instances, depth: int) -> dict[str, np.ndarray]:
    """Return the first hop at which each row of a table is seen, -1 for never."""
    sizes: dict[str, int] = {}
    for sight in links.sights:
        last = int(sight.rows[-1]) + 1 if len(sight.rows) else 0
        sizes[sight.table] = max(last, sizes.get(sight.table, 0))
    never = depth + 1
    first = {table: np.full(size, never) for table, size in sizes.items()}
    for sight in unfold_links(links, found).sights:
        hops = found.hops[sight.node][sight.nodes] + sight.delay
        np.minimum.at(first[sight.table], sight.rows, hops)
    return {table: np.where(hops < never, hops, -1) for table, hops in first.items()}


def _without(larger: Within, smaller: Within) -> Within:
    """Return what is in the one and not in the other."""
    return Within(
        {
            name: np.where(smaller.nodes[name] < 0, hops, -1)
            for name, hops in larger.nodes.items()
        },
        tuple(map(np.setdiff1d, larger.links, smaller.links)),
    )


def _entering(
    kept: Mapping[str, np.ndarray],
    known: Mapping[str, np.ndarray],
    whole: Mapping[str, np.ndarray],
    depth: int,
) -> Iterator[Entering]:
    number = {
        table: (
            _by_hop(kept[table], depth),
            _by_hop(np.where(kept[table] < 0, known[table], -1), depth),
            _by_hop(np.where(known[table] < 0, whole[table], -1), depth),
        )
        for table in sorted(kept)
    }
    for hop in range(depth + 1):
        for table, counts in number.items():
            seen, cut, later = (int(each[hop]) for each in counts)
            if seen or cut or later:
                yield Entering(hop, table, seen, cut, later)


def _by_hop(hops: np.ndarray, depth: int) -> np.ndarray:
    return np.bincount(hops[hops >= 0], minlength=depth + 1)


def _many(number: int, what: str) -> str:
    return f"{number:,} {what}" if number == 1 else f"{number:,} {what}s"
