"""What is being looked at: read from the address, kept from page to page, checked.

The address (URL) is the one truth, so that a link shows a colleague the same thing. A
change of page drops its parameters, so the session remembers them and writes them back.
Everything in an address may have been written by anybody: names are checked against
what exists, and a database that a visitor uploaded opens in that visitor's session
only.
"""

import hashlib
import re
import secrets
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import streamlit as st

from workbench.database import Database, joined_sources
from workbench.errors import DatabaseError, TaskError
from workbench.forecast import DEFAULT_SEED_TIMES, Forecast
from workbench.hints import Hints, forecast_task, hints_to_toml
from workbench.results import stored
from workbench.samples import SAMPLES
from workbench.schema import Schema
from workbench.task import TaskSpec
from workbench.ui import designs, visitor, words

SOURCE, RESULTS, GRAPHS = "source", "results", "graphs"
TASK, TARGET, WHERE, HIDE = "task", "target", "where", "hide"
SPLIT, SPLIT_SEED = "split", "split_seed"
FORECAST, EVENTS, ENTITY, WITHIN, BY = "forecast", "of", "for", "within", "by"
SEED_TIMES, EVERY, ACTIVE, UNTIL = "seed_times", "every", "active", "until"
LATER = (FORECAST, EVENTS, ENTITY, WITHIN, BY, SEED_TIMES, EVERY, ACTIVE, UNTIL)
QUESTION = (TASK, TARGET, WHERE, HIDE, SPLIT, SPLIT_SEED, *LATER)
DESIGN, ROW, PAIR = "design", "row", "pair"
CARRIED = (SOURCE, *QUESTION, GRAPHS, DESIGN, ROW, PAIR, RESULTS)

DEFAULT_GRAPHS = ("row2node", "flattened")
MAX_GRAPHS = 4
MAX_TEXT = 2000
MAX_UPLOAD_MB = 200
STORED_RESULTS = "address"

_KEPT = "place"
_OPENED = "opened"
_HINTS = "hints"


@dataclass(frozen=True, slots=True)
class Opened:
    """A database that this session has opened.

    Attributes:
        snapshot: The file that holds its rows.
        written: What was opened, as it may be shown.
    """

    snapshot: Path
    written: str


def carry_over() -> None:
    """Take the address's parameters, and put back those that a change of page lost."""
    kept: dict[str, str] = st.session_state.setdefault(_KEPT, {})
    if st.query_params.get(SOURCE, kept.get(SOURCE)) != kept.get(SOURCE):
        # A link to another database brings its own question.
        kept.clear()
    for name in CARRIED:
        if name in st.query_params:
            kept[name] = st.query_params[name][:MAX_TEXT]
        elif name in kept:
            st.query_params[name] = kept[name]


def read(name: str) -> str | None:
    """Return a parameter, or None."""
    return st.session_state.get(_KEPT, {}).get(name)


def write(values: Mapping[str, str | None]) -> None:
    """Set parameters; None or an empty text removes one."""
    kept: dict[str, str] = st.session_state.setdefault(_KEPT, {})
    for name, value in values.items():
        if value:
            kept[name] = value
            st.query_params[name] = value
        else:
            kept.pop(name, None)
            st.query_params.pop(name, None)


def looked_at(name: str) -> str | None:
    """Return a parameter that belongs to one page alone, or None."""
    found = st.query_params.get(name)
    return None if found is None else found[:MAX_TEXT]


def look_at(values: Mapping[str, str | None]) -> None:
    """Set parameters that belong to one page alone; None or nothing removes one."""
    for name, value in values.items():
        if value:
            st.query_params[name] = value
        else:
            st.query_params.pop(name, None)


def open_source(name: str) -> None:
    """Look at another database; the question about the last one is dropped."""
    write(
        {**dict.fromkeys((*QUESTION, GRAPHS, DESIGN, ROW, PAIR, RESULTS)), SOURCE: name}
    )


