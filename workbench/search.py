"""Keys that nobody declared: looked for in the rows, then used or suggested."""

from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from workbench.database import Database
from workbench.ends import find_link_ends
from workbench.inclusion import HELD_BACK, USED, Columns, Guess, find_foreign_keys
from workbench.keys import (
    SCORE,
    Candidate,
    Names,
    Profiles,
    choose_primary,
    composite_candidate,
    key_obstacle,
    name_columns,
    single_candidates,
    unique_columns,
)

Ends = tuple[Columns, Columns]


@dataclass(frozen=True, slots=True)
class Found:
    """What a search found.

    Attributes:
        primary: The primary key of every table that had none, where there is one.
        obstacles: Why there is none, by table.
        used: Foreign keys with enough confidence to be used.
        suggested: The others, most confidence first.
    """

    primary: Mapping[str, Candidate]
    obstacles: Mapping[str, str]
    used: tuple[Guess, ...]
    suggested: tuple[Guess, ...]


NOTHING = Found({}, {}, (), ())


def search_keys(
    database: Database,
    profiles: Profiles,
    settled: Mapping[str, tuple[str, ...]],
    known: Sequence[Ends],
    rejected: frozenset[Ends],
) -> Found:
    """Look for the keys of a database that nobody declares.

    Args:
        database: The rows.
        profiles: What is counted of every column.
        settled: The primary key of every table about which that is known; none where
            rows have no key of their own.
        known: Foreign keys that are known: whose columns lead to which.
        rejected: Foreign keys that are none.
    """
    named = name_columns(database.tables, profiles)
    taken = frozenset(child for child, _ in known)
    singles = {
        table.name: single_candidates(table, profiles, named)
        for table in database.tables
    }
    parents = [
        (table.name, columns)
        for table in database.tables
        for columns in (
            settled.get(table.name, ()),
            *unique_columns(table, profiles),
        )
        if len(columns) == 1
    ]
    guesses = find_foreign_keys(database, profiles, named, parents, taken, rejected)
    guesses = _with_ends(database, profiles, parents, taken, rejected, guesses)
    referring = _referring(known, guesses)
    composed = _compose(database, profiles, named, settled, singles, referring)
    wide = [(one.table, one.columns) for one in composed.values()]
    wide += [(name, columns) for name, columns in settled.items() if len(columns) > 1]
    guesses += find_foreign_keys(database, profiles, named, wide, taken, rejected)
    guesses = _without_copies(known, guesses, named)
    used = tuple(guess for guess in guesses if guess.confidence >= USED)
    inbound = Counter((one.ref_table, one.ref_columns) for one in used)
    inbound.update(parent for _, parent in known)
    primary, obstacles = {}, {}
    for table in database.tables:
        if table.name in settled:
            continue
        own = composed.get(table.name)
        candidates = [*singles[table.name], *([own] if own else [])]
        chosen = choose_primary(candidates, inbound)
        if chosen is not None:
            primary[table.name] = chosen
        else:
            obstacles[table.name] = key_obstacle(
                database, table, profiles, named, referring[table.name]
            )
    rest = (guess for guess in guesses if guess.confidence < USED)
    return Found(
        primary=primary,
        obstacles=obstacles,
        used=used,
        suggested=tuple(
            sorted(rest, key=lambda one: (-one.confidence, one.table, one.columns))
        ),
    )


def _with_ends(
    database: Database,
    profiles: Profiles,
    parents: Sequence[Columns],
    taken: frozenset[Columns],
    rejected: frozenset[Ends],
    guesses: tuple[Guess, ...],
) -> tuple[Guess, ...]:
    """Return the guesses with those that the two ends of links give, instead."""
    settled = {(one.table, one.columns) for one in guesses if one.confidence >= USED}
    ends = [
        one
        for one in find_link_ends(database, profiles, parents, taken | settled)
        if ((one.table, one.columns), (one.ref_table, one.ref_columns)) not in rejected
    ]
    replaced = {(one.table, one.columns) for one in ends}
    kept = [one for one in guesses if (one.table, one.columns) not in replaced]
    return (*kept, *ends)


def _referring(
    known: Sequence[Ends], guesses: Sequence[Guess]
) -> Mapping[str, frozenset[str]]:
    """Return, by table, the columns that refer to others."""
    found: defaultdict[str, frozenset[str]] = defaultdict(frozenset)
    for (table, columns), _ in known:
        found[table] |= set(columns)
    for guess in guesses:
        if guess.confidence >= USED:
            found[guess.table] |= set(guess.columns)
    return found


def _compose(
    database: Database,
    profiles: Profiles,
    named: Names,
    settled: Mapping[str, tuple[str, ...]],
    singles: Mapping[str, list[Candidate]],
    referring: Mapping[str, frozenset[str]],
) -> dict[str, Candidate]:
    """Return the composite key of every table that has one, and whose key is open."""
    found = {}
    for table in database.tables:
        if table.name in settled:
            continue
        best = next(iter(singles[table.name]), None)
        own = composite_candidate(
            database,
            table,
            profiles,
            named,
            referring[table.name],
            beside=best is not None and best.score >= SCORE,
        )
        if own is not None:
            found[table.name] = own
    return found


def _without_copies(
    known: Sequence[Ends], guesses: Sequence[Guess], named: Names
) -> tuple[Guess, ...]:
    """Hold back guesses that repeat by another column what a key says already.

    A row that names its genre by number, and once more by the genre's name, refers to
    it once; the name beside the number is a copy.
    """
    by_key = {(table, parent) for (table, _), (parent, _) in known}
    by_key |= {
        (guess.table, guess.ref_table)
        for guess in guesses
        if guess.confidence >= USED
        and all(named[guess.ref_table, one].is_id for one in guess.ref_columns)
    }
    return tuple(
        replace(guess, confidence=min(guess.confidence, HELD_BACK))
        if (guess.table, guess.ref_table) in by_key
        and not any(named[guess.ref_table, one].is_id for one in guess.ref_columns)
        else guess
        for guess in guesses
    )
