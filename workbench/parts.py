"""Where a graph's target rows lie: how many links they have, and in which part."""

import numpy as np
import pandas as pd
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components

from workbench.graph import Graph


def locate_rows(graph: Graph) -> pd.DataFrame:
    """Return what is known of every target row's place in a graph.

    Rows hear nothing across parts, however deep a network is: what differs between
    parts cannot be told by a message.

    Returns:
        A row per row of the target's node type: ``degree``, the number of messages it
        receives in one layer, and ``component``, the connected component it lies in
        (links taken both ways), numbered by its number of nodes from 0, the largest.
    """
    sizes = {name: features.num_rows for name, features in graph.nodes.items()}
    ends = np.cumsum([0, *sizes.values()])
    first = dict(zip(sizes, map(int, ends), strict=False))
    total = int(ends[-1])
    empty = np.zeros(0, dtype=np.int64)
    links = graph.relations
    children = [first[one.source] + one.source_rows for one in links]
    parents = [first[one.target] + one.target_rows for one in links]
    child, parent = (
        np.concatenate([empty, *children]),
        np.concatenate([empty, *parents]),
    )
    ties = coo_array((np.ones(len(child), dtype=bool), (child, parent)), (total, total))
    _, labels = connected_components(ties, directed=False)
    order = np.argsort(-np.bincount(labels), kind="stable")
    ranks = np.empty(len(order), dtype=np.int64)
    ranks[order] = np.arange(len(order))
    start = first[graph.target]
    mine = labels[start : start + sizes[graph.target]]
    return pd.DataFrame(
        {
            "degree": graph.degrees[graph.target].astype(np.int64),
            "component": ranks[mine],
        }
    )
