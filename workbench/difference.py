"""What one plan of a graph does otherwise than another, in words."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from workbench.blueprint import (
    Blueprint,
    ColumnRole,
    Decision,
    KeyRole,
    RowNode,
    ShortcutEdge,
    TableRole,
)
from workbench.hops import distances, hops
from workbench.passes import listed
from workbench.schema import Schema

SAME = "the two are the same graph"
_TABLE_WORDS = {
    TableRole.NODE: "rows are nodes",
    TableRole.EDGE: "rows are edges",
    TableRole.FOLDED: "folded",
    TableRole.AGGREGATED: "summarised",
    TableRole.DROPPED: "left out",
}
_KEY_WORDS = {
    KeyRole.EDGE: "messages both ways",
    KeyRole.UP: "messages from child to parent only",
    KeyRole.DOWN: "messages from parent to child only",
    KeyRole.FOLDED: "parent's columns carried along the key",
    KeyRole.AGGREGATED: "rows summarised along the key",
    KeyRole.DROPPED: "key left out",
}
_COLUMN_WORDS = {
    ColumnRole.FEATURE: "a feature",
    ColumnRole.PROMOTED: "values are nodes",
    ColumnRole.PROMOTED_KEPT: "values are nodes, and a feature",
    ColumnRole.DROPPED: "column left out",
}


def describe_difference(
    schema: Schema, one: Blueprint, other: Blueprint
) -> tuple[str, ...]:
    """Say what another graph of the same tables does that one does not.

    What follows from a decision is not said again: not the keys of a table that is
    folded, not the columns of one that is left out.

    Args:
        schema: The tables and keys of both.
        one: What is compared with.
        other: What is described.

    Returns:
        Phrases such as ``"folded: city into address; 2 hops nearer"``: tables first,
        then keys, columns, shortcuts, and the tables that only moved.
    """
    tables = _changed(one.tables, other.tables)
    phrases = [
        *_table_phrases(schema, one, other, tables),
        *_key_phrases(schema, one, other, tables),
        *_column_phrases(schema, one, other),
        *_path_phrases(one, other),
        *_moves(schema, one, other, tables),
    ]
    return _said_together(phrases) or (SAME,)


def describe_sizes(one: Mapping[str, Any], other: Mapping[str, Any]) -> str:
    """Say how many nodes and edges another graph has more or fewer.

    Args:
        one: A topology of ``workbench plan --json``.
        other: Another one.

    Returns:
        Such as ``"8 nodes fewer, 4 edges more"``; ``"as many nodes and edges"``.
    """
    found = []
    for kind, before, after in zip(
        ("nodes", "edges"), _sizes(one), _sizes(other), strict=True
    ):
        if after != before:
            way = "more" if after > before else "fewer"
            found.append(f"{abs(after - before):,} {kind} {way}")
    return ", ".join(found) or "as many nodes and edges"


def table_hops(schema: Schema, blueprint: Blueprint) -> dict[str, int | None]:
    """Return how many layers the target needs to see something of each table.

    That is where its rows, its columns or summaries of it are. A folded table without
    columns of its own is where the rows are that it is folded into.

    Returns:
        Number of hops by table, None for what is never seen.
    """
    near, seen = distances(blueprint), hops(blueprint)
    found: dict[str, list[int | None]] = {
        table.name: [seen.get(f"{table.name}.{one.name}") for one in table.columns]
        for table in schema.tables
    }
    for rule in blueprint.nodes:
        if isinstance(rule, RowNode):
            found[rule.table].append(near.get(rule.name))
            for ref in rule.aggregates:
                found[ref.table].append(near.get(rule.name))
    folded = {one.subject for one in blueprint.keys if one.role is KeyRole.FOLDED}
    keys = [key for key in schema.foreign_keys if key.id in folded]
    least = {table: _least(each) for table, each in found.items()}
    while True:
        carried: dict[str, list[int | None]] = {}
        for key in keys:
            carried.setdefault(key.ref_table, []).append(least[key.table])
        new = {
            table: _least((hop, *carried.get(table, ())))
            for table, hop in least.items()
        }
        if new == least:
            return least
        least = new


def _least(hops_found: Iterable[int | None]) -> int | None:
    return min((hop for hop in hops_found if hop is not None), default=None)


@dataclass(frozen=True, slots=True)
class _Phrase:
    """What changed, of what, and how far it moved; alike ones are said together."""

    verb: str
    subject: str
    into: str = ""
    move: str = ""


def _changed(one: Iterable[Decision], other: Iterable[Decision]) -> dict[str, Decision]:
    """Return the decisions of the other that are not those of one."""
    before = {each.subject: each.role for each in one}
    return {each.subject: each for each in other if before[each.subject] != each.role}


def _table_phrases(
    schema: Schema, one: Blueprint, other: Blueprint, changed: Mapping[str, Decision]
) -> Iterator[_Phrase]:
    near, then = table_hops(schema, one), table_hops(schema, other)
    key_roles = {each.subject: each.role for each in other.keys}
    for table, decision in changed.items():
        role, into = TableRole(decision.role), ""
        if role is TableRole.FOLDED:
            children = [
                key.table
                for key in schema.keys_into(table)
                if key_roles[key.id] is KeyRole.FOLDED
            ]
            into = f" into {listed(dict.fromkeys(children))}"
        if role is TableRole.EDGE:
            ends = [key.ref_table for key in schema.keys_from(table)]
            into = f" between {listed(ends)}"
        is_gone = role is TableRole.DROPPED
        move = "" if is_gone else _move(near[table], then[table])
        yield _Phrase(_TABLE_WORDS[role], table, into, move)


def _key_phrases(
    schema: Schema, one: Blueprint, other: Blueprint, tables: Mapping[str, Decision]
) -> Iterator[_Phrase]:
    roles = {each.subject: each.role for each in other.tables}
    for key_id, decision in _changed(one.keys, other.keys).items():
        key = schema.key(key_id)
        ends = key.table, key.ref_table
        follows = _follows(roles[key.table], roles[key.ref_table])
        if tables.keys() & set(ends) and decision.role is follows:
            continue
        yield _Phrase(_KEY_WORDS[KeyRole(decision.role)], key_id)


def _follows(child: object, parent: object) -> KeyRole:
    """Return what becomes of a key whose tables' roles alone decide it."""
    if TableRole.DROPPED in (child, parent):
        return KeyRole.DROPPED
    if TableRole.AGGREGATED in (child, parent):
        return KeyRole.AGGREGATED
    return KeyRole.FOLDED if parent is TableRole.FOLDED else KeyRole.EDGE


