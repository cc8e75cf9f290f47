"""How many children of a foreign key the within-parent share speaks of."""

from workbench.measure import Flag, Measure, Measurement
from workbench.view import Siblings


def sibling_coverage(siblings: Siblings) -> Measurement:
    """Return the share of children that have a sibling."""
    value = float(siblings.coverage)
    return Measurement(value, siblings.num_rows, Flag.NONE)


SIBLING_COVERAGE = Measure(
    name="sibling-coverage",
    title="Children with a sibling (coverage)",
    function=sibling_coverage,
    formula="children of parents with two or more / children with a parent, all rows",
    value_range="[0, 1]",
    at_collapse="any: it depends on the links alone",
    comparable="layers and graphs",
    source="says how much of a table the within-parent share is about",
    takes=Siblings,
)
