"""A preview: score against hops for a graph, in seconds, with no network trained."""

import os
from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from functools import partial

import numpy as np
from threadpoolctl import threadpool_limits

from workbench.blueprint import Blueprint
from workbench.database import Database
from workbench.digests import schema_digest
from workbench.errors import GraphError
from workbench.graph import Graph, build_graph
from workbench.graph_parts import task_digest
from workbench.head import fit_head
from workbench.hearing import Heard, hear
from workbench.instances import FAN_OUTS, Unfolding
from workbench.memo import Memo
from workbench.schema import Schema
from workbench.task import Task
from workbench.unfold import unfold

MAX_TARGETS = 6_000
SEED = 0
MAX_THREADS = 4
MOST = 400_000  # instances and messages, so that a preview takes seconds
TOO_MUCH = (
    "No preview: with every row predicted at its own time the graph is too large to"
    " look at in seconds."
)


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
    unfolding: Unfolding | None = None,
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
        unfolding: How training unfolds the graph over time: at most so many neighbours
            are heard, chosen alike.

    Returns:
        A score a hop, in the task's metric. Rows that are predicted at moments of their
        own hear only what was known by then, as in training: the graph is unfolded
        around the rows that are judged. No scores where even a neighbour a key would be
        too much of it.
    """
    memo = Memo() if memo is None else memo
    places, note = _judged(task)
    asked = task_digest(task)
    known = [database.fingerprint, blueprint.hash, schema_digest(schema), asked]
    known.append(str(unfolding and (unfolding.fan_out, unfolding.choice)))

    def make() -> Preview:
        graph = build_graph(database, schema, task, blueprint)
        rows, cut = task.rows[places], ""
        if task.times is not None and graph.relations:
            asked_at = Unfolding(max_hops) if unfolding is None else unfolding
            seen = _as_known(graph, task, places, replace(asked_at, depth=max_hops))
            if seen is None:
                return Preview((), TOO_MUCH)
            graph, rows, cut = seen
        with threadpool_limits(limits=1):  # sums over threads differ in last digits
            heard = hear(graph, max_hops, memo)
            scores = tuple(_scores(heard, rows, task, places, memo, asked))
        return Preview(scores, f"{note} {cut}".strip())

    return memo.get(f"preview {max_hops} {' '.join(known)}", make)


def preview_all(
    database: Database,
    schema: Schema,
    task: Task,
    graphs: Sequence[tuple[Blueprint, Unfolding | None]],
    max_hops: int = 4,
    memo: Memo | None = None,
) -> list[Preview]:
    """Return the preview of several graphs, in order, a few at a time.

    What two of them share is computed once, so that the answers do not depend on how
    many threads there are.

    Args:
        database: Where the rows are.
        schema: What they mean.
        task: As in `preview`.
        graphs: Each graph, and how training unfolds it.
        max_hops: The last hop.
        memo: What earlier previews computed.
    """
    known = Memo() if memo is None else memo

    def look(one: tuple[Blueprint, Unfolding | None]) -> Preview:
        blueprint, unfolding = one
        return preview(database, schema, task, blueprint, max_hops, known, unfolding)

    threads = min(len(graphs), os.cpu_count() or 1, MAX_THREADS)
    # The limit is of the process: set here, what each preview sets changes nothing.
    with threadpool_limits(limits=1), ThreadPoolExecutor(max(threads, 1)) as pool:
        return list(pool.map(look, graphs))


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


def _as_known(
    graph: Graph, task: Task, places: np.ndarray, unfolding: Unfolding
) -> tuple[Graph, np.ndarray, str] | None:
    """Return the graph as it was known at each judged row's own moment.

    Returns:
        The graph, the judged rows in it, and what is said of neighbours left out; None
        where even one neighbour a key would be too many instances.
    """
    if task.times is None:
        raise ValueError("A task without moments has nothing to be unfolded over.")
    judged = replace(
        task,
        rows=task.rows[places],
        labels=task.labels[places],
        split=task.split[places],
        times=task.times[places],
        keys=tuple(task.keys[at] for at in places),
    )
    most = unfolding.fan_out
    for fan_out in FAN_OUTS:
        if most is not None and (fan_out is None or fan_out > most):
            continue
        try:
            found = unfold(graph, judged, replace(unfolding, fan_out=fan_out), MOST)
        except GraphError:
            continue
        said = (
            f"Of each row at most {fan_out} neighbours per key are heard, so that the"
            " preview stays quick."
        )
        return found.graph, found.task.rows, said if found.cut else ""
    return None


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
    heard: Iterable[Heard],
    rows: np.ndarray,
    task: Task,
    places: np.ndarray,
    memo: Memo,
    asked: str,
) -> Iterator[HopScore]:
    for hop, one in enumerate(heard):
        fit = partial(fit_head, one.values[rows], task, places)
        found = memo.get(f"head {one.key} {asked}", fit)
        yield HopScore(hop, found.val, found.test)


def _digits(score: float) -> float | None:
    return round(score, 6) if np.isfinite(score) else None
