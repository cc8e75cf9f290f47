"""Reach, hops, hubs and the audit, against loops over the rows and counts by hand."""

import json
from dataclasses import replace
from pathlib import Path

import networkx as nx
import numpy as np
import pytest

from tests.oracle import Oracle
from tests.tiny import make_task, open_tiny
from workbench.blueprint import Blueprint, KeyRole, RowNode
from workbench.draft import Draft
from workbench.passes import Direct
from workbench.survey import (
    Survey,
    future_rows,
    plan_to_json,
    survey,
    survey_to_json,
)
from workbench.task import Task
from workbench.topologies import TOPOLOGIES, plan_named, read_topology
from workbench.topology import Topology, plan

everywhere = pytest.mark.parametrize("topology", list(TOPOLOGIES))

TABLES = """
CREATE TABLE region (id INTEGER PRIMARY KEY, x REAL, day TEXT);
CREATE TABLE city (id INTEGER PRIMARY KEY, kind TEXT, region INTEGER
  REFERENCES region (id));
CREATE TABLE person (id INTEGER PRIMARY KEY, y INTEGER, city INTEGER
  REFERENCES city (id), boss INTEGER REFERENCES person (id), day TEXT);
CREATE TABLE club (id INTEGER PRIMARY KEY, x REAL, city INTEGER REFERENCES city (id));
CREATE TABLE member (person INTEGER REFERENCES person (id),
  club INTEGER REFERENCES club (id), fee REAL, day TEXT);
CREATE TABLE island (id INTEGER PRIMARY KEY, x REAL);
"""
STYPES = {
    "region.x": "numerical",
    "city.kind": "categorical",
    "person.y": "numerical",
    "club.x": "numerical",
    "member.fee": "numerical",
    "island.x": "numerical",
}
TIMES = {"region": "day", "person": "day", "member": "day"}


def random_rows(seed: int) -> str:
    """Return statements that fill the tables; keys may be NULL or dangling."""
    draw = np.random.default_rng(seed)

    def key(count: int) -> str:
        value = int(draw.integers(0, count + 2))
        return "NULL" if value == 0 else str(value)

    def day() -> str:
        return f"'2020-01-{int(draw.integers(1, 29)):02d}'"

    rows = [f"INSERT INTO region VALUES ({at}, {at}, {day()});" for at in (1, 2, 3)]
    rows += [
        f"INSERT INTO city VALUES ({at}, '{'abc'[at % 3]}', {key(3)});"
        for at in range(1, 8)
    ]
    rows += [
        f"INSERT INTO person VALUES ({at}, {at % 2}, {key(7)}, {key(20)}, {day()});"
        for at in range(1, 21)
    ]
    rows += [f"INSERT INTO club VALUES ({at}, {at}, {key(7)});" for at in range(1, 6)]
    rows += [
        f"INSERT INTO member VALUES ({key(20)}, {key(5)}, {at}, {day()});"
        for at in range(12)
    ]
    return TABLES + "\n".join([*rows, "INSERT INTO island VALUES (1, 1);"])


class Town:
    """A random town: a database, its schema, a task and its rows read by hand."""

    def __init__(self, folder: Path, seed: int) -> None:
        sql = random_rows(seed)
        self.database, self.schema = open_tiny(folder, sql, STYPES, TIMES)
        self.oracle = Oracle.read(folder / "tiny.db", self.schema)
        self.task: Task = make_task("person.y", [0, 3, 4, 9, 17])

    def plan(self, topology: str) -> Blueprint:
        return plan_named(self.schema, self.task.spec, topology)

    def survey(self, blueprint: Blueprint, max_hops: int = 4) -> Survey:
        return survey(self.database, self.schema, self.task, blueprint, max_hops)

    def seen(self, blueprint: Blueprint, row: int) -> dict:
        return self.oracle.seen(blueprint, ("person", row))


@pytest.fixture(scope="module", params=range(3))
def town(request, tmp_path_factory):
    made = Town(tmp_path_factory.mktemp("town"), request.param)
    with made.database:
        yield made


