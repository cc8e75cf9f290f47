"""Columns by their distinct values."""

import numpy as np
import pyarrow as pa

from workbench.coded import code

COLUMN = code(pa.chunked_array([["b", None], ["a", "b"]]))


def test_every_row_has_its_value_again() -> None:
    assert COLUMN.listed() == ["b", None, "a", "b"]


def test_distinct_values_ascend_and_none_is_no_value() -> None:
    assert COLUMN.distinct() == ["a", "b"]


def test_a_value_of_dropped_rows_is_not_there_any_more() -> None:
    kept = COLUMN.filter(np.array([True, True, False, False]))
    assert kept.distinct() == ["b"]
    assert kept.numbers({"b": 7.0}).tolist()[0] == 7.0
    assert np.isnan(kept.numbers({"b": 7.0})[1])


def test_both_zeros_are_one_value() -> None:
    zeros = code(pa.chunked_array([[0.0, -0.0, 1.5]]))
    assert zeros.distinct() == [0.0, 1.5]
    assert zeros.numbers().tolist() == [0.0, 0.0, 1.5]


def test_an_empty_column_has_no_value() -> None:
    empty = code(pa.chunked_array([pa.array([], pa.string())]))
    assert empty.distinct() == []
    assert len(empty) == 0
