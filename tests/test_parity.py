"""One layer of each network against PyTorch Geometric's own, in float64."""

from collections.abc import Mapping
from dataclasses import replace

import numpy as np
import pytest
import torch
from torch import Tensor
from torch_geometric.nn import (
    APPNP,
    GATConv,
    GATv2Conv,
    GCN2Conv,
    GCNConv,
    GINConv,
    HGTConv,
    JumpingKnowledge,
    PairNorm,
    RGCNConv,
    SGConv,
    TransformerConv,
)

from tests.graphs import features, relation
from workbench.blueprint import KeyRole
from workbench.field import Field, receptive_field
from workbench.graph import Graph
from workbench.model import Network, gather_inputs
from workbench.models import MODELS
from workbench.remedies import REMEDIES

# Customer 0 has three orders, customer 2 has none: [senders, receivers].
ORDERS = torch.tensor([[0, 1, 2, 3, 4], [0, 0, 0, 1, 3]])
PAGES = [(0, 1), (1, 2), (2, 0), (3, 1), (4, 3)]
BOTH_WAYS = torch.tensor([*PAGES, *((b, a) for a, b in PAGES)]).T


def shops(attributes: bool = False) -> Graph:
    return Graph(
        target="customer",
        nodes={"customer": features(4, 3), "order": features(5, 2)},
        relations=(
            relation(
                "buys",
                ("order", "customer"),
                [(0, 0), (1, 0), (2, 0), (3, 1), (4, 3)],
                KeyRole.UP,
                features(5, 2) if attributes else None,
            ),
        ),
    )


def pages() -> Graph:
    """Six pages, the last without a link."""
    return Graph(
        target="page",
        nodes={"page": features(6, 3)},
        relations=(relation("link", ("page", "page"), PAGES),),
    )


def prepared(graph: Graph, model: str, depth: int = 1) -> tuple[Network, Field]:
    torch.manual_seed(2)
    network = Network(graph, MODELS[model], REMEDIES["none"], depth, 8, 2).double()
    rows = {name: np.arange(each.num_rows) for name, each in graph.nodes.items()}
    wanted = [{name: rows[name] for name in types} for types in graph.reach(depth)]
    return network, receptive_field(graph, wanted)


def drawn(graph: Graph, seed: int = 0) -> dict[str, Tensor]:
    generator = torch.Generator().manual_seed(seed)
    return {
        name: torch.randn(
            each.num_rows, 8, generator=generator, dtype=torch.float64
        ).requires_grad_()
        for name, each in graph.nodes.items()
    }


def agree(found: Tensor, expected: Tensor, given: Mapping[str, Tensor]) -> None:
    """Compare two outputs and their gradients by what both were given."""
    torch.testing.assert_close(found, expected, rtol=0, atol=1e-6)
    inputs = list(given.values())
    ours, theirs = (
        torch.autograd.grad(one.square().sum(), inputs, retain_graph=True)
        for one in (found, expected)
    )
    for one, other in zip(ours, theirs, strict=True):
        torch.testing.assert_close(one, other, rtol=0, atol=1e-6)


def join_of(network: Network, name: str, layer: int = 0):
    return network.layers[layer].own[network.keys[name]]


def stepped(
    network: Network,
    field: Field,
    state: dict[str, Tensor],
    initial: dict[str, Tensor] | None = None,
) -> dict[str, Tensor]:
    """Return the states after all layers."""
    for index, hop in enumerate(field.hops):
        state = network._step(index, hop, state, initial or {}, {})
    return state


def test_gat_equals_gatconv():
    graph = shops()
    network, field = prepared(graph, "gat")
    state = drawn(graph)
    ours = network.layers[0].convolutions["0"]
    peer = GATConv((8, 8), 2, heads=4, add_self_loops=False, bias=False).double()
    peer.lin_src.weight.data = ours.value.weight.data
    peer.att_src.data = ours.sender.data[None]
    # The receiver's score is one map here and two in a row there.
    there = peer.lin_dst.weight.data.view(4, 2, 8)
    ours.receiver.weight.data = (peer.att_dst.data[0, :, :, None] * there).sum(dim=1)
    own = join_of(network, "customer").linear(state["customer"])
    expected = peer((state["order"], state["customer"]), ORDERS) + own
    agree(stepped(network, field, state)["customer"], expected.relu(), state)


