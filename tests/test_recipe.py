"""Scripts that build a graph without the workbench, run and held against its own."""

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import duckdb
import numpy as np
import pytest
import torch
from torch_geometric.data import HeteroData

from tests.citation import write_citations
from tests.tiny import make_task, open_tiny, write_sqlite
from workbench.aggregate import AggregateRef, Aggregation, Step
from workbench.blueprint import Blueprint, RowNode
from workbench.database import Database, connect, quote
from workbench.features import Features
from workbench.forecast import Forecast
from workbench.graph import build_graph
from workbench.hints import TaskSpec, forecast_task
from workbench.pyg import to_hetero_data
from workbench.recipe import remarks, render_script, render_sql
from workbench.recognise import find_offer
from workbench.samples import build_sample
from workbench.schema import Schema, Stype, infer_schema
from workbench.sketch import Asked, ask, render_recipe
from workbench.task import Task, define_task
from workbench.topologies import TOPOLOGIES, plan_named, read_topology
from workbench.topology import plan

SHOP = """
CREATE TABLE city (id INTEGER PRIMARY KEY, name TEXT, size REAL);
CREATE TABLE customer (
  id INTEGER PRIMARY KEY, city INTEGER REFERENCES city (id), born TEXT,
  kind TEXT, tags TEXT, note TEXT, good INTEGER, boss INTEGER REFERENCES customer (id)
);
CREATE TABLE item (
  shop INTEGER, number INTEGER, "the ""true"" price" REAL, PRIMARY KEY (shop, number)
);
CREATE TABLE rating (
  customer INTEGER REFERENCES customer (id), shop INTEGER, number INTEGER,
  stars INTEGER, FOREIGN KEY (shop, number) REFERENCES item (shop, number)
);
INSERT INTO city VALUES (1, 'Oslo', 7.5), (2, 'Moss', NULL), (3, 'Ås', 1.25);
INSERT INTO customer VALUES
  (10, 1, '1980-01-02', 'a', 'x, y', 'likes ''quotes'' and "more"', 1, NULL),
  (11, 2, '1990-05-06', 'b', 'y', NULL, 0, 10),
  (12, NULL, NULL, 'a', NULL, 'three  words here', 1, 10),
  (13, 9, '2000-12-31', NULL, 'z, x', '', 0, 12);
INSERT INTO item VALUES (1, 1, 2.5), (1, 2, 3.5), (2, 1, NULL);
INSERT INTO rating VALUES
  (10, 1, 1, 5), (10, 1, 2, 3), (11, 1, 1, NULL), (12, 2, 2, 4), (NULL, 2, 1, 1),
  (13, 2, 1, 2);
"""
STYPES = {
    "city.name": "text",
    "city.size": "numerical",
    "customer.born": "timestamp",
    "customer.kind": "categorical",
    "customer.tags": "multicategorical",
    "customer.note": "free-text",
    "customer.good": "boolean",
    'item.the "true" price': "numerical",
    "rating.stars": "numerical",
}
CHANGED = """
name = "changed"
base = "shortcut"
[tables]
rating = "edge"
[keys]
"customer.boss->customer" = "child-to-parent"
[columns]
"customer.kind" = "promoted-and-feature"
"city.name" = "promoted"
"""
Opened = tuple[Database, Schema, Task]
Rows = Callable[[Database], str]


@pytest.fixture(scope="module")
def shop(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Opened]:
    folder = tmp_path_factory.mktemp("shop")
    database, schema = open_tiny(folder, SHOP, STYPES)
    with database:
        yield database, schema, make_task("customer.good", [0, 1, 2, 3])


@pytest.fixture(scope="module")
def addresses() -> Iterator[Opened]:
    with connect("sample:address-3nf") as database:
        schema = infer_schema(database)
        spec = schema.ready_task("prosperous")
        yield database, schema, define_task(database, schema, spec)


