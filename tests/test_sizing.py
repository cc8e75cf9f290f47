"""Networks of one size: the width follows from the number of parameters."""

import tomllib
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import tomli_w

from tests import graphs
from tests.test_recognise import EDGES, NODES, nodes, ring, write
from workbench.convolution import MOST_HEADS
from workbench.errors import ModelError
from workbench.execute import run_study
from workbench.graph import Graph
from workbench.models import MODELS
from workbench.protocols import PROTOCOLS, make_budget
from workbench.remedies import REMEDIES
from workbench.run import Budget, RunConfig, build_network
from workbench.sizing import count_parameters, fit_width
from workbench.study import Arm, Study, read_study
from workbench.task import Task, TaskSpec, TaskType


@pytest.fixture
def graph() -> Graph:
    ring = [(at, (at + 1) % 12) for at in range(12)]
    return Graph(
        target="t",
        nodes={"t": graphs.features(12, 3, (4,))},
        relations=(graphs.relation("r", ("t", "t"), ring),),
    )


@pytest.fixture
def task() -> Task:
    return Task(
        spec=TaskSpec(target="t.y"),
        task_type=TaskType.BINARY,
        classes=("0", "1"),
        metric="accuracy",
        rows=np.arange(12),
        labels=np.arange(12) % 2.0,
        split=np.arange(12, dtype=np.int8) % 3,
        keys=tuple(map(str, range(12))),
    )


def config(model: str, remedy: str, depth: int, width: int = 32) -> RunConfig:
    return RunConfig(MODELS[model], REMEDIES[remedy], depth, 0, Budget(width=width))


@pytest.mark.parametrize("model", MODELS)
@pytest.mark.parametrize("remedy", ["none", "jk-cat"])
def test_numbers_are_counted_without_making_them(graph, task, model, remedy):
    for depth in (0, 3):
        asked = config(model, remedy, depth, 12)
        made = build_network(graph, task, asked).num_parameters
        assert count_parameters(graph, task, asked) == made


def test_a_network_of_no_layers_is_counted_by_hand(graph, task):
    # Encoder: 3 numbers and 4 codes to 8 channels, 8 biases; head: 8·8 + 8, 8 + 1.
    assert count_parameters(graph, task, config("sage", "none", 0, 8)) == 145


@pytest.mark.parametrize("model", MODELS)
@pytest.mark.parametrize("depth", [0, 1, 5])
def test_the_width_is_the_largest_multiple_of_four_that_fits(graph, task, model, depth):
    asked, most = config(model, "none", depth), 6000
    width = fit_width(graph, task, asked, most)

    def size(channels: int) -> int:
        budget = replace(asked.budget, width=channels)
        return count_parameters(graph, task, replace(asked, budget=budget))

    assert width % MOST_HEADS == 0
    assert size(width) <= most < size(width + MOST_HEADS)


def test_a_number_that_is_met_exactly_fits(graph, task):
    asked = config("gat", "none", 4, 20)
    most = count_parameters(graph, task, asked)
    assert fit_width(graph, task, asked, most) == 20
    assert fit_width(graph, task, asked, most - 1) == 16


def test_too_few_parameters_are_refused_in_a_sentence(graph, task):
    with pytest.raises(ModelError, match="parameters already"):
        fit_width(graph, task, config("sage", "none", 8), 50)


@pytest.mark.parametrize("parameters", [0, -3, "many"])
def test_parameters_are_a_number_or_the_word_same(parameters):
    with pytest.raises(ModelError, match=f'parameters is "{parameters}"'):
        Budget(parameters=parameters)


def test_a_protocol_can_be_changed_by_single_settings():
    made = make_budget("citation", {"epochs": 5, "width": None, "parameters": "900"})
    citation = PROTOCOLS["citation"].budget
    assert made == replace(citation, epochs=5, parameters=900)
    with pytest.raises(ModelError, match='did you mean "citation"'):
        make_budget("citations", {})


def test_a_study_file_names_a_protocol_and_keeps_what_it_means(tmp_path):
    study = Study(
        arms=(Arm("x.sqlite", "row2edge"),),
        task=TaskSpec(target="node.label"),
        budget=make_budget("citation", {"parameters": "same"}),
    )
    file = tmp_path / "study.toml"
    file.write_text(study.to_toml())
    assert read_study(file) == study
    named = {"protocol": "citation", "parameters": "same"}
    file.write_text(tomli_w.dumps({**tomllib.loads(study.to_toml()), "budget": named}))
    assert read_study(file) == study


def test_every_cell_of_a_study_gets_a_width_of_its_own_and_says_which(tmp_path):
    source = write_small(tmp_path)
    study = Study(
        arms=(Arm(source, "row2edge"),),
        task=TaskSpec(target="node.label"),
        models=("gcn", "sage"),
        depths=(1, 3),
        seeds=1,
        budget=Budget(epochs=2, width=16, parameters="same"),
    )
    out = tmp_path / "out"
    run_study(study, out, jobs=1, cache=tmp_path / "cache")
    trials = pd.read_parquet(out / "trials.parquet")
    at = trials.set_index(["model", "depth"])
    assert at.loc[("gcn", 1), "width"] == 16
    assert (trials["num_parameters"] <= at.loc[("gcn", 1), "num_parameters"]).all()
    assert at.loc[("sage", 3), "width"] < 16
    report = (out / "report.html").read_text()
    assert "Budget: parameters" in report


def test_a_cell_that_cannot_be_that_small_says_why_and_the_others_go_on(tmp_path):
    study = Study(
        arms=(Arm(write_small(tmp_path), "row2edge"),),
        task=TaskSpec(target="node.label"),
        models=("gcn",),
        depths=(0, 30),
        seeds=1,
        budget=Budget(epochs=2, parameters=300),
    )
    out = tmp_path / "out"
    run_study(study, out, jobs=1, cache=tmp_path / "cache")
    trials = pd.read_parquet(out / "trials.parquet").set_index("depth")
    assert trials["status"].to_dict() == {0: "ok", 30: "failed"}
    assert "parameters already" in trials.loc[30, "reason"]


def write_small(path: Path) -> str:
    return write(path, {NODES: nodes(), EDGES: ring()})
