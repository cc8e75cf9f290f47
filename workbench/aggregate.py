"""What a row may know of the many rows that keys lead to: one summary of a column."""

from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from workbench.schema import Stype

MAX_TALLIES = 10


class Aggregation(StrEnum):
    """How the values of many rows become one; of a bag, one number a value."""

    VALUE = "value"
    COUNT = "count"
    MEAN = "mean"
    SUM = "sum"
    MIN = "min"
    MAX = "max"
    MODE = "mode"
    DISTINCT = "distinct"
    BAG = "bag"
    TALLY = "tally"


@dataclass(frozen=True, slots=True)
class Step:
    """A foreign key followed from one end to the other.

    Attributes:
        key: Id of the foreign key.
        is_down: Whether from the parent to the rows that refer to it.
    """

    key: str
    is_down: bool


@dataclass(frozen=True, slots=True)
class AggregateRef:
    """A summary, for every row of a node, of a column some keys away.

    Attributes:
        path: The keys followed from the row.
        table: The table at the end.
        column: Its column; empty for a count of rows.
        how: The summary; ``value`` where the path leads to one row at most.
        stype: What the summary means.
        trail: The path as it is shown, such as ``"←Batting.playerID"``.
        is_bounded: Whether rows from after the row's own time are left out, on the way
            as at the end, where both have a confirmed time.
        amount: For a bag, the column that says how much of each value there is; empty
            where every row counts one.
        rank: Which of the column's commonest values a tally counts, from 1; else 0.
    """

    path: tuple[Step, ...]
    table: str
    column: str
    how: Aggregation
    stype: Stype
    trail: str
    is_bounded: bool = True
    amount: str = ""
    rank: int = 0

    @property
    def name(self) -> str:
        """A readable name, such as ``"mean of Batting.HR (←Batting.playerID)"``."""
        if self.how is Aggregation.COUNT:
            return f"count of {self.table} ({self.trail})"
        subject = f"{self.table}.{self.column} ({self.trail})"
        if self.how is Aggregation.VALUE:
            return subject
        if self.how is Aggregation.DISTINCT:
            return f"distinct values of {subject}"
        if self.how is Aggregation.TALLY:
            return f"count of value no. {self.rank} of {subject}"
        return f"{self.how} of {subject}"

    @property
    def is_sparse(self) -> bool:
        """Whether it is one channel a value, nearly all of them 0."""
        return self.how is Aggregation.BAG

    def to_json(self) -> dict[str, Any]:
        """Return the summary as values that JSON can hold."""
        return {
            "name": self.name,
            "path": [
                [step.key, "down" if step.is_down else "up"] for step in self.path
            ],
            "table": self.table,
            "column": self.column,
            "how": str(self.how),
            "stype": str(self.stype),
            "is_bounded": self.is_bounded,
            **({"amount": self.amount} if self.amount else {}),
            # Left out elsewhere, so that other plans keep their hashes.
            **({"rank": self.rank} if self.rank else {}),
        }
