"""Which values, or combinations of two, are trained on, chosen by and tested."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import plotly.graph_objects as go

from workbench.chart import Chart, plain, style_figure

MOST_SHOWN = 30
LONGEST = 22
WIDE = 10  # up to so many columns their names fit below them, in two lines
INK = "#1f2430"  # on the light fills below, in either theme
# Neither an arm's colour nor a table's; every cell also says its side in letters.
FILLS = ("#C9D3DC", "#F0D48A", "#E79A8F")
MARKS = ("", "v ", "T ")
NAMES = ("Training", "Validation (v)", "Test (T)")


def split_grid_figure(grid: Mapping[str, Any], *, dark: bool = False) -> Chart:
    """Draw how many rows of each value, or pair of values, are on which side.

    Args:
        grid: ``task.grid`` of a ``plan --json`` document: ``columns``, ``levels``, and
            ``counts`` by level, level of the second column, and side.
        dark: Whether the ink is for dark paper.
    """
    counts = np.array(grid["counts"], dtype=np.int64)
    names = [list(levels) for levels in grid["levels"]] + [[""]]
    counts, rows = _shortened(counts, names[0])
    counts, columns = _shortened(counts.swapaxes(0, 1), names[1])
    sides = counts[..., :3] + counts[..., 3:] * (np.arange(3) == 0)
    if len(grid["columns"]) == 2:
        sides, counts = sides.swapaxes(0, 1), counts.swapaxes(0, 1)
    else:
        rows, columns = [""], rows  # one column is drawn as a strip
    number, most = sides.sum(axis=2), sides.argmax(axis=2)
    figure = go.Figure(
        go.Heatmap(
            z=np.where(number > 0, most, np.nan),
            x=list(range(len(columns))),
            y=list(range(len(rows))),
            text=[[_cell_text(one) for one in line] for line in sides],
            customdata=counts,
            texttemplate="%{text}",
            textfont={"color": INK, "size": 12 if len(columns) <= 12 else 10},
            colorscale=_steps(),
            zmin=0,
            zmax=2,
            xgap=2,
            ygap=2,
            showscale=False,
            hovertemplate=(
                "%{x}, %{y}<br>training %{customdata[0]}, set aside %{customdata[3]}"
                "<br>validation %{customdata[1]}, test %{customdata[2]}<extra></extra>"
            ),
        )
    )
    for name, fill in zip(NAMES, FILLS, strict=True):
        marker = {"symbol": "square", "size": 12, "color": fill}
        figure.add_trace(
            go.Scatter(x=[None], y=[None], mode="markers", marker=marker, name=name)
        )
    title = "Which values are trained on, and which are tested"
    style_figure(figure, title, dark=dark, height=210 + 30 * len(rows))
    figure.update_layout(margin={"b": 60}, legend={"y": 1.0, "yanchor": "bottom"})
    figure.update_layout(margin={"t": 84})
    _label(figure.update_xaxes, columns, grid["columns"][-1])
    if len(columns) <= WIDE:
        broken = [name.replace(" to ", "<br>to ") for name in map(_short, columns)]
        figure.update_xaxes(ticktext=broken, tickangle=0)
    _label(figure.update_yaxes, rows, grid["columns"][0] if len(rows) > 1 else "")
    figure.update_yaxes(autorange="reversed")
    return Chart(
        figure=figure,
        title=title,
        alt=f"{title}. {_in_words(grid, sides, rows, columns)}",
        source="plan.json",
        how_to_read=(
            "A cell is a value, or a combination of two; its number is how many rows"
            " have it. No row of a validation or test cell is trained on: depth is"
            " chosen on values not seen, and other such values are tested. Of training"
            " cells one row in five is set aside: the score on those is the score on"
            " what was seen."
        ),
    )


def _shortened(
    counts: np.ndarray, levels: Sequence[str]
) -> tuple[np.ndarray, list[str]]:
    """Return counts whose first axis is short enough to draw, the rest as one level.

    Levels with rows to test come first, then those that validate, then the commonest.
    """
    if len(levels) <= MOST_SHOWN:
        return counts, list(levels)
    rows = counts.sum(axis=1)
    order = np.lexsort((-rows.sum(axis=1), -rows[:, 1], -rows[:, 2]))
    kept, rest = np.sort(order[: MOST_SHOWN - 1]), order[MOST_SHOWN - 1 :]
    shown = [*(levels[int(at)] for at in kept), f"{len(rest):,} others"]
    return np.concatenate([counts[kept], counts[rest].sum(axis=0)[None]]), shown


def _cell_text(sides: np.ndarray) -> str:
    """Return the number of rows with the mark of their side; nothing where none."""
    if not sides.sum():
        return ""
    main = int(sides.argmax())
    more = int(sides.sum() - sides[main])
    return f"{MARKS[main]}{sides[main]:,}" + (f" +{more:,}" if more else "")


def _steps() -> list[list[Any]]:
    ends = ((0, 1 / 3), (1 / 3, 2 / 3), (2 / 3, 1))
    return [[end, fill] for fill, pair in zip(FILLS, ends, strict=True) for end in pair]


def _label(update: Any, levels: Sequence[str], title: str) -> None:
    """Name the levels of an axis; the numbers under them may not be read as places."""
    update(
        tickvals=list(range(len(levels))),
        ticktext=[_short(one) for one in levels],
        title_text=plain(title),
        showgrid=False,
        ticks="",
        showline=False,
    )


def _short(level: str) -> str:
    return plain(level if len(level) <= LONGEST else level[: LONGEST - 1] + "…")


def _in_words(
    grid: Mapping[str, Any],
    sides: np.ndarray,
    rows: Sequence[str],
    columns: Sequence[str],
) -> str:
    """Return the number of rows on each side, and the cells that are tested."""
    total = sides.sum(axis=(0, 1))
    tested = [
        " with ".join(one for one in (rows[int(at)], columns[int(to)]) if one)
        for at, to in np.argwhere(sides[..., 2] > 0)
    ]
    shown = ", ".join(tested[:12]) + (", …" if len(tested) > 12 else "")
    return (
        f"By {' and '.join(grid['columns'])}: {total[0]:,} rows of values that are"
        f" trained on, {total[1]:,} to validate, {total[2]:,} to test."
        f" Tested: {shown}."
    )
