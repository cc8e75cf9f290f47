"""What a comparison says of trials made up so that the right answer is known."""

import json
from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import pytest

from workbench.compare import Comparison, Floor, Trial, compare
from workbench.comparison import fall_apart
from workbench.verdict import Hops

NAN = float("nan")
SIX = (0.80, 0.82, 0.81, 0.79, 0.80, 0.81)


def trial(
    seed: int = 0,
    test: float = 0.8,
    *,
    topology: str = "row2node",
    depth: int = 1,
    train: float = 0.95,
    val: float | None = None,
    status: str = "ok",
    metric: str = "roc-auc",
    source: str = "shop",
) -> Trial:
    return Trial(
        source=source,
        topology=topology,
        model="sage",
        remedy="none",
        depth=depth,
        seed=seed,
        metric=metric,
        train=train if status == "ok" else NAN,
        val=(test if val is None else val) if status == "ok" else NAN,
        test=test if status == "ok" else NAN,
        best_epoch=3,
        seconds=1.5,
        peak_mb=200.0,
        num_parameters=10,
        status=status,
        reason="" if status == "ok" else "It was too large.",
        gradient_ratio=1.0,
    )


def cell(tests: Sequence[float], **facts) -> list[Trial]:
    return [trial(seed, test, **facts) for seed, test in enumerate(tests)]


def floor(name: str, test: float, *, width: float = 0.02, source: str = "shop"):
    return Floor(
        name=name,
        source=source,
        learner="constant" if name in ("majority", "mean") else "boosted trees",
        train=test,
        val=test,
        test=test,
        low=test - width,
        high=test + width,
        num_columns=4,
    )


MAJORITY = floor("majority", 0.5, width=0.0)


def judge(
    trials: Sequence[Trial],
    floors: Sequence[Floor] = (MAJORITY,),
    metric: str = "roc-auc",
    leaks: Sequence[str] = (),
    hops: Hops | None = None,
    halving: int | None = None,
) -> Comparison:
    return compare(
        trials,
        floors,
        task_name="elected",
        metric=metric,
        future_rows=0,
        leaks=leaks,
        hops=hops,
        halving=halving,
    )


def document(comparison: Comparison) -> dict:
    def refuse(text: str) -> None:
        raise AssertionError(f"{text} is not JSON")

    return json.loads(comparison.to_json(), parse_constant=refuse)


def test_a_cell_holds_the_mean_and_t_interval_of_its_seeds() -> None:
    (found,) = document(judge(cell([0.7, 0.8, 0.9])))["cells"]
    assert found["n"] == 3
    assert found["mean"] == pytest.approx(0.8)
    # Standard deviation .1, quantile 4.303 at two degrees of freedom.
    assert found["high"] - 0.8 == pytest.approx(4.303 * 0.1 / np.sqrt(3), abs=1e-4)
    assert found["seeds"] == [0.7, 0.8, 0.9]


def test_one_seed_has_a_mean_and_no_interval() -> None:
    (found,) = document(judge([trial()]))["cells"]
    assert (found["n"], found["mean"]) == (1, 0.8)
    assert (found["low"], found["high"]) == (None, None)


def test_a_cell_in_which_every_seed_failed_stays_visible() -> None:
    trials = [*cell(SIX), *cell(SIX, depth=2, status="out-of-memory")]
    found = document(judge(trials))["cells"][1]
    assert (found["depth"], found["n"], found["failure_rate"]) == (2, 0, 1)
    assert (found["mean"], found["low"], found["high"]) == (None, None, None)
    assert found["train_mean"] is None


def test_the_failure_rate_counts_what_crashed_and_what_learnt_nothing() -> None:
    trials = [
        trial(0, train=0.9),
        trial(1, train=0.549),  # less than .05 above the constant's .5
        trial(2, train=0.55),
        trial(3, status="failed"),
    ]
    assert document(judge(trials))["cells"][0]["failure_rate"] == 2 / 4


