"""Rows of tables put in order by counting, since they are small numbers in close rank.

Comparing every two neighbours costs a pass; counting how often each row comes costs
another. Both are far from a sort, which does not know that keys are row numbers.
"""

import numpy as np
from scipy.sparse import coo_array

CLOSE = 4  # counting pays while the largest number is at most so many times their count
MOST_NARROW = 2**31  # one more than the largest number of 32 bits with a sign


def stable_order(rows: np.ndarray) -> np.ndarray:
    """Return where the smallest, second and every next row stands, equals in order.

    Args:
        rows: int64, none negative.

    Returns:
        int64 ``[len(rows)]``, what a stable argsort gives.
    """
    number = len(rows)
    if is_ascending(rows):
        return np.arange(number)
    largest = int(rows.max())
    if largest > CLOSE * number:
        return np.argsort(rows, kind="stable")
    places = np.arange(number, dtype=index_type(number))
    # Row r of the matrix lists where r stands; the conversion to CSR counts and places.
    listed = coo_array(
        (np.ones(number, dtype=np.int8), (rows, places)), shape=(largest + 1, number)
    )
    listed.has_canonical_format = True  # no place comes twice, so nothing is summed
    return listed.tocsr().indices.astype(np.int64)


def is_ascending(rows: np.ndarray) -> bool:
    """Return whether no row is smaller than the one before it."""
    return bool((rows[1:] >= rows[:-1]).all())


def index_type(number: int) -> type[np.signedinteger]:
    """Return the smaller type that holds every index below a number."""
    return np.int32 if number <= MOST_NARROW else np.int64


def narrow(rows: np.ndarray) -> np.ndarray:
    """Return rows, none negative, in 32 bits where each of them fits."""
    largest = int(rows.max()) if len(rows) else 0
    return rows.astype(index_type(largest + 1), copy=False)


def count_starts(rows: np.ndarray, num_rows: int) -> np.ndarray:
    """Return where each row starts once they are in order, and last how many there are.

    Args:
        rows: From 0 up to ``num_rows`` - 1, in any order.
        num_rows: Number of different rows that there may be.

    Returns:
        int32 or int64 ``[num_rows + 1]``; the difference is how often each row comes.
    """
    starts = np.zeros(num_rows + 1, dtype=index_type(len(rows) + 1))
    starts[1:] = np.cumsum(np.bincount(rows, minlength=num_rows))
    return starts


def count_sorted(rows: np.ndarray) -> int:
    """Return how many distinct rows there are in ascending ones."""
    return int(np.count_nonzero(rows[1:] != rows[:-1])) + bool(len(rows))


def count_distinct(rows: np.ndarray, num_rows: int) -> int:
    """Return how many distinct rows there are, each from 0 up to ``num_rows`` - 1."""
    met = np.zeros(num_rows, dtype=bool)
    met[rows] = True
    return int(np.count_nonzero(met))
