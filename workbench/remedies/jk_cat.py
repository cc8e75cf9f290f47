"""Jumping knowledge: the head reads the states of all layers side by side."""

from collections.abc import Sequence

import torch
from torch import Tensor

from workbench.member import Remedy


def concatenate(states: Sequence[Tensor]) -> Tensor:
    """Return the states of all layers side by side, [rows, width · layers]."""
    return torch.cat(list(states), dim=1)


JK_CAT = Remedy(
    name="jk-cat",
    title="Jumping knowledge, side by side",
    readout=concatenate,
    formula="output = head([h⁰, h¹, …, h^depth]) of the target's rows",
    source=(
        "Xu et al. (2018), arXiv:1806.03536, Sec. 4.1, concatenation; differs in: the"
        " encoded row h⁰ is among the states."
    ),
)
