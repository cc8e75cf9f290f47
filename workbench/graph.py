"""The one engine that executes every blueprint: rows in, tensors out.

A `Graph` holds, per node type, the features of its rows and, per relation, two index
arrays, child → parent, each link once. Which way messages run is the blueprint's say.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import assert_never

import numpy as np

from workbench.aggregate import AggregateRef
from workbench.blueprint import (
    Blueprint,
    ColumnRef,
    EdgeRule,
    JunctionEdge,
    KeyRole,
    RowNode,
    ValueNode,
)
from workbench.database import Database
from workbench.depot import Arrays
from workbench.edges import edge_index, edge_values, num_nodes, value_table
from workbench.entries import edge_entries, node_entries
from workbench.features import Features, encode_columns
from workbench.graph_parts import (
    Part,
    are_rows,
    edge_folds,
    edge_part,
    folds_of,
    node_part,
)
from workbench.links import Linked, link_times, node_times
from workbench.packing import is_packed, pack, unpack
from workbench.routes import (
    FEWEST_KEPT,
    Route,
    is_route,
    pack_route,
    sort_route,
    unpack_route,
)
from workbench.schema import Schema, Stype
from workbench.summarise import row_values
from workbench.task import Task


@dataclass(frozen=True, slots=True)
class Kept:
    """The messages of many links, sorted once and mapped by every process.

    Attributes:
        sources: The children of the links that were sorted.
        targets: Their parents.
        routes: By way (True from parent to child), the messages.
    """

    sources: np.ndarray
    targets: np.ndarray
    routes: Mapping[bool, Route]


@dataclass(frozen=True, slots=True)
class Relation:
    """The links of one edge rule, each once, child → parent.

    Attributes:
        name: Name of the edge rule.
        source: Node type of the child.
        target: Node type of the parent.
        source_rows: Child row of each link, int64.
        target_rows: Parent row of each link, int64.
        direction: Which way messages run.
        attributes: Features of the links (junction columns), or None.
        times: When each link came to be, float64, -inf for always; None where none has
            a time.
        heard: Whether a message runs along each link, bool, from child to parent and
            from parent to child; None where every link has those of ``direction``.
        kept: What is kept of sorting them, which counts while the links are these.
    """

    name: str
    source: str
    target: str
    source_rows: np.ndarray
    target_rows: np.ndarray
    direction: KeyRole
    attributes: Features | None
    times: np.ndarray | None = None
    heard: tuple[np.ndarray, np.ndarray] | None = None
    kept: Kept | None = None

    def route(self, reverse: bool, num_receivers: int) -> Route:
        """Return the messages that run one way, sorted by receiver."""
        held, heard = self.kept, self.heard
        ends = self.source_rows, self.target_rows
        if held is not None and heard is None:
            route = held.routes[reverse]
            is_same = held.sources is ends[0] and held.targets is ends[1]
            if is_same and len(route.starts) == num_receivers + 1:
                return route
        is_undirected = self.direction is KeyRole.UNDIRECTED
        runs = None
        if heard is not None:
            runs = np.concatenate(heard) if is_undirected else heard[int(reverse)]
        senders, receivers = ends[::-1] if reverse else ends
        return sort_route(
            senders, receivers, num_receivers, is_undirected=is_undirected, runs=runs
        )


@dataclass(frozen=True, slots=True)
class Direction:
    """One way messages run along a relation, sorted by receiver.

    Attributes:
        relation: Name of the relation.
        reverse: True when messages run from parent to child alone.
        source: Node type that sends.
        target: Node type that receives.
        senders: Row of each message's sender; like all indices here int32 where every
            one of them fits, else int64.
        receivers: Row of each message's receiver, ascending.
        links: Link of the relation that each message runs along.
        starts: [rows of ``target`` + 1]: where each row's messages start.
        edge_rows: Row of ``attributes`` behind each message, or None.
        attributes: Features of the links, or None.
        single: True when no row receives more than one message.
        mean_degree: Mean number of messages over rows that receive any; at least 1.
    """

    relation: str
    reverse: bool
    source: str
    target: str
    senders: np.ndarray
    receivers: np.ndarray
    links: np.ndarray
    starts: np.ndarray
    edge_rows: np.ndarray | None
    attributes: Features | None
    single: bool
    mean_degree: float


@dataclass(frozen=True)
class Graph:
    """A blueprint executed over the rows.

    Attributes:
        target: Node type of the target table.
        nodes: Features of every row of every node type.
        relations: Every edge rule's links.
        times: When each row came to be, float64, -inf for always, by node type; a type
            without times is missing, and all are where the task has no moments.
        hops: By node type, how many hops each row is from the nearest row to predict,
            where that was found out while building; else empty.
    """

    target: str
    nodes: Mapping[str, Features]
    relations: tuple[Relation, ...]
    times: Mapping[str, np.ndarray] = field(default_factory=dict, kw_only=True)
    hops: Mapping[str, np.ndarray] = field(default_factory=dict, kw_only=True)

    @cached_property
    def directions(self) -> tuple[Direction, ...]:
        """Every way messages run, in the order of the relations."""
        return tuple(
            self._directed(relation, reverse)
            for relation in self.relations
            for reverse in _ways(relation.direction)
        )

    @cached_property
    def degrees(self) -> Mapping[str, np.ndarray]:
        """Number of messages every row of every node type receives, float32."""
        counts = {
            name: np.zeros(features.num_rows, dtype=np.float32)
            for name, features in self.nodes.items()
        }
        for way in self.directions:
            counts[way.target] += np.diff(way.starts)
        return counts

    def _directed(self, relation: Relation, reverse: bool) -> Direction:
        source, target = relation.source, relation.target
        if reverse:
            source, target = target, source
        route = relation.route(reverse, self.nodes[target].num_rows)
        return Direction(
            relation=relation.name,
            reverse=reverse,
            source=source,
            target=target,
            senders=route.senders,
            receivers=route.receivers,
            links=route.links,
            starts=route.starts,
            edge_rows=None if relation.attributes is None else route.links,
            attributes=relation.attributes,
            single=len(route.receivers) == route.num_heard,
            mean_degree=len(route.receivers) / max(route.num_heard, 1),
        )

    def reach(self, depth: int) -> tuple[frozenset[str], ...]:
        """Return, for each layer, the node types that can still reach the target.

        Args:
            depth: Number of layers.

        Returns:
            ``depth + 1`` sets; the last holds the target alone.
        """
        layers = [frozenset({self.target})]
        for _ in range(depth):
            above = layers[0]
            senders = {way.source for way in self.directions if way.target in above}
            layers.insert(0, above | senders)
        return tuple(layers)


def build_graph(
    database: Database, schema: Schema, task: Task, blueprint: Blueprint
) -> Graph:
    """Execute a blueprint over the rows of a database.

    Args:
        database: Where the rows are.
        schema: What they mean.
        task: What is predicted, and when; its target column was dropped by the plan.
        blueprint: What becomes of every table, key and column.

    Returns:
        The graph, with every row of every node type that the blueprint keeps.

    Raises:
        GraphError: The blueprint does not fit the database.
    """
    nodes = {
        rule.name: _node_features(database, schema, rule) for rule in blueprint.nodes
    }
    relations = tuple(
        _relation(database, schema, rule, nodes) for rule in blueprint.edges
    )
    database.release()
    if task.times is None:
        return Graph(target=blueprint.target, nodes=nodes, relations=relations)
    times = {
        rule.name: found
        for rule in blueprint.nodes
        if (found := _node_times(database, schema, blueprint, rule)) is not None
    }
    return Graph(
        target=blueprint.target,
        nodes=nodes,
        relations=tuple(
            replace(one, times=_link_times(database, schema, blueprint, rule, one))
            for one, rule in zip(relations, blueprint.edges, strict=True)
        ),
        times=times,
    )


def row_normalised(graph: Graph) -> Graph:
    """Return a graph in which what each node lists adds up to 1.

    See `Features.row_normalised`; features of links stay as they are.
    """
    nodes = {name: one.row_normalised() for name, one in graph.nodes.items()}
    return replace(graph, nodes=nodes)


def _node_features(
    database: Database, schema: Schema, rule: RowNode | ValueNode
) -> Features:
    part = node_part(database, schema, rule)

    def make() -> Arrays:
        match rule:
            case RowNode():
                values = row_values(database, part.schema, rule)
                entries = node_entries(database, part.schema, rule)
                held = (*rule.columns, *rule.aggregates)
            case ValueNode():
                values = value_table(database, part.schema, rule.column)
                held, entries = (rule.column,), ()
            case _:
                assert_never(rule)
        num_rows = num_nodes(database, part.schema, rule)
        return pack(encode_columns(values, _stypes(held), num_rows, entries))

    return unpack(part.get("features", make, is_packed))


def _relation(
    database: Database, schema: Schema, rule: EdgeRule, nodes: Mapping[str, Features]
) -> Relation:
    part = edge_part(database, schema, rule)

    def make() -> Arrays:
        sources, targets = edge_index(database, part.schema, rule)
        return Arrays({"sources": sources, "targets": targets})

    def fits(found: Arrays) -> bool:
        sources, targets = found.arrays["sources"], found.arrays["targets"]
        return (
            len(sources) == len(targets)
            and are_rows(sources, nodes[rule.source].num_rows)
            and are_rows(targets, nodes[rule.target].num_rows)
        )

    links = part.get("links", make, fits).arrays
    relation = Relation(
        name=rule.name,
        source=rule.source,
        target=rule.target,
        source_rows=links["sources"],
        target_rows=links["targets"],
        direction=rule.direction,
        attributes=_edge_features(part, rule, len(links["sources"])),
    )
    if len(relation.source_rows) < FEWEST_KEPT:
        return relation
    routes = {
        reverse: _keep_route(part, relation, nodes, reverse)
        for reverse in _ways(relation.direction)
    }
    kept = Kept(relation.source_rows, relation.target_rows, routes)
    return replace(relation, kept=kept)


def _keep_route(
    part: Part, relation: Relation, nodes: Mapping[str, Features], reverse: bool
) -> Route:
    """Return the messages of many links one way, sorted now where that is not kept."""
    ends = nodes[relation.source].num_rows, nodes[relation.target].num_rows
    num_senders, num_receivers = ends[::-1] if reverse else ends
    num_links = len(relation.source_rows)
    packed = part.get(
        "messages down" if reverse else "messages up",
        lambda: pack_route(relation.route(reverse, num_receivers)),
        lambda found: is_route(found, num_links, num_senders, num_receivers),
    )
    return unpack_route(packed)


def _edge_features(part: Part, rule: EdgeRule, num_links: int) -> Features | None:
    """Return the columns of a junction whose rows are links; None without any."""
    if not isinstance(rule, JunctionEdge) or not rule.columns:
        return None

    def make() -> Arrays:
        values = edge_values(part.database, part.schema, rule)
        entries = edge_entries(part.database, part.schema, rule)
        return pack(encode_columns(values, _stypes(rule.columns), num_links, entries))

    return unpack(part.get("features", make, is_packed))


def _node_times(
    database: Database,
    schema: Schema,
    blueprint: Blueprint,
    rule: RowNode | ValueNode,
) -> np.ndarray | None:
    folds = {}
    if isinstance(rule, RowNode):
        folds = folds_of(schema, blueprint, rule.table)
    part = node_part(database, schema, rule, folds)

    def make() -> Arrays:
        found = node_times(database, part.schema, rule, folds)
        return Arrays({} if found is None else {"times": found})

    return part.get("times", make).arrays.get("times")


def _link_times(
    database: Database,
    schema: Schema,
    blueprint: Blueprint,
    rule: EdgeRule,
    relation: Relation,
) -> np.ndarray | None:
    folds = edge_folds(schema, blueprint, rule)
    part = edge_part(database, schema, rule, folds)

    def make() -> Arrays:
        edge = Linked(rule, relation.source_rows, relation.target_rows)
        found = link_times(database, part.schema, edge, folds)
        return Arrays({} if found is None else {"times": found})

    return part.get("times", make).arrays.get("times")


def _stypes(columns: Iterable[ColumnRef | AggregateRef]) -> dict[str, Stype]:
    return {column.name: column.stype for column in columns}


def _ways(direction: KeyRole) -> Iterator[bool]:
    """Yield False for child → parent and True for parent → child.

    Undirected links are one direction, in which messages run both ways alike.
    """
    if direction in (KeyRole.EDGE, KeyRole.UP, KeyRole.UNDIRECTED):
        yield False
    if direction in (KeyRole.EDGE, KeyRole.DOWN):
        yield True
