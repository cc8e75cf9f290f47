"""Rows seen together with what a measure must know of them beside their states.

A class or value per row, the parent each row shares with its siblings, or which rows
are tied to each other. Each view has the ``flag`` and ``num_rows`` of its rows.
"""

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from scipy.sparse import csr_array

from workbench.measure import Flag, Rows
from workbench.task import TaskType


@dataclass(frozen=True)
class Labels:
    """What is known of the sampled target rows, none of it given to a network.

    Attributes:
        values: float64 [rows]: index of the class, or the value.
        split: int8 [rows]: 0 training, 1 validation, 2 test.
        task_type: Binary, multiclass or regression.
        num_classes: Number of classes; 0 for a regression.
        metric: Name of the task's metric.
    """

    values: np.ndarray
    split: np.ndarray
    task_type: TaskType
    num_classes: int
    metric: str


@dataclass(frozen=True)
class _View:
    """What every view shares."""

    rows: Rows

    @property
    def flag(self) -> Flag:
        """Why nothing can be measured, or empty."""
        return self.rows.flag

    @property
    def num_rows(self) -> int:
        """Number of rows."""
        return self.rows.num_rows


@dataclass(frozen=True)
class Labelled(_View):
    """Target rows with their labels."""

    labels: Labels


@dataclass(frozen=True)
class Siblings(_View):
    """Children of one relation, with the parent of each.

    Attributes:
        parents: int64 [rows]: which parent each child has, counted from 0.
        coverage: Share of all the relation's children that have a sibling.
    """

    parents: np.ndarray
    coverage: float

    @cached_property
    def sizes(self) -> np.ndarray:
        """Number of sampled children that share each child's parent, itself too."""
        return np.bincount(self.parents)[self.parents]

    @cached_property
    def groups(self) -> np.ndarray:
        """Number from 0 of the parent of each child that has a sibling."""
        kept = self.parents[self.sizes > 1]
        number = np.cumsum(np.bincount(kept) > 0) - 1
        return number[kept]

    @cached_property
    def num_groups(self) -> int:
        """Number of parents with two or more children."""
        return int(self.groups.max()) + 1 if len(self.groups) else 0

    def means(self, states: np.ndarray) -> np.ndarray:
        """Return the mean of each parent's children, [parents, channels].

        Args:
            states: [children, channels], of those that have a sibling.
        """
        number = len(self.groups)
        belongs = csr_array(
            (np.ones(number), (self.groups, np.arange(number))),
            shape=(self.num_groups, number),
        )
        return (belongs @ states) / np.bincount(self.groups)[:, None]


@dataclass(frozen=True)
class Pairs(_View):
    """Rows of one type and the undirected ties between them.

    Attributes:
        first: int64 [ties]: one end of each tie, a position among the rows.
        second: The other end.
    """

    first: np.ndarray
    second: np.ndarray

    @cached_property
    def ties(self) -> tuple[np.ndarray, np.ndarray]:
        """Both ends of every tie, each once, without loops."""
        low = np.minimum(self.first, self.second)
        high = np.maximum(self.first, self.second)
        codes = low.astype(np.int64) * self.num_rows + high  # one number a pair
        found = np.divmod(np.unique(codes[low != high]), max(self.num_rows, 1))
        return found[0], found[1]

    @cached_property
    def degrees(self) -> np.ndarray:
        """Number of other rows that each row is tied to."""
        ends = np.concatenate(self.ties).astype(np.int64)
        return np.bincount(ends, minlength=self.num_rows)

    @cached_property
    def distances(self) -> np.ndarray:
        """Cosine distance of every tie between two live rows."""
        first, second = self.ties
        live = self.rows.live
        kept = live[first] & live[second]
        lengths = np.where(live, self.rows.lengths, 1)
        directions = self.rows.scaled / lengths[:, None]
        products = directions[first[kept]] * directions[second[kept]]
        return 1 - products.sum(axis=1)

    def energy(self, weights: np.ndarray) -> float:
        """Return Σ over ties of ‖w_i y_i − w_j y_j‖², y the scaled rows."""
        first, second = self.ties
        weighted = self.rows.scaled * weights[:, None]
        return float(((weighted[first] - weighted[second]) ** 2).sum())
