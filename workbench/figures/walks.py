"""Where a random walk ends, by depth and hop: influence before any training."""

from collections.abc import Mapping, Sequence
from typing import Any

import plotly.graph_objects as go
from plotly.subplots import make_subplots

from workbench.chart import Chart, mark_depth, note_figure, plain, style_figure
from workbench.figures.plans import (
    MAX_PANELS_A_ROW,
    Plans,
    graphs_of,
    marks_of,
)

# From the row itself outwards, dark to light.
HOP_COLOURS = (
    "#0B3C5D", "#1F6F9C", "#4F9BC4", "#86BFD9", "#B98B4E", "#D2A96A", "#E3C796",
    "#B7B7B7",
)  # fmt: skip


def hop_colour(hop: int) -> str:
    """Return the colour of a hop; all far ones share the last."""
    return HOP_COLOURS[min(hop, len(HOP_COLOURS) - 1)]


def walk_figure(plans: Plans, *, depth: int | None = None, dark: bool = False) -> Chart:
    """Draw the share of a random walk that ends at each hop, a panel per graph.

    Args:
        plans: The ``plan --json`` document of every source; graphs that were planned
            before walks were taken are left out.
        depth: A depth to mark with a vertical rule, or None.
        dark: Whether the ink is for dark paper.
    """
    pairs = zip(graphs_of(plans), marks_of(plans), strict=True)
    walked = [(*pair, mark) for pair, mark in pairs if pair[1].get("walk")]
    graphs = [(label, one) for label, one, _ in walked]
    columns = max(1, min(len(graphs), MAX_PANELS_A_ROW))
    rows = max(1, -(-len(graphs) // columns))
    figure = make_subplots(
        rows=rows,
        cols=columns,
        shared_yaxes=True,
        subplot_titles=[plain(label) for label, _ in graphs],
        horizontal_spacing=0.04,
        vertical_spacing=0.28 / rows,
    )
    for place, (_, graph, mark) in enumerate(walked):
        for trace in _bars(graph["walk"], legend=place == 0):
            trace.meta = mark
            figure.add_trace(trace, row=place // columns + 1, col=place % columns + 1)
    title = "How far away lies what a network listens to, before training"
    style_figure(figure, title, dark=dark, height=150 + 240 * rows)
    figure.update_annotations(font_size=13)
    figure.update_layout(barmode="stack", margin={"t": 92}, legend={"y": -0.26 / rows})
    figure.update_xaxes(title_text="Depth (layers)", dtick=1)
    figure.update_yaxes(range=[0, 1], tickformat=".0%")
    figure.update_yaxes(title_text="Share of the walk", col=1)
    if depth is not None and graphs:
        mark_depth(figure, depth)
    if not graphs:
        note_figure(figure, "This plan was made before walks were taken.")
    return Chart(
        figure=figure,
        title=title,
        alt=f"{title}. " + " ".join(_in_words(label, one) for label, one in graphs),
        source="plan.json",
        how_to_read=(
            "A bar is a depth, its parts the hops at which a random walk from a target"
            " row against the messages ends: in an untrained network with mean"
            " aggregation, the expected influence. A hop that is in reach and hardly"
            " has a part is squeezed by the graph itself."
        ),
    )


def _bars(walk: Sequence[Mapping[str, Any]], *, legend: bool) -> list[go.Bar]:
    bars = []
    for hop in sorted({one["hop"] for one in walk}):
        mine = [one for one in walk if one["hop"] == hop]
        bars.append(
            go.Bar(
                x=[one["depth"] for one in mine],
                y=[one["share"] for one in mine],
                name=f"hop {hop}",
                legendgroup=f"hop {hop}",
                showlegend=legend,
                marker={"color": hop_colour(hop)},
                hovertemplate=f"depth %{{x}}, hop {hop}: %{{y:.1%}}<extra></extra>",
            )
        )
    return bars


def _in_words(label: str, graph: Mapping[str, Any]) -> str:
    last = max(one["depth"] for one in graph["walk"])
    mean = sum(
        one["hop"] * one["share"] for one in graph["walk"] if one["depth"] == last
    )
    return f"{label}: {mean:.1f} hops away on average at depth {last}."
