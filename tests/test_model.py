"""Laws that hold for every model and remedy."""

from itertools import pairwise

import numpy as np
import pytest
import torch
from torch_frame import stype
from torch_frame.nn import EmbeddingEncoder, LinearEncoder, StypeWiseFeatureEncoder
from torch_geometric.nn import SAGEConv

from tests.graphs import features, relation, shop
from workbench.blueprint import KeyRole
from workbench.encoder import Encoder
from workbench.field import Field, Rows, receptive_field
from workbench.graph import Graph, Relation, column_statistics, to_tensor_frame
from workbench.model import Inputs, Network, gather_inputs
from workbench.models import MODELS
from workbench.remedies import REMEDIES

CPU = torch.device("cpu")
VARIANTS = [(model, remedy) for model in MODELS for remedy in REMEDIES]
ALL_CUSTOMERS: Rows = {"customer": np.arange(5)}


def network_on(
    graph: Graph, model: str, remedy: str, depth: int, width: int = 8
) -> Network:
    torch.manual_seed(1)
    return Network(graph, MODELS[model], REMEDIES[remedy], depth, width, 2).eval()


def everything(graph: Graph, depth: int) -> Field:
    """Return the field of every row at every layer at which its type matters."""
    rows = {name: np.arange(each.num_rows) for name, each in graph.nodes.items()}
    wanted = [{name: rows[name] for name in types} for types in graph.reach(depth)]
    return receptive_field(graph, wanted)


def run(network: Network, graph: Graph, field: Field) -> tuple[list, torch.Tensor]:
    return network(field, gather_inputs(graph, field, CPU))


@pytest.mark.parametrize(("model", "remedy"), VARIANTS)
def test_pruning_rows_that_cannot_reach_the_target_changes_no_output(model, remedy):
    graph = shop()
    network = network_on(graph, model, remedy, depth=3)
    pruned = receptive_field(graph, [{}, {}, {}, ALL_CUSTOMERS])
    _, expected = run(network, graph, everything(graph, 3))
    _, found = run(network, graph, pruned)
    torch.testing.assert_close(found, expected)


@pytest.mark.parametrize(("model", "remedy"), VARIANTS)
def test_renumbering_the_rows_renumbers_the_outputs_and_nothing_else(model, remedy):
    graph = shop()
    network = network_on(graph, model, remedy, depth=3)
    order = {
        name: np.random.default_rng(7).permutation(each.num_rows)
        for name, each in graph.nodes.items()
    }
    place = {name: np.argsort(rows) for name, rows in order.items()}
    shuffled = Graph(
        target=graph.target,
        nodes={
            name: each.take(torch.from_numpy(order[name]))
            for name, each in graph.nodes.items()
        },
        relations=tuple(
            Relation(
                name=each.name,
                source=each.source,
                target=each.target,
                source_rows=place[each.source][each.source_rows],
                target_rows=place[each.target][each.target_rows],
                direction=each.direction,
                attributes=each.attributes,
            )
            for each in graph.relations
        ),
    )
    _, before = run(network, graph, everything(graph, 3))
    _, after = run(network, shuffled, everything(shuffled, 3))
    torch.testing.assert_close(after, before[torch.from_numpy(order["customer"])])


@pytest.mark.parametrize(("model", "remedy"), VARIANTS)
def test_a_network_of_depth_32_is_finite_and_its_first_layer_learns(model, remedy):
    graph = shop()
    network = network_on(graph, model, remedy, depth=32, width=32)
    states, output = run(network, graph, everything(graph, 32))
    assert len(states) == 33
    assert torch.isfinite(output).all()
    output.square().sum().backward()
    gradient = network.layers[0].own[network.keys["customer"]].weight.grad
    assert gradient is not None
    assert gradient.abs().max() > 0


@pytest.mark.parametrize(("model", "remedy"), VARIANTS)
def test_a_type_that_receives_nothing_keeps_a_state_of_its_own(model, remedy):
    graph = Graph(
        target="child",
        nodes={"child": features(3, 2), "parent": features(2, 2)},
        relations=(
            relation("up", ("child", "parent"), [(0, 0), (2, 1)], KeyRole.DOWN),
        ),
    )
    network = network_on(graph, model, remedy, depth=2)
    states, _ = run(network, graph, everything(graph, 2))
    assert states[1]["parent"].shape == (2, 8)
    assert states[1]["child"].shape == (3, 8)


