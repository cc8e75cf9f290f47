"""One graph after another over the same rows, before there is any study.

What a study checks once for all its graphs, the search for leaks and for rows from the
future among it, is left to the study.
"""

from collections.abc import Mapping
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from workbench.blueprint import Blueprint
from workbench.closure import draw_rows
from workbench.database import cache_directory, connect, reopen
from workbench.planning import resolve_task, with_rows
from workbench.recipe import render_script, render_sql
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
class Recipe:
    """A graph as code that runs without the workbench.

    Attributes:
        sql: A view of every node type and edge type, for DuckDB over the rows.
        script: Builds the graph as PyG's ``HeteroData``.
    """

    sql: str
    script: str


def render_recipe(asked: Asked, blueprint: Blueprint, rows: str) -> Recipe:
    """Return a graph as SQL and as Python.

    Args:
        asked: The question and the rows.
        blueprint: The graph.
        rows: What the script reads unless its first argument says otherwise.
    """
    with reopen(asked.snapshot) as database:
        return Recipe(
            sql=render_sql(database, asked.schema, blueprint),
            script=render_script(database, asked.schema, blueprint, rows),
        )
