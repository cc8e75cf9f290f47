"""The evidence for a diagnosis, gathered from a results folder."""

from collections.abc import Mapping
from typing import Any

import pandas as pd

from workbench.chart import (
    Series,
    all_series,
    means_by,
    pick,
    target_type,
)
from workbench.diagnosis import Diagnosis, Evidence, diagnose, margin
from workbench.figures.plans import nearest_hops
from workbench.results import Results


def diagnose_series(results: Results, series: Series) -> tuple[Diagnosis, ...]:
    """Return what every depth of a series shows, the shallowest first."""
    dearest = most_informative(results, series)
    return tuple(
        diagnose(gather(results, series, depth, dearest)) for depth in results.depths
    )


def gather(
    results: Results,
    series: Series,
    depth: int,
    dearest: tuple[str | None, float, int] | None = None,
) -> Evidence:
    """Return what was measured of a series at a depth, means over its seeds.

    Args:
        results: The study.
        series: The series.
        depth: One of its depths.
        dearest: What `most_informative` finds of it, the same for all depths; found
            out where it is not given.
    """
    done = pick(series.rows(results.trials), status="ok", depth=depth)
    target = target_type(results) or ""
    informative, drop, drop_depth = dearest or most_informative(results, series)
    trained = pick(series.rows(results.layers), depth=depth, node_type=target)
    by_layer = {
        (state, measure): _by_layer(pick(trained, state=state, measure=measure))
        for state in ("trained", "untrained")
        for measure in ("variance-share", "effective-rank-centred", "probe")
    }
    heard = pick(series.rows(results.influence), depth=depth, state="trained")
    by_hop = _means(pick(heard, kind="hop"))
    before = by_layer["untrained", "effective-rank-centred"]
    graph = graph_of(results, series)
    return Evidence(
        depth=depth,
        target=target,
        metric=results.comparison["metric"],
        train=_mean(done, "train"),
        constant=_constant(results, series),
        gradient_ratio=_mean(done, "gradient_ratio"),
        hops=nearest_hops(graph) if graph else {},
        informative=informative,
        drop=drop,
        drop_depth=drop_depth,
        tables=_means(pick(heard, kind="table")),
        by_hop=[by_hop[str(hop)] for hop in range(depth + 1) if str(hop) in by_hop],
        walk=[one["squared"] for one in graph.get("walk", ()) if one["depth"] == depth],
        variance=by_layer["trained", "variance-share"],
        rank=by_layer["trained", "effective-rank-centred"],
        rank_untrained=before[-1] if before else None,
        probe=by_layer["trained", "probe"],
    )


def most_informative(results: Results, series: Series) -> tuple[str | None, float, int]:
    """Return the table other than the target that costs most when shuffled.

    A depth that cannot see a table says nothing of it, so every depth of the series is
    asked; where none of them finds a table, the other series of the same source are,
    for a table of that name.

    Returns:
        The table, what it costs and at which depth; None where none costs enough.
    """
    others = [one for one in all_series(results) if one.source == series.source]
    mine = nearest_hops(graph_of(results, series) or {"hops": {}})
    target = target_type(results)
    for group in ([series], [one for one in others if one != series]):
        best: tuple[str | None, float, int] = (None, 0.0, 0)
        for one in group:
            drops = pick(one.rows(results.influence), kind="permutation")
            columns = zip(drops["name"], drops["value"], drops["depth"], strict=True)
            tests = _tests(results, one)
            for name, value, depth in columns:
                enough = margin(results.comparison["metric"], tests.get(depth, 0.0))
                known = name in mine and name != target
                if known and value >= enough and value > best[1]:
                    best = (str(name), float(value), int(depth))
        if best[0] is not None:
            return best
    return None, 0.0, 0


def graph_of(results: Results, series: Series) -> Mapping[str, Any]:
    """Return what the plan says of a series' graph; nothing where there is no plan."""
    for graph in results.plans.get(series.source, {}).get("topologies", ()):
        if graph["name"] == series.topology:
            return graph
    return {}


def _tests(results: Results, series: Series) -> dict[int, float]:
    """Return the mean test score of a series by depth."""
    done = pick(series.rows(results.trials), status="ok").dropna(subset=["test"])
    means = means_by(done, "depth", "test")["test"]
    return {int(depth): float(mean) for depth, mean in means.items()}


def _constant(results: Results, series: Series) -> float | None:
    for floor in results.comparison["baselines"]:
        if floor["source"] == series.source and floor["name"] in ("majority", "mean"):
            return floor["train"]
    return None


def _mean(frame: pd.DataFrame, column: str) -> float | None:
    found = frame[column].dropna()
    return float(found.mean()) if len(found) else None


def _by_layer(frame: pd.DataFrame) -> list[float]:
    return [float(value) for value in means_by(frame, "layer", "value")["value"]]


def _means(frame: pd.DataFrame) -> dict[str, float]:
    known = frame.dropna(subset=["value"])
    means = means_by(known, "name", "value")["value"]
    return {str(name): float(value) for name, value in means.items()}
