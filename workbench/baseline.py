"""The floors: what the same task gives without a graph, each at its best.

A graph is worth its trouble only above them. Boosted trees get the target's own
columns, the table with every ancestor joined in, and one- and two-hop aggregates; their
settings and number of trees are chosen on the validation rows, never on test.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from sklearn.ensemble import (
    HistGradientBoostingClassifier,
    HistGradientBoostingRegressor,
)

from workbench.comparison import Floor
from workbench.database import Database
from workbench.inference import bootstrap_interval
from workbench.schema import Schema
from workbench.score import METRICS, Metric, constant_outputs
from workbench.tabular import Feature, Tabulator
from workbench.task import TEST, TRAIN, VAL, Task, TaskType

MAX_COLUMNS = 1500
MAX_VALUES = 60_000_000
MAX_CATEGORIES = 255
NUM_TREES = 150
EVERY = 5
SETTINGS = (
    {"learning_rate": 0.1, "max_leaf_nodes": 31},
    {"learning_rate": 0.05, "max_leaf_nodes": 8},
    {"learning_rate": 0.1, "max_leaf_nodes": 8, "l2_regularization": 10.0},
)


def floors(
    database: Database, schema: Schema, task: Task, source: str
) -> tuple[Floor, ...]:
    """Return the baselines of a source.

    Args:
        database: Where the rows are.
        schema: What they mean.
        task: What is predicted.
        source: What the source is called in results.

    Returns:
        A constant, then boosted trees on own columns, on the flattened table and on
        one- and two-hop aggregates. A table wider than 1 500 columns (or 60 million
        values) keeps the nearest ones, in the order of the schema.

    Source:
        Trees: Ke et al. (2017), LightGBM, as in scikit-learn's
        HistGradientBoosting. Aggregates: Kanter, Veeramachaneni (2015), Deep feature
        synthesis; differs in: count, sum, mean, min, max and distinct values at the
        first hop, the mean alone beyond.
    """
    tabulator = Tabulator(database, schema, task)
    tables = {
        "boosted own columns": tabulator.own(),
        "boosted flattened table": tabulator.flattened(),
        "boosted 1-hop aggregates": tabulator.aggregates(1),
        "boosted 2-hop aggregates": tabulator.aggregates(2),
    }
    boosted = [
        _floor(name, source, task, *_boost(task, features))
        for name, features in tables.items()
    ]
    return (_constant(task, source), *boosted)


def _constant(task: Task, source: str) -> Floor:
    train_labels = task.labels[task.split == TRAIN]
    num_rows = len(task.labels)
    outputs = constant_outputs(
        task.task_type, train_labels, len(task.classes), num_rows
    )
    name = "mean" if task.task_type is TaskType.REGRESSION else "majority"
    return _floor(name, source, task, outputs, 0)


def _floor(
    name: str, source: str, task: Task, outputs: np.ndarray, num_columns: int
) -> Floor:
    metric = METRICS[task.metric]
    parts = [task.split == part for part in (TRAIN, VAL, TEST)]
    train, val, test = (
        metric.score(task.labels[part], outputs[part]) for part in parts
    )
    low, high = bootstrap_interval(
        metric.score, task.labels[parts[2]], outputs[parts[2]]
    )
    return Floor(name, source, train, val, test, low, high, num_columns)


def _boost(task: Task, features: Sequence[Feature]) -> tuple[np.ndarray, int]:
    """Return predictions for every task row, of the settings that validated best."""
    limit = min(MAX_COLUMNS, max(1, MAX_VALUES // len(task.rows)))
    kept = list(features[:limit])
    metric = METRICS[task.metric]
    if not kept:
        labels = task.labels[task.split == TRAIN]
        number = len(task.classes)
        return constant_outputs(task.task_type, labels, number, len(task.rows)), 0
    table = np.column_stack([feature.values for feature in kept]).astype(np.float32)
    categorical = [
        feature.is_categorical and np.nanmax(feature.values) < MAX_CATEGORIES
        for feature in kept
    ]
    candidates = [
        _fit(task, metric, table, categorical, settings) for settings in SETTINGS
    ]
    best = max(candidates, key=lambda candidate: candidate.val)
    return best.outputs, len(kept)


@dataclass(frozen=True, slots=True)
class _Candidate:
    """Predictions of one setting at its best number of trees.

    Attributes:
        val: Validation score, higher is better.
        outputs: Predictions for every task row.
    """

    val: float
    outputs: np.ndarray


def _fit(
    task: Task,
    metric: Metric,
    table: np.ndarray,
    categorical: Sequence[bool],
    settings: dict[str, float],
) -> _Candidate:
    is_regression = task.task_type is TaskType.REGRESSION
    learner = (
        HistGradientBoostingRegressor
        if is_regression
        else HistGradientBoostingClassifier
    )
    model = learner(
        max_iter=NUM_TREES,
        early_stopping=False,
        categorical_features=list(categorical),
        random_state=0,
        **settings,
    )
    train, val = task.split == TRAIN, task.split == VAL
    model.fit(table[train], task.labels[train])
    stages = model.staged_predict if is_regression else model.staged_predict_proba
    sign = 1 if metric.higher_is_better else -1
    best_score, best_stage = -np.inf, NUM_TREES - 1
    for stage, outputs in enumerate(stages(table[val])):
        if stage % EVERY == EVERY - 1:
            found = sign * metric.score(task.labels[val], _shaped(task, model, outputs))
            if found > best_score:
                best_score, best_stage = found, stage
    for stage, outputs in enumerate(stages(table)):
        if stage == best_stage:
            return _Candidate(best_score, _shaped(task, model, outputs))
    raise AssertionError("unreachable: the best stage is one of the stages")


def _shaped(
    task: Task,
    model: HistGradientBoostingRegressor | HistGradientBoostingClassifier,
    outputs: np.ndarray,
) -> np.ndarray:
    """Return predictions in the form that metrics read."""
    match task.task_type:
        case TaskType.REGRESSION:
            return outputs
        case TaskType.BINARY:
            return outputs[:, 1]
        case TaskType.MULTICLASS:
            # A class without training rows has no column of its own.
            full = np.zeros((len(outputs), len(task.classes)))
            full[:, model.classes_.astype(int)] = outputs
            return full
