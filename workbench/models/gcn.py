"""The textbook graph convolution, for graphs of one node type."""

from collections.abc import Sequence

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


class Mapped(AbstractJoin):
    """One map of the smoothed states."""

    def __init__(self, place: Place) -> None:
        super().__init__()
        self.fan_in = place.width
        self.linear = nn.Linear(place.width, place.width)

    def forward(
        self, own: Side, arrivals: Sequence[Arrival], initial: Tensor | None
    ) -> Tensor:
        """Return (Â H) W + b, [rows, width]."""
        del initial
        return self.linear(smoothed(own, arrivals))

    def draw(self, std: float) -> None:
        """Draw the weights; biases start at zero."""
        nn.init.normal_(self.linear.weight, std=std)
        nn.init.zeros_(self.linear.bias)


GCN = Model(
    name="gcn",
    title="Graph convolutional network (GCN)",
    convolution=Normalised,
    join=Mapped,
    formula="H' = relu(Â H W + b), Â = (D + I)^-½ (A + I) (D + I)^-½",
    source=(
        "Kipf, Welling (2017), arXiv:1609.02907, Eq. 2; differs in: an encoder before"
        " the first layer and a perceptron after the last. Junction columns on links"
        " are not read; links count in both directions where messages run so."
    ),
    reads_edges=False,
    nearest='"sage-mean"',
)
