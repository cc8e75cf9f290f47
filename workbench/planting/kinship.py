"""Which rows a key may choose: what is unique, what waits for what, how many fit."""

from workbench.errors import SchemaError
from workbench.schema import ForeignKey, Schema


def is_one_to_one(schema: Schema, key: ForeignKey) -> bool:
    """Return whether at most one row refers to each row of the parent."""
    unique = unique_sets(schema, key.table)
    return any(set(each) <= set(key.columns) for each in unique)


def unique_sets(schema: Schema, table: str) -> list[tuple[str, ...]]:
    """Return the primary key and whatever else keys rely on to be unique."""
    primary = schema.table(table).primary_key
    found = [primary] if primary else []
    found += [key.ref_columns for key in schema.keys_into(table)]
    return list(dict.fromkeys(found))


def key_columns(schema: Schema, table: str) -> set[str]:
    """Return the columns that foreign keys of a table are made of."""
    return {column for key in schema.keys_from(table) for column in key.columns}


def early(schema: Schema, table: str) -> set[str]:
    """Return the columns whose values need no row of another table."""
    tied = key_columns(schema, table)
    within = {
        next(column for column in unique if column not in tied)
        for unique in unique_sets(schema, table)
        if set(unique) & tied and set(unique) - tied
    }
    alone = {
        unique[0] for unique in unique_sets(schema, table) if not set(unique) & tied
    }
    names = {column.name for column in schema.table(table).columns}
    return names - tied - (within - alone)


def late(schema: Schema, table: str) -> set[str]:
    """Return the columns that are numbered within the parents of a row."""
    names = {column.name for column in schema.table(table).columns}
    return names - early(schema, table) - key_columns(schema, table)


def fill_order(schema: Schema) -> list[str]:
    """Return the tables so that what a key copies is there before it is copied."""
    for careful in (True, False):
        found = _sorted(schema, careful)
        if found is not None:
            return found
    circle = ", ".join(dict.fromkeys(f'"{key.table}"' for key in schema.foreign_keys))
    raise SchemaError(
        f"Keys of {circle} are made of one another in a circle, so that no first row"
        " can be made up; bring rows of your own."
    )


def _sorted(schema: Schema, careful: bool) -> list[str] | None:
    """Return an order, or None where tables wait for one another.

    Args:
        schema: The tables.
        careful: Whether a table also waits for those whose number of rows may shrink.
    """
    waits: dict[str, set[str]] = {table.name: set() for table in schema.tables}
    for key in schema.foreign_keys:
        if key.table == key.ref_table:
            continue
        copied = set(key.ref_columns) - early(schema, key.ref_table)
        if copied or (careful and may_shrink(schema, key.ref_table)):
            waits[key.table].add(key.ref_table)
    order: list[str] = []
    while len(order) < len(waits):
        ready = [
            name
            for name, needed in waits.items()
            if name not in order and needed <= set(order)
        ]
        if not ready:
            return None
        order += ready
    return order


def may_shrink(schema: Schema, table: str) -> bool:
    """Return whether a key made of other keys may allow fewer rows than asked for."""
    tied = key_columns(schema, table)
    return any(set(unique) <= tied for unique in unique_sets(schema, table))
