"""What a graph lets a target row see, hop by hop, before any training."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import plotly.graph_objects as go
from plotly.subplots import make_subplots

from workbench.chart import (
    Chart,
    arm_mark,
    mark_depth,
    number,
    plain,
    style_figure,
    translucent,
)
from workbench.palette import arm_style

MAX_TABLES = 8
MAX_PANELS_A_ROW = 3
NO_HOP = "–"
# Tables are no arms: none of these is an arm's colour.
TABLE_COLOURS = (
    "#5B8C5A", "#A23E48", "#4F6D9A", "#C08A4B", "#7D5BA6", "#2F9C95", "#8A8D94",
    "#C2577E",
)  # fmt: skip
TABLE_SYMBOLS = (
    *("circle", "square", "diamond", "triangle-up", "cross", "x"),
    *("star", "hexagon"),
)
Plans = Mapping[str, Mapping[str, Any]]


def reach_figure(
    plans: Plans, *, depth: int | None = None, dark: bool = False
) -> Chart:
    """Draw the share of each table within k hops of a target row, a panel per graph.

    Args:
        plans: The ``plan --json`` document of every source.
        depth: A number of hops to mark with a vertical rule, or None.
        dark: Whether the ink is for dark paper.
    """
    graphs = graphs_of(plans)
    tables, left_out = _most_reached([graph for _, graph in graphs])
    columns = max(1, min(len(graphs), MAX_PANELS_A_ROW))
    rows = max(1, -(-len(graphs) // columns))
    figure = make_subplots(
        rows=rows,
        cols=columns,
        shared_yaxes=True,
        subplot_titles=[_wrap(label) for label, _ in graphs],
        horizontal_spacing=0.04,
        vertical_spacing=0.28 / rows,
    )
    ticks = _share_ticks(graphs)
    drawn: set[str] = set()
    marks = marks_of(plans)
    for place, (_, graph) in enumerate(graphs):
        for index, table in enumerate(tables):
            curve = sorted(
                (entry for entry in graph["reach"] if entry["table"] == table),
                key=lambda entry: entry["hop"],
            )
            if not curve:
                continue
            for trace in _curve(table, index, curve, ticks[0], table not in drawn):
                trace.meta = marks[place]
                figure.add_trace(
                    trace, row=place // columns + 1, col=place % columns + 1
                )
            drawn.add(table)
    title = "How much of each table a target row can see"
    style_figure(figure, title, dark=dark, height=150 + 260 * rows)
    figure.update_annotations(font_size=13)
    figure.update_layout(margin={"t": 92}, legend={"y": -0.26 / rows})
    figure.update_xaxes(title_text="Within k hops", dtick=1)
    figure.update_yaxes(
        type="log",
        range=[np.log10(ticks[0]) - 0.15, 0.1],
        tickvals=ticks,
        ticktext=["none", *(f"{tick:.6g} %" for tick in 100 * ticks[1:])],
    )
    figure.update_yaxes(title_text="Share of the table's rows (log)", col=1)
    if depth is not None:
        mark_depth(figure, depth)
    sentences = [_reach_in_words(label, graph) for label, graph in graphs]
    more = f" {left_out} tables of which less is seen are left out." if left_out else ""
    return Chart(
        figure=figure,
        title=title,
        alt=f"{title}. " + " ".join(sentences),
        source="plan.json",
        how_to_read=(
            "A line is the mean over sampled target rows, its band the 10th to 90th"
            " percentile. A network of depth k sees what lies within k hops: below a"
            " table's first step its columns cannot help, however long it trains."
            f"{more}"
        ),
    )


def hop_heatmap(plans: Plans, *, dark: bool = False) -> Chart:
    """Draw the hops from the target to each table's nearest column, table × graph."""
    graphs = graphs_of(plans)
    nearest = [nearest_hops(graph) for _, graph in graphs]
    names = {table for hops in nearest for table in hops}
    tables = sorted(names, key=lambda table: (_order(nearest, table), table))
    columns = [_wrap(label) for label, _ in graphs]
    rows = [plain(table) for table in tables]
    values = [[hops.get(table) for hops in nearest] for table in tables]
    texts = [[_hop_text(table, hops) for hops in nearest] for table in tables]
    figure = go.Figure(
        go.Heatmap(
            z=[[np.nan if hop is None else hop for hop in row] for row in values],
            x=columns,
            y=rows,
            text=texts,
            texttemplate="%{text}",
            colorscale=[[0, "#0B5C8A"], [0.5, "#6BAFD2"], [1, "#DCEBF3"]],
            zmin=0,
            zmax=max(4, max((hop or 0 for row in values for hop in row), default=0)),
            xgap=3,
            ygap=3,
            showscale=False,
            hovertemplate="%{y}<br>%{x}<br>%{text} hops<extra></extra>",
        )
    )
    _mark_unreachable(figure, texts, rows, columns)
    title = "How many hops away each table is"
    style_figure(figure, title, dark=dark, height=150 + 30 * max(3, len(tables)))
    figure.update_layout(margin={"t": 92, "b": 24})
    figure.update_xaxes(side="top", showgrid=False, ticks="", showline=False)
    figure.update_yaxes(autorange="reversed", showgrid=False, ticks="", showline=False)
    sentences = [
        f"{label}: "
        + ", ".join(
            f"{table} {_hop_text(table, hops)}" for table in tables if table in hops
        )
        for (label, _), hops in zip(graphs, nearest, strict=True)
    ]
    return Chart(
        figure=figure,
        title=title,
        alt=f"{title}. " + ". ".join(sentences) + ".",
        source="plan.json",
        how_to_read=(
            "The number is the smallest depth at which a network can read a column of"
            f" the table: 0 is the target's own row, {NO_HOP} is out of reach or"
            " without columns to read, and a blank is no table of that source."
        ),
    )


