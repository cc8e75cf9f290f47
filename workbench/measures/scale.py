"""How large the states are: tells vanishing apart from becoming alike."""

import numpy as np

from workbench.measure import Flag, Measure, Measurement, Rows


def scale(rows: Rows) -> Measurement:
    """Return the decimal logarithm of the root mean square entry."""
    mean_square = rows.total / rows.scaled.size
    value = float(np.log10(rows.largest) + 0.5 * np.log10(mean_square))
    return Measurement(value, rows.num_rows, Flag.NONE)


SCALE = Measure(
    name="scale",
    title="Size of the states (log10 root mean square)",
    function=scale,
    formula="log10(‖X‖_F / √(rows · channels))",
    value_range="(−∞, ∞)",
    at_collapse="any; −∞, flagged zero, when the states vanish",
    comparable="layers of one network",
    source="root mean square; rescaled before squaring, so that it never underflows",
    at_zero=float("-inf"),
)
