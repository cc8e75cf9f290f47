"""A database that is a graph already is recognised, offered and kept as it came."""

import sqlite3
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

import numpy as np
import pytest

from workbench.blueprint import Blueprint, ColumnRole, JunctionEdge, KeyRole, TableRole
from workbench.database import Database, connect
from workbench.edges import edge_index
from workbench.entries import node_entries
from workbench.errors import TopologyError
from workbench.graph import build_graph
from workbench.recognise import Offer, find_offer, offer_to_json
from workbench.schema import Schema, infer_schema
from workbench.survey import survey
from workbench.tabular import Tabulator
from workbench.task import TaskSpec, define_task
from workbench.topologies import plan_named, read_topology
from workbench.topology import RowNode, hops, plan

NUM_NODES = 60
Rows = Iterable[Sequence[object]]
NODES = "CREATE TABLE node (id INTEGER PRIMARY KEY, label TEXT, split TEXT)"
EDGES = (
    "CREATE TABLE edge (src INTEGER REFERENCES node(id), dst INTEGER REFERENCES"
    " node(id))"
)
LISTED = (
    "CREATE TABLE feature (node_id INTEGER REFERENCES node(id), word TEXT, amount REAL)"
)


def nodes() -> list[tuple[int, str, str]]:
    parts = ("train", "val", "test")
    return [(at, "ab"[at % 2], parts[at // 2 % 3]) for at in range(NUM_NODES)]


def ring() -> list[tuple[int, int]]:
    return [(at, (at + 1) % NUM_NODES) for at in range(NUM_NODES)]


def words() -> list[tuple[int, str, float]]:
    return [(at, f"w{at % 7}", 1.0 + at % 3) for at in range(NUM_NODES)]


def write(path: Path, tables: Mapping[str, Rows]) -> str:
    file = path / "graph.sqlite"
    with sqlite3.connect(file) as connection:
        for statement, rows in tables.items():
            connection.execute(statement)
            name = statement.split()[2]
            for row in rows:
                marks = ", ".join("?" * len(row))
                connection.execute(f"INSERT INTO {name} VALUES ({marks})", row)
    connection.close()
    return str(file)


def offered(path: Path, tables: Mapping[str, Rows]) -> Offer | None:
    with connect(write(path, tables), cache=path) as database:
        return find_offer(database, infer_schema(database))


def opened(path: Path, tables: Mapping[str, Rows]) -> tuple[Database, Schema]:
    database = connect(write(path, tables), cache=path)
    return database, infer_schema(database)


SPEC = TaskSpec(target="node.label", split="column:split")


def test_nodes_and_links_are_a_graph_with_its_label_and_its_split(tmp_path):
    offer = offered(tmp_path, {NODES: nodes(), EDGES: ring()})
    assert offer is not None
    assert offer.graph.sentence == (
        "This database is a graph already: 60 nodes (node) and 60 rows of links (edge)."
    )
    assert offer.task == SPEC
    assert offer.topology == "row2edge"


def test_a_long_table_of_words_is_part_of_the_graph(tmp_path):
    offer = offered(tmp_path, {NODES: nodes(), EDGES: ring(), LISTED: words()})
    shown = offer_to_json(offer)
    assert shown is not None
    assert shown["features"] == {
        "table": "feature",
        "key": "feature.node_id->node",
        "feature": "word",
        "amount": "amount",
    }
    assert shown["sentence"].endswith("and 7 features in a long list (feature).")


@pytest.mark.parametrize(
    ("node", "ends"),
    [
        ("id", ("src", "dst")),
        ("id", ("source_id", "target_id")),
        ("paper_id", ("citing", "cited")),
        ("paper_id", ("citing_paper_id", "cited_paper_id")),
        ("id", ("fromNode", "toNode")),
    ],
)
def test_undeclared_ends_are_found_by_their_names(tmp_path, node, ends):
    papers = f"CREATE TABLE papers ({node} INT, label TEXT, split TEXT)"
    cites = f"CREATE TABLE cites ({ends[0]} INT, {ends[1]} INT)"
    links = [*ring(), *((at, (at + 7) % NUM_NODES) for at in range(NUM_NODES))]
    offer = offered(tmp_path, {papers: nodes(), cites: links})
    assert offer is not None
    assert (offer.graph.nodes, offer.graph.links) == ("papers", "cites")


def test_a_range_of_numbers_is_no_link(tmp_path):
    ranges = [(2, 3), (1, 4)] * 20  # names 4 of 60 rows
    shifts = "CREATE TABLE shift (start INT, end INT)"
    assert offered(tmp_path, {NODES: nodes(), shifts: ranges}) is None


@pytest.mark.parametrize(
    "added",
    [
        {"CREATE TABLE other (x INT)": [(1,), (2,)]},
        {"CREATE TABLE note (e INT REFERENCES edge(rowid))": []},
    ],
    ids=["a table that stands alone", "an empty table"],
)
def test_a_table_without_a_part_in_it_makes_it_no_graph(tmp_path, added):
    assert offered(tmp_path, {NODES: nodes(), EDGES: ring(), **added}) is None


def test_keys_to_two_tables_make_no_graph(tmp_path):
    other = "CREATE TABLE place (id INTEGER PRIMARY KEY, name TEXT)"
    visit = (
        "CREATE TABLE visit (who INT REFERENCES node(id), at INT REFERENCES place(id))"
    )
    rows = {NODES: nodes(), other: [(1, "x"), (2, "y")], visit: [(1, 1), (2, 2)]}
    assert offered(tmp_path, rows) is None


def test_two_columns_that_could_be_the_label_are_left_to_the_user(tmp_path):
    table = "CREATE TABLE node (id INTEGER PRIMARY KEY, colour TEXT, shape TEXT)"
    rows = [(at, ("red", "blue")[at % 2], "xy"[at % 3 // 2]) for at in range(NUM_NODES)]
    offer = offered(tmp_path, {table: rows, EDGES: ring()})
    assert offer is not None
    assert offer.task is None
    shown = offer_to_json(offer)
    assert shown is not None
    assert (shown["target"], shown["split"]) == (None, None)


# 0-1 three times and both ways round, 2-3 once, 4-4 to itself, 5 to nothing.
TANGLED = [(0, 1), (1, 0), (0, 1), (2, 3), (4, 4), (5, None)]


def planned(schema: Schema, text: str = "") -> Blueprint:
    if not text:
        return plan_named(schema, SPEC, "row2edge")
    return plan(schema, SPEC, read_topology(f'base = "row2edge"\n{text}'))


def test_a_pair_is_linked_once_and_messages_run_both_ways_alike(tmp_path):
    database, schema = opened(tmp_path, {NODES: nodes(), EDGES: TANGLED})
    with database:
        blueprint = planned(schema)
        task = define_task(database, schema, SPEC)
        graph = build_graph(database, schema, task, blueprint)
        found = survey(database, schema, task, blueprint)
    (relation,) = graph.relations
    pairs = zip(relation.source_rows, relation.target_rows, strict=True)
    assert list(pairs) == [(0, 1), (2, 3)]
    (way,) = graph.directions  # one set of weights, whoever is listed first
    assert list(zip(way.senders, way.receivers, strict=True)) == [
        (1, 0),
        (0, 1),
        (3, 2),
        (2, 3),
    ]
    assert way.links.tolist() == [0, 0, 1, 1]
    assert graph.degrees["node"][:6].tolist() == [1, 1, 1, 1, 0, 0]
    assert [edge.count for edge in found.edges] == [2]
    assert any(
        "4 of the 6 rows of edge are no further link" in w for w in found.warnings
    )


def test_who_is_listed_first_makes_no_difference(tmp_path):
    forth, back = tmp_path / "forth", tmp_path / "back"
    graphs = []
    for folder, links in (
        (forth, ring()),
        (back, [(to, fro) for fro, to in ring()]),
    ):
        folder.mkdir()
        database, schema = opened(folder, {NODES: nodes(), EDGES: links})
        with database:
            task = define_task(database, schema, SPEC)
            graphs.append(build_graph(database, schema, task, planned(schema)))
    one, two = (graph.directions[0] for graph in graphs)
    assert {*zip(one.senders, one.receivers, strict=True)} == {
        *zip(two.senders, two.receivers, strict=True)
    }


def test_the_reasons_say_so_and_a_file_can_say_otherwise(tmp_path):
    database, schema = opened(tmp_path, {NODES: nodes(), EDGES: TANGLED})
    with database:
        kept = planned(schema)
        (decision,) = [one for one in kept.tables if one.subject == "edge"]
        assert decision.role is TableRole.EDGE
        assert "A pair is linked once" in decision.reason
        plain = '[keys]\n"edge.src->node" = "edge"\n"edge.dst->node" = "edge"'
        (edge,) = planned(schema, plain).edges
        assert edge.direction is KeyRole.EDGE
        assert len(edge_index(database, schema, edge)[0]) == 5
        again = plan(schema, SPEC, read_topology(kept.to_toml()))
        assert again.hash == kept.hash
        with pytest.raises(TopologyError, match='only both keys of an "edge" can'):
            planned(schema, '[keys]\n"edge.dst->node" = "edge"')


def test_links_with_columns_of_their_own_stay_as_they_are(tmp_path):
    weighted = (
        "CREATE TABLE edge (src INTEGER REFERENCES node(id), dst INTEGER REFERENCES"
        " node(id), weight REAL)"
    )
    rows = [(*link, 0.5 + at) for at, link in enumerate(ring())]
    database, schema = opened(tmp_path, {NODES: nodes(), weighted: rows})
    with database:
        (edge,) = planned(schema).edges
    assert isinstance(edge, JunctionEdge)
    assert edge.direction is KeyRole.EDGE
    assert [ref.column for ref in edge.columns] == ["weight"]


def test_a_list_of_words_is_a_bag_in_the_node_and_the_plan_says_so(tmp_path):
    # Row 0 has w0 twice (1 + 2) and w1 (0.5); row 1 nothing but a NULL word.
    listed = [(0, "w0", 1.0), (0, "w0", 2.0), (0, "w1", 0.5), (1, None, 1.0)]
    listed += [(at, "w1", 1.0) for at in range(2, 30)]
    rows = {NODES: nodes(), EDGES: ring(), LISTED: listed}
    database, schema = opened(tmp_path, rows)
    with database:
        blueprint = planned(schema)
        (node,) = blueprint.nodes
        assert isinstance(node, RowNode)
        (entries,) = node_entries(database, schema, node)
        task = define_task(database, schema, SPEC)
        counted = survey(database, schema, task, blueprint)
        again = plan(schema, SPEC, read_topology(blueprint.to_toml()))
    assert entries.names == (
        'bag of feature.word (←feature.node_id): "w0"',
        'bag of feature.word (←feature.node_id): "w1"',
    )
    assert np.diff(entries.pointers)[:3].tolist() == [2, 0, 1]
    assert entries.channels[:3].tolist() == [0, 1, 1]
    assert entries.values[:3].tolist() == [3.0, 0.5, 1.0]
    roles = {one.subject: one.role for one in blueprint.columns}
    assert roles["feature.word"] is ColumnRole.BAG
    assert hops(blueprint)["feature.word"] == hops(blueprint)["feature.amount"] == 0
    assert counted.hops["feature.word"] == 0
    assert dict(counted.nodes) == {"node": NUM_NODES}
    assert again.hash == blueprint.hash


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        (
            '[tables]\nfeature = "node"\n[columns]\n"feature.word" = "bag"',
            'can only be a "bag" where its table is "aggregated"',
        ),
        (
            '[columns]\n"feature.word" = "bag"\n"feature.amount" = "bag"',
            'beside one "bag" it can have one column of numbers',
        ),
    ],
)
def test_a_bag_that_cannot_be_is_refused(tmp_path, text, sentence):
    rows = {NODES: nodes(), EDGES: ring(), LISTED: words()}
    database, schema = opened(tmp_path, rows)
    with database, pytest.raises(TopologyError, match=sentence):
        planned(schema, text)


def test_a_hidden_list_of_words_stays_hidden(tmp_path):
    rows = {NODES: nodes(), EDGES: ring(), LISTED: words()}
    database, schema = opened(tmp_path, rows)
    hidden = TaskSpec(target="node.label", hide=("feature.word",), split="column:split")
    with database:
        blueprint = plan_named(schema, hidden, "row2edge")
    assert hops(blueprint)["feature.word"] is None


def test_baselines_are_given_the_listed_words_too(tmp_path):
    rows = {NODES: nodes(), EDGES: ring(), LISTED: words()}
    database, schema = opened(tmp_path, rows)
    with database:
        task = define_task(database, schema, SPEC)
        own = {one.name: one for one in Tabulator(database, schema, task, 100).own()}
        kept = TaskSpec(
            target="node.label", hide=("feature.word",), split="column:split"
        )
        hidden = define_task(database, schema, kept)
        assert Tabulator(database, schema, hidden, 100).own() == []
    assert len(own) == 7
    found = next(one for name, one in own.items() if name.endswith('"w3"'))
    # Rows 3, 10, 17, … list w3, each with 1 more than what its number leaves over 3.
    wanted = [1 + at % 3 if at % 7 == 3 else 0 for at in range(NUM_NODES)]
    assert found.values.tolist() == wanted
