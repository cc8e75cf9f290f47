"""The studies of a shelf as somebody looks for them: state, when, and best cell."""

import io
import json
import secrets
import time
import tomllib
import zipfile
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Any

from workbench.errors import StoreError
from workbench.jobs import (
    ASKED_NAME,
    CANCELLED_NAME,
    JOB_NAME,
    LOG_NAME,
    STUDY_NAME,
    find_job,
)
from workbench.progress import PROGRESS_NAME, Progress, progress_from
from workbench.score import METRICS
from workbench.shelf import About, AbstractShelf, this_machine

SILENT_S = 60.0  # after which a machine that says nothing is taken for gone
PACKED = frozenset({".toml", ".json", ".parquet", ".html", ".md"})
PRIVATE = frozenset({"about.json", "job.json", "progress.json"})
COMPARISON_NAME = "comparison.json"


class StudyState(StrEnum):
    """What a study is doing."""

    QUEUED = "queued"
    RUNNING = "running"
    DONE = "done"
    CANCELLED = "cancelled"
    STOPPED = "stopped"
    NEW = "new"


LIVE = frozenset({StudyState.QUEUED, StudyState.RUNNING})


@dataclass(frozen=True, slots=True)
class Best:
    """The cell of a study that validated best.

    Attributes:
        cell: What it is called, such as ``"flattened sage at depth 2"``.
        metric: Name in ``METRICS``.
        mean: Mean test score over seeds.
        low: Lower end of its 95 % t-interval, None where one seed says nothing.
        high: Upper end, likewise.
        seeds: Test score of every seed, None for one without.
    """

    cell: str
    metric: str
    mean: float
    low: float | None
    high: float | None
    seeds: tuple[float | None, ...]


@dataclass(frozen=True, slots=True)
class Entry:
    """A study in a list.

    Attributes:
        identifier: Its name in addresses, which nobody can guess.
        about: What somebody has written about it.
        title: Its name, or what its study file says it predicts on what.
        state: What it is doing.
        ahead: How many wait before it; 0 for one that does not wait.
        done: Number of items finished.
        total: Number of items; 0 before it is planned.
        seconds_left: Estimate, or None.
        best: The best cell, or None before there is a comparison.
        reason: Why it stopped, where it did.
    """

    identifier: str
    about: About
    title: str
    state: StudyState
    ahead: int
    done: int
    total: int
    seconds_left: float | None
    best: Best | None
    reason: str

    @property
    def is_live(self) -> bool:
        """Return whether it runs or waits for its turn."""
        return self.state in LIVE

    def to_json(self) -> dict[str, Any]:
        """Return what `workbench studies --json` prints."""
        return {
            "id": self.identifier,
            "title": self.title,
            "tags": list(self.about.tags),
            "notes": self.about.notes,
            "created": self.about.created,
            "state": str(self.state),
            "ahead": self.ahead,
            "done": self.done,
            "total": self.total,
            "seconds_left": self.seconds_left,
            "best": None
            if self.best is None
            else {
                "cell": self.best.cell,
                "metric": self.best.metric,
                "mean": self.best.mean,
                "low": self.best.low,
                "high": self.best.high,
            },
            "reason": self.reason,
        }


def list_studies(shelf: AbstractShelf, owner: str | None = None) -> tuple[Entry, ...]:
    """Return the studies of a shelf, newest first.

    Args:
        shelf: Where they are kept.
        owner: Whose alone; None for everybody's.
    """
    everything = shelf.everything()
    waiting = waiting_in(everything)
    found = [
        _entry(shelf, identifier, about, waiting)
        for identifier, about in everything.items()
        if owner is None or about.owner == owner
    ]
    return tuple(sorted(found, key=lambda entry: -entry.about.created))


def look_up(shelf: AbstractShelf, identifier: str) -> Entry:
    """Return one study.

    Raises:
        StoreError: There is none of this name.
    """
    about = shelf.about(identifier)
    waiting = waiting_in(shelf.everything()) if about.queued is not None else []
    return _entry(shelf, identifier, about, waiting)


