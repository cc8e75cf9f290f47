"""Successive halving: what goes on, what stops, and that nothing is claimed."""

import json
import shutil
import sqlite3
from contextlib import closing
from dataclasses import replace
from pathlib import Path

import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.tiny import write_customers
from workbench.cell import Cell
from workbench.chart import all_series
from workbench.cost import cost_table, estimate_cells, estimate_seconds
from workbench.errors import StudyError
from workbench.execute import run_study
from workbench.halving import (
    choose,
    climb,
    halving_in_words,
    num_runs,
    rung_seeds,
)
from workbench.planning import PlannedStudy, plan_study
from workbench.progress import read_progress
from workbench.reading import read_depth
from workbench.results import load_results
from workbench.run import Budget
from workbench.store import STORE_NAME, Store
from workbench.study import Arm, Study, read_study
from workbench.task import TaskSpec
from workbench.trim import fit_to_budget

NAN = float("nan")


@pytest.fixture(scope="module")
def shop(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A shop whose customers are mostly good where their city is large."""
    path = tmp_path_factory.mktemp("shop") / "shop.db"
    sizes = [((at * 37) % 60 - 29.5) / 17 for at in range(60)]
    customers = (
        (at, at * 7919 % 83, int((sizes[at % 60] > 0) ^ (at % 5 == 0)), at % 60)
        for at in range(300)
    )
    return write_customers(path, sizes, customers)


@pytest.fixture(scope="module")
def planned(shop: Path) -> PlannedStudy:
    """Two graphs at four depths: eight configurations, with six seeds."""
    study = Study(
        arms=(Arm(str(shop), "row2node"), Arm(str(shop), "flattened")),
        task=TaskSpec(target="customer.good"),
        depths=(0, 1, 2, 3),
        seeds=6,
        metric="accuracy",
        halving=2,
    )
    return plan_study(study, shop.parent)


def place(cell: Cell) -> int:
    """Return 1 to 8: the configurations in the study's order."""
    return 2 * cell.depth + cell.arm + 1


def left_in(planned: PlannedStudy, val_of) -> list[set[int]]:
    return [{place(cell) for cell in rung.cells} for rung in climb(planned, val_of)]


def test_of_eight_one_in_two_leaves_the_better_four_then_two_then_one(planned):
    assert rung_seeds(planned) == (1, 2, 4, 6)
    found = left_in(planned, lambda cell: place(cell) / 10)
    assert found == [set(range(1, 9)), {5, 6, 7, 8}, {7, 8}, {8}]
    # 8 runs of one seed, 4 of a second, 2 of a third and fourth, 1 of two more.
    assert num_runs(planned) == 8 + 4 + 2 * 2 + 1 * 2


def test_of_equals_the_first_of_the_study_go_on(planned):
    found = left_in(planned, lambda cell: 0.5)
    assert found == [set(range(1, 9)), {1, 2, 3, 4}, {1, 2}, {1}]


def test_what_is_as_good_as_the_last_to_go_on_is_told_why_it_stops(planned):
    rungs = list(climb(planned, lambda cell: 0.5))
    (why,) = set(rungs[1].stopped.values())
    assert why == (
        "Left out by halving after rung 1 of 4, 1 run each: 0.5000 on validation"
        " rows; the last to go on had 0.5000 too (of equals the first of the study"
        " goes on)."
    )


def test_a_later_rung_asks_for_the_mean_of_all_seeds_so_far(planned):
    # The eighth is best at first by far; its second seed is worse than it was good.
    def val_of(cell: Cell) -> float:
        if place(cell) == 8:
            return 1.0 if cell.seed == 0 else -9.0
        return place(cell) / 10

    assert left_in(planned, val_of)[1:] == [{5, 6, 7, 8}, {6, 7}, {7}]


def test_what_has_no_score_goes_first_and_is_said_to_have_none(planned):
    rungs = list(climb(planned, lambda cell: NAN if place(cell) > 2 else 0.25))
    stopped = {place(one): why for one, why in rungs[1].stopped.items()}
    assert set(stopped) == {5, 6, 7, 8}
    assert stopped[8] == (
        "Left out by halving after rung 1 of 4, 1 run each: no score on validation"
        " rows; the last to go on had no score."
    )
    again = {place(one): why for one, why in rungs[2].stopped.items()}
    assert "no score on validation rows; the last to go on had 0.2500" in again[3]


def test_without_halving_everything_is_one_rung(planned):
    whole = replace(planned, study=replace(planned.study, halving=None))
    (rung,) = climb(whole, lambda cell: NAN)
    assert rung.cells == whole.cells
    assert num_runs(whole) == 8 * 6
    assert halving_in_words(whole) == ""


def test_a_source_is_not_halved_against_another(planned):
    # The same rows once more as a source of its own, on which every score is lower.
    arms = [replace(planned.arms[0], source="other"), planned.arms[1]]
    two = replace(planned, arms=tuple(arms))
    last = left_in(two, lambda cell: cell.arm + cell.depth / 10)[-1]
    assert last == {7, 8}  # the deepest of either


@given(
    st.lists(st.floats(0, 1) | st.just(NAN), min_size=1, max_size=12),
    st.integers(2, 5),
    st.sampled_from(["accuracy", "mae"]),
)
def test_the_best_by_validation_is_never_left_out(vals, one_in, metric):
    scores = {Cell(0, "sage", "none", at, 0): val for at, val in enumerate(vals)}
    kept = choose(scores, metric, one_in)
    assert len(kept) == -(-len(vals) // one_in)
    known = [val for val in vals if val == val]
    if known:
        best = max(known) if metric == "accuracy" else min(known)
        assert scores[kept[0]] == best


def test_the_estimate_counts_what_is_expected_to_run(planned):
    whole = replace(planned, study=replace(planned.study, halving=None))
    assert estimate_seconds(planned, 1) < 0.6 * estimate_seconds(whole, 1)
    costs = estimate_cells(planned)
    prepare = {(cell.arm, cell.depth): one.prepare for cell, one in costs.items()}
    # Every configuration once, and half, a quarter and an eighth of them again.
    once = sum(one.seconds for cell, one in costs.items() if cell.seed == 0)
    running = once * (1 + 1 / 2 + 2 / 4 + 2 / 8)
    # Every rung prepares anew for what is left in it.
    preparing = sum(prepare.values()) * (1 + 1 / 2 + 1 / 4 + 1 / 8)
    assert estimate_seconds(planned, 1) == pytest.approx(running + preparing)
    assert set(cost_table(planned)["runs"]) == {18 / 8}
    assert set(cost_table(whole)["runs"]) == {6}
    assert "then 4 with 2 runs" in halving_in_words(planned)
    assert "18 runs instead of 48" in halving_in_words(planned)


def test_a_halved_study_is_trimmed_to_two_seeds_at_least(planned):
    trimmed = fit_to_budget(planned, 0.001, jobs=1, slowness=1.0)
    assert (trimmed.study.seeds, trimmed.study.halving) == (2, 2)


@pytest.mark.parametrize("halving", [1, 0, -2, 1.5, True, "two"])
def test_a_halving_that_halves_nothing_is_refused(planned, halving):
    with pytest.raises(StudyError, match="a whole number from 2 up"):
        replace(planned.study, halving=halving)


def test_halving_one_seed_is_refused(planned):
    with pytest.raises(StudyError, match="two or more"):
        replace(planned.study, seeds=1)


def test_a_study_file_holds_halving_only_where_it_is_asked_for(planned, tmp_path):
    path = tmp_path / "study.toml"
    path.write_text(planned.study.to_toml(), encoding="utf-8")
    assert read_study(path) == planned.study
    assert "halving" not in replace(planned.study, halving=None).to_toml()


@pytest.fixture(scope="module")
def small(shop: Path) -> Study:
    """Four configurations with two seeds, of which two get the second."""
    return Study(
        arms=(Arm(str(shop), "row2node"), Arm(str(shop), "flattened")),
        task=TaskSpec(target="customer.good"),
        depths=(0, 1),
        seeds=2,
        metric="accuracy",
        budget=Budget(epochs=4, width=8),
        halving=2,
    )


@pytest.fixture(scope="module")
def halved(small: Study, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("halved")
    run_study(small, folder, jobs=1)
    return folder


def test_what_is_left_has_every_seed_and_what_stopped_has_no_score(halved):
    trials = pd.read_parquet(halved / "trials.parquet")
    by_cell = trials.groupby(["topology", "depth"])["status"].agg(set)
    assert sorted(map(sorted, by_cell)) == [["ok"]] * 2 + [["stopped-early"]] * 2
    stopped = trials[trials["status"] == "stopped-early"]
    assert len(stopped) == 4
    assert stopped[["train", "val", "test"]].isna().all(axis=None)
    assert stopped["reason"].str.contains("halving after rung 1 of 2").all()
    for name in ("predictions", "layers", "influence"):
        frame = pd.read_parquet(halved / f"{name}.parquet")
        shown = set(zip(frame["topology"], frame["depth"], strict=True))
        assert len(shown) == 2
    progress = read_progress(halved)
    assert progress is not None
    # Four first runs and two second ones, and the floors.
    assert progress.done == progress.total
    floors = json.loads((halved / "comparison.json").read_text())["baselines"]
    assert progress.total == 4 + 2 + len(floors)


def test_a_halved_study_claims_nothing_anywhere(halved):
    found = json.loads((halved / "comparison.json").read_text())
    assert found["halving"] == {
        "one_in": 2,
        "configurations": 4,
        "stopped_early": 2,
    }
    assert (found["contrasts"], found["tolerance"]) == ([], [])
    assert found["verdict"].startswith("Exploratory, by successive halving")
    assert sum(cell["stopped_early"] for cell in found["cells"]) == 2
    report = (halved / "report.html").read_text(encoding="utf-8")
    assert "2 of 4 configurations were stopped early" in report


def test_depths_that_were_stopped_early_are_not_read(halved):
    results = load_results(halved)
    assert [read_depth(results, one).kind for one in all_series(results)] == [
        "unfinished",
        "unfinished",
    ]
    said = " ".join(read_depth(results, one).sentence for one in all_series(results))
    assert "halving" in said


def copied(halved: Path, folder: Path) -> Path:
    return Path(shutil.copytree(halved, folder / "copy"))


def forget_second_seeds(folder: Path) -> None:
    """Leave the folder as a run that was killed in the last rung does."""
    with Store(folder) as store:
        kept = store.records().items()
    seconds = [(key,) for key, record in kept if record.get("seed") == 1]
    assert len(seconds) == 2
    with closing(sqlite3.connect(folder / STORE_NAME)) as connection, connection:
        for table in ("items", "frames"):
            connection.executemany(f"DELETE FROM {table} WHERE key = ?", seconds)


@pytest.mark.slow
def test_a_run_cancelled_in_the_last_rung_goes_on_to_the_same_bytes(
    small, halved, tmp_path
):
    folder = copied(halved, tmp_path)
    forget_second_seeds(folder)
    run_study(small, folder, jobs=1, should_stop=lambda: True)
    assert read_progress(folder).phase == "cancelled"
    trials = pd.read_parquet(folder / "trials.parquet")
    assert sorted(trials["status"]) == [
        *["cancelled"] * 2,
        *["ok"] * 2,
        *["stopped-early"] * 4,
    ]
    run_study(small, folder, jobs=2)
    for name in ("comparison.json", "study.toml"):
        assert (folder / name).read_bytes() == (halved / name).read_bytes()


@pytest.mark.slow
def test_without_halving_the_same_folder_runs_only_what_was_left_out(
    small, halved, tmp_path
):
    folder, started = copied(halved, tmp_path), set()
    run_study(
        replace(small, halving=None),
        folder,
        lambda progress: started.update(
            cell.key for cell in progress.cells if cell.state == "running"
        ),
        jobs=1,
    )
    assert len(started) <= 2  # the second seed of the two that were stopped early
    trials = pd.read_parquet(folder / "trials.parquet")
    assert set(trials["status"]) == {"ok"}
    assert trials[["train", "val", "test"]].notna().all(axis=None)
    assert "halving" not in (folder / "comparison.json").read_text()
