"""How much of the states changes along ties."""

import numpy as np

from workbench.measure import Flag, Measure, Measurement
from workbench.view import Pairs


def edge_rayleigh(pairs: Pairs) -> Measurement:
    """Return the Dirichlet energy over ties, over the sum of squares."""
    if not len(pairs.ties[0]):
        return Measurement(float("nan"), pairs.num_rows, Flag.NOT_DEFINED)
    weights = np.ones(pairs.num_rows)
    value = pairs.energy(weights) / pairs.rows.total
    return Measurement(value, pairs.num_rows, Flag.NONE)


EDGE_RAYLEIGH = Measure(
    name="edge-rayleigh",
    title="Differences along ties (Rayleigh quotient)",
    function=edge_rayleigh,
    formula="Σ over ties {i, j} of ‖x_i − x_j‖² / ‖X‖²_F",
    value_range="[0, 2 · largest degree]",
    at_collapse="0",
    comparable="layers of one network; graphs with the same ties",
    source=(
        "Dirichlet energy tr(XᵀLX) over ‖X‖²_F, L the combinatorial Laplacian, whose"
        " null space is that of mean aggregation; Rusch, Bronstein, Mishra (2023),"
        " arXiv:2303.10993; differs in: scale-free, each tie once, loops left out"
    ),
    min_rows=2,
    takes=Pairs,
)
