"""Measures of every layer, from one full forward pass on a fixed sample of rows.

The sample is the same for every network on a graph, and its target rows are the same
for every graph of a task; what training computes or prunes never changes it.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from itertools import count

import numpy as np
import pandas as pd
import torch

from workbench.field import Field, receptive_field
from workbench.graph import Graph
from workbench.measures import measure_rows
from workbench.model import Inputs, Network, State, gather_inputs
from workbench.task import Task, TaskType

MAX_TARGET_ROWS = 5000
MAX_OTHER_ROWS = 1000
MAX_PROJECTED_ROWS = 2000
SAMPLE_SEED = 0


@dataclass(frozen=True, slots=True)
class Probe:
    """The fixed sample and what a network needs to compute its states.

    Attributes:
        target: The target's node type.
        rows: Sampled rows per node type, ascending.
        field: A field in which every sampled row exists at every layer at which its
            type can still reach the target.
        inputs: The field's features.
    """

    target: str
    rows: Mapping[str, np.ndarray]
    field: Field
    inputs: Inputs


def build_probe(graph: Graph, task: Task, depth: int, device: torch.device) -> Probe:
    """Return the sample of a graph for networks of one depth."""
    rows = {
        name: _sample(task.rows, MAX_TARGET_ROWS)
        if name == graph.target
        else _sample(np.arange(features.num_rows), MAX_OTHER_ROWS)
        for name, features in graph.nodes.items()
    }
    wanted = [{name: rows[name] for name in types} for types in graph.reach(depth)]
    field = receptive_field(graph, wanted)
    inputs = gather_inputs(graph, field, device)
    return Probe(target=graph.target, rows=rows, field=field.to(device), inputs=inputs)


def measure_layers(network: Network, probe: Probe) -> pd.DataFrame:
    """Measure the states of every layer and node type.

    Returns:
        One row per layer × node type × measure: ``layer``, ``node_type``, ``measure``,
        ``value``, ``num_rows`` and ``flag``. A node type appears at the layers at which
        it can still reach the target; later states of it have no effect.
    """
    records = []
    for layer, state in zip(count(), _states(network, probe)):
        for name in sorted(state):
            for measure, found in measure_rows(state[name]).items():
                records.append(
                    {
                        "layer": layer,
                        "node_type": name,
                        "measure": measure,
                        "value": found.value,
                        "num_rows": found.num_rows,
                        "flag": found.flag,
                    }
                )
    return pd.DataFrame(records)


def project_layers(
    network: Network, probe: Probe, task: Task, outputs: np.ndarray
) -> pd.DataFrame:
    """Project the target rows' states at every layer to two principal components.

    Args:
        network: A trained network.
        probe: The sample.
        task: Labels and keys of the task's rows.
        outputs: The network's predictions for every task row.

    Returns:
        One row per layer × sampled target row (at most 2 000): ``layer``, ``row``,
        ``key``, ``x``, ``y``, ``label``, ``correct``. Components are scaled to unit
        root mean square together, and each is signed so that its largest entry is
        positive.
    """
    rows = _sample(probe.rows[probe.target], MAX_PROJECTED_ROWS)
    place = np.searchsorted(task.rows, rows)
    labels, correct = _judge(task, place, outputs)
    kept = np.searchsorted(probe.rows[probe.target], rows)
    frames = []
    for layer, state in zip(count(), _states(network, probe)):
        plane = _principal_plane(state[probe.target][kept])
        frames.append(
            pd.DataFrame(
                {
                    "layer": layer,
                    "row": rows,
                    "key": [task.keys[at] for at in place],
                    "x": plane[:, 0],
                    "y": plane[:, 1],
                    "label": labels,
                    "correct": correct,
                }
            )
        )
    return pd.concat(frames, ignore_index=True)


def _sample(rows: np.ndarray, limit: int) -> np.ndarray:
    if len(rows) <= limit:
        return rows
    generator = np.random.default_rng(SAMPLE_SEED)
    return np.sort(generator.choice(rows, size=limit, replace=False))


@torch.no_grad()
def _states(network: Network, probe: Probe) -> list[dict[str, np.ndarray]]:
    """Return the sampled rows' states at every layer, float64."""
    network.eval()
    states, _ = network(probe.field, probe.inputs)
    return [_cut(probe, layer, state) for layer, state in enumerate(states)]


def _cut(probe: Probe, layer: int, state: State) -> dict[str, np.ndarray]:
    computed = probe.field.rows_at(layer)
    return {
        name: values.cpu()
        .numpy()[np.searchsorted(computed[name], probe.rows[name])]
        .astype(np.float64)
        for name, values in state.items()
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


def _principal_plane(states: np.ndarray) -> np.ndarray:
    """Return the two leading principal components, [rows, 2]; zeros on collapse."""
    centred = states - states.mean(axis=0)
    left, singular, _ = np.linalg.svd(centred, full_matrices=False)
    plane = np.zeros((len(states), 2))
    rank = min(2, len(singular))
    plane[:, :rank] = left[:, :rank] * singular[:rank]
    signs = np.sign(plane[np.abs(plane).argmax(axis=0), [0, 1]])
    plane *= np.where(signs == 0, 1, signs)
    size = np.sqrt((plane**2).sum(axis=1).mean())
    return plane / size if size > 0 else plane
