"""What a layer is made of: what one relation brings, and how a row takes it in.

A convolution turns the messages of one direction of one relation into what receivers
get; a join turns a row's own state and all that arrives into its update. Members of
`workbench.models` name one of each, from here or of their own.
"""

import math
from abc import ABC, abstractmethod
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import NamedTuple

import torch
from jaxtyping import Float
from torch import Tensor, nn

from workbench.encoder import Encoder
from workbench.features import Features
from workbench.field import Messages
from workbench.graph import Direction
from workbench.propagate import propagate_sum, segment_max, send

MOST_HEADS = 4


class Aggregation(StrEnum):
    """How a row sums up what one relation sends it."""

    MEAN = "mean"
    MAX = "max"
    SUM = "sum"


class Side(NamedTuple):
    """The rows at one end of a relation's messages.

    Attributes:
        state: Their states.
        degree: Number of messages each receives in the whole graph.
        summed: The states summed at each receiver, for a convolution that reads that.
    """

    state: Float[Tensor, "rows width"]
    degree: Float[Tensor, "rows 1"]
    summed: Float[Tensor, "receivers width"] | None = None

    @property
    def reckoned(self) -> Float[Tensor, "rows 1"]:
        """The degree with the row as its own neighbour, as precise as the states."""
        return self.degree.to(self.state.dtype) + 1


class Arrival(NamedTuple):
    """What one relation brings.

    Attributes:
        total: What each receiver gets; 0 without messages.
        mass: Where relations share one softmax, the log of the sum of the scores'
            exponentials, minus infinity without messages; else None.
        weight: The map that the total still has to go through, or None.
        is_spare: Whether others may write into the total.
    """

    total: Float[Tensor, "rows width"]
    mass: Float[Tensor, "receivers heads"] | None = None
    weight: Float[Tensor, "width inputs"] | None = None
    is_spare: bool = False


@dataclass(frozen=True, slots=True)
class Place:
    """Where a part of a network stands.

    Attributes:
        width: Channels of every state.
        layer: Its layer, from 1.
        shared: What all relations of the layer hold in common, or None.
    """

    width: int
    layer: int
    shared: nn.Module | None = None

    @property
    def heads(self) -> int:
        """Number of attention heads: 4, or 2 or 1 where the width asks for it."""
        return math.gcd(MOST_HEADS, self.width)


class AbstractConvolution(nn.Module, ABC):
    """What one direction of one relation brings to the rows that receive it."""

    fan_in: int = 0  # what its weights add to the inputs of a receiver's update
    reads_sum: bool = False  # whether the layer hands it the sums over its messages
    is_copying: bool = False  # whether the layer brings what it returns to receivers

    @abstractmethod
    def forward(
        self,
        senders: Side,
        receivers: Side,
        messages: Messages,
        edges: Features | None,
    ) -> Arrival:
        """Return what each receiver gets; where it is copying, what each sender sends.

        Args:
            senders: The rows of the layer below that may send.
            receivers: The receiving rows, as they stood in the layer below.
            messages: Who sends to whom.
            edges: Junction columns behind each message, where there are any.
        """

    def draw(self, std: float) -> None:  # nothing to draw is fine
        """Draw the weights anew from a Gaussian."""


class AbstractJoin(nn.Module, ABC):
    """How a row's own state and what arrives become its update."""

    fan_in: int = 0

    @abstractmethod
    def forward(
        self, own: Side, arrivals: Sequence[Arrival], initial: Tensor | None
    ) -> Float[Tensor, "rows width"]:
        """Return the update, before the layer's nonlinearity.

        Args:
            own: The rows as they stood in the layer below.
            arrivals: What the relations bring.
            initial: The rows' states at layer 0, where the model asks for them.
        """

    def draw(self, std: float) -> None:  # nothing to draw is fine
        """Draw the weights anew from a Gaussian."""


def add_up(
    begun: Float[Tensor, "rows width"], arrivals: Sequence[Arrival]
) -> Float[Tensor, "rows width"]:
    """Return the sum, in the order of the relations; it takes the place of `begun`."""
    total = begun
    for arrival in arrivals:
        if arrival.weight is None:
            total += arrival.total
        else:
            total.addmm_(arrival.total, arrival.weight.t())
    return total


