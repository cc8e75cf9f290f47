"""The graphs that visitors design: kept by their content, named in the address.

A design is a topology file in the cache. Its name in the address tells where it lies
and nothing else, so an address opens no other file.
"""

import hashlib
import re
from collections.abc import Sequence
from pathlib import Path

from workbench.database import cache_directory
from workbench.palette import topology_label
from workbench.topologies import TOPOLOGIES, read_topology, resolve_topology

OWN = "own:"
MAX_SLUG = 40
_ENTRY = re.compile(r"own:([a-z0-9-]{1,40}-[0-9a-f]{12})")


def keep_design(text: str) -> str:
    """Keep a topology file and return its name in the address."""
    digest = hashlib.sha256(text.encode()).hexdigest()[:12]
    name = read_topology(text).name
    slug = re.sub(r"[^a-z0-9]+", "-", name.lower()).strip("-")[:MAX_SLUG] or "graph"
    path = _home() / f"{slug}-{digest}.toml"
    if not path.exists():
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
    return f"{OWN}{path.stem}"


def topology_of(entry: str) -> str:
    """Return what an arm names for an entry: a topology, or a topology file."""
    file = design_file(entry)
    return entry if file is None else str(file)


def design_file(entry: str) -> Path | None:
    """Return the file of an entry that is a design and is kept here, or None."""
    found = _ENTRY.fullmatch(entry)
    if found is None:
        return None
    path = _home() / f"{found[1]}.toml"
    return path if path.is_file() else None


def is_known(entry: str) -> bool:
    """Return whether an entry of an address is a topology or a design kept here."""
    return entry in TOPOLOGIES or design_file(entry) is not None


def name_of(entry: str) -> str:
    """Return what an entry's graph is called in results."""
    return resolve_topology(topology_of(entry)).name


def label_of(entry: str) -> str:
    """Return what an entry is called in the interface."""
    return topology_label(name_of(entry))


def offered(chosen: Sequence[str]) -> list[str]:
    """Return what can be chosen: every topology, and the designs that are chosen."""
    return [*TOPOLOGIES, *(one for one in chosen if one not in TOPOLOGIES)]


def _home() -> Path:
    return cache_directory() / "designs"
