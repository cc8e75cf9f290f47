"""What a finished study hands over, run in a process that never saw the workbench."""

import json
import re
import shutil
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from tests.results_factory import make_results
from tests.test_unfold import write_future
from workbench import program
from workbench.cell import Workload
from workbench.compare import compare
from workbench.database import reopen
from workbench.errors import StudyError
from workbench.exports import write_export
from workbench.graph import build_graph
from workbench.handover import (
    Choice,
    Handover,
    best_cell,
    hand_over,
    hand_over_study,
)
from workbench.planning import plan_study
from workbench.program import write_program
from workbench.results import load_results, write_results
from workbench.run import Budget
from workbench.study import Arm, Study
from workbench.task import TaskSpec
from workbench.unfold import unfold

SMALL = Budget(epochs=6, width=8)


def train_study(study: Study, folder: Path) -> Path:
    """Train a study's cells, and write a results folder without the measures."""
    planned = plan_study(study)
    bench = Workload(planned.arms, study.budget, projected_seed=-1)()
    found = [bench(cell, lambda news: None) for cell in planned.cells]
    trials = [one.trial for one in found]
    folder.mkdir()
    write_results(
        folder,
        trials=trials,
        layers=found[0].layers,
        predictions=pd.concat([one.predictions for one in found]),
        projection=pd.DataFrame(),
        comparison=compare(
            trials, [], task_name="made", metric="roc-auc", future_rows=0
        ),
        plans=planned.plans,
        study_toml=study.to_toml(),
    )
    return folder


