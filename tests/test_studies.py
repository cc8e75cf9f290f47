"""The studies of a shelf: their states, the queue, and what lies between two."""

import json
import subprocess
import sys
import time
import zipfile
from collections.abc import Callable, Iterator
from dataclasses import replace
from io import BytesIO
from pathlib import Path

import psutil
import pytest

from tests.results_factory import make_results
from workbench.between import SAME, describe_change, difference_of_best
from workbench.errors import StoreError
from workbench.jobs import Job, find_job
from workbench.progress import dropped_cells, forget_dropped
from workbench.queue import advance, at_once, cancel, resubmit
from workbench.shelf import About, read_tags, this_machine
from workbench.shelves.folder import FolderShelf
from workbench.studies import (
    Best,
    StudyState,
    best_of,
    comparison_of,
    delete_study,
    list_studies,
    look_up,
    pack_study,
    rename_study,
    search_studies,
    waiting_in,
)

A, B, C = "aaaaaaaa", "bbbbbbbb", "cccccccc"


@pytest.fixture
def shelf(tmp_path: Path) -> FolderShelf:
    return FolderShelf(tmp_path / "results")


@pytest.fixture
def at_work(shelf: FolderShelf) -> Iterator[Callable[[str], subprocess.Popen[bytes]]]:
    """Put a process that sleeps where a study's job would be."""
    started = []

    def start(identifier: str) -> subprocess.Popen[bytes]:
        shelf.change(
            identifier, lambda about: replace(about, host=this_machine(), created=1.0)
        )
        process = subprocess.Popen(
            [sys.executable, "-c", "import time; time.sleep(90)"]
        )
        started.append(process)
        record = {
            "pid": process.pid,
            "created": psutil.Process(process.pid).create_time(),
        }
        (shelf.folder(identifier) / "job.json").write_text(json.dumps(record))
        return process

    yield start
    for process in started:
        process.kill()
        process.wait()


def queue(shelf: FolderShelf, identifier: str, since: float) -> None:
    shelf.change(identifier, lambda about: replace(about, queued=since, created=since))
    (shelf.folder(identifier) / "asked.toml").write_text("version = 0\n")


def end_job(job: Job | None) -> None:
    if job is not None and job.is_running():
        process = psutil.Process(job.pid)
        process.kill()
        process.wait()


def test_a_folder_that_the_command_line_wrote_is_a_study_without_a_record(shelf):
    make_results(shelf.home / "mine", depths=(0, 1))
    (entry,) = list_studies(shelf)
    assert entry.state is StudyState.DONE
    assert entry.title == "person.prosperous on row2node, flattened, promoted"
    assert entry.best is not None


def test_the_best_cell_is_the_one_that_validated_best():
    cells = [
        {"source": "s", "topology": t, "model": "sage", "remedy": "none", "depth": d}
        | {"val_mean": val, "mean": mean, "low": None, "high": None, "seeds": [mean]}
        for t, d, val, mean in (
            ("a", 0, 0.5, 0.9),
            ("a", 1, 0.8, 0.7),
            ("b", 1, None, 1),
        )
    ]
    best = best_of({"metric": "accuracy", "cells": cells})
    assert best == Best("a at depth 1", "accuracy", 0.7, None, None, (0.7,))
    loss = best_of({"metric": "log-loss", "cells": cells})
    assert loss is not None
    assert loss.cell == "a at depth 0"


def test_words_are_found_in_names_tags_notes_and_best_cells(shelf):
    make_results(shelf.home / A, depths=(0, 1))
    shelf.change(B, lambda _: About(name="Churn", tags=("spring",), notes="By Ada"))
    entries = list_studies(shelf)
    assert [e.identifier for e in search_studies(entries, "ada CHURN")] == [B]
    assert [e.identifier for e in search_studies(entries, "spring")] == [B]
    assert [e.identifier for e in search_studies(entries, "depth")] == [A]
    assert [e.identifier for e in search_studies(entries, "", ["new"])] == [B]
    assert len(search_studies(entries)) == 2


def test_a_visitor_is_shown_no_study_of_another(shelf):
    shelf.change(A, lambda _: About(owner="ada"))
    shelf.change(B, lambda _: About(owner="bob"))
    assert [entry.identifier for entry in list_studies(shelf, "ada")] == [A]
    assert len(list_studies(shelf)) == 2


