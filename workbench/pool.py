"""Worker processes with one thread each, that die with their parent.

Two processes of one torch thread each beat one process of two threads on the same two
cores; a worker that is killed (for want of memory, say) costs its own item and no
other.
"""

import multiprocessing
import os
import signal
import threading
import traceback
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from multiprocessing.connection import Connection, wait
from multiprocessing.context import SpawnProcess
from types import MappingProxyType
from typing import Any, Generic, TypeVar

Item = TypeVar("Item")
Result = TypeVar("Result")

POLL_S = 0.2
THREADS = ("OMP_NUM_THREADS", "MKL_NUM_THREADS", "OPENBLAS_NUM_THREADS")
# glibc gives a large tensor's memory back as soon as it is freed, and the next one
# is zeroed by the system page by page. Other systems do not read these.
ALLOCATOR: Mapping[str, str] = MappingProxyType(
    {
        "MALLOC_MMAP_THRESHOLD_": str(4 * 1024**3),
        "MALLOC_TRIM_THRESHOLD_": str(16 * 1024**3),
        "MALLOC_TOP_PAD_": str(64 * 1024**2),
    }
)
"""What workers are started with, unless the environment says otherwise."""


@dataclass(frozen=True, slots=True)
class Started(Generic[Item]):
    """A worker took an item."""

    item: Item


@dataclass(frozen=True, slots=True)
class Advanced(Generic[Item]):
    """A worker says how far it is."""

    item: Item
    news: Any


@dataclass(frozen=True, slots=True)
class Finished(Generic[Item, Result]):
    """A worker handed back a result."""

    item: Item
    result: Result


@dataclass(frozen=True, slots=True)
class Crashed(Generic[Item]):
    """A worker raised or died; ``reason`` is one line.

    Attributes:
        item: What it was working on.
        reason: What happened.
        killed: True when the operating system ended the process.
    """

    item: Item
    reason: str
    killed: bool


@dataclass(slots=True)
class _Worker:
    process: SpawnProcess
    pipe: Connection
    item: Any = None


def default_jobs() -> int:
    """Return the number of cores this process may use."""
    return (
        len(os.sched_getaffinity(0))
        if hasattr(os, "sched_getaffinity")
        else (os.cpu_count() or 1)
    )


def run_items(
    setup: Callable[[], Callable[[Item, Callable[[Any], None]], Result]],
    items: Sequence[Item],
    jobs: int,
    should_stop: Callable[[], bool] = lambda: False,
) -> Iterator[Started | Advanced | Finished | Crashed | None]:
    """Work through items in parallel processes and yield what happens.

    Args:
        setup: Called once in each process; returns the function that does one item and
            reports news. Must be picklable.
        items: What to do, started in this order; picklable.
        jobs: Number of processes, at least 1.
        should_stop: Asked a few times a second; True ends every worker at once.

    Yields:
        An event; or None when nothing happened for a moment, so that the caller can
        refresh what it shows. Leaving the loop ends the workers.
    """
    context = multiprocessing.get_context("spawn")
    waiting = list(reversed(items))
    workers: list[_Worker] = []
    try:
        num_workers = min(jobs, len(items))
        workers += [_start(context, setup) for _ in range(num_workers)]
        while waiting or any(worker.item is not None for worker in workers):
            for worker in workers:
                if worker.item is None and waiting:
                    worker.item = waiting.pop()
                    worker.pipe.send(worker.item)
                    yield Started(worker.item)
            if should_stop():
                return
            ready = wait([worker.pipe for worker in workers], timeout=POLL_S)
            if not ready:
                yield None
            for worker in [each for each in workers if each.pipe in ready]:
                event = _receive(worker)
                if isinstance(event, Crashed) and event.killed:
                    workers.remove(worker)
                    workers.append(_start(context, setup))
                yield event
    finally:
        for worker in workers:
            worker.process.kill()
        for worker in workers:
            worker.process.join()


def _start(context: Any, setup: Callable[[], Any]) -> _Worker:
    ours, theirs = context.Pipe()
    process = context.Process(target=_serve, args=(theirs,), daemon=True)
    with _allocator():
        process.start()
    theirs.close()
    # Sent, not passed: what it imports must come after the thread settings.
    ours.send(setup)
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
