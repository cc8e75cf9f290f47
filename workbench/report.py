"""One page that a colleague can read: self-contained, offline, light and dark."""

import json
import platform
import re
from collections.abc import Iterator, Mapping, Sequence
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

import tomli_w
from jinja2 import Environment, StrictUndefined
from plotly.offline import get_plotlyjs

from workbench import __version__
from workbench.chart import (
    DARK_INK,
    LIGHT_INK,
    Chart,
    Series,
    all_series,
    best_depths,
    metric_label,
    number,
    pick,
    series_style,
    unfinished,
)
from workbench.evidence import diagnose_series
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
    same_sight,
    sibling_figure,
    split_grid_figure,
    train_test_figure,
    walk_figure,
)
from workbench.figures.contrasts import contrast_sides, verdict_in_words
from workbench.figures.gaps import gap_in_words, has_gaps
from workbench.figures.plans import graphs_of
from workbench.inference import ENOUGH_SEEDS
from workbench.measures import MEASURES
from workbench.palette import EXPLANATIONS, arm_style
from workbench.reading import HEADLINE_MEASURE, read_depth
from workbench.remarks import (
    disagreements,
    halving_remarks,
    noise_remark,
    seed_remark,
    tolerance_remarks,
    tolerance_rows,
)
from workbench.results import Results, load_results, write_text
from workbench.sources import citations

REPORT_NAME = "report.html"
TEMPLATE = Path(__file__).with_name("report_template.html")
MARKDOWN = Path(__file__).with_name("report_template.md")
SHOWN_MEASURES = (HEADLINE_MEASURE, "variance-share")
SHOWN_MEANS = (
    *("train", "val", "gradient_ratio", "seconds", "peak_mb"),
    *("width", "num_parameters"),
)
SIBLINGS = "within-parent-share"
PACKAGES = (
    *("torch", "torch-geometric", "pytorch-frame", "duckdb", "scikit-learn"),
    *("numpy", "pandas", "plotly"),
)


def write_report(folder: Path) -> Path:
    """Render a results folder into its ``report.html``, whole or not at all.

    Raises:
        StoreError: The folder holds no results, or cannot be written.
    """
    path = folder / REPORT_NAME
    write_text(path, render_report(load_results(folder)))
    return path


def render_report(results: Results, *, unfolded: bool = False) -> str:
    """Return the report of a study as one HTML page that asks for nothing else.

    It begins with what was found, one picture, the scores with their intervals and
    what they do not say; everything else follows folded.

    Args:
        results: The study.
        unfolded: Whether what is folded is open from the start, as for printing.
    """
    template = _environment(autoescape=True).from_string(
        TEMPLATE.read_text(encoding="utf-8")
    )
    charts = _charts(results)
    return template.render(
        **_context(results),
        charts=charts,
        figures=_to_json({name: _drawing(chart) for name, chart in charts.items()}),
        unfolded=" open" if unfolded else "",
        inks={"light": LIGHT_INK, "dark": DARK_INK},
        plotly=get_plotlyjs(),
    )


def render_markdown(results: Results, pictures: Mapping[str, str]) -> str:
    """Return the report of a study as Markdown.

    Args:
        results: The study.
        pictures: Where the picture of each chart lies, by the chart's name; a chart
            without one is told in words.
    """
    template = _environment(autoescape=False).from_string(
        MARKDOWN.read_text(encoding="utf-8")
    )
    text = template.render(
        **_context(results), charts=_charts(results), pictures=pictures
    )
    return re.sub(r"\n{3,}", "\n\n", text)


