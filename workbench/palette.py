"""One colour, dash and marker per arm, the same in every chart and on every page.

The colours follow the order of Okabe and Ito (2008, "Color Universal Design"), which
people with any common colour vision tell apart; the light ones are darkened until each
reaches a contrast of 3:1 on the light paper and on the dark paper alike, so an arm
keeps its colour when the theme changes. Colour is never the only mark: markers differ
too.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType

LIGHT_PAPER = "#ffffff"
DARK_PAPER = "#0e1117"
COLOURS = (
    "#0072B2",  # blue
    "#D55E00",  # vermillion
    "#009E73",  # bluish green
    "#B5649A",  # reddish purple, darkened
    "#B07A00",  # orange, darkened
    "#3A8FC7",  # sky blue, darkened
    "#857A4A",  # yellow, darkened to olive
    "#7D6BC9",  # violet, beyond the eight
    "#A0695A",  # brown, beyond the eight
)
NEUTRAL = "#808080"
# Near to far, or new to old: hue and lightness turn together from yellow to blue, so
# the order is kept with any colour vision; contrasts as above.
STEPS = ("#B68B16", "#C76F3B", "#C25D6B", "#A85895", "#7E5CB0", "#4365B3")
DASHES = ("solid", "dash", "dot", "dashdot", "longdash", "longdashdot")
SYMBOLS = (
    *("circle", "square", "diamond", "triangle-up", "cross", "star"),
    *("triangle-down", "hexagon"),
)
TITLES: Mapping[str, str] = MappingProxyType(
    {
        "row2node": "Normalized",
        "flattened": "Flattened",
        "row2edge": "Junctions as edges",
        "promoted": "Values as nodes",
        "single-table": "Target rows alone",
        "shortcut": "Shortcuts",
        "aggregated": "Summaries",
    }
)
EXPLANATIONS: Mapping[str, str] = MappingProxyType(
    {
        "row2node": "every row a node, every foreign key an edge",
        "flattened": "parents folded into the rows that refer to them",
        "row2edge": "rows that tie two others together become edges",
        "promoted": "flattened, then the values of categorical columns become nodes",
        "single-table": "the target's rows without any edge",
        "shortcut": "normalized, then every row is tied to each ancestor directly",
        "aggregated": "parents joined and children summarised in the target's rows",
    }
)


@dataclass(frozen=True, slots=True)
class ArmStyle:
    """How an arm looks and what it is called.

    Attributes:
        colour: Hexadecimal, readable on light and dark paper.
        dash: A Plotly dash; differs between sources where topologies differ too.
        symbol: A Plotly marker.
        label: The title in plain words, with the field's term beside it.
    """

    colour: str
    dash: str
    symbol: str
    label: str


def topology_label(topology: str) -> str:
    """Return a topology's name in plain words, such as ``Normalized (row2node)``."""
    title = TITLES.get(topology, topology)
    return title if title.casefold() == topology.casefold() else f"{title} ({topology})"


def arm_style(source: str, topology: str, arms: Sequence[tuple[str, str]]) -> ArmStyle:
    """Return the style of an arm among the arms that are shown with it.

    A topology that the workbench knows has a colour of its own whatever it is shown
    with. Custom topologies take the colours that are left, in the order of the arms.
    Where every arm has the same topology, the source decides.

    Args:
        source: The arm's source.
        topology: The arm's topology.
        arms: Every (source, topology) shown, in the study's order.
    """
    sources = list(dict.fromkeys([*(arm[0] for arm in arms), source]))
    topologies = list(dict.fromkeys([*(arm[1] for arm in arms), topology]))
    source_index = sources.index(source)
    if len(sources) > 1 and len(topologies) == 1:
        return ArmStyle(
            colour=COLOURS[source_index % len(COLOURS)],
            dash=DASHES[0],
            symbol=SYMBOLS[source_index % len(SYMBOLS)],
            label=source,
        )
    slot = _slots(topologies)[topology]
    label = topology_label(topology)
    return ArmStyle(
        colour=COLOURS[slot % len(COLOURS)],
        dash=DASHES[source_index % len(DASHES)],
        symbol=SYMBOLS[(slot + source_index) % len(SYMBOLS)],
        label=f"{source} · {label}" if len(sources) > 1 else label,
    )


def _slots(topologies: Sequence[str]) -> dict[str, int]:
    """Return each topology's place in the order of colours."""
    slots = {name: slot for slot, name in enumerate(TITLES)}
    taken = {slots[name] for name in topologies if name in slots}
    free = [slot for slot in range(len(COLOURS)) if slot not in taken]
    custom = [name for name in topologies if name not in slots]
    # Last colours first: the first ones belong to topologies a user may add.
    for index, name in enumerate(custom):
        slots[name] = free[-1 - index % len(free)] if free else index
    return slots
