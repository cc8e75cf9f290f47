"""Each diagnosis from evidence made by hand, and from a results folder."""

from dataclasses import replace
from pathlib import Path

import pandas as pd
import pytest

from tests.results_factory import TOPOLOGY_ARMS, make_results
from workbench.chart import all_series
from workbench.diagnosis import Evidence, Kind, diagnose, margin
from workbench.evidence import diagnose_series, most_informative
from workbench.results import Results

# Depth 3, the informative city at 3 hops, well heard, varied states, trained.
HEALTHY = Evidence(
    depth=3,
    target="person",
    metric="roc-auc",
    train=0.95,
    constant=0.5,
    gradient_ratio=0.8,
    hops={"person": 0, "address": 1, "zip": 2, "city": 3},
    informative="city",
    drop=0.4,
    drop_depth=4,
    tables={"person": 0.5, "address": 0.2, "zip": 0.1, "city": 0.2},
    by_hop=(0.5, 0.2, 0.1, 0.2),
    walk=(0.4, 0.3, 0.2, 0.1),
    variance=(0.5, 0.4, 0.4, 0.3),
    rank=(9.0, 8.0, 8.0, 7.0),
    rank_untrained=5.0,
    probe=(0.5, 0.5, 0.5, 0.94),
)


def kinds(evidence: Evidence) -> set[Kind]:
    return set(diagnose(evidence).kinds)


def said(evidence: Evidence, kind: Kind) -> str:
    found = diagnose(evidence)
    return dict(zip(found.kinds, found.sentences, strict=True))[kind]


def test_a_network_that_hears_varies_and_learnt_has_none_of_the_four() -> None:
    assert kinds(HEALTHY) == {Kind.NONE}
    assert "city has 20% of the influence" in said(HEALTHY, Kind.NONE)


@pytest.mark.parametrize("depth", [0, 1, 2])
def test_a_table_that_tells_beyond_reach_is_under_reaching(depth: int) -> None:
    shallow = replace(
        HEALTHY, depth=depth, tables={"person": 1.0, "city": 0.0}, train=0.51
    )
    assert kinds(shallow) == {Kind.UNDER_REACHING}
    sentence = said(shallow, Kind.UNDER_REACHING)
    assert "city" in sentence
    assert "3 hops away" in sentence
    assert "exactly 0" in sentence


def test_a_table_that_is_never_seen_is_under_reaching_at_any_depth() -> None:
    blind = replace(HEALTHY, hops={"person": 0, "city": None}, tables={"person": 1.0})
    assert "never seen here" in said(blind, Kind.UNDER_REACHING)


def test_influence_above_zero_refutes_under_reaching() -> None:
    heard = replace(HEALTHY, depth=2, tables={"person": 0.9, "city": 0.1})
    assert Kind.UNDER_REACHING not in kinds(heard)


def test_without_a_known_informative_table_all_others_must_be_beyond_reach() -> None:
    unknown = replace(HEALTHY, informative=None, depth=0, tables={"person": 1.0})
    assert kinds(unknown) == {Kind.UNDER_REACHING}
    assert "the nearest, address, is 1 hop away" in said(unknown, Kind.UNDER_REACHING)
    one = replace(unknown, depth=1, tables={"person": 0.9, "address": 0.1})
    assert Kind.UNDER_REACHING not in kinds(one)


def test_a_table_alone_cannot_under_reach() -> None:
    alone = replace(HEALTHY, informative=None, depth=0, hops={"person": 0}, tables={})
    assert Kind.UNDER_REACHING not in kinds(alone)


def test_a_path_that_hardly_carries_is_over_squashing() -> None:
    squashed = replace(HEALTHY, by_hop=(0.8, 0.15, 0.045, 0.005))
    assert kinds(squashed) == {Kind.OVER_SQUASHING}
    assert "0.50%" in said(squashed, Kind.OVER_SQUASHING)
    assert "10%" in said(squashed, Kind.OVER_SQUASHING)


def test_a_tenth_of_what_the_graph_gives_is_the_border_of_over_squashing() -> None:
    # 0.0101 is above a tenth of the walk's 0.1, 0.0099 below.
    above = replace(HEALTHY, by_hop=(0.8, 0.1, 0.0899, 0.0101))
    below = replace(HEALTHY, by_hop=(0.8, 0.1, 0.0901, 0.0099))
    assert Kind.OVER_SQUASHING not in kinds(above)
    assert Kind.OVER_SQUASHING in kinds(below)


def test_what_is_not_in_reach_is_not_over_squashed() -> None:
    shallow = replace(
        HEALTHY, depth=2, by_hop=(1, 0, 0), walk=(0.4, 0.4, 0.2), tables={"person": 1.0}
    )
    assert kinds(shallow) == {Kind.UNDER_REACHING}


