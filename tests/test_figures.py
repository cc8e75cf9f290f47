"""Charts show what the results hold, in the same colours, with words beside them."""

import itertools
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import plotly.graph_objects as go
import pytest

from tests.results_factory import SOURCE_ARMS, TOPOLOGY_ARMS, make_results
from workbench.chart import (
    DARK_INK,
    LIGHT_INK,
    METRIC_TERMS,
    Chart,
    all_series,
    best_depths,
    number,
    series_style,
    spread,
    target_type,
)
from workbench.figures import (
    aligned_figure,
    contrast_figure,
    cost_figure,
    depth_figure,
    hop_heatmap,
    influence_figure,
    last_layer_figure,
    layer_figure,
    projection_figure,
    reach_figure,
    same_sight,
    sibling_figure,
    standing_figure,
    train_test_figure,
    walk_figure,
)
from workbench.figures.colouring import CLASS_COLOURS
from workbench.figures.depths import merged_floors
from workbench.figures.embeddings import ROWS, align
from workbench.figures.plans import TABLE_COLOURS, nearest_hops
from workbench.measures import MEASURES
from workbench.palette import (
    COLOURS,
    DARK_PAPER,
    EXPLANATIONS,
    LIGHT_PAPER,
    STEPS,
    TITLES,
    arm_style,
    topology_label,
)
from workbench.reading import HEADLINE_MEASURE, read_depth
from workbench.results import Results
from workbench.score import METRICS
from workbench.topologies import TOPOLOGIES


@pytest.fixture(scope="module")
def results(tmp_path_factory: pytest.TempPathFactory) -> Results:
    return make_results(tmp_path_factory.mktemp("results"))


def charts(results: Results, *, dark: bool = False) -> list[Chart]:
    return [
        depth_figure(results, depth=2, dark=dark),
        aligned_figure(results, depth=2, dark=dark),
        train_test_figure(results, dark=dark),
        cost_figure(results, dark=dark),
        contrast_figure(results, dark=dark),
        layer_figure(results, HEADLINE_MEASURE, dark=dark),
        last_layer_figure(results, HEADLINE_MEASURE, depth=2, dark=dark),
        projection_figure(results, dark=dark),
        reach_figure(results.plans, dark=dark),
        hop_heatmap(results.plans, dark=dark),
        walk_figure(results.plans, dark=dark),
        influence_figure(results, depth=2, dark=dark),
        sibling_figure(results, depth=2, dark=dark),
        standing_figure(results, dark=dark),
    ]


def trace(chart: Chart, name: str, mode: str = "lines+markers") -> go.Scatter:
    (found,) = (
        each for each in chart.figure.data if each.name == name and each.mode == mode
    )
    return found


def luminance(colour: str) -> float:
    """Relative luminance of WCAG 2."""
    parts = [int(colour[at : at + 2], 16) / 255 for at in (1, 3, 5)]
    linear = [
        part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4
        for part in parts
    ]
    return float(np.dot(linear, [0.2126, 0.7152, 0.0722]))


def contrast(first: str, second: str) -> float:
    low, high = sorted([luminance(first), luminance(second)])
    return (high + 0.05) / (low + 0.05)


# --- the palette ------------------------------------------------------------


@pytest.mark.parametrize("paper", [LIGHT_PAPER, DARK_PAPER])
@pytest.mark.parametrize("colour", [*COLOURS, *CLASS_COLOURS, *STEPS])
def test_every_colour_stands_out_from_light_and_from_dark_paper(colour, paper):
    assert contrast(colour, paper) >= 3


@pytest.mark.parametrize(
    ("ink", "paper"), [(LIGHT_INK, LIGHT_PAPER), (DARK_INK, DARK_PAPER)]
)
def test_ink_is_readable_on_its_paper(ink, paper):
    assert contrast(ink, paper) >= 7


def test_no_class_and_no_table_has_the_colour_of_an_arm():
    assert not set(COLOURS) & {*CLASS_COLOURS, *TABLE_COLOURS, *STEPS}


def test_every_topology_has_words_of_its_own():
    assert set(TITLES) == set(EXPLANATIONS) == set(TOPOLOGIES)
    assert topology_label("row2node") == "Normalized (row2node)"
    assert topology_label("mine") == "mine"


def test_a_topology_keeps_its_colour_whatever_it_is_shown_with():
    alone = arm_style("shop", "flattened", [("shop", "flattened")])
    among = arm_style("shop", "flattened", TOPOLOGY_ARMS)
    beside_custom = arm_style("shop", "flattened", [("shop", "a"), *TOPOLOGY_ARMS])
    assert alone.colour == among.colour == beside_custom.colour


