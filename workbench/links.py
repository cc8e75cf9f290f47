"""A blueprint over the rows: who sends messages to whom, and which rows are seen where.

A node sees the rows of its own table, of the tables folded into it, and, one layer
later, of the junctions whose edges end at it.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

import numpy as np

from workbench.blueprint import (
    Blueprint,
    EdgeRule,
    JunctionEdge,
    KeyRole,
    RowNode,
)
from workbench.database import Database
from workbench.edges import edge_index, follow, junction_rows, num_nodes
from workbench.schema import Schema
from workbench.summarise import gathered, ways_of


@dataclass(frozen=True, slots=True)
class Linked:
    """One edge rule and its links, each once, child → parent.

    Attributes:
        rule: The edge rule.
        sources: Node index at the source of each link, int64.
        targets: Node index at the target of each link, int64.
    """

    rule: EdgeRule
    sources: np.ndarray
    targets: np.ndarray


@dataclass(frozen=True, slots=True)
class Messages:
    """One way messages run along an edge rule, sorted by sender.

    Attributes:
        sender: Node type of the senders.
        receiver: Node type of the receivers.
        senders: Node index of each message's sender, int64, ascending.
        receivers: Node index of each message's receiver, int64.
    """

    sender: str
    receiver: str
    senders: np.ndarray
    receivers: np.ndarray


@dataclass(frozen=True, slots=True)
class Sight:
    """Rows of a table that nodes of a type see, a summarised row among them.

    Attributes:
        table: The table.
        node: The node type.
        rows: Row of the table, int64, ascending.
        nodes: Node that sees it, int64.
        delay: 0 for what a node carries, 1 for what rides on a message to it.
    """

    table: str
    node: str
    rows: np.ndarray
    nodes: np.ndarray
    delay: int


@dataclass(frozen=True, slots=True)
class Links:
    """Everything of a blueprint over the rows but the values.

    Attributes:
        num_nodes: Number of nodes by node type.
        edges: Links of every edge rule.
        messages: What runs along them.
        sights: Which rows are seen where.
    """

    num_nodes: Mapping[str, int]
    edges: tuple[Linked, ...]
    messages: tuple[Messages, ...]
    sights: tuple[Sight, ...]


def link(database: Database, schema: Schema, blueprint: Blueprint) -> Links:
    """Return a blueprint's links over the rows of a database."""
    edges = tuple(
        Linked(rule, *edge_index(database, schema, rule)) for rule in blueprint.edges
    )
    counts = {rule.name: num_nodes(database, schema, rule) for rule in blueprint.nodes}
    sights: list[Sight] = []
    for node in blueprint.nodes:
        if isinstance(node, RowNode):
            folded = _folded_paths(schema, blueprint, node.table)
            folded |= {ref.path: ref.table for ref in node.columns if ref.path}
            sights += _carried_sights(database, schema, node, folded)
            sights += _gathered_sights(database, schema, node)
    for edge in edges:
        if isinstance(edge.rule, JunctionEdge):
            folded = _folded_paths(schema, blueprint, edge.rule.table)
            sights += _ridden_sights(database, schema, edge, edge.rule, folded)
    messages = tuple(one for edge in edges for one in _messages(edge))
    return Links(counts, edges, messages, tuple(sights))


def _messages(edge: Linked) -> Iterator[Messages]:
    rule = edge.rule
    if rule.direction is not KeyRole.DOWN:
        order = np.argsort(edge.sources, kind="stable")
        yield Messages(
            rule.source, rule.target, edge.sources[order], edge.targets[order]
        )
    if rule.direction is not KeyRole.UP:
        order = np.argsort(edge.targets, kind="stable")
        yield Messages(
            rule.target, rule.source, edge.targets[order], edge.sources[order]
        )


def _folded_paths(
    schema: Schema, blueprint: Blueprint, table: str
) -> dict[tuple[str, ...], str]:
    """Return the tables folded into a table, by the keys that lead there."""
    folded = {one.subject for one in blueprint.keys if one.role is KeyRole.FOLDED}
    found: dict[tuple[str, ...], str] = {}
    pending: list[tuple[tuple[str, ...], str]] = [((), table)]
    while pending:
        path, last = pending.pop()
        for key in schema.keys_from(last):
            if key.id in folded:
                found[*path, key.id] = key.ref_table
                pending.append(((*path, key.id), key.ref_table))
    return found


def _carried_sights(
    database: Database,
    schema: Schema,
    node: RowNode,
    folded: Mapping[tuple[str, ...], str],
) -> Iterator[Sight]:
    own = np.arange(schema.table(node.table).num_rows, dtype=np.int64)
    yield Sight(node.table, node.name, own, own, delay=0)
    for path, table in folded.items():
        rows = follow(database, schema, node.table, path)
        yield _sight(table, node.name, rows, own, delay=0)


def _gathered_sights(
    database: Database, schema: Schema, node: RowNode
) -> Iterator[Sight]:
    for way, (ref, *_) in ways_of(node).items():
        rows, nodes = gathered(database, schema, node.table, way)
        yield Sight(ref.table, node.name, rows, nodes, delay=0)


def _ridden_sights(
    database: Database,
    schema: Schema,
    edge: Linked,
    rule: JunctionEdge,
    folded: Mapping[tuple[str, ...], str],
) -> Iterator[Sight]:
    junctions = junction_rows(database, schema, rule)
    ends = []
    if rule.direction is not KeyRole.DOWN:
        ends.append((rule.target, edge.targets))
    if rule.direction is not KeyRole.UP:
        ends.append((rule.source, edge.sources))
    for node, nodes in ends:
        yield _sight(rule.table, node, junctions, nodes, delay=1)
        for path, table in folded.items():
            rows = follow(database, schema, rule.table, path)[junctions]
            yield _sight(table, node, rows, nodes, delay=1)


def _sight(
    table: str, node: str, rows: np.ndarray, nodes: np.ndarray, delay: int
) -> Sight:
    known = np.flatnonzero(rows >= 0)
    order = known[np.argsort(rows[known], kind="stable")]
    return Sight(table, node, rows[order], nodes[order], delay)
