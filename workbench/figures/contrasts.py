"""Differences between arms, paired by seed, with their intervals."""

from collections.abc import Mapping
from typing import Any

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

WINNERS = {"a better": "a", "b better": "b"}
VERDICTS = {"a better": "the first is better", "b better": "the second is better"}


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
            f" {number(high)}), {verdict_in_words(contrast)}."
        )
        if difference is None:
            continue
        winner = WINNERS.get(contrast["verdict"])
        clear = winner is not None
        style = series_style(results, series_of(contrast[winner or "a"]))
        known = low is not None
        row = f"{plain(first)}<br>minus {plain(second)}"
        _add_test_rows(figure, contrast, row, style.colour if clear else NEUTRAL)
        figure.add_trace(
            go.Scatter(
                x=[difference],
                y=[row],
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
                hovertemplate="%{x:.3f}<extra>"
                + plain(verdict_in_words(contrast))
                + "</extra>",
            )
        )
    title = f"Differences between graphs (test {metric}, paired by seed)"
    style_figure(figure, title, dark=dark, height=150 + 58 * len(contrasts))
    figure.update_xaxes(title_text=f"Difference in test {metric}: first minus second")
    figure.update_yaxes(range=[len(contrasts) - 0.4, -0.6], ticks="")
    return Chart(
        figure=figure,
        title=title,
        alt=f"{title}. " + " ".join(sentences),
        source="comparison.json",
        how_to_read=(
            "Each graph at the depth that validation chose. The bar is the t-interval"
            " of the per-seed differences, widened for the number of contrasts (Holm):"
            " re-training noise, on this split and these test rows. A difference that"
            " is no more than noise is hollow and grey; otherwise the bar has the"
            " colour of the better graph. The pale, broad bar is another noise: what"
            " other test rows of the same kind would make of the same networks (95 %"
            " bootstrap)."
        ),
    )


def _add_test_rows(
    figure: go.Figure, contrast: Mapping[str, Any], row: str, colour: str
) -> None:
    """Draw what other test rows would make of a difference, where that is known."""
    low, high = contrast.get("rows_low"), contrast.get("rows_high")
    if low is None or high is None:
        return
    figure.add_trace(
        go.Scatter(
            x=[low, high],
            y=[row, row],
            mode="lines",
            showlegend=False,
            opacity=0.3,
            line={"color": colour, "width": 13},
            hovertemplate="other test rows: %{x:.3f}<extra></extra>",
        )
    )


def verdict_in_words(contrast: Mapping[str, object]) -> str:
    """Return what a contrast says, its sides being called first and second."""
    verdict = str(contrast["verdict"])
    return VERDICTS.get(verdict, verdict)


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
