"""Where networks put the target's rows: two-dimensional embeddings, aligned.

By principal components, or by UMAP where it has been asked for.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
import plotly.graph_objects as go
from plotly.subplots import make_subplots
from scipy.linalg import orthogonal_procrustes

from workbench.chart import (
    Chart,
    Series,
    all_series,
    best_depths,
    number,
    pick,
    plain,
    series_style,
    style_figure,
)
from workbench.embedding import Laid
from workbench.figures.colouring import Colouring, colouring_of, is_numeric
from workbench.plane import Umap
from workbench.results import Results

MAX_ROWS = 2000
MAX_PANELS_A_ROW = 3
ROWS, RINGS = "rows", "chosen rows"


@dataclass(frozen=True, slots=True)
class Wording:
    """What is said of a way into the plane: title, axes, file, how to read it."""

    title: str
    axes: tuple[str, str]
    source: str
    reading: str


PRINCIPAL = Wording(
    title="Where the networks put the target's rows",
    axes=("First component, aligned", "Second component"),
    source="projection.parquet (first seed)",
    reading=(
        "Panels are principal components of the states, scaled to the same size and"
        " turned to match; distances compare within a panel."
    ),
)
UMAP_WARNING = (
    "Near rows are near in the network. Distances between groups, their sizes and how"
    " dense they are mean nothing."
)
BY_UMAP = Wording(
    title="Where the networks put the target's rows, near ones together (UMAP)",
    axes=("UMAP, first axis, aligned", "UMAP, second axis"),
    source=(
        "states.parquet (first seed), laid out by umap-learn: McInnes, Healy, Melville"
        " (2018), arXiv:1802.03426; started from principal components as in Kobak,"
        " Linderman (2021), Nature Biotechnology 39"
    ),
    reading=(
        f"{UMAP_WARNING} Panels are scaled to the same size and turned to match the"
        " principal components."
    ),
)


@dataclass(frozen=True, slots=True)
class Frame:
    """Where one layer of one network puts the rows.

    Attributes:
        series: The graph, network and remedy.
        depth: The network's depth.
        layer: The layer; 0 is the input.
        places: float64 [rows, 2]: aligned positions in the order of `sampled_keys`; NaN
            where a row has none.
        correct: bool [rows]: whether the network predicts the row rightly.
    """

    series: Series
    depth: int
    layer: int
    places: np.ndarray
    correct: np.ndarray


def projection_figure(
    results: Results,
    *,
    depth: int | None = None,
    layer: int | None = None,
    colour: str = "class",
    laid: Sequence[Laid] | None = None,
    dark: bool = False,
) -> Chart:
    """Draw the target's rows in two principal components, a panel per series.

    Or as UMAP has laid them out, where that is handed in.

    Every panel is turned and mirrored (orthogonal Procrustes, never stretched) so that
    its rows lie as near as they can to the same rows of one fixed reference: the last
    layer of the first series at its best depth. What then differs between panels, or
    when the depth changes, is a difference between representations.

    Args:
        results: A results folder.
        depth: The networks' depth; each series' best depth by default.
        layer: The layer; the last one by default.
        colour: Name in `colourings`: what the dots' colours say.
        laid: What `workbench.embedding.embed` yielded for this depth and layer; a panel
            of which there is none stays empty. None for principal components.
        dark: Whether the ink is for dark paper.

    Source: Schönemann (1966), Psychometrika 31, p. 1 (orthogonal Procrustes).
    """
    everything = all_series(results)
    best = best_depths(results)
    depths = [
        best.get(series, max(results.depths)) if depth is None else depth
        for series in everything
    ]
    columns = min(len(everything), MAX_PANELS_A_ROW)
    rows = -(-len(everything) // columns)
    titles = [
        f"{series_style(results, series).label}, depth {at}, layer"
        f" {at if layer is None else layer}"
        for series, at in zip(everything, depths, strict=True)
    ]
    figure = make_subplots(
        rows=rows,
        cols=columns,
        subplot_titles=[plain(name).replace(", depth", "<br>depth") for name in titles],
        horizontal_spacing=0.03,
        vertical_spacing=0.2 / rows,
    )
    keys = sampled_keys(results)
    reference = _reference(results, everything, best)
    shown = colouring_of(results, colour)
    places = None if laid is None else {each.series: each.rows for each in laid}
    sentences: list[str] = []
    for place, (series, at) in enumerate(zip(everything, depths, strict=True)):
        row, column = place // columns + 1, place % columns + 1
        panel = pick(
            series.rows(results.projection),
            depth=at,
            layer=at if layer is None else layer,
        )
        if places is not None and len(panel):
            panel = places.get(series, panel.assign(x=np.nan, y=np.nan))
        panel = panel.drop_duplicates(subset="key")
        sentences.append(f"{titles[place]}: {_apart_in_words(results, panel)}")
        if panel.empty:
            figure.add_annotation(
                text="no run finished", x=0, y=0, showarrow=False, row=row, col=column
            )
            continue
        first = not figure.data
        for trace in _traces(align(panel, reference), keys, shown, series.mark, first):
            figure.add_trace(trace, row=row, col=column)
    if figure.data:
        figure.add_traces(shown.legend())
    words = PRINCIPAL if laid is None else BY_UMAP
    style_figure(figure, words.title, dark=dark, height=130 + 320 * rows)
    figure.update_annotations(font_size=13)
    figure.update_layout(margin={"t": 104, "b": 70}, legend={"y": -0.12 / rows})
    figure.update_xaxes(showticklabels=False, ticks="", range=[-2.6, 2.6])
    figure.update_yaxes(showticklabels=False, ticks="", range=[-2.6, 2.6])
    figure.update_xaxes(title_text=words.axes[0], row=rows)
    figure.update_yaxes(title_text=words.axes[1], col=1)
    return Chart(
        figure=figure,
        title=words.title,
        alt=f"{words.title}, {len(keys)} rows per panel. " + " ".join(sentences),
        source=words.source,
        how_to_read=(
            f"Each dot is one of at most {MAX_ROWS} fixed rows of the target's table,"
            f" the same in every panel, coloured by {shown.said}; hollow dots are"
            f" predicted wrongly. {words.reading}"
        ),
    )


def sampled_keys(results: Results) -> tuple[str, ...]:
    """Return the keys of the rows that every panel shows, in one fixed order."""
    frame = results.projection[["row", "key"]].drop_duplicates(subset="key")
    ordered = frame.sort_values(["row", "key"], kind="stable")["key"]
    return tuple(map(str, ordered.head(MAX_ROWS)))


def projection_frames(results: Results) -> Iterator[Frame]:
    """Yield every layer of every network of a study, aligned as the figure's panels."""
    everything = all_series(results)
    reference = _reference(results, everything, best_depths(results))
    keys = sampled_keys(results)
    for series in everything:
        mine = series.rows(results.projection)
        for (depth, layer), rows in mine.groupby(["depth", "layer"], sort=True):
            yield _frame(Laid(series, int(depth), int(layer), rows), reference, keys)