def directed(town: Town, topology: str, direction: KeyRole) -> Blueprint:
    """Return a plan whose keys between nodes run one way, junctions both."""
    passes = TOPOLOGIES[topology].passes

    def some(draft: Draft) -> Draft:
        junctions = {"member.person->person", "member.club->club"}
        keys = tuple(key for key in draft.keys if key not in junctions)
        return Direct(direction, keys)(draft)

    mine = Topology("mine", "", "", (*passes, some), "", "", "", "")
    return plan(town.schema, town.task.spec, mine)


def check_against_loops(town: Town, blueprint: Blueprint) -> None:
    found = town.survey(blueprint)
    seen = [town.seen(blueprint, row) for row in town.task.rows.tolist()]
    nearest: dict[str, int] = {}
    for one in seen:
        for (table, _), hop in one.items():
            nearest[table] = min(hop, nearest.get(table, hop))
    kept = {one.subject for one in blueprint.tables if one.role != "dropped"}
    assert set(found.unreachable) == kept - nearest.keys()
    for one in blueprint.columns:
        if one.role == "feature":
            assert found.hops[one.subject] == nearest.get(one.subject.split(".")[0])
    for reach in found.reach:
        total = len(town.oracle.rows[reach.table])
        shares = [
            sum(
                table == reach.table and hop <= reach.hop
                for (table, _), hop in s.items()
            )
            / total
            for s in (one.copy() for one in seen)
        ]
        assert reach.mean == pytest.approx(np.mean(shares))
        assert (reach.p10, reach.p90) == pytest.approx(np.percentile(shares, [10, 90]))


@everywhere
def test_hops_and_reach_are_those_a_search_row_by_row_finds(topology, town):
    check_against_loops(town, town.plan(topology))


@pytest.mark.parametrize("direction", [KeyRole.UP, KeyRole.DOWN])
@pytest.mark.parametrize("topology", ["row2node", "row2edge", "flattened"])
def test_hops_and_reach_follow_the_way_messages_run(topology, direction, town):
    check_against_loops(town, directed(town, topology, direction))


@pytest.mark.parametrize("role", ["child-to-parent", "parent-to-child"])
@pytest.mark.parametrize("key", ["member.person->person", "member.club->club"])
def test_a_junction_is_seen_only_at_the_end_its_messages_run_to(key, role, town):
    text = f'base = "row2edge"\n[keys]\n"{key}" = "{role}"'
    blueprint = plan(town.schema, town.task.spec, read_topology(text))
    assert {edge.direction for edge in blueprint.edges} != {KeyRole.EDGE}
    check_against_loops(town, blueprint)


@everywhere
def test_a_value_is_as_far_as_its_node(topology, town):
    blueprint = town.plan(topology)
    found = town.survey(blueprint).hops
    graph = town.oracle.graph(blueprint)
    starts = {("person", row) for row in town.task.rows.tolist()}
    near = nx.multi_source_dijkstra_path_length(graph, starts)
    for one in blueprint.columns:
        if one.role == "promoted":
            hops = [hop for (name, _), hop in near.items() if name == one.subject]
            assert found[one.subject] == min(hops, default=None)


@everywhere
def test_components_are_those_of_the_graph_without_directions(topology, town):
    blueprint = town.plan(topology)
    graph = town.oracle.graph(blueprint)
    counted = nx.number_weakly_connected_components(graph)
    assert town.survey(blueprint).components == counted


@everywhere
@pytest.mark.parametrize("depth", [0, 1, 2, 3])
def test_the_audit_counts_the_newer_rows_that_a_loop_finds(topology, depth, town):
    blueprint = town.plan(topology)
    rows = town.oracle.rows
    expected = 0
    for row in town.task.rows.tolist():
        limit = rows["person"][row]["day"]
        expected += sum(
            table in TIMES and hop <= depth and rows[table][at]["day"] > limit
            for (table, at), hop in town.seen(blueprint, row).items()
        )
    found = future_rows(town.database, town.schema, town.task, blueprint, depth)
    assert found.count == expected
    assert bool(found.path) == bool(expected)
    assert not found.vacuous


