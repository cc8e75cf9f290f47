"""One series held against the others, and the cells that tie with the best."""

from dataclasses import replace
from pathlib import Path

import pytest

from tests.results_factory import make_results
from workbench.against import against_leader, deltas_at, leading_cell
from workbench.chart import all_series, pick
from workbench.figures import standing_figure
from workbench.figures.standing import LEADER, TIE
from workbench.results import Results

DEPTH = 2


@pytest.fixture(scope="module")
def results(tmp_path_factory: pytest.TempPathFactory) -> Results:
    return make_results(tmp_path_factory.mktemp("results"))


def with_scores(results: Results, scores: dict[int, list[float]]) -> Results:
    """Return results whose series, by place, score this at one depth, seed by seed."""
    trials = results.trials.copy()
    for place, values in scores.items():
        series = all_series(results)[place]
        rows = pick(series.rows(trials), depth=DEPTH).sort_values("seed").index
        trials.loc[rows, ["test", "status"]] = [[value, "ok"] for value in values]
    return replace(results, trials=trials)


def test_a_delta_is_the_mean_of_the_differences_of_equal_seeds(results):
    base = [0.5, 0.6, 0.7, 0.5, 0.6, 0.7]
    # Paired by seed the differences are .10 to .12 although scores vary by .2.
    other = [0.60, 0.71, 0.82, 0.60, 0.71, 0.82]
    held = with_scores(results, {0: base, 1: other, 2: base})
    first, second, third = all_series(held)
    deltas = deltas_at(held, first, DEPTH)
    assert set(deltas) == {second, third}
    assert deltas[second].n == 6
    assert deltas[second].difference == pytest.approx(0.11)
    assert 0.09 < deltas[second].low < 0.11 < deltas[second].high < 0.13
    assert deltas[second].standing == "better"
    assert (deltas[third].difference, deltas[third].standing) == (0.0, "tie")


def test_a_baseline_that_scores_more_makes_the_others_worse(results):
    low, high = [0.5, 0.51, 0.5, 0.51, 0.5, 0.51], [0.9] * 6
    held = with_scores(results, {0: high, 1: low, 2: high})
    first, second, _ = all_series(held)
    assert deltas_at(held, first, DEPTH)[second].standing == "worse"
    # Turned round, the same numbers with the other sign.
    turned = deltas_at(held, second, DEPTH)[first]
    assert turned.standing == "better"
    assert turned.difference == pytest.approx(0.395)


def test_after_halving_no_difference_is_called_better_or_worse(results):
    low, high = [0.5, 0.51, 0.5, 0.51, 0.5, 0.51], [0.9] * 6
    held = with_scores(results, {0: high, 1: low, 2: high})
    halved = replace(held, comparison={**held.comparison, "halving": {"one_in": 2}})
    deltas = deltas_at(halved, all_series(halved)[0], DEPTH)
    assert {delta.standing for delta in deltas.values()} == {"exploratory"}
    found = against_leader(halved).values()
    assert {delta.standing for delta in found} == {"exploratory"}
    assert TIE not in str(standing_figure(halved).figure.data)


def test_below_six_seeds_nothing_is_called_a_difference(tmp_path: Path):
    few = make_results(tmp_path, depths=(0, 1, 2), seeds=3)
    first, *_ = all_series(few)
    assert {one.standing for one in deltas_at(few, first, 2).values()} == {
        "too few seeds"
    }
    assert TIE not in str(standing_figure(few).figure.data)


def test_the_leader_is_chosen_by_validation_and_is_not_among_those_held_against_it(
    results,
):
    leader = leading_cell(results)
    assert leader is not None
    series, depth = leader
    best = max(results.comparison["cells"], key=lambda cell: cell["val_mean"] or -1.0)
    assert series.owns(best)
    assert best["depth"] == depth
    assert leader not in against_leader(results)


def test_the_map_marks_the_leader_once_and_every_tie(results):
    figure = standing_figure(results).figure
    texts = {
        (row, depth): text
        for row, trace in enumerate(figure.data)
        for depth, text in zip(trace.x, trace.text[0], strict=True)
    }
    deltas = against_leader(results)
    everything = all_series(results)
    ties = {
        (everything.index(series), depth)
        for (series, depth), delta in deltas.items()
        if delta.standing == "tie"
    }
    assert {cell for cell, text in texts.items() if TIE in text} == ties
    assert sum(LEADER in text for text in texts.values()) == 1


def test_a_study_in_which_nothing_finished_has_no_leader(results):
    nothing = replace(results, comparison={**results.comparison, "cells": []})
    assert leading_cell(nothing) is None
    assert against_leader(nothing) == {}
