"""What every kind of source has in common: tables as it declares them, and rows.

A reader is one kind of source (a member of ``readers/``); a snapshot is written from
any of them in the same way.
"""

from abc import ABC, abstractmethod
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from types import TracebackType

import pyarrow as pa

BATCH_ROWS = 50_000


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
    """A declared foreign key; its table and columns are known to exist."""

    columns: tuple[str, ...]
    ref_table: str
    ref_columns: tuple[str, ...]


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
        types: The Arrow type of every column that is read, by table and column.
        warnings: What was left out or read differently, one sentence each.
    """

    tables: tuple[SourceTable, ...]
    types: Mapping[tuple[str, str], pa.DataType]
    warnings: tuple[str, ...]


class AbstractReader(ABC):
    """One opened source, read-only; a context manager that closes it again."""

    @property
    @abstractmethod
    def name(self) -> str:
        """The short name of the source, such as the stem of its file."""

    @property
    @abstractmethod
    def fingerprint(self) -> str:
        """A hexadecimal hash of everything the source holds."""

    @abstractmethod
    def reflect(self) -> Reflection:
        """Return tables, keys and the type every column is read as."""

    @abstractmethod
    def batches(
        self, table: SourceTable, types: Mapping[tuple[str, str], pa.DataType]
    ) -> Iterator[pa.RecordBatch]:
        """Yield the rows of a table in the source's order, columns as reflected."""

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
