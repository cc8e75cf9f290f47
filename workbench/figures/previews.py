"""Score against hops before any training, alone and beside the trained curves."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any

import plotly.graph_objects as go

from workbench.chart import (
    METRIC_TERMS,
    Chart,
    arm_mark,
    note_figure,
    number,
    padded_range,
    plain,
    style_figure,
    whole_number_axis,
)
from workbench.figures.plans import Plans
from workbench.palette import ArmStyle, arm_style
from workbench.results import Results
from workbench.score import METRICS

UNBOUNDED = frozenset({"mae", "r2", "log-loss"})
NOT_TRAINED = "preview (no network trained)"
Record = Mapping[str, Any]


def preview_figure(plans: Plans, *, dark: bool = False) -> Chart:
    """Draw each graph's validation score against hops, with no network trained.

    Args:
        plans: The ``plan --json`` document of every source, with previews; graphs
            without one are left out.
        dark: Whether the ink is for dark paper.
    """
    metric = next(iter(plans.values()))["task"]["metric"]
    term = METRIC_TERMS[metric]
    figure = go.Figure()
    values: list[float] = []
    hops: set[int] = set()
    words = []
    for arm, style, records in _previews(plans):
        known = [one for one in records if one["score"] is not None]
        values += [one["score"] for one in known]
        hops |= {one["hop"] for one in records}
        words.append(_in_words(style, known))
        figure.add_trace(
            go.Scatter(
                x=[one["hop"] for one in records],
                y=[one["score"] for one in records],
                meta=arm_mark(*arm),
                name=plain(style.label),
                mode="lines+markers",
                line={"color": style.colour, "dash": "dot", "width": 2},
                marker={"symbol": style.symbol, "color": style.colour, "size": 8},
                hovertemplate="%{x} hops: %{y:.3f}",
            )
        )
    title = f"Preview: score against hops, no network trained ({term})"
    style_figure(figure, title, dark=dark)
    better = "higher" if METRICS[metric].higher_is_better else "lower"
    figure.update_yaxes(
        title_text=f"Validation {term} ({better} is better)",
        range=_axis(metric, values),
    )
    whole_number_axis(figure, sorted(hops), "Hops that are seen")
    if not words:
        note_figure(figure, "There is no preview of these graphs.")
    return Chart(
        figure=figure,
        title=title,
        alt=" ".join([f"Validation {term} by hops, no network trained.", *words]),
        source="plan.json",
        how_to_read=(
            "Columns are averaged from row to row along the graph, and a linear model"
            " in closed form (ridge regression) is fitted at each hop. A step is a hop"
            " at which something that tells comes into reach; a network of that many"
            " layers can hear it. The score is of validation rows, so that a graph can"
            " be chosen by it without a look at the test rows. What only maxima, or"
            " products of far columns, would tell is weaker here than in a network."
        ),
    )


def beside_preview(chart: Chart, results: Results) -> Chart:
    """Return a chart of test score against depth with the previews drawn into it.

    Args:
        chart: What `depth_figure` returned for the same results.
        results: A results folder whose plan holds previews; without any, the chart is
            returned as it is.
    """
    figure = go.Figure(chart.figure)
    low, high = figure.layout.yaxis.range
    deepest = max(results.depths)
    words = []
    for arm, style, records in _previews(results.plans, results.arms):
        known = [
            one for one in records if one["hop"] <= deepest and one["test"] is not None
        ]
        scores = [one["test"] for one in known]
        low, high = min([low, *scores]), max([high, *scores])
        figure.add_trace(
            go.Scatter(
                x=[one["hop"] for one in known],
                y=scores,
                meta=arm_mark(*arm),
                name=NOT_TRAINED,
                legendgroup=NOT_TRAINED,
                showlegend=not words,
                mode="lines+markers",
                line={"color": style.colour, "dash": "dot", "width": 1},
                marker={"symbol": f"{style.symbol}-open", "size": 5},
                marker_line={"color": style.colour, "width": 1},
                hovertemplate=(
                    f"{plain(style.label)}, preview<br>%{{x}} hops: %{{y:.3f}}"
                    "<extra></extra>"
                ),
            )
        )
        shown = ", ".join(number(score) for score in scores)
        words.append(f"Preview of {style.label}, from 0 hops: {shown}.")
    if not words:
        return chart
    figure.update_yaxes(range=[low, high])
    return replace(
        chart,
        figure=figure,
        alt=" ".join([chart.alt, *words]),
        source=f"{chart.source}; previews from plan.json",
        how_to_read=(
            f"{chart.how_to_read} A thin dotted line with open markers is the preview:"
            " a linear model in closed form on averaged columns, fitted before any"
            " network was trained and scored on test rows as the line is."
        ),
    )


def has_preview(plans: Plans) -> bool:
    """Return whether any graph of some plans was previewed."""
    return any(True for _ in _previews(plans))


def _previews(
    plans: Plans, arms: Sequence[tuple[str, str]] = ()
) -> Iterator[tuple[tuple[str, str], ArmStyle, Sequence[Record]]]:
    """Yield the arm, the style and the records of every graph that was previewed."""
    pairs = [
        (source, graph)
        for source, plan in plans.items()
        for graph in plan["topologies"]
    ]
    shown = list(arms) or [(source, graph["name"]) for source, graph in pairs]
    for source, graph in pairs:
        if graph.get("preview") and (source, graph["name"]) in shown:
            arm = (source, graph["name"])
            yield arm, arm_style(*arm, shown), graph["preview"]


def _axis(metric: str, values: Sequence[float]) -> list[float]:
    low, high = padded_range(values)
    if metric in UNBOUNDED:
        return [low, high]
    return [max(low, -0.02), min(high, 1.02)]


def _in_words(style: ArmStyle, known: Sequence[Record]) -> str:
    shown = ", ".join(number(one["score"]) for one in known)
    return f"{style.label}, from 0 hops: {shown or 'no score'}."
