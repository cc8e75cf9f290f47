"""What every kind of source has in common: tables as it declares them, and rows.

A reader is one kind of source (a member of ``readers/``); a snapshot is written from
any of them in the same way.
"""

import hashlib
import re
from abc import ABC, abstractmethod
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from types import TracebackType

import pyarrow as pa
import pyarrow.compute as pc
from sqlalchemy.engine import URL

from workbench.errors import DatabaseError
from workbench.limits import Limits

BATCH_ROWS = 50_000
ROW = "__row"  # the column a snapshot adds to every table


@dataclass(frozen=True, slots=True)
class Request:
    """What a reader is asked to open.

    Attributes:
        address: The source as the user wrote it, without a password.
        paths: The files or folders that it names; empty for a server.
        url: A server's address with the password; never shown, stored or logged.
        schemas: The schemas of a server to read; its default one when empty.
        dialect: The SQL dialect of a script; detected when None.
        limits: How much may be read.
    """

    address: str
    paths: tuple[Path, ...] = ()
    url: URL | None = field(default=None, repr=False)
    schemas: tuple[str, ...] = ()
    dialect: str | None = None
    limits: Limits = field(default_factory=Limits)

    @property
    def path(self) -> Path:
        """The file or folder, where there is one."""
        return self.paths[0]


@dataclass(frozen=True, slots=True)
class SourceColumn:
    """A column as its source declares it.

    Attributes:
        name: Its name.
        sql_type: The declared type, empty where the source declares none.
        nullable: Whether the source allows NULL.
    """

    name: str
    sql_type: str
    nullable: bool


@dataclass(frozen=True, slots=True)
class SourceKey:
    """A declared foreign key.

    In a `Reflection` its table and columns are known to exist. In a reader's draft they
    may be anything, and no ``ref_columns`` stand for the parent's primary key.
    """

    columns: tuple[str, ...]
    ref_table: str
    ref_columns: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class SourceTable:
    """A table as its source declares it.

    Attributes:
        name: Its name.
        num_rows: Number of rows in the snapshot.
        columns: The columns that the snapshot holds, in the source's order.
        primary_key: The columns of the primary key; empty without one.
        foreign_keys: The declared foreign keys.
    """

    name: str
    num_rows: int
    columns: tuple[SourceColumn, ...]
    primary_key: tuple[str, ...]
    foreign_keys: tuple[SourceKey, ...]


@dataclass(frozen=True, slots=True)
class Reflection:
    """Everything a source says about itself before its rows are streamed.

    Attributes:
        tables: The tables, each with its number of rows.
        types: The Arrow type of every column that is read, by table and column: int64,
            double or string.
        warnings: What was left out or read differently, one sentence each.
        has_rows: False where the source is a schema and nothing else.
    """

    tables: tuple[SourceTable, ...]
    types: Mapping[tuple[str, str], pa.DataType]
    warnings: tuple[str, ...]
    has_rows: bool = True


class MistypedError(Exception):
    """A value is not of the type that was reflected: reflect and read once more."""


class AbstractReader(ABC):
    """One opened source, read-only; a context manager that closes it again."""

    @property
    @abstractmethod
    def name(self) -> str:
        """The short name of the source, such as the stem of its file."""

    @property
    @abstractmethod
    def fingerprint(self) -> str | None:
        """A hexadecimal hash of everything the source holds.

        None where that is not known before the rows are read, as of a server.
        """

    @abstractmethod
    def reflect(self) -> Reflection:
        """Return tables, keys and the type every column is read as."""

    @abstractmethod
    def batches(
        self, table: SourceTable, types: Mapping[tuple[str, str], pa.DataType]
    ) -> Iterator[pa.RecordBatch]:
        """Yield the rows of a table in the source's order, columns as reflected.

        Raises:
            MistypedError: A value is not of the column's type; `reflect` knows better
                from now on.
            DatabaseError: The source cannot be read.
        """

    @abstractmethod
    def verify(self) -> None:
        """Check that the source still is what was fingerprinted.

        Raises:
            DatabaseError: It has been written to since.
        """

    @abstractmethod
    def close(self) -> None:
        """Give back files and connections."""

    def __enter__(self) -> "AbstractReader":
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()


def quote(identifier: str) -> str:
    """Return a name as a quoted SQL identifier.

    >>> quote('an "odd" name')
    '"an ""odd"" name"'
    """
    return '"' + identifier.replace('"', '""') + '"'


