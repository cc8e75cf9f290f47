"""A Ray cluster, or Ray on this machine alone: every item is a task.

What all tasks share is put into Ray's object store once, by the machine that started
the study, which also keeps it: losing any other machine costs the items in flight on
it, and those are done again. Ray's own retries stay off, because they would repeat
without end what runs out of memory.
"""

import os
import socket
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache
from importlib import import_module
from importlib.util import find_spec
from time import monotonic
from types import TracebackType
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
)
from workbench.errors import StudyError

KNOCK_S = 10.0
TRIES = 4
TELL_EVERY_S = 0.5
AUTHENTICATION = "RAY_AUTH_MODE"


def open_ray(address: str, jobs: int | None) -> AbstractEngine:
    """Return the cluster at an address, or Ray on this machine without one.

    Args:
        address: ``HOST:PORT`` of the cluster's head, ``auto`` for the cluster that this
            machine is part of, or empty.
        jobs: Most items in flight; by default what there are cores for.

    Raises:
        StudyError: Ray is not installed.
    """
    if find_spec("ray") is None:
        raise StudyError(
            'The engine "ray" needs a package that is not installed; install it with'
            " pip install 'graph-modelling-workbench[distributed]'."
        )
    return RayCluster(address, jobs)


class RayCluster(AbstractEngine):
    """Workers that Ray starts, here or on other machines."""

    def __init__(self, address: str, jobs: int | None) -> None:
        self.address = address
        self.jobs = jobs
        self._ours = False

    def __enter__(self) -> "RayCluster":
        """Connect to the cluster, or start Ray here, with token authentication.

        Raises:
            StudyError: Nothing answers at the address, or it does not know our token.
        """
        # Ray would connect without a token where it finds none.
        os.environ.setdefault(AUTHENTICATION, "token")
        ray = _ray()
        if ray.is_initialized():
            return self
        settings: dict[str, Any] = {
            "logging_level": "ERROR",
            "log_to_driver": False,
            "runtime_env": {"env_vars": _environment()},
        }
        if self.address:
            settings |= {"address": self.address}
        else:
            settings |= {"num_cpus": self.jobs, "include_dashboard": False}
        try:
            _knock(self.address)
            ray.init(**settings)
        except (
            *(OSError, OverflowError, RuntimeError, ValueError),
            ray.exceptions.RayError,
        ) as error:
            raise StudyError(_refusal(self.address, error)) from error
        self._ours = True
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Leave the cluster; Ray ends what this study still has running there."""
        ray = _ray()
        if self._ours:
            ray.shutdown()
            self._ours = False

    @property
    def num_workers(self) -> int:
        """How many items are done at the same time."""
        ray = _ray()
        cores = int(ray.cluster_resources().get("CPU", 0))
        return max(min(cores, self.jobs or cores), 1)

    def run(
        self,
        work: Work,
        items: Sequence[Any],
        should_stop: Callable[[], bool] = lambda: False,
        should_drop: Callable[[Any], bool] = lambda item: False,
    ) -> Iterator[Event | None]:
        """Work through items and yield what happens, as every engine does."""
        ray = _ray()
        flights = _Flights(work.shared(items, _put))
        waiting = list(reversed(items))
        most = self.jobs or len(items)
        try:
            while waiting or flights.under_way:
                while waiting and len(flights.under_way) < most:
                    item = waiting.pop()
                    if should_drop(item):
                        yield Dropped(item)
                    else:
                        flights.start(item)
                if should_stop():
                    return
                for item in flights.drop(should_drop):
                    yield Dropped(item)
                if not flights.under_way:
                    continue
                ready, _ = ray.wait(list(flights.under_way), timeout=POLL_S)
                yield from flights.news()
                if not ready:
                    yield None
                for reference in ready:
                    yield from flights.land(reference)
        finally:
            flights.end()


@dataclass(slots=True)
class _Flight:
    """One try at one item."""

    item: Any
    number: int
    tries: int
    is_seen: bool = False


class _Flights:
    """The tasks that are under way."""

    def __init__(self, work: Work) -> None:
        ray = _ray()
        strategies = import_module("ray.util.scheduling_strategies")
        here = ray.get_runtime_context().get_node_id()
        self.under_way: dict[Any, _Flight] = {}
        self._work = ray.put(work)
        self._task = ray.remote(_do).options(num_cpus=1, max_retries=0)
        # On this machine, so that no other one takes the news along when it goes.
        self._board = (
            ray.remote(_Board)
            .options(
                num_cpus=0,
                scheduling_strategy=strategies.NodeAffinitySchedulingStrategy(
                    here, soft=False
                ),
            )
            .remote()
        )
        self._asked = self._board.take.remote()
        self._started = 0

    def start(self, item: Any, tries: int = 1) -> None:
        """Hand an item to the cluster."""
        self._started += 1
        flight = _Flight(item, self._started, tries)
        # In a list, or Ray would hand over the content in place of the reference.
        reference = self._task.remote([self._work], item, flight.number, self._board)
        self.under_way[reference] = flight

    def news(self) -> Iterator[Event]:
        """Yield what workers have said since the last time."""
        ray = _ray()
        ready, _ = ray.wait([self._asked], timeout=0)
        if not ready:
            return
        said = ray.get(self._asked)
        self._asked = self._board.take.remote()
        flying = {flight.number: flight for flight in self.under_way.values()}
        for number, news in said.items():
            if number in flying:
                yield from _seen(flying[number])
                yield from [Advanced(flying[number].item, one) for one in news]

    def land(self, reference: Any) -> Iterator[Event]:
        """Yield how a task ended; start it again where its worker was lost."""
        ray = _ray()
        flight = self.under_way.pop(reference)
        yield from _seen(flight)  # also where its worker was lost before it said so
        try:
            result = ray.get(reference)
        except ray.exceptions.RayError as error:
            if _is_lost(error) and flight.tries < TRIES:
                self.start(flight.item, flight.tries + 1)
                return
            yield _crash(flight, error)
        else:
            yield Finished(flight.item, result)

    def drop(self, should_drop: Callable[[Any], bool]) -> list[Any]:
        """End the tasks whose items are given up, and return those items."""
        ray = _ray()
        found = [
            reference
            for reference, flight in self.under_way.items()
            if should_drop(flight.item)
        ]
        for reference in found:
            ray.cancel(reference, force=True)
        return [self.under_way.pop(reference).item for reference in found]

    def end(self) -> None:
        """End what is still running, at once."""
        ray = _ray()
        for reference in self.under_way:
            ray.cancel(reference, force=True)
        ray.kill(self._board)


class _Board:
    """Where workers say how far they are, until the study reads it."""

    def __init__(self) -> None:
        self.said: dict[int, list[Any]] = {}

    def tell(self, number: int, news: Sequence[Any]) -> None:
        """Keep what one task says; of several pieces of news the last is enough."""
        self.said[number] = list(news)

    def take(self) -> dict[int, list[Any]]:
        """Return what was said since the last time."""
        said, self.said = self.said, {}
        return said


@dataclass(frozen=True, slots=True)
class _Fetch:
    """Gets a value that was put into the object store."""

    reference: Any

    def __call__(self) -> Any:
        ray = _ray()
        return ray.get(self.reference)


def _put(value: Any) -> Callable[[], Any]:
    ray = _ray()
    return _Fetch(ray.put(value))


def _do(work: Sequence[Any], item: Any, number: int, board: Any) -> Any:
    """Do one item in a worker."""
    board.tell.remote(number, ())
    said_at = monotonic()

    def tell(news: Any) -> None:
        nonlocal said_at
        if monotonic() - said_at >= TELL_EVERY_S:
            said_at = monotonic()
            board.tell.remote(number, (news,))

    return _opened(work[0])(item, tell)


@lru_cache(maxsize=1)  # a worker serves one study; it keeps its graphs between tasks
def _opened(reference: Any) -> Callable[[Any, Callable[[Any], None]], Any]:
    ray = _ray()
    return ray.get(reference)()


def _seen(flight: _Flight) -> Iterator[Event]:
    """Yield that an item was taken, the first time only."""
    if not flight.is_seen:
        flight.is_seen = True
        if flight.tries == 1:
            yield Started(flight.item)


def _is_lost(error: Any) -> bool:
    """Return whether a worker or its machine went away, rather than the item failed."""
    exceptions = _ray().exceptions

    found = error.cause if isinstance(error, exceptions.RayTaskError) else error
    return isinstance(
        found,
        exceptions.WorkerCrashedError
        | exceptions.NodeDiedError
        | exceptions.LocalRayletDiedError
        | exceptions.ObjectLostError,
    )


def _crash(flight: _Flight, error: Any) -> Crashed:
    exceptions = _ray().exceptions

    if isinstance(error, exceptions.OutOfMemoryError):
        reason = "The worker was ended by Ray because its machine ran out of memory."
        return Crashed(flight.item, reason, killed=True)
    if _is_lost(error):
        reason = f"Workers were lost {flight.tries} times, perhaps for want of memory."
        return Crashed(flight.item, reason, killed=True)
    cause = error.cause if isinstance(error, exceptions.RayTaskError) else error
    return Crashed(flight.item, f"{type(cause).__name__}: {cause}", killed=False)


def _environment() -> dict[str, str]:
    """Return what workers are started with."""
    chosen = {name: os.environ.get(name, ALLOCATOR[name]) for name in ALLOCATOR}
    return {**chosen, **dict.fromkeys(THREADS, "1")}


def _knock(address: str) -> None:
    """Raise an OSError where nothing listens at HOST:PORT: Ray tries for minutes."""
    host, _, port = address.rpartition(":")
    if host and port.isdigit():
        where = host.strip("[]"), int(port)
        socket.create_connection(where, timeout=KNOCK_S).close()


def _refusal(address: str, error: Exception) -> str:
    """Return what a user can do about a cluster that cannot be used."""
    said = _first_line(error)
    if not address:
        return f"Ray does not start on this machine: {said}"
    return (
        f'No Ray cluster at "{address}" lets us in. Name HOST:PORT of its head, from a'
        " machine that is part of it, and set RAY_AUTH_TOKEN_PATH to the file with its"
        f" token ({AUTHENTICATION}=disabled where it has none). Ray says: {said}"
    )


def _first_line(error: Exception) -> str:
    return (str(error).strip().splitlines() or [type(error).__name__])[0]


def _ray() -> Any:
    """Return the package; its annotations do not say what its decorators make."""
    return import_module("ray")
