"""Segment sums and maxima against brute force, values and gradients."""

import numpy as np
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.graphs import features, relation
from workbench.attention import share_softmax
from workbench.convolution import Arrival
from workbench.field import Messages, receptive_field
from workbench.graph import Graph
from workbench.joining import join_links
from workbench.propagate import (
    attend,
    bring,
    by_head,
    collect,
    copy_all,
    propagate_sum,
    segment_max,
    send,
    sum_all,
)


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
@given(each=st.lists(links_of, min_size=1, max_size=3))
def test_relations_joined_by_their_receivers_bring_the_sum_of_what_each_brings(each):
    several = [messages_of(links, 5, 4) for links in each]
    joined = join_links((at, one.ends) for at, one in enumerate(several))
    tables = [drawn(5, 3, at).requires_grad_() for at in range(len(each))]
    expected = sum(map(propagate_sum, tables, several))
    expected.square().sum().backward()
    wanted = [table.grad for table in tables]
    for table in tables:
        table.grad = None
    found = copy_all(tables, joined)
    torch.testing.assert_close(found, expected)
    found.square().sum().backward()
    torch.testing.assert_close([table.grad for table in tables], wanted)


@settings(deadline=None, max_examples=40)
@given(each=st.lists(links_of, min_size=1, max_size=3))
def test_relations_joined_by_their_senders_bring_each_its_own_sum(each):
    several = [messages_of(links, 5, 4) for links in each]
    joined = join_links((at, one.ends.reverse) for at, one in enumerate(several))
    ours, theirs = drawn(5, 3).requires_grad_(), drawn(5, 3).requires_grad_()
    found, expected = sum_all(ours, joined), [propagate_sum(theirs, m) for m in several]
    torch.testing.assert_close(list(found), expected)
    for totals in (found, expected):
        sum((at + 1) * one.square().sum() for at, one in enumerate(totals)).backward()
    torch.testing.assert_close(ours.grad, theirs.grad)


def test_a_row_with_two_parents_is_a_row_with_two_links_to_a_stack_of_parents():
    # Rows 0, 1, 2 refer to parents 1, none, 0 of one table and 0, 0, 1 of another.
    first = messages_of([(1, 0), (0, 2)], 2, 3).ends
    second = messages_of([(0, 0), (0, 1), (1, 2)], 2, 3).ends
    joined = join_links([(4, first), (7, second)])
    assert joined.channels == (4, 7)
    assert joined.heights == (2, 2)
    assert joined.links.pointers.tolist() == [0, 2, 3]
    assert joined.links.senders.tolist() == [1, 2, 2, 0, 3]
    assert joined.links.back_pointers.tolist() == [0, 1, 2, 4]
    assert joined.links.receivers.tolist() == [2, 0, 0, 1, 2]


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


def drawn(rows: int, width: int, seed: int = 0) -> torch.Tensor:
    generator = torch.Generator().manual_seed(seed)
    return torch.randn(rows, width, generator=generator, dtype=torch.float64)


def sorted_links(links: list[tuple[int, int]]) -> torch.Tensor:
    """Return [senders, receivers] in the order of the messages."""
    return torch.tensor(sorted(links, key=lambda link: link[1])).T


@settings(deadline=None, max_examples=40)
@given(links=links_of)
def test_sending_bringing_and_collecting_have_the_gradients_of_indexing(links):
    messages = messages_of(links, 5, 4)
    source, target = sorted_links(links)
    ours, theirs = ([drawn(5, 3), drawn(4, 3, 1)] for _ in range(2))
    for state in (*ours, *theirs):
        state.requires_grad_()
    found = collect(send(ours[0], messages) * bring(ours[1], messages), messages)
    expected = torch.zeros(4, 3, dtype=torch.float64).index_add(
        0, target, theirs[0][source] * theirs[1][target]
    )
    torch.testing.assert_close(found, expected)
    found.square().sum().backward()
    expected.square().sum().backward()
    for one, other in zip(ours, theirs, strict=True):
        torch.testing.assert_close(one.grad, other.grad)


@settings(deadline=None, max_examples=40)
@given(links=links_of, size=st.sampled_from([1.0, 1e4]))
def test_attention_is_the_softmax_of_each_receivers_scores(links, size):
    messages = messages_of(links, 5, 4)
    target = sorted_links(links)[1]
    scores, values = drawn(len(links), 2) * size, drawn(len(links), 6, 1)
    found, mass = attend(scores, values, messages)
    for row in range(4):
        mine = target == row
        if not mine.any():
            assert found[row].eq(0).all()
            assert mass[row].eq(-torch.inf).all()
            continue
        shares = scores[mine].softmax(dim=0).repeat_interleave(3, dim=1)
        torch.testing.assert_close(found[row], (shares * values[mine]).sum(dim=0))
        torch.testing.assert_close(mass[row], scores[mine].logsumexp(dim=0))


@settings(deadline=None, max_examples=40)
@given(first=links_of, second=links_of)
def test_two_relations_of_one_softmax_equal_one_relation_with_all_messages(
    first, second
):
    scores = [drawn(len(links), 2, at) for at, links in enumerate((first, second))]
    values = [drawn(len(links), 6, at + 2) for at, links in enumerate((first, second))]
    arrivals = [
        Arrival(*attend(score, value, messages_of(links, 5, 4)))
        for links, score, value in zip((first, second), scores, values, strict=True)
    ]
    found = share_softmax(torch.zeros(4, 6, dtype=torch.float64), arrivals)
    target = torch.cat([sorted_links(links)[1] for links in (first, second)])
    both, sent = torch.cat(scores), torch.cat(values)
    for row in range(4):
        mine = target == row
        shares = both[mine].softmax(dim=0)
        expected = by_head(sent[mine], shares).sum(dim=0)
        torch.testing.assert_close(found[row], expected)


@settings(deadline=None, max_examples=40)
@given(links=links_of, data=st.data())
def test_messages_that_are_kept_equal_messages_built_from_the_kept_links(links, data):
    kept = torch.tensor(
        data.draw(st.lists(st.booleans(), min_size=len(links), max_size=len(links)))
    )
    whole = messages_of(links, 5, 4)
    found = whole.keep(kept[whole.links])
    left = [link for link, keep in zip(links, kept.tolist(), strict=True) if keep]
    state = drawn(5, 3).requires_grad_()
    total = propagate_sum(state, found)
    expected = torch.zeros(4, 3, dtype=torch.float64)
    for source, target in left:
        expected[target] += state[source].detach()
    torch.testing.assert_close(total.detach(), expected)
    total.sum().backward()
    sent = torch.bincount(
        torch.tensor([s for s, _ in left], dtype=torch.int64), minlength=5
    )
    torch.testing.assert_close(state.grad, sent.double()[:, None].expand(5, 3))
    assert found.degree[:, 0].tolist() == [
        float(sum(target == row for _, target in left)) for row in range(4)
    ]
    if left:
        again = messages_of(left, 5, 4)
        assert found.senders.tolist() == again.senders.tolist()
        assert found.by_sender.tolist() == again.by_sender.tolist()
        assert found.receivers.tolist() == again.receivers.tolist()