@pytest.fixture(scope="module")
def addresses(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a study of one sample: a folded graph and one with keys both ways."""
    source = "sample:address-3nf"
    study = Study(
        arms=(Arm(source, "flattened"), Arm(source, "row2node")),
        task="prosperous",
        models=("sage-mean",),
        depths=(1,),
        seeds=2,
        metric="roc-auc",
        budget=SMALL,
    )
    return train_study(study, tmp_path_factory.mktemp("addresses") / "out")


@pytest.fixture(scope="module")
def moments(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a study whose rows are predicted at moments of their own."""
    folder = tmp_path_factory.mktemp("moments")
    path, hints = write_future(folder / "future.db", num_rows=120)
    study = Study(
        arms=(Arm(str(path), "row2node", str(hints)),),
        task=TaskSpec(target="buys.good"),
        models=("gat",),
        remedies=("residual",),
        depths=(2,),
        seeds=1,
        metric="roc-auc",
        budget=SMALL,
    )
    return train_study(study, folder / "out")


def run_plainly(code: str, folder: Path) -> str:
    """Run code in a process of its own that cannot import the workbench."""
    guard = "import sys; sys.modules['workbench'] = None\n"
    done = subprocess.run(
        [sys.executable, "-W", "error::SyntaxWarning", "-c", guard + code],
        cwd=folder,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def scores_in(text: str) -> dict[int, float]:
    found = re.findall(r"seed (\d+): (?:[a-z0-9-]+ )?(\S+) on the test rows", text)
    return {int(seed): float(score) for seed, score in found}


def counts_in(text: str) -> tuple[int, int]:
    """Return how many nodes and messages a script says it has built."""
    parts = {"nodes": 0, "messages": 0}
    for number, kind in re.findall(r"^ *([\d,]+) (nodes|messages) ", text, re.M):
        parts[kind] += int(number.replace(",", ""))
    return parts["nodes"], parts["messages"]


def counts_of(handover: Handover) -> tuple[int, int]:
    """Return how many nodes and messages the workbench trains on."""
    graphed = handover.graph()
    with reopen(handover.snapshot) as database:
        graph = build_graph(database, handover.schema, graphed.task, graphed.blueprint)
    if graphed.unfolding is not None:
        graph = unfold(graph, graphed.task, graphed.unfolding).graph
    nodes = sum(one.num_rows for one in graph.nodes.values())
    return nodes, sum(len(way.senders) for way in graph.directions)


def stored_scores(folder: Path, **cell: object) -> dict[int, float]:
    trials = load_results(folder).trials
    for name, value in cell.items():
        trials = trials[trials[name] == value]
    return dict(zip(trials["seed"].astype(int), trials["test"], strict=True))


def test_a_script_reaches_the_scores_of_its_cell(addresses, tmp_path) -> None:
    handover = hand_over_study(addresses, Choice(topology="flattened"))
    path = write_export("pyg", handover, tmp_path / "out")
    said = run_plainly(
        f"import runpy; runpy.run_path({path.name!r}, run_name='__main__')",
        path.parent,
    )
    assert counts_in(said) == counts_of(handover)
    wanted = stored_scores(addresses, topology="flattened")
    assert scores_in(said) == pytest.approx(wanted, abs=1e-4)
    assert len(set(wanted.values())) == 2  # so that a constant would not do


def test_a_notebook_reaches_the_score_over_time(moments, tmp_path) -> None:
    handover = hand_over(str(moments))
    assert handover.graph().unfolding is not None
    path = write_export("notebook", handover, tmp_path / "out")
    document = json.loads(path.read_text())
    assert (document["nbformat"], document["nbformat_minor"]) == (4, 5)
    assert len({cell["id"] for cell in document["cells"]}) == len(document["cells"])
    code = [
        "".join(cell["source"])
        for cell in document["cells"]
        if cell["cell_type"] == "code"
    ]
    said = run_plainly("\n\n".join(code), path.parent)
    assert counts_in(said) == counts_of(handover)
    assert scores_in(said) == pytest.approx(stored_scores(moments), abs=1e-4)


def test_a_script_imports_nothing_of_the_workbench(addresses) -> None:
    written = write_program(hand_over_study(addresses))
    assert "workbench" not in written.imports
    # sage-mean has no attention, so none is in the way of who reads the script.
    code = "\n".join(text for _, text in written.parts)
    assert "class Aggregated" in code
    assert "class Attention" not in code
    assert "def _roc_auc" in code
    assert "def _macro_f1" not in code


def test_the_folder_holds_the_study_the_rows_and_the_split(addresses, tmp_path) -> None:
    handover = hand_over_study(addresses)
    path = write_export("pyg", handover, tmp_path / "out")
    names = {one.name for one in path.parent.iterdir()}
    assert names == {"train.py", "rows.duckdb", "task.csv", "study.toml"}
    split = pd.read_csv(path.parent / "task.csv")
    task = handover.graph().task
    assert split["row"].tolist() == task.rows.tolist()
    assert (split["part"] == "test").sum() == (task.split == 2).sum()


def test_the_winner_is_the_cell_that_validates_best(tmp_path) -> None:
    results = make_results(tmp_path / "made")
    trials = results.trials[results.trials["status"] == "ok"]
    means: Mapping[tuple[str, int], float] = (
        trials.groupby(["topology", "depth"])["val"].mean().to_dict()
    )
    best = max(means, key=lambda cell: means[cell])
    found = best_cell(results, Choice())
    assert (found["topology"], found["depth"]) == best
    assert best_cell(results, Choice(depth=0))["depth"] == 0


def test_a_cell_that_was_not_trained_is_refused(addresses) -> None:
    with pytest.raises(StudyError, match='"promoted"'):
        hand_over_study(addresses, Choice(topology="promoted"))
    with pytest.raises(StudyError, match='"7"'):
        hand_over_study(addresses, Choice(depth=7))


def test_rows_that_changed_since_are_refused(moments, tmp_path) -> None:
    plan = json.loads((moments / "plan.json").read_text())
    for document in plan["sources"].values():
        document["source"]["fingerprint"] = "0" * 16
    shutil.copytree(moments, tmp_path, dirs_exist_ok=True)
    (tmp_path / "plan.json").write_text(json.dumps(plan))
    with pytest.raises(StudyError, match="not those of the study any more"):
        hand_over_study(tmp_path)


def test_what_is_asked_has_to_fit_what_is_handed_over(addresses, tmp_path) -> None:
    with pytest.raises(StudyError, match="its own question"):
        hand_over(str(addresses), "prosperous")
    with pytest.raises(StudyError, match="what a study has trained"):
        hand_over("sample:address-flat", None, Choice(model="sage"))
    rows = hand_over("sample:address-flat")
    with pytest.raises(StudyError, match="This format writes a graph"):
        write_export("graphml", rows, tmp_path / "a")
    graph = hand_over("sample:address-flat", "prosperous")
    with pytest.raises(StudyError, match="This format trains a network"):
        write_export("pyg", graph, tmp_path / "b")
    assert not list(tmp_path.iterdir())


def test_training_that_a_script_does_not_do_is_refused(addresses, monkeypatch) -> None:
    handover = hand_over_study(addresses)
    graphed, winner = handover.graph(), handover.winner()

    def trained(**changes: Any) -> Handover:
        other = replace(winner, **changes)
        return replace(handover, graphed=replace(graphed, winner=other))

    with pytest.raises(StudyError, match=r"\(mini-batches\) of 1,024 rows"):
        write_program(trained(batch_rows=1024))
    known = tuple(name for name in program.SPENT if name != "dropout")
    monkeypatch.setattr(program, "SPENT", known)
    with pytest.raises(StudyError, match='trained with "dropout"'):
        write_program(trained(budget=replace(winner.budget, dropout=0.5)))