def _column_phrases(
    schema: Schema, one: Blueprint, other: Blueprint
) -> Iterator[_Phrase]:
    near, then = hops(one), hops(other)
    gone = {
        each.subject
        for plan in (one, other)
        for each in plan.tables
        if each.role is TableRole.DROPPED
    }
    changed = _changed(one.columns, other.columns)
    for table in schema.tables:
        for column in table.columns:
            subject = f"{table.name}.{column.name}"
            if subject not in changed or table.name in gone:
                continue
            role = ColumnRole(changed[subject].role)
            is_gone = role is ColumnRole.DROPPED or near.get(subject) is None
            move = "" if is_gone else _move(near.get(subject), then.get(subject))
            yield _Phrase(_COLUMN_WORDS[role], subject, "", move)


def _path_phrases(one: Blueprint, other: Blueprint) -> Iterator[_Phrase]:
    before, after = _shortcuts(one), _shortcuts(other)
    for name, ends in after.items():
        if name not in before:
            yield _Phrase("shortcut", ends)
    for name, ends in before.items():
        if name not in after:
            yield _Phrase("no shortcut", ends)


def _shortcuts(blueprint: Blueprint) -> dict[str, str]:
    return {
        edge.name: f"{edge.source} to {edge.target}"
        for edge in blueprint.edges
        if isinstance(edge, ShortcutEdge)
    }


def _moves(
    schema: Schema, one: Blueprint, other: Blueprint, tables: Mapping[str, Decision]
) -> Iterator[_Phrase]:
    """Yield the tables that nothing was decided about and that are elsewhere now."""
    near, then = table_hops(schema, one), table_hops(schema, other)
    for table in near:
        move = _move(near[table], then[table])
        if move and table not in tables:
            yield _Phrase("as a result", table, "", move)


def _move(before: int | None, after: int | None) -> str:
    if before == after:
        return ""
    if after is None:
        return "out of reach now"
    if before is None:
        return f"within reach now, {_hops(after)} away"
    way = "further" if after > before else "nearer"
    return f"{_hops(abs(after - before))} {way}"


def _hops(number: int) -> str:
    return "1 hop" if number == 1 else f"{number} hops"


def _said_together(phrases: Iterable[_Phrase]) -> tuple[str, ...]:
    groups: dict[tuple[str, str, str], list[str]] = {}
    for one in phrases:
        groups.setdefault((one.verb, one.into, one.move), []).append(one.subject)
    return tuple(
        f"{verb}: {listed(subjects)}{into}{f'; {move}' if move else ''}"
        for (verb, into, move), subjects in groups.items()
    )


def _sizes(plan: Mapping[str, Any]) -> tuple[int, int]:
    return (
        sum(plan["nodes"].values()),
        sum(edge["count"] for edge in plan["edges"]),
    )
