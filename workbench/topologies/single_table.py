"""The target's own rows without any edge: what every graph has to beat.

    nodes = rows(target)
    edges = 0

Only the target table's own columns are seen, at 0 hops; every other column is out of
reach at any depth, and each depth sees the same. Called "single" in the source.

Source: Wang et al. (2024), arXiv:2404.18209, the single-table baseline.
"""

from workbench.passes import Drop
from workbench.topology import Topology

SINGLE_TABLE = Topology(
    name="single-table",
    title="Target table alone (no graph)",
    story="Only the rows to predict, each by itself.",
    passes=(Drop(others=True),),
    node_count="rows(target)",
    edge_count="0",
    hop_change="own columns at 0, all others never",
    source="Wang et al. (2024), arXiv:2404.18209",
)