def test_no_two_arms_of_a_comparison_look_the_same():
    names = [*TOPOLOGIES, "mine", "another"]
    arms = [(source, name) for source in ("one", "two") for name in names]
    styles = [arm_style(*arm, arms) for arm in arms]
    looks = {(style.colour, style.dash) for style in styles}
    assert len(looks) == len({style.label for style in styles}) == len(arms)


def test_a_source_decides_the_colour_where_only_the_sources_differ():
    styles = [arm_style(*arm, SOURCE_ARMS) for arm in SOURCE_ARMS]
    assert len({style.colour for style in styles}) == 3
    assert [style.label for style in styles] == [source for source, _ in SOURCE_ARMS]


# --- every chart ------------------------------------------------------------


def test_every_chart_has_a_title_words_and_a_reading(results):
    for chart in charts(results):
        assert chart.figure.layout.title.text
        assert chart.alt.endswith(".")
        assert chart.how_to_read.endswith(".")
        assert "parquet" in chart.source or "json" in chart.source


def test_a_dark_chart_differs_from_a_light_one_in_its_ink_alone(results):
    for light, dark in zip(charts(results), charts(results, dark=True), strict=True):
        assert dark.figure.layout.font.color == DARK_INK
        dark.figure.layout.font.color = LIGHT_INK
        assert dark.figure.to_json() == light.figure.to_json()


def test_every_chart_has_transparent_paper(results):
    for chart in charts(results):
        assert chart.figure.layout.paper_bgcolor == "rgba(0,0,0,0)"


def test_an_arm_has_one_colour_in_every_chart(results):
    for series in all_series(results):
        style = series_style(results, series)
        for chart in (depth_figure(results), cost_figure(results)):
            for each in chart.figure.data:
                if each.name == style.label and each.mode.startswith("lines+"):
                    assert each.line.color == style.colour


def test_every_metric_and_measure_can_be_drawn(results):
    assert set(METRIC_TERMS) == set(METRICS)
    for measure in MEASURES:
        assert measure.replace("-", " ") in (
            layer_figure(results, measure).figure.layout.yaxis.title.text.casefold()
        )


# --- score against depth ----------------------------------------------------


def test_the_line_is_the_mean_of_the_seeds(results):
    line = trace(depth_figure(results), "Normalized (row2node)")
    mine = results.trials[
        (results.trials["topology"] == "row2node") & (results.trials["status"] == "ok")
    ]
    expected = [mine.loc[mine["depth"] == depth, "test"].mean() for depth in range(6)]
    assert list(line.y) == pytest.approx(expected, abs=1e-6)


def test_every_finished_seed_is_a_dot(results):
    dots = trace(depth_figure(results), "Normalized (row2node)", "markers")
    assert len(dots.y) == 6 * 6 - 2


def test_graphs_that_see_the_same_stand_above_one_another(results):
    # The first graph sees the address at depth 2 and the city at 3, each other one a
    # layer earlier than the last: the third sees the address without any.
    labels = [series_style(results, one).label for one in all_series(results)]
    lines = [trace(aligned_figure(results), label) for label in labels]
    depths = [[int(one[3]) for one in line.customdata] for line in lines]
    assert depths == [[0, 2, 3], [0, 1, 2], [0, 1]]
    levels = [[round(x) for x in line.x] for line in lines]
    assert levels == [[0, 1, 2], [0, 1, 2], [1, 2]]
    assert same_sight(results) == [
        f"Layers until address is in sight: 0 in {labels[2]}, 1 in {labels[1]}, 2 in"
        f" {labels[0]}.",
        f"Layers until city is in sight: 1 in {labels[2]}, 2 in {labels[1]}, 3 in"
        f" {labels[0]}.",
    ]


def test_graphs_without_a_column_in_common_say_so(results):
    strangers = {
        source: {
            **plan,
            "topologies": [
                {**graph, "hops": {f"t{at}.c": 0}}
                for at, graph in enumerate(plan["topologies"])
            ],
        }
        for source, plan in results.plans.items()
    }
    figure = aligned_figure(replace(results, plans=strangers)).figure
    texts = [one.text for one in figure.layout.annotations]
    assert "The graphs share no column, so nothing can be aligned." in texts