def test_what_was_cancelled_is_not_a_failure() -> None:
    trials = [trial(0), trial(1, status="cancelled")]
    assert document(judge(trials))["cells"][0]["failure_rate"] == 0
    only = [trial(0, status="cancelled")]
    assert document(judge(only))["cells"][0]["failure_rate"] is None


def test_a_loss_must_fall_five_percent_below_the_constants() -> None:
    trials = [
        trial(0, 2.0, train=1.96, metric="mae"),
        trial(1, 2.0, train=1.89, metric="mae"),
    ]
    found = judge(trials, (floor("mean", 2.0),), "mae")
    assert document(found)["cells"][0]["failure_rate"] == 1 / 2


def test_without_a_constant_to_compare_with_only_crashes_are_failures() -> None:
    trials = [trial(0, train=0.1), trial(1, status="failed")]
    assert document(judge(trials, ()))["cells"][0]["failure_rate"] == 1 / 2


def test_the_best_depth_is_the_one_validation_chose_and_not_test() -> None:
    trials = [*cell([0.9], depth=1, val=0.6), *cell([0.7], depth=2, val=0.8)]
    assert [best["depth"] for best in document(judge(trials))["best"]] == [2]


def test_of_equally_good_depths_the_shallower_is_best() -> None:
    trials = [*cell([0.8], depth=3), *cell([0.8], depth=1), *cell([0.8], depth=2)]
    assert [best["depth"] for best in document(judge(trials))["best"]] == [1]


def test_the_lowest_loss_is_the_best() -> None:
    trials = [
        *cell([0.9], depth=1, metric="log-loss"),
        *cell([0.4], depth=2, metric="log-loss"),
    ]
    found = document(judge(trials, (), "log-loss"))
    assert [best["depth"] for best in found["best"]] == [2]


# Seeds that succeed or fail.


def test_seeds_that_learnt_and_seeds_that_did_not_disagree() -> None:
    # A GCN of eight layers on Cora: 19, 63 and 48 % of the test rows, trained alike.
    trials = [
        trial(seed, test, train=test + 0.02)
        for seed, test in enumerate((0.19, 0.63, 0.48))
    ]
    (found,) = document(judge(trials, (floor("majority", 0.3),)))["cells"]
    assert found["seeds_disagree"] is True
    assert found["failure_rate"] == pytest.approx(1 / 3)
    assert (found["median"], found["mean"]) == (0.48, pytest.approx(1.3 / 3))


def test_seeds_that_all_stay_near_a_constant_do_not_disagree() -> None:
    # They are .54 and .56 in training; the threshold between them, .55, is no gap.
    trials = [trial(seed, 0.5, train=0.54 + 0.02 * (seed % 2)) for seed in range(6)]
    (found,) = document(judge(trials))["cells"]
    assert found["failure_rate"] == 0.5
    assert found["seeds_disagree"] is False


@pytest.mark.parametrize(
    ("scores", "expected"),
    [
        ((0.2, 0.21, 0.22, 0.6, 0.61, 0.62), True),
        ((0.2, 0.21, 0.22, 0.6, 0.61), False),  # five are too few to say
        ((0.2, 0.6, 0.61, 0.62, 0.62, 0.63), False),  # one alone is no group
        ((0.60, 0.60, 0.60, 0.64, 0.64, 0.64), False),  # a gap below .05 is none
        ((0.2, 0.3, 0.4, 0.6, 0.7, 0.8), False),  # .2 wide, as each side is
        (SIX, False),
        ((NAN,) * 6, False),
    ],
)
def test_scores_fall_apart_at_a_gap_three_times_as_wide_as_either_side(
    scores: Sequence[float], expected: bool
) -> None:
    assert fall_apart(scores, "roc-auc") is expected


def test_a_gap_between_losses_is_measured_against_the_lowest() -> None:
    low = (10.0, 10.1, 10.05)
    assert fall_apart((*low, *(one + 0.6 for one in low)), "mae")
    assert not fall_apart((*low, *(one + 0.5 for one in low)), "mae")


