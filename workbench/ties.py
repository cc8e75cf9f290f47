"""Which rows are looked at together: siblings of a key, and rows that are tied.

A random sample of rows hardly holds two children of one parent, so whole families are
drawn. Up to `MAX_ROWS` rows a relation everything is taken and a measure is exact;
beyond, parents are drawn until that many rows are found, `MAX_CHILDREN` of each.
"""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from workbench.graph import Graph, Relation
from workbench.ordering import count_distinct, index_type

MAX_ROWS = 1000
MAX_CHILDREN = 50
SEED = 0


@dataclass(frozen=True, slots=True)
class Family:
    """Sampled children of one relation, each of which has one parent.

    Attributes:
        relation: Name of the relation.
        node_type: Node type of the children.
        rows: Their rows, int64, ascending.
        parents: The parent of each, int64.
        coverage: Share of all the relation's children that have a sibling.
    """

    relation: str
    node_type: str
    rows: np.ndarray
    parents: np.ndarray
    coverage: float


@dataclass(frozen=True, slots=True)
class Ties:
    """Sampled rows of one type and which of them a relation ties.

    Attributes:
        relation: Name of the relation.
        node_type: Node type of the rows.
        rows: The rows, int64, ascending.
        first: One end of each tie, a position among the rows.
        second: The other end.
    """

    relation: str
    node_type: str
    rows: np.ndarray
    first: np.ndarray
    second: np.ndarray


def sample_families(graph: Graph) -> Iterator[Family]:
    """Yield the families of every relation whose children have one parent each."""
    for relation in graph.relations:
        if len(relation.source_rows) and _has_one_parent(relation):
            yield _family(relation)


def sample_ties(graph: Graph) -> Iterator[Ties]:
    """Yield ties between rows of one type, wherever a relation makes any.

    A relation within a type ties its rows directly. One that ties many rows to many of
    another type (a junction) ties those that share a row across it: the rows of the
    graph's target where it is one end, else those of the relation's source.
    """
    for relation in graph.relations:
        if not len(relation.source_rows):
            continue
        if relation.source == relation.target:
            yield _direct(relation)
        elif not _has_one_parent(relation):
            yield _shared(relation, graph.target)


def _has_one_parent(relation: Relation) -> bool:
    children = relation.source_rows
    return count_distinct(children, int(children.max()) + 1) == len(children)


def _family(relation: Relation) -> Family:
    children, parents = relation.source_rows, relation.target_rows
    kept = _with_company(parents)
    coverage = len(kept) / len(parents)
    if not len(kept):
        kept = np.arange(len(children))
    if len(kept) > MAX_ROWS:
        kept = _draw(parents, kept)
    order = kept[np.argsort(children[kept], kind="stable")]
    return Family(
        relation=relation.name,
        node_type=relation.source,
        rows=children[order],
        parents=parents[order],
        coverage=coverage,
    )


def _with_company(groups: np.ndarray) -> np.ndarray:
    """Return the links whose group has another one."""
    kept = np.flatnonzero((np.bincount(groups) > 1)[groups])
    return kept.astype(index_type(len(groups)))


def _draw(groups: np.ndarray, kept: np.ndarray) -> np.ndarray:
    """Return links of randomly drawn groups, a limited number of each group."""
    generator = np.random.default_rng(SEED)
    shuffled = generator.permutation(kept)
    # Groups in random order, their members in random order inside.
    met = np.zeros(int(groups.max()) + 1, dtype=bool)
    met[groups[kept]] = True
    present = np.flatnonzero(met)
    place = generator.permutation(len(present))
    # Each group brings a link at least: those behind so many others bring none.
    met[present[place >= MAX_ROWS]] = False
    near = shuffled[met[groups][shuffled]]
    rank = place[np.searchsorted(present, groups[near])]
    order = np.argsort(rank, kind="stable")
    rank = rank[order]
    starts = np.flatnonzero(np.diff(rank, prepend=-1))
    at = np.arange(len(rank)) - np.repeat(starts, np.diff(np.append(starts, len(rank))))
    chosen = order[at < MAX_CHILDREN]
    return near[chosen[:MAX_ROWS]]


def _direct(relation: Relation) -> Ties:
    ends = np.stack([relation.source_rows, relation.target_rows])
    rows = np.unique(ends)
    if len(rows) > MAX_ROWS:
        generator = np.random.default_rng(SEED)
        drawn = generator.permutation(ends.shape[1])[: MAX_ROWS // 2]
        rows = np.unique(ends[:, drawn])
    inside = np.isin(ends, rows).all(axis=0)
    first, second = np.searchsorted(rows, ends[:, inside])
    return Ties(relation.name, relation.source, rows, first, second)


def _shared(relation: Relation, target: str) -> Ties:
    """Tie the rows of one end that share a row of the other."""
    node_type, members = relation.source, relation.source_rows
    shared = relation.target_rows
    if relation.target == target:
        node_type, members, shared = target, shared, members
    kept = _with_company(shared)
    if len(kept) > MAX_ROWS:
        kept = _draw(shared, kept)
    if not len(kept):
        kept = np.arange(min(len(members), MAX_ROWS))
    rows, place = np.unique(members[kept], return_inverse=True)
    first, second = [], []
    for group in _grouped(shared[kept], place):
        one, other = np.triu_indices(len(group), k=1)
        first.append(group[one])
        second.append(group[other])
    return Ties(
        relation.name, node_type, rows, np.concatenate(first), np.concatenate(second)
    )


def _grouped(groups: np.ndarray, values: np.ndarray) -> list[np.ndarray]:
    order = np.argsort(groups, kind="stable")
    borders = np.flatnonzero(np.diff(groups[order])) + 1
    return np.split(values[order], borders)
