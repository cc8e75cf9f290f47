"""The floors: what the same task gives without a graph, each at its best.

A graph is worth its trouble only above them. Tables of the target's own columns, of
every ancestor joined in, of aggregates one to three hops away, and of what earlier rows
of the same parents turned out to be are given to boosted trees and to a linear model;
learner and settings are chosen on the validation rows, never on test.
"""

import math
import warnings
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import islice
from types import MappingProxyType
from typing import Any

import numpy as np
from sklearn.ensemble import (
    HistGradientBoostingClassifier,
    HistGradientBoostingRegressor,
)
from sklearn.exceptions import ConvergenceWarning
from sklearn.linear_model import LogisticRegression, Ridge
from threadpoolctl import threadpool_limits

from workbench.comparison import Floor
from workbench.database import Database
from workbench.history import history, history_keys
from workbench.inference import bootstrap_difference, bootstrap_interval
from workbench.schema import Schema
from workbench.score import METRICS, Metric, constant_outputs
from workbench.tabular import Feature, Tabulator
from workbench.task import SEEN, TEST, TRAIN, VAL, Task, TaskSpec, TaskType

MAX_COLUMNS = 1000
MAX_VALUES = 12_000_000
MAX_CATEGORIES = 255
MAX_ONE_HOT = 32
NUM_TREES = 150
EVERY = 5
PENALTIES = (0.1, 1.0, 10.0, 100.0)
TREE_SETTINGS = (
    {"learning_rate": 0.1, "max_leaf_nodes": 31},
    {"learning_rate": 0.05, "max_leaf_nodes": 8},
    {"learning_rate": 0.1, "max_leaf_nodes": 8, "l2_regularization": 10.0},
)


TABLES: Mapping[str, Callable[[Tabulator], list[Feature]]] = MappingProxyType(
    {
        "own columns": Tabulator.own,
        "flattened table": Tabulator.flattened,
        "1-hop aggregates": lambda tabulator: tabulator.aggregates(1),
        "2-hop aggregates": lambda tabulator: tabulator.aggregates(2),
        "3-hop aggregates": lambda tabulator: tabulator.aggregates(3),
        "entity history": lambda tabulator: history(
            tabulator.database, tabulator.schema, tabulator.task
        ),
    }
)
CONSTANT = "constant"
FLOORS = (CONSTANT, *TABLES)


def floor_names(schema: Schema, spec: TaskSpec) -> tuple[str, ...]:
    """Return the baselines that a task can have.

    Rows without a parent have no entity whose history could be told.
    """
    has_history = bool(history_keys(schema, spec))
    return tuple(name for name in FLOORS if has_history or name != "entity history")


