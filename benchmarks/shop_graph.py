"""The shop as a graph, drawn as arrays: no database, so a million rows take seconds.

Tables, keys and shares are those of `shop`; a customer's class follows from its own
column, its purchases' and their items', with noise, so that two hops help.
"""

from pathlib import Path

import numpy as np
import torch
from shop import TABLES, sizes

from workbench.blueprint import KeyRole
from workbench.features import Features
from workbench.graph import Graph, Relation
from workbench.hints import TaskSpec
from workbench.task import TEST, TRAIN, VAL, Task, TaskType

TARGET = "customer"
NUM_CHANNELS = 6
CODES = 10
CLASSES = ("low", "middle", "high")
NOISE = 0.5


def write_arrays(path: Path, num_rows: int, seed: int = 0) -> None:
    """Write columns, keys, labels and split as one NumPy archive."""
    generator = np.random.default_rng([seed, num_rows])
    counts = sizes(num_rows)
    arrays: dict[str, np.ndarray] = {}
    for table, number in counts.items():
        values = generator.standard_normal((number, NUM_CHANNELS), dtype=np.float32)
        arrays[f"x|{table}"] = values
        codes = generator.permutation(np.arange(number) % CODES)
        arrays[f"code|{table}"] = codes[:, None]
        for column, parent in keys_of(table):
            arrays[f"key|{table}|{column}|{parent}"] = generator.integers(
                0, counts[parent], number
            )
    arrays["labels"] = _labels(arrays, counts, generator)
    parts = generator.permutation(counts[TARGET]) % 10
    arrays["split"] = np.select([parts < 6, parts < 8], [TRAIN, VAL], TEST)
    np.savez(path, **arrays)


def keys_of(table: str) -> list[tuple[str, str]]:
    """Return the foreign keys of a table: column and parent."""
    return [
        (name, declared.split()[2])
        for name, declared in TABLES[table]
        if "REFERENCES" in declared
    ]


def read_graph(path: Path) -> tuple[Graph, Task]:
    """Return what `write_arrays` wrote as the workbench's own graph and task."""
    with np.load(path) as arrays:
        nodes = {
            table: _features(arrays[f"x|{table}"], arrays[f"code|{table}"])
            for table in TABLES
        }
        relations = []
        for name in arrays.files:
            if name.startswith("key|"):
                _, table, column, parent = name.split("|")
                relations.append(_relation(table, column, parent, arrays[name]))
        labels, split = arrays["labels"], arrays["split"]
    task = Task(
        spec=TaskSpec(f"{TARGET}.segment"),
        task_type=TaskType.MULTICLASS,
        classes=CLASSES,
        metric="accuracy",
        rows=np.arange(len(labels)),
        labels=labels.astype(np.float64),
        split=split.astype(np.int8),
        keys=tuple(map(str, range(len(labels)))),
    )
    return Graph(target=TARGET, nodes=nodes, relations=tuple(relations)), task


def _labels(
    arrays: dict[str, np.ndarray],
    counts: dict[str, int],
    generator: np.random.Generator,
) -> np.ndarray:
    """Return three equally frequent classes."""
    purchase = arrays["key|purchase|customer_id|customer"]
    order = arrays["key|item|purchase_id|purchase"]
    bought = _mean(arrays["x|item"][:, 0], order, counts["purchase"])
    own = arrays["x|customer"][:, 0]
    near = _mean(arrays["x|purchase"][:, 0], purchase, counts[TARGET])
    far = _mean(bought, purchase, counts[TARGET])
    score = own + 2 * near + 3 * far + NOISE * generator.standard_normal(len(own))
    return np.searchsorted(np.quantile(score, [1 / 3, 2 / 3]), score)


def _mean(values: np.ndarray, parents: np.ndarray, num_parents: int) -> np.ndarray:
    counts = np.bincount(parents, minlength=num_parents)
    return np.bincount(parents, values, minlength=num_parents) / np.maximum(counts, 1)


def _features(values: np.ndarray, codes: np.ndarray) -> Features:
    return Features(
        num_rows=len(values),
        numerical=torch.from_numpy(values),
        numerical_names=tuple(f"x{index}" for index in range(values.shape[1])),
        codes=torch.from_numpy(codes),
        code_names=("code",),
        cardinalities=(CODES,),
    )


def _relation(table: str, column: str, parent: str, parents: np.ndarray) -> Relation:
    return Relation(
        name=f"{table}.{column}",
        source=table,
        target=parent,
        source_rows=np.arange(len(parents)),
        target_rows=parents,
        direction=KeyRole.EDGE,
        attributes=None,
    )
