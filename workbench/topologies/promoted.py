"""Flattened, and the values of categorical columns are nodes of their own.

    nodes = nodes(flattened) + Σ distinct values of promoted columns
    edges = edges(flattened) + Σ over promoted columns, and over the rows that carry
            them, of non-null values

A promoted column is one hop further than it was, and rows that share a value are two
hops apart. Values that many rows share are hubs, through which much is squeezed; a
warning names the busiest. Columns with 2 to 50 distinct values are promoted.

Source: Cucumides & Geerts (2025), arXiv:2506.02243; differs in: every eligible column
is promoted, none is scored against the task.
"""

from workbench.passes import Fold, Promote
from workbench.topology import Topology

PROMOTED = Topology(
    name="promoted",
    title="Values as nodes",
    story="Flattened; then rows that share a value are tied to one node for it.",
    passes=(Fold(), Promote()),
    node_count="nodes(flattened) + Σ distinct promoted values",
    edge_count="edges(flattened) + Σ non-null promoted values carried",
    hop_change="1 more for a promoted column; 2 between rows that share a value",
    source="Cucumides & Geerts (2025), arXiv:2506.02243",
)
