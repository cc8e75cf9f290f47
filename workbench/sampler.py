"""What rows to predict can see, found by a search along messages.

One search serves both ends: a graph unfolded over time, in which an instance hears only
what was known at its moment, and batches of a graph in which all is known always.

Source: sampling neighbours after Hamilton et al. (2017), arXiv:1706.02216; under a time
    limit after Fey et al. (2023), arXiv:2312.04615; differs in: drawn without
    replacement, each instance's once, and shared by rows of the same moment unless each
    row is to have its own.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TypeAlias

import numpy as np

from workbench.blueprint import KeyRole
from workbench.errors import GraphError
from workbench.instances import MOST, Instances, Tie, Tied, Unfolding
from workbench.sampling import (
    Neighbours,
    group_neighbours,
    sample_neighbours,
    sort_neighbours,
)


def find_instances(
    ties: Sequence[Tie],
    num_nodes: Mapping[str, int],
    times: Mapping[str, np.ndarray],
    seeds: tuple[str, np.ndarray, np.ndarray],
    unfolding: Unfolding,
    most: int = MOST,
) -> Instances:
    """Unfold a graph over time, as far as rows to predict can see.

    Args:
        ties: The links of every edge type.
        num_nodes: Number of nodes by node type.
        times: When each node came to be, float64 by node type; NaN or -inf, or no entry
            at all, for always.
        seeds: The node type of the rows to predict, the rows (each once) and the moment
            that each is predicted at, float64.
        unfolding: How deep, and how many neighbours.
        most: Most instances and messages.

    Returns:
        Every instance that a message of ``depth`` layers can come from, and the links.

    Raises:
        GraphError: There would be too many of them.
    """
    target, rows, moments = seeds
    sampler = prepare_sampler(ties, num_nodes, target, (times, moments), unfolding.seed)
    return sampler.draw(rows, moments, unfolding, most=most)


def prepare_sampler(
    ties: Sequence[Tie],
    num_nodes: Mapping[str, int],
    target: str,
    timing: tuple[Mapping[str, np.ndarray], np.ndarray] | None = None,
    seed: int = 0,
    grouped: Mapping[tuple[int, bool], Neighbours] | None = None,
) -> "Sampler":
    """Return a graph made ready for drawing what rows to predict can see.

    Args:
        ties: The links of every edge type.
        num_nodes: Number of nodes by node type.
        target: Node type of the rows to predict.
        timing: When each node came to be, as in `find_instances`, and every moment at
            which a row may be predicted; None where all is known always.
        seed: Decides among messages of the same time which counts as the later.
        grouped: By position of a tie and whether messages run down, the links of every
            receiver, where they are at hand and all is known always.
    """
    at_hand = grouped or {}
    times, moments = ({}, np.zeros(1)) if timing is None else timing
    grid = np.unique(moments)
    ways = []
    for index, tie in enumerate(ties):
        for is_down in (False, True):
            if tie.direction is (KeyRole.UP if is_down else KeyRole.DOWN):
                continue
            held = at_hand.get((index, is_down))
            way = _way(index, tie, is_down, num_nodes, held)
            if timing is not None:
                drawn = np.random.default_rng([seed, 0, index, int(is_down)])
                way = _in_time(way, tie, times, grid, num_nodes, drawn)
            ways.append(way)
    return Sampler(target, tuple(ties), dict(num_nodes), grid, tuple(ways))


@dataclass(frozen=True, slots=True)
class Way:
    """One way messages run along a tie.

    Attributes:
        tie: Position of the tie.
        is_down: Whether messages run from parent to child.
        sender: Node type that sends.
        receiver: Node type that receives.
        senders: int64 [links]: the node at the sending end of each link.
        neighbours: Every receiver's links.
    """

    tie: int
    is_down: bool
    sender: str
    receiver: str
    senders: np.ndarray
    neighbours: Neighbours


@dataclass(frozen=True, slots=True)
class Sampler:
    """A graph made ready for drawing what rows to predict can see.

    Attributes:
        target: Node type of the rows to predict.
        ties: The links of every edge type.
        num_nodes: Number of nodes by node type.
        grid: float64 [moments], ascending: every moment of a row to predict.
        ways: Every way messages run.
    """

    target: str
    ties: tuple[Tie, ...]
    num_nodes: Mapping[str, int]
    grid: np.ndarray
    ways: tuple[Way, ...]

    def draw(
        self,
        rows: np.ndarray,
        moments: np.ndarray | None,
        unfolding: Unfolding,
        *,
        fan_outs: Mapping[int, int | None] | None = None,
        disjoint: bool = False,
        most: int | None = None,
    ) -> Instances:
        """Return the instances that rows see, and the links between them.

        Neighbours of an instance are drawn once, when the search first comes to it, and
        are distinct; what came later than the instance's moment is never among them.

        Args:
            rows: int64 [n]: rows of the target, each once at a moment.
            moments: float64 [n]: the moment of each, one of the grid's; None where all
                is known always.
            unfolding: How deep, how many neighbours, which, and the seed.
            fan_outs: By position of a tie, its own most messages one way; None for all.
            disjoint: Whether every row has instances of its own, which it shares with
                no other; else rows of the same moment share them.
            most: Most instances and messages; None for any number.

        Raises:
            GraphError: There would be too many of them.
        """
        at = np.zeros(len(rows), dtype=np.int64)
        if moments is not None:
            at = np.searchsorted(self.grid, moments)
        owners = np.arange(len(rows)) if disjoint else at
        moment_of = at if disjoint else np.arange(len(self.grid))
        limits = {
            index: (fan_outs or {}).get(index, unfolding.fan_out)
            for index in range(len(self.ties))
        }
        return _Search(self, (rows, owners), moment_of, unfolding, limits, most).run()


def _way(
    index: int,
    tie: Tie,
    is_down: bool,
    num_nodes: Mapping[str, int],
    held: Neighbours | None,
) -> Way:
    """Return a way along which all is known always."""
    sender, receiver = (tie.target, tie.source) if is_down else (tie.source, tie.target)
    senders, receivers = (
        (tie.targets, tie.sources) if is_down else (tie.sources, tie.targets)
    )
    if held is not None:
        found = held
    elif tie.heard is None:
        found = group_neighbours(receivers, num_nodes[receiver])
    else:
        runs = np.flatnonzero(tie.heard[int(is_down)])
        some = group_neighbours(receivers[runs], num_nodes[receiver])
        found = replace(some, order=runs[some.order])
    return Way(index, is_down, sender, receiver, senders, found)


def _in_time(
    way: Way,
    tie: Tie,
    times: Mapping[str, np.ndarray],
    grid: np.ndarray,
    num_nodes: Mapping[str, int],
    generator: np.random.Generator,
) -> Way:
    """Return a way along which links are known since they and their senders are."""
    since = _since(times.get(way.sender), num_nodes[way.sender])[way.senders]
    since = np.maximum(since, _since(tie.times, len(since)))
    receivers = tie.sources if way.is_down else tie.targets
    runs = np.sort(way.neighbours.order)
    found = sort_neighbours(
        receivers[runs], since[runs], grid, num_nodes[way.receiver], generator
    )
    return replace(way, neighbours=replace(found, order=runs[found.order]))


DENSE = 64  # possible codes per code up to which they are marked and not sorted

_Places: TypeAlias = Callable[[np.ndarray], np.ndarray]


@dataclass(frozen=True, slots=True)
class _Heard:
    """Messages found along a way: the owner and the link of each."""

    way: Way
    owners: np.ndarray
    links: np.ndarray


class _Search:
    """A search along messages from the rows to predict; `run` is called once.

    A code is an owner times the number of nodes of a type, plus the node.
    """

    def __init__(
        self,
        sampler: Sampler,
        seeds: tuple[np.ndarray, np.ndarray],
        moment_of: np.ndarray,
        unfolding: Unfolding,
        limits: Mapping[int, int | None],
        most: int | None,
    ) -> None:
        rows, owners = seeds
        self.sampler, self.target = sampler, sampler.target
        self.moment_of, self.limits = moment_of, limits
        self.unfolding, self.most = unfolding, most
        self.ties, self.num_nodes = sampler.ties, sampler.num_nodes
        self.grid, self.ways = sampler.grid, sampler.ways
        self.own = owners * self.num_nodes[self.target] + rows
        self.held = {name: _nothing() for name in self.num_nodes}
        self.hops = {name: _nothing() for name in self.num_nodes}
        self.heard: list[_Heard] = []
        self.size = self.cut = 0

    def run(self) -> Instances:
        fresh = self._settle(0, {self.target: [self.own]})
        for hop in range(1, self.unfolding.depth + 1):
            arriving: dict[str, list[np.ndarray]] = {}
            for index, way in enumerate(self.ways):
                if way.receiver in fresh:
                    drawn = np.random.default_rng([self.unfolding.seed, hop, index])
                    senders = self._hear(way, fresh[way.receiver], drawn)
                    arriving.setdefault(way.sender, []).append(senders)
            fresh = self._settle(hop, arriving)
        return self._assemble()

    def _hear(
        self, way: Way, codes: np.ndarray, generator: np.random.Generator
    ) -> np.ndarray:
        """Return the codes of the senders that instances hear along a way."""
        owners, nodes = self._split(codes, self.num_nodes[way.receiver])
        counts = way.neighbours.count_known(nodes, self.moment_of[owners])
        fan_out = self.limits[way.tie]
        kept = counts.sum() if fan_out is None else np.minimum(counts, fan_out).sum()
        self._grow(int(kept))
        self.cut += int(counts.sum() - kept)
        starts = way.neighbours.starts[nodes]

        def weigh(at: np.ndarray, places: np.ndarray) -> np.ndarray:
            links = way.neighbours.order[starts[at] + places]
            return self._degree(way.sender, way.senders[links], owners[at])

        heard, places = sample_neighbours(
            counts, fan_out, self.unfolding.choice, generator, weigh
        )
        links = way.neighbours.order[starts[heard] + places]
        self.heard.append(_Heard(way, owners[heard], links))
        return owners[heard] * self.num_nodes[way.sender] + way.senders[links]

    def _degree(self, name: str, nodes: np.ndarray, owners: np.ndarray) -> np.ndarray:
        """Return how many messages nodes know of at their owners' moments, and 1."""
        moments = self.moment_of[owners]
        counts = [
            way.neighbours.count_known(nodes, moments)
            for way in self.ways
            if way.receiver == name
        ]
        return 1.0 + sum(counts, np.zeros(len(nodes)))

    def _settle(
        self, hop: int, arriving: Mapping[str, list[np.ndarray]]
    ) -> dict[str, np.ndarray]:
        """Keep the codes that are new, and return them, ascending."""
        fresh = {}
        for name, parts in arriving.items():
            size = self._size(self.num_nodes[name])
            arrived = _distinct(np.concatenate(parts), size)
            new = arrived[~_among(arrived, self.held[name], size)]
            if len(new):
                self._grow(len(new))
                fresh[name] = new
                place = np.searchsorted(self.held[name], new)
                self.held[name] = np.insert(self.held[name], place, new)
                self.hops[name] = np.insert(self.hops[name], place, hop)
        return fresh

    def _grow(self, number: int) -> None:
        self.size += number
        if self.most is not None and self.size > self.most:
            raise GraphError(
                f"Over {self.unfolding.depth} layers, the rows as they were known at"
                f" {len(self.grid):,} moments come to more than {self.most:,} nodes and"
                " messages. Lower the depth, or keep fewer rows by a filter."
            )

    def _assemble(self) -> Instances:
        order = {name: np.arange(len(codes)) for name, codes in self.held.items()}
        first = np.searchsorted(self.held[self.target], self.own)
        others = np.delete(order[self.target], first)
        order[self.target] = np.concatenate([first, others])
        rows, owners, hops, places = {}, {}, {}, {}
        for name, codes in self.held.items():
            own = codes[order[name]]
            owners[name], rows[name] = self._split(own, self.num_nodes[name])
            hops[name] = self.hops[name][order[name]]
            places[name] = self._places(name, order[name])
        return Instances(
            rows=rows,
            moments={
                name: self.grid[self.moment_of[one]] for name, one in owners.items()
            },
            owners=owners,
            hops=hops,
            degrees=self._degrees(rows, owners),
            ties=tuple(self._tied(index, places) for index in range(len(self.ties))),
            num_moments=len(self.grid),
            cut=self.cut,
        )

    def _degrees(
        self, rows: Mapping[str, np.ndarray], owners: Mapping[str, np.ndarray]
    ) -> dict[str, np.ndarray]:
        degrees = {name: np.zeros(len(one), np.float32) for name, one in rows.items()}
        for way in self.ways:
            at = self.moment_of[owners[way.receiver]]
            counts = way.neighbours.count_known(rows[way.receiver], at)
            fan_out = self.limits[way.tie]
            if fan_out is not None:
                counts = np.minimum(counts, fan_out)
            degrees[way.receiver] += counts
        return degrees

    def _places(self, name: str, order: np.ndarray) -> _Places:
        """Return how instances of a type are found by their codes."""
        held, ids = self.held[name], np.empty(len(order), dtype=np.int64)
        ids[order] = np.arange(len(order))
        if len(self.moment_of) > 1:
            return lambda codes: ids[np.searchsorted(held, codes)]
        table = np.empty(self.num_nodes[name], dtype=np.int64)  # read at held rows only
        table[held] = ids
        return lambda codes: table[codes]

    def _tied(self, index: int, places: Mapping[str, _Places]) -> Tied:
        tie = self.ties[index]
        number = max(len(tie.sources), 1)
        size = self._size(number)
        up, down = (self._heard_along(index, is_down) for is_down in (False, True))
        codes = _distinct(np.concatenate([up, down]), size)
        owners, links = self._split(codes, number)
        ends = []
        for name, nodes in ((tie.source, tie.sources), (tie.target, tie.targets)):
            wanted = owners * self.num_nodes[name] + nodes[links]
            ends.append(places[name](wanted))
        return Tied(
            links=links,
            sources=ends[0],
            targets=ends[1],
            up=_among(codes, up, size),
            down=_among(codes, down, size),
        )

    def _heard_along(self, index: int, is_down: bool) -> np.ndarray:
        """Return owner and link of the messages along a way as one code, each once."""
        number = max(len(self.ties[index].sources), 1)
        found = [
            one.owners * number + one.links
            for one in self.heard
            if one.way.tie == index and one.way.is_down is is_down
        ]
        return np.concatenate([_nothing(), *found])

    def _size(self, number: int) -> int:
        """Return how many codes there can be of nodes or links of some number."""
        return number * len(self.moment_of)

    def _split(self, codes: np.ndarray, number: int) -> tuple[np.ndarray, np.ndarray]:
        """Return the owner and the rest of each code."""
        if len(self.moment_of) == 1:
            return np.zeros(len(codes), dtype=np.int64), codes
        return np.divmod(codes, max(number, 1))


