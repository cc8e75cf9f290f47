"""A chart: a Plotly figure with its alternative text and how to read it.

What every chart shares is here: the paper is transparent and the ink is the only thing
that differs between a light and a dark theme, so a page may recolour a chart without
drawing it again.
"""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from html import escape
from types import MappingProxyType

import numpy as np
import pandas as pd
import plotly.graph_objects as go
from scipy.optimize import isotonic_regression

from workbench.measure import Rows
from workbench.measures import MEASURES
from workbench.palette import DASHES, NEUTRAL, SYMBOLS, ArmStyle, arm_style
from workbench.results import Results
from workbench.score import METRICS

LIGHT_INK = "#1f2430"
DARK_INK = "#e6e8ee"
GRID = "rgba(128,128,128,0.22)"
FONT = "system-ui, -apple-system, 'Segoe UI', Roboto, 'Helvetica Neue', sans-serif"
HEIGHT = 420
DEPTH_RULE = "depth"
METRIC_TERMS: Mapping[str, str] = MappingProxyType(
    {
        "roc-auc": "ROC-AUC",
        "average-precision": "average precision",
        "log-loss": "log loss",
        "accuracy": "accuracy",
        "macro-f1": "macro F1",
        "mae": "MAE",
        "r2": "R²",
    }
)


@dataclass(frozen=True, slots=True)
class Chart:
    """A figure, and what a reader who does not see it is told.

    Attributes:
        figure: Theme-neutral but for its ink.
        title: The question the chart answers, in plain words.
        alt: What the chart shows, in a sentence or two, from the data.
        source: Which of the results' files the numbers come from.
        how_to_read: What a line, band, dot or colour means.
    """

    figure: go.Figure
    title: str
    alt: str
    source: str
    how_to_read: str


@dataclass(frozen=True, slots=True, order=True)
class Series:
    """What one line of a chart stands for: an arm, a network and a remedy."""

    source: str
    topology: str
    model: str
    remedy: str

    def rows(self, frame: pd.DataFrame) -> pd.DataFrame:
        """Return the rows of a results frame that belong to this series."""
        return pick(
            frame,
            source=self.source,
            topology=self.topology,
            model=self.model,
            remedy=self.remedy,
        )

    @property
    def mark(self) -> str:
        """What a trace of this series carries, so that others light up with it."""
        return f"{arm_mark(self.source, self.topology)}{self.model}\t{self.remedy}\t"

    def owns(self, record: Mapping[str, object]) -> bool:
        """Return whether a record of ``comparison.json`` belongs to this series."""
        return all(record[name] == getattr(self, name) for name in self.__slots__)


def arm_mark(source: str, topology: str) -> str:
    """Return what a trace of an arm carries: the start of its series' marks."""
    return f"{source}\t{topology}\t"


def all_series(results: Results) -> tuple[Series, ...]:
    """Return every series of a study, in the order in which it names them."""
    names = ["source", "topology", "model", "remedy"]
    columns = (results.trials[name].tolist() for name in names)
    rows = dict.fromkeys(zip(*columns, strict=True))
    return tuple(Series(*map(str, row)) for row in rows)


def series_style(results: Results, series: Series) -> ArmStyle:
    """Return the style of a series: its arm's, with a dash per network and remedy."""
    style = arm_style(series.source, series.topology, results.arms)
    everything = all_series(results)
    variants = list(dict.fromkeys((each.model, each.remedy) for each in everything))
    if len(variants) == 1:
        return style
    place = variants.index((series.model, series.remedy))
    models = {model for model, _ in variants}
    remedies = {remedy for _, remedy in variants}
    parts = [style.label]
    parts += [series.model] if len(models) > 1 else []
    parts += [f"remedy {series.remedy}"] if len(remedies) > 1 else []
    sources = {source for source, _ in results.arms}
    step = DASHES.index(style.dash) * len(variants) if len(sources) > 1 else 0
    return ArmStyle(
        colour=style.colour,
        dash=DASHES[(step + place) % len(DASHES)],
        symbol=SYMBOLS[(SYMBOLS.index(style.symbol) + place) % len(SYMBOLS)],
        label=" · ".join(parts),
    )


def metric_label(results: Results) -> str:
    """Return the study's metric as the field writes it, such as ``ROC-AUC``."""
    return METRIC_TERMS[results.comparison["metric"]]


def higher_is_better(results: Results) -> bool:
    """Return whether a larger score is a better one."""
    return METRICS[results.comparison["metric"]].higher_is_better


def target_type(results: Results) -> str | None:
    """Return the target's node type: the only one with a state at the last layer."""
    # A relation whose children are target rows is measured at the last layer too.
    alone = [name for name, one in MEASURES.items() if one.takes is Rows]
    frame = results.layers[results.layers["measure"].isin(alone)]
    names = last_layers(frame)["node_type"].tolist()
    return Counter(map(str, names)).most_common(1)[0][0] if names else None


def pick(frame: pd.DataFrame, **wanted: object) -> pd.DataFrame:
    """Return the rows of a frame whose columns hold the wanted values."""
    kept = np.ones(len(frame), dtype=bool)
    for column, value in wanted.items():
        kept &= (frame[column] == value).to_numpy(dtype=bool)
    return frame.take(np.flatnonzero(kept))


def unfinished(frame: pd.DataFrame) -> pd.DataFrame:
    """Return the trials that have no score."""
    return frame.take(np.flatnonzero((frame["status"] != "ok").to_numpy(dtype=bool)))


