"""The map in front of every network, against torch's own layers."""

from dataclasses import replace

import torch
from torch.nn import functional

from tests.graphs import features
from workbench.encoder import Encoder


def test_codes_of_two_columns_are_links_to_one_table_of_both():
    # Columns of 2 and 3 codes: the second one's stand at 2, 3 and 4 of the table.
    found = replace(
        features(3, 0, (2, 3)), codes=torch.tensor([[1, 0], [0, 2], [1, 2]])
    ).code_links
    assert found.senders.tolist() == [1, 2, 0, 4, 1, 4]
    assert found.pointers.tolist() == [0, 2, 4]
    assert found.receivers.tolist() == [1, 0, 2, 0, 1, 2]
    assert found.back_pointers.tolist() == [0, 1, 3, 4, 4]


def test_a_state_and_its_gradients_equal_those_of_a_linear_layer_and_embeddings():
    given = features(50, 3, (4, 7))
    given = replace(given, numerical=given.numerical.double())
    encoder = Encoder(given, 5).double()
    parts = (encoder.weight, encoder.bias, encoder.table)
    found = encoder(given)
    wanted = torch.autograd.grad(found.square().sum(), parts)
    first, second = encoder.table.split(given.cardinalities)
    state = functional.linear(given.numerical, encoder.weight.T, encoder.bias)
    state = state + functional.embedding(given.codes[:, 0], first)
    state = (state + functional.embedding(given.codes[:, 1], second)).relu()
    torch.testing.assert_close(found, state)
    expected = torch.autograd.grad(state.square().sum(), parts)
    torch.testing.assert_close(wanted, expected)


def test_rows_without_codes_are_encoded_by_their_channels_alone():
    given = features(4, 2)
    encoder = Encoder(given, 3)
    expected = (given.numerical @ encoder.weight + encoder.bias).relu()
    torch.testing.assert_close(encoder(given), expected)
