"""Semantic types: what a column means, whatever type it is stored as."""

import re
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from enum import Enum, StrEnum
from types import MappingProxyType

from workbench.moments import DATE_SHAPE, moment_sql, seconds_sql

__all__ = [
    "DATE_SHAPE",
    "KeyPart",
    "Parts",
    "Profile",
    "Reading",
    "Stype",
    "declared_stype",
    "frequent_parts",
    "infer_stype",
    "moment_sql",
    "sparse_columns",
    "split_texts",
    "value_sql",
]

FEW = 20  # most values of a number that may still be a code
MOST_CATEGORIES = 1000
NEARLY = 0.98  # an id may have a few slips
RARE = 10  # a code has at least this many rows per value
DAYS_OF_A_YEAR = 366
YEARS = (1500, 2200)
FIRST_DAY = 10_000_101  # the smallest number read as a day, YYYYMMDD
EPOCH_SECONDS = (10**8, 5 * 10**9)  # 1973 to 2128
FEWEST_SPARSE = 64  # columns that are nearly always 0, from which they are one block
MOST_NONZERO = 0.1  # share of rows in which such a column may be other than 0
LONG = 60  # letters of a mean text that is written freely
LONGEST_PART = 40
PARTS_PER_VALUE = 2  # a part of several stands in at least so many values, on average
SHARED_PARTS = 0.3  # of the later parts, so many also stand first: places do not matter
NUMBER_TYPES = ("INT", "REAL", "FLOA", "DOUB", "NUM", "DEC")
SEPARATORS = (",", ";", "|", "/")
# A currency, a number, a unit: "$1,200.50", "5.2 kg", "12 %". Nothing that starts with
# a needless zero, which is a code.
MEASURE_SHAPE = (
    r"^\s*([$€£¥]?)\s*([+-]?(?:0|[1-9]\d{0,2}(?:,\d{3})+|[1-9]\d*)"
    r"(?:\.\d+)?)\s*([A-Za-zµ°²³/%€]{0,12})\s*$"
)
ID_WORDS = frozenset({"id", "key", "pk", "uid", "uuid", "guid"})
CODE_WORDS = ID_WORDS | {
    "type", "code", "kind", "class", "category", "group", "status", "state", "flag",
    "zone", "region", "mode",
}  # fmt: skip
TIME_WORDS = frozenset({
    "time", "date", "at", "ts", "timestamp", "datetime", "day", "created", "updated",
    "modified", "on",
})  # fmt: skip
UNIT_WORDS: Mapping[str, str] = MappingProxyType({
    **{one: one for one in (
        "km", "cm", "mm", "kg", "mg", "ms", "kwh", "mw", "kw", "mhz", "ghz", "hz",
        "mph", "kph", "kb", "mb", "gb", "usd", "eur", "gbp", "chf", "jpy", "inr",
        "meters", "metres", "miles", "feet", "inches", "pounds", "grams", "litres",
        "liters", "seconds", "minutes", "hours", "days", "weeks", "months", "years",
        "celsius", "fahrenheit", "degrees", "dollars", "cents", "euros", "bytes",
    )},
    "pct": "%", "percent": "%", "percentage": "%", "secs": "seconds", "sec": "seconds",
    "mins": "minutes", "hrs": "hours", "lbs": "pounds", "ft": "feet",
})  # fmt: skip
TRUTHS = (("no", "yes"), ("n", "y"), ("false", "true"), ("f", "t"), ("0", "1"),
          ("off", "on"))  # fmt: skip


class Stype(StrEnum):
    """What a column means."""

    NUMERICAL = "numerical"
    CATEGORICAL = "categorical"
    MULTICATEGORICAL = "multicategorical"
    BOOLEAN = "boolean"
    TIMESTAMP = "timestamp"
    TEXT = "text"
    FREE_TEXT = "free-text"
    ID = "id"
    CONSTANT = "constant"


