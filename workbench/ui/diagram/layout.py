"""Where a diagram's boxes stand: computed here, so that the browser only draws.

A schema is drawn in layers, rows left of the rows they refer to. A graph is
drawn in rings around the target, one ring a hop: what a network of depth k can see lies
within ring k.
"""

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

import networkx as nx

Link = tuple[str, str]

GAP_X, GAP_Y = 76.0, 24.0
ASPECT = 2.1
FIRST_RING, NEXT_RING = 92.0, 76.0
ROOM_ON_RING = 84.0
CROWD, STAGGER = 8, 38.0
SWEEPS = 6


@dataclass(frozen=True, slots=True)
class Ring:
    """A circle around the target.

    Attributes:
        radius: In pixels at zoom 1.
        label: What lies on it.
        x: Where the label stands: on the ring, where no node type is.
        y: The same, downwards.
    """

    radius: float
    label: str
    x: float
    y: float


@dataclass(frozen=True, slots=True)
class Rings:
    """Node types around a target.

    Attributes:
        places: Centre of every node type.
        rings: Circles from the inside out.
        far: The types that no message path ties to the target.
    """

    places: Mapping[str, tuple[float, float]]
    rings: tuple[Ring, ...]
    far: frozenset[str]


def in_layers(
    sizes: Mapping[str, tuple[float, float]], links: Iterable[Link]
) -> dict[str, tuple[float, float]]:
    """Return a centre for every box, children left of their parents.

    Args:
        sizes: Width and height of every box, in pixels.
        links: (child, parent) pairs; self-references and cycles are fine.

    Returns:
        Centres such that no two boxes overlap.
    """
    graph = nx.DiGraph()
    graph.add_nodes_from(sizes)
    graph.add_edges_from(link for link in links if link[0] != link[1])
    layers = _order(_layers(graph), graph)
    first = _break_layer(layers[0], sizes) if layers else []
    others = [column for layer in layers[1:] for column in _break_layer(layer, sizes)]
    # So many children that they fill several columns stand on both sides.
    columns = [*first[0::2], *others, *first[1::2]]
    places: dict[str, tuple[float, float]] = {}
    left = 0.0
    for column in columns:
        width = max(sizes[name][0] for name in column)
        height = sum(sizes[name][1] + GAP_Y for name in column) - GAP_Y
        top = -height / 2
        for name in column:
            places[name] = (left + width / 2, top + sizes[name][1] / 2)
            top += sizes[name][1] + GAP_Y
        left += width + GAP_X
    return places


def in_rings(names: Sequence[str], target: str, sees: Iterable[Link]) -> Rings:
    """Return a centre for every node type, on the ring of its hop distance.

    Args:
        names: Node types.
        target: The node type in the middle.
        sees: (a, b) pairs: in one layer a's state takes in b's.
    """
    graph = nx.DiGraph()
    graph.add_nodes_from(names)
    graph.add_edges_from(sees)
    hops = nx.single_source_shortest_path_length(graph, target)
    by_hop: dict[int, list[str]] = {}
    for name in names:
        by_hop.setdefault(hops.get(name, -1), []).append(name)
    far = by_hop.pop(-1, [])
    angles: dict[str, float] = {target: 0.0}
    places = {target: (0.0, 0.0)}
    radii: dict[str, float] = {}
    for hop in range(1, max(by_hop) + 1):
        label = "1 hop" if hop == 1 else f"{hop} hops"
        radii[label] = _place_ring(by_hop[hop], radii.values(), graph, angles, places)
    if far:
        radii["out of reach"] = _place_ring(far, radii.values(), graph, angles, places)
    free = _middle_of_widest_gap([angles[name] for name in names if name != target])
    rings = tuple(
        Ring(radius, label, radius * math.cos(free), radius * math.sin(free))
        for label, radius in radii.items()
    )
    return Rings(places, rings, frozenset(far))


def in_hops(hops: Mapping[str, int], ties: Iterable[Link], room: float) -> Rings:
    """Return a centre for every node, on the ring of the hop it is said to be at.

    Args:
        hops: Hop of every node; exactly one is at 0, and stands in the middle.
        ties: Pairs of nodes, so that a node stands near those it hangs from.
        room: Pixels along a ring for each node.
    """
    graph = nx.DiGraph()
    graph.add_nodes_from(hops)
    graph.add_edges_from(ties)
    by_hop: dict[int, list[str]] = {}
    for name, hop in hops.items():
        by_hop.setdefault(hop, []).append(name)
    (centre,) = by_hop.pop(0)
    angles = {centre: 0.0}
    places = {centre: (0.0, 0.0)}
    radii: dict[str, float] = {}
    for hop in sorted(by_hop):
        label = "1 hop" if hop == 1 else f"{hop} hops"
        radii[label] = _place_ring(
            by_hop[hop], radii.values(), graph, angles, places, room
        )
    free = _middle_of_widest_gap([angles[name] for name in hops if hops[name]])
    rings = tuple(
        Ring(radius, label, radius * math.cos(free), radius * math.sin(free))
        for label, radius in radii.items()
    )
    return Rings(places, rings, frozenset())


