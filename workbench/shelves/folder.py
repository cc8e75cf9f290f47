"""Studies of one machine: a folder each, with a file that says what it is."""

import json
import shutil
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from filelock import FileLock

from workbench.errors import StoreError
from workbench.resources import cache_directory
from workbench.results import write_text
from workbench.shelf import NOT_HERE, About, AbstractShelf, about_from_json, checked

ABOUT_NAME = "about.json"
LOCK_NAME = ".about.lock"


@dataclass(frozen=True, slots=True)
class FolderShelf(AbstractShelf):
    """The results folders under one folder.

    A folder that has no record yet, such as one that the command line wrote, is a study
    of its own all the same.
    """

    root: Path

    @property
    def address(self) -> str:
        """What `open_shelf` opens it by."""
        return str(self.root)

    @property
    def is_shared(self) -> bool:
        """A folder is this machine's own."""
        return False

    @property
    def home(self) -> Path:
        """The folder of this machine that holds the files of studies at work."""
        self.root.mkdir(parents=True, exist_ok=True)
        return self.root

    def everything(self) -> dict[str, About]:
        """Return what is known of every study, by its identifier."""
        if not self.root.is_dir():
            return {}
        folders = sorted(
            path
            for path in self.root.iterdir()
            if path.is_dir() and not path.name.startswith(".")
        )
        return {folder.name: _read(folder) for folder in folders}

    def about(self, identifier: str) -> About:
        """Return what is known of one study."""
        return _read(self.folder(identifier))

    def change(self, identifier: str, changed: Callable[[About], About]) -> About:
        """Read a record, change it and write it, with nobody in between."""
        folder = self.home / checked(identifier)
        folder.mkdir(exist_ok=True)
        with FileLock(folder / LOCK_NAME):
            about = changed(_read(folder))
            write_text(folder / ABOUT_NAME, json.dumps(about.to_json(), indent=1))
        return about

    def remove(self, identifier: str) -> None:
        """Delete a study with all its files."""
        shutil.rmtree(self.folder(identifier), ignore_errors=True)

    def folder(self, identifier: str) -> Path:
        """Return the folder of a study."""
        folder = self.root / checked(identifier)
        if not folder.is_dir():
            raise StoreError(NOT_HERE)
        return folder

    def read(self, identifier: str, name: str) -> bytes | None:
        """Return one file of a study, or None where there is none of this name."""
        try:
            return (self.root / checked(identifier) / name).read_bytes()
        except OSError:
            return None

    def keep(self, identifier: str, *, is_running: bool = False) -> None:
        """Do nothing: the folder is where they are kept."""


def open_folder(address: str) -> AbstractShelf:
    """Return the shelf of a folder; without an address that of this machine."""
    return FolderShelf(Path(address) if address else cache_directory() / "results")


def _read(folder: Path) -> About:
    try:
        found = json.loads((folder / ABOUT_NAME).read_text(encoding="utf-8"))
        return about_from_json(found)
    except (OSError, ValueError, TypeError, StoreError):
        return About(created=_written(folder))


def _written(folder: Path) -> float:
    try:
        return folder.stat().st_mtime
    except OSError:
        return 0.0