@pytest.fixture
def rows(tmp_path: Path) -> Rows:
    """Return a copy of the rows, as they are handed over beside a script."""

    def copied(database: Database) -> str:
        return str(shutil.copyfile(database.path, tmp_path / "rows.duckdb"))

    return copied


def run_script(text: str, rows: str) -> HeteroData:
    space: dict[str, Any] = {"__name__": "not main"}
    exec(compile(text, "graph.py", "exec"), space)
    return space["build"](space["PLAN"], rows)


def assert_same_sparse(made: Any, name: str, ours: Features | None, rows: Any) -> None:
    """Hold the channels of a store that are nearly always 0 against the workbench's."""
    block = None if ours is None else ours.sparse
    assert (name in made) == (block is not None)
    if block is not None:
        picked = block.take(torch.as_tensor(rows))
        dense = picked.times(torch.eye(len(block.names)), picked.values)
        torch.testing.assert_close(made[name].to_dense(), dense)
        assert made.sparse_names == list(block.names)


def assert_same(made: HeteroData, opened: Opened, blueprint: Blueprint) -> None:
    """Hold a script's graph against the one that the workbench trains on."""
    graph = build_graph(*opened, blueprint)
    ours = to_hetero_data(graph)
    assert set(made.node_types) == set(ours.node_types)
    for name, features in graph.nodes.items():
        assert made[name].num_nodes == features.num_rows
        torch.testing.assert_close(made[name].x, features.numerical)
        assert torch.equal(made[name].codes, features.codes)
        assert made[name].cardinalities == list(features.cardinalities)
        every = np.arange(features.num_rows)
        assert_same_sparse(made[name], "sparse", features, every)
    assert set(made.edge_types) == set(ours.edge_types)
    for kind in ours.edge_types:
        assert torch.equal(made[kind].edge_index, ours[kind].edge_index)
    for way in graph.directions:
        if way.attributes is not None:
            relation = f"rev_{way.relation}" if way.reverse else way.relation
            store = made[way.source, relation, way.target]
            torch.testing.assert_close(
                store.edge_attr, way.attributes.numerical[way.edge_rows]
            )
            assert torch.equal(store.edge_codes, way.attributes.codes[way.edge_rows])
            assert_same_sparse(store, "edge_sparse", way.attributes, way.edge_rows)


@pytest.mark.parametrize(
    ("name", "topology"),
    [
        *(("shop", one) for one in (*TOPOLOGIES, "changed")),
        *(("addresses", one) for one in TOPOLOGIES),
    ],
)
def test_a_script_builds_the_graph_that_is_trained_on(
    name: str, topology: str, rows: Rows, request: pytest.FixtureRequest
) -> None:
    opened = request.getfixturevalue(name)
    database, schema, task = opened
    blueprint = (
        plan(schema, task.spec, read_topology(CHANGED))
        if topology == "changed"
        else plan_named(schema, task.spec, topology)
    )
    text = render_script(database, schema, blueprint, "rows.duckdb")
    assert_same(run_script(text, rows(database)), opened, blueprint)


# 0-1 three times and both ways round, 2-3 once, 3 to itself, 2 to nothing.
TANGLED = """
CREATE TABLE node (id INTEGER PRIMARY KEY, size REAL, label TEXT);
CREATE TABLE edge (src INTEGER REFERENCES node (id), dst INTEGER REFERENCES node (id));
CREATE TABLE feature (
  node_id INTEGER REFERENCES node (id), word TEXT, amount REAL
);
INSERT INTO node VALUES (0, 1.0, 'a'), (1, 2.0, 'b'), (2, 3.0, 'a'), (3, NULL, 'b');
INSERT INTO edge VALUES (0, 1), (1, 0), (0, 1), (2, 3), (3, 3), (2, NULL);
INSERT INTO feature VALUES
  (0, 'w0', 1.0), (0, 'w0', 2.0), (0, 'w1', 0.5), (1, NULL, 1.0), (2, 'w1', NULL),
  (3, 'say "w2"', 4.0), (NULL, 'w3', 1.0), (9, 'w1', 1.0);
"""


