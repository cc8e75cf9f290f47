"""How far the strongest direction is from being the only one."""

from workbench.measure import Flag, Measure, Measurement, Rows


def numerical_rank(rows: Rows) -> Measurement:
    """Return the squared Frobenius over the squared spectral norm."""
    squares = rows.singular_values**2
    value = float(squares.sum() / squares[0])
    return Measurement(value, rows.num_rows, Flag.NONE)


NUMERICAL_RANK = Measure(
    name="numerical-rank",
    title="Strength beside the strongest direction (numerical rank)",
    function=numerical_rank,
    formula="‖X‖²_F / ‖X‖²_2",
    value_range="[1, min(rows, channels)]",
    at_collapse="1",
    comparable="layers and graphs, on the same rows and width",
    source="Zhang, Deidda, Higham, Tudisco (2025), arXiv:2502.04591",
)
