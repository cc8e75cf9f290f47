"""The network around its parts: encoders, typed layers, a head.

Scripts that the workbench hands over hold this text, with the design of one network.
"""

from collections.abc import Callable
from typing import Any, NamedTuple

import torch
from torch import Tensor, nn
from torch.nn import functional
from torch_geometric.data import HeteroData

from workbench.standalone_field import (
    Hop,
    columns_of,
    cut,
    link_columns,
    reach,
)
from workbench.standalone_parts import Beside, Encoder, Place, Side, Way, differences


def way_of(store: Any) -> Way:
    """Return what a convolution has to know of a direction."""
    receivers = store.edge_index[1]
    number = len(receivers.unique())
    mean_degree = len(receivers) / max(number, 1)
    return Way(len(receivers) == number, mean_degree, link_columns(store))


class Design(NamedTuple):
    """What a network is made of; None for what it does without."""

    convolution: Callable
    join: Callable = Beside
    project: Callable | None = None
    share: Callable | None = None
    activation: Callable | None = torch.relu
    combine: Callable | None = None
    enter: Callable | None = None
    inside: Callable | None = None
    gate: Callable | None = None
    readout: Callable | None = None
    drop_links: float = 0.0


class Layer(nn.Module):
    """One hop: a join a node type, a convolution a direction."""

    def __init__(
        self, data: HeteroData, design: Design, place: Place, below: set, above: set
    ) -> None:
        super().__init__()
        if design.share is not None:
            place = place._replace(shared=design.share(place.width))
        self.joins = by_name({name: design.join(place) for name in sorted(above)})
        ways = [one for one in data.edge_types if one[2] in above and one[0] in below]
        made = {one: design.convolution(way_of(data[one]), place) for one in ways}
        self.convolutions = by_name(made)
        for name in sorted(above):  # He et al. (2015), over all that a row receives
            parts: list[Any] = [self.joins[key(name)]]
            parts += [part for kind, part in made.items() if kind[2] == name]
            std = (2 / max(sum(part.fan_in for part in parts), 1)) ** 0.5
            for part in parts:
                part.draw(std)
        self.project = per_type(design.project, place, below)


class Care(nn.Module):
    """What a remedy learns or computes in one layer."""

    def __init__(self, design: Design, place: Place, below: set, above: set) -> None:
        super().__init__()
        self.enter = per_type(design.enter, place, below)
        self.inside = per_type(design.inside, place, above)
        self.gate = per_type(design.gate, place, below)


class Network(nn.Module):
    """Encoders, typed layers, a head over the rows that are predicted."""

    def __init__(
        self, data: HeteroData, target: str, design: Design, settings: dict
    ) -> None:
        super().__init__()
        self.target, self.design = target, design
        self.dropout = settings["dropout"]
        width, depth = settings["width"], settings["depth"]
        layers = reach(data, target, depth)
        self.encoders = by_name(
            {
                name: Encoder(columns_of(data[name]), width, settings["input_dropout"])
                for name in sorted(layers[0])
            }
        )
        hops = [
            (Place(width, layer), layers[layer - 1], layers[layer])
            for layer in range(1, depth + 1)
        ]
        self.layers = nn.ModuleList(Layer(data, design, *hop) for hop in hops)
        read = width
        if design.readout is not None:
            read = design.readout([torch.empty(0, width)] * (depth + 1)).shape[1]
        self.head = nn.Sequential(
            nn.Linear(read, width), nn.ReLU(), nn.Linear(width, settings["outputs"])
        )
        self.cares = nn.ModuleList(Care(design, *hop) for hop in hops)
        self.num_links = {
            data[kind].relation: data[kind].num_links for kind in data.edge_types
        }

    def forward(self, inputs: dict, hops: list) -> Tensor:
        """Return the output for every row that is predicted."""
        state = {name: self.encoders[key(name)](one) for name, one in inputs.items()}
        initial, seen = state, [state[self.target]]
        kept = self.kept_links()
        for index, hop in enumerate(hops):
            if kept:
                thinned = [
                    one.keep(kept[one.relation].to(one.links.device)[one.links])
                    for one in hop.messages
                ]
                hop = hop._replace(messages=thinned)  # noqa: PLW2901
            initial = cut(hop, initial)
            state = self.step(index, hop, state, initial)
            own = hop.own[self.target]
            seen = [one[own] for one in seen] + [state[self.target]]
        if self.design.readout is not None:
            return self.head(self.design.readout(seen))
        return self.head(state[self.target])

    def kept_links(self) -> dict:
        """Return which links a pass of training keeps; nothing for all."""
        if not (self.training and self.design.drop_links):
            return {}
        return {
            name: torch.rand(number) >= self.design.drop_links
            for name, number in self.num_links.items()
        }

    def step(self, index: int, hop: Hop, state: dict, initial: dict) -> dict:
        """Return the states after one layer."""
        layer: Any = self.layers[index]
        care: Any = self.cares[index]
        design = self.design
        before = cut(hop, state)
        entered = each(care.enter, state)
        own, read = cut(hop, entered), each(layer.project, entered)
        mine, degrees = cut(hop, read), cut(hop, hop.degrees)
        arrived = {name: [] for name in own}
        for one in hop.messages:
            source, _, target = one.kind
            convolution = layer.convolutions[key(one.kind)]
            sender = Side(read[source], hop.degrees[source])
            receiver = Side(mine[target], degrees[target])
            arrived[target].append(convolution(sender, receiver, one))
        gates = {}
        if care.gate is not None:
            compared = each(care.gate, state)
            gates = differences(compared, cut(hop, compared), hop.messages)
        after = {}
        for name, value in own.items():
            side = Side(value, degrees[name])
            new = layer.joins[key(name)](side, arrived[name], initial[name])
            if care.inside is not None:
                new = care.inside[key(name)](new, initial[name])
            if design.activation is not None:
                new = design.activation(new)
            new = functional.dropout(new, self.dropout, self.training)
            if design.combine is not None:
                new = design.combine(before[name], new)
            if gates:
                new = before[name] + gates[name] * (new - before[name])
            after[name] = new
        return after


def each(modules: nn.ModuleDict | None, state: dict) -> dict:
    """Return states through a module a node type, where there is one."""
    if modules is None:
        return state
    return {name: modules[key(name)](value) for name, value in state.items()}


def per_type(make: Callable | None, place: Place, names: set) -> nn.ModuleDict | None:
    """Return a module a node type, or None."""
    return (
        None if make is None else by_name({one: make(place) for one in sorted(names)})
    )


def by_name(modules: dict) -> nn.ModuleDict:
    """Return modules by names that torch allows."""
    return nn.ModuleDict({key(name): one for name, one in modules.items()})


def key(name: str | tuple) -> str:
    """Return a name without dots, which torch refuses."""
    return (name if isinstance(name, str) else " ".join(name)).encode().hex()
