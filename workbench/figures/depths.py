"""Score against depth, every seed a dot, above the floors."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd
import plotly.graph_objects as go

from workbench.chart import (
    Chart,
    Series,
    all_series,
    best_depths,
    escaped,
    higher_is_better,
    mark_depth,
    metric_label,
    number,
    pick,
    plain,
    score_range,
    series_style,
    spread,
    style_figure,
    translucent,
    unfinished,
    whole_number_axis,
)
from workbench.comparison import STOPPED_EARLY
from workbench.palette import NEUTRAL, ArmStyle
from workbench.results import Results

BAND_ALPHA = 0.16
FLOOR_DASHES = ("dash", "dot", "dashdot", "longdash", "longdashdot")
SAME_FLOOR = 0.005


def depth_figure(
    results: Results, *, depth: int | None = None, dark: bool = False
) -> Chart:
    """Draw the test score against the depth, with the floors.

    Args:
        results: A results folder.
        depth: A depth to mark with a vertical rule, or None.
        dark: Whether the ink is for dark paper.
    """
    metric = metric_label(results)
    floors = merged_floors(
        results.comparison["baselines"], highest=higher_is_better(results)
    )
    figure = go.Figure()
    scores: list[float] = [value for _, value in floors]
    lines = []
    for place, series in enumerate(all_series(results)):
        style = series_style(results, series)
        cells = series_cells(results, series)
        add_band(figure, cells, style, series.mark)
        add_line(figure, results, series, cells, style)
        shift = dodge(place, len(all_series(results)))
        rows = pick(series.rows(results.trials), status="ok")
        add_seeds(figure, rows, rows["depth"] + shift, style, series.mark)
        scores += rows["test"].tolist()
        scores += [*cells["low"], *cells["high"]]
        lines.append(_line_in_words(results, series, cells))
    axis = score_range(results, scores)
    _add_failures(figure, results, axis[0])
    add_floors(figure, floors, axis)
    if depth is not None:
        mark_depth(figure, depth)
    title = f"How the score changes with depth ({metric})"
    style_figure(figure, title, dark=dark, height=480)
    figure.update_layout(margin={"r": 250 if floors else 24})
    better = "higher" if higher_is_better(results) else "lower"
    figure.update_yaxes(title_text=f"Test {metric} ({better} is better)", range=axis)
    whole_number_axis(figure, results.depths, "Depth (number of layers)")
    return Chart(
        figure=figure,
        title=title,
        alt=" ".join([f"Test {metric} by depth.", *lines, _floors_in_words(floors)]),
        source="trials.parquet and comparison.json",
        how_to_read=(
            "A line is the mean over seeds, its band the 95 % t-interval of"
            " re-training, depth by depth (pointwise: no promise for all depths at"
            " once); every dot is one seed. The ringed marker is the depth that"
            " validation chose. Grey lines are floors: what a constant, or trees or a"
            " linear model without a graph, reach on the columns named (entity history:"
            " on what earlier rows of the same parents were); where a signal"
            " was planted, one of them is the best that anything can. A cross on the"
            " lower edge is a run that did not finish."
        ),
    )


def merged_floors(
    baselines: Sequence[Mapping[str, Any]], *, highest: bool
) -> list[tuple[str, float]]:
    """Return each floor once: where sources disagree, the best of them, and say so.

    Args:
        baselines: The floors of ``comparison.json``; those without a value are left
            out.
        highest: Whether the best is the highest.
    """
    found: dict[str, list[float]] = {}
    for floor in baselines:
        if floor["value"] is not None:
            found.setdefault(floor["name"], []).append(floor["value"])
    merged = []
    for name, values in found.items():
        agree = max(values) - min(values) <= SAME_FLOOR
        shown = name if agree else f"{name}, best source"
        merged.append((shown, max(values) if highest else min(values)))
    return merged


def series_cells(results: Results, series: Series) -> pd.DataFrame:
    """Return a series' cells by depth, ``x`` being where each is drawn."""
    rows = [cell for cell in results.comparison["cells"] if series.owns(cell)]
    columns = ["depth", "n", "mean", "low", "high", "failure_rate"]
    frame = pd.DataFrame(rows, columns=columns)
    found = frame.astype(float).sort_values("depth", ignore_index=True)
    return found.assign(x=found["depth"])


def add_band(
    figure: go.Figure, cells: pd.DataFrame, style: ArmStyle, mark: str
) -> None:
    """Draw the intervals of a line as a band."""
    known = cells.dropna(subset=["low", "high"])
    places = known["x"].tolist()
    figure.add_trace(
        go.Scatter(
            x=[*places, *reversed(places)],
            y=[*known["high"], *reversed(known["low"].tolist())],
            fill="toself",
            mode="lines",
            fillcolor=translucent(style.colour, BAND_ALPHA),
            line={"width": 0},
            hoverinfo="skip",
            meta=mark,
            legendgroup=style.label,
            showlegend=False,
        )
    )