def test_other_test_rows_are_a_broad_bar_behind_each_difference(results):
    figure = contrast_figure(results).figure
    broad = [one for one in figure.data if one.mode == "lines"]
    ends = [
        [one["rows_low"], one["rows_high"]] for one in results.comparison["contrasts"]
    ]
    assert [list(one.x) for one in broad] == ends


def test_every_lost_run_is_a_cross_that_says_why(results):
    crosses = trace(
        depth_figure(results), "Normalized (row2node): not finished", "markers"
    )
    assert [row[:2] for row in crosses.customdata] == [
        ["1", "failed"],
        ["4", "out-of-memory"],
    ]
    assert set(np.round(crosses.x)) == {5}


def test_every_floor_is_a_line_with_its_name_and_value(results):
    figure = depth_figure(results).figure
    heights = {shape.y0 for shape in figure.layout.shapes}
    texts = {note.text for note in figure.layout.annotations}
    assert heights == {0.5, 0.51, 0.62, 0.71, 0.95, 0.957}
    assert "0.957 flattened table" in texts


def test_floors_that_agree_between_sources_are_drawn_once():
    floors = [
        {"name": "majority", "source": "a", "value": 0.5},
        {"name": "majority", "source": "b", "value": 0.502},
        {"name": "own", "source": "a", "value": 0.5},
        {"name": "own", "source": "b", "value": 0.9},
        {"name": "nothing", "source": "a", "value": None},
    ]
    assert merged_floors(floors, highest=True) == [
        ("majority", 0.502),
        ("own, best source", 0.9),
    ]
    assert merged_floors(floors, highest=False)[1][1] == 0.5


def test_labels_keep_their_order_and_a_gap():
    placed = spread([0.5, 0.95, 0.96, 0.1], gap=0.1, top=1)
    assert placed == pytest.approx([0.5, 0.9, 1.0, 0.1])
    placed = spread([0.4, 0.44, 0.1], gap=0.1, top=1)
    assert placed == pytest.approx([0.37, 0.47, 0.1])


def test_the_chosen_depth_is_a_rule(results):
    shapes = depth_figure(results, depth=4).figure.layout.shapes
    assert [shape.x0 for shape in shapes if shape.x0 == shape.x1] == [4]


def test_the_alternative_text_says_the_best_depth_of_every_arm(results):
    alt = depth_figure(results).alt
    for series, depth in best_depths(results).items():
        label = series_style(results, series).label
        assert f"{label}: " in alt
        assert f"at depth {depth}, which validation chose" in alt


def test_panels_show_the_training_score_above_the_test_score(results):
    figure = train_test_figure(results).figure
    by_panel = itertools.groupby(figure.data, key=lambda each: each.xaxis)
    panels = [list(group) for _, group in by_panel]
    assert len(panels) == 3
    for train, test in panels:
        gaps = np.asarray(train.y) - np.asarray(test.y)
        assert gaps == pytest.approx(0.02)


# --- layers -----------------------------------------------------------------


def test_the_target_is_the_type_that_has_a_last_layer(results):
    assert target_type(results) == "person"


def test_layers_run_from_the_input_to_the_depth_asked_for(results):
    chart = layer_figure(results, HEADLINE_MEASURE, depth=3)
    line = trace(chart, "Flattened, untrained")
    seeds = [15 + 0.4 * np.sin(seed) for seed in range(6)]
    expected = [1 + np.mean(seeds) * np.exp(-0.7 * layer) for layer in range(4)]
    assert list(line.x) == [0, 1, 2, 3]
    assert list(line.y) == pytest.approx(expected)


def test_the_last_layer_is_that_of_each_depth(results):
    chart = last_layer_figure(results, HEADLINE_MEASURE)
    line = trace(chart, "Flattened, trained")
    assert list(line.x) == [0, 1, 2, 3, 4, 5]
    assert list(np.diff(line.y) < 0) == [True] * 5


def test_untrained_is_dashed_and_trained_is_solid(results):
    chart = layer_figure(results, HEADLINE_MEASURE)
    assert trace(chart, "Flattened, untrained").line.dash == "dash"
    assert trace(chart, "Flattened, trained").line.dash == "solid"


def test_another_node_type_has_no_state_at_the_last_layer(results):
    chart = layer_figure(results, HEADLINE_MEASURE, depth=3, node_type="city")
    assert list(trace(chart, "Flattened, trained").x) == [0, 1, 2]


# --- embeddings -------------------------------------------------------------


