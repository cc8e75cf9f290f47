"""Channels that are nearly always 0, held without their zeros."""

from dataclasses import dataclass, replace

import torch
from jaxtyping import Float, Int
from torch import Tensor
from torch.nn import functional


@dataclass(frozen=True, slots=True)
class SparseBlock:
    """The values of some rows that are not 0, row by row (compressed sparse rows).

    Attributes:
        pointers: Where the values of each row begin, and where the last ones end.
        channels: The channel of each value.
        values: The values themselves, never standardised, so that 0 stays 0.
        names: One name per channel.
    """

    pointers: Int[Tensor, " ends"]
    channels: Int[Tensor, " values"]
    values: Float[Tensor, " values"]
    names: tuple[str, ...]

    @property
    def num_rows(self) -> int:
        """Number of rows."""
        return len(self.pointers) - 1

    @property
    def mean_square(self) -> float:
        """Mean over rows of the sum of their squared values; 1 where all are 0."""
        total = float(self.values.double().square().sum())
        return total / max(self.num_rows, 1) or 1.0

    def take(self, rows: Int[Tensor, " taken"]) -> "SparseBlock":
        """Return the values of some rows, in the order given."""
        starts = self.pointers[rows]
        counts = self.pointers[rows + 1] - starts
        pointers = functional.pad(counts.cumsum(0), (1, 0))
        shift = torch.repeat_interleave(starts - pointers[:-1], counts)
        places = torch.arange(len(shift), device=shift.device) + shift
        return replace(
            self,
            pointers=pointers,
            channels=self.channels[places],
            values=self.values[places],
        )

    def to(self, device: torch.device) -> "SparseBlock":
        """Return the same block on a device."""
        return replace(
            self,
            pointers=self.pointers.to(device),
            channels=self.channels.to(device),
            values=self.values.to(device),
        )

    def row_normalised(self) -> "SparseBlock":
        """Return the block with the absolute values of each row adding up to 1.

        A row without values stays so.
        """
        rows = torch.repeat_interleave(
            torch.arange(self.num_rows, device=self.pointers.device),
            self.pointers.diff(),
        )
        sums = self.values.new_zeros(self.num_rows)
        sums = sums.index_add(0, rows, self.values.abs())
        return replace(self, values=self.values / sums[rows])

    def times(
        self, weight: Float[Tensor, "channels width"], values: Float[Tensor, " values"]
    ) -> Float[Tensor, "rows width"]:
        """Return the block times a matrix, with other values in the same places."""
        return functional.embedding_bag(
            self.channels,
            weight,
            self.pointers,
            mode="sum",
            per_sample_weights=values.to(weight.dtype),
            include_last_offset=True,
        )