def test_rows_alike_and_the_label_lost_is_oversmoothing() -> None:
    alike = replace(
        HEALTHY, variance=(0.5, 0.4, 0.1, 0.001), probe=(0.5, 0.6, 0.9, 0.55)
    )
    assert kinds(alike) == {Kind.OVERSMOOTHING}
    sentence = said(alike, Kind.OVERSMOOTHING)
    assert "layer 2 (0.900)" in sentence
    assert "0.550" in sentence
    assert "before training 5.0" in sentence


def test_one_direction_that_keeps_the_label_is_not_oversmoothing() -> None:
    """Two classes need no more than one direction."""
    one = replace(HEALTHY, rank=(9.0, 8.0, 4.0, 1.2), probe=(0.5, 0.6, 0.9, 0.93))
    assert kinds(one) == {Kind.NONE}


def test_a_label_lost_while_rows_vary_is_not_oversmoothing() -> None:
    lost = replace(HEALTHY, probe=(0.5, 0.6, 0.9, 0.55))
    assert kinds(lost) == {Kind.NONE}


def test_a_layer_of_zeros_has_no_measure_to_call_smooth() -> None:
    nan = float("nan")
    dead = replace(
        HEALTHY,
        variance=(0.5, 0.4, 0.1, nan),
        rank=(9.0, 8.0, 4.0, nan),
        probe=(0.5, 0.6, 0.9, nan),
        train=0.5,
    )
    assert kinds(dead) == {Kind.FAILED_TO_TRAIN}


def test_a_training_score_near_the_floor_is_a_failure_to_train() -> None:
    failed = replace(HEALTHY, train=0.52, gradient_ratio=0.0012)
    assert kinds(failed) == {Kind.FAILED_TO_TRAIN}
    sentence = said(failed, Kind.FAILED_TO_TRAIN)
    assert "0.520" in sentence
    assert "0.500" in sentence
    assert "next to nothing" in sentence


def test_an_error_near_that_of_a_constant_is_a_failure_to_train() -> None:
    failed = replace(HEALTHY, metric="mae", train=9.9, constant=10.0)
    assert kinds(failed) == {Kind.FAILED_TO_TRAIN}
    assert kinds(replace(failed, train=5.0)) == {Kind.NONE}


def test_several_states_may_occur_together() -> None:
    both = replace(
        HEALTHY,
        train=0.5,
        rank=(9.0, 8.0, 3.0, 1.0),
        probe=(0.5, 0.7, 0.8, 0.5),
        by_hop=(0.9, 0.1, 0.0, 0.0),
    )
    assert kinds(both) == {
        Kind.OVER_SQUASHING, Kind.OVERSMOOTHING, Kind.FAILED_TO_TRAIN,
    }  # fmt: skip


def test_without_a_finished_run_nothing_is_said() -> None:
    assert kinds(replace(HEALTHY, train=None)) == {Kind.UNKNOWN}


def test_no_sentence_says_that_one_thing_causes_another() -> None:
    cases = (
        HEALTHY,
        replace(HEALTHY, depth=0, tables={"person": 1.0}),
        replace(HEALTHY, by_hop=(1, 0, 0, 0)),
        replace(HEALTHY, variance=(1, 1, 1, 0), probe=(0.9, 0.9, 0.9, 0.5)),
        replace(HEALTHY, train=0.5),
    )
    for case in cases:
        for sentence in diagnose(case).sentences:
            for word in ("because", "cause", "due to", "leads to"):
                assert word not in sentence


def test_how_much_a_drop_must_be_follows_the_metric() -> None:
    assert margin("roc-auc", 0.9) == pytest.approx(0.05)
    assert margin("mae", 200) == pytest.approx(10)


# --- from a results folder --------------------------------------------------


@pytest.fixture(scope="module")
def results(tmp_path_factory: pytest.TempPathFactory) -> Results:
    return make_results(tmp_path_factory.mktemp("diagnosis"), depths=(0, 1, 2, 3, 4))


def test_the_city_is_out_of_reach_below_its_hop_and_in_reach_from_there(
    results: Results,
) -> None:
    for place, series in enumerate(all_series(results)):
        found = {one.depth: one.kinds for one in diagnose_series(results, series)}
        for depth in results.depths:
            unseen = Kind.UNDER_REACHING in found[depth]
            assert unseen == (depth < 3 - place), (series, depth)


def test_the_informative_table_is_the_one_whose_shuffling_costs_most(
    results: Results,
) -> None:
    series = all_series(results)[0]
    assert most_informative(results, series) == ("city", 0.4, 3)


def test_a_series_that_never_sees_it_learns_of_it_from_another(tmp_path: Path) -> None:
    shallow = make_results(tmp_path, depths=(0, 1))
    found = most_informative(shallow, all_series(shallow)[0])
    assert found == ("city", 0.4, 1)  # the third arm sees the city at one hop


def test_results_without_influence_are_diagnosed_from_the_rest(
    results: Results,
) -> None:
    old = replace(results, influence=pd.DataFrame(columns=results.influence.columns))
    for series in all_series(old):
        shown = diagnose_series(old, series)
        assert len(shown) == len(old.depths)
    assert len(TOPOLOGY_ARMS) == len(all_series(old))
