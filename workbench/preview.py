"""A preview: score against hops for a graph, in seconds, with no network trained."""

import hashlib
import json
from collections.abc import Iterator
from dataclasses import dataclass
from functools import partial

import numpy as np
from threadpoolctl import threadpool_limits

from workbench.blueprint import Blueprint, TableRole
from workbench.database import Database
from workbench.graph import Graph, build_graph
from workbench.head import fit_head
from workbench.hearing import hear
from workbench.memo import Memo
from workbench.schema import Schema
from workbench.task import Task

MAX_TARGETS = 6_000
SEED = 0
SHOWN = frozenset({TableRole.NODE, TableRole.EDGE, TableRole.FOLDED})


@dataclass(frozen=True, slots=True)
class HopScore:
    """What a linear head scores on what a row hears within some hops.

    Attributes:
        hop: Number of hops, as many as a network of that depth reaches.
        val: Score on the validation rows, by which the penalty was chosen; NaN where
            the metric is not defined.
        test: Score on the test rows, by which nothing was chosen.
    """

    hop: int
    val: float
    test: float


@dataclass(frozen=True, slots=True)
class Preview:
    """Score against hops for one graph.

    Attributes:
        scores: One a hop, from 0; empty where there is no preview.
        note: What a reader has to know of it: why there is none, or of which part of
            the rows it is. Empty where there is nothing to say.
    """

    scores: tuple[HopScore, ...]
    note: str = ""


def preview(
    database: Database,
    schema: Schema,
    task: Task,
    blueprint: Blueprint,
    max_hops: int = 4,
    memo: Memo | None = None,
) -> Preview:
    """Score what the rows to predict hear within each number of hops.

    Columns are averaged from hop to hop along the graph's own messages, and a linear
    head in closed form is fitted on the training rows at each hop. It says at which hop
    a signal comes into reach and roughly what it is worth. It says nothing of how well
    a network trains, and what only a maximum, or a product of far columns, would tell
    is weaker in it or missing.

    Args:
        database: Where the rows are.
        schema: What they mean.
        task: What is predicted, and the split that training uses as well; of more than
            6 000 rows a fixed sample is fitted and judged.
        blueprint: The graph.
        max_hops: The last hop.
        memo: What earlier previews computed. It makes this one faster and changes no
            digit of it.

    Returns:
        A score a hop, in the task's metric. No scores where rows are predicted at a
        time of their own and the graph could show them later rows.
    """
    refusal = _later_rows(schema, task, blueprint)
    if refusal:
        return Preview((), refusal)
    memo = Memo() if memo is None else memo
    places, note = _judged(task)
    asked = _content_of(task)
    known = [database.fingerprint, blueprint.hash, _meaning(schema), asked]

    def make() -> Preview:
        graph = build_graph(database, schema, task, blueprint)
        with threadpool_limits(limits=1):  # sums over threads differ in last digits
            scores = tuple(_scores(graph, task, places, max_hops, memo, asked))
        return Preview(scores, note)

    return memo.get(f"preview {max_hops} {' '.join(known)}", make)


def preview_to_json(found: Preview) -> list[dict[str, float | int | None]]:
    """Return what ``workbench plan --preview --json`` prints of one graph.

    Returns:
        One record a hop: ``hop``, ``score`` (on the validation rows) and ``test``; a
        score that is not defined is None.
    """
    return [
        {"hop": one.hop, "score": _digits(one.val), "test": _digits(one.test)}
        for one in found.scores
    ]


def _later_rows(schema: Schema, task: Task, blueprint: Blueprint) -> str:
    """Return why a graph cannot be previewed without looking ahead, or nothing.

    Rows are averaged over all times here. So where a row is predicted at its own time,
    no other timed table may be in the graph, nor may its own table come back to it.
    """
    target = task.spec.table
    if schema.table(target).time_column is None:
        return ""
    timed = [
        one.subject
        for one in blueprint.tables
        if one.role in SHOWN
        and one.subject != target
        and schema.table(one.subject).time_column is not None
    ]
    if timed:
        shown = " and ".join(f'"{name}"' for name in timed)
    elif blueprint.edges:
        shown = "its own table"
    else:
        return ""
    return (
        f'No preview: a row of "{target}" is predicted at its own time, and a preview'
        f" would let it see later rows of {shown}."
    )


def _judged(task: Task) -> tuple[np.ndarray, str]:
    """Return which of the task's rows are fitted and judged, and what is said of it."""
    places = np.arange(len(task.rows))
    if len(places) <= MAX_TARGETS:
        return places, ""
    drawn = np.random.default_rng(SEED).choice(places, MAX_TARGETS, replace=False)
    return np.sort(drawn), (
        f"The preview fits and judges {MAX_TARGETS:,} of the {len(places):,} rows to"
        " predict, always the same ones."
    )


def _scores(
    graph: Graph,
    task: Task,
    places: np.ndarray,
    max_hops: int,
    memo: Memo,
    asked: str,
) -> Iterator[HopScore]:
    for hop, heard in enumerate(hear(graph, max_hops, memo)):
        design = heard.values[task.rows[places]]
        fit = partial(fit_head, design, task, places)
        found = memo.get(f"head {heard.key} {asked}", fit)
        yield HopScore(hop, found.val, found.test)


def _content_of(task: Task) -> str:
    """Return a digest of the rows, labels and split of a task."""
    found = hashlib.blake2b(digest_size=16)
    settings = [task.spec.table, str(task.task_type), list(task.classes), task.metric]
    found.update(json.dumps(settings).encode())
    for values in (task.rows, task.labels, task.split):
        found.update(np.ascontiguousarray(values).data)
    return found.hexdigest()


def _meaning(schema: Schema) -> str:
    """Return a digest of what a blueprint's names leave to the schema."""
    keys = [[one.id, list(one.ref_columns)] for one in schema.foreign_keys]
    times = [[one.name, one.time_column] for one in schema.tables]
    text = json.dumps([keys, times])
    return hashlib.blake2b(text.encode(), digest_size=16).hexdigest()


def _digits(score: float) -> float | None:
    return round(score, 6) if np.isfinite(score) else None
