"""Tables, columns and keys as plain values: what a schema is made of."""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum

from workbench.errors import SchemaError, unknown
from workbench.hints import KeyHint, TaskSpec
from workbench.proposals import TimeProposal
from workbench.stypes import Stype


class KeyOrigin(StrEnum):
    """Who says that a key is one."""

    DECLARED = "declared"  # the database
    HINTS = "hints"  # someone who knows
    INFERRED = "inferred"  # its rows and names


@dataclass(frozen=True, slots=True)
class Column:
    """A column and what it means.

    Attributes:
        name: Its name.
        sql_type: The type its source declares.
        stype: Its semantic type.
        nullable: Whether the source allows NULL.
        num_distinct: Number of distinct values, NULL aside.
        num_null: Number of rows without a value.
        evidence: Why it has this semantic type, in words.
        unit: The unit of its numbers, such as ``kg``, where one is known.
        partner: The other half of a geographic pair, where it is one.
        is_sparse: Whether it is one of many number columns of its table that are nearly
            always 0, such as one column a word.
    """

    name: str
    sql_type: str
    stype: Stype
    nullable: bool
    num_distinct: int
    num_null: int
    evidence: str
    unit: str | None = None
    partner: str | None = None
    is_sparse: bool = False


@dataclass(frozen=True, slots=True)
class ForeignKey:
    """A key from rows of one table to rows of another; its target is unique.

    Attributes:
        table: The table that refers.
        columns: Its columns.
        ref_table: The table referred to.
        ref_columns: Its columns, one for each of ``columns``.
        origin: Who says so: the database, the hints, or its rows.
        num_null: Rows in which a part of the key is NULL.
        num_dangling: Rows whose key names a row that does not exist.
        evidence: Why the key is believed, by name.
        confidence: A score from 0 to 1, no probability; 1 for what is not inferred.
        is_qualified: Whether the id names ``ref_columns`` too, since another key of
            the same columns leads to other columns of the same table.
    """

    table: str
    columns: tuple[str, ...]
    ref_table: str
    ref_columns: tuple[str, ...]
    origin: KeyOrigin
    num_null: int
    num_dangling: int
    evidence: Mapping[str, object]
    confidence: float = 1.0
    is_qualified: bool = False

    @property
    def id(self) -> str:
        """The key's name, such as ``Batting.yearID+teamID->Teams``."""
        name = f"{self.table}.{'+'.join(self.columns)}->{self.ref_table}"
        return f"{name}({'+'.join(self.ref_columns)})" if self.is_qualified else name

    @property
    def declared(self) -> bool:
        """Whether the database declares it."""
        return self.origin is KeyOrigin.DECLARED

    @property
    def reads(self) -> frozenset[tuple[str, str]]:
        """Every (table, column) that is read by whoever follows the key."""
        own = [(self.table, column) for column in self.columns]
        return frozenset(own + [(self.ref_table, each) for each in self.ref_columns])


@dataclass(frozen=True, slots=True)
class Table:
    """A table.

    Attributes:
        name: Its name.
        num_rows: Number of rows.
        primary_key: The columns of the primary key; empty without one.
        columns: Its columns, in the source's order.
        time_column: When a row came to be, where a hint confirms it.
        key_evidence: Why this is the primary key, or why there is none, in words.
        time_proposals: Columns that may be the time, the likeliest first; none is
            used until a hint confirms it.
    """

    name: str
    num_rows: int
    primary_key: tuple[str, ...]
    columns: tuple[Column, ...]
    time_column: str | None
    key_evidence: str = ""
    time_proposals: tuple[TimeProposal, ...] = ()

    def column(self, name: str) -> Column:
        """Return a column by name.

        Raises:
            SchemaError: There is no such column.
        """
        for column in self.columns:
            if column.name == name:
                return column
        known = [column.name for column in self.columns]
        raise SchemaError(unknown(f'column of "{self.name}"', name, known))


@dataclass(frozen=True, slots=True)
class Schema:
    """The tables of a database and how they hang together.

    Attributes:
        name: The database's name.
        fingerprint: The fingerprint of its content.
        tables: Its tables, in the source's order.
        foreign_keys: Its keys: declared ones first, then those of the hints, then what
            the rows leave little doubt about.
        warnings: What was left out or looks odd, one sentence each.
        tasks: Ready-made tasks by name.
        suggested_keys: Keys that the rows allow, for someone to accept or reject; no
            plan uses them.
        rejected_keys: Keys that the hints say are none.
    """

    name: str
    fingerprint: str
    tables: tuple[Table, ...]
    foreign_keys: tuple[ForeignKey, ...]
    warnings: tuple[str, ...]
    tasks: Mapping[str, TaskSpec]
    suggested_keys: tuple[ForeignKey, ...] = ()
    rejected_keys: tuple[KeyHint, ...] = ()

    def table(self, name: str) -> Table:
        """Return a table by name.

        Raises:
            SchemaError: There is no such table.
        """
        for table in self.tables:
            if table.name == name:
                return table
        raise SchemaError(unknown("table", name, [each.name for each in self.tables]))

    def column(self, table: str, column: str) -> Column:
        """Return a column of a table.

        Raises:
            SchemaError: There is no such table or column.
        """
        return self.table(table).column(column)

    def key(self, key_id: str) -> ForeignKey:
        """Return a foreign key by its id.

        Raises:
            SchemaError: There is no such key.
        """
        for key in self.foreign_keys:
            if key.id == key_id:
                return key
        known = [each.id for each in self.foreign_keys]
        raise SchemaError(unknown("foreign key", key_id, known))

    def keys_from(self, table: str) -> tuple[ForeignKey, ...]:
        """Return the keys by which a table refers to others."""
        return tuple(key for key in self.foreign_keys if key.table == table)

    def keys_into(self, table: str) -> tuple[ForeignKey, ...]:
        """Return the keys by which others, or the table itself, refer to a table."""
        return tuple(key for key in self.foreign_keys if key.ref_table == table)

    def keys_between(self, start: str, end: str) -> tuple[ForeignKey, ...]:
        """Return the keys on the shortest ways between two tables, up or down."""
        near, far = self._distances(start), self._distances(end)
        if end not in near:
            return ()

        def on_the_way(one: str, other: str) -> bool:
            return one in near and near[one] + 1 + far[other] == near[end]

        return tuple(
            key
            for key in self.foreign_keys
            if on_the_way(key.table, key.ref_table)
            or on_the_way(key.ref_table, key.table)
        )

    def _distances(self, start: str) -> dict[str, int]:
        """Return the number of keys to each table that some way leads to."""
        ties: dict[str, set[str]] = {}
        for key in self.foreign_keys:
            ties.setdefault(key.table, set()).add(key.ref_table)
            ties.setdefault(key.ref_table, set()).add(key.table)
        found = {start: 0}
        frontier = {start}
        while frontier:
            hop = 1 + max(found.values())
            frontier = {one for at in frontier for one in ties.get(at, ())}
            frontier -= found.keys()
            found |= dict.fromkeys(frontier, hop)
        return found

    def ready_task(self, name: str) -> TaskSpec:
        """Return a ready-made task by name.

        Raises:
            SchemaError: The hints hold no such task.
        """
        if name not in self.tasks:
            raise SchemaError(unknown("ready-made task", name, self.tasks))
        return self.tasks[name]
