"""Whether tied rows point more alike than any two rows do."""

from workbench.measure import Flag, Measure, Measurement
from workbench.view import Pairs


def cosine_gap(pairs: Pairs) -> Measurement:
    """Return the mean cosine distance over all pairs less that over ties."""
    if not len(pairs.distances):
        return Measurement(float("nan"), pairs.num_rows, Flag.NOT_DEFINED)
    value = pairs.rows.mean_distance - float(pairs.distances.mean())
    return Measurement(value, pairs.num_rows, Flag.NONE)


COSINE_GAP = Measure(
    name="cosine-gap",
    title="How much more alike tied rows point than any two (cosine gap)",
    function=cosine_gap,
    formula="mean cosine distance over all pairs − over ties, of the same rows",
    value_range="[−2, n / (n − 1)]; 0 where ties say nothing",
    at_collapse="0",
    comparable="layers and graphs with the same ties",
    source=(
        "MADGap of Chen et al. (2020), arXiv:1909.03211; differs in: all pairs instead"
        " of remote ones, which foreign keys hardly have, and ties instead of"
        " neighbours within three hops"
    ),
    min_rows=2,
    takes=Pairs,
)