def test_normal_scores_seldom_fall_apart() -> None:
    generator = np.random.default_rng(0)
    share = np.mean(
        [
            fall_apart(generator.normal(0, 10, 6).tolist(), "roc-auc")
            for _ in range(4000)
        ]
    )
    assert share == pytest.approx(0.013, abs=0.006)


def two_graphs(first: Sequence[float], second: Sequence[float], **facts) -> list[Trial]:
    return [
        *cell(first, topology="row2node", **facts),
        *cell(second, topology="flattened", **facts),
    ]


def contrast(trials: Sequence[Trial], metric: str = "roc-auc") -> dict:
    (found,) = document(judge(trials, (), metric))["contrasts"]
    return found


def shifted(by: float) -> list[float]:
    """Six scores that are lower than SIX by about as much as said."""
    return [each - by + 0.001 * (-1) ** seed * seed for seed, each in enumerate(SIX)]


def test_a_difference_is_a_minus_b_paired_by_seed() -> None:
    trials = two_graphs(SIX, shifted(0.1))
    found = contrast(trials)
    assert (found["a"]["topology"], found["b"]["topology"]) == ("row2node", "flattened")
    # .1 less the mean of 0, −1, 2, −3, 4 and −5 thousandths.
    assert found["difference"] == pytest.approx(0.1 + 0.0005)
    assert found["n"] == 6
    assert found["verdict"] == "a better"


def test_pairing_does_not_depend_on_the_order_in_which_seeds_finished() -> None:
    trials = two_graphs(SIX, shifted(0.1))
    turned = [*trials[5::-1], *trials[:5:-1]]
    assert judge(turned).to_json() == judge(trials).to_json()


def test_only_seeds_that_both_sides_have_are_paired() -> None:
    trials = two_graphs(SIX, shifted(0.1))
    trials[0] = trial(0, status="failed")
    found = contrast(trials)
    assert found["n"] == 5
    assert found["verdict"] == "too few seeds"


def test_swapping_the_sides_flips_the_sign_and_keeps_the_p_values() -> None:
    one, other = (
        contrast(two_graphs(first, second))
        for first, second in ((SIX, shifted(0.1)), (shifted(0.1), SIX))
    )
    assert other["difference"] == -one["difference"]
    assert (other["low"], other["high"]) == (-one["high"], -one["low"])
    for name in ("p", "p_holm", "p_sign_flip"):
        assert other[name] == one[name]
    assert (one["verdict"], other["verdict"]) == ("a better", "b better")


def test_the_same_shift_of_every_run_changes_no_contrast() -> None:
    other = shifted(0.1)
    moved = two_graphs([each - 0.125 for each in SIX], [each - 0.125 for each in other])
    assert contrast(moved) == contrast(two_graphs(SIX, other))


def test_of_two_losses_the_lower_is_better() -> None:
    facts = {"metric": "mae", "train": 0.1}
    found = contrast(two_graphs(SIX, shifted(0.1), **facts), "mae")
    assert found["difference"] > 0
    assert found["verdict"] == "b better"


def test_an_interval_around_zero_is_a_tie() -> None:
    found = contrast(two_graphs(SIX, shifted(0.0)))
    assert found["low"] < 0 < found["high"]
    assert found["verdict"] == "tie"


def test_five_seeds_are_too_few_however_large_the_difference() -> None:
    found = contrast(two_graphs(SIX[:5], shifted(0.3)[:5]))
    assert found["p"] < 0.001
    assert found["verdict"] == "too few seeds"


def test_every_pair_is_shown_and_counted_by_holm() -> None:
    trials = [
        *two_graphs(SIX, shifted(0.1)),
        *cell(shifted(0.2), topology="promoted"),
        *cell(shifted(0.0), topology="row2edge"),
    ]
    found = document(judge(trials))["contrasts"]
    assert len(found) == 4 * 3 / 2
    smallest = min(found, key=lambda each: each["p"])
    assert smallest["p_holm"] == pytest.approx(6 * smallest["p"], abs=1e-5)
    assert all(each["p_holm"] >= each["p"] for each in found)


