"""Finished items of a study on disk, so that nothing is run twice or lost.

One SQLite file in the results folder, written in WAL mode with ``BEGIN IMMEDIATE``
(WAL alone loses writes when two connections upgrade at once). A lock file refuses a
second writer and is let go by the operating system when its process ends, however it
ends.
"""

import io
import json
from collections.abc import Iterable
from pathlib import Path
from types import TracebackType
from typing import Self

import pandas as pd
from filelock import FileLock, Timeout
from sqlalchemy import (
    Column,
    Connection,
    LargeBinary,
    MetaData,
    String,
    Table,
    create_engine,
    event,
    select,
)

from workbench.errors import StoreError

STORE_NAME = "store.sqlite"
LOCK_NAME = ".lock"

_METADATA = MetaData()
_ITEMS = Table(
    "items",
    _METADATA,
    Column("key", String, primary_key=True),
    Column("kind", String, nullable=False),
    Column("record", String, nullable=False),
)
_FRAMES = Table(
    "frames",
    _METADATA,
    Column("key", String, primary_key=True),
    Column("name", String, primary_key=True),
    Column("parquet", LargeBinary, nullable=False),
)


class Store:
    """The finished items of one results folder; a context manager.

    Raises:
        StoreError: The folder cannot be written, or another process is writing.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        try:
            folder.mkdir(parents=True, exist_ok=True)
            self._lock = FileLock(folder / LOCK_NAME, timeout=0)
            self._lock.acquire()
        except Timeout as error:
            raise StoreError(
                f'Another run is writing to "{folder}"; wait for it or choose another'
                " folder."
            ) from error
        except OSError as error:
            raise StoreError(
                f'The results folder "{folder}" cannot be written'
                f" ({error.strerror or error}); choose another."
            ) from error
        self._engine = create_engine(f"sqlite:///{folder / STORE_NAME}")
        event.listen(self._engine, "connect", _configure)
        event.listen(self._engine, "begin", _begin_immediate)
        _METADATA.create_all(self._engine)

    def __enter__(self) -> Self:
        """Return the store itself."""
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Close the store and let the folder go."""
        self._engine.dispose()
        self._lock.release()

    def records(self) -> dict[str, dict]:
        """Return every finished item's record by its key."""
        with self._engine.begin() as connection:
            rows = connection.execute(select(_ITEMS.c.key, _ITEMS.c.record))
            return {key: json.loads(record) for key, record in rows}

    def save(
        self, key: str, kind: str, record: object, frames: dict[str, pd.DataFrame]
    ) -> None:
        """Keep one item; an item of the same key is replaced."""
        with self._engine.begin() as connection:
            connection.execute(_ITEMS.delete().where(_ITEMS.c.key == key))
            connection.execute(_FRAMES.delete().where(_FRAMES.c.key == key))
            connection.execute(
                _ITEMS.insert().values(key=key, kind=kind, record=json.dumps(record))
            )
            # Empty ones too: they say that there was nothing, not that it is missing.
            for name, frame in frames.items():
                connection.execute(
                    _FRAMES.insert().values(
                        key=key, name=name, parquet=_to_bytes(frame)
                    )
                )

    def keys_with(self, *names: str) -> frozenset[str]:
        """Return the items of which something is kept under each of these names."""
        query = select(_FRAMES.c.key, _FRAMES.c.name)
        with self._engine.begin() as connection:
            held = {(row.key, row.name) for row in connection.execute(query)}
        keys = {key for key, _ in held}
        return frozenset(
            key for key in keys if all((key, name) in held for name in names)
        )

    def frame(self, name: str, keys: Iterable[str]) -> pd.DataFrame:
        """Return the rows kept under a name, in the order of the keys."""
        with self._engine.begin() as connection:
            query = select(_FRAMES.c.key, _FRAMES.c.parquet).where(
                _FRAMES.c.name == name
            )
            found = {row.key: row.parquet for row in connection.execute(query)}
        read = (pd.read_parquet(io.BytesIO(found[key])) for key in keys if key in found)
        parts = [part for part in read if len(part)]
        return pd.concat(parts, ignore_index=True) if parts else pd.DataFrame()


def _to_bytes(frame: pd.DataFrame) -> bytes:
    buffer = io.BytesIO()
    frame.to_parquet(buffer, index=False)
    return buffer.getvalue()


def _configure(connection, _record) -> None:  # a DBAPI connection
    # SQLAlchemy must not let the driver begin transactions of its own.
    connection.isolation_level = None
    connection.execute("PRAGMA journal_mode = WAL")
    connection.execute("PRAGMA synchronous = NORMAL")


def _begin_immediate(connection: Connection) -> None:
    connection.exec_driver_sql("BEGIN IMMEDIATE")