def _distinct(codes: np.ndarray, size: int) -> np.ndarray:
    """Return different codes, all below ``size``, ascending."""
    if _is_dense(codes, size):
        return np.flatnonzero(_marked(codes, size))
    ordered = np.sort(codes)  # far faster than `np.unique`
    new = np.ones(len(ordered), dtype=bool)
    np.not_equal(ordered[1:], ordered[:-1], out=new[1:])
    return ordered[new]


def _among(codes: np.ndarray, held: np.ndarray, size: int) -> np.ndarray:
    """Return which codes, all below ``size``, are held."""
    if not len(held):
        return np.zeros(len(codes), dtype=bool)
    if _is_dense(codes, size):
        return _marked(held, size)[codes]
    held = np.sort(held)
    place = np.minimum(np.searchsorted(held, codes), len(held) - 1)
    return held[place] == codes


def _is_dense(codes: np.ndarray, size: int) -> bool:
    """Return whether a mark for every possible code costs less than a sort."""
    return size <= DENSE * len(codes)


def _marked(codes: np.ndarray, size: int) -> np.ndarray:
    marks = np.zeros(size, dtype=bool)
    marks[codes] = True
    return marks


def _since(times: np.ndarray | None, number: int) -> np.ndarray:
    """Return times with -inf where there is none."""
    if times is None:
        return np.full(number, -np.inf)
    return np.where(np.isnan(times), -np.inf, times)


def _nothing() -> np.ndarray:
    return np.zeros(0, dtype=np.int64)
