"""How many layers the target of a blueprint needs to see each table and column."""

from workbench.aggregate import AggregateRef
from workbench.blueprint import (
    Blueprint,
    EdgeRule,
    JunctionEdge,
    KeyRole,
    RowNode,
)


def flows(edge: EdgeRule) -> tuple[tuple[str, str], ...]:
    """Return the (sender, receiver) node types of the messages along an edge."""
    up, down = (edge.source, edge.target), (edge.target, edge.source)
    match edge.direction:
        case KeyRole.EDGE | KeyRole.UNDIRECTED:
            return (up, down)
        case KeyRole.UP:
            return (up,)
        case _:
            return (down,)


def distances(blueprint: Blueprint) -> dict[str, int]:
    """Return how many layers a message of each node type needs to reach the target.

    Returns:
        Number of hops by node type; a type whose messages never arrive is missing.
    """
    found = {blueprint.target: 0}
    pairs = [pair for edge in blueprint.edges for pair in flows(edge)]
    frontier = {blueprint.target}
    while frontier:
        senders = {sender for sender, receiver in pairs if receiver in frontier}
        hop = 1 + max(found.values())
        frontier = senders - found.keys()
        found |= dict.fromkeys(frontier, hop)
    return found


def hops(blueprint: Blueprint) -> dict[str, int | None]:
    """Return how many layers the target needs to see each column.

    A column is seen where its nearest carrier is: its own row, a row it is folded into
    or summarised in, or its value's node. A junction's attribute is seen with the
    message it rides on, one layer from the nearer end. This is the distance over rules;
    the rows of a database can be further away, never nearer.

    Returns:
        Number of hops by ``"table.column"``, None for what is never seen; the target
        column is not listed.

    Source: Xu et al. (2018), arXiv:1806.03536, whose Theorem 1 bounds what an L-layer
        network sees by the L-hop neighbourhood; here over node types.
    """
    near = distances(blueprint)
    seen: dict[str, int] = {}

    def see(subject: str, hop: int | None) -> None:
        if hop is not None:
            seen[subject] = min(hop, seen.get(subject, hop))

    for node in blueprint.nodes:
        if isinstance(node, RowNode):
            refs = (*node.columns, *node.aggregates)
        else:
            refs = (node.column,)
        for ref in refs:
            see(f"{ref.table}.{ref.column}", near.get(node.name))
            if isinstance(ref, AggregateRef) and ref.amount:
                see(f"{ref.table}.{ref.amount}", near.get(node.name))
    for edge in blueprint.edges:
        if isinstance(edge, JunctionEdge):
            ends = [near[end] + 1 for _, end in flows(edge) if end in near]
            for ref in edge.columns:
                see(f"{ref.table}.{ref.column}", min(ends, default=None))
    subjects = [one.subject for one in blueprint.columns]
    return {one: seen.get(one) for one in subjects if one != blueprint.predicted}