def test_alignment_undoes_a_turn_and_a_mirror_and_keeps_distances():
    generator = np.random.default_rng(0)
    plane = generator.normal(size=(30, 2))
    plane -= plane.mean(axis=0)
    mirror_and_turn = np.array([[0.6, 0.8], [0.8, -0.6]])
    keys = [str(row) for row in range(30)]
    reference = pd.DataFrame({"key": keys, "x": plane[:, 0], "y": plane[:, 1]})
    turned = plane @ mirror_and_turn + 7
    panel = pd.DataFrame({"key": keys, "x": turned[:, 0], "y": turned[:, 1]})
    shuffled = panel.sample(frac=1, random_state=1)
    aligned = align(shuffled, reference).sort_index()
    assert aligned[["x", "y"]].to_numpy() == pytest.approx(plane)


def test_panels_show_the_same_rows_alike(results):
    figure = projection_figure(results, depth=3, layer=3).figure
    first, second, third = (
        np.column_stack([each.x, each.y]) for each in figure.data if each.name == ROWS
    )
    assert first == pytest.approx(second)
    assert first == pytest.approx(third)


def test_rows_predicted_wrongly_are_hollow(results):
    figure = projection_figure(results, depth=2, layer=1).figure
    panels = [each for each in figure.data if each.name == ROWS]
    hollow = [
        symbol == "circle-open" for each in panels for symbol in each.marker.symbol
    ]
    assert sum(hollow) == 3 * 60 / 5


def test_a_cell_that_did_not_finish_leaves_an_empty_panel(tmp_path: Path):
    few = make_results(tmp_path, depths=(0, 1), seeds=1)
    chart = projection_figure(few, depth=7, layer=7)
    assert not chart.figure.data
    assert chart.alt.count("no run finished") == 3


# --- plans ------------------------------------------------------------------


def test_the_heat_map_holds_the_hops_of_the_nearest_column(results):
    chart = hop_heatmap(results.plans)
    (heat,) = chart.figure.data
    rows = dict(zip(heat.y, heat.text, strict=True))
    assert list(rows["city"]) == ["3", "2", "1"]
    assert list(rows["log"]) == ["–", "–", "–"]
    assert "log –" in chart.alt


def test_a_table_that_a_source_does_not_have_is_left_blank():
    one = {"name": "row2node", "hops": {"a.x": 0, "b.x": 1}}
    other = {"name": "row2node", "hops": {"a.x": 0}}
    plans = {"one": {"topologies": [one]}, "other": {"topologies": [other]}}
    (heat,) = hop_heatmap(plans).figure.data
    assert [list(row) for row in heat.text] == [["0", "0"], ["1", ""]]


def test_a_tables_hop_is_that_of_its_nearest_column():
    hops = {"a.x": 2, "a.y": 1, "a.z": None, "b.x": None}
    assert nearest_hops({"hops": hops}) == {"a": 1, "b": None}


def test_a_reach_curve_is_zero_below_the_tables_hop(results):
    figure = reach_figure(results.plans).figure
    city = [each for each in figure.data if each.name == "city"]
    below = figure.layout.yaxis.tickvals[0]
    assert figure.layout.yaxis.ticktext[0] == "none"
    assert list(city[0].y[:3]) == [below] * 3
    assert [each.y[3] for each in city] == pytest.approx(
        [1 - np.exp(-0.6 * hops) for hops in (1, 2, 3)]
    )


# --- cost and contrasts -----------------------------------------------------


def test_cost_shows_seconds_and_memory_of_the_same_scores(results):
    figure = cost_figure(results).figure
    left, right = (
        each for each in figure.data if each.name == "Values as nodes (promoted)"
    )
    assert list(left.y) == list(right.y)
    assert list(left.x) == pytest.approx([1.5 + 0.8 * depth for depth in range(6)])


def test_a_bar_is_as_long_as_its_interval(results):
    figure = contrast_figure(results).figure
    bars = [each for each in figure.data if each.mode == "markers"]
    for each, record in zip(bars, results.comparison["contrasts"], strict=True):
        bar = each.error_x
        assert each.x[0] + bar.array[0] == pytest.approx(record["high"])
        assert each.x[0] - bar.arrayminus[0] == pytest.approx(record["low"])


def test_one_arm_alone_has_no_contrast_to_draw(tmp_path: Path):
    alone = make_results(tmp_path, arms=TOPOLOGY_ARMS[1:2], depths=(0, 1), seeds=2)
    assert not contrast_figure(alone).figure.data


# --- several networks, odd names --------------------------------------------


