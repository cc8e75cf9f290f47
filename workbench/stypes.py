"""Semantic types: what a column means, whatever type it is stored as."""

from enum import StrEnum


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
