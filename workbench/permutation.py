"""What a score loses when one table's rows are shuffled: influence in the score's unit.

Unlike a gradient this is finite and needs nothing of the network but its outputs. It is
read on test rows, is reported only, and chooses nothing.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace

import numpy as np
import pandas as pd
import torch

from workbench.features import Features
from workbench.field import Field, receptive_field
from workbench.graph import Graph
from workbench.model import Inputs, Network, State, gather_inputs
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
    entering = network.encode(sample.inputs)
    whole = _score(network, task, sample, entering, sample.inputs.edges)
    records = []
    for name in sample.tables:
        scores = [
            _score(network, task, sample, *dealt)
            for dealt in _shuffled(sample, name, entering)
        ]
        drop = sign * (whole - float(np.mean(scores))) if scores else 0.0
        records.append(("permutation", name, drop, len(sample.places)))
    return pd.DataFrame(records, columns=["kind", "name", "value", "num_rows"])


def _shuffled(
    sample: ShuffleSample, name: str, entering: State
) -> Iterator[tuple[State, Edges]]:
    """Yield what enters after each shuffle of a table; nothing where it is not seen.

    A row's state of layer 0 follows from its own features alone, so that dealing out
    states is dealing out features.
    """
    edges = sample.inputs.edges
    if name in sample.edges:
        yield from ((entering, dealt) for dealt in sample.edges[name])
    elif name in entering:
        state = entering[name]
        for seed in range(sample.num_shuffles):
            order = np.random.default_rng(seed).permutation(len(state))
            dealt = state[torch.from_numpy(order).to(state.device)]
            yield {**entering, name: dealt}, edges


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
    network: Network, task: Task, sample: ShuffleSample, state: State, edges: Edges
) -> float:
    raw = network.propagate(sample.field, state, edges)[1]
    labels = task.labels[sample.places]
    return float(METRICS[task.metric].score(labels, predictions_of(task, raw)))