def hash_file(path: Path) -> bytes:
    """Return the SHA-256 of a file's content.

    Raises:
        DatabaseError: The file may not be read.
    """
    try:
        with path.open("rb") as file:
            return hashlib.file_digest(file, "sha256").digest()
    except OSError as error:
        raise DatabaseError(f'The file "{path}" may not be read.') from error


def finite(numbers: pa.Array) -> pa.Array:
    """Return floats with NaN and infinities as missing values."""
    return pc.if_else(pc.is_finite(numbers), numbers, pa.scalar(None, numbers.type))


def distinct_names(names: Iterable[str], kind: str) -> tuple[list[str], list[str]]:
    """Return names that differ by more than case, and a sentence for each new one.

    Columns lose their dots as well, since ``table.column`` names a column everywhere.

    Args:
        names: The names as the source has them, in order; repeats and blanks happen.
        kind: ``"table"``, or ``"column of TABLE"`` for the columns of one.

    >>> distinct_names(["id", "ID", ""], "column of a")[0]
    ['id', 'ID_2', 'column_3']
    """
    found: list[str] = []
    taken, sentences = {ROW}, []
    for at, written in enumerate(names, start=1):
        plain = re.sub(r"[\x00-\x1f\x7f]+", " ", written).strip()
        if kind != "table":
            plain = plain.replace(".", "_")
        plain = plain or f"{kind.partition(' ')[0]}_{at}"
        name, number = plain, 2
        while name.casefold() in taken:
            name, number = f"{plain}_{number}", number + 1
        taken.add(name.casefold())
        found.append(name)
        if name != written:
            sentences.append(f'The {kind} written "{written}" is called "{name}" here.')
    return found, sentences


def resolve_keys(
    tables: Sequence[SourceTable], renamed: Mapping[str, Mapping[str, str]]
) -> tuple[tuple[SourceTable, ...], list[str]]:
    """Return tables whose keys name what exists, and a sentence for each key left out.

    Names match as they are spelt, else without regard to case; a key without
    ``ref_columns`` refers to the parent's primary key.

    Args:
        tables: Under their new names, but for the columns of foreign keys.
        renamed: By table, the new name of every column by the source's own.
    """
    sentences: list[str] = []
    whole = [replace(table, primary_key=_primary(table)) for table in tables]
    by_name = {table.name: table for table in whole}
    settled = []
    for table in whole:
        keys = []
        for key in table.foreign_keys:
            found = _resolve(key, table, by_name, renamed)
            if found is not None:
                keys.append(found)
                continue
            sentences.append(
                f'The key of "{table.name}" ({", ".join(key.columns)}) to'
                f' "{key.ref_table}" is left out: the table or a column of the key is'
                " not there."
            )
        settled.append(replace(table, foreign_keys=tuple(dict.fromkeys(keys))))
    return tuple(settled), sentences


def _primary(table: SourceTable) -> tuple[str, ...]:
    return _spelt(table.primary_key, [one.name for one in table.columns]) or ()


def _resolve(
    key: SourceKey,
    table: SourceTable,
    by_name: Mapping[str, SourceTable],
    renamed: Mapping[str, Mapping[str, str]],
) -> SourceKey | None:
    named = _spelt([key.ref_table], by_name)
    if not named:
        return None
    parent = by_name[named[0]]
    own = _held(key.columns, table, renamed)
    ref = parent.primary_key
    if key.ref_columns:
        ref = _held(key.ref_columns, parent, renamed)
    if not own or not ref or len(own) != len(ref):
        return None
    return SourceKey(own, parent.name, ref)


def _held(
    columns: Sequence[str],
    table: SourceTable,
    renamed: Mapping[str, Mapping[str, str]],
) -> tuple[str, ...] | None:
    """Return columns under their new names, or None if the table does not hold one."""
    new_names = renamed[table.name]
    written = _spelt(columns, new_names)
    if written is None:
        return None
    found = tuple(new_names[one] for one in written)
    return found if {*found} <= {one.name for one in table.columns} else None


def _spelt(names: Sequence[str], known: Iterable[str]) -> tuple[str, ...] | None:
    """Return names as they are spelt among those known, or None if one is not."""
    exact = list(known)
    folded: dict[str, str] = {}
    for name in exact:
        folded.setdefault(name.casefold(), name)
    found = [name if name in exact else folded.get(name.casefold()) for name in names]
    return None if None in found else tuple(name for name in found if name)