class Beside(AbstractJoin):
    """The own state through a map of its own, plus what arrives."""

    def __init__(self, place: Place) -> None:
        super().__init__()
        self.linear = nn.Linear(place.width, place.width)
        self.fan_in = place.width

    def forward(
        self, own: Side, arrivals: Sequence[Arrival], initial: Tensor | None
    ) -> Float[Tensor, "rows width"]:
        """Return W h_v + b and what arrives."""
        del initial
        if not arrivals or not arrivals[0].is_spare:
            return add_up(self.linear(own.state), arrivals)
        begun = arrivals[0].total
        begun += self.linear.bias
        mapped = Arrival(own.state, weight=self.linear.weight)
        return add_up(begun, [mapped, *arrivals[1:]])

    def draw(self, std: float) -> None:
        """Draw the weights; biases start at zero."""
        nn.init.normal_(self.linear.weight, std=std)
        nn.init.zeros_(self.linear.bias)


class Aggregated(AbstractConvolution):
    """Several aggregations of the neighbours side by side, then one map."""

    def __init__(
        self, aggregations: tuple[Aggregation, ...], way: Direction, place: Place
    ) -> None:
        super().__init__()
        # A single message is its own mean, maximum and sum.
        self.aggregations = (Aggregation.MEAN,) if way.single else aggregations
        self.mean_degree = way.mean_degree
        self.fan_in = len(self.aggregations) * place.width
        self.linear = nn.Linear(self.fan_in, place.width, bias=False)
        self.edge_encoder = edge_encoder(way, place)
        is_bare = self.edge_encoder is None
        self.is_copying = is_bare and way.single
        self.reads_sum = is_bare

    def forward(
        self,
        senders: Side,
        receivers: Side,
        messages: Messages,
        edges: Features | None,
    ) -> Arrival:
        """Return the transformed summary of each receiver's messages."""
        del receivers
        if self.is_copying:
            # Transform the few parents; the layer copies them to their many children.
            return Arrival(self.linear(senders.state))
        state, total = senders.state, senders.summed
        if total is None:
            state, messages = with_edges(self.edge_encoder, state, messages, edges)
            total = propagate_sum(state, messages)
        parts = []
        for aggregation in self.aggregations:
            match aggregation:
                case Aggregation.MEAN:
                    parts.append(total / messages.degree.clamp(min=1))
                case Aggregation.SUM:
                    parts.append(total / self.mean_degree)
                case Aggregation.MAX:
                    parts.append(segment_max(state, messages))
        side_by_side = parts[0] if len(parts) == 1 else torch.cat(parts, dim=1)
        return Arrival(side_by_side, weight=self.linear.weight)

    def draw(self, std: float) -> None:
        """Draw the map's weights."""
        nn.init.normal_(self.linear.weight, std=std)


def aggregated(*aggregations: Aggregation) -> Callable[[Direction, Place], Aggregated]:
    """Return the convolution that puts aggregations side by side."""
    return lambda way, place: Aggregated(aggregations, way, place)


class Normalised(AbstractConvolution):
    """Neighbours over the roots of both degrees, each row counted as its neighbour."""

    def __init__(self, way: Direction, place: Place) -> None:
        super().__init__()
        del way, place

    def forward(
        self,
        senders: Side,
        receivers: Side,
        messages: Messages,
        edges: Features | None,
    ) -> Arrival:
        """Return Σ h_u / √((d_u + 1)(d_v + 1)) over the messages."""
        del edges
        scaled = senders.state * senders.reckoned.rsqrt()
        return Arrival(propagate_sum(scaled, messages) * receivers.reckoned.rsqrt())


def smoothed(own: Side, arrivals: Sequence[Arrival]) -> Float[Tensor, "rows width"]:
    """Return Â H: what `Normalised` brings, and the row as its own neighbour."""
    return add_up(own.state / own.reckoned, arrivals)


def edge_encoder(way: Direction, place: Place) -> Encoder | None:
    """Return the encoder of a relation's junction columns, where it has any."""
    return None if way.attributes is None else Encoder(way.attributes, place.width)


def with_edges(
    encoder: Encoder | None,
    state: Float[Tensor, "senders width"],
    messages: Messages,
    edges: Features | None,
) -> tuple[Float[Tensor, "rows width"], Messages]:
    """Return what is sent: relu(h_u + e) a message, or h_u where links are bare."""
    if encoder is None or edges is None:
        return state, messages
    return (send(state, messages) + encoder(edges)).relu(), messages.alone()
