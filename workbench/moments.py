"""Dates and times: as SQL, which texts and numbers are read as one; and as a text."""

from datetime import UTC, datetime, timedelta

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)

DATE_SHAPE = (
    r"^\s*(\d{4}[-/]\d{1,2}[-/]\d{1,2}|\d{1,2}\.\d{1,2}\.\d{4}"
    r"|([A-Za-z]{3}, )?\d{1,2}[- ][A-Za-z]{3,9}[- ]\d{4}"
    r"|[A-Za-z]{3,9} \d{1,2}, \d{4})"
)
NAMED_MONTHS = (
    "%d %b %Y", "%d %B %Y", "%d-%b-%Y", "%b %d, %Y", "%B %d, %Y",
    "%d %b %Y %H:%M:%S", "%a, %d %b %Y %H:%M:%S GMT",
)  # fmt: skip


def seconds_sql(text: str) -> str:
    """Return the SQL of a text, or a number as text, as seconds since 1970."""
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

    Read are ISO dates and times, also with slashes, ``31.12.2020``, and days with the
    English name of a month, such as ``31-Dec-2020`` or ``Dec 31, 2020``; dates whose
    day and month could be swapped are not.
    """
    named = ", ".join(f"'{form}'" for form in NAMED_MONTHS)
    return (
        f"coalesce(TRY_CAST(replace({text}, '/', '-') AS TIMESTAMP),"
        f" TRY_STRPTIME({text}, '%d.%m.%Y'), TRY_STRPTIME({text}, [{named}]))"
    )


def date_text(seconds: float) -> str:
    """Return seconds since 1970 as a date, with the time of day where it says some."""
    moment = EPOCH + timedelta(seconds=seconds)
    return moment.strftime("%Y-%m-%d" if seconds % 86_400 == 0 else "%Y-%m-%d %H:%M")