def floor(
    database: Database, schema: Schema, task: Task, source: str, name: str
) -> Floor:
    """Return one baseline of a source.

    Args:
        database: Where the rows are.
        schema: What they mean.
        task: What is predicted.
        source: What the source is called in results.
        name: A name in ``FLOORS``. A constant is reported as ``majority`` or ``mean``;
            the tables get whichever learner validates best.

    Returns:
        The baseline. A table wider than 1 000 columns (or 12 million values) keeps
        the nearest ones, in the order of the schema.

    Source:
        Trees: Ke et al. (2017), LightGBM, as in scikit-learn's
        HistGradientBoosting. Aggregates: those of the graph ``aggregated``, with sums
        and counts of the ten commonest categories; how far away is chosen too.
    """
    if name == CONSTANT:
        name = "mean" if task.task_type is TaskType.REGRESSION else "majority"
        return _floor(name, source, task, _constant(task), 0)
    limit = min(MAX_COLUMNS, max(1, MAX_VALUES // len(task.rows)))
    features = TABLES[name](Tabulator(database, schema, task, limit))
    return _floor(name, source, task, *_learn(task, features))


def floors(
    database: Database, schema: Schema, task: Task, source: str
) -> tuple[Floor, ...]:
    """Return every baseline of a source, in the order of ``FLOORS``."""
    return tuple(
        floor(database, schema, task, source, name)
        for name in floor_names(schema, task.spec)
    )


@dataclass(frozen=True, slots=True)
class _Candidate:
    """Predictions of one learner at its best setting.

    Attributes:
        learner: What it is.
        setting: Which of its settings.
        val: Validation score; higher is better, whatever the metric.
        outputs: Predictions for every task row.
    """

    learner: str
    setting: int
    val: float
    outputs: np.ndarray


def _constant(task: Task) -> _Candidate:
    labels = task.labels[task.split == TRAIN]
    outputs = constant_outputs(
        task.task_type, labels, len(task.classes), len(task.rows)
    )
    return _Candidate(CONSTANT, 0, 0.0, outputs)


def _floor(
    name: str, source: str, task: Task, found: _Candidate, num_columns: int
) -> Floor:
    metric = METRICS[task.metric]
    parts = [task.split == part for part in (TRAIN, VAL, TEST)]
    train, val, test = (
        metric.score(task.labels[part], found.outputs[part]) for part in parts
    )
    low, high = bootstrap_interval(
        metric.score, task.labels[parts[2]], found.outputs[parts[2]]
    )
    seen, gap_low, gap_high = _gap(task, metric, found.outputs)
    return Floor(
        name=name,
        source=source,
        learner=found.learner,
        train=train,
        val=val,
        test=test,
        low=low,
        high=high,
        num_columns=num_columns,
        seen=seen,
        gap_low=gap_low,
        gap_high=gap_high,
    )


def _gap(task: Task, metric: Metric, outputs: np.ndarray) -> tuple[float, float, float]:
    """Return the score on rows set aside, and the interval of what test rows lose."""
    seen, test = (
        (task.labels[task.split == part], outputs[task.split == part])
        for part in (SEEN, TEST)
    )
    if not len(seen[0]):
        return math.nan, math.nan, math.nan
    better, worse = (seen, test) if metric.higher_is_better else (test, seen)
    low, high = bootstrap_difference(metric.score, better, worse)
    return metric.score(*seen), low, high


def _learn(task: Task, features: Sequence[Feature]) -> tuple[_Candidate, int]:
    """Return the candidate that validated best, and its number of columns.

    Every learner and setting is given the whole table. The best of each kind is then
    given what is nearer too, as columns from further away can also distract.
    """
    if not features:
        return _constant(task), 0
    # Sums over several threads differ from run to run in their last digits.
    with threadpool_limits(limits=1):
        found = [
            (_best(each), list(features))
            for each in (_linear(task, features), _trees(task, features))
        ]
        for limit in sorted({each.hops for each in features})[:-1]:
            near = [each for each in features if each.hops <= limit]
            found += [
                (_best(learn(task, near, (best.setting,))), near)
                for learn, (best, _) in zip((_linear, _trees), found, strict=False)
            ]
    best, given = max(found, key=lambda each: each[0].val)
    return best, len(given)


def _best(candidates: Iterable[_Candidate]) -> _Candidate:
    return max(candidates, key=lambda candidate: candidate.val)


def _trees(
    task: Task,
    features: Sequence[Feature],
    settings: Sequence[int] = range(len(TREE_SETTINGS)),
) -> Iterator[_Candidate]:
    table = np.column_stack([each.values for each in features])
    categorical = [
        each.is_categorical and np.nanmax(each.values) < MAX_CATEGORIES
        for each in features
    ]
    for setting in settings:
        yield _fit(task, table, categorical, setting)


def _linear(
    task: Task,
    features: Sequence[Feature],
    settings: Sequence[int] = range(len(PENALTIES)),
) -> Iterator[_Candidate]:
    train = task.split == TRAIN
    table = _design(features, train)
    for setting in settings:
        penalty = PENALTIES[setting]
        if task.task_type is TaskType.REGRESSION:
            model = Ridge(alpha=penalty).fit(table[train], task.labels[train])
            outputs = model.predict(table)
        else:
            model = LogisticRegression(C=1 / penalty, max_iter=200)
            with warnings.catch_warnings():
                # A fit that stops early is one more candidate, judged like the others.
                warnings.simplefilter("ignore", ConvergenceWarning)
                model.fit(table[train], task.labels[train])
            outputs = _shaped(task, model, model.predict_proba(table))
        score = _validate(task, outputs[task.split == VAL])
        yield _Candidate("linear model", setting, score, outputs)


def _validate(task: Task, outputs: np.ndarray) -> float:
    """Return the score of outputs for the validation rows; higher is better."""
    metric = METRICS[task.metric]
    score = metric.score(task.labels[task.split == VAL], outputs)
    if np.isnan(score):
        return -np.inf
    return score if metric.higher_is_better else -score


def _design(features: Sequence[Feature], train: np.ndarray) -> np.ndarray:
    """Return standardised numbers, one-hot categories and marks of missing values."""
    columns: list[np.ndarray] = []
    for feature in features:
        missing = np.isnan(feature.values)
        if missing.any():
            columns.append(missing.astype(float))
        if feature.is_categorical:
            codes, counts = np.unique(feature.values[~missing], return_counts=True)
            common = codes[np.argsort(-counts, kind="stable")[:MAX_ONE_HOT]]
            columns += [(feature.values == code).astype(float) for code in common]
        else:
            columns.append(feature.values.astype(float))
    return np.column_stack([_standardised(column, train) for column in columns])


def _standardised(column: np.ndarray, train: np.ndarray) -> np.ndarray:
    """Return a column with mean 0 and deviation 1 on training rows, 0 where missing."""
    known = column[train & ~np.isnan(column)]
    if not known.size:
        return np.zeros(len(column))
    return np.nan_to_num((column - known.mean()) / (known.std() or 1.0))


def _fit(
    task: Task, table: np.ndarray, categorical: Sequence[bool], setting: int
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
        **TREE_SETTINGS[setting],
    )
    train, val = task.split == TRAIN, task.split == VAL
    model.fit(table[train], task.labels[train])
    stages = model.staged_predict if is_regression else model.staged_predict_proba
    best_score, best_stage = -np.inf, NUM_TREES - 1
    for stage, outputs in enumerate(stages(table[val])):
        if stage % EVERY == EVERY - 1:
            found = _validate(task, _shaped(task, model, outputs))
            if found > best_score:
                best_score, best_stage = found, stage
    outputs = next(islice(stages(table), best_stage, None))
    shaped = _shaped(task, model, outputs)
    return _Candidate("boosted trees", setting, best_score, shaped)


def _shaped(
    task: Task,
    model: Any,  # any of scikit-learn's learners
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
