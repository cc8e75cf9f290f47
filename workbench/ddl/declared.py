"""The tables that a script declares, and what of the script could not be read."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType


@dataclass(frozen=True, slots=True)
class DeclaredColumn:
    """A column as the script writes it.

    Attributes:
        name: Its name, spelt as in the script, without quotes.
        sql_type: Its type as written; empty where the script gives none.
        nullable: Whether the column may be NULL.
        comment: What the script says about it.
    """

    name: str
    sql_type: str
    nullable: bool
    comment: str = ""


@dataclass(frozen=True, slots=True)
class DeclaredKey:
    """A foreign key; no referred columns means the parent's primary key."""

    columns: tuple[str, ...]
    ref_table: str
    ref_columns: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class DeclaredTable:
    """A table as the script leaves it after its last statement.

    Attributes:
        name: Its name; ``schema.table`` where a script has several schemas.
        columns: Its columns, in order.
        primary_key: The columns of its primary key; empty without one.
        foreign_keys: Its foreign keys; their tables and columns are declared, too.
        comment: What the script says about it.
    """

    name: str
    columns: tuple[DeclaredColumn, ...]
    primary_key: tuple[str, ...]
    foreign_keys: tuple[DeclaredKey, ...]
    comment: str = ""


@dataclass(frozen=True, slots=True)
class Unread:
    """A part of a script that was not read.

    Attributes:
        file: The file's name.
        line: The line on which the part begins, counted from 1.
        text: Its first characters, on one line.
        why: Why it was not read, as a sentence without its full stop.
    """

    file: str
    line: int
    text: str
    why: str


@dataclass(frozen=True, slots=True)
class DeclaredSchema:
    """Everything that a script declares.

    Attributes:
        tables: The tables, in the order in which they are created.
        dialect: The dialect that the script was read as.
        unread: What could not be read.
        partitions: The table that each partition's rows belong to, by the partition's
            name; a partition is no table of its own.
        notes: What was read differently from how it is written, one sentence each.
    """

    tables: tuple[DeclaredTable, ...]
    dialect: str
    unread: tuple[Unread, ...]
    partitions: Mapping[str, str] = field(default_factory=lambda: MappingProxyType({}))
    notes: tuple[str, ...] = ()


def excerpt(text: str) -> str:
    r"""Return the first 80 characters of a text, on one line.

    >>> excerpt("CREATE  VIEW\n  seen")
    'CREATE VIEW seen'
    """
    return " ".join(text[:400].split())[:80]
