"""Means of the neighbours through maps that relations mix from a few common ones."""

import torch
from torch import nn

from workbench.convolution import (
    AbstractConvolution,
    Arrival,
    Place,
    Side,
    edge_encoder,
    with_edges,
)
from workbench.features import Features
from workbench.field import Messages
from workbench.graph import Direction
from workbench.member import Model
from workbench.propagate import propagate_sum

NUM_BASES = 4


class Bases(nn.Module):
    """The maps that all relations of a layer mix theirs from."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.maps = nn.Parameter(torch.randn(NUM_BASES, width, width))


class Mixed(AbstractConvolution):
    """The mean of the neighbours, through a mixture of the layer's bases."""

    def __init__(self, way: Direction, place: Place) -> None:
        super().__init__()
        if not isinstance(place.shared, Bases):
            raise TypeError("rgcn needs the layer's bases")
        self.bases = place.shared
        self.fan_in = place.width
        self.shares = nn.Parameter(torch.empty(NUM_BASES))
        self.edge_encoder = edge_encoder(way, place)

    def forward(
        self,
        senders: Side,
        receivers: Side,
        messages: Messages,
        edges: Features | None,
    ) -> Arrival:
        """Return W_r times the mean of each receiver's messages."""
        del receivers
        state, messages = with_edges(self.edge_encoder, senders.state, messages, edges)
        mean = propagate_sum(state, messages) / messages.degree.clamp(min=1)
        return Arrival(mean @ torch.tensordot(self.shares, self.bases.maps, dims=1))

    def draw(self, std: float) -> None:
        """Draw the shares; the bases have deviation 1, so the mixture has this one."""
        nn.init.normal_(self.shares, std=std * NUM_BASES**-0.5)


RGCN = Model(
    name="rgcn",
    title="Relational graph convolution (R-GCN) with bases",
    convolution=Mixed,
    share=Bases,
    formula=(
        "h_v' = relu(W h_v + b + Σ_r W_r mean of relu(h_u + e) over r's messages to v),"
        " W_r = Σ_b a_rb V_b with 4 maps V_b a layer; e and its relu only where links"
        " have columns"
    ),
    source=(
        "Schlichtkrull et al. (2018), arXiv:1703.06103, Eq. 2 and 3; differs in: a map"
        " of its own for each node type's own state, junction columns e. Without"
        " bases it is sage-mean."
    ),
)
