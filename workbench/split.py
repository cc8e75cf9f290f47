"""The three-way split: which rows are trained on, chosen by, and judged on."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from types import MappingProxyType

import numpy as np

from workbench.errors import TaskError

TRAIN, VAL, TEST = 0, 1, 2
SEEN = 3  # of the values that are trained on, set aside: judged on, never trained on
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
    COMPOSITION = "composition"
    INTERPOLATION = "interpolation"
    EXTRAPOLATION = "extrapolation"
    LEAVE = "leave"

    @property
    def holds_values_out(self) -> bool:
        """Whether what is tested is values, or combinations of them, never trained on.

        Such a split has a fourth part: rows of the values that are trained on.
        """
        return self in HOLDING_OUT

    @property
    def num_columns(self) -> range:
        """How many columns it may name."""
        match self:
            case SplitKind.RANDOM:
                return range(1)
            case SplitKind.COMPOSITION:
                return range(2, 3)
            case SplitKind.INTERPOLATION | SplitKind.EXTRAPOLATION:
                return range(1, 3)
            case SplitKind.TIME | SplitKind.GROUP | SplitKind.COLUMN | SplitKind.LEAVE:
                return range(1, 2)


@dataclass(frozen=True, slots=True)
class SplitFacts:
    """What a kind of split is.

    Attributes:
        title: Plain words, the field's term beside them.
        story: What is trained on and what is tested, and when that is the question.
        formula: Which rows are on which side.
        source: Where it comes from.
    """

    title: str
    story: str
    formula: str
    source: str


HOLDING_OUT = frozenset(
    {
        SplitKind.COMPOSITION,
        SplitKind.INTERPOLATION,
        SplitKind.EXTRAPOLATION,
        SplitKind.LEAVE,
    }
)
SCHOTT = (
    "Schott et al. (2021), arXiv:2107.08221; differs in: validation is held out as test"
    " is, and rows of seen cells are set aside for the gap"
)
ASIDE = "one in five rows of training cells is set aside (seen)"
SPLITS: Mapping[str, SplitFacts] = MappingProxyType(
    {
        SplitKind.RANDOM: SplitFacts(
            "At random",
            "Rows are dealt out by chance; right where rows are independent.",
            "60/20/20 of the rows, in every class",
            "stratified hold-out, as in Kohavi (1995), IJCAI",
        ),
        SplitKind.TIME: SplitFacts(
            "By time: train on the past, test on the future",
            "The earliest rows are trained on, the latest tested.",
            "cuts between two times, nearest to 60 % and 80 % of the rows",
            "as in Robinson et al. (2024), RelBench, arXiv:2407.20060",
        ),
        SplitKind.GROUP: SplitFacts(
            "By group: no group in two parts",
            "Whole groups are tested; right where rows of a group resemble each other.",
            "groups in an order drawn by the seed, cut nearest to 60 % and 80 %",
            "blocked hold-out, as in Roberts et al. (2017), doi:10.1111/ecog.02881",
        ),
        SplitKind.COLUMN: SplitFacts(
            "By a column that says train, val or test",
            "The split is given, and no graph shows the column.",
            "as the column says",
            "whoever made the data",
        ),
        SplitKind.COMPOSITION: SplitFacts(
            "New combinations of values (composition)",
            "Every value of both columns is trained on, some combinations are not:"
            " known products in known regions, but not that product in that region.",
            "cell (i, j) is tested where j − i + seed ≡ 0 (mod 5), validates where ≡ 2,"
            " in 15 to 25 % of the rows where cells allow it; each level keeps a"
            f" training cell; {ASIDE}",
            SCHOTT,
        ),
        SplitKind.INTERPOLATION: SplitFacts(
            "Values in between (interpolation)",
            "Values inside the range are left out: trained on small and large, tested"
            " on what lies between.",
            "levels spread evenly over the inside validate and test in turn; with two"
            f" columns a row is tested where either level is; {ASIDE}",
            SCHOTT,
        ),
        SplitKind.EXTRAPOLATION: SplitFacts(
            "Values outside the range (extrapolation)",
            "Values beyond one end are left out: trained on the lower ones, chosen on"
            " the next, tested on the highest; without an order, on the rarest.",
            "levels cut nearest to .6^(1/k) and .8^(1/k) of the rows, k columns; a row"
            f" is tested where either level is; {ASIDE}",
            SCHOTT,
        ),
        SplitKind.LEAVE: SplitFacts(
            "Values never seen (leave out)",
            "Whole values are left out: a new region, a new product, a new customer.",
            "the named values, or values drawn by the seed for 15 to 25 % of the rows,"
            f" are tested, others drawn likewise validate; {ASIDE}",
            "leave-domain-out, as in Gulrajani and Lopez-Paz (2021), arXiv:2007.01434",
        ),
    }
)
USAGE = (
    '"random", "time:COLUMN", "group:COLUMN", "column:COLUMN",'
    ' "composition:COLUMN,COLUMN", "interpolation:COLUMN[,COLUMN]",'
    ' "extrapolation:COLUMN[,COLUMN]", "leave:COLUMN" or "leave:COLUMN=VALUE|VALUE"'
)
QUOTED = r'"(?:[^"]|"")+"'


def read_split(written: str) -> tuple[SplitKind, str]:
    """Return the kind of split and what it names, empty for a random one.

    Raises:
        TaskError: It is none of the kinds, or names no column.
    """
    kind, separator, rest = written.partition(":")
    known = kind in list(SplitKind)
    if not known or (kind == SplitKind.RANDOM) == bool(separator and rest):
        raise TaskError(f'The split "{written}" is unknown; write {USAGE}.')
    return SplitKind(kind), rest


def read_named(kind: SplitKind, named: str) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Return the columns and the values that a split names after its kind.

    Columns are parted by commas, values by bars; one that holds such a sign stands in
    double quotes.

    >>> read_named(SplitKind.LEAVE, 'city.region=North|"a|b"')
    (('city.region',), ('North', 'a|b'))

    Raises:
        TaskError: It cannot be read so, or names too many or too few columns.
    """
    if not kind.holds_values_out:
        return (named,) if named else (), ()
    columns, text = _items(named, ",", "=")
    values: tuple[str, ...] = ()
    if kind is SplitKind.LEAVE and text.startswith("="):
        values, text = _items(text[1:] or "|", "|", "")
    if text or len(columns) not in kind.num_columns:
        raise TaskError(f'The split "{kind}:{named}" cannot be read; write {USAGE}.')
    if len(set(columns)) < len(columns):
        raise TaskError(
            f'The split "{kind}:{named}" names one column twice; name two columns.'
        )
    return columns, values


