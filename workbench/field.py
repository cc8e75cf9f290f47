"""Which rows a network of a given depth must compute, layer by layer.

Training needs only rows that can still reach a task row in the layers that are left;
measures need a fixed sample of rows at every layer. Both are one `Field`: the rows of
every layer, and the messages between consecutive layers in local positions.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import pairwise
from typing import TypeAlias

import numpy as np
import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor

from workbench.graph import Direction, Graph
from workbench.joining import Joined, Links, join_links
from workbench.ordering import stable_order

Rows: TypeAlias = Mapping[str, np.ndarray]


@dataclass(frozen=True, slots=True)
class Messages:
    """One direction of one relation between two consecutive layers.

    Messages are sorted by receiver. ``pointers`` and ``senders`` say who sends to each
    receiver; ``back_pointers`` and ``receivers`` are the transpose, which the gradient
    needs.

    Attributes:
        channel: Position of the direction in ``graph.directions``.
        source: Node type that sends.
        target: Node type that receives.
        pointers: Where each receiver's messages start.
        senders: Position of each message's sender in the layer below.
        back_pointers: Where each sender's messages start.
        receivers: Position of each message's receiver, sorted by sender.
        by_sender: The messages, sorted by sender.
        degree: Number of messages of each receiver.
        links: The link of the relation that each message runs along.
        edge_rows: The row of edge attributes behind each message, where there are any.
    """

    channel: int
    source: str
    target: str
    pointers: Int[Tensor, " receivers"]
    senders: Int[Tensor, " messages"]
    back_pointers: Int[Tensor, " senders"]
    receivers: Int[Tensor, " messages"]
    by_sender: Int[Tensor, " messages"]
    degree: Float[Tensor, "receivers 1"]
    links: Int[Tensor, " messages"]
    edge_rows: Int[Tensor, " messages"] | None

    def to(self, device: torch.device) -> "Messages":
        """Return the same messages on a device."""
        return Messages(
            channel=self.channel,
            source=self.source,
            target=self.target,
            pointers=self.pointers.to(device),
            senders=self.senders.to(device),
            back_pointers=self.back_pointers.to(device),
            receivers=self.receivers.to(device),
            by_sender=self.by_sender.to(device),
            degree=self.degree.to(device),
            links=self.links.to(device),
            edge_rows=None if self.edge_rows is None else self.edge_rows.to(device),
        )

    def keep(self, kept: Bool[Tensor, " messages"]) -> "Messages":
        """Return the messages that a mask keeps, between the same rows."""
        place = kept.cumsum(0, dtype=self.by_sender.dtype) - 1
        by_sender = self.by_sender[kept[self.by_sender]]
        senders = self.senders[kept]
        degree = kept.new_zeros(self.degree.shape, dtype=self.degree.dtype)
        degree.index_add_(0, self.at[kept], degree.new_ones(len(senders), 1))
        sent = torch.bincount(senders, minlength=len(self.back_pointers))
        return Messages(
            channel=self.channel,
            source=self.source,
            target=self.target,
            pointers=_before(degree[:, 0], self.pointers.dtype),
            senders=senders,
            back_pointers=_before(sent, self.pointers.dtype),
            receivers=self.receivers[kept[self.by_sender]],
            by_sender=place[by_sender],
            degree=degree,
            links=self.links[kept],
            edge_rows=None if self.edge_rows is None else self.edge_rows[kept],
        )

    def alone(self) -> "Messages":
        """Return messages whose senders are the messages themselves."""
        order = torch.arange(
            len(self.senders), dtype=self.pointers.dtype, device=self.senders.device
        )
        return Messages(
            channel=self.channel,
            source=self.source,
            target=self.target,
            pointers=self.pointers,
            senders=order,
            back_pointers=order,
            receivers=self.at,
            by_sender=order,
            degree=self.degree,
            links=self.links,
            edge_rows=None,
        )

    @property
    def ends(self) -> Links:
        """Who sends to whom, readable from both ends."""
        return Links(self.senders, self.pointers, self.receivers, self.back_pointers)

    @property
    def at(self) -> Int[Tensor, " messages"]:
        """Position of each message's receiver."""
        rows = torch.arange(
            len(self.degree), dtype=self.pointers.dtype, device=self.senders.device
        )
        return torch.repeat_interleave(
            rows, self.degree[:, 0].long(), output_size=len(self.senders)
        )


