"""The parts that networks and remedies are made of, in plain PyTorch.

Scripts that the workbench hands over hold of this text what their network needs. Every
weight is drawn in the order in which the workbench draws it, so that a seed gives the
same network here and there; the tests hold every network and remedy to that.
"""

import math
from typing import Any, NamedTuple

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional
from torch_geometric.utils import softmax

from workbench.standalone_field import Columns, Messages


class Side(NamedTuple):
    """Rows at one end of messages: states, and degrees in the whole graph."""

    state: Tensor
    degree: Tensor


class Way(NamedTuple):
    """What a convolution has to know of its direction in the whole graph."""

    single: bool  # no row receives more than one message
    mean_degree: float  # messages of the rows that receive any
    columns: Columns | None


class Place(NamedTuple):
    """Where a part stands: channels, layer from 1, and what a layer's parts share."""

    width: int
    layer: int
    shared: Any = None

    @property
    def heads(self) -> int:
        """Number of attention heads."""
        return math.gcd(4, self.width)


def summed(state: Tensor, messages: Messages) -> Tensor:
    """Return the sum of what each receiver's senders hold; 0 without messages."""
    return functional.embedding_bag(
        messages.senders, state, messages.starts, mode="sum"
    )


def collected(values: Tensor, messages: Messages, mode: str = "sum") -> Tensor:
    """Return the sum or maximum of the messages themselves at each receiver."""
    order = torch.arange(len(values), device=values.device)
    return functional.embedding_bag(order, values, messages.starts, mode=mode)


class Encoder(nn.Module):
    """Columns to states: one linear map, a vector a code, then ReLU."""

    offsets: Tensor

    def __init__(self, columns: Columns, width: int, dropout: float = 0.0) -> None:
        super().__init__()
        self.dropout = dropout
        sparse = columns.sparse
        channels = columns.x.shape[1]
        num_sparse = 0 if sparse is None else sparse.shape[1]
        bound = max(channels + num_sparse, 1) ** -0.5
        self.weight = nn.Parameter(torch.empty(channels, width).uniform_(-bound, bound))
        self.bias = nn.Parameter(torch.empty(width).uniform_(-bound, bound))
        starts = np.cumsum([0, *columns.cardinalities])
        self.register_buffer("offsets", torch.from_numpy(starts[:-1].copy()))
        std = max(len(starts) - 1, 1) ** -0.5
        self.table = nn.Parameter(torch.empty(int(starts[-1]), width).normal_(std=std))
        size = 0.0
        if sparse is not None:
            squares = float(np.square(sparse.data.astype(np.float64)).sum())
            size = (squares / max(sparse.shape[0], 1) or 1.0) ** -0.5
        self.sparse = nn.Parameter(torch.empty(num_sparse, width).uniform_(-size, size))

    def forward(self, columns: Columns) -> Tensor:
        """Return the state of each row."""
        state = self.thin(columns.x) @ self.weight + self.bias
        if len(self.offsets):
            codes = columns.codes + self.offsets
            kept = None
            if self.dropout and self.training:
                kept = self.thin(torch.ones_like(codes, dtype=state.dtype))
            state = state + functional.embedding_bag(
                codes, self.table, mode="sum", per_sample_weights=kept
            )
        if columns.sparse is not None:
            sparse = columns.sparse
            state = state + functional.embedding_bag(
                torch.from_numpy(sparse.indices.astype(np.int64)).to(state.device),
                self.sparse,
                torch.from_numpy(sparse.indptr.astype(np.int64)).to(state.device),
                mode="sum",
                per_sample_weights=self.thin(
                    torch.from_numpy(sparse.data.astype(np.float32)).to(state.device)
                ),
                include_last_offset=True,
            )
        return state.relu()

    def thin(self, values: Tensor) -> Tensor:
        """Return inputs, a share of them 0 while training."""
        return functional.dropout(values, self.dropout, self.training)


class Convolution(nn.Module):
    """What one direction brings to its receivers; members fill in `forward`."""

    fan_in = 0

    def draw(self, std: float) -> None:
        """Draw the weights anew."""


