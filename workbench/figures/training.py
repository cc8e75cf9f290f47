"""The training score beside the test score."""

import pandas as pd
import plotly.graph_objects as go
from plotly.subplots import make_subplots

from workbench.chart import (
    Chart,
    all_series,
    mark_depth,
    means_by,
    metric_label,
    number,
    pick,
    plain,
    score_range,
    series_style,
    style_figure,
    whole_number_axis,
)
from workbench.results import Results

MAX_PANELS_A_ROW = 3


def train_test_figure(
    results: Results, *, depth: int | None = None, dark: bool = False
) -> Chart:
    """Draw the training score beside the test score, a panel per series.

    A test score that falls with depth while the training score stays says overfitting
    or a receptive field full of noise; when both fall, the network did not train or its
    representations collapsed.

    Args:
        results: A results folder.
        depth: A depth to mark with a vertical rule, or None.
        dark: Whether the ink is for dark paper.
    """
    everything = all_series(results)
    metric = metric_label(results)
    columns = min(len(everything), MAX_PANELS_A_ROW)
    rows = -(-len(everything) // columns)
    styles = [series_style(results, series) for series in everything]
    figure = make_subplots(
        rows=rows,
        cols=columns,
        shared_yaxes=True,
        subplot_titles=[plain(style.label) for style in styles],
        horizontal_spacing=0.04,
        vertical_spacing=0.28 / rows,
    )
    sentences, scores = [], []
    for place, (series, style) in enumerate(zip(everything, styles, strict=True)):
        means = _split_means(series.rows(results.trials))
        for split, dash, fill in (("train", "dot", False), ("test", "solid", True)):
            scores += [*means[split]]
            figure.add_trace(
                go.Scatter(
                    x=means.index,
                    y=means[split],
                    name="Training score" if split == "train" else "Test score",
                    legendgroup=split,
                    meta=series.mark,
                    showlegend=place == 0,
                    mode="lines+markers",
                    line={"color": style.colour, "dash": dash, "width": 2},
                    marker={
                        "symbol": style.symbol + ("" if fill else "-open"),
                        "size": 8,
                        "color": style.colour,
                    },
                    hovertemplate="depth %{x}: %{y:.3f}",
                ),
                row=place // columns + 1,
                col=place % columns + 1,
            )
        if len(means):
            last = means.iloc[-1]
            sentences.append(
                f"{style.label} at depth {means.index[-1]}: train"
                f" {number(last['train'])}, test {number(last['test'])}."
            )
    title = f"Does it fail to learn, or learn the wrong thing? ({metric})"
    style_figure(figure, title, dark=dark, height=120 + 260 * rows)
    figure.update_annotations(font_size=13)
    figure.update_layout(margin={"t": 92}, legend={"y": -0.28 / rows})
    whole_number_axis(figure, results.depths, "Depth (layers)")
    figure.update_yaxes(range=score_range(results, scores))
    figure.update_yaxes(title_text=metric, col=1)
    if depth is not None:
        mark_depth(figure, depth)
    return Chart(
        figure=figure,
        title=title,
        alt=f"Training and test {metric} by depth. " + " ".join(sentences),
        source="trials.parquet",
        how_to_read=(
            "Dotted: the score on the rows the network was trained on; solid: on test"
            " rows. Both low: it did not train, or nothing in reach tells the classes"
            " apart. Training high and test low: it learned what does not carry over."
        ),
    )


def _split_means(rows: pd.DataFrame) -> pd.DataFrame:
    return means_by(pick(rows, status="ok"), "depth", "train", "test")
