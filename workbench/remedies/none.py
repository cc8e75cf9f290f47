"""No remedy: a layer's update replaces the state."""

from workbench.member import Remedy

NONE = Remedy(
    name="none",
    title="No remedy",
    formula="h' = f(h)",
    source="The layer as its model defines it.",
)
