"""A graph as PyTorch Geometric and torch_frame hold one; training never needs it."""

import numpy as np
import torch
import torch_frame
from torch_frame.data import StatType
from torch_geometric.data import HeteroData

from workbench.features import Features
from workbench.graph import Graph


def to_hetero_data(graph: Graph) -> HeteroData:
    """Return a graph for PyTorch Geometric.

    Returns:
        Per node type a ``tf`` (a torch_frame ``TensorFrame``) and ``num_nodes``;
        per direction an ``edge_index`` (int64, [2, messages]) and, for junctions,
        an ``edge_attr`` of the numerical channels. A relation's reverse is named
        ``rev_`` and its name, as PyG's ``ToUndirected`` names it.
    """
    data = HeteroData()
    for name, features in graph.nodes.items():
        data[name].num_nodes = features.num_rows
        data[name].tf = to_tensor_frame(features)
    for way in graph.directions:
        relation = f"rev_{way.relation}" if way.reverse else way.relation
        store = data[way.source, relation, way.target]
        ends = np.stack([way.senders, way.receivers]).astype(np.int64)
        store.edge_index = torch.from_numpy(ends)
        if way.attributes is not None:
            store.edge_attr = way.attributes.numerical[way.edge_rows]
    return data


def to_tensor_frame(features: Features) -> torch_frame.TensorFrame:
    """Return features as the value that torch_frame's encoders read."""
    tensors, names = {}, {}
    if features.numerical_names:
        tensors[torch_frame.numerical] = features.numerical
        names[torch_frame.numerical] = list(features.numerical_names)
    if features.code_names:
        tensors[torch_frame.categorical] = features.codes
        names[torch_frame.categorical] = list(features.code_names)
    return torch_frame.TensorFrame(feat_dict=tensors, col_names_dict=names)


def column_statistics(features: Features) -> dict[str, dict[StatType, object]]:
    """Return the statistics torch_frame's encoders ask for, without a pass per value.

    Returns:
        Mean 0 and deviation 1 for numerical channels (they are standardised) and the
        list of codes with their counts for categorical columns.
    """
    statistics: dict[str, dict[StatType, object]] = {
        name: {StatType.MEAN: 0.0, StatType.STD: 1.0}
        for name in features.numerical_names
    }
    columns = zip(features.code_names, features.cardinalities, strict=True)
    for index, (name, cardinality) in enumerate(columns):
        counts = torch.bincount(features.codes[:, index], minlength=cardinality)
        codes = list(range(cardinality))
        statistics[name] = {StatType.COUNT: (codes, counts.tolist())}
    return statistics
