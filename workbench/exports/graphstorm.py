"""A graph for GraphStorm: its construction JSON and the Parquet files it names."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from workbench.database import reopen
from workbench.errors import StoreError
from workbench.export import Export, Listed, list_links, list_nodes, write_file
from workbench.handover import Handover
from workbench.task import TEST, TRAIN, VAL, Task, TaskType

VERSION = "gconstruct-v0.1"
CONFIG = "graphstorm.json"
TRANSFORMS: Mapping[str, Mapping[str, str]] = {
    "number": {"name": "max_min_norm"},
    "time": {"name": "max_min_norm"},
    "sparse": {"name": "max_min_norm"},
    "category": {"name": "to_categorical"},
    "parts": {"name": "to_categorical", "separator": ","},
}
SIDES = {"train": TRAIN, "valid": VAL, "test": TEST}


def write(handover: Handover, folder: Path) -> Path:
    """Write a Parquet file a type, the split, and the JSON that names them.

    Texts stay in the files and are no features, since the language model to read them
    with is GraphStorm's user's choice; so do long tables of which a node knows much.
    """
    task = handover.graph().task
    with reopen(handover.snapshot) as database:
        nodes = list_nodes(database, handover)
        links = list_links(database, handover)
    target = handover.graph().blueprint.target
    names = {one.title: one.name for one in nodes}
    config = {
        "version": VERSION,
        "nodes": [
            _node(one, folder, task if one.title == target else None) for one in nodes
        ],
        "edges": [_edge(one, names, folder) for one in links],
    }
    return write_file(folder / CONFIG, json.dumps(config, indent=1) + "\n")


def _node(one: Listed, folder: Path, task: Task | None) -> dict[str, Any]:
    file = f"node_{one.name}.parquet"
    table, features = _table(one, {"node": "node_id"})
    found: dict[str, Any] = {
        "node_type": one.name,
        "format": {"name": "parquet"},
        "files": [file],
        "node_id_col": "node_id",
    }
    if features:
        found["features"] = features
    if task is not None:
        name = "label"
        while name in table.column_names:
            name = f"{name}_"
        table = table.append_column(name, _labels(task, table.num_rows))
        found["labels"] = [_label(name, task, folder)]
    _save(table, folder / file)
    return found


def _edge(one: Listed, names: Mapping[str, str], folder: Path) -> dict[str, Any]:
    source, target = (names[end] for end in one.ends)
    file = f"edge_{one.name}.parquet"
    table, features = _table(one, {"source": "source_id", "target": "dest_id"})
    _save(table, folder / file)
    found: dict[str, Any] = {
        "relation": [source, one.name, target],
        "format": {"name": "parquet"},
        "files": [file],
        "source_id_col": "source_id",
        "dest_id_col": "dest_id",
    }
    return {**found, "features": features} if features else found


def _table(
    one: Listed, ids: Mapping[str, str]
) -> tuple[pa.Table, list[dict[str, Any]]]:
    """Return a type's table without gaps, and what its columns are as features."""
    columns = {new: one.rows.column(old) for old, new in ids.items()}
    features = []
    for column, kind in one.kinds.items():
        name = f"{one.columns[column]}_feature"
        values = _filled(one.rows.column(column), kind)
        columns[name] = values
        if kind in TRANSFORMS and _tells(values):
            features.append(
                {
                    "feature_col": name,
                    "feature_name": name,
                    "transform": dict(TRANSFORMS[kind]),
                }
            )
    return pa.table(columns), features


def _filled(values: pa.ChunkedArray, kind: str) -> pa.ChunkedArray:
    """Return values without gaps, which GraphStorm refuses: the mean, or no text."""
    if kind in ("number", "time", "sparse"):
        numbers = values.cast(pa.float64())
        numbers = pc.if_else(pc.is_finite(numbers), numbers, None)
        middle = 0.0 if kind == "sparse" else pc.mean(numbers).as_py()
        return numbers.fill_null(0.0 if middle is None else middle)
    return values.cast(pa.string()).fill_null("")


def _tells(values: pa.ChunkedArray) -> bool:
    """Return whether a column has two values or more; one has no range to scale."""
    return pc.count_distinct(values).as_py() > 1


def _labels(task: Task, num_rows: int) -> pa.Array:
    """Return the label of each node, empty or not a number where there is none."""
    if task.task_type is TaskType.REGRESSION:
        values = np.full(num_rows, np.nan)
        values[task.rows] = task.labels
        return pa.array(values)
    classes = np.asarray(task.classes, dtype=object)
    texts = np.full(num_rows, "", dtype=object)
    texts[task.rows] = classes[task.labels.astype(int)]
    return pa.array(texts, type=pa.string())


def _label(name: str, task: Task, folder: Path) -> dict[str, Any]:
    """Write which nodes are on which side, and return the label's entry."""
    split: dict[str, Any] = {"column": ["node_id"]}
    for side, part in SIDES.items():
        file = f"split_{side}.parquet"
        rows = task.rows[task.split == part]
        _save(pa.table({"node_id": rows.astype(np.int64)}), folder / file)
        split[side] = file
    is_value = task.task_type is TaskType.REGRESSION
    return {
        "label_col": name,
        "task_type": "regression" if is_value else "classification",
        "custom_split_filenames": split,
    }


def _save(table: pa.Table, path: Path) -> None:
    try:
        pq.write_table(table, path)
    except OSError as error:
        raise StoreError(
            f'"{path}" cannot be written ({error.strerror or error}).'
        ) from error


GRAPHSTORM = Export(
    name="graphstorm",
    title="The graph for GraphStorm: construction JSON and Parquet a type",
    needs="graph",
    write=write,
    link="https://graphstorm.readthedocs.io",
)
