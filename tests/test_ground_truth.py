"""Scores step where they must: every line of `tests/ground_truth.py`, trained.

A file of rows is opened, read with its hints, planned, built and trained as a user's
would be. What can be scored is known by formula on the very rows that are tested, and
what those rows can differ by follows from the number of roots among them.
"""

import math
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import numpy as np
import pytest
import torch

from tests.ground_truth import NOISE, TOP, TOPOLOGY_FILES, TRIPLES, Triple
from tests.worlds import WORLDS, World, right_from_summary
from workbench.copies import Tracer
from workbench.database import Database, connect
from workbench.graph import Graph, build_graph
from workbench.influence import build_influence_sample, measure_influence
from workbench.models import MODELS
from workbench.permutation import build_shuffle_sample, measure_drops
from workbench.planting.plant import Variant, best_possible
from workbench.remedies import REMEDIES
from workbench.run import Budget, RunConfig, build_network, train
from workbench.schema import Schema, infer_schema, read_hints
from workbench.survey import survey
from workbench.task import TEST, Task, define_task
from workbench.topologies import plan_named

BUDGET = Budget(epochs=120, patience=40, width=32)
CLOSE = 0.03


@dataclass(frozen=True)
class Opened:
    """A world, read as any database is."""

    world: World
    database: Database
    schema: Schema
    task: Task
    folder: Path

    def blueprint(self, topology: str):
        if topology in TOPOLOGY_FILES:
            file = self.folder / f"{topology}.toml"
            file.write_text(TOPOLOGY_FILES[topology], encoding="utf-8")
            return plan_named(self.schema, self.task.spec, file)
        return plan_named(self.schema, self.task.spec, topology)

    def graph(self, topology: str) -> Graph:
        blueprint = self.blueprint(topology)
        return build_graph(self.database, self.schema, self.task, blueprint)


@pytest.fixture(scope="module")
def opened(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Callable]:
    """Return what opens a world by name; each is made once."""
    with ExitStack() as stack:

        @cache
        def make(name: str) -> Opened:
            folder = tmp_path_factory.mktemp(name)
            world = WORLDS[name](folder)
            database = stack.enter_context(
                connect(world.source, cache=folder / "cache")
            )
            schema = infer_schema(database, read_hints(world.hints))
            task = define_task(database, schema, world.task)
            return Opened(world, database, schema, task, folder)

        yield make


def config(model: str, depth: int, remedy: str = "none") -> RunConfig:
    return RunConfig(MODELS[model], REMEDIES[remedy], depth, 0, BUDGET)


def accuracy(task: Task, outputs: np.ndarray) -> float:
    test = task.split == TEST
    return float(((outputs >= 0.5) == task.labels)[test].mean())


def best(world: World, triple: Triple, depth: int) -> float:
    """Return the best accuracy on the test rows of who sees so many hops."""
    if triple.hop is None:
        return 0.5
    if triple.loss:
        assert world.summarised is not None
        return world.summarised if depth >= triple.hop else 0.5
    if triple.sees:
        return world.best[triple.sees[min(depth, triple.hop)]]
    return world.best[-1] if depth >= triple.hop else 0.5


def spread(world: World, score: float) -> float:
    """Return the standard error of an accuracy, counted by root."""
    return math.sqrt(score * (1 - score) / world.roots)


def triples(is_fast: bool):
    return [
        pytest.param(each, id=f"{each.world}-{each.topology}-{each.model}")
        for each in TRIPLES
        if each.is_fast == is_fast
    ]


def check(opened: Callable, triple: Triple) -> None:
    found = opened(triple.world)
    world, task, graph = found.world, found.task, found.graph(triple.topology)
    last = 2 if triple.hop is None else triple.hop + 1
    for depth in range(last + 1):
        asked = config(triple.model, depth, triple.remedy)
        run = train(build_network(graph, task, asked), graph, task, asked)
        score, most = accuracy(task, run.outputs), best(world, triple, depth)
        at = f"{score:.3f} at depth {depth}, where {most:.3f} is the best possible"
        # Four standard errors for a coin; three above what the noise allows is a leak.
        times = 4 if most == 0.5 else 3
        assert score <= most + times * spread(world, most), at
        if most > 0.5:
            assert score >= most - CLOSE, at