@dataclass(frozen=True)
class Hop:
    """One layer's work.

    Attributes:
        rows: Rows of each node type whose state this layer computes, ascending.
        own: Where each of them stood in the layer below; None when nothing moved.
        degrees: Number of messages that each row of the layer below receives in the
            whole graph, of every relation together.
        messages: What they receive.
    """

    rows: Mapping[str, np.ndarray]
    own: Mapping[str, Int[Tensor, " rows"] | None]
    degrees: Mapping[str, Float[Tensor, "rows_below 1"]]
    messages: tuple[Messages, ...]

    def joined(self, channels: frozenset[int]) -> Mapping[str, Joined]:
        """Return what joins those of some channels that have receivers in common.

        By node type; every answer is worked out once.
        """
        return self._join(channels, by_sender=False)

    def joined_by_sender(self, channels: frozenset[int]) -> Mapping[str, Joined]:
        """Return what joins those of some channels that have senders in common.

        By node type, with the ends exchanged; every answer is worked out once.
        """
        return self._join(channels, by_sender=True)

    @cached_property
    def _joined(self) -> dict[tuple[frozenset[int], bool], Mapping[str, Joined]]:
        """What was worked out; nothing points back here, so batches go at once."""
        return {}

    def _join(
        self, channels: frozenset[int], *, by_sender: bool
    ) -> Mapping[str, Joined]:
        asked = channels, by_sender
        if asked not in self._joined:
            common: dict[str, list[tuple[int, Links]]] = {}
            for one in self.messages:
                if one.channel in channels:
                    name, ends = one.target, one.ends
                    if by_sender:
                        name, ends = one.source, ends.reverse
                    common.setdefault(name, []).append((one.channel, ends))
            self._joined[asked] = {
                name: join_links(common[name]) for name in sorted(common)
            }
        return self._joined[asked]


@dataclass(frozen=True, slots=True)
class Field:
    """A receptive field: rows of layer 0, then one hop a layer."""

    rows: Mapping[str, np.ndarray]
    hops: tuple[Hop, ...]

    @property
    def depth(self) -> int:
        """Number of layers."""
        return len(self.hops)

    def rows_at(self, layer: int) -> Mapping[str, np.ndarray]:
        """Return the rows whose state exists at a layer; layer 0 is the input."""
        return self.rows if layer == 0 else self.hops[layer - 1].rows

    def to(self, device: torch.device) -> "Field":
        """Return the same field on a device."""
        hops = tuple(
            Hop(
                rows=hop.rows,
                own={
                    name: None if position is None else position.to(device)
                    for name, position in hop.own.items()
                },
                degrees={name: one.to(device) for name, one in hop.degrees.items()},
                messages=tuple(message.to(device) for message in hop.messages),
            )
            for hop in self.hops
        )
        return Field(rows=self.rows, hops=hops)


def receptive_field(graph: Graph, wanted: Sequence[Rows]) -> Field:
    """Return what must be computed so that the wanted states exist.

    Args:
        graph: The graph.
        wanted: For every layer from 0 to the depth, the rows of each node type whose
            state is asked for. Training asks for task rows at the last layer only.

    Returns:
        The smallest field that holds them: a row is computed at layer l when it is
        wanted there or sends to a row computed at layer l + 1.
    """
    needed = [_as_masks(graph, rows) for rows in wanted]
    for layer in range(len(wanted) - 1, 0, -1):
        _spread(graph, needed[layer], needed[layer - 1])
    layers = [_as_rows(masks) for masks in needed]
    hops: list[Hop] = []
    sizes = [{name: len(rows) for name, rows in layer.items()} for layer in layers]
    for index, (below, above) in enumerate(pairwise(layers)):
        # A layer's rows hold the next one's: as many rows are the same rows.
        if index and sizes[index - 1] == sizes[index] == sizes[index + 1]:
            hops.append(hops[-1])
        else:
            hops.append(_hop(graph, below, above))
    return Field(rows=layers[0], hops=tuple(hops))


