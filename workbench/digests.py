"""Digests of what an answer was made of: the name under which it is kept."""

import hashlib
import json
from collections.abc import Iterator

from workbench.schema import Schema


def digest(*parts: bytes | memoryview) -> str:
    """Return 32 hexadecimal digits that change when any of the bytes do."""
    found = hashlib.blake2b(digest_size=16)
    for part in parts:
        found.update(part)
    return found.hexdigest()


def schema_digest(schema: Schema) -> str:
    """Return a digest of tables, types, times and keys; evidence does not count."""
    return digest(json.dumps([*what_counts(schema)]).encode())


def what_counts(schema: Schema) -> Iterator[object]:
    """Yield what of tables and keys decides what is built of them, for JSON."""
    for table in schema.tables:
        types = [[one.name, str(one.stype)] for one in table.columns]
        yield [table.name, table.num_rows, table.time_column, types]
    for key in schema.foreign_keys:
        yield [key.id, key.table, key.columns, key.ref_table, key.ref_columns]
