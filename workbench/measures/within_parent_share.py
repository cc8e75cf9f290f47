"""How much siblings differ: smoothing through one foreign key."""

from workbench.measure import Flag, Measure, Measurement
from workbench.view import Siblings


def within_parent_share(siblings: Siblings) -> Measurement:
    """Return the share of the variance of children that is within parents."""
    groups, number = siblings.groups, len(siblings.groups)
    if not number:
        return Measurement(float("nan"), number, Flag.NOT_DEFINED)
    if siblings.num_groups < 2:
        return Measurement(float("nan"), number, Flag.TOO_FEW_ROWS)
    if siblings.rows.is_collapsed:
        return Measurement(float("nan"), number, Flag.COLLAPSED)
    states = siblings.rows.centred
    if number < len(states):
        states = states[siblings.sizes > 1]
        states = states - states.mean(axis=0)
    total = (states**2).sum()
    if total == 0:
        return Measurement(float("nan"), number, Flag.COLLAPSED)
    inside = states - siblings.means(states)[groups]
    return Measurement(float((inside**2).sum() / total), number, Flag.NONE)


WITHIN_PARENT_SHARE = Measure(
    name="within-parent-share",
    title="How much siblings differ (within-parent share)",
    function=within_parent_share,
    formula=(
        "W = Σ_p Σ_{u child of p} ‖x_u − mean of p's children‖² / Σ_u ‖x_u − mean‖²,"
        " over children of parents with two or more"
    ),
    value_range="[0, 1]; (n − g)/(n − 1) where parents say nothing (see the null)",
    at_collapse="0 when siblings are alike; NaN, flagged, when all rows are",
    comparable="layers; graphs with the same key; beside its null elsewhere",
    source=(
        "one-way analysis of variance, which is the Dirichlet energy on cliques of"
        " siblings; our own for foreign keys"
    ),
    min_rows=2,
    takes=Siblings,
)
