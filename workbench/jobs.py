"""Studies that run in a process of their own, so that closing a page loses nothing.

A job is the command line's ``run`` on the study's folder. All that is known of it lies
in that folder, so any other process can follow or cancel it.
"""

from __future__ import annotations

import json
import re
import secrets
import signal
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import psutil

from workbench.database import cache_directory
from workbench.engines import DEFAULT_ENGINE
from workbench.errors import StoreError
from workbench.progress import Progress, read_progress

if TYPE_CHECKING:  # following a job needs no tensors
    from workbench.study import Study

JOB_NAME = "job.json"
LOG_NAME = "job.log"
RESULTS_ID = re.compile(r"[a-z0-9][a-z0-9-]{7,63}")


@dataclass(frozen=True, slots=True)
class Job:
    """A study that runs, or ran, in a process of its own.

    Attributes:
        folder: Its results folder.
        pid: The process.
        created: When the process was created, in seconds since 1970; tells it from a
            later process of the same number.
    """

    folder: Path
    pid: int
    created: float

    def is_running(self) -> bool:
        """Return whether the process is still at work."""
        try:
            process = psutil.Process(self.pid)
            alive = process.status() != psutil.STATUS_ZOMBIE
            return alive and abs(process.create_time() - self.created) < 1
        except psutil.NoSuchProcess:
            return False

    def progress(self) -> Progress | None:
        """Return the progress last saved, or None before the first."""
        return read_progress(self.folder)

    def cancel(self) -> None:
        """Ask the process to stop; what has finished is kept and compared."""
        if self.is_running():
            psutil.Process(self.pid).send_signal(signal.SIGINT)

    def error(self) -> str:
        """Return what the process said last on its way out, or an empty text."""
        log = self.folder / LOG_NAME
        lines = log.read_text(encoding="utf-8").splitlines() if log.exists() else []
        return next((line for line in reversed(lines) if line.strip()), "")


def results_home() -> Path:
    """Return the folder that holds the results of studies started from the app."""
    home = cache_directory() / "results"
    home.mkdir(parents=True, exist_ok=True)
    return home


def new_results_folder() -> Path:
    """Return a folder whose name cannot be guessed; it does not exist yet."""
    return results_home() / secrets.token_hex(8)


def results_folder(identifier: str) -> Path:
    """Return the folder of an identifier that came from outside, such as a URL.

    Raises:
        StoreError: It names no results on this machine.
    """
    if RESULTS_ID.fullmatch(identifier):
        folder = results_home() / identifier
        if folder.is_dir():
            return folder
    raise StoreError("That link points to results that are not on this machine.")


def list_results() -> tuple[Path, ...]:
    """Return the results folders of this machine, newest first."""
    folders = [path for path in results_home().iterdir() if path.is_dir()]
    return tuple(sorted(folders, key=lambda path: -path.stat().st_mtime))


def start_job(study: Study, folder: Path, engine: str = DEFAULT_ENGINE) -> Job:
    """Start a study in a process of its own.

    Args:
        study: What to run.
        folder: The results folder, made where missing.
        engine: What does the work, as `run_study` takes it.

    Returns:
        The job; it goes on when this process ends.
    """
    folder.mkdir(parents=True, exist_ok=True)
    asked = folder / "asked.toml"
    asked.write_text(study.to_toml(), encoding="utf-8")
    command = [
        sys.executable,
        "-m",
        "workbench",
        "run",
        str(asked),
        "--out",
        str(folder),
        "--engine",
        engine,
    ]
    with (folder / LOG_NAME).open("wb") as log:
        process = subprocess.Popen(
            command,
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            start_new_session=True,
        )
    job = Job(folder, process.pid, psutil.Process(process.pid).create_time())
    record = {"pid": job.pid, "created": job.created}
    (folder / JOB_NAME).write_text(json.dumps(record), encoding="utf-8")
    return job


def find_job(folder: Path) -> Job | None:
    """Return the job that was started in a folder, or None."""
    try:
        record = json.loads((folder / JOB_NAME).read_text(encoding="utf-8"))
        return Job(folder, int(record["pid"]), float(record["created"]))
    except (OSError, ValueError, KeyError):
        return None
