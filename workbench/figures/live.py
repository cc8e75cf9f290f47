"""Validation scores of the runs of a study while they are trained."""

from collections.abc import Sequence

import plotly.graph_objects as go

from workbench.chart import Chart, number, plain, style_figure
from workbench.palette import NEUTRAL, arm_style
from workbench.progress import CellProgress

MAX_ENDED = 60


def live_figure(cells: Sequence[CellProgress], *, dark: bool = False) -> Chart:
    """Draw the validation score by epoch: runs under way in colour, ended ones grey.

    Args:
        cells: Every run of a study; the last sixty that have ended are drawn.
        dark: Whether the page is.
    """
    arms = list(dict.fromkeys((cell.source, cell.topology) for cell in cells))
    shown = [cell for cell in cells if cell.curve]
    running = [cell for cell in shown if cell.state == "running"]
    ended = [cell for cell in shown if cell.state != "running"][-MAX_ENDED:]
    figure = go.Figure()
    for cell in [*ended, *running]:
        style = arm_style(cell.source, cell.topology, arms)
        is_running = cell.state == "running"
        name = f"{plain(style.label)}, depth {cell.depth}, seed {cell.seed}"
        figure.add_trace(
            go.Scatter(
                x=[epoch for epoch, _ in cell.curve],
                y=[val for _, val in cell.curve],
                name=name,
                mode="lines",
                showlegend=is_running,
                opacity=1.0 if is_running else 0.35,
                line={
                    "color": style.colour if is_running else NEUTRAL,
                    "dash": style.dash,
                    "width": 2.5 if is_running else 1,
                },
                hovertemplate=f"{name}<br>epoch %{{x}}: %{{y:.3f}}<extra></extra>",
            )
        )
    title = "How the runs learn: validation score by epoch"
    style_figure(figure, title, dark=dark, height=340)
    figure.update_xaxes(title_text="Epoch", rangemode="tozero")
    figure.update_yaxes(title_text="Validation score")
    told = [
        f"{arm_style(cell.source, cell.topology, arms).label} at depth {cell.depth},"
        f" seed {cell.seed}: {number(cell.curve[-1][1])} at epoch {cell.curve[-1][0]}."
        for cell in running
    ]
    return Chart(
        figure=figure,
        title=title,
        alt=f"{len(running)} runs under way, {len(ended)} ended. " + " ".join(told),
        source="progress.json",
        how_to_read=(
            "A line is a run: coloured while it is under way, grey once it has ended. A"
            " line that stays flat does not learn."
        ),
    )
