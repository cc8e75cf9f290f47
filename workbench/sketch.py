"""One graph after another over the same rows, before there is any study.

What a study checks once for all its graphs, the search for leaks and for rows from the
future among it, is left to the study.
"""

from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from workbench.blueprint import Blueprint, RowNode
from workbench.closure import draw_rows
from workbench.database import cache_directory, connect, reopen
from workbench.errors import GraphError
from workbench.instances import Unfolding
from workbench.links import Links, link
from workbench.lookup import row_of_key
from workbench.neighbourhood import Neighbourhood, find_neighbourhood
from workbench.planning import resolve_task, with_rows
from workbench.recipe import remarks, render_script, render_sql
from workbench.schema import Schema, infer_schema, read_hints
from workbench.study import MAX_ROWS
from workbench.survey import survey, survey_to_json
from workbench.task import Task, TaskSpec, define_task
from workbench.topologies import plan_named


@dataclass(frozen=True, slots=True)
class Asked:
    """A question put to a source, over which graphs are planned one at a time.

    Attributes:
        snapshot: The rows that graphs are made of.
        schema: What they mean.
        task: What is predicted.
        notes: What is to be said of the rows.
    """

    snapshot: Path
    schema: Schema
    task: Task
    notes: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class SurveyedGraph:
    """One graph as it would be, and its part of ``plan --json``."""

    blueprint: Blueprint
    plan: Mapping[str, Any]


def ask(
    source: str,
    task: TaskSpec | str,
    hints: str | None = None,
    cache: Path | None = None,
) -> Asked:
    """Put a question to a source, as a study does, without searching for leaks.

    Args:
        source: What `connect` opens.
        task: A ready-made task's name, or what to predict.
        hints: A hint file.
        cache: Where snapshots are kept; the user's cache by default.
    """
    root = cache_directory() if cache is None else cache
    with connect(source, cache=cache) as given, ExitStack() as stack:
        schema = infer_schema(given, read_hints(Path(hints)) if hints else None)
        spec = resolve_task(schema, task, None)
        whole, schema, spec, notes = with_rows(given, schema, spec, root)
        stack.callback(whole.close)
        drawn = draw_rows(whole, schema, spec.table, MAX_ROWS, root)
        database = stack.enter_context(drawn.database)
        return Asked(
            snapshot=database.path,
            schema=drawn.schema,
            task=define_task(database, drawn.schema, spec),
            notes=(*notes, *drawn.notes),
        )


def survey_graph(asked: Asked, topology: str) -> SurveyedGraph:
    """Plan one graph and look at it over the rows; nothing else is planned again.

    Raises:
        TopologyError: The topology is unknown or does not fit the schema.
    """
    blueprint = plan_named(asked.schema, asked.task.spec, topology)
    with reopen(asked.snapshot) as database:
        found = survey(database, asked.schema, asked.task, blueprint)
    return SurveyedGraph(blueprint, survey_to_json(found))


@dataclass(frozen=True, slots=True)
class LaidGraph:
    """One graph over the rows, without their values: who is tied to whom."""

    blueprint: Blueprint
    links: Links


def lay_graph(asked: Asked, topology: str) -> LaidGraph:
    """Plan one graph and lay it over the rows.

    Raises:
        TopologyError: The topology is unknown or does not fit the schema.
    """
    blueprint = plan_named(asked.schema, asked.task.spec, topology)
    with reopen(asked.snapshot) as database:
        return LaidGraph(blueprint, link(database, asked.schema, blueprint))


def look_at_key(
    asked: Asked,
    topologies: Sequence[str],
    table: str,
    key: str,
    unfolding: Unfolding,
) -> dict[str, Neighbourhood]:
    """Return what the row with a key hears in each of several graphs.

    Raises:
        SchemaError: There is no such table.
        DatabaseError: No row has the key.
        GraphError: A graph has no nodes for rows of the table.
    """
    with reopen(asked.snapshot) as database:
        row = row_of_key(database, asked.schema, table, key)
    return {
        name: look_at_row(asked, lay_graph(asked, name), table, row, unfolding)
        for name in topologies
    }


def look_at_row(
    asked: Asked, laid: LaidGraph, table: str, row: int, unfolding: Unfolding
) -> Neighbourhood:
    """Return what one row hears in a graph, at its own moment where it has one.

    Raises:
        GraphError: The graph has no nodes for rows of the table.
    """
    for rule in laid.blueprint.nodes:
        if isinstance(rule, RowNode) and rule.table == table:
            moment = moment_of(asked, table, row)
            return find_neighbourhood(laid.links, rule.name, row, unfolding, moment)
    raise GraphError(
        f'Rows of "{table}" are no nodes in the graph "{laid.blueprint.name}", so none'
        " of them hears anything there. Look at a row of"
        f" {laid.blueprint.target}, or choose another topology."
    )


def moment_of(asked: Asked, table: str, row: int) -> float:
    """Return when a row is predicted, seconds since 1970.

    Inf where it is not predicted, or at no moment of its own.
    """
    task = asked.task
    place = np.flatnonzero(task.rows == row)
    if table != task.spec.table or task.times is None or not len(place):
        return np.inf
    return float(task.times[place[0]])


@dataclass(frozen=True, slots=True)
class Recipe:
    """A graph as code that runs without the workbench.

    Attributes:
        sql: A view of every node type and edge type, for DuckDB over the rows.
        script: Builds the graph as PyG's ``HeteroData``.
        notes: What they do not do, a sentence each; both say so in their heads.
    """

    sql: str
    script: str
    notes: tuple[str, ...] = ()


def render_recipe(asked: Asked, blueprint: Blueprint, rows: str) -> Recipe:
    """Return a graph as SQL and as Python.

    Args:
        asked: The question and the rows.
        blueprint: The graph.
        rows: What the script reads unless its first argument says otherwise.
    """
    spec, schema = asked.task.spec, asked.schema
    derived = "" if spec.forecast is None else spec.table
    with reopen(asked.snapshot) as database:
        return Recipe(
            sql=render_sql(database, schema, blueprint, derived),
            script=render_script(database, schema, blueprint, rows, derived),
            notes=remarks(schema, blueprint, derived),
        )
