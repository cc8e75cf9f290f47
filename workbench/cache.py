"""What is kept on this machine: where, how large, and gone on request."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from itertools import groupby
from pathlib import Path

import duckdb

from workbench.database import cache_directory, reopen
from workbench.errors import DatabaseError
from workbench.snapshot import DEPOT, FOLDER

SAMPLES = "samples"


@dataclass(frozen=True, slots=True)
class CacheEntry:
    """A file that can be made again, or all that is kept of one database's graphs.

    Attributes:
        path: Where it lies; the folder of graphs.
        kind: ``"snapshot"``, ``"graphs"`` or ``"sample"``.
        name: The source it was read from, without a password.
        num_bytes: How large it is.
        written: When it was written, in local time; of graphs, when last used.
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
    """Return snapshots, graphs and sample databases that are kept, largest first.

    Args:
        name_snapshot: Says what a snapshot was read from; who lists often may pass one
            that remembers.
    """
    snapshots = {path: name_snapshot(path) for path in _files(FOLDER)}
    entries = [_entry("snapshot", *one) for one in snapshots.items()]
    entries += [_entry("sample", path, path.stem) for path in _files(SAMPLES)]
    entries += _graphs(snapshots)
    return tuple(sorted(entries, key=lambda one: (-one.num_bytes, one.path, one.name)))


def clear_cache() -> int:
    """Remove snapshots, graphs and sample databases that are kept; results stay.

    Returns:
        How many bytes that freed.
    """
    freed = 0
    for folder in (FOLDER, DEPOT, SAMPLES):
        for path in tuple(_files(folder)):
            freed += path.stat().st_size
            path.unlink(missing_ok=True)
    return freed


def _files(folder: str) -> Iterator[Path]:
    for path in (cache_directory() / folder).glob("**/*"):
        if path.is_file() and (path.suffix or folder == DEPOT):
            yield path


def _entry(kind: str, path: Path, name: str) -> CacheEntry:
    state = path.stat()
    written = _moment(state.st_mtime)
    return CacheEntry(path, kind, name, state.st_size, written)


def _graphs(snapshots: Mapping[Path, str]) -> Iterator[CacheEntry]:
    """Yield one entry a database: the parts of all its graphs together."""
    sources = {_owner(path): source for path, source in snapshots.items()}
    files = sorted(_files(DEPOT), key=_owner)
    for owner, members in groupby(files, key=_owner):
        states = [path.stat() for path in members]
        yield CacheEntry(
            path=cache_directory() / DEPOT,
            kind="graphs",
            name=sources.get(owner, owner),
            num_bytes=sum(one.st_size for one in states),
            written=_moment(max(one.st_mtime for one in states)),
        )


def _owner(path: Path) -> str:
    """Return the fingerprint that begins the name of a file."""
    return path.name.split("-")[0]


def _moment(seconds: float) -> datetime:
    return datetime.fromtimestamp(seconds).replace(microsecond=0)