def laid_frames(results: Results, laid: Iterable[Laid]) -> Iterator[Frame]:
    """Yield what UMAP has laid out, aligned as the figure's panels."""
    reference = _reference(results, all_series(results), best_depths(results))
    keys = sampled_keys(results)
    for each in laid:
        yield _frame(each, reference, keys)


def umap_in_words(settings: Umap) -> str:
    """Return what stands beside a layout: how it was made, and what not to read."""
    return (
        f"UMAP with {settings.neighbours} neighbours (n_neighbors), smallest distance"
        f" {number(settings.min_dist)} (min_dist), seed {settings.seed}. {UMAP_WARNING}"
    )


def _frame(laid: Laid, reference: pd.DataFrame, keys: Sequence[str]) -> Frame:
    panel = align(laid.rows.drop_duplicates(subset="key"), reference)
    ordered = _ordered(panel, keys)
    return Frame(
        series=laid.series,
        depth=laid.depth,
        layer=laid.layer,
        places=ordered[["x", "y"]].to_numpy(dtype=float),
        correct=(ordered["correct"] == True).to_numpy(dtype=bool),  # noqa: E712  # NaN is not
    )


def align(panel: pd.DataFrame, reference: pd.DataFrame) -> pd.DataFrame:
    """Return a panel turned and mirrored onto the same keys of a reference.

    Args:
        panel: Rows with ``key``, ``x`` and ``y``.
        reference: The same columns; rows are matched by key.

    Returns:
        A new frame with the same distances between its rows; the panel as it is where
        fewer than three keys that have a place are shared.
    """
    placed = panel.dropna(subset=["x", "y"])
    shared = placed.merge(reference, on="key", suffixes=("", "_reference"))
    if len(shared) < 3:
        return panel
    mine = shared[["x", "y"]].to_numpy()
    wanted = shared[["x_reference", "y_reference"]].to_numpy()
    turn, _ = orthogonal_procrustes(
        mine - mine.mean(axis=0), wanted - wanted.mean(axis=0)
    )
    plane = (panel[["x", "y"]].to_numpy() - mine.mean(axis=0)) @ turn
    return panel.assign(x=plane[:, 0], y=plane[:, 1])


