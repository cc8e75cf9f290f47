"""Links of several relations as one, so that a layer sums along them in one pass.

A row that has a parent along each of three keys is a row with three links to one stack
of parents. Written once instead of three times, its sum costs a third of the memory
traffic; the transpose of the same links serves the parents' sums over their children.
"""

from collections.abc import Iterable
from typing import NamedTuple

import torch
from jaxtyping import Int
from torch import Tensor


class Links(NamedTuple):
    """Links between some rows and others, readable from both ends.

    Attributes:
        senders: Position of each link's sender, sorted by receiver.
        pointers: Where each receiver's links start.
        receivers: Position of each link's receiver, sorted by sender.
        back_pointers: Where each sender's links start.
    """

    senders: Int[Tensor, " links"]
    pointers: Int[Tensor, " receivers"]
    receivers: Int[Tensor, " links"]
    back_pointers: Int[Tensor, " senders"]

    @property
    def reverse(self) -> "Links":
        """The same links with the ends exchanged."""
        return Links(self.receivers, self.back_pointers, self.senders, self.pointers)


class Joined(NamedTuple):
    """The links of several relations with one end in common.

    Attributes:
        channels: Which relations, by their position in ``graph.directions``.
        links: From a stack of their senders, one relation after the other, to the rows
            that they have in common.
        heights: How many senders each relation adds to the stack.
    """

    channels: tuple[int, ...]
    links: Links
    heights: tuple[int, ...]


def join_links(relations: Iterable[tuple[int, Links]]) -> Joined:
    """Return the links of relations with the same receivers as one.

    Args:
        relations: Channel and links of each relation, at least one.
    """
    channels, each = zip(*relations, strict=True)
    counts = [_counts(one) for one in each]
    starts = torch.stack([one.pointers for one in each]).sum(0)
    start = starts.to(each[0].pointers.dtype)
    senders = each[0].senders.new_empty(sum(len(one.senders) for one in each))
    height = links = 0
    next_free, back_pointers = start, []
    for one, count in zip(each, counts, strict=True):
        shift = torch.repeat_interleave(
            next_free - one.pointers, count, output_size=len(one.senders)
        )
        places = shift + torch.arange(len(shift), device=shift.device)
        senders[places] = one.senders + height
        back_pointers.append(one.back_pointers + links)
        next_free = next_free + count
        height += len(one.back_pointers)
        links += len(one.senders)
    joined = Links(
        senders,
        start,
        torch.cat([one.receivers for one in each]),
        torch.cat(back_pointers),
    )
    return Joined(channels, joined, tuple(len(one.back_pointers) for one in each))


def _counts(links: Links) -> Int[Tensor, " receivers"]:
    """Return the number of links of each receiver."""
    end = links.pointers.new_tensor([len(links.senders)])
    return torch.cat([links.pointers, end]).diff()