def value_sql(stype: Stype, expression: str) -> str:
    """Return the SQL of a column's values in the form features and audits read.

    Args:
        stype: What the column means.
        expression: The quoted column, possibly with its table's alias.

    Returns:
        DOUBLE for numerical columns, a unit or currency beside the number left out;
        DOUBLE seconds since 1970 for timestamps, where a number from 1000 to 3000 is a
        year, from 10000101 to 29991231 a day written YYYYMMDD, and any other number
        seconds (milliseconds above 10¹¹); VARCHAR for everything else. What does not
        parse is NULL.
    """
    match stype:
        case Stype.NUMERICAL:
            number = f"TRY_CAST({expression} AS DOUBLE)"
            return f"coalesce({number}, {_measure_sql(expression)})"
        case Stype.TIMESTAMP:
            return seconds_sql(f"CAST({expression} AS VARCHAR)")
        case (
            Stype.CATEGORICAL
            | Stype.MULTICATEGORICAL
            | Stype.BOOLEAN
            | Stype.TEXT
            | Stype.FREE_TEXT
            | Stype.ID
            | Stype.CONSTANT
        ):
            return f"CAST({expression} AS VARCHAR)"


def _measure_sql(expression: str) -> str:
    text = f"CAST({expression} AS VARCHAR)"
    number = f"regexp_extract({text}, '{MEASURE_SHAPE}', 2)"
    return f"TRY_CAST(replace({number}, ',', '') AS DOUBLE)"


class KeyPart(Enum):
    """Which part a column plays in primary and foreign keys."""

    NONE = "none"
    WHOLE = "whole"  # it alone is a primary or foreign key
    PART = "part"  # one of several columns of a key


