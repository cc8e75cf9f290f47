"""Laws that hold for every topology on every small database, and counts by hand."""

import sqlite3
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from functools import cache

import networkx as nx
import numpy as np
import pytest

from tests.oracle import Oracle
from tests.tiny import make_task, open_tiny
from tests.zoo import CASES, Case
from workbench.blueprint import JunctionEdge, KeyRole, RowNode, ValueNode
from workbench.database import Database
from workbench.edges import (
    column_values,
    edge_index,
    edge_values,
    num_nodes,
    value_table,
)
from workbench.schema import Schema
from workbench.summarise import row_values
from workbench.survey import survey
from workbench.topologies import TOPOLOGIES, plan_named, resolve_topology
from workbench.topology import hops

Opened = tuple[Database, Schema, Oracle]
Read = Callable[[Case], Opened]
everywhere = pytest.mark.parametrize("topology", list(TOPOLOGIES))
always = pytest.mark.parametrize("case", CASES.values(), ids=CASES)

# By hand: node types with their counts, edge counts in the order of the schema's
# tables and keys, and the hops to the columns that are seen.
BY_HAND = {
    ("a chain of keys", "row2node"): (
        {"state": 2, "city": 3, "person": 4},
        [3, 4],
        {"person.age": 0, "city.size": 1, "state.kind": 2},
    ),
    ("a chain of keys", "row2edge"): (
        {"state": 2, "city": 3, "person": 4},
        [3, 4],
        {"person.age": 0, "city.size": 1, "state.kind": 2},
    ),
    ("a chain of keys", "flattened"): (
        {"person": 4},
        [],
        {"person.age": 0, "city.size": 0, "state.kind": 0},
    ),
    ("a chain of keys", "promoted"): (
        {"person": 4, "state.kind": 2},
        [4],
        {"person.age": 0, "city.size": 0, "state.kind": 1},
    ),
    ("a chain of keys", "single-table"): ({"person": 4}, [], {"person.age": 0}),
    ("a chain of keys", "shortcut"): (
        {"state": 2, "city": 3, "person": 4},
        [3, 4, 4],  # each person has a state, through its city
        {"person.age": 0, "city.size": 1, "state.kind": 1},
    ),
    ("a chain of keys", "aggregated"): (
        {"person": 4},
        [],
        {"person.age": 0, "city.size": 0},  # the state is two keys away
    ),
    ("a junction", "aggregated"): (
        {"pupil": 3},
        [],
        {"enrolment.grade": 0},
    ),
    ("a self-reference", "shortcut"): ({"staff": 4}, [3], {"staff.pay": 0}),
    ("a circle of keys", "shortcut"): (
        {"head": 2, "unit": 3},
        [2, 3],
        {"unit.size": 1},
    ),
    ("a hub and an island", "aggregated"): ({"pay": 3}, [], {"people.born": 0}),
    ("a junction", "row2node"): (
        {"pupil": 3, "course": 2, "enrolment": 5},
        [4, 4],  # pupil 9 is nobody; one enrolment names no course
        {"enrolment.grade": 1, "course.level": 2},
    ),
    ("a junction", "row2edge"): (
        {"pupil": 3, "course": 2},
        [3],  # the three enrolments with both
        {"enrolment.grade": 1, "course.level": 1},
    ),
    ("a junction", "flattened"): (
        {"pupil": 3, "enrolment": 5},
        [4],
        {"enrolment.grade": 1, "course.level": 1},
    ),
    ("a junction", "promoted"): (
        {"pupil": 3, "enrolment": 5, "course.level": 2},
        [4, 4],
        {"enrolment.grade": 1, "course.level": 2},
    ),
    ("a self-reference", "row2node"): ({"staff": 4}, [3], {"staff.pay": 0}),
    ("a self-reference", "flattened"): ({"staff": 4}, [3], {"staff.pay": 0}),
    ("a self-reference", "single-table"): ({"staff": 4}, [], {"staff.pay": 0}),
    ("a circle of keys", "row2node"): (
        {"head": 2, "unit": 3},
        [2, 3],
        {"unit.size": 1},
    ),
    ("a circle of keys", "flattened"): (
        {"head": 2, "unit": 3},
        [2, 3],
        {"unit.size": 1},
    ),
    ("a composite key", "row2node"): (
        {"team": 3, "bat": 5},
        [3],  # 1991 B is no team, and half a key is none
        {"bat.year": 0, "team.year": 1, "team.wins": 1},
    ),
    ("a composite key", "flattened"): (
        {"bat": 5},
        [],
        {"bat.year": 0, "team.year": 0, "team.wins": 0},
    ),
    ("two keys to one parent", "row2node"): (
        {"club": 4, "game": 3},
        [3, 2],
        {"club.rank": 1, "club.town": 1},
    ),
    ("two keys to one parent", "row2edge"): (
        {"club": 4, "game": 3},  # the target is no junction
        [3, 2],
        {"club.rank": 1, "club.town": 1},
    ),
    ("two keys to one parent", "promoted"): (
        {"game": 3, "club.town": 2},
        [2, 2],  # home: x, x, none; away: x, z, none
        {"club.rank": 0, "club.town": 1},
    ),
    ("empty tables", "row2node"): ({"shop": 0, "buyer": 2, "visit": 0}, [0, 0], {}),
    ("empty tables", "flattened"): ({"buyer": 2, "visit": 0}, [0], {}),
    ("a hub and an island", "row2node"): (
        {"people": 3, "pay": 3, "hits": 3, "alone": 2},
        [3, 3],
        {"people.born": 1, "hits.runs": 2},
    ),
    ("a hub and an island", "flattened"): (
        {"people": 3, "pay": 3, "hits": 3, "alone": 2},
        [3, 3],
        {"people.born": 1, "hits.runs": 2},
    ),
}


