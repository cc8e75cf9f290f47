"""The noise of test rows: weighted scores, pairing, groups, and what is not told."""

import time
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from workbench.comparison import Cell, Series, Trial
from workbench.resampling import SCORERS, SEVERAL, Resampled, TestRows
from workbench.score import METRICS

NAN = float("nan")
SERIES = Series("shop", "row2node", "sage", "none")
OTHER = replace(SERIES, topology="flattened")
KEPT = np.random.default_rng(0)


def cell(series: Series = SERIES, seeds: int = 2) -> Cell:
    trials = tuple(
        Trial(
            source=series.source,
            topology=series.topology,
            model=series.model,
            remedy=series.remedy,
            depth=1,
            seed=seed,
            metric="roc-auc",
            train=0.9,
            val=0.9,
            test=0.9,
            best_epoch=1,
            seconds=1.0,
            peak_mb=1.0,
            num_parameters=1,
            status="ok",
            reason="",
            gradient_ratio=1.0,
        )
        for seed in range(seeds)
    )
    return Cell(series, 1, trials)


def said(
    series: Series,
    labels: np.ndarray,
    outputs: np.ndarray,
    names: tuple[str, ...] = ("no", "yes"),
    prefix: str = "",
) -> pd.DataFrame:
    """Return predictions of one cell; outputs are ``[seeds, rows]``."""
    return pd.concat(
        [
            pd.DataFrame(
                {
                    "source": series.source,
                    "topology": series.topology,
                    "model": series.model,
                    "remedy": series.remedy,
                    "depth": 1,
                    "seed": seed,
                    "key": [f"{prefix}{row}" for row in range(len(labels))],
                    "label": [names[int(one)] for one in labels],
                    "prediction": [names[int(one >= 0.5)] for one in found],
                    "value": found,
                }
            )
            for seed, found in enumerate(outputs)
        ]
    )


@pytest.mark.parametrize("name", sorted(SCORERS))
def test_a_weighted_score_is_that_of_rows_repeated_so_often(name: str) -> None:
    generator = np.random.default_rng(1)
    is_value = name in ("mae", "r2")
    labels = generator.normal(size=30) if is_value else np.arange(30) % 2.0
    outputs = np.round(generator.random(30), 1)  # with ties
    weights = generator.integers(0, 3, (20, 30))
    found = SCORERS[name](labels, outputs, weights.astype(float))
    for row, scored in zip(weights, found, strict=True):
        rows = np.repeat(np.arange(30), row)
        expected = METRICS[name].score(labels[rows], outputs[rows])
        assert scored == pytest.approx(expected, abs=1e-12)


@pytest.mark.parametrize("name", sorted(SEVERAL))
def test_of_several_classes_the_chosen_ones_are_weighed(name: str) -> None:
    generator = np.random.default_rng(1)
    labels, chosen = generator.integers(0, 4, (2, 30)).astype(float)
    weights = generator.integers(0, 3, (20, 30))
    found = SEVERAL[name](labels, chosen, weights.astype(float))
    chances = np.eye(4)[chosen.astype(int)]
    for row, scored in zip(weights, found, strict=True):
        rows = np.repeat(np.arange(30), row)
        expected = METRICS[name].score(labels[rows], chances[rows])
        assert scored == pytest.approx(expected, abs=1e-12)


def test_the_interval_of_an_accuracy_is_that_of_the_binomial() -> None:
    labels = np.ones(400)
    outputs = np.where(np.arange(400) < 320, 1.0, 0.0)[None]  # 80 % right
    rows = TestRows(said(SERIES, labels, outputs), ("no", "yes"))
    found = Resampled(rows, [cell(seeds=1)], "accuracy").of(cell(seeds=1))
    assert found is not None
    # 1.96 √(.8 × .2 / 400) = .0392
    assert found.rows_low == pytest.approx(0.8 - 0.0392, abs=0.005)
    assert found.rows_high == pytest.approx(0.8 + 0.0392, abs=0.005)
    # One seed has no noise of its own.
    assert (found.both_low, found.both_high) == (found.rows_low, found.rows_high)


def test_seeds_that_differ_widen_the_interval_of_both() -> None:
    labels = np.ones(400)
    outputs = np.array([np.arange(400) < 300, np.arange(400) < 380]).astype(float)
    rows = TestRows(said(SERIES, labels, outputs), ("no", "yes"))
    found = Resampled(rows, [cell()], "accuracy").of(cell())
    assert found is not None
    # Both seeds drawn alike, one time in two: .75 or .95, each give or take its rows.
    assert found.both_low == pytest.approx(0.72, abs=0.02)
    assert found.both_high == pytest.approx(0.965, abs=0.02)
    assert 0.8 < found.rows_low < found.rows_high < 0.9


