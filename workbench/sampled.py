"""Which rows the layers of a network are measured on, and the pass that computes them.

The sample is the same for every network on a graph, and its target rows are the same
for every graph of a task; what training computes or prunes never changes it. Families
and ties are drawn besides (`workbench.ties`).

Of a graph unfolded over time the sample holds instances, each a row at a moment, and of
each node type those nearest to a row to predict: further out neighbours are missing.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TypeVar

import numpy as np
import torch
from jaxtyping import Int
from torch import Tensor

from workbench.field import Field, receptive_field
from workbench.graph import Graph
from workbench.model import Inputs, gather_inputs
from workbench.task import Task
from workbench.ties import Family, Ties, sample_families, sample_ties
from workbench.view import Labels

MAX_TARGET_ROWS = 5000
MAX_OTHER_ROWS = 1000
SAMPLE_SEED = 0
Name = TypeVar("Name", str, int)


@dataclass(frozen=True, slots=True)
class Sampled:
    """Sampled rows and what a network needs to compute their states.

    Attributes:
        rows: Sampled rows per node type, ascending.
        field: A field in which every sampled row exists at every layer at which its
            type can still reach the target.
        inputs: The field's features.
        places: For every layer, where the rows of each type stand among those computed.
    """

    rows: Mapping[str, np.ndarray]
    field: Field
    inputs: Inputs
    places: tuple[Mapping[str, Int[Tensor, " rows"]], ...]


@dataclass(frozen=True, slots=True)
class Kin:
    """Rows drawn by family or tie.

    Where the field of the rows drawn one by one holds them all, they are read from it.

    Attributes:
        groups: Who are siblings, and who are tied.
        field: A field like that of `Sampled`.
        inputs: The field's features.
        places: For every layer, where the rows of each group stand.
    """

    groups: tuple[Family | Ties, ...]
    field: Field
    inputs: Inputs
    places: tuple[Mapping[int, Int[Tensor, " rows"]], ...]


@dataclass(frozen=True, slots=True)
class Probe:
    """The fixed samples.

    Attributes:
        target: The target's node type.
        alone: Rows drawn one by one.
        labels: What is known of the sampled target rows.
        kin: Rows drawn by family or tie; None where the graph has no links.
    """

    target: str
    alone: Sampled
    labels: Labels
    kin: Kin | None


def build_probe(graph: Graph, task: Task, depth: int, device: torch.device) -> Probe:
    """Return the samples of a graph for networks of one depth."""
    rows = {
        name: draw(task.rows, MAX_TARGET_ROWS)
        if name == graph.target
        else draw(_complete(graph, name), MAX_OTHER_ROWS)
        for name in graph.nodes
    }
    field = receptive_field(graph, _wanted(graph, rows, depth))
    alone = Sampled(
        rows=rows,
        field=field.to(device),
        inputs=gather_inputs(graph, field, device),
        places=_places(
            field, {name: (name, one) for name, one in rows.items()}, device
        ),
    )
    return Probe(
        target=graph.target,
        alone=alone,
        labels=_labels(task, rows[graph.target]),
        kin=_kin(graph, task, depth, alone, device) if depth else None,
    )


def draw(rows: np.ndarray, limit: int) -> np.ndarray:
    """Return at most so many of the rows, ascending, always the same ones."""
    if len(rows) <= limit:
        return rows
    generator = np.random.default_rng(SAMPLE_SEED)
    return np.sort(generator.choice(rows, size=limit, replace=False))


def _complete(graph: Graph, name: str) -> np.ndarray:
    """Return the rows of a type that hear all their neighbours at every layer."""
    hops = graph.hops.get(name)
    if hops is None or not len(hops):
        return np.arange(graph.nodes[name].num_rows)
    return np.flatnonzero(hops == hops.min())


def _among_complete(graph: Graph) -> Graph:
    """Return a graph with the links between such rows alone."""
    if not graph.hops:
        return graph
    whole = {
        name: np.isin(np.arange(features.num_rows), _complete(graph, name))
        for name, features in graph.nodes.items()
    }
    relations = []
    for one in graph.relations:
        kept = whole[one.source][one.source_rows] & whole[one.target][one.target_rows]
        relations.append(
            replace(
                one,
                source_rows=one.source_rows[kept],
                target_rows=one.target_rows[kept],
                attributes=None,
                times=None,
                heard=None,
            )
        )
    return replace(graph, relations=tuple(relations))


def _labels(task: Task, rows: np.ndarray) -> Labels:
    place = np.searchsorted(task.rows, rows)
    return Labels(
        values=task.labels[place],
        split=task.split[place],
        task_type=task.task_type,
        num_classes=len(task.classes),
        metric=task.metric,
    )


def _kin(
    graph: Graph, task: Task, depth: int, alone: Sampled, device: torch.device
) -> Kin | None:
    tied = _among_complete(graph)
    groups = (*sample_families(tied), *sample_ties(tied))
    if not groups:
        return None
    related: dict[str, np.ndarray] = {}
    for one in groups:
        known = related.get(one.node_type, one.rows)
        related[one.node_type] = np.union1d(known, one.rows)
    field, inputs = alone.field, alone.inputs
    if not _holds(field, _wanted(graph, related, depth)):
        # A network has an output only where there is a target row.
        known = related.get(graph.target, task.rows[:1])
        related[graph.target] = np.union1d(known, task.rows[:1])
        whole = receptive_field(graph, _wanted(graph, related, depth))
        field, inputs = whole.to(device), gather_inputs(graph, whole, device)
    named = {index: (one.node_type, one.rows) for index, one in enumerate(groups)}
    return Kin(groups, field, inputs, _places(field, named, device))


def _wanted(
    graph: Graph, rows: Mapping[str, np.ndarray], depth: int
) -> list[dict[str, np.ndarray]]:
    """Return the rows of each type at the layers at which it can reach the target."""
    return [
        {name: rows[name] for name in types if name in rows}
        for types in graph.reach(depth)
    ]


def _holds(field: Field, wanted: Sequence[Mapping[str, np.ndarray]]) -> bool:
    """Return whether a field computes all these rows, layer by layer."""
    return all(
        name in field.rows_at(layer)
        and bool(np.isin(rows, field.rows_at(layer)[name]).all())
        for layer, each in enumerate(wanted)
        for name, rows in each.items()
    )


def _places(
    field: Field, named: Mapping[Name, tuple[str, np.ndarray]], device: torch.device
) -> tuple[dict[Name, Tensor], ...]:
    """Return where rows stand at each layer, by the name given to them."""
    return tuple(
        {
            name: torch.from_numpy(np.searchsorted(computed[node_type], rows)).to(
                device
            )
            for name, (node_type, rows) in named.items()
            if node_type in computed
        }
        for computed in map(field.rows_at, range(field.depth + 1))
    )
