"""Scripts that build a graph without the workbench, run and held against its own."""

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import duckdb
import numpy as np
import pytest
import torch
from torch_geometric.data import HeteroData

from tests.tiny import make_task, open_tiny
from workbench.blueprint import Blueprint
from workbench.database import Database, connect, quote
from workbench.graph import build_graph
from workbench.recipe import render_script, render_sql
from workbench.samples import build_sample
from workbench.schema import Schema, infer_schema
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


def assert_same(made: HeteroData, opened: Opened, blueprint: Blueprint) -> None:
    """Hold a script's graph against the one that the workbench trains on."""
    graph = build_graph(*opened, blueprint)
    ours = graph.to_hetero_data()
    assert set(made.node_types) == set(ours.node_types)
    for name, features in graph.nodes.items():
        assert made[name].num_nodes == features.num_rows
        torch.testing.assert_close(made[name].x, features.numerical)
        assert torch.equal(made[name].codes, features.codes)
        assert made[name].cardinalities == list(features.cardinalities)
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
