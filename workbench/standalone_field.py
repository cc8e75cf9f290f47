"""The part of a graph that rows to predict can see, layer by layer.

Scripts that the workbench hands over hold this text: the rows of every layer, and who
sends to whom, over a ``HeteroData`` as ``build`` makes it.
"""

from itertools import pairwise
from typing import Any, NamedTuple

import torch
from scipy.sparse import csr_array
from torch import Tensor
from torch_geometric.data import HeteroData


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


def columns_of(store: Any, edge: str = "") -> Columns:
    """Return the columns of a node type, or with "edge_" of an edge type."""
    sparse = store.get(f"{edge}sparse")
    if sparse is not None:
        parts = (sparse.values(), sparse.col_indices(), sparse.crow_indices())
        sparse = csr_array(tuple(one.numpy() for one in parts), shape=sparse.shape)
    x = store["edge_attr" if edge else "x"]
    return Columns(x, store[f"{edge}codes"], store["cardinalities"], sparse)


def link_columns(store: Any) -> Columns | None:
    """Return the columns of an edge type; None for bare links."""
    return columns_of(store, "edge_") if "edge_attr" in store else None


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
        columns = link_columns(store)
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


def cut(hop: Hop, state: dict) -> dict:
    """Return, of a layer's rows, those that the next one computes anew."""
    return {name: state[name][rows] for name, rows in hop.own.items()}
