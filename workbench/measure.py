"""What a measure of a layer is: rows prepared once, a number, and a flag.

Most measures read the rows of one node type alone; some need to know besides which
class a row has, which rows share a parent, or which rows are tied (`workbench.view`
makes these views).

Everything is float64 on rows rescaled by their largest entry, and no epsilon is added
anywhere, so that a tiny state and a collapsed one are never confused.
"""

from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum
from functools import cached_property
from typing import Any

import numpy as np

# Below this share of centred variance, what is left is the rounding of float32 states.
PRECISION = 1e-12
# Eigenvalues below this share of the largest have lost half their digits or more.
FAINT = 1e-8


class Flag(StrEnum):
    """Why a measure has no value, or one to be read with care."""

    NONE = ""
    ZERO = "zero"
    NOT_FINITE = "not-finite"
    TOO_FEW_ROWS = "too-few-rows"
    COLLAPSED = "collapsed-to-precision"
    NOT_DEFINED = "not-defined"


@dataclass(frozen=True, slots=True)
class Measurement:
    """A measure of one layer's states.

    Attributes:
        value: The number, or NaN.
        num_rows: Rows it was taken over.
        flag: Empty, or why it is NaN or to be read with care.
    """

    value: float
    num_rows: int
    flag: Flag


@dataclass(frozen=True)
class Rows:
    """States of one node type, [rows, channels], prepared once for every measure."""

    states: np.ndarray

    @property
    def num_rows(self) -> int:
        """Number of rows."""
        return len(self.states)

    @cached_property
    def flag(self) -> Flag:
        """Why nothing can be measured, or empty."""
        if not self.states.size:
            return Flag.TOO_FEW_ROWS
        if not np.isfinite(self.largest):
            return Flag.NOT_FINITE
        return Flag.NONE if self.largest > 0 else Flag.ZERO

    @cached_property
    def largest(self) -> float:
        """Largest absolute entry; NaN where there is one."""
        return float(np.maximum(self.states.max(), -self.states.min()))

    @cached_property
    def scaled(self) -> np.ndarray:
        """States over their largest absolute entry."""
        return self.states / self.largest

    @cached_property
    def centred(self) -> np.ndarray:
        """Scaled states less their mean row."""
        return self.scaled - self.scaled.mean(axis=0)

    @cached_property
    def total(self) -> float:
        """Sum of squares of the scaled states."""
        return _sum_of_squares(self.scaled)

    @cached_property
    def variance_share(self) -> float:
        """Centred over total sum of squares."""
        return _sum_of_squares(self.centred) / self.total

    @property
    def is_collapsed(self) -> bool:
        """Whether rows differ by no more than rounding."""
        return self.variance_share < PRECISION

    @cached_property
    def singular_values(self) -> np.ndarray:
        """Singular values of the scaled states, descending."""
        mean = self.scaled.mean(axis=0)
        square = self.centred_square + self.num_rows * np.outer(mean, mean)
        return singular_values(self.scaled, square)

    @cached_property
    def centred_singular_values(self) -> np.ndarray:
        """Singular values of the centred states, descending."""
        return singular_values(self.centred, self.centred_square)

    @cached_property
    def centred_square(self) -> np.ndarray:
        """XᵀX of the centred states, [channels, channels]."""
        return self.centred.T @ self.centred

    @cached_property
    def lengths(self) -> np.ndarray:
        """Euclidean length of each scaled row."""
        return np.sqrt(np.einsum("ij,ij->i", self.scaled, self.scaled))

    @cached_property
    def live(self) -> np.ndarray:
        """Which rows are not zero beside the longest one."""
        return self.lengths > PRECISION * self.lengths.max()

    @cached_property
    def mean_distance(self) -> float:
        """Mean cosine distance over ordered pairs of live rows; NaN below two."""
        number = int(self.live.sum())
        if number < 2:
            return float("nan")
        weights = self.live / np.where(self.live, self.lengths, 1)
        mean = weights @ self.scaled / number  # of the rows' directions
        return max(float(number / (number - 1) * (1 - (mean**2).sum())), 0.0)


@dataclass(frozen=True, slots=True)
class Measure:
    """A member of `workbench.measures.MEASURES`.

    Attributes:
        name: What users type and results say.
        title: The name in plain words, the field's term beside it.
        function: Takes a view whose rows are finite and not all zero.
        formula: The definition.
        value_range: Its range.
        at_collapse: Its value when all rows are equal.
        comparable: What it may be compared across.
        source: Where it comes from, and how this differs.
        at_zero: Its value when every entry is zero.
        min_rows: Fewest rows of which it says anything.
        takes: The view that it reads: `Rows`, or one of `workbench.view`, which has
            the same ``flag`` and ``num_rows``.
    """

    name: str
    title: str
    function: Callable[[Any], Measurement]
    formula: str
    value_range: str
    at_collapse: str
    comparable: str
    source: str
    at_zero: float = float("nan")
    min_rows: int = 1
    takes: type = Rows

    def of(self, rows: Any) -> Measurement:  # a view of the type it takes
        """Return the measure of rows; NaN with a flag where there is none."""
        if rows.flag is Flag.NONE and rows.num_rows < self.min_rows:
            return Measurement(float("nan"), rows.num_rows, Flag.TOO_FEW_ROWS)
        if rows.flag is not Flag.NONE:
            value = self.at_zero if rows.flag is Flag.ZERO else float("nan")
            return Measurement(value, rows.num_rows, rows.flag)
        return self.function(rows)


def entropy_rank(singular_values: np.ndarray) -> float:
    """Return exp of the entropy of singular values over their sum."""
    shares = singular_values / singular_values.sum()
    shares = shares[shares > 0]
    return float(np.exp(-(shares * np.log(shares)).sum()))


def singular_values(matrix: np.ndarray, square: np.ndarray) -> np.ndarray:
    """Return the singular values of a matrix from its small square.

    They are the roots of the eigenvalues of XᵀX, which takes a tenth of the time of a
    decomposition of X. A root halves the number of digits, so that values far below the
    largest are taken again, from the rows in the directions that are left.

    Args:
        matrix: X, [rows, columns], float64, finite.
        square: XᵀX, [columns, columns].

    Returns:
        [min(rows, columns)], descending, exact to 1e-11 of the largest.
    """
    if not matrix.size:
        return np.zeros(0)
    if len(matrix) < matrix.shape[1]:
        matrix, square = matrix.T, matrix @ matrix.T
    squares = np.linalg.eigvalsh(square).clip(min=0)  # ascending
    if squares[0] >= FAINT * squares[-1]:
        return np.sqrt(squares[::-1])
    squares, directions = np.linalg.eigh(square)
    faint = squares < FAINT * squares[-1]
    left = matrix @ directions[:, faint]
    rest = singular_values(left, left.T @ left)
    return np.concatenate([np.sqrt(squares[~faint][::-1]), rest])


def _sum_of_squares(values: np.ndarray) -> float:
    flat = values.ravel()
    return float(flat @ flat)
