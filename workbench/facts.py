"""The settings and sizes of what is compared, side by side, and what differs."""

from collections.abc import Mapping
from typing import Any

import pandas as pd

from workbench.chart import Series, all_series, best_depths, pick, series_style
from workbench.palette import topology_label
from workbench.results import Results

FACT = "What"


def series_facts(results: Results, depth: int) -> pd.DataFrame:
    """Return what each series is: a row a fact, a column a series.

    Args:
        results: A results folder.
        depth: The depth that sizes and costs are of.

    Returns:
        A column `FACT` with the facts' names, and a text per series.
    """
    columns = {
        series_style(results, series).label: _facts(results, series, depth)
        for series in all_series(results)
    }
    names = dict.fromkeys(name for facts in columns.values() for name in facts)
    return pd.DataFrame(
        {
            FACT: list(names),
            **{
                label: [facts.get(name, "–") for name in names]
                for label, facts in columns.items()
            },
        }
    )


def only_differing(table: pd.DataFrame) -> pd.DataFrame:
    """Return the facts in which not all series are alike."""
    texts = table.drop(columns=FACT)
    alike = texts.eq(texts.iloc[:, 0], axis=0).all(axis=1)
    return table[~alike].reset_index(drop=True)


def _facts(results: Results, series: Series, depth: int) -> dict[str, str]:
    best = best_depths(results).get(series)
    return {
        "Database (source)": series.source,
        "Graph (topology)": topology_label(series.topology),
        "Network (model)": series.model,
        "Remedy against oversmoothing": series.remedy,
        "Depth that validation chose": "–" if best is None else str(best),
        **_graph_facts(_planned(results, series)),
        **_run_facts(results, series, depth),
        **{
            name.replace("_", " ").capitalize(): str(value)
            for name, value in results.study.get("budget", {}).items()
        },
    }


def _planned(results: Results, series: Series) -> Mapping[str, Any]:
    graphs = results.plans.get(series.source, {}).get("topologies", ())
    return next((one for one in graphs if one["name"] == series.topology), {})


def _graph_facts(graph: Mapping[str, Any]) -> dict[str, str]:
    if not graph:
        return {}
    nodes = graph["nodes"].values()
    links = [edge["count"] for edge in graph["edges"]]
    far = [hop for hop in graph["hops"].values() if hop is not None]
    return {
        "Kinds of nodes": str(len(nodes)),
        "Nodes": f"{sum(nodes):,}",
        "Kinds of links": str(len(links)),
        "Links (edges)": f"{sum(links):,}",
        "Hops to the farthest column": str(max(far, default=0)),
        "Tables out of reach": ", ".join(sorted(graph["unreachable"])) or "none",
    }


def _run_facts(results: Results, series: Series, depth: int) -> dict[str, str]:
    rows = pick(series.rows(results.trials), depth=depth)
    done = pick(rows, status="ok")
    if done.empty:
        return {f"Runs finished at depth {depth}": f"0 of {len(rows)}"}
    return {
        f"Runs finished at depth {depth}": f"{len(done)} of {len(rows)}",
        f"Parameters at depth {depth}": f"{done['num_parameters'].mean():,.0f}",
        f"Seconds a run at depth {depth}": f"{done['seconds'].mean():,.2g}",
        f"Peak memory a run at depth {depth} (MB)": f"{done['peak_mb'].mean():,.0f}",
    }
