"""Calls about single rows into the core, each kept while what it asks is the same."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pandas as pd
import streamlit as st

from workbench.answers import answers_of
from workbench.blueprint import (
    Blueprint,
    JunctionEdge,
    NodeRule,
    RowNode,
    ValueNode,
)
from workbench.database import Database, reopen
from workbench.edges import junction_rows
from workbench.instances import Unfolding
from workbench.lookup import (
    NamedRow,
    find_rows,
    name_nodes,
    name_rows,
    row_of_key,
    row_values,
)
from workbench.task import TaskSpec
from workbench.ui import calls, place
from workbench.ui.designs import topology_of

if TYPE_CHECKING:
    from workbench.neighbourhood import Neighbourhood
    from workbench.sketch import Asked, LaidGraph


def graph_of(asked: Asked, entry: str) -> LaidGraph:
    """Return a graph over the rows of a question."""
    return _laid(*_known(asked), entry, asked)


def neighbourhood_of(
    asked: Asked, entry: str, row: int, unfolding: Unfolding
) -> Neighbourhood:
    """Return what one row of the target hears in a graph."""
    return _near(*_known(asked), entry, row, unfolding, asked)


def found_rows(asked: Asked, text: str) -> tuple[NamedRow, ...]:
    """Return the rows of the target that a search text means."""
    return _found(*_known(asked), text, asked)


def named_row(asked: Asked, row: int) -> NamedRow:
    """Return what a row of the target is called."""
    with _rows_of(asked) as database:
        return name_rows(database, asked.schema, asked.task.spec.table, [row])[0]


def row_with_key(asked: Asked, key: str) -> int:
    """Return the row of the target that a key names."""
    with _rows_of(asked) as database:
        return row_of_key(database, asked.schema, asked.task.spec.table, key)


def names_of(
    asked: Asked, blueprint: Blueprint, nodes: Mapping[str, Sequence[int]]
) -> Mapping[str, tuple[str, ...]]:
    """Return what nodes are called, by type and in the order asked for."""
    return {
        name: _names(*_known(asked), blueprint.node(name), tuple(places), asked)
        for name, places in nodes.items()
    }


def values_of(asked: Asked, table: str, row: int) -> Mapping[str, Any]:
    """Return a row's values by column."""
    with _rows_of(asked) as database:
        return row_values(database, asked.schema, table, row)


def row_of_link(asked: Asked, laid: LaidGraph, edge: int, link: int) -> tuple[str, int]:
    """Return the junction table and row that a link of it stands for."""
    rule = laid.blueprint.edges[edge]
    if not isinstance(rule, JunctionEdge):
        raise TypeError(f"{rule.name} stands for no row.")
    with _rows_of(asked) as database:
        return rule.table, int(junction_rows(database, asked.schema, rule)[link])


def answers_in(folder: Path, source: str, key: str) -> pd.DataFrame:
    """Return what the networks of a study in a folder predicted for a row."""
    changed = (folder / "comparison.json").stat().st_mtime_ns
    return _answers(str(folder), changed, source, key)


def table_of(blueprint: Blueprint, node: str) -> str | None:
    """Return the table whose rows are nodes of a type; None for values."""
    rule = blueprint.node(node)
    return rule.table if isinstance(rule, RowNode) else None


def _known(asked: Asked) -> tuple[str, str | None, TaskSpec]:
    """Return what tells one question over one database from another."""
    return str(asked.snapshot), place.hints_file(), asked.task.spec


@contextmanager
def _rows_of(asked: Asked) -> Iterator[Database]:
    """Yield the rows of a question, whose file stays open from click to click."""
    yield _opened(str(asked.snapshot))


@st.cache_resource(max_entries=4, show_spinner=False)
def _opened(snapshot: str) -> Database:
    return reopen(Path(snapshot))


@st.cache_resource(max_entries=12, show_spinner="Laying the graph over the rows…")
def _laid(
    snapshot: str, hints: str | None, spec: TaskSpec, entry: str, _asked: Asked
) -> LaidGraph:
    from workbench.sketch import lay_graph

    return lay_graph(_asked, topology_of(entry))


@st.cache_resource(max_entries=128, show_spinner=False)
def _near(
    snapshot: str,
    hints: str | None,
    spec: TaskSpec,
    entry: str,
    row: int,
    unfolding: Unfolding,
    _asked: Asked,
) -> Neighbourhood:
    from workbench.sketch import look_at_row

    return look_at_row(_asked, graph_of(_asked, entry), spec.table, row, unfolding)


@st.cache_resource(max_entries=128, show_spinner=False)
def _found(
    snapshot: str, hints: str | None, spec: TaskSpec, text: str, _asked: Asked
) -> tuple[NamedRow, ...]:
    with _rows_of(_asked) as database:
        return find_rows(database, _asked.schema, spec.table, text)


@st.cache_resource(
    max_entries=512,
    show_spinner=False,
    hash_funcs={RowNode: repr, ValueNode: repr},
)
def _names(
    snapshot: str,
    hints: str | None,
    spec: TaskSpec,
    node: NodeRule,
    places: tuple[int, ...],
    _asked: Asked,
) -> tuple[str, ...]:
    with _rows_of(_asked) as database:
        return name_nodes(database, _asked.schema, node, places)


@st.cache_resource(max_entries=256, show_spinner=False)
def _answers(folder: str, changed: int, source: str, key: str) -> pd.DataFrame:
    return answers_of(calls.results_in(Path(folder)), source, key)
