"""Worker processes with one thread each, that die with their parent.

Two processes of one torch thread each beat one process of two threads on the same two
cores; a worker that is killed (for want of memory, say) costs its own item and no
other.
"""

import multiprocessing
import os
import signal
import sys
import threading
import traceback
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from multiprocessing.connection import Connection, wait
from multiprocessing.context import SpawnProcess
from typing import Any

from workbench.engine import (
    ALLOCATOR,
    POLL_S,
    THREADS,
    AbstractEngine,
    Advanced,
    Crashed,
    Dropped,
    Event,
    Finished,
    Started,
    Work,
    default_jobs,
)
from workbench.errors import StudyError


def open_processes(address: str, jobs: int | None) -> AbstractEngine:
    """Return worker processes of this machine, one a core unless told otherwise.

    Raises:
        StudyError: An address is given.
    """
    if address:
        raise StudyError(
            f'The engine "processes:{address}" names a place, and processes run on this'
            ' machine; write "processes", or "ray:ADDRESS" for a cluster.'
        )
    return Processes(jobs or default_jobs())


@dataclass(frozen=True, slots=True)
class Processes(AbstractEngine):
    """Processes on this machine; ``jobs`` of them."""

    jobs: int

    @property
    def num_workers(self) -> int:
        """How many items are done at the same time."""
        return self.jobs

    def run(
        self,
        work: Work,
        items: Sequence[Any],
        should_stop: Callable[[], bool] = lambda: False,
        should_drop: Callable[[Any], bool] = lambda item: False,
    ) -> Iterator[Event | None]:
        """Work through items and yield what happens, as every engine does."""
        context = multiprocessing.get_context("spawn")
        waiting = list(reversed(items))
        workers: list[_Worker] = []
        try:
            num_workers = min(self.jobs, len(items))
            workers += [_start(context, work) for _ in range(num_workers)]
            while waiting or any(worker.item is not None for worker in workers):
                for worker in workers:
                    if worker.item is None and waiting:
                        worker.item = waiting.pop()
                        worker.pipe.send(worker.item)
                        yield Started(worker.item)
                if should_stop():
                    return
                for item in _give_up(waiting, workers, should_drop):
                    yield Dropped(item)
                num_missing = min(num_workers - len(workers), len(waiting))
                workers += [_start(context, work) for _ in range(num_missing)]
                ready = wait([worker.pipe for worker in workers], timeout=POLL_S)
                if not ready:
                    yield None
                for worker in [each for each in workers if each.pipe in ready]:
                    event = _receive(worker)
                    if isinstance(event, Crashed) and event.killed:
                        workers.remove(worker)
                        workers.append(_start(context, work))
                    yield event
        finally:
            for worker in workers:
                worker.process.kill()
            for worker in workers:
                worker.process.join()


@dataclass(slots=True)
class _Worker:
    process: SpawnProcess
    pipe: Connection
    item: Any = None


def _give_up(
    waiting: list[Any], workers: list[_Worker], should_drop: Callable[[Any], bool]
) -> list[Any]:
    """Take out what is given up, end the workers that are at it, and return it."""
    dropped = [item for item in waiting if should_drop(item)]
    waiting[:] = [item for item in waiting if item not in dropped]
    held = [one for one in workers if one.item is not None and should_drop(one.item)]
    for worker in held:
        worker.process.kill()
        worker.process.join()
        workers.remove(worker)
    return [*dropped, *(worker.item for worker in held)]


def _start(context: Any, work: Work) -> _Worker:
    ours, theirs = context.Pipe()
    process = context.Process(target=_serve, args=(theirs,), daemon=True)
    with _allocator(), _no_script():
        process.start()
    theirs.close()
    # Sent, not passed: what it imports must come after the thread settings.
    ours.send(work)
    return _Worker(process=process, pipe=ours)


@contextmanager
def _allocator() -> Iterator[None]:
    """Have a process that starts meanwhile find the allocator's settings."""
    added = {name: ALLOCATOR[name] for name in ALLOCATOR if name not in os.environ}
    os.environ.update(added)
    try:
        yield
    finally:
        for name in added:
            os.environ.pop(name, None)


@contextmanager
def _no_script() -> Iterator[None]:
    """Have a process that starts meanwhile not run the caller's script once more.

    Python would, to find what a script defines; no work is defined there, and a script
    that calls the workbench outside ``if __name__ == "__main__"`` would start over.
    """
    script = vars(sys.modules["__main__"])
    held = {name: script[name] for name in ("__file__", "__spec__") if name in script}
    script.pop("__file__", None)
    script["__spec__"] = None
    try:
        yield
    finally:
        script.update(held)


def _receive(worker: _Worker) -> Advanced | Finished | Crashed:
    item = worker.item
    try:
        kind, value = worker.pipe.recv()
    except (EOFError, OSError):
        worker.process.join()
        worker.item = None
        code = worker.process.exitcode
        if code == -signal.SIGKILL:
            reason = "The worker was killed, most likely because memory ran out."
        else:
            reason = f"The worker ended with exit code {code}."
        return Crashed(item, reason, killed=True)
    match kind:
        case "news":
            return Advanced(item, value)
        case "result":
            worker.item = None
            return Finished(item, value)
        case _:
            worker.item = None
            return Crashed(item, value, killed=False)


def _serve(pipe: Connection) -> None:
    """Do items until the parent is gone."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    threading.Thread(target=_die_with_parent, daemon=True).start()
    for name in THREADS:
        os.environ[name] = "1"
    work = pipe.recv()()
    while True:
        try:
            item = pipe.recv()
        except EOFError:
            return
        try:
            result = work(item, lambda news: pipe.send(("news", news)))
        except Exception as error:  # noqa: BLE001  # one item's failure is a result
            reason = "".join(traceback.format_exception_only(error)).strip()
            pipe.send(("crash", reason))
        else:
            pipe.send(("result", result))


def _die_with_parent() -> None:
    parent = multiprocessing.parent_process()
    if parent is not None:
        parent.join()
    os._exit(1)
