"""What is not 0 of columns that nearly always are: read without their zeros.

Wide tables are read some columns at a time, long ones by their rows, so that nothing
of the size rows × columns is ever held.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

import numpy as np
import pyarrow as pa
from scipy.sparse import csr_array

from workbench.aggregate import AggregateRef
from workbench.blueprint import ColumnRef, JunctionEdge, RowNode
from workbench.database import Database
from workbench.edges import column_values, junction_rows, value_codes, value_table
from workbench.schema import Schema, Stype
from workbench.summarise import gathered

CELLS_AT_ONCE = 4_000_000


@dataclass(frozen=True, slots=True)
class Entries:
    """The values of some rows that are not 0, row by row.

    Attributes:
        pointers: int64 [rows + 1]: where the values of each row begin.
        channels: int64 [values]: the channel of each, ascending within a row.
        values: float32 [values].
        names: One name per channel.
    """

    pointers: np.ndarray
    channels: np.ndarray
    values: np.ndarray
    names: tuple[str, ...]

    def take(self, rows: np.ndarray) -> "Entries":
        """Return the entries of some rows, in the order given."""
        matrix = csr_array(
            (self.values, self.channels, self.pointers),
            shape=(len(self.pointers) - 1, len(self.names)),
        )
        return _entries(csr_array(matrix[rows]), self.names)


def node_entries(
    database: Database, schema: Schema, rule: RowNode
) -> tuple[Entries, ...]:
    """Return what the rows of a node type know of what is nearly always 0.

    Returns:
        One group for the columns of wide tables, if there are any, and one a bag.
    """
    bags = [
        bag_entries(database, schema, rule.table, ref)
        for ref in rule.aggregates
        if ref.is_sparse
    ]
    return (*_column_entries(database, schema, rule.table, rule.columns), *bags)


def edge_entries(
    database: Database, schema: Schema, rule: JunctionEdge
) -> tuple[Entries, ...]:
    """Return the same of a junction's links, one row a link of `edge_index`."""
    found = _column_entries(database, schema, rule.table, rule.columns)
    rows = junction_rows(database, schema, rule)
    return tuple(one.take(rows) for one in found)


def _column_entries(
    database: Database, schema: Schema, table: str, held: Sequence[ColumnRef]
) -> Iterator[Entries]:
    """Yield what is not 0 of a table's sparse columns, and of those folded into it.

    A value behind a NULL or dangling key counts as 0.
    """
    columns = [ref for ref in held if ref.is_sparse]
    if not columns:
        return
    num_rows = schema.table(table).num_rows
    rows, channels, values = [], [], []
    step = max(1, CELLS_AT_ONCE // max(num_rows, 1))
    for start in range(0, len(columns), step):
        part = columns[start : start + step]
        for at, column in enumerate(_numbers(database, schema, table, part), start):
            found = np.flatnonzero(column)
            rows.append(found)
            channels.append(np.full(len(found), at))
            values.append(column[found])
    yield _compressed(
        np.concatenate(rows),
        np.concatenate(channels),
        np.concatenate(values),
        num_rows,
        tuple(ref.name for ref in columns),
    )


def bag_entries(
    database: Database, schema: Schema, table: str, bag: AggregateRef
) -> Entries:
    """Return how often, or how much of, each value of a long table a row has.

    Returns:
        One row a row of the table and one channel a distinct value of the bag's column,
        ascending; several rows with the same value add up.
    """
    held, own = gathered(database, schema, table, (bag.path, bag.is_bounded))
    stype = schema.column(bag.table, bag.column).stype
    column = ColumnRef((), bag.table, bag.column, stype)
    known = value_table(database, schema, column).column(0).to_pylist()
    codes = value_codes(database, column)[held]
    amounts = np.ones(len(held))
    if bag.amount:
        amount = ColumnRef((), bag.table, bag.amount, Stype.NUMERICAL)
        (numbers,) = _numbers(database, schema, bag.table, [amount])
        amounts = numbers[held]
    kept = (codes >= 0) & (amounts != 0)
    return _compressed(
        own[kept],
        codes[kept],
        amounts[kept],
        schema.table(table).num_rows,
        tuple(f'{bag.name}: "{_shown(one)}"' for one in known),
    )


def _numbers(
    database: Database, schema: Schema, table: str, columns: Sequence[ColumnRef]
) -> Iterator[np.ndarray]:
    """Yield columns as numbers, a missing one as 0."""
    numbers = [replace(ref, stype=Stype.NUMERICAL) for ref in columns]
    found = column_values(database, schema, table, numbers)
    for column in found.columns:
        numbers = column.cast(pa.float64()).fill_null(0.0).to_numpy()
        yield np.nan_to_num(numbers, posinf=0.0, neginf=0.0)


def _shown(value: object) -> str:
    """Return a value as text, a whole number without its fraction."""
    if isinstance(value, float) and value.is_integer():
        return str(int(value))
    return str(value)


def _compressed(
    rows: np.ndarray,
    channels: np.ndarray,
    values: np.ndarray,
    num_rows: int,
    names: tuple[str, ...],
) -> Entries:
    matrix = csr_array((values, (rows, channels)), shape=(num_rows, len(names)))
    matrix.sum_duplicates()
    return _entries(matrix, names)


def _entries(matrix: csr_array, names: tuple[str, ...]) -> Entries:
    return Entries(
        pointers=matrix.indptr.astype(np.int64),
        channels=matrix.indices.astype(np.int64),
        values=matrix.data.astype(np.float32),
        names=names,
    )
