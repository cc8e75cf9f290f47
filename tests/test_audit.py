"""The audit, against loops over the rows: what of its future a row is shown."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from tests.tiny import make_task, open_tiny
from tests.town import TIMES, Town
from workbench.audit import FutureRows
from workbench.blueprint import Blueprint, RowNode
from workbench.clock import row_times
from workbench.errors import GraphError
from workbench.instances import Unfolding
from workbench.links import Links, link
from workbench.reach import spread
from workbench.timeline import instances_of, unfold_links
from workbench.timing import Timed, open_timed, settle_timing, time_notes
from workbench.topologies import TOPOLOGIES, plan_named, read_topology
from workbench.topology import plan

everywhere = pytest.mark.parametrize("topology", list(TOPOLOGIES))


@pytest.fixture(scope="module", params=range(3))
def town(request, tmp_path_factory):
    made = Town(tmp_path_factory.mktemp("town"), request.param)
    with made.database:
        yield made


def timed_of(town: Town, blueprint: Blueprint, depth: int) -> Timed:
    found = open_timed(town.database, town.schema, town.task, blueprint, depth)
    assert found is not None
    return found


def num_newer(town: Town, seen: dict, row: int, depth: int) -> int:
    rows = town.oracle.rows
    limit = rows["person"][row]["day"]
    return sum(
        table in TIMES and hop <= depth and rows[table][at]["day"] > limit
        for (table, at), hop in seen.items()
    )


@everywhere
@pytest.mark.parametrize("depth", [0, 1, 2, 3])
def test_the_audit_counts_the_newer_rows_that_a_loop_finds(topology, depth, town):
    blueprint = town.plan(topology)
    expected = sum(
        num_newer(town, town.oracle.told_of(blueprint, ("person", row)), row, depth)
        for row in town.task.rows.tolist()
    )
    found = timed_of(town, blueprint, depth).whole
    assert found.count == expected
    assert bool(found.path) == bool(expected)


@everywhere
@pytest.mark.parametrize("depth", [1, 2, 3])
def test_unfolded_every_row_sees_exactly_what_a_loop_says_was_there(
    topology, depth, town
):
    blueprint = town.plan(topology)
    links = link(town.database, town.schema, blueprint)
    seeds = "person", town.task.rows, town.task.times
    unfolded = unfold_links(links, instances_of(links, seeds, Unfolding(depth)))
    for at, row in enumerate(town.task.rows.tolist()):
        day = town.oracle.rows["person"][row]["day"]
        wanted = town.oracle.seen(blueprint, ("person", row), day)
        found = {
            (one.table, other): one.hop
            for one in spread(unfolded, "person", np.array([at]), depth)
            for other in one.rows.tolist()
        }
        assert found == {key: hop for key, hop in wanted.items() if hop <= depth}


@pytest.mark.parametrize("depth", [1, 3])
def test_no_graph_of_a_study_lets_a_row_see_a_later_one(depth, town):
    graphs = [timed_of(town, town.plan(name), depth) for name in TOPOLOGIES]
    assert sum(one.whole.count for one in graphs) > 0
    for timing in settle_timing(graphs):
        assert timing.unfolding == Unfolding(depth)
        assert timing.found == FutureRows(0, "")


def forget_links(links: Links) -> Links:
    """Return links that have forgotten when they came to be."""
    return replace(links, edges=tuple(replace(one, times=None) for one in links.edges))


def forget_nodes(links: Links) -> Links:
    """Return links whose nodes have forgotten when they came to be."""
    return replace(links, times={})


@pytest.mark.parametrize(
    ("topology", "forget"),
    [
        ("row2node", forget_nodes),
        ("row2edge", forget_links),
        ("shortcut", forget_nodes),
    ],
)
def test_unfolding_with_the_filter_off_is_noticed(topology, forget, town):
    graph = timed_of(town, town.plan(topology), 2)
    broken = replace(graph, links=forget(graph.links))
    (right,), (wrong,) = settle_timing([graph]), settle_timing([broken])
    assert right.unfolding == wrong.unfolding == Unfolding(2)
    assert right.found.count == 0
    assert wrong.found.count > 0
    assert wrong.found.path


LATE = """
CREATE TABLE team (id INTEGER PRIMARY KEY, day TEXT, x REAL);
CREATE TABLE pay (id INTEGER PRIMARY KEY, y REAL, day TEXT, team REFERENCES team (id));
CREATE TABLE note (pay INTEGER REFERENCES pay (id), team INTEGER REFERENCES team (id),
  day TEXT, text TEXT);
