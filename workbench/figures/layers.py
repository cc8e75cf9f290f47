"""Oversmoothing: measures per layer, before and after training.

There are two different horizontal axes, and they are two different charts: layer l
inside one network of depth L, and the last layer of networks of depth L.
"""

from collections.abc import Iterable

import pandas as pd
import plotly.graph_objects as go

from workbench.chart import (
    Chart,
    Series,
    all_series,
    last_layers,
    mark_depth,
    means_by,
    note_figure,
    number,
    padded_range,
    pick,
    plain,
    series_style,
    style_figure,
    target_type,
    translucent,
    whole_number_axis,
)
from workbench.measures import MEASURES
from workbench.results import Results

STATES = (("untrained", "dash", "-open"), ("trained", "solid", ""))
HOW_TO_READ = (
    "{measure}, in {values}. Dashed and hollow: the network before training, same"
    " start; solid: after. Lines are means over seeds, faint dots are seeds. At full"
    " collapse: {collapse}. A measure that collapses together with the score is what"
    " the field calls oversmoothing; it does not say what caused what."
)


def layer_figure(
    results: Results,
    measure: str,
    *,
    depth: int | None = None,
    node_type: str | None = None,
    dark: bool = False,
) -> Chart:
    """Draw a measure against the layer inside networks of one depth.

    Args:
        results: A results folder.
        measure: Name in `MEASURES`.
        depth: The networks' depth; the study's deepest by default.
        node_type: A node type; the target's by default.
        dark: Whether the ink is for dark paper.
    """
    shown = max(results.depths) if depth is None else depth
    rows = _rows(results, measure, node_type)
    rows = pick(rows, depth=shown)
    kind = node_type or target_type(results) or "target"
    title = f"Layer by layer in networks of depth {shown}, {kind} rows"
    return _draw(
        results,
        rows,
        measure,
        title=title,
        axis=("layer", f"Layer l inside the network of depth {shown}"),
        places=range(shown + 1),
        dark=dark,
    )


def last_layer_figure(
    results: Results, measure: str, *, depth: int | None = None, dark: bool = False
) -> Chart:
    """Draw a measure at the last layer against the networks' depth.

    Args:
        results: A results folder.
        measure: Name in `MEASURES`.
        depth: A depth to mark with a vertical rule, or None.
        dark: Whether the ink is for dark paper.
    """
    rows = _rows(results, measure, None)
    rows = last_layers(rows)
    kind = target_type(results) or "target"
    title = f"At the last layer, {kind} rows"
    chart = _draw(
        results,
        rows,
        measure,
        title=title,
        axis=("depth", "Last layer of networks of depth L"),
        places=results.depths,
        dark=dark,
    )
    if depth is not None:
        mark_depth(chart.figure, depth)
    return chart


def _rows(results: Results, measure: str, node_type: str | None) -> pd.DataFrame:
    frame = results.layers
    kind = target_type(results) if node_type is None else node_type
    return pick(frame, measure=measure, node_type=kind)


def _draw(
    results: Results,
    rows: pd.DataFrame,
    measure: str,
    *,
    title: str,
    axis: tuple[str, str],
    places: Iterable[int],
    dark: bool,
) -> Chart:
    column, axis_title = axis
    figure = go.Figure()
    sentences = []
    for series in all_series(results):
        mine = series.rows(rows).dropna(subset=["value"])
        for state, dash, hollow in STATES:
            _add_state(
                figure, results, series, pick(mine, state=state), column,
                state=state, dash=dash, hollow=hollow,
            )  # fmt: skip
        sentences += _in_words(results, series, mine, column)
    style_figure(figure, plain(title), dark=dark, height=460)
    figure.update_layout(legend_y=-0.27)
    whole_number_axis(figure, list(places), axis_title)
    kept = MEASURES[measure]
    figure.update_yaxes(
        title_text=kept.name.replace("-", " ").capitalize(),
        range=padded_range([*rows["value"]]),
    )
    if rows["value"].dropna().empty:
        note_figure(figure, "No run finished here.")
    return Chart(
        figure=figure,
        title=title,
        alt=f"{kept.title}. {title}. " + " ".join(sentences),
        source="layers.parquet",
        how_to_read=HOW_TO_READ.format(
            measure=kept.title, values=kept.value_range, collapse=kept.at_collapse
        ),
    )


def _add_state(
    figure: go.Figure,
    results: Results,
    series: Series,
    rows: pd.DataFrame,
    column: str,
    *,
    state: str,
    dash: str,
    hollow: str,
) -> None:
    if rows.empty:
        return
    style = series_style(results, series)
    means = means_by(rows, column, "value")["value"]
    name = f"{style.label}, {state}"
    figure.add_trace(
        go.Scatter(
            x=rows[column],
            y=rows["value"],
            customdata=rows[["seed"]],
            meta=series.mark,
            mode="markers",
            legendgroup=name,
            showlegend=False,
            marker={
                "symbol": style.symbol + hollow,
                "size": 4,
                "color": translucent(style.colour, 0.4),
            },
            hovertemplate="seed %{customdata[0]}: %{y:.3g}<extra></extra>",
        )
    )
    figure.add_trace(
        go.Scatter(
            x=means.index,
            y=means,
            meta=series.mark,
            name=plain(name),
            legendgroup=name,
            mode="lines+markers",
            line={"color": style.colour, "dash": dash, "width": 2.2},
            marker={"symbol": style.symbol + hollow, "size": 8, "color": style.colour},
            hovertemplate=column + " %{x}: %{y:.3g}",
        )
    )


def _in_words(
    results: Results, series: Series, rows: pd.DataFrame, column: str
) -> list[str]:
    label = series_style(results, series).label
    sentences = []
    for state, _, _ in STATES:
        means = means_by(pick(rows, state=state), column, "value")["value"]
        if len(means):
            sentences.append(
                f"{label}, {state}: {number(means.iloc[0])} at {column}"
                f" {means.index[0]}, {number(means.iloc[-1])} at {means.index[-1]}."
            )
    return sentences
