"""Primary keys found in the rows: single or composite, minimal, on every row."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations

from workbench.database import ROW, Database, SourceTable, quote
from workbench.naming import Named, split_columns, split_tables
from workbench.stypes import YEARS, Profile

Profiles = Mapping[tuple[str, str], Profile]
Names = Mapping[tuple[str, str], Named]

MOST_PARTS = 4
MOST_CANDIDATES = 8  # columns that a composite key is put together from
SAMPLE_ROWS = 5_000  # rows that repeat here repeat in the table
LONGEST_KEY = 64  # letters; longer texts are read, not referred to
FEWEST_ROWS = 2  # every column of a single row is unique
NEAR = 0.05  # of the rows repeat at most, in what nearly is a key
SCORE = 0.5  # a column needs at least so much to be the key
MOST_COMPARED = 60  # columns; wider tables are not searched for repeated rows
SMALL_RANGE = 32
MOST_TRIED = 20  # groups that are checked on every row
MOST_COUNTED = 3  # keys that refer, from which more say no more
PART_WORDS = frozenset({
    "date", "time", "timestamp", "datetime", "year", "month", "day", "hour", "minute",
    "week", "quarter", "season", "period", "round", "half", "stint", "seq", "sequence",
    "line", "item", "pos", "position", "index", "idx", "version", "revision", "step",
    "type", "kind", "lang", "language", "locale", "currency", "region", "country",
    "code", "no", "nr", "num", "number", "start", "from", "begin", "effective", "level",
})  # fmt: skip
CODE_NAMES = frozenset({
    "code", "symbol", "abbreviation", "abbr", "iso", "sku", "isbn", "ean", "slug",
    "username", "login", "hash", "ticker", "handle",
})  # fmt: skip
NUMBER_NAMES = frozenset({"number", "no", "nr", "num"})


@dataclass(frozen=True, slots=True)
class Candidate:
    """Columns that are different in every row of a table.

    Attributes:
        table: The table.
        columns: One column, or the parts of a composite key in the table's order.
        score: How much name, place and type speak for it, before anyone refers to it.
        why: In words.
    """

    table: str
    columns: tuple[str, ...]
    score: float
    why: str


def name_columns(
    tables: Sequence[SourceTable], profiles: Profiles
) -> dict[tuple[str, str], Named]:
    """Return the words of every column and its table, by table and column."""
    found: dict[tuple[str, str], Named] = {}
    words = split_tables([table.name for table in tables])
    for table, table_words in zip(tables, words, strict=True):
        names = [column.name for column in table.columns]
        for name, column_words in zip(names, split_columns(names), strict=True):
            is_text = profiles[table.name, name].physical == "VARCHAR"
            found[table.name, name] = Named(table_words, column_words, is_text)
    return found


def single_candidates(
    table: SourceTable, profiles: Profiles, named: Names
) -> list[Candidate]:
    """Return the single columns that have another value in every row, best first.

    A column may be a key where it is a whole number or a short text. A number with a
    fraction, or a long text, never is; one that is only unique, and neither named nor
    placed like a key, is a candidate with little to say for it.
    """
    if table.num_rows < FEWEST_ROWS:
        return []
    found = [
        Candidate(
            table.name,
            (column.name,),
            *_rate(place, profile, named[table.name, column.name]),
        )
        for place, column in enumerate(table.columns)
        if _may_be_key(profile := profiles[table.name, column.name])
        and profile.is_unique
        and _is_full(profile)
    ]
    return sorted(found, key=lambda one: -one.score)


def composite_candidate(
    database: Database,
    table: SourceTable,
    profiles: Profiles,
    named: Names,
    referring: frozenset[str],
    *,
    beside: bool = False,
) -> Candidate | None:
    """Return the columns that together are different in every row, if few are enough.

    Columns that are named like parts of a key, or refer to other tables, are put
    together from left to right until no two rows share the same values; those that are
    not needed are taken out again, the last one first.

    Args:
        database: The rows.
        table: The table.
        profiles: What is counted of every column.
        named: Every column's words.
        referring: Columns of the table that refer to others.
        beside: Whether a single column is the key already, so that only what refers,
            or is named as a key, is worth to be put together.
    """
    if table.num_rows < FEWEST_ROWS or _near_keys(table, profiles, named):
        return None  # with slips in the table's own key, others only hide the slips
    parts = [
        name
        for name in _parts(table, profiles, named, referring)
        if not beside or name in referring or named[table.name, name].is_id
    ]
    prefixes = [tuple(parts[:end]) for end in range(2, len(parts) + 1)]
    sampled = _count_distinct(database, table.name, prefixes, SAMPLE_ROWS)
    num_sampled = min(SAMPLE_ROWS, table.num_rows)
    chosen: tuple[str, ...] = ()
    for prefix, number in zip(prefixes, sampled, strict=True):
        if number == num_sampled and _is_key(database, table, prefix):
            chosen = prefix
            break
    for name in reversed(chosen):
        fewer = tuple(one for one in chosen if one != name)
        if len(fewer) > 1 and _is_key(database, table, fewer):
            chosen = fewer
    if len(chosen) > MOST_PARTS:
        chosen = _fewest(database, table, parts)
    if not chosen:
        return None
    why = f"no two of {table.num_rows:,} rows share the same {', '.join(chosen)}"
    return Candidate(table.name, chosen, SCORE, why)


def choose_primary(
    candidates: Sequence[Candidate],
    inbound: Mapping[tuple[str, tuple[str, ...]], int],
) -> Candidate | None:
    """Return the candidate that is the primary key: referred to, else best by name.

    Args:
        candidates: What could be the key, best first.
        inbound: How many keys refer to these columns, by table and columns.
    """
    rated = [
        (one.score + min(inbound.get((one.table, one.columns), 0), MOST_COUNTED), -at)
        for at, one in enumerate(candidates)
    ]
    score, place = max(rated, default=(0.0, 0))
    return candidates[-place] if score >= SCORE else None


def key_obstacle(
    database: Database,
    table: SourceTable,
    profiles: Profiles,
    named: Names,
    referring: frozenset[str],
) -> str:
    """Return why a table has no key: rows repeat, or what nearly is a key does."""
    if table.num_rows < FEWEST_ROWS:
        return "there are too few rows to tell"
    said = []
    columns = tuple(one.name for one in table.columns)
    if 0 < len(columns) <= MOST_COMPARED:
        (distinct,) = _count_distinct(database, table.name, [columns], None)
        if distinct < table.num_rows:
            number = table.num_rows - distinct
            said.append(f"{number:,} row{'s' if number > 1 else ''} repeat an earlier")
            said[-1] += " row in whole"
    near = _nearest(database, table, profiles, named, referring)
    if near is not None:
        names, repeats = near
        said.append(
            f"{', '.join(names)} would be a key, but {repeats:,} of"
            f" {table.num_rows:,} rows repeat it"
        )
    return "; ".join(said) or "no column, and no few columns, tell all rows apart"


def unique_columns(table: SourceTable, profiles: Profiles) -> list[tuple[str, ...]]:
    """Return the single columns of a table that may be referred to."""
    return [
        (column.name,)
        for column in table.columns
        if _may_be_key(profiles[table.name, column.name])
        and profiles[table.name, column.name].is_unique
    ]


def _may_be_key(profile: Profile) -> bool:
    if profile.physical == "DOUBLE" or not profile.num_values:
        return False
    return profile.longest <= LONGEST_KEY and profile.num_blank == 0


def _is_full(profile: Profile) -> bool:
    return profile.num_values == profile.num_rows


def _rate(place: int, profile: Profile, named: Named) -> tuple[float, str]:
    """Return how much speaks for a unique column, and what."""
    score, why = _rate_name(named)
    said = [f"every one of {profile.num_rows:,} rows has another value"]
    said += [why] if why else []
    if place == 0:
        score += 0.5
        said.append("the first column")
    if _is_consecutive(profile):
        score += 0.2
        said.append("counting up")
    elif profile.num_moments == profile.num_values:
        score -= 0.2
    if profile.num_spaced > NEAR * profile.num_values:
        score -= 0.3
    return round(score, 3), ", ".join(said)


def _rate_name(named: Named) -> tuple[float, str]:
    words = set(named.column)
    if named.is_own:
        return 1.0, "named as the table's key"
    if named.is_id:
        return 0.8, "named as a key"
    if named.column == named.table:
        return 0.7, "named as the table"
    if words & CODE_NAMES:
        return 0.6, "named as a code"
    if words & NUMBER_NAMES:
        return 0.3, "named as a number"
    return 0.0, ""


def _is_consecutive(profile: Profile) -> bool:
    if profile.physical != "BIGINT" or profile.low is None or profile.high is None:
        return False
    return profile.high - profile.low + 1 == profile.num_distinct


def _parts(
    table: SourceTable, profiles: Profiles, named: Names, referring: frozenset[str]
) -> list[str]:
    """Return the columns that may be part of a key, in the table's order.

    They refer, are named so, or stand before the first that looks like a measurement.
    """
    ranked: list[tuple[int, int, str]] = []
    leading = True
    for place, column in enumerate(table.columns):
        profile = profiles[table.name, column.name]
        if not _may_be_key(profile) or not _is_full(profile) or profile.is_unique:
            continue
        if profile.num_distinct < 2:
            continue
        words = named[table.name, column.name]
        rank = 3
        if column.name in referring or words.is_id or words.column == words.table:
            rank = 0
        elif profile.physical == "VARCHAR" and profile.num_moments == table.num_rows:
            rank = 1
        elif not PART_WORDS.isdisjoint(words.column):
            rank = 2
        leading = leading and (rank < 3 or _is_small(profile))
        if rank < 3 or leading:
            ranked.append((rank, place, column.name))
    chosen = sorted(ranked)[:MOST_CANDIDATES]
    return [name for _, _, name in sorted(chosen, key=lambda one: one[1])]


def _is_small(profile: Profile) -> bool:
    if profile.physical == "VARCHAR":
        return profile.num_spaced == 0
    low, high = profile.low or 0, profile.high or 0
    is_year = YEARS[0] <= low and high <= YEARS[1]
    return is_year or high - low < SMALL_RANGE


def _fewest(
    database: Database, table: SourceTable, parts: Sequence[str]
) -> tuple[str, ...]:
    """Return the fewest parts that make a key, the leftmost among equals."""
    groups = [
        group
        for number in range(2, MOST_PARTS + 1)
        for group in combinations(parts, number)
    ]
    sampled = _count_distinct(database, table.name, groups, SAMPLE_ROWS)
    num_sampled = min(SAMPLE_ROWS, table.num_rows)
    likely = [
        group
        for group, number in zip(groups, sampled, strict=True)
        if number == num_sampled
    ]
    for group in likely[:MOST_TRIED]:
        if _is_key(database, table, group):
            return group
    return ()


def _is_key(database: Database, table: SourceTable, columns: tuple[str, ...]) -> bool:
    if table.num_rows > SAMPLE_ROWS:
        (number,) = _count_distinct(database, table.name, [columns], SAMPLE_ROWS)
        if number < SAMPLE_ROWS:
            return False
    (number,) = _count_distinct(database, table.name, [columns], None)
    return number == table.num_rows


def _count_distinct(
    database: Database,
    table: str,
    groups: Sequence[tuple[str, ...]],
    num_rows: int | None,
) -> list[int]:
    """Return how many distinct values each group of columns has, by one query."""
    if not groups:
        return []
    some = f" WHERE {quote(ROW)} < {num_rows:d}" if num_rows else ""
    counts = ", ".join(
        f"(SELECT count(*) FROM (SELECT DISTINCT {', '.join(map(quote, group))}"
        f" FROM {quote(table)}{some}))"
        for group in groups
    )
    (found,) = database.rows(f"SELECT {counts}")
    return [int(number) for number in found]


def _nearest(
    database: Database,
    table: SourceTable,
    profiles: Profiles,
    named: Names,
    referring: frozenset[str],
) -> tuple[tuple[str, ...], int] | None:
    """Return the columns that tell nearly all rows apart, and how many they do not."""
    most = NEAR * table.num_rows
    for name in _near_keys(table, profiles, named):
        profile = profiles[table.name, name]
        return (name,), profile.num_values - profile.num_distinct
    parts = _parts(table, profiles, named, referring)
    groups = [tuple(parts[:end]) for end in range(2, min(len(parts), MOST_PARTS) + 1)]
    counts = _count_distinct(database, table.name, groups, None)
    for group, number in zip(groups, counts, strict=True):
        if 0 < table.num_rows - number <= most:
            return group, table.num_rows - number
    return None


def _near_keys(table: SourceTable, profiles: Profiles, named: Names) -> list[str]:
    """Return the columns named for the table's rows that few rows repeat."""
    found = []
    for column in table.columns:
        profile = profiles[table.name, column.name]
        repeats = profile.num_values - profile.num_distinct
        is_own = named[table.name, column.name].is_own and _is_full(profile)
        if is_own and 0 < repeats <= NEAR * table.num_rows:
            found.append(column.name)
    return found
