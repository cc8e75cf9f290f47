"""A blueprint over the rows: who sends messages to whom, and which rows are seen where.

A node sees the rows of its own table, of the tables folded into it, and, one layer
later, of the junctions whose edges end at it. A node came to be when the newest row did
that it shows, a link when the newest did that it stands for or passes.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace

import numpy as np

from workbench.blueprint import (
    Blueprint,
    EdgeRule,
    JunctionEdge,
    KeyRole,
    RowNode,
    ValueNode,
)
from workbench.database import Database
from workbench.edges import (
    edge_index,
    folded_rows,
    junction_rows,
    num_nodes,
    passed_rows,
    row_times,
    way_of,
)
from workbench.graph_parts import Folds, edge_folds, folds_of
from workbench.schema import Schema
from workbench.summarise import gathered, ways_of


@dataclass(frozen=True, slots=True)
class Linked:
    """One edge rule and its links, each once, child → parent.

    Attributes:
        rule: The edge rule.
        sources: Node index at the source of each link, int64.
        targets: Node index at the target of each link, int64.
        times: When each link came to be, float64, -inf for always; None where no row
            that it stands for or passes has a time.
    """

    rule: EdgeRule
    sources: np.ndarray
    targets: np.ndarray
    times: np.ndarray | None = None


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
        ride: None for what a node carries; what rides on a message to it is seen one
            layer later.
    """

    table: str
    node: str
    rows: np.ndarray
    nodes: np.ndarray
    ride: "Ride | None" = None

    @property
    def delay(self) -> int:
        """0 for what a node carries, 1 for what rides on a message to it."""
        return 0 if self.ride is None else 1


@dataclass(frozen=True, slots=True)
class Ride:
    """The links that rows ride on.

    Attributes:
        edge: Which edge rule, a position.
        links: Link behind each row seen, int64.
        is_down: Whether to the child's end.
    """

    edge: int
    links: np.ndarray
    is_down: bool


@dataclass(frozen=True, slots=True)
class Links:
    """Everything of a blueprint over the rows but the values.

    Attributes:
        num_nodes: Number of nodes by node type.
        edges: Links of every edge rule.
        messages: What runs along them.
        sights: Which rows are seen where.
        passages: Which rows are passed by links besides: they are not seen, but that
            there is a link tells of them.
        times: When each node came to be, float64, -inf for always, by node type; a type
            none of whose nodes has a time is missing.
    """

    num_nodes: Mapping[str, int]
    edges: tuple[Linked, ...]
    messages: tuple[Messages, ...]
    sights: tuple[Sight, ...]
    passages: tuple[Sight, ...] = ()
    times: Mapping[str, np.ndarray] = field(default_factory=dict)


def link(database: Database, schema: Schema, blueprint: Blueprint) -> Links:
    """Return a blueprint's links over the rows of a database."""
    edges = tuple(
        Linked(rule, *edge_index(database, schema, rule)) for rule in blueprint.edges
    )
    counts = {rule.name: num_nodes(database, schema, rule) for rule in blueprint.nodes}
    sights: list[Sight] = []
    for node in blueprint.nodes:
        if isinstance(node, RowNode):
            folds = folds_of(schema, blueprint, node.table)
            sights += _node_sights(database, schema, node, folds)
    passages: list[Sight] = []
    for index, edge in enumerate(edges):
        folds = edge_folds(schema, blueprint, edge.rule)
        found = _edge_sights(database, schema, edge, folds, index)
        (sights if isinstance(edge.rule, JunctionEdge) else passages).extend(found)
    times = _known_times(database, schema)
    return Links(
        num_nodes=counts,
        edges=tuple(
            replace(edge, times=_link_times(index, edge, (*sights, *passages), times))
            for index, edge in enumerate(edges)
        ),
        messages=tuple(one for edge in edges for one in messages_of(edge)),
        sights=tuple(sights),
        passages=tuple(passages),
        times=_node_times(counts, sights, times),
    )


def messages_of(edge: Linked) -> Iterator[Messages]:
    """Yield the one or two ways in which messages run along links."""
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


def node_times(
    database: Database, schema: Schema, rule: RowNode | ValueNode, folds: Folds
) -> np.ndarray | None:
    """Return when each node of a type came to be, as `Links.times` holds it.

    Args:
        database: Where the rows are.
        schema: What they mean.
        rule: The node type.
        folds: The tables folded into its rows, by path.
    """
    if not isinstance(rule, RowNode):
        return None
    counts = {rule.name: num_nodes(database, schema, rule)}
    sights = _node_sights(database, schema, rule, folds)
    return _node_times(counts, sights, _known_times(database, schema)).get(rule.name)


