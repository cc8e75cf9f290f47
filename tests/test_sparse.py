"""What is nearly always 0 is held without its zeros, and means the same."""

import sqlite3
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from scipy.sparse import csr_array

from tests import graphs
from workbench.database import connect
from workbench.encoder import Encoder
from workbench.features import Features
from workbench.graph import build_graph
from workbench.schema import infer_schema
from workbench.sparse import SparseBlock
from workbench.task import TaskSpec, define_task
from workbench.topologies import plan_named


def make_block(matrix: np.ndarray) -> SparseBlock:
    held = csr_array(matrix)
    return SparseBlock(
        pointers=torch.from_numpy(held.indptr.astype(np.int64)),
        channels=torch.from_numpy(held.indices.astype(np.int64)),
        values=torch.from_numpy(held.data.astype(np.float64)),
        names=tuple(f"w{index}" for index in range(matrix.shape[1])),
    )


def as_matrix(block: SparseBlock) -> torch.Tensor:
    return block.times(torch.eye(len(block.names)).double(), block.values)


@pytest.fixture
def matrix() -> np.ndarray:
    generator = np.random.default_rng(0)
    found = generator.normal(size=(9, 7)) * (generator.random((9, 7)) < 0.3)
    found[4] = 0  # a row without anything
    return found


def test_a_block_is_the_matrix_that_it_was_made_of(matrix):
    assert as_matrix(make_block(matrix)).numpy() == pytest.approx(matrix)


@pytest.mark.parametrize("rows", [[], [4], [8, 0, 0, 4, 3]])
def test_rows_are_taken_in_the_order_asked_for_also_twice(matrix, rows):
    taken = make_block(matrix).take(torch.tensor(rows, dtype=torch.int64))
    assert taken.num_rows == len(rows)
    assert as_matrix(taken).numpy() == pytest.approx(matrix[rows])


def test_rows_add_up_to_one_and_an_empty_row_to_nothing(matrix):
    sums = as_matrix(make_block(np.abs(matrix)).row_normalised()).sum(dim=1)
    assert sums.numpy() == pytest.approx((np.abs(matrix).sum(axis=1) > 0).astype(float))


def test_numbers_add_up_to_one_unless_one_is_below_zero():
    features = graphs.features(3, 2)
    shares = torch.tensor([[1.0, 3.0], [0.0, 0.0], [2.0, 0.0]])
    made = replace(features, numerical=shares).row_normalised().numerical
    assert made.tolist() == [[0.25, 0.75], [0, 0], [1, 0]]
    signed = replace(features, numerical=shares - 1).row_normalised().numerical
    assert signed.equal(shares - 1)


def test_the_map_of_a_block_has_the_gradient_of_the_dense_map(matrix):
    block = make_block(matrix)
    weight = torch.randn(7, 5, dtype=torch.float64, requires_grad=True)
    torch.autograd.gradcheck(lambda one: block.times(one, block.values), (weight,))
    dense = torch.from_numpy(matrix) @ weight
    assert block.times(weight, block.values).allclose(dense)


def test_sparse_channels_give_the_states_that_dense_ones_give(matrix):
    features = graphs.features(9, 2, (3,))
    sparse = replace(features, sparse=make_block(matrix))
    names = (*features.numerical_names, *(f"w{at}" for at in range(7)))
    wide = torch.cat([features.numerical.double(), torch.from_numpy(matrix)], dim=1)
    dense = replace(features, numerical=wide, numerical_names=names)
    one, two = Encoder(sparse, 6).double(), Encoder(dense, 6).double()
    with torch.no_grad():
        two.weight.copy_(torch.cat([one.weight, one.sparse]))
        two.bias.copy_(one.bias)
        two.table.copy_(one.table)
    found = one(replace(sparse, numerical=features.numerical.double()))
    assert found.allclose(two(dense), atol=1e-12)


def test_inputs_are_dropped_while_training_only(matrix):
    features = replace(graphs.features(9, 2, (3,)), sparse=make_block(matrix))
    encoder = Encoder(features, 6, input_dropout=0.5)
    whole = Encoder(features, 6)
    whole.load_state_dict(encoder.state_dict())
    torch.manual_seed(0)
    assert not encoder(features).equal(whole(features))
    assert encoder.eval()(features).equal(whole(features))


