"""How far a study is: what shells show and what other processes read."""

import json
from dataclasses import dataclass
from pathlib import Path

PROGRESS_NAME = "progress.json"


@dataclass(frozen=True, slots=True)
class CellProgress:
    """One cell and seed.

    Attributes:
        state: queued, running, ok, failed, out-of-memory or cancelled.
        epoch: The last epoch finished, from 0.
        epochs: The most epochs it may take.
        val: The last validation score, or None.
        reason: Why it has no score, where it has none.
    """

    source: str
    topology: str
    model: str
    remedy: str
    depth: int
    seed: int
    state: str
    epoch: int
    epochs: int
    val: float | None
    reason: str = ""


@dataclass(frozen=True, slots=True)
class Progress:
    """A study's state at one moment.

    Attributes:
        phase: planning, training, comparing, done or cancelled.
        done: Number of items finished.
        total: Number of items.
        seconds_left: Estimate, or None until two cells have finished.
        cells: Every cell and seed.
    """

    phase: str
    done: int
    total: int
    seconds_left: float | None
    cells: tuple[CellProgress, ...]


def read_progress(folder: Path) -> Progress | None:
    """Return the progress last saved in a results folder, or None."""
    try:
        found = json.loads((folder / PROGRESS_NAME).read_text(encoding="utf-8"))
        cells = tuple(CellProgress(**cell) for cell in found.pop("cells"))
        return Progress(cells=cells, **found)
    except (OSError, ValueError, TypeError, KeyError):
        return None