@pytest.fixture(scope="module")
def tangled(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Opened]:
    folder = tmp_path_factory.mktemp("tangled")
    stypes = {
        "node.size": "numerical",
        "node.label": "categorical",
        "feature.word": "categorical",
        "feature.amount": "numerical",
    }
    database, schema = open_tiny(folder, TANGLED, stypes)
    with database:
        yield database, schema, make_task("node.label", [0, 1, 2, 3])


def test_undirected_links_and_long_lists_are_written_as_they_are_trained_on(
    tangled: Opened, rows: Rows
) -> None:
    database, schema, task = tangled
    blueprint = plan_named(schema, task.spec, "row2edge")
    made = run_script(render_script(database, schema, blueprint, ""), rows(database))
    assert_same(made, tangled, blueprint)
    (kind,) = made.edge_types  # one set of weights for both ways
    # 0-1 and 2-3, each both ways, sorted by who receives.
    assert made[kind].edge_index.tolist() == [[1, 0, 3, 2], [0, 1, 2, 3]]
    # Row 0 has w0 1 + 2 times and w1 half; 2 has w1 without an amount.
    words = dict(
        zip(made["node"].sparse_names, made["node"].sparse.to_dense().T, strict=True)
    )
    found = {name.split(": ")[1]: column.tolist() for name, column in words.items()}
    assert found == {
        '"say "w2""': [0, 0, 0, 4],
        '"w0"': [3, 0, 0, 0],
        '"w1"': [0.5, 0, 0, 0],
        '"w3"': [0, 0, 0, 0],
    }
    with duckdb.connect(rows(database), read_only=True) as connection:
        connection.execute(render_sql(database, schema, blueprint))
        links = connection.execute('FROM "edges edge"').fetchall()
        assert links == [(0, 1), (2, 3)]
        (bag,) = [
            name
            for (name,) in connection.execute(
                "SELECT view_name FROM duckdb_views()"
            ).fetchall()
            if name.startswith("nodes node: bag of")
        ]
        listed = connection.execute(f"FROM {quote(bag)}").fetchall()
        assert listed == [(0, 1, "w0", 3.0), (0, 2, "w1", 0.5), (3, 0, 'say "w2"', 4.0)]


@pytest.mark.parametrize("as_list", [False, True])
def test_a_citation_graph_is_written_as_it_is_trained_on(
    as_list: bool, tmp_path: Path, rows: Rows
) -> None:
    file = tmp_path / "citations.sqlite"
    write_citations(file, as_list=as_list)
    with connect(str(file), cache=tmp_path) as database:
        schema = infer_schema(database)
        offer = find_offer(database, schema)
        assert offer is not None
        assert offer.task is not None
        task = define_task(database, schema, offer.task)
        blueprint = plan_named(schema, offer.task, offer.topology)
        text = render_script(database, schema, blueprint, "")
        made = run_script(text, rows(database))
        assert_same(made, (database, schema, task), blueprint)
    (kind,) = made.edge_types
    assert made[kind].edge_index.shape == (2, 8000)  # 4 000 pairs, both ways
    assert made["node"].sparse.shape == (2000, 500)