def test_two_networks_on_one_graph_share_a_colour_and_differ_in_dash(tmp_path: Path):
    both = make_results(
        tmp_path, arms=TOPOLOGY_ARMS[:1], models=("sage", "sage-mean"), depths=(0, 1)
    )
    first, second = (series_style(both, series) for series in all_series(both))
    assert first.colour == second.colour
    assert first.dash != second.dash
    assert second.label.endswith("sage-mean")


def test_a_name_with_markup_is_shown_as_it_is(tmp_path: Path):
    odd = make_results(
        tmp_path, arms=[("<b>x</b>", "<i>y</i>"), ("<b>x</b>", "row2node")], seeds=2,
        depths=(0, 1),
    )  # fmt: skip
    for chart in charts(odd):
        drawn = chart.figure.to_json()
        assert "<i>y" not in drawn.replace("\\u003c", "<")


def test_every_chart_survives_a_study_in_which_nothing_finished(results):
    nothing = results.trials.assign(status="failed", test=np.nan, train=np.nan)
    empty = Results(
        folder=results.folder,
        study=results.study,
        comparison={
            **results.comparison,
            "cells": [],
            "contrasts": [],
            "best": [],
            "baselines": [],
        },
        trials=nothing,
        layers=results.layers.head(0),
        predictions=results.predictions.head(0),
        projection=results.projection.head(0),
        influence=results.influence.head(0),
        plans={},
    )
    for chart in charts(empty):
        assert chart.title
    reading = read_depth(empty, all_series(empty)[0])
    assert reading.kind == "unfinished"


def test_numbers_are_short_and_missing_ones_are_a_dash():
    assert number(0.95678) == "0.957"
    assert number(1234.5) == "1,234"
    assert number(12345678.0) == "1.23e+07"
    assert number(0.0) == "0.000"
    assert number(None) == number(float("nan")) == "–"


# --- influence, walks and siblings ------------------------------------------


def test_influence_is_stacked_by_hop_and_by_table_to_the_whole(results):
    figure = influence_figure(results).figure
    for axis in ("x", "x2"):
        bars = [bar for bar in figure.data if (bar.xaxis or "x") == axis]
        heights: dict[int, float] = {}
        for bar in bars:
            for depth, share in zip(bar.x, bar.y, strict=True):
                heights[depth] = heights.get(depth, 0) + share
        assert heights == pytest.approx(dict.fromkeys(range(6), 1))


def test_an_influence_bar_is_the_mean_of_the_seeds(results):
    bars = [bar for bar in influence_figure(results).figure.data if bar.name == "hop 1"]
    # Half for each further hop: at depth 2 a half over 1 + 1/2 + 1/4.
    assert dict(zip(bars[0].x, bars[0].y, strict=True))[2] == pytest.approx(0.5 / 1.75)


def test_every_name_is_in_the_influence_legend_once(results):
    figure = influence_figure(results).figure
    shown = [bar.name for bar in figure.data if bar.showlegend]
    assert len(shown) == len(set(shown))
    assert {"hop 0", "hop 5", "person", "city"} <= set(shown)


def test_walks_are_drawn_for_every_graph_that_has_one(results):
    figure = walk_figure(results.plans).figure
    assert len({bar.xaxis for bar in figure.data}) == len(results.arms)
    (bar,) = (
        each for each in figure.data if each.name == "hop 0" and each.xaxis == "x"
    )
    assert list(bar.y) == pytest.approx([1, 1 / 2, 1 / 3, 1 / 4, 1 / 5])


def test_a_plan_from_before_walks_were_taken_says_so(results):
    plans = {
        source: {
            **plan,
            "topologies": [
                {name: one for name, one in graph.items() if name != "walk"}
                for graph in plan["topologies"]
            ],
        }
        for source, plan in results.plans.items()
    }
    (note,) = walk_figure(plans).figure.layout.annotations
    assert "before walks were taken" in note.text


def test_siblings_are_drawn_with_their_null_line(results):
    chart = sibling_figure(results, depth=2)
    dashes = [each.line.dash for each in chart.figure.data]
    assert dashes == ["solid", "dot"] * len(results.arms)
    assert "person.address_id" in chart.alt


def test_a_study_of_many_networks_can_be_drawn(tmp_path):
    """Forty panels side by side leave no room for the space between them."""
    arms = [("shop", f"graph-{number}") for number in range(40)]
    many = make_results(tmp_path, arms=arms, depths=(2,), seeds=1)
    titles = sibling_figure(many).figure.layout.annotations
    assert len({title.x for title in titles}) == 3
