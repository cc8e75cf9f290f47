"""What is kept on this machine: where, how large, and gone on request."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

import duckdb

from workbench.database import cache_directory, reopen
from workbench.errors import DatabaseError

SNAPSHOTS, SAMPLES = "snapshots", "samples"


@dataclass(frozen=True, slots=True)
class CacheEntry:
    """A file that can be made again.

    Attributes:
        path: Where it lies.
        kind: ``"snapshot"`` or ``"sample"``.
        name: The source it was read from, without a password.
        num_bytes: How large it is.
        written: When it was written, in local time.
    """

    path: Path
    kind: str
    name: str
    num_bytes: int
    written: datetime


def source_of(path: Path) -> str:
    """Return what a snapshot was read from; it has to be opened to tell."""
    try:
        with reopen(path) as database:
            return database.source
    except (DatabaseError, duckdb.Error, KeyError):
        return path.stem  # of an older version, or being written


def list_cache(
    name_snapshot: Callable[[Path], str] = source_of,
) -> tuple[CacheEntry, ...]:
    """Return the snapshots and sample databases that are kept, largest first.

    Args:
        name_snapshot: Says what a snapshot was read from; who lists often may pass one
            that remembers.
    """
    entries = (_entry(path, name_snapshot) for path in _files())
    return tuple(sorted(entries, key=lambda entry: (-entry.num_bytes, entry.path)))


def clear_cache() -> int:
    """Remove the snapshots and sample databases that are kept; results stay.

    Returns:
        How many bytes that freed.
    """
    entries = list_cache(lambda path: path.stem)
    for entry in entries:
        entry.path.unlink(missing_ok=True)
    return sum(entry.num_bytes for entry in entries)


def _files() -> Iterator[Path]:
    for folder in (SNAPSHOTS, SAMPLES):
        for path in (cache_directory() / folder).glob("**/*.*"):
            if path.is_file():
                yield path


def _entry(path: Path, name_snapshot: Callable[[Path], str]) -> CacheEntry:
    state = path.stat()
    is_snapshot = SNAPSHOTS in path.parts
    return CacheEntry(
        path=path,
        kind="snapshot" if is_snapshot else "sample",
        name=name_snapshot(path) if is_snapshot else path.stem,
        num_bytes=state.st_size,
        written=datetime.fromtimestamp(state.st_mtime).replace(microsecond=0),
    )
