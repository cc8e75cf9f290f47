"""The numbers of a comparison, as the Compare page words them."""

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

import pandas as pd

from workbench.chart import (
    Series,
    all_series,
    metric_label,
    number,
    pick,
    series_style,
)
from workbench.comparison import STOPPED_EARLY
from workbench.remarks import halving_remarks, noise_remark, seed_remark
from workbench.results import Results

AVERAGED = ("train", "val", "test", "gradient_ratio", "best_epoch")
TITLES: Mapping[str, str] = MappingProxyType(
    {
        "graph": "Graph",
        "depth": "Depth",
        "train": "Training score",
        "val": "Validation score",
        "test": "Test score",
        "gradient_ratio": "Gradient ratio",
        "best_epoch": "Best epoch",
    }
)


@dataclass(frozen=True, slots=True)
class Shown:
    """A score with its interval, ready to be read."""

    label: str
    value: str
    note: str


def at_depth(results: Results, series: Series, depth: int) -> Shown:
    """Return the test score of a series at a depth."""
    label = f"Test {metric_label(results)} at depth {depth}"
    found = [
        cell
        for cell in results.comparison["cells"]
        if series.owns(cell) and cell["depth"] == depth
    ]
    if not found or found[0]["mean"] is None:
        is_stopped = bool(found) and found[0].get("stopped_early", False)
        why = "stopped early (halving)" if is_stopped else "no run finished"
        return Shown(label, "–", why)
    cell = found[0]
    value = number(cell["mean"])
    runs = "1 run" if cell["n"] == 1 else f"{cell['n']} runs"
    if cell["low"] is None:
        return Shown(label, value, f"{runs}, no interval")
    interval = f"{number(cell['low'])} to {number(cell['high'])}"
    return Shown(label, value, f"{interval} (95 %, {runs})")


def remarks_at(results: Results, series: Series, depth: int) -> list[str]:
    """Return what has to be said beside the score of a series at a depth."""
    said = [
        seed_remark(results, cell)
        for cell in results.comparison["cells"]
        if series.owns(cell) and cell["depth"] == depth
    ]
    return [one for one in (*said, noise_remark(results, series, depth)) if one]


def audit_in_words(results: Results) -> str:
    """Return the study's task and its audit in a sentence."""
    reachable = results.comparison["leakage"]["future_rows_reachable"]
    return (
        f"Task: {results.comparison['task']}. Score: {metric_label(results)} on test"
        f" rows. Future rows reachable: {reachable}."
    )


def failures_in_words(results: Results) -> list[str]:
    """Return a sentence per kind of run that did not finish."""
    left_out = results.trials["status"].isin(["ok", STOPPED_EARLY])
    broken = results.trials[~left_out]
    sentences = list(halving_remarks(results))
    kinds = dict.fromkeys(zip(broken["status"], broken["reason"], strict=True))
    for status, reason in kinds:
        group = broken[(broken["status"] == status) & (broken["reason"] == reason)]
        depths = ", ".join(str(depth) for depth in sorted(set(group["depth"])))
        sentences.append(
            f"{len(group)} of {len(results.trials)} runs: {status} at depth {depths}."
            f" {reason}"
        )
    return sentences


def training_table(results: Results) -> pd.DataFrame:
    """Return scores and gradient ratios, a row per series and depth."""
    means = pd.DataFrame()
    for series in all_series(results):
        rows = series.rows(results.trials)
        rows = rows[rows["status"] != STOPPED_EARLY]
        mine = pd.DataFrame(rows.groupby("depth")[list(AVERAGED)].mean())
        mine["graph"] = series_style(results, series).label
        means = pd.concat([means, mine.reset_index()], ignore_index=True)
    return pd.DataFrame(means[list(TITLES)]).rename(columns=dict(TITLES))


def drop_table(results: Results, depth: int) -> pd.DataFrame:
    """Return what the score loses without each table, a row a table, a column a graph.

    Tables of which nothing costs anything are left out; the costliest come first.
    """
    frame = pick(results.influence, kind="permutation", depth=depth)
    columns = {
        series_style(results, series).label: series.rows(frame)
        .groupby("name")["value"]
        .mean()
        for series in all_series(results)
    }
    table = pd.DataFrame(columns)
    table = table[(table != 0).any(axis=1) & table.notna().any(axis=1)]
    order = table.max(axis=1).sort_values(ascending=False).index
    return table.loc[order].rename_axis("Table").reset_index()
