"""What a topology makes of a schema: plain data that can be drawn, saved and executed.

A `Blueprint` says what becomes of every table, key and column (decisions with reasons)
and what to build (node rules and edge rules). It knows names, never rows.
"""

import hashlib
import json
from collections.abc import Iterable
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

import tomli_w

from workbench.aggregate import AggregateRef
from workbench.errors import TopologyError
from workbench.schema import Stype


class TableRole(StrEnum):
    """What becomes of a table."""

    NODE = "node"
    EDGE = "edge"
    FOLDED = "folded"
    AGGREGATED = "aggregated"
    DROPPED = "dropped"


class KeyRole(StrEnum):
    """What becomes of a foreign key; the first four say which way messages run.

    Along an edge they run both ways, each with weights of its own; along an undirected
    one both ways alike.
    """

    EDGE = "edge"
    UP = "child-to-parent"
    DOWN = "parent-to-child"
    UNDIRECTED = "undirected"
    FOLDED = "folded"
    AGGREGATED = "aggregated"
    DROPPED = "dropped"


class ColumnRole(StrEnum):
    """What becomes of a column."""

    FEATURE = "feature"
    PROMOTED = "promoted"
    PROMOTED_KEPT = "promoted-and-feature"
    BAG = "bag"
    DROPPED = "dropped"


class PathRole(StrEnum):
    """What becomes of a chain of foreign keys."""

    SHORTCUT = "shortcut"
    DROPPED = "dropped"


EDGE_ROLES = frozenset({KeyRole.EDGE, KeyRole.UP, KeyRole.DOWN, KeyRole.UNDIRECTED})
FEATURE_ROLES = frozenset(
    {ColumnRole.FEATURE, ColumnRole.PROMOTED_KEPT, ColumnRole.BAG}
)
PROMOTED_ROLES = frozenset({ColumnRole.PROMOTED, ColumnRole.PROMOTED_KEPT})
FOLLOWED = "→"


@dataclass(frozen=True, slots=True)
class Decision:
    """What becomes of one table, key, column or chain of keys, and why.

    Attributes:
        subject: ``"People"``, ``"Batting.playerID->People"`` or ``"People.bats"``.
        role: What becomes of it.
        reason: One plain sentence.
    """

    subject: str
    role: TableRole | KeyRole | ColumnRole | PathRole
    reason: str


@dataclass(frozen=True, slots=True)
class ColumnRef:
    """A column as the rows of a node or a junction edge see it.

    Attributes:
        path: Ids of the folded keys that lead from the rows to the column's table;
            empty for a column of the rows' own table.
        table: The table that holds the column.
        column: The column.
        stype: What its values mean.
        via: One short label a key of ``path``, such as ``"address_id"``.
        is_sparse: Whether only its values other than 0 are kept, unscaled, because it
            is one of many columns that are nearly always 0.
    """

    path: tuple[str, ...]
    table: str
    column: str
    stype: Stype
    via: tuple[str, ...] = ()
    is_sparse: bool = False

    def __post_init__(self) -> None:
        if len(self.via) != len(self.path):
            raise ValueError("A column needs one label for every key on its path.")

    @property
    def name(self) -> str:
        """A readable name, such as ``"address_id→city.population"``."""
        if not self.path:
            return self.column
        return FOLLOWED.join((*self.via, f"{self.table}.{self.column}"))


@dataclass(frozen=True, slots=True)
class RowNode:
    """Every row of a table is a node.

    Attributes:
        name: Name of the node type: the table's name.
        table: The table.
        columns: The features of a node, folded ancestors' columns among them.
        aggregates: What else it knows: summaries of rows that keys lead to.
    """

    name: str
    table: str
    columns: tuple[ColumnRef, ...]
    aggregates: tuple[AggregateRef, ...] = ()


@dataclass(frozen=True, slots=True)
class ValueNode:
    """Every distinct value of a column, NULL aside, is a node.

    Attributes:
        name: Name of the node type: ``"table.column"``.
        column: The column in its own table; the value is the node's one feature.
    """

    name: str
    column: ColumnRef


