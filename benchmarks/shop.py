"""Writes a shop of eight tables, as large as asked, for the benchmarks."""

import sqlite3
from collections.abc import Iterator, Mapping
from pathlib import Path

import numpy as np

SHARES: Mapping[str, float] = {
    "region": 0.0001,
    "supplier": 0.005,
    "product": 0.02,
    "customer": 0.08,
    "address": 0.095,
    "purchase": 0.2,
    "item": 0.5,
    "review": 0.1,
}
"""The share of all rows that each table holds, roughly."""

TABLES: Mapping[str, tuple[tuple[str, str], ...]] = {
    "region": (("id", "INTEGER PRIMARY KEY"), ("name", "TEXT")),
    "supplier": (
        ("id", "INTEGER PRIMARY KEY"),
        ("region_id", "INTEGER REFERENCES region (id)"),
        ("rating", "REAL"),
    ),
    "product": (
        ("id", "INTEGER PRIMARY KEY"),
        ("supplier_id", "INTEGER REFERENCES supplier (id)"),
        ("price", "REAL"),
        ("category", "TEXT"),
        ("weight", "REAL"),
    ),
    "customer": (
        ("id", "INTEGER PRIMARY KEY"),
        ("region_id", "INTEGER REFERENCES region (id)"),
        ("born", "INTEGER"),
        ("segment", "TEXT"),
    ),
    "address": (
        ("id", "INTEGER PRIMARY KEY"),
        ("customer_id", "INTEGER REFERENCES customer (id)"),
        ("street", "TEXT"),
        ("number", "INTEGER"),
    ),
    "purchase": (
        ("id", "INTEGER PRIMARY KEY"),
        ("customer_id", "INTEGER REFERENCES customer (id)"),
        ("address_id", "INTEGER REFERENCES address (id)"),
        ("at", "TEXT"),
        ("total", "REAL"),
    ),
    "item": (
        ("id", "INTEGER PRIMARY KEY"),
        ("purchase_id", "INTEGER REFERENCES purchase (id)"),
        ("product_id", "INTEGER REFERENCES product (id)"),
        ("quantity", "INTEGER"),
        ("price", "REAL"),
    ),
    "review": (
        ("id", "INTEGER PRIMARY KEY"),
        ("customer_id", "INTEGER REFERENCES customer (id)"),
        ("product_id", "INTEGER REFERENCES product (id)"),
        ("stars", "INTEGER"),
        ("words", "TEXT"),
    ),
}
WORDS = ("red", "green", "blue", "small", "large", "fine", "plain", "old", "new")
CHUNK = 100_000


def sizes(num_rows: int) -> dict[str, int]:
    """Return the number of rows of every table; they add up to about ``num_rows``."""
    return {name: max(2, round(num_rows * share)) for name, share in SHARES.items()}


def references(table: str) -> dict[str, str]:
    """Return the table that each foreign key of a table refers to, by its column."""
    return {
        name: declared.split()[2]
        for name, declared in TABLES[table]
        if "REFERENCES" in declared
    }


def rows(
    table: str, num_rows: int, seed: int = 0
) -> Iterator[list[tuple[object, ...]]]:
    """Yield the rows of one table in chunks, the same ones every time."""
    counts = sizes(num_rows)
    generator = np.random.default_rng([seed, list(TABLES).index(table)])
    for start in range(0, counts[table], CHUNK):
        stop = min(start + CHUNK, counts[table])
        columns = [
            _column(name, declared, start, stop, counts, generator)
            for name, declared in TABLES[table]
        ]
        yield list(zip(*columns, strict=True))


def write_sqlite(path: Path, num_rows: int) -> None:
    """Write the shop as an SQLite file."""
    with sqlite3.connect(path) as connection:
        for table, columns in TABLES.items():
            listed = ", ".join(f"{name} {declared}" for name, declared in columns)
            connection.execute(f"CREATE TABLE {table} ({listed})")
            marks = ", ".join("?" * len(columns))
            for chunk in rows(table, num_rows):
                connection.executemany(f"INSERT INTO {table} VALUES ({marks})", chunk)
    connection.close()


def _column(
    name: str,
    declared: str,
    start: int,
    stop: int,
    counts: Mapping[str, int],
    generator: np.random.Generator,
) -> list[object]:
    num = stop - start
    if name == "id":
        return list(range(start, stop))
    if "REFERENCES" in declared:
        parent = declared.split()[2]
        return generator.integers(0, counts[parent], num).tolist()
    if declared == "REAL":
        return generator.normal(50, 20, num).round(2).tolist()
    if declared == "INTEGER":
        return generator.integers(1, 90, num).tolist()
    if name == "at":
        days = generator.integers(0, 3000, num).astype("timedelta64[D]")
        return (np.datetime64("2015-01-01") + days).astype(str).tolist()
    return np.asarray(WORDS)[generator.integers(0, len(WORDS), num)].tolist()
