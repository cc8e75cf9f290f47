"""What rows hear within k hops without any network: columns, means of them, and so on.

A hop gives every row its own columns, the mean of the senders' columns over each way
that messages arrive, and how many arrive. That would grow with every hop, so of all
these columns the ones are kept that say what the others do not.
"""

import hashlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from scipy.sparse import csr_array

from workbench.features import Features
from workbench.graph import Direction, Graph
from workbench.memo import Memo
from workbench.sparse import SparseBlock

WIDTH = 64
TARGET_WIDTH = 256
MAX_CODES = 32
NUM_LOOKED_AT = 2048
LEAST_LEFT = 1e-3
LEAST_SPREAD = 1e-5
FADING = 0.9
SEED = 0


@dataclass(frozen=True, slots=True)
class Heard:
    """What every row of a node type has heard by a hop.

    Attributes:
        key: Changes when anything that the values were made of does.
        values: float32 [rows, columns], each of mean 0 or nearly.
        spread: float32 [columns]: the deviation of each, by which it is ranked.
    """

    key: str
    values: np.ndarray
    spread: np.ndarray

    @property
    def nbytes(self) -> int:
        """What it takes in memory."""
        return self.values.nbytes + self.spread.nbytes


def hear(graph: Graph, max_hops: int, memo: Memo) -> Iterator[Heard]:
    """Yield what the target's rows have heard after 0, 1, … up to ``max_hops`` hops.

    Only what can still reach the target in the hops left is computed, and nothing that
    the memo holds: what is kept there is known by the content it was made of, so that
    a graph with one key more or less shares what does not depend on that key.

    Args:
        graph: The graph.
        max_hops: The last hop.
        memo: What was computed before.

    Returns:
        ``max_hops + 1`` values for all rows of the target's node type, with at most
        256 columns; those of other types keep 64 from hop to hop.

    Source: the aggregation of Wu et al. (2019), arXiv:1902.07153, per relation as in Yu
        et al. (2020), arXiv:2011.09679; differs in: counts ride along, and columns are
        chosen by a pivoted Cholesky factorisation of their correlations (Harbrecht et
        al., 2012) so that the width stays bounded.
    """
    reach = graph.reach(max_hops)
    ways = [_way(graph, one) for one in graph.directions]
    first = {name: _Block(_own(graph.nodes[name])) for name in reach[0]}
    heard = _kept([first[graph.target]], TARGET_WIDTH, memo)
    yield heard
    states = {name: _kept([block], WIDTH, memo) for name, block in first.items()}
    for hop in range(1, max_hops + 1):
        after = {}
        for name in reach[hop]:
            blocks = list(_blocks(name, states, ways))
            if name == graph.target and len(blocks) > 1:
                heard = _kept(blocks, TARGET_WIDTH, memo)
                blocks = [_Block(heard)]
            if hop < max_hops:
                after[name] = _kept(blocks, WIDTH, memo)
        yield heard
        states = after


@dataclass(frozen=True, slots=True)
class _Way:
    """One way messages run, as matrices of means.

    Attributes:
        source: Node type that sends.
        target: Node type that receives.
        key: Digest of the links.
        means: float32 [receivers, senders]; a row adds up to 1 or is empty.
        counts: Log of one more than the number of messages of each receiver.
        ridden: The columns of what rides on the messages, or None.
        riding: float32 [receivers, links], as ``means``; None without such columns.
    """

    source: str
    target: str
    key: str
    means: csr_array
    counts: Heard
    ridden: Heard | None
    riding: csr_array | None


@dataclass(frozen=True, slots=True)
class _Block:
    """Columns to choose from: the rows' own, or means over what they hear.

    Attributes:
        heard: The columns of the rows, or of the senders.
        means: float32 [rows, senders], or None where they are the rows' own.
        way_key: Digest of ``means``.
    """

    heard: Heard
    means: csr_array | None = None
    way_key: str = ""

    def of(self, rows: np.ndarray) -> np.ndarray:
        """Return the columns at some rows, as they are before any scaling."""
        if self.means is None:
            return self.heard.values[rows]
        return self.means[rows] @ self.heard.values

    def columns(self, chosen: np.ndarray) -> np.ndarray:
        """Return some columns at all rows."""
        values = np.take(self.heard.values, chosen, axis=1)
        return values if self.means is None else self.means @ values


def _own(features: Features) -> Heard:
    """Return a type's columns as channels: numbers, and one for each common code.

    They keep the spread that they are trained with: 1 for a number, less for a share.
    """
    codes = features.codes.numpy()
    numbers = features.numerical.numpy()
    channels = [numbers.astype(np.float32, copy=False)]
    for at, cardinality in enumerate(features.cardinalities):
        common = np.arange(min(cardinality, MAX_CODES))
        channels.append((codes[:, at, None] == common).astype(np.float32))
    digest = _digest(str(features.cardinalities), numbers, codes)
    if features.sparse is not None:
        key, commonest = _commonest(features.sparse)
        digest = _digest(digest, key)
        channels.append(commonest)
    return _centred(digest, np.hstack(channels))


def _commonest(block: SparseBlock) -> tuple[str, np.ndarray]:
    """Return a digest of all channels and those with the most values, at most 256."""
    pointers, channels = block.pointers.numpy(), block.channels.numpy()
    values, num_channels = block.values.numpy(), len(block.names)
    uses = np.bincount(channels, minlength=num_channels)
    kept = np.sort(np.argsort(-uses, kind="stable")[:TARGET_WIDTH])
    shape = (block.num_rows, num_channels)
    whole = csr_array((values, channels, pointers), shape=shape)
    return _digest(pointers, channels, values), whole[:, kept].toarray()


