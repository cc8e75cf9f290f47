"""Schemas and graphs as boxes and lines."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from types import MappingProxyType
from typing import Any

from workbench.blueprint import (
    Blueprint,
    EdgeRule,
    JunctionEdge,
    KeyEdge,
    KeyRole,
    RowNode,
    ShortcutEdge,
    TableRole,
    ValueEdge,
)
from workbench.difference import table_hops
from workbench.schema import KeyOrigin, Schema, Table
from workbench.ui import words
from workbench.ui.diagram import Arrow, Box, Line, LineKind
from workbench.ui.diagram.layout import Rings, in_layers, in_rings

NAMES_WIDTH, CARD_WIDTH, CARD_HEAD, CARD_ROW, CARD_END = 156.0, 210.0, 44.0, 20.0, 6.0
MOST_LINES = 9
LEAST_HEIGHT, MOST_HEIGHT, MARGIN = 260, 640, 70
LARGEST_ZOOM = 1.15  # as in diagram.js
ARROWS: Mapping[KeyRole, Arrow] = MappingProxyType(
    {
        KeyRole.EDGE: "both",
        KeyRole.UNDIRECTED: "both",
        KeyRole.UP: "up",
        KeyRole.DOWN: "down",
    }
)
KEY_LINES: Mapping[KeyRole, LineKind] = MappingProxyType(
    {
        KeyRole.EDGE: "solid",
        KeyRole.UP: "solid",
        KeyRole.DOWN: "solid",
        KeyRole.FOLDED: "dashed",
        KeyRole.AGGREGATED: "dashed",
        KeyRole.DROPPED: "dotted",
    }
)
NODE_SIZE, TARGET_SIZE = 30.0, 42.0


def draw_schema(
    schema: Schema, detail: str, way: tuple[str, str] | None = None
) -> tuple[list[Box], list[Line]]:
    """Return a schema's tables as cards and its keys as lines.

    Args:
        schema: What to draw.
        detail: ``names``, ``keys`` or ``all`` columns.
        way: Two tables, the target first; the keys on the shortest ways between them
            are marked.
    """
    marked = {key.id for key in schema.keys_between(*way)} if way else set[str]()
    shown = {table.name: _lines_of(schema, table, detail) for table in schema.tables}
    width = NAMES_WIDTH if detail == "names" else CARD_WIDTH
    sizes = {
        name: (
            width,
            CARD_HEAD + CARD_ROW * (len(lines) + bool(more)) + CARD_END,
        )
        for name, (lines, more) in shown.items()
    }
    keys = schema.foreign_keys
    places = in_layers(sizes, [(key.table, key.ref_table) for key in keys])
    boxes = [
        Box(
            id=table.name,
            label=table.name,
            note=words.rows(table.num_rows),
            alt=_table_in_words(schema, table),
            x=places[table.name][0],
            y=places[table.name][1],
            w=sizes[table.name][0],
            h=sizes[table.name][1],
            kind="card",
            emphasis=way is not None and table.name == way[0],
            rows=shown[table.name][0],
            more=shown[table.name][1],
        )
        for table in schema.tables
    ]
    lines = [
        Line(
            id=key.id,
            source=key.table,
            target=key.ref_table,
            label=", ".join(key.columns),
            line="dashed" if key.origin is KeyOrigin.INFERRED else "solid",
            marked=key.id in marked,
        )
        for key in keys
    ]
    lines += [
        Line(
            id=key.id,
            source=key.table,
            target=key.ref_table,
            label=", ".join(key.columns),
            line="dotted",
        )
        for key in schema.suggested_keys
    ]
    return boxes, lines


def draw_decisions(
    schema: Schema, blueprint: Blueprint
) -> tuple[list[Box], list[Line]]:
    """Return a schema's tables as cards that say what a graph makes of each.

    A table that is left out stands back. A key along which messages run is a solid
    line, one that is folded or summarised a dashed one, one left out a dotted one.
    """
    tables = {one.subject: TableRole(one.role) for one in blueprint.tables}
    keys = {one.subject: KeyRole(one.role) for one in blueprint.keys}
    near = table_hops(schema, blueprint)
    boxes, lines = draw_schema(schema, "names")
    decided = []
    for box in boxes:
        said = words.TABLE_ROLES_SHORT[tables[box.id]]
        if tables[box.id] is not TableRole.DROPPED:
            said = f"{said} · {words.hops_away(near[box.id])}"
        decided.append(
            replace(
                box,
                note=said,
                alt=f"{box.label}: {said}",
                emphasis=box.id == blueprint.target,
                dim=tables[box.id] is TableRole.DROPPED,
            )
        )
    used = [line for line in lines if line.id in keys]
    return decided, [
        replace(
            line,
            line=KEY_LINES[keys[line.id]],
            arrow=ARROWS.get(keys[line.id], "up"),
        )
        for line in used
    ]


def height_of(boxes: Sequence[Box], width: float) -> int:
    """Return the height in pixels that shows all boxes across a width."""
    if not boxes:
        return LEAST_HEIGHT
    right = max(box.x + box.w / 2 for box in boxes)
    left = min(box.x - box.w / 2 for box in boxes)
    lower = max(box.y + box.h / 2 for box in boxes)
    upper = min(box.y - box.h / 2 for box in boxes)
    zoom = min(LARGEST_ZOOM, width / (right - left))
    return round(min(MOST_HEIGHT, max(LEAST_HEIGHT, (lower - upper) * zoom + MARGIN)))


def draw_graph(
    blueprint: Blueprint, counts: Mapping[str, int], colour: str
) -> tuple[list[Box], list[Line], Rings]:
    """Return a graph's node types on rings around the target, and its edge types.

    Args:
        blueprint: What to draw.
        counts: Number of nodes of every type, where they are counted.
        colour: The topology's.
    """
    sees = [pair for rule in blueprint.edges for pair in _who_sees_whom(rule)]
    names = [rule.name for rule in blueprint.nodes]
    rings = in_rings(names, blueprint.target, sees)
    boxes = []
    for rule in blueprint.nodes:
        is_target = rule.name == blueprint.target
        size = TARGET_SIZE if is_target else NODE_SIZE
        kind = "type" if isinstance(rule, RowNode) else "value"
        what = "rows" if kind == "type" else "values"
        far = rule.name in rings.far
        boxes.append(
            Box(
                id=rule.name,
                label=rule.name,
                note=_count(counts, rule.name),
                alt=f"{rule.name}: {_count(counts, rule.name)} {what}"
                + (", the target" if is_target else "")
                + (", out of reach" if far else ""),
                x=rings.places[rule.name][0],
                y=rings.places[rule.name][1],
                w=size,
                h=size,
                kind=kind,
                colour=colour,
                emphasis=is_target,
                dim=far,
            )
        )
    return boxes, [_line_of(rule) for rule in blueprint.edges], rings


def subject_of(blueprint: Blueprint, chosen: str) -> str:
    """Return what is decided about where something in a graph's drawing is chosen.

    Args:
        blueprint: The graph.
        chosen: A node type or an edge type.

    Returns:
        A table, a key's id, ``"table.column"`` or a chain of keys.
    """
    for rule in blueprint.edges:
        if rule.name == chosen:
            match rule:
                case KeyEdge():
                    return rule.key
                case ValueEdge():
                    return rule.target
                case JunctionEdge() | ShortcutEdge():
                    return rule.name
    return chosen


def graph_in_words(blueprint: Blueprint, plan: Mapping[str, Any]) -> str:
    """Return a graph's schema in a sentence."""
    types = ", ".join(f"{name} ({count:,})" for name, count in plan["nodes"].items())
    return (
        f"The graph {blueprint.name}, around {blueprint.target}: node types {types};"
        f" {len(blueprint.edges)} edge types."
    )


