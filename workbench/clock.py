"""When each row came to be, from the confirmed time column of its table."""

import numpy as np
import pyarrow as pa

from workbench.database import Database, quote
from workbench.schema import Schema, Stype, value_sql


def row_times(database: Database, schema: Schema, table: str) -> np.ndarray | None:
    """Return when each row of a table came to be, or None where nothing says so.

    Returns:
        float64 [rows], seconds since 1970, NaN where the row has no time. A bare year
        counts as its last day, so that two rows of one year are never each other's
        future.
    """
    value = time_sql(schema, table, "t0")
    if value is None:
        return None
    found = database.sql(
        f"SELECT {value} AS seconds FROM {quote(table)} t0 ORDER BY __row"
    )
    seconds = found.column(0).cast(pa.float64())
    return seconds.fill_null(float("nan")).to_numpy()


def time_sql(schema: Schema, table: str, alias: str) -> str | None:
    """Return the SQL of `row_times`, or None where nothing says so."""
    column = schema.table(table).time_column
    if column is None:
        return None
    value = f"{alias}.{quote(column)}"
    number = f"TRY_CAST(CAST({value} AS VARCHAR) AS DOUBLE)"
    last_day = f"epoch(make_timestamp(CAST({number} AS BIGINT), 12, 31, 0, 0, 0.0))"
    return (
        f"CASE WHEN {number} BETWEEN 1000 AND 3000 THEN {last_day}"
        f" ELSE {value_sql(Stype.TIMESTAMP, value)} END"
    )
