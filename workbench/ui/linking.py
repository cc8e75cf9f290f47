"""What the Compare page's linked figures are made of: which, in which order, of what.

Every figure is packed by itself and kept under what it depends on, so that another
measure draws two figures again and not all of them.
"""

import base64
import hashlib
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, fields, replace
from pathlib import Path
from types import MappingProxyType
from typing import Any, TypeVar

import numpy as np
import streamlit as st

from workbench.against import Delta, deltas_at
from workbench.chart import Chart, Series, all_series, number, series_style
from workbench.diagnosis import diagnose
from workbench.embedding import umap_refusal
from workbench.evidence import gather
from workbench.figures import (
    aligned_figure,
    beside_preview,
    contrast_figure,
    cost_figure,
    depth_figure,
    gap_figure,
    hop_heatmap,
    influence_figure,
    last_layer_figure,
    layer_figure,
    projection_figure,
    reach_figure,
    sibling_figure,
    standing_figure,
    train_test_figure,
    walk_figure,
)
from workbench.figures.colouring import COLOURINGS, CORRECTNESS, colourings
from workbench.figures.embeddings import (
    Frame,
    laid_frames,
    projection_frames,
    sampled_keys,
    umap_in_words,
)
from workbench.figures.gaps import gap_in_words, has_gaps
from workbench.measure import Rows
from workbench.measures import MEASURES
from workbench.plane import Umap
from workbench.reading import HEADLINE_MEASURE, read_depth
from workbench.results import Results
from workbench.ui import calls, laying, linked, scores
from workbench.view import Labelled

SCALE = 8192  # positions travel as whole numbers of this part of a unit
MISSING = -32768
MOST_PLACES = 1_500_000
EVERY_DEPTH = "*"
SAID, FRAMES = "said", "frames"
PCA, UMAP = "pca", "umap"
PROJECTIONS: Mapping[str, str] = MappingProxyType(
    {PCA: "principal components (PCA)", UMAP: "near rows together (UMAP)"}
)

SCORES = "Score and depth"
STANDING = "Every graph at every depth"
SAMENESS = "Sameness (oversmoothing)"
HOPS = "What each hop brings (reach and influence)"
PLACES = "Where the rows end up (embeddings)"
COSTS = "What it costs, and what can be told apart"

Choice = TypeVar("Choice")


@dataclass(frozen=True, slots=True)
class Shown:
    """What the figures of a page show, beyond the depth and the rows.

    Attributes:
        is_dark: Whether the ink is for dark paper.
        measure: Name of a measure of sameness; empty where nothing was measured.
        colour: What the rows are coloured by.
        projection: How rows come into the plane: a name in `PROJECTIONS`.
        is_aligned: Whether scores stand by what is seen instead of by layers.
        has_preview: Whether previews are drawn beside the trained curves.
    """

    is_dark: bool = False
    measure: str = ""
    colour: str = "class"
    projection: str = PCA
    is_aligned: bool = False
    has_preview: bool = False


@dataclass(frozen=True, slots=True)
class Part:
    """A figure of the page.

    Attributes:
        section: The heading it stands under.
        draw: Returns its charts by depth, or one under ``*`` for all depths.
        depends: The fields of `Shown` that change it, beside the theme.
        exists: Whether a study has anything to draw.
        height: Room in pixels that is kept for it until it is drawn.
        is_wide: Whether it takes the width of the page.
    """

    section: str
    draw: Callable[[Results, Shown], Mapping[str, Chart]]
    depends: tuple[str, ...] = ()
    exists: Callable[[Results], bool] = lambda _: True
    height: int = 480
    is_wide: bool = True


@dataclass(frozen=True, slots=True)
class Choices:
    """What the address of the page may choose among.

    Attributes:
        measures: Measures of sameness that were taken, the usual one first.
        colours: What rows can be coloured by.
        keys: The rows that embeddings show.
        parts: The figures that there are.
        refusal: Why there is no UMAP of these rows; empty where there is.
    """

    measures: tuple[str, ...]
    colours: tuple[str, ...]
    keys: tuple[str, ...]
    parts: tuple[str, ...]
    refusal: str


@dataclass(frozen=True, slots=True)
class Plane:
    """Where rows are put, of which the browser is told.

    Attributes:
        projection: A name in `PROJECTIONS`.
        depth: The depth that is laid out; 0 where all of them are.
        layer: The same of the layer.
    """

    projection: str = PCA
    depth: int = 0
    layer: int = 0


