"""A source that is prepared when its rows are first asked for."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path

import pyarrow as pa

from workbench.errors import DatabaseError
from workbench.reader import AbstractReader, Reflection, SourceTable

State = tuple[tuple[str, int, int], ...]
"""Path, size and time of the last change of every file."""


class DeferredReader(AbstractReader):
    """Wraps the reader of files that are costly to prepare.

    The fingerprint is known at once, so that rows which are in the cache already are
    not parsed a second time.
    """

    def __init__(
        self,
        name: str,
        fingerprint: str,
        prepare: Callable[[], AbstractReader],
        check: Callable[[], None],
    ) -> None:
        """Remember how to prepare the source.

        Args:
            name: The short name of the source.
            fingerprint: A hexadecimal hash of its content.
            prepare: Parses the source and returns the reader of the result.
            check: Raises a DatabaseError when the source has changed.
        """
        self._name = name
        self._fingerprint = fingerprint
        self._prepare = prepare
        self._check = check
        self._prepared: AbstractReader | None = None

    @property
    def name(self) -> str:
        """The short name of the source."""
        return self._name

    @property
    def fingerprint(self) -> str:
        """The hash of the content."""
        return self._fingerprint

    def reflect(self) -> Reflection:
        """Prepare the source where that has not been done, and describe it."""
        if self._prepared is None:
            self._prepared = self._prepare()
        return self._prepared.reflect()

    def batches(
        self, table: SourceTable, types: Mapping[tuple[str, str], pa.DataType]
    ) -> Iterator[pa.RecordBatch]:
        """Yield the rows in the order of the source; `reflect` comes first."""
        if self._prepared is not None:
            yield from self._prepared.batches(table, types)

    def verify(self) -> None:
        """Check that the source still is what was fingerprinted."""
        self._check()

    def close(self) -> None:
        """Close what was prepared."""
        if self._prepared is not None:
            self._prepared.close()


def state_of(paths: Sequence[Path]) -> State:
    """Return what changes when one of several files is written to.

    Raises:
        DatabaseError: One of them cannot be looked at.
    """
    found = []
    for path in paths:
        try:
            stat = path.stat()
        except OSError as error:
            raise DatabaseError(f'The file "{path}" may not be read.') from error
        found.append((str(path), stat.st_size, stat.st_mtime_ns))
    return tuple(found)


def checking(paths: Sequence[Path], state: State) -> Callable[[], None]:
    """Return what raises a DatabaseError once a file is no longer as it was."""

    def check() -> None:
        for old, new in zip(state, state_of(paths), strict=True):
            if old != new:
                raise DatabaseError(
                    f'The file "{new[0]}" changes while it is being read; close the'
                    " program that writes to it, or give a copy."
                )

    return check
