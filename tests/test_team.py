"""A team's studies in a real PostgreSQL: kept, brought elsewhere, kept apart."""

import os
import subprocess
import sys
import time
from dataclasses import replace
from pathlib import Path

import pytest
import sqlalchemy as sa

from tests.results_factory import make_results
from tests.servers import PASSWORD
from workbench import queue
from workbench.errors import StoreError
from workbench.queue import cancel, give_up
from workbench.shelf import About
from workbench.shelves import open_shelf
from workbench.shelves.postgresql import TeamShelf
from workbench.studies import StudyState, list_studies, look_up

A, B = "aaaaaaaa", "bbbbbbbb"


@pytest.fixture
def address(postgres: sa.URL) -> str:
    """Make a database of its own for a test."""
    name = f"team{time.time_ns()}"
    engine = sa.create_engine(postgres, isolation_level="AUTOCOMMIT")
    with engine.connect() as connection:
        connection.execute(sa.text(f"CREATE DATABASE {name}"))
    engine.dispose()
    url = postgres.set(drivername="postgresql", database=name)
    return url.render_as_string(hide_password=False)


@pytest.fixture
def here(address: str, tmp_path: Path, monkeypatch) -> TeamShelf:
    return machine(address, tmp_path, monkeypatch, "here")


def machine(address: str, tmp_path: Path, monkeypatch, name: str) -> TeamShelf:
    """Return the shelf as another machine sees it: its own name and its own disk."""
    monkeypatch.setenv("WORKBENCH_MACHINE", name)
    monkeypatch.setenv("WORKBENCH_CACHE", str(tmp_path / name))
    opened = open_shelf(address)
    assert isinstance(opened, TeamShelf)
    return opened


def test_what_one_machine_keeps_another_one_reads(here, address, tmp_path, monkeypatch):
    make_results(here.home / A, depths=(0, 1))
    here.change(A, lambda _: About(name="Churn", tags=("t",), host="here"))
    here.keep(A)
    there = machine(address, tmp_path, monkeypatch, "there")
    entry = look_up(there, A)
    assert (entry.title, entry.about.tags, entry.state) == (
        "Churn",
        ("t",),
        StudyState.DONE,
    )
    assert entry.best is not None
    before, after = here.home / A, there.folder(A)
    assert before != after
    names = [path.name for path in before.iterdir() if path.name[0] != "."]
    assert names
    for name in names:
        assert (after / name).read_bytes() == (before / name).read_bytes()


def test_only_what_has_changed_is_brought_again_and_what_is_gone_goes(
    here, address, tmp_path, monkeypatch
):
    folder = here.home / A
    folder.mkdir()
    (folder / "one.json").write_text("1")
    (folder / "two.json").write_text("2")
    here.change(A, lambda _: About(host="here"))
    here.keep(A)
    there = machine(address, tmp_path, monkeypatch, "there")
    stamp = (there.folder(A) / "one.json").stat().st_mtime_ns
    machine(address, tmp_path, monkeypatch, "here")
    (folder / "two.json").unlink()
    (folder / "three.json").write_text("3")
    here.keep(A)
    machine(address, tmp_path, monkeypatch, "there")
    found = {path.name for path in there.folder(A).iterdir() if path.name[0] != "."}
    assert found == {"one.json", "three.json"}
    assert (there.folder(A) / "one.json").stat().st_mtime_ns == stamp


def test_two_who_change_one_record_at_once_lose_nothing(here):
    here.change(A, lambda _: About())

    def tagged(about: About) -> About:
        # Another one waits for this one to end, and does not read what was before.
        with here.engine.connect() as other:
            other.execute(sa.text("SET lock_timeout = '50ms'"))
            query = sa.text("SELECT record FROM workbench_studies FOR UPDATE")
            with pytest.raises(sa.exc.OperationalError):
                other.execute(query)
        return replace(about, tags=(*about.tags, "x"))

    here.change(A, tagged)
    assert here.about(A).tags == ("x",)


def test_a_study_that_a_machine_has_taken_is_not_taken_by_another(
    here, address, tmp_path, monkeypatch
):
    here.change(A, lambda _: About(queued=1.0))
    assert queue._claim(here, A)
    there = machine(address, tmp_path, monkeypatch, "there")
    assert not queue._claim(there, A)
    there.change(A, lambda about: replace(about, seen=time.time() - 61))
    assert queue._claim(there, A)  # the first has been silent for a minute


def test_a_wish_from_elsewhere_reaches_the_machine_that_is_at_work(
    here, address, tmp_path, monkeypatch
):
    folder = here.home / A
    folder.mkdir()
    record = About(host="here", at_work=True, seen=time.time())
    here.change(A, lambda _: record)
    there = machine(address, tmp_path, monkeypatch, "there")
    assert look_up(there, A).state is StudyState.RUNNING
    give_up(there, A, "abc")
    cancel(there, A)
    machine(address, tmp_path, monkeypatch, "here")
    queue._hand_in(here)
    assert [path.name for path in (folder / "dropped").iterdir()] == ["abc"]
    after = here.about(A)
    assert (after.stop, after.dropped, after.at_work) == (False, (), False)


def test_two_owners_never_see_each_others_studies(here):
    here.change(A, lambda _: About(owner="user:ada"))
    here.change(B, lambda _: About(owner="user:bob"))
    assert [entry.identifier for entry in list_studies(here, "user:ada")] == [A]
    assert [entry.identifier for entry in list_studies(here, "user:bob")] == [B]
    assert list_studies(here, "") == ()


def test_a_study_that_is_removed_leaves_nothing_behind(here):
    make_results(here.home / A, depths=(0,))
    here.change(A, lambda _: About(host="here"))
    here.keep(A)
    here.remove(A)
    with pytest.raises(StoreError, match="not on this machine"):
        here.about(A)
    with here.engine.begin() as connection:
        count = connection.execute(sa.text("SELECT count(*) FROM workbench_files"))
        assert count.scalar() == 0
    assert not (here.home / A).exists()


def test_no_name_leads_out_of_the_shelf(here):
    for identifier in ("../x", "", "a/b", "nothing1"):
        with pytest.raises(StoreError, match="not on this machine"):
            look_up(here, identifier)


def test_a_database_that_does_not_answer_is_named_without_its_password(postgres):
    wrong = postgres.set(drivername="postgresql", database="nowhere")
    with pytest.raises(StoreError, match="does not answer") as caught:
        open_shelf(wrong.render_as_string(hide_password=False))
    assert PASSWORD not in str(caught.value)


@pytest.mark.parametrize("written", ["mysql://u@h/d", "folder://x"])
def test_a_database_of_another_kind_is_refused(written):
    with pytest.raises(StoreError, match="a folder works"):
        open_shelf(written)


def test_an_address_that_cannot_be_read_is_refused():
    with pytest.raises(StoreError, match="cannot be read"):
        open_shelf("postgresql://u@h:port/d")


def test_the_command_line_lists_a_teams_studies(here, address):
    here.change(A, lambda _: About(name="Churn of spring"))
    done = subprocess.run(
        [sys.executable, "-m", "workbench", "studies"],
        env={**os.environ, "WORKBENCH_STORE": address},
        capture_output=True,
        text=True,
        check=True,
    )
    assert "Churn of spring" in done.stdout
