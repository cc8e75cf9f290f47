"""What the next click is likely to ask for, made while nobody waits for a page.

Everything here only fills what `calls` and `charts` keep: a click that comes earlier
finds it missing and makes it itself, or waits for the one thing that is being made.
"""

from __future__ import annotations

import atexit
from collections import OrderedDict
from collections.abc import Callable, Hashable, Iterator, Sequence
from contextlib import contextmanager, suppress
from functools import cache, partial
from pathlib import Path
from threading import Condition, Thread
from time import monotonic
from typing import TYPE_CHECKING, Any

import streamlit as st
from streamlit import runtime
from streamlit.components import v2

from workbench.errors import WorkbenchError
from workbench.task import TaskSpec
from workbench.topologies import TOPOLOGIES
from workbench.ui import calls, charts, linked, place, widgets

QUIET_S = 0.4  # a browser draws what it was sent
CLOSED_S = 5.0
MOST_WAITING = 64
MOST_KNOWN = 4096
MOST_ROWS = 200_000  # of a database; a larger one is looked at when it is asked about

if TYPE_CHECKING:  # it loads torch
    from workbench.planning import PlannedStudy

PARTS = ("DataFrame",)
_FETCHED = "fetched"
_FETCH = """
export default function ({ data }) {
  if (globalThis.workbenchFetched) return
  globalThis.workbenchFetched = true
  const index = document.querySelector('script[type="module"][src]')
  const later = globalThis.requestIdleCallback ?? setTimeout
  // Where one cannot be loaded, the page that needs it says so.
  later(() => data.forEach(name => import(new URL(name, index.src)).catch(() => {})))
}
"""

Step = Callable[[], object]


class Ahead:
    """Does one thing after the other in a thread, while no page is being made.

    Each is done step by step, so that a page waits for one step at most. What was
    offered last is done first, and the oldest is dropped where much waits. The thread
    ends when nothing waits.

    Args:
        quiet_s: For how long no page may have been made.
    """

    def __init__(self, quiet_s: float = QUIET_S) -> None:
        self._quiet_s = quiet_s
        self._turn = Condition()
        self._waiting: OrderedDict[Hashable, Sequence[Step]] = OrderedDict()
        self._known: OrderedDict[Hashable, None] = OrderedDict()
        self._num_answering = 0
        self._answered_at = monotonic()
        self._thread: Thread | None = None
        self._is_closed = False

    @contextmanager
    def answering(self) -> Iterator[None]:
        """Hold back what waits, as long as a page is being made."""
        with self._turn:
            self._num_answering += 1
        try:
            yield
        finally:
            with self._turn:
                self._num_answering -= 1
                self._answered_at = monotonic()
                self._turn.notify_all()

    def offer(self, key: Hashable, steps: Sequence[Step]) -> None:
        """Do something later, unless it was offered before.

        Args:
            key: Says all that it depends on.
            steps: What is done, one after the other; what a user would be told of it
                is left to the page.
        """
        with self._turn:
            if self._is_closed or (key in self._known and key not in self._waiting):
                return
            self._known[key] = None
            self._waiting[key] = steps
            self._waiting.move_to_end(key)
            if len(self._waiting) > MOST_WAITING:
                dropped, _ = self._waiting.popitem(last=False)
                self._known.pop(dropped, None)
            if len(self._known) > MOST_KNOWN:
                self._known.popitem(last=False)
            if self._thread is None or not self._thread.is_alive():
                self._thread = Thread(target=self._work, name="ahead", daemon=True)
                self._thread.start()

    def close(self) -> None:
        """Drop what waits, and wait for the step that is being taken.

        Python must not end in the middle of one: the libraries would not bear it.
        """
        with self._turn:
            self._waiting.clear()
            self._is_closed, thread = True, self._thread
            self._turn.notify_all()
        if thread is not None:
            thread.join(CLOSED_S)

    def _work(self) -> None:
        while (steps := self._next()) is not None:
            # What a user could put right, and files that went with their session.
            with suppress(WorkbenchError, OSError):
                for step in steps:
                    self._await_quiet()
                    if self._is_closed:
                        return
                    step()

    def _next(self) -> Sequence[Step] | None:
        """Return what is done next; None when nothing waits."""
        with self._turn:
            self._await_quiet()
            if self._waiting:
                return self._waiting.popitem()[1]
            self._thread = None
            return None

    def _await_quiet(self) -> None:
        with self._turn:
            while not self._is_closed:
                left_s = self._answered_at + self._quiet_s - monotonic()
                if self._num_answering:
                    self._turn.wait()
                elif left_s > 0:
                    self._turn.wait(left_s)
                else:
                    return


