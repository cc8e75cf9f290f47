"""PairNorm: every layer keeps the mean distance between rows of a type."""

from torch import Tensor, nn

from workbench.convolution import Place
from workbench.member import Remedy

FLOOR = 1e-5


class PairNorm(nn.Module):
    """Rows about their mean, at a mean square length of 1."""

    def __init__(self, place: Place) -> None:
        super().__init__()
        del place

    def forward(self, update: Tensor, initial: Tensor) -> Tensor:
        """Return the scaled rows, [rows, width]; one row alone stays as it is."""
        del initial
        if len(update) < 2:
            return update
        centred = update - update.mean(dim=0)
        return centred * (centred.square().sum(dim=1).mean() + FLOOR).rsqrt()


PAIRNORM = Remedy(
    name="pairnorm",
    title="PairNorm per node type",
    inside=PairNorm,
    over_rows=True,
    formula=(
        "u' = c / √(mean over rows of |c|² + 1e-5), c = u - mean over rows of u, u the"
        " update before the nonlinearity, per node type"
    ),
    source=(
        "Zhao, Akoglu (2020), arXiv:1909.12223, Eq. 10-11, scale 1; differs in: one"
        " norm per node type; a type of one row stays as it is. Mean and length are"
        " those of the rows computed with it, so that training (rows that reach a task"
        " row) and measures (a fixed sample and what it needs) can differ a little."
    ),
)