def _centred(key: str, values: np.ndarray) -> Heard:
    if not len(values):
        return Heard(key, values, np.zeros(values.shape[1], dtype=np.float32))
    return Heard(key, values - values.mean(axis=0), values.std(axis=0))


def _way(graph: Graph, way: Direction) -> _Way:
    shape = (graph.nodes[way.target].num_rows, graph.nodes[way.source].num_rows)
    pointers, degrees = way.starts, np.diff(way.starts)
    shares = (1 / degrees[way.receivers]).astype(np.float32)
    key = _digest(str(shape), way.senders, way.receivers)
    counts = np.log1p(degrees).astype(np.float32)[:, None]
    ridden, riding = None, None
    if way.attributes is not None and way.edge_rows is not None:
        ridden = _own(way.attributes)
        links = (shape[0], len(ridden.values))
        riding = csr_array((shares, way.edge_rows, pointers), shape=links)
        key = _digest(key, way.edge_rows)
    return _Way(
        source=way.source,
        target=way.target,
        key=key,
        means=csr_array((shares, way.senders, pointers), shape=shape),
        counts=_centred(_digest("counts", key), counts),
        ridden=ridden,
        riding=riding,
    )


def _blocks(
    name: str, states: dict[str, Heard], ways: Sequence[_Way]
) -> Iterator[_Block]:
    """Yield what a type's rows know and hear at the next hop, nearest first."""
    yield _Block(states[name])
    for way in ways:
        if way.target == name:
            yield _Block(way.counts)
            yield _Block(states[way.source], way.means, way.key)
            if way.ridden is not None:
                yield _Block(way.ridden, way.riding, way.key)


def _kept(blocks: Sequence[_Block], width: int, memo: Memo) -> Heard:
    """Return the columns of some blocks that say what the others do not."""
    names = [f"{block.way_key}/{block.heard.key}" for block in blocks]
    key = _digest(f"kept {width}", *names)
    return memo.get(key, lambda: _choose(key, blocks, width))


def _choose(key: str, blocks: Sequence[_Block], width: int) -> Heard:
    """Choose columns by a fixed sample of the rows and compute them for all rows."""
    num_rows = len(blocks[0].heard.values)
    rows = np.arange(num_rows)
    if num_rows > NUM_LOOKED_AT:
        drawn = np.random.default_rng(SEED).choice(rows, NUM_LOOKED_AT, replace=False)
        rows = np.sort(drawn)
    looked = [_look(block, rows) for block in blocks]
    chosen = _telling(np.hstack([one.values for one in looked]), width)
    found = np.empty((num_rows, len(chosen)), dtype=np.float32)
    spread = np.empty(len(chosen), dtype=np.float32)
    start = 0
    for block, one in zip(blocks, looked, strict=True):
        stop = start + len(one.scale)
        held = np.flatnonzero((chosen >= start) & (chosen < stop))
        if len(held):
            mine, into = chosen[held] - start, slice(held[0], held[-1] + 1)
            np.subtract(block.columns(mine), one.centre[mine], out=found[:, into])
            if block.means is not None:
                found[:, into] *= one.scale[mine]
            spread[into] = one.spread[mine]
        start = stop
    return Heard(key, found, spread)


@dataclass(frozen=True, slots=True)
class _Look:
    """A block at a few rows, centred and scaled to the spread it is to have."""

    values: np.ndarray
    centre: np.ndarray
    scale: np.ndarray
    spread: np.ndarray


def _look(block: _Block, rows: np.ndarray) -> _Look:
    """Return a block at some rows; means spread a bit less than what they are of."""
    seen = block.of(rows)
    if not len(seen):
        nothing = np.zeros(seen.shape[1], dtype=np.float32)
        return _Look(seen, nothing, nothing, nothing)
    centre, spread = seen.mean(axis=0), block.heard.spread
    scale = np.ones_like(spread)
    if block.means is not None:
        spread, own = FADING * spread, seen.std(axis=0)
        scale = np.where(own > LEAST_SPREAD, spread / np.maximum(own, LEAST_SPREAD), 0)
    return _Look((seen - centre) * scale, centre, scale, spread)


def _telling(columns: np.ndarray, width: int) -> np.ndarray:
    """Return which columns to keep, ascending: each says most of what none before does.

    A pivoted Cholesky factorisation of the covariances; what is a mixture of columns
    that are kept already is never kept.
    """
    covariances = (columns.T @ columns).astype(np.float64) / max(len(columns), 1)
    left = covariances.diagonal().copy()
    least = np.maximum(LEAST_LEFT * left, LEAST_SPREAD**2)
    factors = np.zeros((len(left), min(width, len(left))))
    chosen: list[int] = []
    for at in range(factors.shape[1]):
        telling = np.where(left > least, left, 0.0)
        pick = int(telling.argmax()) if len(telling) else 0
        if not telling[pick] > 0:
            break
        shared = factors[:, :at] @ factors[pick, :at]
        factors[:, at] = (covariances[:, pick] - shared) / np.sqrt(left[pick])
        left -= factors[:, at] ** 2
        left[pick] = 0.0
        chosen.append(pick)
    return np.sort(np.array(chosen, dtype=np.int64))


def _digest(*parts: str | np.ndarray) -> str:
    """Return a hash of texts and of the bytes of arrays."""
    found = hashlib.blake2b(digest_size=16)
    for part in parts:
        if isinstance(part, str):
            found.update(f"{len(part)} {part}".encode())
        else:
            found.update(f"{part.dtype} {part.shape}".encode())
            found.update(np.ascontiguousarray(part).data)
    return found.hexdigest()
