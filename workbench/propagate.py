"""Sums, maxima and attention over each receiver's messages, with gradients as sums.

The gradient of a segment sum is a segment sum over the transposed links, so neither
direction of a plain sum builds a [messages, width] tensor or scatters. Attention needs
such tensors; `send`, `bring` and `collect` make them, and are each other's gradients.
"""

from collections.abc import Mapping, Sequence

import torch
from jaxtyping import Float, Int
from torch import Tensor

from workbench.field import Messages
from workbench.joining import Joined, Links


def propagate_sum(
    state: Float[Tensor, "senders width"], messages: Messages
) -> Float[Tensor, "receivers width"]:
    """Return the sum of the senders' states at each receiver; 0 without messages."""
    return sum_links(state, messages.ends)


def sum_links(
    state: Float[Tensor, "senders width"], links: Links
) -> Float[Tensor, "receivers width"]:
    """Return the sum along links of the senders' states at each receiver."""
    return _SegmentSum.apply(state, *links)


def copy_all(
    tables: Sequence[Float[Tensor, "senders width"]], joined: Joined
) -> Float[Tensor, "receivers width"]:
    """Return the sum at each receiver of what several relations send it.

    Args:
        tables: What the senders of each relation send.
        joined: The relations, joined by their receivers.
    """
    return _CopyAll.apply(joined, *tables)


def sum_all(
    state: Float[Tensor, "senders width"], joined: Joined
) -> tuple[Float[Tensor, "receivers width"], ...]:
    """Return, for each of several relations, the sum of the states at each receiver.

    Args:
        state: States of the rows that all the relations start from.
        joined: The relations, turned round and joined by those rows.
    """
    return _SumAll.apply(state, joined)


def pick(
    state: Float[Tensor, "rows width"], position: Int[Tensor, " picked"]
) -> Float[Tensor, "picked width"]:
    """Return some rows, each at most once, so that the gradient only has to be put."""
    return _Pick.apply(state, position)


def segment_max(
    state: Float[Tensor, "senders width"], messages: Messages
) -> Float[Tensor, "receivers width"]:
    """Return the channel-wise maximum at each receiver; 0 without messages."""
    return _SegmentMax.apply(state, messages.senders, messages.pointers)


def send(
    state: Float[Tensor, "senders width"], messages: Messages
) -> Float[Tensor, "messages width"]:
    """Return the sender's state for every message."""
    return _Send.apply(
        state, messages.senders, messages.by_sender, messages.back_pointers
    )


def bring(
    state: Float[Tensor, "receivers width"], messages: Messages
) -> Float[Tensor, "messages width"]:
    """Return the receiver's state for every message."""
    return _Bring.apply(state, messages.at, messages.pointers)


def collect(
    values: Float[Tensor, "messages width"], messages: Messages
) -> Float[Tensor, "receivers width"]:
    """Return the sum of the messages at each receiver; 0 without messages."""
    return _Collect.apply(values, messages.at, messages.pointers)


def collect_max(
    values: Float[Tensor, "messages width"], messages: Messages
) -> Float[Tensor, "receivers width"]:
    """Return the channel-wise maximum of the messages; 0 without messages."""
    return _SegmentMax.apply(
        values, _order(values, messages.pointers), messages.pointers
    )


def attend(
    scores: Float[Tensor, "messages heads"],
    values: Float[Tensor, "messages width"],
    messages: Messages,
) -> tuple[Float[Tensor, "receivers width"], Float[Tensor, "receivers heads"]]:
    """Weigh each receiver's messages by the softmax of their scores.

    Each head weighs its own share of the channels. The largest score of a receiver is
    taken away first, so that no exponential overflows.

    Returns:
        The weighted sum, 0 without messages; and the log of the sum of the scores'
        exponentials, minus infinity without messages, by which several such sums can
        be joined into the softmax over all of them.
    """
    peak = collect_max(scores.detach(), messages)
    weights = (scores - bring(peak, messages)).exp()
    total = collect(weights, messages)  # [receivers, heads]; at least 1, or 0 exactly
    shares = weights / bring(total, messages)
    summed = collect(by_head(values, shares), messages)
    mass = peak + total.clamp(min=1).log()
    return summed, mass.masked_fill(total == 0, -torch.inf)


def mean_difference(
    state: Mapping[str, Tensor], own: Mapping[str, Tensor], hop: Sequence[Messages]
) -> dict[str, Tensor]:
    """Return tanh of the mean of (y_u - y_v)² over all messages u → v, channel-wise.

    Args:
        state: y of every node type's rows in the layer below.
        own: y of the receiving rows.
        hop: The messages of every relation.

    Returns:
        [rows, channels] per receiving node type, from 0 up to 1; 0 without messages.
    """
    sums = {name: torch.zeros_like(value) for name, value in own.items()}
    counts = {name: value.new_zeros(len(value), 1) for name, value in own.items()}
    for one in hop:
        sent, here = state[one.source], own[one.target]
        first, second = propagate_sum(sent, one), propagate_sum(sent.square(), one)
        spread = second - 2 * here * first + one.degree * here.square()
        sums[one.target] = sums[one.target] + spread
        counts[one.target] = counts[one.target] + one.degree
    return {
        name: (total.clamp(min=0) / counts[name].clamp(min=1)).tanh()
        for name, total in sums.items()
    }