def plane_of(
    stamp: tuple[str, int], shown: Shown, depth: int, layer: int | None
) -> Plane:
    """Return where the rows are put: by UMAP at one layer where that can be had."""
    if shown.projection != UMAP or choices_of(stamp).refusal:
        return Plane()
    return Plane(UMAP, depth, depth if layer is None else layer)


def named(text: str | None, known: Sequence[Choice], usual: Choice) -> Choice:
    """Return the known choice that a text names; the usual one where it names none."""
    return next((one for one in known if str(one) == text), usual)


def measures_of(results: Results) -> list[str]:
    """Return the measures of sameness that a study took, the usual one first."""
    held = set(results.layers["measure"])
    names = [
        name
        for name, one in MEASURES.items()
        if name in held and one.takes in (Rows, Labelled)
    ]
    return sorted(names, key=lambda name: name != HEADLINE_MEASURE)


@st.cache_data(max_entries=8, show_spinner=False)
def choices_of(stamp: tuple[str, int]) -> Choices:
    """Return what the address may choose among."""
    results = calls.results_in(Path(stamp[0]))
    return Choices(
        measures=tuple(measures_of(results)),
        colours=colourings(results),
        keys=drawn_keys(results),
        parts=tuple(name for name, part in PARTS.items() if part.exists(results)),
        refusal=umap_refusal(results) or "",
    )


def drawn_keys(results: Results) -> tuple[str, ...]:
    """Return the keys of the rows that embeddings show.

    Fewer than were sampled where every layer of very many networks has to travel.
    """
    layers = sum(depth + 1 for depth in results.depths)
    most = MOST_PLACES // max(1, len(all_series(results)) * layers)
    return sampled_keys(results)[: max(100, most)]


def outline(stamp: tuple[str, int], shown: Shown) -> list[dict[str, Any]]:
    """Return the page's sections, each figure named by what it depends on."""
    sections: dict[str, list[dict[str, Any]]] = {}
    for name in choices_of(stamp).parts:
        part = PARTS[name]
        figure = {
            "name": name,
            "payload": identity(stamp, name, _needed(part, shown)),
            "height": part.height,
            "wide": part.is_wide,
            "embedding": part.section == PLACES,
        }
        sections.setdefault(part.section, []).append(figure)
    return [{"title": title, "figures": each} for title, each in sections.items()]


def identity(
    stamp: tuple[str, int], name: str, shown: Shown | Plane | None = None
) -> str:
    """Return the name under which the browser keeps something."""
    return hashlib.sha256(repr((stamp, name, shown)).encode()).hexdigest()[:16]


def payloads(stamp: tuple[str, int], shown: Shown, plane: Plane) -> Iterator[bytes]:
    """Yield all that the browser needs, packed, what a reader sees first at first.

    What UMAP has to lay out comes last: it is waited for, and nothing else is.
    """
    choices = choices_of(stamp)
    for place, name in enumerate(choices.parts):
        yield _packed(stamp, name, _needed(PARTS[name], shown))
        if place == 0:
            yield said(stamp)
        if choices.keys and PARTS[name].section == PLACES:
            yield frames(stamp)
    if choices.keys and plane.projection == UMAP:
        yield _laid_out(stamp, plane)


@st.cache_data(max_entries=8, show_spinner=False)
def said(stamp: tuple[str, int]) -> bytes:
    """Return what is said of every series at every depth, packed."""
    results = calls.results_in(Path(stamp[0]))
    words = {
        series.mark: {
            str(depth): _said_at(results, series, depth) for depth in results.depths
        }
        for series in all_series(results)
    }
    return linked.pack(identity(stamp, SAID), words)


@st.cache_data(max_entries=4, show_spinner=False)
def frames(stamp: tuple[str, int]) -> bytes:
    """Return where every layer of every network puts the rows, packed."""
    results = calls.results_in(Path(stamp[0]))
    return _pack_frames(stamp, Plane(), projection_frames(results), results)


def _laid_out(stamp: tuple[str, int], plane: Plane) -> bytes:
    """Return where UMAP puts the rows, packed, showing how far it is."""
    results = calls.results_in(Path(stamp[0]))
    place = st.empty()
    asked = (stamp, plane.depth, plane.layer)
    laid = laying.layouts(results, asked, place.progress)
    place.empty()
    return _pack_frames(stamp, plane, laid_frames(results, laid), results)


