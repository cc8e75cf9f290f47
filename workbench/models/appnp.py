"""Personalised PageRank over the encoded rows: depth without weights."""

from collections.abc import Sequence

from torch import Tensor

from workbench.convolution import (
    AbstractJoin,
    Arrival,
    Normalised,
    Place,
    Side,
    smoothed,
)
from workbench.member import Model

TELEPORT = 0.1


class Teleported(AbstractJoin):
    """The smoothed states and a share of the initial ones."""

    def __init__(self, place: Place) -> None:
        super().__init__()
        del place

    def forward(
        self, own: Side, arrivals: Sequence[Arrival], initial: Tensor | None
    ) -> Tensor:
        """Return (1 - α) Â H + α H₀, [rows, width]."""
        if initial is None:
            raise ValueError("appnp needs the initial states")
        return (1 - TELEPORT) * smoothed(own, arrivals) + TELEPORT * initial


APPNP = Model(
    name="appnp",
    title="Personalised propagation (APPNP)",
    convolution=Normalised,
    join=Teleported,
    formula="H' = (1 - α) Â H + α H₀, Â as in gcn, α = 0.1; a layer has no weights",
    source=(
        "Gasteiger, Bojchevski, Günnemann (2019), arXiv:1810.05997, Eq. 4; differs in:"
        " the perceptron stands partly before (the encoder) and partly after (the head)"
        " the propagation. Junction columns on links are not read."
    ),
    activation=None,
    reads_initial=True,
    reads_edges=False,
    nearest='"sage-mean" with the remedy "initial-residual"',
)
