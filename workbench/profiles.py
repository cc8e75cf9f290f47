"""What is counted of columns, over all rows, before anything is decided about them."""

from collections.abc import Mapping, Sequence
from dataclasses import replace

from workbench.database import Database, SourceTable, quote
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
DAY = "%Y%m%d"


def profile_tables(database: Database) -> dict[tuple[str, str], Profile]:
    """Count every column of every table, by one query a table where possible.

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
    types = [database.physical_type(table.name, name) for name in names]
    wanted = [
        _aggregates(quote(name), physical)
        for name, physical in zip(names, types, strict=True)
    ]
    picked = ", ".join(each for group in wanted for each in group.values())
    (values,) = database.rows(f"SELECT {picked} FROM {quote(table.name)}")
    counted = iter(values)
    return {
        name: _read(physical, table.num_rows, {key: next(counted) for key in group})
        for name, physical, group in zip(names, types, wanted, strict=True)
    }


def _aggregates(expression: str, physical: str) -> Mapping[str, str]:
    """Return the aggregates of a column, by the attribute of `Profile` they fill."""
    shared = {
        "num_values": f"count({expression})",
        "num_distinct": f"count(DISTINCT {expression})",
    }
    if physical == "DOUBLE":
        return {**shared, **_range(expression)}
    if physical == "BIGINT":
        day = f"TRY_STRPTIME(CAST({expression} AS VARCHAR), '{DAY}')"
        return {
            **shared,
            **_range(expression),
            "num_moments": f"count_if({expression} BETWEEN 17000101 AND 21001231"
            f" AND {day} IS NOT NULL)",
        }
    number = f"TRY_CAST({expression} AS DOUBLE) IS NOT NULL"
    tests = {
        "num_blank": f"trim({expression}) = ''",
        "num_numbers": number,
        "num_decimals": f"{number} AND contains({expression}, '.')",
        "num_moments": f"regexp_matches({expression}, '{DATE_SHAPE}')",
        "num_spaced": f"contains(trim({expression}), ' ')",
        "num_with_digit": f"regexp_matches({expression}, '[0-9]')",
        "num_separated": f"regexp_matches({expression}, '[{''.join(SEPARATORS)}]')",
    }
    return {
        **shared,
        "first": f"min({expression})",
        "last": f"max({expression})",
        "longest": f"max(length({expression}))",
        "num_letters": f"sum(length({expression}))",
        **{name: f"count_if({test})" for name, test in tests.items()},
    }


def _range(expression: str) -> Mapping[str, str]:
    return {
        "low": f"min({expression})",
        "high": f"max({expression})",
        "num_zero": f"count_if({expression} = 0)",
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
    read = moment_sql(quote(name))
    ((number,),) = database.rows(
        f"SELECT count_if({read} IS NOT NULL) FROM {quote(table)}"
        f" WHERE trim({quote(name)}) != ''"
    )
    return replace(profile, num_moments=int(number))


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
