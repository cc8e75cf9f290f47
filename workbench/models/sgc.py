"""Smoothing alone: graph convolution without weights or nonlinearities between."""

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


class Smoothed(AbstractJoin):
    """The smoothed states as they are."""

    def __init__(self, place: Place) -> None:
        super().__init__()
        del place

    def forward(
        self, own: Side, arrivals: Sequence[Arrival], initial: Tensor | None
    ) -> Tensor:
        """Return Â H, [rows, width]."""
        del initial
        return smoothed(own, arrivals)


SGC = Model(
    name="sgc",
    title="Simplified graph convolution (SGC)",
    convolution=Normalised,
    join=Smoothed,
    formula="H' = Â H, Â as in gcn; a layer has no weights",
    source=(
        "Wu et al. (2019), arXiv:1902.07153, Eq. 8; differs in: an encoder with a relu"
        " before and a perceptron after the propagation, where the paper has one map."
        " Junction columns on links are not read."
    ),
    activation=None,
    reads_edges=False,
    nearest='"sage-mean"',
)
