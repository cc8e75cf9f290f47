"""The moments that a forecast asks at, in time: how many rows, and what became."""

from collections.abc import Sequence

import plotly.graph_objects as go

from workbench.chart import Chart, number, plain, style_figure, translucent
from workbench.palette import COLOURS
from workbench.seeds import Moment
from workbench.task import Task, TaskType

# Name, colour and pattern: colour is never the only mark.
SIDES = (
    ("Training", COLOURS[0], ""),
    ("Validation", COLOURS[4], "/"),
    ("Test", COLOURS[1], "x"),
)
MS_A_SECOND = 1000
MOST_NAMED = 12  # more bars leave no room for words above them


def moments_figure(
    task: Task, moments: Sequence[Moment], *, dark: bool = False
) -> Chart:
    """Draw a forecast's seed times in time, each with its window and its labels.

    Args:
        task: The task, for what its labels are.
        moments: Its seed times, the earliest first.
        dark: Whether the ink is for dark paper.
    """
    is_share = task.task_type is TaskType.BINARY
    told = "Share with any" if is_share else "Mean label"
    forecast = task.spec.forecast
    window_s = forecast.window_s if forecast else 0
    figure = go.Figure()
    for side, (name, colour, pattern) in enumerate(SIDES):
        mine = [one for one in moments if one.side == side]
        shown = [_shown(one.mean, is_share) for one in mine]
        figure.add_trace(
            go.Bar(
                x=[one.time for one in mine],
                y=[one.mean for one in mine],
                offset=0,
                width=window_s * MS_A_SECOND,
                name=name,
                text=[
                    f"{label}<br>{one.num_rows:,} rows"
                    for label, one in zip(shown, mine, strict=True)
                ],
                textposition="outside" if len(moments) <= MOST_NAMED else "none",
                cliponaxis=False,
                marker={
                    "color": translucent(colour, 0.75),
                    "pattern": {"shape": pattern, "solidity": 0.2},
                    "line": {"color": colour, "width": 1},
                },
                hovertemplate="asked on %{x}: %{text}",
            )
        )
    title = "When it is asked, and what became of it"
    style_figure(figure, title, dark=dark, height=340)
    figure.update_xaxes(type="date", title_text="Moment (left edge) and its window")
    means = [one.mean for one in moments]
    low, high = min([0.0, *means]), max([0.0, *means])
    room = 0.3 * (high - low) or 1.0
    figure.update_yaxes(
        title_text=told,
        range=[low - (room if low < 0 else 0), high + room],
        tickformat=".0%" if is_share else "",
    )
    sentences = [
        f"{one.time[:10]} ({SIDES[one.side][0].lower()}): {one.num_rows:,} rows,"
        f" {_shown(one.mean, is_share)}."
        for one in moments
    ]
    return Chart(
        figure=figure,
        title=title,
        alt=f"{plain(told)} by seed time. {' '.join(sentences)}",
        source="the rows",
        how_to_read=(
            "A bar begins at a moment and is as wide as its window, the time from which"
            " its labels come; none reaches beyond the next moment, so that nothing"
            " that is tested was trained on."
        ),
    )


def _shown(value: float, is_share: bool) -> str:
    return f"{value:.0%}" if is_share else number(value)
