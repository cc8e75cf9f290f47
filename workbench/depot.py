"""Arrays kept by what they were made of: on disk, mapped by every process that asks.

A file is named by its key, so that nothing on the depot is ever out of date. It is
written beside its place and renamed, checked whole before it is read, and made again
where anything about it is wrong.
"""

import hashlib
import json
import struct
import tempfile
import zlib
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import cache
from importlib.metadata import distribution
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np

from workbench.memo import Memo
from workbench.resources import PACKAGE

ENDING = ".part"
NOBODY = "any"  # in place of a fingerprint
MAX_BYTES = 4 * 10**9
MAGIC = b"wbparts1"
HEAD = struct.Struct("<8sII")  # magic, length of the description, checksum of the rest
ALIGNED = 64
CHUNK = 1024 * 1024
KINDS = frozenset({"|b1", "|u1", "<i4", "<i8", "<f4", "<f8"})
MADE_WITH = ("duckdb", "numpy", "pyarrow", "scikit-learn", "scipy")
CHECKS_EVERY = 16  # how often the size is looked at while one limit's worth is written


@dataclass(frozen=True, slots=True)
class Arrays:
    """A few arrays and what is said of them, which JSON can hold.

    Attributes:
        arrays: By name.
        facts: Texts, numbers and lists of them.
    """

    arrays: Mapping[str, np.ndarray]
    facts: Mapping[str, Any] = field(default_factory=dict)

    @property
    def nbytes(self) -> int:
        """What the arrays take."""
        return sum(one.nbytes for one in self.arrays.values())


class Depot:
    """A folder of arrays; what was used longest ago goes when it is full.

    Two processes may make the same at the same time: both write it, and it is the same.
    Where the folder cannot be written to, or there is none, everything works as if
    nothing had been kept.

    Args:
        folder: Where it lies; None for nowhere.
        rows: Fingerprint of the rows that everything here is made of.
        made_by: Stands for the code that makes it; by default the code as it is.
        max_bytes: How much all files may take.
    """

    def __init__(
        self,
        folder: Path | None,
        rows: str = "",
        made_by: str | None = None,
        max_bytes: int = MAX_BYTES,
    ) -> None:
        self._folder = folder
        self._rows = rows
        self._made_by = made_by
        self._max_bytes = max_bytes
        self._unchecked: int | None = None  # bytes written since the size was looked at
        self._held = Memo()

    def get(
        self,
        key: str,
        make: Callable[[], Arrays],
        fits: Callable[[Arrays], bool] = lambda arrays: True,
    ) -> Arrays:
        """Return what a key stands for, made now where it is not kept.

        Args:
            key: Says all that the arrays are made of.
            make: Makes them.
            fits: Whether what was read can be used; else it is made again.

        Returns:
            The arrays. Those read from disk are mapped: they take memory as they are
            used, the same memory in all processes, and a write to one stays private.
        """
        return self._held.get(key, lambda: self._find(key, make, fits))

    def _find(
        self,
        key: str,
        make: Callable[[], Arrays],
        fits: Callable[[Arrays], bool],
    ) -> Arrays:
        if self._folder is None:
            return make()
        maker = code_version() if self._made_by is None else self._made_by
        content = f"{self._rows} {maker} {key}"
        digest = hashlib.blake2b(content.encode(), digest_size=16).hexdigest()
        path = self._folder / f"{self._rows or NOBODY}-{digest}{ENDING}"
        found = _read(path, digest)
        if found is not None and _is_usable(found, fits):
            return found
        made = make()
        try:
            self._folder.mkdir(parents=True, exist_ok=True)
            _write(path, digest, made)
            self._make_room(path.stat().st_size)
        except OSError:  # read-only or full: nothing is kept
            return made
        return _read(path, digest, is_checked=False) or made

    def _make_room(self, written: int) -> None:
        """Remove what was used longest ago, looking now and then."""
        if self._unchecked is not None:
            self._unchecked += written
            if self._unchecked * CHECKS_EVERY < self._max_bytes:
                return
        self._unchecked = 0
        files = sorted(self._files())
        total = sum(size for _, size, _ in files)
        for _, size, path in files:
            if total <= self._max_bytes:
                break
            path.unlink(missing_ok=True)
            total -= size

    def _files(self) -> Iterator[tuple[float, int, Path]]:
        for path in (self._folder or Path()).glob(f"*{ENDING}"):
            try:
                state = path.stat()
            except FileNotFoundError:  # another process made room as well
                continue
            yield state.st_mtime, state.st_size, path