@dataclass(frozen=True, slots=True)
class KeyEdge:
    """Every row with a parent under a foreign key is tied to it.

    Attributes:
        name: Name of the edge type: the ids of the keys followed.
        source: Node type of the child.
        target: Node type of the parent.
        path: Folded keys followed from the child's rows before ``key``; not empty
            where the child inherited the key from a folded ancestor.
        key: Id of the foreign key.
        direction: Which way messages run.
    """

    name: str
    source: str
    target: str
    path: tuple[str, ...]
    key: str
    direction: KeyRole


@dataclass(frozen=True, slots=True)
class JunctionEdge:
    """Every row of a junction table ties the two rows that it refers to.

    Attributes:
        name: Name of the edge type: the junction table's name.
        table: The junction table.
        source: Node type of the first key's parent.
        source_key: Id of the first key.
        target: Node type of the second key's parent.
        target_key: Id of the second key.
        columns: Edge attributes.
        direction: Which way messages run; child to parent means source to target.
            Undirected, a pair of rows is tied once however often it is listed, and no
            row to itself, unless links have columns that tell them apart.
    """

    name: str
    table: str
    source: str
    source_key: str
    target: str
    target_key: str
    columns: tuple[ColumnRef, ...]
    direction: KeyRole


@dataclass(frozen=True, slots=True)
class ShortcutEdge:
    """Every row is tied to the ancestor that a chain of foreign keys leads to.

    Attributes:
        name: Name of the edge type: the ids of the keys followed, so that two chains
            between the same tables are two types.
        source: Node type of the row.
        target: Node type of the ancestor.
        path: Ids of the keys followed, folded ones among them.
        direction: Which way messages run.
    """

    name: str
    source: str
    target: str
    path: tuple[str, ...]
    direction: KeyRole


@dataclass(frozen=True, slots=True)
class ValueEdge:
    """Every row is tied to the node of the value that it holds.

    Attributes:
        name: Name of the edge type.
        source: Node type of the rows.
        target: Node type of the values.
        column: The column as the rows see it; a folded ancestor's has a path.
        direction: Which way messages run.
    """

    name: str
    source: str
    target: str
    column: ColumnRef
    direction: KeyRole


NodeRule = RowNode | ValueNode
EdgeRule = KeyEdge | JunctionEdge | ShortcutEdge | ValueEdge


