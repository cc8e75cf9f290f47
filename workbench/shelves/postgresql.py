"""Studies of a team: records and files in a PostgreSQL database.

A run still writes into a folder of the machine that does it, and a page still reads a
folder; what lies in the folder is brought to the database and from it, file by file and
only where it has changed.
"""

import hashlib
import json
import shutil
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.exc import SQLAlchemyError

from workbench.errors import StoreError
from workbench.resources import cache_directory
from workbench.results import write_text
from workbench.shelf import (
    NOT_HERE,
    About,
    AbstractShelf,
    about_from_json,
    checked,
    this_machine,
)

KEPT_NAME = ".kept.json"
MAX_FILE_MB = 900  # of PostgreSQL's 1 GB a value
# An open SQLite file is copied whole only when nobody writes to it.
ITEMS = "store.sqlite"
NEVER = frozenset({"store.sqlite-wal", "store.sqlite-shm"})
_LOCK = 7_230_911  # any number, the same for all who make the tables

_METADATA = sa.MetaData()
_STUDIES = sa.Table(
    "workbench_studies",
    _METADATA,
    sa.Column("id", sa.String, primary_key=True),
    sa.Column("record", sa.Text, nullable=False),
)
_FILES = sa.Table(
    "workbench_files",
    _METADATA,
    sa.Column("study", sa.String, primary_key=True),
    sa.Column("name", sa.String, primary_key=True),
    sa.Column("digest", sa.String, nullable=False),
    sa.Column("content", sa.LargeBinary, nullable=False),
)


@dataclass(frozen=True, slots=True)
class TeamShelf(AbstractShelf):
    """Studies in a database that several machines and people share.

    Attributes:
        url: Where the database is, with its password.
        root: The folder of this machine in which files lie meanwhile.
        engine: The connections.
    """

    url: str
    root: Path
    engine: sa.Engine

    @property
    def address(self) -> str:
        """What `open_shelf` opens it by."""
        return self.url

    @property
    def is_shared(self) -> bool:
        """A database is everybody's."""
        return True

    @property
    def home(self) -> Path:
        """The folder of this machine that holds the files of studies at work."""
        self.root.mkdir(parents=True, exist_ok=True)
        return self.root

    def everything(self) -> dict[str, About]:
        """Return what is known of every study, by its identifier."""
        with self._connected() as connection:
            rows = connection.execute(sa.select(_STUDIES))
            return {row.id: about_from_json(json.loads(row.record)) for row in rows}

    def about(self, identifier: str) -> About:
        """Return what is known of one study."""
        query = sa.select(_STUDIES.c.record).where(_STUDIES.c.id == checked(identifier))
        with self._connected() as connection:
            found = connection.execute(query).scalar()
        if found is None:
            raise StoreError(NOT_HERE)
        return about_from_json(json.loads(found))

    def change(self, identifier: str, changed: Callable[[About], About]) -> About:
        """Read a record, change it and write it, with nobody in between."""
        blank = json.dumps(About().to_json())
        made = insert(_STUDIES).values(id=checked(identifier), record=blank)
        mine = _STUDIES.c.id == identifier
        with self._connected() as connection:
            connection.execute(made.on_conflict_do_nothing())
            query = sa.select(_STUDIES.c.record).where(mine).with_for_update()
            held = json.loads(connection.execute(query).scalar_one())
            about = changed(about_from_json(held))
            text = json.dumps(about.to_json())
            connection.execute(_STUDIES.update().where(mine).values(record=text))
        return about

    def remove(self, identifier: str) -> None:
        """Delete a study with all its files."""
        self.about(identifier)
        with self._connected() as connection:
            connection.execute(_FILES.delete().where(_FILES.c.study == identifier))
            connection.execute(_STUDIES.delete().where(_STUDIES.c.id == identifier))
        shutil.rmtree(self.root / identifier, ignore_errors=True)

    def folder(self, identifier: str) -> Path:
        """Return a folder of this machine with the study's files as they are now."""
        about = self.about(identifier)
        folder = self.home / identifier
        if not self._is_ours(about, folder):
            folder.mkdir(exist_ok=True)
            self._fetch(identifier, folder)
        return folder

    def read(self, identifier: str, name: str) -> bytes | None:
        """Return one file of a study, or None where there is none of this name."""
        folder = self.root / checked(identifier)
        if self._is_ours(self.about(identifier), folder):
            try:
                return (folder / name).read_bytes()
            except OSError:
                return None
        query = sa.select(_FILES.c.content).where(
            _FILES.c.study == identifier, _FILES.c.name == name
        )
        with self._connected() as connection:
            return connection.execute(query).scalar()

    def keep(self, identifier: str, *, is_running: bool = False) -> None:
        """Keep the files of a study as they are now in its folder."""
        folder = self.home / checked(identifier)
        kept, now = _kept(folder), {}
        for name, path in _files(folder):
            if name == ITEMS and is_running:
                now |= {name: kept[name]} if name in kept else {}
            else:
                now[name] = self._keep_file(identifier, name, path, kept.get(name))
        self._drop(identifier, kept.keys() - now.keys())
        _note(folder, now)

    def _keep_file(
        self, identifier: str, name: str, path: Path, known: tuple[str, str] | None
    ) -> tuple[str, str]:
        """Bring a file to the database where it has changed; return what to note."""
        stamp = _stamp(path)
        if known is not None and known[0] == stamp:
            return known
        content = path.read_bytes()
        digest = hashlib.sha256(content).hexdigest()
        if known is None or known[1] != digest:
            self._put(identifier, name, digest, content)
        return stamp, digest

    def _is_ours(self, about: About, folder: Path) -> bool:
        """Return whether the files here are the ones that count."""
        return about.host == this_machine() and folder.is_dir()

    def _fetch(self, identifier: str, folder: Path) -> None:
        """Bring the files here that have changed, and remove what is gone."""
        query = sa.select(_FILES.c.name, _FILES.c.digest)
        with self._connected() as connection:
            rows = connection.execute(query.where(_FILES.c.study == identifier))
            wanted = {row.name: row.digest for row in rows}
        kept, now = _kept(folder), {}
        for name, digest in wanted.items():
            path = folder / name
            if not path.resolve().is_relative_to(folder.resolve()):
                raise StoreError(
                    f'The team\'s database holds a file "{name}", which no'
                    " study has; somebody else has written it."
                )
            known = kept.get(name)
            if known is None or known[1] != digest or not path.exists():
                content = self._get(identifier, name)
                path.parent.mkdir(parents=True, exist_ok=True)
                draft = path.with_name(f".{path.name}.draft")
                draft.write_bytes(content)
                draft.replace(path)
            now[name] = (_stamp(path), digest)
        for name, path in _files(folder):
            if name not in wanted:
                path.unlink(missing_ok=True)
        _note(folder, now)

    def _get(self, identifier: str, name: str) -> bytes:
        query = sa.select(_FILES.c.content).where(
            _FILES.c.study == identifier, _FILES.c.name == name
        )
        with self._connected() as connection:
            return connection.execute(query).scalar() or b""

    def _put(self, identifier: str, name: str, digest: str, content: bytes) -> None:
        if len(content) > MAX_FILE_MB * 1_000_000:
            raise StoreError(
                f'"{name}" has {len(content) / 1e6:.0f} MB; a team\'s database keeps'
                f" files of up to {MAX_FILE_MB} MB. Draw fewer rows, or keep studies in"
                " a folder."
            )
        values = {"digest": digest, "content": content}
        made = insert(_FILES).values(study=identifier, name=name, **values)
        kept = made.on_conflict_do_update(index_elements=["study", "name"], set_=values)
        with self._connected() as connection:
            connection.execute(kept)

    def _drop(self, identifier: str, names: set[str]) -> None:
        if names:
            gone = sa.and_(_FILES.c.study == identifier, _FILES.c.name.in_(names))
            with self._connected() as connection:
                connection.execute(_FILES.delete().where(gone))

    @contextmanager
    def _connected(self) -> Iterator[sa.Connection]:
        """Do something in one transaction.

        Raises:
            StoreError: The database cannot be reached.
        """
        try:
            with self.engine.begin() as connection:
                yield connection
        except SQLAlchemyError as error:
            raise StoreError(_unreachable(self.engine.url, error)) from error