def _pack_frames(
    stamp: tuple[str, int], plane: Plane, found: Iterable[Frame], results: Results
) -> bytes:
    keys = drawn_keys(results)
    places: dict[str, dict[str, str]] = {}
    correct: dict[str, dict[str, str]] = {}
    for frame in found:
        mark = frame.series.mark
        flat = np.clip(np.rint(frame.places * SCALE), MISSING + 1, -MISSING - 1)
        flat = np.nan_to_num(flat, nan=MISSING).astype("<i2")[: len(keys)]
        places.setdefault(mark, {})[f"{frame.depth}/{frame.layer}"] = _text(flat)
        right = frame.correct.astype(np.uint8)[: len(keys)]
        correct.setdefault(mark, {})[str(frame.depth)] = _text(right)
    content = {
        "keys": list(keys),
        "places": places,
        "correct": correct,
        "projection": plane.projection,
    }
    return linked.pack(identity(stamp, FRAMES, plane), content)


def series_of(results: Results, baseline: int | None) -> list[dict[str, Any]]:
    """Return every series' look, and how it differs from a baseline at each depth.

    Args:
        results: A results folder.
        baseline: Place of the series that the others are held against, or None.
    """
    everything = all_series(results)
    base = None if baseline is None else everything[baseline]
    against = (
        {}
        if base is None
        else {depth: deltas_at(results, base, depth) for depth in results.depths}
    )
    looks = []
    for series in everything:
        style = series_style(results, series)
        deltas = {
            str(depth): "The baseline"
            if series == base
            else _delta_in_words(found.get(series))
            for depth, found in against.items()
        }
        looks.append(
            {
                "mark": series.mark,
                "label": style.label,
                "colour": style.colour,
                "deltas": deltas,
            }
        )
    return looks


def _needed(part: Part, shown: Shown) -> Shown:
    """Return what a figure depends on, everything else as usual."""
    kept = ("is_dark", *part.depends)
    usual = Shown()
    others = {
        field.name: getattr(usual, field.name)
        for field in fields(Shown)
        if field.name not in kept
    }
    return replace(shown, **others)


@st.cache_data(max_entries=256, show_spinner=False)
def _packed(stamp: tuple[str, int], name: str, shown: Shown) -> bytes:
    results = calls.results_in(Path(stamp[0]))
    part = PARTS[name]
    projection = _projection(stamp, shown)
    return linked.pack_figure(
        identity(stamp, name, shown),
        part.draw(results, replace(shown, projection=projection)),
        choices=_choices(results, part, shown),
        note=_note(stamp, part, shown),
        colour=shown.colour,
        projection=projection,
        correctness=list(CORRECTNESS.values()),
    )


def _choices(results: Results, part: Part, shown: Shown) -> list[dict[str, Any]]:
    """Return what a reader may choose of a figure that Python has to draw."""
    found = []
    if "measure" in part.depends:
        options = [[name, MEASURES[name].title] for name in measures_of(results)]
        found.append(_select("measure", "Measure", shown.measure, options))
    if "colour" in part.depends:
        options = [[name, COLOURINGS[name][1]] for name in colourings(results)]
        found.append(_select("colour", "Coloured by", shown.colour, options))
    if "projection" in part.depends:
        options = [[name, said] for name, said in PROJECTIONS.items()]
        found.append(_select("projection", "Projection", shown.projection, options))
    return found


def _projection(stamp: tuple[str, int], shown: Shown) -> str:
    """Return how rows come into the plane, as far as that can be had."""
    return plane_of(stamp, shown, 0, 0).projection


def _note(stamp: tuple[str, int], part: Part, shown: Shown) -> str:
    """Return what has to stand beside a figure."""
    if "projection" not in part.depends or shown.projection != UMAP:
        return ""
    return choices_of(stamp).refusal or umap_in_words(Umap())


def _select(
    name: str, label: str, value: str, options: Sequence[Sequence[str]]
) -> dict[str, Any]:
    return {"name": name, "label": label, "value": value, "options": options}


def _text(values: np.ndarray) -> str:
    return base64.b64encode(values.tobytes()).decode()


def _said_at(results: Results, series: Series, depth: int) -> dict[str, Any]:
    score = scores.at_depth(results, series, depth)
    shows = diagnose(gather(results, series, depth))
    lines = [
        *scores.remarks_at(results, series, depth),
        read_depth(results, series).sentence,
        gap_in_words(results, series, depth),
        *shows.sentences,
    ]
    return {
        "title": score.label,
        "value": score.value,
        "note": score.note,
        "kinds": ", ".join(shows.kinds),
        "lines": [line for line in lines if line],
    }


def _delta_in_words(delta: Delta | None) -> str:
    if delta is None:
        return "No seed in common with the baseline"
    sign = "+" if delta.difference > 0 else ""
    interval = ""
    if np.isfinite([delta.low, delta.high]).all():
        interval = f" [{number(delta.low)}, {number(delta.high)}]"
    standing = "within noise" if delta.standing == "tie" else delta.standing
    return f"{sign}{number(delta.difference)}{interval} to the baseline: {standing}"


