"""What a RelBench folder says of its tables: a manifest, or notes in Parquet files.

RelBench 3 keeps ``manifest.yaml`` beside ``db/TABLE.parquet``; its predecessors noted
keys and times in each Parquet file. Keys there have one column each and point at rows
by position. The workbench's own export adds ``source`` to a table, which RelBench
passes over: the keys as they were, and which columns were added for RelBench.

Source: relbench 3.0.2, ``relbench/manifest.py``; relbench 2.0.0,
``relbench/base/table.py``.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from workbench.errors import DatabaseError
from workbench.reader import SourceKey

MANIFEST = "manifest.yaml"
MANIFESTS = (MANIFEST, "manifest.yml", "manifest.json")
MAX_BYTES = 5_000_000
NOTES = ("fkey_col_to_pkey_table", "pkey_col", "time_col")


@dataclass(frozen=True, slots=True)
class TableEntry:
    """A table as the folder describes it.

    Attributes:
        primary_key: Its columns; empty without one.
        foreign_keys: Its keys; without ``ref_columns`` they mean the primary key.
        time_column: The column with the time of a row, or None.
        added: Columns that are there for RelBench alone.
        order: The column that holds the rows' original order, where it is another.
    """

    primary_key: tuple[str, ...] = ()
    foreign_keys: tuple[SourceKey, ...] = ()
    time_column: str | None = None
    added: tuple[str, ...] = ()
    order: str | None = None


def read_manifest(path: Path) -> dict[str, TableEntry]:
    """Return the tables that a manifest names; YAML, of which JSON is a part.

    Raises:
        DatabaseError: It is no manifest.
    """
    try:
        if path.stat().st_size > MAX_BYTES:
            raise DatabaseError(
                f'The manifest "{path}" has more than {MAX_BYTES:,} bytes; one lists'
                " tables and keys, nothing more."
            )
        # The loader builds plain values alone: SafeLoader without aliases.
        content = yaml.load(path.read_bytes(), _PlainLoader)
        tables = content["tables"]
        return {str(name): _read_entry(entry) for name, entry in tables.items()}
    except (
        yaml.YAMLError,
        ValueError,
        TypeError,
        KeyError,
        AttributeError,
        RecursionError,
        OSError,
    ) as error:
        raise DatabaseError(
            f'The manifest "{path}" cannot be understood; it lists under "tables" the'
            ' "pkey", "fkeys" and "time_col" of every table.'
        ) from error


def read_notes(metadata: Mapping[str, bytes], name: str) -> TableEntry:
    """Return what a Parquet file of RelBench 1 or 2 notes of its table.

    Raises:
        DatabaseError: The notes are not what RelBench writes.
    """
    try:
        foreign, primary, time = (
            json.loads(metadata.get(note, b"null")) for note in NOTES
        )
        return _read_entry({"pkey": primary, "time_col": time, "fkeys": foreign or {}})
    except (ValueError, TypeError, AttributeError, RecursionError) as error:
        raise DatabaseError(
            f'The notes on keys in the Parquet file of "{name}" cannot be understood;'
            " write the folder again with RelBench."
        ) from error


def to_text(
    name: str,
    description: str,
    timestamps: tuple[str, str],
    tables: Mapping[str, Mapping[str, Any]],
) -> str:
    """Return a manifest as RelBench 3 reads it.

    Args:
        name: What the database is called.
        description: A sentence.
        timestamps: From when on rows are for validation and for testing.
        tables: By table what RelBench reads, and ``source``.
    """
    content = {
        "name": name,
        "manifest_version": 1,
        "description": description,
        "val_timestamp": timestamps[0],
        "test_timestamp": timestamps[1],
        "tables": dict(tables),
    }
    return yaml.safe_dump(content, sort_keys=False, allow_unicode=True, width=4096)


class _PlainLoader(yaml.SafeLoader):
    """Takes no aliases, since a few of them stand for gigabytes."""

    def compose_node(self, parent: Any, index: Any) -> Any:
        if self.check_event(yaml.AliasEvent):
            raise yaml.YAMLError("an alias")
        return super().compose_node(parent, index)


def _read_entry(entry: Mapping[str, Any] | None) -> TableEntry:
    entry = entry or {}
    source = entry.get("source")
    if source:
        return TableEntry(
            primary_key=_texts(source.get("primary_key")),
            foreign_keys=tuple(
                SourceKey(
                    _texts(key["columns"]),
                    _text(key["ref_table"]),
                    _texts(key["ref_columns"]),
                )
                for key in source.get("foreign_keys") or ()
            ),
            time_column=_optional(source.get("time_column")),
            added=_texts(source.get("added")),
            order=_optional(source.get("order")),
        )
    primary = _optional(entry.get("pkey"))
    return TableEntry(
        primary_key=(primary,) if primary else (),
        foreign_keys=tuple(
            SourceKey((_text(column),), _text(table))
            for column, table in (entry.get("fkeys") or {}).items()
        ),
        time_column=_optional(entry.get("time_col")),
    )


def _optional(value: object) -> str | None:
    return None if value is None else _text(value)


def _texts(values: object) -> tuple[str, ...]:
    if not isinstance(values, list | tuple | None):
        raise TypeError("a list of names is missing")
    return tuple(_text(value) for value in values or ())


def _text(value: object) -> str:
    # YAML takes a column called 2020 or yes for a number or a truth.
    if not isinstance(value, str | int):
        raise TypeError("a name is missing")
    return str(value)
