"""What is being looked at: read from the address, kept from page to page, checked.

The address (URL) is the one truth, so that a link shows a colleague the same thing. A
change of page drops its parameters, so the session remembers them and writes them back.
Everything in an address may have been written by anybody: names are checked against
what exists, and a database that a visitor uploaded opens in that visitor's session
only.
"""

import hashlib
import re
import shutil
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path

import streamlit as st

from workbench.errors import DatabaseError
from workbench.jobs import results_folder
from workbench.results import stored
from workbench.samples import SAMPLES
from workbench.task import TaskSpec
from workbench.topologies import TOPOLOGIES
from workbench.ui import words

SOURCE, RESULTS, GRAPHS = "source", "results", "graphs"
TASK, TARGET, WHERE, HIDE = "task", "target", "where", "hide"
SPLIT, SPLIT_SEED = "split", "split_seed"
QUESTION = (TASK, TARGET, WHERE, HIDE, SPLIT, SPLIT_SEED)
CARRIED = (SOURCE, *QUESTION, GRAPHS, RESULTS)

DEFAULT_GRAPHS = ("row2node", "flattened")
MAX_GRAPHS = 4
MAX_TEXT = 2000
MAX_UPLOAD_MB = 200
SQLITE_MAGIC = b"SQLite format 3\x00"
STORED_RESULTS = "address"

_KEPT = "place"
_UPLOADS = "uploads"


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


def open_source(name: str) -> None:
    """Look at another database; the question about the last one is dropped."""
    write({**dict.fromkeys((*QUESTION, GRAPHS, RESULTS)), SOURCE: name})


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
    if kind == "upload" and re.fullmatch(r"[0-9a-f]{32}", rest):
        found = st.session_state.get(_UPLOADS, {}).get(rest)
        if found is not None:
            return str(found)
    raise DatabaseError(words.LINK_TO_NOTHING)


def keep_upload(name: str, content: bytes) -> str:
    """Keep an uploaded SQLite file for this session and return its source name.

    Raises:
        DatabaseError: The content is no SQLite database, or larger than is kept.
    """
    if len(content) > MAX_UPLOAD_MB * 1_000_000:
        raise DatabaseError(words.too_large(name, len(content), MAX_UPLOAD_MB))
    if not content.startswith(SQLITE_MAGIC):
        raise DatabaseError(words.not_sqlite(name, content[:16]))
    digest = hashlib.sha256(content).hexdigest()[:32]
    folder = _session_folder() / digest
    folder.mkdir(exist_ok=True)
    stem = re.sub(r"[^A-Za-z0-9_-]+", "-", Path(name).stem).strip("-")[:60]
    path = folder / f"{stem or 'database'}.sqlite"
    if not path.exists():
        draft = path.with_suffix(".part")
        draft.write_bytes(content)
        draft.replace(path)
    st.session_state.setdefault(_UPLOADS, {})[digest] = path
    return f"upload:{digest}"


def keep_for_job(address: str, folder: Path) -> str:
    """Return an address that outlives this session: uploads are copied to the results.

    A job goes on after its page is closed, and the session's files are then gone.
    """
    if address.startswith("sample:"):
        return address
    folder.mkdir(parents=True, exist_ok=True)
    return str(shutil.copy2(address, folder))


def question() -> TaskSpec | str | None:
    """Return what is to be predicted, or None when nothing is chosen yet."""
    name, target = read(TASK), read(TARGET)
    if name:
        return name
    if not target:
        return None
    seed = read(SPLIT_SEED) or "0"
    return TaskSpec(
        target=target,
        where=read(WHERE),
        hide=tuple(filter(None, (read(HIDE) or "").split(","))),
        split=read(SPLIT) or "random",
        split_seed=int(seed) if re.fullmatch(r"\d{1,6}", seed) else 0,
    )


def ask(spec: TaskSpec | str) -> None:
    """Put a question into the address; results of another one are left behind."""
    blank = dict.fromkeys((*QUESTION, RESULTS))
    if isinstance(spec, str):
        write({**blank, TASK: spec})
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


def graphs() -> tuple[str, ...]:
    """Return the topologies in the address that exist, at most four."""
    named = (read(GRAPHS) or "").split(",")
    known = tuple(dict.fromkeys(name for name in named if name in TOPOLOGIES))
    return known[:MAX_GRAPHS] or DEFAULT_GRAPHS


def choose_graphs(names: Sequence[str]) -> None:
    """Put topologies into the address."""
    write({GRAPHS: ",".join(names[:MAX_GRAPHS])})


def results() -> Path:
    """Return the results folder in the address; the shipped one when there is none.

    Raises:
        StoreError: The address names results that are not on this machine.
    """
    name = read(RESULTS)
    if name is None or name == STORED_RESULTS:
        return stored(STORED_RESULTS)
    return results_folder(name)


def _session_folder() -> Path:
    """Return a folder of this session, which goes when the session does."""
    if "uploads_folder" not in st.session_state:
        st.session_state["uploads_folder"] = tempfile.TemporaryDirectory(
            prefix="workbench-"
        )
    return Path(st.session_state["uploads_folder"].name)