def _at_every_depth(
    results: Results, draw: Callable[[int], Chart]
) -> Mapping[str, Chart]:
    return {str(depth): draw(depth) for depth in results.depths}


def _score(results: Results, shown: Shown) -> Mapping[str, Chart]:
    dark = shown.is_dark
    if shown.is_aligned:
        return _at_every_depth(
            results, lambda depth: aligned_figure(results, depth=depth, dark=dark)
        )
    chart = depth_figure(results, depth=results.depths[0], dark=dark)
    return {EVERY_DEPTH: beside_preview(chart, results) if shown.has_preview else chart}


def _layers(results: Results, shown: Shown) -> Mapping[str, Chart]:
    measure, dark = shown.measure, shown.is_dark
    return _at_every_depth(
        results, lambda depth: layer_figure(results, measure, depth=depth, dark=dark)
    )


def _last_layer(results: Results, shown: Shown) -> Mapping[str, Chart]:
    first, dark = results.depths[0], shown.is_dark
    chart = last_layer_figure(results, shown.measure, depth=first, dark=dark)
    return {EVERY_DEPTH: chart}


def _embeddings(results: Results, shown: Shown) -> Mapping[str, Chart]:
    chart = projection_figure(
        results,
        colour=shown.colour,
        # What UMAP lays out comes later; until then the panels are empty.
        laid=() if shown.projection == UMAP else None,
        dark=shown.is_dark,
    )
    return {EVERY_DEPTH: chart}


def _siblings(results: Results, shown: Shown) -> Mapping[str, Chart]:
    dark = shown.is_dark
    return _at_every_depth(
        results, lambda depth: sibling_figure(results, depth=depth, dark=dark)
    )


def _gaps(results: Results, shown: Shown) -> Mapping[str, Chart]:
    dark = shown.is_dark
    return _at_every_depth(
        results, lambda depth: gap_figure(results, depth=depth, dark=dark)
    )


def _of_results(draw: Callable[..., Chart]) -> Callable[..., Mapping[str, Chart]]:
    return lambda results, shown: {EVERY_DEPTH: draw(results, dark=shown.is_dark)}


def _of_results_with_rule(
    draw: Callable[..., Chart],
) -> Callable[..., Mapping[str, Chart]]:
    return lambda results, shown: {
        EVERY_DEPTH: draw(results, depth=results.depths[0], dark=shown.is_dark)
    }


def _of_plans_with_rule(
    draw: Callable[..., Chart],
) -> Callable[..., Mapping[str, Chart]]:
    return lambda results, shown: {
        EVERY_DEPTH: draw(results.plans, depth=results.depths[0], dark=shown.is_dark)
    }


def _hop_heatmap(results: Results, shown: Shown) -> Mapping[str, Chart]:
    return {EVERY_DEPTH: hop_heatmap(results.plans, dark=shown.is_dark)}


def _was_measured(results: Results) -> bool:
    return bool(measures_of(results))


def _was_planned(results: Results) -> bool:
    return bool(results.plans)


def _was_projected(results: Results) -> bool:
    return not results.projection.empty


def _has_contrasts(results: Results) -> bool:
    return bool(results.comparison["contrasts"])


PARTS: Mapping[str, Part] = {
    "depths": Part(SCORES, _score, ("is_aligned", "has_preview")),
    "standing": Part(STANDING, _of_results(standing_figure), height=310),
    "gaps": Part(STANDING, _gaps, exists=has_gaps, height=320),
    "last_layer": Part(
        SAMENESS, _last_layer, ("measure",), _was_measured, height=440, is_wide=False
    ),
    "layers": Part(
        SAMENESS, _layers, ("measure",), _was_measured, height=440, is_wide=False
    ),
    "embeddings": Part(
        PLACES, _embeddings, ("colour", "projection"), _was_projected, height=450
    ),
    "reach": Part(HOPS, _of_plans_with_rule(reach_figure), exists=_was_planned),
    "influence": Part(HOPS, _of_results_with_rule(influence_figure), height=840),
    "walk": Part(HOPS, _of_plans_with_rule(walk_figure), exists=_was_planned),
    "hops": Part(HOPS, _hop_heatmap, exists=_was_planned),
    "siblings": Part(HOPS, _siblings, exists=_was_measured),
    "cost": Part(COSTS, _of_results(cost_figure)),
    "train_test": Part(COSTS, _of_results_with_rule(train_test_figure)),
    "contrasts": Part(COSTS, _of_results(contrast_figure), exists=_has_contrasts),
}
