"""Every row is a node and every foreign key is an edge.

    nodes = Σ over tables of rows
    edges = Σ over keys of rows whose key is neither NULL nor dangling

The hop distance from the target to a column is the length of the shortest join path
between their tables. This is the graph the other topologies are measured against.

Source: Fey et al. (2023), arXiv:2312.04615, the relational entity graph; "R2N" in Wang
et al. (2024), arXiv:2404.18209.
"""

from workbench.topology import Topology

ROW2NODE = Topology(
    name="row2node",
    title="Normalized (every row a node)",
    story="Each row of each table is a node, tied to the rows that it refers to.",
    passes=(),
    node_count="Σ rows",
    edge_count="Σ non-null, non-dangling keys",
    hop_change="length of the shortest join path",
    source="Fey et al. (2023), arXiv:2312.04615",
)
