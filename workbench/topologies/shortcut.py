"""Normalized, and every row has an edge to each ancestor: foreign-key closure.

    nodes = Σ over tables of rows
    edges = Σ over keys of rows whose key is neither NULL nor dangling
            + Σ over chains of 2 to 3 keys of rows from which no key on the chain is

A chain of p keys costs 1 hop instead of p, both ways, so that an ancestor is as near as
in the flattened graph plus one, and every schema of the same facts brings it equally
near. Only many-to-one keys are chained, each row has one edge a chain; two chains
between the same tables are two edge types, and a chain that would pass a table twice
(self-references, circles) has none. ``shortcut_length`` of a topology file sets the
longest chain.

Source: metapath edges, Sun et al. (2011), doi:10.14778/3402707.3402736; differs in:
many-to-one chains alone, up to a length, for every pair of tables.
"""

from workbench.passes import Shortcut
from workbench.topology import Topology

SHORTCUT = Topology(
    name="shortcut",
    title="Shortcuts along keys",
    story="Normalized; then each row is tied to its ancestors directly.",
    passes=(Shortcut(),),
    node_count="Σ rows",
    edge_count="Σ non-null, non-dangling keys + Σ unbroken chains of 2 to 3 keys",
    hop_change="1 along a chain of p keys instead of p",
    source="Sun et al. (2011), doi:10.14778/3402707.3402736",
)