def test_a_contrast_is_a_tie_exactly_when_its_interval_holds_zero() -> None:
    generator = np.random.default_rng(5)
    for _ in range(40):
        trials = [
            one
            for topology in ("row2node", "row2edge", "flattened", "promoted")
            for one in cell(
                list(generator.normal(generator.uniform(0.7, 0.8), 0.03, 6)),
                topology=topology,
            )
        ]
        for found in judge(trials).contrasts:
            holds_zero = found.low <= 0 <= found.high
            assert (found.verdict == "tie") == holds_zero


def test_arms_are_compared_at_their_own_best_depths() -> None:
    trials = [
        *cell(SIX, depth=3),
        *cell(shifted(0.1), depth=1),
        *cell(shifted(0.05), topology="flattened", depth=1),
        *cell(shifted(0.2), topology="flattened", depth=3),
    ]
    found = contrast(trials)
    assert (found["a"]["depth"], found["b"]["depth"]) == (3, 1)


def test_the_document_has_the_fields_other_programs_read() -> None:
    found = document(judge(two_graphs(SIX, shifted(0.1))))
    assert {
        "version", "task", "metric", "cells", "contrasts", "best", "baselines",
        "verdict", "leakage",
    } <= set(found)  # fmt: skip
    arm = {"source", "topology", "model", "remedy", "depth"}
    numbers = {"n", "mean", "low", "high", "failure_rate"}
    assert arm | numbers <= set(found["cells"][0])
    assert arm <= set(found["best"][0])
    assert {"a", "b", "difference", "low", "high", "p", "p_holm", "verdict"} <= set(
        found["contrasts"][0]
    )
    assert {"name", "value", "low", "high"} <= set(found["baselines"][0])
    assert found["leakage"]["future_rows_reachable"] == 0
    assert found["noise"]


def test_times_never_reach_the_document() -> None:
    trials = two_graphs(SIX, shifted(0.1))
    slower = [replace(each, seconds=99.0, peak_mb=9.0) for each in trials]
    assert judge(slower).to_json() == judge(trials).to_json()


def test_numbers_are_rounded_and_zero_has_no_sign() -> None:
    trials = two_graphs([0.8] * 6, [0.8 + 1e-9] * 6)
    text = judge(trials).to_json()
    assert "-0.0" not in text
    (cells, _) = document(judge(cell([1 / 3]) + cell([0.5], depth=2)))["cells"]
    assert cells["mean"] == 0.333333


# The verdict, case by case.


def test_nothing_finished_is_said_so() -> None:
    found = judge([trial(status="failed")])
    assert found.verdict == "No run has finished, so there is nothing to compare."
    assert judge([], ()).verdict == found.verdict
    assert document(found)["best"] == []


def test_a_clear_win_names_the_rival_the_gain_and_its_interval() -> None:
    found = judge(two_graphs(SIX, shifted(0.1)))
    (pair,) = found.contrasts
    gain = f"by {pair.difference:.3f} [{pair.low:.3f}, {pair.high:.3f}]"
    assert found.verdict.startswith("row2node at depth 1 scores 0.805 [")
    assert f"ahead of flattened at depth 1 {gain}" in found.verdict
    assert "no baseline does as well (the best: majority, 0.500)" in found.verdict


def test_a_tie_says_that_the_choice_of_graph_does_not_show() -> None:
    found = judge(two_graphs(SIX, shifted(0.0))).verdict
    assert found.startswith("The choice of graph makes no difference that shows: ")
    assert "a tie with" in found
    assert "ahead" not in found


