"""What is planted, and the best that anyone can predict who sees so many hops."""

import math
from dataclasses import dataclass
from enum import StrEnum
from itertools import product

import numpy as np

from workbench.errors import SchemaError, unknown

FEWEST_ROWS = 100
BETA = 1.0


class Variant(StrEnum):
    """How the label depends on what is planted."""

    PLAIN = "plain"  # on one bit, a number of hops away
    GRADED = "graded"  # on one bit at every hop up to there


def read_variant(written: str) -> Variant:
    """Return a variant by name.

    Raises:
        SchemaError: There is no such variant.
    """
    if written not in list(Variant):
        raise SchemaError(unknown("variant", written, list(Variant)))
    return Variant(written)


@dataclass(frozen=True, slots=True)
class Plant:
    """What to plant.

    Attributes:
        target: The table whose rows get a label.
        signal: ``Table.column`` that the label depends on.
        variant: Whether the tables on the way have a say as well.
        noise: The share of plain labels that are turned over, from 0 to below a half.
        rows: Number of groups of rows that share no row on the way; each has one row of
            the signal's table where every key on the way leads from many to one.
        seed: Another seed gives other rows.
    """

    target: str
    signal: str
    variant: Variant = Variant.PLAIN
    noise: float = 0.1
    rows: int = 1000
    seed: int = 0

    def __post_init__(self) -> None:
        """Refuse settings that plant nothing.

        Raises:
            SchemaError: The noise or the number of rows is out of range.
        """
        if not 0 <= self.noise < 0.5:
            raise SchemaError(
                f'The noise is "{self.noise}"; a share from 0 to below 0.5 works.'
            )
        if self.rows < FEWEST_ROWS:
            raise SchemaError(
                f'The number of rows is "{self.rows}"; {FEWEST_ROWS} or more work.'
            )


@dataclass(frozen=True, slots=True)
class Optimal:
    """The best that any predictor can score which sees so many hops.

    Attributes:
        hops: How far it sees in the normalized graph.
        accuracy: Share of labels it gets right.
        auroc: Area under the ROC curve.
    """

    hops: int
    accuracy: float
    auroc: float


def best_possible(
    variant: Variant, hops: int, noise: float = 0.1
) -> tuple[Optimal, ...]:
    """Return the best possible scores on a many-to-one way, for 0, 1, … hops.

    >>> [round(each.accuracy, 4) for each in best_possible(Variant.GRADED, 4)]
    [0.6446, 0.6446, 0.73, 0.73, 0.8167]
    """
    request = Plant("", "", variant, noise)
    return expected(request, np.ones((1, hops + 1), dtype=np.int64))


def expected(request: Plant, sizes: np.ndarray) -> tuple[Optimal, ...]:
    """Return the best possible scores in expectation, for 0, 1, … hops.

    Args:
        request: What is planted.
        sizes: int64 ``[rows, hops + 1]``: of how many bits the majority counts.
    """
    kinds, counts = np.unique(sizes, axis=0, return_counts=True)
    states, weights = [], []
    for kind, count in zip(kinds, counts / counts.sum(), strict=True):
        ties = [_chance_of_tie(int(size)) for size in kind]
        for state in product((0.0, 0.5, 1.0), repeat=len(kind)):
            chances = [
                tie if bit == 0.5 else (1 - tie) / 2
                for bit, tie in zip(state, ties, strict=True)
            ]
            if math.prod(chances):
                states.append(state)
                weights.append(count * math.prod(chances))
    table, weight = np.array(states), np.array(weights)
    truth = _posterior(request, table, table.shape[1] - 1)
    found = []
    for hops in range(table.shape[1]):
        seen = _posterior(request, table, hops)
        found.append(_score(hops, seen, weight * truth, weight * (1 - truth)))
    return tuple(found)


def _chance_of_tie(size: int) -> float:
    return 0.0 if size % 2 else math.comb(size, size // 2) / 2**size


def achieved(
    request: Plant, states: np.ndarray, labels: np.ndarray
) -> tuple[Optimal, ...]:
    """Return the scores of the best predictors on rows that are there.

    Args:
        request: What is planted.
        states: ``[rows, hops + 1]`` of 0, 1 and a half for a tie.
        labels: ``[rows]`` of 0 and 1.
    """
    return tuple(
        _score(hops, _posterior(request, states, hops), labels, 1 - labels)
        for hops in range(states.shape[1])
    )


def _score(
    hops: int, outputs: np.ndarray, ones: np.ndarray, zeros: np.ndarray
) -> Optimal:
    """Score outputs against labels given as weights of 1 and of 0."""
    outputs = np.round(outputs, 12)
    choice = (1 + np.sign(outputs - 0.5)) / 2  # a half where nothing is known
    right = (choice * ones + (1 - choice) * zeros).sum() / (ones + zeros).sum()
    from scipy.stats import rankdata  # slow to load, and seldom needed

    levels = rankdata(outputs, method="dense") - 1
    per_level = np.bincount(levels, ones), np.bincount(levels, zeros)
    below = np.cumsum(per_level[1]) - per_level[1]
    pairs = (per_level[0] * (below + per_level[1] / 2)).sum()
    area = pairs / (ones.sum() * zeros.sum())
    return Optimal(hops, float(right), float(area))


def chance_of_one(request: Plant, bits: np.ndarray) -> np.ndarray:
    """Return the probability of a 1, given every bit ``[..., hops + 1]``."""
    if request.variant is Variant.PLAIN:
        last = bits[..., -1]
        return last * (1 - request.noise) + (1 - last) * request.noise
    return 1 / (1 + np.exp(-BETA * (2 * bits - 1).sum(axis=-1)))


def _posterior(request: Plant, states: np.ndarray, hops: int) -> np.ndarray:
    """Return the probability of a 1 for who sees the states up to some hops.

    Args:
        request: What is planted.
        states: ``[rows, hops + 1]`` of 0, 1 and a half for a tie.
        hops: How far the predictor sees.
    """
    seen = states.copy()
    seen[:, hops + 1 :] = 0.5
    total = np.zeros(len(seen))
    for bits in product((0.0, 1.0), repeat=seen.shape[1]):
        # A bit that is not known is 0 or 1 with the same chance.
        weight = np.where(np.array(bits) == 1, seen, 1 - seen).prod(axis=1)
        total += weight * chance_of_one(request, np.array(bits))
    return total
