"""What a score cost: seconds and memory."""

from typing import Any

import plotly.graph_objects as go
from plotly.subplots import make_subplots

from workbench.chart import (
    Chart,
    all_series,
    higher_is_better,
    means_by,
    metric_label,
    number,
    padded_range,
    pick,
    plain,
    series_style,
    style_figure,
)
from workbench.results import Results

COSTS = (("seconds", "Seconds per run"), ("peak_mb", "Peak memory per run (MB)"))


def cost_figure(results: Results, *, dark: bool = False) -> Chart:
    """Draw the mean test score against the mean time and peak memory of a run."""
    metric = metric_label(results)
    figure = make_subplots(rows=1, cols=2, shared_yaxes=True, horizontal_spacing=0.06)
    sentences, scores = [], []
    for series in all_series(results):
        rows = series.rows(results.trials)
        columns = ("test", "seconds", "peak_mb", "num_parameters", "width")
        means = means_by(pick(rows, status="ok"), "depth", *columns)
        if means.empty:
            continue
        style = series_style(results, series)
        scores += [*means["test"]]
        for column, (cost, _) in enumerate(COSTS, start=1):
            figure.add_trace(
                go.Scatter(
                    x=means[cost],
                    y=means["test"],
                    text=[str(depth) for depth in means.index],
                    textposition="top center",
                    textfont={"size": 11},
                    name=plain(style.label),
                    meta=series.mark,
                    legendgroup=style.label,
                    showlegend=column == 1,
                    mode="lines+markers+text",
                    line={"color": style.colour, "dash": style.dash, "width": 1.5},
                    marker={"symbol": style.symbol, "size": 9, "color": style.colour},
                    customdata=[_size(one) for one in means.itertuples()],
                    hovertemplate="depth %{text}: %{y:.3f} for %{x:.3g}"
                    "<br>%{customdata}",
                ),
                row=1,
                col=column,
            )
        best = (
            means["test"].idxmax() if higher_is_better(results)
            else means["test"].idxmin()
        )  # fmt: skip
        row = means.loc[best]
        sentences.append(
            f"{style.label}: {number(row['test'])} at depth {best} for"
            f" {number(row['seconds'])} s and {number(row['peak_mb'])} MB."
        )
    title = "Score against time and memory"
    style_figure(figure, title, dark=dark)
    for column, (_, axis_title) in enumerate(COSTS, start=1):
        figure.update_xaxes(title_text=axis_title, col=column)
    figure.update_xaxes(rangemode="tozero", col=1)
    figure.update_yaxes(range=padded_range(scores, 0.14))
    figure.update_yaxes(title_text=f"Test {metric}", col=1)
    return Chart(
        figure=figure,
        title=title,
        alt=f"Test {metric} against time and memory. " + " ".join(sentences),
        source="trials.parquet",
        how_to_read=(
            "A point is the mean of a graph's finished runs at one depth, whose number"
            " stands above it. Further left is cheaper. Time includes measuring; memory"
            " is the peak of the worker process, which holds the graph as well. Hover"
            " to see how many numbers each network trains (parameters), and its width."
        ),
    )


def _size(means: Any) -> str:  # a row of the means
    """Return how large a network is, and how wide where that was recorded."""
    size = f"{means.num_parameters:,.0f} parameters"
    return f"{size}, width {means.width:.0f}" if means.width else size