LATE = """
CREATE TABLE team (id INTEGER PRIMARY KEY, day TEXT, x REAL);
CREATE TABLE pay (id INTEGER PRIMARY KEY, y REAL, day TEXT, team REFERENCES team (id));
CREATE TABLE note (pay INTEGER REFERENCES pay (id), team INTEGER REFERENCES team (id),
  day TEXT, text TEXT);
INSERT INTO team VALUES (1, '2020-01-01', 1), (2, '2020-01-01', 1);
INSERT INTO pay VALUES (1, 0, '2020-01-05', 1), (2, 1, '2020-01-06', 2);
"""
LATE_TIMES = {"team": "day", "pay": "day", "note": "day"}


def audit(folder: Path, sql: str, topology: str, depth: int, times=LATE_TIMES):
    stypes = {"pay.y": "numerical", "team.x": "numerical", "note.text": "text"}
    database, schema = open_tiny(folder, sql, stypes, times)
    task = make_task("pay.y", [0, 1])
    with database:
        blueprint = plan_named(schema, task.spec, topology)
        return future_rows(database, schema, task, blueprint, depth)


def test_the_audit_is_zero_where_nothing_is_newer(tmp_path):
    found = audit(tmp_path, LATE, "row2node", 3)
    assert (found.count, found.path, found.vacuous) == (0, "", False)


def test_a_newer_parent_is_found_as_a_node_and_when_it_is_folded(tmp_path):
    sql = LATE + "UPDATE team SET day = '2020-02-01' WHERE id = 2;"
    for name, topology, depth in (("a", "row2node", 1), ("b", "flattened", 0)):
        (tmp_path / name).mkdir()
        found = audit(tmp_path / name, sql, topology, depth)
        assert (found.count, found.path) == (1, "pay ← team")
    (tmp_path / "c").mkdir()
    assert audit(tmp_path / "c", sql, "row2node", 0).count == 0


def test_a_newer_junction_row_is_found_as_an_edge_one_layer_away(tmp_path):
    sql = LATE + "INSERT INTO note VALUES (1, 1, '2020-01-06', 'hi');"
    found = audit(tmp_path, sql, "row2edge", 1)
    assert (found.count, found.path) == (1, "pay ← note")
    (tmp_path / "zero").mkdir()
    assert audit(tmp_path / "zero", sql, "row2edge", 0).count == 0


def test_the_way_to_a_row_two_hops_from_now_names_what_is_between(tmp_path):
    sql = LATE + "INSERT INTO pay VALUES (3, 1, '2020-03-01', 1);"
    found = audit(tmp_path, sql, "row2node", 2)
    assert (found.count, found.path) == (1, "pay ← team ← pay")
    (tmp_path / "one").mkdir()
    assert audit(tmp_path / "one", sql, "row2node", 1).count == 0


def test_a_newer_ancestor_behind_a_shortcut_is_found_one_layer_away(tmp_path):
    sql = LATE + "INSERT INTO note VALUES (1, 1, '2020-02-01', 'hi');"
    sql += "UPDATE team SET day = '2020-03-01' WHERE id = 1;"
    stypes = {"note.text": "categorical", "team.x": "numerical"}
    database, schema = open_tiny(tmp_path, sql, stypes, {"team": "day", "note": "day"})
    task = make_task("note.text", [0])
    two = "note.pay->pay→pay.team->team"
    text = f'[keys]\n"note.team->team" = "dropped"\n[paths]\n"{two}" = "shortcut"'
    with database:
        counts = [
            future_rows(database, schema, task, blueprint, 1)
            for blueprint in (
                plan(schema, task.spec, read_topology(text.partition("[paths]")[0])),
                plan(schema, task.spec, read_topology(text)),
            )
        ]
    assert [one.count for one in counts] == [0, 1]
    assert counts[1].path == "note ← team"