def nearest_hops(graph: Mapping[str, Any]) -> dict[str, int | None]:
    """Return each table's hop distance: that of its nearest column, or None."""
    nearest: dict[str, int | None] = {}
    for name, hop in graph["hops"].items():
        table = name.rsplit(".", 1)[0]
        known = nearest.get(table)
        if known is None or (hop is not None and hop < known):
            nearest[table] = hop
    return nearest


def graphs_of(plans: Plans) -> list[tuple[str, Mapping[str, Any]]]:
    """Return every graph with its label, source by source."""
    pairs = [
        (source, graph)
        for source, plan in plans.items()
        for graph in plan["topologies"]
    ]
    arms = [(source, graph["name"]) for source, graph in pairs]
    return [
        (arm_style(source, graph["name"], arms).label, graph) for source, graph in pairs
    ]


def marks_of(plans: Plans) -> list[str]:
    """Return what traces of each graph carry, in the order of `graphs_of`."""
    return [
        arm_mark(source, graph["name"])
        for source, plan in plans.items()
        for graph in plan["topologies"]
    ]


def _most_reached(graphs: Sequence[Mapping[str, Any]]) -> tuple[list[str], int]:
    """Return the tables of which most is seen within few hops, and how many others."""
    total: dict[str, float] = {}
    for graph in graphs:
        for entry in graph["reach"]:
            table = entry["table"]
            total[table] = total.get(table, 0.0) + entry["mean"]
    ranked = sorted(total, key=lambda table: (-total[table], table))
    return ranked[:MAX_TABLES], max(0, len(ranked) - MAX_TABLES)


def _share_ticks(graphs: Sequence[tuple[str, Mapping[str, Any]]]) -> np.ndarray:
    """Return powers of ten down to the smallest share, and one more for none."""
    shares = [
        entry[name]
        for _, graph in graphs
        for entry in graph["reach"]
        for name in ("mean", "p10", "p90")
        if entry[name] > 0
    ]
    least = int(np.floor(np.log10(min(shares, default=0.1))))
    return 10.0 ** np.arange(min(least, -1) - 1, 1)


def _curve(
    table: str,
    index: int,
    curve: Sequence[Mapping[str, Any]],
    none: float,
    legend: bool,
) -> list[go.Scatter]:
    """Return a table's band and line; ``none`` is where nothing at all is drawn."""
    hops = [entry["hop"] for entry in curve]
    colour = TABLE_COLOURS[index]
    mean, low, high = (
        [max(entry[name], none) for entry in curve] for name in ("mean", "p10", "p90")
    )
    band = go.Scatter(
        x=[*hops, *reversed(hops)],
        y=[*high, *reversed(low)],
        fill="toself",
        mode="lines",
        fillcolor=translucent(colour, 0.14),
        line={"width": 0},
        hoverinfo="skip",
        legendgroup=table,
        showlegend=False,
    )
    line = go.Scatter(
        x=hops,
        y=mean,
        customdata=[entry["mean"] for entry in curve],
        name=plain(table),
        legendgroup=table,
        showlegend=legend,
        mode="lines+markers",
        line={"color": colour, "width": 2},
        marker={"symbol": TABLE_SYMBOLS[index], "size": 7, "color": colour},
        hovertemplate="within %{x} hops: %{customdata:.3%}",
    )
    return [band, line]


def _reach_in_words(label: str, graph: Mapping[str, Any]) -> str:
    last = max((entry["hop"] for entry in graph["reach"]), default=0)
    at_end = [entry for entry in graph["reach"] if entry["hop"] == last]
    shown = sorted(at_end, key=lambda entry: (-entry["mean"], entry["table"]))[:3]
    parts = [f"{number(entry['mean'])} of {entry['table']}" for entry in shown]
    return f"{label}, within {last} hops: {', '.join(parts) or 'nothing'}."


def _order(nearest: Sequence[Mapping[str, int | None]], table: str) -> float:
    found = [hops[table] for hops in nearest if hops.get(table) is not None]
    return min((hop for hop in found if hop is not None), default=np.inf)


def _mark_unreachable(
    figure: go.Figure,
    texts: Sequence[Sequence[str]],
    tables: Sequence[str],
    labels: Sequence[str],
) -> None:
    """Write a dash where there is no cell to write in."""
    for row, table in zip(texts, tables, strict=True):
        for text, label in zip(row, labels, strict=True):
            if text == NO_HOP:
                figure.add_annotation(x=label, y=table, text=NO_HOP, showarrow=False)


def _hop_text(table: str, hops: Mapping[str, int | None]) -> str:
    """Return a table's hops, a dash for none, nothing where there is no such table."""
    if table not in hops:
        return ""
    hop = hops[table]
    return NO_HOP if hop is None else str(hop)


def _wrap(label: str) -> str:
    return plain(label).replace(" (", "<br>(").replace(" · ", "<br>")
