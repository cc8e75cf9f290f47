"""Engines: real workers, which raise, die, lose their parent and their machine."""

import multiprocessing
import os
import signal
import subprocess
import sys
import textwrap
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import psutil
import pytest

from workbench.engine import (
    ALLOCATOR,
    Advanced,
    Crashed,
    Dropped,
    Finished,
    Put,
    Started,
)
from workbench.engines import open_engine
from workbench.engines.processes import Processes
from workbench.errors import StudyError

ROOT = Path(__file__).parents[1]


@dataclass(frozen=True)
class Squares:
    offset: int = 0

    def __call__(self):
        return self.work

    def shared(self, items: Sequence[int], put: Put) -> "Squares":
        return self

    def work(self, item: int, tell) -> int:
        tell(item)
        if item == 13:
            raise ValueError("thirteen")
        if item == 99:
            os.kill(os.getpid(), signal.SIGKILL)
        if item == 1000:
            time.sleep(60)
        return item * item + self.offset


@dataclass(frozen=True)
class Threads(Squares):
    def work(self, item: int, tell):
        return os.environ["OMP_NUM_THREADS"]


def run_squares(items: Sequence[int], jobs: int) -> list:
    return [event for event in Processes(jobs).run(Squares(), items) if event]


def run_script(path: Path, text: str) -> subprocess.Popen[str]:
    path.write_text(textwrap.dedent(text))
    return subprocess.Popen(
        [sys.executable, path],
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        stdout=subprocess.PIPE,
        text=True,
    )


def test_every_item_is_done_once_and_says_how_far_it_is():
    events = run_squares([1, 2, 3], 2)
    finished = {event.item: event.result for event in events if type(event) is Finished}
    assert finished == {1: 1, 2: 4, 3: 9}
    assert {event.item for event in events if type(event) is Started} == {1, 2, 3}
    assert [
        event.news for event in events if type(event) is Advanced and event.item == 2
    ]


def test_a_script_need_not_guard_its_call(tmp_path: Path):
    script = run_script(
        tmp_path / "script.py",
        """
        from tests.test_engines import run_squares
        from workbench.engine import Finished

        print("begun")
        events = run_squares([2, 3], 2)
        print(sorted(event.result for event in events if type(event) is Finished))
        """,
    )
    printed, _ = script.communicate(timeout=60)
    assert printed == "begun\n[4, 9]\n"


def test_setup_arguments_reach_the_workers():
    events = Processes(1).run(Squares(5), [2])
    assert [event.result for event in events if type(event) is Finished] == [9]


def test_workers_are_told_to_use_one_thread_before_they_import_anything():
    events = Processes(1).run(Threads(), [1])
    assert [event.result for event in events if type(event) is Finished] == ["1"]


@dataclass(frozen=True)
class Environment(Squares):
    def work(self, item: str, tell):
        return os.environ.get(item, "")


def test_workers_start_with_the_allocators_settings_and_the_parent_keeps_its_own():
    before = dict(os.environ)
    names = list(ALLOCATOR)
    events = Processes(1).run(Environment(), names)
    found = {one.item: one.result for one in events if type(one) is Finished}
    assert found == dict(ALLOCATOR)
    assert dict(os.environ) == before


def test_an_allocators_setting_of_the_user_wins(monkeypatch):
    monkeypatch.setenv("MALLOC_TOP_PAD_", "0")
    events = Processes(1).run(Environment(), ["MALLOC_TOP_PAD_"])
    assert [one.result for one in events if type(one) is Finished] == ["0"]


def test_an_item_that_raises_is_reported_and_the_rest_goes_on():
    events = run_squares([13, 4], 1)
    assert Crashed(13, "ValueError: thirteen", killed=False) in events
    assert Finished(4, 16) in events


def test_a_worker_that_is_killed_costs_its_own_item_alone():
    events = run_squares([99, 4, 5], 1)
    crashed = [event for event in events if type(event) is Crashed]
    assert [event.item for event in crashed] == [99]
    assert crashed[0].killed
    assert "memory" in crashed[0].reason
    assert {event.item for event in events if type(event) is Finished} == {4, 5}


def test_a_stop_ends_the_workers_at_once():
    started = time.monotonic()
    events = list(Processes(1).run(Squares(), [1000], lambda: True))
    assert time.monotonic() - started < 30
    assert not [event for event in events if type(event) is Finished]
    assert not multiprocessing.active_children()


@pytest.mark.skipif(sys.platform == "win32", reason="sends SIGKILL")
def test_workers_die_with_a_parent_that_is_killed(tmp_path):
    parent = run_script(
        tmp_path / "parent.py",
        """
        from tests.test_engines import Squares
        from workbench.engines.processes import Processes

        for event in Processes(2).run(Squares(), [1000, 1000]):
            if type(event).__name__ == "Advanced":
                print(event.item, flush=True)
        """,
    )
    assert parent.stdout is not None
    assert [parent.stdout.readline().strip() for _ in range(2)] == ["1000", "1000"]
    children = psutil.Process(parent.pid).children(recursive=True)
    assert len(children) >= 2
    parent.kill()
    parent.wait()
    _, alive = psutil.wait_procs(children, timeout=10)
    assert not alive


@pytest.mark.parametrize(
    ("written", "said"),
    [
        ("prcesses", 'no engine "prcesses"; did you mean "processes"'),
        ("processes:8", '"processes:8" names a place.*write "processes"'),
    ],
)
def test_an_engine_that_is_not_there_is_refused(written: str, said: str):
    with pytest.raises(StudyError, match=said):
        open_engine(written)


def test_no_jobs_at_all_are_refused():
    with pytest.raises(StudyError, match="1 or more work"):
        open_engine("processes", 0)


def test_without_ray_its_engine_says_what_to_install(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setitem(sys.modules, "ray", None)  # as if it were not installed
    with pytest.raises(StudyError, match=r"pip install .*\[distributed\]"):
        open_engine("ray:head:6379")


def test_an_item_that_is_given_up_costs_no_other():
    dropped = {1000}
    started = time.monotonic()
    events = [
        event
        for event in Processes(1).run(
            Squares(), [1000, 4, 5], should_drop=lambda item: item in dropped
        )
        if event
    ]
    assert time.monotonic() - started < 50  # 1000 alone would sleep for a minute
    assert Dropped(1000) in events
    assert {event.item for event in events if type(event) is Finished} == {4, 5}


def test_an_item_that_is_given_up_before_its_turn_never_starts():
    events = list(
        Processes(1).run(Squares(), [4, 5], should_drop=lambda item: item == 5)
    )
    assert Dropped(5) in events
    assert [event.item for event in events if type(event) is Started] == [4]
