"""What is counted of columns, over all rows, before anything is decided about them."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from workbench.database import Database, SourceTable, quote
from workbench.ordering import CLOSE, count_distinct
from workbench.stypes import (
    DATE_SHAPE,
    MEASURE_SHAPE,
    SEPARATORS,
    Parts,
    Profile,
    moment_sql,
)

COLUMNS_PER_QUERY = 100
SHARED = 0.05  # of the values hold a separator, or it is part of the prose
DAY, DAYS = "%Y%m%d", (17_000_101, 21_001_231)
FEWEST_CLOSE = 1000  # numbers apart; a hash of fewer is as fast


def profile_tables(database: Database) -> dict[tuple[str, str], Profile]:
    """Count every column of every table: numbers together, texts one by one.

    What is asked of a text is asked of every distinct one, which are counted anyway.
    Texts that hold separators, or a unit beside a number, are looked at once more.

    Returns:
        A profile by table and column.
    """
    return {
        (table.name, column): profile
        for table in database.tables
        for column, profile in _profile_table(database, table).items()
    }


def _profile_table(database: Database, table: SourceTable) -> dict[str, Profile]:
    found: dict[str, Profile] = {}
    names = [column.name for column in table.columns]
    for start in range(0, len(names), COLUMNS_PER_QUERY):
        part = names[start : start + COLUMNS_PER_QUERY]
        found |= _count(database, table, part)
    return {
        name: _look_again(database, table.name, name, profile)
        for name, profile in found.items()
    }


def _count(
    database: Database, table: SourceTable, names: Sequence[str]
) -> dict[str, Profile]:
    types = {name: database.physical_type(table.name, name) for name in names}
    numbers = [name for name in names if types[name] != "VARCHAR"]
    first = {name: _number_aggregates(quote(name)) for name in numbers}
    found = _ask(database, quote(table.name), first)
    for name in names:
        if name not in found:
            wanted = {name: _text_aggregates()}
            found |= _ask(database, _counted(table.name, name), wanted)
    profiles = {name: _read(types[name], table.num_rows, found[name]) for name in names}
    second = {name: _further(quote(name), profiles[name]) for name in numbers}
    answers = _ask(database, quote(table.name), second)
    for name in numbers:
        counted = answers[name] | _closely(database, table.name, name, profiles[name])
        profiles[name] = replace(profiles[name], **counted)
    return profiles


def _counted(table: str, name: str) -> str:
    """Return the SQL of a column's distinct values ``v``, each with its rows ``n``."""
    column = quote(name)
    return (
        f"(SELECT {column} AS v, count(*) AS n FROM {quote(table)}"
        f" WHERE {column} IS NOT NULL GROUP BY v)"
    )


def _ask(
    database: Database, source: str, wanted: Mapping[str, Mapping[str, str]]
) -> dict[str, dict[str, Any]]:
    """Return what aggregates give, by column and name, by one query over a source."""
    picked = [sql for group in wanted.values() for sql in group.values()]
    if not picked:
        return {column: {} for column in wanted}
    (values,) = database.rows(f"SELECT {', '.join(picked)} FROM {source}")
    counted = iter(values)
    return {
        column: {name: next(counted) for name in group}
        for column, group in wanted.items()
    }


def _further(expression: str, profile: Profile) -> Mapping[str, str]:
    """Return the aggregates that only values of some range are worth asking for."""
    wanted = {}
    if not _is_close(profile):
        wanted["num_distinct"] = f"count(DISTINCT {expression})"
    if profile.low is None or profile.high is None:
        return wanted
    if profile.low <= 0 <= profile.high:
        wanted["num_zero"] = f"count_if({expression} = 0)"
    first, last = DAYS
    if profile.physical == "BIGINT" and profile.low <= last and profile.high >= first:
        day = f"TRY_STRPTIME(CAST({expression} AS VARCHAR), '{DAY}')"
        wanted["num_moments"] = (
            f"count_if({expression} BETWEEN {first} AND {last} AND {day} IS NOT NULL)"
        )
    return wanted


def _is_close(profile: Profile) -> bool:
    """Return whether a column holds many whole numbers in close rank, as keys do."""
    if profile.physical != "BIGINT" or profile.low is None or profile.high is None:
        return False
    spread = int(profile.high) - int(profile.low)
    return FEWEST_CLOSE <= spread < CLOSE * profile.num_values


def _closely(
    database: Database, table: str, name: str, profile: Profile
) -> dict[str, int]:
    """Count distinct whole numbers: each ticked off in a list of all that could be."""
    if not _is_close(profile):
        return {}
    low, high = int(profile.low or 0), int(profile.high or 0)
    places = database.whole_numbers(table, name).filled() - low
    return {"num_distinct": count_distinct(places, high - low + 1)}