def test_gatv2_equals_gatv2conv():
    graph = shops()
    network, field = prepared(graph, "gatv2")
    state = drawn(graph)
    ours = network.layers[0].convolutions["0"]
    peer = GATv2Conv((8, 8), 2, heads=4, add_self_loops=False, bias=False).double()
    peer.lin_l.weight.data = ours.value.weight.data
    peer.lin_r.weight.data = ours.receiver.weight.data
    peer.att.data = ours.vectors.data[None]
    own = join_of(network, "customer").linear(state["customer"])
    expected = peer((state["order"], state["customer"]), ORDERS) + own
    agree(stepped(network, field, state)["customer"], expected.relu(), state)


def test_a_transformer_layer_with_link_columns_equals_transformerconv():
    graph = shops(attributes=True)
    network, field = prepared(graph, "transformer")
    state = drawn(graph)
    ours = network.layers[0].convolutions["0"]
    links = gather_inputs(graph, field, torch.device("cpu")).edges[0][0]
    links = replace(links, numerical=links.numerical.double())
    encoder, edges = ours.edges
    peer = TransformerConv((8, 8), 2, heads=4, edge_dim=8, bias=False).double()
    peer.lin_key.weight.data = ours.key.weight.data
    peer.lin_query.weight.data = ours.query.weight.data
    peer.lin_value.weight.data = ours.value.weight.data
    peer.lin_edge.weight.data = edges.weight.data
    peer.lin_skip.weight.data = join_of(network, "customer").linear.weight.data
    expected = peer((state["order"], state["customer"]), ORDERS, encoder(links))
    found = network._step(0, field.hops[0], state, {}, {0: links})["customer"]
    agree(found, expected.relu(), state)


def test_gin_equals_ginconv_where_the_relations_map_is_the_identity():
    graph = shops()
    network, field = prepared(graph, "gin")
    state = drawn(graph)
    ours, join = network.layers[0].convolutions["0"], join_of(network, "customer")
    ours.linear.weight.data = torch.eye(8, dtype=torch.float64) * ours.mean_degree
    join.epsilon.data.fill_(0.3)
    mlp = torch.nn.Sequential(join.first, torch.nn.ReLU(), join.second)
    peer = GINConv(mlp, eps=0.3)
    expected = peer((state["order"], state["customer"]), ORDERS)
    agree(stepped(network, field, state)["customer"], expected.relu(), state)


def test_rgcn_equals_rgcnconv_with_as_many_bases():
    graph = pages()
    network, field = prepared(graph, "rgcn")
    state = drawn(graph)
    layer, join = network.layers[0], join_of(network, "page")
    join.linear.bias.data.normal_()
    peer = RGCNConv(8, 8, num_relations=2, num_bases=4).double()
    peer.weight.data = layer.convolutions["0"].bases.maps.data
    peer.comp.data = torch.stack(
        [layer.convolutions[str(channel)].shares.data for channel in range(2)]
    )
    peer.root.data = join.linear.weight.data.T
    peer.bias.data = join.linear.bias.data
    kinds = torch.tensor([0] * len(PAGES) + [1] * len(PAGES))
    expected = peer(state["page"], BOTH_WAYS, kinds)
    agree(stepped(network, field, state)["page"], expected.relu(), state)


def test_hgt_equals_hgtconv_over_several_relations():
    graph = Graph(
        target="a",
        nodes={"a": features(4, 2), "b": features(5, 2)},
        relations=(
            relation("r", ("b", "a"), [(0, 0), (1, 0), (2, 0), (3, 1), (4, 3)]),
            relation("s", ("a", "a"), [(0, 1), (2, 1), (1, 0)], KeyRole.UP),
        ),
    )
    rows = {name: np.arange(each.num_rows) for name, each in graph.nodes.items()}
    torch.manual_seed(2)
    network = Network(graph, MODELS["hgt"], REMEDIES["none"], 2, 8, 2).double()
    field = receptive_field(graph, [rows, rows, rows])
    state = drawn(graph)
    layer = network.layers[0]
    ways = [("b", "r", "a"), ("a", "rev", "b"), ("a", "s", "a")]
    peer = HGTConv(8, 8, (["a", "b"], ways), heads=4).double()
    for name in "ab":
        join = join_of(network, name)
        join.skip.data.fill_(0.4)
        peer.skip[name].data = join.skip.data
        peer.out_lin.lins[name].weight.data = join.out.weight.data
        peer.out_lin.lins[name].bias.data = join.out.bias.data
        source = layer.project[network.keys[name]]
        peer.kqv_lin.lins[name].weight.data = source.weight.data
        peer.kqv_lin.lins[name].bias.data = source.bias.data
    for index, way in enumerate(ways):
        ours = layer.convolutions[str(index)]
        ours.prior.data.normal_()
        peer.p_rel["__".join(way)].data = ours.prior.data[None]
        for head in range(4):
            peer.k_rel.weight.data[head * 3 + index] = ours.key.data[head]
            peer.v_rel.weight.data[head * 3 + index] = ours.value.data[head]
    links = {
        ways[0]: ORDERS,
        ways[1]: ORDERS.flip(0),
        ways[2]: torch.tensor([[0, 2, 1], [1, 1, 0]]),
    }
    expected = peer(state, links)
    found = network._step(0, field.hops[0], state, {}, {})
    for name in "ab":
        agree(found[name], expected[name], state)


