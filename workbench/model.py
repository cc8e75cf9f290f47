"""The one network: encoders, a stack of typed layers, a head.

What varies is data: a `Model` names its neighbourhood aggregations, a `Remedy` says how
a layer's update joins the state before it. The forward pass returns the state of every
layer, so that measures need no hooks and depth 0 is an honest baseline.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from itertools import pairwise
from typing import cast

import torch
from jaxtyping import Float, Int
from torch import Tensor, nn
from torch.nn import functional

from workbench.features import Features
from workbench.field import Field, Hop, Messages
from workbench.graph import Direction, Graph
from workbench.propagate import propagate_sum, segment_max

State = dict[str, Tensor]


class Aggregation(StrEnum):
    """How a row sums up what one relation sends it."""

    MEAN = "mean"
    MAX = "max"
    SUM = "sum"


@dataclass(frozen=True, slots=True)
class Model:
    """A member of `workbench.models.MODELS`.

    Attributes:
        name: What users type.
        title: The name in plain words.
        aggregations: What a row keeps of the messages of one relation.
        formula: One layer, as a formula.
        source: The paper, and how this differs.
    """

    name: str
    title: str
    aggregations: tuple[Aggregation, ...]
    formula: str
    source: str


@dataclass(frozen=True, slots=True)
class Remedy:
    """A member of `workbench.remedies.REMEDIES`.

    Attributes:
        name: What users type.
        title: The name in plain words.
        combine: Takes a row's state and its layer's update (dropout already applied),
            both [rows, width], and returns the next state.
        formula: The same as a formula.
        source: The paper, and how this differs.
    """

    name: str
    title: str
    combine: Callable[[Tensor, Tensor], Tensor]
    formula: str
    source: str


class Encoder(nn.Module):
    """Rows → states: one linear map of all columns, then ReLU.

    The same map as the sum over columns of torch_frame's ``LinearEncoder`` and
    ``EmbeddingEncoder``, without their [rows, columns, width] tensor in the middle.
    """

    offsets: Int[Tensor, " columns"]

    def __init__(self, features: Features, width: int) -> None:
        super().__init__()
        num_channels = features.numerical.shape[1]
        bound = max(num_channels, 1) ** -0.5
        self.weight = nn.Parameter(torch.empty(num_channels, width))
        self.bias = nn.Parameter(torch.empty(width))
        nn.init.uniform_(self.weight, -bound, bound)
        nn.init.uniform_(self.bias, -bound, bound)
        starts = [0]
        for cardinality in features.cardinalities:
            starts.append(starts[-1] + cardinality)
        self.register_buffer("offsets", torch.tensor(starts[:-1], dtype=torch.int64))
        self.table = nn.Parameter(torch.empty(starts[-1], width))
        nn.init.normal_(self.table, std=max(len(starts) - 1, 1) ** -0.5)

    def forward(self, features: Features) -> Float[Tensor, "rows width"]:
        """Return the state of each row."""
        state = features.numerical @ self.weight + self.bias
        if len(self.offsets):
            codes = features.codes + self.offsets
            state = state + functional.embedding_bag(codes, self.table, mode="sum")
        return state.relu()


class Convolution(nn.Module):
    """What one direction of one relation brings to the rows that receive it."""

    def __init__(self, model: Model, way: Direction, width: int) -> None:
        super().__init__()
        # A single message is its own mean, maximum and sum.
        self.aggregations = (Aggregation.MEAN,) if way.single else model.aggregations
        self.single = way.single
        self.mean_degree = way.mean_degree
        self.linear = nn.Linear(len(self.aggregations) * width, width, bias=False)
        self.edge_encoder = (
            None if way.attributes is None else Encoder(way.attributes, width)
        )

    def forward(
        self,
        state: Float[Tensor, "senders width"],
        messages: Messages,
        edges: Features | None,
    ) -> Float[Tensor, "receivers width"]:
        """Return the transformed summary of each receiver's messages."""
        if self.edge_encoder is not None and edges is not None:
            encoded = self.edge_encoder(edges)  # [messages, width]
            state = (state[messages.senders] + encoded).relu()
            order = torch.arange(len(state), device=state.device)
            messages = _one_sender_per_message(messages, order)
        elif self.single:
            # Transform the few parents, then copy to their many children.
            return propagate_sum(self.linear(state), messages)
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
        return self.linear(torch.cat(parts, dim=1))


class Layer(nn.Module):
    """One hop: every row's own state and what each relation brings."""

    def __init__(
        self,
        graph: Graph,
        model: Model,
        width: int,
        below: frozenset[str],
        above: frozenset[str],
    ) -> None:
        super().__init__()
        own = {name: nn.Linear(width, width) for name in sorted(above)}
        convolutions = {
            channel: Convolution(model, way, width)
            for channel, way in enumerate(graph.directions)
            if way.target in above and way.source in below
        }
        for name, linear in own.items():
            arriving = [
                convolution.linear
                for channel, convolution in convolutions.items()
                if graph.directions[channel].target == name
            ]
            _initialise(linear, arriving)
        self.own = nn.ModuleDict(
            {_key(graph, name): linear for name, linear in own.items()}
        )
        self.convolutions = nn.ModuleDict(
            {str(channel): one for channel, one in convolutions.items()}
        )


