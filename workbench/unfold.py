"""A graph unfolded over time is a graph again: its rows are instances of rows.

Features are taken along, so networks, measures and all else run on it as they are. A
batch of rows to predict, with what they see, is such a graph too.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np
import torch

from workbench.blueprint import KeyRole
from workbench.graph import Graph, Relation
from workbench.instances import MOST, Instances, Tie, Tied, Unfolding
from workbench.sampler import Sampler, find_instances, prepare_sampler
from workbench.sampling import Neighbours
from workbench.task import Task


@dataclass(frozen=True)
class InstanceGraph(Graph):
    """A graph of instances; a network for the original graph runs on it unchanged.

    Attributes:
        counted: Number of messages that each instance receives, float32. Those at the
            outermost hop lack neighbours, and degree-weighted networks must not see
            that.
    """

    counted: Mapping[str, np.ndarray]

    @cached_property
    def degrees(self) -> Mapping[str, np.ndarray]:
        """Number of messages that each instance receives, by node type."""
        return self.counted


@dataclass(frozen=True, slots=True)
class Unfolded:
    """A graph as it was known at the moments at which a task's rows are predicted.

    Attributes:
        graph: A plain graph; its rows are instances, a row at a moment each. The first
            of the target are the rows to predict.
        task: The same task, its rows renumbered: 0, 1, …
        rows: By node type, the row of the original graph that each instance shows,
            int64.
        moments: By node type, the moment of each instance, float64.
        cut: Messages left out because a row had more neighbours than the fan-out.
    """

    graph: Graph
    task: Task
    rows: Mapping[str, np.ndarray]
    moments: Mapping[str, np.ndarray]
    cut: int


def unfold(
    graph: Graph, task: Task, unfolding: Unfolding, most: int = MOST
) -> Unfolded:
    """Unfold a graph over the moments at which a task's rows are predicted.

    An instance exists only where its row was there at its moment, a link likewise, and
    both only where a network of ``unfolding.depth`` layers can see them. Rows that are
    predicted at the same moment share their instances: exact, and much cheaper than a
    tree of each row's own. Where nothing is newer than any moment and the fan-out is
    None, a network says the same of every row to predict as on the whole graph.

    Args:
        graph: The whole graph, with its times.
        task: What is predicted, and when.
        unfolding: How deep, and how many neighbours.
        most: Most instances and messages.

    Returns:
        The graph of instances, the task on it, and what each instance stands for.

    Raises:
        GraphError: There would be too many instances and messages.
        ValueError: The task's rows have no moments.

    Source: Fey et al. (2023), arXiv:2312.04615, temporal sampling; differs in: one
        subgraph a moment and not one a row, whole where it fits.
    """
    if task.times is None:
        raise ValueError("A task without moments has nothing to be unfolded over.")
    seeds = graph.target, task.rows, task.times
    found = find_instances(
        _ties(graph), _num_nodes(graph), graph.times, seeds, unfolding, most
    )
    return Unfolded(
        graph=_assemble(graph, found, found.degrees),
        task=replace(task, rows=np.arange(len(task.rows))),
        rows=found.rows,
        moments=found.moments,
        cut=found.cut,
    )


def prepare_batches(graph: Graph) -> Sampler:
    """Return a graph made ready for `draw_batch`; its moments are behind it.

    The links of every receiver are those of the graph's directions, not copies.
    """
    num_nodes = _num_nodes(graph)
    position = {one.name: index for index, one in enumerate(graph.relations)}
    grouped = {}
    for way in graph.directions:
        index = position[way.relation]
        if graph.relations[index].direction is not KeyRole.UNDIRECTED:
            grouped[index, way.reverse] = Neighbours(way.starts, None, way.links, 1)
    return prepare_sampler(_ties(graph), num_nodes, graph.target, grouped=grouped)


def draw_batch(
    graph: Graph, sampler: Sampler, rows: np.ndarray, unfolding: Unfolding
) -> InstanceGraph:
    """Return some rows to predict with what they see, as a graph.

    Args:
        graph: The whole graph, or one unfolded over time.
        sampler: The same, made ready by `prepare_batches`.
        rows: int64 [n]: rows of the target, ascending, each once.
        unfolding: How deep, how many neighbours, which, and the seed.

    Returns:
        A graph whose target's first rows are these. Without a fan-out a network of
        ``unfolding.depth`` layers says the same of them as on the whole graph.
    """
    found = sampler.draw(rows, None, unfolding)
    counted = found.degrees
    if unfolding.fan_out is None:
        # Also where the graph is unfolded itself, and its outermost rows hear nobody.
        counted = {
            name: graph.degrees[name][places] for name, places in found.rows.items()
        }
    return _assemble(graph, found, counted)


def _ties(graph: Graph) -> list[Tie]:
    return [
        Tie(
            source=one.source,
            target=one.target,
            sources=one.source_rows,
            targets=one.target_rows,
            times=one.times,
            direction=one.direction,
            heard=one.heard,
        )
        for one in graph.relations
    ]


def _num_nodes(graph: Graph) -> dict[str, int]:
    return {name: one.num_rows for name, one in graph.nodes.items()}


def _assemble(
    graph: Graph, found: Instances, counted: Mapping[str, np.ndarray]
) -> InstanceGraph:
    return InstanceGraph(
        target=graph.target,
        nodes={
            name: features.take(torch.from_numpy(found.rows[name]))
            for name, features in graph.nodes.items()
        },
        relations=tuple(
            _relation(relation, tied)
            for relation, tied in zip(graph.relations, found.ties, strict=True)
        ),
        times={name: times[found.rows[name]] for name, times in graph.times.items()},
        hops=found.hops,
        counted=counted,
    )


def _relation(relation: Relation, tied: Tied) -> Relation:
    attributes, times = relation.attributes, relation.times
    if attributes is not None:
        attributes = attributes.take(torch.from_numpy(tied.links))
    return replace(
        relation,
        source_rows=tied.sources,
        target_rows=tied.targets,
        attributes=attributes,
        times=None if times is None else times[tied.links],
        heard=(tied.up, tied.down),
    )
