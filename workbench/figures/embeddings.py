"""Where networks put the target's rows: two-dimensional embeddings, aligned."""

from collections.abc import Sequence

import numpy as np
import pandas as pd
import plotly.graph_objects as go
from plotly.subplots import make_subplots
from scipy.linalg import orthogonal_procrustes

from workbench.chart import (
    Chart,
    Series,
    all_series,
    best_depths,
    escaped,
    number,
    pick,
    plain,
    series_style,
    style_figure,
)
from workbench.results import Results

MAX_ROWS = 2000
MAX_PANELS_A_ROW = 3
MAX_CLASSES = 7
NUMERIC_METRICS = frozenset({"mae", "r2"})
# Classes are no arms: none of these is an arm's colour.
CLASS_COLOURS = (
    "#8A8D94", "#E0457B", "#2AA198", "#A58B00", "#7A5AF5", "#9A5B2F", "#5F9E3A",
)  # fmt: skip
OTHER_CLASS = "other classes"


def projection_figure(
    results: Results,
    *,
    depth: int | None = None,
    layer: int | None = None,
    dark: bool = False,
) -> Chart:
    """Draw the target's rows in two principal components, a panel per series.

    Every panel is turned and mirrored (orthogonal Procrustes, never stretched) so that
    its rows lie as near as they can to the same rows of one fixed reference: the last
    layer of the first series at its best depth. What then differs between panels, or
    when the depth changes, is a difference between representations.

    Args:
        results: A results folder.
        depth: The networks' depth; each series' best depth by default.
        layer: The layer; the last one by default.
        dark: Whether the ink is for dark paper.

    Source: Schönemann (1966), Psychometrika 31, p. 1 (orthogonal Procrustes).
    """
    everything = all_series(results)
    best = best_depths(results)
    depths = [
        best.get(series, max(results.depths)) if depth is None else depth
        for series in everything
    ]
    panels = [
        _panel(results, series, at, at if layer is None else layer)
        for series, at in zip(everything, depths, strict=True)
    ]
    reference = _reference(results, everything, best)
    columns = min(len(everything), MAX_PANELS_A_ROW)
    rows = -(-len(everything) // columns)
    titles = [
        f"{series_style(results, series).label}, depth {at}, layer"
        f" {at if layer is None else layer}"
        for series, at in zip(everything, depths, strict=True)
    ]
    figure = make_subplots(
        rows=rows,
        cols=columns,
        subplot_titles=[plain(name).replace(", depth", "<br>depth") for name in titles],
        horizontal_spacing=0.03,
        vertical_spacing=0.2 / rows,
    )
    numeric = results.comparison["metric"] in NUMERIC_METRICS
    classes = () if numeric else _classes(panels)
    drawn: set[str] = set()
    for place, panel in enumerate(panels):
        row, column = place // columns + 1, place % columns + 1
        aligned = align(panel, reference)
        if panel.empty:
            figure.add_annotation(
                text="no run finished", x=0, y=0, showarrow=False, row=row, col=column
            )
        elif numeric:
            figure.add_trace(_numeric_trace(aligned, place == 0), row=row, col=column)
        else:
            for trace in _class_traces(aligned, classes, drawn):
                figure.add_trace(trace, row=row, col=column)
    count = max((len(panel) for panel in panels), default=0)
    title = "Where the networks put the target's rows"
    style_figure(figure, title, dark=dark, height=130 + 320 * rows)
    figure.update_annotations(font_size=13)
    figure.update_layout(margin={"t": 104, "b": 70}, legend={"y": -0.12 / rows})
    figure.update_xaxes(showticklabels=False, ticks="", range=[-2.6, 2.6])
    figure.update_yaxes(showticklabels=False, ticks="", range=[-2.6, 2.6])
    figure.update_xaxes(title_text="First component, aligned", row=rows)
    figure.update_yaxes(title_text="Second component", col=1)
    sentences = [
        f"{name}: {_apart_in_words(panel, numeric)}"
        for name, panel in zip(titles, panels, strict=True)
    ]
    return Chart(
        figure=figure,
        title=title,
        alt=f"{title}, {count} rows per panel. " + " ".join(sentences),
        source="projection.parquet (first seed)",
        how_to_read=(
            f"Each dot is one of at most {MAX_ROWS} fixed rows of the target's table,"
            " the same in every panel, coloured by its true label; hollow dots are"
            " predicted wrongly. Panels are principal components of the states, scaled"
            " to the same size and turned to match; distances compare within a panel."
        ),
    )


def align(panel: pd.DataFrame, reference: pd.DataFrame) -> pd.DataFrame:
    """Return a panel turned and mirrored onto the same keys of a reference.

    Args:
        panel: Rows with ``key``, ``x`` and ``y``.
        reference: The same columns; rows are matched by key.

    Returns:
        A new frame with the same distances between its rows; the panel as it is where
        fewer than three keys are shared.
    """
    shared = panel.merge(reference, on="key", suffixes=("", "_reference"))
    if len(shared) < 3:
        return panel
    mine = shared[["x", "y"]].to_numpy()
    wanted = shared[["x_reference", "y_reference"]].to_numpy()
    turn, _ = orthogonal_procrustes(
        mine - mine.mean(axis=0), wanted - wanted.mean(axis=0)
    )
    plane = (panel[["x", "y"]].to_numpy() - mine.mean(axis=0)) @ turn
    return panel.assign(x=plane[:, 0], y=plane[:, 1])


def _panel(results: Results, series: Series, depth: int, layer: int) -> pd.DataFrame:
    rows = pick(series.rows(results.projection), depth=depth, layer=layer)
    return rows.drop_duplicates(subset="key").head(MAX_ROWS)


def _reference(
    results: Results, everything: Sequence[Series], best: dict[Series, int]
) -> pd.DataFrame:
    """Return the first panel that spans a plane, whatever depth is looked at."""
    panel = results.projection.head(0)
    for series in everything:
        at = best.get(series, max(results.depths))
        panel = _panel(results, series, at, at)
        if len(panel) and np.ptp(panel[["x", "y"]].to_numpy(), axis=0).all():
            break
    return panel


def _classes(panels: Sequence[pd.DataFrame]) -> tuple[str, ...]:
    labels = pd.concat([panel["label"] for panel in panels]).astype(str)
    names = sorted(labels.unique())
    if len(names) <= MAX_CLASSES:
        return tuple(names)
    return (*sorted(labels.value_counts().index[: MAX_CLASSES - 1]), OTHER_CLASS)


def _class_traces(
    panel: pd.DataFrame, classes: Sequence[str], drawn: set[str]
) -> list[go.Scatter]:
    labels = panel["label"].astype(str)
    named = panel.assign(shown=labels.where(labels.isin(classes), OTHER_CLASS))
    traces = []
    for name, colour in zip(classes, CLASS_COLOURS, strict=False):
        for correct, symbol in ((True, "circle"), (False, "circle-open")):
            mine = pick(named, shown=name, correct=correct)
            if mine.empty:
                continue
            verdict = "right" if correct else "wrong"
            traces.append(
                go.Scatter(
                    x=mine["x"],
                    y=mine["y"],
                    customdata=escaped(mine, "key"),
                    name=f"label {plain(name)}",
                    legendgroup=name,
                    showlegend=name not in drawn,
                    mode="markers",
                    marker={"color": colour, "size": 5.5, "opacity": 0.75},
                    marker_symbol=symbol,
                    hovertemplate=f"row %{{customdata[0]}}, predicted {verdict}",
                )
            )
            drawn.add(name)
    return traces


def _numeric_trace(panel: pd.DataFrame, first: bool) -> go.Scatter:
    values = panel["label"].to_numpy(dtype=float)
    low, high = np.quantile(values, [0.02, 0.98])
    return go.Scatter(
        x=panel["x"],
        y=panel["y"],
        customdata=escaped(panel, "key", "label"),
        showlegend=False,
        mode="markers",
        marker={
            "color": values,
            "colorscale": "Viridis",
            "cmin": float(low),
            "cmax": float(high),
            "size": 5,
            "opacity": 0.8,
            "showscale": first,
            "colorbar": {"title": {"text": "true value"}, "thickness": 12},
        },
        hovertemplate="row %{customdata[0]}: %{customdata[1]}<extra></extra>",
    )


def _apart_in_words(panel: pd.DataFrame, numeric: bool) -> str:
    if panel.empty:
        return "no run finished."
    share = float(panel["correct"].to_numpy(dtype=bool).mean())
    if numeric:
        return f"{number(share)} of its rows are within half a standard deviation."
    return f"{number(share)} of its rows are predicted right."
