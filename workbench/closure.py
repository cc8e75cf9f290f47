"""Part of a database that is too large: some target rows and all that they need."""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from workbench.database import Database, derive
from workbench.schema import ForeignKey, Schema, hints_of, infer_schema

TRIES = 12


@dataclass(frozen=True, slots=True)
class Drawn:
    """The rows of a database that a study works on.

    Attributes:
        database: All of them, or those that were drawn.
        schema: Their schema; what was settled on all rows stays.
        notes: What is said wherever results of these rows are shown; empty for all.
    """

    database: Database
    schema: Schema
    notes: tuple[str, ...]


def draw_rows(
    database: Database, schema: Schema, table: str, max_rows: int, root: Path
) -> Drawn:
    """Return the rows of a study: all, or some target rows and all that they need.

    What a row needs is found along the foreign keys, one table after the other by its
    distance from the target's: the parents of the rows drawn so far, and their
    children. At the end every row that is drawn also has its parents, so that no key
    dangles that did not dangle before. Target rows are drawn by a hash of their
    position: the same ones every time, and more of them when more rows are allowed.

    Args:
        database: All rows.
        schema: Its tables and keys.
        table: The target's table.
        max_rows: Most rows of all tables together; one target row and what it needs are
            drawn even where these are more.
        root: The folder of the cache.

    Raises:
        SchemaError: There is no such table.
    """
    sizes = {each.name: each.num_rows for each in schema.tables}
    total, num_targets = sum(sizes.values()), schema.table(table).num_rows
    if total <= max_rows or not num_targets:
        return Drawn(database, schema, ())
    order = np.argsort(_hashed(num_targets), kind="stable")
    chosen = _largest(database, schema, table, order, max_rows)
    rows = {name: np.flatnonzero(kept) for name, kept in chosen.items()}
    told = f"{database.fingerprint} {table} {max_rows}"
    fingerprint = hashlib.sha256(told.encode()).hexdigest()[:16]
    part = derive(database, fingerprint, rows, root)
    note = (
        f"The database has {total:,} rows and a study takes {max_rows:,} at most:"
        f' {len(rows[table]):,} of the {num_targets:,} rows of "{table}" were drawn,'
        f" with the rows that these need, {sum(map(len, rows.values())):,} in all."
    )
    settled = infer_schema(part, hints_of(schema))
    return Drawn(part, replace(settled, warnings=(*schema.warnings, note)), (note,))


def _largest(
    database: Database,
    schema: Schema,
    table: str,
    order: np.ndarray,
    max_rows: int,
) -> Mapping[str, np.ndarray]:
    """Return the rows that the most target rows need which still fit."""
    low, high = 1, len(order)
    best = _needed(database, schema, table, order[:1])
    for _ in range(TRIES):
        if low >= high:
            break
        middle = (low + high + 1) // 2
        found = _needed(database, schema, table, order[:middle])
        if sum(int(kept.sum()) for kept in found.values()) <= max_rows:
            low, best = middle, found
        else:
            high = middle - 1
    return best


def _needed(
    database: Database, schema: Schema, table: str, targets: np.ndarray
) -> dict[str, np.ndarray]:
    """Return, by table, which rows the target rows need."""
    kept = {each.name: np.zeros(each.num_rows, dtype=bool) for each in schema.tables}
    kept[table][targets] = True
    distances = _distances(schema, table)
    for distance in range(1, max(distances.values(), default=0) + 1):
        for key in schema.foreign_keys:
            near, far = distances.get(key.table), distances.get(key.ref_table)
            if (near, far) == (distance - 1, distance):
                _keep_parents(database, key, kept)
            elif (near, far) == (distance, distance - 1):
                links = _links(database, key)
                children = (links >= 0) & kept[key.ref_table][links]
                kept[key.table] |= children
    grown = True
    while grown:
        grown = any(_keep_parents(database, key, kept) for key in schema.foreign_keys)
    return kept


def _distances(schema: Schema, table: str) -> dict[str, int]:
    """Return how many keys lie between the target's table and each it is tied to."""
    found = {table: 0}
    frontier = {table}
    while frontier:
        pairs = [(key.table, key.ref_table) for key in schema.foreign_keys]
        pairs += [(two, one) for one, two in pairs]
        further = {two for one, two in pairs if one in frontier} - found.keys()
        found |= dict.fromkeys(further, max(found.values()) + 1)
        frontier = further
    return found


def _keep_parents(
    database: Database, key: ForeignKey, kept: Mapping[str, np.ndarray]
) -> bool:
    """Keep the parents of the rows that are kept; return whether any is new."""
    links = _links(database, key)
    parents = links[kept[key.table] & (links >= 0)]
    is_new = not kept[key.ref_table][parents].all()
    kept[key.ref_table][parents] = True
    return is_new


def _links(database: Database, key: ForeignKey) -> np.ndarray:
    return database.links(key.table, key.columns, key.ref_table, key.ref_columns)


def _hashed(num_rows: int) -> np.ndarray:
    """Return a number for every position, scattered and always the same.

    Source: Steele, Lea & Flood (2014), "Fast splittable pseudorandom number
    generators", the finaliser of SplitMix64.
    """
    mixed = np.arange(1, num_rows + 1, dtype=np.uint64) * np.uint64(0x9E3779B97F4A7C15)
    mixed = (mixed ^ (mixed >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    mixed = (mixed ^ (mixed >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return mixed ^ (mixed >> np.uint64(31))
