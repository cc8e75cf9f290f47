"""What a study gives up so that it is done in time, and in which words it says so."""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace

from workbench.cost import estimate_seconds, measure_slowness
from workbench.errors import StudyError
from workbench.planning import PlannedStudy
from workbench.study import Study

SEEDS_FOR_A_CLAIM = 6
ROWS_KEPT, FEWEST_ROWS = 20_000, 2_000
DEPTHS_KEPT = 3
UNITS: Mapping[str, int] = {"s": 1, "m": 60, "h": 3600}


@dataclass(frozen=True, slots=True)
class Trimmed:
    """A study that is expected to be done in time.

    Attributes:
        study: What is left of the study.
        seconds: How long it is expected to take.
        sentences: What was given up, in plain words; empty where nothing was.
    """

    study: Study
    seconds: float
    sentences: tuple[str, ...]


def parse_seconds(text: str) -> float:
    """Read a time such as ``90s``, ``5m`` or ``1.5h``.

    Raises:
        StudyError: It is written otherwise, or is no time at all.
    """
    match = re.fullmatch(r"(\d+(?:\.\d+)?)([smh])", text.strip())
    if not match or not float(match[1]):
        raise StudyError(f'The time is written "{text}"; write it as 90s, 5m or 1.5h.')
    return float(match[1]) * UNITS[match[2]]


def fit_to_budget(
    planned: PlannedStudy,
    seconds: float,
    *,
    jobs: int | None = None,
    slowness: float | None = None,
) -> Trimmed:
    """Return what of a study can be answered within a time.

    Things go in this order, each only as far as is needed: seeds above six; rows, down
    to 20 000; the deepest networks, down to three depths; rows again, down to 2 000;
    depths down to two; and last the seeds that a claim needs.

    Args:
        planned: The study, planned.
        seconds: The time there is.
        jobs: Number of workers; by default one a core.
        slowness: How much slower this machine is than the one that costs were measured
            on; by default that is measured now.

    Returns:
        The first study that fits; the smallest of all where none does, which is said.
    """
    rows = _num_rows(planned)
    slow = measure_slowness() if slowness is None else slowness
    tried, needed = planned.study, 0.0
    for tried in _smaller(planned.study, rows):
        share = min(tried.max_rows / rows, 1.0) if rows else 1.0
        needed = estimate_seconds(_with_rows(planned, tried, share), jobs, slow)
        if needed <= seconds:
            break
    return Trimmed(
        tried, needed, tuple(_said(planned.study, tried, rows, needed, seconds))
    )


def _smaller(study: Study, rows: int) -> Iterator[Study]:
    """Yield the study and what is left of it, step by step."""
    yield study
    for seeds in range(study.seeds - 1, SEEDS_FOR_A_CLAIM - 1, -1):
        study = replace(study, seeds=seeds)
        yield study
    for least_rows, least_depths in ((ROWS_KEPT, DEPTHS_KEPT), (FEWEST_ROWS, 2)):
        while min(rows, study.max_rows) > least_rows:
            most = max(min(rows, study.max_rows) // 2, least_rows)
            study = replace(study, max_rows=most)
            yield study
        while len(study.depths) > least_depths:
            study = replace(study, depths=tuple(sorted(study.depths)[:-1]))
            yield study
    fewest = 1 if study.halving is None else 2  # it stops between seeds
    for seeds in range(study.seeds - 1, fewest - 1, -1):
        study = replace(study, seeds=seeds)
        yield study


def _num_rows(planned: PlannedStudy) -> int:
    """Return the rows of the largest source."""
    return max(
        sum(table.num_rows for table in arm.schema.tables) for arm in planned.arms
    )


def _with_rows(planned: PlannedStudy, study: Study, share: float) -> PlannedStudy:
    """Return the plan of a smaller study, its counts scaled with its rows."""
    plans = {
        source: {
            **document,
            "topologies": [_scaled(graph, share) for graph in document["topologies"]],
        }
        for source, document in planned.plans.items()
    }
    return replace(planned, study=study, plans=plans)


def _scaled(graph: Mapping, share: float) -> dict:
    return {
        **graph,
        "nodes": {name: int(count * share) for name, count in graph["nodes"].items()},
        "edges": [
            {**edge, "count": int(edge["count"] * share)} for edge in graph["edges"]
        ],
        "time": {
            **graph.get("time", {}),
            **{
                name: graph["time"][name] * share
                for name in ("instances", "messages")
                if name in graph.get("time", {})
            },
        },
    }


def _said(
    asked: Study, left: Study, rows: int, needed: float, seconds: float
) -> Iterator[str]:
    """Yield one sentence on what was given up, and one on what that means."""
    given = []
    if left.seeds < asked.seeds:
        given.append(f"{left.seeds} instead of {asked.seeds} seeds")
    if left.depths != asked.depths:
        depths = ", ".join(map(str, left.depths))
        given.append(f"the depths {depths} alone")
    if left.max_rows != asked.max_rows:
        given.append(f"a sample of {left.max_rows:,} of some {rows:,} rows")
    if given:
        yield f"To answer in time this runs {' and '.join(given)}."
    if left.seeds < min(asked.seeds, SEEDS_FOR_A_CLAIM):
        yield (
            "With fewer than six seeds nothing is called a difference: read it as a"
            " first look."
        )
    if needed > seconds:
        yield (
            f"Even so it is expected to take {needed:.0f} s, more than the"
            f" {seconds:.0f} s there are; fewer graphs, networks or epochs would help."
        )