def test_a_name_is_kept_and_one_that_is_too_long_is_refused(shelf):
    shelf.change(A, lambda _: About())
    rename_study(shelf, A, name="Spring", tags=read_tags(" a, b ,a,"), notes="n")
    entry = look_up(shelf, A)
    assert (entry.title, entry.about.tags, entry.about.notes) == (
        "Spring",
        ("a", "b"),
        "n",
    )
    with pytest.raises(StoreError, match="up to 120 work"):
        rename_study(shelf, A, name="x" * 121, tags=(), notes="")
    with pytest.raises(StoreError, match="up to 12 tags"):
        rename_study(shelf, A, name="", tags=tuple(map(str, range(13))), notes="")
    with pytest.raises(StoreError, match="up to 4000 work"):
        rename_study(shelf, A, name="", tags=(), notes="x" * 4001)
    assert look_up(shelf, A).title == "Spring"


@pytest.mark.parametrize("identifier", ["../x", "", ".", "a/b", "a" * 200, "nothing1"])
def test_no_name_leads_out_of_the_shelf(shelf, identifier):
    (shelf.home.parent / "x").mkdir()
    with pytest.raises(StoreError, match="not on this machine"):
        look_up(shelf, identifier)
    with pytest.raises(StoreError):
        shelf.remove(identifier)


def test_a_study_at_work_is_not_deleted_and_one_that_ended_is(shelf, at_work):
    process = at_work(A)
    assert look_up(shelf, A).state is StudyState.RUNNING
    with pytest.raises(StoreError, match="cancel it before"):
        delete_study(shelf, A)
    process.kill()
    process.wait()
    assert look_up(shelf, A).state is StudyState.STOPPED
    delete_study(shelf, A)
    assert list_studies(shelf) == ()


def test_what_a_job_said_last_is_why_it_stopped(shelf, at_work):
    process = at_work(A)
    (shelf.folder(A) / "job.log").write_text("planning\nThere is no table.\n\n")
    process.kill()
    process.wait()
    assert look_up(shelf, A).reason == "There is no table."


def test_the_first_that_came_is_the_next_to_start_and_only_when_there_is_room(
    shelf, at_work
):
    running = at_work(A)
    queue(shelf, C, since=20.0)
    queue(shelf, B, since=10.0)
    assert [look_up(shelf, name).ahead for name in (B, C)] == [0, 1]
    advance(shelf)  # starts a runner, which waits as well
    assert find_job(shelf.folder(B)) is None
    running.kill()
    running.wait()
    deadline = time.monotonic() + 60
    while find_job(shelf.folder(B)) is None and time.monotonic() < deadline:
        time.sleep(0.1)
        advance(shelf)
    assert waiting_in(shelf.everything()) in ([C], [])
    cancel(shelf, C)
    assert look_up(shelf, C).state in (StudyState.CANCELLED, StudyState.STOPPED)
    end_job(find_job(shelf.folder(B)))


def test_a_study_that_waits_can_be_cancelled_and_put_back(shelf, at_work):
    at_work(A)
    queue(shelf, B, since=10.0)
    cancel(shelf, B)
    assert look_up(shelf, B).state is StudyState.CANCELLED
    assert waiting_in(shelf.everything()) == []
    resubmit(shelf, B)
    assert look_up(shelf, B).state is StudyState.QUEUED
    cancel(shelf, B)  # so that no runner is left waiting


def test_who_dies_between_the_start_and_the_record_starts_nothing_twice(shelf, at_work):
    process = at_work(A)
    queue(shelf, A, since=1.0)  # as if the runner had been killed just after the start
    shelf.change(A, lambda about: replace(about, host=this_machine(), seen=1.0))
    process_before = find_job(shelf.folder(A))
    advance(shelf)
    assert find_job(shelf.folder(A)) == process_before
    assert process.poll() is None


def test_a_study_without_a_file_cannot_go_on(shelf):
    shelf.change(A, lambda _: About())
    with pytest.raises(StoreError, match="no study file"):
        resubmit(shelf, A)


@pytest.mark.parametrize("written", ["0", "-1", "two", "1.5"])
def test_a_number_of_studies_at_once_that_is_none_is_refused(monkeypatch, written):
    monkeypatch.setenv("WORKBENCH_STUDIES_AT_ONCE", written)
    with pytest.raises(StoreError, match="from 1 up"):
        at_once()


