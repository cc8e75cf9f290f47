"""Rows that a reader has chosen: their code, and what is known of them."""

import base64
import random
import zlib

import pytest

from tests.results_factory import make_results
from workbench.results import Results
from workbench.selection import decode_rows, encode_rows, selection_table


@pytest.fixture(scope="module")
def results(tmp_path_factory: pytest.TempPathFactory) -> Results:
    return make_results(tmp_path_factory.mktemp("results"))


@pytest.mark.parametrize("count", [1, 7, 8, 9, 2000])
def test_a_code_names_the_rows_it_was_made_of(count: int):
    for size in {1, count // 2, count}:
        rows = tuple(sorted(random.Random(size).sample(range(count), size)))
        assert decode_rows(encode_rows(rows, count), count) == rows


def test_any_choice_of_two_thousand_rows_fits_an_address():
    draw = random.Random(0)
    for share in (0.01, 0.3, 0.5, 0.9):
        rows = [row for row in range(2000) if draw.random() < share]
        assert len(encode_rows(rows, 2000)) <= 360


def test_no_row_has_no_code_and_rows_that_do_not_exist_are_left_out():
    assert encode_rows([], 10) == ""
    assert decode_rows(encode_rows([-1, 3, 10, 99], 10), 10) == (3,)


def test_a_code_that_nobody_wrote_names_no_row():
    bomb = base64.urlsafe_b64encode(zlib.compress(bytes(10**7))).decode()
    short = base64.urlsafe_b64encode(zlib.compress(b"a")).decode()
    for code in ("", "abc", "<script>", "é", "=" * 9, short, bomb, "A" * 5000):
        assert decode_rows(code, 2000) == ()


def test_the_table_says_of_each_row_what_each_graph_made_of_it(results):
    table = selection_table(results, ["7", "5"], 2)
    assert table["key"].tolist() == ["7", "5"]
    assert table["label"].tolist() == ["yes", "yes"]  # odd rows are
    right = [name for name in table if name.endswith(": correct")]
    assert len(right) == 3
    # Every fifth row is predicted wrongly.
    assert table[right].iloc[0].tolist() == [True] * 3
    assert table[right].iloc[1].tolist() == [False] * 3


def test_predictions_are_those_of_test_rows_and_missing_elsewhere(results):
    tested = results.predictions[results.predictions["depth"] == 2]
    key = str(tested["key"].iloc[0])
    table = selection_table(results, [key, "no such row"], 2)
    said = [name for name in table if name.endswith(": prediction")]
    mine = tested[(tested["key"].astype(str) == key) & (tested["seed"] == 0)]
    assert table[said].iloc[0].tolist() == mine["prediction"].tolist()
    assert table[said].iloc[1].isna().all()


def test_no_rows_make_an_empty_table(results):
    assert selection_table(results, [], 2).empty
