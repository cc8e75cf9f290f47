"""Batches of rows to predict: equal to all at once where nothing is left out."""

import gc
import weakref
from dataclasses import replace
from itertools import chain

import numpy as np
import pytest
import torch

from tests.graphs import features, shop, web
from workbench.errors import ModelError
from workbench.feed import Batched, Batching, Whole
from workbench.graph import Graph
from workbench.instances import Unfolding
from workbench.models import MODELS
from workbench.remedies import REMEDIES
from workbench.run import Budget, Run, RunConfig, build_network, train
from workbench.task import TRAIN, Task, TaskSpec, TaskType
from workbench.unfold import unfold

CPU = torch.device("cpu")
BUDGET = Budget(epochs=2, patience=9, width=6)
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


@pytest.mark.parametrize("depth", [0, 2])
@pytest.mark.parametrize("model", list(MODELS))
def test_one_batch_of_all_rows_and_neighbours_trains_as_all_at_once(model, depth):
    graph = web(0) if MODELS[model].nearest else shop(0)
    task = task_of(graph)
    whole = run_on(graph, task, None, model, depth=depth)
    same(whole, run_on(graph, task, Batching(10**6), model, depth=depth))


@pytest.mark.parametrize("remedy", sorted(set(REMEDIES) - CROWDS - {"dropedge"}))
def test_so_it_does_with_remedies_that_look_at_a_row_alone(remedy):
    task = task_of(shop(0))
    whole = run_on(shop(0), task, None, remedy=remedy)
    same(whole, run_on(shop(0), task, Batching(10**6), remedy=remedy))


@pytest.mark.parametrize("model", ["sage", "gcn", "gat"])
def test_rows_answer_the_same_in_whatever_batches_they_are_asked(model):
    graph = web(1) if MODELS[model].nearest else shop(1)
    task = task_of(graph)
    config = RunConfig(MODELS[model], REMEDIES["none"], 2, 0, BUDGET)
    network = build_network(graph, task, config).eval()
    places = np.arange(len(task.rows))
    answers = []
    with torch.no_grad():
        for feed in (
            Whole(graph, task, 2, CPU),
            Batched(graph, task, 2, Batching(2), CPU),
            Batched(graph, task, 2, Batching(1), CPU),
        ):
            parts = list(feed.answering(places))
            got = [network(one.field, one.inputs)[1][one.within] for one in parts]
            answers.append(torch.cat(got).numpy())
            assert torch.cat([one.rows for one in parts]).tolist() == places.tolist()
    np.testing.assert_allclose(answers[1], answers[0], atol=1e-5)
    np.testing.assert_allclose(answers[2], answers[0], atol=1e-5)


def test_training_computes_no_row_that_only_a_test_row_sees():
    # Customers 0 and 3 train, 1 and 4 validate, 2 is tested; at depth 0 that is all.
    task = task_of(shop(0))
    feed = Whole(shop(0), task, 0, CPU)
    (part,) = feed.training(0, 0)
    assert part.field.rows["customer"].tolist() == [0, 1, 3, 4]
    assert part.within.tolist() == [0, 2]
    assert part.rows.tolist() == [0, 3]
    assert part.validation is not None
    assert part.validation.tolist() == [1, 3]
    (joint,) = feed.joint().training(0, 0)
    assert joint.field.rows["customer"].tolist() == [0, 1, 2, 3, 4]
    assert joint.validation is not None
    assert joint.validation.tolist() == [1, 4]


@pytest.mark.parametrize("depth", [1, 3])
def test_leaving_out_the_test_rows_changes_no_gradient_and_no_validation_output(depth):
    graph = shop(0)
    task = task_of(graph)
    config = RunConfig(MODELS["sage"], REMEDIES["none"], depth, 0, BUDGET)
    network = build_network(graph, task, config)
    found = []
    for feed in (Whole(graph, task, depth, CPU), Whole(graph, task, depth, CPU, True)):
        (part,) = feed.training(0, 0)
        network.zero_grad()
        raw = network(part.field, part.inputs)[1]
        raw[part.within].square().sum().backward()
        gradients = [one.grad for one in network.parameters() if one.grad is not None]
        found.append((raw[part.validation].detach(), gradients))
    torch.testing.assert_close(*found)


