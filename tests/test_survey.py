"""Reach, hops, hubs, against loops over the rows and counts by hand."""

import json

import networkx as nx
import numpy as np
import pytest

from tests.tiny import make_task, open_tiny
from tests.town import Town
from workbench.blueprint import EDGE_ROLES, Blueprint, KeyRole
from workbench.draft import Draft
from workbench.passes import Override
from workbench.survey import (
    plan_to_json,
    survey,
    survey_to_json,
)
from workbench.topologies import TOPOLOGIES, plan_named, read_topology
from workbench.topology import Topology, plan

everywhere = pytest.mark.parametrize("topology", list(TOPOLOGIES))


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
        edges = [key for key, one in draft.keys.items() if one.role in EDGE_ROLES]
        chosen = (key for key in edges if key not in junctions)
        return Override(keys=dict.fromkeys(chosen, direction))(draft)

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
