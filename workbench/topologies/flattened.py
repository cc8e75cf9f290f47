"""Parents are folded into the rows that refer to them: many-to-one joins, done first.

    nodes = Σ rows of tables that are not folded
    edges = Σ over keys left, and over the rows that hold or inherit them, of non-null,
            non-dangling ones

Folding k parents on a path brings what lies behind them k hops nearer; a target whose
parents are all folded sees them at 0 hops. Rows that met only at a folded parent meet
there no more. So a table without which others would lose their way to the target (a
hub) stays a node, as do the target, self-references and circles of keys; one-to-many
stays an edge. With ``full = true`` in a topology file hubs are folded as well, and the
warnings name what was lost.

Source: direct features of deep feature synthesis, Kanter & Veeramachaneni (2015),
doi:10.1109/DSAA.2015.7344858; differs in: one-to-many stays an edge.
"""

from workbench.passes import Fold
from workbench.topology import Topology

FLATTENED = Topology(
    name="flattened",
    title="Flattened (parents folded into rows)",
    story="A row carries the columns of the rows that it refers to.",
    passes=(Fold(),),
    node_count="Σ rows of tables that are not folded",
    edge_count="Σ non-null, non-dangling keys left, own or inherited",
    hop_change="k less behind k folded parents",
    source="Kanter & Veeramachaneni (2015), doi:10.1109/DSAA.2015.7344858",
)