def source_address() -> str | None:
    """Return what `connect` opens, or None when nothing is open.

    Raises:
        DatabaseError: The address names something that is not open here.
    """
    name = read(SOURCE)
    if name is None:
        return None
    kind, _, rest = name.partition(":")
    if kind == "sample" and rest in SAMPLES:
        return name
    if kind == "open":
        found = _opened().get(rest)
        if found is not None:
            return str(found.snapshot)
    raise DatabaseError(words.LINK_TO_NOTHING)


def written_source() -> str | None:
    """Return how the open source was named when it was opened, without a password."""
    name = read(SOURCE) or ""
    kind, _, rest = name.partition(":")
    found = _opened().get(rest) if kind == "open" else None
    return found.written if found else read(SOURCE)


def keep_uploads(files: Sequence[tuple[str, bytes]]) -> str:
    """Keep uploaded files for this session and return what `connect` opens.

    Several scripts are one source; several other files are a folder.

    Raises:
        DatabaseError: They are larger together than is kept.
    """
    total = sum(len(content) for _, content in files)
    if total > MAX_UPLOAD_MB * 1_000_000:
        raise DatabaseError(words.too_large(files[0][0], total, MAX_UPLOAD_MB))
    digest = hashlib.sha256()
    for name, content in files:
        digest.update(hashlib.sha256(name.encode() + b"/" + content).digest())
    stem = _plain(Path(files[0][0]).stem) if len(files) == 1 else "upload"
    folder = _session_folder() / digest.hexdigest()[:32] / stem
    folder.mkdir(parents=True, exist_ok=True)
    paths = []
    for at, (name, content) in enumerate(files):
        path = folder / _file_name(name, at)
        path.write_bytes(content)
        paths.append(str(path))
    if len(paths) == 1:
        return paths[0]
    joined = joined_sources(paths)
    return joined[0] if len(joined) == 1 else str(folder)


def remember(database: Database, written: str) -> str:
    """Keep an opened database for this session and return its name in the address.

    Args:
        database: The opened database; its snapshot is what pages read from now on.
        written: What was opened, as it may be shown.
    """
    name = secrets.token_hex(16)
    _opened()[name] = Opened(database.path, written)
    return f"open:{name}"


def hints() -> Hints | None:
    """Return what a visitor has changed of the open database's schema, if anything."""
    return st.session_state.get(_HINTS, {}).get(read(SOURCE))


def change_hints(changed: Hints | None) -> None:
    """Keep changes to the schema of the open database, or drop all of them."""
    kept = st.session_state.setdefault(_HINTS, {})
    if changed is None:
        kept.pop(read(SOURCE), None)
    else:
        kept[read(SOURCE)] = changed


def hints_file() -> str | None:
    """Return a file with the visitor's changes, or None when there are none."""
    changed = hints()
    if changed is None:
        return None
    text = hints_to_toml(changed).encode()
    path = _session_folder() / f"{hashlib.sha256(text).hexdigest()[:16]}.hints.toml"
    path.write_bytes(text)
    return str(path)


def question() -> TaskSpec | str | None:
    """Return what is to be predicted, or None when nothing is chosen yet."""
    name, target = read(TASK), read(TARGET)
    if name:
        return name
    hide = tuple(filter(None, (read(HIDE) or "").split(",")))
    if read(FORECAST):
        return _forecast_task(hide)
    if not target:
        return None
    seed = read(SPLIT_SEED) or "0"
    return TaskSpec(
        target=target,
        where=read(WHERE),
        hide=hide,
        split=read(SPLIT) or "random",
        split_seed=int(seed) if re.fullmatch(r"\d{1,6}", seed) else 0,
    )


def target_table(schema: Schema) -> str | None:
    """Return the table whose column is predicted, where a question is asked."""
    spec = question()
    if isinstance(spec, str):
        hint = schema.tasks.get(spec)
        return hint.table if hint else None
    return spec.table if spec else None


def ask(spec: TaskSpec | str) -> None:
    """Put a question into the address; results of another one are left behind."""
    blank = dict.fromkeys((*QUESTION, ROW, RESULTS))
    if isinstance(spec, str):
        write({**blank, TASK: spec})
        return
    if spec.forecast is not None:
        write({**blank, **_written(spec.forecast), HIDE: ",".join(spec.hide)})
        return
    write(
        {
            **blank,
            TARGET: spec.target,
            WHERE: spec.where,
            HIDE: ",".join(spec.hide),
            SPLIT: spec.split,
            SPLIT_SEED: str(spec.split_seed),
        }
    )