def _layers(graph: nx.DiGraph) -> list[list[str]]:
    """Return layers from left to right, so that links are short and point right."""
    groups = nx.condensation(graph)
    members: Mapping[int, set[str]] = nx.get_node_attributes(groups, "members")
    place: dict[int, int] = {}
    for group in nx.topological_sort(groups):
        children = [place[child] for child in groups.predecessors(group)]
        place[group] = 1 + max(children, default=-1)
    for group in groups:
        parents = [place[parent] for parent in groups.successors(group)]
        if parents and not groups.in_degree(group):
            place[group] = min(parents) - 1
    layers: list[list[str]] = [[] for _ in range(1 + max(place.values(), default=0))]
    for group, tables in members.items():
        layers[place[group]] += sorted(tables)
    return [layer for layer in layers if layer]


def _order(layers: list[list[str]], graph: nx.DiGraph) -> list[list[str]]:
    """Order each layer by the middle of its neighbours, back and forth."""
    position = {
        name: index / max(1, len(layer) - 1)
        for layer in layers
        for index, name in enumerate(layer)
    }
    for sweep in range(SWEEPS):
        for layer in layers if sweep % 2 else reversed(layers):
            middle = {
                name: _mean(
                    [position[other] for other in nx.all_neighbors(graph, name)]
                )
                for name in layer
            }
            layer.sort(key=lambda name: (middle[name], name))
            for index, name in enumerate(layer):
                position[name] = index / max(1, len(layer) - 1)
    return layers


def _mean(values: Sequence[float]) -> float:
    return sum(values) / len(values) if values else 0.5


def _break_layer(
    layer: Sequence[str], sizes: Mapping[str, tuple[float, float]]
) -> list[list[str]]:
    """Break a long layer into columns, so that the drawing is wider than tall."""
    area = sum((w + GAP_X) * (h + GAP_Y) for w, h in sizes.values())
    tallest = max(math.sqrt(area / ASPECT), *(h for _, h in sizes.values()))
    total = sum(sizes[name][1] + GAP_Y for name in layer)
    parts = max(1, math.ceil(total / (1.2 * tallest)))
    columns: list[list[str]] = [[] for _ in range(parts)]
    filled = 0.0
    for name in layer:
        columns[min(parts - 1, int(filled * parts / total))].append(name)
        filled += sizes[name][1] + GAP_Y
    return [column for column in columns if column]


def _place_ring(
    names: Sequence[str],
    inner: Iterable[float],
    graph: nx.DiGraph,
    angles: dict[str, float],
    places: dict[str, tuple[float, float]],
    room: float = ROOM_ON_RING,
) -> float:
    """Spread nodes over the next ring, near those they hang from."""
    least = max(inner, default=FIRST_RING - NEXT_RING) + NEXT_RING
    crowded = len(names) > CROWD and room == ROOM_ON_RING
    radius = max(least, len(names) * room / (2 * math.pi))
    wanted = {name: _angle_of_inner(name, graph, angles) for name in names}
    ordered = sorted(names, key=lambda name: (wanted[name], name))
    step = 2 * math.pi / len(ordered)
    # Turn the even spread so that it lies as near as it can to the wanted angles.
    offsets = [wanted[name] - index * step for index, name in enumerate(ordered)]
    turn = math.atan2(
        sum(math.sin(each) for each in offsets), sum(math.cos(each) for each in offsets)
    )
    for index, name in enumerate(ordered):
        angle = turn + index * step
        # Names on a crowded ring have room when every other one stands further in.
        reach = radius - (STAGGER if crowded and index % 2 else 0)
        angles[name] = angle
        # The y axis points down.
        places[name] = (reach * math.cos(angle), reach * math.sin(angle))
    return radius


def _middle_of_widest_gap(angles: Sequence[float]) -> float:
    """Return the direction in which least is drawn; straight up where nothing is."""
    turned = sorted(angle % math.tau for angle in angles)
    if not turned:
        return -math.pi / 2
    following = [*turned[1:], turned[0] + math.tau]
    gap, start = max(
        (after - before, before)
        for before, after in zip(turned, following, strict=True)
    )
    return start + gap / 2


def _angle_of_inner(name: str, graph: nx.DiGraph, angles: Mapping[str, float]) -> float:
    inner = [
        angles[other] for other in nx.all_neighbors(graph, name) if other in angles
    ]
    if not inner:
        return 0.0
    return math.atan2(sum(map(math.sin, inner)), sum(map(math.cos, inner))) % math.tau
