"""Foreign keys found in the rows: whose values another table's key includes.

Every candidate is measured on all rows. What is returned is a guess with its evidence;
whether it is used is decided by its confidence, a score between 0 and 1 and no
probability:

    .60 × name + .25 × inclusion + .15 × specificity

*name* says how well the names agree (`workbench.naming`). *inclusion* is 1 without
orphans and falls to 0 at 5 % of the rows. *specificity* is 1 less the chance that as
many values would be included without a cause: near 0 for a small range of whole numbers
inside a key that counts up, near 1 for texts and scattered numbers. With more than 5 %
orphans, or columns that rather describe the same thing twice, the confidence stays
below what is used.
"""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import product

from workbench.database import Database, quote
from workbench.keys import Profiles
from workbench.naming import Named, NameMatch, match_names, match_parts
from workbench.stypes import Profile

USED = 0.75  # confidence from which a guess is used
SHOWN = 0.25  # confidence from which a guess is suggested
HELD_BACK = 0.7  # the most that a guess gets which is never used by itself
ORPHANS = 0.05  # share of rows with a value that may lead nowhere
MOST_ORPHANS = 0.2  # beyond this there is no guess at all
WEAK_NAME = 0.4
UNNAMED_VALUES = 3  # distinct texts, before inclusion without a name means anything
LONGEST_CODE = 40
CERTAIN = 20  # distinct values from which more make a coincidence no less likely
ASPECTS = 2.0  # rows a parent, below which both rather describe the same thing
MOST_CHOICES = 16  # ways to match the parts of one key with the columns of one table
LARGEST_SPREAD = 2.0  # a child has at most so many times the parent's distinct values

Columns = tuple[str, tuple[str, ...]]


@dataclass(frozen=True, slots=True)
class Guess:
    """A foreign key that the rows, and mostly the names, speak for.

    Attributes:
        table: The table that would refer.
        columns: Its columns.
        ref_table: The table referred to.
        ref_columns: Its columns, one for each of ``columns``.
        confidence: A score from 0 to 1, and no probability.
        evidence: Shares and counts over all rows, by name.
    """

    table: str
    columns: tuple[str, ...]
    ref_table: str
    ref_columns: tuple[str, ...]
    confidence: float
    evidence: Mapping[str, object]


@dataclass(frozen=True, slots=True)
class _Pair:
    """A candidate before it is measured."""

    child: Columns
    parent: Columns
    match: NameMatch


@dataclass(frozen=True, slots=True)
class _Count:
    """What is counted of a candidate, NULL aside."""

    num_filled: int
    num_matched: int
    num_distinct: int
    num_found: int


def find_foreign_keys(
    database: Database,
    profiles: Profiles,
    named: Mapping[tuple[str, str], Named],
    parents: Iterable[Columns],
    taken: frozenset[Columns],
    rejected: frozenset[tuple[Columns, Columns]] = frozenset(),
) -> tuple[Guess, ...]:
    """Find which columns refer to which unique columns.

    A column, or group of columns, refers to one parent at most: the one with the most
    confidence, among equals the one with the fewest rows. What refers itself to the
    table that the column names is no parent. The result does not depend
    on the order of rows or tables.

    Args:
        database: The rows.
        profiles: What is counted of every column.
        named: Every column's words.
        parents: Unique columns that may be referred to, by table.
        taken: Columns, by table, whose key is known already.
        rejected: Columns and what they do not refer to.

    Returns:
        Guesses from `SHOWN` up, by table and column.
    """
    unique = sorted(set(parents))
    singles = [one for one in unique if len(one[1]) == 1]
    pairs = [
        *_single_pairs(profiles, named, singles),
        *_composite_pairs(profiles, named, [one for one in unique if len(one[1]) > 1]),
    ]
    found: dict[Columns, list[Guess]] = defaultdict(list)
    owners: dict[Columns, set[Columns]] = defaultdict(set)
    for pair in pairs:
        if pair.child in taken or (pair.child, pair.parent) in rejected:
            continue
        guess = _measure(database, profiles, pair)
        if guess is not None and guess.confidence >= SHOWN:
            found[pair.child].append(guess)
            if guess.confidence >= USED and _is_owner(named, pair):
                owners[pair.child].add(pair.parent)
    found = {
        child: [one for one in guesses if not _is_sibling(one, child, owners)]
        for child, guesses in found.items()
    }
    rows = {table.name: table.num_rows for table in database.tables}
    best = [_best(guesses, rows) for _, guesses in sorted(found.items()) if guesses]
    return tuple(_without_returns(best))