def _forecast_task(hide: tuple[str, ...]) -> TaskSpec | None:
    """Return the forecast in the address; None where it is none."""
    number = read(SEED_TIMES) or str(DEFAULT_SEED_TIMES)
    try:
        asked = Forecast(
            what=read(FORECAST) or "",
            events=read(EVENTS) or "",
            entity=read(ENTITY) or "",
            within=read(WITHIN) or "",
            by=read(BY),
            seed_times=int(number) if re.fullmatch(r"\d{1,4}", number) else 0,
            every=read(EVERY),
            where=read(WHERE),
            active=read(ACTIVE) == "yes",
            until=read(UNTIL),
        )
    except TaskError:
        return None
    return forecast_task(asked, hide)


def _written(forecast: Forecast) -> dict[str, str | None]:
    return {
        FORECAST: forecast.what,
        EVENTS: forecast.events,
        ENTITY: forecast.entity,
        WITHIN: forecast.within,
        BY: forecast.by,
        SEED_TIMES: str(forecast.seed_times),
        EVERY: forecast.every,
        WHERE: forecast.where,
        ACTIVE: "yes" if forecast.active else None,
        UNTIL: forecast.until,
    }


def graphs() -> tuple[str, ...]:
    """Return the topologies and designs in the address that exist, at most four."""
    named = (read(GRAPHS) or "").split(",")
    known = tuple(dict.fromkeys(name for name in named if designs.is_known(name)))
    return known[:MAX_GRAPHS] or DEFAULT_GRAPHS


def pair() -> tuple[str, str]:
    """Return the two topologies or designs that one row is looked at in.

    They are the address's; without it the first two of the graphs that are compared.
    """
    named = tuple((read(PAIR) or "").split(","))
    if len(named) == 2 and all(map(designs.is_known, named)):
        return named
    first, *others = graphs()
    spare = (one for one in (*others, *DEFAULT_GRAPHS) if one != first)
    return first, next(spare)


def choose_pair(names: Sequence[str]) -> None:
    """Put the two into the address, but where it says the same already."""
    if tuple(names) != pair():
        write({PAIR: ",".join(names)})


def choose_graphs(names: Sequence[str]) -> None:
    """Put topologies and designs into the address."""
    write({GRAPHS: ",".join(names[:MAX_GRAPHS])})


def results() -> Path:
    """Return the results folder in the address; the shipped one when there is none.

    Raises:
        StoreError: The address names results that are not on this machine.
    """
    guests = visitor.guest_study()
    if guests is not None:
        return visitor.shelf().folder(guests)
    name = read(RESULTS)
    if name is None or name == STORED_RESULTS:
        return stored(STORED_RESULTS)
    return visitor.shelf().folder(visitor.open_study(name).identifier)


def new_file(name: str) -> Path:
    """Return where a file of this session can be written; there is none yet."""
    folder = _session_folder() / secrets.token_hex(8)
    folder.mkdir()
    return folder / _file_name(name, 0)


def _opened() -> dict[str, Opened]:
    return st.session_state.setdefault(_OPENED, {})


def _file_name(name: str, at: int) -> str:
    """Return a harmless name for an uploaded file; it keeps its endings."""
    plain = _plain(Path(name).name.replace("\\", "/").rpartition("/")[2])
    return plain if plain.strip(".") else f"file-{at}"


def _plain(name: str) -> str:
    return re.sub(r"[^\w. -]+", "-", name).strip(". -")[-100:] or "database"


def _session_folder() -> Path:
    """Return a folder of this session, which goes when the session does."""
    if "uploads_folder" not in st.session_state:
        st.session_state["uploads_folder"] = tempfile.TemporaryDirectory(
            prefix="workbench-"
        )
    return Path(st.session_state["uploads_folder"].name)
