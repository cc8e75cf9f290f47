"""A column as its distinct values and where each row has which: few Python values."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pyarrow as pa


@dataclass(frozen=True, slots=True)
class Coded:
    """A column whose values are few, or looked at one by one.

    Attributes:
        values: The values, each once but for 0.0 and -0.0; None is the last.
        places: int64 ``[rows]``: the place in ``values`` of each row's.
    """

    values: Sequence[Any]
    places: np.ndarray

    def __len__(self) -> int:
        return len(self.places)

    def filter(self, kept: np.ndarray) -> "Coded":
        """Return the column of the rows where a mask, bool ``[rows]``, is true."""
        return Coded(self.values, self.places[kept])

    def distinct(self) -> list[Any]:
        """Return the distinct values of the rows in ascending order, None left out."""
        used = np.flatnonzero(np.bincount(self.places, minlength=len(self.values)))
        found = {self.values[place] for place in used.tolist()}
        return sorted(found - {None})

    def listed(self) -> list[Any]:
        """Return the value of every row."""
        return [self.values[place] for place in self.places.tolist()]

    def numbers(self, number_of: Mapping[Any, float] | None = None) -> np.ndarray:
        """Return every row's value as a number, float64; NaN for None.

        Args:
            number_of: What stands for each value; by default the value itself.
        """
        found = self.values
        if number_of is not None:
            found = [number_of.get(value) for value in self.values]
        return np.array(found, dtype=np.float64)[self.places]


def code(column: pa.ChunkedArray) -> Coded:
    """Return an Arrow column by its distinct values."""
    encoded = column.combine_chunks().dictionary_encode()
    values = encoded.dictionary.to_pylist()
    places = encoded.indices.fill_null(len(values)).to_numpy()
    return Coded([*values, None], places.astype(np.int64))
