"""Tables for learners that know no graph: own columns, joins, aggregates.

Deep feature synthesis in the plain: a row gets its parents' columns by joining and its
children's by aggregating, so many hops away as asked for.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from workbench.blueprint import ColumnRef
from workbench.clock import row_times
from workbench.database import Database
from workbench.edges import column_values
from workbench.schema import ForeignKey, Schema, Stype
from workbench.stypes import frequent_parts
from workbench.task import Task

NUMERIC = (Stype.NUMERICAL, Stype.TIMESTAMP)
USED = (*NUMERIC, Stype.CATEGORICAL, Stype.BOOLEAN, Stype.MULTICATEGORICAL)
MAX_PARTS = 64
MAX_COUNTED = 10
LARGEST = float(np.finfo(np.float32).max)


@dataclass(frozen=True, slots=True)
class Feature:
    """A column of a table for learners.

    Attributes:
        name: Where it comes from, such as ``"sum of Batting.HR"``.
        values: Floats [rows]; NaN where missing; codes from 0 when categorical.
        categories: What the codes stand for, ascending; empty for numbers.
        hops: Number of keys between the row and the column.
    """

    name: str
    values: np.ndarray
    categories: tuple[str, ...] = ()
    hops: int = 0

    @property
    def is_categorical(self) -> bool:
        """Whether values are codes."""
        return bool(self.categories)

    def take(self, rows: np.ndarray) -> "Feature":
        """Return the feature of some rows; row -1 is missing."""
        return replace(self, values=np.append(self.values, np.nan)[rows])


class Tabulator:
    """Makes feature tables for the rows of a task's target.

    Hidden columns, keys made of them and ids are left out, and so is every way along
    keys on which a row to predict would meet a row from after its own time, where times
    are confirmed.
    """

    def __init__(self, database: Database, schema: Schema, task: Task) -> None:
        self._database = database
        self._schema = schema
        self._task = task
        self._own: dict[str, list[Feature]] = {}
        self._limits = np.full(schema.table(task.spec.table).num_rows, np.inf)
        times = row_times(database, schema, task.spec.table)
        if times is not None:
            self._limits[task.rows] = np.nan_to_num(times[task.rows], nan=np.inf)

    def own(self) -> list[Feature]:
        """Return the target's own columns."""
        return list(self._cut(self._table(self._task.spec.table)))

    def flattened(self) -> list[Feature]:
        """Return the target's own columns and those of every ancestor, joined.

        A table is joined once on a way, so that circles of keys end.
        """
        table = self._task.spec.table
        return list(self._cut(self._ancestors(table, (table,), self._limits)))

    def aggregates(self, hops: int) -> list[Feature]:
        """Return own columns, parents and aggregated children up to some hops.

        Nearest first, and in the order of the schema.
        """
        found = self._cut(self._around(self._task.spec.table, hops, None, self._limits))
        return sorted(found, key=lambda feature: feature.hops)

    def _cut(self, features: Iterable[Feature]) -> Iterator[Feature]:
        """Yield features of the task's rows, without those that never vary there."""
        for feature in features:
            cut = feature.take(self._task.rows)
            if _varies(cut.values):
                held = np.clip(cut.values, -LARGEST, LARGEST).astype(np.float32)
                yield replace(cut, values=held)

    def _table(self, table: str) -> list[Feature]:
        if table not in self._own:
            hidden = self._task.spec.hidden
            refs = [
                ColumnRef((), table, column.name, column.stype)
                for column in self._schema.table(table).columns
                if column.stype in USED and (table, column.name) not in hidden
            ]
            found = column_values(self._database, self._schema, table, refs)
            self._own[table] = [
                feature
                for at, ref in enumerate(refs)
                for feature in _features(
                    f"{table}.{ref.column}", found.column(at), ref.stype
                )
            ]
        return self._own[table]

    def _ancestors(
        self, table: str, seen: tuple[str, ...], limits: np.ndarray
    ) -> Iterator[Feature]:
        yield from self._table(table)
        for key in self._shown(self._schema.keys_from(table)):
            above = self._limits_above(key, limits)
            if key.ref_table not in seen and self._is_past(key.ref_table, above):
                path = (*seen, key.ref_table)
                found = self._ancestors(key.ref_table, path, above)
                yield from self._joined(key, found)

    def _around(
        self, table: str, hops: int, came_down: ForeignKey | None, limits: np.ndarray
    ) -> Iterator[Feature]:
        """Yield what rows see; who came down a key learns nothing by going back up."""
        yield from self._table(table)
        if not hops:
            return
        for key in self._shown(self._schema.keys_from(table)):
            above = self._limits_above(key, limits)
            if key != came_down and self._is_past(key.ref_table, above):
                found = self._around(key.ref_table, hops - 1, None, above)
                yield from self._joined(key, found)
        for key in self._shown(self._schema.keys_into(table)):
            links = self._links(key)
            below = np.append(limits, np.inf)[links]
            if self._is_past(key.table, below):
                groups = Groups(links, self._schema.table(table).num_rows)
                name = f"{key.table} by {'+'.join(key.columns)}"
                yield Feature(f"count of {name}", groups.counts, hops=1)
                for feature in self._around(key.table, hops - 1, key, below):
                    yield from groups.aggregate(feature)

    def _shown(self, keys: Iterable[ForeignKey]) -> Iterator[ForeignKey]:
        """Yield the keys that no graph drops for being made of a hidden column."""
        return (key for key in keys if not key.reads & self._task.spec.hidden)

    def _joined(
        self, key: ForeignKey, features: Iterable[Feature]
    ) -> Iterator[Feature]:
        links = self._links(key)
        for feature in features:
            name = f"{feature.name} by {'+'.join(key.columns)}"
            yield replace(feature.take(links), name=name, hops=feature.hops + 1)

    def _limits_above(self, key: ForeignKey, limits: np.ndarray) -> np.ndarray:
        """Return the earliest time from which each parent is looked at."""
        links = self._links(key)
        above = np.full(self._schema.table(key.ref_table).num_rows, np.inf)
        np.minimum.at(above, links[links >= 0], limits[links >= 0])
        return above

    def _is_past(self, table: str, limits: np.ndarray) -> bool:
        """Return whether no row is from after the time from which it is looked at."""
        times = row_times(self._database, self._schema, table)
        return times is None or not (times > limits).any()

    def _links(self, key: ForeignKey) -> np.ndarray:
        return self._database.links(
            key.table, key.columns, key.ref_table, key.ref_columns
        )


