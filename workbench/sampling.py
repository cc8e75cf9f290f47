"""Which messages a row receives at a moment, and which of them where they are many.

The messages of a receiver lie oldest first, so that what is known at a moment is a
beginning of them: nothing that comes later is ever looked at.

Source: sampling neighbours after Hamilton et al. (2017), arXiv:1706.02216; under a time
    limit after Fey et al. (2023), arXiv:2312.04615; differs in: drawn without
    replacement.
"""

from dataclasses import dataclass
from enum import StrEnum

import numpy as np


class Choice(StrEnum):
    """Which neighbours stay where there are too many."""

    UNIFORM = "uniform"
    LATEST = "latest"


@dataclass(frozen=True, slots=True)
class Neighbours:
    """The messages of every receiver, those that are known earlier first.

    Attributes:
        starts: int64 [receivers + 1]: where each receiver's messages start.
        keys: int64 [messages], ascending: the receiver times ``num_moments`` + 1, plus
            the first moment at which the message is known.
        order: int64 [messages]: the message, as it was handed in, at each place.
        num_moments: Number of moments.
    """

    starts: np.ndarray
    keys: np.ndarray
    order: np.ndarray
    num_moments: int

    def count_known(self, receivers: np.ndarray, moments: np.ndarray) -> np.ndarray:
        """Return how many messages receivers know of at moments, int64.

        Args:
            receivers: int64 [n]: receivers.
            moments: int64 [n]: at which moment each is looked at.
        """
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
    counts = np.bincount(receivers, minlength=num_receivers)
    return Neighbours(np.append(0, np.cumsum(counts)), keys, order, len(moments))


def sample_neighbours(
    counts: np.ndarray,
    fan_out: int | None,
    choice: Choice,
    generator: np.random.Generator,
) -> tuple[np.ndarray, np.ndarray]:
    """Choose neighbours of many receivers at once, each at most once.

    Args:
        counts: int64 [receivers]: how many neighbours each has, oldest first.
        fan_out: Most neighbours of one receiver; None for all of them.
        choice: The newest ones, or any with the same chance.
        generator: Draws them; not used for the newest.

    Returns:
        Two int64 arrays of equal length: the receiver, ascending, and the place of the
        neighbour among its own, 0 for the oldest.
    """
    kept = counts if fan_out is None else np.minimum(counts, fan_out)
    owners = np.repeat(np.arange(len(counts)), kept)
    places = np.arange(len(owners)) - np.repeat(np.cumsum(kept) - kept, kept)
    if fan_out is None:
        return owners, places
    if choice is Choice.LATEST:
        return owners, places + (counts - kept)[owners]
    crowded = np.flatnonzero(counts > fan_out)
    drawn = _draw(counts[crowded], fan_out, generator)
    places[np.isin(owners, crowded)] = np.sort(drawn, axis=1).ravel()
    return owners, places


def _draw(
    counts: np.ndarray, number: int, generator: np.random.Generator
) -> np.ndarray:
    """Return ``number`` different places below each count, [receivers, number].

    Source: Floyd's sample without replacement, in Bentley & Floyd (1987),
        doi:10.1145/30401.315746, for all receivers side by side.
    """
    drawn = np.full((len(counts), number), -1, dtype=np.int64)
    for step in range(number):
        last = counts - number + step
        place = generator.integers(0, last + 1)
        taken = (drawn[:, :step] == place[:, None]).any(axis=1)
        drawn[:, step] = np.where(taken, last, place)
    return drawn
