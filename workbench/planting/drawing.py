"""Keys and values of every table, drawn table by table so that keys hold."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from types import MappingProxyType

import numpy as np

from workbench.errors import SchemaError
from workbench.planting.invention import Values, counted, draw_values, generator
from workbench.planting.kinship import (
    early,
    is_one_to_one,
    key_columns,
    late,
    unique_sets,
)
from workbench.schema import Column, ForeignKey, Schema, Table

NULL_SHARE = 0.05


@dataclass(frozen=True, slots=True)
class Plan:
    """What is settled before anything is drawn by chance.

    Attributes:
        counts: Rows of every table.
        links: For keys whose rows are chosen by the caller: int64 ``[rows]``, the row
            of the parent that every row refers to.
        columns: Columns of a table that replace its own of that name or come after.
        seed: Of everything else.
    """

    counts: Mapping[str, int]
    links: Mapping[str, np.ndarray] = field(
        default_factory=lambda: MappingProxyType({})
    )
    columns: Mapping[str, Mapping[str, tuple[str, Values]]] = field(
        default_factory=lambda: MappingProxyType({})
    )
    seed: int = 0


class Drawing:
    """The values of every table, filled in table by table."""

    def __init__(self, schema: Schema, plan: Plan) -> None:
        self._schema = schema
        self._plan = plan
        self.counts = dict(plan.counts)
        self._values: dict[str, dict[str, Values]] = {
            table.name: {} for table in schema.tables
        }

    def fill(self, table: Table) -> None:
        """Draw the keys of a table, then everything that they decide."""
        keys = self._schema.keys_from(table.name)
        own = [key for key in keys if key.table == key.ref_table]
        others = [key for key in keys if key.table != key.ref_table]
        chosen = [key for key in others if key.id in self._plan.links]
        free = [key for key in others if key.id not in self._plan.links]
        free.sort(key=lambda key: -len(key.columns))
        for place, key in enumerate([*chosen, *free]):
            self._link(table, key, [*chosen, *free][place + 1 :])
        self._drop_repeated(table)
        self._number(table)
        for key in own:
            self._link_to_earlier(table, key)
        self._empty_some(table, keys)

    def finished(self, table: Table) -> dict[str, tuple[str, Values]]:
        """Return every column of a table with its type, in the schema's order."""
        found = {
            column.name: (column.sql_type, self._column(table, column))
            for column in table.columns
        }
        return {**found, **self._plan.columns.get(table.name, {})}

    def _column(self, table: Table, column: Column) -> Values:
        held = self._values[table.name]
        if column.name not in held:
            number = self.counts[table.name]
            unique = (column.name,) in unique_sets(self._schema, table.name)
            firsts = {each[0] for each in unique_sets(self._schema, table.name)}
            if unique or (
                column.name in firsts and column.name in early(self._schema, table.name)
            ):
                held[column.name] = counted(column, range(1, number + 1))
            else:
                rng = generator(self._plan.seed, table.name, column.name)
                held[column.name] = draw_values(column, number, rng)
        return held[column.name]

    def _rows(self, key: ForeignKey) -> list[tuple[object, ...]]:
        """Return what each row of the parent is referred to by."""
        parent = self._schema.table(key.ref_table)
        columns = [
            self._column(parent, parent.column(name)) for name in key.ref_columns
        ]
        return list(zip(*columns, strict=True))

    def _link(self, table: Table, key: ForeignKey, later: Sequence[ForeignKey]) -> None:
        """Choose the rows that a key refers to and copy their values."""
        held = self._values[table.name]
        shared = [column for column in key.columns if column in held]
        if key.id in self._plan.links:
            self._copy(table, key, self._plan.links[key.id])
        elif not shared:
            self._copy(table, key, self._free_links(table, key, later))
        elif len(shared) < len(key.columns):
            self._copy(table, key, self._matching_links(table, key, shared))
        else:
            self._check(table, key)

    def _copy(self, table: Table, key: ForeignKey, links: np.ndarray) -> None:
        """Copy values of the parent's rows; -1 stands for none."""
        rows = self._rows(key)
        held = self._values[table.name]
        for place, column in enumerate(key.columns):
            copied: Values = [
                rows[link][place] if link >= 0 else None for link in links
            ]
            if column not in held:
                held[column] = copied
            elif key.id in self._plan.links and held[column] != copied:
                raise SchemaError(
                    f'The keys of "{table.name}" share the column "{column}" and would'
                    " have to differ on it; choose another column for the signal."
                )

    def _free_links(
        self, table: Table, key: ForeignKey, later: Sequence[ForeignKey]
    ) -> np.ndarray:
        """Refer to rows of the parent in turn, in a shuffled order."""
        rng = generator(self._plan.seed, table.name, *key.columns)
        candidates = rng.permutation(self._candidates(key, later))
        number = self.counts[table.name]
        if is_one_to_one(self._schema, key):
            self._shrink(table, min(number, len(candidates)))
            return candidates[: self.counts[table.name]]
        partner = self._partner(table, key)
        if partner is None:
            return candidates[rng.permutation(np.arange(number) % len(candidates))]
        # The k-th row of one parent takes the k-th after the parent's own place, so
        # that no pair comes twice as long as there are pairs left.
        _, first, size = np.unique(partner, return_inverse=True, return_counts=True)
        turn = _occurrence(first)
        if size.max() > len(candidates):
            keep = turn < len(candidates)
            self._keep(table, keep)
            first, turn = first[keep], turn[keep]
        return candidates[(first + turn) % len(candidates)]

    def _candidates(self, key: ForeignKey, later: Sequence[ForeignKey]) -> np.ndarray:
        """Return the parent's rows that later keys with shared columns can go with."""
        rows = self._rows(key)
        keep = np.ones(len(rows), dtype=bool)
        for other in later:
            shared = [column for column in key.columns if column in other.columns]
            if not shared or other.ref_table == key.table:
                continue
            mine = [key.columns.index(column) for column in shared]
            theirs = [other.columns.index(column) for column in shared]
            known = {tuple(row[at] for at in theirs) for row in self._rows(other)}
            keep &= [tuple(row[at] for at in mine) in known for row in rows]
        return np.flatnonzero(keep) if keep.any() else np.arange(len(rows))

    def _partner(self, table: Table, key: ForeignKey) -> list[str] | None:
        """Return, row by row, what a key must tell apart where both make one key."""
        held = self._values[table.name]
        tied = key_columns(self._schema, table.name)
        for unique in unique_sets(self._schema, table.name):
            if set(unique) & set(key.columns) and set(unique) <= tied:
                others = [column for column in unique if column in held]
                if others and set(unique) <= {*others, *key.columns}:
                    return [
                        repr(row)
                        for row in zip(*(held[o] for o in others), strict=True)
                    ]
        return None

    def _matching_links(
        self, table: Table, key: ForeignKey, shared: Sequence[str]
    ) -> np.ndarray:
        """Refer to a row that agrees with the columns which other keys have settled."""
        rng = generator(self._plan.seed, table.name, *key.columns)
        at = [key.columns.index(column) for column in shared]
        groups: dict[tuple[object, ...], list[int]] = {}
        for row, values in enumerate(self._rows(key)):
            groups.setdefault(tuple(values[place] for place in at), []).append(row)
        held = self._values[table.name]
        settled = list(zip(*(held[column] for column in shared), strict=True))
        chance = rng.random(len(settled))
        links = np.full(len(settled), -1, dtype=np.int64)
        for row, (values, drawn) in enumerate(zip(settled, chance, strict=True)):
            group = groups.get(values)
            if group:
                links[row] = group[int(drawn * len(group))]
        own = [column for column in key.columns if column not in shared]
        if (links < 0).any() and not all(table.column(c).nullable for c in own):
            raise SchemaError(self._impossible(table, key))
        return links

    def _check(self, table: Table, key: ForeignKey) -> None:
        """See that values which other keys have settled are a row of the parent."""
        held = self._values[table.name]
        known = set(self._rows(key))
        settled = zip(*(held[column] for column in key.columns), strict=True)
        if any(None not in row and row not in known for row in settled):
            raise SchemaError(self._impossible(table, key))

    def _impossible(self, table: Table, key: ForeignKey) -> str:
        return (
            f'No rows can be made up for "{table.name}": its key'
            f' ({", ".join(key.columns)}) to "{key.ref_table}" shares columns with'
            " another key, and no row fits both; bring rows of your own."
        )

    def _drop_repeated(self, table: Table) -> None:
        """Leave out rows that repeat a key which is made of other keys alone."""
        held = self._values[table.name]
        for unique in unique_sets(self._schema, table.name):
            if all(column in held for column in unique):
                seen: set[tuple[object, ...]] = set()
                keep = np.zeros(self.counts[table.name], dtype=bool)
                rows = zip(*(held[column] for column in unique), strict=True)
                for at, row in enumerate(rows):
                    keep[at] = row not in seen and None not in row
                    seen.add(row)
                self._keep(table, keep)

    def _keep(self, table: Table, keep: np.ndarray) -> None:
        """Keep some rows of what is drawn so far."""
        if keep.all():
            return
        kept = np.flatnonzero(keep)
        self._shrink(table, len(kept))
        held = self._values[table.name]
        for column, values in held.items():
            held[column] = [values[row] for row in kept]

    def _shrink(self, table: Table, number: int) -> None:
        """Set a smaller number of rows; the rows of a chosen key cannot be fewer."""
        if number == self.counts[table.name]:
            return
        chosen = [
            key.id for key in self._schema.foreign_keys if key.id in self._plan.links
        ]
        settled = self._plan.columns.get(table.name)
        if settled or any(key.startswith(f"{table.name}.") for key in chosen):
            raise SchemaError(
                f'The keys of "{table.name}" allow {number} rows, and'
                f" {self.counts[table.name]} are needed; give fewer rows."
            )
        self.counts[table.name] = number

    def _number(self, table: Table) -> None:
        """Number the rows within whatever else a key is made of."""
        held = self._values[table.name]
        tied = key_columns(self._schema, table.name)
        for unique in unique_sets(self._schema, table.name):
            plain = [column for column in unique if column not in tied]
            others = [column for column in unique if column in held and column in tied]
            if plain and others and plain[0] in late(self._schema, table.name):
                rows = [
                    repr(row) for row in zip(*(held[o] for o in others), strict=True)
                ]
                _, group = np.unique(rows, return_inverse=True)
                column = table.column(plain[0])
                held[plain[0]] = counted(column, (_occurrence(group) + 1).tolist())

    def _link_to_earlier(self, table: Table, key: ForeignKey) -> None:
        """Refer to a row that came before, and that agrees on what is settled."""
        rng = generator(self._plan.seed, table.name, *key.columns)
        held = self._values[table.name]
        shared = [column for column in key.columns if column in held]
        own = [column for column in key.columns if column not in shared]
        if not own:
            return self._check(table, key)
        rows = self._rows(key)
        settled = [tuple(held[c][row] for c in shared) for row in range(len(rows))]
        at = [key.columns.index(column) for column in shared]
        may_be_null = all(table.column(column).nullable for column in own)
        earlier: dict[tuple[object, ...], list[int]] = {}
        links = np.full(len(rows), -1, dtype=np.int64)
        for row, drawn in enumerate(rng.random(len(rows))):
            mine = tuple(rows[row][place] for place in at)
            group = earlier.get(settled[row], [])
            if group:
                links[row] = group[int(drawn * len(group))]
            elif not may_be_null:
                links[row] = row
            earlier.setdefault(mine, []).append(row)
        return self._copy(table, key, links)

    def _empty_some(self, table: Table, keys: Sequence[ForeignKey]) -> None:
        """Make some keys NULL that may be, and that nothing else is made of."""
        held = self._values[table.name]
        needed = {c for unique in unique_sets(self._schema, table.name) for c in unique}
        for key in keys:
            elsewhere = {c for other in keys if other is not key for c in other.columns}
            own = [
                column
                for column in key.columns
                if table.column(column).nullable and column not in needed | elsewhere
            ]
            if key.id in self._plan.links or not own:
                continue
            rng = generator(self._plan.seed, table.name, *key.columns, "null")
            for row in np.flatnonzero(rng.random(self.counts[table.name]) < NULL_SHARE):
                for column in own:
                    held[column][row] = None


def _occurrence(group: np.ndarray) -> np.ndarray:
    """Return how many earlier rows are of the same group.

    >>> _occurrence(np.array([3, 1, 3, 3, 1])).tolist()
    [0, 0, 1, 2, 1]
    """
    order = np.argsort(group, kind="stable")
    _, starts, sizes = np.unique(group[order], return_index=True, return_counts=True)
    found = np.empty(len(group), dtype=np.int64)
    found[order] = np.arange(len(group)) - np.repeat(starts, sizes)
    return found
