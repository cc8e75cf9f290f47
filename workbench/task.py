"""What is predicted: the target's labels, the rows, and the three-way split."""

from dataclasses import dataclass
from enum import StrEnum

import numpy as np

from workbench.hints import TaskSpec

__all__ = ["Leak", "Task", "TaskSpec", "TaskType"]

TRAIN, VAL, TEST = 0, 1, 2


class TaskType(StrEnum):
    """What kind of value is predicted."""

    BINARY = "binary"
    MULTICLASS = "multiclass"
    REGRESSION = "regression"


@dataclass(frozen=True, slots=True)
class Task:
    """What is predicted, for which rows, and which of them are trained on.

    Attributes:
        spec: What was asked for.
        task_type: Binary, multiclass or regression.
        classes: The classes as text, in the order of their labels; empty for
            regression.
        metric: Name of the metric that decides.
        rows: int64 ``[n]``: rows of the target table, ascending.
        labels: float64 ``[n]``: index into ``classes``, or the value.
        split: int8 ``[n]``: 0 training, 1 validation, 2 test.
        keys: The primary key of each row as text, or its row number.
    """

    spec: TaskSpec
    task_type: TaskType
    classes: tuple[str, ...]
    metric: str
    rows: np.ndarray
    labels: np.ndarray
    split: np.ndarray
    keys: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Leak:
    """A column that alone gives the target away.

    Attributes:
        column: ``Table.column``; its table is the target's or an ancestor of it.
        score: Its score on the validation rows.
        metric: ``roc-auc`` or ``r2``.
    """

    column: str
    score: float
    metric: str
