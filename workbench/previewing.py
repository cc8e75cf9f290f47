"""Previews of a planned study: score against hops for every arm, before it trains."""

from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, replace
from itertools import groupby
from pathlib import Path
from typing import Any

from workbench.cell import PlannedArm
from workbench.closure import draw_rows
from workbench.database import cache_directory, reopen
from workbench.errors import WorkbenchError
from workbench.memo import Memo
from workbench.planning import PlannedStudy
from workbench.preview import Preview, preview_all, preview_to_json
from workbench.task import define_task

FEWEST_HOPS, MOST_HOPS = 4, 6
MAX_ROWS = 300_000


def with_previews(
    planned: PlannedStudy,
    memo: Memo | None = None,
    cache: Path | None = None,
    max_rows: int = MAX_ROWS,
) -> PlannedStudy:
    """Return a planned study whose plans also say what each hop is worth.

    Every topology of a plan gets ``preview``, a record a hop, and where there is
    something to say of it ``preview_note``. Made-up rows are not previewed. Of a
    database of more than 300 000 rows a part is drawn, as a study draws one.

    Args:
        planned: The study.
        memo: What earlier previews computed.
        cache: Where drawn rows are kept; the user's cache by default.
        max_rows: Most rows of a source that are previewed.
    """
    memo = Memo() if memo is None else memo
    root = cache_directory() if cache is None else cache
    hops = min(max(*planned.study.depths, FEWEST_HOPS), MOST_HOPS)
    plans = dict(planned.plans)
    for source, members in groupby(planned.arms, lambda arm: arm.source):
        if source not in planned.assumed:
            drawing = _Drawing(max_rows, root)
            found = _of_source(tuple(members), hops, memo, drawing)
            plans[source] = _told(plans[source], found)
    return replace(planned, plans=plans)


@dataclass(frozen=True, slots=True)
class _Drawing:
    """How many rows are previewed, and where those drawn are kept."""

    max_rows: int
    root: Path


def _of_source(
    arms: Sequence[PlannedArm], hops: int, memo: Memo, drawing: _Drawing
) -> dict[str, Preview]:
    """Return the preview of every arm of one source, by its topology."""
    schema, task = arms[0].schema, arms[0].task
    with ExitStack() as stack:
        database = stack.enter_context(reopen(arms[0].snapshot))
        drawn = draw_rows(
            database, schema, task.spec.table, drawing.max_rows, drawing.root
        )
        if drawn.notes:
            stack.enter_context(drawn.database)
            try:
                task = define_task(drawn.database, drawn.schema, task.spec)
            except WorkbenchError as error:
                note = f"No preview: of the rows drawn for it, {error}"
                return {arm.topology: Preview((), note) for arm in arms}
        graphs = [(arm.blueprint, arm.unfolding) for arm in arms]
        found = preview_all(drawn.database, drawn.schema, task, graphs, hops, memo)
        return {
            arm.topology: _with_notes(one, drawn.notes)
            for arm, one in zip(arms, found, strict=True)
        }


def _with_notes(found: Preview, notes: Sequence[str]) -> Preview:
    told = [note.replace("a study takes", "a preview takes") for note in notes]
    return replace(found, note=" ".join([*told, found.note]).strip())


def _told(
    plan: Mapping[str, Any], previews: Mapping[str, Preview]
) -> Mapping[str, Any]:
    """Return a plan whose topologies carry their previews."""
    graphs = []
    for graph in plan["topologies"]:
        found = previews[graph["name"]]
        note = {"preview_note": found.note} if found.note else {}
        graphs.append({**graph, "preview": preview_to_json(found), **note})
    return {**plan, "topologies": graphs}