def add_line(
    figure: go.Figure,
    results: Results,
    series: Series,
    cells: pd.DataFrame,
    style: ArmStyle,
) -> None:
    """Draw the means of a series, the depth that validation chose being ringed."""
    best = best_depths(results).get(series)
    chosen = cells["depth"] == best
    figure.add_trace(
        go.Scatter(
            x=cells["x"],
            y=cells["mean"],
            customdata=cells[["low", "high", "n", "depth"]],
            meta={"mark": series.mark, "details": ["low", "high", "seeds", "depth"]},
            name=plain(style.label),
            legendgroup=style.label,
            mode="lines+markers",
            line={"color": style.colour, "dash": style.dash, "width": 2.5},
            marker={
                "symbol": style.symbol,
                "color": style.colour,
                "size": np.where(chosen, 13, 8),
                "line": {"color": NEUTRAL, "width": np.where(chosen, 2.5, 0)},
            },
            hovertemplate=(
                "depth %{customdata[3]}: %{y:.3f}<br>interval %{customdata[0]:.3f} to"
                " %{customdata[1]:.3f}, %{customdata[2]} seeds"
            ),
        )
    )


def add_seeds(
    figure: go.Figure,
    done: pd.DataFrame,
    places: pd.Series,
    style: ArmStyle,
    mark: str,
) -> None:
    """Draw every finished seed as a dot."""
    figure.add_trace(
        go.Scatter(
            x=places,
            y=done["test"],
            customdata=done[["seed", "train", "val"]],
            meta={"mark": mark, "details": ["seed", "train", "validation"]},
            name=plain(style.label),
            legendgroup=style.label,
            showlegend=False,
            mode="markers",
            marker={
                "symbol": style.symbol,
                "color": translucent(style.colour, 0.55),
                "size": 5,
            },
            hovertemplate=(
                "seed %{customdata[0]}: test %{y:.3f}<br>train %{customdata[1]:.3f},"
                " validation %{customdata[2]:.3f}"
            ),
        )
    )


def _add_failures(figure: go.Figure, results: Results, floor: float) -> None:
    everything = all_series(results)
    for place, series in enumerate(everything):
        rows = series.rows(results.trials)
        lost = unfinished(rows)
        if lost.empty:
            continue
        style = series_style(results, series)
        is_halved = lost["status"].eq(STOPPED_EARLY).all()
        why = "stopped early (halving)" if is_halved else "not finished"
        figure.add_trace(
            go.Scatter(
                x=lost["depth"] + dodge(place, len(everything)),
                y=np.full(len(lost), floor),
                customdata=escaped(lost, "seed", "status", "reason"),
                meta=series.mark,
                name=f"{plain(style.label)}: {why}",
                mode="markers",
                cliponaxis=False,
                marker={"symbol": "x-thin", "size": 10},
                marker_line={"color": style.colour, "width": 2.5},
                hovertemplate=(
                    "seed %{customdata[0]}: %{customdata[1]}<br>%{customdata[2]}"
                ),
            )
        )


def add_floors(
    figure: go.Figure, floors: Sequence[tuple[str, float]], axis: Sequence[float]
) -> None:
    """Draw every floor as a grey line with its name at the right."""
    places = spread(
        [value for _, value in floors], gap=(axis[1] - axis[0]) * 0.058, top=axis[1]
    )
    for index, ((name, value), place) in enumerate(zip(floors, places, strict=True)):
        figure.add_hline(
            y=value,
            line={
                "color": NEUTRAL,
                "width": 1.2,
                "dash": FLOOR_DASHES[index % len(FLOOR_DASHES)],
            },
        )
        figure.add_annotation(
            x=1.01,
            xref="paper",
            xanchor="left",
            y=place,
            yanchor="middle",
            showarrow=False,
            align="left",
            text=f"{number(value)} {plain(name)}",
            font={"size": 12},
        )


def dodge(place: int, count: int) -> float:
    """Return how far a series' dots stand beside its line."""
    return 0.1 + 0.22 * place / count


def _line_in_words(results: Results, series: Series, cells: pd.DataFrame) -> str:
    label = series_style(results, series).label
    best = best_depths(results).get(series)
    chosen = cells[cells["depth"] == best]
    if chosen.empty:
        return f"{label}: no run finished."
    row = chosen.iloc[0]
    return (
        f"{label}: {number(row['mean'])} at depth {best}, which validation chose"
        f" (interval {number(row['low'])} to {number(row['high'])})."
    )


def _floors_in_words(floors: Sequence[tuple[str, float]]) -> str:
    if not floors:
        return ""
    shown = "; ".join(f"{name} {number(value)}" for name, value in floors)
    return f"Floors: {shown}."
