"""Studies that run in a process of their own, so that closing a page loses nothing.

A job is the command line's ``run`` on the study's folder. All that is known of it lies
in that folder, so any other process can follow or cancel it.
"""

import json
import signal
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import psutil

from workbench.engines import DEFAULT_ENGINE
from workbench.progress import PROGRESS_NAME, Progress, read_progress

JOB_NAME = "job.json"
LOG_NAME = "job.log"
CANCELLED_NAME = "cancelled"
ASKED_NAME, STUDY_NAME = "asked.toml", "study.toml"


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
        return _is_alive(self.pid, self.created)

    def progress(self) -> Progress | None:
        """Return the progress last saved, or None before the first."""
        return read_progress(self.folder)

    def cancel(self) -> None:
        """Ask the process to stop; what has finished is kept and compared."""
        if self.is_running():
            mark_cancelled(self.folder)
            psutil.Process(self.pid).send_signal(signal.SIGINT)

    def error(self) -> str:
        """Return what the process said last on its way out, or an empty text."""
        log = self.folder / LOG_NAME
        lines = log.read_text(encoding="utf-8").splitlines() if log.exists() else []
        return next((line for line in reversed(lines) if line.strip()), "")


def start_asked(folder: Path, engine: str = DEFAULT_ENGINE) -> Job:
    """Start the study whose file lies in a folder; what has finished is kept.

    Args:
        folder: The results folder.
        engine: What does the work, as `run_study` takes it.

    Returns:
        The job; it goes on when this process ends.
    """
    command = [sys.executable, "-m", "workbench", "run", str(study_file(folder))]
    command += ["--out", str(folder), "--engine", engine]
    # What an earlier run said of itself is not true of this one.
    for name in (PROGRESS_NAME, CANCELLED_NAME):
        (folder / name).unlink(missing_ok=True)
    with (folder / LOG_NAME).open("wb") as log:
        process = subprocess.Popen(
            command,
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            start_new_session=True,
        )
    return Job(folder, *note_process(folder / JOB_NAME, process.pid))


def mark_cancelled(folder: Path) -> None:
    """Note that somebody cancelled a study, however early that was."""
    (folder / CANCELLED_NAME).touch()


def study_file(folder: Path) -> Path:
    """Return the study that was asked for, or the one written beside the results."""
    asked = folder / ASKED_NAME
    return asked if asked.exists() else folder / STUDY_NAME


def find_job(folder: Path) -> Job | None:
    """Return the job that was started in a folder, or None."""
    noted = _noted(folder / JOB_NAME)
    return None if noted is None else Job(folder, *noted)


def note_process(file: Path, pid: int) -> tuple[int, float]:
    """Write down which process this is, and return its number and its creation."""
    created = psutil.Process(pid).create_time()
    file.write_text(json.dumps({"pid": pid, "created": created}), encoding="utf-8")
    return pid, created


def is_alive(file: Path) -> bool:
    """Return whether the process that was written down is still at work."""
    noted = _noted(file)
    return noted is not None and _is_alive(*noted)


def _noted(file: Path) -> tuple[int, float] | None:
    try:
        record = json.loads(file.read_text(encoding="utf-8"))
        return int(record["pid"]), float(record["created"])
    except (OSError, ValueError, KeyError):
        return None


def _is_alive(pid: int, created: float) -> bool:
    """Return whether a process is there, and is not a later one of the same number."""
    try:
        process = psutil.Process(pid)
        alive = process.status() != psutil.STATUS_ZOMBIE
        return alive and abs(process.create_time() - created) < 1
    except psutil.NoSuchProcess:
        return False