INSERT INTO team VALUES (1, '2020-01-01', 1), (2, '2020-01-01', 1);
INSERT INTO pay VALUES (1, 0, '2020-01-05', 1), (2, 1, '2020-01-06', 2);
"""
LATE_TIMES = {"team": "day", "pay": "day", "note": "day"}


def time(folder: Path, sql: str, topology: str, depth: int, times=LATE_TIMES):
    stypes = {"pay.y": "numerical", "team.x": "numerical", "note.text": "text"}
    database, schema = open_tiny(folder, sql, stypes, times)
    with database:
        task = make_task("pay.y", [0, 1], times=row_times(database, schema, "pay"))
        blueprint = plan_named(schema, task.spec, topology)
        return open_timed(database, schema, task, blueprint, depth)


def audit(folder: Path, sql: str, topology: str, depth: int, times=LATE_TIMES):
    found = time(folder, sql, topology, depth, times)
    assert found is not None
    return found.whole


def test_the_audit_is_zero_where_nothing_is_newer(tmp_path):
    found = audit(tmp_path, LATE, "row2node", 3)
    assert (found.count, found.path) == (0, "")


def test_a_newer_parent_is_found_as_a_node_and_is_not_folded(tmp_path):
    sql = LATE + "UPDATE team SET day = '2020-02-01' WHERE id = 2;"
    counted = []
    for topology, depth in (("row2node", 0), ("row2node", 1), ("flattened", 0)):
        folder = tmp_path / f"{topology}{depth}"
        folder.mkdir()
        found = audit(folder, sql, topology, depth)
        counted.append((found.count, found.path))
    assert counted == [(0, ""), (1, "pay ← team"), (0, "")]


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
    times = row_times(database, schema, "note")
    task = make_task("note.text", [0], times=times)
    two = "note.pay->pay→pay.team->team"
    text = f'[keys]\n"note.team->team" = "dropped"\n[paths]\n"{two}" = "shortcut"'
    with database:
        counts = [
            opened.whole
            for blueprint in (
                plan(schema, task.spec, read_topology(text.partition("[paths]")[0])),
                plan(schema, task.spec, read_topology(text)),
            )
            if (opened := open_timed(database, schema, task, blueprint, 1))
        ]
    assert [one.count for one in counts] == [0, 1]
    assert counts[1].path == "note ← team"


@pytest.mark.parametrize("depth", [1, 2, 3])
def test_no_summary_is_of_what_came_later_unless_its_construction_is_broken(
    depth, town
):
    text = f'base = "aggregated"\naggregate_depth = {depth}'
    blueprint = plan(town.schema, town.task.spec, read_topology(text))
    assert timed_of(town, blueprint, 2).whole == FutureRows(0, "")
    (node,) = blueprint.nodes
    assert isinstance(node, RowNode)
    refs = tuple(replace(one, is_bounded=False) for one in node.aggregates)
    broken = replace(blueprint, nodes=(replace(node, aggregates=refs),))
    assert broken.hash != blueprint.hash
    found = timed_of(town, broken, 0).whole
    assert found.count == sum(
        num_newer(town, town.seen(broken, row), row, 0)
        for row in town.task.rows.tolist()
    )
    assert found.count > 0 or depth == 1


def test_a_later_child_is_found_where_a_summary_forgets_its_time(tmp_path):
    sql = LATE + "INSERT INTO note VALUES (1, 1, '2020-01-06', 'hi');"
    stypes = {"pay.y": "numerical", "team.x": "numerical", "note.text": "text"}
    database, schema = open_tiny(tmp_path, sql, stypes, LATE_TIMES)
    with database:
        task = make_task("pay.y", [0, 1], times=row_times(database, schema, "pay"))
        blueprint = plan_named(schema, task.spec, "aggregated")
        (node,) = blueprint.nodes
        assert isinstance(node, RowNode)
        refs = tuple(replace(one, is_bounded=False) for one in node.aggregates)
        broken = replace(blueprint, nodes=(replace(node, aggregates=refs),))
        right = open_timed(database, schema, task, blueprint, 0)
        wrong = open_timed(database, schema, task, broken, 0)
    assert right
    assert wrong
    assert right.whole.count == 0
    assert (wrong.whole.count, wrong.whole.path) == (1, "pay ← note")


def test_rows_without_a_time_are_nobodys_future(tmp_path):
    sql = LATE + "UPDATE team SET day = NULL;"
    assert audit(tmp_path, sql, "row2node", 2).count == 0


@pytest.mark.parametrize("times", [{}, {"team": "day"}])
def test_without_a_time_of_the_rows_to_predict_there_is_nothing_to_audit(
    times, tmp_path
):
    sql = LATE + "UPDATE team SET day = '2020-02-01';"
    assert time(tmp_path, sql, "row2node", 3, times) is None


def test_later_rows_of_the_predicted_table_itself_are_found(tmp_path):
    sql = LATE + "INSERT INTO pay VALUES (3, 1, '2020-03-01', 1);"
    found = audit(tmp_path, sql, "row2node", 2, {"pay": "day"})
    assert (found.count, found.path) == (1, "pay ← team ← pay")


def test_for_a_row_without_a_time_nothing_is_the_future(tmp_path):
    sql = LATE + "UPDATE pay SET day = NULL WHERE id = 1;"
    sql += "UPDATE team SET day = '2030-01-01' WHERE id = 1;"
    assert audit(tmp_path, sql, "row2node", 2).count == 0


def test_the_largest_fan_out_with_which_all_graphs_fit_is_taken(tmp_path):
    # Pay 1 belongs to team 1 and pay 2 to team 2. Team 1 has 100 notes, all older, and
    # a third pay, which is newer than both.
    notes = "".join(
        f"INSERT INTO note VALUES (NULL, 1, '2020-01-0{1 + at % 4}', 'a');"
        for at in range(100)
    )
    late = "INSERT INTO pay VALUES (3, 1, '2020-03-01', 1);"
    graph = time(tmp_path, LATE + notes + late, "row2node", 2)
    assert graph is not None
    (whole,) = settle_timing([graph])
    # Instances: two pays, two teams, 100 notes. Messages: a pay and its team hear each
    # other, and team 1 hears its notes.
    assert (whole.num_instances, whole.num_messages) == (104, 104)
    assert (whole.unfolding, whole.cut) == (Unfolding(2), 0)
    (half,) = settle_timing([graph], most=207)
    assert (half.unfolding, half.cut) == (Unfolding(2, 64), 36)
    (few,) = settle_timing([graph], most=2 * (4 + 8))
    assert (few.unfolding, few.cut, few.found.count) == (Unfolding(2, 8), 92, 0)
    (note, newer, cut) = time_notes([few])
    assert "unfolded over 2 moments" in note
    assert "together 1 later ones, such as by way of pay ← team ← pay" in newer
    # Of 104 messages the 8 latest notes stay, and the four of the people.
    assert "at most 8 neighbours" in cut
    assert "11.5% of the messages" in cut
    with pytest.raises(GraphError, match="Lower the depth, or keep fewer rows"):
        settle_timing([graph], most=5)
