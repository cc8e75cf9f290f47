"""Tables for learners that know no graph: own columns, joins, aggregates.

Deep feature synthesis in the plain: a row gets its parents' columns by joining and its
children's by aggregating, so many hops away as asked for.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import pyarrow as pa

from workbench.blueprint import ColumnRef
from workbench.database import Database
from workbench.edges import column_values
from workbench.schema import ForeignKey, Schema, Stype
from workbench.task import Task

NUMERIC = (Stype.NUMERICAL, Stype.TIMESTAMP)
USED = (*NUMERIC, Stype.CATEGORICAL)


@dataclass(frozen=True, slots=True)
class Feature:
    """A column of a table for learners.

    Attributes:
        name: Where it comes from, such as ``"sum of Batting.HR"``.
        values: float64 [rows]; NaN where missing; codes from 0 when categorical.
        is_categorical: Whether values are codes.
        hops: Number of keys between the row and the column.
    """

    name: str
    values: np.ndarray
    is_categorical: bool
    hops: int

    def take(self, rows: np.ndarray) -> "Feature":
        """Return the feature of some rows; row -1 is missing."""
        values = np.append(self.values, np.nan)[rows]
        return Feature(self.name, values, self.is_categorical, self.hops)


class Tabulator:
    """Makes feature tables for the rows of a task's target."""

    def __init__(self, database: Database, schema: Schema, task: Task) -> None:
        self._database = database
        self._schema = schema
        self._task = task
        self._own: dict[str, list[Feature]] = {}

    def own(self) -> list[Feature]:
        """Return the target's own columns."""
        return self._cut(self._table(self._task.spec.table))

    def flattened(self) -> list[Feature]:
        """Return the target's own columns and those of every ancestor, joined."""
        table = self._task.spec.table
        return self._cut(list(self._ancestors(table, (table,), 0)))

    def aggregates(self, hops: int) -> list[Feature]:
        """Return own columns, and parents and aggregated children up to some hops."""
        found = list(self._around(self._task.spec.table, hops, None))
        return self._cut(sorted(found, key=lambda feature: feature.hops))

    def _cut(self, features: Sequence[Feature]) -> list[Feature]:
        """Return features of the task's rows, without those that never vary there."""
        cut = (feature.take(self._task.rows) for feature in features)
        return [feature for feature in cut if _varies(feature.values)]

    def _table(self, table: str) -> list[Feature]:
        if table not in self._own:
            hidden = self._task.spec.hidden
            columns = [
                column
                for column in self._schema.table(table).columns
                if column.stype in USED and (table, column.name) not in hidden
            ]
            refs = [ColumnRef((), table, each.name, each.stype) for each in columns]
            found = column_values(self._database, self._schema, table, refs)
            self._own[table] = [
                Feature(
                    f"{table}.{column.name}",
                    _numbers(found.column(at), column.stype),
                    column.stype is Stype.CATEGORICAL,
                    0,
                )
                for at, column in enumerate(columns)
            ]
        return self._own[table]

    def _ancestors(
        self, table: str, seen: tuple[str, ...], hops: int
    ) -> Iterator[Feature]:
        for feature in self._table(table):
            yield _moved(feature, feature.name, feature.values, hops)
        for key in self._schema.keys_from(table):
            if key.ref_table not in seen:
                rows = self._links(key)
                path = (*seen, key.ref_table)
                for feature in self._ancestors(key.ref_table, path, hops + 1):
                    name = f"{feature.name} by {'+'.join(key.columns)}"
                    values = feature.take(rows).values
                    yield _moved(feature, name, values, feature.hops)

    def _around(
        self, table: str, hops: int, came_by: ForeignKey | None
    ) -> Iterator[Feature]:
        yield from self._table(table)
        if not hops:
            return
        for key in self._schema.keys_from(table):
            if key != came_by:
                rows = self._links(key)
                for feature in self._around(key.ref_table, hops - 1, key):
                    name = f"{feature.name} by {'+'.join(key.columns)}"
                    values = feature.take(rows).values
                    yield _moved(feature, name, values, feature.hops + 1)
        for key in self._schema.keys_into(table):
            if key != came_by:
                groups = Groups(self._links(key), self._schema.table(table).num_rows)
                name = f"{key.table} by {'+'.join(key.columns)}"
                yield Feature(f"count of {name}", groups.counts, False, 1)
                for feature in self._around(key.table, hops - 1, key):
                    yield from groups.aggregate(feature)

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
        """Yield what a parent knows of a feature of its children."""
        known = (self.parents >= 0) & ~np.isnan(feature.values)
        parents, values = self.parents[known], feature.values[known]
        for name, found in self._summaries(feature, parents, values).items():
            yield Feature(f"{name} of {feature.name}", found, False, feature.hops + 1)

    def _summaries(
        self, feature: Feature, parents: np.ndarray, values: np.ndarray
    ) -> Mapping[str, np.ndarray]:
        number = self.num_parents
        if feature.is_categorical:
            pairs = np.unique(np.stack([parents, values]), axis=1)
            distinct = np.bincount(pairs[0].astype(int), minlength=number)
            return {"distinct values": distinct.astype(float)}
        counts = np.bincount(parents, minlength=number)
        total = np.bincount(parents, weights=values, minlength=number)
        mean = np.divide(total, counts, out=np.full(number, np.nan), where=counts > 0)
        if feature.hops:  # what is an aggregate already is only averaged
            return {"mean": mean}
        return {
            "sum": total,
            "mean": mean,
            "min": self._extreme(np.minimum, parents, values),
            "max": self._extreme(np.maximum, parents, values),
        }

    def _extreme(
        self, which: np.ufunc, parents: np.ndarray, values: np.ndarray
    ) -> np.ndarray:
        found = np.full(self.num_parents, np.nan)
        if len(parents):
            order = np.argsort(parents, kind="stable")
            held, starts = np.unique(parents[order], return_index=True)
            found[held] = which.reduceat(values[order], starts)
        return found


def _moved(feature: Feature, name: str, values: np.ndarray, hops: int) -> Feature:
    return Feature(name, values, feature.is_categorical, hops)


def _numbers(column: pa.ChunkedArray, stype: Stype) -> np.ndarray:
    """Return a column as numbers; categories as codes in order of appearance."""
    if stype in NUMERIC:
        values = column.cast(pa.float64()).to_numpy().copy()
        values[~np.isfinite(values)] = np.nan
        return values
    codes = column.cast(pa.string()).combine_chunks().dictionary_encode().indices
    return codes.cast(pa.float64()).to_numpy(zero_copy_only=False)


def _varies(values: np.ndarray) -> bool:
    known = values[~np.isnan(values)]
    return bool(len(known)) and (len(known) < len(values) or np.ptp(known) > 0)
