"""Mean subtraction: what all rows of a type share is taken away."""

from torch import Tensor, nn

from workbench.convolution import Place
from workbench.member import Remedy


class Centre(nn.Module):
    """Rows about their mean."""

    def __init__(self, place: Place) -> None:
        super().__init__()
        del place

    def forward(self, update: Tensor, initial: Tensor) -> Tensor:
        """Return the centred rows, [rows, width]; one row alone stays as it is."""
        del initial
        return update - update.mean(dim=0) if len(update) > 1 else update


MEAN_SUBTRACTION = Remedy(
    name="mean-subtraction",
    title="Mean subtraction per node type",
    inside=Centre,
    over_rows=True,
    formula=(
        "u' = u - mean over rows of u, u the update before the nonlinearity, per node"
        " type"
    ),
    source=(
        "Yang et al. (2020), arXiv:2003.13663, Sec. 4; differs in: one mean per node"
        " type; a type of one row stays as it is. The mean is that of the rows computed"
        " with it, so that training (rows that reach a task row) and measures (a fixed"
        " sample and what it needs) can differ a little."
    ),
)