def write_wide(path: Path, num_words: int, share: float) -> np.ndarray:
    """Write a table of ``num_words`` columns, each other than 0 in a share of rows."""
    generator = np.random.default_rng(0)
    words = (generator.random((300, num_words)) < share) * generator.integers(
        1, 4, (300, num_words)
    )
    words[0], words[1] = 1, 2  # every column varies
    named = ", ".join(f"w{index} INTEGER" for index in range(num_words))
    marks = ", ".join("?" * (num_words + 2))
    with sqlite3.connect(path) as connection:
        connection.execute(f"CREATE TABLE t (id INTEGER PRIMARY KEY, y TEXT, {named})")
        connection.executemany(
            f"INSERT INTO t VALUES ({marks})",
            ((at, "ab"[at % 2], *row) for at, row in enumerate(words.tolist())),
        )
    connection.close()
    return words


def features_of(path: Path, **kept: str) -> Features:
    spec = TaskSpec(target="t.y", **kept)
    with connect(str(path), cache=path.parent) as database:
        schema = infer_schema(database)
        blueprint = plan_named(schema, spec, "single-table")
        task = define_task(database, schema, spec)
        return build_graph(database, schema, task, blueprint).nodes["t"]


def test_over_a_thousand_columns_are_read_and_kept_as_they_are(tmp_path):
    words = write_wide(tmp_path / "wide.sqlite", 1100, 0.03)
    features = features_of(tmp_path / "wide.sqlite")
    assert features.sparse is not None
    assert features.numerical.shape == (300, 0)
    assert as_matrix(features.sparse).numpy() == pytest.approx(words.astype(float))


@pytest.mark.parametrize(("number", "share"), [(63, 0.03), (80, 0.3)])
def test_few_columns_or_full_ones_are_features_like_others(tmp_path, number, share):
    write_wide(tmp_path / "t.sqlite", number, share)
    features = features_of(tmp_path / "t.sqlite")
    assert features.sparse is None
    assert features.numerical.shape[1] == number


# 20,000 rows × 5,000 words at 1 %: dense, one copy takes 400 MB.
MEASURED = """
import resource, sys
import numpy as np, torch
from pathlib import Path
from workbench.database import connect
from workbench.graph import build_graph
from workbench.models import MODELS
from workbench.remedies import REMEDIES
from workbench.run import Budget, RunConfig, build_network, train
from workbench.schema import infer_schema
from workbench.task import TaskSpec, define_task
from workbench.topologies import plan_named

def peak():
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024

torch.set_num_threads(1)
spec = TaskSpec(target="node.label")
with connect(sys.argv[1], cache=Path(sys.argv[2])) as database:
    schema = infer_schema(database)
    task = define_task(database, schema, spec)
    before = peak()
    graph = build_graph(database, schema, task, plan_named(schema, spec, "row2edge"))
config = RunConfig(MODELS["gcn"], REMEDIES["none"], 1, 0, Budget(epochs=2, width=8))
train(build_network(graph, task, config), graph, task, config)
print(len(graph.nodes["node"].sparse.values), peak() - before)
"""


@pytest.mark.slow
def test_a_large_list_of_words_trains_without_a_dense_table(tmp_path):
    rows, words, held = 20_000, 5_000, 50
    for name, head, body in (
        ("node", "id,label", ((at, "ab"[at % 2]) for at in range(rows))),
        ("edge", "src,dst", ((at, (at * 7 + 1) % rows) for at in range(rows))),
        (
            "feature",
            "node_id,word",
            (
                (at, f"w{(at * 13 + word * 97) % words}")
                for at in range(rows)
                for word in range(held)
            ),
        ),
    ):
        lines = [head, *(f"{one},{two}" for one, two in body)]
        (tmp_path / f"{name}.csv").write_text("\n".join(lines))
    found = subprocess.run(
        [sys.executable, "-c", MEASURED, str(tmp_path), str(tmp_path / "cache")],
        capture_output=True,
        text=True,
        check=True,
        timeout=120,
    )
    num_values, grown = map(int, found.stdout.split())
    assert num_values == rows * held
    assert grown < rows * words * 4