class Aggregated(Convolution):
    """Mean, maximum and sum of the neighbours side by side, then one map."""

    def __init__(self, way: Way, place: Place, ways: tuple = ("mean",)) -> None:
        super().__init__()
        self.ways = ("mean",) if way.single else ways
        self.plain = way.single and way.columns is None
        self.mean_degree = way.mean_degree
        self.fan_in = len(self.ways) * place.width
        self.linear = nn.Linear(self.fan_in, place.width, bias=False)
        self.edges = None if way.columns is None else Encoder(way.columns, place.width)

    def forward(self, senders: Side, receivers: Side, messages: Messages) -> tuple:
        """Return what each receiver gets."""
        del receivers
        if self.plain:
            return summed(self.linear(senders.state), messages), None
        sent = senders.state
        if self.edges is not None:
            sent = (sent[messages.senders] + self.edges(messages.columns)).relu()
            messages = messages._replace(
                senders=torch.arange(len(sent)).to(sent.device)
            )
        total = summed(sent, messages)
        parts = []
        for one in self.ways:
            if one == "mean":
                parts.append(total / messages.degree.clamp(min=1))
            elif one == "sum":
                parts.append(total / self.mean_degree)
            else:
                index, starts = messages.senders, messages.starts
                parts.append(functional.embedding_bag(index, sent, starts, mode="max"))
        return self.linear(torch.cat(parts, dim=1)), None

    def draw(self, std: float) -> None:
        """Draw the map."""
        nn.init.normal_(self.linear.weight, std=std)


class Bases(nn.Module):
    """The maps that all directions of a layer mix theirs from."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.maps = nn.Parameter(torch.randn(4, width, width))


class Mixed(Convolution):
    """The mean of the neighbours, through a mixture of the layer's bases."""

    def __init__(self, way: Way, place: Place) -> None:
        super().__init__()
        self.bases = place.shared
        self.fan_in = place.width
        self.shares = nn.Parameter(torch.empty(4))
        self.edges = None if way.columns is None else Encoder(way.columns, place.width)

    def forward(self, senders: Side, receivers: Side, messages: Messages) -> tuple:
        """Return what each receiver gets."""
        del receivers
        sent = senders.state
        degree = messages.degree.clamp(min=1)
        if self.edges is None:
            mean = summed(sent, messages) / degree
        else:
            sent = (sent[messages.senders] + self.edges(messages.columns)).relu()
            mean = collected(sent, messages) / degree
        return mean @ torch.tensordot(self.shares, self.bases.maps, dims=1), None

    def draw(self, std: float) -> None:
        """Draw the shares of the bases."""
        nn.init.normal_(self.shares, std=std * 4**-0.5)


class Attention(Convolution):
    """Neighbours weighed by a softmax of scores; members fill in `scores`."""

    def __init__(self, way: Way, place: Place) -> None:
        super().__init__()
        self.single, self.fan_in, self.heads = way.single, place.width, place.heads
        self.value = nn.Linear(place.width, place.width, bias=False)
        self.edges = edge_map(way, place)

    def forward(self, senders: Side, receivers: Side, messages: Messages) -> tuple:
        """Return what each receiver gets."""
        values = self.value(senders.state)
        if self.single and self.edges is None:
            return summed(values, messages), None
        encoded = 0.0 if self.edges is None else self.edges(messages.columns)
        sent = values[messages.senders] + encoded
        if self.single:
            return collected(sent, messages), None
        scores = self.scores(senders, receivers, messages, sent, encoded)
        shares = softmax(scores, messages.receivers, num_nodes=messages.num_receivers)
        return collected(by_head(sent, shares), messages), None

    def scores(self, senders, receivers, messages, sent, encoded) -> Tensor:
        """Return the score of every message."""
        raise NotImplementedError

    def draw(self, std: float) -> None:
        """Draw the map of what is sent."""
        nn.init.normal_(self.value.weight, std=std)


class Additive(Attention):
    """Scores leaky_relu(a · sent + b · receiver), as in GAT."""

    def __init__(self, way: Way, place: Place) -> None:
        super().__init__(way, place)
        if not way.single:
            self.sender = head_vectors(place)
            self.receiver = nn.Linear(place.width, place.heads, bias=False)

    def scores(self, senders, receivers, messages, sent, encoded) -> Tensor:
        """Return the score of every message."""
        del senders, encoded
        asked = self.receiver(receivers.state)[messages.receivers]
        return functional.leaky_relu(dot(sent, self.sender) + asked, 0.2)