@pytest.fixture(scope="module")
def read(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Read]:
    """Return what opens a case, once for all tests."""
    with ExitStack() as stack:

        @cache
        def opened(sql: str, stypes: tuple[tuple[str, str], ...]) -> Opened:
            folder = tmp_path_factory.mktemp("case")
            database, schema = open_tiny(folder, sql, dict(stypes))
            stack.enter_context(database)
            return database, schema, Oracle.read(folder / "tiny.db", schema)

        yield lambda case: opened(case.sql, tuple(case.stypes.items()))


@pytest.mark.parametrize(("name", "topology"), list(BY_HAND))
def test_counts_and_hops_are_those_counted_by_hand(name, topology, read):
    nodes, edges, seen = BY_HAND[name, topology]
    case = CASES[name]
    database, schema, _ = read(case)
    task = make_task(case.target, case.rows)
    blueprint = plan_named(schema, task.spec, topology)
    found = survey(database, schema, task, blueprint)
    assert dict(found.nodes) == nodes
    assert [edge.count for edge in found.edges] == edges
    assert {one: hop for one, hop in found.hops.items() if hop is not None} == seen


@everywhere
@always
def test_links_are_those_a_loop_over_the_rows_finds(topology, case, read):
    database, schema, oracle = read(case)
    task = make_task(case.target, case.rows)
    blueprint = plan_named(schema, task.spec, topology)
    for rule in blueprint.edges:
        sources, targets = edge_index(database, schema, rule)
        assert sources.dtype == targets.dtype == np.int64
        ends = targets.tolist()
        node = blueprint.node(rule.target)
        if isinstance(node, ValueNode):
            values = value_table(database, schema, node.column).column(0)
            ends = [values[code].as_py() for code in ends]
        pairs = list(zip(sources.tolist(), ends, strict=True))
        assert pairs == [(one, other) for one, other, _ in oracle.ties(rule)]


@everywhere
@always
def test_columns_are_those_a_loop_over_the_rows_finds(topology, case, read):
    database, schema, oracle = read(case)
    task = make_task(case.target, case.rows)
    blueprint = plan_named(schema, task.spec, topology)
    carriers = [node for node in blueprint.nodes if isinstance(node, RowNode)]
    carriers += [e for e in blueprint.edges if isinstance(e, JunctionEdge)]
    for rule in carriers:
        rows = range(len(oracle.rows[rule.table]))
        if isinstance(rule, JunctionEdge):
            values = edge_values(database, schema, rule)
            rows = [row for _, _, row in oracle.ties(rule)]
        else:
            values = column_values(database, schema, rule.table, rule.columns)
        assert values.num_rows == len(rows) or not rule.columns
        for ref in rule.columns:
            held = [oracle.follow(ref.path, row) for row in rows]
            assert values.column(ref.name).to_pylist() == [
                None if row is None else oracle.rows[ref.table][row][ref.column]
                for row in held
            ]


@everywhere
@always
def test_nodes_are_the_rows_and_the_distinct_values(topology, case, read):
    database, schema, oracle = read(case)
    task = make_task(case.target, case.rows)
    blueprint = plan_named(schema, task.spec, topology)
    graph = oracle.graph(blueprint)
    for node in blueprint.nodes:
        counted = sum(1 for name, _ in graph if name == node.name)
        assert num_nodes(database, schema, node) == counted


@everywhere
@always
def test_rows_are_never_nearer_than_the_plan_says(topology, case, read):
    database, schema, _ = read(case)
    task = make_task(case.target, case.rows)
    blueprint = plan_named(schema, task.spec, topology)
    planned = hops(blueprint)
    found = survey(database, schema, task, blueprint).hops
    assert found.keys() == planned.keys()
    assert case.target not in found
    for column, hop in found.items():
        at_best = planned[column]
        assert hop is None or (at_best is not None and at_best <= hop)


