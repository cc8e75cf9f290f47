"""Laws that hold for every model and remedy."""

import copy
import hashlib
import re
from collections.abc import Iterator
from dataclasses import replace
from itertools import pairwise

import numpy as np
import pytest
import torch
from torch_frame import stype
from torch_frame.nn import EmbeddingEncoder, LinearEncoder, StypeWiseFeatureEncoder
from torch_geometric.nn import SAGEConv

from tests.graphs import features, relation, shop, web
from workbench.blueprint import KeyRole
from workbench.encoder import Encoder
from workbench.errors import ModelError
from workbench.field import Field, Rows, receptive_field
from workbench.graph import Graph, Relation
from workbench.model import Inputs, Network, gather_inputs
from workbench.models import MODELS
from workbench.pyg import column_statistics, to_tensor_frame
from workbench.remedies import REMEDIES

CPU = torch.device("cpu")
PAIRS = [(model, remedy) for model in MODELS for remedy in REMEDIES]
BY_ROW = [pair for pair in PAIRS if not REMEDIES[pair[1]].over_rows]
# Every model bare, every remedy around two.
SOME = [pair for pair in PAIRS if pair[1] == "none" or pair[0] in ("sage", "gcn")]


@pytest.fixture(scope="module", autouse=True)
def one_thread() -> Iterator[None]:
    """Threads cost more than they save on tensors of five rows."""
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


def graph_for(model: str, seed: int = 0) -> Graph:
    return web(seed) if MODELS[model].nearest else shop(seed)


def rows_of(graph: Graph) -> Rows:
    return {graph.target: np.arange(graph.nodes[graph.target].num_rows)}


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


def pruned(graph: Graph, depth: int) -> Field:
    """Return the field of the target's rows at the last layer alone."""
    return receptive_field(graph, [*({} for _ in range(depth)), rows_of(graph)])


def run(network: Network, graph: Graph, field: Field) -> tuple[list, torch.Tensor]:
    return network(field, gather_inputs(graph, field, CPU))


@pytest.mark.parametrize(("model", "remedy"), BY_ROW)
def test_pruning_rows_that_cannot_reach_the_target_changes_no_state(model, remedy):
    graph = graph_for(model)
    network = network_on(graph, model, remedy, depth=3)
    asked = np.array([1, 4])
    whole = everything(graph, 3)
    cut = receptive_field(graph, [{}, {}, {}, {graph.target: asked}])
    # Rows leave from layer to layer, so positions shift.
    assert len(cut.rows[graph.target]) > len(cut.rows_at(3)[graph.target]) == 2
    states, expected = run(network, graph, whole)
    found_states, found = run(network, graph, cut)
    torch.testing.assert_close(found, expected[asked])
    for layer, state in enumerate(found_states):
        for name, values in state.items():
            place = np.searchsorted(
                whole.rows_at(layer)[name], cut.rows_at(layer)[name]
            )
            torch.testing.assert_close(values, states[layer][name][place])


@pytest.mark.parametrize(("model", "remedy"), SOME)
def test_renumbering_the_rows_renumbers_the_outputs_and_nothing_else(model, remedy):
    graph = graph_for(model)
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
            replace(
                each,
                source_rows=place[each.source][each.source_rows],
                target_rows=place[each.target][each.target_rows],
            )
            for each in graph.relations
        ),
    )
    _, before = run(network, graph, everything(graph, 3))
    _, after = run(network, shuffled, everything(shuffled, 3))
    torch.testing.assert_close(after, before[torch.from_numpy(order[graph.target])])


@pytest.mark.parametrize(("model", "remedy"), SOME)
def test_the_order_of_the_links_does_not_matter(model, remedy):
    graph = graph_for(model)
    network = network_on(graph, model, remedy, depth=2)
    shuffled = Graph(
        target=graph.target,
        nodes=graph.nodes,
        relations=tuple(_links_shuffled(each) for each in graph.relations),
    )
    _, before = run(network, graph, everything(graph, 2))
    _, after = run(network, shuffled, everything(shuffled, 2))
    torch.testing.assert_close(after, before)