def test_a_tie_that_takes_more_layers_elsewhere_is_said_to_change_the_depth() -> None:
    chance = [score - 0.3 for score in SIX]
    trials = [
        *cell(SIX, topology="flattened", depth=1),
        *cell(chance, topology="row2node", depth=1),
        *cell(SIX, topology="row2node", depth=2),
    ]
    assert judge(trials).verdict.startswith(
        "The choice of graph changes the depth it takes, not the score: flattened at"
        " depth 1 scores 0.805"
    )
    assert "what takes 1 there takes 2 in row2node" in judge(trials).verdict


def test_a_tie_with_one_and_a_win_over_another_are_both_said() -> None:
    trials = [
        *two_graphs(SIX, shifted(0.0)),
        *cell(shifted(0.1), topology="promoted"),
    ]
    found = judge(trials).verdict
    assert "a tie with" in found
    assert "ahead of promoted at depth 1 by 0.1" in found
    assert "makes no difference" not in found


def test_a_win_over_several_gives_the_nearest_of_them() -> None:
    trials = [
        *two_graphs(SIX, shifted(0.1)),
        *cell(shifted(0.2), topology="promoted"),
    ]
    assert (
        "ahead of 2 others, the nearest flattened at depth 1 by 0.1"
        in judge(trials).verdict
    )


@pytest.mark.parametrize(("number", "words"), [(1, "one seed"), (5, "5 seeds")])
def test_below_six_seeds_nothing_is_called_a_difference(
    number: int, words: str
) -> None:
    trials = two_graphs(SIX[:number], shifted(0.3)[:number])
    found = judge(trials).verdict
    assert found.startswith(f"With {words} nothing can be called a difference yet: ")
    assert "the best baseline is majority, 0.500" in found
    for claim in ("ahead", "tie", "no baseline", "beats", "does not help"):
        assert claim not in found


def test_a_rival_with_too_few_seeds_is_neither_beaten_nor_tied() -> None:
    trials = [*two_graphs(SIX, shifted(0.1))[:8], trial(2, topology="flattened",
              status="failed")]  # fmt: skip
    found = judge(trials).verdict
    assert "too few seeds against flattened at depth 1" in found
    assert "ahead" not in found
    assert "tie" not in found


def test_a_leader_by_validation_that_loses_on_test_is_called_behind() -> None:
    trials = [
        *cell(shifted(0.1), val=0.95),
        *cell(SIX, topology="flattened", val=0.9),
    ]
    assert "behind flattened at depth 1 by 0.1" in judge(trials).verdict


def test_a_join_that_does_as_well_is_said_to() -> None:
    found = judge(cell(SIX), (MAJORITY, floor("flattened table", 0.8)))
    assert (
        "a plain join does as well as any graph (flattened table, 0.800)"
        in found.verdict
    )


def test_a_join_that_does_better_is_said_to() -> None:
    found = judge(cell(SIX), (MAJORITY, floor("1-hop aggregates", 0.95)))
    assert "plain summaries do better than any graph (1-hop agg" in found.verdict


def test_a_graph_must_beat_what_the_baseline_could_be_on_other_rows() -> None:
    close = floor("flattened table", 0.78, width=0.05)
    assert "does as well as" in judge(cell(SIX), (close,)).verdict
    sure = floor("flattened table", 0.78, width=0.001)
    assert "no baseline does as well" in judge(cell(SIX), (sure,)).verdict


def test_the_baseline_to_beat_is_chosen_by_validation() -> None:
    lucky = replace(floor("flattened table", 0.9), val=0.6)
    sound = floor("own columns", 0.7)
    assert "(the best: own columns, 0.700)" in judge(cell(SIX), (lucky, sound)).verdict


def test_own_columns_that_do_as_well_mean_that_the_graph_does_not_help() -> None:
    found = judge(cell(SIX), (MAJORITY, floor("own columns", 0.81))).verdict
    assert "the graph does not help: the row alone does as well" in found


