"""A Ray cluster of two nodes on this machine, of which one is killed."""

import json
import os
import secrets
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path

import psutil
import pytest

from workbench.engine import Crashed, Finished, Put, Started
from workbench.engines import open_engine
from workbench.engines.ray import TRIES
from workbench.errors import StudyError
from workbench.progress import read_progress

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(
        find_spec("ray") is None, reason="Ray is not installed: the extra distributed"
    ),
    pytest.mark.skipif(sys.platform == "win32", reason="sends SIGKILL"),
]

STARTS_WITHIN_S = 90


@dataclass(frozen=True)
class Squares:
    folder: Path

    def __call__(self):
        return self.work

    def shared(self, items: Sequence[int], put: Put) -> "Squares":
        return self

    def work(self, item: int, tell) -> int:
        tell(item)
        if item == 13:
            raise ValueError("thirteen")
        if item == 99:
            with (self.folder / "tries").open("a") as file:
                file.write("x")
            os.kill(os.getpid(), signal.SIGKILL)
        if item == 1000:
            (self.folder / "pid").write_text(str(os.getpid()))
            time.sleep(120)
        return item * item


class RayNodes:
    """Nodes that were started by ``ray start``, and their processes."""

    def __init__(self, folder: Path) -> None:
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            self.address = f"127.0.0.1:{free.getsockname()[1]}"
        self.folder = folder
        self.environment = {
            "RAY_AUTH_MODE": "token",
            "RAY_AUTH_TOKEN": secrets.token_hex(16),
        }
        self.nodes: list[subprocess.Popen] = []

    def start(self, *where: str) -> subprocess.Popen:
        words = [sys.executable, "-m", "ray.scripts.scripts", "start", *where]
        words += ["--num-cpus=1", "--object-store-memory=100000000", "--block"]
        words += ["--disable-usage-stats", "--min-worker-port=0"]
        words += ["--max-worker-port=0"]
        log = (self.folder / f"node{len(self.nodes)}.log").open("wb")
        node = subprocess.Popen(
            words,
            env={**os.environ, **self.environment},
            stdout=log,
            stderr=log,
        )
        self.nodes.append(node)
        return node

    def kill(self, node: subprocess.Popen) -> None:
        """Kill a node's own processes, one by one; another Ray's are left alone."""
        if node.poll() is None:
            started = psutil.Process(node.pid)
            for process in [started, *started.children(recursive=True)]:
                try:
                    process.kill()
                except psutil.NoSuchProcess:
                    continue
            node.wait()


@pytest.fixture(scope="module")
def cluster() -> Iterator[RayNodes]:
    # Not pytest's folder: a path to a socket must be short.
    with (
        tempfile.TemporaryDirectory(prefix="r", ignore_cleanup_errors=True) as folder,
        pytest.MonkeyPatch.context() as patch,
    ):
        nodes = RayNodes(Path(folder))
        for name, value in nodes.environment.items():
            patch.setenv(name, value)
        port = nodes.address.rpartition(":")[2]
        try:
            nodes.start(
                "--head",
                f"--port={port}",
                "--include-dashboard=false",
                f"--temp-dir={folder}",
            )
            wait_for_port(int(port))
            nodes.start(f"--address={nodes.address}")
            yield nodes
        finally:
            for node in nodes.nodes:
                nodes.kill(node)


def wait_for_port(port: int) -> None:
    deadline = time.monotonic() + STARTS_WITHIN_S
    while time.monotonic() < deadline:
        with socket.socket() as asked:
            if asked.connect_ex(("127.0.0.1", port)) == 0:
                return
        time.sleep(0.2)
    raise TimeoutError("Ray's head did not start")


def wait_for_workers(engine, number: int) -> None:
    deadline = time.monotonic() + STARTS_WITHIN_S
    while engine.num_workers < number and time.monotonic() < deadline:
        time.sleep(0.2)
    assert engine.num_workers == number


def test_tasks_finish_raise_are_tried_again_and_are_stopped(cluster, tmp_path):
    with open_engine(f"ray:{cluster.address}") as engine:
        wait_for_workers(engine, 2)
        items = [2, 13, 99, 3]
        events = [event for event in engine.run(Squares(tmp_path), items) if event]
        finished = {one.item: one.result for one in events if type(one) is Finished}
        assert finished == {2: 4, 3: 9}
        started = [one.item for one in events if type(one) is Started]
        assert sorted(started) == sorted(items)
        assert Crashed(13, "ValueError: thirteen", killed=False) in events
        (lost,) = [one for one in events if type(one) is Crashed and one.item == 99]
        assert lost.killed
        assert (tmp_path / "tries").read_text() == "x" * TRIES

        asleep = tmp_path / "pid"
        began = time.monotonic()
        stopped = list(engine.run(Squares(tmp_path), [1000], asleep.exists))
        assert time.monotonic() - began < 60
        assert not [one for one in stopped if type(one) is Finished]
        gone_within(int(asleep.read_text()), 30)


def gone_within(pid: int, seconds: float) -> None:
    deadline = time.monotonic() + seconds
    while psutil.pid_exists(pid) and time.monotonic() < deadline:
        time.sleep(0.1)
    assert not psutil.pid_exists(pid)


def compare(out: Path, engine: str, **environment: str) -> subprocess.Popen:
    words = [sys.executable, "-m", "workbench", "compare", "sample:address-3nf"]
    words += ["--task", "prosperous", "--topology", "row2node"]
    words += ["--topology", "flattened", "--depth", "1,2", "--seeds", "3"]
    words += ["--epochs", "40", "--jobs", "2", "--out", str(out), "--engine", engine]
    return subprocess.Popen(
        words,
        env={**os.environ, **environment},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
    )


def test_a_cluster_that_does_not_know_the_token_is_not_used(cluster, tmp_path):
    stranger = compare(
        tmp_path, f"ray:{cluster.address}", RAY_AUTH_TOKEN=secrets.token_hex(16)
    )
    _, said = stranger.communicate(timeout=120)
    assert stranger.returncode == 2
    assert "No Ray cluster" in said
    assert "RAY_AUTH_TOKEN_PATH" in said
    assert not (tmp_path / "store.sqlite").exists()


def test_nothing_at_the_address_is_one_sentence():
    with (
        pytest.raises(StudyError, match="No Ray cluster at"),
        open_engine("ray:127.0.0.1:1"),
    ):
        pass


def test_a_node_that_dies_costs_no_cell_and_changes_no_number(cluster, tmp_path):
    study = compare(tmp_path / "ray", f"ray:{cluster.address}")
    deadline = time.monotonic() + 240
    while time.monotonic() < deadline and study.poll() is None:
        progress = read_progress(tmp_path / "ray")
        if progress and sum(one.state == "running" for one in progress.cells) == 2:
            break
        time.sleep(0.05)
    # Two cells run on two nodes of one core each, so one of them is on the second.
    cluster.kill(cluster.nodes[1])
    killed_at = progress
    _, said = study.communicate(timeout=300)
    assert study.returncode == 0, said
    assert killed_at.done < killed_at.total
    plain = compare(tmp_path / "plain", "processes")
    assert plain.wait(300) == 0
    found, wanted = (
        json.loads((tmp_path / name / "comparison.json").read_text())
        for name in ("ray", "plain")
    )
    assert found == wanted