def link_times(
    database: Database, schema: Schema, edge: Linked, folds: Folds
) -> np.ndarray | None:
    """Return when each link of an edge rule came to be, as `Linked.times` holds it.

    Args:
        database: Where the rows are.
        schema: What they mean.
        edge: The links.
        folds: The tables folded into the junction that they stand for, by path.
    """
    sights = _edge_sights(database, schema, edge, folds, 0)
    return _link_times(0, edge, sights, _known_times(database, schema))


def _node_sights(
    database: Database, schema: Schema, node: RowNode, folds: Folds
) -> Iterator[Sight]:
    """Yield which rows the nodes of a type carry or summarise."""
    folded = {**folds, **{ref.path: ref.table for ref in node.columns if ref.path}}
    yield from _carried_sights(database, schema, node, folded)
    yield from _gathered_sights(database, schema, node)


def _edge_sights(
    database: Database, schema: Schema, edge: Linked, folds: Folds, index: int
) -> Iterator[Sight]:
    """Yield which rows ride on links, or are passed by them."""
    rule = edge.rule
    shown = (
        _junction_sights(database, schema, rule, folds)
        if isinstance(rule, JunctionEdge)
        else _passed_sights(database, schema, edge)
    )
    yield from _ridden_sights(index, edge, shown)


def _carried_sights(
    database: Database,
    schema: Schema,
    node: RowNode,
    folded: Folds,
) -> Iterator[Sight]:
    own = np.arange(schema.table(node.table).num_rows, dtype=np.int64)
    yield Sight(node.table, node.name, own, own)
    for path, table in folded.items():
        rows = folded_rows(database, schema, node.table, path)
        known = _known_by_row(rows)
        yield Sight(table, node.name, rows[known], own[known])


def _gathered_sights(
    database: Database, schema: Schema, node: RowNode
) -> Iterator[Sight]:
    for way, (ref, *_) in ways_of(node).items():
        rows, nodes = gathered(database, schema, node.table, way)
        yield Sight(ref.table, node.name, rows, nodes)


def _junction_sights(
    database: Database,
    schema: Schema,
    rule: JunctionEdge,
    folded: Folds,
) -> Iterator[tuple[str, np.ndarray]]:
    """Yield, a table, the row that each link of a junction shows, -1 for none."""
    junctions = junction_rows(database, schema, rule)
    yield rule.table, junctions
    for path, table in folded.items():
        yield table, folded_rows(database, schema, rule.table, path)[junctions]


def _passed_sights(
    database: Database, schema: Schema, edge: Linked
) -> Iterator[tuple[str, np.ndarray]]:
    """Yield, a table, the row that each link passes between its ends, -1 for none."""
    path = way_of(edge.rule)
    if path:
        table = schema.key(path[0]).table
        for one, rows in passed_rows(database, schema, table, path):
            yield one, rows[edge.sources]


def _ridden_sights(
    index: int, edge: Linked, shown: Iterable[tuple[str, np.ndarray]]
) -> Iterator[Sight]:
    """Yield what each end of an edge's messages sees of the rows behind its links."""
    rule = edge.rule
    ends = []
    if rule.direction is not KeyRole.DOWN:
        ends.append((rule.target, edge.targets, False))
    if rule.direction is not KeyRole.UP:
        ends.append((rule.source, edge.sources, True))
    for table, rows in shown:
        links = _known_by_row(rows)
        for node, nodes, is_down in ends:
            ride = Ride(index, links, is_down)
            yield Sight(table, node, rows[links], nodes[links], ride)


def _known_by_row(rows: np.ndarray) -> np.ndarray:
    """Return where there is a row, in the order of the rows."""
    known = np.flatnonzero(rows >= 0)
    return known[np.argsort(rows[known], kind="stable")]


def _known_times(database: Database, schema: Schema) -> dict[str, np.ndarray]:
    return {
        table.name: np.where(np.isnan(found), -np.inf, found)
        for table in schema.tables
        if (found := row_times(database, schema, table.name)) is not None
    }


def _node_times(
    num_nodes: Mapping[str, int],
    sights: Iterable[Sight],
    times: Mapping[str, np.ndarray],
) -> dict[str, np.ndarray]:
    found: dict[str, np.ndarray] = {}
    for sight in sights:
        if sight.ride is None and sight.table in times:
            newest = found.setdefault(
                sight.node, np.full(num_nodes[sight.node], -np.inf)
            )
            np.maximum.at(newest, sight.nodes, times[sight.table][sight.rows])
    return found


def _link_times(
    index: int,
    edge: Linked,
    sights: Iterable[Sight],
    times: Mapping[str, np.ndarray],
) -> np.ndarray | None:
    newest = None
    for sight in sights:
        if sight.ride and sight.ride.edge == index and sight.table in times:
            if newest is None:
                newest = np.full(len(edge.sources), -np.inf)
            np.maximum.at(newest, sight.ride.links, times[sight.table][sight.rows])
    return newest
