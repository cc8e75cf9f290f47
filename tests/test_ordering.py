"""Counting puts rows in the order that sorting would."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from workbench.ordering import (
    count_distinct,
    count_sorted,
    index_type,
    narrow,
    stable_order,
)

ROWS = st.lists(st.integers(0, 40) | st.sampled_from([10**6, 2**40]), max_size=60)


@given(ROWS)
def test_counting_gives_the_order_of_a_stable_sort(rows: list[int]) -> None:
    given_rows = np.array(rows, dtype=np.int64)
    order = stable_order(given_rows)
    assert order.dtype == np.int64
    assert order.tolist() == sorted(range(len(rows)), key=lambda at: rows[at])


def test_equal_rows_stay_in_the_order_they_came_in() -> None:
    order = stable_order(np.array([2, 0, 2, 1, 0]))
    assert order.tolist() == [1, 4, 3, 0, 2]


@pytest.mark.parametrize(("rows", "number"), [([], 0), ([4], 1), ([0, 0, 2, 2, 3], 3)])
def test_distinct_rows_are_counted_once(rows: list[int], number: int) -> None:
    found = np.array(rows, dtype=np.int64)
    assert count_sorted(found) == number
    assert count_distinct(found[::-1], 5) == number


def test_indices_take_32_bits_where_the_largest_fits() -> None:
    assert index_type(2**31) is np.int32  # the largest index is one less
    assert index_type(2**31 + 1) is np.int64
    for rows in ([], [0], [5, 2**31 - 1]):
        found = narrow(np.array(rows, dtype=np.int64))
        assert found.dtype == np.int32
        assert found.tolist() == rows
    assert narrow(np.array([2**31])).dtype == np.int64
