"""Archives, unpacked into a private folder without believing what they say.

Members are written under numbers, never under the names that the archive gives them, so
that no name can lead out of the folder; what is written is counted, not what a header
announces.
"""

import bz2
import gzip
import io
import lzma
import stat
import struct
import tarfile
import unicodedata
import zipfile
import zlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any, BinaryIO

from workbench.errors import DatabaseError
from workbench.limits import Limits

MAX_MEMBERS = 20_000
MAX_RATIO = 500  # of what comes out to what went in
FREE_BYTES = 50_000_000  # below this no ratio is absurd
MAX_INDEX_BYTES = 64_000_000  # what a zip says of its members is held in memory
CHUNK = 1 << 20
END_OF_ZIP, END_OF_ZIP64 = b"PK\x05\x06", b"PK\x06\x06"
DAMAGES = (
    zipfile.BadZipFile,
    tarfile.TarError,
    zlib.error,
    lzma.LZMAError,
    struct.error,
    EOFError,
    OSError,
    ValueError,
    OverflowError,
    IndexError,
    KeyError,
    MemoryError,
)


@dataclass(frozen=True, slots=True)
class Member:
    """A file that came out of an archive.

    Attributes:
        name: What the archive calls it, with ``/`` between folders.
        path: Where it lies in the private folder.
    """

    name: str
    path: Path


class Budget:
    """How much may still come out of one archive, counted as it comes out."""

    def __init__(self, shown: str, packed: int, limits: Limits) -> None:
        """Start counting.

        Args:
            shown: How the archive is named in messages, such as ``archive "a.zip"``.
            packed: Its size in bytes.
            limits: How much may be read.
        """
        self.shown = shown
        self._packed = max(packed, 1)
        self._limits = limits
        self._unpacked = 0
        self._members: set[str] = set()

    def admit(self, name: str) -> None:
        """Count a member.

        Raises:
            DatabaseError: Its name leads elsewhere or comes twice, or there are too
                many.
        """
        plain = unicodedata.normalize("NFC", name).replace("\\", "/").rstrip("/")
        parts = plain.split("/")
        if plain.startswith("/") or ":" in parts[0] or ".." in parts or "\0" in plain:
            raise self.refusal(name, "leads out of the archive")
        if plain in self._members:
            raise self.refusal(name, "is there twice")
        self._members.add(plain)
        if len(self._members) > MAX_MEMBERS:
            raise DatabaseError(
                f"The {self.shown} has more than {MAX_MEMBERS:,} members; give the"
                " tables alone."
            )

    def spend(self, num_bytes: int, name: str) -> None:
        """Count bytes of a member.

        Raises:
            DatabaseError: They are too many, in all or for so small an archive.
        """
        self._unpacked += num_bytes
        self._limits.check(
            "megabytes", self._unpacked // 1_000_000, f"megabytes in the {self.shown}"
        )
        if self._unpacked > max(FREE_BYTES, MAX_RATIO * self._packed):
            raise self.refusal(
                name, f"grows to more than {MAX_RATIO} times the size of the archive"
            )

    def refusal(self, name: str, why: str) -> DatabaseError:
        """Return the sentence that a member is the reason to read nothing."""
        return DatabaseError(
            f'The {self.shown} is not unpacked: its member "{name[:200]}" {why}.'
        )


def unpack(
    path: Path, folder: Path, limits: Limits, is_wanted: Callable[[str], bool]
) -> tuple[list[Member], list[str]]:
    """Unpack a zip or a tar, compressed or not.

    Args:
        path: The archive.
        folder: The private folder to write to; nothing is written outside.
        limits: How much may come out.
        is_wanted: Whether a member of that name is to be unpacked.

    Returns:
        The members that were unpacked, by name, and the names of the other files.

    Raises:
        DatabaseError: The archive is damaged or hostile; it names the member.
    """
    budget = Budget(f'archive "{path}"', path.stat().st_size, limits)
    with told(budget.shown):
        if is_zip(path):
            found = list(_unpack_zip(path, folder, budget, is_wanted))
        else:
            with _decompressed(path) as stream:
                counted = _Counted(stream, budget, path.name)
                found = list(_unpack_tar(counted, folder, budget, is_wanted))
    unpacked = [Member(name, at) for name, at in found if at is not None]
    others = sorted(name for name, at in found if at is None)
    return sorted(unpacked, key=lambda one: one.name), others


def decompress(path: Path, target: Path, budget: Budget) -> None:
    """Write what a file of gzip, bzip2 or xz holds to another file.

    Raises:
        DatabaseError: It is damaged, or too much comes out.
    """
    with told(budget.shown), _decompressed(path) as stream, target.open("xb") as out:
        _copy(stream, out, path.name, budget)


def is_zip(path: Path) -> bool:
    """Return whether a file begins like a zip, also an empty one."""
    with path.open("rb") as file:
        return file.read(4) in (b"PK\x03\x04", END_OF_ZIP)


def is_tar(path: Path) -> bool:
    """Return whether a file is a tar, compressed or not."""
    try:
        with _decompressed(path) as stream:
            head = stream.read(512)
    except DAMAGES:
        return False
    return head[257:262] == b"ustar" or _is_old_tar(head)


@contextmanager
def told(shown: str) -> Iterator[None]:
    """Turn what a damaged file raises into one sentence.

    Raises:
        DatabaseError: Something else than a DatabaseError was raised inside.
    """
    try:
        yield
    except DAMAGES as error:
        raise DatabaseError(
            f"The {shown} is damaged or cut short: {_cause(error)}."
        ) from error
    except NotImplementedError as error:
        raise DatabaseError(
            f"The {shown} is packed in a way that cannot be read; pack it again with"
            " an ordinary zip or tar."
        ) from error