def rings_in_words(schema: Schema, blueprint: Blueprint) -> str:
    """Return what a graph makes of each table and how near it is, in a sentence."""
    near = table_hops(schema, blueprint)
    said = [
        f"{one.subject} {words.TABLE_ROLES_SHORT[TableRole(one.role)]},"
        f" {words.hops_away(near[one.subject])}"
        for one in blueprint.tables
    ]
    return f"The graph {blueprint.name} around {blueprint.target}: {'; '.join(said)}."


def _lines_of(
    schema: Schema, table: Table, detail: str
) -> tuple[tuple[tuple[str, str, str], ...], str]:
    """Return a card's lines and what is said of the columns left out."""
    foreign = {name for key in schema.keys_from(table.name) for name in key.columns}
    lines = []
    for column in table.columns:
        primary = column.name in table.primary_key
        is_key = primary or column.name in foreign
        mark = "PK" if primary else "FK" if is_key else ""
        if detail == "all" or (detail == "keys" and is_key):
            lines.append((mark, column.name, str(column.stype)))
    if detail == "names":
        return (), ""
    hidden = len(table.columns) - min(len(lines), MOST_LINES)
    return tuple(lines[:MOST_LINES]), f"{hidden} more columns" if hidden else ""


def _count(counts: Mapping[str, int], name: str) -> str:
    return f"{counts[name]:,}" if name in counts else ""


def _table_in_words(schema: Schema, table: Table) -> str:
    parents = ", ".join(key.ref_table for key in schema.keys_from(table.name))
    children = ", ".join(key.table for key in schema.keys_into(table.name))
    return (
        f"{table.name}: {words.rows(table.num_rows)}, {len(table.columns)} columns"
        + (f"; refers to {parents}" if parents else "")
        + (f"; referred to by {children}" if children else "")
    )


def _line_of(rule: EdgeRule) -> Line:
    arrow = ARROWS.get(rule.direction, "up")
    match rule:
        case JunctionEdge():
            label, line = f"every row of {rule.table}", "thick"
        case KeyEdge():
            label, line = rule.name, "solid"
        case ShortcutEdge():
            label, line = rule.name, "dashed"
        case ValueEdge():
            label, line = rule.column.name, "solid"
    return Line(
        id=rule.name,
        source=rule.source,
        target=rule.target,
        label=label,
        line=line,
        arrow=arrow,
    )


def _who_sees_whom(rule: EdgeRule) -> list[tuple[str, str]]:
    """Return (a, b) where one layer carries b's state to a."""
    up, down = (rule.target, rule.source), (rule.source, rule.target)
    match rule.direction:
        case KeyRole.UP:
            return [up]
        case KeyRole.DOWN:
            return [down]
        case _:
            return [up, down]
