"""Where files that belong to the workbench lie, and where it may keep files."""

import os
from pathlib import Path

from platformdirs import user_cache_path

APPLICATION = "graph-modelling-workbench"
PACKAGE = Path(__file__).resolve().parent


def resource_path(name: str) -> Path:
    """Return a folder or file that is shipped with the package.

    A wheel holds it inside the package; a repository has it beside the package.

    Args:
        name: ``"schemas"``, ``"sample_dbs"`` or ``"app.py"``.

    Returns:
        The path, which may not exist.
    """
    inside = PACKAGE / name
    return inside if inside.exists() else PACKAGE.parent / name


def cache_directory() -> Path:
    """Return the folder for what can be built again: snapshots and samples.

    ``$WORKBENCH_CACHE`` where it is set, the platform's folder for caches otherwise.
    """
    chosen = os.environ.get("WORKBENCH_CACHE")
    return Path(chosen).expanduser() if chosen else user_cache_path(APPLICATION)
