"""What is measured of a network's layers, over hand-made graphs."""

import numpy as np
import pandas as pd
import pytest
import torch

from tests.graphs import shop
from tests.test_influence import network_for, task_of
from workbench.field import receptive_field
from workbench.layerwise import build_probe, measure_layers
from workbench.measures import measure_rows
from workbench.model import gather_inputs

CPU = torch.device("cpu")


@pytest.fixture(scope="module")
def measured() -> pd.DataFrame:
    graph = shop()
    probe = build_probe(graph, task_of(graph), 2, CPU)
    return measure_layers(network_for(graph, 2), probe)


def names(frame: pd.DataFrame, layer: int, measure: str) -> set[str]:
    rows = frame[(frame["layer"] == layer) & (frame["measure"] == measure)]
    return set(rows["node_type"])


def test_a_row_of_the_frame_is_named_once(measured: pd.DataFrame) -> None:
    assert not measured.duplicated(["layer", "node_type", "measure"]).any()


def test_relations_are_measured_while_their_children_can_reach_the_target(
    measured: pd.DataFrame,
) -> None:
    every = {"order.customer", "customer.city", "order.follows"}
    assert names(measured, 0, "within-parent-share") == every
    assert names(measured, 1, "within-parent-share") == every
    assert names(measured, 2, "within-parent-share") == {"customer.city"}
    assert names(measured, 2, "edge-cosine-distance") == {"rating"}


def test_labels_are_read_of_the_target_alone(measured: pd.DataFrame) -> None:
    for layer in range(3):
        for measure in ("probe", "group-distance-ratio"):
            assert names(measured, layer, measure) == {"customer"}


def test_what_relations_add_leaves_the_rows_that_were_measured_before(
    measured: pd.DataFrame,
) -> None:
    """The states of all rows, from one pass over the whole graph."""
    graph = shop()
    rows = {name: np.arange(one.num_rows) for name, one in graph.nodes.items()}
    wanted = [{name: rows[name] for name in types} for types in graph.reach(2)]
    field = receptive_field(graph, wanted)
    network = network_for(graph, 2).eval()
    with torch.no_grad():
        states, _ = network(field, gather_inputs(graph, field, CPU))
    for layer, state in enumerate(states):
        for name, values in state.items():
            for measure, expected in measure_rows(values.numpy()).items():
                (found,) = measured[
                    (measured["layer"] == layer)
                    & (measured["node_type"] == name)
                    & (measured["measure"] == measure)
                ]["value"]
                same = found == expected.value
                assert same or (np.isnan(found) and np.isnan(expected.value))


def test_a_network_without_messages_says_nothing_of_relations() -> None:
    graph = shop()
    probe = build_probe(graph, task_of(graph), 0, CPU)
    found = measure_layers(network_for(graph, 0), probe)
    assert set(found["node_type"]) == {"customer"}
