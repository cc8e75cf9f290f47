"""How many directions the rows use, their common mean included."""

from workbench.measure import Flag, Measure, Measurement, Rows, entropy_rank


def effective_rank(rows: Rows) -> Measurement:
    """Return exp of the entropy of the singular values' shares."""
    value = entropy_rank(rows.singular_values)
    return Measurement(value, rows.num_rows, Flag.NONE)


EFFECTIVE_RANK = Measure(
    name="effective-rank",
    title="Directions in use (effective rank)",
    function=effective_rank,
    formula="exp(−Σ p ln p), p = singular values of the states over their sum",
    value_range="[1, min(rows, channels)]",
    at_collapse="1",
    comparable="layers and graphs, on the same rows and width",
    source=(
        "Roy, Vetterli (2007), EUSIPCO; as a measure of oversmoothing Zhang, Deidda,"
        " Higham, Tudisco (2025), arXiv:2502.04591"
    ),
)
