"""What is said beside a number so that it is not read for more than it is."""

from collections.abc import Iterator, Mapping
from typing import Any

from workbench.chart import (
    Series,
    all_series,
    higher_is_better,
    number,
    series_style,
)
from workbench.figures.contrasts import series_of
from workbench.results import Results

SKEWED = 0.01  # of a score; of a loss as a share


def seed_remark(results: Results, cell: Mapping[str, Any]) -> str:
    """Return that a cell's seeds disagree, or that its median differs, or nothing."""
    median, mean = cell.get("median"), cell["mean"]
    if median is None or mean is None:
        return ""
    if cell.get("seeds_disagree"):
        failed = cell["failure_rate"] or 0
        told = f"{failed:.0%} failed or learnt next to nothing; " if failed else ""
        return (
            f"Seeds disagree (two groups): {told}median {number(median)}, so read the"
            " dots, not the mean."
        )
    scale = 1.0 if higher_is_better(results) else abs(mean)
    return f"Median {number(median)}." if abs(median - mean) > SKEWED * scale else ""


def disagreements(results: Results) -> list[str]:
    """Return a sentence that counts the cells whose seeds make two groups, if any."""
    split = [one for one in results.comparison["cells"] if one.get("seeds_disagree")]
    if not split:
        return []
    names = dict.fromkeys(
        f"{series_style(results, series).label} at depth {cell['depth']}"
        for series in all_series(results)
        for cell in split
        if series.owns(cell)
    )
    return [
        f"Seeds disagree (two groups) in {len(split)} of"
        f" {len(results.comparison['cells'])} cells: {', '.join(names)}. Their mean is"
        " of neither group; read the dots."
    ]


def halving_remarks(results: Results) -> list[str]:
    """Return a sentence on what halving left out, if anything was halved."""
    found = results.comparison.get("halving")
    if not found:
        return []
    return [
        f"Exploratory (successive halving): {found['stopped_early']} of"
        f" {found['configurations']} configurations were stopped early by their"
        " validation scores and have no score here; what is left was chosen, so"
        " nothing is called better or worse."
    ]


def noise_remark(results: Results, series: Series, depth: int) -> str:
    """Return what other test rows would make of a series at its best depth."""
    for record in results.comparison["best"]:
        if series.owns(record) and record["depth"] == depth:
            low, high = record.get("rows_low"), record.get("rows_high")
            if low is None or high is None:
                return ""
            return (
                f"With other test rows {number(low)} to {number(high)}; with other"
                f" seeds too {number(record['both_low'])} to"
                f" {number(record['both_high'])}."
            )
    return ""


def tolerance_rows(results: Results) -> Iterator[dict[str, str]]:
    """Yield how far the graphs' scores lie apart, a row a model and depth."""
    found = results.comparison.get("tolerance", [])
    has_models = len({(one["model"], one["remedy"]) for one in found}) > 1
    for one in found:
        depth = one["depth"]
        name = {"Model": _model(one)} if has_models else {}
        yield {
            **name,
            "Depth": "each at its best" if depth is None else str(depth),
            "Spread": number(one["spread"]),
            "95 % interval": _interval(one),
            "Best graph": series_style(results, series_of(one["best"])).label,
            "Worst graph": series_style(results, series_of(one["worst"])).label,
        }


def tolerance_remarks(results: Results) -> list[str]:
    """Return a sentence a model: how much the choice of graph decides."""
    return [
        f"{_model(one)}: {number(one['spread'])} between the best and the worst graph,"
        f" each at its best depth (95 %: {_interval(one)})."
        for one in results.comparison.get("tolerance", [])
        if one["depth"] is None
    ]


def _model(one: Mapping[str, Any]) -> str:
    return (
        one["model"] if one["remedy"] == "none" else f"{one['model']}, {one['remedy']}"
    )


def _interval(one: Mapping[str, Any]) -> str:
    if one["low"] is None or one["high"] is None:
        return "–"
    return f"{number(one['low'])} to {number(one['high'])}"