def _as_masks(graph: Graph, rows: Rows) -> dict[str, np.ndarray]:
    masks = {}
    for name, index in rows.items():
        mask = np.zeros(graph.nodes[name].num_rows, dtype=bool)
        mask[index] = True
        masks[name] = mask
    return masks


def _as_rows(masks: Mapping[str, np.ndarray]) -> dict[str, np.ndarray]:
    found = {name: np.flatnonzero(mask) for name, mask in masks.items()}
    return {name: rows for name, rows in found.items() if len(rows)}


def _spread(
    graph: Graph, above: Mapping[str, np.ndarray], below: dict[str, np.ndarray]
) -> None:
    """Add to the lower layer every row itself and every row that sends to it."""
    for name, mask in above.items():
        below[name] = below[name] | mask if name in below else mask.copy()
    for direction in graph.directions:
        if direction.target not in above:
            continue
        senders = direction.senders[above[direction.target][direction.receivers]]
        if len(senders):
            mask = below.setdefault(
                direction.source,
                np.zeros(graph.nodes[direction.source].num_rows, dtype=bool),
            )
            mask[senders] = True


def _hop(graph: Graph, below: Rows, above: Rows) -> Hop:
    positions = {name: _positions(graph, name, rows) for name, rows in below.items()}
    own = {
        name: None
        if len(rows) == len(below[name])
        else torch.from_numpy(positions[name][rows])
        for name, rows in above.items()
    }
    messages = []
    for channel, direction in enumerate(graph.directions):
        if direction.target in above and direction.source in below:
            found = _messages(channel, direction, graph, positions, below, above)
            if found is not None:
                messages.append(found)
    degrees = {
        name: torch.from_numpy(graph.degrees[name][rows])[:, None]
        for name, rows in below.items()
    }
    return Hop(rows=above, own=own, degrees=degrees, messages=tuple(messages))


def _positions(graph: Graph, name: str, rows: np.ndarray) -> np.ndarray:
    position = np.full(graph.nodes[name].num_rows, -1, dtype=np.int64)
    position[rows] = np.arange(len(rows))
    return position


def _messages(
    channel: int,
    direction: Direction,
    graph: Graph,
    positions: Mapping[str, np.ndarray],
    below: Rows,
    above: Rows,
) -> Messages | None:
    place = _positions(graph, direction.target, above[direction.target])
    receivers = place[direction.receivers]
    kept = np.flatnonzero(receivers >= 0)
    if not len(kept):
        return None
    receivers = receivers[kept]
    senders = positions[direction.source][direction.senders[kept]]
    num_receivers = len(above[direction.target])
    num_senders = len(below[direction.source])
    degree = np.bincount(receivers, minlength=num_receivers)
    sent = np.bincount(senders, minlength=num_senders)
    by_sender = stable_order(senders)
    edge_rows = None if direction.edge_rows is None else direction.edge_rows[kept]
    return Messages(
        channel=channel,
        source=direction.source,
        target=direction.target,
        pointers=_starts(degree),
        senders=_index(senders),
        back_pointers=_starts(sent),
        receivers=_index(receivers[by_sender]),
        by_sender=_index(by_sender),
        degree=torch.from_numpy(degree.astype(np.float32))[:, None],
        links=_index(direction.links[kept]),
        edge_rows=None if edge_rows is None else _index(edge_rows),
    )


def _starts(counts: np.ndarray) -> Tensor:
    return _index(np.concatenate([[0], np.cumsum(counts[:-1])]))


def _index(positions: np.ndarray) -> Tensor:
    """Return positions in 32 bits, which halve what a layer reads beside states."""
    return torch.from_numpy(positions.astype(np.int32))


def _before(counts: Tensor, dtype: torch.dtype) -> Int[Tensor, " rows"]:
    """Return how many messages stand before each row's own."""
    whole = counts.to(dtype)
    return whole.cumsum(0, dtype=dtype) - whole