def _cause(error: Exception) -> str:
    text = " ".join(str(error).split()).rstrip(".")
    return text[:200] or type(error).__name__


def _unpack_zip(
    path: Path, folder: Path, budget: Budget, is_wanted: Callable[[str], bool]
) -> Iterator[tuple[str, Path | None]]:
    _check_index(path, budget)
    with zipfile.ZipFile(path) as archive:
        for at, member in enumerate(archive.infolist()):
            budget.admit(member.filename)
            _check_zip_member(member, budget)
            if member.is_dir():
                continue
            if not is_wanted(member.filename):
                yield member.filename, None
                continue
            target = folder / f"member-{at}"
            with archive.open(member) as source, target.open("xb") as out:
                _copy(source, out, member.filename, budget)
            yield member.filename, target


def _check_index(path: Path, budget: Budget) -> None:
    """Refuse a zip whose list of members alone would fill the memory."""
    with path.open("rb") as file:
        size = file.seek(0, io.SEEK_END)
        file.seek(max(0, size - (1 << 16) - 128))
        tail = file.read()
    at = tail.rfind(END_OF_ZIP)
    if at < 0:
        raise zipfile.BadZipFile("the list of its members is missing")
    index_size = struct.unpack_from("<L", tail, at + 12)[0]
    wide = tail.rfind(END_OF_ZIP64, 0, at)
    if index_size == 0xFFFFFFFF and wide >= 0:
        index_size = struct.unpack_from("<Q", tail, wide + 40)[0]
    if index_size > MAX_INDEX_BYTES:
        raise DatabaseError(
            f"The {budget.shown} has more than {MAX_MEMBERS:,} members; give the"
            " tables alone."
        )


def _check_zip_member(member: zipfile.ZipInfo, budget: Budget) -> None:
    mode = stat.S_IFMT(member.external_attr >> 16)
    if stat.S_ISLNK(mode):
        raise budget.refusal(member.filename, "is a link")
    if mode and not (stat.S_ISREG(mode) or stat.S_ISDIR(mode)):
        raise budget.refusal(member.filename, "is a device or pipe")
    if member.flag_bits & 0x1:
        raise budget.refusal(
            member.filename, "is encrypted; pack it again without a password"
        )


def _unpack_tar(
    stream: "_Counted", folder: Path, budget: Budget, is_wanted: Callable[[str], bool]
) -> Iterator[tuple[str, Path | None]]:
    # As a stream: nothing is sought, so that every byte is counted on its way.
    with tarfile.open(fileobj=stream, mode="r|", errors="replace") as archive:
        for at, member in enumerate(archive):
            name = member.name.removeprefix("./")
            if name in ("", "."):
                continue
            budget.admit(name)
            if member.isdir():
                continue
            if member.issym() or member.islnk():
                raise budget.refusal(name, "is a link")
            if not member.isfile():
                raise budget.refusal(name, "is a device or pipe")
            if not is_wanted(name):
                yield name, None
                continue
            target = folder / f"member-{at}"
            source = archive.extractfile(member)
            if source is None:
                raise budget.refusal(name, "has no content")
            with source, target.open("xb") as out:
                # The stream below counts already.
                written = _copy(source, out, name, None)
            if written != member.size:
                raise EOFError(f'the member "{name}" is cut short')
            yield name, target
        # A damaged header ends the members as silently as the zeros at a tar's end.
        rest = archive.fileobj
        while rest is not None and (chunk := rest.read(CHUNK)):
            if chunk.strip(b"\0"):
                raise tarfile.ReadError("there is no header where a member begins")


def _copy(
    source: IO[bytes], target: IO[bytes], name: str, budget: Budget | None
) -> int:
    written = 0
    while chunk := source.read(CHUNK):
        if budget is not None:
            budget.spend(len(chunk), name)
        target.write(chunk)
        written += len(chunk)
    return written


class _Counted(io.RawIOBase):
    """A stream that spends a budget as it is read."""

    def __init__(self, stream: IO[bytes], budget: Budget, name: str) -> None:
        self._stream = stream
        self._budget = budget
        self._name = name

    def readable(self) -> bool:
        return True

    def read(self, size: int = -1) -> bytes:
        chunk = self._stream.read(CHUNK if size < 0 else min(size, CHUNK))
        self._budget.spend(len(chunk), self._name)
        return chunk


@contextmanager
def _decompressed(path: Path) -> Iterator[IO[Any]]:
    with path.open("rb") as file:
        head = file.read(6)
        file.seek(0)
        with _opened(file, head) as stream:
            yield stream


def _opened(file: BinaryIO, head: bytes) -> Any:  # all of them read bytes
    if head.startswith(b"\x1f\x8b"):
        return gzip.GzipFile(fileobj=file)
    if head.startswith(b"BZh"):
        return bz2.BZ2File(file)
    if head.startswith(b"\xfd7zXZ"):
        return lzma.LZMAFile(file)
    return file


def _is_old_tar(head: bytes) -> bool:
    """Return whether a block is the header of a tar from before there was a magic."""
    if len(head) < 512 or not head[:1].strip(b"\0"):
        return False
    try:
        written = int(head[148:156].strip(b" \0") or b"-1", 8)
    except ValueError:
        return False
    return written == sum(head[:148]) + 8 * 32 + sum(head[156:])
