"""What is known of every study besides its results: its name, its notes, its place.

A shelf keeps studies. The usual one is a folder of this machine; a team's is a
database. Both keep the same record of a study, and both hand out a folder of this
machine in which its files lie, because that is what a run writes and a page reads.
"""

import os
import platform
import re
import secrets
from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from workbench.errors import StoreError

STORE_SETTING, MACHINE_SETTING = "WORKBENCH_STORE", "WORKBENCH_MACHINE"
IDENTIFIER = re.compile(r"[A-Za-z0-9][\w.-]{0,99}")
MAX_NAME, MAX_TAG, MAX_TAGS, MAX_NOTES = 120, 30, 12, 4000
NOT_HERE = "That link points to results that are not on this machine."


@dataclass(frozen=True, slots=True)
class About:
    """What is known of a study besides its results.

    Attributes:
        name: What it is called; empty for what its study file says.
        tags: Short words to find it by.
        notes: What somebody wrote about it.
        owner: Whose it is, as the interface tells visitors apart; empty for whoever
            works on this machine.
        created: When it was asked for, in seconds since 1970.
        queued: Since when it waits for its turn, or None when it does not wait.
        engine: What is to do the work.
        host: The machine that runs it or ran it last; empty before.
        at_work: Whether that machine still has to hand in what it did.
        seen: When that machine last said that it was at work; 0 before.
        stop: Whether somebody elsewhere asked that machine to stop.
        dropped: Keys of the cells that somebody elsewhere asked it to give up.
        share: What a link that can only look ends in; empty when there is none.
    """

    name: str = ""
    tags: tuple[str, ...] = ()
    notes: str = ""
    owner: str = ""
    created: float = 0.0
    queued: float | None = None
    engine: str = "processes"
    host: str = ""
    at_work: bool = False
    seen: float = 0.0
    stop: bool = False
    dropped: tuple[str, ...] = ()
    share: str = ""

    def __post_init__(self) -> None:
        """Check what people write."""
        if len(self.name) > MAX_NAME:
            raise StoreError(
                f'The name "{self.name[:20]}…" has {len(self.name)} characters; up to'
                f" {MAX_NAME} work."
            )
        if len(self.tags) > MAX_TAGS or any(len(tag) > MAX_TAG for tag in self.tags):
            raise StoreError(
                f"A study has up to {MAX_TAGS} tags of up to {MAX_TAG} characters each;"
                f" there are {len(self.tags)} now. Longer things go into the notes."
            )
        if len(self.notes) > MAX_NOTES:
            raise StoreError(
                f"The notes have {len(self.notes)} characters; up to {MAX_NOTES} work."
            )

    def to_json(self) -> dict[str, Any]:
        """Return what is kept."""
        return {**asdict(self), "tags": [*self.tags], "dropped": [*self.dropped]}


def about_from_json(found: Mapping[str, Any]) -> About:
    """Return a record as it was kept; what later versions add is left out."""
    known = {name: found[name] for name in About.__slots__ if name in found}
    lists = {name: tuple(known.get(name, ())) for name in ("tags", "dropped")}
    return About(**{**known, **lists})


def read_tags(text: str) -> tuple[str, ...]:
    """Return tags that are written with commas between them, each once."""
    parts = (" ".join(part.split()) for part in text.split(","))
    return tuple(dict.fromkeys(part for part in parts if part))


def new_identifier() -> str:
    """Return a name for a study that nobody can guess."""
    return secrets.token_hex(8)


class AbstractShelf(ABC):
    """Studies and what is known of them."""

    @property
    @abstractmethod
    def address(self) -> str:
        """What `open_shelf` opens it by."""

    @property
    @abstractmethod
    def is_shared(self) -> bool:
        """Whether several machines keep their studies here."""

    @property
    @abstractmethod
    def home(self) -> Path:
        """The folder of this machine that holds the files of studies at work."""

    @abstractmethod
    def everything(self) -> dict[str, About]:
        """Return what is known of every study, by its identifier."""

    @abstractmethod
    def about(self, identifier: str) -> About:
        """Return what is known of one study.

        Raises:
            StoreError: There is none of this name.
        """

    @abstractmethod
    def change(self, identifier: str, changed: Callable[[About], About]) -> About:
        """Read a record, change it and write it, with nobody in between.

        Args:
            identifier: A study; one that is not there yet is made.
            changed: Returns the record to keep; what it raises leaves the old one.
        """

    @abstractmethod
    def remove(self, identifier: str) -> None:
        """Delete a study with all its files."""

    @abstractmethod
    def folder(self, identifier: str) -> Path:
        """Return a folder of this machine with the study's files as they are now.

        Raises:
            StoreError: There is none of this name.
        """

    @abstractmethod
    def read(self, identifier: str, name: str) -> bytes | None:
        """Return one file of a study, or None where there is none of this name."""

    @abstractmethod
    def keep(self, identifier: str, *, is_running: bool = False) -> None:
        """Keep the files of a study as they are now in its folder.

        Args:
            identifier: The study.
            is_running: Whether its process is writing meanwhile.
        """


def this_machine() -> str:
    """Return what tells this machine from others that share a shelf.

    ``$WORKBENCH_MACHINE`` where it is set, as in containers that start under another
    name each time; the machine's own name otherwise.
    """
    return os.environ.get(MACHINE_SETTING) or platform.node()


def checked(identifier: str) -> str:
    """Return an identifier that came from outside, such as an address.

    Raises:
        StoreError: It is none.
    """
    if not IDENTIFIER.fullmatch(identifier):
        raise StoreError(NOT_HERE)
    return identifier