class Dynamic(Attention):
    """Scores a · leaky_relu(sent + V receiver), as in GATv2."""

    def __init__(self, way: Way, place: Place) -> None:
        super().__init__(way, place)
        if not way.single:
            self.vectors = head_vectors(place)
            self.receiver = nn.Linear(place.width, place.width, bias=False)

    def scores(self, senders, receivers, messages, sent, encoded) -> Tensor:
        """Return the score of every message."""
        del senders, encoded
        asked = self.receiver(receivers.state)[messages.receivers]
        return dot(functional.leaky_relu(sent + asked, 0.2), self.vectors)


class Product(Attention):
    """Scores query · key over the root of the channels, as in transformers."""

    def __init__(self, way: Way, place: Place) -> None:
        super().__init__(way, place)
        if not way.single:
            self.key = nn.Linear(place.width, place.width, bias=False)
            self.query = nn.Linear(place.width, place.width, bias=False)

    def scores(self, senders, receivers, messages, sent, encoded) -> Tensor:
        """Return the score of every message."""
        del sent
        keys = self.key(senders.state)[messages.senders] + encoded
        queries = self.query(receivers.state)[messages.receivers]
        channels = keys.shape[1] // self.heads
        parts = queries.view(len(queries), self.heads, channels)
        return dot(keys, parts) * channels**-0.5


class Mutual(Convolution):
    """One direction's share of a softmax over all of them, as in HGT."""

    def __init__(self, way: Way, place: Place) -> None:
        super().__init__()
        channels = place.width // place.heads
        shape = place.heads, channels, channels
        self.key, self.value = (nn.Parameter(torch.empty(shape)) for _ in range(2))
        self.prior = nn.Parameter(torch.ones(place.heads))
        self.edges = edge_map(way, place)
        nn.init.normal_(self.key, std=channels**-0.5)
        nn.init.normal_(self.value, std=channels**-0.5)

    def forward(self, senders: Side, receivers: Side, messages: Messages) -> tuple:
        """Return weighted values, and the log of what the scores' softmax sums."""
        keys, _, values = senders.state.chunk(3, dim=1)
        sent = torch.cat(
            [
                keys @ torch.block_diag(*self.key),
                values @ torch.block_diag(*self.value),
            ],
            dim=1,
        )[messages.senders]
        if self.edges is not None:
            sent = sent + self.edges(messages.columns).repeat(1, 2)
        keys, values = (half.contiguous() for half in sent.chunk(2, dim=1))
        heads, channels, _ = self.key.shape
        asked = receivers.state.chunk(3, dim=1)[1][messages.receivers]
        scores = dot(keys, asked.reshape(len(asked), heads, channels))
        scores = scores * self.prior * channels**-0.5
        peak = collected(scores.detach(), messages, "max")
        weights = (scores - peak[messages.receivers]).exp()
        total = collected(weights, messages)
        shares = weights / total[messages.receivers]
        mass = peak + total.clamp(min=1).log()
        mass = mass.masked_fill(total == 0, -torch.inf)
        return collected(by_head(values, shares), messages), mass


class Normalised(Convolution):
    """Neighbours over the roots of both degrees, as in GCN."""

    def __init__(self, way: Way, place: Place) -> None:
        super().__init__()
        del way, place

    def forward(self, senders: Side, receivers: Side, messages: Messages) -> tuple:
        """Return what each receiver gets."""
        scaled = senders.state * (senders.degree + 1).rsqrt()
        return summed(scaled, messages) * (receivers.degree + 1).rsqrt(), None


class Beside(nn.Module):
    """The row's own state through a map, plus what arrives."""

    def __init__(self, place: Place) -> None:
        super().__init__()
        self.fan_in = place.width
        self.linear = nn.Linear(place.width, place.width)

    def forward(self, own: Side, arrived: list, initial: Tensor) -> Tensor:
        """Return the update before the nonlinearity."""
        del initial
        return added(self.linear(own.state), arrived)

    def draw(self, std: float) -> None:
        """Draw the map; biases start at zero."""
        nn.init.normal_(self.linear.weight, std=std)
        nn.init.zeros_(self.linear.bias)


