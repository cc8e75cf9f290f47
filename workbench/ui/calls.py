"""Calls into the core, each kept while what it was asked about stays the same.

What comes back is immutable and is therefore kept as it is, not copied. A visitor's
file lies under a path of that visitor's session, so nobody else can ask for the same
key.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import pandas as pd
import streamlit as st

from workbench.database import connect, quote
from workbench.execute import PlannedStudy, plan_study, resolve_task
from workbench.results import Results, load_results
from workbench.schema import Schema, infer_schema
from workbench.study import Arm, Study
from workbench.task import Leak, Task, TaskSpec, define_task, suspected_leaks

NUM_SHOWN_ROWS = 8


@dataclass(frozen=True, slots=True)
class Question:
    """A task, and the columns that predict its target nearly alone."""

    task: Task
    leaks: tuple[Leak, ...]


def schema_of(address: str) -> Schema:
    """Return what a database holds."""
    return _schema(address, _stamp(address))


def rows_of(address: str, table: str) -> pd.DataFrame:
    """Return the first rows of a table."""
    return _rows(address, _stamp(address), table)


def question_of(address: str, spec: TaskSpec | str) -> Question:
    """Return a task over a database, and its suspected leaks."""
    return _question(address, _stamp(address), spec)


def plan_of(
    address: str, spec: TaskSpec | str, topologies: Sequence[str]
) -> PlannedStudy:
    """Return what graphs of a database would hold and reach."""
    arms = tuple(Arm(address, topology) for topology in topologies)
    return plan_of_study(Study(arms=arms, task=spec))


def plan_of_study(study: Study) -> PlannedStudy:
    """Return a study's plan, made once for all networks, depths and seeds."""
    graphs = Study(arms=study.arms, task=study.task)
    stamps = tuple(_stamp(source) for source in study.sources)
    return replace(_plan(graphs, stamps), study=study)


def results_in(folder: Path) -> Results:
    """Return the results in a folder, read again when they have changed."""
    file = folder / "comparison.json"
    changed = file.stat().st_mtime_ns if file.exists() else 0
    return _results(str(folder), changed)


def _stamp(address: str) -> tuple[int, ...]:
    """Return what tells one state of a file from another; nothing for a sample."""
    if address.startswith("sample:"):
        return ()
    file = Path(address).stat()
    return file.st_size, file.st_mtime_ns


@st.cache_resource(max_entries=12, show_spinner="Reading the database…")
def _schema(address: str, stamp: tuple[int, ...]) -> Schema:
    with connect(address) as database:
        return infer_schema(database)


@st.cache_resource(max_entries=60, show_spinner=False)
def _rows(address: str, stamp: tuple[int, ...], table: str) -> pd.DataFrame:
    columns = [column.name for column in _schema(address, stamp).table(table).columns]
    wanted = ", ".join(quote(column) for column in columns)
    with connect(address) as database:
        found = database.sql(
            f"SELECT {wanted} FROM {quote(table)} ORDER BY __row LIMIT {NUM_SHOWN_ROWS}"
        )
    return found.to_pandas()


@st.cache_resource(max_entries=24, show_spinner="Looking at the target and its rows…")
def _question(address: str, stamp: tuple[int, ...], spec: TaskSpec | str) -> Question:
    schema = _schema(address, stamp)
    with connect(address) as database:
        task = define_task(database, schema, resolve_task(schema, spec, None))
        return Question(task, suspected_leaks(database, schema, task))


@st.cache_resource(
    max_entries=24,
    show_spinner="Counting what each graph holds and reaches…",
    hash_funcs={Study: Study.to_toml},
)
def _plan(study: Study, stamps: tuple[tuple[int, ...], ...]) -> PlannedStudy:
    return plan_study(study)


@st.cache_resource(max_entries=8, show_spinner="Reading the results…")
def _results(folder: str, changed: int) -> Results:
    return load_results(Path(folder))
