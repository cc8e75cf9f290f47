"""Rules executed over the rows: edge lists, node and edge columns, distinct values.

The survey and the graph read the same arrays, so that what is counted before training
is what is trained on.
"""

from collections.abc import Sequence

import numpy as np
import pyarrow as pa

from workbench.blueprint import ColumnRef, EdgeRule, JunctionEdge
from workbench.database import Database
from workbench.schema import Schema


def edge_index(
    database: Database, schema: Schema, rule: EdgeRule
) -> tuple[np.ndarray, np.ndarray]:
    """Return the links of an edge rule, each once: int64 source rows, target rows."""
    raise NotImplementedError


def edge_values(database: Database, schema: Schema, rule: JunctionEdge) -> pa.Table:
    """Return the attributes of a junction's links, one row a link of `edge_index`."""
    raise NotImplementedError


def column_values(
    database: Database, schema: Schema, table: str, columns: Sequence[ColumnRef]
) -> pa.Table:
    """Return columns of a table and of what is folded into it, one row a table row."""
    raise NotImplementedError


def value_table(database: Database, schema: Schema, column: ColumnRef) -> pa.Table:
    """Return the distinct values of a column in order, NULL aside, one row a node."""
    raise NotImplementedError
