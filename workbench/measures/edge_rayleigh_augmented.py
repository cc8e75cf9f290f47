"""How much of the states changes along ties, weighted as GCN weighs them."""

import numpy as np

from workbench.measure import Flag, Measure, Measurement
from workbench.view import Pairs


def edge_rayleigh_augmented(pairs: Pairs) -> Measurement:
    """Return the Dirichlet energy over ties, over the sum of squares."""
    if not len(pairs.ties[0]):
        return Measurement(float("nan"), pairs.num_rows, Flag.NOT_DEFINED)
    weights = 1 / np.sqrt(1 + pairs.degrees)
    value = pairs.energy(weights) / pairs.rows.total
    return Measurement(value, pairs.num_rows, Flag.NONE)


EDGE_RAYLEIGH_AUGMENTED = Measure(
    name="edge-rayleigh-augmented",
    title="Differences along ties, by degree (augmented Rayleigh quotient)",
    function=edge_rayleigh_augmented,
    formula="Σ over ties {i, j} of ‖x_i/√(1 + d_i) − x_j/√(1 + d_j)‖² / ‖X‖²_F",
    value_range="[0, 2)",
    at_collapse="0 when rows are as √(1 + d); above 0 for equal rows of unequal degree",
    comparable="layers of one network; graphs with the same ties",
    source=(
        "Cai, Wang (2020), arXiv:2006.13318; the Laplacian of GCN's own operator;"
        " differs in: divided by ‖X‖²_F, each tie once, loops left out"
    ),
    min_rows=2,
    takes=Pairs,
)
