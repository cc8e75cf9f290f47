"""The plain networks of handed-over scripts, trained beside the workbench's own."""

import shutil
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from torch_geometric.data import HeteroData

from tests.tiny import make_task, open_tiny
from workbench import standalone_parts, standalone_training
from workbench.graph import Graph, build_graph, row_normalised
from workbench.models import MODELS, ONE_TYPE, TYPED
from workbench.recipe import script_plan
from workbench.remedies import REMEDIES
from workbench.run import Budget, Run, RunConfig, build_network, train
from workbench.score import METRICS
from workbench.standalone import build
from workbench.standalone_network import Design
from workbench.task import SEEN, TEST, TRAIN, VAL, Task, TaskType
from workbench.topologies import plan_named

# torch says once a process that its compressed rows may still change.
pytestmark = pytest.mark.filterwarnings("ignore:Sparse CSR tensor support")

CLUBS = (
    """
CREATE TABLE member (id INTEGER PRIMARY KEY, kind TEXT, age REAL, good INTEGER);
CREATE TABLE club (id INTEGER PRIMARY KEY, size REAL);
CREATE TABLE stay (
  member INTEGER REFERENCES member (id), club INTEGER REFERENCES club (id),
  stars REAL, mood TEXT
);
"""
    + "".join(f"INSERT INTO club VALUES ({at}, {at % 5});" for at in range(9))
    + "".join(
        f"INSERT INTO member VALUES ({at}, '{'abc'[at % 3]}', {at * 7 % 11}, 0);"
        f"INSERT INTO stay VALUES ({at}, {at % 9}, {at % 4}, '{'xy'[at % 2]}');"
        f"INSERT INTO stay VALUES ({at // 2}, {at * 5 % 8}, {at % 3}, NULL);"
        for at in range(40)
    )
)
PAPERS = """
CREATE TABLE paper (id INTEGER PRIMARY KEY, size REAL, label INTEGER);
CREATE TABLE cite (
  src INTEGER REFERENCES paper (id), dst INTEGER REFERENCES paper (id)
);
CREATE TABLE word (paper INTEGER REFERENCES paper (id), word TEXT, amount REAL);
""" + "".join(
    f"INSERT INTO paper VALUES ({at}, {at * 3 % 7}, 0);"
    f"INSERT INTO cite VALUES ({at}, {(at * at + 1) % 40});"
    f"INSERT INTO word VALUES ({at}, 'w{at % 6}', {1 + at % 3});"
    for at in range(40)
)
STYPES = {
    "member.kind": "categorical",
    "member.age": "numerical",
    "member.good": "boolean",
    "club.size": "numerical",
    "stay.stars": "numerical",
    "stay.mood": "categorical",
    "paper.size": "numerical",
    "paper.label": "boolean",
    "word.word": "categorical",
    "word.amount": "numerical",
}
PARTS = {"train": TRAIN, "validation": VAL, "test": TEST, "set aside": SEEN}


@dataclass(frozen=True)
class World:
    """The same graph twice: as the workbench trains on it, and as a script does."""

    graph: Graph
    task: Task
    data: HeteroData


def make_world(folder: Path, sql: str, target: str, topology: str) -> World:
    database, schema = open_tiny(folder, sql, STYPES)
    with database:
        task = make_task(target, range(40))
        blueprint = plan_named(schema, task.spec, topology)
        graph = build_graph(database, schema, task, blueprint)
        plan = script_plan(database, schema, blueprint)
        rows = shutil.copyfile(database.path, folder / "rows.duckdb")
    return World(graph, task, build(plan, str(rows)))


@pytest.fixture(scope="module")
def clubs(tmp_path_factory: pytest.TempPathFactory) -> World:
    return make_world(
        tmp_path_factory.mktemp("clubs"), CLUBS, "member.good", "row2edge"
    )


@pytest.fixture(scope="module")
def papers(tmp_path_factory: pytest.TempPathFactory) -> World:
    return make_world(
        tmp_path_factory.mktemp("papers"), PAPERS, "paper.label", "row2edge"
    )


