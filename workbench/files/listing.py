"""Which files of a folder or archive are tables, under which names, with which hash."""

import hashlib
import os
import re
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from enum import Enum
from pathlib import Path, PurePosixPath

from workbench.errors import DatabaseError
from workbench.reader import hash_file

MAX_FILES = 20_000
TEXTS = (".csv", ".tsv", ".tab", ".txt")
PACKED = (".gz", ".bz2", ".xz")
PARQUETS = (".parquet", ".pq")
UNMENTIONED = re.compile(
    r"(read_?me|licen[cs]e|copying|notice|authors|changelog|_success|_metadata"
    r"|_common_metadata|thumbs\.db|desktop\.ini)\b.*",
    re.IGNORECASE,
)
PART = re.compile(r"(part|chunk|data|shard|train|file)?[-_.]?\d+\b.*", re.IGNORECASE)
NUM_SHOWN = 5


class Form(Enum):
    """What a file holds."""

    TEXT = "text"
    PARQUET = "parquet"


@dataclass(frozen=True, slots=True)
class File:
    """A file that may be a table.

    Attributes:
        name: Its name relative to the folder, with ``/`` between folders.
        path: Where it lies.
    """

    name: str
    path: Path

    @property
    def form(self) -> Form:
        """What it holds, by its name."""
        return Form.PARQUET if _ending(self.name) in PARQUETS else Form.TEXT

    @property
    def is_packed(self) -> bool:
        """Whether it is compressed as a whole."""
        return self.name.lower().endswith(PACKED)


@dataclass(frozen=True, slots=True)
class Named:
    """A table and the files it lies in: one, or several parts with one schema."""

    name: str
    files: tuple[File, ...]


def is_table(name: str) -> bool:
    """Return whether a file is read, by its name."""
    return not is_unmentioned(name) and _ending(name) in (*TEXTS, *PARQUETS)


def is_unmentioned(name: str) -> bool:
    """Return whether nobody expects a file to be a table."""
    parts = PurePosixPath(name).parts
    return any(part.startswith(".") or part == "__MACOSX" for part in parts) or bool(
        parts and UNMENTIONED.fullmatch(parts[-1])
    )


def list_folder(folder: Path) -> tuple[list[File], list[str]]:
    """Return the files of a folder that may be tables, and sentences on the others.

    Nothing outside the folder is followed to, and nothing is opened.

    Raises:
        DatabaseError: There are too many files, or the folder may not be read.
    """
    root = folder.resolve()
    found: list[File] = []
    outside: list[str] = []
    others: list[str] = []
    num_files = 0
    for place, folders, files in os.walk(root, onerror=_refuse):
        folders[:] = sorted(each for each in folders if not each.startswith("."))
        num_files += len(files) + len(folders)
        if num_files > MAX_FILES:
            raise DatabaseError(
                f'The folder "{folder}" holds more than {MAX_FILES:,} files; give the'
                " folder with the tables alone."
            )
        linked = [each for each in folders if (Path(place) / each).is_symlink()]
        for name in sorted([*files, *linked]):
            path = Path(place) / name
            relative = path.relative_to(root).as_posix()
            if is_unmentioned(relative):
                continue
            if path.is_symlink() and not path.resolve().is_relative_to(root):
                outside.append(relative)
            elif path.is_file() and is_table(relative):
                found.append(File(relative, path))
            else:
                others.append(relative)
    sentences = left_out(outside, "lead out of the folder")
    sentences += left_out(others, "are no tables")
    return sorted(found, key=lambda one: one.name), sentences


def left_out(names: Sequence[str], why: str) -> list[str]:
    """Return the sentence that files are left out, or nothing where there are none."""
    if not names:
        return []
    shown = ", ".join(f'"{name[:100]}"' for name in sorted(names)[:NUM_SHOWN])
    more = f" and {len(names) - NUM_SHOWN:,} more" if len(names) > NUM_SHOWN else ""
    return [f"Left out, as they {why}: {shown}{more}."]


def name_tables(files: Iterable[File], root: str) -> list[Named]:
    """Return the tables that files are.

    A table is called by its file's stem, with its folder before it where another table
    has that stem. Several numbered Parquet files in one folder are parts of one table.

    Args:
        files: The files, by name.
        root: What the whole folder is called.
    """
    by_folder: dict[str, list[File]] = {}
    for file in files:
        by_folder.setdefault(str(PurePosixPath(file.name).parent), []).append(file)
    found: list[tuple[str, str, tuple[File, ...]]] = []
    for folder, members in by_folder.items():
        above = "" if folder == "." else folder
        if len(members) > 1 and all(map(_is_part, members)):
            named = PurePosixPath(above or root)
            found.append((_stem(named.name), _dotted(named.parent), tuple(members)))
            continue
        for file in members:
            stem = _stem(PurePosixPath(file.name).name)
            found.append((stem, _dotted(PurePosixPath(above)), (file,)))
    counts = Counter(stem.casefold() for stem, _, _ in found)
    return [
        Named(f"{above}.{stem}" if above and counts[stem.casefold()] > 1 else stem, own)
        for stem, above, own in found
    ]


def hash_files(files: Iterable[File], notes: Iterable[str] = ()) -> str:
    """Return 16 hexadecimal digits over the names and contents of files.

    Args:
        files: The files.
        notes: What else a reader makes of them, such as warnings.

    Raises:
        DatabaseError: One of them may not be read.
    """
    total = hashlib.sha256()
    for file in sorted(files, key=lambda one: one.name):
        total.update(hashlib.sha256(file.name.encode(errors="replace")).digest())
        total.update(hash_file(file.path))
    for note in notes:
        total.update(hashlib.sha256(note.encode(errors="replace")).digest())
    return total.hexdigest()[:16]


def _refuse(error: OSError) -> None:
    raise DatabaseError(f'The folder "{error.filename}" may not be read.') from error


def _ending(name: str) -> str:
    plain = name.lower()
    for packed in PACKED:
        unpacked = plain.removesuffix(packed)
        if unpacked != plain:
            ending = PurePosixPath(unpacked).suffix
            return ending if ending in TEXTS else packed
    return PurePosixPath(plain).suffix


def _stem(name: str) -> str:
    plain = name
    for ending in (*PACKED, *TEXTS, *PARQUETS):
        if plain.lower().endswith(ending) and len(plain) > len(ending):
            plain = plain[: -len(ending)]
    return plain


def _dotted(folder: PurePosixPath) -> str:
    return ".".join(part for part in folder.parts if part not in (".", "/"))


def _is_part(file: File) -> bool:
    name = PurePosixPath(file.name).name
    return file.form is Form.PARQUET and bool(PART.fullmatch(_stem(name)))
