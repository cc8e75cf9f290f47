"""How far apart classes lie, beside how far apart rows of one class lie."""

from collections.abc import Callable

import numpy as np
from scipy.spatial.distance import cdist

from workbench.measure import Flag, Measure, Measurement
from workbench.task import TaskType
from workbench.view import Labelled

MAX_ROWS = 700  # distances of all pairs: 3 ms a layer
SEED = 0
BLOCK = 100
# Means below this share of the rows' own length are taken again, difference by
# difference: products of rows lose the digits of what lies close together.
NEAR = 1e-3


def group_distance_ratio(labelled: Labelled) -> Measurement:
    """Return the mean distance between classes over that within classes."""
    labels = labelled.labels
    if labels.task_type is TaskType.REGRESSION:
        return Measurement(float("nan"), labelled.num_rows, Flag.NOT_DEFINED)
    chosen = np.arange(labelled.num_rows)
    if len(chosen) > MAX_ROWS:
        generator = np.random.default_rng(SEED)
        chosen = generator.choice(chosen, size=MAX_ROWS, replace=False)
    _, classes, sizes = np.unique(
        labels.values[chosen], return_inverse=True, return_counts=True
    )
    kept = sizes[classes] > 1
    if (sizes > 1).sum() < 2:
        return Measurement(float("nan"), len(chosen), Flag.TOO_FEW_ROWS)
    states = labelled.rows.centred[chosen[kept]]
    members = np.eye(len(sizes))[classes[kept]][:, sizes > 1]
    between, within = _means(_sums(states, members, _by_products), members)
    if min(between, within) < NEAR * np.sqrt((states**2).sum(axis=1).mean()):
        between, within = _means(_sums(states, members, cdist), members)
    if between == 0:
        return Measurement(float("nan"), len(chosen), Flag.COLLAPSED)
    value = between / within if within > 0 else float("inf")
    return Measurement(value, len(chosen), Flag.NONE)


def _sums(
    states: np.ndarray,
    members: np.ndarray,
    distances: Callable[[np.ndarray, np.ndarray], np.ndarray],
) -> np.ndarray:
    """Return the sum of distances over ordered pairs of rows, [classes, classes].

    Args:
        states: [rows, channels].
        members: [rows, classes], 1 where a row has a class.
        distances: Distance of every row of one matrix to every row of another.
    """
    sums = np.zeros((members.shape[1], members.shape[1]))
    for start in range(0, len(states), BLOCK):  # blocks stay in the processor's cache
        block = slice(start, start + BLOCK)
        found = distances(states[block], states[start:])
        square = found[:, : len(found)]
        square[:] = np.triu(square, k=1)  # every pair once
        sums += members[block].T @ (found @ members[start:])
    return sums + sums.T


def _by_products(one: np.ndarray, other: np.ndarray) -> np.ndarray:
    found = one @ other.T
    found *= -2
    found += (one**2).sum(axis=1)[:, None]
    found += (other**2).sum(axis=1)
    return np.sqrt(found.clip(min=0, out=found), out=found)


def _means(sums: np.ndarray, members: np.ndarray) -> tuple[float, float]:
    """Return the mean distance between and within classes of two rows or more."""
    sizes = members.sum(axis=0)
    pairs = np.triu_indices(len(sizes), k=1)
    between = (sums / np.outer(sizes, sizes))[pairs].mean()
    within = (np.diag(sums) / (sizes * (sizes - 1))).mean()
    return float(between), float(within)


GROUP_DISTANCE_RATIO = Measure(
    name="group-distance-ratio",
    title="How far classes lie apart (group distance ratio)",
    function=group_distance_ratio,
    formula=(
        "mean over pairs of classes of the mean ‖x_i − x_j‖ between them / mean over"
        " classes of the mean ‖x_i − x_j‖ within, i ≠ j; target rows only"
    ),
    value_range="[0, ∞]; 1 where the states say nothing of the class",
    at_collapse="NaN, flagged: 0/0",
    comparable="layers, graphs and widths, on the same rows",
    source=(
        "Zhou et al. (2020), arXiv:2006.06972; differs in: unbiased, so that states"
        " without class structure give 1; at most 700 rows; classes of one row are"
        " left out"
    ),
    min_rows=4,
    takes=Labelled,
)