@dataclass(frozen=True, slots=True)
class Blueprint:
    """A plan of a graph.

    Attributes:
        name: What the graph is called in results.
        target: Node type of the table whose column is predicted.
        nodes: Node rules.
        edges: Edge rules.
        tables: One decision a table, in the schema's order.
        keys: One decision a foreign key.
        columns: One decision a column.
        warnings: What a reader should know before training, each one sentence.
        title: The name in plain words.
        predicted: ``"table.column"`` of the target, which no rule reads.
        paths: One decision a chain of keys that is an edge of its own.
        aggregate_depth: Number of keys up to which rows are summarised; 0 for none.

    Raises:
        TopologyError: The rules do not fit together.
    """

    name: str
    target: str
    nodes: tuple[NodeRule, ...]
    edges: tuple[EdgeRule, ...]
    tables: tuple[Decision, ...]
    keys: tuple[Decision, ...]
    columns: tuple[Decision, ...]
    warnings: tuple[str, ...] = ()
    title: str = field(default="", compare=False)
    predicted: str = ""
    paths: tuple[Decision, ...] = ()
    aggregate_depth: int = 0

    def __post_init__(self) -> None:
        rows = {rule.name for rule in self.nodes if isinstance(rule, RowNode)}
        values = {rule.name for rule in self.nodes if isinstance(rule, ValueNode)}
        if self.target not in rows:
            raise TopologyError(
                f'The graph "{self.name}" holds no rows of "{self.target}", the table'
                " whose column is predicted; make it a node."
            )
        _unique(self.name, "node types", [rule.name for rule in self.nodes])
        _unique(self.name, "edge types", [rule.name for rule in self.edges])
        for node in self.nodes:
            if isinstance(node, RowNode):
                held = (*node.columns, *node.aggregates)
                _unique(self.name, "columns", [ref.name for ref in held])
        for edge in self.edges:
            ends = values if isinstance(edge, ValueEdge) else rows
            if edge.source not in rows or edge.target not in ends:
                raise TopologyError(
                    f'The edge "{edge.name}" of the graph "{self.name}" ends at a table'
                    " that is no node; make its ends nodes or drop it."
                )
            if edge.direction not in EDGE_ROLES:
                raise TopologyError(
                    f'The edge "{edge.name}" of the graph "{self.name}" has the'
                    f' direction "{edge.direction}"; it can be "edge",'
                    ' "child-to-parent", "parent-to-child" or "undirected".'
                )

    @property
    def hash(self) -> str:
        """Twelve hex digits of what is built; names, reasons and warnings aside."""
        content = {
            "target": self.target,
            "nodes": [rule_to_json(rule) for rule in self.nodes],
            "edges": [rule_to_json(rule) for rule in self.edges],
        }
        text = json.dumps(content, sort_keys=True, ensure_ascii=True)
        return hashlib.sha256(text.encode()).hexdigest()[:12]

    def node(self, name: str) -> NodeRule:
        """Return the node rule of a node type."""
        return next(rule for rule in self.nodes if rule.name == name)

    def to_json(self) -> dict[str, Any]:
        """Return the whole plan as values that JSON can hold."""
        paths = {"paths": [_decision_to_json(one) for one in self.paths]}
        return {
            "name": self.name,
            "title": self.title,
            "hash": self.hash,
            "target": self.target,
            "nodes": [rule_to_json(rule) for rule in self.nodes],
            "edges": [rule_to_json(rule) for rule in self.edges],
            "tables": [_decision_to_json(one) for one in self.tables],
            "keys": [_decision_to_json(one) for one in self.keys],
            "columns": [_decision_to_json(one) for one in self.columns],
            **(paths if self.paths else {}),
            "warnings": list(self.warnings),
        }

    def to_toml(self) -> str:
        """Return a topology file that plans the same graph over the same schema."""
        depth = {"aggregate_depth": self.aggregate_depth}
        paths = {"paths": {one.subject: str(one.role) for one in self.paths}}
        return tomli_w.dumps(
            {
                "name": self.name,
                "base": "row2node",
                **(depth if self.aggregate_depth else {}),
                "tables": {one.subject: str(one.role) for one in self.tables},
                "keys": {one.subject: str(one.role) for one in self.keys},
                "columns": {one.subject: str(one.role) for one in self.columns},
                **(paths if self.paths else {}),
            }
        )


def rule_to_json(rule: NodeRule | EdgeRule) -> dict[str, Any]:
    """Return a rule as values that JSON can hold, with its kind."""
    shown: dict[str, Any] = {"kind": type(rule).__name__}
    for name in rule.__slots__:
        value = getattr(rule, name)
        if isinstance(value, ColumnRef):
            shown[name] = _column_to_json(value)
        elif name == "columns":
            shown[name] = [_column_to_json(ref) for ref in value]
        elif name == "aggregates":
            # Left out where there are none, so that other plans keep their hashes.
            shown |= {name: [ref.to_json() for ref in value]} if value else {}
        else:
            shown[name] = list(value) if isinstance(value, tuple) else str(value)
    return shown


def _column_to_json(ref: ColumnRef) -> dict[str, Any]:
    return {
        "name": ref.name,
        "path": list(ref.path),
        "table": ref.table,
        "column": ref.column,
        "stype": str(ref.stype),
        # Left out where it is not so, so that other plans keep their hashes.
        **({"is_sparse": True} if ref.is_sparse else {}),
    }


def _decision_to_json(one: Decision) -> dict[str, str]:
    return {"subject": one.subject, "role": str(one.role), "reason": one.reason}


def _unique(blueprint: str, kind: str, names: Iterable[str]) -> None:
    seen: set[str] = set()
    for name in names:
        if name in seen:
            raise TopologyError(
                f'The graph "{blueprint}" would have two {kind} named "{name}";'
                " rename or drop one."
            )
        seen.add(name)