@pytest.mark.parametrize("depth", [1, 2, 3])
def test_no_summary_is_of_what_came_later_unless_its_construction_is_broken(
    depth, town
):
    text = f'base = "aggregated"\naggregate_depth = {depth}'
    blueprint = plan(town.schema, town.task.spec, read_topology(text))
    whole = future_rows(town.database, town.schema, town.task, blueprint, 2)
    assert (whole.count, whole.path, whole.vacuous) == (0, "", False)
    (node,) = blueprint.nodes
    assert isinstance(node, RowNode)
    refs = tuple(replace(one, is_bounded=False) for one in node.aggregates)
    broken = replace(blueprint, nodes=(replace(node, aggregates=refs),))
    assert broken.hash != blueprint.hash
    found = future_rows(town.database, town.schema, town.task, broken, 0)
    expected = 0
    for row in town.task.rows.tolist():
        limit = town.oracle.rows["person"][row]["day"]
        expected += sum(
            table in TIMES and town.oracle.rows[table][at]["day"] > limit
            for table, at in town.seen(broken, row)
        )
    assert found.count == expected
    assert found.count > 0 or depth == 1


def test_a_later_child_is_found_where_a_summary_forgets_its_time(tmp_path):
    sql = LATE + "INSERT INTO note VALUES (1, 1, '2020-01-06', 'hi');"
    stypes = {"pay.y": "numerical", "team.x": "numerical", "note.text": "text"}
    database, schema = open_tiny(tmp_path, sql, stypes, LATE_TIMES)
    task = make_task("pay.y", [0, 1])
    with database:
        blueprint = plan_named(schema, task.spec, "aggregated")
        (node,) = blueprint.nodes
        assert isinstance(node, RowNode)
        refs = tuple(replace(one, is_bounded=False) for one in node.aggregates)
        broken = replace(blueprint, nodes=(replace(node, aggregates=refs),))
        assert future_rows(database, schema, task, blueprint, 0).count == 0
        found = future_rows(database, schema, task, broken, 0)
    assert (found.count, found.path) == (1, "pay ← note")


def test_rows_without_a_time_are_nobodys_future(tmp_path):
    sql = LATE + "UPDATE team SET day = NULL;"
    assert audit(tmp_path, sql, "row2node", 2).count == 0


@pytest.mark.parametrize("times", [{}, {"team": "day"}, {"pay": "day"}])
def test_the_audit_is_vacuous_without_two_times_to_compare(times, tmp_path):
    sql = LATE + "UPDATE team SET day = '2020-02-01';"
    found = audit(tmp_path, sql, "row2node", 3, times)
    assert (found.count, found.vacuous) == (0, True)


def test_a_node_that_holds_a_large_share_of_the_links_is_a_hub(tmp_path):
    rows = "".join(f"INSERT INTO c VALUES ({at % 2}, 1);" for at in range(300))
    database, schema = open_tiny(
        tmp_path,
        "CREATE TABLE p (id INTEGER PRIMARY KEY, x REAL);"
        "CREATE TABLE c (y REAL, p INTEGER REFERENCES p (id));"
        f"INSERT INTO p VALUES (1, 1), (2, 2); {rows}",
        {"c.y": "numerical", "p.x": "numerical"},
    )
    task = make_task("c.y", range(300))
    with database:
        found = survey(
            database, schema, task, plan_named(schema, task.spec, "row2node")
        )
    (hub,) = found.hubs
    assert (hub.edge, hub.node, hub.index) == ("c.p->p", "p", 0)
    assert (hub.degree, hub.share) == (300, 1.0)
    assert "100% of the links c.p->p meet at one node of p" in found.warnings[-1]


def test_the_sample_of_the_reach_is_the_same_every_time(tmp_path):
    rows = "".join(f"INSERT INTO c VALUES ({at}, {at * at % 40});" for at in range(400))
    database, schema = open_tiny(
        tmp_path,
        "CREATE TABLE p (id INTEGER PRIMARY KEY, x REAL);"
        "CREATE TABLE c (y REAL, p INTEGER REFERENCES p (id));"
        f"INSERT INTO p VALUES (1, 1), (4, 2), (9, 2), (16, 4); {rows}",
        {"c.y": "numerical", "p.x": "numerical"},
    )
    task = make_task("c.y", range(400))
    with database:
        blueprint = plan_named(schema, task.spec, "row2node")
        first = survey(database, schema, task, blueprint)
        assert survey(database, schema, task, blueprint) == first


