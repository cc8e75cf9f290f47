"""Where a random walk from a target row ends up: influence without any training.

In a network of random weights with mean aggregation, the expected influence of a row is
the chance that a walk against the messages ends there. So this profile says, for every
graph and before anything is trained, how much of what a network of a depth listens to
lies how far away.
"""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from scipy.sparse import csr_array

from workbench.links import Links

MAX_STARTS = 64
FEWEST_STARTS = 4
MOST_ENTRIES = 4_000_000
SEED = 0


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
    steps = _steps(links)
    mass = {
        name: np.zeros((count, len(starts))) for name, count in links.num_nodes.items()
    }
    mass[target][starts, np.arange(len(starts))] = 1
    hops = {name: np.where(held > 0, 0, -1) for name, held in mass.items()}
    yield Walk(0, 0, 1.0, 1.0)
    for depth in range(1, max_depth + 1):
        mass = _step(links, steps, mass)
        found = np.zeros((2, depth + 1))
        for name, held in mass.items():
            hops[name][(held > 0) & (hops[name] < 0)] = depth
            reached = hops[name] >= 0
            near, chances = hops[name][reached], held[reached]
            found[0] += np.bincount(near, chances, minlength=depth + 1)
            found[1] += np.bincount(near, chances**2, minlength=depth + 1)
        shares = found / found.sum(axis=1, keepdims=True)
        for hop in range(depth + 1):
            yield Walk(depth, hop, float(shares[0, hop]), float(shares[1, hop]))


def _steps(links: Links) -> list[csr_array]:
    """Return per kind of message the matrix [senders, receivers] of its means."""
    found = []
    for messages in links.messages:
        shape = (links.num_nodes[messages.sender], links.num_nodes[messages.receiver])
        degrees = np.bincount(messages.receivers, minlength=shape[1])
        weights = 1 / degrees[messages.receivers]
        entries = (weights, (messages.senders, messages.receivers))
        found.append(csr_array(entries, shape=shape))
    return found


def _step(
    links: Links, steps: list[csr_array], mass: dict[str, np.ndarray]
) -> dict[str, np.ndarray]:
    """Take one step back along the messages; [nodes, starts] by node type."""
    kinds = dict.fromkeys(mass, 1)
    for messages in links.messages:
        kinds[messages.receiver] += 1
    shared = {name: held / kinds[name] for name, held in mass.items()}
    after = {name: held.copy() for name, held in shared.items()}
    for messages, step in zip(links.messages, steps, strict=True):
        if shared[messages.receiver].any():
            after[messages.sender] += step @ shared[messages.receiver]
    return after
