"""Rows of junction tables are edges; everything else is as in row2node.

    nodes = Σ rows of tables that are no junction
    edges = Σ rows of junctions with both parents + Σ non-null, non-dangling other keys

Crossing a junction costs one hop instead of two: a path through m junctions shrinks
from 2 m hops to m. A junction's own columns become edge attributes, seen one layer from
its nearer end. Which tables are junctions, and what others would say, stands in the
reason of each decision.

Source: Wang et al. (2024), arXiv:2404.18209, "R2N/E"; Row2Edge in Choi et al. (2025),
arXiv:2506.01360.
"""

from workbench.native import KeepGraph
from workbench.passes import RowToEdge
from workbench.topology import Topology

ROW2EDGE = Topology(
    name="row2edge",
    title="Junctions as edges",
    story="A row that only ties two others together becomes the tie itself.",
    passes=(RowToEdge(), KeepGraph()),
    node_count="Σ rows of tables that are no junction",
    edge_count="Σ junction rows with both parents + Σ valid keys of other tables",
    hop_change="1 across a junction instead of 2",
    source="Wang et al. (2024), arXiv:2404.18209",
)