def _ordered(panel: pd.DataFrame, keys: Sequence[str]) -> pd.DataFrame:
    """Return a panel's rows in the order of the keys, NaN where one is missing."""
    named = panel.assign(key=panel["key"].astype(str)).set_index("key")
    return named.reindex(list(keys))


def _reference(
    results: Results, everything: Sequence[Series], best: dict[Series, int]
) -> pd.DataFrame:
    """Return the first panel that spans a plane, whatever depth is looked at."""
    panel = results.projection.head(0)
    for series in everything:
        at = best.get(series, max(results.depths))
        panel = pick(series.rows(results.projection), depth=at, layer=at)
        panel = panel.drop_duplicates(subset="key")
        if len(panel) and np.ptp(panel[["x", "y"]].to_numpy(), axis=0).all():
            break
    return panel


def _traces(
    panel: pd.DataFrame,
    keys: Sequence[str],
    shown: Colouring,
    mark: str,
    first: bool,
) -> list[go.Scatter]:
    """Return a panel's dots in the order of the keys, and a place for chosen ones."""
    ordered = _ordered(panel, keys)
    wrong = (ordered["correct"] == False).to_numpy(dtype=bool)  # noqa: E712  # NaN is not
    dots = go.Scatter(
        x=ordered["x"],
        y=ordered["y"],
        name=ROWS,
        meta={"mark": mark, "details": ["row", "true value"]},
        customdata=[
            [plain(key), plain(label)]
            for key, label in zip(keys, ordered["label"], strict=True)
        ],
        showlegend=False,
        mode="markers",
        marker={"size": 5.5, "opacity": 0.75},
        marker_symbol=np.where(wrong, "circle-open", "circle"),
        unselected={"marker": {"opacity": 0.75}},
        hovertemplate=(
            "row %{customdata[0]}, true value %{customdata[1]}<extra></extra>"
        ),
    )
    dots.update(marker=shown.marker(ordered[shown.column], first=first))
    rings = go.Scatter(
        x=[],
        y=[],
        name=RINGS,
        meta=mark,
        showlegend=False,
        mode="markers",
        hoverinfo="skip",
        marker={"size": 14, "symbol": "circle-open", "line": {"width": 2.5}},
    )
    return [dots, rings]


def _apart_in_words(results: Results, panel: pd.DataFrame) -> str:
    if panel.empty:
        return "no run finished."
    share = float(panel["correct"].to_numpy(dtype=bool).mean())
    if is_numeric(results):
        return f"{number(share)} of its rows are within half a standard deviation."
    return f"{number(share)} of its rows are predicted right."