@dataclass(frozen=True, slots=True)
class Parts:
    """What texts consist of between separators, over the distinct texts.

    Attributes:
        separator: The sign between two parts.
        num_parts: All parts, repeats included.
        num_distinct: Distinct parts, upper and lower case alike.
        num_shared: Distinct parts that stand first in one text, further on in another.
        num_later: Distinct parts that stand further on in some text.
        num_lengths: How many different numbers of parts texts have.
        longest: Letters of the longest part.
    """

    separator: str
    num_parts: int
    num_distinct: int
    num_shared: int
    num_later: int
    num_lengths: int
    longest: int

    @property
    def are_several(self) -> bool:
        """Whether the texts are lists of a few values, whose order says nothing."""
        return (
            self.num_distinct > 1
            and self.num_lengths > 1
            and self.longest <= LONGEST_PART
            and self.num_distinct <= MOST_CATEGORIES
            and self.num_parts >= PARTS_PER_VALUE * self.num_distinct
            and self.num_shared >= SHARED_PARTS * self.num_later
        )


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
        num_zero: Values of a number column that are 0.
        first: The first text by the alphabet, else empty.
        last: The last.
        longest: Letters of the longest text.
        num_letters: Letters of all texts together.
        num_blank: Texts that are empty or only space.
        num_numbers: Texts that read as a number.
        num_decimals: Texts that read as a number and have a point.
        num_moments: Texts that read as a date or time, or whole numbers that read as a
            day YYYYMMDD.
        num_spaced: Texts with a space inside.
        num_with_digit: Texts with a digit.
        num_separated: Texts with one of `SEPARATORS`.
        unit: What stands beside the number in every text, else None.
        parts: What the texts consist of, a likely separator each.
    """

    physical: str
    num_rows: int
    num_values: int
    num_distinct: int
    low: float | None = None
    high: float | None = None
    num_zero: int = 0
    first: str = ""
    last: str = ""
    longest: int = 0
    num_letters: int = 0
    num_blank: int = 0
    num_numbers: int = 0
    num_decimals: int = 0
    num_moments: int = 0
    num_spaced: int = 0
    num_with_digit: int = 0
    num_separated: int = 0
    unit: str | None = None
    parts: tuple[Parts, ...] = ()

    @property
    def is_unique(self) -> bool:
        """Whether every row has a value, unless NULL, that no other row has."""
        return 0 < self.num_values == self.num_distinct

    @property
    def num_filled(self) -> int:
        """Values that are not blank."""
        return self.num_values - self.num_blank


@dataclass(frozen=True, slots=True)
class Reading:
    """What a column means.

    Attributes:
        stype: Its semantic type.
        evidence: The rule that decided, in words.
        unit: The unit of its numbers, or None.
    """

    stype: Stype
    evidence: str
    unit: str | None = None


def infer_stype(name: str, sql_type: str, profile: Profile, part: KeyPart) -> Reading:
    """Return what a column means and why, from its own name and values alone.

    Args:
        name: The column's name; words such as "id" or "code" at its end count.
        sql_type: The type its source declares; all there is where there are no rows.
        profile: Its values, counted over all rows.
        part: Its part in keys.
    """
    if part is KeyPart.WHOLE:
        return Reading(Stype.ID, "a key by itself")
    if profile.num_rows == 0:
        return declared_stype(name, sql_type)
    if profile.num_values == 0:
        return Reading(Stype.CONSTANT, "no row has a value")
    if profile.num_distinct == 1 and profile.num_values == profile.num_rows:
        return Reading(Stype.CONSTANT, "every row has the same value")
    if profile.physical == "VARCHAR":
        return _infer_text(name, sql_type, profile, part)
    return _infer_number(name, sql_type, profile, part)


def declared_stype(name: str, sql_type: str) -> Reading:
    """Return what a column without rows is likely to mean, from its declaration."""
    declared = sql_type.upper()
    kind = _declared_kind(name, declared)
    unit = named_unit(name) if kind is Stype.NUMERICAL else None
    said = f'declared as "{sql_type}"' if sql_type else "nothing is declared"
    return Reading(kind, f"there are no rows; {said}", unit)


def _declared_kind(name: str, declared: str) -> Stype:
    if "BOOL" in declared or declared in ("BIT", "TINYINT(1)"):
        return Stype.BOOLEAN
    if _ends_in(name, ID_WORDS) or declared in ("UUID", "UNIQUEIDENTIFIER"):
        return Stype.ID
    if "DATE" in declared or "TIME" in declared:
        return Stype.TIMESTAMP
    if declared.startswith("SET") or declared.endswith("[]"):
        return Stype.MULTICATEGORICAL
    if declared.startswith("ENUM") or _ends_in(name, CODE_WORDS):
        return Stype.CATEGORICAL
    numbers = (*NUMBER_TYPES, "SERIAL", "MONEY")
    if any(word in declared for word in numbers) and "INTERVAL" not in declared:
        return Stype.NUMERICAL
    if any(word in declared for word in ("JSON", "XML", "CLOB", "LONGTEXT")):
        return Stype.FREE_TEXT
    return Stype.TEXT


def named_unit(name: str) -> str | None:
    """Return the unit that a column's name ends in, such as ``km`` of ``ride_km``."""
    *before, last = _words(name) or [""]
    if not before or before[-1] == "per" or not name.lower().endswith(last):
        return None
    return UNIT_WORDS.get(last)


def sparse_columns(
    stypes: Mapping[str, Stype], profiles: Mapping[str, Profile]
) -> frozenset[str]:
    """Return the columns of a table that are nearly always 0, where they are many.

    Such a table says by a column a word which words a text has. From 64 such columns
    on, each without a gap and other than 0 in less than a tenth of the rows, only what
    is not 0 is worth keeping.

    Args:
        stypes: What each column means.
        profiles: What was counted of each column.
    """
    found = frozenset(
        name
        for name, profile in profiles.items()
        if stypes[name] in (Stype.NUMERICAL, Stype.BOOLEAN)
        and profile.num_values == profile.num_rows
        and profile.num_zero > (1 - MOST_NONZERO) * profile.num_rows
        and profile.num_distinct > 1
    )
    return found if len(found) >= FEWEST_SPARSE else frozenset()


