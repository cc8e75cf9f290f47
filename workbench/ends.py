"""Columns named as the two ends of a link, such as ``src`` and ``dst``.

Such names say nothing of the table that they lead to, so that `workbench.inclusion`
finds no key in them. Together they say that there is one, and the rows say which.
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from itertools import product
from types import MappingProxyType

from workbench.database import Database, SourceTable, quote
from workbench.inclusion import ORPHANS, USED, Columns, Guess
from workbench.keys import Profiles

# The word for the far end, by that for the near one.
ENDS: Mapping[str, tuple[str, ...]] = MappingProxyType(
    {
        "src": ("dst", "dest", "tgt"),
        "source": ("target", "destination", "dest", "sink"),
        "from": ("to",),
        "citing": ("cited",),
        "head": ("tail",),
        "start": ("end",),
        "u": ("v",),
    }
)
FAR_ENDS = frozenset(word for words in ENDS.values() for word in words)
COVERED = 0.5  # share of the parent's rows that both ends together have to name
NAME = 0.8


def find_link_ends(
    database: Database,
    profiles: Profiles,
    parents: Sequence[Columns],
    taken: frozenset[Columns],
) -> tuple[Guess, ...]:
    """Find pairs of columns that tie two rows of one other table.

    Both columns have to be named as ends of a link, hold keys of one table with at
    most 5 % orphans, and together name at least half of its rows: a range ``from 3 to
    8`` beside a table of ten rows does not.

    Args:
        database: The rows.
        profiles: What is counted of every column.
        parents: Unique columns that may be referred to, by table.
        taken: Columns, by table, whose key is known already.

    Returns:
        Two guesses a pair, with confidence enough to be used; among several parents
        the one with the fewest rows.
    """
    rows = {table.name: table.num_rows for table in database.tables}
    single = [one for one in parents if len(one[1]) == 1]
    ordered = sorted(single, key=lambda one: (rows[one[0]], one))
    found: list[Guess] = []
    for table in database.tables:
        for near, far in _pairs(table):
            if {(table.name, (near,)), (table.name, (far,))} & taken:
                continue
            for parent in ordered:
                if parent[0] == table.name:
                    continue
                guesses = _measure(database, profiles, table.name, (near, far), parent)
                if guesses:
                    found += guesses
                    break
    return tuple(found)


def _pairs(table: SourceTable) -> Iterator[tuple[str, str]]:
    """Yield columns named as two ends; what else their names say has to agree."""
    named = {column.name: _words(column.name) for column in table.columns}
    near = {name: words for name, words in named.items() if words[0] in ENDS}
    far = {name: words for name, words in named.items() if words[0] in FAR_ENDS}
    for (one, (first, *rest)), (two, (last, *other)) in product(
        near.items(), far.items()
    ):
        if rest == other and last in ENDS[first]:
            yield one, two


def _words(name: str) -> tuple[str, ...]:
    """Return the words of a name, at least one, which may be empty."""
    split = re.sub(r"([a-z])([A-Z])", r"\1_\2", name).lower()
    return tuple(re.findall(r"[a-z]+", split)) or ("",)


def _measure(
    database: Database,
    profiles: Profiles,
    table: str,
    ends: tuple[str, str],
    parent: Columns,
) -> list[Guess]:
    """Return both guesses, or none where the rows do not bear them out."""
    ref_table, (ref_column,) = parent
    kinds = {profiles[table, end].physical for end in ends}
    if kinds != {profiles[ref_table, ref_column].physical}:
        return []
    key = f"SELECT {quote(ref_column)} FROM {quote(ref_table)}"
    both = " UNION ".join(f"SELECT {quote(end)} FROM {quote(table)}" for end in ends)
    counts = ", ".join(
        f"count({quote(end)}), count_if({quote(end)} IN ({key}))" for end in ends
    )
    (counted,) = database.rows(f"SELECT {counts} FROM {quote(table)}")
    shares = [(counted[at + 1] / counted[at] if counted[at] else 0.0) for at in (0, 2)]
    ((num_named, num_parents),) = database.rows(
        f"SELECT count_if({quote(ref_column)} IN ({both})), count(*)"
        f" FROM {quote(ref_table)}"
    )
    coverage = num_named / max(num_parents, 1)
    if min(shares) < 1 - ORPHANS or coverage < COVERED:
        return []
    confidence = max(USED, round(0.6 * NAME + 0.25 + 0.15 * coverage, 3))
    return [
        Guess(
            table=table,
            columns=(end,),
            ref_table=ref_table,
            ref_columns=(ref_column,),
            confidence=confidence,
            evidence={
                "inclusion": round(share, 6),
                "orphans": counted[2 * at] - counted[2 * at + 1],
                "coverage": round(coverage, 6),
                "name": NAME,
                "why": f'"{ends[0]}" and "{ends[1]}" are named as two ends of a link',
            },
        )
        for at, (end, share) in enumerate(zip(ends, shares, strict=True))
    ]