def _single_pairs(
    profiles: Profiles,
    named: Mapping[tuple[str, str], Named],
    parents: Sequence[Columns],
) -> Iterator[_Pair]:
    for table, (column,) in parents:
        parent = profiles[table, column]
        for child, profile in profiles.items():
            if child == (table, column) or not _may_refer(profile, parent):
                continue
            match = match_names(
                named[child], named[table, column], same_table=child[0] == table
            )
            if match.score < WEAK_NAME and not _may_be_unnamed(
                child, profile, (table, column), parent
            ):
                continue
            yield _Pair((child[0], (child[1],)), (table, (column,)), match)


def _is_owner(named: Mapping[tuple[str, str], Named], pair: _Pair) -> bool:
    """Return whether the child names the parent, by the key of the parent's rows."""
    table, columns = pair.parent
    return pair.match.names_parent and all(named[table, one].is_own for one in columns)


def _is_sibling(
    guess: Guess, child: Columns, owners: Mapping[Columns, set[Columns]]
) -> bool:
    """Return whether the would-be parent refers itself to what the child names.

    A payment and a shipment of an order both hold its number; neither refers to the
    other, even where every order has one of each.
    """
    parent = (guess.ref_table, guess.ref_columns)
    return not owners.get(child, set()).isdisjoint(owners.get(parent, set()))


def _may_refer(child: Profile, parent: Profile) -> bool:
    """Return whether values could be included, going by type and range alone."""
    if not child.num_values:
        return False
    if "VARCHAR" in (child.physical, parent.physical):
        return child.physical == parent.physical and child.longest <= 2 * LONGEST_CODE
    if child.low is None or child.high is None:
        return False
    if parent.low is None or parent.high is None:
        return False
    return child.low <= parent.high and child.high >= parent.low


def _may_be_unnamed(
    child_of: tuple[str, str],
    child: Profile,
    parent_of: tuple[str, str],
    parent: Profile,
) -> bool:
    """Return whether inclusion would mean something without help from the names."""
    return (
        child.physical == parent.physical == "VARCHAR"
        and child_of[0] != parent_of[0]
        and child.num_distinct >= UNNAMED_VALUES
        and child.num_distinct < child.num_values
        and child.num_distinct <= parent.num_distinct
        and parent.longest <= LONGEST_CODE
        and parent.num_spaced == 0
        and child.longest <= parent.longest
        and parent.first <= child.first
        and child.last <= parent.last
    )


def _composite_pairs(
    profiles: Profiles,
    named: Mapping[tuple[str, str], Named],
    parents: Sequence[Columns],
) -> Iterator[_Pair]:
    columns_of: dict[str, list[str]] = defaultdict(list)
    for table, column in profiles:
        columns_of[table].append(column)
    for table, parts in parents:
        for child_table, columns in columns_of.items():
            if child_table == table:
                continue
            choices = [
                [
                    (column, match)
                    for column in columns
                    if _may_refer(profiles[child_table, column], profiles[table, part])
                    and (
                        match := match_parts(
                            named[child_table, column], named[table, part]
                        )
                    ).score
                ]
                for part in parts
            ]
            num_choices = 1
            for each in choices:
                num_choices *= len(each)
            if not 0 < num_choices <= MOST_CHOICES:
                continue
            for chosen in product(*choices):
                names = tuple(column for column, _ in chosen)
                if len(set(names)) == len(names) and _may_spread(
                    profiles, (child_table, names), (table, parts)
                ):
                    match = _match_all(
                        [match for _, match in chosen],
                        named[child_table, names[0]],
                        [named[table, part] for part in parts],
                    )
                    yield _Pair((child_table, names), (table, parts), match)


def _may_spread(profiles: Profiles, child: Columns, parent: Columns) -> bool:
    pairs = zip(child[1], parent[1], strict=True)
    return all(
        profiles[child[0], own].num_distinct
        <= LARGEST_SPREAD * profiles[parent[0], ref].num_distinct
        for own, ref in pairs
    )


def _match_all(
    matches: Sequence[NameMatch], child: Named, parts: Sequence[Named]
) -> NameMatch:
    """Return how well the names of several columns agree, and whether with the table.

    A name that all columns of a key share, such as a year, says little by itself; a
    word of the parent's table in its key, or the parent's name at the start of the
    child's, says that the key is the parent's own.
    """
    table = parts[0].table
    words = {word for part in parts for word in part.stem}
    extends = child.table[: len(table)] == table and len(child.table) > len(table)
    names_parent = bool(words & set(table)) or extends
    score = min(match.score for match in matches)
    if not names_parent:
        score -= 0.15
    why = "; ".join(dict.fromkeys(match.why for match in matches))
    return NameMatch(round(score, 3), why, names_parent)


