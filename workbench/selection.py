"""Rows that a reader has chosen: what was predicted of them, and their short code."""

import base64
import binascii
import zlib
from collections.abc import Iterable, Sequence

import numpy as np
import pandas as pd

from workbench.chart import all_series, pick, series_style
from workbench.results import Results

MAX_CODE = 2000


def encode_rows(places: Iterable[int], count: int) -> str:
    """Return a short text that names some of a number of rows.

    A bit a row, compressed and in the letters that an address may hold: any choice
    among 2 000 rows takes at most 360 letters, a few rows about 30.

    Args:
        places: Which rows, counted from 0; those beyond the count are left out.
        count: How many rows there are.
    """
    bits = np.zeros(count, dtype=bool)
    bits[[place for place in places if 0 <= place < count]] = True
    if not bits.any():
        return ""
    packed = zlib.compress(np.packbits(bits).tobytes(), 9)
    return base64.urlsafe_b64encode(packed).decode().rstrip("=")


def decode_rows(code: str, count: int) -> tuple[int, ...]:
    """Return which rows a text names; none where `encode_rows` did not write it."""
    if not code or len(code) > MAX_CODE:
        return ()
    num_bytes = -(-count // 8)
    try:
        packed = base64.urlsafe_b64decode(code + "=" * (-len(code) % 4))
        raw = zlib.decompressobj().decompress(packed, num_bytes + 1)
    except (ValueError, binascii.Error, zlib.error):
        return ()
    if len(raw) != num_bytes:
        return ()
    bits = np.unpackbits(np.frombuffer(raw, dtype=np.uint8))[:count]
    return tuple(int(place) for place in np.flatnonzero(bits))


def selection_table(
    results: Results, keys: Sequence[str], depth: int, *, seed: int = 0
) -> pd.DataFrame:
    """Return what the networks of one depth make of some rows.

    Args:
        results: A results folder.
        keys: The rows, by the target's primary key.
        depth: The networks' depth.
        seed: Of which run the predictions are.

    Returns:
        A row per key in their order: ``key``, ``label``, and per series ``… correct``
        and ``… prediction``, which is missing for rows outside the test set.
    """
    wanted = [str(key) for key in keys]
    if not wanted:
        return pd.DataFrame(columns=["key", "label"])
    projected = pick(results.projection, depth=depth)
    projected = projected[projected["key"].astype(str).isin(wanted)]
    table = pd.DataFrame({"key": wanted}).set_index("key", drop=False)
    table["label"] = _by_key(results.projection, "label").reindex(wanted)
    predicted = pick(results.predictions, depth=depth, seed=seed)
    for series in all_series(results):
        label = series_style(results, series).label
        right = _by_key(series.rows(projected), "correct")
        said = _by_key(series.rows(predicted), "prediction")
        table[f"{label}: correct"] = right.reindex(wanted)
        table[f"{label}: prediction"] = said.reindex(wanted)
    return table.reset_index(drop=True)


def _by_key(frame: pd.DataFrame, column: str) -> pd.Series:
    """Return a column by key as text, each key once."""
    once = frame.drop_duplicates(subset="key")
    return pd.Series(once[column].to_numpy(), index=once["key"].astype(str))