class Perceptron(nn.Module):
    """The sum of the own state and what arrives, through two maps, as in GIN."""

    def __init__(self, place: Place) -> None:
        super().__init__()
        self.fan_in = place.width
        self.epsilon = nn.Parameter(torch.zeros(1))
        self.first = nn.Linear(place.width, place.width)
        self.second = nn.Linear(place.width, place.width)

    def forward(self, own: Side, arrived: list, initial: Tensor) -> Tensor:
        """Return the update before the nonlinearity."""
        del initial
        total = added((1 + self.epsilon) * own.state, arrived)
        return self.second(self.first(total).relu())

    def draw(self, std: float) -> None:
        """Draw both maps; biases start at zero."""
        nn.init.normal_(self.first.weight, std=std)
        nn.init.normal_(self.second.weight, std=(2 / self.fan_in) ** 0.5)
        nn.init.zeros_(self.first.bias)
        nn.init.zeros_(self.second.bias)


class Gated(nn.Module):
    """One softmax over all directions and a learned share of the own state (HGT)."""

    fan_in = 0

    def __init__(self, place: Place) -> None:
        super().__init__()
        self.out = nn.Linear(place.width, place.width)
        self.skip = nn.Parameter(torch.ones(1))

    def forward(self, own: Side, arrived: list, initial: Tensor) -> Tensor:
        """Return the update."""
        del initial
        total = torch.zeros_like(own.state)
        if arrived:
            masses = torch.stack([mass for _, mass in arrived])
            silent = (masses == -torch.inf).all(dim=0)
            weights = masses.masked_fill(silent, 0).softmax(dim=0)
            for (value, _), weight in zip(arrived, weights, strict=True):
                total = total + by_head(value, weight)
        gate = self.skip.sigmoid()
        return gate * self.out(functional.gelu(total)) + (1 - gate) * own.state

    def draw(self, std: float) -> None:
        """Keep the weights as they are."""


class Smoothed(nn.Module):
    """What arrives and the row as its own neighbour (SGC); others build on it."""

    fan_in = 0

    def __init__(self, place: Place) -> None:
        super().__init__()
        del place

    def forward(self, own: Side, arrived: list, initial: Tensor) -> Tensor:
        """Return the smoothed states."""
        del initial
        return added(own.state / (own.degree + 1), arrived)

    def draw(self, std: float) -> None:
        """Draw nothing: there are no weights."""


class Mapped(Smoothed):
    """One map of the smoothed states (GCN)."""

    def __init__(self, place: Place) -> None:
        super().__init__(place)
        self.fan_in = place.width
        self.linear = nn.Linear(place.width, place.width)

    def forward(self, own: Side, arrived: list, initial: Tensor) -> Tensor:
        """Return the update before the nonlinearity."""
        return self.linear(super().forward(own, arrived, initial))

    def draw(self, std: float) -> None:
        """Draw the map; biases start at zero."""
        nn.init.normal_(self.linear.weight, std=std)
        nn.init.zeros_(self.linear.bias)


class Teleported(Smoothed):
    """The smoothed states and a tenth of the initial ones (APPNP)."""

    def forward(self, own: Side, arrived: list, initial: Tensor) -> Tensor:
        """Return the update."""
        return 0.9 * super().forward(own, arrived, initial) + 0.1 * initial


class Anchored(Smoothed):
    """A tenth of the initial state, and a map that is nearly the identity (GCNII)."""

    def __init__(self, place: Place) -> None:
        super().__init__(place)
        self.fan_in = place.width
        self.share = math.log(0.5 / place.layer + 1)
        self.weight = nn.Parameter(torch.empty(place.width, place.width))

    def forward(self, own: Side, arrived: list, initial: Tensor) -> Tensor:
        """Return the update before the nonlinearity."""
        mixed = 0.9 * super().forward(own, arrived, initial) + 0.1 * initial
        return (1 - self.share) * mixed + self.share * (mixed @ self.weight)

    def draw(self, std: float) -> None:
        """Draw the map."""
        nn.init.normal_(self.weight, std=std)


class Anchor(nn.Module):
    """A tenth of the initial state, then a map that is nearly the identity."""

    def __init__(self, place: Place) -> None:
        super().__init__()
        self.share = math.log(0.5 / place.layer + 1)
        self.weight = nn.Parameter(torch.empty(place.width, place.width))
        nn.init.normal_(self.weight, std=(2 / place.width) ** 0.5)

    def forward(self, update: Tensor, initial: Tensor) -> Tensor:
        """Return the anchored update."""
        mixed = 0.9 * update + 0.1 * initial
        return (1 - self.share) * mixed + self.share * (mixed @ self.weight)