def _measure(database: Database, profiles: Profiles, pair: _Pair) -> Guess | None:
    count = _count(database, pair)
    if not count.num_filled or not count.num_matched:
        return None
    inclusion = count.num_matched / count.num_filled
    if inclusion < 1 - MOST_ORPHANS:
        return None
    (table, columns), (ref_table, ref_columns) = pair.child, pair.parent
    num_parents = _num_parents(database, profiles, pair.parent)
    fan_out = count.num_matched / count.num_found
    specificity = _specificity(profiles, pair, count)
    confidence = (
        0.6 * pair.match.score
        + 0.25 * max(0.0, 1 - (1 - inclusion) / ORPHANS)
        + 0.15 * specificity
    )
    if _is_held_back(pair, inclusion, fan_out):
        confidence = min(confidence, HELD_BACK)
    return Guess(
        table=table,
        columns=columns,
        ref_table=ref_table,
        ref_columns=ref_columns,
        confidence=round(confidence, 3),
        evidence={
            "inclusion": round(inclusion, 6),
            "orphans": count.num_filled - count.num_matched,
            "duplicates": count.num_filled - count.num_distinct,
            "distinct": count.num_distinct,
            "coverage": round(count.num_found / num_parents, 6),
            "name": pair.match.score,
            "why": pair.match.why,
            "specificity": round(specificity, 3),
            "rows_per_parent": round(fan_out, 3),
        },
    )


def _is_held_back(pair: _Pair, inclusion: float, fan_out: float) -> bool:
    """Return whether a guess is shown and never used by itself."""
    if inclusion < 1 - ORPHANS:
        return True
    composite = len(pair.child[1]) > 1
    return composite and fan_out < ASPECTS and not pair.match.names_parent


def _count(database: Database, pair: _Pair) -> _Count:
    (table, columns), (ref_table, ref_columns) = pair.child, pair.parent
    sides = database.comparable(("c", table, columns), ("p", ref_table, ref_columns))
    keys = ", ".join(f"{own} AS k{at}" for at, (own, _) in enumerate(sides))
    ref_keys = ", ".join(f"{ref} AS k{at}" for at, (_, ref) in enumerate(sides))
    names = ", ".join(f"k{at}" for at in range(len(sides)))
    filled = " AND ".join(f"c.{quote(column)} IS NOT NULL" for column in columns)
    ((num_filled, num_matched, num_distinct, num_found),) = database.rows(
        f"WITH child AS (SELECT {keys}, count(*) AS number FROM {quote(table)} c"
        f" WHERE {filled} GROUP BY ALL),"
        f" parent AS (SELECT DISTINCT {ref_keys} FROM {quote(ref_table)} p),"
        f" found AS (SELECT number, ({names}) IN (SELECT ({names}) FROM parent)"
        " AS hit FROM child)"
        " SELECT sum(number), sum(number) FILTER (hit), count(*), count_if(hit)"
        " FROM found"
    )
    return _Count(
        int(num_filled or 0),
        int(num_matched or 0),
        int(num_distinct or 0),
        int(num_found or 0),
    )


def _num_parents(database: Database, profiles: Profiles, parent: Columns) -> int:
    table, columns = parent
    if len(columns) == 1:
        return max(1, profiles[table, columns[0]].num_distinct)
    return max(1, database.table(table).num_rows)


def _specificity(profiles: Profiles, pair: _Pair, count: _Count) -> float:
    """Return 1 less the chance of so many included values without a cause."""
    number = min(count.num_distinct, CERTAIN)
    table, columns = pair.parent
    if len(columns) > 1:
        return 1 - 0.5**number
    profile = profiles[table, "".join(columns)]
    if profile.physical == "VARCHAR":
        return 1 - 0.5**number
    low, high = profile.low or 0, profile.high or 0
    density = min(1.0, profile.num_distinct / (high - low + 1))
    return 1 - density**number


def _best(guesses: Sequence[Guess], num_rows: Mapping[str, int]) -> Guess:
    return min(
        guesses,
        key=lambda one: (
            -one.confidence,
            -float(str(one.evidence["name"])),
            num_rows[one.ref_table],
            one.ref_table,
            one.ref_columns,
        ),
    )


def _without_returns(guesses: Sequence[Guess]) -> Iterator[Guess]:
    """Leave out one of two guesses that lead there and back along the same columns."""
    by_ends = {
        ((one.table, one.columns), (one.ref_table, one.ref_columns)): one
        for one in guesses
    }
    inbound: dict[str, int] = defaultdict(int)
    for one in guesses:
        inbound[one.ref_table] += 1
    for (child, parent), one in by_ends.items():
        back = by_ends.get((parent, child))
        if back is not None:
            mine = (one.confidence, inbound[one.ref_table], one.table, one.columns)
            other = (back.confidence, inbound[back.ref_table], back.table, back.columns)
            if mine < other:
                continue
        yield one
