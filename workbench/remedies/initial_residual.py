"""Initial residual and identity map: GCNII's two means, on typed graphs."""

import math

import torch
from torch import Tensor, nn

from workbench.convolution import Place
from workbench.member import Remedy

ALPHA = 0.1
THETA = 0.5


class Anchor(nn.Module):
    """A share of the initial state, then a map that is nearly the identity."""

    def __init__(self, place: Place) -> None:
        super().__init__()
        self.share = math.log(THETA / place.layer + 1)
        self.weight = nn.Parameter(torch.empty(place.width, place.width))
        nn.init.normal_(self.weight, std=(2 / place.width) ** 0.5)

    def forward(self, update: Tensor, initial: Tensor) -> Tensor:
        """Return the anchored update, [rows, width]."""
        mixed = (1 - ALPHA) * update + ALPHA * initial
        return (1 - self.share) * mixed + self.share * (mixed @ self.weight)


INITIAL_RESIDUAL = Remedy(
    name="initial-residual",
    title="Initial residual with identity map",
    inside=Anchor,
    formula=(
        "h' = relu(p ((1 - β) I + β W)), p = (1 - α) u + α h⁰, u the layer's update"
        " before its nonlinearity, α = 0.1, β = ln(0.5 / layer + 1), W per node type"
        " and layer"
    ),
    source=(
        "Chen et al. (2020), arXiv:2007.02133, Eq. 5; differs in: u comes from any"
        " typed layer, whose own weights are no identity, in place of Â H."
    ),
)