def _is_usable(found: Arrays, fits: Callable[[Arrays], bool]) -> bool:
    try:
        return fits(found)
    except (KeyError, TypeError, ValueError):  # other arrays than those asked for
        return False


@cache
def code_version() -> str:
    """Return a digest of what makes arrays of rows: our modules and the libraries."""
    found = hashlib.blake2b(digest_size=16)
    for name in MADE_WITH:
        found.update(f"{name} {_version(name)}\n".encode())
    for path in sorted(PACKAGE.glob("*.py")):
        found.update(path.read_bytes())
    return found.hexdigest()


def _version(name: str) -> str:
    """Return a library's version, without reading all that it says of itself."""
    said = distribution(name).read_text("METADATA") or ""
    lines = (line for line in said.splitlines() if line.startswith("Version:"))
    return next(lines, "")


def _write(path: Path, digest: str, made: Arrays) -> None:
    listed = [
        [name, one.dtype.str, list(one.shape)] for name, one in made.arrays.items()
    ]
    content = {"key": digest, "arrays": listed, "facts": dict(made.facts)}
    described = json.dumps(content).encode()
    described += b" " * (-(HEAD.size + len(described)) % ALIGNED)
    pieces = [memoryview(described)]
    for one in made.arrays.values():
        flat = np.ascontiguousarray(one).reshape(-1).view(np.uint8)
        pieces += [flat.data, memoryview(bytes(-len(flat) % ALIGNED))]
    checksum = 0
    for piece in pieces:
        checksum = zlib.crc32(piece, checksum)
    with tempfile.NamedTemporaryFile(
        dir=path.parent, prefix="draft-", delete=False
    ) as file:
        draft = Path(file.name)
        try:
            file.write(HEAD.pack(MAGIC, len(described), checksum))
            for piece in pieces:
                file.write(piece)
            file.close()
            draft.replace(path)
        except OSError:
            draft.unlink(missing_ok=True)
            raise


def _read(path: Path, digest: str, *, is_checked: bool = True) -> Arrays | None:
    """Return what a file holds, or None where it is missing or not as it was written.

    Nothing in it is run, and what it says of itself counts only where the file is as
    long as that and has the checksum that was written into it.
    """
    try:
        with path.open("rb") as file:
            magic, length, checksum = HEAD.unpack(file.read(HEAD.size))
            if magic != MAGIC:
                return None
            described = file.read(length)
            if is_checked and _checksum(file, described) != checksum:
                return None
        found = _mapped(path, json.loads(described), HEAD.size + length)
        if found is None or json.loads(described)["key"] != digest:
            return None
        path.touch()
    except (OSError, struct.error, ValueError, KeyError, TypeError):
        return None
    return found


def _checksum(file: BinaryIO, described: bytes) -> int:
    checksum = zlib.crc32(described)
    buffer = memoryview(bytearray(CHUNK))
    while (count := file.readinto(buffer)) > 0:  # type: ignore[attr-defined]
        checksum = zlib.crc32(buffer[:count], checksum)
    return checksum


def _mapped(path: Path, content: Mapping[str, Any], start: int) -> Arrays | None:
    """Return the arrays of a file that is exactly as long as they are together."""
    arrays: dict[str, np.ndarray] = {}
    size = path.stat().st_size
    whole = np.memmap(path, dtype=np.uint8, mode="c")
    for name, kind, shape in content["arrays"]:
        if kind not in KINDS or not all(type(one) is int and one >= 0 for one in shape):
            return None
        count = np.dtype(kind).itemsize
        for one in shape:
            count *= one
        if start + count > size:
            return None
        held = np.asarray(whole[start : start + count])
        arrays[name] = held.view(kind).reshape(shape)
        start += count + -count % ALIGNED
    return Arrays(arrays, content["facts"]) if start == size else None
