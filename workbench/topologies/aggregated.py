"""What lies around a row is joined or summarised in it: features without a graph.

    nodes = rows(target)
    edges = 0

Every path of at most k keys from the target is followed, k = 1 unless
``aggregate_depth`` of a topology file says 2 or 3. A path of many-to-one keys brings
the columns of the one row at its end. Any other brings the number of rows at its end;
mean, minimum and maximum of numbers, the first and last of times, the commonest of
categories (of equals the first by name) and how many distinct ones. So what k layers
see of the normalized graph is seen at 0 hops, but as summaries, which lose something;
what is further away is left out.

Rows from after a row's own time are not counted, on the way as at the end, where both
tables have a confirmed time. Paths that lead back to the target's table summarise the
other columns of its rows, never the target or what the task hides.

Source: deep feature synthesis, Kanter & Veeramachaneni (2015),
doi:10.1109/DSAA.2015.7344858; differs in: a path's rows are summarised at once, not
summary by summary.
"""

from workbench.aggregating import Aggregate
from workbench.topology import Topology

AGGREGATED = Topology(
    name="aggregated",
    title="Summaries in the target's rows",
    story="A row carries its parents' columns and summaries of its children's.",
    passes=(Aggregate(),),
    node_count="rows(target)",
    edge_count="0",
    hop_change="0 up to k keys away (as summaries), never beyond",
    source="Kanter & Veeramachaneni (2015), doi:10.1109/DSAA.2015.7344858",
)
