"""Tables for learners that know no graph: own columns, joins, aggregates.

What is joined and summarised is planned and executed as the graphs' own summaries are,
so a row knows nothing from after its own time here either.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from workbench.aggregate import AggregateRef, Aggregation, Step
from workbench.aggregating import Aggregate, ancestors
from workbench.blueprint import ColumnRef, RowNode
from workbench.database import Database
from workbench.draft import begin
from workbench.entries import bag_entries
from workbench.errors import GraphError
from workbench.recognise import find_graph
from workbench.schema import Schema, Stype
from workbench.stypes import frequent_parts
from workbench.summarise import row_values, ways_of
from workbench.task import Task
from workbench.topologies import TOPOLOGIES
from workbench.topology import plan

NUMERIC = (Stype.NUMERICAL, Stype.TIMESTAMP)
USED = (*NUMERIC, Stype.CATEGORICAL, Stype.BOOLEAN, Stype.MULTICATEGORICAL)
MAX_PARTS = 64
LARGEST = float(np.finfo(np.float32).max)


@dataclass(frozen=True, slots=True)
class Feature:
    """A column of a table for learners.

    Attributes:
        name: Where it comes from, such as ``"sum of Batting.HR (←Batting.playerID)"``.
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


@dataclass(frozen=True, slots=True)
class Tabulator:
    """Makes feature tables for the rows of a task's target.

    Hidden columns, keys made of them and ids are left out. A row that is joined or
    summarised counts only for target rows that are not older than it, wherever times
    are confirmed.

    Attributes:
        database: The rows.
        schema: What they mean.
        task: Whose target it is.
        limit: Number of columns after which no more are computed.
    """

    database: Database
    schema: Schema
    task: Task
    limit: int

    def own(self) -> list[Feature]:
        """Return the target's own columns."""
        return self._features(())

    def flattened(self) -> list[Feature]:
        """Return the target's own columns and those of every ancestor, joined.

        A table is joined once on a way, so that circles of keys end.
        """
        draft = begin(self.schema, self.task.spec)
        return self._features(ancestors(draft, self.task.spec.table))

    def aggregates(self, depth: int) -> list[Feature]:
        """Return own columns, parents and summarised children up to some keys away.

        They are those of the graph ``aggregated``, nearest first, with sums, and how
        often each of the commonest categories occurs.
        """
        passes = (Aggregate(depth, is_wide=True),)
        topology = replace(TOPOLOGIES["aggregated"], passes=passes)
        (node,) = plan(self.schema, self.task.spec, topology).nodes
        return self._features(node.aggregates if isinstance(node, RowNode) else ())

    def _features(self, refs: Sequence[AggregateRef]) -> list[Feature]:
        """Return features of the task's rows until there are enough."""
        table = self.task.spec.table
        used = tuple(ref for ref in refs if ref.stype in USED and not ref.is_sparse)
        found = [*self._read(RowNode(table, table, self._own_columns()))]
        found += self._listed(self.limit - len(found))
        for held in ways_of(RowNode(table, table, (), used)).values():
            if len(found) < self.limit:
                found += self._read(RowNode(table, table, (), tuple(held)))
        return found[: self.limit]

    def _listed(self, limit: int) -> Iterator[Feature]:
        """Yield what a long list says of the nodes of a graph, the commonest first."""
        table, hidden = self.task.spec.table, self.task.spec.hidden
        graph = find_graph(self.schema)
        listed = None if graph is None or graph.nodes != table else graph.features
        if listed is None or (listed.table, listed.feature) in hidden or limit < 1:
            return
        bag = AggregateRef(
            path=(Step(listed.key, is_down=True),),
            table=listed.table,
            column=listed.feature,
            how=Aggregation.BAG,
            stype=Stype.CATEGORICAL,
            trail=f"←{listed.key}",
            amount="" if (listed.table, listed.amount) in hidden else listed.amount,
        )
        found = bag_entries(self.database, self.schema, table, bag).take(self.task.rows)
        rows = np.repeat(np.arange(len(self.task.rows)), np.diff(found.pointers))
        counts = np.bincount(found.channels, minlength=len(found.names))
        for channel in np.argsort(-counts, kind="stable")[:limit]:
            held = found.channels == channel
            values = np.zeros(len(self.task.rows), dtype=np.float32)
            values[rows[held]] = found.values[held]
            if varies(values):
                yield Feature(found.names[channel], values)

    def _own_columns(self) -> tuple[ColumnRef, ...]:
        spec = self.task.spec
        return tuple(
            ColumnRef((), spec.table, column.name, column.stype)
            for column in self.schema.table(spec.table).columns
            if column.stype in USED and (spec.table, column.name) not in spec.hidden
        )

    def _read(self, part: RowNode) -> Iterator[Feature]:
        """Yield the columns of a part that vary over the task's rows."""
        try:
            values = row_values(self.database, self.schema, part, self.task.rows)
        except GraphError:
            return  # a way that gathers too many rows for this machine's memory
        for ref in (*part.columns, *part.aggregates):
            hops = len(ref.path)
            for feature in _features(ref.name, values.column(ref.name), ref.stype):
                if varies(feature.values):
                    held = np.clip(feature.values, -LARGEST, LARGEST)
                    yield replace(feature, values=held.astype(np.float32), hops=hops)


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


def varies(values: np.ndarray) -> bool:
    """Return whether values differ, a missing one from the others too."""
    known = values[~np.isnan(values)]
    return bool(len(known)) and (len(known) < len(values) or np.ptp(known) > 0)
