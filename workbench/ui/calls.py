"""Calls into the core, each kept while what it was asked about stays the same.

What comes back is immutable and is therefore kept as it is, not copied. What a visitor
has opened is known by a name that only that visitor's session can resolve.

What plans a study knows every network, and so loads torch; it is imported by the calls
that need it, so that the first page is there in a moment.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pandas as pd
import streamlit as st

from workbench.database import (
    SAMPLE,
    Reading,
    SourceTable,
    cache_directory,
    connect,
    fingerprint_of,
)
from workbench.design import Choice, choices, open_chains
from workbench.distribution import Distribution, distributions
from workbench.errors import DatabaseError, WorkbenchError
from workbench.hints import Hints, read_hints
from workbench.lookup import sample_rows
from workbench.memo import Memo
from workbench.question import (
    ProposedGraph,
    ProposedQuestion,
    propose_graphs,
    propose_questions,
    settle_question,
)
from workbench.recognise import Offer, find_offer
from workbench.results import Results, load_results
from workbench.schema import Schema, fitting_hints, infer_schema
from workbench.seeds import Moment, moments_of
from workbench.task import Leak, Task, TaskSpec, define_task, suspected_leaks
from workbench.topologies import plan_named
from workbench.ui import place, words
from workbench.ui.designs import topology_of

if TYPE_CHECKING:
    from workbench.planning import PlannedStudy
    from workbench.sketch import Asked, SurveyedGraph
    from workbench.study import Study

NUM_SHOWN_ROWS = 8


@dataclass(frozen=True, slots=True)
class Question:
    """A task, the columns that predict its target nearly alone, what is to be said.

    A forecast's moments too.
    """

    task: Task
    leaks: tuple[Leak, ...]
    notes: tuple[str, ...]
    moments: tuple[Moment, ...] = ()


@dataclass(frozen=True, slots=True)
class Proposal:
    """A first question and the graphs to look at first."""

    question: ProposedQuestion
    graphs: tuple[ProposedGraph, ...]


def open_source(
    address: str,
    password: str | None = None,
    schemas: Sequence[str] = (),
    dialect: str | None = None,
    shown: str | None = None,
) -> str:
    """Read a source, showing how far it is, and return its name in the page's address.

    A click anywhere else ends the reading; what was read so far is dropped.
    """
    bar = st.progress(0.0, text="Opening…")

    def show(reading: Reading) -> None:
        share = reading.num_rows / reading.total_rows if reading.total_rows else 0.0
        bar.progress(min(share, 1.0), text=words.reading(reading))

    try:
        database = connect(
            address,
            password=password,
            schemas=schemas,
            dialect=dialect,
            shown=shown,
            on_reading=show,
        )
    except WorkbenchError as error:
        # Where an upload lies on this machine is no concern of whoever sent it.
        sentence = str(error).replace(address, shown or address)
        raise DatabaseError(sentence) from error
    finally:
        bar.empty()
    with database:
        if address.startswith(SAMPLE):
            return address
        return place.remember(database, database.source)


def schema_of(address: str) -> Schema:
    """Return what a database holds, with the visitor's changes."""
    return _schema(address, _stamp(address), place.hints_file())


def offer_of(address: str) -> Offer | None:
    """Return what to do with a database that is a graph already, or None."""
    return _offer(address, _stamp(address), place.hints_file())


def has_rows(address: str) -> bool:
    """Return whether a database is more than a schema."""
    return _opened(address, _stamp(address))[0]


def hints_of(address: str) -> Hints:
    """Return the hints that come with a database, before any change."""
    return _opened(address, _stamp(address))[1]


def tables_of(address: str) -> tuple[SourceTable, ...]:
    """Return the tables as the database itself declares them."""
    return _opened(address, _stamp(address))[2]


def rows_of(address: str, table: str, seed: int = 0) -> pd.DataFrame:
    """Return the first rows of a table, or with a seed some drawn by chance."""
    return _rows(address, _stamp(address), table, seed)


def distributions_of(address: str, table: str) -> tuple[Distribution, ...]:
    """Return how the values of a table's columns are spread."""
    return distributions_with(place.hints_file(), address, table)


def distributions_with(
    hints: str | None, address: str, table: str
) -> tuple[Distribution, ...]:
    """Return the same in no visitor's name: hints are a file, or None."""
    return _distributions(address, _stamp(address), hints, table)


def proposal_of(address: str) -> Proposal | None:
    """Return a first question and graphs of a database, or None where none fits."""
    return _proposal(address, _stamp(address), place.hints_file())