def _links_shuffled(one: Relation) -> Relation:
    order = np.random.default_rng(3).permutation(len(one.source_rows))
    attributes = one.attributes
    if attributes is not None:
        attributes = attributes.take(torch.from_numpy(order))
    return replace(
        one,
        source_rows=one.source_rows[order],
        target_rows=one.target_rows[order],
        attributes=attributes,
    )


@pytest.mark.parametrize(("model", "remedy"), SOME)
def test_a_network_of_depth_32_is_finite_and_its_first_layer_learns(model, remedy):
    graph = graph_for(model)
    network = network_on(graph, model, remedy, depth=32, width=32)
    states, output = run(network, graph, everything(graph, 32))
    assert len(states) == 33
    assert all(
        torch.isfinite(each).all() for state in states for each in state.values()
    )
    assert torch.isfinite(output).all()
    output.square().sum().backward()
    gradients = [each.grad for each in network.parameters() if each.grad is not None]
    assert all(torch.isfinite(each).all() for each in gradients)
    # A layer without weights passes the gradient on to the encoder below it.
    below = network.layers[0] if list(network.layers[0].parameters()) else network
    own = [each.grad for each in below.parameters() if each.grad is not None]
    assert max(float(each.abs().max()) for each in own) > 0


@pytest.mark.parametrize(("model", "remedy"), SOME)
def test_training_and_gradients_are_finite_where_rows_receive_nothing(model, remedy):
    graph = graph_for(model)
    bare = Graph(
        target=graph.target,
        nodes=graph.nodes,
        relations=tuple(
            replace(
                each,
                source_rows=each.source_rows[:1],
                target_rows=each.target_rows[:1],
                attributes=None
                if each.attributes is None
                else each.attributes.take(torch.zeros(1, dtype=torch.int64)),
            )
            for each in graph.relations
        ),
    )
    network = network_on(graph, model, remedy, depth=2).train()
    states, output = run(network, bare, everything(bare, 2))
    output.sum().backward()
    assert all(
        torch.isfinite(each).all() for state in states for each in state.values()
    )
    gradients = [each.grad for each in network.parameters() if each.grad is not None]
    assert all(torch.isfinite(each).all() for each in gradients)


@pytest.mark.parametrize(
    ("model", "remedy"), [pair for pair in SOME if not MODELS[pair[0]].nearest]
)
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
    # Its two rows differ as they did before: nothing pooled them.
    assert not torch.equal(states[1]["parent"][0], states[1]["parent"][1])


@pytest.mark.parametrize(
    ("model", "remedy"), [pair for pair in SOME if not REMEDIES[pair[1]].over_rows]
)
def test_a_row_beyond_reach_has_exactly_no_influence(model, remedy):
    # A line of pages 0 - 1 - 2 - 3: two layers see two hops.
    graph = Graph(
        target="page",
        nodes={"page": features(4, 2, seed=3)},
        relations=(relation("r", ("page", "page"), [(0, 1), (1, 2), (2, 3)]),),
    )
    network = network_on(graph, model, remedy, depth=2)
    field = everything(graph, 2)
    inputs = gather_inputs(graph, field, CPU)
    given = inputs.nodes["page"].numerical.clone().requires_grad_()
    nodes = {"page": replace(inputs.nodes["page"], numerical=given)}
    _, output = network(field, replace(inputs, nodes=nodes))
    output[0].sum().backward()
    assert given.grad is not None
    reached = given.grad.abs().sum(dim=1)
    assert reached[3] == 0
    assert (reached[:3] > 0).all()


@pytest.mark.parametrize(("model", "remedy"), SOME)
def test_depth_0_is_the_encoder_and_the_head(model, remedy):
    graph = graph_for(model)
    network = network_on(graph, model, remedy, depth=0)
    states, output = run(network, graph, pruned(graph, 0))
    assert [list(state) for state in states] == [[graph.target]]
    torch.testing.assert_close(output, network.head(states[0][graph.target]))


@pytest.mark.parametrize(("model", "remedy"), SOME)
def test_a_saved_network_gives_the_same_outputs_and_a_seed_the_same_weights(
    model, remedy
):
    graph = graph_for(model)
    first, second = (network_on(graph, model, remedy, depth=2) for _ in range(2))
    field = pruned(graph, 2)
    _, expected = run(first, graph, field)
    assert torch.equal(run(second, graph, field)[1], expected)
    with torch.no_grad():
        for parameter in second.parameters():
            parameter.add_(1)
    second.load_state_dict(copy.deepcopy(first.state_dict()))
    assert torch.equal(run(second, graph, field)[1], expected)