def split_texts(texts: Iterable[str | None]) -> list[tuple[str, ...]]:
    """Return the parts of every text, without repeats, by the separator most have.

    Parts lose the space around them; an empty or missing text has none.
    """
    kept = list(texts)
    distinct = {text for text in kept if text}
    counts = [sum(sign in text for text in distinct) for sign in SEPARATORS]
    separator = SEPARATORS[counts.index(max(counts))]
    split = {
        text: tuple(
            dict.fromkeys(
                part.strip() for part in text.split(separator) if part.strip()
            )
        )
        for text in distinct
    }
    return [split[text] if text else () for text in kept]


def frequent_parts(
    texts: Sequence[str | None], uses: Sequence[int], most: int
) -> tuple[list[str], list[list[float]]]:
    """Return the parts that most values have, and which texts have each.

    Args:
        texts: Distinct texts.
        uses: How many values each text stands for.
        most: The number of parts to keep.

    Returns:
        The parts, the commonest first, and a row a text of 1.0 or 0.0 for each part.
    """
    split = split_texts(texts)
    counts: Counter[str] = Counter()
    for parts, number in zip(split, uses, strict=True):
        counts.update(dict.fromkeys(parts, int(number)))
    kept = sorted(counts, key=lambda part: (-counts[part], part))[:most]
    return kept, [[float(part in parts) for part in kept] for parts in split]


def _infer_text(name: str, sql_type: str, profile: Profile, part: KeyPart) -> Reading:
    filled = profile.num_filled
    distinct = f"{profile.num_distinct:,} distinct texts"
    if filled and profile.num_moments == filled:
        return Reading(Stype.TIMESTAMP, "every text reads as a date or time")
    if _is_truth(profile.first, profile.last, profile.num_distinct):
        return Reading(Stype.BOOLEAN, f'"{profile.first}" or "{profile.last}"')
    number = _read_as_number(name, sql_type, profile)
    if number is not None:
        return number
    identifier = _read_as_id(name, profile, part)
    if identifier is not None:
        return identifier
    lists = [parts for parts in profile.parts if parts.are_several]
    several = max(lists, key=lambda parts: parts.num_parts, default=None)
    if several is not None:
        return Reading(
            Stype.MULTICATEGORICAL,
            f"lists of {several.num_distinct:,} distinct values, separated by"
            f' "{several.separator}"',
        )
    repeated = profile.num_values >= 2 * profile.num_distinct
    if profile.num_distinct <= 2 or (
        repeated and profile.num_distinct <= MOST_CATEGORIES
    ):
        return Reading(
            Stype.CATEGORICAL, f"{distinct} in {profile.num_values:,} values"
        )
    mean = profile.num_letters / profile.num_values
    stype = Stype.FREE_TEXT if mean > LONG else Stype.TEXT
    letters = f", {mean:.0f} letters on average" if mean > LONG else ""
    return Reading(stype, f"{distinct} in {profile.num_values:,} values{letters}")


def _is_truth(first: str, last: str, num_distinct: int) -> bool:
    pair = (first.strip().lower(), last.strip().lower())
    return num_distinct == 2 and pair in TRUTHS


def _read_as_number(name: str, sql_type: str, profile: Profile) -> Reading | None:
    filled = profile.num_filled
    declared = any(word in sql_type.upper() for word in NUMBER_TYPES)
    if filled and profile.num_numbers == filled and (profile.num_decimals or declared):
        return Reading(
            Stype.NUMERICAL, "every text reads as a number", named_unit(name)
        )
    if profile.unit and not _ends_in(name, ID_WORDS):
        return Reading(
            Stype.NUMERICAL,
            f'every text is a number with "{profile.unit}"',
            profile.unit,
        )
    return None


