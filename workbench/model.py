"""The one network: encoders, a stack of typed layers, a head.

What varies is data: a `Model` and a `Remedy`, from `workbench.member`. The forward pass
returns the state of every layer, so that measures need no hooks and depth 0 is an
honest baseline.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise
from typing import cast

import numpy as np
import torch
from jaxtyping import Float
from torch import Tensor, nn
from torch.nn import functional

from workbench.convolution import (
    AbstractConvolution,
    AbstractJoin,
    Arrival,
    Place,
    Side,
)
from workbench.encoder import Encoder
from workbench.features import Features
from workbench.field import Field, Hop, Messages
from workbench.graph import Graph
from workbench.member import Model, Remedy, check_fit
from workbench.propagate import copy_all, mean_difference, pick, sum_all

__all__ = ["Inputs", "Model", "Network", "Remedy", "State", "gather_inputs"]

State = dict[str, Tensor]


class Layer(nn.Module):
    """One hop: every row's own state and what each relation brings."""

    def __init__(
        self,
        graph: Graph,
        model: Model,
        place: Place,
        below: frozenset[str],
        above: frozenset[str],
    ) -> None:
        super().__init__()
        if model.share is not None:
            place = replace(place, shared=model.share(place.width))
        own = {name: model.join(place) for name in sorted(above)}
        convolutions = {
            channel: model.convolution(way, place)
            for channel, way in enumerate(graph.directions)
            if way.target in above and way.source in below
        }
        for name, join in own.items():
            arriving = [
                convolution
                for channel, convolution in convolutions.items()
                if graph.directions[channel].target == name
            ]
            _initialise(join, arriving)
        self.own = _by_type(graph, own)
        self.convolutions = nn.ModuleDict(
            {str(channel): one for channel, one in convolutions.items()}
        )
        self.project = _per_type(graph, model.project, place, below)
        self.copied = frozenset(
            channel for channel, one in convolutions.items() if one.is_copying
        )
        self.summed = (
            frozenset(channel for channel, one in convolutions.items() if one.reads_sum)
            - self.copied
        )


class Care(nn.Module):
    """What a remedy learns or computes in one layer, per node type."""

    def __init__(
        self,
        graph: Graph,
        remedy: Remedy,
        place: Place,
        below: frozenset[str],
        above: frozenset[str],
    ) -> None:
        super().__init__()
        self.enter = _per_type(graph, remedy.enter, place, below)
        self.inside = _per_type(graph, remedy.inside, place, above)
        self.gate = _per_type(graph, remedy.gate, place, below)


def _per_type(
    graph: Graph,
    make: Callable[[Place], nn.Module] | None,
    place: Place,
    names: Iterable[str],
) -> nn.ModuleDict | None:
    if make is None:
        return None
    return _by_type(graph, {name: make(place) for name in sorted(names)})


def _by_type(graph: Graph, modules: Mapping[str, nn.Module]) -> nn.ModuleDict:
    return nn.ModuleDict({_key(graph, name): one for name, one in modules.items()})


