"""What does the items of a study: processes here, or a cluster of machines."""

import os
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType, TracebackType
from typing import Any, Generic, Protocol, TypeAlias, TypeVar

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

Tell: TypeAlias = Callable[[Any], None]
Put: TypeAlias = Callable[[Any], Callable[[], Any]]


class Work(Protocol):
    """How items are done; opened once in every worker.

    It is picklable, and defined in a module: workers do not run the caller's script.
    """

    def __call__(self) -> Callable[[Any, Tell], Any]:
        """Return the function that does one item and reports news."""
        ...

    def shared(self, items: Sequence[Any], put: Put) -> "Work":
        """Return the same work for machines that lack this one's files.

        Args:
            items: What will be done.
            put: Hands a value over once for all machines; returns the picklable
                function by which a worker gets it.
        """
        ...


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


@dataclass(frozen=True, slots=True)
class Dropped(Generic[Item]):
    """An item was given up because it was asked for; the others go on."""

    item: Item


Event: TypeAlias = Started | Advanced | Finished | Crashed | Dropped


class AbstractEngine(ABC):
    """Workers that are there between ``with`` and its end."""

    def __enter__(self) -> "AbstractEngine":
        """Get hold of the workers.

        Raises:
            StudyError: They are not to be had.
        """
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Let go of the workers."""
        return

    @property
    @abstractmethod
    def num_workers(self) -> int:
        """How many items are done at the same time."""

    @abstractmethod
    def run(
        self,
        work: Work,
        items: Sequence[Any],
        should_stop: Callable[[], bool] = lambda: False,
        should_drop: Callable[[Any], bool] = lambda item: False,
    ) -> Iterator[Event | None]:
        """Work through items and yield what happens.

        Args:
            work: How an item is done.
            items: What to do, started in this order; picklable and hashable.
            should_stop: Asked a few times a second; True ends every worker at once.
            should_drop: Asked of an item before it starts, and a few times a second
                while it is under way; True gives up this item alone, at once.

        Yields:
            An event; or None when nothing happened for a moment, so that the caller can
            refresh what it shows. Leaving the loop ends the workers. Every item ends
            in one `Finished`, `Crashed` or `Dropped`, unless it is stopped.
        """


def default_jobs() -> int:
    """Return the number of cores this process may use."""
    return (
        len(os.sched_getaffinity(0))
        if hasattr(os, "sched_getaffinity")
        else (os.cpu_count() or 1)
    )