@pytest.mark.parametrize("triple", triples(is_fast=True))
def test_one_network_on_each_world_steps_where_it_must(
    opened: Callable, triple: Triple
) -> None:
    check(opened, triple)


@pytest.mark.slow
@pytest.mark.parametrize("triple", triples(is_fast=False))
def test_every_other_network_and_graph_steps_where_it_must(
    opened: Callable, triple: Triple
) -> None:
    check(opened, triple)


@pytest.mark.parametrize("triple", [*triples(is_fast=True), *triples(is_fast=False)])
def test_the_survey_names_the_hop_before_anything_trains(
    opened: Callable, triple: Triple
) -> None:
    found = opened(triple.world)
    blueprint = found.blueprint(triple.topology)
    hops = survey(found.database, found.schema, found.task, blueprint).hops
    if MODELS[triple.model].reads_edges:
        assert hops[found.world.signal] == triple.hop
    else:  # it rides on the edge, where this network does not look
        assert hops[found.world.signal] == 1
        assert triple.hop is None


@pytest.mark.parametrize("name", WORLDS)
def test_a_world_scores_on_its_rows_as_its_formula_says(
    opened: Callable, name: str
) -> None:
    world = opened(name).world
    expected = [0.5] * world.hops + [TOP]
    if name == "graded":
        curve = best_possible(Variant.GRADED, world.hops)
        expected = [each.accuracy for each in curve]
    for found, wanted in zip(world.best, expected, strict=True):
        assert abs(found - wanted) <= 4 * spread(world, wanted)
    for triple in TRIPLES:
        if triple.world == name and triple.hop is not None:
            assert triple.score == pytest.approx(expected[-1] - triple.loss, abs=1e-4)


def test_what_summaries_lose_is_counted_over_all_families() -> None:
    (lossy,) = [each for each in TRIPLES if each.loss and each.hop is not None]
    right = right_from_summary()
    assert right == 904 / 1024
    assert lossy.score == pytest.approx(right * TOP + (1 - right) * NOISE)


@pytest.mark.parametrize("triple", [each for each in TRIPLES if each.sees])
def test_what_a_curve_shows_at_each_depth_is_what_the_survey_can_reach(
    opened: Callable, triple: Triple
) -> None:
    found = opened(triple.world)
    blueprint = found.blueprint(triple.topology)
    hops = survey(found.database, found.schema, found.task, blueprint).hops
    names = [*(f"t{at}.bit" for at in range(found.world.hops)), found.world.signal]
    reached = [[hops[name] <= depth for name in names] for depth in (0, 1, 2, 3)]
    farthest = [sum(each) - 1 for each in reached]
    assert tuple(farthest[: len(triple.sees)]) == triple.sees


def test_every_world_has_a_line_that_is_tried_every_time() -> None:
    assert {each.world for each in TRIPLES if each.is_fast} == set(WORLDS)


def test_the_far_table_has_no_influence_below_its_hop_and_the_most_from_there_on(
    opened: Callable,
) -> None:
    found = opened("chain")
    task, graph = found.task, found.graph("fold-1")
    cpu = torch.device("cpu")
    for depth in (1, 2):
        network = build_network(graph, task, config("sage", depth))
        train(network, graph, task, config("sage", depth))
        sample = build_influence_sample(Tracer(graph), task, depth, cpu)
        assert sample is not None
        heard = measure_influence(network, sample)
        shares = heard[heard["kind"] == "table"].set_index("name")["value"]
        shuffles = build_shuffle_sample(graph, task, depth, cpu)
        drops = measure_drops(network, task, shuffles).set_index("name")["value"]
        if depth < 2:
            assert shares["t2"] == 0
            assert drops["t2"] == 0
        else:
            assert shares.idxmax() == "t2"
            assert drops["t2"] >= 0.3
            assert drops.drop("t2").max() <= 0.02
