"""Follows a study's items, and saves what is known of them for other processes."""

import json
import time
from collections.abc import Sequence
from dataclasses import asdict, replace
from pathlib import Path
from statistics import median

from workbench.cell import Cell, PlannedArm, trial_names
from workbench.comparison import STOPPED_EARLY
from workbench.progress import (
    PROGRESS_NAME,
    CellProgress,
    Progress,
    dropped_cells,
)

SAVE_EVERY_S = 0.5
MAX_POINTS = 40
UNDER_WAY = ("queued", "running")


class Tracker:
    """Follows a study's items and saves what it knows now and then."""

    def __init__(
        self,
        folder: Path,
        arms: Sequence[PlannedArm],
        cells: Sequence[Cell],
        epochs: int,
        jobs: int,
    ) -> None:
        self._folder = folder
        self._jobs = jobs
        self._phase = "training"
        self._floors_left = 0
        self._num_floors = 0
        self._num_runs = len(cells)
        self._skipped: set[Cell] = set()
        self._saved_at = 0.0
        self._asked_at = -SAVE_EVERY_S
        self._dropped: frozenset[str] = frozenset()
        self._started: dict[Cell, float] = {}
        self._seconds: dict[Cell, float] = {}
        self._cells = {
            cell: CellProgress(
                **trial_names(arms[cell.arm], cell),
                state="queued",
                epoch=0,
                epochs=epochs,
                val=None,
            )
            for cell in cells
        }

    def expect_floors(self, number: int) -> None:
        """Count baselines among the items."""
        self._floors_left = self._num_floors = number

    def expect_runs(self, number: int) -> None:
        """Count so many of the cells; halving leaves out the others."""
        self._num_runs = number

    def stop_early(self, cell: Cell, reason: str) -> None:
        """Say that halving left out a cell, whether it was run or not."""
        shown = self._cells[cell]
        if shown.state in UNDER_WAY:
            self._skipped.add(cell)
        self._cells[cell] = replace(shown, state=STOPPED_EARLY, val=None, reason=reason)

    def floor_done(self) -> None:
        """Count one baseline as finished."""
        self._floors_left -= 1

    def start(self, cell: Cell) -> None:
        """Say that a worker took a cell."""
        self._started[cell] = time.perf_counter()
        self._cells[cell] = replace(self._cells[cell], state="running")

    def advance(self, cell: Cell, epoch: int, val: float) -> None:
        """Say how far a cell is."""
        shown = self._cells[cell]
        curve = _thinned((*shown.curve, (epoch, round(val, 4))))
        self._cells[cell] = replace(shown, epoch=epoch, val=val, curve=curve)

    def finish(self, cell: Cell, state: str, val: float | None, reason: str) -> None:
        """Say how a cell ended."""
        if cell in self._started:
            self._seconds[cell] = time.perf_counter() - self._started[cell]
        self._cells[cell] = replace(
            self._cells[cell], state=state, val=val, reason=reason
        )

    def is_dropped(self, cell: Cell) -> bool:
        """Return whether somebody has asked to give up a cell."""
        now = time.monotonic()
        if now - self._asked_at >= SAVE_EVERY_S:
            self._asked_at = now
            self._dropped = dropped_cells(self._folder)
        return bool(self._dropped) and self._cells[cell].key in self._dropped

    def drop(self, cell: Cell) -> None:
        """Say that a cell was given up."""
        self._started.pop(cell, None)
        self._cells[cell] = replace(
            self._cells[cell], state="cancelled", val=None, reason=""
        )

    def enter(self, phase: str) -> None:
        """Go on to another phase; cells not finished are cancelled with the study."""
        self._phase = phase
        if phase == "cancelled":
            for cell, shown in self._cells.items():
                if shown.state in UNDER_WAY:
                    self._cells[cell] = replace(shown, state="cancelled")

    def progress(self) -> Progress:
        """Return the state at this moment."""
        under_way = [
            cell for cell, shown in self._cells.items() if shown.state in UNDER_WAY
        ]
        ended = len(self._cells) - len(under_way) - len(self._skipped)
        runs_left = max(self._num_runs - ended, 0)
        total = self._num_runs + self._num_floors
        return Progress(
            phase=self._phase,
            done=total - runs_left - self._floors_left,
            total=total,
            seconds_left=self._seconds_left(under_way, runs_left),
            cells=tuple(self._cells.values()),
        )

    def save(self, force: bool = False) -> None:
        """Write the progress file, at most twice a second unless forced."""
        now = time.monotonic()
        if force or now - self._saved_at >= SAVE_EVERY_S:
            self._saved_at = now
            path = self._folder / PROGRESS_NAME
            draft = path.with_suffix(".tmp")
            draft.write_text(json.dumps(asdict(self.progress())), encoding="utf-8")
            draft.replace(path)

    def _seconds_left(self, under_way: Sequence[Cell], runs_left: int) -> float | None:
        """Scale what finished cells took, by depth, to the ones under way.

        Halving will leave out some of those, and so their mean is what counts.
        """
        if len(self._seconds) < 2:
            return None
        a_layer = median(
            seconds / (cell.depth + 1) for cell, seconds in self._seconds.items()
        )
        same = {
            (cell.arm, cell.depth): seconds for cell, seconds in self._seconds.items()
        }
        now = time.perf_counter()
        left = 0.0
        for cell in under_way:
            expected = same.get((cell.arm, cell.depth), a_layer * (cell.depth + 1))
            spent = now - self._started.get(cell, now)
            left += max(expected - spent, 0.0)
        return left / self._jobs * runs_left / max(len(under_way), 1)


def _thinned(curve: tuple[tuple[int, float], ...]) -> tuple[tuple[int, float], ...]:
    """Return a curve of few points: every second one where there are too many."""
    if len(curve) <= MAX_POINTS:
        return curve
    return (*curve[:-1:2], curve[-1])