def test_for_errors_lower_ones_beat_higher_ones() -> None:
    trials = cell(SIX, metric="mae", train=0.7)
    poor, good = floor("mean", 2.0), floor("flattened table", 0.5)
    assert "no baseline does as well" in judge(trials, (poor,), "mae").verdict
    both = judge(trials, (poor, good), "mae").verdict
    assert "a plain join does better than any graph" in both
    lead = judge(two_graphs(SIX, shifted(0.1), metric="mae"), (), "mae").verdict
    assert "flattened at depth 1 scores 0.7" in lead
    assert "ahead of row2node at depth 1 by 0.1" in lead


def test_scores_at_chance_beat_no_constant() -> None:
    trials = cell([0.50, 0.51, 0.49, 0.5, 0.52, 0.48], train=0.9)
    assert "no graph beats a constant (majority, 0.500)" in judge(trials).verdict


def test_a_best_depth_of_zero_says_that_edges_add_nothing() -> None:
    trials = [*cell(SIX, depth=0), *cell(shifted(0.1), depth=1)]
    assert "its best depth is 0, so the edges" in judge(trials).verdict
    assert "best depth is 0" not in judge(cell(SIX, depth=0)).verdict


def test_a_deep_network_that_did_not_train_is_not_called_oversmoothed() -> None:
    trials = [*cell(SIX, depth=1), *cell([0.5] * 6, depth=8, train=0.51)]
    found = judge(trials).verdict
    assert "row2node at depth 8 did not train, which is not oversmoothing" in found
    assert "depth 1 did not train" not in found


def test_a_shallow_network_out_of_reach_of_the_signal_is_not_called_untrained() -> None:
    trials = [*cell([0.5] * 6, depth=0, train=0.51), *cell(SIX, depth=1)]
    assert "did not train" not in judge(trials).verdict


def test_only_depths_beyond_the_best_are_called_untrained() -> None:
    # At depth 0 own columns fit the training rows a little; depth 1 adds but noise.
    trials = [
        *cell([0.55] * 6, depth=0, train=0.6),
        *cell([0.5] * 6, depth=1, train=0.51),
        *cell(SIX, depth=2),
    ]
    assert "did not train" not in judge(trials).verdict


def test_a_best_that_learnt_nothing_is_said_to_have_learnt_nothing() -> None:
    found = judge(cell([0.5] * 6, train=0.51)).verdict
    assert "its training score is no better than a constant's" in found


def test_a_leader_whose_seeds_disagree_is_said_to() -> None:
    scores = (0.9, 0.91, 0.9, 0.52, 0.9, 0.51)
    trials = [trial(seed, one, train=one) for seed, one in enumerate(scores)]
    assert (
        "its seeds disagree (4 learnt and 2 did not; median 0.900), so its mean is of"
        " neither"
    ) in judge(trials).verdict
    learning = [trial(seed, one) for seed, one in enumerate(scores)]
    assert "(the scores make two groups; median 0.900)" in judge(learning).verdict
    assert "disagree" not in judge(cell(SIX)).verdict


def test_without_a_baseline_nothing_is_said_to_need_a_graph() -> None:
    found = judge(cell(SIX), ()).verdict
    assert "no baseline was computed, so nothing says what needs no graph" in found


@pytest.mark.parametrize(
    ("test", "does"), [(0.95, "better than"), (0.81, "as well as")]
)
def test_a_history_that_tells_as_much_is_named(test: float, does: str) -> None:
    found = judge(cell(SIX), (MAJORITY, floor("entity history", test))).verdict
    assert (
        f"what earlier rows of the same parent turned out to be does {does} any graph"
        f" (entity history, {test:.3f})"
    ) in found


def test_a_graph_whose_deepest_network_lacks_what_the_leader_sees_is_named() -> None:
    trials = [
        *cell(SIX, topology="flattened", depth=1),
        *cell([0.5] * 6, topology="row2node", depth=1, train=0.51),
    ]
    hops = {
        ("shop", "flattened"): {"person.age": 0, "city.size": 1},
        ("shop", "row2node"): {"person.age": 0, "city.size": 2, "log.line": None},
    }
    found = judge(trials, hops=hops).verdict
    assert "row2node at depth 1, its deepest, does not yet see city" in found
    assert "flattened at depth 1, its" not in found
    deeper = [*trials, *cell(SIX, topology="row2node", depth=2)]
    assert "does not yet see" not in judge(deeper, hops=hops).verdict


