"""The three-way split: which rows are trained on, chosen by, and judged on."""

from collections.abc import Mapping, Sequence
from enum import StrEnum
from types import MappingProxyType

import numpy as np

from workbench.errors import TaskError

TRAIN, VAL, TEST = 0, 1, 2
OUTSIDE = -1
SHARES = (0.6, 0.8)  # training ends at the first, validation at the second
# Dealing rows out in turn keeps the shares in every class to within one row.
DEAL = np.array([TRAIN, VAL, TRAIN, TEST, TRAIN], dtype=np.int8)
NAMES: Mapping[str, int] = MappingProxyType(
    {"train": TRAIN, "val": VAL, "valid": VAL, "validation": VAL, "test": TEST}
)


class SplitKind(StrEnum):
    """How the rows are divided."""

    RANDOM = "random"
    TIME = "time"
    GROUP = "group"
    COLUMN = "column"


def read_split(written: str) -> tuple[SplitKind, str]:
    """Return the kind of split and the column it names, empty for a random one.

    Raises:
        TaskError: It is none of the four kinds, or names no column.
    """
    kind, separator, column = written.partition(":")
    known = kind in list(SplitKind)
    if not known or (kind == SplitKind.RANDOM) == bool(separator and column):
        raise TaskError(
            f'The split "{written}" is unknown; write "random", "time:COLUMN",'
            ' "group:COLUMN" or "column:COLUMN".'
        )
    return SplitKind(kind), column


def split_random(labels: np.ndarray, stratified: bool, seed: int) -> np.ndarray:
    """Deal rows out 60/20/20 by chance, the shares held in every class if stratified.

    Args:
        labels: ``[n]``; read only if stratified.
        stratified: Whether labels are classes.
        seed: The split's own seed.

    Returns:
        int8 ``[n]``: 0 training, 1 validation, 2 test.
    """
    chance = np.random.default_rng(seed).random(len(labels))
    order = np.lexsort((chance, labels)) if stratified else np.argsort(chance)
    split = np.empty(len(labels), dtype=np.int8)
    split[order] = DEAL[np.arange(len(labels)) % len(DEAL)]
    return split


def split_time(times: np.ndarray) -> np.ndarray:
    """Train on the earliest rows and test on the latest; equal times stay together.

    Args:
        times: float64 ``[n]``, NaN where unknown.

    Returns:
        int8 ``[n]``, -1 where the time is unknown. The cuts lie between two times, as
        near to 60 % and 80 % of the rows as they can.

    Raises:
        TaskError: There are fewer than three different times.
    """
    known = ~np.isnan(times)
    values, counts = np.unique(times[known], return_counts=True)
    if len(values) < 3:
        raise TaskError(
            "A split by time needs at least three different times;"
            f" the column has {len(values)}."
        )
    first, second = _cuts(counts)
    split = np.full(len(times), OUTSIDE, dtype=np.int8)
    split[known] = np.searchsorted(values[[first, second]], times[known])
    return split


def split_groups(groups: np.ndarray, seed: int) -> np.ndarray:
    """Give whole groups to one side each, in an order drawn by chance.

    Args:
        groups: int64 ``[n]``: 0, 1, 2, …; -1 where the row has no group.
        seed: The split's own seed.

    Returns:
        int8 ``[n]``, -1 where the row has no group.

    Raises:
        TaskError: There are fewer than three groups.
    """
    known = groups >= 0
    sizes = np.bincount(groups[known])
    num_groups = int(np.count_nonzero(sizes))
    if num_groups < 3:
        raise TaskError(
            "A split by group needs at least three groups;"
            f" the column has {num_groups}."
        )
    order = np.random.default_rng(seed).permutation(np.flatnonzero(sizes))
    first, second = _cuts(sizes[order])
    place = np.arange(num_groups)
    of_group = np.full(len(sizes), OUTSIDE, dtype=np.int8)
    of_group[order] = (place > first).astype(np.int8) + (place > second)
    split = np.full(len(groups), OUTSIDE, dtype=np.int8)
    split[known] = of_group[groups[known]]
    return split


def split_given(names: Sequence[object], column: str) -> np.ndarray:
    """Read the split from a column of names; rows without one stay outside.

    Raises:
        TaskError: A name is not one of train, val, valid, validation and test.
    """
    split = np.full(len(names), OUTSIDE, dtype=np.int8)
    for index, name in enumerate(names):
        if name is None:
            continue
        side = NAMES.get(str(name).strip().lower())
        if side is None:
            raise TaskError(
                f'The split column "{column}" holds "{name}"; it may hold train, val,'
                " validation, test or nothing."
            )
        split[index] = side
    return split


def _cuts(sizes: np.ndarray) -> tuple[int, int]:
    """Return the last block of training and of validation; no side is left empty."""
    ends = np.cumsum(sizes) / sizes.sum()
    first = int(np.argmin(np.abs(ends[:-2] - SHARES[0])))
    second = first + 1 + int(np.argmin(np.abs(ends[first + 1 : -1] - SHARES[1])))
    return first, second
