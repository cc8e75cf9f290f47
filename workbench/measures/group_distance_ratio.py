"""How far apart classes lie, beside how far apart rows of one class lie."""

import numpy as np
from scipy.spatial.distance import cdist, pdist

from workbench.measure import Flag, Measure, Measurement
from workbench.task import TaskType
from workbench.view import Labelled

MAX_ROWS = 700  # distances of all pairs: 10 ms a layer
SEED = 0


def group_distance_ratio(labelled: Labelled) -> Measurement:
    """Return the mean distance between classes over that within classes."""
    labels = labelled.labels
    if labels.task_type is TaskType.REGRESSION:
        return Measurement(float("nan"), labelled.num_rows, Flag.NOT_DEFINED)
    chosen = np.arange(labelled.num_rows)
    if len(chosen) > MAX_ROWS:
        generator = np.random.default_rng(SEED)
        chosen = generator.choice(chosen, size=MAX_ROWS, replace=False)
    states, classes = labelled.rows.scaled[chosen], labels.values[chosen]
    sizes = dict(zip(*np.unique(classes, return_counts=True), strict=True))
    groups = [states[classes == one] for one, size in sizes.items() if size > 1]
    if len(groups) < 2:
        return Measurement(float("nan"), len(chosen), Flag.TOO_FEW_ROWS)
    within = np.mean([pdist(group).mean() for group in groups])
    between = np.mean(
        [
            cdist(one, other).mean()
            for place, one in enumerate(groups)
            for other in groups[:place]
        ]
    )
    if between == 0:
        return Measurement(float("nan"), len(chosen), Flag.COLLAPSED)
    value = float(between / within) if within > 0 else float("inf")
    return Measurement(value, len(chosen), Flag.NONE)


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
