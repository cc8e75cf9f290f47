"""What a score loses when one table's rows are shuffled: influence in the score's unit.

Unlike a gradient this is finite and needs nothing of the network but its outputs. It is
read on test rows, is reported only, and chooses nothing.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace

import numpy as np
import pandas as pd
import torch

from workbench.features import Features
from workbench.field import Field, receptive_field
from workbench.graph import Graph
from workbench.model import Inputs, Network, gather_inputs
from workbench.run import predictions_of
from workbench.score import METRICS
from workbench.task import TEST, Task

MAX_ROWS = 1000
NUM_SHUFFLES = 3
SAMPLE_SEED = 0
# Rows and messages of all passes together, about half a minute on one core; beyond, one
# shuffle of each table has to do.
MOST_WORK = 200_000_000

Edges = tuple[Mapping[int, Features], ...]


@dataclass(frozen=True, slots=True)
class ShuffleSample:
    """Test rows whose score is taken again and again.

    Attributes:
        places: The rows, as positions among the task's rows.
        field: Their receptive field.
        inputs: Its features.
        tables: Every node type, and every relation whose links have columns.
        edges: By relation whose links have columns, the inputs of the links after
            each shuffle.
        num_shuffles: How often each table is shuffled.
    """

    places: np.ndarray
    field: Field
    inputs: Inputs
    tables: tuple[str, ...]
    edges: Mapping[str, tuple[Edges, ...]]
    num_shuffles: int


def build_shuffle_sample(
    graph: Graph, task: Task, depth: int, device: torch.device
) -> ShuffleSample:
    """Return at most 1 000 test rows, always the same ones, and what they see."""
    test = np.flatnonzero(task.split == TEST)
    if len(test) > MAX_ROWS:
        generator = np.random.default_rng(SAMPLE_SEED)
        test = np.sort(generator.choice(test, size=MAX_ROWS, replace=False))
    wanted: list[dict[str, np.ndarray]] = [{} for _ in range(depth)]
    field = receptive_field(graph, [*wanted, {graph.target: task.rows[test]}])
    moved = {messages.channel for hop in field.hops for messages in hop.messages}
    heard = {graph.directions[channel].relation for channel in moved}
    carried = [one.name for one in graph.relations if one.attributes is not None]
    tables = (*graph.nodes, *carried)
    work = NUM_SHUFFLES * len(tables) * _size(field)
    num_shuffles = NUM_SHUFFLES if work <= MOST_WORK else 1
    return ShuffleSample(
        places=test,
        field=field.to(device),
        inputs=gather_inputs(graph, field, device),
        tables=tables,
        edges={
            name: tuple(
                gather_inputs(_shuffle_links(graph, name, seed), field, device).edges
                for seed in range(num_shuffles)
            )
            for name in carried
            if name in heard
        },
        num_shuffles=num_shuffles,
    )


@torch.no_grad()
def measure_drops(network: Network, task: Task, sample: ShuffleSample) -> pd.DataFrame:
    """Measure how much the test score loses without each table.

    Every shuffle deals a table's rows of input features out anew, so that all that they
    say of which row is which is lost and their distribution is kept.

    Returns:
        ``kind`` (``permutation``), ``name`` (a node type, or a relation whose links
        carry columns), ``value`` and ``num_rows``. The value is the score less the mean
        score after three shuffles (one where a pass is costly), turned so that above 0
        the table helped; exactly 0 for a table beyond reach.

    Source: Breiman (2001), Machine Learning 45; differs in: a table at a time.
    """
    network.eval()
    sign = 1 if METRICS[task.metric].higher_is_better else -1
    whole = _score(network, task, sample, sample.inputs)
    records = []
    for name in sample.tables:
        scores = [
            _score(network, task, sample, inputs) for inputs in _shuffled(sample, name)
        ]
        drop = sign * (whole - float(np.mean(scores))) if scores else 0.0
        records.append(("permutation", name, drop, len(sample.places)))
    return pd.DataFrame(records, columns=["kind", "name", "value", "num_rows"])


def _shuffled(sample: ShuffleSample, name: str) -> list[Inputs]:
    """Return the inputs after each shuffle of a table; none where it is not seen."""
    inputs = sample.inputs
    if name in sample.edges:
        return [replace(inputs, edges=edges) for edges in sample.edges[name]]
    if name not in inputs.nodes:
        return []
    features = inputs.nodes[name]
    device = features.numerical.device
    shuffled = []
    for seed in range(sample.num_shuffles):
        order = np.random.default_rng(seed).permutation(features.num_rows)
        dealt = features.take(torch.from_numpy(order).to(device))
        shuffled.append(replace(inputs, nodes={**inputs.nodes, name: dealt}))
    return shuffled


def _size(field: Field) -> int:
    """Return the rows and messages of a pass."""
    rows = sum(len(rows) for hop in field.hops for rows in hop.rows.values())
    messages = sum(len(one.senders) for hop in field.hops for one in hop.messages)
    return rows + messages


def _shuffle_links(graph: Graph, name: str, seed: int) -> Graph:
    relations = []
    for relation in graph.relations:
        attributes = relation.attributes
        if relation.name == name and attributes is not None:
            order = np.random.default_rng(seed).permutation(attributes.num_rows)
            attributes = attributes.take(torch.from_numpy(order))
        relations.append(replace(relation, attributes=attributes))
    return replace(graph, relations=tuple(relations))


def _score(
    network: Network, task: Task, sample: ShuffleSample, inputs: Inputs
) -> float:
    raw = network(sample.field, inputs)[1]
    labels = task.labels[sample.places]
    return float(METRICS[task.metric].score(labels, predictions_of(task, raw)))