def by_head(
    values: Float[Tensor, "rows width"], weights: Float[Tensor, "rows heads"]
) -> Float[Tensor, "rows width"]:
    """Return values with each head's share of the channels times its weight."""
    num_rows, heads = weights.shape
    # The shape is spelt out: with no rows torch could not infer it.
    parts = values.view(num_rows, heads, values.shape[1] // heads)
    return (parts * weights[:, :, None]).view(values.shape)


def _bag_sum(
    state: Tensor, index: Int[Tensor, " messages"], starts: Int[Tensor, " bags"]
) -> Tensor:
    """Return sums of bags of rows, by the path that keeps nothing for a gradient."""
    if not len(starts):
        return state.new_zeros(0, state.shape[1])
    return torch.embedding_bag(state.detach(), index, starts, mode=0)[0]


class _SegmentSum(torch.autograd.Function):
    @staticmethod
    def forward(ctx, state, senders, pointers, receivers, back_pointers):
        ctx.save_for_backward(receivers, back_pointers)
        return _bag_sum(state, senders, pointers)

    @staticmethod
    def backward(ctx, *gradients):
        (gradient,) = gradients
        receivers, back_pointers = ctx.saved_tensors
        return (
            _bag_sum(gradient.contiguous(), receivers, back_pointers),
            None,
            None,
            None,
            None,
        )


class _CopyAll(torch.autograd.Function):
    @staticmethod
    def forward(ctx, joined, *tables):
        ctx.joined = joined
        links = joined.links
        return _bag_sum(torch.cat(tables), links.senders, links.pointers)

    @staticmethod
    def backward(ctx, *gradients):
        links = ctx.joined.links
        stack = _bag_sum(
            gradients[0].contiguous(), links.receivers, links.back_pointers
        )
        return None, *stack.split(ctx.joined.heights)


class _SumAll(torch.autograd.Function):
    @staticmethod
    def forward(ctx, state, joined):
        ctx.joined = joined
        stack = _bag_sum(state, joined.links.receivers, joined.links.back_pointers)
        return stack.split(joined.heights)

    @staticmethod
    def backward(ctx, *gradients):
        links = ctx.joined.links
        return _bag_sum(torch.cat(gradients), links.senders, links.pointers), None


class _Pick(torch.autograd.Function):
    @staticmethod
    def forward(ctx, state, position):
        ctx.save_for_backward(position)
        ctx.num_rows = len(state)
        return state.index_select(0, position)

    @staticmethod
    def backward(ctx, *gradients):
        (gradient,) = gradients
        (position,) = ctx.saved_tensors
        back = gradient.new_zeros(ctx.num_rows, gradient.shape[1])
        return back.index_copy_(0, position, gradient), None


class _SegmentMax(torch.autograd.Function):
    @staticmethod
    def forward(ctx, state, senders, pointers):
        if not len(pointers):
            ctx.save_for_backward(pointers, pointers)
            ctx.num_senders = len(state)
            return state.new_zeros(0, state.shape[1])
        result, _, sizes, winners = torch.embedding_bag(
            state, senders, pointers, mode=2
        )
        ctx.save_for_backward(winners, sizes > 0)
        ctx.num_senders = len(state)
        return result

    @staticmethod
    def backward(ctx, *gradients):
        (gradient,) = gradients
        winners, alive = ctx.saved_tensors
        total = gradient.new_zeros(ctx.num_senders, gradient.shape[1])
        if len(winners):
            total.scatter_add_(0, winners[alive].long(), gradient[alive])
        return total, None, None


def _segments(values: Tensor, pointers: Int[Tensor, " bags"]) -> Tensor:
    return _bag_sum(values, _order(values, pointers), pointers)


def _order(values: Tensor, pointers: Tensor) -> Int[Tensor, " values"]:
    """Return the positions of the values, counted as the pointers are."""
    return torch.arange(len(values), dtype=pointers.dtype, device=values.device)


class _Send(torch.autograd.Function):
    @staticmethod
    def forward(ctx, state, senders, by_sender, back_pointers):
        ctx.save_for_backward(by_sender, back_pointers)
        return state.index_select(0, senders)

    @staticmethod
    def backward(ctx, *gradients):
        (gradient,) = gradients
        by_sender, back_pointers = ctx.saved_tensors
        back = _bag_sum(gradient.contiguous(), by_sender, back_pointers)
        return back, None, None, None


class _Bring(torch.autograd.Function):
    @staticmethod
    def forward(ctx, state, at, pointers):
        ctx.save_for_backward(pointers)
        return state.index_select(0, at)

    @staticmethod
    def backward(ctx, *gradients):
        (gradient,) = gradients
        (pointers,) = ctx.saved_tensors
        return _segments(gradient.contiguous(), pointers), None, None


class _Collect(torch.autograd.Function):
    @staticmethod
    def forward(ctx, values, at, pointers):
        ctx.save_for_backward(at)
        return _segments(values, pointers)

    @staticmethod
    def backward(ctx, *gradients):
        (gradient,) = gradients
        (at,) = ctx.saved_tensors
        return gradient.index_select(0, at), None, None