def _initialise(own: AbstractJoin, arriving: Sequence[AbstractConvolution]) -> None:
    """Draw weights after He et al. (2015), arXiv:1502.01852, biases at zero.

    What a row receives is one long input (its own state and every relation's
    summary), so that depth alone neither shrinks nor blows up a state and biases do
    not make rows alike before anything is learnt.
    """
    fan_in = own.fan_in + sum(one.fan_in for one in arriving)
    std = (2 / max(fan_in, 1)) ** 0.5
    own.draw(std)
    for convolution in arriving:
        convolution.draw(std)


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
        input_dropout: float = 0.0,
    ) -> None:
        super().__init__()
        check_fit(model, graph.target, [(r.source, r.target) for r in graph.relations])
        self.target = graph.target
        self.keys = {name: _key(graph, name) for name in graph.nodes}
        self.relations = [way.relation for way in graph.directions]
        self.num_links = {one.name: len(one.source_rows) for one in graph.relations}
        self.model = model
        self.remedy = remedy
        self.dropout = dropout
        hops = [
            (Place(width, layer), below, above)
            for layer, (below, above) in enumerate(pairwise(graph.reach(depth)), 1)
        ]
        self.encoders = nn.ModuleDict(
            {
                _key(graph, name): Encoder(graph.nodes[name], width, input_dropout)
                for name in sorted(graph.reach(depth)[0])
            }
        )
        self.layers = nn.ModuleList(Layer(graph, model, *hop) for hop in hops)
        read = width
        if remedy.readout is not None:
            read = remedy.readout([torch.empty(0, width)] * (depth + 1)).shape[1]
        self.head = nn.Sequential(
            nn.Linear(read, width), nn.ReLU(), nn.Linear(width, num_outputs)
        )
        # Last, so that a remedy's weights leave the model's own draws as they are.
        self.cares = nn.ModuleList(Care(graph, remedy, *hop) for hop in hops)

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
        return self.propagate(field, self.encode(inputs), inputs.edges)

    def encode(self, inputs: "Inputs") -> State:
        """Return the states that rows enter the first layer with, each from its own."""
        return {
            name: self.encoders[self.keys[name]](features)
            for name, features in inputs.nodes.items()
        }

    def propagate(
        self, field: Field, state: State, edges: Sequence[Mapping[int, Features]]
    ) -> tuple[list[State], Float[Tensor, "targets outputs"]]:
        """Run every layer from given states of layer 0; `forward` says what returns."""
        states, initial, seen = [state], state, [state[self.target]]
        kept = self._drop_links(state[self.target].device)
        for index, hop in enumerate(field.hops):
            carried = edges[index]
            if kept:
                hop, carried = _thin(hop, carried, self.relations, kept)  # noqa: PLW2901
            if self._reads_initial:
                initial = _cut(hop, initial)
            state = self._step(index, hop, state, initial, carried)
            states.append(state)
            if self.remedy.readout is not None:
                position = hop.own[self.target]
                seen = [_take(one, position) for one in seen] + [state[self.target]]
        last = state[self.target]
        return states, self.head(
            last if self.remedy.readout is None else self.remedy.readout(seen)
        )

    @property
    def _reads_initial(self) -> bool:
        return self.model.reads_initial or self.remedy.inside is not None

    def _drop_links(self, device: torch.device) -> dict[str, Tensor]:
        """Return per relation which links this pass keeps; nothing: it keeps all."""
        rate = self.remedy.drop_links
        if not self.training or not rate:
            return {}
        return {
            name: (torch.rand(number) >= rate).to(device)
            for name, number in self.num_links.items()
        }

    def _step(
        self,
        index: int,
        hop: Hop,
        state: State,
        initial: State,
        edges: Mapping[int, Features],
    ) -> State:
        layer, care = cast(Layer, self.layers[index]), cast(Care, self.cares[index])
        before = _cut(hop, state)
        entered, own = state, before
        if care.enter is not None:
            entered = self._each(care.enter, state)
            own = _cut(hop, entered)
        update = self._update(layer, hop, entered, own, initial, edges)
        activate = self.model.activation
        gates = self._gates(care, hop, state)
        after = {}
        for name, value in update.items():
            if care.inside is not None:
                value = care.inside[self.keys[name]](value, initial[name])  # noqa: PLW2901
            active = value if activate is None else activate(value)
            new = functional.dropout(active, self.dropout, self.training)
            new = self.remedy.combine(before[name], new)
            if name in gates:
                new = before[name] + gates[name] * (new - before[name])
            after[name] = new
        return after

    def _update(
        self,
        layer: Layer,
        hop: Hop,
        state: State,
        own: State,
        initial: State,
        edges: Mapping[int, Features],
    ) -> State:
        """Return every row's update, before the nonlinearity."""
        degrees = _cut(hop, hop.degrees)
        read = self._each(layer.project, state)
        read_own = own if layer.project is None else _cut(hop, read)
        sums = {
            channel: total
            for name, joined in hop.joined_by_sender(layer.summed).items()
            for channel, total in zip(
                joined.channels, sum_all(read[name], joined), strict=True
            )
        }
        arrivals: dict[str, list[Arrival]] = {name: [] for name in own}
        copies: dict[str, list[Tensor]] = {name: [] for name in own}
        for messages in hop.messages:
            convolution = layer.convolutions[str(messages.channel)]
            summed = sums.get(messages.channel)
            arrival = convolution(
                Side(read[messages.source], hop.degrees[messages.source], summed),
                Side(read_own[messages.target], degrees[messages.target]),
                messages,
                edges.get(messages.channel),
            )
            if messages.channel in layer.copied:
                copies[messages.target].append(arrival.total)
            else:
                arrivals[messages.target].append(arrival)
        for name, joined in hop.joined(layer.copied).items():
            brought = copy_all(copies[name], joined)
            arrivals[name].insert(0, Arrival(brought, is_spare=True))
        return {
            name: layer.own[self.keys[name]](
                Side(value, degrees[name]),
                arrivals[name],
                initial[name] if self.model.reads_initial else None,
            )
            for name, value in own.items()
        }

    def _each(self, modules: nn.ModuleDict | None, state: State) -> State:
        """Return the states through a module per node type, where there is one."""
        if modules is None:
            return state
        return {name: modules[self.keys[name]](value) for name, value in state.items()}

    def _gates(self, care: Care, hop: Hop, state: State) -> State:
        """Return how far each channel of each row moves, 0 to 1; nothing: all the way.

        A channel moves by the hyperbolic tangent of its mean squared difference between
        the row and those that send to it.
        """
        if care.gate is None:
            return {}
        compared = self._each(care.gate, state)
        return mean_difference(compared, _cut(hop, compared), hop.messages)

    @property
    def num_parameters(self) -> int:
        """Number of trained numbers."""
        return sum(parameter.numel() for parameter in self.parameters())