def test_a_leader_that_is_best_at_its_deepest_may_need_more_layers() -> None:
    hops = {("shop", "row2node"): {"person.age": 0, "address.zip": 1, "city.size": 2}}
    shallow = [*cell(SIX, depth=1), *cell(shifted(0.1), depth=0)]
    found = judge(shallow, hops=hops).verdict
    assert "row2node at depth 1, its deepest, does not yet see city" in found
    deeper = [*shallow, *cell(shifted(0.1), depth=2)]
    assert "does not yet see" not in judge(deeper, hops=hops).verdict


def test_a_graph_of_which_nothing_finished_is_named() -> None:
    trials = [*cell(SIX), *cell(SIX, topology="promoted", status="out-of-memory")]
    assert "no run of promoted has finished" in judge(trials).verdict


def test_after_halving_the_clearest_win_is_claimed_by_nobody() -> None:
    trials = two_graphs(SIX, [score - 0.2 for score in SIX])
    trials += [trial(topology="promoted", status="stopped-early", depth=2)]
    assert "ahead of" in judge(trials).verdict
    found = judge(trials, halving=2)
    assert found.verdict == (
        "Exploratory, by successive halving (one configuration in 2 goes on): row2node"
        " at depth 1 scores 0.805 [0.794, 0.816] (roc-auc) and is first by validation"
        " of what is left; 1 of 3 configurations were stopped early; the best baseline"
        " is majority, 0.500; what is left was chosen, so nothing is claimed: run the"
        " study without halving for that."
    )
    assert (found.contrasts, found.tolerances) == ((), ())
    assert document(found)["halving"] == {
        "one_in": 2,
        "configurations": 3,
        "stopped_early": 1,
    }
    (stopped,) = [one for one in document(found)["cells"] if one["stopped_early"]]
    assert (stopped["mean"], stopped["failure_rate"]) == (None, None)


def test_a_leak_in_what_was_halved_is_still_called_exploratory() -> None:
    found = judge(cell(SIX), leaks=["x.y alone scores 1.000"], halving=2)
    assert found.verdict.startswith("Suspected leak")
    assert "exploratory" in found.verdict


def test_without_halving_the_document_says_nothing_of_it() -> None:
    assert "halving" not in judge(cell(SIX)).to_json()
    assert "stopped_early" not in judge(cell(SIX)).to_json()


def test_a_suspected_leak_comes_before_everything() -> None:
    leak = "People.inducted alone scores 0.999 (roc-auc) on the validation rows"
    found = judge(two_graphs(SIX, shifted(0.1)), leaks=[leak])
    assert found.verdict.startswith(
        f"Suspected leak: {leak}, so no graph can be judged"
    )
    assert "ahead" not in found.verdict
    assert document(found)["leakage"]["suspected"] == [leak]


def test_arms_are_called_by_what_tells_them_apart() -> None:
    by_source = [*cell(SIX), *cell(shifted(0.1), source="market")]
    found = judge(by_source, (MAJORITY, floor("majority", 0.5, source="market")))
    assert "shop row2node at depth 1" in found.verdict
    assert "market row2node at depth 1" in found.verdict
    assert "sage" not in found.verdict


def test_a_constant_is_looked_up_in_the_source_of_the_cell() -> None:
    floors = (floor("majority", 0.5), floor("majority", 0.9, source="market"))
    trials = [trial(train=0.8), trial(train=0.8, source="market")]
    rates = [each["failure_rate"] for each in document(judge(trials, floors))["cells"]]
    assert rates == [0, 1]


@pytest.mark.parametrize("number", [1, 6])
def test_every_verdict_is_one_sentence(number: int) -> None:
    found = judge(two_graphs(SIX[:number], shifted(0.1)[:number])).verdict
    assert found.endswith(".")
    assert ". " not in found