def test_an_unreachable_table_is_named_in_a_warning(town):
    found = town.survey(town.plan("row2node"))
    assert found.unreachable == ("island",)
    assert 'No path leads from the target to "island".' in found.warnings
    assert found.hops["island.x"] is None


def test_the_plans_json_has_the_shape_other_programs_read(town):
    surveys = [town.survey(town.plan(name)) for name in TOPOLOGIES]
    document = json.loads(json.dumps(plan_to_json(town.task, surveys)))
    assert document["task"]["target"] == "person.y"
    assert [one["name"] for one in document["topologies"]] == list(TOPOLOGIES)
    for one in document["topologies"]:
        assert one["nodes"]["person"] == 20
        assert all(len(edge["type"]) == 3 for edge in one["edges"])
        assert all(edge["count"] >= 0 for edge in one["edges"])
        assert "person.y" not in one["hops"]
        assert one["hops"].keys() == document["topologies"][0]["hops"].keys()
        assert set(one["reach"][0]) == {"hop", "table", "mean", "p10", "p90"}
        assert all(isinstance(text, str) for text in one["warnings"])
        seen = [each for columns in one["semantic_reach"] for each in columns]
        assert len(seen) == len(set(seen))
        assert set(seen) <= one["hops"].keys()
    for level in document["alignment"]:
        assert list(level["depths"]) == list(TOPOLOGIES)
    assert "member.person->person" not in document["topologies"][-2]["paths"]
    assert document["topologies"][-2]["paths"]
    row2node = document["topologies"][1]
    assert ["city", "city.region->region", "region"] in [
        edge["type"] for edge in row2node["edges"]
    ]


def test_a_table_that_no_row_refers_to_is_unreachable_though_a_path_exists(tmp_path):
    database, schema = open_tiny(
        tmp_path,
        "CREATE TABLE p (id INTEGER PRIMARY KEY, x REAL);"
        "CREATE TABLE c (y REAL, p INTEGER REFERENCES p (id));"
        "INSERT INTO p VALUES (1, 1); INSERT INTO c VALUES (0, NULL), (1, 7);",
        {"c.y": "numerical", "p.x": "numerical"},
    )
    task = make_task("c.y", [0, 1])
    with database:
        for topology in ("row2node", "flattened"):
            blueprint = plan_named(schema, task.spec, topology)
            found = survey_to_json(survey(database, schema, task, blueprint))
            assert found["unreachable"] == ["p"]
            assert found["hops"]["p.x"] is None
            assert found["warnings"] == ["No row to predict ever sees a row of p."]


def test_a_folded_table_without_columns_is_seen_all_the_same(tmp_path):
    database, schema = open_tiny(
        tmp_path,
        "CREATE TABLE p (id INTEGER PRIMARY KEY);"
        "CREATE TABLE c (y REAL, p INTEGER REFERENCES p (id));"
        "INSERT INTO p VALUES (1); INSERT INTO c VALUES (0, 1), (1, 1);",
        {"c.y": "numerical"},
    )
    task = make_task("c.y", [0, 1])
    with database:
        blueprint = plan_named(schema, task.spec, "flattened")
        found = survey(database, schema, task, blueprint, max_hops=0)
    assert found.unreachable == ()
    assert {reach.table: reach.mean for reach in found.reach} == {"p": 1.0, "c": 0.5}


def test_a_folded_table_that_stays_a_node_is_seen_where_it_is_nearest(town):
    text = '[keys]\n"person.city->city" = "folded"'
    blueprint = plan(town.schema, town.task.spec, read_topology(text))
    check_against_loops(town, blueprint)
    assert town.survey(blueprint).hops["city.kind"] == 0