def _initialise(own: nn.Linear, arriving: Sequence[nn.Linear]) -> None:
    """Draw weights after He et al. (2015), arXiv:1502.01852, biases at zero.

    What a row receives is one long input (its own state and every relation's
    summary), so that depth alone neither shrinks nor blows up a state and biases do
    not make rows alike before anything is learnt.
    """
    inputs = [own, *arriving]
    fan_in = sum(linear.in_features for linear in inputs)
    for linear in inputs:
        nn.init.normal_(linear.weight, std=(2 / fan_in) ** 0.5)
    nn.init.zeros_(own.bias)


class Network(nn.Module):
    """Typed message passing over a graph's fields."""

    def __init__(
        self,
        graph: Graph,
        model: Model,
        remedy: Remedy,
        depth: int,
        width: int,
        num_outputs: int,
        dropout: float = 0.0,
    ) -> None:
        super().__init__()
        self.target = graph.target
        self.keys = {name: _key(graph, name) for name in graph.nodes}
        self.remedy = remedy
        self.dropout = dropout
        reach = graph.reach(depth)
        self.encoders = nn.ModuleDict(
            {
                _key(graph, name): Encoder(graph.nodes[name], width)
                for name in sorted(reach[0])
            }
        )
        self.layers = nn.ModuleList(
            Layer(graph, model, width, below, above) for below, above in pairwise(reach)
        )
        self.head = nn.Sequential(
            nn.Linear(width, width), nn.ReLU(), nn.Linear(width, num_outputs)
        )

    def forward(
        self, field: Field, inputs: "Inputs"
    ) -> tuple[list[State], Float[Tensor, "targets outputs"]]:
        """Run every layer over a field.

        Args:
            field: Which rows to compute.
            inputs: The features of its layer-0 rows and of its messages.

        Returns:
            The state of every node type at every layer ([rows, width] each, rows as
            ``field.rows_at(layer)``), and the head's output for the target's rows.
        """
        state: State = {
            name: self.encoders[self.keys[name]](features)
            for name, features in inputs.nodes.items()
        }
        states = [state]
        for layer, hop, edges in zip(
            self.layers, field.hops, inputs.edges, strict=True
        ):
            state = self._step(cast(Layer, layer), hop, state, edges)
            states.append(state)
        return states, self.head(state[self.target])

    def _step(
        self, layer: Layer, hop: Hop, state: State, edges: Mapping[int, Features]
    ) -> State:
        before = {
            name: state[name] if position is None else state[name][position]
            for name, position in hop.own.items()
        }
        update = {name: layer.own[self.keys[name]](own) for name, own in before.items()}
        for messages in hop.messages:
            convolution = layer.convolutions[str(messages.channel)]
            received = convolution(
                state[messages.source], messages, edges.get(messages.channel)
            )
            update[messages.target] = update[messages.target] + received
        return {
            name: self.remedy.combine(
                before[name],
                functional.dropout(value.relu(), self.dropout, self.training),
            )
            for name, value in update.items()
        }

    @property
    def num_parameters(self) -> int:
        """Number of trained numbers."""
        return sum(parameter.numel() for parameter in self.parameters())


@dataclass(frozen=True, slots=True)
class Inputs:
    """The features a field needs, cut once and used every epoch.

    Attributes:
        nodes: Features of the layer-0 rows of each node type.
        edges: Per hop, features behind the messages of each channel that has any.
    """

    nodes: Mapping[str, Features]
    edges: tuple[Mapping[int, Features], ...]


def gather_inputs(graph: Graph, field: Field, device: torch.device) -> Inputs:
    """Return the features of a field's rows and messages, on a device."""
    nodes = {
        name: graph.nodes[name].take(torch.from_numpy(rows)).to(device)
        for name, rows in field.rows.items()
    }
    edges = tuple(
        {
            messages.channel: _edge_features(graph, messages).to(device)
            for messages in hop.messages
            if messages.edge_rows is not None
        }
        for hop in field.hops
    )
    return Inputs(nodes=nodes, edges=edges)


def _edge_features(graph: Graph, messages: Messages) -> Features:
    attributes = graph.directions[messages.channel].attributes
    if attributes is None or messages.edge_rows is None:
        raise ValueError("these messages have no attributes")
    return attributes.take(messages.edge_rows)


def _one_sender_per_message(
    messages: Messages, order: Int[Tensor, " messages"]
) -> Messages:
    """Return messages whose senders are the messages themselves."""
    receivers = torch.repeat_interleave(
        torch.arange(len(messages.degree), device=order.device),
        messages.degree[:, 0].long(),
    )
    return Messages(
        channel=messages.channel,
        source=messages.source,
        target=messages.target,
        pointers=messages.pointers,
        senders=order,
        back_pointers=order,
        receivers=receivers,
        degree=messages.degree,
        edge_rows=None,
    )


def _key(graph: Graph, name: str) -> str:
    """Return a node type's module name; torch forbids dots, tables may have them."""
    return str(sorted(graph.nodes).index(name))
