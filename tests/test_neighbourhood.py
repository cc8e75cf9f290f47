"""One row's neighbourhood: what it hears, what is sampled away, what came later."""

from pathlib import Path

import numpy as np
import pytest

from tests.tiny import open_tiny
from tests.town import Town
from workbench.clock import row_times
from workbench.errors import GraphError
from workbench.instances import Unfolding
from workbench.links import Links, link
from workbench.neighbourhood import Neighbourhood, find_neighbourhood
from workbench.reach import node_hops
from workbench.task import TaskSpec
from workbench.topologies import TOPOLOGIES, plan_named

DEPTH = 4
everywhere = pytest.mark.parametrize("topology", sorted(TOPOLOGIES))


@pytest.fixture(scope="module", params=[0, 1])
def town(request, tmp_path_factory) -> Town:
    return Town(tmp_path_factory.mktemp("town"), request.param)


def links_of(town: Town, topology: str) -> Links:
    return link(town.database, town.schema, town.plan(topology))


def counted(found: Neighbourhood, what: str) -> dict[tuple[int, str], int]:
    listed = {(one.hop, one.table): getattr(one, what) for one in found.entering}
    return {where: number for where, number in listed.items() if number}


def of_loops(seen: dict, depth: int) -> dict[tuple[int, str], int]:
    number: dict[tuple[int, str], int] = {}
    for (table, _), hop in seen.items():
        if hop <= depth:
            number[hop, table] = number.get((hop, table), 0) + 1
    return number


@everywhere
def test_what_enters_at_each_hop_is_what_a_search_row_by_row_finds(
    topology: str, town: Town
) -> None:
    links, blueprint = links_of(town, topology), town.plan(topology)
    for row in town.task.rows.tolist():
        found = find_neighbourhood(links, "person", row, Unfolding(DEPTH))
        assert counted(found, "num_seen") == of_loops(town.seen(blueprint, row), DEPTH)
        assert not counted(found, "num_cut")
        assert not counted(found, "num_later")


@everywhere
def test_nodes_are_as_far_away_as_the_search_over_all_rows_says(
    topology: str, town: Town
) -> None:
    links = links_of(town, topology)
    for row in (0, 9):
        found = find_neighbourhood(links, "person", row, Unfolding(DEPTH))
        for name, hops in node_hops(links, "person", np.array([row])).items():
            near = np.where(hops > DEPTH, -1, hops)
            np.testing.assert_array_equal(found.seen.nodes[name], near)


@everywhere
def test_at_a_moment_rows_are_seen_or_later_as_the_graph_of_that_moment_says(
    topology: str, town: Town
) -> None:
    """The rows read by hand, once with only what was there and once with everything."""
    links, blueprint = links_of(town, topology), town.plan(topology)
    times = row_times(town.database, town.schema, "person")
    assert times is not None
    for row in (3, 17):
        day = town.oracle.rows["person"][row]["day"]
        found = find_neighbourhood(
            links, "person", row, Unfolding(DEPTH), float(times[row])
        )
        then = town.oracle.seen(blueprint, ("person", row), day)
        ever = town.seen(blueprint, row)
        assert counted(found, "num_seen") == of_loops(then, DEPTH)
        hidden = {
            one: hop for one, hop in ever.items() if then.get(one, DEPTH + 1) > DEPTH
        }
        assert counted(found, "num_later") == of_loops(hidden, DEPTH)


SHOP = """
CREATE TABLE customer (id INTEGER PRIMARY KEY, name TEXT, day TEXT);
CREATE TABLE buy (id INTEGER PRIMARY KEY, customer INTEGER REFERENCES customer (id),
  day TEXT);
INSERT INTO customer VALUES (7, 'Ada', '2020-01-05'), (8, 'Bob', '2020-01-01');
INSERT INTO buy VALUES (1, 7, '2020-01-01'), (2, 7, '2020-01-02'),
  (3, 7, '2020-01-04'), (4, 7, '2020-01-09'), (5, 8, '2020-01-01');
"""


@pytest.fixture
def shop(tmp_path: Path):
    return open_tiny(
        tmp_path,
        SHOP,
        {"customer.name": "text"},
        {"customer": "day", "buy": "day"},
    )


def test_a_fan_out_keeps_the_latest_and_the_clock_hides_what_came_later(shop) -> None:
    """Ada is predicted on the 5th: of her four buys one is later, and one may stay."""
    database, schema = shop
    blueprint = plan_named(schema, TaskSpec("customer.name"), "row2node")
    links = link(database, schema, blueprint)
    times = row_times(database, schema, "customer")
    assert times is not None
    found = find_neighbourhood(
        links, "customer", 0, Unfolding(1, fan_out=1), float(times[0])
    )
    assert counted(found, "num_seen") == {(0, "customer"): 1, (1, "buy"): 1}
    assert counted(found, "num_cut") == {(1, "buy"): 2}
    assert counted(found, "num_later") == {(1, "buy"): 1}
    assert found.seen.nodes["buy"].tolist() == [-1, -1, 1, -1, -1]
    assert found.cut.nodes["buy"].tolist() == [1, 1, -1, -1, -1]
    assert found.later.nodes["buy"].tolist() == [-1, -1, -1, 1, -1]
    assert [one.tolist() for one in found.cut.links] == [[0, 1]]
    assert [one.tolist() for one in found.later.links] == [[3]]


def test_a_row_or_a_table_that_is_no_node_is_refused(shop) -> None:
    links = Links({"buy": 5}, (), (), ())
    with pytest.raises(GraphError, match='no node type in this graph "bye"'):
        find_neighbourhood(links, "bye", 0, Unfolding(1))
    with pytest.raises(GraphError, match=r'no row "5" of buy; .* from 0 to 4'):
        find_neighbourhood(links, "buy", 5, Unfolding(1))
