"""Sums of the neighbours and a perceptron: as strong as the colour refinement test."""

from collections.abc import Sequence

import torch
from torch import Tensor, nn

from workbench.convolution import (
    AbstractJoin,
    Aggregation,
    Arrival,
    Place,
    Side,
    add_up,
    aggregated,
)
from workbench.member import Model


class Perceptron(AbstractJoin):
    """The own state, weighed by 1 + ε, and what arrives through two maps."""

    def __init__(self, place: Place) -> None:
        super().__init__()
        width = place.width
        self.fan_in = width
        self.epsilon = nn.Parameter(torch.zeros(1))
        self.first = nn.Linear(width, width)
        self.second = nn.Linear(width, width)

    def forward(
        self, own: Side, arrivals: Sequence[Arrival], initial: Tensor | None
    ) -> Tensor:
        """Return the perceptron of the sum, [rows, width]."""
        del initial
        total = add_up((1 + self.epsilon) * own.state, arrivals)
        return self.second(self.first(total).relu())

    def draw(self, std: float) -> None:
        """Draw the first map for all that is summed, the second for its own input."""
        nn.init.normal_(self.first.weight, std=std)
        nn.init.normal_(self.second.weight, std=(2 / self.fan_in) ** 0.5)
        nn.init.zeros_(self.first.bias)
        nn.init.zeros_(self.second.bias)


GIN = Model(
    name="gin",
    title="Graph isomorphism network (GIN)",
    convolution=aggregated(Aggregation.SUM),
    join=Perceptron,
    formula=(
        "h_v' = relu(MLP((1 + ε) h_v + Σ_r W_r Σ_u relu(h_u + e) / d̄_r)), e and its"
        " relu only where links have columns, d̄_r the mean number of messages of rows"
        " that receive any"
    ),
    source=(
        "Xu et al. (2019), arXiv:1810.00826, Eq. 4.1, with link columns as in Hu et"
        " al. (2020), arXiv:1905.12265; differs in: a map W_r per relation before the"
        " sum, since rows of two tables have no coordinates in common, sums divided by"
        " a constant per relation, no batch normalisation."
    ),
)
