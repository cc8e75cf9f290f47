"""What the same parents' earlier rows turned out to be: labels as features.

The strongest plain guess about a customer's next order is often how the last ones went.
No graph here sees a label, so this is a floor of its own kind.
"""

from collections.abc import Sequence

import numpy as np

from workbench.database import Database
from workbench.edges import row_times
from workbench.schema import ForeignKey, Schema
from workbench.tabular import Feature, varies
from workbench.task import TEST, TRAIN, Task, TaskSpec, TaskType


def history_keys(schema: Schema, spec: TaskSpec) -> tuple[ForeignKey, ...]:
    """Return the target table's keys along which labels may be remembered."""
    return tuple(
        key for key in schema.keys_from(spec.table) if not key.reads & spec.hidden
    )


def history(
    database: Database, schema: Schema, task: Task, seed: int = 0
) -> list[Feature]:
    """Return what is known, for each row of a task, of earlier rows of its parents.

    Earlier is meant by the clock where the target's table has a confirmed time: a label
    is known ``TaskSpec.horizon`` seconds after its row's own time (without a horizon:
    to rows that are later than its own). Training rows know labels of training rows,
    and so do validation rows; test rows know those of validation rows too, which is
    what they would know when they come.

    Where there is no time, only labels of training rows are known, and an order drawn
    by chance stands in for time among them: a training row knows those drawn before it,
    every other row all of them. Leaving out a row's own label alone would not do, as
    what is then missing from its parent's total is that label (ordered target
    statistics).

    Labels of test rows are never read.

    Args:
        database: Where the rows are.
        schema: What the keys and times are.
        task: Whose labels are remembered.
        seed: Of the drawn order.

    Returns:
        For each key from the target's table the number of labels known, their mean or
        share of each class, and, where there is a time, the latest of them.

    Source: Micci-Barreca (2001), doi:10.1145/507533.507538; the order: Prokhorenkova et
        al. (2018), CatBoost, arXiv:1706.09516, section 3.2.
    """
    times = row_times(database, schema, task.spec.table)
    outcomes, names = _outcomes(task)
    features = []
    for key in history_keys(schema, task.spec):
        links = database.links(key.table, key.columns, key.ref_table, key.ref_columns)
        parents = links[task.rows]
        label = "+".join(key.columns)
        if times is None:
            found = _drawn(task, parents, outcomes, seed)
        else:
            found = _timed(task, parents, outcomes, times[task.rows])
        columns = _named(label, names, found, has_last=times is not None)
        features += [one for one in columns if varies(one.values)]
    return features


def earlier(
    parents: np.ndarray,
    asked: np.ndarray,
    known: np.ndarray,
    outcomes: np.ndarray,
    *,
    is_strict: bool,
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Sum up, for every row, what was known of its parent's rows when it is asked.

    Args:
        parents: int64 ``[n]``: each row's parent, -1 for none.
        asked: float64 ``[n]``: when each row is asked about; NaN for never.
        known: float64 ``[n]``: when each row's outcome is known; NaN for never.
        outcomes: float64 ``[n, k]``.
        is_strict: Whether what becomes known at the very time is not known yet.

    Returns:
        Number of outcomes known ``[n]``, their sums ``[n, k]``, and the latest of them
        ``[n, k]``, NaN where there is none.
    """
    num_rows, width = outcomes.shape
    told = np.flatnonzero((parents >= 0) & ~np.isnan(known))
    asking = np.flatnonzero((parents >= 0) & ~np.isnan(asked))
    moments = np.concatenate([known[told], asked[asking]])
    holders = np.concatenate([parents[told], parents[asking]])
    is_asking = np.repeat([False, True], [len(told), len(asking)])
    # At one time questions come first where only what is earlier counts.
    order = np.lexsort((is_asking != is_strict, moments, holders))
    gains = np.zeros((len(order), width + 1))
    gains[: len(told)] = np.column_stack([np.ones(len(told)), outcomes[told]])
    totals = np.cumsum(gains[order], axis=0)
    starts = np.searchsorted(holders[order], holders[order])
    before = np.where(starts[:, None] > 0, totals[starts - 1], 0.0)
    event = np.where(is_asking[order], -1, np.arange(len(order)))
    latest = np.maximum.accumulate(event) if len(event) else event
    rows = np.concatenate([told, asking])[order]
    places = np.flatnonzero(is_asking[order])
    counts, sums = np.zeros(num_rows), np.zeros((num_rows, width))
    last = np.full((num_rows, width), np.nan)
    mine = (totals - before)[places]
    counts[rows[places]], sums[rows[places]] = mine[:, 0], mine[:, 1:]
    held = places[latest[places] >= starts[places]]
    last[rows[held]] = outcomes[rows[latest[held]]]
    return counts, sums, last


def _outcomes(task: Task) -> tuple[np.ndarray, Sequence[str]]:
    """Return labels as numbers whose means are wanted, and what each is called."""
    if task.task_type is TaskType.MULTICLASS:
        chosen = task.labels[:, None] == np.arange(len(task.classes))
        return chosen.astype(float), [f'share of "{one}"' for one in task.classes]
    return task.labels[:, None], ["mean"]


_Found = tuple[np.ndarray, np.ndarray, np.ndarray]


def _timed(
    task: Task, parents: np.ndarray, outcomes: np.ndarray, times: np.ndarray
) -> _Found:
    """Return what was known by the clock."""
    horizon = task.spec.horizon or 0.0
    is_test = task.split == TEST
    from_training = np.where(task.split == TRAIN, times + horizon, np.nan)
    from_both = np.where(is_test, np.nan, times + horizon)
    fewer, more = (
        earlier(parents, times, known, outcomes, is_strict=not horizon)
        for known in (from_training, from_both)
    )
    counts, sums, last = (
        np.where(is_test.reshape(-1, *[1] * (one.ndim - 1)), two, one)
        for one, two in zip(fewer, more, strict=True)
    )
    return counts, sums, last


def _drawn(task: Task, parents: np.ndarray, outcomes: np.ndarray, seed: int) -> _Found:
    """Return what is known where a drawn order of the training rows is their time."""
    order = np.random.default_rng(seed).permutation(len(parents)).astype(float)
    is_training = task.split == TRAIN
    asked = np.where(is_training, order, np.inf)
    known = np.where(is_training, order, np.nan)
    return earlier(parents, asked, known, outcomes, is_strict=True)


def _named(
    label: str, names: Sequence[str], found: _Found, *, has_last: bool
) -> list[Feature]:
    counts, sums, last = found
    missing = np.full_like(sums, np.nan)
    means = np.divide(sums, counts[:, None], out=missing, where=counts[:, None] > 0)
    features = [Feature(f"number of earlier labels by {label}", counts)]
    for at, name in enumerate(names):
        features.append(Feature(f"{name} of earlier labels by {label}", means[:, at]))
        if has_last:
            features.append(Feature(f"latest {name} by {label}", last[:, at]))
    return features
