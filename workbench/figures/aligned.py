"""Score against what is seen: two layers here beside four that see the same."""

from collections.abc import Iterator, Mapping

import pandas as pd
import plotly.graph_objects as go

from workbench.alignment import Level, align_hops
from workbench.chart import (
    Chart,
    Series,
    all_series,
    higher_is_better,
    metric_label,
    note_figure,
    pick,
    plain,
    score_range,
    series_style,
    style_figure,
    translucent,
)
from workbench.figures.depths import (
    add_band,
    add_floors,
    add_line,
    add_seeds,
    merged_floors,
    series_cells,
)
from workbench.figures.plans import Plans
from workbench.palette import NEUTRAL, ArmStyle, arm_style
from workbench.results import Results

MAX_NAMES = 2
STEP = 0.12  # how far depths that add nothing to what is seen stand apart
DODGE = 0.025  # how far lines that would cover each other stand apart
Arm = tuple[str, str]


def aligned_figure(
    results: Results, *, depth: int | None = None, dark: bool = False
) -> Chart:
    """Draw the test score against what the target sees (semantic reach).

    Args:
        results: A results folder.
        depth: A depth whose cells are ringed in grey, or None.
        dark: Whether the ink is for dark paper.
    """
    metric = metric_label(results)
    levels = levels_of(results.plans, results.arms)
    better = higher_is_better(results)
    floors = merged_floors(results.comparison["baselines"], highest=better)
    figure = go.Figure()
    scores: list[float] = [value for _, value in floors]
    for place, series in enumerate(all_series(results)):
        style = series_style(results, series)
        cells = _placed(series_cells(results, series), levels, series)
        cells["x"] += DODGE * place
        first = cells[cells["extra"] == 0]
        add_band(figure, first, style, series.mark)
        add_line(figure, results, series, first, style)
        _add_deeper(figure, cells[cells["extra"] > 0], style, series.mark)
        _number(figure, cells, style, series.mark)
        rows = pick(series.rows(results.trials), status="ok")
        at = dict(zip(cells["depth"], cells["x"], strict=True))
        add_seeds(figure, rows, rows["depth"].map(at) + DODGE / 2, style, series.mark)
        scores += [*rows["test"], *cells["low"], *cells["high"]]
        if depth is not None:
            _mark(figure, cells[cells["depth"] == depth])
    axis = score_range(results, scores)
    add_floors(figure, floors, axis)
    if not levels:
        note_figure(figure, "The graphs share no column, so nothing can be aligned.")
    title = f"How the score changes with what is seen ({metric})"
    style_figure(figure, title, dark=dark, height=480)
    figure.update_layout(margin={"r": 250 if floors else 24})
    figure.update_yaxes(
        title_text=f"Test {metric} ({'higher' if better else 'lower'} is better)",
        range=axis,
    )
    figure.update_xaxes(
        title_text="What a target row sees (semantic reach)",
        tickvals=list(range(len(levels))),
        ticktext=[plain(one) for one in labels_of(levels)],
        range=[-0.4, max(len(levels) - 0.2, 0.6)],
    )
    return Chart(
        figure=figure,
        title=title,
        alt=" ".join([f"Test {metric} by what is seen.", *same_sight(results)]),
        source="trials.parquet, comparison.json and plan.json",
        how_to_read=(
            "Graphs stand above one another where they see the same columns, however"
            " many layers that takes; the number at a marker is the number of layers."
            " Smaller markers to the right of it are deeper networks that see nothing"
            " new. Bands, dots and grey lines are as in the drawing by layers. What a"
            " graph sees as a summary counts as seen."
        ),
    )


def levels_of(plans: Plans, arms: tuple[Arm, ...]) -> tuple[Level[Arm], ...]:
    """Return what the graphs of a study see, fewest columns first."""
    reached: dict[Arm, Mapping[str, int | None]] = {
        (source, graph["name"]): graph["hops"]
        for source, plan in plans.items()
        for graph in plan["topologies"]
        if (source, graph["name"]) in arms
    }
    levels = align_hops(reached)
    return levels if any(one.columns for one in levels) else ()


