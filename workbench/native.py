"""The pass that keeps a graph as it came, where a database is one already."""

from dataclasses import dataclass, replace

from workbench.blueprint import (
    EDGE_ROLES,
    ColumnRole,
    Decision,
    KeyRole,
    TableRole,
)
from workbench.draft import Draft
from workbench.recognise import FeatureList, NativeGraph, find_graph


@dataclass(frozen=True, slots=True)
class KeepGraph:
    """Leaves a graph as it came: links without direction, listed features in the node.

    It does nothing to a database that `workbench.recognise` takes for none. A list of
    links often holds a pair twice, once each way, or a row tied to itself; taken by the
    row, such a pair would count double. Links with columns of their own are left as
    they are, for two of them may say different things.

    Source: the reading of the public citation graphs in Yang et al. (2016),
        arXiv:1603.08861, as PyTorch Geometric's ``Planetoid`` has it: both ways, each
        pair once, no row tied to itself, one channel a word.
    """

    def __call__(self, draft: Draft) -> Draft:
        """Return the draft with the links undirected and the feature list a bag."""
        graph = find_graph(draft.schema)
        if graph is None or draft.spec.table != graph.nodes:
            return draft
        if graph.features is not None:
            draft = _gather(draft, graph.features, graph.nodes)
        return _untie_direction(draft, graph)


def _gather(draft: Draft, features: FeatureList, nodes: str) -> Draft:
    """Return the draft with a long table of features in the rows of the nodes."""
    subject = f"{features.table}.{features.feature}"
    kept = draft.keys[features.key].role in EDGE_ROLES
    hidden = tuple(subject.split(".", 1)) in draft.spec.hidden
    if not kept or hidden or draft.tables[features.table].role is not TableRole.NODE:
        return draft
    number = draft.schema.column(features.table, features.feature).num_distinct
    bag = Decision(
        subject,
        ColumnRole.BAG,
        f"A long list: each of its {number:,} values is a channel of {nodes}, nearly"
        " always 0; only what is not 0 is kept.",
    )
    reason = f"Its rows list the features of {nodes}."
    draft = draft.decide(
        [Decision(features.table, TableRole.AGGREGATED, reason)],
        [Decision(features.key, KeyRole.AGGREGATED, reason)],
        [bag],
    )
    amount = f"{features.table}.{features.amount}"
    if features.amount and draft.columns[amount].role is ColumnRole.FEATURE:
        said = f"Says how much of each {features.feature} a row has."
        draft = draft.decide(columns=[Decision(amount, ColumnRole.FEATURE, said)])
    return replace(draft, aggregate_depth=max(draft.aggregate_depth, 1))


def _untie_direction(draft: Draft, graph: NativeGraph) -> Draft:
    """Return the draft with links that run both ways alike, each pair once."""
    is_edge = draft.tables[graph.links].role is TableRole.EDGE
    plain = all(draft.keys[one].role is KeyRole.EDGE for one in graph.keys)
    if graph.has_attributes or not is_edge or not plain:
        return draft
    table = (
        f"Each row is a link between two rows of {graph.nodes}: this database is a"
        " graph already. A pair is linked once, however often and whichever way round"
        " it is listed, and no row to itself."
    )
    return draft.decide(
        [Decision(graph.links, TableRole.EDGE, table)],
        [
            Decision(one, KeyRole.UNDIRECTED, "Messages run both ways alike.")
            for one in graph.keys
        ],
    )
