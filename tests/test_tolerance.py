"""How far the graphs' scores lie apart, counted by hand."""

from collections.abc import Sequence

import pytest

from tests.test_compare import SIX, cell, document, judge, shifted
from workbench.comparison import Tolerance
from workbench.tolerance import spread


def found(*graphs: Sequence[float], metric: str = "roc-auc") -> Tolerance:
    trials = [
        one
        for name, scores in zip(
            ("row2node", "flattened", "promoted"), graphs, strict=False
        )
        for one in cell(scores, topology=name, metric=metric)
    ]
    tolerance = spread(judge(trials, (), metric).cells, metric)
    assert tolerance is not None
    return tolerance


def test_the_spread_is_the_best_mean_less_the_worst() -> None:
    result = found([0.9, 0.8], [0.5, 0.6], [0.7, 0.7])
    assert result.spread == pytest.approx(0.85 - 0.55)
    assert result.best.series.topology == "row2node"
    assert result.worst.series.topology == "flattened"


def test_graphs_that_score_alike_have_no_spread() -> None:
    result = found(SIX, SIX)
    assert (result.spread, result.low, result.high) == (0, 0, 0)


def test_the_interval_of_two_graphs_is_that_of_their_paired_difference() -> None:
    result = found(SIX, shifted(0.1))
    (pair,) = judge(
        [*cell(SIX), *cell(shifted(0.1), topology="flattened")], ()
    ).contrasts
    assert (result.low, result.high) == pytest.approx((pair.low, pair.high))


def test_a_spread_that_is_no_more_than_noise_may_be_zero() -> None:
    result = found(SIX, shifted(0.0))
    assert result.low == 0
    assert result.high > result.spread > 0


def test_more_graphs_widen_the_interval() -> None:
    two, three = found(SIX, shifted(0.1)), found(SIX, shifted(0.1), shifted(0.05))
    assert three.spread == two.spread
    assert three.low < two.low < two.high < three.high


def test_of_losses_the_lowest_is_the_best() -> None:
    result = found([2.0, 2.0], [1.0, 1.0], metric="mae")
    assert result.best.series.topology == "flattened"
    assert result.spread == 1


def test_one_graph_alone_has_no_spread() -> None:
    assert spread(judge(cell(SIX)).cells, "roc-auc") is None
    assert document(judge(cell(SIX)))["tolerance"] == []


def test_the_document_holds_the_spread_at_best_depths_and_at_every_depth() -> None:
    trials = [
        *cell(SIX, depth=1),
        *cell(shifted(0.3), depth=2),
        *cell(shifted(0.3), topology="flattened", depth=1),
        *cell(SIX, topology="flattened", depth=2),
    ]
    spreads = document(judge(trials))["tolerance"]
    assert [one["depth"] for one in spreads] == [None, 1, 2]
    # Each at its own best depth they are the same; at one depth they are not.
    assert spreads[0]["spread"] == 0
    assert spreads[1]["spread"] == pytest.approx(0.3005)
    assert (spreads[0]["best"]["depth"], spreads[0]["worst"]["depth"]) == (1, 2)