def labels_of(levels: tuple[Level[Arm], ...]) -> list[str]:
    """Return what each level adds to the largest of the earlier ones that it holds."""
    labels = []
    for place, level in enumerate(levels):
        seen = set(level.columns)
        held = [set(one.columns) for one in levels[:place] if set(one.columns) < seen]
        before = held[-1] if held else set()
        added = _tables(seen - before)
        new = [one for one in added if one not in _tables(before)] or [
            f"more of {one}" for one in added
        ]
        names = ", ".join(new[:MAX_NAMES])
        more = f" and {len(new) - MAX_NAMES} more" if len(new) > MAX_NAMES else ""
        labels.append(f"{'+ ' if before else ''}{names or 'nothing'}{more}")
    return labels


def same_sight(results: Results) -> list[str]:
    """Return a sentence per level that takes graphs different numbers of layers."""
    levels = levels_of(results.plans, results.arms)
    return [*_sentences(results, levels)]


def _sentences(results: Results, levels: tuple[Level[Arm], ...]) -> Iterator[str]:
    for level, label in zip(levels, labels_of(levels), strict=True):
        by_depth: dict[int, list[str]] = {}
        for arm in results.arms:
            depth = level.depths.get(arm)
            if depth is not None:
                name = arm_style(*arm, results.arms).label
                by_depth.setdefault(depth, []).append(name)
        if len(by_depth) > 1:
            told = ", ".join(
                f"{depth} in {' and '.join(names)}"
                for depth, names in sorted(by_depth.items())
            )
            yield f"Layers until {label.removeprefix('+ ')} is in sight: {told}."


def _tables(columns: set[str]) -> list[str]:
    return sorted({one.rpartition(".")[0] for one in columns})


def _placed(
    cells: pd.DataFrame, levels: tuple[Level[Arm], ...], series: Series
) -> pd.DataFrame:
    """Return cells with their place, and how many depths of that place came before."""
    arm = (series.source, series.topology)
    places, counts = [], []
    for depth in cells["depth"]:
        place = -1
        for at, level in enumerate(levels):
            needed = level.depths.get(arm)
            if needed is not None and needed <= depth:
                place = at
        places.append(place)
        counts.append(places.count(place) - 1)
    placed = cells.assign(level=places, extra=counts)
    placed["x"] = placed["level"] + STEP * placed["extra"]
    return placed[placed["level"] >= 0]


def _add_deeper(
    figure: go.Figure, cells: pd.DataFrame, style: ArmStyle, mark: str
) -> None:
    figure.add_trace(
        go.Scatter(
            x=cells["x"],
            y=cells["mean"],
            customdata=cells[["low", "high", "depth"]],
            meta=mark,
            name=plain(style.label),
            legendgroup=style.label,
            showlegend=False,
            mode="markers",
            marker={
                "symbol": style.symbol,
                "size": 7,
                "color": translucent(style.colour, 0.7),
            },
            hovertemplate=(
                "depth %{customdata[2]}, nothing new in sight: %{y:.3f}<br>interval"
                " %{customdata[0]:.3f} to %{customdata[1]:.3f}"
            ),
        )
    )


def _number(figure: go.Figure, cells: pd.DataFrame, style: ArmStyle, mark: str) -> None:
    """Write the number of layers above each marker."""
    figure.add_trace(
        go.Scatter(
            x=cells["x"],
            y=cells["mean"],
            text=[str(int(depth)) for depth in cells["depth"]],
            textposition="top center",
            textfont={"size": 11, "color": style.colour},
            mode="text",
            meta=mark,
            legendgroup=style.label,
            showlegend=False,
            hoverinfo="skip",
        )
    )


def _mark(figure: go.Figure, cells: pd.DataFrame) -> None:
    figure.add_trace(
        go.Scatter(
            x=cells["x"],
            y=cells["mean"],
            mode="markers",
            showlegend=False,
            hoverinfo="skip",
            marker={
                "symbol": "circle-open",
                "size": 19,
                "color": NEUTRAL,
                "line": {"width": 1.5},
            },
        )
    )
