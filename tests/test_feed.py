"""Batches of rows to predict: equal to all at once where nothing is left out."""

import numpy as np
import pytest
import torch

from tests.graphs import shop, web
from workbench.feed import Batched, Batching
from workbench.graph import Graph
from workbench.models import MODELS
from workbench.remedies import REMEDIES
from workbench.run import Budget, Run, RunConfig, build_network, train
from workbench.task import Task, TaskSpec, TaskType

CPU = torch.device("cpu")
BUDGET = Budget(epochs=4, patience=9, width=6)
# These look at all rows that are computed together, so a batch is another crowd.
CROWDS = frozenset({"pairnorm", "mean-subtraction", "residual-norm"})


def task_of(graph: Graph, times: np.ndarray | None = None) -> Task:
    number = graph.nodes[graph.target].num_rows
    return Task(
        spec=TaskSpec(target="customer.y"),
        task_type=TaskType.BINARY,
        classes=("0", "1"),
        metric="log-loss",
        rows=np.arange(number),
        labels=np.arange(number, dtype=float) % 2,
        split=(np.arange(number) % 3).astype(np.int8),
        keys=tuple(map(str, range(number))),
        times=times,
    )


def run_on(
    graph: Graph,
    task: Task,
    batching: Batching | None,
    model: str = "sage",
    remedy: str = "none",
    depth: int = 2,
    budget: Budget = BUDGET,
) -> Run:
    config = RunConfig(MODELS[model], REMEDIES[remedy], depth, 0, budget)
    feed = None
    if batching is not None:
        feed = Batched(graph, task, depth, batching, CPU)
    return train(build_network(graph, task, config), graph, task, config, feed)


def same(one: Run, other: Run) -> None:
    np.testing.assert_allclose(one.outputs, other.outputs, atol=1e-6)
    assert one.best_epoch == other.best_epoch
    scores = [
        (run.train, run.val, run.test, run.gradient_ratio) for run in (one, other)
    ]
    np.testing.assert_allclose(*scores, rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize("depth", [0, 1, 3])
@pytest.mark.parametrize("model", list(MODELS))
def test_one_batch_of_all_rows_and_neighbours_trains_as_all_at_once(model, depth):
    graph = web(0) if MODELS[model].nearest else shop(0)
    task = task_of(graph)
    whole = run_on(graph, task, None, model, depth=depth)
    same(whole, run_on(graph, task, Batching(10**6), model, depth=depth))
