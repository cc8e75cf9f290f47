"""Measures of every layer, from full forward passes on fixed samples of rows.

`workbench.sampled` says which rows these are; here their states are computed, measured
and projected.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
import torch
from threadpoolctl import threadpool_limits
from torch import Tensor

from workbench.measure import Measurement, Rows
from workbench.measures import measures_of
from workbench.model import Network, State
from workbench.plane import pack, principal_components
from workbench.sampled import Kin, Probe, Sampled, draw
from workbench.task import Task, TaskType
from workbench.ties import Family, Ties
from workbench.view import Labelled, Pairs, Siblings

MAX_PROJECTED_ROWS = 2000
COLUMNS = ["layer", "node_type", "measure", "value", "num_rows", "flag"]


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
    states = _states(network, probe.alone)
    records = []
    for layer, (state, places) in enumerate(
        zip(states, probe.alone.places, strict=True)
    ):
        for name in sorted(places):
            rows = Rows(_read(state[name], places[name]))
            records += _records(layer, name, measures_of(rows))
            if name == probe.target:
                labelled = Labelled(rows, probe.labels)
                records += _records(layer, name, measures_of(labelled))
    if probe.kin is not None:
        if probe.kin.field is not probe.alone.field:
            states = _states(network, probe.kin)
        records += _of_relations(probe.kin, states)
    return pd.DataFrame(records, columns=COLUMNS)


def _records(
    layer: int, name: str, measured: Mapping[str, Measurement]
) -> Iterator[tuple[object, ...]]:
    for measure, found in measured.items():
        yield layer, name, measure, found.value, found.num_rows, found.flag


def _of_relations(kin: Kin, states: Sequence[State]) -> Iterator[tuple[object, ...]]:
    for layer, (state, places) in enumerate(zip(states, kin.places, strict=True)):
        for index, place in places.items():
            one = kin.groups[index]
            rows = Rows(_read(state[one.node_type], place))
            match one:
                case Family():
                    view = Siblings(rows, one.parents, one.coverage)
                case Ties():
                    view = Pairs(rows, one.first, one.second)
            yield from _records(layer, one.relation, measures_of(view))


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
    rows = draw(probe.alone.rows[probe.target], MAX_PROJECTED_ROWS)
    place = np.searchsorted(task.rows, rows)
    labels, correct = _judge(task, place, outputs)
    kept = np.searchsorted(probe.alone.rows[probe.target], rows)
    frames, states = [], []
    for layer, state in enumerate(_states(network, probe.alone)):
        spot = probe.alone.places[layer][probe.target]
        found = _read(state[probe.target], spot)[kept]
        components, share = principal_components(found)
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


@torch.no_grad()
def _states(network: Network, sampled: Sampled | Kin) -> list[State]:
    """Return the states of every row of a field at every layer."""
    network.eval()
    return network(sampled.field, sampled.inputs)[0]


def _read(state: Tensor, place: Tensor) -> np.ndarray:
    """Return the states of some rows, float64."""
    return state.index_select(0, place).double().cpu().numpy()


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
