"""Where files that belong to the workbench lie, and where it may keep files."""

import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from platformdirs import user_cache_path

from workbench.errors import DatabaseError

APPLICATION = "graph-modelling-workbench"
CACHE_SETTING, TEMPORARY = "WORKBENCH_CACHE", "temporary"
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

    Raises:
        DatabaseError: It should be temporary, and nobody is there to remove it.
    """
    chosen = os.environ.get(CACHE_SETTING)
    if chosen == TEMPORARY:
        raise DatabaseError(
            f'{CACHE_SETTING}={TEMPORARY} works with the command "workbench", which'
            " removes the folder at its end; name a folder of your own elsewhere."
        )
    return Path(chosen).expanduser() if chosen else user_cache_path(APPLICATION)


@contextmanager
def lasting_cache() -> Iterator[None]:
    """Make the cache a temporary folder where that is the setting.

    It goes when the program does. Worker processes and jobs started meanwhile are told
    of it by their environment.
    """
    if os.environ.get(CACHE_SETTING) != TEMPORARY:
        yield
        return
    with tempfile.TemporaryDirectory(prefix="workbench-cache-") as folder:
        os.environ[CACHE_SETTING] = folder
        try:
            yield
        finally:
            os.environ[CACHE_SETTING] = TEMPORARY
