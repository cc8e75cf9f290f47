"""Studies that wait for one another, so that a machine does one at a time.

Who waits is written in the studies' own records. A small process of its own, the
runner, starts the next when there is room; it may be killed at any time, because the
records and the running study stay, and the next look at a page starts another one.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from filelock import FileLock, Timeout

from workbench.database import SNAPSHOT_ENDING
from workbench.engines import DEFAULT_ENGINE
from workbench.errors import StoreError
from workbench.jobs import (
    ASKED_NAME,
    CANCELLED_NAME,
    STUDY_NAME,
    find_job,
    is_alive,
    mark_cancelled,
    note_process,
    start_asked,
    study_file,
)
from workbench.progress import drop_cell
from workbench.shelf import (
    STORE_SETTING,
    About,
    AbstractShelf,
    new_identifier,
    this_machine,
)
from workbench.studies import (
    SILENT_S,
    StudyState,
    is_at_work,
    look_up,
    waiting_in,
)

if TYPE_CHECKING:  # waiting needs no tensors
    from workbench.study import Study

AT_ONCE_SETTING = "WORKBENCH_STUDIES_AT_ONCE"
LOCK_NAME, LOG_NAME, RUNNER_NAME = ".queue.lock", ".queue.log", ".queue.json"
LOOK_EVERY_S = 1.0


def submit(
    shelf: AbstractShelf,
    study: Study,
    *,
    owner: str = "",
    engine: str = DEFAULT_ENGINE,
) -> str:
    """Have a study run as soon as there is room.

    Args:
        shelf: Where it is kept.
        study: What to run; the files it names are copied, so that they may go.
        owner: Whose it is.
        engine: What does the work, as `run_study` takes it.

    Returns:
        Its identifier.
    """
    identifier = new_identifier()
    folder = shelf.home / identifier
    folder.mkdir(parents=True)
    _write_asked(study, folder)
    _add(shelf, identifier, About(owner=owner, engine=engine))
    return identifier


def resubmit(shelf: AbstractShelf, identifier: str) -> None:
    """Have a study go on where it stopped; what has finished is not run again.

    Raises:
        StoreError: There is none of this name, or it has no study file.
    """
    folder = shelf.folder(identifier)
    if not study_file(folder).exists():
        raise StoreError("This study has no study file, so it cannot go on.")
    (folder / CANCELLED_NAME).unlink(missing_ok=True)
    now = time.time()
    if not look_up(shelf, identifier).is_live:
        shelf.change(identifier, lambda about: replace(about, queued=now, host=""))
    shelf.keep(identifier)
    advance(shelf)


def repeat(shelf: AbstractShelf, identifier: str, owner: str = "") -> str:
    """Run a study's file anew as a study of its own, and return its identifier.

    Raises:
        StoreError: There is none of this name, or it has no study file.
    """
    before, about = shelf.folder(identifier), shelf.about(identifier)
    if not study_file(before).exists():
        raise StoreError("This study has no study file, so it cannot run again.")
    again = new_identifier()
    folder = shelf.home / again
    folder.mkdir(parents=True)
    shutil.copyfile(study_file(before), folder / ASKED_NAME)
    for path in before.rglob("*"):
        if path.is_file() and path.name not in (ASKED_NAME, STUDY_NAME):
            _take_along(path, folder / path.relative_to(before))
    _add(
        shelf,
        again,
        About(
            name=about.name,
            tags=about.tags,
            notes=about.notes,
            owner=owner,
            engine=about.engine,
        ),
    )
    return again


def cancel(shelf: AbstractShelf, identifier: str) -> None:
    """Stop a study, or stop waiting with it; what has finished is kept."""
    entry = look_up(shelf, identifier)
    folder = shelf.folder(identifier)
    if entry.state is StudyState.QUEUED:
        mark_cancelled(folder)
        shelf.change(identifier, lambda about: replace(about, queued=None, host=""))
        shelf.keep(identifier)
    if _is_elsewhere(entry.about):
        shelf.change(identifier, lambda about: replace(about, stop=True))
        return
    job = find_job(folder)
    if job is not None:
        job.cancel()


def give_up(shelf: AbstractShelf, identifier: str, cell: str) -> None:
    """Cancel one cell of a study, named by its key; the others go on."""
    if _is_elsewhere(shelf.about(identifier)):
        shelf.change(
            identifier, lambda about: replace(about, dropped=(*about.dropped, cell))
        )
    else:
        drop_cell(shelf.folder(identifier), cell)


def advance(shelf: AbstractShelf) -> None:
    """Start what there is room for, and leave somebody waiting for the rest."""
    if not _has_work(shelf):
        return
    with _turn(shelf) as is_ours:
        if not is_ours:
            return  # the runner is at work
        _start_next(shelf)
    if _has_work(shelf):
        _start_runner(shelf)


def work_queue(shelf: AbstractShelf) -> None:
    """Start one study after another until nothing waits any more.

    Where several machines share the shelf, what this one finds is handed in meanwhile.
    """
    with _turn(shelf) as is_ours:
        while is_ours and _has_work(shelf):
            _start_next(shelf)
            _hand_in(shelf)
            time.sleep(LOOK_EVERY_S)


def at_once() -> int:
    """Return how many studies this machine runs at the same time; 1 unless set.

    Raises:
        StoreError: The setting is no whole number from 1 up.
    """
    written = os.environ.get(AT_ONCE_SETTING, "1")
    if not written.isdecimal() or int(written) < 1:
        raise StoreError(
            f'{AT_ONCE_SETTING} is "{written}"; a whole number from 1 up works.'
        )
    return int(written)


def _add(shelf: AbstractShelf, identifier: str, about: About) -> None:
    """Put a study whose files lie in its folder at the end of the queue."""
    now = time.time()
    record = replace(about, created=now, queued=now)
    shelf.change(identifier, lambda _: record)
    shelf.keep(identifier)
    advance(shelf)


@contextmanager
def _turn(shelf: AbstractShelf) -> Iterator[bool]:
    """Hold the queue of this machine; tell whether nobody else does."""
    lock = FileLock(shelf.home / LOCK_NAME, timeout=0)
    try:
        lock.acquire()
    except Timeout:
        yield False
        return
    try:
        yield True
    finally:
        lock.release()


def _start_next(shelf: AbstractShelf) -> None:
    everything = shelf.everything()
    running = sum(
        about.host == this_machine() and is_at_work(shelf, identifier, about)
        for identifier, about in everything.items()
    )
    for identifier in waiting_in(everything):
        if running >= at_once():
            return
        if not _claim(shelf, identifier):
            continue
        folder = shelf.folder(identifier)
        job = find_job(folder)
        if job is None or not job.is_running():
            start_asked(folder, everything[identifier].engine)
        # Only now: who dies before this line leaves it waiting, not lost.
        shelf.change(identifier, lambda about: replace(about, queued=None))
        running += 1


def _claim(shelf: AbstractShelf, identifier: str) -> bool:
    """Say that this machine takes a study; return whether no other one has."""
    here, now = this_machine(), time.time()

    def claimed(about: About) -> About:
        taken = about.host not in ("", here) and now - about.seen < SILENT_S
        if about.queued is None or taken:
            return about
        return replace(about, host=here, seen=now, at_work=True, stop=False, dropped=())

    after = shelf.change(identifier, claimed)
    return after.queued is not None and after.host == here


def _has_work(shelf: AbstractShelf) -> bool:
    """Return whether something waits, or is to be handed in by this machine."""
    everything = shelf.everything()
    return bool(waiting_in(everything)) or bool(_to_hand_in(shelf, everything))


def _to_hand_in(shelf: AbstractShelf, everything: Mapping[str, About]) -> list[str]:
    if not shelf.is_shared:
        return []
    here = this_machine()
    return [
        name for name, one in everything.items() if one.at_work and one.host == here
    ]


def _hand_in(shelf: AbstractShelf) -> None:
    """Hand in what studies of this machine have found, and do what others asked."""
    everything = shelf.everything()
    for identifier in _to_hand_in(shelf, everything):
        _hand_in_one(shelf, identifier, everything[identifier])


def _hand_in_one(shelf: AbstractShelf, identifier: str, asked: About) -> None:
    folder = shelf.home / identifier
    job = find_job(folder)
    # Asked before its files are read: what is written later is handed in later.
    is_running = job is not None and job.is_running()
    if asked.stop and job is not None:
        job.cancel()
    for cell in asked.dropped:
        drop_cell(folder, cell)
    shelf.keep(identifier, is_running=is_running)

    def handed_in(about: About) -> About:
        return replace(
            about,
            at_work=is_running,
            seen=time.time(),
            stop=about.stop and not asked.stop,
            dropped=tuple(one for one in about.dropped if one not in asked.dropped),
        )

    shelf.change(identifier, handed_in)


def _is_elsewhere(about: About) -> bool:
    return about.at_work and about.host not in ("", this_machine())


def _start_runner(shelf: AbstractShelf) -> None:
    """Start a process that waits, unless the last one is alive."""
    runner = shelf.home / RUNNER_NAME
    if is_alive(runner):
        return
    with (shelf.home / LOG_NAME).open("ab") as log:
        process = subprocess.Popen(
            [sys.executable, "-m", "workbench", "queue"],
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            start_new_session=True,
            # In the environment: an address may hold a password.
            env={**os.environ, STORE_SETTING: shelf.address},
        )
    note_process(runner, process.pid)


def _write_asked(study: Study, folder: Path) -> None:
    """Write a study into a folder with all files that it names."""
    arms = tuple(
        replace(
            arm,
            source=_keep_rows(arm.source, folder),
            topology=_keep_file(arm.topology, folder),
            hints=arm.hints and _keep_file(arm.hints, folder),
        )
        for arm in study.arms
    )
    text = replace(study, arms=arms).to_toml()
    (folder / ASKED_NAME).write_text(text, encoding="utf-8")


def _keep_rows(source: str, folder: Path) -> str:
    """Return an address that outlives the session that opened it.

    What a session has opened may be cleared from the cache while its study waits: the
    snapshot is kept with the results.
    """
    path = Path(source)
    if path.suffix != SNAPSHOT_ENDING or not path.is_file():
        return source
    _take_along(path, folder / path.name)
    return path.name


def _take_along(file: Path, target: Path) -> None:
    """Give rows, hints and topologies a second place; leave out all that is found."""
    if file.suffix not in (SNAPSHOT_ENDING, ".toml") or target.exists():
        return
    target.parent.mkdir(exist_ok=True)
    try:
        os.link(file, target)  # a second name costs nothing
    except OSError:
        shutil.copy2(file, target)


def _keep_file(name: str, folder: Path) -> str:
    if not name.endswith(".toml"):
        return name
    shutil.copy2(name, folder)
    return Path(name).name
