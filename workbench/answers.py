"""What trained networks said of one row, next to what is true of it."""

import pandas as pd

from workbench.results import Results
from workbench.task import Task, TaskType

CELL = ["topology", "model", "remedy", "depth"]
COLUMNS = (*CELL, "label", "prediction", "share_alike", "value", "num_runs")


def asked_before(results: Results, fingerprint: str, task: Task) -> str | None:
    """Return the source of a study that is this database asked this question, or None.

    Args:
        results: A finished study.
        fingerprint: The database's.
        task: What is asked of it; the same rows have to be tested.
    """
    asked = task.spec
    facts = asked.target, asked.where, asked.split, asked.split_seed
    for source, plan in results.plans.items():
        then = plan.get("task", {})
        same = tuple(map(then.get, ("target", "where", "split", "split_seed"))) == facts
        if same and plan.get("source", {}).get("fingerprint") == fingerprint:
            return source
    return None


def answers_of(results: Results, source: str, key: str) -> pd.DataFrame:
    """Return what every cell of a study predicted for a test row, over its seeds.

    Args:
        results: A finished study.
        source: Name of the source in it.
        key: The row's key, as results name rows.

    Returns:
        A row per topology, network, remedy and depth, in the study's order. For
        classes, ``prediction`` is the one that most runs chose (of equals the first by
        name), ``share_alike`` the share of runs that did, 0 to 1, and ``value`` the
        mean confidence as results keep it; for numbers, prediction and value are the
        mean over the runs. Empty where the row was no test row.
    """
    frame = results.predictions
    rows = frame[(frame["source"] == source) & (frame["key"] == key)]
    is_number = results.plans[source]["task"]["type"] == TaskType.REGRESSION
    found = [
        (*cell, str(runs["label"].iloc[0]), *_said(runs, is_number), len(runs))
        for cell, runs in rows.groupby(CELL, sort=False)
        if isinstance(cell, tuple)
    ]
    return pd.DataFrame(found, columns=list(COLUMNS))


def _said(runs: pd.DataFrame, is_number: bool) -> tuple[str, float, float]:
    """Return what runs say together, how many of them say so, and the mean value."""
    value = float(runs["value"].mean())
    if is_number:
        return f"{value:.4g}", 1.0, value
    said = runs["prediction"].astype(str).sort_values().value_counts(sort=False)
    chosen = said.idxmax()
    return str(chosen), float(said[chosen] / len(runs)), value
