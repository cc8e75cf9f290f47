"""What trained networks listen to: shares of influence by hop and by table."""

import pandas as pd
import plotly.graph_objects as go
from plotly.subplots import make_subplots

from workbench.chart import (
    Chart,
    Series,
    all_series,
    mark_depth,
    means_by,
    note_figure,
    pick,
    plain,
    series_style,
    style_figure,
    whole_number_axis,
)
from workbench.figures.plans import MAX_TABLES, TABLE_COLOURS
from workbench.figures.walks import hop_colour
from workbench.palette import NEUTRAL
from workbench.results import Results

OTHERS = "other tables"


def influence_figure(
    results: Results,
    *,
    depth: int | None = None,
    state: str = "trained",
    dark: bool = False,
) -> Chart:
    """Draw shares of influence by depth, a row of two panels per series.

    Args:
        results: A results folder.
        depth: A depth to mark with a vertical rule, or None.
        state: ``trained`` or ``untrained``.
        dark: Whether the ink is for dark paper.
    """
    frame = pick(results.influence, state=state)
    shown = [one for one in all_series(results) if len(one.rows(frame))]
    rows = max(1, len(shown))
    titles = [
        f"{plain(series_style(results, one).label)}, {kind}"
        for one in shown
        for kind in ("by hop", "by table")
    ]
    figure = make_subplots(
        rows=rows,
        cols=2,
        shared_yaxes=True,
        subplot_titles=titles,
        horizontal_spacing=0.05,
        vertical_spacing=0.3 / rows,
    )
    tables = _largest(frame)
    sentences, named = [], set[str]()
    for row, series in enumerate(shown, start=1):
        mine = series.rows(frame)
        for bar in (*_hops(pick(mine, kind="hop")), *_tables(mine, tables)):
            bar.showlegend = bar.name not in named
            bar.meta = series.mark
            named.add(str(bar.name))
            figure.add_trace(bar, row=row, col=1 if bar.legend == "legend" else 2)
        sentences.append(_in_words(results, series, mine))
    title = f"What the {state} networks listen to"
    style_figure(figure, title, dark=dark, height=150 + 230 * rows)
    figure.update_annotations(font_size=13)
    below = -0.3 / rows
    figure.update_layout(
        barmode="stack",
        margin={"t": 92, "b": 130},
        legend={"y": below},
        legend2={"orientation": "h", "x": 0, "y": below * 1.4, "yanchor": "top"},
    )
    whole_number_axis(figure, results.depths, "")
    figure.update_xaxes(title_text="Depth (layers)", row=rows)
    figure.update_yaxes(range=[0, 1], tickformat=".0%")
    figure.update_yaxes(title_text="Share of influence", col=1)
    if depth is not None and shown:
        mark_depth(figure, depth)
    if not shown:
        note_figure(figure, "These results were made before influence was measured.")
    return Chart(
        figure=figure,
        title=title,
        alt=f"{title}. " + " ".join(sentences),
        source="influence.parquet",
        how_to_read=(
            "Squared gradients of test rows' outputs in the state that each row enters"
            " the first layer with, per standard deviation; means over seeds. Exactly"
            " nothing where a table is beyond reach. A table that is folded into"
            " another counts with it, and columns on links are not counted."
        ),
    )


def _largest(frame: pd.DataFrame) -> list[str]:
    """Return the tables with most influence, in the order of their names."""
    known = pick(frame, kind="table").dropna(subset=["value"])
    total = known.groupby("name")["value"].sum().sort_values(ascending=False)
    return sorted(map(str, total.index[:MAX_TABLES]))


def _hops(frame: pd.DataFrame) -> list[go.Bar]:
    bars = []
    for hop in sorted({int(name) for name in frame["name"]}):
        means = means_by(pick(frame, name=str(hop)), "depth", "value")["value"]
        bars.append(_bar(means, f"hop {hop}", hop_colour(hop), "legend"))
    return bars


def _tables(frame: pd.DataFrame, tables: list[str]) -> list[go.Bar]:
    known = pick(frame, kind="table")
    bars = []
    for table, colour in zip(tables, TABLE_COLOURS, strict=False):
        means = means_by(pick(known, name=table), "depth", "value")["value"]
        if len(means):
            bars.append(_bar(means, plain(table), colour, "legend2"))
    rest = known[~known["name"].isin(tables)]
    if rest["value"].sum() > 0:
        by_name = rest.groupby(["depth", "name"])["value"].mean()
        means = by_name.groupby("depth").sum()
        bars.append(_bar(means, OTHERS, NEUTRAL, "legend2"))
    return bars


def _bar(means: pd.Series, name: str, colour: str, legend: str) -> go.Bar:
    return go.Bar(
        x=means.index,
        y=means,
        name=name,
        legend=legend,
        legendgroup=name,
        marker={"color": colour},
        hovertemplate=f"depth %{{x}}, {name}: %{{y:.1%}}<extra></extra>",
    )


def _in_words(results: Results, series: Series, frame: pd.DataFrame) -> str:
    label = series_style(results, series).label
    deepest = pick(frame, depth=frame["depth"].max()).dropna(subset=["value"])
    tables = means_by(pick(deepest, kind="table"), "name", "value")["value"]
    mean = pick(deepest, kind="range")["value"].mean()
    if not len(tables) or not mean >= 0:
        return f"{label}: nothing has any influence."
    return (
        f"{label} at depth {frame['depth'].max()}: {mean:.1f} hops away on average,"
        f" most from {tables.idxmax()} ({tables.max():.0%})."
    )