@everywhere
@always
def test_shuffling_the_target_changes_no_plan_no_edge_and_no_value(
    topology, case, read
):
    seen = []
    table, column = case.target.split(".")
    for shift in (0, 1):
        scratch = sqlite3.connect(":memory:")
        scratch.executescript(case.sql)
        labels = [row[0] for row in scratch.execute(f"SELECT {column} FROM {table}")]
        shuffled = labels[shift:] + labels[:shift]
        changes = [
            f"UPDATE {table} SET {column} = {value} WHERE rowid = {row + 1};"
            for row, value in enumerate(shuffled)
        ]
        moved = Case(case.sql + "\n".join(changes), *_rest(case))
        database, schema, _ = read(moved)
        seen.append(list(_everything(database, schema, moved, topology)))
    assert labels != shuffled or len(set(labels)) == 1
    assert seen[0] == seen[1]


def _rest(case: Case) -> tuple:
    return case.target, case.rows, case.stypes


def _everything(
    database: Database, schema: Schema, case: Case, topology: str
) -> Iterator[object]:
    """Yield all that a graph is built from."""
    task = make_task(case.target, case.rows)
    blueprint = plan_named(schema, task.spec, topology)
    yield blueprint.hash
    for node in blueprint.nodes:
        if isinstance(node, RowNode):
            values = row_values(database, schema, node)
        else:
            values = value_table(database, schema, node.column)
        yield values.to_pydict()
    for rule in blueprint.edges:
        yield [end.tolist() for end in edge_index(database, schema, rule)]
        if isinstance(rule, JunctionEdge):
            yield edge_values(database, schema, rule).to_pydict()


@everywhere
@always
def test_the_target_and_hidden_columns_are_in_no_rule(topology, case, read):
    columns = [one for one in case.stypes if one != case.target]
    _, schema, _ = read(case)
    for hidden in columns:
        spec = make_task(case.target, case.rows, hide=[hidden]).spec
        blueprint = plan_named(schema, spec, topology)
        refs = [
            ref
            for rule in (*blueprint.nodes, *blueprint.edges)
            for ref in getattr(rule, "columns", (getattr(rule, "column", None),))
            if ref is not None
        ]
        for rule in blueprint.nodes:
            refs += getattr(rule, "aggregates", ())
        read = {f"{ref.table}.{ref.column}" for ref in refs}
        assert read.isdisjoint({hidden, case.target})


@everywhere
@always
def test_every_table_key_and_column_has_one_decision(topology, case, read):
    _, schema, _ = read(case)
    blueprint = plan_named(schema, make_task(case.target, ()).spec, topology)
    assert [one.subject for one in blueprint.tables] == [
        table.name for table in schema.tables
    ]
    assert [one.subject for one in blueprint.keys] == [
        key.id for key in schema.foreign_keys
    ]
    assert [one.subject for one in blueprint.columns] == [
        f"{table.name}.{column.name}"
        for table in schema.tables
        for column in table.columns
    ]
    decisions = (*blueprint.tables, *blueprint.keys, *blueprint.columns)
    assert all(one.reason.endswith(".") for one in decisions)


@always
def test_folding_brings_no_row_further_but_over_rows_that_meet_at_a_folded_one(
    case, read
):
    """A folded row is still passed going up or going down, not up and down again."""
    _, schema, oracle = read(case)
    spec = make_task(case.target, case.rows).spec
    flat = plan_named(schema, spec, "flattened")
    distances = dict(nx.all_pairs_shortest_path_length(oracle.graph(flat)))
    folded = {one.subject for one in flat.tables if one.role == "folded"}
    passing = nx.DiGraph()
    for key in schema.foreign_keys:
        for row in range(len(oracle.rows[key.table])):
            parent = oracle.parent(key.id, row)
            if parent is None:
                continue
            for way in (1, -1):
                ends = [
                    (table, at, way if table in folded else 0)
                    for table, at in ((key.table, row), (key.ref_table, parent))
                ]
                passing.add_edge(*ends[::way])
    for start, near in nx.all_pairs_shortest_path_length(passing):
        for end, hop in near.items():
            if not folded & {start[0], end[0]}:
                assert distances[start[:2]][end[:2]] <= hop


@always
def test_each_folded_step_saves_one_hop_to_what_lies_above(case, read):
    _, schema, _ = read(case)
    spec = make_task(case.target, case.rows).spec
    deep = hops(plan_named(schema, spec, "row2node"))
    flat = plan_named(schema, spec, "flattened")
    for ref in flat.node(flat.target).columns:
        column = f"{ref.table}.{ref.column}"
        assert hops(flat)[column] == 0
        assert deep[column] is not None
        assert deep[column] <= len(ref.path)


@everywhere
def test_messages_that_run_one_way_only_reach_no_further(topology, tmp_path, read):
    case = CASES["a chain of keys"]
    _, schema, _ = read(case)
    spec = make_task(case.target, case.rows).spec
    both = hops(plan_named(schema, spec, topology))
    path = tmp_path / "down.toml"
    keys = [
        one.subject
        for one in plan_named(schema, spec, topology).keys
        if one.role == KeyRole.EDGE
    ]
    lines = [f'"{key}" = "parent-to-child"' for key in keys]
    path.write_text("\n".join([f'base = "{topology}"', "[keys]", *lines]))
    assert resolve_topology(path).name == "down"
    down = hops(plan_named(schema, spec, path))
    assert down == both  # everything lies above the target here
