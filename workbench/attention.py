"""Attention over one relation's messages; what differs is how they are scored."""

from abc import ABC, abstractmethod
from collections.abc import Sequence
from typing import NamedTuple

import torch
from jaxtyping import Float
from torch import Tensor, nn

from workbench.convolution import (
    AbstractConvolution,
    Arrival,
    Place,
    Side,
    edge_encoder,
)
from workbench.features import Features
from workbench.field import Messages
from workbench.graph import Direction
from workbench.propagate import attend, by_head, propagate_sum, send


class Sent(NamedTuple):
    """What a score may look at.

    Attributes:
        values: W h_u + W_e e for every message.
        edges: W_e e for every message, or 0 where links are bare.
    """

    values: Float[Tensor, "messages width"]
    edges: Float[Tensor, "messages width"] | float


class AbstractAttention(AbstractConvolution, ABC):
    """Σ_u α_uv (W h_u + W_e e): α the softmax of scores over a receiver's messages.

    Junction columns e join both the score and what is sent, or a row with one message
    would never read them: its softmax is 1.
    """

    def __init__(self, way: Direction, place: Place) -> None:
        super().__init__()
        self.single = way.single
        self.fan_in = place.width
        self.value = nn.Linear(place.width, place.width, bias=False)
        self.edges = edge_map(way, place)

    @abstractmethod
    def scores(
        self, senders: Side, receivers: Side, messages: Messages, sent: Sent
    ) -> Float[Tensor, "messages heads"]:
        """Return the score of every message; never asked where each row has one."""

    def forward(
        self,
        senders: Side,
        receivers: Side,
        messages: Messages,
        edges: Features | None,
    ) -> Arrival:
        """Return what each receiver gets."""
        values = self.value(senders.state)
        if self.single and self.edges is None:
            return Arrival(propagate_sum(values, messages))
        encoded = 0.0 if self.edges is None else self.edges(edges)
        sent = Sent(send(values, messages) + encoded, encoded)
        if self.single:
            return Arrival(propagate_sum(sent.values, messages.alone()))
        scores = self.scores(senders, receivers, messages, sent)
        return Arrival(attend(scores, sent.values, messages)[0])

    def draw(self, std: float) -> None:
        """Draw the weights of what is sent; scores keep their own."""
        nn.init.normal_(self.value.weight, std=std)


def edge_map(way: Direction, place: Place) -> nn.Sequential | None:
    """Return W_e of a relation's encoded junction columns, where it has any."""
    encoder = edge_encoder(way, place)
    if encoder is None:
        return None
    return nn.Sequential(encoder, nn.Linear(place.width, place.width, bias=False))


def head_vectors(place: Place) -> nn.Parameter:
    """Return a vector per head over its share of the channels, [heads, channels]."""
    channels = place.width // place.heads
    return nn.Parameter(torch.randn(place.heads, channels) * channels**-0.5)


def dot(
    values: Float[Tensor, "rows width"], other: Tensor
) -> Float[Tensor, "rows heads"]:
    """Return each head's inner product of its channels.

    Args:
        values: One row a message or node.
        other: [heads, channels], the same for all rows, or [rows, heads, channels].
    """
    heads, channels = other.shape[-2:]
    return (values.view(len(values), heads, channels) * other).sum(dim=2)


def share_softmax(
    begun: Float[Tensor, "rows width"], arrivals: Sequence[Arrival]
) -> Float[Tensor, "rows width"]:
    """Add up what relations bring, weighed as one softmax over all their messages."""
    masses = [arrival.mass for arrival in arrivals if arrival.mass is not None]
    if not masses:
        return begun
    stacked = torch.stack(masses)  # [relations, rows, heads]
    silent = (stacked == -torch.inf).all(dim=0)
    weights = stacked.masked_fill(silent, 0).softmax(dim=0)
    total = begun
    for arrival, weight in zip(arrivals, weights, strict=True):
        total = total + by_head(arrival.total, weight)
    return total
