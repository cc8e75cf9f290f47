"""The use case end to end, on real files, real processes and real kills."""

import json
import os
import signal
import sqlite3
import subprocess
import sys
import time
from contextlib import closing
from dataclasses import replace
from pathlib import Path

import pandas as pd
import pyarrow.parquet as pq
import pytest

from tests.tiny import write_customers
from workbench.errors import ModelError, SchemaError, StoreError, StudyError
from workbench.execute import run_study
from workbench.jobs import ASKED_NAME, Job, find_job, start_asked
from workbench.planning import plan_study
from workbench.progress import drop_cell, read_progress
from workbench.run import Budget
from workbench.store import STORE_NAME, Store
from workbench.study import Arm, Study
from workbench.task import TaskSpec

FILES = {
    "study.toml",
    "trials.parquet",
    "layers.parquet",
    "predictions.parquet",
    "projection.parquet",
    "states.parquet",
    "influence.parquet",
    "comparison.json",
    "plan.json",
    "report.html",
}


def start_job(study: Study, folder: Path) -> Job:
    folder.mkdir(exist_ok=True)
    (folder / ASKED_NAME).write_text(study.to_toml())
    return start_asked(folder)


@pytest.fixture(scope="module")
def shop(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A shop whose customers are good when their city's index is above zero."""
    path = tmp_path_factory.mktemp("shop") / "shop.db"
    sizes = [((at * 37) % 60 - 29.5) / 17 for at in range(60)]
    customers = (
        (at, (at * 7919) % 83 / 9, int(sizes[at % 60] > 0), at % 60)
        for at in range(300)
    )
    return write_customers(path, sizes, customers)


@pytest.fixture
def study(shop: Path) -> Study:
    return Study(
        arms=(Arm(str(shop), "row2node"), Arm(str(shop), "flattened")),
        task=TaskSpec(target="customer.good"),
        depths=(0, 1),
        seeds=2,
        metric="accuracy",
        budget=Budget(epochs=4, width=8),
    )


def bytes_of(folder: Path) -> bytes:
    return (folder / "comparison.json").read_bytes()


def test_a_study_leaves_every_file_of_the_contract_each_with_a_version(study, tmp_path):
    comparison = run_study(study, tmp_path, jobs=2)
    assert {path.name for path in tmp_path.iterdir()} >= FILES
    assert comparison.to_json() == bytes_of(tmp_path).decode()
    for name in FILES:
        path = tmp_path / name
        if path.suffix == ".parquet":
            assert b"workbench_version" in pq.read_schema(path).metadata
        elif path.suffix == ".json":
            assert json.loads(path.read_text())["version"] == 1
    trials = pd.read_parquet(tmp_path / "trials.parquet")
    assert len(trials) == 2 * 2 * 2
    assert set(trials.status) == {"ok"}
    layers = pd.read_parquet(tmp_path / "layers.parquet")
    assert set(layers.state) == {"untrained", "trained"}
    assert {"probe", "within-parent-share"} <= set(layers.measure)
    influence = pd.read_parquet(tmp_path / "influence.parquet")
    assert set(influence.kind) == {"hop", "table", "range", "size", "permutation"}
    assert set(influence.state) == {"untrained", "trained"}
    cells = json.loads(bytes_of(tmp_path))["cells"]
    assert len(cells) == 4
    assert all(cell["n"] == 2 for cell in cells)
    assert read_progress(tmp_path).phase == "done"


def test_the_number_of_workers_and_a_second_run_change_no_byte(study, tmp_path):
    run_study(study, tmp_path / "one", jobs=1)
    run_study(study, tmp_path / "two", jobs=2)
    assert bytes_of(tmp_path / "one") == bytes_of(tmp_path / "two")
    before = (tmp_path / "one" / "store.sqlite").read_bytes()
    started = []
    run_study(
        study,
        tmp_path / "one",
        lambda progress: started.extend(
            cell for cell in progress.cells if cell.state == "running"
        ),
    )
    assert not started
    assert (tmp_path / "one" / "store.sqlite").read_bytes() == before
    assert bytes_of(tmp_path / "one") == bytes_of(tmp_path / "two")


def test_more_seeds_in_the_same_folder_run_the_new_ones_only(study, tmp_path):
    run_study(replace(study, seeds=1), tmp_path)
    with Store(tmp_path) as store:
        first = set(store.records())
    run_study(study, tmp_path)
    with Store(tmp_path) as store:
        assert first < set(store.records())
    run_study(study, tmp_path / "fresh")
    assert bytes_of(tmp_path) == bytes_of(tmp_path / "fresh")


def test_the_command_line_a_job_and_python_give_the_same_bytes(study, shop, tmp_path):
    run_study(study, tmp_path / "python")
    command = [sys.executable, "-m", "workbench", "compare", str(shop)]
    command += ["--target", "customer.good", "--topology", "row2node"]
    command += ["--topology", "flattened", "--depth", "0-1", "--seeds", "2"]
    command += ["--metric", "accuracy", "--epochs", "4", "--width", "8"]
    command += ["--out", str(tmp_path / "line"), "--json"]
    done = subprocess.run(command, check=True, capture_output=True)
    job = start_job(study, tmp_path / "job")
    deadline = time.monotonic() + 120
    while job.is_running() and time.monotonic() < deadline:
        time.sleep(0.1)
    assert json.loads(done.stdout) == json.loads(bytes_of(tmp_path / "python"))
    assert bytes_of(tmp_path / "line") == bytes_of(tmp_path / "python")
    assert bytes_of(tmp_path / "job") == bytes_of(tmp_path / "python"), job.error()
    assert find_job(tmp_path / "job") == job


def test_a_study_killed_in_the_middle_goes_on_where_it_was(study, tmp_path):
    longer = replace(study, seeds=4)
    out = tmp_path / "killed"
    job = start_job(longer, out)
    deadline = time.monotonic() + 120
    while time.monotonic() < deadline:
        progress = read_progress(out)
        if progress and sum(cell.state == "ok" for cell in progress.cells) >= 3:
            break
        time.sleep(0.02)
    os.kill(job.pid, signal.SIGKILL)
    os.waitpid(job.pid, 0)
    with Store(out) as store:
        kept = store.records()
    assert len(kept) >= 3
    again = []
    run_study(longer, out, again.append)
    assert again[0].done >= 3
    with Store(out) as store:
        assert {key: store.records()[key] for key in kept} == kept
    run_study(longer, tmp_path / "fresh")
    assert bytes_of(out) == bytes_of(tmp_path / "fresh")


def test_a_run_that_lacks_a_measure_is_measured_again_to_the_same_score(
    study, tmp_path
):
    run_study(study, tmp_path)
    before, influence = bytes_of(tmp_path), tmp_path / "influence.parquet"
    whole = influence.read_bytes()
    with closing(sqlite3.connect(tmp_path / STORE_NAME)) as connection:
        # As a workbench left it that did not measure influence yet.
        connection.execute("DELETE FROM frames WHERE name = 'influence'")
        connection.commit()
    seen = []
    run_study(study, tmp_path, seen.append)
    assert seen[0].done == 0
    assert bytes_of(tmp_path) == before
    assert influence.read_bytes() == whole
    seen.clear()
    run_study(study, tmp_path, seen.append)
    assert seen[0].done == 8


def test_a_stopped_study_keeps_and_compares_what_had_finished(study, tmp_path):
    longer = replace(study, seeds=50)
    seen = []

    def enough() -> bool:
        return bool(seen) and sum(cell.state == "ok" for cell in seen[-1].cells) >= 2

    run_study(longer, tmp_path, seen.append, should_stop=enough)
    assert read_progress(tmp_path).phase == "cancelled"
    trials = pd.read_parquet(tmp_path / "trials.parquet")
    assert len(trials) == 4 * 50
    assert set(trials.status) == {"ok", "cancelled"}


def test_ctrl_c_ends_with_130_and_keeps_what_had_finished(study, tmp_path):
    job = start_job(replace(study, seeds=50), tmp_path)
    deadline = time.monotonic() + 120
    while time.monotonic() < deadline:
        progress = read_progress(tmp_path)
        if progress and any(cell.state == "ok" for cell in progress.cells):
            break
        time.sleep(0.02)
    job.cancel()
    _, status = os.waitpid(job.pid, 0)
    assert os.waitstatus_to_exitcode(status) == 130
    assert "finished cells are kept" in job.error()
    assert read_progress(tmp_path).phase == "cancelled"


def test_a_folder_that_another_study_writes_to_is_refused(study, tmp_path):
    with Store(tmp_path), pytest.raises(StoreError, match="Another run"):
        run_study(study, tmp_path)


def test_nothing_is_written_when_the_study_does_not_fit(study, tmp_path):
    wrong = replace(study, task=TaskSpec(target="customer.god"))
    with pytest.raises(SchemaError, match='did you mean "good"'):
        run_study(wrong, tmp_path / "out")
    assert not (tmp_path / "out").exists()


def test_a_network_for_one_node_type_is_refused_before_anything_is_written(
    study, tmp_path
):
    asked = replace(study, models=("sage", "gcn"))
    with pytest.raises(ModelError, match=r'"gcn" works where.*linked with "city"'):
        run_study(asked, tmp_path / "out")
    assert not (tmp_path / "out").exists()


def test_two_arms_that_results_could_not_tell_apart_are_refused(study, shop, tmp_path):
    file = tmp_path / "row2node.toml"
    file.write_text('name = "row2node"\nbase = "row2node"\n')
    arms = (Arm(str(shop), "row2node"), Arm(str(shop), str(file)))
    with pytest.raises(StudyError, match="same source and topology"):
        plan_study(replace(study, arms=arms))


def test_a_topology_file_is_kept_beside_the_results(study, shop, tmp_path):
    file = tmp_path / "mine.toml"
    file.write_text('name = "mine"\nbase = "row2node"\n')
    small = replace(study, arms=(Arm(str(shop), str(file)),), seeds=1)
    run_study(small, tmp_path / "out")
    assert (tmp_path / "out" / "topologies" / "mine.toml").is_file()
    assert (
        'topology = "topologies/mine.toml"'
        in (tmp_path / "out" / "study.toml").read_text()
    )


def test_one_cell_is_given_up_while_the_others_are_finished(study, tmp_path):
    def give_up_the_last(progress) -> None:
        drop_cell(tmp_path, progress.cells[-1].key)

    run_study(study, tmp_path, give_up_the_last, jobs=1)
    states = [cell.state for cell in read_progress(tmp_path).cells]
    assert states == ["ok"] * 7 + ["cancelled"]
    assert read_progress(tmp_path).phase == "done"
    trials = pd.read_parquet(tmp_path / "trials.parquet")
    assert sorted(trials.status) == ["cancelled"] + ["ok"] * 7
    run_study(study, tmp_path)  # the wish is not kept for another run
    assert set(pd.read_parquet(tmp_path / "trials.parquet").status) == {"ok"}


def test_the_progress_of_a_run_holds_its_curve_from_the_first_to_the_last_epoch(
    study, tmp_path
):
    run_study(replace(study, budget=Budget(epochs=60, patience=60, width=8)), tmp_path)
    for cell in read_progress(tmp_path).cells:
        epochs = [epoch for epoch, _ in cell.curve]
        assert (epochs[0], epochs[-1]) == (0, 60)
        assert epochs == sorted(set(epochs))
        assert len(epochs) <= 40
