"""Segment sums and maxima against brute force, values and gradients."""

import numpy as np
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.graphs import features, relation
from workbench.field import Messages, receptive_field
from workbench.graph import Graph
from workbench.propagate import propagate_sum, segment_max


def messages_of(links: list[tuple[int, int]], senders: int, receivers: int) -> Messages:
    graph = Graph(
        target="t",
        nodes={"s": features(senders, 1), "t": features(receivers, 1)},
        relations=(relation("r", ("s", "t"), links),),
    )
    wanted = [{"s": np.arange(senders)}, {"t": np.arange(receivers)}]
    return receptive_field(graph, wanted).hops[0].messages[0]


links_of = st.lists(
    st.tuples(st.integers(0, 4), st.integers(0, 3)), min_size=1, max_size=20
)


@settings(deadline=None, max_examples=40)
@given(links=links_of)
def test_a_sum_and_its_gradient_equal_index_add(links):
    messages = messages_of(links, 5, 4)
    generator = torch.Generator().manual_seed(0)
    state = torch.randn(5, 3, generator=generator, dtype=torch.float64)
    ours, theirs = state.clone().requires_grad_(), state.clone().requires_grad_()
    found = propagate_sum(ours, messages)
    source, target = torch.tensor(links).T
    expected = torch.zeros(4, 3, dtype=torch.float64).index_add(
        0, target, theirs[source]
    )
    torch.testing.assert_close(found, expected)
    found.square().sum().backward()
    expected.square().sum().backward()
    torch.testing.assert_close(ours.grad, theirs.grad)


@settings(deadline=None, max_examples=40)
@given(links=links_of)
def test_a_maximum_and_its_gradient_equal_scatter_reduce(links):
    messages = messages_of(links, 5, 4)
    generator = torch.Generator().manual_seed(0)
    state = torch.randn(5, 3, generator=generator, dtype=torch.float64)
    ours, theirs = state.clone().requires_grad_(), state.clone().requires_grad_()
    found = segment_max(ours, messages)
    # A link that is written twice is a tie, whose gradient each side splits its way.
    source, target = torch.tensor(sorted(set(links))).T
    expected = torch.zeros(4, 3, dtype=torch.float64).scatter_reduce(
        0,
        target[:, None].expand(-1, 3),
        theirs[source],
        "amax",
        include_self=False,
    )
    torch.testing.assert_close(found, expected)
    found.square().sum().backward()
    expected.square().sum().backward()
    torch.testing.assert_close(ours.grad, theirs.grad)


def test_a_receiver_without_messages_gets_zero():
    messages = messages_of([(0, 1)], 1, 3)
    state = torch.tensor([[-2.0, 3.0]])
    assert propagate_sum(state, messages).tolist() == [[0, 0], [-2, 3], [0, 0]]
    assert segment_max(state, messages).tolist() == [[0, 0], [-2, 3], [0, 0]]
