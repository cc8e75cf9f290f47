"""No remedy: a layer's update replaces the state."""

from torch import Tensor

from workbench.model import Remedy


def replace(state: Tensor, update: Tensor) -> Tensor:
    """Return the update alone."""
    del state
    return update


NONE = Remedy(
    name="none",
    title="No remedy",
    combine=replace,
    formula="h' = f(h)",
    source="The layer as its model defines it.",
)