@pytest.mark.parametrize(
    ("remedy", "budget"),
    [
        ("pairnorm", BUDGET),
        ("none", replace(BUDGET, dropout=0.5)),
        ("none", replace(BUDGET, input_dropout=0.5)),
    ],
)
def test_runs_that_depend_on_the_rows_beside_are_trained_on_all_of_them(remedy, budget):
    task = task_of(shop(0))
    config = RunConfig(MODELS["sage"], REMEDIES[remedy], 2, 0, budget)
    runs = [
        train(build_network(shop(0), task, config), shop(0), task, config, feed)
        for feed in (None, Whole(shop(0), task, 2, CPU, is_joint=True))
    ]
    same(*runs)


def test_what_a_batch_sees_is_let_go_with_it():
    config = RunConfig(MODELS["sage"], REMEDIES["none"], 2, 0, BUDGET)
    network = build_network(shop(0), task_of(shop(0)), config)
    (part,) = Whole(shop(0), task_of(shop(0)), 2, CPU).training(0, 0)
    network(part.field, part.inputs)
    hop = weakref.ref(part.field.hops[0])
    gc.collect()
    gc.disable()  # what points at itself would wait for it
    try:
        del part
        assert hop() is None
    finally:
        gc.enable()


def test_an_epoch_feeds_every_training_row_once_in_another_order_each_time():
    task = task_of(web(0))
    feed = Batched(web(0), task, 1, Batching(2), CPU)
    train_rows = np.flatnonzero(task.split == TRAIN).tolist()
    orders = []
    for epoch in range(6):
        fed = [one.rows.tolist() for one in feed.training(0, epoch)]
        assert sorted(chain(*fed)) == train_rows
        assert max(map(len, fed)) <= 2
        orders.append(fed)
    assert any(one != orders[0] for one in orders)
    assert [one.rows.tolist() for one in feed.training(0, 3)] == orders[3]


def test_batches_of_a_graph_unfolded_over_time_say_the_same_as_the_whole_of_it():
    graph = shop(2)
    task = task_of(graph, np.arange(5.0))
    for fan_out in (None, 1):
        unfolded = unfold(graph, task, Unfolding(2, fan_out))
        for model in ("sage", "gat"):
            same(
                run_on(unfolded.graph, unfolded.task, None, model),
                run_on(unfolded.graph, unfolded.task, Batching(10**6), model),
            )


def test_small_batches_learn_what_all_rows_at_once_learn():
    # A class that is the sign of the row's own first channel: both must find it.
    generator = np.random.default_rng(0)
    graph = replace(web(0), nodes={"page": features(400, 3)}, relations=())
    own = graph.nodes["page"].numerical[:, 0].numpy()
    task = replace(
        task_of(graph),
        labels=(own > 0).astype(float),
        metric="accuracy",
        split=generator.permutation(np.arange(400) % 3).astype(np.int8),
    )
    budget = Budget(epochs=40, patience=40, width=8, learning_rate=0.03)
    for batching in (None, Batching(16)):
        assert run_on(graph, task, batching, depth=0, budget=budget).test > 0.9


def test_a_batch_hears_no_more_neighbours_than_the_fan_out_and_only_its_own():
    graph = shop(0)
    task = task_of(graph)
    feed = Batched(graph, task, 2, Batching(2, fan_out=1), CPU)
    for part in feed.training(0, 0):
        for hop in part.field.hops:
            for messages in hop.messages:
                assert messages.degree.max() <= 1


def test_a_batch_without_rows_is_refused():
    with pytest.raises(ModelError, match='A batch has "0" rows; 1 or more work'):
        Batching(0)