def last_layers(frame: pd.DataFrame) -> pd.DataFrame:
    """Return the rows of a frame that speak of a network's last layer."""
    last = frame["layer"].to_numpy() == frame["depth"].to_numpy()
    return frame.take(np.flatnonzero(last))


def means_by(frame: pd.DataFrame, key: str, *columns: str) -> pd.DataFrame:
    """Return the means of some columns, indexed by the sorted values of another."""
    return pd.DataFrame(
        {column: frame.groupby(key)[column].mean() for column in columns}
    )


def best_depths(results: Results) -> dict[Series, int]:
    """Return the depth that validation chose for each series."""
    return {
        series: int(record["depth"])
        for series in all_series(results)
        for record in results.comparison["best"]
        if series.owns(record)
    }


def style_figure(
    figure: go.Figure, title: str, *, dark: bool, height: int = HEIGHT
) -> go.Figure:
    """Give a figure the look that all charts share."""
    figure.update_layout(
        template="none",
        title={"text": title, "x": 0, "xref": "paper", "xanchor": "left", "y": 0.98},
        title_font={"size": 16},
        title_yanchor="top",
        font={"family": FONT, "size": 13, "color": DARK_INK if dark else LIGHT_INK},
        paper_bgcolor="rgba(0,0,0,0)",
        plot_bgcolor="rgba(0,0,0,0)",
        height=height,
        margin={"l": 64, "r": 24, "t": 56, "b": 96},
        legend={"orientation": "h", "x": 0, "y": -0.2, "yanchor": "top"},
        hoverlabel={"align": "left"},
        hovermode="closest",
        modebar={"bgcolor": "rgba(0,0,0,0)", "color": NEUTRAL, "activecolor": NEUTRAL},
    )
    axis = {
        "gridcolor": GRID,
        "zeroline": False,
        "linecolor": NEUTRAL,
        "ticks": "outside",
        "tickcolor": GRID,
        "automargin": True,
        "title_standoff": 10,
    }
    figure.update_xaxes(**axis)
    figure.update_yaxes(**axis)
    return figure


def mark_depth(figure: go.Figure, depth: int) -> None:
    """Draw a vertical rule at a depth; its name lets a page move it."""
    rule = {"color": NEUTRAL, "width": 1.5}
    figure.add_vline(x=depth, line=rule, name=DEPTH_RULE)


def whole_number_axis(figure: go.Figure, values: Sequence[int], title: str) -> None:
    """Tick a horizontal axis at whole numbers only."""
    step = 1 if len(values) <= 12 else max(1, max(values) // 8)
    ticks = [value for value in values if step == 1 or value % step == 0]
    figure.update_xaxes(
        title_text=title,
        tickvals=ticks,
        range=[min(values, default=0) - 0.4, max(values, default=0) + 0.4],
    )


def translucent(colour: str, alpha: float) -> str:
    """Return a hexadecimal colour as ``rgba(...)``."""
    red, green, blue = (int(colour[at : at + 2], 16) for at in (1, 3, 5))
    return f"rgba({red},{green},{blue},{alpha})"


def padded_range(values: Sequence[float], share: float = 0.08) -> list[float]:
    """Return an axis range around the finite values."""
    finite = np.asarray(values, dtype=float)
    finite = finite[np.isfinite(finite)]
    if not len(finite):
        return [0.0, 1.0]
    low, high = float(finite.min()), float(finite.max())
    room = (high - low) * share or abs(high) * share or 0.5
    return [low - room, high + room]


def score_range(results: Results, scores: Sequence[float]) -> list[float]:
    """Return an axis range around scores, inside what the metric can be."""
    low, high = padded_range(scores)
    if results.comparison["metric"] in {"mae", "r2", "log-loss"}:
        return [low, high]
    return [max(low, -0.02), min(high, 1.02)]


def spread(values: Sequence[float], gap: float, top: float) -> list[float]:
    """Return label positions near the values that keep a gap and stay below a top.

    The sum of squared shifts is the least there is: after the gaps are taken out, what
    is left is an isotonic regression.
    """
    if not values:
        return []
    order = np.argsort(values, kind="stable")
    steps = gap * np.arange(len(values))
    near = isotonic_regression(np.asarray(values, dtype=float)[order] - steps).x + steps
    placed = np.empty(len(values))
    placed[order] = np.minimum(near, top - steps[::-1])
    return [float(place) for place in placed]


def number(value: float | None) -> str:
    """Return a score as a reader wants it: three significant digits, or a dash."""
    if value is None or not np.isfinite(value):
        return "–"
    if value != 0 and (abs(value) >= 10_000 or abs(value) < 0.0005):
        return f"{value:.2e}"
    return f"{value:.3f}" if abs(value) < 10 else f"{value:,.4g}"


def plain(text: object) -> str:
    """Return a user's text so that Plotly, which reads some HTML, shows it as it is."""
    return escape(str(text), quote=False)


def escaped(frame: pd.DataFrame, *columns: str) -> list[list[str]]:
    """Return the cells of some columns as `plain` text, row by row."""
    values = zip(*(frame[column].tolist() for column in columns), strict=True)
    return [[plain(value) for value in row] for row in values]


def note_figure(figure: go.Figure, text: str) -> None:
    """Say in the middle of an empty chart why it is empty."""
    figure.add_annotation(
        text=text, x=0.5, y=0.5, xref="paper", yref="paper", showarrow=False
    )