def test_sums_and_counts_of_a_value_are_written_as_they_are_trained_on(
    shop: Opened, rows: Rows
) -> None:
    database, schema, task = shop
    plain = plan_named(schema, task.spec, "row2node")
    down = (Step("customer.city->city", is_down=True),)
    summed = {
        "customer": AggregateRef(
            (Step("rating.customer->customer", is_down=True),),
            "rating",
            "stars",
            Aggregation.SUM,
            Stype.NUMERICAL,
            "ratings",
        ),
        "city": AggregateRef(
            down,
            "customer",
            "kind",
            Aggregation.TALLY,
            Stype.NUMERICAL,
            "customers",
            rank=1,
        ),
    }
    blueprint = replace(
        plain,
        nodes=tuple(
            replace(one, aggregates=(summed[one.name],))
            if isinstance(one, RowNode) and one.name in summed
            else one
            for one in plain.nodes
        ),
    )
    text = render_script(database, schema, blueprint, "")
    assert_same(run_script(text, rows(database)), shop, blueprint)
    with duckdb.connect(rows(database), read_only=True) as connection:
        connection.execute(render_sql(database, schema, blueprint))
        found = connection.execute('FROM "nodes customer"').fetch_df()
        # Customer 10 gave 5 + 3, 12 gave 4, 13 gave 2; 11 gave one without stars.
        assert found.iloc[:, -1].fillna(-1).tolist() == [8, -1, 4, 2]
        found = connection.execute('FROM "nodes city"').fetch_df()
        assert found.iloc[:, -1].tolist() == [1, 0, 0]  # of kind a: 10 in Oslo


TIMED = """
CREATE TABLE client (id INTEGER PRIMARY KEY, kind TEXT);
CREATE TABLE buy (
  id INTEGER PRIMARY KEY, client_id INTEGER REFERENCES client (id), at TEXT, price REAL
);
""" + "".join(
    f"INSERT INTO client VALUES ({at}, 'a');" for at in range(1, 11)
) + "".join(
    f"INSERT INTO buy VALUES ({at}, {1 + at % 10}, '2020-01-{at:02}', {at % 5});"
    for at in range(1, 32)
)  # fmt: skip
FORECAST = Forecast("any", "buy", "client", "5d", seed_times=4)  # from the 11th on


def asked_of(folder: Path, task: str | TaskSpec) -> Asked:
    hints = folder / "buys.hints.toml"
    hints.write_text('[tables.buy]\ntime_column = "at"\n', encoding="utf-8")
    source = write_sqlite(folder / "buys.db", TIMED)
    return ask(str(source), task, str(hints), folder)


def test_a_graph_whose_rows_have_moments_is_said_to_be_the_whole_one(
    tmp_path: Path,
) -> None:
    asked = asked_of(tmp_path, TaskSpec(target="buy.price", split="time:at"))
    blueprint = plan_named(asked.schema, asked.task.spec, "row2node")
    recipe = render_recipe(asked, blueprint, "rows.duckdb")
    (note,) = recipe.notes
    assert "the whole graph as of the end: it is not unfolded over time" in note
    for text in (recipe.sql, recipe.script):
        head = text[: text.index("import" if text is recipe.script else "CREATE")]
        assert note in " ".join(head.replace("#", " ").replace("--", " ").split())
    made = run_script(recipe.script, str(asked.snapshot))
    assert made["buy"].num_nodes == 31


def test_a_graph_without_moments_needs_no_such_sentence(shop: Opened) -> None:
    _, schema, task = shop
    assert remarks(schema, plan_named(schema, task.spec, "row2node")) == ()


def test_a_forecasts_rows_come_with_the_script_and_from_nowhere_else(
    tmp_path: Path,
) -> None:
    asked = asked_of(tmp_path, forecast_task(FORECAST))
    blueprint = plan_named(asked.schema, asked.task.spec, "row2node")
    recipe = render_recipe(asked, blueprint, "rows.duckdb")
    assert 'The table "forecast" was made of the others' in recipe.notes[0]
    assert "unfolded over time" in recipe.notes[1]
    made = run_script(recipe.script, str(asked.snapshot))
    assert made["forecast"].num_nodes == 40  # ten clients at four moments
    with pytest.raises(SystemExit, match=r"give the \.duckdb file of rows that came"):
        run_script(recipe.script, f"sqlite:///{tmp_path / 'buys.db'}")


def test_the_sources_own_file_gives_the_same_graph(addresses: Opened) -> None:
    database, schema, task = addresses
    blueprint = plan_named(schema, task.spec, "flattened")
    source = f"sqlite:///{build_sample('address-3nf')}"
    text = render_script(database, schema, blueprint, source)
    assert_same(run_script(text, source), addresses, blueprint)


