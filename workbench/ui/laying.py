"""UMAP on request: who is at it, what has been laid out, how far it is.

One layout is computed at a time, by a worker process, whoever asks for it; others wait
their turn. A click anywhere else ends the waiting, and the worker of whoever clicked.
"""

from collections import OrderedDict
from collections.abc import Callable
from contextlib import closing
from dataclasses import dataclass, field
from threading import Lock

import streamlit as st

from workbench.chart import all_series
from workbench.embedding import Laid, embed
from workbench.results import Results

MAX_KEPT = 64
WAIT_S = 0.3

Asked = tuple[tuple[str, int], int, int]


@dataclass(frozen=True, slots=True)
class Desk:
    """What has been laid out, the oldest going first, and whose turn it is."""

    kept: OrderedDict[Asked, tuple[Laid, ...]] = field(default_factory=OrderedDict)
    turn: Lock = field(default_factory=Lock)


def layouts(
    results: Results, asked: Asked, tell: Callable[[float, str], object]
) -> tuple[Laid, ...]:
    """Return where UMAP puts the rows at one layer of every network of a depth.

    Args:
        results: A results folder.
        asked: The folder and when it was written, the depth, the layer.
        tell: Called a few times a second with the share that is done, and words. A
            rerun of the page ends the work there.
    """
    desk = _desk()
    while not desk.turn.acquire(timeout=WAIT_S):
        tell(0.0, "Another layout is being computed; yours is next…")
    try:
        if asked not in desk.kept:
            desk.kept[asked] = _laid(results, asked, tell)
        desk.kept.move_to_end(asked)
        while len(desk.kept) > MAX_KEPT:
            desk.kept.popitem(last=False)
        return desk.kept[asked]
    finally:
        desk.turn.release()


def _laid(
    results: Results, asked: Asked, tell: Callable[[float, str], object]
) -> tuple[Laid, ...]:
    _, depth, layer = asked
    total = len(all_series(results))
    done: list[Laid] = []
    with closing(embed(results, depth, layer)) as steps:  # what ends us ends it
        for found in steps:
            if found is not None:
                done.append(found)
            text = f"Laying rows out (UMAP): {len(done)} of {total} networks…"
            tell(min(1.0, len(done) / total), text)
    return tuple(done)


@st.cache_resource(max_entries=1, show_spinner=False)
def _desk() -> Desk:
    return Desk()
