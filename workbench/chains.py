"""Chains of foreign keys that one edge may stand for."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from workbench.blueprint import FOLLOWED, KeyEdge, KeyRole, ShortcutEdge


@dataclass(frozen=True, slots=True)
class Chain:
    """Two or more key edges, one after the other.

    Attributes:
        edge: What ties its two ends directly.
        length: Number of edges it stands for.
    """

    edge: ShortcutEdge
    length: int

    @property
    def name(self) -> str:
        """The ids of the keys followed."""
        return self.edge.name


def chains(edges: Sequence[KeyEdge], longest: int) -> Iterator[Chain]:
    """Yield every chain of two or more key edges, shorter ones first.

    A chain passes no table twice, so that self-references and circles of keys end. Keys
    that let messages run opposite ways make none.

    Args:
        edges: The edges of the keys.
        longest: Number of edges in the longest chain.
    """
    found = [((edge,), edge.direction) for edge in edges if edge.source != edge.target]
    for length in range(2, longest + 1):
        found = [
            ((*passed, edge), way)
            for passed, direction in found
            for edge in edges
            if edge.source == passed[-1].target
            and edge.target not in {passed[0].source, *(one.target for one in passed)}
            and (way := _along(direction, edge.direction)) is not None
        ]
        for passed, way in found:
            path = tuple(key for edge in passed for key in (*edge.path, edge.key))
            name, ends = FOLLOWED.join(path), (passed[0].source, passed[-1].target)
            yield Chain(ShortcutEdge(name, *ends, path, way), length)


def _along(one: KeyRole, other: KeyRole) -> KeyRole | None:
    """Return the way messages can run along two edges, if there is one."""
    if one is other or other is KeyRole.EDGE:
        return one
    return other if one is KeyRole.EDGE else None
