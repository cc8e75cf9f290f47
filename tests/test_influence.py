"""Influence by hop and by table: against every gradient taken one by one."""

from dataclasses import replace
from itertools import pairwise

import numpy as np
import pytest
import torch

from tests.graphs import features, relation, shop
from workbench.copies import Tracer
from workbench.field import receptive_field
from workbench.graph import Graph
from workbench.influence import build_influence_sample, measure_influence
from workbench.model import Network, gather_inputs
from workbench.models import MODELS
from workbench.permutation import build_shuffle_sample, measure_drops
from workbench.remedies import REMEDIES
from workbench.task import Task, TaskSpec, TaskType

CPU = torch.device("cpu")


def task_of(graph: Graph, classes: int = 3) -> Task:
    """Return a task over all target rows, most of them test rows."""
    count = graph.nodes[graph.target].num_rows
    kinds = {1: TaskType.REGRESSION, 2: TaskType.BINARY}
    kind = kinds.get(classes, TaskType.MULTICLASS)
    split = np.full(count, 2, dtype=np.int8)
    split[:2] = [0, 1]
    return Task(
        spec=TaskSpec(target="customer.y"),
        task_type=kind,
        classes=tuple(map(str, range(classes))) if classes > 1 else (),
        metric="r2" if classes == 1 else "accuracy",
        rows=np.arange(count),
        labels=np.arange(count, dtype=float) % max(classes, 2),
        split=split,
        keys=tuple(map(str, range(count))),
    )


def network_for(graph: Graph, depth: int, outputs: int = 3) -> Network:
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(depth)
        return Network(graph, MODELS["sage"], REMEDIES["none"], depth, 6, outputs, 0.0)


def hops_from(graph: Graph, seed: int, depth: int) -> dict[tuple[str, int], int]:
    """Walk against the messages, one link at a time."""
    found = {(graph.target, seed): 0}
    for hop in range(1, depth + 1):
        for way in graph.directions:
            for sender, receiver in zip(way.senders, way.receivers, strict=True):
                at = found.get((way.target, int(receiver)))
                if at is not None and at < hop:
                    found.setdefault((way.source, int(sender)), hop)
    return found


def by_hand(network: Network, graph: Graph, task: Task, depth: int):
    """Return T by hop and by table from one gradient per test row."""
    by_hop, by_table = np.zeros(depth + 1), dict.fromkeys(graph.nodes, 0.0)
    everything = {name: np.arange(one.num_rows) for name, one in graph.nodes.items()}
    wanted = [{name: everything[name] for name in one} for one in graph.reach(depth)]
    field = receptive_field(graph, wanted)
    inputs = gather_inputs(graph, field, CPU)
    for seed in np.flatnonzero(task.split == 2):
        states, raw = network(field, inputs)
        own = raw[seed]
        if raw.shape[1] == 1:
            margin = own[0]
        else:
            label = int(task.labels[seed])
            others = [own[each] for each in range(raw.shape[1]) if each != label]
            margin = own[label] - sum(others) / len(others)
        hops = hops_from(graph, int(seed), depth)
        names = sorted(states[0])
        found = torch.autograd.grad(
            margin, [states[0][name] for name in names], allow_unused=True
        )
        for name, gradient in zip(names, found, strict=True):
            if gradient is None:
                continue
            spread = states[0][name].detach().numpy().std(axis=0)
            for row, slope in enumerate(gradient.numpy()):
                amount = ((slope * spread) ** 2).sum()
                if amount:
                    by_hop[hops[name, row]] += amount
                    by_table[name] += amount
    return by_hop, by_table


def measured(network: Network, graph: Graph, task: Task, depth: int):
    sample = build_influence_sample(Tracer(graph), task, depth, CPU)
    assert sample is not None
    frame = measure_influence(network, sample)
    return {
        kind: dict(zip(rows["name"], rows["value"], strict=True))
        for kind, rows in frame.groupby("kind")
    }


@pytest.mark.parametrize("classes", [1, 2, 3])
@pytest.mark.parametrize("depth", [0, 1, 2, 3, 4])
def test_one_backward_pass_over_copies_is_every_gradient_one_by_one(
    depth: int, classes: int
) -> None:
    graph = shop()
    task = task_of(graph, classes)
    network = network_for(graph, depth, classes if classes > 2 else 1)
    by_hop, by_table = by_hand(network, graph, task, depth)
    found = measured(network, graph, task, depth)
    total = by_hop.sum()
    assert found["size"]["total"] == pytest.approx(total / 3, rel=1e-4)
    shares = {str(hop): amount / total for hop, amount in enumerate(by_hop)}
    assert found["hop"] == pytest.approx(shares, rel=1e-4, abs=1e-7)
    tables = {name: amount / total for name, amount in by_table.items()}
    assert found["table"] == pytest.approx(tables, rel=1e-4, abs=1e-7)
    mean = sum(hop * share for hop, share in enumerate(by_hop / total))
    assert found["range"]["mean"] == pytest.approx(mean, rel=1e-4, abs=1e-7)


