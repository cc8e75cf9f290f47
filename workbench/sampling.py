"""Which messages a row receives at a moment, and which of them where they are many.

The messages of a receiver lie oldest first, so that what is known at a moment is a
beginning of them: nothing that comes later is ever looked at.

Source: sampling neighbours after Hamilton et al. (2017), arXiv:1706.02216; under a time
    limit after Fey et al. (2023), arXiv:2312.04615; differs in: drawn without
    replacement.
"""

from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum
from typing import TypeAlias

import numpy as np

from workbench.ordering import count_starts, stable_order

Weigh: TypeAlias = Callable[[np.ndarray, np.ndarray], np.ndarray]


class Choice(StrEnum):
    """Which neighbours stay where there are too many.

    ``degree`` draws a neighbour the more often the more messages it receives itself.
    """

    UNIFORM = "uniform"
    LATEST = "latest"
    DEGREE = "degree"


@dataclass(frozen=True, slots=True)
class Neighbours:
    """The messages of every receiver, those that are known earlier first.

    Attributes:
        starts: int32 or int64 [receivers + 1]: where each receiver's messages start.
        keys: int64 [messages], ascending: the receiver times ``num_moments`` + 1, plus
            the first moment at which the message is known; None where all are known
            always.
        order: int32 or int64 [messages]: the message, as handed in, at each place.
        num_moments: Number of moments.
    """

    starts: np.ndarray
    keys: np.ndarray | None
    order: np.ndarray
    num_moments: int

    def count_known(self, receivers: np.ndarray, moments: np.ndarray) -> np.ndarray:
        """Return how many messages receivers know of at moments, int64.

        Args:
            receivers: int64 [n]: receivers.
            moments: int64 [n]: at which moment each is looked at.
        """
        if self.keys is None:
            known = self.starts[receivers + 1] - self.starts[receivers]
            return known.astype(np.int64, copy=False)
        last = receivers * (self.num_moments + 1) + moments
        return np.searchsorted(self.keys, last, side="right") - self.starts[receivers]


def sort_neighbours(
    receivers: np.ndarray,
    times: np.ndarray,
    moments: np.ndarray,
    num_receivers: int,
    generator: np.random.Generator,
) -> Neighbours:
    """Return messages by receiver and time; at the same time in random order.

    Args:
        receivers: int64 [messages]: who receives each.
        times: float64 [messages]: when each came to be known; -inf for always.
        moments: float64 [moments], ascending: when rows are looked at.
        num_receivers: Number of receivers.
        generator: Decides among messages of the same time.
    """
    order = np.lexsort((generator.random(len(times)), times, receivers))
    first = np.searchsorted(moments, times[order], side="left")
    keys = receivers[order] * (len(moments) + 1) + first
    starts = count_starts(receivers, num_receivers)
    return Neighbours(starts, keys, order, len(moments))


def group_neighbours(receivers: np.ndarray, num_receivers: int) -> Neighbours:
    """Return messages by receiver, all of them known always, in the order given."""
    starts = count_starts(receivers, num_receivers)
    return Neighbours(starts, None, stable_order(receivers), 1)


def sample_neighbours(
    counts: np.ndarray,
    fan_out: int | None,
    choice: Choice,
    generator: np.random.Generator,
    weigh: Weigh | None = None,
) -> tuple[np.ndarray, np.ndarray]:
    """Choose neighbours of many receivers at once, each at most once.

    Args:
        counts: int64 [receivers]: how many neighbours each has, oldest first.
        fan_out: Most neighbours of one receiver; None for all of them.
        choice: The newest ones, any with the same chance, or by their weight.
        generator: Draws them; not used for the newest.
        weigh: The weight above 0 of each of some neighbours, float64, from their
            receivers and their places; needed for ``Choice.DEGREE``.

    Returns:
        Two int64 arrays of equal length: the receiver, ascending, and the place of the
        neighbour among its own, ascending, 0 for the oldest.

    Raises:
        ValueError: A choice by weight is asked for without weights.
    """
    kept = counts if fan_out is None else np.minimum(counts, fan_out)
    owners = np.repeat(np.arange(len(counts)), kept)
    places = np.arange(len(owners)) - np.repeat(np.cumsum(kept) - kept, kept)
    if fan_out is None:
        return owners, places
    if choice is Choice.LATEST:
        return owners, places + (counts - kept)[owners]
    is_crowded = counts > fan_out
    crowded = np.flatnonzero(is_crowded)
    if not len(crowded):
        return owners, places
    if choice is Choice.UNIFORM:
        drawn = _draw(counts[crowded], fan_out, generator)
    elif weigh is None:
        raise ValueError("A choice by degree needs weights.")
    else:
        drawn = _draw_by_weight(crowded, counts[crowded], fan_out, generator, weigh)
    places[np.repeat(is_crowded, kept)] = drawn.ravel()
    return owners, places


def _draw(
    counts: np.ndarray, number: int, generator: np.random.Generator
) -> np.ndarray:
    """Return ``number`` different places below each count, [receivers, number].

    Source: Floyd's sample without replacement, in Bentley & Floyd (1987),
        doi:10.1145/30401.315746, for all receivers side by side.
    """
    drawn = np.empty((number, len(counts)), dtype=np.int64)
    for step in range(number):
        last = counts - number + step
        place = generator.integers(0, last + 1)
        taken = (drawn[:step] == place).any(axis=0)
        drawn[step] = np.where(taken, last, place)
    return np.sort(drawn.T, axis=1)


def _draw_by_weight(
    receivers: np.ndarray,
    counts: np.ndarray,
    number: int,
    generator: np.random.Generator,
    weigh: Weigh,
) -> np.ndarray:
    """Return ``number`` different places below each count, the heavier more often.

    Source: Efraimidis & Spirakis (2006), doi:10.1016/j.ipl.2005.11.003, whose keys are
        taken as waiting times: the first to come are drawn.
    """
    owners = np.repeat(np.arange(len(counts)), counts)
    before = np.cumsum(counts) - counts
    places = np.arange(len(owners)) - before[owners]
    waits = generator.exponential(size=len(owners)) / weigh(receivers[owners], places)
    order = np.lexsort((waits, owners))
    first = order[places < number]  # the owners' shares of the order are in their order
    return np.sort(places[first].reshape(len(counts), number), axis=1)
