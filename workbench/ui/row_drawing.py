"""One row's neighbourhood as boxes and lines, a ring a hop."""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum

import numpy as np

from workbench.blueprint import Blueprint, JunctionEdge, RowNode
from workbench.links import Links
from workbench.moments import date_text
from workbench.neighbourhood import Neighbourhood, Within
from workbench.palette import NEUTRAL, STEPS
from workbench.ui.diagram import Box, Line
from workbench.ui.diagram.layout import Rings, in_hops
from workbench.ui.drawings import ARROWS

MOST_A_HOP = 60
MOST_KEPT_AWAY = 12
MOST_LINES = 400
MOST_NAMES = 8
MOST_LETTERS = 18
ROOM, ROOM_WITH_NAMES = 21.0, 84.0
ROW_SIZE, DOT_SIZE = 40.0, 15.0
LATER = "#D55E00"


class Fate(StrEnum):
    """What became of a node within reach."""

    SEEN = "seen"
    CUT = "sampled away"
    LATER = "came later"


class Colouring(StrEnum):
    """What the colour of a node tells."""

    HOP = "Hop"
    TIME = "Time"


@dataclass(frozen=True, slots=True)
class Shown:
    """A node that is drawn.

    Attributes:
        node: Its type.
        place: Which of the type's nodes.
        hop: How far away.
        fate: Whether a network hears it.
    """

    node: str
    place: int
    hop: int
    fate: Fate

    @property
    def id(self) -> str:
        """What a click returns."""
        return f"{self.node}#{self.place}"


def choose_nodes(
    found: Neighbourhood, links: Links, most: int = MOST_A_HOP
) -> tuple[tuple[Shown, ...], Mapping[int, int]]:
    """Return the nodes to draw, hop by hop, and how many each hop has besides.

    A node is drawn where one nearer is drawn that it hangs from; of each type in
    proportion to how many there are, and at least one.

    Args:
        found: The neighbourhood.
        links: The graph.
        most: Most nodes of a hop that are heard; of those kept away fewer.
    """
    shown = [Shown(found.node, found.row, 0, Fate.SEEN)]
    more: dict[int, int] = {}
    parts = (
        (Fate.SEEN, found.seen, most),
        (Fate.CUT, found.cut, MOST_KEPT_AWAY),
        (Fate.LATER, found.later, MOST_KEPT_AWAY),
    )
    drawn = _none_of(links)
    drawn[found.node][found.row] = True
    for hop in range(1, found.depth + 1):
        hanging = _hanging(links, (found.seen, found.cut, found.later), drawn)
        for fate, part, limit in parts:
            at = {name: hops == hop for name, hops in part.nodes.items()}
            total = sum(int(each.sum()) for each in at.values())
            chosen = _spread_evenly(
                {name: np.flatnonzero(at[name] & hanging[name]) for name in at}, limit
            )
            shown += [Shown(name, place, hop, fate) for name, place in chosen]
            if total > len(chosen):
                more[hop] = more.get(hop, 0) + total - len(chosen)
        for one in shown:
            drawn[one.node][one.place] = True
    return tuple(shown), more


def draw_neighbourhood(
    blueprint: Blueprint,
    links: Links,
    found: Neighbourhood,
    chosen: tuple[Sequence[Shown], Mapping[int, int]],
    names: Mapping[str, str],
    colouring: Colouring,
) -> tuple[list[Box], list[Line], Rings]:
    """Return a neighbourhood's nodes on rings around the row, and their links.

    Args:
        blueprint: The graph's plan.
        links: The graph.
        found: The neighbourhood.
        chosen: What `choose_nodes` returned.
        names: What each node is called, by its id.
        colouring: What the colour tells.
    """
    shown, more = chosen
    lines = _lines(blueprint, links, found, {one.id for one in shown})
    hops = {one.id: one.hop for one in shown}
    crowd = max(list(hops.values()).count(hop) for hop in set(hops.values()))
    is_named = not more and crowd <= MOST_NAMES
    hops |= {f"more:{hop}": hop for hop in more}
    ties = [(line.source, line.target) for line in lines]
    rings = in_hops(hops, ties, ROOM_WITH_NAMES if is_named else ROOM)
    colours = _colours(shown, links, found, colouring)
    boxes = [
        _box(blueprint, links, one, names[one.id], colours[one.id], is_named, rings)
        for one in shown
    ]
    boxes += [
        Box(
            id=f"more:{hop}",
            label=f"and {number:,} more",
            note="",
            alt=f"{number:,} more at hop {hop} that are not drawn",
            x=rings.places[f"more:{hop}"][0],
            y=rings.places[f"more:{hop}"][1],
            w=DOT_SIZE,
            h=DOT_SIZE,
            kind="value",
            colour=NEUTRAL,
        )
        for hop, number in more.items()
    ]
    return boxes, lines, rings


def link_of(blueprint: Blueprint, chosen: str) -> tuple[int, int] | None:
    """Return the edge rule and link of a line that stands for a row, or None."""
    parts = re.fullmatch(r"link:(\d{1,6}):(\d{1,12})", chosen)
    if parts is None or int(parts[1]) >= len(blueprint.edges):
        return None
    edge, link = int(parts[1]), int(parts[2])
    return (edge, link) if isinstance(blueprint.edges[edge], JunctionEdge) else None


