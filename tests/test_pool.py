"""Worker processes: real ones, which raise, die and lose their parent."""

import multiprocessing
import os
import signal
import subprocess
import sys
import textwrap
import time
from functools import partial

import psutil
import pytest

from workbench.pool import ALLOCATOR, Advanced, Crashed, Finished, Started, run_items


def setup_square(offset: int = 0):
    def work(item: int, tell) -> int:
        tell(item)
        if item == 13:
            raise ValueError("thirteen")
        if item == 99:
            os.kill(os.getpid(), signal.SIGKILL)
        if item == 1000:
            time.sleep(60)
        return item * item + offset

    return work


def setup_threads():
    return lambda item, tell: os.environ["OMP_NUM_THREADS"]


def test_every_item_is_done_once_and_says_how_far_it_is():
    events = [event for event in run_items(setup_square, [1, 2, 3], 2) if event]
    finished = {event.item: event.result for event in events if type(event) is Finished}
    assert finished == {1: 1, 2: 4, 3: 9}
    assert {event.item for event in events if type(event) is Started} == {1, 2, 3}
    assert [
        event.news for event in events if type(event) is Advanced and event.item == 2
    ]


def test_setup_arguments_reach_the_workers():
    events = run_items(partial(setup_square, 5), [2], 1)
    assert [event.result for event in events if type(event) is Finished] == [9]


def test_workers_are_told_to_use_one_thread_before_they_import_anything():
    events = run_items(setup_threads, [1], 1)
    assert [event.result for event in events if type(event) is Finished] == ["1"]


def setup_environment():
    return lambda item, tell: os.environ.get(item, "")


def test_workers_start_with_the_allocators_settings_and_the_parent_keeps_its_own():
    before = dict(os.environ)
    names = list(ALLOCATOR)
    events = run_items(setup_environment, names, 1)
    found = {one.item: one.result for one in events if type(one) is Finished}
    assert found == dict(ALLOCATOR)
    assert dict(os.environ) == before


def test_an_allocators_setting_of_the_user_wins(monkeypatch):
    monkeypatch.setenv("MALLOC_TOP_PAD_", "0")
    events = run_items(setup_environment, ["MALLOC_TOP_PAD_"], 1)
    assert [one.result for one in events if type(one) is Finished] == ["0"]


def test_an_item_that_raises_is_reported_and_the_rest_goes_on():
    events = [event for event in run_items(setup_square, [13, 4], 1) if event]
    assert Crashed(13, "ValueError: thirteen", killed=False) in events
    assert Finished(4, 16) in events


def test_a_worker_that_is_killed_costs_its_own_item_alone():
    events = [event for event in run_items(setup_square, [99, 4, 5], 1) if event]
    crashed = [event for event in events if type(event) is Crashed]
    assert [event.item for event in crashed] == [99]
    assert crashed[0].killed
    assert "memory" in crashed[0].reason
    assert {event.item for event in events if type(event) is Finished} == {4, 5}


def test_a_stop_ends_the_workers_at_once():
    started = time.monotonic()
    events = list(run_items(setup_square, [1000], 1, lambda: True))
    assert time.monotonic() - started < 30
    assert not [event for event in events if type(event) is Finished]
    assert not multiprocessing.active_children()


@pytest.mark.skipif(sys.platform == "win32", reason="sends SIGKILL")
def test_workers_die_with_a_parent_that_is_killed(tmp_path):
    script = tmp_path / "parent.py"
    script.write_text(
        textwrap.dedent(
            """
            import time
            from workbench.pool import run_items

            def setup():
                return lambda item, tell: (tell(item), time.sleep(60))

            if __name__ == "__main__":
                for event in run_items(setup, [1, 2], 2):
                    if type(event).__name__ == "Advanced":
                        print(event.item, flush=True)
            """
        )
    )
    parent = subprocess.Popen(
        [sys.executable, str(script)], stdout=subprocess.PIPE, text=True
    )
    assert parent.stdout is not None
    assert {parent.stdout.readline().strip() for _ in range(2)} == {"1", "2"}
    children = psutil.Process(parent.pid).children(recursive=True)
    assert len(children) >= 2
    parent.kill()
    parent.wait()
    _, alive = psutil.wait_procs(children, timeout=10)
    assert not alive
