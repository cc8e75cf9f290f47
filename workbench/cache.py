"""What is kept on this machine: where, how large, and gone on request."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from workbench.database import cache_directory

KEPT = ("snapshots", "samples")


@dataclass(frozen=True, slots=True)
class CacheEntry:
    """A file that can be made again.

    Attributes:
        path: Where it lies.
        num_bytes: How large it is.
    """

    path: Path
    num_bytes: int


def list_cache() -> tuple[CacheEntry, ...]:
    """Return the snapshots and sample databases that are kept, largest first."""
    entries = (CacheEntry(path, path.stat().st_size) for path in _files())
    return tuple(sorted(entries, key=lambda entry: (-entry.num_bytes, entry.path)))


def clear_cache() -> int:
    """Remove the snapshots and sample databases that are kept; results stay.

    Returns:
        How many bytes that freed.
    """
    entries = list_cache()
    for entry in entries:
        entry.path.unlink(missing_ok=True)
    return sum(entry.num_bytes for entry in entries)


def _files() -> Iterator[Path]:
    for folder in KEPT:
        yield from (cache_directory() / folder).glob("**/*.*")