def test_gcn_equals_gcnconv_also_on_the_boundary_of_a_cut_field():
    graph = pages()
    network, whole = prepared(graph, "gcn", depth=2)
    state = drawn(graph)
    peers = [GCNConv(8, 8).double() for _ in range(2)]
    for index, peer in enumerate(peers):
        peer.lin.weight.data = join_of(network, "page", index).linear.weight.data
    expected = state["page"]
    for peer in peers:
        expected = peer(expected, BOTH_WAYS).relu()
    agree(stepped(network, whole, state)["page"], expected, state)
    # Page 5 is alone and 4 reaches 0 in three hops: a field of page 0 leaves them out.
    cut = receptive_field(graph, [{}, {}, {"page": np.array([0])}])
    assert len(cut.rows["page"]) < 6
    kept = {"page": state["page"][cut.rows["page"]]}
    torch.testing.assert_close(stepped(network, cut, kept)["page"][0], expected[0])


def test_gcnii_equals_gcn2conv():
    graph = pages()
    network, field = prepared(graph, "gcnii", depth=2)
    state, initial = drawn(graph), drawn(graph, seed=1)
    expected = state["page"]
    for index in range(2):
        peer = GCN2Conv(8, alpha=0.1, theta=0.5, layer=index + 1).double()
        peer.weight1.data = join_of(network, "page", index).weight.data
        expected = peer(expected, initial["page"], BOTH_WAYS).relu()
    found = stepped(network, field, state, initial)["page"]
    agree(found, expected, {"h": state["page"], "h0": initial["page"]})


def test_appnp_equals_appnp():
    graph = pages()
    network, field = prepared(graph, "appnp", depth=3)
    state = drawn(graph)
    expected = APPNP(K=3, alpha=0.1)(state["page"], BOTH_WAYS)
    agree(stepped(network, field, state, state)["page"], expected, state)


def test_sgc_equals_sgconv_with_the_identity_as_map():
    graph = pages()
    network, field = prepared(graph, "sgc", depth=3)
    state = drawn(graph)
    peer = SGConv(8, 8, K=3, bias=False).double()
    peer.lin.weight.data = torch.eye(8, dtype=torch.float64)
    agree(stepped(network, field, state)["page"], peer(state["page"], BOTH_WAYS), state)


@pytest.mark.parametrize("remedy", ["jk-cat", "jk-max"])
def test_jumping_knowledge_equals_pygs_over_the_states_of_a_cut_field(remedy):
    graph = pages()
    torch.manual_seed(2)
    network = Network(graph, MODELS["sage"], REMEDIES[remedy], 2, 8, 2).eval()
    cut = receptive_field(graph, [{}, {}, {"page": np.array([0, 2])}])
    states, found = network(cut, gather_inputs(graph, cut, torch.device("cpu")))
    rows = [np.searchsorted(cut.rows_at(layer)["page"], [0, 2]) for layer in range(3)]
    peer = JumpingKnowledge(remedy.removeprefix("jk-"))
    seen = peer([state["page"][at] for state, at in zip(states, rows, strict=True)])
    torch.testing.assert_close(found, network.head(seen))


def test_pairnorm_equals_pygs_on_the_update():
    graph = pages()
    torch.manual_seed(2)
    network = Network(graph, MODELS["gcn"], REMEDIES["pairnorm"], 1, 8, 2).double()
    bare = Network(graph, MODELS["gcn"], REMEDIES["none"], 1, 8, 2).double()
    bare.load_state_dict(network.state_dict())
    field = prepared(graph, "gcn")[1]
    state = drawn(graph)
    peer = PairNorm(scale=1.0)
    layer, hop = bare.layers[0], field.hops[0]
    update = bare._update(layer, hop, state, state, state, {})["page"]
    agree(stepped(network, field, state, state)["page"], peer(update).relu(), state)
