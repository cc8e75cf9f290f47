"""Builds the planted sample: made-up readings, with signals planted three hops away.

A reading refers to its sensor and observer, a sensor to its station and model, and a
station to its site. What decides the labels is known: a bit of the site for one task,
and for the other a bit in every table on the way there.
"""

import sys
from pathlib import Path

from workbench.planting.plant import Plant, Planted, Variant, plant_signals
from workbench.schema import Column, ForeignKey, KeyOrigin, Schema, Stype, Table

_TABLES = {
    "site": {"site_id": "id", "altitude": "numerical", "exposed": "boolean"},
    "station": {"station_id": "id", "site_id": "id", "built": "timestamp"},
    "model": {"model_id": "id", "precision": "numerical", "maker": "categorical"},
    "sensor": {
        "sensor_id": "id",
        "station_id": "id",
        "model_id": "id",
        "drift": "numerical",
    },
    "observer": {"observer_id": "id", "experience": "numerical"},
    "reading": {
        "reading_id": "id",
        "sensor_id": "id",
        "observer_id": "id",
        "temperature": "numerical",
        "humidity": "numerical",
    },
}
_SQL_TYPES = {
    "id": "INTEGER",
    "numerical": "REAL",
    "boolean": "BOOLEAN",
    "timestamp": "DATE",
    "categorical": "VARCHAR(20)",
}
_ROWS = 800
_SEED = 5


def build(name: str, path: Path) -> None:
    """Write the sample to a new SQLite file.

    Args:
        name: ``planted``; there is one.
        path: The file, which must not exist yet.
    """
    del name
    plant(path)


def plant(path: Path) -> tuple[Planted, ...]:
    """Write the sample, and say what was planted: plain first, then graded."""
    requests = [
        Plant("reading", "site.exposed", Variant.PLAIN, rows=_ROWS, seed=_SEED),
        Plant("reading", "site.signal", Variant.GRADED, rows=_ROWS, seed=_SEED),
    ]
    return plant_signals(_schema(), requests, path)


def _schema() -> Schema:
    keys = [
        (table, column, parent)
        for table, columns in _TABLES.items()
        for column in columns
        for parent in _TABLES
        if column == f"{parent}_id" and parent != table
    ]
    return Schema(
        name="planted",
        fingerprint="0" * 16,
        tables=tuple(
            Table(
                name=table,
                num_rows=0,
                primary_key=(f"{table}_id",),
                columns=tuple(
                    Column(
                        name=column,
                        sql_type=_SQL_TYPES[stype],
                        stype=Stype(stype),
                        nullable=False,
                        num_distinct=0,
                        num_null=0,
                        evidence="",
                    )
                    for column, stype in columns.items()
                ),
                time_column=None,
            )
            for table, columns in _TABLES.items()
        ),
        foreign_keys=tuple(
            ForeignKey(
                table=table,
                columns=(column,),
                ref_table=parent,
                ref_columns=(column,),
                origin=KeyOrigin.DECLARED,
                num_null=0,
                num_dangling=0,
                evidence={},
            )
            for table, column, parent in keys
        ),
        warnings=(),
        tasks={},
    )


if __name__ == "__main__":
    plant(Path(sys.argv[1]))
