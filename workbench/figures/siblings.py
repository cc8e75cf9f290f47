"""Smoothing through one foreign key: how much siblings still differ, layer by layer."""

import numpy as np
import pandas as pd
import plotly.graph_objects as go
from plotly.subplots import make_subplots

from workbench.chart import (
    Chart,
    all_series,
    means_by,
    note_figure,
    number,
    pick,
    plain,
    series_style,
    style_figure,
)
from workbench.figures.plans import (
    MAX_PANELS_A_ROW,
    MAX_TABLES,
    TABLE_COLOURS,
    TABLE_SYMBOLS,
)
from workbench.measures import MEASURES
from workbench.results import Results

SHARE, NULL = "within-parent-share", "within-parent-null"


def sibling_figure(
    results: Results, *, depth: int | None = None, dark: bool = False
) -> Chart:
    """Draw the within-parent share of every key by layer, a panel per series.

    Args:
        results: A results folder.
        depth: The networks' depth; the study's deepest by default.
        dark: Whether the ink is for dark paper.
    """
    shown = max(results.depths) if depth is None else depth
    frame = pick(results.layers, depth=shown, state="trained").dropna(subset=["value"])
    frame = frame[frame["measure"].isin([SHARE, NULL])]
    keys = _lowest(pick(frame, measure=SHARE))
    series = [one for one in all_series(results) if len(one.rows(frame))]
    columns = max(1, min(len(series), MAX_PANELS_A_ROW))
    rows = max(1, -(-len(series) // columns))
    figure = make_subplots(
        rows=rows,
        cols=columns,
        shared_yaxes=True,
        subplot_titles=[plain(series_style(results, one).label) for one in series],
        horizontal_spacing=0.03,
        vertical_spacing=0.28 / rows,
    )
    named: set[str] = set()
    for place, one in enumerate(series):
        row, column = place // columns + 1, place % columns + 1
        own = one.rows(frame)
        for index, key in enumerate(keys):
            mine = pick(own, node_type=key)
            for trace in _lines(mine, key, index, key not in named):
                trace.meta = one.mark
                figure.add_trace(trace, row=row, col=column)
                named.add(key)
    title = f"How much siblings differ, in networks of depth {shown}"
    style_figure(figure, title, dark=dark, height=150 + 270 * rows)
    figure.update_annotations(font_size=13)
    figure.update_layout(margin={"t": 92}, legend={"y": -0.28 / rows})
    figure.update_xaxes(title_text="Layer", dtick=1)
    figure.update_yaxes(range=[-0.02, 1.02])
    figure.update_yaxes(title_text="Within-parent share", col=1)
    if not series:
        note_figure(figure, "No key whose parents have several children was measured.")
    return Chart(
        figure=figure,
        title=title,
        alt=f"{title}. {_in_words(pick(frame, measure=SHARE), keys)}",
        source="layers.parquet",
        how_to_read=(
            f"{MEASURES[SHARE].title}: {MEASURES[SHARE].formula}. Solid: trained"
            " networks; dotted: what independent rows would give. Far below the dotted"
            " line siblings have become alike through that key, even where the table as"
            " a whole has not."
        ),
    )


def _lowest(frame: pd.DataFrame) -> list[str]:
    """Return the keys through which rows become most alike."""
    means = frame.groupby("node_type")["value"].min().sort_values()
    return sorted(map(str, means.index[:MAX_TABLES]))


def _lines(frame: pd.DataFrame, key: str, index: int, legend: bool) -> list[go.Scatter]:
    colour, symbol = TABLE_COLOURS[index], TABLE_SYMBOLS[index]
    traces = []
    for measure, dash in ((SHARE, "solid"), (NULL, "dot")):
        means = means_by(pick(frame, measure=measure), "layer", "value")["value"]
        if not len(means):
            continue
        is_share = measure == SHARE
        traces.append(
            go.Scatter(
                x=means.index,
                y=means,
                name=plain(key),
                legendgroup=key,
                showlegend=legend and is_share,
                mode="lines+markers" if is_share else "lines",
                line={"color": colour, "dash": dash, "width": 2 if is_share else 1},
                marker={"symbol": symbol, "size": 7, "color": colour},
                hovertemplate="layer %{x}: %{y:.3f}",
            )
        )
    return traces


def _in_words(frame: pd.DataFrame, keys: list[str]) -> str:
    sentences = []
    for key in keys:
        means = means_by(pick(frame, node_type=key), "layer", "value")["value"]
        first, last = means.iloc[0], means.iloc[-1]
        if np.isfinite([first, last]).all():
            sentences.append(
                f"{key}: {number(first)} at layer {means.index[0]}, {number(last)} at"
                f" layer {means.index[-1]}."
            )
    return " ".join(sentences)