def question_of(address: str, spec: TaskSpec | str) -> Question:
    """Return a task over a database, and its suspected leaks."""
    return question_with(place.hints_file(), address, spec)


def question_with(hints: str | None, address: str, spec: TaskSpec | str) -> Question:
    """Return the same in no visitor's name: hints are a file, or None."""
    return _question(address, _stamp(address), hints, spec)


def plan_of(
    address: str, spec: TaskSpec | str, topologies: Sequence[str]
) -> PlannedStudy:
    """Return what graphs of a database would hold and reach."""
    return plan_with(place.hints_file(), address, spec, topologies)


def plan_with(
    hints: str | None, address: str, spec: TaskSpec | str, topologies: Sequence[str]
) -> PlannedStudy:
    """Return the same in no visitor's name: hints are a file, or None."""
    from workbench.study import Arm, Study

    arms = tuple(Arm(address, topology_of(one), hints) for one in topologies)
    return plan_of_study(Study(arms=arms, task=spec))


def asked_of(address: str, spec: TaskSpec | str) -> Asked:
    """Return a question over a database, ready to plan one graph after another."""
    return _asked(address, _stamp(address), place.hints_file(), spec)


def choices_of(
    address: str, spec: TaskSpec | str, entry: str, subject: str
) -> tuple[Choice, ...]:
    """Return the roles that something has or could have in a graph."""
    return _choices(address, _stamp(address), place.hints_file(), spec, entry, subject)


def chains_of(
    address: str, spec: TaskSpec | str, entry: str
) -> Mapping[str, tuple[str, str]]:
    """Return the chains of keys that are, or could be, shortcuts of a graph."""
    return _chains(address, _stamp(address), place.hints_file(), spec, entry)


def survey_of(address: str, spec: TaskSpec | str, entry: str) -> SurveyedGraph:
    """Return what one graph of a database would hold and reach."""
    return _survey(address, _stamp(address), place.hints_file(), spec, entry)


def plan_of_study(study: Study) -> PlannedStudy:
    """Return a study's plan, made once for all networks, depths and seeds."""
    from workbench.study import Study

    graphs = Study(arms=study.arms, task=study.task, max_rows=study.max_rows)
    stamps = tuple(_stamp(source) for source in study.sources)
    return replace(_plan(graphs, stamps), study=study)


@st.cache_resource(show_spinner=False)
def slowness() -> float:
    """Return how slow this machine is, measured once."""
    from workbench.cost import measure_slowness

    return measure_slowness()


def previews_of(planned: PlannedStudy) -> Mapping[str, Mapping[str, Any]]:
    """Return a study's plans with what each hop is worth, no network trained."""
    stamps = tuple(_stamp(source) for source in planned.study.sources)
    return _previewed(planned.study, stamps, planned)


def results_in(folder: Path) -> Results:
    """Return the results in a folder, read again when they have changed."""
    file = folder / "comparison.json"
    changed = file.stat().st_mtime_ns if file.exists() else 0
    return _results(str(folder), changed)


def changed_sources(results: Results) -> tuple[str, ...]:
    """Return the sources whose content is another one than when the study ran.

    A server or an upload can only be told when it is open in this session.
    """
    found = []
    for label, plan in results.plans.items():
        then = plan.get("source", {})
        now = _fingerprint_now(then.get("address", ""))
        if now is not None and now != then["fingerprint"]:
            found.append(label)
    return tuple(found)


def _fingerprint_now(address: str) -> str | None:
    if address and address == place.written_source():
        opened = place.source_address()
        return schema_of(opened).fingerprint if opened else None
    if address.startswith(SAMPLE):
        return _fingerprint(address)
    return None


@st.cache_resource(max_entries=24, show_spinner=False)
def _fingerprint(address: str) -> str | None:
    return fingerprint_of(address)


def _stamp(address: str) -> tuple[int, ...]:
    """Return what tells one state of a file from another; nothing for a sample."""
    if address.startswith("sample:"):
        return ()
    file = Path(address).stat()
    return file.st_size, file.st_mtime_ns


@st.cache_resource(max_entries=12, show_spinner="Reading the database…")
def _schema(address: str, stamp: tuple[int, ...], hints: str | None) -> Schema:
    with connect(address) as database:
        return infer_schema(database, read_hints(Path(hints)) if hints else None)


@st.cache_resource(max_entries=24, show_spinner=False)
def _offer(address: str, stamp: tuple[int, ...], hints: str | None) -> Offer | None:
    with connect(address) as database:
        return find_offer(database, _schema(address, stamp, hints))


@st.cache_resource(max_entries=24, show_spinner=False)
def _opened(
    address: str, stamp: tuple[int, ...]
) -> tuple[bool, Hints, tuple[SourceTable, ...]]:
    with connect(address) as database:
        return database.has_rows, fitting_hints(database), database.tables


