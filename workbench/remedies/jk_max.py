"""Jumping knowledge: the head reads the largest of all layers, channel by channel."""

from collections.abc import Sequence

import torch
from torch import Tensor

from workbench.member import Remedy


def largest(states: Sequence[Tensor]) -> Tensor:
    """Return the channel-wise maximum over all layers, [rows, width]."""
    return torch.stack(list(states)).amax(dim=0)


JK_MAX = Remedy(
    name="jk-max",
    title="Jumping knowledge, the maximum",
    readout=largest,
    formula="output = head(max(h⁰, h¹, …, h^depth)) of the target's rows, channel-wise",
    source=(
        "Xu et al. (2018), arXiv:1806.03536, Sec. 4.1, max-pooling; differs in: the"
        " encoded row h⁰ is among the states."
    ),
)
