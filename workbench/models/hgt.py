"""Attention over all relations at once, with maps per node type and per relation."""

from collections.abc import Sequence

import torch
from torch import Tensor, nn
from torch.nn import functional

from workbench.attention import dot, edge_map, share_softmax
from workbench.convolution import (
    AbstractConvolution,
    AbstractJoin,
    Arrival,
    Place,
    Side,
)
from workbench.features import Features
from workbench.field import Messages
from workbench.graph import Direction
from workbench.member import Model
from workbench.propagate import attend, bring, send


class Mutual(AbstractConvolution):
    """One relation's share of a softmax that it has in common with the others."""

    def __init__(self, way: Direction, place: Place) -> None:
        super().__init__()
        channels = place.width // place.heads
        self.key = nn.Parameter(torch.empty(place.heads, channels, channels))
        self.value = nn.Parameter(torch.empty(place.heads, channels, channels))
        self.prior = nn.Parameter(torch.ones(place.heads))
        self.edges = edge_map(way, place)
        for matrix in (self.key, self.value):
            nn.init.normal_(matrix, std=channels**-0.5)

    def forward(
        self,
        senders: Side,
        receivers: Side,
        messages: Messages,
        edges: Features | None,
    ) -> Arrival:
        """Return the weighted values and what the softmax weighed them by."""
        keys, _, values = senders.state.chunk(3, dim=1)
        # All heads in one product: far faster than a small one for each.
        keys = keys @ torch.block_diag(*self.key)
        values = values @ torch.block_diag(*self.value)
        sent = send(torch.cat([keys, values], dim=1), messages)
        if self.edges is not None:
            sent = sent + self.edges(edges).repeat(1, 2)
        keys, values = (half.contiguous() for half in sent.chunk(2, dim=1))
        heads, channels, _ = self.key.shape
        asked = bring(receivers.state.chunk(3, dim=1)[1].contiguous(), messages)
        scores = dot(keys, asked.view(len(asked), heads, channels))
        scores = scores * self.prior * channels**-0.5
        return Arrival(*attend(scores, values, messages))


class Gated(AbstractJoin):
    """The softmax over relations, one map, and a learned share of the own state."""

    def __init__(self, place: Place) -> None:
        super().__init__()
        self.out = nn.Linear(place.width, place.width)
        self.skip = nn.Parameter(torch.ones(1))

    def forward(
        self, own: Side, arrivals: Sequence[Arrival], initial: Tensor | None
    ) -> Tensor:
        """Return s · W gelu(what arrives) + (1 - s) · h_v, [rows, width]."""
        del initial
        total = share_softmax(torch.zeros_like(own.state), arrivals)
        gate = self.skip.sigmoid()
        return gate * self.out(functional.gelu(total)) + (1 - gate) * own.state


HGT = Model(
    name="hgt",
    title="Heterogeneous graph transformer (HGT)",
    convolution=Mutual,
    join=Gated,
    project=lambda place: nn.Linear(place.width, 3 * place.width),
    activation=None,
    formula=(
        "h_v' = s W gelu(Σ_r Σ_u α_uv (M_r V h_u + W_e e)) + (1 - s) h_v, α = softmax"
        " over all messages to v of μ_r (K_r K h_u + W_e e) · (Q h_v) / √channels; K,"
        " Q, V, W, s per node type; 4 heads (2 or 1 where the width is no multiple)"
    ),
    source=(
        "Hu et al. (2020), arXiv:2003.01332, Eq. 3-6; differs in: no time encoding and"
        " no sampling, junction columns e."
    ),
)