def _environment(*, autoescape: bool) -> Environment:
    """Return where templates are read, with the filters that they use."""
    environment = Environment(
        autoescape=autoescape,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters["number"] = number
    environment.filters["percent"] = _percent
    environment.filters["md"] = _as_markdown
    return environment


def _context(results: Results) -> dict[str, Any]:
    """Return what every form of the report says, without its charts."""
    comparison = results.comparison
    measured = set(results.layers["measure"])
    headline, colon, verdict = comparison["verdict"].partition(": ")
    return {
        "comparison": comparison,
        "headline": headline + colon.rstrip(),
        "verdict": verdict,
        "metric": metric_label(results),
        "arms": list(_arms(results)),
        "floors": list(_floors(results)),
        "sources": list(dict.fromkeys(source for source, _ in results.arms)),
        "leaks": comparison["leakage"].get("suspected", ()),
        "contrasts": list(_contrasts(results)),
        "same_sight": same_sight(results),
        "spreads": list(tolerance_rows(results)),
        "spread_remarks": tolerance_remarks(results),
        "graphs": list(_graphs(results)),
        "readings": list(_readings(results)),
        "diagnoses": list(_diagnoses(results)),
        "measures": list(_measures(results)),
        "shown_measures": [
            (name, MEASURES[name].title) for name in SHOWN_MEASURES if name in measured
        ],
        "cells": list(_cells(results)),
        "lost": list(_lost(results)),
        "num_lost": len(unfinished(results.trials)),
        "caveats": list(_caveats(results)),
        "settings": list(_settings(results)),
        "notes": results.notes,
        "study": tomli_w.dumps(dict(results.study)),
        "versions": _versions(),
        "citations": citations(results),
    }


def _as_markdown(text: object) -> str:
    """Return a text so that Markdown shows it as it is, in a table too."""
    return re.sub(r"([\\`*_{}\[\]<>#|~$])", r"\\\1", " ".join(str(text).split()))


def _percent(share: float | None) -> str:
    return "–" if share is None else f"{share:.0%}"


def _charts(results: Results) -> dict[str, Chart]:
    """Return the charts by the place they have in the page."""
    charts = {
        "depths": beside_preview(depth_figure(results), results),
        "train_test": train_test_figure(results),
        **({"aligned": aligned_figure(results)} if _can_align(results) else {}),
        "cost": cost_figure(results),
    }
    if has_gaps(results):
        charts["gaps"] = gap_figure(results)
    grids = [plan["task"].get("grid") for plan in results.plans.values()]
    for grid in filter(None, grids[:1]):  # every source has the same task
        charts["grid"] = split_grid_figure(grid)
    if results.comparison["contrasts"]:
        charts["contrasts"] = contrast_figure(results)
    if results.plans:
        charts["hops"] = hop_heatmap(results.plans)
        charts["reach"] = reach_figure(results.plans)
        if any(graph.get("walk") for _, graph in graphs_of(results.plans)):
            charts["walk"] = walk_figure(results.plans)
    if len(results.influence):
        charts["influence"] = influence_figure(results)
    measured = set(results.layers["measure"])
    for measure in SHOWN_MEASURES:
        if measure in measured:
            charts[f"last_{measure}"] = last_layer_figure(results, measure)
            charts[f"layers_{measure}"] = layer_figure(results, measure)
    if SIBLINGS in measured:
        charts["siblings"] = sibling_figure(results)
    if len(results.projection):
        charts["projection"] = projection_figure(results)
    return charts


def _can_align(results: Results) -> bool:
    return len(results.arms) > 1 and bool(results.plans)


def _drawing(chart: Chart) -> Any:
    # The page has titles of its own, which text readers and outlines can find.
    drawing = json.loads(str(chart.figure.to_json()))
    margin = drawing["layout"]["margin"]
    margin["t"] -= 24
    del drawing["layout"]["title"]
    return drawing


def _to_json(value: object) -> str:
    """Return JSON that may stand inside a script element."""
    text = json.dumps(value, separators=(",", ":"))
    return text.replace("<", "\\u003c").replace(">", "\\u003e").replace("&", "\\u0026")


def _arms(results: Results) -> Iterator[dict[str, Any]]:
    """Yield each series' best cell, the best validated depth being the one shown."""
    best = best_depths(results)
    for series in all_series(results):
        style = series_style(results, series)
        cells = [
            cell
            for cell in results.comparison["cells"]
            if series.owns(cell) and cell["depth"] == best.get(series)
        ]
        yield {
            "style": style,
            "explanation": EXPLANATIONS.get(series.topology, ""),
            "cell": cells[0] if cells else None,
            "gap": gap_in_words(results, series, best[series]) if cells else "",
            "remarks": [*_remarks(results, series, cells)],
        }


def _remarks(
    results: Results, series: Series, cells: Sequence[Mapping[str, Any]]
) -> Iterator[str]:
    """Yield what has to be said beside a series' score at its best depth."""
    for cell in cells:
        found = (
            seed_remark(results, cell),
            noise_remark(results, series, cell["depth"]),
        )
        yield from (one for one in found if one)


def _floors(results: Results) -> Iterator[dict[str, Any]]:
    """Yield each floor's name and its record by source."""
    baselines = results.comparison["baselines"]
    for name in dict.fromkeys(floor["name"] for floor in baselines):
        mine = {each["source"]: each for each in baselines if each["name"] == name}
        learners = dict.fromkeys(each["learner"] for each in mine.values())
        yield {"name": name, "learners": " or ".join(learners), "sources": mine}


def _contrasts(results: Results) -> Iterator[dict[str, Any]]:
    for contrast in results.comparison["contrasts"]:
        first, second = contrast_sides(results, contrast)
        verdict = verdict_in_words(contrast)
        noise = {name: contrast.get(name) for name in ("rows_low", "rows_high")}
        sides = {"first": first, "second": second, "verdict": verdict}
        yield {**contrast, **noise, **sides}


def _graphs(results: Results) -> Iterator[dict[str, Any]]:
    """Yield what the plan says of each arm's graph, without its hops and reach."""
    for source, plan in results.plans.items():
        for graph in plan["topologies"]:
            if (source, graph["name"]) not in results.arms:
                continue
            yield {
                "style": arm_style(source, graph["name"], results.arms),
                "explanation": EXPLANATIONS.get(graph["name"], ""),
                "nodes": graph["nodes"],
                "num_nodes": sum(graph["nodes"].values()),
                "num_edges": sum(edge["count"] for edge in graph["edges"]),
                "edges": [
                    {"name": " → ".join(edge["type"]), "count": edge["count"]}
                    for edge in graph["edges"]
                ],
                "unreachable": graph["unreachable"],
                "warnings": graph["warnings"],
            }


def _readings(results: Results) -> Iterator[dict[str, Any]]:
    for series in all_series(results):
        yield {
            "style": series_style(results, series),
            "sentence": read_depth(results, series).sentence,
        }


def _diagnoses(results: Results) -> Iterator[dict[str, Any]]:
    """Yield what each series shows at each depth, with the evidence."""
    for series in all_series(results):
        for diagnosis in diagnose_series(results, series):
            yield {
                "style": series_style(results, series),
                "depth": diagnosis.depth,
                "kinds": ", ".join(diagnosis.kinds),
                "sentences": diagnosis.sentences,
            }


def _measures(results: Results) -> Iterator[Any]:
    measured = set(results.layers["measure"])
    yield from (MEASURES[name] for name in MEASURES if name in measured)


def _cells(results: Results) -> Iterator[dict[str, Any]]:
    """Yield every cell with its interval, its training score and its cost."""
    for series in all_series(results):
        rows = series.rows(results.trials)
        for cell in results.comparison["cells"]:
            if not series.owns(cell):
                continue
            mine = pick(rows, depth=cell["depth"], status="ok")
            yield {
                **cell,
                **mine[list(SHOWN_MEANS)].mean(),
                "median": cell.get("median"),
                "seeds_disagree": cell.get("seeds_disagree", False),
                "style": series_style(results, series),
            }


def _lost(results: Results) -> Iterator[dict[str, Any]]:
    """Yield the runs without a score, equal reasons together."""
    for series in all_series(results):
        rows = series.rows(results.trials)
        groups: dict[tuple[int, str, str], list[int]] = {}
        lost = unfinished(rows)[["depth", "status", "reason", "seed"]]
        for depth, status, reason, seed in lost.itertuples(index=False):
            groups.setdefault((depth, status, reason), []).append(seed)
        for (depth, status, reason), seeds in groups.items():
            yield {
                "style": series_style(results, series),
                "depth": depth,
                "status": status,
                "reason": reason,
                "seeds": ", ".join(map(str, sorted(seeds))),
            }


def _caveats(results: Results) -> Iterator[str]:
    """Yield what the numbers do not say, in sentences."""
    yield from halving_remarks(results)
    seeds = len(set(results.trials["seed"]))
    yield f"What an interval holds. {results.comparison['noise']}"
    yield (
        "No interval says what another split or other rows would give; depths were"
        " chosen on validation rows, and scores are of test rows."
    )
    if has_gaps(results):
        yield (
            "Validation rows were held out in the same way as test rows, with other"
            " values: depths were chosen for what was not seen. A gap is of one choice"
            " of held-out values; another seed of the split holds out others."
        )
    if seeds < ENOUGH_SEEDS:
        yield (
            f"Number of seeds: {seeds}. Below {ENOUGH_SEEDS} no difference is called"
            " significant, because no exact paired test could reach 0.05."
        )
    not_ok = len(unfinished(results.trials))
    if not_ok:
        yield (
            f"{not_ok} of {len(results.trials)} runs have no score. Means are over"
            " those that finished; the others are listed under the scores."
        )
    yield from disagreements(results)
    yield (
        "What is said of oversmoothing is what occurs together with a score. It is no"
        " statement of cause."
    )


def _settings(results: Results) -> Iterator[tuple[str, str]]:
    """Yield the settings that every arm shares."""
    study = results.study
    yield "Depths", ", ".join(str(depth) for depth in results.depths)
    seeds = sorted(int(seed) for seed in results.trials["seed"].unique())
    yield "Seeds", ", ".join(str(seed) for seed in seeds)
    for name in ("models", "remedies"):
        yield name.capitalize(), ", ".join(study.get(name, ()))
    for section in ("task", "budget"):
        settings = dict(study.get(section, {}))
        settings |= settings.pop("forecast", {})
        for name, value in settings.items():
            label = f"{section.capitalize()}: {name.replace('_', ' ')}"
            yield label, ", ".join(value) if isinstance(value, list) else str(value)


def _versions() -> Mapping[str, str]:
    found = {"workbench": __version__, "Python": platform.python_version()}
    for package in PACKAGES:
        try:
            found[package] = version(package)
        except PackageNotFoundError:
            continue
    return found