@pytest.mark.parametrize(("model", "remedy"), SOME)
def test_three_training_steps_from_one_seed_end_in_the_same_weights(model, remedy):
    graph = graph_for(model)
    ends = []
    for _ in range(2):
        network = network_on(graph, model, remedy, depth=2).train()
        field = pruned(graph, 2)
        inputs = gather_inputs(graph, field, CPU)
        optimiser = torch.optim.Adam(network.parameters(), lr=0.01)
        for _ in range(3):
            optimiser.zero_grad()
            network(field, inputs)[1].square().sum().backward()
            optimiser.step()
        ends.append([parameter.detach() for parameter in network.parameters()])
    assert all(torch.equal(one, other) for one, other in zip(*ends, strict=True))


@pytest.mark.parametrize("model", [name for name in MODELS if MODELS[name].nearest])
def test_a_network_for_one_node_type_says_where_it_works(model):
    nearest = re.escape(MODELS[model].nearest)
    with pytest.raises(ModelError, match=f'"{model}" works where rows.*{nearest}'):
        network_on(shop(), model, "none", depth=1)


@pytest.mark.parametrize("model", MODELS)
def test_a_model_reads_junction_columns_or_says_that_it_does_not(model):
    graph = graph_for(model)
    network = network_on(graph, model, "none", depth=1)
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
    same = torch.allclose(network(field, inputs)[1], network(field, silent)[1])
    assert same != MODELS[model].reads_edges


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


# The weights' hash and a customer's first output, as they were before networks became
# a convolution and a join: results that people have stored must not move.
KEPT = {
    ("sage", "none"): (
        "13aff5035d5c4293",
        [-1.021697, -1.500376, -0.904351, -0.381019, -0.203552],
    ),
    ("sage", "residual"): (
        "13aff5035d5c4293",
        [-2.725523, -2.934306, -2.561752, -1.798295, -1.3799],
    ),
    ("sage-mean", "none"): (
        "f34ec3d6c104c2f8",
        [0.054804, -0.071477, 0.012957, 0.075389, 0.111948],
    ),
    ("sage-mean", "residual"): (
        "f34ec3d6c104c2f8",
        [-0.945371, -0.782258, -0.965933, -0.533664, 0.055716],
    ),
}


@pytest.mark.parametrize(("model", "remedy"), KEPT)
def test_what_a_seed_gave_before_there_was_a_menu_it_still_gives(model, remedy):
    graph = shop()
    network = network_on(graph, model, remedy, depth=3)
    weights = hashlib.sha256()
    for parameter in network.parameters():
        weights.update(parameter.detach().numpy().tobytes())
    wanted_weights, wanted = KEPT[model, remedy]
    assert weights.hexdigest()[:16] == wanted_weights
    _, found = run(network, graph, pruned(graph, 3))
    torch.testing.assert_close(
        found[:, 0].detach(), torch.tensor(wanted), rtol=0, atol=2e-6
    )


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
    network.double()
    layer = network.layers[0]
    before = {name: state.detach().double() for name, state in states[0].items()}
    ours = {name: state.clone().requires_grad_() for name, state in before.items()}
    found = network._step(0, field.hops[0], ours, ours, {})["customer"]

    theirs = {name: state.clone().requires_grad_() for name, state in before.items()}
    peer = SAGEConv((8, 8), 8, bias=True).double()
    own = layer.own[network.keys["customer"]].linear
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


@pytest.mark.parametrize(("model", "remedy"), SOME)
def test_layers_leave_the_states_that_enter_them_as_they_were(model, remedy):
    graph = graph_for(model)
    network = network_on(graph, model, remedy, depth=2)
    field = everything(graph, 2)
    inputs = gather_inputs(graph, field, CPU)
    with torch.no_grad():
        entering = network.encode(inputs)
        before = {name: state.clone() for name, state in entering.items()}
        network.propagate(field, entering, inputs.edges)
    for name, state in entering.items():
        assert torch.equal(state, before[name]), name
