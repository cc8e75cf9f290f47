"""Where a graph's target rows lie: how many links they have, and in which part."""

from collections.abc import Iterator

import numpy as np
import pandas as pd

from workbench.graph import Graph
from workbench.ordering import index_type

CHUNK = 2**20  # links looked at together, so that no list of all of them is copied


def locate_rows(graph: Graph) -> pd.DataFrame:
    """Return what is known of every target row's place in a graph.

    Rows hear nothing across parts, however deep a network is: what differs between
    parts cannot be told by a message.

    Returns:
        A row per row of the target's node type: ``degree``, the number of messages it
        receives in one layer, and ``component``, the connected component it lies in
        (links taken both ways), numbered by its number of nodes from 0, the largest.
    """
    first, total = {}, 0
    for name, features in graph.nodes.items():
        first[name] = total
        total += features.num_rows
    labels = _label_parts(graph, first, total)
    # A part is labelled by its first node, so that of equal size the earlier is first.
    parts, sizes = np.unique(labels, return_counts=True)
    ranks = np.empty(len(parts), dtype=np.int64)
    ranks[np.argsort(-sizes, kind="stable")] = np.arange(len(parts))
    start = first[graph.target]
    mine = labels[start : start + graph.nodes[graph.target].num_rows]
    return pd.DataFrame(
        {
            "degree": graph.degrees[graph.target].astype(np.int64),
            "component": ranks[np.searchsorted(parts, mine)],
        }
    )


def _label_parts(graph: Graph, first: dict[str, int], total: int) -> np.ndarray:
    """Return the first node of every node's connected component.

    Args:
        graph: The graph.
        first: By node type, the number of its first node among all.
        total: Number of nodes.

    Source: Shiloach & Vishkin (1982), Journal of Algorithms 3: parts that a link joins
        are hung below the smaller label, and labels followed to their end, until no
        link joins two. It takes the links in pieces, 4 bytes a node besides.
    """
    labels = np.arange(total, dtype=index_type(total))
    is_done = False
    while not is_done:
        is_done = True
        for child, parent in _pieces(graph, first):
            one, other = labels[child], labels[parent]
            apart = one != other
            if apart.any():
                is_done = False
                one, other = one[apart], other[apart]
                np.minimum.at(labels, np.maximum(one, other), np.minimum(one, other))
        if not is_done:
            labels = _follow(labels)
    return labels


def _pieces(
    graph: Graph, first: dict[str, int]
) -> Iterator[tuple[np.ndarray, np.ndarray]]:
    """Yield the two nodes of every link, some links at a time."""
    for one in graph.relations:
        for at in range(0, len(one.source_rows), CHUNK):
            some = slice(at, at + CHUNK)
            yield (
                one.source_rows[some] + first[one.source],
                one.target_rows[some] + first[one.target],
            )


def _follow(labels: np.ndarray) -> np.ndarray:
    """Return each node's label, its label's, and so on to one that is its own."""
    while True:
        further = labels[labels]
        if np.array_equal(further, labels):
            return labels
        labels = further
