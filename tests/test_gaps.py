"""What is lost on values not trained on: the numbers, the sentence, the pictures."""

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from tests.results_factory import make_results, make_trial
from workbench.chart import all_series
from workbench.comparison import Cell, Series, gap_between
from workbench.figures import gap_figure, split_grid_figure
from workbench.figures.gaps import find_gap, gap_in_words, has_gaps
from workbench.report import render_report
from workbench.results import load_results, stored

SPLIT = "composition:age,region"
GRID = {
    "columns": ["person.age", "region.name"],
    "levels": [["young", "old"], ["North", "South"]],
    # rows to train on, validate, test, and set aside
    "counts": [
        [[8, 0, 0, 2], [0, 5, 0, 0]],
        [[0, 0, 7, 0], [4, 0, 0, 1]],
    ],
}


def test_a_gap_is_paired_by_seed_and_its_interval_is_a_t_interval() -> None:
    arm = ("shop", "row2node")
    trials = [
        replace(
            make_trial([arm], arm, "sage", 1, seed, "roc-auc", deepest=False),
            seen=seen,
            test=test,
        )
        for seed, (seen, test) in enumerate([(0.9, 0.8), (0.7, 0.5), (0.9, 0.6)])
    ]
    gap = Cell(Series(*arm, "sage", "none"), 1, tuple(trials)).gap("roc-auc")
    # .1, .2 and .3: mean .2, deviation .1, t of 2 degrees of freedom 4.3027
    assert gap.mean == pytest.approx(0.2)
    assert gap.high - gap.mean == pytest.approx(4.3027 * 0.1 / np.sqrt(3), rel=1e-4)


def test_a_loss_is_a_loss_whichever_way_the_metric_runs() -> None:
    assert gap_between(0.9, 0.7, "roc-auc") == pytest.approx(0.2)
    assert gap_between(3.0, 5.0, "mae") == pytest.approx(2.0)


def test_the_sentence_says_what_is_lost_and_on_what(tmp_path: Path) -> None:
    results = make_results(tmp_path / "r", split=SPLIT, gap=0.12, lost=False)
    series = all_series(results)[0]
    told = gap_in_words(results, series, 3)
    # sd .0089 over six seeds, t of 5 degrees of freedom 2.571: .0094 either way
    assert told.startswith(
        "On combinations of values it has not seen it loses 0.120 [0.111, 0.129] of"
        " ROC-AUC"
    )
    assert has_gaps(results)
    assert gap_in_words(results, series, 99) == ""


def test_a_network_that_learned_nothing_is_not_said_to_lose_nothing(
    tmp_path: Path,
) -> None:
    results = make_results(tmp_path / "r", split=SPLIT, gap=0.0, lost=False)
    told = gap_in_words(results, all_series(results)[0], 0)  # at chance before hop 3
    assert "its gap says little: most runs learned next to nothing" in told


@pytest.mark.parametrize(
    ("gap", "told"), [(0.0, "loses nothing that its seeds tell"), (-0.1, "gains 0.100")]
)
def test_no_loss_and_a_gain_are_called_so(tmp_path, gap: float, told: str) -> None:
    results = make_results(tmp_path / "r", split="leave:region", gap=gap, lost=False)
    assert told in gap_in_words(results, all_series(results)[0], 3)
    assert "On values it has not seen" in gap_in_words(
        results, all_series(results)[0], 3
    )


def test_a_study_that_holds_nothing_out_has_no_gap_anywhere(tmp_path: Path) -> None:
    results = make_results(tmp_path / "r")
    assert not has_gaps(results)
    assert find_gap(results, all_series(results)[0], 3) is None
    assert results.trials["seen"].isna().all()
    document = json.loads((tmp_path / "r" / "comparison.json").read_text())
    assert {cell["gap"] for cell in document["cells"]} == {None}


def test_results_from_before_gaps_were_measured_open_and_have_none() -> None:
    results = load_results(stored("address"))
    assert results.trials["seen"].isna().all()
    assert not has_gaps(results)


def test_the_gap_chart_names_every_series_and_its_loss(tmp_path: Path) -> None:
    results = make_results(tmp_path / "r", split=SPLIT, gap=0.12, lost=False)
    chart = gap_figure(results)
    assert "combinations of values it has not seen" in chart.title
    assert [trace.x[0] for trace in chart.figure.data] == pytest.approx([0.12] * 3)
    assert chart.alt.count("it loses 0.120") == 3


def test_the_report_shows_the_gap_and_how_depth_was_chosen(tmp_path: Path) -> None:
    results = make_results(tmp_path / "r", split=SPLIT, gap=0.12, lost=False)
    page = render_report(results)
    assert "What is lost on combinations of values it has not seen" in page
    assert "depths were chosen for what was not seen" in page


def test_the_grid_is_drawn_cell_by_cell_with_its_side_in_letters() -> None:
    chart = split_grid_figure(GRID)
    drawn = chart.figure.data[0]
    assert [list(line) for line in drawn.text] == [["10", "v 5"], ["T 7", "5"]]
    assert np.array_equal(drawn.z, [[0, 1], [2, 0]])
    assert (
        "15 rows of values that are trained on, 5 to validate, 7 to test" in chart.alt
    )
    assert "Tested: old with North." in chart.alt


def test_one_column_is_a_strip_that_keeps_what_is_tested_in_sight() -> None:
    counts = [[[at + 1, 0, 0, 0]] for at in range(100)]
    counts[0] = [[0, 0, 1, 0]]  # the rarest value is the one tested
    levels = [f"v{at}" for at in range(100)]
    chart = split_grid_figure(
        {"columns": ["t.v"], "levels": [levels], "counts": counts}
    )
    drawn = chart.figure.data[0]
    assert np.shape(drawn.z) == (1, 30)
    assert drawn.text[0][0] == "T 1"
    assert chart.figure.layout.xaxis.ticktext[-1] == "71 others"
    assert "Tested: v0." in chart.alt
