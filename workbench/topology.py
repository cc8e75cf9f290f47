"""From a schema and a task to a blueprint: the one function that plans.

A topology is a tuple of passes. Each pass rewrites a draft, the decisions about every
table, key and column; at the end the decisions become rules, once, in one place. No row
is read.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from typing import Protocol

from workbench.aggregating import aggregates
from workbench.blueprint import (
    PROMOTED_ROLES,
    Blueprint,
    ColumnRef,
    ColumnRole,
    Decision,
    EdgeRule,
    JunctionEdge,
    KeyEdge,
    KeyRole,
    NodeRule,
    PathRole,
    RowNode,
    ShortcutEdge,
    TableRole,
    ValueEdge,
    ValueNode,
)
from workbench.conflicts import conflicts
from workbench.draft import (
    Carried,
    Draft,
    begin,
    edge_rules,
    held_columns,
    held_features,
)
from workbench.errors import TopologyError
from workbench.hops import distances, hops
from workbench.schema import Schema
from workbench.task import TaskSpec

__all__ = [
    "Blueprint",
    "ColumnRef",
    "ColumnRole",
    "Decision",
    "EdgeRule",
    "JunctionEdge",
    "KeyEdge",
    "KeyRole",
    "NodeRule",
    "Pass",
    "PathRole",
    "RowNode",
    "ShortcutEdge",
    "TableRole",
    "Topology",
    "ValueEdge",
    "ValueNode",
    "hops",
    "plan",
]


class Pass(Protocol):
    """One rewriting step of a topology."""

    def __call__(self, draft: Draft) -> Draft:
        """Return the draft with other decisions."""
        ...


@dataclass(frozen=True, slots=True)
class Topology:
    """A way to turn a schema and a task into a graph.

    Attributes:
        name: The name that users type.
        title: The name in plain words.
        story: One sentence a newcomer understands.
        passes: What happens to the draft in which every row is a node, in order.
        node_count: Number of nodes as a formula.
        edge_count: Number of edges as a formula.
        hop_change: What happens to the hops between the target and a column.
        source: Who described it.
    """

    name: str
    title: str
    story: str
    passes: tuple[Pass, ...]
    node_count: str
    edge_count: str
    hop_change: str
    source: str


def plan(schema: Schema, spec: TaskSpec, topology: Topology) -> Blueprint:
    """Turn a schema and a task into a plan of a graph.

    Args:
        schema: Tables, keys and semantic types.
        spec: What is predicted and what is hidden; both are dropped whatever the
            topology says.
        topology: The construction.

    Returns:
        A blueprint whose every decision carries a reason.

    Raises:
        TopologyError: The decisions do not fit together.
    """
    draft = begin(schema, spec)
    for step in topology.passes:
        draft = step(draft)
    for problem in conflicts(draft):
        raise TopologyError(f'The graph "{topology.name}" cannot be planned: {problem}')
    edges = tuple(edge_rules(draft))
    summaries = {
        table.name: aggregates(draft, table.name)
        for table in draft.tables_as(TableRole.NODE)
    }
    rows = (
        RowNode(name, name, held_features(draft, name), found.refs)
        for name, found in summaries.items()
    )
    blueprint = Blueprint(
        name=topology.name,
        title=topology.title,
        target=spec.table,
        predicted=spec.target,
        nodes=(*rows, *_value_nodes(draft, edges)),
        edges=edges,
        tables=tuple(draft.tables.values()),
        keys=tuple(draft.keys.values()),
        columns=tuple(draft.columns.values()),
        warnings=(
            *draft.warnings,
            *(one for found in summaries.values() for one in found.warnings),
        ),
        paths=tuple(_path_decisions(edges)),
        aggregate_depth=draft.aggregate_depth,
    )
    return _warn_of_islands(blueprint)


def _path_decisions(edges: Iterable[EdgeRule]) -> Iterator[Decision]:
    for edge in edges:
        if isinstance(edge, ShortcutEdge):
            reason = f"Ties rows of {edge.source} to {edge.target} directly."
            yield Decision(edge.name, PathRole.SHORTCUT, reason)


def _value_nodes(draft: Draft, edges: Iterable[EdgeRule]) -> Iterator[ValueNode]:
    """Yield one node type a promoted column, however many edges lead to it."""
    linked = {edge.target for edge in edges if isinstance(edge, ValueEdge)}
    for table in draft.schema.tables:
        for ref in held_columns(draft, Carried((), (), table.name), PROMOTED_ROLES):
            name = f"{ref.table}.{ref.column}"
            if name in linked:
                yield ValueNode(name, ref)


def _warn_of_islands(blueprint: Blueprint) -> Blueprint:
    """Add the sentence that names node types no message from which can arrive."""
    near = distances(blueprint)
    islands = [
        f'"{rule.name}"' for rule in blueprint.nodes if near.get(rule.name) is None
    ]
    if not islands:
        return blueprint
    sentence = f"No path leads from the target to {', '.join(islands)}."
    return replace(blueprint, warnings=(*blueprint.warnings, sentence))
