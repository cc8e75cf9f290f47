"""Parquet files as relations of a private DuckDB, each read under a plain name."""

import shutil
from collections.abc import Sequence
from pathlib import Path

import duckdb

from workbench.errors import DatabaseError
from workbench.limits import Limits
from workbench.staging import Staging


def link_parquet(
    paths: Sequence[Path], table: str, staging: Staging, limits: Limits
) -> list[str]:
    """Return the SQL of the relations that Parquet files are.

    The files are reached by links of plain names in the private folder, since a star or
    a bracket in a name would stand for other files.

    Args:
        paths: The files: parts of one table.
        table: The table's name, for messages.
        staging: The private place.
        limits: How much may be read.

    Returns:
        One where all parts have the same columns, else one for each part.

    Raises:
        DatabaseError: A file is no Parquet file, or has too many columns.
    """
    links = [_link(path, staging) for path in paths]
    shapes = [
        _columns(link, path, table, staging, limits)
        for link, path in zip(links, paths, strict=True)
    ]
    if all(shape == shapes[0] for shape in shapes):
        return [_read(links)]
    return [_read([link]) for link in links]


def read_metadata(path: Path, staging: Staging) -> dict[str, bytes]:
    """Return what the writer of a Parquet file noted beside the rows.

    Raises:
        DatabaseError: It is no Parquet file.
    """
    try:
        found = staging.connection.execute(
            "SELECT key, value FROM parquet_kv_metadata(?)", [str(_link(path, staging))]
        ).fetchall()
    except duckdb.Error as error:
        raise _refusal(path, error) from error
    return {bytes(key).decode(errors="replace"): bytes(value) for key, value in found}


def _link(path: Path, staging: Staging) -> Path:
    num_links = sum(1 for _ in staging.folder.glob("link-*"))
    link = staging.folder / f"link-{num_links}.parquet"
    try:
        link.symlink_to(path.resolve())
    except OSError:  # where links need a right of their own
        shutil.copyfile(path, link)
    return link


def _columns(
    link: Path, path: Path, table: str, staging: Staging, limits: Limits
) -> list[tuple[str, str]]:
    try:
        described = staging.connection.execute(
            f"DESCRIBE SELECT * FROM {_read([link])}"
        ).fetchall()
    except duckdb.Error as error:
        raise _refusal(path, error) from error
    limits.check("columns", len(described), f'columns in "{table}"')
    return [(row[0], row[1]) for row in described]


def _read(links: Sequence[Path]) -> str:
    listed = ", ".join("'" + str(link).replace("'", "''") + "'" for link in links)
    return f"read_parquet([{listed}], hive_partitioning = false)"


def _refusal(path: Path, error: duckdb.Error) -> DatabaseError:
    text = str(error).lower()
    if "encrypt" in text:
        return DatabaseError(
            f'The Parquet file "{path.name}" is encrypted; give one that is not.'
        )
    return DatabaseError(
        f'The file "{path.name}" is no Parquet file, or is damaged or cut short.'
    )