def train_both(
    world: World,
    model: str,
    remedy: str,
    depth: int = 2,
    seed: int = 3,
    budget: Budget | None = None,
) -> tuple[Run, dict[str, Any]]:
    """Train a network here and there; return the workbench's run and the script's."""
    graph, task = world.graph, world.task
    budget = budget or Budget(epochs=4, width=8)
    config = RunConfig(MODELS[model], REMEDIES[remedy], depth, seed, budget)
    ours = train(build_network(graph, task, config), graph, task, config)
    metric = METRICS[task.metric]
    parts = {
        name: torch.from_numpy(np.flatnonzero(task.split == part))
        for name, part in PARTS.items()
    }
    is_multiclass = task.task_type is TaskType.MULTICLASS
    settings = {
        "target": graph.target,
        "depth": depth,
        "outputs": len(task.classes) if is_multiclass else 1,
        "kind": str(task.task_type),
        "classes": list(task.classes),
        "metric": metric.name,
        "higher_is_better": metric.higher_is_better,
        "epochs": budget.epochs,
        "patience": budget.patience,
        "learning_rate": budget.learning_rate,
        "weight_decay": budget.weight_decay,
        "width": budget.width,
        "dropout": budget.dropout,
        "input_dropout": budget.input_dropout,
    }
    design = Design(
        **standalone_parts.NETWORKS[model], **standalone_parts.REMEDIES[remedy]
    )
    asked = {
        "rows": torch.from_numpy(task.rows),
        "labels": task.labels,
        "parts": parts,
    }
    theirs = standalone_training.fit(
        world.data, asked, settings, design, metric.score, seed
    )
    return ours, theirs


def assert_same_run(ours: Run, theirs: dict[str, Any]) -> None:
    assert theirs["epoch"] == ours.best_epoch
    np.testing.assert_allclose(theirs["outputs"], ours.outputs, atol=1e-5)
    assert theirs["scores"]["test"] == pytest.approx(ours.test, abs=1e-6)
    number = sum(one.numel() for one in theirs["network"].parameters())
    assert number == ours.num_parameters


def test_every_network_and_remedy_can_be_handed_over() -> None:
    assert list(standalone_parts.NETWORKS) == list(MODELS)
    assert list(standalone_parts.REMEDIES) == list(REMEDIES)


@pytest.mark.parametrize("model", [one.name for one in TYPED])
def test_a_plain_network_learns_what_the_workbenchs_learns(model, clubs) -> None:
    ours, theirs = train_both(clubs, model, "none")
    assert_same_run(ours, theirs)


@pytest.mark.parametrize("model", ["sage", "gat", *(one.name for one in ONE_TYPE)])
def test_a_plain_network_does_so_on_papers_that_cite_each_other(model, papers) -> None:
    assert "sparse" in papers.data["paper"]
    assert_same_run(*train_both(papers, model, "none"))


@pytest.mark.parametrize("remedy", REMEDIES)
def test_a_plain_remedy_does_what_the_workbenchs_does(remedy, clubs) -> None:
    assert_same_run(*train_both(clubs, "sage", remedy, depth=3))


def test_the_row_alone_is_handed_over_too(clubs) -> None:
    assert_same_run(*train_both(clubs, "sage", "jk-cat", depth=0))


def test_dropout_draws_the_same_numbers(clubs, papers) -> None:
    budget = Budget(epochs=4, width=8, dropout=0.3, input_dropout=0.2)
    for world in (clubs, papers):
        assert_same_run(*train_both(world, "sage", "residual", budget=budget))


@pytest.mark.parametrize(
    ("kind", "metric", "classes"),
    [
        (TaskType.MULTICLASS, "accuracy", ("a", "b", "c")),
        (TaskType.REGRESSION, "mae", ()),
        (TaskType.REGRESSION, "r2", ()),
        (TaskType.BINARY, "log-loss", ("0", "1")),
        (TaskType.BINARY, "roc-auc", ("0", "1")),
    ],
)
def test_every_kind_of_task_has_the_same_loss(kind, metric, classes, clubs) -> None:
    labels = np.arange(40.0) * 7 % 10
    if classes:  # the second class is rare, so that weights enter
        labels = (labels == 0) + 0.0 if len(classes) == 2 else labels % 3
    task = replace(
        clubs.task, task_type=kind, metric=metric, classes=classes, labels=labels
    )
    assert_same_run(*train_both(replace(clubs, task=task), "sage", "none"))


def test_shares_of_what_rows_list_are_taken_alike(papers) -> None:
    data = papers.data.clone()
    standalone_training.row_normalise(data)
    ours = row_normalised(papers.graph).nodes["paper"]
    torch.testing.assert_close(data["paper"].x, ours.numerical)
    assert ours.sparse is not None
    torch.testing.assert_close(data["paper"].sparse.values(), ours.sparse.values)
    sums = data["paper"].sparse.to_dense().sum(dim=1)
    torch.testing.assert_close(sums, torch.ones(40))
