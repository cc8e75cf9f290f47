"""Sums and maxima over each receiver's messages, with gradients that stay sums.

The gradient of a segment sum is a segment sum over the transposed links, so neither
direction builds a [messages, width] tensor or scatters.
"""

import torch
from jaxtyping import Float, Int
from torch import Tensor

from workbench.field import Messages


def propagate_sum(
    state: Float[Tensor, "senders width"], messages: Messages
) -> Float[Tensor, "receivers width"]:
    """Return the sum of the senders' states at each receiver; 0 without messages."""
    return _SegmentSum.apply(
        state,
        messages.senders,
        messages.pointers,
        messages.receivers,
        messages.back_pointers,
    )


def segment_max(
    state: Float[Tensor, "senders width"], messages: Messages
) -> Float[Tensor, "receivers width"]:
    """Return the channel-wise maximum at each receiver; 0 without messages."""
    return _SegmentMax.apply(state, messages.senders, messages.pointers)


def _bag_sum(
    state: Tensor, index: Int[Tensor, " messages"], starts: Int[Tensor, " bags"]
) -> Tensor:
    if not len(starts):
        return state.new_zeros(0, state.shape[1])
    return torch.embedding_bag(state, index, starts, mode=0)[0]


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
            total.scatter_add_(0, winners[alive], gradient[alive])
        return total, None, None
