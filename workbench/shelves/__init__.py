"""Where studies are kept: one file a kind of place."""

import os
from collections.abc import Callable, Mapping
from types import MappingProxyType

from workbench.errors import StoreError
from workbench.shelf import STORE_SETTING, AbstractShelf
from workbench.shelves.folder import open_folder
from workbench.shelves.postgresql import open_postgresql

SHELVES: Mapping[str, Callable[[str], AbstractShelf]] = MappingProxyType(
    {"folder": open_folder, "postgresql": open_postgresql}
)


def open_shelf(address: str | None = None) -> AbstractShelf:
    """Return where studies are kept.

    Args:
        address: A folder, or the URL of a PostgreSQL database that a team shares; by
            default what ``$WORKBENCH_STORE`` says, and the results folder of this
            machine's cache where it says nothing.

    Raises:
        StoreError: The database is of another kind, or cannot be reached.
    """
    chosen = os.environ.get(STORE_SETTING, "") if address is None else address
    if "://" not in chosen:
        return SHELVES["folder"](chosen)
    kind = chosen.partition("://")[0].partition("+")[0]
    name = "postgresql" if kind == "postgres" else kind
    if name not in SHELVES or name == "folder":
        raise StoreError(
            f'Studies cannot be kept in a database of the kind "{kind}"; a folder'
            " works, and so does postgresql://USER@HOST/DATABASE."
        )
    return SHELVES[name](chosen)
