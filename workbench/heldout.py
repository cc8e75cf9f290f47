"""Splits that ask the harder question: values, or combinations, never trained on.

Rows are divided by the levels of one or two columns (factors). A cell is a combination
of levels; whole cells go to training, validation or test, and a fifth of the rows of
training cells is set aside, so that the score on what was seen can be told from the
score on what was not.

Source: Schott et al. (2021), "Visual representation learning does not generalize
strongly within the same domain", arXiv:2107.08221; differs in: validation is held out
in the same way as test, and rows of seen cells are kept for the comparison.
"""

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from workbench.errors import TaskError
from workbench.split import (
    OUTSIDE,
    SEEN,
    SHARES,
    TEST,
    TRAIN,
    VAL,
    SplitKind,
    cut_blocks,
)

MOST_LEVELS = 10  # of a column of numbers with more values: bins of as many rows
LEAST_HELD, MOST_HELD = 0.15, 0.25  # share of the rows on a held-out side
EVERY = 5  # one in so many rows of a training cell is set aside
DIAGONALS = {0: TEST, 2: VAL}  # of every five; the other three are trained on
NUM_DIAGONALS = 5


@dataclass(frozen=True, slots=True)
class Factor:
    """A column that a split goes by, as levels.

    Attributes:
        name: ``"table.column"``.
        levels: What each level is called, in their order: by value where the column is
            ordered, else the commonest first.
        codes: int64 ``[n]``: each row's level, -1 where there is none.
    """

    name: str
    levels: tuple[str, ...]
    codes: np.ndarray


@dataclass(frozen=True, slots=True)
class Grid:
    """How many rows of each combination of levels are on each side of a split.

    Attributes:
        columns: The factors' names, one or two.
        levels: The levels of each.
        counts: int64 ``[levels, levels of the second or 1, 4]``: rows of training,
            validation, test, and those set aside from what is trained on.
    """

    columns: tuple[str, ...]
    levels: tuple[tuple[str, ...], ...]
    counts: np.ndarray


def order_values(
    values: Sequence[float | None], name: str, write: Callable[[float], str]
) -> Factor:
    """Return an ordered column as levels: its values, or bins of as many rows.

    Args:
        values: Numbers, or seconds since 1970; None where unknown.
        name: ``"table.column"``.
        write: How a value is shown.

    Returns:
        At most ten levels; a bin is named by its first and last value.
    """
    numbers = np.array(
        [np.nan if value is None else value for value in values], dtype=np.float64
    )
    known = ~np.isnan(numbers)
    distinct, counts = np.unique(numbers[known], return_counts=True)
    bins = np.arange(len(distinct))
    if len(distinct) > MOST_LEVELS:
        middle = np.cumsum(counts) - counts / 2
        raw = np.floor(middle / counts.sum() * MOST_LEVELS).astype(np.int64)
        bins = np.unique(raw, return_inverse=True)[1]
    codes = np.full(len(numbers), OUTSIDE, dtype=np.int64)
    codes[known] = bins[np.searchsorted(distinct, numbers[known])]
    levels = []
    for level in range(int(bins.max(initial=-1)) + 1):
        inside = distinct[bins == level]
        first, last = write(inside[0]), write(inside[-1])
        levels.append(first if first == last else f"{first} to {last}")
    return Factor(name, tuple(levels), codes)


def rank_values(values: Sequence[str | None], name: str) -> Factor:
    """Return a column without an order as levels, the commonest value first."""
    filled = [value for value in values if value is not None]
    distinct, counts = np.unique(np.array(filled, dtype=object), return_counts=True)
    order = sorted(range(len(distinct)), key=lambda at: (-counts[at], distinct[at]))
    places = {distinct[at]: place for place, at in enumerate(order)}
    codes = np.array(
        [OUTSIDE if value is None else places[value] for value in values],
        dtype=np.int64,
    )
    return Factor(name, tuple(str(distinct[at]) for at in order), codes)


def split_held_out(
    kind: SplitKind,
    factors: Sequence[Factor],
    seed: int,
    left_out: Iterable[int] | None = None,
) -> np.ndarray:
    """Divide rows so that what is tested was never trained on.

    Args:
        kind: One that holds values out.
        factors: One or two columns as levels.
        seed: The split's own seed: it draws the levels to leave out, shifts the
            combinations, and draws which rows of training cells are set aside.
        left_out: For ``leave``: the levels to test; drawn where None.

    Returns:
        int8 ``[n]``: 0 training, 1 validation, 2 test, 3 seen but set aside, -1 where
        a row has no level.

    Raises:
        TaskError: A factor has too few levels.
    """
    known = np.all([factor.codes >= 0 for factor in factors], axis=0)
    codes = [factor.codes[known] for factor in factors]
    sizes = [
        np.bincount(code, minlength=len(factor.levels))
        for code, factor in zip(codes, factors, strict=True)
    ]
    match kind:
        case SplitKind.COMPOSITION:
            sides = _compose(codes, sizes, seed)
        case SplitKind.INTERPOLATION | SplitKind.EXTRAPOLATION:
            side_of = _inner if kind is SplitKind.INTERPOLATION else _outer
            _need_levels(kind, factors, 4 if kind is SplitKind.INTERPOLATION else 3)
            levels = [side_of(size, len(factors)) for size in sizes]
            each = [level[code] for level, code in zip(levels, codes, strict=True)]
            sides = np.max(each, axis=0)  # test outweighs validation, both training
        case SplitKind.LEAVE:
            _need_levels(kind, factors, 3)
            sides = _leave(sizes[0], seed, left_out)[codes[0]]
        case SplitKind.RANDOM | SplitKind.TIME | SplitKind.GROUP | SplitKind.COLUMN:
            raise ValueError(f"A split of the kind {kind} holds no values out.")
    split = np.full(len(known), OUTSIDE, dtype=np.int8)
    split[known] = _set_aside(sides, codes, seed)
    return split


