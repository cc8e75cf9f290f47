"""What the within-parent share would be if parents said nothing of their children."""

from workbench.measure import Flag, Measure, Measurement
from workbench.view import Siblings


def within_parent_null(siblings: Siblings) -> Measurement:
    """Return the expected within-parent share of independent rows."""
    number = len(siblings.groups)
    if siblings.num_groups < 2:
        flag = Flag.TOO_FEW_ROWS if number else Flag.NOT_DEFINED
        return Measurement(float("nan"), number, flag)
    value = (number - siblings.num_groups) / (number - 1)
    return Measurement(value, number, Flag.NONE)


WITHIN_PARENT_NULL = Measure(
    name="within-parent-null",
    title="Within-parent share of independent rows (null line)",
    function=within_parent_null,
    formula="(n − g)/(n − 1), n children of g parents with two or more",
    value_range="[0.5, 1)",
    at_collapse="any: it depends on the links alone",
    comparable="layers and graphs",
    source="expectation of a one-way analysis of variance under independence",
    min_rows=2,
    takes=Siblings,
)
