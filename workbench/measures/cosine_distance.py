"""How far apart rows point, on average over all pairs."""

from workbench.measure import Flag, Measure, Measurement, Rows


def cosine_distance(rows: Rows) -> Measurement:
    """Return the mean cosine distance over ordered pairs of live rows."""
    number = int(rows.live.sum())
    if number < 2:
        return Measurement(float("nan"), number, Flag.TOO_FEW_ROWS)
    return Measurement(rows.mean_distance, number, Flag.NONE)


COSINE_DISTANCE = Measure(
    name="cosine-distance",
    title="How differently rows point (mean cosine distance, MAD)",
    function=cosine_distance,
    formula="mean over pairs i ≠ j of 1 − cos(x_i, x_j), rows of zeros left out",
    value_range="[0, n / (n − 1)]",
    at_collapse="0",
    comparable="layers and graphs, on the same rows",
    source=(
        "Chen et al. (2020), arXiv:1909.03211; differs in: all pairs, in closed form,"
        " and pairs at distance 0 are kept"
    ),
    min_rows=2,
)
