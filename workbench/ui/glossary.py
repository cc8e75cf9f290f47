"""The words of the field, in plain ones."""

from collections.abc import Mapping
from types import MappingProxyType

GLOSSARY: Mapping[str, str] = MappingProxyType(
    {
        "Table, row, column": "What the database holds. A row is one thing; a column is"
        " one fact about it.",
        "Key (foreign key)": "A column that names a row of another table. Keys are what"
        " a graph is made from.",
        "Target": "The column that is to be predicted. Its table holds the rows that"
        " are trained and tested on (the entity table).",
        "Split": "Which rows are learnt from (training), which choose when to stop"
        " (validation), and which are only looked at in the end (test).",
        "Node, edge": "A node is one point of the graph, most often a row. An edge ties"
        " two nodes, most often because a key does.",
        "Node type, edge type": "Nodes of one table, and edges of one key, are treated"
        " alike. A graph with several types is a heterogeneous graph.",
        "Topology (graph construction)": "The rules by which tables become nodes and"
        " edges. The same rows can become very different graphs.",
        "Row2Node": "Every row becomes a node and every key an edge (also called a"
        " relational entity graph).",
        "Row2Edge": "A row that only ties two others, such as who takes part in what (a"
        " junction table), becomes the edge between them.",
        "Flattened (denormalized)": "A row takes over the columns of the rows it refers"
        " to, so these come nearer and their tables are gone as nodes.",
        "Promoted (attribute promotion)": "Rows that share a value are tied to one new"
        " node that stands for the value.",
        "Hop": "One step along an edge.",
        "Layer, depth": "A layer lets every node hear from its neighbours once. Depth"
        " is the number of layers, and so the farthest hop that can be heard.",
        "Reach (receptive field)": "All the nodes that can have a say in one prediction"
        " at a given depth.",
        "Under-reaching": "What decides lies farther away than the layers reach: more"
        " layers, or a graph that brings it nearer, would help.",
        "Oversmoothing": "Layer upon layer of averaging makes nodes alike, until what"
        " told them apart is gone.",
        "Over-squashing": "Many far nodes have to pass through few edges, so that each"
        " is hardly heard. It is not oversmoothing: nodes need not become alike.",
        "Embedding (state)": "The numbers that a network holds of a row at a layer."
        " Rows with nearly the same numbers can hardly be told apart any more.",
        "Principal components (PCA)": "The two directions along which embeddings differ"
        " most, drawn as a map. Distances along them are what they were.",
        "UMAP": "A map of embeddings that keeps near rows near and bends all else."
        " Distances between groups and sizes of groups mean nothing in it.",
        "Hub": "A node with very many edges. Through it nearly everything is near.",
        "Seed": "The number that all chance starts from. Several seeds show how much of"
        " a score is luck.",
        "Baseline": "A score to beat: the commonest answer, or the row's own columns"
        " without any graph.",
        "Leak": "A column that gives the answer away, most often because it was only"
        " known afterwards.",
        "Dangling key": "A key that names a row which does not exist.",
        "Forecast": "Predicting what happens to a row later, from what was known at a"
        " given time (the seed time or cutoff).",
        "Preview": "What each hop is worth, estimated without training a network.",
    }
)