@pytest.mark.parametrize("model", sorted(MODELS))
def test_the_copies_are_exact_for_every_network(model: str) -> None:
    """Degree-weighted networks too: copies keep the degrees of their originals."""
    links = [(0, 1), (1, 2), (2, 3), (3, 4), (4, 5), (0, 2), (6, 7)]
    graph = Graph(
        target="node",
        nodes={"node": features(9, 3)},
        relations=(relation("next", ("node", "node"), links),),
    )
    task = task_of(graph)
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        network = Network(graph, MODELS[model], REMEDIES["none"], 2, 6, 3, 0.0)
    by_hop, _ = by_hand(network.eval(), graph, task, 2)
    found = measured(network, graph, task, 2)["hop"]
    shares = {str(hop): amount / by_hop.sum() for hop, amount in enumerate(by_hop)}
    assert found == pytest.approx(shares, rel=1e-4, abs=1e-7)


def test_shares_add_up_to_one_and_agree_between_hops_and_tables() -> None:
    graph = shop()
    found = measured(network_for(graph, 3), graph, task_of(graph), 3)
    assert sum(found["hop"].values()) == pytest.approx(1)
    assert sum(found["table"].values()) == pytest.approx(1)


def test_what_is_beyond_reach_has_no_influence_at_all() -> None:
    graph = chain(3)
    task = task_of(graph)
    for depth in range(5):
        found = measured(network_for(graph, depth), graph, task, depth)["table"]
        for hop in range(4):
            assert (found[f"t{hop}"] > 0) == (hop <= depth), (depth, hop)


def chain(length: int, rows: int = 6) -> Graph:
    """Return tables t0 to t{length}, each row with a parent of its own."""
    names = [f"t{hop}" for hop in range(length + 1)]
    return Graph(
        target="t0",
        nodes={name: features(rows, 2, (), 0) for name in names},
        relations=tuple(
            relation(f"{one}.{other}", (one, other), [(at, at) for at in range(rows)])
            for one, other in pairwise(names)
        ),
    )


def test_a_graph_read_from_child_to_parent_only_hears_nothing() -> None:
    whole = shop()
    mute = Graph(target=whole.target, nodes=whole.nodes, relations=())
    found = measured(network_for(mute, 2), mute, task_of(mute), 2)
    assert found["hop"] == pytest.approx({"0": 1.0, "1": 0.0, "2": 0.0})
    assert found["table"]["city"] == 0


def test_the_copies_of_a_seed_are_the_rows_it_sees_each_once() -> None:
    graph = shop()
    none = {name: np.zeros(0, dtype=int) for name in graph.nodes}
    copies = Tracer(graph).copy(np.array([0, 2, 3]), 3, none)
    assert copies is not None
    for place, seed in enumerate([0, 2, 3]):
        counted = sorted(hops_from(graph, seed, 3).values())
        mine = [copies.hops[name][copies.owners[name] == place] for name in graph.nodes]
        assert sorted(np.concatenate(mine)) == counted


def test_a_limit_on_copies_is_kept() -> None:
    graph = shop()
    none: dict[str, np.ndarray] = {}
    assert Tracer(graph).copy(np.arange(5), 3, none, limit=10) is None


def test_copies_keep_the_degrees_of_their_originals() -> None:
    graph = shop()
    copies = Tracer(graph).copy(np.array([0]), 1, {})
    assert copies is not None
    # Customer 0: three orders, a city and two ratings; its city: two customers.
    assert copies.degrees["customer"].tolist() == [6]
    assert copies.degrees["city"].tolist() == [2]


def test_the_network_is_not_changed_and_holds_no_gradient() -> None:
    graph = shop()
    network = network_for(graph, 2)
    before = {name: one.clone() for name, one in network.state_dict().items()}
    measured(network, graph, task_of(graph), 2)
    for name, one in network.state_dict().items():
        assert torch.equal(one, before[name])
    assert all(one.grad is None for one in network.parameters())


# --- permutation ------------------------------------------------------------


