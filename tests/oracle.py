"""Blueprints executed by hand: plain loops over the rows of an SQLite file."""

import sqlite3
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import networkx as nx

from workbench.aggregate import Step
from workbench.blueprint import (
    Blueprint,
    EdgeRule,
    JunctionEdge,
    KeyEdge,
    KeyRole,
    RowNode,
    ShortcutEdge,
)
from workbench.schema import Schema

Node = tuple[str, Any]


@dataclass(frozen=True)
class Oracle:
    """Rows by table, and the schema that says what refers to what."""

    schema: Schema
    rows: Mapping[str, Sequence[Mapping[str, Any]]]

    @staticmethod
    def read(path: Path, schema: Schema) -> "Oracle":
        connection = sqlite3.connect(path)
        connection.row_factory = sqlite3.Row
        rows = {
            table.name: [
                dict(row) for row in connection.execute(f'SELECT * FROM "{table.name}"')
            ]
            for table in schema.tables
        }
        connection.close()
        return Oracle(schema, rows)

    def parent(self, key_id: str, row: int | None) -> int | None:
        """Return the row a key leads to, None for NULL or nothing there."""
        if row is None:
            return None
        key = self.schema.key(key_id)
        wanted = [self.rows[key.table][row][column] for column in key.columns]
        if None in wanted:
            return None
        for index, other in enumerate(self.rows[key.ref_table]):
            if [other[column] for column in key.ref_columns] == wanted:
                return index
        return None

    def follow(self, path: Sequence[str], row: int | None) -> int | None:
        """Return the row that several keys lead to, one after the other."""
        for key_id in path:
            row = self.parent(key_id, row)
        return row

    def gather(
        self, path: Sequence[Step], table: str, row: int, is_bounded: bool = True
    ) -> list[int]:
        """Return the rows at the end of a path, those from after a row's time not."""
        limit = self._time(table, row) if is_bounded else None
        found = [row]
        for step in path:
            key = self.schema.key(step.key)
            table = key.table if step.is_down else key.ref_table
            found = [other for at in found for other in self._step(step, at)]
            found = [
                other for other in found if not _later(self._time(table, other), limit)
            ]
        return found

    def _step(self, step: Step, row: int) -> list[int]:
        key = self.schema.key(step.key)
        if not step.is_down:
            parent = self.parent(key.id, row)
            return [] if parent is None else [parent]
        children = range(len(self.rows[key.table]))
        return [child for child in children if self.parent(key.id, child) == row]

    def _time(self, table: str, row: int) -> Any:
        column = self.schema.table(table).time_column
        return self.rows[table][row][column] if column else None

    def links(self, rule: EdgeRule) -> Iterator[tuple[Any, Any, int]]:
        """Yield source, target and the row that makes the link."""
        match rule:
            case KeyEdge():
                for row in range(len(self.rows[rule.source])):
                    yield row, self.follow((*rule.path, rule.key), row), row
            case ShortcutEdge():
                for row in range(len(self.rows[rule.source])):
                    yield row, self.follow(rule.path, row), row
            case JunctionEdge():
                for row in range(len(self.rows[rule.table])):
                    source = self.parent(rule.source_key, row)
                    yield source, self.parent(rule.target_key, row), row
            case _:
                ref = rule.column
                for row in range(len(self.rows[rule.source])):
                    held = self.follow(ref.path, row)
                    value = (
                        None if held is None else self.rows[ref.table][held][ref.column]
                    )
                    yield row, value, row

    def ties(self, rule: EdgeRule) -> list[tuple[Any, Any, int]]:
        """Return the links whose two ends exist."""
        return [link for link in self.links(rule) if None not in link]

    def _ties_at(
        self, blueprint: Blueprint, rule: EdgeRule, moment: Any
    ) -> list[tuple[Any, Any, int]]:
        """Return the links that exist at a moment, or ever where it is None."""
        return [
            (source, target, row)
            for source, target, row in self.ties(rule)
            if self._exists(blueprint, rule.source, source, moment)
            and self._exists(blueprint, rule.target, target, moment)
            and not self._any_later(self._behind(blueprint, rule, row), moment)
        ]

    def _exists(self, blueprint: Blueprint, name: str, at: Any, moment: Any) -> bool:
        node = blueprint.node(name)
        if moment is None or not isinstance(node, RowNode):
            return True
        return not self._any_later(self._shown(blueprint, node, at), moment)

    def _any_later(self, rows: Iterable[tuple[str, int | None]], moment: Any) -> bool:
        return any(
            row is not None and _later(self._time(table, row), moment)
            for table, row in rows
        )

    def _behind(
        self, blueprint: Blueprint, rule: EdgeRule, row: int
    ) -> Iterator[tuple[str, int | None]]:
        """Yield the rows that a link stands for or passes."""
        if isinstance(rule, JunctionEdge):
            yield from self._held(blueprint, rule.table, row)
        else:
            yield from self._passed(rule, row)

    def _passed(self, rule: EdgeRule, row: int) -> Iterator[tuple[str, int | None]]:
        path: Sequence[str] = ()
        match rule:
            case KeyEdge():
                path = rule.path
            case ShortcutEdge():
                path = rule.path[:-1]
            case JunctionEdge():
                pass
            case _:
                path = rule.column.path
        for end in range(1, len(path) + 1):
            table = self.schema.key(path[end - 1]).ref_table
            yield table, self.follow(path[:end], row)

    def graph(self, blueprint: Blueprint, moment: Any = None) -> nx.MultiDiGraph:
        """Return every node, and an edge from each receiver to each sender.

        With a moment, only what was there by then.
        """
        graph = nx.MultiDiGraph()
        for node in blueprint.nodes:
            if isinstance(node, RowNode):
                graph.add_nodes_from(
                    (node.name, row)
                    for row in range(len(self.rows[node.table]))
                    if self._exists(blueprint, node.name, row, moment)
                )
            else:
                ref = node.column
                values = {row[ref.column] for row in self.rows[ref.table]} - {None}
                graph.add_nodes_from((node.name, value) for value in values)
        for rule in blueprint.edges:
            for source, target, _ in self._ties_at(blueprint, rule, moment):
                child, parent = (rule.source, source), (rule.target, target)
                if rule.direction is not KeyRole.DOWN:
                    graph.add_edge(parent, child)
                if rule.direction is not KeyRole.UP:
                    graph.add_edge(child, parent)
        return graph

    def seen(
        self, blueprint: Blueprint, start: Node, moment: Any = None
    ) -> dict[Node, int]:
        """Return the first hop at which a node sees each row of each table.

        With a moment, as things were known then.
        """
        near = nx.single_source_shortest_path_length(
            self.graph(blueprint, moment), start
        )
        found: dict[Node, int] = {}
        for table, row, hop in self._sights(blueprint, near, moment):
            if row is not None:
                found[table, row] = min(hop, found.get((table, row), hop))
        return found

    def told_of(self, blueprint: Blueprint, start: Node) -> dict[Node, int]:
        """Return `seen` with the rows besides that links within reach pass."""
        near = nx.single_source_shortest_path_length(self.graph(blueprint), start)
        found = self.seen(blueprint, start)
        for rule in blueprint.edges:
            for source, target, row in self.ties(rule):
                for hop in self._arrivals(rule, source, target, near):
                    for table, at in self._passed(rule, row):
                        if at is not None:
                            found[table, at] = min(hop, found.get((table, at), hop))
        return found

    def _arrivals(
        self, rule: EdgeRule, source: Any, target: Any, near: Mapping[Node, int]
    ) -> Iterator[int]:
        """Yield the hop at which what rides on a link is seen, an end that hears."""
        up, down = (rule.target, target), (rule.source, source)
        if rule.direction is not KeyRole.DOWN and up in near:
            yield near[up] + 1
        if rule.direction is not KeyRole.UP and down in near:
            yield near[down] + 1

    def _sights(
        self, blueprint: Blueprint, near: Mapping[Node, int], moment: Any
    ) -> Iterator[tuple[str, int | None, int]]:
        for (name, row), hop in near.items():
            node = blueprint.node(name)
            if isinstance(node, RowNode):
                for table, at in self._shown(blueprint, node, row):
                    yield table, at, hop
        for rule in blueprint.edges:
            if isinstance(rule, JunctionEdge):
                for source, target, row in self._ties_at(blueprint, rule, moment):
                    for hop in self._arrivals(rule, source, target, near):
                        for table, at in self._held(blueprint, rule.table, row):
                            yield table, at, hop

    def _shown(
        self, blueprint: Blueprint, node: RowNode, row: int
    ) -> Iterator[tuple[str, int | None]]:
        """Yield the rows that a node carries, summarised ones among them."""
        yield from self._held(blueprint, node.table, row)
        for ref in node.aggregates:
            for at in self.gather(ref.path, node.table, row, ref.is_bounded):
                yield ref.table, at

    def _held(
        self, blueprint: Blueprint, table: str, row: int
    ) -> Iterator[tuple[str, int | None]]:
        """Yield a row and what is folded into it, but not what is newer than it."""
        limit = self._time(table, row)
        pending: list[tuple[str, int]] = [(table, row)]
        while pending:
            one, at = pending.pop()
            yield one, at
            for decision in blueprint.keys:
                key = self.schema.key(decision.subject)
                if decision.role == "folded" and key.table == one:
                    held = self.parent(key.id, at)
                    if held is None or _later(self._time(key.ref_table, held), limit):
                        continue
                    pending.append((key.ref_table, held))


def _later(time: Any, limit: Any) -> bool:
    return time is not None and limit is not None and time > limit
