"""Semantic types: what a column means, whatever type it is stored as."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from enum import Enum, StrEnum

FEW = 20  # most values of a number that may still be a code
MOST_CATEGORIES = 1000
NEARLY = 0.98  # an id may have a few slips
RARE = 10  # a code has at least this many rows per value
DAYS_OF_A_YEAR = 366
YEARS = (1500, 2200)
FIRST_DAY = 10_000_101  # the smallest number read as a day, YYYYMMDD
NUMBER_TYPES = ("INT", "REAL", "FLOA", "DOUB", "NUM", "DEC")
DATE_SHAPE = r"^\s*(\d{4}[-/]\d{1,2}[-/]\d{1,2}|\d{1,2}\.\d{1,2}\.\d{4})"
ID_WORDS = frozenset({"id", "key", "pk", "uid", "uuid", "guid"})
CODE_WORDS = ID_WORDS | {
    "type", "code", "kind", "class", "category", "group", "status", "state", "flag",
    "zone", "region", "mode",
}  # fmt: skip


class Stype(StrEnum):
    """What a column means."""

    NUMERICAL = "numerical"
    CATEGORICAL = "categorical"
    TIMESTAMP = "timestamp"
    TEXT = "text"
    ID = "id"
    CONSTANT = "constant"


def value_sql(stype: Stype, expression: str) -> str:
    """Return the SQL of a column's values in the form features and audits read.

    Args:
        stype: What the column means.
        expression: The quoted column, possibly with its table's alias.

    Returns:
        DOUBLE for numerical columns; DOUBLE seconds since 1970 for timestamps, where a
        number from 1000 to 3000 is a year, from 10000101 to 29991231 a day written
        YYYYMMDD, and any other number seconds (milliseconds above 10¹¹); VARCHAR for
        everything else. What does not parse is NULL.
    """
    match stype:
        case Stype.NUMERICAL:
            return f"TRY_CAST({expression} AS DOUBLE)"
        case Stype.TIMESTAMP:
            return _seconds_sql(f"CAST({expression} AS VARCHAR)")
        case Stype.CATEGORICAL | Stype.TEXT | Stype.ID | Stype.CONSTANT:
            return f"CAST({expression} AS VARCHAR)"


def _seconds_sql(text: str) -> str:
    number = f"TRY_CAST({text} AS DOUBLE)"
    whole = f"CAST(TRY_CAST({number} AS BIGINT) AS VARCHAR)"
    year = f"epoch(TRY_CAST({whole} || '-01-01' AS TIMESTAMP))"
    day = f"epoch(TRY_STRPTIME({whole}, '%Y%m%d'))"
    return (
        f"CASE WHEN {number} IS NULL THEN epoch({moment_sql(text)})"
        f" WHEN {number} BETWEEN 1000 AND 3000 THEN {year}"
        f" WHEN {number} BETWEEN 10000101 AND 29991231 THEN {day}"
        f" WHEN abs({number}) > 1e11 THEN {number} / 1000 ELSE {number} END"
    )


def moment_sql(text: str) -> str:
    """Return the SQL of a text as a TIMESTAMP; NULL where it is none.

    Read are ISO dates and times, also with slashes, and ``31.12.2020``; dates whose
    day and month could be swapped are not.
    """
    return (
        f"coalesce(TRY_CAST(replace({text}, '/', '-') AS TIMESTAMP),"
        f" TRY_STRPTIME({text}, '%d.%m.%Y'))"
    )


class KeyPart(Enum):
    """Which part a column plays in primary and foreign keys."""

    NONE = "none"
    WHOLE = "whole"  # it alone is a primary or foreign key
    PART = "part"  # one of several columns of a key


@dataclass(frozen=True, slots=True)
class Profile:
    """What is counted of a column, over all rows.

    Attributes:
        physical: BIGINT, DOUBLE or VARCHAR.
        num_rows: Number of rows.
        num_values: Rows that are not NULL.
        num_distinct: Distinct values, NULL aside.
        low: The smallest value of a number column, else None.
        high: The largest.
        num_blank: Texts that are empty or only space.
        num_numbers: Texts that read as a number.
        num_decimals: Texts that read as a number and have a point.
        num_moments: Texts that read as a date or time.
        num_spaced: Texts with a space inside.
        num_with_digit: Texts with a digit.
    """

    physical: str
    num_rows: int
    num_values: int
    num_distinct: int
    low: float | None = None
    high: float | None = None
    num_blank: int = 0
    num_numbers: int = 0
    num_decimals: int = 0
    num_moments: int = 0
    num_spaced: int = 0
    num_with_digit: int = 0

    @property
    def is_unique(self) -> bool:
        """Whether every row has a value, unless NULL, that no other row has."""
        return 0 < self.num_values == self.num_distinct


def profile_sql(expression: str, physical: str) -> tuple[str, ...]:
    """Return the aggregates that `read_profile` reads, in its order."""
    shared = (f"count({expression})", f"count(DISTINCT {expression})")
    if physical != "VARCHAR":
        return (*shared, f"min({expression})", f"max({expression})")
    number = f"TRY_CAST({expression} AS DOUBLE) IS NOT NULL"
    dated = (
        f"CASE WHEN regexp_matches({expression}, '{DATE_SHAPE}')"
        f" THEN {moment_sql(expression)} END IS NOT NULL"
    )
    tests = (
        f"trim({expression}) = ''",
        number,
        f"{number} AND contains({expression}, '.')",
        dated,
        f"contains(trim({expression}), ' ')",
        f"regexp_matches({expression}, '[0-9]')",
    )
    return (*shared, *(f"count_if({test})" for test in tests))


def read_profile(
    physical: str, num_rows: int, values: Sequence[int | float | None]
) -> Profile:
    """Return the profile whose aggregates a query has computed."""
    num_values, num_distinct, *rest = values
    counts = (physical, num_rows, int(num_values or 0), int(num_distinct or 0))
    if physical != "VARCHAR":
        return Profile(*counts, low=rest[0], high=rest[1])
    return Profile(*counts, None, None, *(int(count or 0) for count in rest))


def infer_stype(
    name: str, sql_type: str, profile: Profile, part: KeyPart
) -> tuple[Stype, str]:
    """Return what a column means and why, from its own name and values alone.

    Args:
        name: The column's name; words such as "id" or "code" at its end count.
        sql_type: The type its source declares.
        profile: Its values, counted over all rows.
        part: Its part in keys.

    Returns:
        The semantic type and the rule that decided, in words.
    """
    if part is KeyPart.WHOLE:
        return Stype.ID, "a key by itself"
    if profile.num_values == 0:
        return Stype.CONSTANT, "no row has a value"
    if profile.num_distinct == 1 and profile.num_values == profile.num_rows:
        return Stype.CONSTANT, "every row has the same value"
    if profile.physical == "VARCHAR":
        return _infer_text(name, sql_type, profile, part)
    return _infer_number(name, sql_type, profile, part)


def _infer_text(
    name: str, sql_type: str, profile: Profile, part: KeyPart
) -> tuple[Stype, str]:
    filled = profile.num_values - profile.num_blank
    distinct = f"{profile.num_distinct:,} distinct texts"
    if filled and profile.num_moments == filled:
        return Stype.TIMESTAMP, "every text reads as a date or time"
    declared = any(word in sql_type.upper() for word in NUMBER_TYPES)
    if filled and profile.num_numbers == filled and (profile.num_decimals or declared):
        return Stype.NUMERICAL, "every text reads as a number"
    if part is KeyPart.PART and profile.num_distinct > FEW:
        return Stype.ID, f"part of a key, {distinct}"
    coded = profile.num_with_digit == filled or _ends_in(name, ID_WORDS)
    nearly_unique = profile.num_distinct >= NEARLY * profile.num_values
    if nearly_unique and not profile.num_spaced and coded:
        return Stype.ID, f"codes, {distinct} in {profile.num_values:,} values"
    if _ends_in(name, ID_WORDS) and profile.num_distinct > MOST_CATEGORIES:
        return Stype.ID, f"named as one, {distinct}"
    repeated = profile.num_values >= 2 * profile.num_distinct
    if profile.num_distinct <= 2 or (
        repeated and profile.num_distinct <= MOST_CATEGORIES
    ):
        return Stype.CATEGORICAL, f"{distinct} in {profile.num_values:,} values"
    return Stype.TEXT, f"{distinct} in {profile.num_values:,} values"


def _infer_number(
    name: str, sql_type: str, profile: Profile, part: KeyPart
) -> tuple[Stype, str]:
    low, high = float(profile.low or 0), float(profile.high or 0)
    declared = sql_type.upper()
    num_distinct = profile.num_distinct
    if ("DATE" in declared or "TIME" in declared) and low >= FIRST_DAY:
        return Stype.TIMESTAMP, f'numbers declared as "{sql_type}"'
    if profile.physical == "DOUBLE":
        return Stype.NUMERICAL, "numbers with fractions"
    if "BOOL" in declared or num_distinct <= 2:
        return Stype.CATEGORICAL, "two distinct numbers or declared as boolean"
    if low >= YEARS[0] and high <= YEARS[1]:
        return Stype.NUMERICAL, f"whole numbers from {low:.0f} to {high:.0f}, as years"
    if part is KeyPart.PART and num_distinct > DAYS_OF_A_YEAR:
        return Stype.ID, f"part of a key, {num_distinct:,} distinct numbers"
    consecutive = high - low + 1 == num_distinct
    named = _ends_in(name, ID_WORDS)
    if num_distinct > FEW and (named or (profile.is_unique and consecutive)):
        why = "named as one" if named else "consecutive, every row another"
        return Stype.ID, f"{num_distinct:,} distinct whole numbers, {why}"
    counts = consecutive or low in (0, 1)
    if num_distinct <= FEW and profile.num_values >= RARE * num_distinct:
        if _ends_in(name, CODE_WORDS):
            return Stype.CATEGORICAL, f"{num_distinct} distinct numbers, named as codes"
        if not counts:
            return (
                Stype.CATEGORICAL,
                f"{num_distinct} distinct numbers with gaps that do not count from 0",
            )
    shape = "counting up" if counts else "spread out"
    return Stype.NUMERICAL, f"{num_distinct:,} distinct whole numbers, {shape}"


def _ends_in(name: str, words: frozenset[str]) -> bool:
    parts = re.findall(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+", name)
    return bool(parts) and parts[-1].lower() in words