def test_a_folder_of_tables_gives_the_same_graph(shop: Opened, tmp_path: Path) -> None:
    database, schema, task = shop
    blueprint = plan_named(schema, task.spec, "row2edge")
    for table in database.tables:
        names = [one.name for one in table.columns]
        frame = database.arrow(table.name, names).to_pandas()
        frame.to_parquet(tmp_path / f"{table.name}.parquet", index=False)
    text = render_script(database, schema, blueprint, str(tmp_path))
    assert_same(run_script(text, str(tmp_path)), shop, blueprint)


def test_a_script_runs_by_itself_where_there_is_no_workbench(
    shop: Opened, tmp_path: Path
) -> None:
    database, schema, task = shop
    blueprint = plan_named(schema, task.spec, "row2edge")
    script = tmp_path / "graph.py"
    text = render_script(database, schema, blueprint, str(database.path))
    script.write_text(text, encoding="utf-8")
    alone = (
        "import runpy, sys; sys.modules['workbench'] = None; sys.argv = ['graph.py'];"
        f" runpy.run_path({str(script)!r}, run_name='__main__')"
    )
    done = subprocess.run(
        [sys.executable, "-c", alone],
        cwd=tmp_path,
        env={key: value for key, value in os.environ.items() if key != "PYTHONPATH"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    # Ratings with both ends: those of customers 10 (two), 11 and 13.
    assert "(customer, rating, item)={" in done.stdout.replace("\n", "")
    assert "edge_index=[2, 4]" in done.stdout


@pytest.mark.parametrize("topology", [*TOPOLOGIES, "changed"])
def test_the_sql_runs_and_counts_what_the_graph_holds(
    topology: str, shop: Opened, rows: Rows
) -> None:
    database, schema, task = shop
    blueprint = (
        plan(schema, task.spec, read_topology(CHANGED))
        if topology == "changed"
        else plan_named(schema, task.spec, topology)
    )
    graph = build_graph(*shop, blueprint)
    with duckdb.connect(rows(database), read_only=True) as connection:
        connection.execute(render_sql(database, schema, blueprint))
        for name, features in graph.nodes.items():
            found = connection.execute(f"FROM {quote(f'nodes {name}')}").fetchnumpy()
            assert found["node"].tolist() == [*range(features.num_rows)]
        for relation in graph.relations:
            view = quote(f"edges {relation.name}")
            found = connection.execute(f"FROM {view}").fetchnumpy()
            assert np.array_equal(found["source"], relation.source_rows)
            assert np.array_equal(found["target"], relation.target_rows)


def test_a_hostile_name_stays_a_name(tmp_path: Path, rows: Rows) -> None:
    name = 'x"; DROP TABLE a; --\n\'\'\'"""\\'
    sql = f"CREATE TABLE a (id INTEGER PRIMARY KEY, {quote(name)} REAL, y INTEGER);"
    sql += "INSERT INTO a VALUES (1, 2.0, 1), (2, 3.0, 0)"
    stypes = {f"a.{name}": "numerical", "a.y": "boolean"}
    database, schema = open_tiny(tmp_path, sql, stypes)
    with database:
        task = make_task("a.y", [0, 1])
        blueprint = plan_named(schema, task.spec, "row2node")
        text = render_script(database, schema, blueprint, str(database.path))
        opened = (database, schema, task)
        assert_same(run_script(text, rows(database)), opened, blueprint)
        with duckdb.connect(rows(database), read_only=True) as connection:
            connection.execute(render_sql(database, schema, blueprint))
            assert connection.execute("SELECT count(*) FROM a").fetchall() == [(2,)]


def test_the_separators_are_those_of_the_workbench() -> None:
    from workbench import standalone, stypes

    assert json.dumps(standalone.SEPARATORS) == json.dumps(stypes.SEPARATORS)
