"""The graph unfolded over time: rows as they were known when another is predicted.

A row to predict sees its graph as it was at its own moment. An *instance* is a row at a
moment; it exists where the row was there by then, and hears only what was. Rows that
are predicted at the same moment share their instances, so there is one graph a moment
and not one tree a row; the outcome is the same.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from workbench.blueprint import KeyRole
from workbench.errors import GraphError
from workbench.sampling import (
    Choice,
    Neighbours,
    sample_neighbours,
    sort_neighbours,
)

MOST = 3_000_000  # instances and messages; beyond, an epoch takes many seconds
FAN_OUTS = (None, 64, 32, 16, 8, 4, 2, 1)


@dataclass(frozen=True, slots=True)
class Unfolding:
    """How a graph is unfolded over time.

    Attributes:
        depth: Number of layers of the deepest network; nothing further away exists.
        fan_out: Most messages that an instance receives along one edge type one way;
            None for all.
        choice: Which ones, where there are more.
        seed: Another seed, another sample.
    """

    depth: int
    fan_out: int | None = None
    choice: Choice = Choice.LATEST
    seed: int = 0

    def __post_init__(self) -> None:
        if self.fan_out is not None and self.fan_out < 1:
            raise GraphError(
                f'The number of neighbours is "{self.fan_out}"; 1 or more work.'
            )


@dataclass(frozen=True, slots=True)
class Tie:
    """The links of an edge type, each once, child → parent.

    Attributes:
        source: Node type of the child.
        target: Node type of the parent.
        sources: int64 [links]: child of each link.
        targets: int64 [links]: parent of each link.
        times: float64 [links]: when each link came to be, NaN or -inf for always; None
            where none has a time.
        direction: Which way messages run.
    """

    source: str
    target: str
    sources: np.ndarray
    targets: np.ndarray
    times: np.ndarray | None
    direction: KeyRole


@dataclass(frozen=True, slots=True)
class Tied:
    """The links of a `Tie` between instances.

    Attributes:
        links: int64 [links]: which link of the tie each is.
        sources: int64 [links]: child instance.
        targets: int64 [links]: parent instance.
        up: bool [links]: whether the parent hears the child.
        down: bool [links]: whether the child hears the parent.
    """

    links: np.ndarray
    sources: np.ndarray
    targets: np.ndarray
    up: np.ndarray
    down: np.ndarray


@dataclass(frozen=True, slots=True)
class Instances:
    """A graph unfolded over time.

    The target's first instances are the rows to predict, in their order.

    Attributes:
        rows: By node type, the row of each instance, int64.
        moments: By node type, the moment of each instance, float64.
        hops: By node type, how many hops each is from the nearest row to predict.
        degrees: By node type, how many messages each receives, float32; those at the
            outermost hop too, although what they would hear is not there.
        ties: The links between instances, a `Tied` for every `Tie`.
        num_moments: Number of different moments.
        cut: Messages that the fan-out left out.
    """

    rows: Mapping[str, np.ndarray]
    moments: Mapping[str, np.ndarray]
    hops: Mapping[str, np.ndarray]
    degrees: Mapping[str, np.ndarray]
    ties: tuple[Tied, ...]
    num_moments: int
    cut: int

    @property
    def num_instances(self) -> int:
        """Number of instances of all node types."""
        return sum(map(len, self.rows.values()))

    @property
    def num_messages(self) -> int:
        """Number of messages, each way counted."""
        return sum(int(one.up.sum() + one.down.sum()) for one in self.ties)


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
    return _Search(ties, num_nodes, times, seeds, unfolding, most).run()


@dataclass(frozen=True, slots=True)
class _Way:
    """One way messages run along a tie."""

    tie: int
    is_down: bool
    sender: str
    receiver: str
    senders: np.ndarray
    neighbours: Neighbours


@dataclass(frozen=True, slots=True)
class _Heard:
    """Messages found along a way: the moment and the link of each."""

    way: _Way
    moments: np.ndarray
    links: np.ndarray


class _Search:
    """A search along messages from the rows to predict; `run` is called once.

    A code is a moment times the number of nodes of a type, plus the node.
    """

    def __init__(
        self,
        ties: Sequence[Tie],
        num_nodes: Mapping[str, int],
        times: Mapping[str, np.ndarray],
        seeds: tuple[str, np.ndarray, np.ndarray],
        unfolding: Unfolding,
        most: int,
    ) -> None:
        self.target, rows, moments = seeds
        self.unfolding, self.most = unfolding, most
        self.ties, self.num_nodes = ties, num_nodes
        self.grid = np.unique(moments)
        self.ways = tuple(self._ways(times))
        self.own = np.searchsorted(self.grid, moments) * num_nodes[self.target] + rows
        self.held = {name: _nothing() for name in num_nodes}
        self.hops = {name: _nothing() for name in num_nodes}
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

    def _ways(self, times: Mapping[str, np.ndarray]) -> Iterator[_Way]:
        for index, tie in enumerate(self.ties):
            child = tie.source, tie.sources
            parent = tie.target, tie.targets
            for is_down, (sender, senders), (receiver, receivers) in (
                (False, child, parent),
                (True, parent, child),
            ):
                if tie.direction is (KeyRole.UP if is_down else KeyRole.DOWN):
                    continue
                known = _since(times.get(sender), self.num_nodes[sender])[senders]
                known = np.maximum(known, _since(tie.times, len(senders)))
                seed = [self.unfolding.seed, 0, index, int(is_down)]
                neighbours = sort_neighbours(
                    receivers,
                    known,
                    self.grid,
                    self.num_nodes[receiver],
                    np.random.default_rng(seed),
                )
                yield _Way(index, is_down, sender, receiver, senders, neighbours)

    def _hear(
        self, way: _Way, codes: np.ndarray, generator: np.random.Generator
    ) -> np.ndarray:
        """Return the codes of the senders that instances hear along a way."""
        moments, nodes = np.divmod(codes, self.num_nodes[way.receiver])
        counts = way.neighbours.count_known(nodes, moments)
        fan_out = self.unfolding.fan_out
        kept = counts.sum() if fan_out is None else np.minimum(counts, fan_out).sum()
        self._grow(int(kept))
        self.cut += int(counts.sum() - kept)
        owners, places = sample_neighbours(
            counts, fan_out, self.unfolding.choice, generator
        )
        links = way.neighbours.order[way.neighbours.starts[nodes][owners] + places]
        self.heard.append(_Heard(way, moments[owners], links))
        return moments[owners] * self.num_nodes[way.sender] + way.senders[links]

    def _settle(
        self, hop: int, arriving: Mapping[str, list[np.ndarray]]
    ) -> dict[str, np.ndarray]:
        """Keep the codes that are new, and return them, ascending."""
        fresh = {}
        for name, parts in arriving.items():
            new = np.setdiff1d(np.concatenate(parts), self.held[name])
            if len(new):
                self._grow(len(new))
                fresh[name] = new
                place = np.searchsorted(self.held[name], new)
                self.held[name] = np.insert(self.held[name], place, new)
                self.hops[name] = np.insert(self.hops[name], place, hop)
        return fresh

    def _grow(self, number: int) -> None:
        self.size += number
        if self.size > self.most:
            raise GraphError(
                f"Over {self.unfolding.depth} layers, the rows as they were known at"
                f" {len(self.grid):,} moments come to more than {self.most:,} nodes and"
                " messages. Lower the depth, or keep fewer rows by a filter."
            )

    def _assemble(self) -> Instances:
        order = {name: np.arange(len(codes)) for name, codes in self.held.items()}
        first = np.searchsorted(self.held[self.target], self.own)
        others = np.setdiff1d(order[self.target], first)
        order[self.target] = np.concatenate([first, others])
        ids = {name: np.argsort(places) for name, places in order.items()}
        rows, moments, hops = {}, {}, {}
        for name, codes in self.held.items():
            at, nodes = np.divmod(codes[order[name]], max(self.num_nodes[name], 1))
            rows[name], moments[name] = nodes, self.grid[at]
            hops[name] = self.hops[name][order[name]]
        return Instances(
            rows=rows,
            moments=moments,
            hops=hops,
            degrees=self._degrees(rows, moments),
            ties=tuple(self._tied(index, ids) for index in range(len(self.ties))),
            num_moments=len(self.grid),
            cut=self.cut,
        )

    def _degrees(
        self, rows: Mapping[str, np.ndarray], moments: Mapping[str, np.ndarray]
    ) -> dict[str, np.ndarray]:
        degrees = {name: np.zeros(len(one), np.float32) for name, one in rows.items()}
        for way in self.ways:
            at = np.searchsorted(self.grid, moments[way.receiver])
            counts = way.neighbours.count_known(rows[way.receiver], at)
            if self.unfolding.fan_out is not None:
                counts = np.minimum(counts, self.unfolding.fan_out)
            degrees[way.receiver] += counts
        return degrees

    def _tied(self, index: int, ids: Mapping[str, np.ndarray]) -> Tied:
        tie = self.ties[index]
        number = max(len(tie.sources), 1)
        found = {
            is_down: np.concatenate(
                [
                    _nothing(),
                    *(
                        one.moments * number + one.links
                        for one in self.heard
                        if one.way.tie == index and one.way.is_down is is_down
                    ),
                ]
            )
            for is_down in (False, True)
        }
        codes = np.union1d(found[False], found[True])
        moments, links = np.divmod(codes, number)
        ends = []
        for name, nodes in ((tie.source, tie.sources), (tie.target, tie.targets)):
            wanted = moments * self.num_nodes[name] + nodes[links]
            ends.append(ids[name][np.searchsorted(self.held[name], wanted)])
        return Tied(
            links=links,
            sources=ends[0],
            targets=ends[1],
            up=np.isin(codes, found[False]),
            down=np.isin(codes, found[True]),
        )


def _since(times: np.ndarray | None, number: int) -> np.ndarray:
    """Return times with -inf where there is none."""
    if times is None:
        return np.full(number, -np.inf)
    return np.where(np.isnan(times), -np.inf, times)


def _nothing() -> np.ndarray:
    return np.zeros(0, dtype=np.int64)