def count_grid(factors: Sequence[Factor], split: np.ndarray) -> Grid:
    """Count the rows of every combination of levels by side."""
    inside = split != OUTSIDE
    shape = [len(factor.levels) for factor in factors] + [1] * (2 - len(factors))
    places = [factor.codes[inside] for factor in factors]
    places += [np.zeros(inside.sum(), dtype=np.int64)] * (2 - len(factors))
    counts = np.zeros((*shape, SEEN + 1), dtype=np.int64)
    np.add.at(counts, (*places, split[inside].astype(np.int64)), 1)
    return Grid(
        columns=tuple(factor.name for factor in factors),
        levels=tuple(factor.levels for factor in factors),
        counts=counts,
    )


def _need_levels(kind: SplitKind, factors: Sequence[Factor], least: int) -> None:
    for factor in factors:
        if len(factor.levels) < least:
            raise TaskError(
                f'The split "{kind}" needs at least {least} different values;'
                f' "{factor.name}" has {len(factor.levels)}.'
            )


def _outer(sizes: np.ndarray, factors: int) -> np.ndarray:
    """Train on the first levels, validate on the next, test on the last."""
    first, second = cut_blocks(sizes, factors)
    place = np.arange(len(sizes))
    return (place > first).astype(np.int8) + (place > second)


def _inner(sizes: np.ndarray, factors: int) -> np.ndarray:
    """Hold out levels spread over the inside, in turn for validation and test."""
    share = 1 - SHARES[1] ** (1 / factors)
    most = (len(sizes) - 2) // 2
    number = 2 * min(max(1, round(share * len(sizes))), most)
    inner = np.arange(1, number + 1) * (len(sizes) - 1) / (number + 1)
    places = np.clip(np.round(inner).astype(np.int64), 1, len(sizes) - 2)
    sides = np.full(len(sizes), TRAIN, dtype=np.int8)
    sides[places[0::2]], sides[places[1::2]] = VAL, TEST
    return sides


def _leave(sizes: np.ndarray, seed: int, left_out: Iterable[int] | None) -> np.ndarray:
    """Draw levels to test, unless they are given, and others to validate."""
    sides = np.full(len(sizes), TRAIN, dtype=np.int8)
    order = np.random.default_rng(seed).permutation(np.flatnonzero(sizes))
    tested = _fill((), order, sizes) if left_out is None else left_out
    sides[list(tested)] = TEST
    sides[list(_fill((), order[sides[order] == TRAIN], sizes))] = VAL
    return sides


def _compose(
    codes: Sequence[np.ndarray], sizes: Sequence[np.ndarray], seed: int
) -> np.ndarray:
    """Hold out diagonals of the grid; every level keeps a cell that is trained on."""
    width = len(sizes[1])
    cells, cell_of, counts = np.unique(
        codes[0] * width + codes[1], return_inverse=True, return_counts=True
    )
    ends = [cells // width, cells % width]
    left = [np.bincount(end) for end in ends]  # training cells of each level
    diagonal = (ends[1] - ends[0] + seed) % NUM_DIAGONALS
    spare = np.argsort(np.isin(diagonal, list(DIAGONALS)), kind="stable")
    sides = np.full(len(cells), TRAIN, dtype=np.int8)

    def may_go(cell: int) -> bool:
        free = sides[cell] == TRAIN
        return free and all(
            count[end[cell]] > 1 for count, end in zip(left, ends, strict=True)
        )

    for wanted, side in DIAGONALS.items():
        own = np.flatnonzero(diagonal == wanted)
        others = spare[diagonal[spare] != wanted]
        for cell in _fill(own, others, counts, may_go):
            sides[cell] = side
            for count, end in zip(left, ends, strict=True):
                count[end[cell]] -= 1
    return sides[cell_of]


def _fill(
    own: Iterable[int],
    others: Iterable[int],
    sizes: np.ndarray,
    may_go: Callable[[int], bool] = lambda _: True,
) -> Iterator[int]:
    """Yield blocks to hold out: 15 to 25 % of the rows, where the sizes allow it.

    Args:
        own: Blocks that are taken as long as they fit.
        others: Blocks that are taken only while too few rows are held out.
        sizes: Rows of every block.
        may_go: Asked before each; what was yielded has been dealt with by then.
    """
    held, most, least = 0, MOST_HELD * sizes.sum(), LEAST_HELD * sizes.sum()
    own, others = list(own), list(others)
    for at, block in enumerate([*own, *others]):
        if at >= len(own) and held >= least:
            return
        if held + sizes[block] <= most and may_go(block):
            held += sizes[block]
            yield block
    if not held:
        fitting = [block for block in [*own, *others] if may_go(block)]
        yield from sorted(fitting, key=lambda block: (sizes[block], block))[:1]


def _set_aside(sides: np.ndarray, codes: Sequence[np.ndarray], seed: int) -> np.ndarray:
    """Keep a fifth of the training rows from training; every cell keeps its first."""
    at = np.flatnonzero(sides == TRAIN)
    chance = np.random.default_rng(seed).random(len(at))
    inside = [code[at] for code in codes]
    order = np.lexsort((chance, *inside))
    cells = np.stack([code[order] for code in inside])
    repeats = (cells[:, 1:] == cells[:, :-1]).all(axis=0)
    spare = order[1:][repeats]
    split = sides.astype(np.int8)
    split[at[spare[EVERY - 1 :: EVERY]]] = SEEN
    return split
