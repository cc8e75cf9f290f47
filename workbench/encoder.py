"""Columns → states: the map in front of every network, for rows and for links."""

import torch
from jaxtyping import Float, Int
from torch import Tensor, nn
from torch.nn import functional

from workbench.features import Features


class Encoder(nn.Module):
    """Rows → states: one linear map of all columns, then ReLU.

    The same map as the sum over columns of torch_frame's ``LinearEncoder`` and
    ``EmbeddingEncoder``, without their [rows, columns, width] tensor in the middle.
    """

    offsets: Int[Tensor, " columns"]

    def __init__(self, features: Features, width: int) -> None:
        super().__init__()
        num_channels = features.numerical.shape[1]
        bound = max(num_channels, 1) ** -0.5
        self.weight = nn.Parameter(torch.empty(num_channels, width))
        self.bias = nn.Parameter(torch.empty(width))
        nn.init.uniform_(self.weight, -bound, bound)
        nn.init.uniform_(self.bias, -bound, bound)
        starts = [0]
        for cardinality in features.cardinalities:
            starts.append(starts[-1] + cardinality)
        self.register_buffer("offsets", torch.tensor(starts[:-1], dtype=torch.int64))
        self.table = nn.Parameter(torch.empty(starts[-1], width))
        nn.init.normal_(self.table, std=max(len(starts) - 1, 1) ** -0.5)

    def forward(self, features: Features) -> Float[Tensor, "rows width"]:
        """Return the state of each row."""
        state = features.numerical @ self.weight
        state += self.bias
        if len(self.offsets):
            codes = features.codes + self.offsets
            state += functional.embedding_bag(codes, self.table, mode="sum")
        return state.relu_()
