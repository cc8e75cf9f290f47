"""How many directions the differences between rows use: the headline."""

from workbench.measure import Flag, Measure, Measurement, Rows, entropy_rank


def effective_rank_centred(rows: Rows) -> Measurement:
    """Return the effective rank of the states less their mean; 0 on collapse."""
    if rows.is_collapsed:
        return Measurement(0.0, rows.num_rows, Flag.COLLAPSED)
    value = entropy_rank(rows.centred_singular_values)
    return Measurement(value, rows.num_rows, Flag.NONE)


EFFECTIVE_RANK_CENTRED = Measure(
    name="effective-rank-centred",
    title="Directions in which rows differ (centred effective rank)",
    function=effective_rank_centred,
    formula="exp(−Σ p ln p), p = singular values of states − mean row over their sum",
    value_range="[1, min(rows − 1, channels)], or 0",
    at_collapse="0, flagged where only rounding is left",
    comparable="layers and graphs, on the same rows and width",
    source=(
        "Roy, Vetterli (2007), EUSIPCO; differs in: the mean row is taken out first,"
        " since ReLU states share one"
    ),
    min_rows=2,
)
