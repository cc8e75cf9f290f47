"""What each remedy does, against its formula written out."""

from dataclasses import replace

import numpy as np
import pytest
import torch
from torch.nn import functional

from tests.graphs import features, relation, shop, web
from workbench.field import receptive_field
from workbench.graph import Graph
from workbench.model import Network, gather_inputs
from workbench.models import MODELS
from workbench.remedies import REMEDIES

CPU = torch.device("cpu")


def pair_of(remedy: str, graph: Graph, depth: int = 1) -> tuple[Network, Network]:
    """Return a network with a remedy and one without, with the same weights."""
    built = []
    for name in (remedy, "none"):
        torch.manual_seed(4)
        network = Network(graph, MODELS["sage"], REMEDIES[name], depth, 8, 2)
        built.append(network.double())
    assert set(built[1].state_dict()) <= set(built[0].state_dict())
    return built[0], built[1]


def hop_and_states(graph: Graph):
    rows = {name: np.arange(each.num_rows) for name, each in graph.nodes.items()}
    wanted = [{name: rows[name] for name in types} for types in graph.reach(1)]
    field = receptive_field(graph, wanted)
    generator = torch.Generator().manual_seed(0)
    states = [
        {
            name: torch.rand(len(index), 8, generator=generator, dtype=torch.float64)
            for name, index in field.rows.items()
        }
        for _ in range(2)
    ]
    inputs = gather_inputs(graph, field, CPU).edges[0]
    edges = {
        channel: replace(each, numerical=each.numerical.double())
        for channel, each in inputs.items()
    }
    return field.hops[0], *states, edges


@pytest.mark.parametrize("remedy", REMEDIES)
def test_a_remedy_leaves_the_networks_own_weights_as_the_seed_draws_them(remedy):
    ours, bare = pair_of(remedy, shop(), depth=2)
    if remedy != "jk-cat":  # its head reads more
        own = ours.state_dict()
        for name, value in bare.state_dict().items():
            assert torch.equal(own[name], value), name


def test_residual_norm_adds_a_layer_over_normalised_states():
    graph = shop()
    ours, bare = pair_of("residual-norm", graph)
    hop, state, initial, edges = hop_and_states(graph)
    normed = {name: functional.layer_norm(value, (8,)) for name, value in state.items()}
    found = ours._step(0, hop, state, initial, edges)
    update = bare._step(0, hop, normed, initial, edges)
    for name, value in found.items():
        torch.testing.assert_close(value, state[name] + update[name])


def test_initial_residual_is_the_formula_of_gcnii_on_every_types_update():
    graph = shop()
    ours, bare = pair_of("initial-residual", graph)
    hop, state, initial, edges = hop_and_states(graph)
    own = {name: state[name] for name in hop.own}  # every row, none moved
    updates = bare._update(bare.layers[0], hop, state, own, initial, edges)
    found = ours._step(0, hop, state, initial, edges)
    share = np.log(0.5 / 1 + 1)  # layer 1
    for name, update in updates.items():
        weight = ours.cares[0].inside[ours.keys[name]].weight
        mixed = 0.9 * update + 0.1 * initial[name]
        expected = (1 - share) * mixed + share * (mixed @ weight)
        torch.testing.assert_close(found[name], expected.relu())


def test_mean_subtraction_leaves_every_type_with_mean_zero_but_for_a_single_row():
    graph = shop()
    ours, _ = pair_of("mean-subtraction", graph)
    centre = ours.cares[0].inside[ours.keys["customer"]]
    rows = torch.tensor([[1.0, 2.0], [3.0, 6.0]])
    assert centre(rows, rows).tolist() == [[-1, -2], [1, 2]]
    assert centre(rows[:1], rows[:1]).tolist() == [[1, 2]]


def test_pairnorm_gives_rows_a_mean_square_length_of_one_but_for_a_single_row():
    ours, _ = pair_of("pairnorm", shop())
    norm = ours.cares[0].inside[ours.keys["customer"]]
    rows = torch.tensor([[100.0, 0.0], [300.0, 0.0]])
    torch.testing.assert_close(norm(rows, rows), torch.tensor([[-1.0, 0], [1, 0]]))
    assert norm(rows[:1], rows[:1]).tolist() == [[100, 0]]


def test_gradient_gating_moves_a_row_by_how_much_it_differs_from_what_it_receives():
    graph = shop()
    ours, bare = pair_of("gradient-gating", graph)
    hop, state, initial, edges = hop_and_states(graph)
    found = ours._step(0, hop, state, initial, edges)["customer"]
    update = bare._step(0, hop, state, initial, edges)["customer"]
    compared = {
        name: value @ ours.cares[0].gate[ours.keys[name]].weight.T
        for name, value in state.items()
    }
    for row in range(5):
        here, differences = compared["customer"][row], []
        for way in graph.directions:
            if way.target == "customer":
                for sender in way.senders[way.receivers == row]:
                    there = compared[way.source][sender]
                    differences.append((there - here).square())
        expected = state["customer"][row]
        if differences:
            gate = torch.stack(differences).mean(dim=0).tanh()
            expected = (1 - gate) * expected + gate * update[row]
        torch.testing.assert_close(found[row], expected)


def test_dropedge_drops_both_directions_of_a_link_together_and_only_in_training():
    graph = Graph(
        target="a",
        nodes={"a": features(40, 2), "b": features(40, 2)},
        relations=(relation("r", ("b", "a"), [(row, row) for row in range(40)]),),
    )
    torch.manual_seed(0)
    network = Network(graph, MODELS["sage-mean"], REMEDIES["dropedge"], 1, 8, 2)
    rows = {name: np.arange(40) for name in "ab"}
    field = receptive_field(graph, [rows, rows])
    kept = network._drop_links(CPU)["r"]
    assert 0 < int((~kept).sum()) < 20  # 8 of 40 expected
    hop = field.hops[0]
    both = {one.channel: one.keep(kept[one.links]) for one in hop.messages}
    for one in both.values():
        assert one.senders.tolist() == torch.arange(40)[kept].tolist()
        assert one.at.tolist() == torch.arange(40)[kept].tolist()
    assert network.eval()._drop_links(CPU) == {}


def test_dropedge_draws_anew_in_every_pass_and_the_same_from_the_same_seed():
    graph = web()
    torch.manual_seed(0)
    network = Network(graph, MODELS["gatv2"], REMEDIES["dropedge"], 2, 8, 2).train()
    field = receptive_field(graph, [{}, {}, {"page": np.arange(7)}])
    inputs = gather_inputs(graph, field, CPU)
    passes = []
    for _ in range(2):
        torch.manual_seed(3)
        passes.append([network(field, inputs)[1] for _ in range(4)])
    assert all(torch.equal(one, other) for one, other in zip(*passes, strict=True))
    assert any(not torch.equal(passes[0][0], later) for later in passes[0][1:])