def search_studies(
    entries: Iterable[Entry], text: str = "", states: Iterable[str] = ()
) -> tuple[Entry, ...]:
    """Return the studies in which every word of a text occurs.

    Args:
        entries: What is searched: titles, tags, notes and best cells.
        text: Words in any order, whatever their case.
        states: Only studies in one of these states; all where there is none.
    """
    words, wanted = text.casefold().split(), set(states)
    return tuple(
        entry
        for entry in entries
        if (not wanted or entry.state in wanted)
        and all(word in _searched(entry) for word in words)
    )


def delete_study(shelf: AbstractShelf, identifier: str) -> None:
    """Delete a study with its results.

    Raises:
        StoreError: There is none of this name, or it is at work.
    """
    entry = look_up(shelf, identifier)
    if entry.is_live:
        raise StoreError(
            f'"{entry.title}" is {entry.state}; cancel it before it is deleted.'
        )
    shelf.remove(identifier)


def rename_study(
    shelf: AbstractShelf,
    identifier: str,
    *,
    name: str,
    tags: tuple[str, ...],
    notes: str,
) -> None:
    """Give a study another name, other tags and other notes.

    Raises:
        StoreError: There is none of this name, or one of them is too long.
    """
    shelf.about(identifier)
    shelf.change(
        identifier, lambda about: replace(about, name=name, tags=tags, notes=notes)
    )


def share_study(shelf: AbstractShelf, identifier: str) -> str:
    """Return what a link that can only look ends in; made where there is none yet."""
    shelf.about(identifier)
    token = secrets.token_urlsafe(24)
    after = shelf.change(
        identifier, lambda about: replace(about, share=about.share or token)
    )
    return after.share


def unshare_study(shelf: AbstractShelf, identifier: str) -> None:
    """Take back a study's link; whoever has it sees nothing any more."""
    shelf.about(identifier)
    shelf.change(identifier, lambda about: replace(about, share=""))


def shared_study(shelf: AbstractShelf, token: str) -> str:
    """Return the study that a link shows.

    Raises:
        StoreError: The link has been taken back, or there never was one.
    """
    for identifier, about in shelf.everything().items():
        if about.share and secrets.compare_digest(about.share.encode(), token.encode()):
            return identifier
    raise StoreError("This link shows nothing any more; ask for another one.")


def pack_study(shelf: AbstractShelf, identifier: str) -> bytes:
    """Return a zip of a study's file and its results, without rows and logs."""
    folder = shelf.folder(identifier)
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        for path in sorted(folder.rglob("*")):
            name = path.relative_to(folder)
            if path.is_file() and path.suffix in PACKED and name.name not in PRIVATE:
                archive.write(path, f"{identifier}/{name}")
    return buffer.getvalue()


def waiting_in(everything: Mapping[str, About]) -> list[str]:
    """Return the studies that wait for their turn, the next one first."""
    waiting = [(one.queued, name) for name, one in everything.items() if one.queued]
    return [name for _, name in sorted(waiting)]


def is_at_work(shelf: AbstractShelf, identifier: str, about: About) -> bool:
    """Return whether a study's process is alive, here or on another machine."""
    if about.host in ("", this_machine()):
        job = find_job(shelf.home / identifier)
        return job is not None and job.is_running()
    return about.at_work and time.time() - about.seen < SILENT_S


def study_settings(shelf: AbstractShelf, identifier: str) -> Mapping[str, Any]:
    """Return a study's settings as its file has them; empty where it has none."""
    try:
        return tomllib.loads(study_text(shelf, identifier))
    except tomllib.TOMLDecodeError:
        return {}


def study_text(shelf: AbstractShelf, identifier: str) -> str:
    """Return a study's file as it was written; empty where there is none."""
    for name in (ASKED_NAME, STUDY_NAME):
        content = shelf.read(identifier, name)
        if content is not None:
            return content.decode(errors="replace")
    return ""


