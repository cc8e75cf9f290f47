"""How far apart tied rows point."""

from workbench.measure import Flag, Measure, Measurement
from workbench.view import Pairs


def edge_cosine_distance(pairs: Pairs) -> Measurement:
    """Return the mean cosine distance over ties between live rows."""
    if not len(pairs.distances):
        return Measurement(float("nan"), pairs.num_rows, Flag.NOT_DEFINED)
    value = max(float(pairs.distances.mean()), 0.0)
    return Measurement(value, pairs.num_rows, Flag.NONE)


EDGE_COSINE_DISTANCE = Measure(
    name="edge-cosine-distance",
    title="How differently tied rows point (edge cosine distance)",
    function=edge_cosine_distance,
    formula=(
        "mean over ties {i, j} of 1 − cos(x_i, x_j), rows of zeros left out; ties are"
        " links between rows of one type, or rows that share a row across a junction"
    ),
    value_range="[0, 2]",
    at_collapse="0",
    comparable="layers and graphs with the same ties",
    source=(
        "Chen et al. (2020), arXiv:1909.03211; differs in: a mean over ties, in which"
        " pairs at distance 0 are kept"
    ),
    min_rows=2,
    takes=Pairs,
)
