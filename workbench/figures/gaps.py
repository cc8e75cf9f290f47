"""What a construction loses on values it was never trained on."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any

import numpy as np
import plotly.graph_objects as go

from workbench.chart import (
    Chart,
    Series,
    all_series,
    best_depths,
    metric_label,
    number,
    plain,
    series_style,
    style_figure,
)
from workbench.palette import NEUTRAL
from workbench.results import Results

MOST = 0.5
UNSEEN: Mapping[str, str] = MappingProxyType(
    {
        "composition": "combinations of values it has not seen",
        "interpolation": "values in between that it has not seen",
        "extrapolation": "values outside the range it has seen",
        "leave": "values it has not seen",
    }
)


@dataclass(frozen=True, slots=True)
class Gap:
    """What is lost on values not trained on, and what of.

    Attributes:
        seen: Score on rows set aside from the values trained on.
        unseen: Score on the test rows.
        mean: How much worse the second is.
        low: Lower end of its 95 % interval, or None.
        high: Upper end, or None.
        untrained: Whether most runs learned next to nothing.
    """

    seen: float
    unseen: float
    mean: float
    low: float | None
    high: float | None
    untrained: bool = False

    @property
    def interval(self) -> str:
        """The interval in brackets, or empty where there is none."""
        if self.low is None or self.high is None:
            return ""
        return f" [{number(self.low)}, {number(self.high)}]"


def find_gap(results: Results, series: Series, depth: int) -> Gap | None:
    """Return the gap of a series at a depth; None where no values are held out."""
    for cell in results.comparison["cells"]:
        if series.owns(cell) and cell["depth"] == depth:
            return _gap(cell, "seen_mean", "mean")
    return None


def gap_in_words(results: Results, series: Series, depth: int) -> str:
    """Return what a series loses on values not trained on; empty where none are."""
    gap = find_gap(results, series, depth)
    if gap is None:
        return ""
    what, metric = unseen_in_words(results), metric_label(results)
    both = (
        f" ({number(gap.seen)} on what it has seen, {number(gap.unseen)} on what it"
        " has not)"
    )
    if gap.untrained:
        return (
            f"On {what} its gap says little: most runs learned next to nothing, for"
            " lack of signal or because nothing they learned carried over to the"
            f" held-out validation rows{both}."
        )
    if gap.low is not None and gap.high is not None and gap.low <= 0 <= gap.high:
        return (
            f"On {what} it loses nothing that its seeds tell from 0: {metric}"
            f" {number(gap.mean)}{gap.interval}{both}."
        )
    verb, size = ("loses", gap) if gap.mean > 0 else ("gains", _turned(gap))
    return f"On {what} it {verb} {number(size.mean)}{size.interval} of {metric}{both}."


def unseen_in_words(results: Results) -> str:
    """Return what is tested, such as ``values outside the range it has seen``."""
    splits = [plan.get("task", {}).get("split", "") for plan in results.plans.values()]
    kinds = [split.partition(":")[0] for split in splits]
    return UNSEEN.get(next(iter(kinds), ""), UNSEEN["leave"])


def has_gaps(results: Results) -> bool:
    """Return whether the study's split holds values out."""
    return any(_gap(cell, "seen_mean", "mean") for cell in results.comparison["cells"])


def gap_figure(
    results: Results, *, depth: int | None = None, dark: bool = False
) -> Chart:
    """Draw what every series and floor loses on values not trained on.

    Args:
        results: A results folder of a study whose split holds values out.
        depth: The networks' depth; by default the one that validation chose for each.
        dark: Whether the ink is for dark paper.
    """
    metric, best = metric_label(results), best_depths(results)
    figure, sentences, labels = go.Figure(), [], []
    for series in all_series(results):
        shown = best.get(series, 0) if depth is None else depth
        gap = find_gap(results, series, shown)
        if gap is None:
            continue
        style = series_style(results, series)
        label = f"{style.label}, depth {shown}"
        dot = _dot(label, gap, style.colour, style.symbol)
        figure.add_trace(dot.update(meta=series.mark))
        labels.append(label)
        sentences.append(f"{style.label}: {gap_in_words(results, series, shown)}")
    for label, gap in _floor_gaps(results):
        figure.add_trace(_dot(label, gap, NEUTRAL, "line-ns-open"))
        labels.append(label)
        sentences.append(f"{label} loses {number(gap.mean)}{gap.interval}.")
    what = unseen_in_words(results)
    title = f"What is lost on {what}"
    style_figure(figure, title, dark=dark, height=150 + 34 * max(3, len(labels)))
    figure.update_layout(showlegend=False, margin={"b": 64})
    figure.update_xaxes(title_text=f"Gap in {metric}: how much worse on unseen values")
    figure.update_yaxes(autorange="reversed", showgrid=False)
    figure.add_vline(x=0, line={"color": NEUTRAL, "width": 1})
    return Chart(
        figure=figure,
        title=title,
        alt=f"{title}. " + " ".join(sentences),
        source="comparison.json",
        how_to_read=(
            "Right of 0: worse on the test rows, whose values were never trained on,"
            " than on rows set aside from the values that were. Lines are 95 %"
            " intervals: over seeds for graphs, over resampled rows for what needs no"
            " graph. A smaller gap at a lower score is no better graph; read it with"
            " the score."
        ),
    )


def _gap(record: Mapping[str, Any], seen: str, unseen: str) -> Gap | None:
    if record.get("gap") is None:
        return None
    return Gap(
        seen=record[seen],
        unseen=record[unseen],
        mean=record["gap"],
        low=record["gap_low"],
        high=record["gap_high"],
        untrained=(record.get("failure_rate") or 0) > MOST,
    )


def _turned(gap: Gap) -> Gap:
    """Return a gap whose sign says what is gained."""
    low = None if gap.high is None else -gap.high
    high = None if gap.low is None else -gap.low
    return Gap(gap.seen, gap.unseen, -gap.mean, low, high)


def _floor_gaps(results: Results) -> Iterator[tuple[str, Gap]]:
    """Yield each floor's label and gap; the constant has none worth drawing."""
    floors = results.comparison["baselines"]
    several = len({floor["source"] for floor in floors}) > 1
    for floor in floors:
        gap = _gap(floor, "seen", "value")
        if gap is not None and floor["learner"] != "constant":
            name = f"no graph: {floor['name']}"
            yield (f"{floor['source']} · {name}" if several else name), gap


def _dot(label: str, gap: Gap, colour: str, symbol: str) -> go.Scatter:
    low = gap.mean if gap.low is None else gap.low
    high = gap.mean if gap.high is None else gap.high
    return go.Scatter(
        x=[gap.mean],
        y=[plain(label)],
        mode="markers",
        marker={"color": colour, "symbol": symbol, "size": 11},
        error_x={
            "type": "data",
            "symmetric": False,
            "array": [np.subtract(high, gap.mean)],
            "arrayminus": [np.subtract(gap.mean, low)],
            "color": colour,
        },
        customdata=[[gap.seen, gap.unseen]],
        hovertemplate=(
            "gap %{x:.3f}: %{customdata[0]:.3f} on seen values,"
            " %{customdata[1]:.3f} on unseen ones<extra></extra>"
        ),
    )