def _number_aggregates(expression: str) -> Mapping[str, str]:
    """Return the aggregates of numbers, by the attribute of `Profile` they fill."""
    return {
        "num_values": f"count({expression})",
        "low": f"min({expression})",
        "high": f"max({expression})",
    }


def _text_aggregates() -> Mapping[str, str]:
    """Return the aggregates of texts, asked of the distinct ones of `_counted`."""
    number = "TRY_CAST(v AS DOUBLE) IS NOT NULL"
    tests = {
        "num_blank": "trim(v) = ''",
        "num_numbers": number,
        "num_decimals": f"{number} AND contains(v, '.')",
        "num_moments": f"regexp_matches(v, '{DATE_SHAPE}')",
        "num_spaced": "contains(trim(v), ' ')",
        "num_with_digit": "regexp_matches(v, '[0-9]')",
        "num_separated": f"regexp_matches(v, '[{''.join(SEPARATORS)}]')",
    }
    return {
        "num_values": "sum(n)",
        "num_distinct": "count(*)",
        "first": "min(v)",
        "last": "max(v)",
        "longest": "max(length(v))",
        "num_letters": "sum(n * length(v))",
        **{name: f"sum(n) FILTER ({test})" for name, test in tests.items()},
    }


def _read(physical: str, num_rows: int, found: Mapping[str, object]) -> Profile:
    kept = {name: value for name, value in found.items() if value is not None}
    return replace(Profile(physical, num_rows, 0, 0), **kept)


def _look_again(database: Database, table: str, name: str, profile: Profile) -> Profile:
    """Return the profile with what only few columns are worth being asked for."""
    filled = profile.num_values - profile.num_blank
    if profile.physical != "VARCHAR" or not filled:
        return profile
    if profile.num_moments == filled:
        return _read_moments(database, table, name, profile)
    if profile.num_with_digit == filled > profile.num_numbers:
        profile = _measure_unit(database, table, name, profile)
    if profile.num_separated >= max(2, SHARED * filled):
        parts = [_count_parts(database, table, name, sign) for sign in SEPARATORS]
        profile = replace(profile, parts=tuple(parts))
    return profile


def _read_moments(
    database: Database, table: str, name: str, profile: Profile
) -> Profile:
    """Return the profile with the texts that are dates, and do not just look it."""
    ((number,),) = database.rows(
        f"SELECT sum(n) FROM {_counted(table, name)}"
        f" WHERE trim(v) != '' AND {moment_sql('v')} IS NOT NULL"
    )
    return replace(profile, num_moments=int(number or 0))


def _measure_unit(
    database: Database, table: str, name: str, profile: Profile
) -> Profile:
    """Return the profile with the unit that stands beside every number."""
    column = quote(name)
    units = [
        f"trim(regexp_extract({column}, '{MEASURE_SHAPE}', {group}))"
        for group in ("1", "3")
    ]
    asked = ", ".join(f"{edge}({unit})" for unit in units for edge in ("min", "max"))
    asked += f", count_if(contains({column}, ','))"
    (found,) = database.rows(
        f"SELECT count(*), {asked} FROM {quote(table)}"
        f" WHERE regexp_full_match({column}, '{MEASURE_SHAPE}')"
    )
    num_measured, before, last_before, after, last_after, has_comma = found
    if num_measured != profile.num_values - profile.num_blank:
        return profile
    if before != last_before or after != last_after:
        return profile
    if has_comma and not before:  # is "1,234 kg" a ton or a kilo?
        return profile
    return replace(profile, unit=before or after)


def _count_parts(database: Database, table: str, name: str, sign: str) -> Parts:
    """Count the parts of texts, and those that stand both first and further on."""
    ((num_parts, num_distinct, num_shared, num_later, num_lengths, letters),) = (
        database.rows(
            "WITH split AS (SELECT string_split(trim(value), ?) AS parts FROM"
            f" (SELECT DISTINCT {quote(name)} AS value FROM {quote(table)})"
            " WHERE value IS NOT NULL),"
            " each AS (SELECT lower(trim(unnest(parts))) AS part,"
            " generate_subscripts(parts, 1) AS place FROM split),"
            " grouped AS (SELECT part, min(place) = 1 AS leads, max(place) > 1 AS"
            " follows, count(*) AS number FROM each WHERE part != '' GROUP BY part)"
            " SELECT sum(number), count(*), count_if(leads AND follows),"
            " count_if(follows), (SELECT count(DISTINCT len(parts)) FROM split),"
            " max(length(part)) FROM grouped",
            [sign],
        )
    )
    return Parts(
        separator=sign,
        num_parts=int(num_parts or 0),
        num_distinct=int(num_distinct or 0),
        num_shared=int(num_shared or 0),
        num_later=int(num_later or 0),
        num_lengths=int(num_lengths or 0),
        longest=int(letters or 0),
    )