def comparison_of(shelf: AbstractShelf, identifier: str) -> Mapping[str, Any] | None:
    """Return what a study has found, or None while there is nothing to compare."""
    content = shelf.read(identifier, COMPARISON_NAME)
    try:
        return None if content is None else json.loads(content)
    except ValueError:
        return None


def best_of(comparison: Mapping[str, Any]) -> Best | None:
    """Return the cell with the best mean validation score, the first of equals."""
    cells = [cell for cell in comparison["cells"] if cell["val_mean"] is not None]
    if not cells:
        return None
    sign = 1 if METRICS[comparison["metric"]].higher_is_better else -1
    best = max(cells, key=lambda cell: sign * cell["val_mean"])
    shown = [
        str(best[part])
        for part in ("source", "topology", "model", "remedy")
        if part == "topology" or len({cell[part] for cell in cells}) > 1
    ]
    is_halved = "halving" in comparison
    return Best(
        cell=f"{' '.join(shown)} at depth {best['depth']}"
        f"{', exploratory' if is_halved else ''}",
        metric=comparison["metric"],
        mean=best["mean"],
        low=best["low"],
        high=best["high"],
        seeds=tuple(best["seeds"]),
    )


def _entry(
    shelf: AbstractShelf, identifier: str, about: About, waiting: list[str]
) -> Entry:
    progress = _progress(shelf, identifier)
    comparison = comparison_of(shelf, identifier)
    state = _state(shelf, identifier, about, progress, comparison is not None)
    settings = study_settings(shelf, identifier) if not about.name else {}
    return Entry(
        identifier=identifier,
        about=about,
        title=about.name or _title(settings) or identifier,
        state=state,
        ahead=waiting.index(identifier) if state is StudyState.QUEUED else 0,
        done=progress.done if progress else 0,
        total=progress.total if progress else 0,
        seconds_left=progress.seconds_left if progress else None,
        best=None if comparison is None else best_of(comparison),
        reason=_reason(shelf, identifier) if state is StudyState.STOPPED else "",
    )


def _progress(shelf: AbstractShelf, identifier: str) -> Progress | None:
    content = shelf.read(identifier, PROGRESS_NAME)
    return None if content is None else progress_from(content)


def _state(
    shelf: AbstractShelf,
    identifier: str,
    about: About,
    progress: Progress | None,
    has_results: bool,
) -> StudyState:
    if is_at_work(shelf, identifier, about):
        return StudyState.RUNNING
    if about.queued is not None:
        return StudyState.QUEUED
    if progress is not None and progress.phase in ("done", "cancelled"):
        return StudyState(progress.phase)
    if shelf.read(identifier, CANCELLED_NAME) is not None:
        return StudyState.CANCELLED
    if progress is not None or (
        not has_results and shelf.read(identifier, JOB_NAME) is not None
    ):
        return StudyState.STOPPED
    return StudyState.DONE if has_results else StudyState.NEW


def _title(settings: Mapping[str, Any]) -> str:
    """Return what a study file says: what is predicted, and on which graphs."""
    task, arms = settings.get("task", {}), settings.get("arms", [])
    asked = task.get("target") or task.get("name")
    if not asked:
        return ""
    graphs = dict.fromkeys(
        str(arm.get("topology", "")).rpartition("/")[2].removesuffix(".toml")
        for arm in arms
    )
    return f"{asked} on {', '.join(graphs)}"


def _reason(shelf: AbstractShelf, identifier: str) -> str:
    """Return what the process said last on its way out."""
    log = (shelf.read(identifier, LOG_NAME) or b"").decode(errors="replace")
    return next((line for line in reversed(log.splitlines()) if line.strip()), "")


def _searched(entry: Entry) -> str:
    best = entry.best.cell if entry.best else ""
    about = entry.about
    parts = (entry.title, *about.tags, about.notes, best, entry.identifier)
    return " ".join(parts).casefold()