def _read_as_id(name: str, profile: Profile, part: KeyPart) -> Reading | None:
    distinct = f"{profile.num_distinct:,} distinct texts"
    if part is KeyPart.PART and profile.num_distinct > FEW:
        return Reading(Stype.ID, f"part of a key, {distinct}")
    coded = profile.num_with_digit == profile.num_filled or _ends_in(name, ID_WORDS)
    nearly_unique = profile.num_distinct >= NEARLY * profile.num_values
    if nearly_unique and not profile.num_spaced and coded:
        return Reading(Stype.ID, f"codes, {distinct} in {profile.num_values:,} values")
    if _ends_in(name, ID_WORDS) and profile.num_distinct > MOST_CATEGORIES:
        return Reading(Stype.ID, f"named as one, {distinct}")
    return None


def _infer_number(name: str, sql_type: str, profile: Profile, part: KeyPart) -> Reading:
    moment = _read_as_moment(name, sql_type, profile)
    if moment is not None:
        return moment
    low, high = float(profile.low or 0), float(profile.high or 0)
    num_distinct = profile.num_distinct
    unit = named_unit(name)
    whole = profile.physical == "BIGINT"
    if "BOOL" in sql_type.upper() or (whole and (low, high, num_distinct) == (0, 1, 2)):
        return Reading(Stype.BOOLEAN, "0 or 1, or declared as boolean")
    if not whole:
        return Reading(Stype.NUMERICAL, "numbers with fractions", unit)
    if num_distinct <= 2:
        return Reading(Stype.CATEGORICAL, "two distinct numbers")
    if low >= YEARS[0] and high <= YEARS[1]:
        return Reading(
            Stype.NUMERICAL, f"whole numbers from {low:.0f} to {high:.0f}, as years"
        )
    if part is KeyPart.PART and num_distinct > DAYS_OF_A_YEAR:
        return Reading(Stype.ID, f"part of a key, {num_distinct:,} distinct numbers")
    consecutive = high - low + 1 == num_distinct
    named = _ends_in(name, ID_WORDS)
    if num_distinct > FEW and (named or (profile.is_unique and consecutive)):
        why = "named as one" if named else "consecutive, every row another"
        return Reading(Stype.ID, f"{num_distinct:,} distinct whole numbers, {why}")
    counts = consecutive or low in (0, 1)
    if num_distinct <= FEW and profile.num_values >= RARE * num_distinct:
        said = f"{num_distinct} distinct numbers"
        if _ends_in(name, CODE_WORDS):
            return Reading(Stype.CATEGORICAL, f"{said}, named as codes")
        if not counts:
            why = "with gaps that do not count from 0"
            return Reading(Stype.CATEGORICAL, f"{said} {why}")
    shape = "counting up" if counts else "spread out"
    said = f"{num_distinct:,} distinct whole numbers, {shape}"
    return Reading(Stype.NUMERICAL, said, unit)


def _read_as_moment(name: str, sql_type: str, profile: Profile) -> Reading | None:
    low, high = float(profile.low or 0), float(profile.high or 0)
    declared = sql_type.upper()
    if ("DATE" in declared or "TIME" in declared) and low >= FIRST_DAY:
        return Reading(Stype.TIMESTAMP, f'numbers declared as "{sql_type}"')
    if not _ends_in(name, TIME_WORDS):
        return None
    if profile.num_moments == profile.num_values:
        return Reading(Stype.TIMESTAMP, "named as a time, every number a day YYYYMMDD")
    for unit, scale in (("seconds", 1), ("milliseconds", 1000)):
        if low >= EPOCH_SECONDS[0] * scale and high <= EPOCH_SECONDS[1] * scale:
            return Reading(Stype.TIMESTAMP, f"named as a time, {unit} since 1970")
    return None


def _ends_in(name: str, words: frozenset[str]) -> bool:
    parts = _words(name)
    return bool(parts) and parts[-1] in words


def _words(name: str) -> list[str]:
    found = re.findall(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+", name)
    return [word.lower() for word in found]