def _cut(hop: Hop, state: Mapping[str, Tensor]) -> State:
    """Return, of a layer's rows, those that the hop computes anew."""
    return {name: _take(state[name], position) for name, position in hop.own.items()}


def _take(state: Tensor, position: Tensor | None) -> Tensor:
    return state if position is None else pick(state, position)


def _thin(
    hop: Hop,
    edges: Mapping[int, Features],
    relations: Sequence[str],
    kept: Mapping[str, Tensor],
) -> tuple[Hop, Mapping[int, Features]]:
    """Return a hop without the messages along links that a pass leaves out."""
    masks = {
        one.channel: kept[relations[one.channel]][one.links] for one in hop.messages
    }
    messages = tuple(one.keep(masks[one.channel]) for one in hop.messages)
    thinned = {
        channel: each.take(masks[channel].nonzero()[:, 0])
        for channel, each in edges.items()
    }
    return replace(hop, messages=messages), thinned


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
        name: _some(graph.nodes[name], rows).to(device)
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


def _some(features: Features, rows: np.ndarray) -> Features:
    """Return the features of rows; where that is all of them, without a copy."""
    if len(rows) == features.num_rows and features.numerical.is_contiguous():
        return features
    return features.take(torch.from_numpy(rows))


def _edge_features(graph: Graph, messages: Messages) -> Features:
    attributes = graph.directions[messages.channel].attributes
    if attributes is None or messages.edge_rows is None:
        raise ValueError("these messages have no attributes")
    return attributes.take(messages.edge_rows)


def _key(graph: Graph, name: str) -> str:
    """Return a node type's module name; torch forbids dots, tables may have them."""
    return str(sorted(graph.nodes).index(name))
