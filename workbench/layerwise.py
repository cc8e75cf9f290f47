"""Measures of every layer, from full forward passes on fixed samples of rows.

The sample is the same for every network on a graph, and its target rows are the same
for every graph of a task; what training computes or prunes never changes it. Families
and ties are drawn besides (`workbench.ties`) and have a pass of their own.

Of a graph unfolded over time the sample holds instances, each a row at a moment, and of
each node type those nearest to a row to predict: further out neighbours are missing.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from itertools import count

import numpy as np
import pandas as pd
import torch
from threadpoolctl import threadpool_limits

from workbench.field import Field, receptive_field
from workbench.graph import Graph
from workbench.measure import Measurement, Rows
from workbench.measures import measures_of
from workbench.model import Inputs, Network, State, gather_inputs
from workbench.plane import pack, principal_components
from workbench.task import Task, TaskType
from workbench.ties import Family, Ties, sample_families, sample_ties
from workbench.view import Labelled, Labels, Pairs, Siblings

MAX_TARGET_ROWS = 5000
MAX_OTHER_ROWS = 1000
MAX_PROJECTED_ROWS = 2000
SAMPLE_SEED = 0


@dataclass(frozen=True, slots=True)
class Sampled:
    """Sampled rows and what a network needs to compute their states.

    Attributes:
        rows: Sampled rows per node type, ascending.
        field: A field in which every sampled row exists at every layer at which its
            type can still reach the target.
        inputs: The field's features.
    """

    rows: Mapping[str, np.ndarray]
    field: Field
    inputs: Inputs


@dataclass(frozen=True, slots=True)
class Probe:
    """The fixed samples.

    Attributes:
        target: The target's node type.
        alone: Rows drawn one by one.
        labels: What is known of the sampled target rows.
        kin: Rows drawn by family or tie; None where the graph has no links.
        families: Who among ``kin`` are siblings.
        ties: Who among ``kin`` are tied.
    """

    target: str
    alone: Sampled
    labels: Labels
    kin: Sampled | None
    families: tuple[Family, ...]
    ties: tuple[Ties, ...]


@dataclass(frozen=True, slots=True)
class Projection:
    """The sampled target rows (at most 2 000) at every layer of a network.

    Attributes:
        rows: A row per layer × sampled row: ``layer``, ``row``, ``key``, ``x`` and
            ``y`` (the first two principal components, as `principal_components` scales
            and signs them), ``label``, ``correct``.
        states: A row per layer: ``layer``, ``num_rows``, ``num_components``, ``share``
            (of the variance that the kept components hold) and ``states`` (float16
            [rows, components], little-endian, rows as in ``rows``).
    """

    rows: pd.DataFrame
    states: pd.DataFrame


def build_probe(graph: Graph, task: Task, depth: int, device: torch.device) -> Probe:
    """Return the samples of a graph for networks of one depth."""
    rows = {
        name: _sample(task.rows, MAX_TARGET_ROWS)
        if name == graph.target
        else _sample(_complete(graph, name), MAX_OTHER_ROWS)
        for name in graph.nodes
    }
    tied = _among_complete(graph)
    families, ties = tuple(sample_families(tied)), tuple(sample_ties(tied))
    # A network has an output only where there is a target row.
    related = {graph.target: task.rows[:1]}
    for one in (*families, *ties):
        known = related.get(one.node_type, one.rows)
        related[one.node_type] = np.union1d(known, one.rows)
    return Probe(
        target=graph.target,
        alone=_sampled(graph, rows, depth, device),
        labels=_labels(task, rows[graph.target]),
        kin=_sampled(graph, related, depth, device)
        if depth and (families or ties)
        else None,
        families=families,
        ties=ties,
    )


@threadpool_limits.wrap(limits=1)  # small matrices: more threads wait for each other
def measure_layers(network: Network, probe: Probe) -> pd.DataFrame:
    """Measure the states of every layer and node type.

    Returns:
        One row per layer × node type × measure: ``layer``, ``node_type``, ``measure``,
        ``value``, ``num_rows`` and ``flag``. A node type appears at the layers at which
        it can still reach the target; later states of it have no effect. What is said
        of a relation has the relation's name in ``node_type``. A network of depth 0 has
        no messages, so nothing is said of relations.
    """
    records = []
    for layer, state in zip(count(), _states(network, probe.alone)):
        for name in sorted(state):
            rows = Rows(state[name])
            records += _records(layer, name, measures_of(rows))
            if name == probe.target:
                labelled = Labelled(rows, probe.labels)
                records += _records(layer, name, measures_of(labelled))
    if probe.kin is not None:
        for layer, state in zip(count(), _states(network, probe.kin)):
            for name, found in _of_relations(probe, state):
                records += _records(layer, name, found)
    return pd.DataFrame(records)


def _records(
    layer: int, name: str, measured: Mapping[str, Measurement]
) -> Iterator[dict[str, object]]:
    for measure, found in measured.items():
        yield {
            "layer": layer,
            "node_type": name,
            "measure": measure,
            "value": found.value,
            "num_rows": found.num_rows,
            "flag": found.flag,
        }


def _of_relations(
    probe: Probe, state: Mapping[str, np.ndarray]
) -> Iterator[tuple[str, dict[str, Measurement]]]:
    for one in (*probe.families, *probe.ties):
        if one.node_type not in state or probe.kin is None:
            continue
        place = np.searchsorted(probe.kin.rows[one.node_type], one.rows)
        rows = Rows(state[one.node_type][place])
        match one:
            case Family():
                view = Siblings(rows, one.parents, one.coverage)
            case Ties():
                view = Pairs(rows, one.first, one.second)
        yield one.relation, measures_of(view)


def project_layers(
    network: Network, probe: Probe, task: Task, outputs: np.ndarray
) -> Projection:
    """Project the target rows' states at every layer to their principal components.

    Args:
        network: A trained network.
        probe: The sample.
        task: Labels and keys of the task's rows.
        outputs: The network's predictions for every task row.
    """
    rows = _sample(probe.alone.rows[probe.target], MAX_PROJECTED_ROWS)
    place = np.searchsorted(task.rows, rows)
    labels, correct = _judge(task, place, outputs)
    kept = np.searchsorted(probe.alone.rows[probe.target], rows)
    frames, states = [], []
    for layer, state in zip(count(), _states(network, probe.alone)):
        components, share = principal_components(state[probe.target][kept])
        frames.append(
            pd.DataFrame(
                {
                    "layer": layer,
                    "row": rows,
                    "key": [task.keys[at] for at in place],
                    "x": components[:, 0],
                    "y": components[:, 1],
                    "label": labels,
                    "correct": correct,
                }
            )
        )
        states.append(
            {
                "layer": layer,
                "num_rows": len(rows),
                "num_components": components.shape[1],
                "share": share,
                "states": pack("", components).states,
            }
        )
    return Projection(pd.concat(frames, ignore_index=True), pd.DataFrame(states))


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


def _sample(rows: np.ndarray, limit: int) -> np.ndarray:
    if len(rows) <= limit:
        return rows
    generator = np.random.default_rng(SAMPLE_SEED)
    return np.sort(generator.choice(rows, size=limit, replace=False))


def _sampled(
    graph: Graph, rows: Mapping[str, np.ndarray], depth: int, device: torch.device
) -> Sampled:
    wanted = [
        {name: rows[name] for name in types if name in rows}
        for types in graph.reach(depth)
    ]
    field = receptive_field(graph, wanted)
    inputs = gather_inputs(graph, field, device)
    return Sampled(rows=rows, field=field.to(device), inputs=inputs)


def _labels(task: Task, rows: np.ndarray) -> Labels:
    place = np.searchsorted(task.rows, rows)
    return Labels(
        values=task.labels[place],
        split=task.split[place],
        task_type=task.task_type,
        num_classes=len(task.classes),
        metric=task.metric,
    )


@torch.no_grad()
def _states(network: Network, sampled: Sampled) -> list[dict[str, np.ndarray]]:
    """Return the sampled rows' states at every layer, float64."""
    network.eval()
    states, _ = network(sampled.field, sampled.inputs)
    return [_cut(sampled, layer, state) for layer, state in enumerate(states)]


def _cut(sampled: Sampled, layer: int, state: State) -> dict[str, np.ndarray]:
    computed = sampled.field.rows_at(layer)
    return {
        name: values.cpu()
        .numpy()[np.searchsorted(computed[name], sampled.rows[name])]
        .astype(np.float64)
        for name, values in state.items()
        if name in sampled.rows
    }


def _judge(
    task: Task, place: np.ndarray, outputs: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """Return each row's label as text or number, and whether it was predicted right."""
    labels = task.labels[place]
    if task.task_type is TaskType.REGRESSION:
        spread = task.labels.std()
        return labels.astype(str), np.abs(outputs[place] - labels) <= spread / 2
    found = outputs[place]
    chosen = found.argmax(axis=1) if found.ndim == 2 else found >= 0.5
    names = np.asarray(task.classes, dtype=object)
    return names[labels.astype(int)], chosen.astype(int) == labels.astype(int)
