"""How the values of a table's columns are spread: what a reader looks at first."""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from workbench.database import Database, quote
from workbench.schema import Column, Schema, Stype, value_sql

NUM_BARS = 12
NUM_COMMON = 8
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class Distribution:
    """The values of one column over all rows.

    Attributes:
        column: The column.
        missing: Share of the rows without a value, 0 to 1.
        counts: Number of rows a bar: of equal steps between ``labels`` for numbers and
            times, of the commonest values for the rest.
        labels: The least and the greatest value, or the commonest values.
        is_range: Whether ``labels`` are the two ends of a range.
    """

    column: str
    missing: float
    counts: tuple[int, ...]
    labels: tuple[str, ...]
    is_range: bool

    def __post_init__(self) -> None:
        if self.is_range and len(self.labels) != 2:
            raise ValueError("A range has two ends.")
        if not self.is_range and len(self.labels) != len(self.counts):
            raise ValueError("Every bar of values needs its value.")


def distributions(
    database: Database, schema: Schema, table: str
) -> tuple[Distribution, ...]:
    """Return how each column's values are spread, by what the schema takes them for.

    Args:
        database: Where the rows are.
        schema: What they mean.
        table: The table.

    Returns:
        One a column, in the table's order. Numbers and times fall into 12 bars of equal
        width, the last one closed; anything else shows its 8 commonest values, of
        equals the first by name.
    """
    return tuple(
        _distribution(database, table, column) for column in schema.table(table).columns
    )


def _distribution(database: Database, table: str, column: Column) -> Distribution:
    value = value_sql(column.stype, quote(column.name))
    is_number = column.stype in (Stype.NUMERICAL, Stype.TIMESTAMP)
    if is_number:
        value = f"CASE WHEN isfinite({value}) THEN {value} END"
    source = f"(SELECT {value} AS v FROM {quote(table)})"
    ((total, known),) = database.rows(f"SELECT count(*), count(v) FROM {source}")
    missing = 1 - known / total if total else 0.0
    if is_number and known:
        return _range(database, source, column, missing)
    common = database.rows(
        f"SELECT v, count(*) AS n FROM {source} WHERE v IS NOT NULL GROUP BY v"
        f" ORDER BY n DESC, v LIMIT {NUM_COMMON}"
    )
    return Distribution(
        column=column.name,
        missing=missing,
        counts=tuple(int(count) for _, count in common),
        labels=tuple(str(text) for text, _ in common),
        is_range=False,
    )


def _range(
    database: Database, source: str, column: Column, missing: float
) -> Distribution:
    ((low, high),) = database.rows(f"SELECT min(v), max(v) FROM {source}")
    width = (high - low) / NUM_BARS
    bar = f"least(floor((v - ?) / ?), {NUM_BARS - 1})" if width else "0"
    found = database.rows(
        f"SELECT CAST({bar} AS INTEGER) AS bar, count(*) FROM {source}"
        " WHERE v IS NOT NULL GROUP BY bar ORDER BY bar",
        [low, width] if width else [],
    )
    number_of = dict(found)
    return Distribution(
        column=column.name,
        missing=missing,
        counts=tuple(number_of.get(at, 0) for at in range(NUM_BARS)),
        labels=_ends(column, low, high),
        is_range=True,
    )


def _ends(column: Column, low: float, high: float) -> tuple[str, ...]:
    if column.stype is Stype.NUMERICAL:
        return f"{low:g}", f"{high:g}"
    return tuple(
        (EPOCH + timedelta(seconds=seconds)).date().isoformat()
        for seconds in (low, high)
    )
