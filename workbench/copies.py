"""The disjoint union of receptive fields: each seed row with neighbours of its own.

In a graph where fields overlap, a gradient says which rows matter but not to whom.
Here every seed has copies of the rows that it can see, so that one backward pass over
all seeds tells what each of them hears, hop by hop.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property

import numpy as np
import torch

from workbench.graph import Direction, Graph, Relation


@dataclass(frozen=True)
class Copies(Graph):
    """A graph of copies; a network for the original graph runs on it unchanged.

    Attributes:
        counted: Number of messages that each copy's original receives, float32. The
            outermost copies lack neighbours, and degree-weighted networks must not
            see that.
        owners: The seed, a position, that each copy of each node type belongs to; -1
            for rows that belong to none.
        hops: How many hops each copy is away from its seed; -1 likewise.
        seeds: Where the seeds stand among the target's copies.
    """

    counted: Mapping[str, np.ndarray]
    owners: Mapping[str, np.ndarray]
    hops: Mapping[str, np.ndarray] = field(kw_only=True)
    seeds: np.ndarray

    @cached_property
    def degrees(self) -> Mapping[str, np.ndarray]:
        """Number of messages that each copy's original receives, by node type."""
        return self.counted

    @property
    def size(self) -> int:
        """Number of copied rows and links: what a pass over them costs."""
        rows = sum(int((owners >= 0).sum()) for owners in self.owners.values())
        return rows + sum(len(one.source_rows) for one in self.relations)


@dataclass(frozen=True)
class Tracer:
    """Finds what rows of a graph can see; prepared once for a graph."""

    graph: Graph

    @cached_property
    def _ways(self) -> tuple["_Way", ...]:
        places = {one.name: index for index, one in enumerate(self.graph.relations)}
        return tuple(
            _way(places[one.relation], one, self.graph) for one in self.graph.directions
        )

    def copy(
        self,
        seeds: np.ndarray,
        depth: int,
        strangers: Mapping[str, np.ndarray],
        limit: int | None = None,
    ) -> Copies | None:
        """Return the union of the seeds' fields, or None where it passes a limit.

        Args:
            seeds: Rows of the target, each once.
            depth: How many hops are seen.
            strangers: Rows besides, by node type, that nobody is tied to.
            limit: Most copied rows and links.
        """
        graph = self.graph
        held = {name: _nothing() for name in graph.nodes}
        hops = {name: _nothing() for name in graph.nodes}
        own = np.arange(len(seeds)) * graph.nodes[graph.target].num_rows + seeds
        fresh, links = {graph.target: own}, [_nothing() for _ in graph.relations]
        held[graph.target], hops[graph.target] = own, np.zeros(len(own), dtype=int)
        size = len(own)
        for hop in range(1, depth + 1):
            arriving: dict[str, list[np.ndarray]] = {}
            for way in self._ways:
                if way.receiver in fresh:
                    senders, found = way.heard(fresh[way.receiver])
                    links[way.relation] = np.union1d(links[way.relation], found)
                    arriving.setdefault(way.sender, []).append(senders)
            fresh = {}
            for name, parts in arriving.items():
                new = np.setdiff1d(np.concatenate(parts), held[name])
                if len(new):
                    fresh[name] = new
                    place = np.searchsorted(held[name], new)
                    held[name] = np.insert(held[name], place, new)
                    hops[name] = np.insert(hops[name], place, hop)
            size = sum(map(len, held.values())) + sum(map(len, links))
            if limit is not None and size > limit:
                return None
        return self._assemble(own, held, hops, links, strangers)

    def _assemble(
        self,
        own: np.ndarray,
        held: Mapping[str, np.ndarray],
        hops: Mapping[str, np.ndarray],
        links: list[np.ndarray],
        strangers: Mapping[str, np.ndarray],
    ) -> Copies:
        graph = self.graph
        nodes, degrees, owners, distances = {}, {}, {}, {}
        for name, features in graph.nodes.items():
            added = strangers.get(name, _nothing())
            nobody = np.full(len(added), -1)
            rows = np.concatenate([held[name] % max(features.num_rows, 1), added])
            nodes[name] = features.take(torch.from_numpy(rows))
            degrees[name] = graph.degrees[name][rows]
            owners[name] = np.append(held[name] // max(features.num_rows, 1), nobody)
            distances[name] = np.append(hops[name], nobody)
        relations = tuple(
            self._relation(relation, held, found)
            for relation, found in zip(graph.relations, links, strict=True)
        )
        return Copies(
            target=graph.target,
            nodes=nodes,
            relations=relations,
            counted=degrees,
            owners=owners,
            hops=distances,
            seeds=np.searchsorted(held[graph.target], own),
        )

    def _relation(
        self, relation: Relation, held: Mapping[str, np.ndarray], found: np.ndarray
    ) -> Relation:
        number = max(len(relation.source_rows), 1)
        owner, link = np.divmod(found, number)
        ends = []
        for name, rows in (
            (relation.source, relation.source_rows),
            (relation.target, relation.target_rows),
        ):
            keys = owner * self.graph.nodes[name].num_rows + rows[link]
            ends.append(np.searchsorted(held[name], keys))
        attributes = relation.attributes
        if attributes is not None:
            attributes = attributes.take(torch.from_numpy(link))
        heard = relation.heard
        return replace(
            relation,
            source_rows=ends[0],
            target_rows=ends[1],
            attributes=attributes,
            times=None if relation.times is None else relation.times[link],
            heard=None if heard is None else (heard[0][link], heard[1][link]),
        )


@dataclass(frozen=True, slots=True)
class _Way:
    """One way messages run along a relation, by receiver.

    A copy is its owner times the number of rows of its type, plus its row; a copied
    link likewise.
    """

    relation: int
    sender: str
    receiver: str
    num_senders: int
    num_receivers: int
    num_links: int
    starts: np.ndarray
    links: np.ndarray
    senders: np.ndarray

    def heard(self, copies: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Return the copies that some copies hear, and the links between, each once."""
        owner, row = np.divmod(copies, self.num_receivers)
        counts = self.starts[row + 1] - self.starts[row]
        before = np.cumsum(counts) - counts
        place = np.arange(counts.sum()) + np.repeat(self.starts[row] - before, counts)
        owner = np.repeat(owner, counts)
        senders = owner * self.num_senders + self.senders[place]
        return senders, owner * self.num_links + self.links[place]


def _way(index: int, direction: Direction, graph: Graph) -> _Way:
    return _Way(
        relation=index,
        sender=direction.source,
        receiver=direction.target,
        num_senders=graph.nodes[direction.source].num_rows,
        num_receivers=graph.nodes[direction.target].num_rows,
        num_links=len(graph.relations[index].source_rows),
        starts=direction.starts,
        links=direction.links,
        senders=direction.senders,
    )


def _nothing() -> np.ndarray:
    return np.zeros(0, dtype=np.int64)
