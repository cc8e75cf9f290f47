"""Differences between arms, paired by seed, with their intervals."""

from collections.abc import Mapping

import plotly.graph_objects as go

from workbench.chart import (
    Chart,
    Series,
    metric_label,
    number,
    plain,
    series_style,
    style_figure,
)
from workbench.palette import NEUTRAL
from workbench.results import Results


def contrast_figure(results: Results, *, dark: bool = False) -> Chart:
    """Draw every contrast as a difference with its interval around zero."""
    metric = metric_label(results)
    contrasts = results.comparison["contrasts"]
    figure = go.Figure()
    figure.add_vline(x=0, line={"color": NEUTRAL, "width": 1.5})
    sentences = []
    for contrast in contrasts:
        first, second = contrast_sides(results, contrast)
        low, high = contrast["low"], contrast["high"]
        difference = contrast["difference"]
        sentences.append(
            f"{first} minus {second}: {number(difference)} ({number(low)} to"
            f" {number(high)}), {contrast['verdict']}."
        )
        if difference is None:
            continue
        winner = contrast["a"] if difference > 0 else contrast["b"]
        clear = low is not None and (low > 0 or high < 0)
        style = series_style(results, series_of(winner))
        known = low is not None
        figure.add_trace(
            go.Scatter(
                x=[difference],
                y=[f"{plain(first)}<br>minus {plain(second)}"],
                mode="markers",
                showlegend=False,
                error_x={
                    "type": "data",
                    "symmetric": False,
                    "array": [high - difference if known else 0],
                    "arrayminus": [difference - low if known else 0],
                    "color": style.colour if clear else NEUTRAL,
                    "thickness": 2.2,
                    "width": 6,
                },
                marker={
                    "symbol": style.symbol if clear else "circle-open",
                    "size": 10,
                    "color": style.colour if clear else NEUTRAL,
                },
                hovertemplate="%{x:.3f}<extra>" + contrast["verdict"] + "</extra>",
            )
        )
    title = f"Differences between graphs (test {metric}, paired by seed)"
    style_figure(figure, title, dark=dark, height=150 + 58 * len(contrasts))
    figure.update_xaxes(title_text=f"Difference in test {metric}: first minus second")
    figure.update_yaxes(autorange="reversed", ticks="")
    return Chart(
        figure=figure,
        title=title,
        alt=f"{title}. " + " ".join(sentences),
        source="comparison.json",
        how_to_read=(
            "Each graph at the depth that validation chose. The bar is the 95 %"
            " t-interval of the per-seed differences: re-training noise, on this split"
            " and these test rows. A bar that crosses zero is a tie and is drawn grey."
        ),
    )


def series_of(arm: Mapping[str, object]) -> Series:
    """Return the series of an arm record of ``comparison.json``."""
    return Series(
        source=str(arm["source"]),
        topology=str(arm["topology"]),
        model=str(arm["model"]),
        remedy=str(arm["remedy"]),
    )


def contrast_sides(
    results: Results, contrast: Mapping[str, Mapping[str, object]]
) -> tuple[str, str]:
    """Return what the two sides of a contrast are called, each with its depth."""
    sides = []
    for side in ("a", "b"):
        arm = contrast[side]
        label = series_style(results, series_of(arm)).label
        depth = arm.get("depth")
        sides.append(label if depth is None else f"{label}, depth {depth}")
    return sides[0], sides[1]
