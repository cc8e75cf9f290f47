"""Columns of one node or edge type as tensors: a float block and a code block.

Statistics come from all rows of a table and never from the target column, so that
permuting the target leaves every tensor bit-identical.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np
import pyarrow as pa
import torch
from jaxtyping import Float, Int
from scipy.sparse import csr_array, hstack
from sklearn.feature_extraction.text import HashingVectorizer
from torch import Tensor

from workbench.entries import Entries
from workbench.joining import Links
from workbench.schema import Stype
from workbench.sparse import SparseBlock
from workbench.stypes import frequent_parts

MAX_CATEGORIES = 256
MAX_PARTS = 64
TEXT_CHANNELS = 32
SECONDS_PER_YEAR = 365.2425 * 86_400


@dataclass(frozen=True)
class Features:
    """What is known of each row, before any network has seen it.

    Attributes:
        num_rows: Number of rows.
        numerical: Standardised channels (mean 0, deviation 1 over all rows); a missing
            value is 0 and has a channel of its own that says so.
        numerical_names: One name per channel of ``numerical``.
        codes: One column per categorical column; 0 is missing, 1 is "any other value"
            and the most frequent values follow.
        code_names: One name per column of ``codes``.
        cardinalities: Number of codes of each column, the two reserved ones included.
        sparse: Channels that are nearly always 0, as they are; None without any.
    """

    num_rows: int
    numerical: Float[Tensor, "rows channels"]
    numerical_names: tuple[str, ...]
    codes: Int[Tensor, "rows columns"]
    code_names: tuple[str, ...]
    cardinalities: tuple[int, ...]
    sparse: SparseBlock | None = None

    @cached_property
    def code_links(self) -> Links:
        """Which codes each row has, of all columns one after the other."""
        starts = np.cumsum([0, *self.cardinalities])
        offsets = torch.from_numpy(starts[:-1]).to(self.codes.device)
        codes = (self.codes + offsets).flatten()
        counts = torch.bincount(codes, minlength=int(starts[-1]))
        width = len(self.cardinalities)
        return Links(
            senders=codes.int(),
            pointers=torch.arange(self.num_rows, device=codes.device).int() * width,
            receivers=(codes.argsort(stable=True) // max(width, 1)).int(),
            back_pointers=(counts.cumsum(0) - counts).int(),
        )

    def take(self, rows: Int[Tensor, " taken"]) -> "Features":
        """Return the features of some rows, in the order given."""
        return Features(
            num_rows=len(rows),
            numerical=self.numerical[rows],
            numerical_names=self.numerical_names,
            codes=self.codes[rows],
            code_names=self.code_names,
            cardinalities=self.cardinalities,
            sparse=None if self.sparse is None else self.sparse.take(rows),
        )

    def to(self, device: torch.device) -> "Features":
        """Return the same features on a device."""
        return Features(
            num_rows=self.num_rows,
            numerical=self.numerical.to(device),
            numerical_names=self.numerical_names,
            codes=self.codes.to(device),
            code_names=self.code_names,
            cardinalities=self.cardinalities,
            sparse=None if self.sparse is None else self.sparse.to(device),
        )

    def row_normalised(self) -> "Features":
        """Return the features with each row's amounts as shares that add up to 1.

        That is so for the sparse channels, and for the numerical ones where none is
        below 0; standardised channels and codes stay as they are.
        """
        numerical = self.numerical
        if numerical.numel() and bool((numerical >= 0).all()):
            sums = numerical.sum(dim=1, keepdim=True)
            numerical = numerical / sums.masked_fill(sums == 0, 1)
        sparse = None if self.sparse is None else self.sparse.row_normalised()
        return replace(self, numerical=numerical, sparse=sparse)


def encode_columns(
    values: pa.Table,
    stypes: Mapping[str, Stype],
    num_rows: int,
    entries: Sequence[Entries] = (),
) -> Features:
    """Turn a table's columns into standardised channels and codes.

    Args:
        values: One column per feature, in row order; a timestamp column holds seconds
            since 1970.
        stypes: The semantic type of every column of ``values``.
        num_rows: Number of rows, also when there are no columns.
        entries: Columns that are nearly always 0, by what is not.

    Returns:
        Features with every numerical, timestamp, text and categorical column, and a 0/1
        channel for each of the commonest parts of a multicategorical one; columns
        without variation add no channel.
    """
    blocks: list[np.ndarray] = []
    block_names: list[str] = []
    codes: list[np.ndarray] = []
    code_names: list[str] = []
    cardinalities: list[int] = []
    for name in values.column_names:
        column = values.column(name)
        match stypes[name]:
            case Stype.NUMERICAL:
                block, suffixes = _standardise(_floats(column))
            case Stype.TIMESTAMP:
                block, suffixes = _encode_time(_floats(column))
            case Stype.TEXT | Stype.FREE_TEXT:
                block, suffixes = _hash_text(column)
            case Stype.MULTICATEGORICAL:
                block, suffixes = _encode_parts(column)
            case Stype.CATEGORICAL | Stype.BOOLEAN:
                code, cardinality = _encode_categories(column)
                codes.append(code)
                code_names.append(name)
                cardinalities.append(cardinality)
                continue
            case Stype.ID | Stype.CONSTANT:
                continue
        blocks.append(block)
        block_names += [f"{name}{suffix}" for suffix in suffixes]
    return Features(
        num_rows=num_rows,
        numerical=_stack(blocks, num_rows, np.float32),
        numerical_names=tuple(block_names),
        codes=_stack(codes, num_rows, np.int64),
        code_names=tuple(code_names),
        cardinalities=tuple(cardinalities),
        sparse=_join_entries(entries),
    )


def _join_entries(entries: Sequence[Entries]) -> SparseBlock | None:
    """Return several groups of sparse channels side by side."""
    if not entries:
        return None
    num_rows = len(entries[0].pointers) - 1
    joined = hstack(
        [
            csr_array(
                (one.values, one.channels, one.pointers),
                shape=(num_rows, len(one.names)),
            )
            for one in entries
        ],
        format="csr",
    )
    return SparseBlock(
        pointers=torch.from_numpy(joined.indptr.astype(np.int64)),
        channels=torch.from_numpy(joined.indices.astype(np.int64)),
        values=torch.from_numpy(joined.data.astype(np.float32)),
        names=tuple(name for one in entries for name in one.names),
    )


def _stack(columns: Sequence[np.ndarray], num_rows: int, dtype: type) -> Tensor:
    if not columns:
        return torch.from_numpy(np.zeros((num_rows, 0), dtype=dtype))
    return torch.from_numpy(np.column_stack(columns).astype(dtype, copy=False))


def _floats(column: pa.ChunkedArray) -> np.ndarray:
    return column.cast(pa.float64()).to_numpy()


def _standardise(values: np.ndarray) -> tuple[np.ndarray, list[str]]:
    """Return the standardised channel and, where values are missing, its indicator."""
    known = np.isfinite(values)
    present = values if bool(known.all()) else values[known]
    channels, suffixes = [], []
    deviation = present.std() if present.size else 0.0
    if deviation > 0 and np.isfinite(deviation):
        scaled = ((present - present.mean()) / deviation).astype(np.float32)
        if present.size < len(values):
            whole = np.zeros(len(values), dtype=np.float32)
            whole[known] = scaled
            scaled = whole
        channels.append(scaled)
        suffixes.append("")
    if present.size and present.size < len(values):
        channels.append((~known).astype(np.float32))
        suffixes.append(" is missing")
    block = np.column_stack(channels) if channels else np.zeros((len(values), 0))
    return block, suffixes


def _encode_time(seconds: np.ndarray) -> tuple[np.ndarray, list[str]]:
    """Return the instant, standardised, and its phase within the year."""
    block, suffixes = _standardise(seconds)
    phase = 2 * np.pi * seconds / SECONDS_PER_YEAR
    cycle = np.nan_to_num(np.column_stack([np.sin(phase), np.cos(phase)]))
    return np.column_stack([block, cycle]), [*suffixes, " sine", " cosine"]


def _hash_text(column: pa.ChunkedArray) -> tuple[np.ndarray, list[str]]:
    """Return hashed word counts, one row a text, each of unit length."""
    encoded = column.cast(pa.string()).combine_chunks().dictionary_encode()
    vectorizer = HashingVectorizer(n_features=TEXT_CHANNELS, norm="l2")
    texts = encoded.dictionary.to_pylist()
    rows = encoded.indices.fill_null(len(texts)).to_numpy()
    hashed = vectorizer.transform([*texts, ""]).toarray().astype(np.float32)
    return hashed[rows], [f" word {index}" for index in range(TEXT_CHANNELS)]


def _encode_parts(column: pa.ChunkedArray) -> tuple[np.ndarray, list[str]]:
    """Return a 0/1 channel for each of the most frequent parts of lists."""
    encoded = column.cast(pa.string()).combine_chunks().dictionary_encode()
    texts = encoded.dictionary.to_pylist()
    rows = encoded.indices.fill_null(len(texts)).to_numpy()
    uses = np.bincount(rows, minlength=len(texts) + 1)
    kept, held = frequent_parts([*texts, None], uses.tolist(), MAX_PARTS)
    block = np.array(held, dtype=np.float32).reshape(len(held), len(kept))[rows]
    suffixes = [f' has "{part}"' for part in kept]
    missing = rows == len(texts)
    if missing.any() and kept:
        block = np.column_stack([block, missing.astype(np.float32)])
        suffixes.append(" is missing")
    return block, suffixes


def _encode_categories(column: pa.ChunkedArray) -> tuple[np.ndarray, int]:
    """Return codes: 0 missing, 1 other, then values from most to least frequent."""
    encoded = column.cast(pa.string()).combine_chunks().dictionary_encode()
    values = encoded.dictionary.to_pylist()
    indices = encoded.indices.fill_null(-1).to_numpy()
    counts = np.bincount(indices[indices >= 0], minlength=len(values))
    order = sorted(range(len(values)), key=lambda at: (-counts[at], values[at]))
    code_of = np.ones(len(values) + 1, dtype=np.int64)
    kept = order[:MAX_CATEGORIES]
    code_of[kept] = np.arange(2, 2 + len(kept))
    code_of[-1] = 0
    return code_of[indices], 2 + len(kept)