def _none_of(links: Links) -> dict[str, np.ndarray]:
    return {name: np.zeros(count, bool) for name, count in links.num_nodes.items()}


def _hanging(
    links: Links, parts: Sequence[Within], drawn: Mapping[str, np.ndarray]
) -> dict[str, np.ndarray]:
    """Return which nodes are tied to one that is drawn already."""
    tied = _none_of(links)
    for at, edge in enumerate(links.edges):
        used = np.concatenate([part.links[at] for part in parts])
        sources, targets = edge.sources[used], edge.targets[used]
        ends = (edge.rule.source, sources), (edge.rule.target, targets)
        for (name, nodes), (other, others) in (ends, ends[::-1]):
            tied[name][nodes[drawn[other][others]]] = True
    return tied


def _spread_evenly(
    candidates: Mapping[str, np.ndarray], most: int
) -> list[tuple[str, int]]:
    """Return at most so many candidates, of each type about the same share."""
    ranked = [
        (at / len(places), name, int(place))
        for name, places in candidates.items()
        for at, place in enumerate(places[:most])
    ]
    return [(name, place) for _, name, place in sorted(ranked)[:most]]


def _lines(
    blueprint: Blueprint, links: Links, found: Neighbourhood, drawn: set[str]
) -> list[Line]:
    """Return the links between nodes that are drawn."""
    lines = []
    parts = (found.seen, True), (found.cut, False), (found.later, False)
    for part, is_heard in parts:
        for at, rule in enumerate(blueprint.edges):
            edge = links.edges[at]
            for link in part.links[at].tolist():
                source = f"{rule.source}#{edge.sources[link]}"
                target = f"{rule.target}#{edge.targets[link]}"
                if source not in drawn or target not in drawn:
                    continue
                is_junction = isinstance(rule, JunctionEdge)
                lines.append(
                    Line(
                        id=f"link:{at}:{link}",
                        source=source,
                        target=target,
                        label=rule.name if is_heard else f"{rule.name} (not heard)",
                        line="dotted"
                        if not is_heard
                        else ("thick" if is_junction else "solid"),
                        arrow=ARROWS.get(rule.direction, "up"),
                    )
                )
                if len(lines) == MOST_LINES:
                    return lines
    return lines


def _box(
    blueprint: Blueprint,
    links: Links,
    one: Shown,
    name: str,
    colour: str,
    is_named: bool,
    rings: Rings,
) -> Box:
    is_row = isinstance(blueprint.node(one.node), RowNode)
    is_centre = one.hop == 0
    size = ROW_SIZE if is_centre else DOT_SIZE
    time = _time_of(links, one)
    when = f", from {date_text(time)}" if time is not None else ""
    kept = "" if one.fate is Fate.SEEN else f", {one.fate}: not heard"
    where = "the row itself" if is_centre else f"hop {one.hop}"
    has_name = is_named or is_centre
    return Box(
        id=one.id,
        label=_shortened(name) if has_name else "",
        note=one.node if has_name else "",
        alt=f"{one.node} {name}: {where}{when}{kept}",
        x=rings.places[one.id][0],
        y=rings.places[one.id][1],
        w=size,
        h=size,
        kind="type" if is_row else "value",
        colour=colour,
        emphasis=is_centre,
        dim=one.fate is not Fate.SEEN,
    )


def _colours(
    shown: Sequence[Shown],
    links: Links,
    found: Neighbourhood,
    colouring: Colouring,
) -> dict[str, str]:
    """Return a colour for every node; the row itself has that of its hop or time."""
    if colouring is Colouring.HOP:
        coloured = {
            one.id: STEPS[min(max(one.hop - 1, 0), len(STEPS) - 1)] for one in shown
        }
    else:
        coloured = dict(_by_age(shown, links))
    coloured |= {one.id: LATER for one in shown if one.fate is Fate.LATER}
    coloured |= {one.id: NEUTRAL for one in shown if one.fate is Fate.CUT}
    return coloured | {f"{found.node}#{found.row}": ""}


def _by_age(shown: Sequence[Shown], links: Links) -> Iterator[tuple[str, str]]:
    """Yield colours, the newest sixth of the nodes first; grey without a time."""
    times = {
        one.id: time
        for one in shown
        if one.fate is Fate.SEEN and (time := _time_of(links, one)) is not None
    }
    ordered = sorted(set(times.values()), reverse=True)
    for one in shown:
        if one.id in times:
            rank = ordered.index(times[one.id])
            yield one.id, STEPS[rank * len(STEPS) // len(ordered)]
        else:
            yield one.id, NEUTRAL


def _time_of(links: Links, one: Shown) -> float | None:
    """Return when a node came to be, or None where nothing says so."""
    times = links.times.get(one.node)
    if times is None or not np.isfinite(times[one.place]):
        return None
    return float(times[one.place])


def _shortened(text: str) -> str:
    return text if len(text) <= MOST_LETTERS else text[: MOST_LETTERS - 1] + "…"
