"""The formats in which rows, a graph or a network can be handed over."""

import io
import tempfile
import zipfile
from collections.abc import Mapping
from pathlib import Path
from types import MappingProxyType

from workbench.errors import StoreError, unknown
from workbench.export import Export
from workbench.exports.graphml import GRAPHML
from workbench.exports.graphstorm import GRAPHSTORM
from workbench.exports.neo4j import NEO4J
from workbench.exports.notebook import NOTEBOOK
from workbench.exports.pyg import PYG
from workbench.exports.relbench import RELBENCH
from workbench.handover import Handover

EXPORTS: Mapping[str, Export] = MappingProxyType(
    {one.name: one for one in (RELBENCH, PYG, NOTEBOOK, GRAPHSTORM, GRAPHML, NEO4J)}
)
FIRST_MOMENT = (1980, 1, 1, 0, 0, 0)  # of every file in a zip, so that it is the same


def find_export(name: str) -> Export:
    """Return a format by its name.

    Raises:
        StoreError: There is no such format.
    """
    if name not in EXPORTS:
        raise StoreError(unknown("format", name, EXPORTS))
    return EXPORTS[name]


def write_export(name: str, handover: Handover, folder: Path) -> Path:
    """Write a handover in a format into a folder that is new or empty.

    Returns:
        The file to begin with.

    Raises:
        WorkbenchError: The format is unknown or needs more than is there, or the
            folder is not empty or cannot be written to.
    """
    export = find_export(name)
    _check(export, handover)
    try:
        folder.mkdir(parents=True, exist_ok=True)
        is_empty = not any(folder.iterdir())
    except OSError as error:
        raise StoreError(
            f'The folder "{folder}" cannot be written to'
            f" ({error.strerror or error}); choose another."
        ) from error
    if not is_empty:
        raise StoreError(f'The folder "{folder}" is not empty; name a new one.')
    return export.write(handover, folder)


def zip_export(name: str, handover: Handover) -> bytes:
    """Return what `write_export` writes as one zip file, the same every time."""
    content = io.BytesIO()
    with tempfile.TemporaryDirectory() as made:
        folder = Path(made) / "export"
        write_export(name, handover, folder)
        with zipfile.ZipFile(content, "w", zipfile.ZIP_DEFLATED) as archive:
            for path in sorted(one for one in folder.rglob("*") if one.is_file()):
                entry = zipfile.ZipInfo(str(path.relative_to(folder)), FIRST_MOMENT)
                entry.compress_type = zipfile.ZIP_DEFLATED
                entry.external_attr = 0o644 << 16
                archive.writestr(entry, path.read_bytes())
    return content.getvalue()


def _check(export: Export, handover: Handover) -> None:
    """Refuse a format that needs more than is handed over, before anything is made."""
    if export.needs == "graph":
        handover.graph()
    if export.needs == "network":
        handover.winner()
