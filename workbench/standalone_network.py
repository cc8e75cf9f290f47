"""The networks of the workbench in plain PyTorch, over a ``HeteroData``.

Scripts that the workbench hands over hold of this text what their network needs. Every
weight is drawn in the order in which the workbench draws it, so that a seed gives the
same network here and there; the tests hold every pair of a network and a remedy to
that.
"""

import math
from collections.abc import Callable
from itertools import pairwise
from typing import Any, NamedTuple

import numpy as np
import torch
from scipy.sparse import csr_array
from torch import Tensor, nn
from torch.nn import functional
from torch_geometric.data import HeteroData
from torch_geometric.utils import softmax


class Columns(NamedTuple):
    """What is known of rows or of links: channels, codes, nearly-always-0 channels."""

    x: Tensor
    codes: Tensor
    cardinalities: list
    sparse: csr_array | None

    def take(self, rows: Tensor) -> "Columns":
        """Return what is known of some rows."""
        sparse = None if self.sparse is None else self.sparse[rows.cpu().numpy()]
        return Columns(self.x[rows], self.codes[rows], self.cardinalities, sparse)


class Messages(NamedTuple):
    """One direction of an edge type between two layers, sorted by receiver."""

    kind: tuple
    relation: str
    senders: Tensor
    receivers: Tensor
    num_receivers: int
    links: Tensor
    columns: Columns | None

    @property
    def counts(self) -> Tensor:
        """Number of messages that each receiver gets."""
        return torch.bincount(self.receivers, minlength=self.num_receivers)

    @property
    def degree(self) -> Tensor:
        """The counts as a float column."""
        return self.counts.float()[:, None]

    @property
    def starts(self) -> Tensor:
        """Where each receiver's messages begin."""
        return self.counts.cumsum(0) - self.counts

    def keep(self, kept: Tensor) -> "Messages":
        """Return the messages that a mask keeps."""
        columns = self.columns
        if columns is not None:
            columns = columns.take(kept.nonzero()[:, 0])
        return self._replace(
            senders=self.senders[kept],
            receivers=self.receivers[kept],
            links=self.links[kept],
            columns=columns,
        )


class Hop(NamedTuple):
    """One layer's work: which rows stay, their degrees, and who sends to whom."""

    own: dict
    degrees: dict
    messages: list


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
    shared: nn.Module | None = None

    @property
    def heads(self) -> int:
        """Number of attention heads."""
        return math.gcd(4, self.width)


def columns_of(store: Any) -> Columns | None:
    """Return the columns of a node type or of an edge type; None for bare links."""
    edge = "edge_" if "edge_index" in store else ""
    x = store.get("edge_attr" if edge else "x")
    if x is None:
        return None
    sparse = store.get(f"{edge}sparse")
    if sparse is not None:
        parts = (sparse.values(), sparse.col_indices(), sparse.crow_indices())
        sparse = csr_array(tuple(one.numpy() for one in parts), shape=sparse.shape)
    return Columns(x, store[f"{edge}codes"], store["cardinalities"], sparse)


def way_of(store: Any) -> Way:
    """Return what a convolution has to know of a direction."""
    receivers = store.edge_index[1]
    number = len(receivers.unique())
    mean_degree = len(receivers) / max(number, 1)
    return Way(len(receivers) == number, mean_degree, columns_of(store))


def degrees_of(data: HeteroData, name: str) -> Tensor:
    """Return how many messages each row receives, of all edge types together."""
    if "degree" in data[name]:
        return data[name].degree
    total = torch.zeros(data[name].num_nodes)
    for kind in data.edge_types:
        if kind[2] == name:
            ends = data[kind].edge_index[1]
            total += torch.bincount(ends, minlength=len(total))
    return total