def test_what_is_packed_holds_the_study_and_its_results_and_no_rows(shelf):
    make_results(shelf.home / A, depths=(0,))
    folder = shelf.folder(A)
    (folder / "rows.duckdb").write_bytes(b"rows")
    (folder / "store.sqlite").write_bytes(b"items")
    shelf.change(A, lambda about: replace(about, notes="mine", owner="browser:1"))
    with zipfile.ZipFile(BytesIO(pack_study(shelf, A))) as archive:
        names = {name.partition("/")[2] for name in archive.namelist()}
        assert not any(b"browser:1" in archive.read(one) for one in archive.namelist())
    assert {"study.toml", "comparison.json", "trials.parquet"} <= names
    assert names.isdisjoint({"rows.duckdb", "store.sqlite", "about.json", "job.log"})


ASKED = {
    "version": 1,
    "depths": [0, 1],
    "task": {"name": "prosperous", "target": "person.prosperous"},
    "budget": {"epochs": 40},
    "arms": [{"source": "shop", "topology": "row2node"}],
}


def test_what_changed_between_two_study_files_is_said_in_words():
    now = ASKED | {
        "depths": [0, 1, 2],
        "budget": {"epochs": 80},
        "arms": [{"source": "shop", "topology": "flattened"}],
    }
    assert describe_change(ASKED, now) == (
        "graphs: also flattened",
        "graphs: without row2node",
        "depths: 0, 1 before, 0, 1, 2 now",
        "most epochs: 40 before, 80 now",
    )
    assert describe_change(ASKED, ASKED) == (SAME,)


def best(*seeds: float | None, metric: str = "accuracy") -> Best:
    return Best("row2node at depth 1", metric, 0.0, None, None, seeds)


def test_the_difference_of_two_bests_is_paired_by_seed():
    # 0.1 and 0.3 better on the two seeds that both have: mean 0.2, deviation 0.1414,
    # error 0.1, and t(1 degree of freedom) is 12.706.
    found = difference_of_best(
        ASKED, ASKED, (best(0.5, 0.5, None), best(0.6, 0.8, 0.9))
    )
    assert found.n == 2
    assert found.mean == pytest.approx(0.2)
    assert found.low == pytest.approx(0.2 - 1.2706, abs=1e-4)
    assert found.high == pytest.approx(0.2 + 1.2706, abs=1e-4)
    assert "not enough to call it a difference" in found.sentence


def test_scores_of_two_questions_are_not_set_against_each_other():
    other = ASKED | {"task": {"target": "person.age"}}
    found = difference_of_best(ASKED, other, (best(0.5, 0.5), best(0.6, 0.8)))
    assert found.mean is None
    assert "cannot be set against" in found.sentence
    scored = difference_of_best(
        ASKED, ASKED, (best(0.5, 0.5), best(0.6, 0.8, metric="mae"))
    )
    assert scored.mean is None
    alone = difference_of_best(ASKED, ASKED, (best(0.5), best(0.6)))
    assert "too few seeds" in alone.sentence


def test_the_best_of_a_halved_study_is_set_against_nothing():
    for pair in ((ASKED, ASKED | {"halving": 2}), (ASKED | {"halving": 2}, ASKED)):
        found = difference_of_best(*pair, (best(0.5, 0.5), best(0.6, 0.8)))
        assert (found.mean, found.n) == (None, 0)
        assert "exploratory" in found.sentence
    (said,) = describe_change(ASKED, ASKED | {"halving": 2})
    assert said == "one in so many goes on (halving): not set before, 2 now"


def test_a_wish_to_drop_a_cell_is_kept_until_the_study_runs_again(tmp_path):
    assert dropped_cells(tmp_path) == frozenset()
    (tmp_path / "dropped").mkdir()
    (tmp_path / "dropped" / "abc").touch()
    assert dropped_cells(tmp_path) == {"abc"}
    forget_dropped(tmp_path)
    assert dropped_cells(tmp_path) == frozenset()


def test_a_comparison_that_is_half_written_is_none_yet(shelf):
    shelf.change(A, lambda _: About())
    (shelf.folder(A) / "comparison.json").write_text('{"cells": [')
    assert comparison_of(shelf, A) is None
    assert look_up(shelf, A).best is None
