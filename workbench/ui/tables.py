"""Schemas, tasks and graphs as tables and sentences: the text beside every drawing."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import pandas as pd

from workbench.blueprint import Blueprint, TableRole
from workbench.difference import table_hops
from workbench.distribution import Distribution
from workbench.hints import KeyHint
from workbench.hops import hops
from workbench.schema import ForeignKey, Schema, Table
from workbench.score import METRICS
from workbench.split import SPLITS, read_split
from workbench.task import SEEN, Task, TaskType
from workbench.ui import words

if TYPE_CHECKING:  # a page of tables needs no tensors
    from workbench.sketch import SurveyedGraph

MEANING, USED = "Meaning (semantic type)", "Used"


def table_in_words(table: Table) -> str:
    """Return a table's size, key and time column in a sentence."""
    key = ", ".join(table.primary_key)
    said = [
        f"{words.rows(table.num_rows)}, {len(table.columns)} columns",
        f"key (primary key): {key}" if key else "no key (primary key)",
    ]
    if table.time_column:
        said.append(f"time: {table.time_column}")
    return " · ".join(said)


def links_of(schema: Schema, name: str) -> list[str]:
    """Return the links that leave and reach a table, one sentence each."""
    found = []
    for key in schema.keys_from(name):
        columns = ", ".join(key.columns)
        kind = words.ORIGINS[key.origin]
        missing = f", {key.num_dangling:,} lead nowhere" if key.num_dangling else ""
        empty = f", {key.num_null:,} empty" if key.num_null else ""
        found.append(f"{columns} → {key.ref_table}{kind}{missing}{empty}")
    return found + [
        f"← {key.table}.{', '.join(key.columns)}" for key in schema.keys_into(name)
    ]


def columns_of(schema: Schema, table: Table) -> pd.DataFrame:
    """Return a row per column: key, type, what it means and why."""
    foreign = {
        column: key.ref_table
        for key in schema.keys_from(table.name)
        for column in key.columns
    }
    return pd.DataFrame(
        [
            {
                "Column": column.name,
                "Key": " ".join(
                    [
                        *(["PK"] if column.name in table.primary_key else []),
                        *(
                            [f"FK → {foreign[column.name]}"]
                            if column.name in foreign
                            else []
                        ),
                    ]
                ),
                MEANING: words.STYPES[column.stype],
                "Declared as": column.sql_type,
                "Distinct": column.num_distinct,
                "Empty (NULL)": column.num_null,
                "Unit": column.unit or "",
                "Why this type": column.evidence,
            }
            for column in table.columns
        ]
    )


def spread_of(found: Sequence[Distribution]) -> pd.DataFrame:
    """Return a row per column: how much is missing and how its values are spread."""
    return pd.DataFrame(
        [
            {
                "Column": one.column,
                "Missing": one.missing,
                "Rows": list(one.counts),
                "From … to, or the commonest": " … ".join(one.labels)
                if one.is_range
                else ", ".join(
                    f"{label} ({count:,})"
                    for label, count in zip(one.labels, one.counts, strict=True)
                ),
            }
            for one in found
        ]
    )


def keys_of(
    schema: Schema, table: str | None = None
) -> tuple[list[KeyHint], pd.DataFrame]:
    """Return every key, used, suggested or rejected, and a row for each.

    Args:
        schema: The database.
        table: Where the keys lead from or to; None for all of them.
    """
    measured = [(key, True) for key in schema.foreign_keys]
    measured += [(key, False) for key in schema.suggested_keys]
    hints = [
        KeyHint(key.table, key.columns, key.ref_table, key.ref_columns)
        for key, _ in measured
    ]
    rows: list[dict[str, Any]] = [
        {
            USED: used,
            "Who says so": str(key.origin),
            "Confidence": key.confidence,
            "Matched": _matched(schema, key),
            "Lead nowhere (orphans)": key.num_dangling,
            "Empty (NULL)": key.num_null,
            "Why": str(key.evidence.get("why", "")),
        }
        for key, used in measured
    ]
    rows += [{USED: False, "Who says so": "rejected"} for _ in schema.rejected_keys]
    hints += schema.rejected_keys
    ends = [
        {
            "From": f"{key.table}.{', '.join(key.columns)}",
            "To": f"{key.ref_table}.{', '.join(key.ref_columns)}",
        }
        for key in hints
    ]
    listed = [
        {USED: row[USED], **end, **row} for row, end in zip(rows, ends, strict=True)
    ]
    kept = [
        at
        for at, hint in enumerate(hints)
        if table in (None, hint.table, hint.ref_table)
    ]
    return [hints[at] for at in kept], pd.DataFrame([listed[at] for at in kept])


def _matched(schema: Schema, key: ForeignKey) -> float | None:
    """Return the share of a key's values that name a row; None without a value."""
    filled = schema.table(key.table).num_rows - key.num_null
    return (filled - key.num_dangling) / filled if filled else None


def all_tables(schema: Schema) -> pd.DataFrame:
    """Return a row per table."""
    return pd.DataFrame(
        [
            {
                "Table": table.name,
                "Rows": table.num_rows,
                "Columns": len(table.columns),
                "Key": ", ".join(table.primary_key),
                "Links": "; ".join(links_of(schema, table.name)),
            }
            for table in schema.tables
        ]
    )


