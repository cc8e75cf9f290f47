"""A results folder is read back as it was written, or refused in a sentence."""

import dataclasses
import json
from pathlib import Path

import pandas as pd
import pyarrow.parquet as pq
import pytest

from tests.results_factory import TOPOLOGY_ARMS, make_results, make_trial
from workbench.compare import compare
from workbench.errors import StoreError
from workbench.results import (
    COLUMNS,
    ON_REQUEST,
    Results,
    has_states,
    load_results,
    load_states,
    stored,
    write_results,
    write_text,
)


@pytest.fixture
def results(tmp_path: Path) -> Results:
    return make_results(tmp_path / "run", depths=(0, 1, 2), seeds=2)


def test_what_was_written_is_read_back(results: Results):
    again = load_results(results.folder)
    for name in set(COLUMNS) - ON_REQUEST:
        pd.testing.assert_frame_equal(getattr(again, name), getattr(results, name))
    assert again.comparison == results.comparison
    assert again.study["task"]["name"] == "prosperous"
    assert list(again.plans) == ["shop"]


def test_every_file_carries_a_version(results: Results):
    for name in COLUMNS:
        schema = pq.read_schema(results.folder / f"{name}.parquet")
        assert schema.metadata[b"workbench_version"] == b"1"
    for name in ("comparison.json", "plan.json"):
        assert json.loads((results.folder / name).read_text())["version"] == 1
    assert results.study["version"] == 1


def test_trials_have_the_columns_of_a_trial_in_its_order(results: Results):
    trial = make_trial(
        TOPOLOGY_ARMS, TOPOLOGY_ARMS[0], "sage", 0, 0, "roc-auc", deepest=False
    )
    assert list(results.trials) == [each.name for each in dataclasses.fields(trial)]


def test_arms_and_depths_come_in_the_order_of_the_study(results: Results):
    assert results.arms == TOPOLOGY_ARMS
    assert results.depths == (0, 1, 2)


def test_a_study_in_which_nothing_finished_has_empty_frames_with_columns(
    tmp_path: Path,
):
    arm = TOPOLOGY_ARMS[0]
    trial = make_trial(TOPOLOGY_ARMS, arm, "sage", 3, 1, "roc-auc", deepest=True)
    assert trial.status == "failed"
    write_results(
        tmp_path,
        trials=[trial],
        layers=pd.DataFrame(),
        predictions=pd.DataFrame(),
        projection=pd.DataFrame(),
        comparison=compare([trial], [], task_name="t", metric="roc-auc", future_rows=0),
        plans={},
        study_toml="version = 1\n",
    )
    read = load_results(tmp_path)
    assert list(read.layers) == list(COLUMNS["layers"])
    assert read.layers.empty
    assert read.projection.empty


def test_a_folder_from_before_influence_was_measured_loads(results: Results):
    (results.folder / "influence.parquet").unlink()
    read = load_results(results.folder)
    assert list(read.influence) == list(COLUMNS["influence"])
    assert read.influence.empty


def test_states_are_read_on_request_and_hold_every_projected_row(results: Results):
    states = load_states(results.folder)
    assert list(states) == list(COLUMNS["states"])
    # Two bytes for each component of each row.
    for one in states.itertuples():
        assert len(one.states) == 2 * one.num_rows * one.num_components
    assert states["num_rows"].sum() == len(results.projection)


def test_a_folder_from_before_states_were_kept_loads_and_holds_none(results: Results):
    assert has_states(results.folder)
    (results.folder / "states.parquet").unlink()
    assert load_results(results.folder).depths == (0, 1, 2)
    assert not has_states(results.folder)
    assert load_states(results.folder).empty


def test_influence_comes_back_as_it_was_written(results: Results):
    kinds = set(load_results(results.folder).influence["kind"])
    assert kinds == {"hop", "table", "range", "size", "permutation"}


def test_writing_again_leaves_no_draft_behind(results: Results):
    make_results(results.folder, depths=(0, 1), seeds=2)
    assert not [path for path in results.folder.iterdir() if path.name[0] == "."]
    assert load_results(results.folder).depths == (0, 1)


def test_a_missing_folder_is_named(tmp_path: Path):
    with pytest.raises(StoreError, match=r'There is no results folder ".*nowhere"'):
        load_results(tmp_path / "nowhere")


def test_a_folder_without_results_says_what_is_missing(tmp_path: Path):
    with pytest.raises(StoreError, match=r'"comparison.json" is missing'):
        load_results(tmp_path)


@pytest.mark.parametrize(
    "name", ["comparison.json", "plan.json", "study.toml", "layers.parquet"]
)
def test_a_broken_file_is_named(results: Results, name: str):
    (results.folder / name).write_bytes(b"\xffbroken = ")
    with pytest.raises(StoreError, match=f'{name}" cannot be read'):
        load_results(results.folder)


def test_a_file_of_another_version_is_refused(results: Results):
    path = results.folder / "comparison.json"
    path.write_text(json.dumps({**results.comparison, "version": 99}))
    with pytest.raises(StoreError, match=r'is of version "99"; .* reads version 1'):
        load_results(results.folder)


def test_a_file_without_a_version_is_refused(results: Results):
    pq.write_table(
        pq.read_table(results.folder / "trials.parquet").replace_schema_metadata(None),
        results.folder / "trials.parquet",
    )
    with pytest.raises(StoreError, match=r'trials.parquet" has no version'):
        load_results(results.folder)


def test_a_frame_without_a_column_of_the_contract_is_refused(results: Results):
    path = results.folder / "trials.parquet"
    table = pq.read_table(path)
    pq.write_table(table.drop_columns(["test"]), path)
    with pytest.raises(StoreError, match=r'trials.parquet" has no column "test"'):
        load_results(results.folder)


def test_a_folder_that_cannot_be_written_is_refused(results: Results):
    missing = results.folder / "gone" / "report.html"
    with pytest.raises(StoreError, match="cannot be written"):
        write_text(missing, "")


def test_results_that_do_not_ship_are_refused():
    with pytest.raises(StoreError, match='There is no stored comparison "nothing"'):
        stored("nothing")
