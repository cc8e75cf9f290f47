"""How far apart classes lie, beside how far apart rows of one class lie."""

import numpy as np
from scipy.spatial.distance import cdist

from workbench.measure import Flag, Measure, Measurement
from workbench.task import TaskType
from workbench.view import Labelled

MAX_ROWS = 700  # distances of all pairs: 3 ms a layer
SEED = 0
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
    between, within = _means(_distances(states), members)
    if min(between, within) < NEAR * np.sqrt((states**2).sum(axis=1).mean()):
        between, within = _means(cdist(states, states), members)
    if between == 0:
        return Measurement(float("nan"), len(chosen), Flag.COLLAPSED)
    value = between / within if within > 0 else float("inf")
    return Measurement(value, len(chosen), Flag.NONE)


def _distances(states: np.ndarray) -> np.ndarray:
    """Return the distance of every two rows by their products, 0 of a row to itself."""
    squares = (states**2).sum(axis=1)
    found = states @ states.T
    found *= -2
    found += squares[:, None]
    found += squares
    np.sqrt(np.maximum(found, 0, out=found), out=found)
    np.fill_diagonal(found, 0)
    return found


def _means(distances: np.ndarray, members: np.ndarray) -> tuple[float, float]:
    """Return the mean distance between and within classes.

    Args:
        distances: [rows, rows].
        members: [rows, classes], 1 where a row has a class; two rows a class or more.
    """
    sums, sizes = members.T @ (distances @ members), members.sum(axis=0)
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