@st.cache_resource(max_entries=60, show_spinner=False)
def _rows(address: str, stamp: tuple[int, ...], table: str, seed: int) -> pd.DataFrame:
    with connect(address) as database:
        return sample_rows(database, table, NUM_SHOWN_ROWS, seed).to_pandas()


@st.cache_resource(max_entries=60, show_spinner=False)
def _distributions(
    address: str, stamp: tuple[int, ...], hints: str | None, table: str
) -> tuple[Distribution, ...]:
    with connect(address) as database:
        return distributions(database, _schema(address, stamp, hints), table)


@st.cache_resource(max_entries=24, show_spinner="Looking for something to predict…")
def _proposal(
    address: str, stamp: tuple[int, ...], hints: str | None
) -> Proposal | None:
    schema = _schema(address, stamp, hints)
    with connect(address) as database:
        if not database.has_rows:
            return None
        settled = settle_question(database, schema, propose_questions(schema))
    if settled is None:
        return None
    return Proposal(settled[0], propose_graphs(schema, settled[0].task))


@st.cache_resource(max_entries=24, show_spinner="Looking at the target and its rows…")
def _question(
    address: str, stamp: tuple[int, ...], hints: str | None, spec: TaskSpec | str
) -> Question:
    from workbench.planning import resolve_task, with_rows

    schema = _schema(address, stamp, hints)
    with connect(address) as given:
        asked = resolve_task(schema, spec, None)
        has_rows = given.has_rows
        database, schema, asked, notes = with_rows(
            given, schema, asked, cache_directory()
        )
        with database:
            task = define_task(database, schema, asked)
            leaks = suspected_leaks(database, schema, task) if has_rows else ()
            moments = moments_of(database, task) if asked.forecast else ()
            return Question(task, leaks, notes, moments)


@st.cache_resource(max_entries=12, show_spinner="Looking at the question…")
def _asked(
    address: str, stamp: tuple[int, ...], hints: str | None, spec: TaskSpec | str
) -> Asked:
    from workbench.sketch import ask

    return ask(address, spec, hints)


@st.cache_resource(max_entries=200, show_spinner=False)
def _choices(
    address: str,
    stamp: tuple[int, ...],
    hints: str | None,
    spec: TaskSpec | str,
    entry: str,
    subject: str,
) -> tuple[Choice, ...]:
    asked = _asked(address, stamp, hints, spec)
    blueprint = plan_named(asked.schema, asked.task.spec, topology_of(entry))
    return choices(asked.schema, asked.task.spec, blueprint, subject)


@st.cache_resource(max_entries=48, show_spinner=False)
def _chains(
    address: str,
    stamp: tuple[int, ...],
    hints: str | None,
    spec: TaskSpec | str,
    entry: str,
) -> Mapping[str, tuple[str, str]]:
    asked = _asked(address, stamp, hints, spec)
    blueprint = plan_named(asked.schema, asked.task.spec, topology_of(entry))
    return open_chains(asked.schema, asked.task.spec, blueprint)


@st.cache_resource(max_entries=96, show_spinner="Counting what the graph holds…")
def _survey(
    address: str,
    stamp: tuple[int, ...],
    hints: str | None,
    spec: TaskSpec | str,
    entry: str,
) -> SurveyedGraph:
    from workbench.sketch import survey_graph

    return survey_graph(_asked(address, stamp, hints, spec), topology_of(entry))


@st.cache_resource(
    max_entries=200,
    show_spinner="Counting what each graph holds and reaches…",
    hash_funcs={"workbench.study.Study": lambda study: study.to_toml()},
)
def _plan(study: Study, stamps: tuple[tuple[int, ...], ...]) -> PlannedStudy:
    from workbench.planning import plan_study

    return plan_study(study)


@st.cache_resource
def _memo() -> Memo:
    """Return what previews share: known by content, so visitors may share it too."""
    return Memo()


@st.cache_resource(
    max_entries=200,
    show_spinner="Scoring what each hop brings, without training…",
    hash_funcs={"workbench.study.Study": lambda study: study.to_toml()},
)
def _previewed(
    study: Study, stamps: tuple[tuple[int, ...], ...], _planned: PlannedStudy
) -> Mapping[str, Mapping[str, Any]]:
    from workbench.previewing import with_previews

    return with_previews(_planned, _memo()).plans


@st.cache_resource(max_entries=8, show_spinner="Reading the results…")
def _results(folder: str, changed: int) -> Results:
    return load_results(Path(folder))
