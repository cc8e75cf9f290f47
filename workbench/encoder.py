"""Columns → states: the map in front of every network, for rows and for links."""

import torch
from jaxtyping import Float, Int
from torch import Tensor, nn
from torch.nn import functional

from workbench.features import Features
from workbench.propagate import sum_links


class Encoder(nn.Module):
    """Rows → states: one linear map of all columns, then ReLU.

    The same map as the sum over columns of torch_frame's ``LinearEncoder`` and
    ``EmbeddingEncoder``, without their [rows, columns, width] tensor in the middle.
    """

    offsets: Int[Tensor, " columns"]

    def __init__(
        self, features: Features, width: int, input_dropout: float = 0.0
    ) -> None:
        super().__init__()
        self.input_dropout = input_dropout
        num_channels = features.numerical.shape[1]
        num_sparse = 0 if features.sparse is None else len(features.sparse.names)
        bound = max(num_channels + num_sparse, 1) ** -0.5
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
        # After the others, so that their draws are the same with and without it.
        self.sparse = nn.Parameter(torch.empty(num_sparse, width))
        # Unscaled values are small or few: the states get the size that standardised
        # channels would give them, whatever the rows add up to.
        reach = 0.0 if features.sparse is None else features.sparse.mean_square**-0.5
        nn.init.uniform_(self.sparse, -reach, reach)

    def forward(self, features: Features) -> Float[Tensor, "rows width"]:
        """Return the state of each row."""
        state = self._drop(features.numerical) @ self.weight
        state += self.bias
        if len(self.offsets):
            state += self._of_codes(features)
        if features.sparse is not None:
            block = features.sparse
            state += block.times(self.sparse, self._drop(block.values))
        return state.relu_()

    def _of_codes(self, features: Features) -> Float[Tensor, "rows width"]:
        """Return the sum of the rows' codes, a share of them left out in training."""
        if not self.input_dropout or not self.training:
            return sum_links(self.table, features.code_links)
        codes = features.codes + self.offsets
        kept = self._drop(torch.ones_like(codes, dtype=self.table.dtype))
        return functional.embedding_bag(
            codes, self.table, mode="sum", per_sample_weights=kept
        )

    def _drop(self, values: Tensor) -> Tensor:
        """Return the inputs, a share of them 0 while training and the rest larger."""
        return functional.dropout(values, self.input_dropout, self.training)
