"""Where every cell of a study stands: graph × network × depth, ties marked."""

import numpy as np
import plotly.graph_objects as go

from workbench.against import against_leader, leading_cell
from workbench.chart import (
    Chart,
    Series,
    all_series,
    higher_is_better,
    metric_label,
    note_figure,
    number,
    plain,
    series_style,
    style_figure,
)
from workbench.results import Results

LEVELS = ("#E4EEF5", "#9CC5E0", "#3A8FC7", "#0B5C8A")
TIE, LEADER = "≈", "★"


def standing_figure(results: Results, *, dark: bool = False) -> Chart:
    """Draw the mean test score of every series at every depth.

    Cells that no paired difference tells from the leading one are marked as ties.

    Args:
        results: A results folder.
        dark: Whether the ink is for dark paper.
    """
    metric = metric_label(results)
    leader, deltas = leading_cell(results), against_leader(results)
    figure = go.Figure()
    tied: list[str] = []
    labels = []
    for place, series in enumerate(all_series(results)):
        label = series_style(results, series).label
        labels.append(plain(label))
        means = _means(results, series)
        texts = []
        for depth in results.depths:
            delta = deltas.get((series, depth))
            mark = LEADER if (series, depth) == leader else ""
            if delta is not None and delta.standing == "tie":
                mark = TIE
                tied.append(f"{label} at depth {depth}")
            texts.append(f"{number(means.get(depth))} {mark}".strip())
        figure.add_trace(
            go.Heatmap(
                x=list(results.depths),
                y=[place],  # Plotly cannot part one axis of names between heat maps
                name=plain(label),
                z=[[means.get(depth, np.nan) for depth in results.depths]],
                text=[texts],
                texttemplate="%{text}",
                meta=series.mark,
                coloraxis="coloraxis",
                xgap=3,
                ygap=3,
                hovertemplate="depth %{x}: %{text}<extra></extra>",
            )
        )
    title = f"Where every graph stands at every depth (test {metric})"
    rows = len(all_series(results))
    style_figure(figure, title, dark=dark, height=170 + 46 * rows)
    colours = LEVELS if higher_is_better(results) else LEVELS[::-1]
    figure.update_layout(
        margin={"b": 64},
        coloraxis={
            "colorscale": [[at / 3, colour] for at, colour in enumerate(colours)],
            "colorbar": {"thickness": 12, "title": {"text": metric}},
        },
    )
    figure.update_xaxes(
        title_text="Depth (number of layers)",
        tickvals=list(results.depths),
        showgrid=False,
    )
    figure.update_yaxes(
        tickvals=list(range(rows)),
        ticktext=labels,
        range=[rows - 0.5, -0.5],
        showgrid=False,
        ticks="",
    )
    if leader is None:
        note_figure(figure, "No run finished.")
    return Chart(
        figure=figure,
        title=title,
        alt=f"{title}. {_in_words(results, leader, tied)}",
        source="trials.parquet and comparison.json",
        how_to_read=(
            f"{LEADER} is the cell with the best validation score. {TIE} marks every"
            " cell whose test score cannot be told from it: the interval of their"
            " differences, paired by seed and widened for the number of cells (Holm),"
            " holds 0. With fewer than six seeds nothing is marked. Do not pick the"
            " highest test score of the map: validation has to choose."
        ),
    )


def _means(results: Results, series: Series) -> dict[int, float]:
    return {
        int(cell["depth"]): float(cell["mean"])
        for cell in results.comparison["cells"]
        if series.owns(cell) and cell["mean"] is not None
    }


def _in_words(
    results: Results, leader: tuple[Series, int] | None, tied: list[str]
) -> str:
    if leader is None:
        return "No run finished."
    series, depth = leader
    first = (
        f"Validation puts {series_style(results, series).label} at depth {depth} first"
        f" ({number(_means(results, series).get(depth))})."
    )
    if not tied:
        return f"{first} No other cell is marked as a tie."
    return f"{first} Level with it, within noise: {', '.join(tied)}."
