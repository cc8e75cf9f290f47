"""What can be said about a graph before anything trains: counts, hops, reach, hubs."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, astuple, dataclass, fields
from typing import Any

import numpy as np
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components

from workbench.alignment import align, semantic_reach
from workbench.blueprint import (
    FEATURE_ROLES,
    PROMOTED_ROLES,
    Blueprint,
    Decision,
    JunctionEdge,
    KeyRole,
    TableRole,
)
from workbench.database import Database
from workbench.depot import Arrays
from workbench.digests import schema_digest
from workbench.exposure import find_exposure
from workbench.graph_parts import task_digest
from workbench.links import Linked, Links, link
from workbench.reach import node_hops, spread, table_hops
from workbench.schema import Schema
from workbench.task import SEEN, Grid, Task
from workbench.walk import Walk, walk_profile

__all__ = [
    "EdgeCount",
    "Hub",
    "Reach",
    "Survey",
    "plan_to_json",
    "survey",
    "survey_to_json",
]

NUM_SAMPLES = 256
HUB_SHARE = 0.05
HUB_DEGREE = 100


@dataclass(frozen=True, slots=True)
class EdgeCount:
    """An edge type and its links, each once, child → parent."""

    source: str
    name: str
    target: str
    count: int


@dataclass(frozen=True, slots=True)
class Reach:
    """How much of a table a row to predict sees within a number of hops.

    Attributes:
        hop: Number of hops.
        table: The table.
        mean: Mean share of its rows, 0 to 1, over the sampled rows.
        p10: The share that one in ten sampled rows stays below.
        p90: The share that nine in ten stay below.
    """

    hop: int
    table: str
    mean: float
    p10: float
    p90: float


@dataclass(frozen=True, slots=True)
class Hub:
    """A node at which a large share of an edge type's links meet.

    Attributes:
        edge: The edge type.
        node: Its node type.
        index: Which node: a row, or the place of a value.
        degree: Number of links that meet there.
        share: Their share of the edge type's links.
    """

    edge: str
    node: str
    index: int
    degree: int
    share: float


@dataclass(frozen=True, slots=True)
class Survey:
    """What a graph is like over the rows of a database.

    Attributes:
        blueprint: The plan surveyed.
        nodes: Number of nodes by node type.
        edges: Number of links by edge type.
        hops: Layers needed to see a row of each ``"table.column"``; None for never.
        unreachable: Tables in the graph none of whose rows is ever seen.
        reach: Per hop and table, how much is seen.
        walk: Per depth and hop, where a random walk from a row to predict ends.
        hubs: One node at most an end of an edge type, the largest share first.
        components: Number of connected components, whichever way messages run.
        warnings: The plan's, and what the rows add.
    """

    blueprint: Blueprint
    nodes: Mapping[str, int]
    edges: tuple[EdgeCount, ...]
    hops: Mapping[str, int | None]
    unreachable: tuple[str, ...]
    reach: tuple[Reach, ...]
    walk: tuple[Walk, ...]
    hubs: tuple[Hub, ...]
    components: int
    warnings: tuple[str, ...]


LISTED = {"edges": EdgeCount, "reach": Reach, "walk": Walk, "hubs": Hub}


def survey(
    database: Database,
    schema: Schema,
    task: Task,
    blueprint: Blueprint,
    max_hops: int = 6,
) -> Survey:
    """Look at a graph over the rows, without training.

    Hops are the exact distance, along the direction of messages, from the nearest row
    to predict to the nearest row seen; the reach is exact for at most 256 of the rows
    to predict, which are always the same ones.

    Args:
        database: Where the rows are.
        schema: What they mean.
        task: Which rows are predicted.
        blueprint: The graph.
        max_hops: The last hop of the reach.

    Returns:
        Counts, hops, reach, hubs and components.

    Source: reach is the receptive field of Xu et al. (2018), arXiv:1806.03536, counted
        per table; differs in: it follows the direction of messages.
    """
    asked = f"{max_hops} {schema_digest(schema)} {task_digest(task)}"
    kept = database.depot.get(
        f"survey {asked} {blueprint!r}",
        lambda: _to_facts(_look(database, schema, task, blueprint, max_hops)),
        lambda found: _from_facts(blueprint, found).blueprint is blueprint,
    )
    return _from_facts(blueprint, kept)


def plan_to_json(task: Task, surveys: Sequence[Survey]) -> dict[str, Any]:
    """Return what ``workbench plan --json`` prints."""
    spec = task.spec
    return {
        "task": {
            "name": spec.name,
            "target": spec.target,
            "type": str(task.task_type),
            "classes": list(task.classes),
            "where": spec.where,
            "hide": list(spec.hide),
            "split": spec.split,
            "split_seed": spec.split_seed,
            "metric": task.metric,
            "rows": len(task.rows),
            "rows_per_split": np.bincount(task.split, minlength=3)[:3].tolist(),
            **(
                {
                    "rows_set_aside": int((task.split == SEEN).sum()),
                    "grid": grid_to_json(task.grid),
                }
                if task.grid
                else {}
            ),
        },
        "topologies": [survey_to_json(one) for one in surveys],
        "alignment": [
            {"columns": list(one.columns), "depths": dict(one.depths)}
            for one in align({one.blueprint.name: one.blueprint for one in surveys})
        ],
    }


def grid_to_json(grid: Grid) -> dict[str, Any]:
    """Return ``task.grid`` of ``workbench plan --json``: which values are where."""
    return {
        "columns": list(grid.columns),
        "levels": [list(levels) for levels in grid.levels],
        "counts": grid.counts.tolist(),
    }


def survey_to_json(found: Survey) -> dict[str, Any]:
    """Return one topology of ``workbench plan --json``."""
    blueprint = found.blueprint
    return {
        "name": blueprint.name,
        "title": blueprint.title,
        "hash": blueprint.hash,
        "target": blueprint.target,
        "nodes": dict(found.nodes),
        "edges": [
            {"type": [one.source, one.name, one.target], "count": one.count}
            for one in found.edges
        ],
        "hops": dict(found.hops),
        "semantic_reach": [list(one) for one in semantic_reach(blueprint)],
        "unreachable": list(found.unreachable),
        "reach": [asdict(one) for one in found.reach],
        "walk": [asdict(one) for one in found.walk],
        "hubs": [asdict(one) for one in found.hubs],
        "components": found.components,
        "tables": _decisions_to_json(blueprint.tables),
        "keys": _decisions_to_json(blueprint.keys),
        "columns": _decisions_to_json(blueprint.columns),
        "paths": _decisions_to_json(blueprint.paths),
        "warnings": list(found.warnings),
    }


def _decisions_to_json(decisions: Iterable[Decision]) -> dict[str, dict[str, str]]:
    return {
        one.subject: {"role": str(one.role), "reason": one.reason} for one in decisions
    }


def _look(
    database: Database,
    schema: Schema,
    task: Task,
    blueprint: Blueprint,
    max_hops: int,
) -> Survey:
    links = link(database, schema, blueprint)
    hops = node_hops(links, blueprint.target, task.rows)
    near = table_hops(links, hops)
    unreachable = tuple(
        one.subject
        for one in blueprint.tables
        if one.role is not TableRole.DROPPED and one.subject not in near
    )
    hubs = _hubs(links)
    warnings = [
        *blueprint.warnings,
        *_row_warnings(unreachable, hubs),
        *_merged(schema, links),
    ]
    if task.grid is not None:
        exposed = find_exposure(links, blueprint.target, task).sentence
        warnings += [exposed] if exposed else []
    return Survey(
        blueprint=blueprint,
        nodes=links.num_nodes,
        edges=tuple(_edge_counts(links.edges)),
        hops=_column_hops(schema, blueprint, near, hops),
        unreachable=unreachable,
        reach=tuple(_reach(schema, task, blueprint, links, max_hops)),
        walk=tuple(walk_profile(links, blueprint.target, task.rows, max_hops)),
        hubs=hubs,
        components=_num_components(links),
        warnings=tuple(warnings),
    )


def _to_facts(found: Survey) -> Arrays:
    """Return a survey without its blueprint, as it can be kept."""
    facts = {one.name: getattr(found, one.name) for one in fields(found)}
    del facts["blueprint"]
    for name in LISTED:
        facts[name] = [astuple(one) for one in facts[name]]
    return Arrays({}, facts)


def _from_facts(blueprint: Blueprint, kept: Arrays) -> Survey:
    """Return the survey of `_to_facts`.

    Raises:
        KeyError, TypeError: It is none.
    """
    facts = dict(kept.facts)
    for name, kind in LISTED.items():
        facts[name] = tuple(kind(*one) for one in facts[name])
    for name in ("unreachable", "warnings"):
        facts[name] = tuple(facts[name])
    return Survey(blueprint=blueprint, **facts)


def _edge_counts(edges: Iterable[Linked]) -> Iterator[EdgeCount]:
    for edge in edges:
        rule = edge.rule
        yield EdgeCount(rule.source, rule.name, rule.target, len(edge.sources))


def _column_hops(
    schema: Schema,
    blueprint: Blueprint,
    near: Mapping[str, int],
    hops: Mapping[str, np.ndarray],
) -> dict[str, int | None]:
    role_of = {one.subject: one.role for one in blueprint.columns}
    found: dict[str, int | None] = {}
    for table in schema.tables:
        for column in table.columns:
            subject = f"{table.name}.{column.name}"
            seen = []
            if role_of[subject] in FEATURE_ROLES and table.name in near:
                seen.append(near[table.name])
            if role_of[subject] in PROMOTED_ROLES and subject in hops:
                reached = hops[subject][hops[subject] >= 0]
                seen += [int(reached.min())] if len(reached) else []
            if subject != blueprint.predicted:
                found[subject] = min(seen, default=None)
    return found


def _reach(
    schema: Schema, task: Task, blueprint: Blueprint, links: Links, max_hops: int
) -> Iterator[Reach]:
    samples = task.rows
    if len(samples) > NUM_SAMPLES:
        chosen = np.random.default_rng(0).choice(samples, NUM_SAMPLES, replace=False)
        samples = np.sort(chosen)
    tables = [
        one.subject for one in blueprint.tables if one.role is not TableRole.DROPPED
    ]
    counts = np.zeros((max_hops + 1, len(tables), len(samples)))
    for one in spread(links, blueprint.target, samples, max_hops):
        for _, members in one.members(len(samples)):
            counts[one.hop, tables.index(one.table)] += members.sum(axis=0)
    num_rows = np.array([max(schema.table(name).num_rows, 1) for name in tables])
    shares = counts.cumsum(axis=0) / num_rows[:, None]
    for hop in range(max_hops + 1):
        for index, name in enumerate(tables):
            low, high = np.percentile(shares[hop, index], [10, 90])
            yield Reach(
                hop, name, float(shares[hop, index].mean()), float(low), float(high)
            )


def _hubs(links: Links) -> tuple[Hub, ...]:
    found = []
    for edge in links.edges:
        ends = (edge.rule.source, edge.sources), (edge.rule.target, edge.targets)
        for node, indices in ends:
            degrees = np.bincount(indices, minlength=1)
            index = int(degrees.argmax())
            degree = int(degrees[index])
            share = degree / max(len(indices), 1)
            if degree >= HUB_DEGREE and share >= HUB_SHARE:
                found.append(Hub(edge.rule.name, node, index, degree, share))
    return tuple(sorted(found, key=lambda hub: (-hub.share, hub.edge, hub.node)))


def _num_components(links: Links) -> int:
    starts, total = {}, 0
    for name, count in links.num_nodes.items():
        starts[name], total = total, total + count
    empty = np.zeros(0, dtype=np.int64)
    sources = [starts[edge.rule.source] + edge.sources for edge in links.edges]
    targets = [starts[edge.rule.target] + edge.targets for edge in links.edges]
    rows, columns = np.concatenate([*sources, empty]), np.concatenate([*targets, empty])
    ties = coo_array(
        (np.ones(len(rows), dtype=np.int8), (rows, columns)), shape=(total, total)
    )
    return int(connected_components(ties, directed=False)[0])


def _merged(schema: Schema, links: Links) -> Iterator[str]:
    """Yield how many rows of an undirected list of links add none."""
    for edge in links.edges:
        rule = edge.rule
        if isinstance(rule, JunctionEdge) and rule.direction is KeyRole.UNDIRECTED:
            num_rows = schema.table(rule.table).num_rows
            left = num_rows - len(edge.sources)
            if left:
                yield (
                    f"{left:,} of the {num_rows:,} rows of {rule.table} are no further"
                    " link: they repeat a pair, tie a row to itself or lack an end."
                )


def _row_warnings(unreachable: Sequence[str], hubs: Sequence[Hub]) -> Iterator[str]:
    if unreachable:
        yield f"No row to predict ever sees a row of {', '.join(unreachable)}."
    if hubs:
        first, others = hubs[0], len(hubs) - 1
        more = f" (and {others} more such hubs)" if others else ""
        yield (
            f"A hub: {first.share:.0%} of the links {first.edge} meet at one node of"
            f" {first.node}{more}; much has to squeeze through it."
        )
