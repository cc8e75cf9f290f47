"""How far a study is: what shells show and what other processes read."""

import hashlib
import json
import shutil
from dataclasses import dataclass
from pathlib import Path
from typing import Any

PROGRESS_NAME = "progress.json"
DROPPED_NAME = "dropped"


@dataclass(frozen=True, slots=True)
class CellProgress:
    """One cell and seed.

    Attributes:
        state: queued, running, ok, failed, out-of-memory, cancelled or stopped-early.
        epoch: The last epoch finished, from 0.
        epochs: The most epochs it may take.
        val: The last validation score, or None.
        reason: Why it has no score, where it has none.
        curve: Some epochs with their validation scores, the first and the last among
            them.
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
    curve: tuple[tuple[int, float], ...] = ()

    @property
    def key(self) -> str:
        """Return what tells this cell and seed from all others of a study."""
        names = (self.source, self.topology, self.model, self.remedy)
        told = json.dumps([*names, self.depth, self.seed])
        return hashlib.sha256(told.encode()).hexdigest()[:16]


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
        return progress_from((folder / PROGRESS_NAME).read_bytes())
    except OSError:
        return None


def progress_from(content: bytes) -> Progress | None:
    """Return the progress that a file holds, or None where it cannot be read."""
    try:
        found = json.loads(content)
        cells = tuple(_read_cell(cell) for cell in found.pop("cells"))
        return Progress(cells=cells, **found)
    except (ValueError, TypeError, KeyError, AttributeError):
        return None


def drop_cell(folder: Path, key: str) -> None:
    """Ask the process that runs a study to give up one cell; the others go on.

    A file a cell, so that two pages that ask at once do not lose one another's wish.
    """
    (folder / DROPPED_NAME).mkdir(exist_ok=True)
    (folder / DROPPED_NAME / key).touch()


def dropped_cells(folder: Path) -> frozenset[str]:
    """Return the keys of the cells that are to be given up."""
    try:
        return frozenset(path.name for path in (folder / DROPPED_NAME).iterdir())
    except OSError:
        return frozenset()


def forget_dropped(folder: Path) -> None:
    """Let every cell run again."""
    shutil.rmtree(folder / DROPPED_NAME, ignore_errors=True)


def _read_cell(found: dict[str, Any]) -> CellProgress:
    curve = tuple((int(epoch), float(val)) for epoch, val in found.pop("curve", ()))
    return CellProgress(**found, curve=curve)
