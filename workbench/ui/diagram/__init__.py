"""Diagrams of schemas and graphs: laid out in Python, drawn by Cytoscape.js.

The library is half a megabyte. It travels in a component of its own whose message never
changes, so a session fetches it once however often diagrams are drawn again.
"""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from functools import cache
from pathlib import Path
from typing import Any, Literal

import streamlit as st
from streamlit.components import v2

LineKind = Literal["solid", "dashed", "dotted", "thick"]
Arrow = Literal["up", "down", "both"]

FRONTEND = Path(__file__).parent / "frontend"


@dataclass(frozen=True, slots=True)
class Box:
    """A table card, or a node type.

    Attributes:
        id: What a click returns.
        label: Its name.
        note: A few words under the name, such as a number of rows.
        alt: What a reader who does not see it is told.
        x: Centre, in pixels.
        y: Centre, in pixels, downwards.
        w: Width in pixels.
        h: Height in pixels.
        kind: A table card, a type of rows, or a type of values.
        rows: (key, column, type) lines of a card.
        more: What is said under the lines, such as "12 more".
        colour: Hexadecimal; the theme's ink where empty.
        emphasis: Whether it is the target.
        dim: Whether it stands back.
    """

    id: str
    label: str
    note: str
    alt: str
    x: float
    y: float
    w: float
    h: float
    kind: Literal["card", "type", "value"]
    rows: tuple[tuple[str, str, str], ...] = ()
    more: str = ""
    colour: str = ""
    emphasis: bool = False
    dim: bool = False


@dataclass(frozen=True, slots=True)
class Line:
    """A link between two boxes.

    Attributes:
        id: Unique in its diagram.
        source: A box, the child's.
        target: A box, the parent's.
        label: Shown when the pointer or the selection is near.
        line: Dashed for keys that were guessed, thick for rows that became edges.
        arrow: Which way it points; "both" has no arrow head.
        marked: Whether it is drawn as part of a way.
    """

    id: str
    source: str
    target: str
    label: str
    line: LineKind = "solid"
    arrow: Arrow = "up"
    marked: bool = False


def draw(
    boxes: Sequence[Box],
    lines: Sequence[Line],
    *,
    key: str,
    height: int,
    alt: str,
    rings: Sequence[Any] = (),
    selected: str | None = None,
    movable: bool = False,
) -> str | None:
    """Draw a diagram and return the id of the box or line chosen, or None.

    Args:
        boxes: With places and sizes.
        lines: Between boxes.
        key: Unique on the page.
        height: In pixels.
        alt: The diagram in a sentence.
        rings: Circles behind the boxes (`layout.Ring`).
        selected: The box or line that is marked; without it, what was chosen last.
        movable: Whether boxes can be dragged, searched and focused on.
    """
    chosen = selected or selection(key)
    _library()(key=f"{key}-library", height=1)
    _diagram()(
        key=key,
        data={
            "nodes": [asdict(box) for box in boxes],
            "edges": [asdict(line) for line in lines],
            "rings": [asdict(ring) for ring in rings],
            "height": height,
            "alt": alt,
            "selected": chosen,
            "movable": movable,
        },
        on_selected_change=_nothing,
    )
    return chosen


def selection(key: str) -> str | None:
    """Return the box or line that was chosen in a diagram, before it is drawn again."""
    chosen = _chosen(key).get("id")
    return chosen if isinstance(chosen, str) else None


def last_turn(key: str) -> float | None:
    """Return what tells one click in a diagram from the next, on the same box too."""
    turn = _chosen(key).get("turn")
    return float(turn) if isinstance(turn, int | float) else None


def _chosen(key: str) -> Mapping[str, Any]:
    state: Mapping[str, Any] = st.session_state.get(key) or {}
    return state.get("selected") or {}


def _nothing() -> None:
    """Declare the state: the page reads it on the rerun that follows."""


@cache
def _library() -> Any:
    return v2.component(
        "workbench_cytoscape", js=_read("cytoscape.js"), isolate_styles=True
    )


@cache
def _diagram() -> Any:
    return v2.component(
        "workbench_diagram", js=_read("diagram.js"), css=_read("diagram.css")
    )


def _read(name: str) -> str:
    return (FRONTEND / name).read_text(encoding="utf-8")
