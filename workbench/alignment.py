"""Graphs compared by what they let the target see, not by their number of layers."""

from collections.abc import Hashable, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Generic, TypeVar

from workbench.blueprint import Blueprint
from workbench.hops import hops

N = TypeVar("N", bound=Hashable)


@dataclass(frozen=True, slots=True)
class Level(Generic[N]):
    """A reach level: what is seen, and from which depth on each graph sees it.

    Attributes:
        columns: The columns as ``"table.column"``, sorted.
        depths: By graph the least number of layers that sees them all; None for never.
    """

    columns: tuple[str, ...]
    depths: Mapping[N, int | None]


def semantic_reach(blueprint: Blueprint) -> tuple[tuple[str, ...], ...]:
    """Return which columns come into sight at each depth, from 0 to the last that adds.

    Returns:
        Sorted ``"table.column"`` by depth; each column once, at its nearest.
    """
    near = {one: hop for one, hop in hops(blueprint).items() if hop is not None}
    deepest = max(near.values(), default=0)
    return tuple(
        tuple(sorted(one for one, hop in near.items() if hop == depth))
        for depth in range(deepest + 1)
    )


def align(blueprints: Mapping[str, Blueprint]) -> tuple[Level[str], ...]:
    """Return at which depths graphs see the same, as `align_hops` does.

    Args:
        blueprints: The graphs by the name that they go by.
    """
    return align_hops({name: hops(one) for name, one in blueprints.items()})


def align_hops(reached: Mapping[N, Mapping[str, int | None]]) -> tuple[Level[N], ...]:
    """Return at which depths graphs see the same: "two layers here see what four do".

    Every set of columns that one of the graphs sees at some depth is a level. A graph
    is at it from the first depth at which it sees all of the set, and maybe more.

    Args:
        reached: By graph how far each ``"table.column"`` is; None for never. Of several
            sources only the columns that all of them have are compared.

    Returns:
        The levels, those of fewer columns first.
    """
    shared = (
        set.intersection(*(set(one) for one in reached.values())) if reached else []
    )
    sets = {
        frozenset(
            one for one in shared if (hop := near[one]) is not None and hop <= depth
        )
        for near in reached.values()
        for depth in {0, *(hop for hop in near.values() if hop is not None)}
    }
    return tuple(
        Level(
            tuple(sorted(seen)),
            MappingProxyType(
                {name: _depth_of(near, seen) for name, near in reached.items()}
            ),
        )
        for seen in sorted(sets, key=lambda one: (len(one), sorted(one)))
    )


def _depth_of(near: Mapping[str, int | None], seen: frozenset[str]) -> int | None:
    """Return the first depth at which a graph sees all of some columns."""
    depth = 0
    for one in seen:
        hop = near[one]
        if hop is None:
            return None
        depth = max(depth, hop)
    return depth