def fetch_parts() -> None:
    """Have the browser load what draws figures and tables, before a page has any.

    Once a session, at the end of a page.
    """
    if not st.session_state.get(_FETCHED):
        st.session_state[_FETCHED] = True
        linked.fetch_library()
        _fetcher()(key="ahead_parts", data=_parts(), height=1)


@contextmanager
def answering() -> Iterator[None]:
    """Make a page, and what was expected after it once it is there."""
    with _ahead().answering():
        yield


def expect_pages() -> None:
    """Expect the pages on the question and on the graphs that are looked at."""
    if not _is_served():
        return
    try:
        address, spec = place.source_address(), place.question()
        if address is None or spec is None or not _is_small(address):
            return
    except WorkbenchError:
        return  # the page itself says so
    _expect_graphs(address, spec, place.graphs())
    hints = place.hints_file()
    _offer(
        ("question", hints, address, spec),
        lambda: calls.question_with(hints, address, spec),
    )


def expect_tables(address: str, tables: Sequence[str]) -> None:
    """Expect a look at the rows and values of some table."""
    if not _is_served() or not _is_small(address):
        return
    hints = place.hints_file()
    for table in reversed(tables):
        _offer(
            ("table", hints, address, table),
            partial(calls.rows_of, address, table),
            partial(calls.distributions_with, hints, address, table),
        )


def expect_choices(address: str, spec: TaskSpec | str, chosen: Sequence[str]) -> None:
    """Expect one more graph beside those that are looked at."""
    if _is_served() and _is_small(address):
        for names in reversed(one_click_away(chosen)):
            _expect_graphs(address, spec, names)


def one_click_away(chosen: Sequence[str]) -> list[tuple[str, ...]]:
    """Return what one more graph would show; one less was mostly seen before."""
    if len(chosen) >= place.MAX_GRAPHS:
        return []
    return [(*chosen, one) for one in TOPOLOGIES if one not in chosen]


def _expect_graphs(address: str, spec: TaskSpec | str, names: tuple[str, ...]) -> None:
    hints, dark = place.hints_file(), widgets.is_dark()

    def plan() -> PlannedStudy:
        return calls.plan_with(hints, address, spec, names)

    def draw(name: str) -> None:
        charts.sheet_of(plan(), is_dark=dark).payloads((name,))

    def preview() -> None:
        planned = plan()
        plans = None if planned.assumed else calls.previews_of(planned)
        charts.sheet_of(planned, is_dark=dark).payloads((charts.PREVIEW,), plans)

    figures = (partial(draw, name) for name in (charts.HOPS, charts.REACH, charts.WALK))
    _offer(("graphs", hints, address, spec, names, dark), plan, *figures, preview)


@cache
def _fetcher() -> Any:
    return v2.component("workbench_ahead", js=_FETCH)


@cache
def _parts() -> list[str]:
    """Return the names of Streamlit's own files, which change with its version."""
    folder = Path(st.__file__).parent / "static" / "static" / "js"
    return [file.name for part in PARTS for file in folder.glob(f"{part}.*.js")]


def _is_small(address: str) -> bool:
    tables = calls.schema_of(address).tables
    return sum(table.num_rows for table in tables) <= MOST_ROWS


def _is_served() -> bool:
    """Return whether a server draws the page, which goes on when it is drawn."""
    return runtime.exists() and isinstance(runtime.get_instance(), runtime.Runtime)


def _offer(key: tuple[Hashable, ...], *steps: Step) -> None:
    quiet = [
        partial(_quietly, f"{turn} {key!r}", step) for turn, step in enumerate(steps)
    ]
    _ahead().offer(key, quiet)


@st.cache_resource(max_entries=1, show_spinner=False)
def _quietly(key: str, _step: Step) -> None:
    """Take a step where nobody is shown that something is being made."""
    _step()


@st.cache_resource(show_spinner=False)
def _ahead() -> Ahead:
    """Return what all sessions share: one thread, and each thing made once."""
    made = Ahead()
    atexit.register(made.close)
    return made
