"""Where studies are kept: one file a kind of place."""

import os
from collections.abc import Callable, Mapping
from types import MappingProxyType

from workbench.shelf import STORE_SETTING, AbstractShelf
from workbench.shelves.folder import open_folder

SHELVES: Mapping[str, Callable[[str], AbstractShelf]] = MappingProxyType(
    {"folder": open_folder}
)


def open_shelf(address: str | None = None) -> AbstractShelf:
    """Return where studies are kept.

    Args:
        address: A folder; by default what ``$WORKBENCH_STORE`` says, and the results
            folder of this machine's cache where it says nothing.
    """
    chosen = os.environ.get(STORE_SETTING, "") if address is None else address
    return SHELVES["folder"](chosen)
