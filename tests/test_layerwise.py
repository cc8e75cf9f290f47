"""What is measured of a network's layers, over hand-made graphs."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
import torch
from scipy.spatial.distance import pdist

from tests.graphs import features, relation, shop
from tests.test_influence import network_for, task_of
from workbench.field import receptive_field
from workbench.graph import Graph
from workbench.layerwise import measure_layers, project_layers
from workbench.measure import Rows
from workbench.measures import measure_rows, measures_of
from workbench.model import Network, gather_inputs
from workbench.models import MODELS
from workbench.plane import Layer, unpack
from workbench.remedies import REMEDIES
from workbench.sampled import build_probe
from workbench.view import Siblings

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


def test_a_projected_row_keeps_its_own_key_at_every_layer() -> None:
    graph = shop()
    task = replace(task_of(graph), keys=("first", "second", "third", "fourth", "fifth"))
    probe = build_probe(graph, task, 2, CPU)
    network = network_for(graph, 2)
    outputs = np.eye(3)[task.labels.astype(int)]
    found = project_layers(network, probe, task, outputs).rows
    for layer in range(3):
        rows = found[found["layer"] == layer]
        assert rows["row"].tolist() == [0, 1, 2, 3, 4]
        assert rows["key"].tolist() == list(task.keys)
        assert rows["correct"].all()


def test_projected_distances_are_those_of_states_with_two_channels() -> None:
    """Two components keep all of two channels, up to a common factor."""
    graph = shop()
    task = task_of(graph)
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        network = Network(graph, MODELS["sage"], REMEDIES["none"], 1, 2, 3, 0.0)
    probe = build_probe(graph, task, 1, CPU)
    outputs = np.eye(3)[task.labels.astype(int)]
    found = project_layers(network, probe, task, outputs).rows
    with torch.no_grad():
        states, _ = network(probe.alone.field, probe.alone.inputs)
    for layer, state in enumerate(states):
        rows = found[found["layer"] == layer]
        drawn = pdist(rows[["x", "y"]].to_numpy())
        true = pdist(state["customer"].double().numpy())
        assert drawn * true.sum() == pytest.approx(true * drawn.sum(), rel=1e-6)


def test_the_kept_states_begin_with_the_projection_of_the_same_rows() -> None:
    graph = shop()
    task = task_of(graph)
    probe = build_probe(graph, task, 2, CPU)
    outputs = np.eye(3)[task.labels.astype(int)]
    found = project_layers(network_for(graph, 2), probe, task, outputs)
    assert found.states["layer"].tolist() == [0, 1, 2]
    for one in found.states.itertuples():
        rows = found.rows[found.rows["layer"] == one.layer]
        kept = unpack(Layer("", one.num_components, one.states))
        assert one.num_rows == len(rows) == len(kept)
        # 16 bits hold three digits.
        assert kept[:, :2] == pytest.approx(rows[["x", "y"]].to_numpy(), abs=2e-3)


def in_cities(num_orders: int) -> Graph:
    """Return orders of three customers or of none, each in one of two cities."""
    at = range(num_orders)
    return Graph(
        target="customer",
        nodes={
            "customer": features(3, 2),
            "order": features(num_orders, 3),
            "city": features(2, 1),
        },
        relations=(
            relation("order.customer", ("order", "customer"), [(0, 0), (1, 1), (2, 1)]),
            relation("order.city", ("order", "city"), [(one, one % 2) for one in at]),
        ),
    )


@pytest.mark.parametrize(("num_orders", "is_shared"), [(900, True), (3000, False)])
def test_siblings_are_measured_alike_in_a_pass_of_their_own_and_in_a_shared_one(
    num_orders: int, is_shared: bool
) -> None:
    """A thousand orders are drawn one by one, so of 3 000 most siblings are others."""
    graph = in_cities(num_orders)
    probe = build_probe(graph, task_of(graph), 1, CPU)
    assert probe.kin is not None
    assert (probe.kin.field is probe.alone.field) == is_shared
    network = network_for(graph, 1).eval()
    found = measure_layers(network, probe)
    (family,) = [one for one in probe.kin.groups if one.relation == "order.city"]
    encoded = network.encoders[network.keys["order"]](graph.nodes["order"]).detach()
    rows = Rows(encoded.double().numpy()[family.rows])
    expected = measures_of(Siblings(rows, family.rows % 2, 1.0))
    rows = found[(found["layer"] == 0) & (found["node_type"] == "order.city")]
    values = dict(zip(rows["measure"], rows["value"], strict=True))
    assert values == pytest.approx({name: one.value for name, one in expected.items()})