def test_shuffling_a_table_beyond_reach_changes_nothing_and_within_reach_something():
    graph = chain(2, rows=30)
    task = task_of(graph, 1)
    network = network_for(graph, 1, 1)
    sample = build_shuffle_sample(graph, task, 1, CPU)
    frame = measure_drops(network, task, sample).set_index("name")["value"]
    assert frame["t2"] == 0
    assert frame["t0"] != 0
    assert frame["t1"] != 0


def test_shuffling_the_only_table_that_tells_costs_what_it_tells() -> None:
    """A network that reads t1's first channel off the target's parent."""
    graph = chain(1, rows=40)
    told = graph.nodes["t1"].numerical[:, 0]

    class Reader(torch.nn.Module):
        def encode(self, inputs):
            return {name: one.numerical for name, one in inputs.nodes.items()}

        def propagate(self, field, state, edges):
            order = torch.from_numpy(
                np.searchsorted(field.rows["t1"], field.rows["t0"])
            )
            return [state], (state["t1"][order, :1] > 0).double() * 2 - 1

    task = task_of(graph, 2)
    labels = (told > 0).double().numpy()
    task = Task(
        **{name: getattr(task, name) for name in task.__slots__} | {"labels": labels}
    )
    frame = measure_drops(Reader(), task, build_shuffle_sample(graph, task, 1, CPU))
    drops = frame.set_index("name")["value"]
    assert drops["t0"] == 0
    assert drops["t1"] > 0.3
    assert set(frame["kind"]) == {"permutation"}


def test_columns_that_ride_on_links_are_shuffled_too() -> None:
    graph = shop()
    task = task_of(graph, 1)
    frame = measure_drops(
        network_for(graph, 2, 1), task, build_shuffle_sample(graph, task, 2, CPU)
    )
    assert set(frame["name"]) == {*graph.nodes, "rating"}
    assert frame.set_index("name")["value"]["rating"] != 0


# --- exact profiles of linear networks --------------------------------------


def pages(links: list[tuple[int, int]], count: int) -> Graph:
    """Return rows of one table and the links between them."""
    nodes = features(count, 4)
    return Graph("page", {"page": nodes}, (relation("link", ("page", "page"), links),))


def profile(graph: Graph, model: str, depth: int, seed: int) -> list[float]:
    """Return the shares by hop of what one row listens to."""
    count = graph.nodes["page"].num_rows
    task = replace(task_of(graph, 1), split=np.where(np.arange(count) == seed, 2, 0))
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        network = Network(graph, MODELS[model], REMEDIES["none"], depth, 6, 1, 0.0)
    sample = build_influence_sample(Tracer(graph), task, depth, CPU)
    assert sample is not None
    frame = measure_influence(network, sample)
    return list(frame[frame["kind"] == "hop"]["value"])


@pytest.mark.parametrize(
    ("depth", "expected"),
    [
        # P = (A + I) / 3: a third each, squared, for the row and its two neighbours.
        (1, [1 / 3, 2 / 3]),
        # P²: 3/9 for itself, 2/9 for each neighbour and for the row opposite.
        (2, [9 / 21, 8 / 21, 4 / 21]),
        # P³: 7/27, 7/27 and 7/27 for itself and the neighbours, 6/27 opposite.
        (3, [49 / 183, 98 / 183, 36 / 183, 0]),
    ],
)
def test_a_linear_convolution_on_the_ring_of_four_listens_as_its_powers_say(
    depth: int, expected: list[float]
) -> None:
    ring = pages([(0, 1), (1, 2), (2, 3), (3, 0)], 4)
    assert profile(ring, "sgc", depth, 0) == pytest.approx(expected, abs=1e-6)


def test_the_profile_needs_one_hop_more_of_the_graph_than_it_has_layers() -> None:
    """Cut at the last layer, the outermost row has too few neighbours."""
    # 0 - 1 - 2, and three rows beyond 2, each with one more beyond.
    beyond = [(2, 3), (2, 4), (2, 5)]
    whole = pages([(0, 1), (1, 2), *beyond, (3, 6), (4, 7), (5, 8)], 9)
    three_hops = pages([(0, 1), (1, 2), *beyond], 6)
    two_hops = pages([(0, 1), (1, 2)], 3)
    full = profile(whole, "sgc", 2, 0)
    assert profile(three_hops, "sgc", 2, 0) == pytest.approx(full, abs=1e-6)
    assert profile(two_hops, "sgc", 2, 0) != pytest.approx(full, abs=1e-2)