def task_in_words(task: Task) -> str:
    """Return how a task is split and scored in a sentence."""
    kind, column = read_split(task.spec.split)
    by = f", by {column}" if column else ""
    said = [f"Split: {SPLITS[kind].title.lower()}{by}"]
    if task.spec.where:
        said.append(f"only rows where {task.spec.where}")
    if task.spec.hide:
        said.append(f"hidden: {', '.join(task.spec.hide)}")
    said.append(f"score: {METRICS[task.metric].label}")
    return "; ".join(said) + "."


def balance(task: Task) -> pd.DataFrame:
    """Return a row per part of the split and class, or the spread of a number."""
    frame = pd.DataFrame({"part": task.split, "label": task.labels})
    rows: list[dict[str, Any]] = []
    for part, name in enumerate(words.SPLIT_PARTS):
        labels = frame.loc[frame["part"] == part, "label"]
        if part == SEEN and not len(labels):
            continue
        if task.task_type is TaskType.REGRESSION:
            spread = labels.describe()
            rows.append(
                {
                    "Part": name,
                    "Rows": len(labels),
                    "Mean": spread["mean"],
                    "Lower quarter": spread["25%"],
                    "Median": spread["50%"],
                    "Upper quarter": spread["75%"],
                }
            )
            continue
        shares = labels.value_counts(normalize=True)
        for index, value in enumerate(task.classes):
            share = float(shares.get(float(index), 0.0))
            rows.append(
                {
                    "Part": name,
                    "Value": value,
                    "Rows": int((labels == index).sum()),
                    "Share": share,
                }
            )
    return pd.DataFrame(rows)


def size_in_words(plan: Mapping[str, Any]) -> str:
    """Return a graph's number of nodes and edges."""
    nodes, edges = plan["nodes"], plan["edges"]
    num_edges = sum(edge["count"] for edge in edges)
    return (
        f"{sum(nodes.values()):,} nodes of {_types(len(nodes))},"
        f" {num_edges:,} edges of {_types(len(edges))}"
    )


def _types(number: int) -> str:
    return "1 type" if number == 1 else f"{number} types"


def graph_tables(blueprint: Blueprint) -> pd.DataFrame:
    """Return what became of every table, and why."""
    return pd.DataFrame(
        [
            {"Table": one.subject, "Becomes": str(one.role), "Why": one.reason}
            for one in blueprint.tables
        ]
    )


def decisions_of(schema: Schema, blueprint: Blueprint) -> pd.DataFrame:
    """Return a row per table, key, column and shortcut: what becomes of it and why."""
    near, seen = table_hops(schema, blueprint), hops(blueprint)
    kinds = (
        ("table", blueprint.tables, near),
        ("key", blueprint.keys, {}),
        ("column", blueprint.columns, seen),
        ("shortcut", blueprint.paths, {}),
    )
    return pd.DataFrame(
        [
            {
                "What": one.subject,
                "Kind": kind,
                "Becomes": words.role(one.role),
                "Hops": found.get(one.subject),
                "Why": one.reason,
            }
            for kind, decisions, found in kinds
            for one in decisions
        ]
    )


def graph_facts(surveys: Mapping[str, SurveyedGraph]) -> pd.DataFrame:
    """Return a column per graph: its size, how far it reaches, and what it loses."""
    return pd.DataFrame({label: _facts_of(found) for label, found in surveys.items()})


def _facts_of(found: SurveyedGraph) -> dict[str, str]:
    plan, tables = found.plan, found.blueprint.tables
    seen = [hop for hop in plan["hops"].values() if hop is not None]
    hubs = plan["hubs"]
    dropped = [one.subject for one in tables if one.role is TableRole.DROPPED]
    num_edges = sum(edge["count"] for edge in plan["edges"])
    largest = f", the largest with {hubs[0]['share']:.0%} of its edges" if hubs else ""
    return {
        "Nodes": f"{sum(plan['nodes'].values()):,}",
        "Edges": f"{num_edges:,}",
        "Node types": str(len(plan["nodes"])),
        "Edge types": str(len(plan["edges"])),
        "Farthest column (hops)": str(max(seen, default=0)),
        "Tables left out": ", ".join(dropped) or "none",
        "Tables never seen": ", ".join(plan["unreachable"]) or "none",
        "Hubs": f"{len(hubs)}{largest}",
        "Parts (components)": f"{plan['components']:,}",
    }


def graph_links(plan: Mapping[str, Any]) -> pd.DataFrame:
    """Return a graph's edge types with their counts."""
    return pd.DataFrame(
        [
            {
                "From": edge["type"][0],
                "Link": edge["type"][1],
                "To": edge["type"][2],
                "Edges": edge["count"],
            }
            for edge in plan["edges"]
        ],
        columns=["From", "Link", "To", "Edges"],
    )


def costs(table: pd.DataFrame) -> pd.DataFrame:
    """Return a row per cell: what one run is expected to take."""
    names = {
        "topology": "Graph (topology)",
        "model": "Network (model)",
        "remedy": "Remedy",
        "depth": "Depth (layers)",
        "runs": "Runs (seeds)",
        "seconds": "Seconds a run",
        "megabytes": "Memory a run (MB)",
    }
    rounded = table.round({"seconds": 1, "megabytes": -1})
    return rounded[[*names]].rename(columns=names)
