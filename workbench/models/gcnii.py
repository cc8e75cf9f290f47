"""Deep graph convolution: initial residual and identity map, for one node type."""

import math
from collections.abc import Sequence

import torch
from torch import Tensor, nn

from workbench.convolution import (
    AbstractJoin,
    Arrival,
    Normalised,
    Place,
    Side,
    smoothed,
)
from workbench.member import Model

ALPHA = 0.1
THETA = 0.5


class Anchored(AbstractJoin):
    """A share of the initial state, and a map that is nearly the identity."""

    def __init__(self, place: Place) -> None:
        super().__init__()
        self.fan_in = place.width
        self.share = math.log(THETA / place.layer + 1)
        self.weight = nn.Parameter(torch.empty(place.width, place.width))

    def forward(
        self, own: Side, arrivals: Sequence[Arrival], initial: Tensor | None
    ) -> Tensor:
        """Return P ((1 - β) I + β W), P = (1 - α) Â H + α H₀; [rows, width]."""
        if initial is None:
            raise ValueError("gcnii needs the initial states")
        mixed = (1 - ALPHA) * smoothed(own, arrivals) + ALPHA * initial
        return (1 - self.share) * mixed + self.share * (mixed @ self.weight)

    def draw(self, std: float) -> None:
        """Draw the weights."""
        nn.init.normal_(self.weight, std=std)


GCNII = Model(
    name="gcnii",
    title="Deep graph convolution with initial residual (GCNII)",
    convolution=Normalised,
    join=Anchored,
    formula=(
        "H' = relu(P ((1 - β) I + β W)), P = (1 - α) Â H + α H₀, Â as in gcn, α = 0.1,"
        " β = ln(0.5 / layer + 1)"
    ),
    source=(
        "Chen et al. (2020), arXiv:2007.02133, Eq. 5; differs in: a perceptron after"
        " the last layer. Junction columns on links are not read."
    ),
    reads_initial=True,
    reads_edges=False,
    nearest='"sage-mean" with the remedy "initial-residual"',
)