def test_rows_of_a_group_are_drawn_together() -> None:
    labels = np.ones(400)
    outputs = (np.arange(400) < 320).astype(float)[None]
    groups = {str(row): str(row // 40) for row in range(400)}  # ten, each all or none
    frame = said(SERIES, labels, outputs)
    one = cell(seeds=1)
    alone, grouped = (
        Resampled(TestRows(frame, ("no", "yes"), held), [one], "accuracy").of(one)
        for held in ({}, {"shop": groups})
    )
    assert alone is not None
    assert grouped is not None
    # 1.96 √(.8 × .2 / 10) = .248, in steps of a tenth.
    assert grouped.rows_low == pytest.approx(0.5, abs=0.101)
    assert grouped.rows_high == pytest.approx(1.0, abs=0.001)
    assert grouped.rows_high - grouped.rows_low > 3 * (alone.rows_high - alone.rows_low)


def test_two_networks_that_say_the_same_do_not_differ_on_any_rows() -> None:
    labels, outputs = np.arange(200) % 2, KEPT.random((2, 200))
    frame = pd.concat([said(one, labels, outputs) for one in (SERIES, OTHER)])
    cells = [cell(), cell(OTHER)]
    drawn = Resampled(TestRows(frame, ("no", "yes")), cells, "roc-auc")
    found = drawn.between(*cells)
    assert found is not None
    assert (found.rows_low, found.rows_high) == (0, 0)
    assert (found.both_low, found.both_high) == (0, 0)


def test_swapping_the_sides_flips_the_interval() -> None:
    labels = np.arange(200) % 2
    frame = pd.concat(
        [said(one, labels, KEPT.random((2, 200))) for one in (SERIES, OTHER)]
    )
    cells = [cell(), cell(OTHER)]
    drawn = Resampled(TestRows(frame, ("no", "yes")), cells, "roc-auc")
    one, other = drawn.between(*cells), drawn.between(*cells[::-1])
    assert one is not None
    assert other is not None
    assert (other.rows_low, other.rows_high) == pytest.approx(
        (-one.rows_high, -one.rows_low)
    )


def test_cells_judged_on_other_rows_are_drawn_on_their_own() -> None:
    labels, outputs = np.arange(200) % 2, KEPT.random((2, 200))
    frame = pd.concat(
        [said(SERIES, labels, outputs), said(OTHER, labels, outputs, prefix="x")]
    )
    cells = [cell(), cell(OTHER)]
    found = Resampled(TestRows(frame, ("no", "yes")), cells, "roc-auc").between(*cells)
    assert found is not None
    assert found.rows_low < -0.02 < 0.02 < found.rows_high


def test_the_same_predictions_give_the_same_numbers_in_any_order_of_cells() -> None:
    labels = np.arange(60) % 2
    frame = pd.concat(
        [said(one, labels, KEPT.random((2, 60))) for one in (SERIES, OTHER)]
    )
    rows, cells = TestRows(frame, ("no", "yes")), [cell(), cell(OTHER)]
    one = Resampled(rows, cells, "roc-auc")
    other = Resampled(rows, cells[::-1], "roc-auc")
    assert one.of(cells[0]) == other.of(cells[0])


def test_what_predictions_do_not_keep_is_not_told() -> None:
    labels = np.arange(60) % 3
    frame = said(SERIES, labels, KEPT.random((2, 60)), ("a", "b", "c"))
    rows = TestRows(frame, ("a", "b", "c"))
    assert Resampled(rows, [cell()], "roc-auc").of(cell()) is None
    assert Resampled(rows, [cell()], "accuracy").of(cell()) is not None
    assert Resampled(TestRows(pd.DataFrame()), [cell()], "mae").of(cell()) is None


def test_one_class_alone_among_the_test_rows_gives_no_interval_of_a_ranking() -> None:
    frame = said(SERIES, np.ones(20), KEPT.random((2, 20)))
    found = Resampled(TestRows(frame, ("no", "yes")), [cell()], "roc-auc").of(cell())
    assert found is not None
    assert np.isnan([found.rows_low, found.both_high]).all()


def test_many_test_rows_are_resampled_less_often_and_soon_done() -> None:
    labels, outputs = np.arange(60_000) % 2, KEPT.random((2, 60_000))
    rows = TestRows(said(SERIES, labels, outputs), ("no", "yes"))
    started = time.process_time()
    drawn = Resampled(rows, [cell()], "roc-auc")
    assert 200 <= drawn.number < 2000
    assert drawn.of(cell()) is not None
    assert time.process_time() - started < 60