def test_depth_0_sees_the_row_alone():
    graph, other = shop(seed=0), shop(seed=5)
    mixed = Graph(
        target="customer",
        nodes={**other.nodes, "customer": graph.nodes["customer"]},
        relations=graph.relations,
    )
    network = network_on(graph, "sage", "none", depth=0)
    _, expected = run(network, graph, everything(graph, 0))
    _, found = run(network, mixed, everything(mixed, 0))
    torch.testing.assert_close(found, expected)


def test_every_layer_brings_exactly_one_more_hop_into_reach():
    # A chain 0 → 1 → 2 → 3 of one row each: row 3 matters from depth 3 on.
    names = ("a", "b", "c", "d")
    graph = Graph(
        target="a",
        nodes={name: features(1, 2, seed=at) for at, name in enumerate(names)},
        relations=tuple(
            relation(f"{child}{parent}", (child, parent), [(0, 0)])
            for child, parent in pairwise(names)
        ),
    )
    for depth, seen in ((1, "ab"), (2, "abc"), (3, "abcd")):
        field = receptive_field(graph, [{}] * depth + [{"a": np.arange(1)}])
        assert sorted(field.rows) == list(seen)


def test_edge_attributes_change_what_a_customer_receives():
    graph = shop()
    network = network_on(graph, "sage", "none", depth=1)
    field = everything(graph, 1)
    inputs = gather_inputs(graph, field, CPU)
    silent = Inputs(
        nodes=inputs.nodes,
        edges=tuple(
            {
                channel: each.take(torch.zeros(each.num_rows, dtype=torch.int64))
                for channel, each in hop.items()
            }
            for hop in inputs.edges
        ),
    )
    assert not torch.allclose(network(field, inputs)[1], network(field, silent)[1])


def test_a_layer_of_sage_mean_and_its_gradient_equal_pyg_in_float64():
    graph = Graph(
        target="customer",
        nodes={"customer": features(4, 3), "order": features(6, 2)},
        relations=(
            relation(
                "order.customer",
                ("order", "customer"),
                [(0, 0), (1, 0), (2, 0), (3, 1), (4, 3)],
                KeyRole.UP,
            ),
        ),
    )
    network = network_on(graph, "sage-mean", "none", depth=1)
    field = receptive_field(graph, [{}, {"customer": np.arange(4)}])
    states, _ = run(network, graph, field)
    layer = network.layers[0].double()
    before = {name: state.detach().double() for name, state in states[0].items()}
    ours = {name: state.clone().requires_grad_() for name, state in before.items()}
    found = network._step(layer, field.hops[0], ours, {})["customer"]

    theirs = {name: state.clone().requires_grad_() for name, state in before.items()}
    peer = SAGEConv((8, 8), 8, bias=True).double()
    own = layer.own[network.keys["customer"]]
    peer.lin_l.weight.data = layer.convolutions["0"].linear.weight.data
    peer.lin_l.bias.data = own.bias.data
    peer.lin_r.weight.data = own.weight.data
    links = torch.tensor([[0, 1, 2, 3, 4], [0, 0, 0, 1, 3]])
    senders = field.rows["order"]
    assert list(senders) == [0, 1, 2, 3, 4]
    expected = peer((theirs["order"], theirs["customer"]), links).relu()

    torch.testing.assert_close(found, expected)
    found.square().sum().backward()
    expected.square().sum().backward()
    for name in ("order", "customer"):
        torch.testing.assert_close(ours[name].grad, theirs[name].grad)


def test_the_encoder_equals_the_sum_of_torch_frames_encoders_with_the_same_weights():
    rows = features(7, 3, (4, 6))
    encoder = Encoder(rows, 8)
    peer = StypeWiseFeatureEncoder(
        out_channels=8,
        col_stats=column_statistics(rows),
        col_names_dict=to_tensor_frame(rows).col_names_dict,
        stype_encoder_dict={
            stype.numerical: LinearEncoder(),
            stype.categorical: EmbeddingEncoder(),
        },
    )
    linear = peer.encoder_dict["numerical"]
    linear.weight.data = encoder.weight.data.clone()
    linear.bias.data.zero_()
    # torch_frame's table has one row more, for its own missing value, which is 0 there.
    peer.encoder_dict["categorical"].emb.weight.data[1:] = encoder.table.data
    columns, _ = peer(to_tensor_frame(rows))
    expected = (columns.sum(dim=1) + encoder.bias).relu()
    torch.testing.assert_close(encoder(rows), expected)