def write_named(columns: Sequence[str], values: Sequence[str] = ()) -> str:
    """Return columns and values as a split names them; `read_named` reads them."""
    named = ",".join(_quoted(column, ",=") for column in columns)
    if not values:
        return named
    return named + "=" + "|".join(_quoted(value, "|") for value in values)


def _items(text: str, separator: str, end: str) -> tuple[tuple[str, ...], str]:
    """Return the items at the start of a text, and the text after them."""
    bare = f"[^{re.escape(separator + end)}]+"
    found = []
    while match := re.match(rf"\s*(?:({QUOTED})\s*|({bare}))", text):
        quoted, plain = match.groups()
        found.append(quoted[1:-1].replace('""', '"') if quoted else plain.strip())
        text = text[match.end() :]
        if not text.startswith(separator):
            break
        text = text[1:] or separator  # nothing after a separator is left to be refused
    return tuple(found), text


def _quoted(text: str, signs: str) -> str:
    if text and text == text.strip() and not set(text) & {*signs, '"'}:
        return text
    return '"' + text.replace('"', '""') + '"'


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
    first, second = cut_blocks(counts)
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
    first, second = cut_blocks(sizes[order])
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


def cut_blocks(sizes: np.ndarray, factors: int = 1) -> tuple[int, int]:
    """Return the last block of training and of validation; no side is left empty.

    Args:
        sizes: ``[blocks]``, three or more: rows of each, in their order.
        factors: How many columns are cut so; a row is trained on where all of them
            allow it, so each gives the root of the share.
    """
    ends = np.cumsum(sizes) / sizes.sum()
    to_train, to_val = (share ** (1 / factors) for share in SHARES)
    first = int(np.argmin(np.abs(ends[:-2] - to_train)))
    second = first + 1 + int(np.argmin(np.abs(ends[first + 1 : -1] - to_val)))
    return first, second
