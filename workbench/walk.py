"""Where a random walk from a target row ends up: influence without any training.

In a network of random weights with mean aggregation, the expected influence of a row is
the chance that a walk against the messages ends there. So this profile says, for every
graph and before anything is trained, how much of what a network of a depth listens to
lies how far away.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

import numpy as np
from scipy.sparse import csr_array

from workbench.links import Links
from workbench.ordering import count_starts

MAX_STARTS = 64
FEWEST_STARTS = 4
MOST_ENTRIES = 4_000_000
SEED = 0
BLOCK = 500  # nodes whose chances stay in the processor's cache


@dataclass(frozen=True, slots=True)
class Walk:
    """The share of a walk that ends at a hop.

    Attributes:
        depth: Number of steps, one a layer.
        hop: Distance of where it ends.
        share: 0 to 1; the shares of one depth add up to 1.
        squared: The same of squared chances, as influence is of squared gradients.
    """

    depth: int
    hop: int
    share: float
    squared: float


def walk_profile(
    links: Links, target: str, rows: np.ndarray, max_depth: int
) -> Iterator[Walk]:
    """Yield the profile of every depth up to a limit.

    A step stays with weight 1 and goes along every kind of message into the node's type
    with weight 1, to each sender alike: P = (I + Σ_r D_r⁻¹ A_r) / (1 + kinds of message
    into the type). A kind that a node receives nothing of loses its weight, as in the
    network, and shares are of what is left.

    Args:
        links: The graph.
        target: Node type of the rows to predict.
        rows: Which of its nodes they are; a walk starts at 64 of them, or at fewer
            where the graph is large, always the same ones.
        max_depth: The largest number of steps.

    Source: Xu et al. (2018), arXiv:1806.03536, Theorem 1; differs in: per relation, and
        a node counts as often as it has relations.
    """
    total = max(sum(links.num_nodes.values()), 1)
    number = int(np.clip(MOST_ENTRIES // total, FEWEST_STARTS, MAX_STARTS))
    generator = np.random.default_rng(SEED)
    starts = np.sort(generator.permutation(rows)[:number])
    steps, stays = _steps(links)
    mass = {
        name: np.zeros((count, len(starts))) for name, count in links.num_nodes.items()
    }
    mass[target][starts, np.arange(len(starts))] = 1
    hops = {
        name: np.where(held > 0, 0, -1).astype(np.int16) for name, held in mass.items()
    }
    reached = {target}
    yield Walk(0, 0, 1.0, 1.0)
    for depth in range(1, max_depth + 1):
        mass = _step(links, steps, stays, mass, reached)
        found = np.zeros((2, depth + 1))
        for name in sorted(reached):
            for block in range(0, len(mass[name]), BLOCK):
                some = slice(block, block + BLOCK)
                found += _by_hop(mass[name][some], hops[name][some], depth)
        shares = found / found.sum(axis=1, keepdims=True)
        for hop in range(depth + 1):
            yield Walk(depth, hop, float(shares[0, hop]), float(shares[1, hop]))


def _by_hop(held: np.ndarray, hops: np.ndarray, depth: int) -> np.ndarray:
    """Return the sum of chances and of their squares at each hop, [2, hops].

    Nodes with a chance for the first time get the depth as their hop, in place.
    """
    hops[(hops < 0) & (held > 0)] = depth
    chances = held.ravel()
    moments = np.stack([chances, chances**2])
    near = [(hops == hop).ravel().astype(float) for hop in range(depth + 1)]
    return np.stack([moments @ one for one in near], axis=1)


def _steps(links: Links) -> tuple[list[csr_array], dict[str, float]]:
    """Return what a step weighs: [senders, receivers] of each kind, and staying."""
    kinds = dict.fromkeys(links.num_nodes, 1)
    for messages in links.messages:
        kinds[messages.receiver] += 1
    found = []
    for messages in links.messages:
        shape = (links.num_nodes[messages.sender], links.num_nodes[messages.receiver])
        degrees = np.bincount(messages.receivers, minlength=shape[1])
        weights = 1 / (degrees * kinds[messages.receiver])[messages.receivers]
        pointers = count_starts(messages.senders, shape[0])  # messages go by sender
        found.append(csr_array((weights, messages.receivers, pointers), shape=shape))
    return found, {name: 1 / number for name, number in kinds.items()}


def _step(
    links: Links,
    steps: list[csr_array],
    stays: Mapping[str, float],
    mass: Mapping[str, np.ndarray],
    reached: set[str],
) -> dict[str, np.ndarray]:
    """Take one step back along the messages; [nodes, starts] by node type."""
    before = frozenset(reached)
    after = {name: held * stays[name] for name, held in mass.items()}
    for messages, step in zip(links.messages, steps, strict=True):
        if messages.receiver in before:
            after[messages.sender] += step @ mass[messages.receiver]
            reached.add(messages.sender)
    return after
