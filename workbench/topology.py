"""From a schema and a task to a blueprint: drafts, and the one function that plans."""

from workbench.blueprint import (
    EDGE_ROLES,
    FEATURE_ROLES,
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
    RowNode,
    TableRole,
    ValueEdge,
    ValueNode,
)

__all__ = [
    "EDGE_ROLES",
    "FEATURE_ROLES",
    "PROMOTED_ROLES",
    "Blueprint",
    "ColumnRef",
    "ColumnRole",
    "Decision",
    "EdgeRule",
    "JunctionEdge",
    "KeyEdge",
    "KeyRole",
    "NodeRule",
    "RowNode",
    "TableRole",
    "ValueEdge",
    "ValueNode",
]
