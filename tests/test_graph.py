"""What `build_graph` makes of rows, and that the target never gets in."""

import sqlite3
from pathlib import Path

import numpy as np
import pytest
import torch
from torch_geometric.data import HeteroData

from workbench.database import Database, connect
from workbench.graph import Graph, build_graph
from workbench.pyg import to_hetero_data
from workbench.schema import Schema, infer_schema
from workbench.survey import survey as survey_of
from workbench.survey import survey_to_json
from workbench.task import Task, TaskSpec, define_task
from workbench.topologies import TOPOLOGIES, plan_named

SHOP = """
CREATE TABLE city (city_id INTEGER PRIMARY KEY, size REAL, region TEXT);
CREATE TABLE customer (customer_id INTEGER PRIMARY KEY, age REAL, plan TEXT,
  joined TEXT, good INTEGER, city_id INTEGER REFERENCES city (city_id),
  friend_id INTEGER REFERENCES customer (customer_id));
CREATE TABLE good (good_id INTEGER PRIMARY KEY, price REAL);
CREATE TABLE rating (customer_id INTEGER REFERENCES customer (customer_id),
  good_id INTEGER REFERENCES good (good_id), stars REAL);
"""
NUM_CUSTOMERS = 80
SPEC = TaskSpec(target="customer.good")


def write_shop(path: Path, labels: np.ndarray) -> Path:
    """Write a shop in which only the labels differ from call to call."""
    draw = np.random.default_rng(0)
    with sqlite3.connect(path) as connection:
        connection.executescript(SHOP)
        connection.executemany(
            "INSERT INTO city VALUES (?, ?, ?)",
            [(at, draw.normal(), "ns"[at % 2]) for at in range(6)],
        )
        connection.executemany(
            "INSERT INTO customer VALUES (?, ?, ?, ?, ?, ?, ?)",
            [
                (
                    at,
                    draw.normal() if at % 9 else None,
                    "abc"[draw.integers(3)],
                    f"20{10 + at % 9}-0{1 + at % 8}-11",
                    int(labels[at]),
                    int(draw.integers(6)) if at % 7 else None,
                    int(draw.integers(NUM_CUSTOMERS)),
                )
                for at in range(NUM_CUSTOMERS)
            ],
        )
        connection.executemany(
            "INSERT INTO good VALUES (?, ?)", [(at, draw.normal()) for at in range(9)]
        )
        connection.executemany(
            "INSERT INTO rating VALUES (?, ?, ?)",
            [
                (
                    int(draw.integers(NUM_CUSTOMERS)),
                    int(draw.integers(9)),
                    draw.normal(),
                )
                for _ in range(150)
            ],
        )
    connection.close()
    return path


def labels(seed: int) -> np.ndarray:
    return np.random.default_rng(seed).permutation(np.arange(NUM_CUSTOMERS) % 2)


def opened(path: Path) -> tuple[Database, Schema, Task]:
    database = connect(path)
    schema = infer_schema(database)
    return database, schema, define_task(database, schema, SPEC)


def graph_of(path: Path, topology: str) -> tuple[Graph, dict]:
    database, schema, task = opened(path)
    with database:
        blueprint = plan_named(schema, task.spec, topology)
        graph = build_graph(database, schema, task, blueprint)
        return graph, survey_to_json(survey_of(database, schema, task, blueprint))


def assert_same(one: Graph, other: Graph) -> None:
    assert one.nodes.keys() == other.nodes.keys()
    pairs = [(one.nodes[name], other.nodes[name]) for name in one.nodes]
    for mine, yours in zip(one.relations, other.relations, strict=True):
        assert mine.name == yours.name
        np.testing.assert_array_equal(mine.source_rows, yours.source_rows)
        np.testing.assert_array_equal(mine.target_rows, yours.target_rows)
        if mine.attributes is not None:
            pairs.append((mine.attributes, yours.attributes))
    for mine, yours in pairs:
        assert torch.equal(mine.numerical, yours.numerical)
        assert torch.equal(mine.codes, yours.codes)
        assert mine.numerical_names == yours.numerical_names
        assert mine.cardinalities == yours.cardinalities


@pytest.mark.parametrize("topology", TOPOLOGIES)
def test_permuting_the_target_leaves_every_tensor_edge_and_statistic_identical(
    tmp_path: Path, topology: str
) -> None:
    before, survey_before = graph_of(write_shop(tmp_path / "a.db", labels(1)), topology)
    after, survey_after = graph_of(write_shop(tmp_path / "b.db", labels(2)), topology)
    assert_same(before, after)
    assert survey_before == survey_after


@pytest.mark.parametrize("topology", TOPOLOGIES)
def test_no_channel_is_named_after_the_target(tmp_path: Path, topology: str) -> None:
    graph, _ = graph_of(write_shop(tmp_path / "a.db", labels(1)), topology)
    names = [
        name
        for features in graph.nodes.values()
        for name in (*features.numerical_names, *features.code_names)
    ]
    assert not [name for name in names if name.endswith(("good", "customer.good"))]


def test_a_junctions_columns_become_attributes_of_its_links(tmp_path: Path) -> None:
    graph, _ = graph_of(write_shop(tmp_path / "a.db", labels(1)), "row2edge")
    rating = next(each for each in graph.relations if each.name == "rating")
    assert rating.attributes is not None
    assert rating.attributes.numerical.shape == (150, 1)
    assert len(rating.source_rows) == 150


def test_a_missing_number_is_zero_and_says_so(tmp_path: Path) -> None:
    graph, _ = graph_of(write_shop(tmp_path / "a.db", labels(1)), "row2node")
    customer = graph.nodes["customer"]
    age = customer.numerical_names.index("age")
    missing = customer.numerical_names.index("age is missing")
    empty = torch.arange(NUM_CUSTOMERS) % 9 == 0
    assert torch.equal(customer.numerical[:, missing].bool(), empty)
    assert not customer.numerical[empty, age].any()
    known = customer.numerical[~empty, age].double()
    assert known.mean().abs() < 1e-6
    assert abs(float(known.std(correction=0)) - 1) < 1e-6


def test_pyg_gets_every_node_edge_and_reverse(tmp_path: Path) -> None:
    graph, _ = graph_of(write_shop(tmp_path / "a.db", labels(1)), "row2edge")
    data = to_hetero_data(graph)
    assert isinstance(data, HeteroData)
    assert data["customer"].num_nodes == NUM_CUSTOMERS
    kinds = {kind for kind in data.edge_types if "rating" in kind[1]}
    assert {kind[1] for kind in kinds} == {"rating", "rev_rating"}
    for kind in kinds:
        assert data[kind].edge_index.shape == (2, 150)
        assert data[kind].edge_attr.shape == (150, 1)
    assert data["customer"].tf.num_rows == NUM_CUSTOMERS
