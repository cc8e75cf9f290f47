"""The numbers of a comparison, as the Compare page words them."""

from dataclasses import dataclass

import pandas as pd

from workbench.chart import (
    Series,
    all_series,
    metric_label,
    number,
    series_style,
)
from workbench.results import Results


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
        return Shown(label, "–", "no run finished")
    cell = found[0]
    runs = "1 run" if cell["n"] == 1 else f"{cell['n']} runs"
    if cell["low"] is None:
        return Shown(label, number(cell["mean"]), f"{runs}, no interval")
    interval = f"{number(cell['low'])} to {number(cell['high'])}"
    return Shown(label, number(cell["mean"]), f"{interval} (95 %, {runs})")


def audit_in_words(results: Results) -> str:
    """Return the study's task and its audit in a sentence."""
    reachable = results.comparison["leakage"]["future_rows_reachable"]
    return (
        f"Task: {results.comparison['task']}. Score: {metric_label(results)} on test"
        f" rows. Future rows reachable: {reachable}."
    )


def failures_in_words(results: Results) -> list[str]:
    """Return a sentence per kind of run that did not finish."""
    broken = results.trials[results.trials["status"] != "ok"]
    sentences = []
    for (status, reason), group in broken.groupby(["status", "reason"]):
        depths = ", ".join(str(depth) for depth in sorted(group["depth"].unique()))
        sentences.append(
            f"{len(group)} of {len(results.trials)} runs: {status} at depth {depths}."
            f" {reason}"
        )
    return sentences


def training_table(results: Results) -> pd.DataFrame:
    """Return scores and gradient ratios, a row per series and depth."""
    frames = []
    for series in all_series(results):
        rows = series.rows(results.trials)
        kept = rows[["depth", "train", "val", "test", "gradient_ratio", "best_epoch"]]
        means = kept.groupby("depth", as_index=False).mean()
        means.insert(0, "graph", series_style(results, series).label)
        frames.append(means)
    table = pd.concat(frames, ignore_index=True)
    return table.rename(
        columns={
            "graph": "Graph",
            "depth": "Depth",
            "train": "Training score",
            "val": "Validation score",
            "test": "Test score",
            "gradient_ratio": "Gradient ratio",
            "best_epoch": "Best epoch",
        }
    )