def receptive_field(data: HeteroData, target: str, rows: Tensor, depth: int) -> tuple:
    """Return the rows that layer 0 needs, and what each layer does.

    A row is computed at a layer where it is asked for, or sends to a row of the next.
    """
    asked = torch.zeros(data[target].num_nodes, dtype=torch.bool)
    asked[rows] = True
    layers = [{target: asked}]
    for _ in range(depth):
        above = layers[0]
        below = {name: mask.clone() for name, mask in above.items()}
        for kind in data.edge_types:
            if kind[2] not in above:
                continue
            senders, receivers = data[kind].edge_index
            met = senders[above[kind[2]][receivers]]
            if len(met):
                number = data[kind[0]].num_nodes
                below.setdefault(kind[0], torch.zeros(number, dtype=torch.bool))
                below[kind[0]][met] = True
        layers.insert(0, below)
    listed = [
        {name: mask.nonzero()[:, 0] for name, mask in layer.items()} for layer in layers
    ]
    degrees = {name: degrees_of(data, name) for name in data.node_types}
    hops = [make_hop(data, degrees, *pair) for pair in pairwise(listed)]
    return listed[0], hops


def make_hop(data: HeteroData, degrees: dict, below: dict, above: dict) -> Hop:
    """Return the messages from the rows of a layer to those of the next."""
    place = {name: places(data[name].num_nodes, rows) for name, rows in below.items()}
    goal = {name: places(data[name].num_nodes, rows) for name, rows in above.items()}
    messages = []
    for kind in data.edge_types:
        source, _, target = kind
        if target not in above or source not in below:
            continue
        store = data[kind]
        senders, receivers = store.edge_index
        kept = (goal[target][receivers] >= 0).nonzero()[:, 0]
        columns = columns_of(store)
        if len(kept):
            messages.append(
                Messages(
                    kind,
                    store.relation,
                    place[source][senders[kept]],
                    goal[target][receivers[kept]],
                    len(above[target]),
                    store.link[kept],
                    None if columns is None else columns.take(kept),
                )
            )
    own = {name: place[name][rows] for name, rows in above.items()}
    here = {name: degrees[name][rows][:, None] for name, rows in below.items()}
    return Hop(own, here, messages)


def places(number: int, rows: Tensor) -> Tensor:
    """Return each row's place among the chosen ones, -1 elsewhere."""
    found = torch.full((number,), -1)
    found[rows] = torch.arange(len(rows))
    return found


def reach(data: HeteroData, target: str, depth: int) -> list:
    """Return, for every layer, the node types that can still reach the target."""
    layers = [{target}]
    for _ in range(depth):
        senders = {kind[0] for kind in data.edge_types if kind[2] in layers[0]}
        layers.insert(0, layers[0] | senders)
    return layers


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

    def forward(self, own: Side, arrived: list, initial: Tensor | None) -> Tensor:
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

    def forward(self, own: Side, arrived: list, initial: Tensor | None) -> Tensor:
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

    def forward(self, own: Side, arrived: list, initial: Tensor | None) -> Tensor:
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

    def forward(self, own: Side, arrived: list, initial: Tensor | None) -> Tensor:
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

    def forward(self, own: Side, arrived: list, initial: Tensor | None) -> Tensor:
        """Return the update before the nonlinearity."""
        return self.linear(super().forward(own, arrived, initial))

    def draw(self, std: float) -> None:
        """Draw the map; biases start at zero."""
        nn.init.normal_(self.linear.weight, std=std)
        nn.init.zeros_(self.linear.bias)


class Teleported(Smoothed):
    """The smoothed states and a tenth of the initial ones (APPNP)."""

    def forward(self, own: Side, arrived: list, initial: Tensor | None) -> Tensor:
        """Return the update."""
        return 0.9 * super().forward(own, arrived, None) + 0.1 * initial


class Anchored(Smoothed):
    """A tenth of the initial state, and a map that is nearly the identity (GCNII)."""

    def __init__(self, place: Place) -> None:
        super().__init__(place)
        self.fan_in = place.width
        self.share = math.log(0.5 / place.layer + 1)
        self.weight = nn.Parameter(torch.empty(place.width, place.width))

    def forward(self, own: Side, arrived: list, initial: Tensor | None) -> Tensor:
        """Return the update before the nonlinearity."""
        mixed = 0.9 * super().forward(own, arrived, None) + 0.1 * initial
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
            parts = [self.joins[key(name)]]
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
        layer, care, design = self.layers[index], self.cares[index], self.design
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


def cut(hop: Hop, state: dict) -> dict:
    """Return, of a layer's rows, those that the next one computes anew."""
    return {name: state[name][rows] for name, rows in hop.own.items()}


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