def open_postgresql(address: str) -> AbstractShelf:
    """Return the shelf of a PostgreSQL database, whose tables are made where missing.

    Raises:
        StoreError: The database cannot be reached, or its driver is not installed.
    """
    try:
        url = sa.make_url(address).set(drivername="postgresql+psycopg")
        engine = sa.create_engine(url, pool_pre_ping=True, pool_size=2)
    except ModuleNotFoundError as error:
        raise StoreError(
            f'Keeping studies in PostgreSQL needs the package "{error.name}"; run pip'
            ' install "graph-modelling-workbench[databases]".'
        ) from error
    except (SQLAlchemyError, ValueError) as error:
        raise StoreError(
            "The address of the team's database cannot be read; write it as"
            " postgresql://USER:PASSWORD@HOST:5432/DATABASE."
        ) from error
    told = url.render_as_string(hide_password=True)
    name = hashlib.sha256(told.encode()).hexdigest()[:12]
    shelf = TeamShelf(address, cache_directory() / "team" / name, engine)
    try:
        with engine.begin() as connection:
            # Two who come first at once would trip over each other.
            connection.execute(sa.select(sa.func.pg_advisory_xact_lock(_LOCK)))
            _METADATA.create_all(connection)
    except SQLAlchemyError as error:
        raise StoreError(_unreachable(url, error)) from error
    return shelf


def _unreachable(url: sa.URL, error: SQLAlchemyError) -> str:
    told = url.render_as_string(hide_password=True)
    cause = getattr(error, "orig", None) or error
    said = (str(cause).strip().splitlines() or [type(cause).__name__])[0]
    return (
        f'The team\'s database "{told}" does not answer as it should: {said}. Check'
        " the address, the password and that tables may be made in it."
    )


def _files(folder: Path) -> list[tuple[str, Path]]:
    """Return what is kept of a folder: no locks, drafts or notes of this machine."""
    return [
        (path.relative_to(folder).as_posix(), path)
        for path in sorted(folder.rglob("*"))
        if path.is_file() and not path.name.startswith(".") and path.name not in NEVER
    ]


def _stamp(path: Path) -> str:
    """Return what tells one state of a file from another without reading it."""
    state = path.stat()
    return f"{state.st_mtime_ns}-{state.st_size}"


def _kept(folder: Path) -> dict[str, tuple[str, str]]:
    """Return what was last brought from here or to here: stamps and digests."""
    try:
        found: Mapping[str, list[str]] = json.loads((folder / KEPT_NAME).read_text())
        return {name: (stamp, digest) for name, (stamp, digest) in found.items()}
    except (OSError, ValueError):
        return {}


def _note(folder: Path, kept: Mapping[str, tuple[str, str]]) -> None:
    write_text(folder / KEPT_NAME, json.dumps(kept))