@dataclass(frozen=True)
class Groups:
    """The children of every parent.

    Attributes:
        parents: Each child's parent row, or -1.
        num_parents: Number of parent rows.
    """

    parents: np.ndarray
    num_parents: int

    @cached_property
    def counts(self) -> np.ndarray:
        """Number of children of each parent."""
        known = self.parents[self.parents >= 0]
        return np.bincount(known, minlength=self.num_parents).astype(float)

    def aggregate(self, feature: Feature) -> Iterator[Feature]:
        """Yield what a parent knows of a feature of its children.

        Of numbers their sum, mean, minimum and maximum; of categories how many distinct
        ones, and where there are at most ten how often each. What is an aggregate or a
        join already is only averaged, or its distinct values counted.
        """
        known = (self.parents >= 0) & ~np.isnan(feature.values)
        parents, values = self.parents[known], feature.values[known]
        summaries = self._categories if feature.is_categorical else self._numbers
        for name, found in summaries(feature, parents, values).items():
            yield Feature(f"{name} of {feature.name}", found, hops=feature.hops + 1)

    def _categories(
        self, feature: Feature, parents: np.ndarray, codes: np.ndarray
    ) -> Mapping[str, np.ndarray]:
        number = len(feature.categories)
        pairs = np.unique(parents * number + codes.astype(np.int64))
        found = {"distinct values": self._count(pairs // number)}
        if not feature.hops and number <= MAX_COUNTED:
            for code, category in enumerate(feature.categories):
                found[f'count of "{category}"'] = self._count(parents[codes == code])
        return found

    def _numbers(
        self, feature: Feature, parents: np.ndarray, values: np.ndarray
    ) -> Mapping[str, np.ndarray]:
        counts = self._count(parents)
        total = np.bincount(parents, weights=values, minlength=self.num_parents)
        missing = np.full(self.num_parents, np.nan)
        mean = np.divide(total, counts, out=missing, where=counts > 0)
        if feature.hops:
            return {"mean": mean}
        return {
            "sum": total,
            "mean": mean,
            "min": self._extreme(np.minimum, parents, values),
            "max": self._extreme(np.maximum, parents, values),
        }

    def _count(self, parents: np.ndarray) -> np.ndarray:
        return np.bincount(parents, minlength=self.num_parents).astype(float)

    def _extreme(
        self, which: np.ufunc, parents: np.ndarray, values: np.ndarray
    ) -> np.ndarray:
        found = np.full(self.num_parents, np.nan)
        if len(parents):
            order = np.argsort(parents, kind="stable")
            held, starts = np.unique(parents[order], return_index=True)
            found[held] = which.reduceat(values[order], starts)
        return found


def _features(name: str, column: pa.ChunkedArray, stype: Stype) -> Iterator[Feature]:
    """Yield what a column says: itself, or a 0/1 feature a part of its lists."""
    if stype is not Stype.MULTICATEGORICAL:
        yield Feature(name, *_numbers(column, stype))
        return
    encoded = column.cast(pa.string()).combine_chunks().dictionary_encode()
    texts = encoded.dictionary.to_pylist()
    rows = encoded.indices.fill_null(len(texts)).to_numpy()
    uses = np.bincount(rows, minlength=len(texts))[: len(texts)]
    kept, held = frequent_parts(texts, uses.tolist(), MAX_PARTS)
    block = np.array(held, dtype=np.float64).reshape(len(texts), len(kept))
    block = np.vstack([block, np.full(len(kept), np.nan)])[rows]
    for at, part in enumerate(kept):
        yield Feature(f'{name} has "{part}"', block[:, at])


def _numbers(
    column: pa.ChunkedArray, stype: Stype
) -> tuple[np.ndarray, tuple[str, ...]]:
    """Return a column as numbers, and its categories in the order of their codes."""
    if stype in NUMERIC:
        values = column.cast(pa.float64()).to_numpy().copy()
        values[~np.isfinite(values)] = np.nan
        return values, ()
    text = column.cast(pa.string()).combine_chunks()
    # Codes go by the alphabet: by first appearance they would tell the order of rows.
    categories = pc.unique(text.drop_null()).sort()
    codes = pc.index_in(text, value_set=categories, skip_nulls=True)
    return (
        codes.cast(pa.float64()).to_numpy(zero_copy_only=False),
        tuple(categories.to_pylist()),
    )


def _varies(values: np.ndarray) -> bool:
    known = values[~np.isnan(values)]
    return bool(len(known)) and (len(known) < len(values) or np.ptp(known) > 0)
