"""How much of the states is difference between rows rather than a common row."""

from workbench.measure import Flag, Measure, Measurement, Rows


def variance_share(rows: Rows) -> Measurement:
    """Return the centred share of the sum of squares."""
    flag = Flag.COLLAPSED if rows.is_collapsed else Flag.NONE
    return Measurement(rows.variance_share, rows.num_rows, flag)


VARIANCE_SHARE = Measure(
    name="variance-share",
    title="Share that differs between rows (centred variance share)",
    function=variance_share,
    formula="‖X − mean row‖²_F / ‖X‖²_F",
    value_range="[0, 1]",
    at_collapse="0",
    comparable="layers, graphs and widths, on the same rows",
    source="one-way analysis of variance against the origin; translation changes it",
    min_rows=2,
)