class Centre(nn.Module):
    """Rows about their mean."""

    def __init__(self, place: Place) -> None:
        super().__init__()
        del place

    def forward(self, update: Tensor, initial: Tensor) -> Tensor:
        """Return the centred rows; one row alone stays as it is."""
        del initial
        return update - update.mean(dim=0) if len(update) > 1 else update


class PairNorm(nn.Module):
    """Rows about their mean, at a mean square length of 1."""

    def __init__(self, place: Place) -> None:
        super().__init__()
        del place

    def forward(self, update: Tensor, initial: Tensor) -> Tensor:
        """Return the scaled rows; one row alone stays as it is."""
        del initial
        if len(update) < 2:
            return update
        centred = update - update.mean(dim=0)
        return centred * (centred.square().sum(dim=1).mean() + 1e-5).rsqrt()


def added(total: Tensor, arrived: list) -> Tensor:
    """Return the sum of what arrives, in the order of the directions."""
    for value, _ in arrived:
        total = total + value
    return total


def edge_map(way: Way, place: Place) -> nn.Sequential | None:
    """Return a map of a direction's columns, where it has any."""
    if way.columns is None:
        return None
    encoder = Encoder(way.columns, place.width)
    return nn.Sequential(encoder, nn.Linear(place.width, place.width, bias=False))


def head_vectors(place: Place) -> nn.Parameter:
    """Return a vector a head over its share of the channels."""
    channels = place.width // place.heads
    return nn.Parameter(torch.randn(place.heads, channels) * channels**-0.5)


def dot(values: Tensor, other: Tensor) -> Tensor:
    """Return each head's inner product of its channels."""
    return (values.view(len(values), *other.shape[-2:]) * other).sum(dim=2)


def by_head(values: Tensor, weights: Tensor) -> Tensor:
    """Return values with each head's channels times its weight."""
    number, heads = weights.shape
    parts = values.view(number, heads, values.shape[1] // heads)
    return (parts * weights[:, :, None]).view(values.shape)


def differences(state: dict, own: dict, messages: list) -> dict:
    """Return tanh of the mean squared difference from those that send (G²)."""
    sums = {name: torch.zeros_like(value) for name, value in own.items()}
    counts = {name: value.new_zeros(len(value), 1) for name, value in own.items()}
    for one in messages:
        source, _, target = one.kind
        sent, here = state[source], own[target]
        first, second = summed(sent, one), summed(sent.square(), one)
        spread = second - 2 * here * first + one.degree * here.square()
        sums[target] = sums[target] + spread
        counts[target] = counts[target] + one.degree
    return {
        name: (total.clamp(min=0) / counts[name].clamp(min=1)).tanh()
        for name, total in sums.items()
    }


NETWORKS = {
    "sage": {
        "convolution": lambda way, place: Aggregated(way, place, ("mean", "max", "sum"))
    },
    "sage-mean": {"convolution": Aggregated},
    "gat": {"convolution": Additive},
    "gatv2": {"convolution": Dynamic},
    "gin": {
        "convolution": lambda way, place: Aggregated(way, place, ("sum",)),
        "join": Perceptron,
    },
    "rgcn": {"convolution": Mixed, "share": Bases},
    "hgt": {
        "convolution": Mutual,
        "join": Gated,
        "project": lambda place: nn.Linear(place.width, 3 * place.width),
        "activation": None,
    },
    "transformer": {"convolution": Product},
    "gcn": {"convolution": Normalised, "join": Mapped},
    "gcnii": {"convolution": Normalised, "join": Anchored},
    "appnp": {"convolution": Normalised, "join": Teleported, "activation": None},
    "sgc": {"convolution": Normalised, "join": Smoothed, "activation": None},
}


REMEDIES = {
    "none": {},
    "residual": {"combine": torch.add},
    "residual-norm": {
        "combine": torch.add,
        "enter": lambda place: nn.LayerNorm(place.width),
    },
    "jk-cat": {"readout": lambda states: torch.cat(states, dim=1)},
    "jk-max": {"readout": lambda states: torch.stack(states).amax(dim=0)},
    "initial-residual": {"inside": Anchor},
    "pairnorm": {"inside": PairNorm},
    "mean-subtraction": {"inside": Centre},
    "dropedge": {"drop_links": 0.2},
    "gradient-gating": {
        "gate": lambda place: nn.Linear(place.width, place.width, bias=False)
    },
}
