"""The parts of a graph: what one node or edge type is made of, and nothing besides.

A part is built from the piece of the schema that its key tells, so that it cannot
depend on anything else: a graph with one key more or less shares all other parts.
"""

import json
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from typing import assert_never

import numpy as np

from workbench.blueprint import (
    Blueprint,
    EdgeRule,
    JunctionEdge,
    KeyEdge,
    KeyRole,
    RowNode,
    ShortcutEdge,
    ValueEdge,
    ValueNode,
)
from workbench.database import Database
from workbench.depot import Arrays
from workbench.digests import digest, what_counts
from workbench.schema import Schema
from workbench.task import Task

Folds = Mapping[tuple[str, ...], str]


@dataclass(frozen=True, slots=True)
class Part:
    """One node or edge type of a blueprint, and what of the schema it needs.

    Attributes:
        database: Where the rows are.
        schema: The tables and keys that the rule names, and no others.
        key: Changes when anything does that the part is made of: keys, types, the
            rule; the depot tells rows and code apart. What the rule is called does not
            count.
    """

    database: Database
    schema: Schema
    key: str

    def get(
        self,
        what: str,
        make: Callable[[], Arrays],
        fits: Callable[[Arrays], bool] = lambda arrays: True,
    ) -> Arrays:
        """Return something of the part, made now where it is not kept.

        Args:
            what: Which of the things that are made of a part.
            make: Makes it.
            fits: Whether what was read can be used; else it is made again.
        """
        return self.database.depot.get(f"{what} {self.key}", make, fits)


def node_part(
    database: Database,
    schema: Schema,
    rule: RowNode | ValueNode,
    folds: Folds | None = None,
) -> Part:
    """Return a node type as a part.

    Args:
        database: Where the rows are.
        schema: What they mean.
        rule: The node rule.
        folds: Where times are asked for: the tables folded into the rows, by path.
    """
    return _part(database, schema, replace(rule, name=""), folds)


def edge_part(
    database: Database, schema: Schema, rule: EdgeRule, folds: Folds | None = None
) -> Part:
    """Return an edge type as a part; which way messages run does not count.

    Whether a junction runs both ways alike does, since then a pair is listed once.
    """
    is_both = rule.direction is KeyRole.UNDIRECTED
    direction = KeyRole.UNDIRECTED if is_both else KeyRole.EDGE
    plain = replace(rule, name="", source="", target="", direction=direction)
    return _part(database, schema, plain, folds)


def folds_of(schema: Schema, blueprint: Blueprint, table: str) -> Folds:
    """Return the tables folded into a table, by the keys that lead there."""
    folded = {one.subject for one in blueprint.keys if one.role is KeyRole.FOLDED}
    found: dict[tuple[str, ...], str] = {}
    pending: list[tuple[tuple[str, ...], str]] = [((), table)]
    while pending:
        path, last = pending.pop()
        for key in schema.keys_from(last):
            if key.id in folded:
                found[*path, key.id] = key.ref_table
                pending.append(((*path, key.id), key.ref_table))
    return found


def edge_folds(schema: Schema, blueprint: Blueprint, rule: EdgeRule) -> Folds:
    """Return the tables folded into the junction that a link stands for."""
    if isinstance(rule, JunctionEdge):
        return folds_of(schema, blueprint, rule.table)
    return {}


def task_digest(task: Task) -> str:
    """Return a digest of what is asked for: rows, labels, split and moments too."""
    asked = [repr(task.spec), str(task.task_type), task.classes, task.metric]
    times = () if task.times is None else (task.times,)
    arrays = (task.rows, task.labels, task.split, *times)
    settings = json.dumps([*asked, task.grid is None]).encode()
    return digest(settings, *(np.ascontiguousarray(one).data for one in arrays))


def _part(
    database: Database,
    schema: Schema,
    rule: RowNode | ValueNode | EdgeRule,
    folds: Folds | None,
) -> Part:
    paths = sorted((folds or {}).items())
    keys = {*_keys_of(rule), *(key for path, _ in paths for key in path)}
    ends = [schema.key(key) for key in sorted(keys)]
    names = {*_tables_of(rule), *(table for _, table in paths)}
    names |= {table for key in ends for table in (key.table, key.ref_table)}
    needed = replace(
        schema,
        tables=tuple(one for one in schema.tables if one.name in names),
        foreign_keys=tuple(one for one in schema.foreign_keys if one.id in keys),
        warnings=(),
        tasks={},
        suggested_keys=(),
        rejected_keys=(),
    )
    text = json.dumps(
        [*what_counts(needed), type(rule).__name__, repr(rule), repr(paths)]
    )
    return Part(database, needed, digest(text.encode()))


def _keys_of(rule: RowNode | ValueNode | EdgeRule) -> Iterable[str]:
    match rule:
        case RowNode():
            steps = (step.key for ref in rule.aggregates for step in ref.path)
            return (*(key for ref in rule.columns for key in ref.path), *steps)
        case ValueNode() | ValueEdge():
            return rule.column.path
        case KeyEdge():
            return (*rule.path, rule.key)
        case ShortcutEdge():
            return rule.path
        case JunctionEdge():
            held = (key for ref in rule.columns for key in ref.path)
            return (rule.source_key, rule.target_key, *held)
        case _:
            assert_never(rule)


def _tables_of(rule: RowNode | ValueNode | EdgeRule) -> Iterable[str]:
    match rule:
        case RowNode():
            return (rule.table, *(ref.table for ref in rule.aggregates))
        case ValueNode() | ValueEdge():
            return (rule.column.table,)
        case JunctionEdge():
            return (rule.table,)
        case KeyEdge() | ShortcutEdge():
            return ()
        case _:
            assert_never(rule)


def are_rows(rows: np.ndarray, num_rows: int) -> bool:
    """Return whether all numbers are rows of a table."""
    return not len(rows) or (int(rows.min()) >= 0 and int(rows.max()) < num_rows)
