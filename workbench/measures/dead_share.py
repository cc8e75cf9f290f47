"""How many rows have no state left at all."""

from workbench.measure import Flag, Measure, Measurement, Rows


def dead_share(rows: Rows) -> Measurement:
    """Return the share of rows that are zero beside the longest one."""
    return Measurement(float(1 - rows.live.mean()), rows.num_rows, Flag.NONE)


DEAD_SHARE = Measure(
    name="dead-share",
    title="Rows without a state (dead share)",
    function=dead_share,
    formula="share of rows with ‖x‖ ≤ 1e-12 · longest row",
    value_range="[0, 1)",
    at_collapse="0",
    comparable="layers and graphs",
    source="rows that ReLU silenced; they would pull every mean towards collapse",
)
