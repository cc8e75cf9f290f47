"""A graph as GraphML, which Gephi, yEd and Cytoscape draw."""

import io
import math
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import networkx as nx

from workbench.database import reopen
from workbench.export import Export, Listed, list_links, list_nodes, write_file
from workbench.handover import Handover
from workbench.task import TEST, TRAIN, VAL, Task, TaskType

MOST_NODES = 50_000  # beyond, drawing programs stop answering
MOST_LINKS = 200_000
NUMBERS = frozenset({"number", "time", "sparse"})
UNWRITABLE = re.compile("[^\t\n\r\u0020-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
SIDES = {TRAIN: "train", VAL: "validation", TEST: "test"}


def write(handover: Handover, folder: Path) -> Path:
    """Write the nodes and the links, and a note of what was left out."""
    with reopen(handover.snapshot) as database:
        nodes = list_nodes(database, handover)
        links = list_links(database, handover)
    graph, note = draw(handover, nodes, links)
    content = io.BytesIO()
    nx.write_graphml_xml(graph, content, named_key_ids=False)
    path = write_file(folder / "graph.graphml", content.getvalue())
    if note:
        write_file(folder / "left_out.txt", f"{note}\n")
    return path


def draw(
    handover: Handover, nodes: list[Listed], links: list[Listed]
) -> tuple[nx.MultiDiGraph, str]:
    """Return the graph, and a sentence on what was left out, or nothing.

    Of a graph that is too large the first nodes of every type stay, as many of each
    type as its share of all, and the links between those.
    """
    graphed = handover.graph()
    found = nx.MultiDiGraph(name=_text(graphed.blueprint.name))
    total = sum(one.rows.num_rows for one in nodes)
    share = min(1.0, MOST_NODES / max(total, 1))
    kept = {one.title: math.floor(one.rows.num_rows * share) for one in nodes}
    for one in nodes:
        columns = _columns(one)
        for node in range(kept[one.title]):
            known = {name: values[node] for name, values in columns.items()}
            filled = {name: value for name, value in known.items() if value is not None}
            found.add_node(f"{one.name}:{node}", type=_text(one.title), **filled)
    _mark(
        found,
        graphed.task,
        {one.title: one.name for one in nodes}[graphed.blueprint.target],
    )
    num_links = sum(one.rows.num_rows for one in links)
    _link(found, links, {one.title: one.name for one in nodes}, kept)
    left = (total - found.number_of_nodes(), num_links - found.number_of_edges())
    if not any(left):
        return found, ""
    return found, (
        f"{left[0]:,} of {total:,} nodes and {left[1]:,} of {num_links:,} links were"
        f" left out: programs that draw GraphML stop answering beyond {MOST_NODES:,}"
        f" nodes or {MOST_LINKS:,} links. The first rows of every node type are there."
    )


def _link(
    graph: nx.MultiDiGraph,
    links: list[Listed],
    names: Mapping[str, str],
    kept: Mapping[str, int],
) -> None:
    number = 0
    for one in links:
        source, target = (names[end] for end in one.ends)
        first, last = (kept[end] for end in one.ends)
        columns = _columns(one)
        starts, ends = (
            one.rows.column(side).to_pylist() for side in ("source", "target")
        )
        for at, (start, end) in enumerate(zip(starts, ends, strict=True)):
            if number == MOST_LINKS:
                return
            if start < first and end < last:
                known = {name: values[at] for name, values in columns.items()}
                filled = {
                    name: value for name, value in known.items() if value is not None
                }
                number += 1
                graph.add_edge(
                    f"{source}:{start}",
                    f"{target}:{end}",
                    type=_text(one.title),
                    **filled,
                )


def _columns(one: Listed) -> dict[str, list[Any]]:
    """Return the columns' values, under a name that no other attribute has."""
    return {
        f"{one.name}.{one.columns[column]}": [
            _value(value, kind) for value in one.rows.column(column).to_pylist()
        ]
        for column, kind in one.kinds.items()
    }


def _mark(graph: nx.MultiDiGraph, task: Task, target: str) -> None:
    """Give the rows that are predicted their label and their side."""
    labels, sides = task.labels.tolist(), task.split.tolist()
    for at, row in enumerate(task.rows.tolist()):
        name = f"{target}:{row}"
        if name in graph:
            is_value = task.task_type is TaskType.REGRESSION
            label = labels[at] if is_value else _text(task.classes[int(labels[at])])
            graph.nodes[name]["label_of_task"] = label
            graph.nodes[name]["side"] = SIDES.get(sides[at], "set aside")


def _value(value: Any, kind: str) -> Any:
    if value is None:
        return None
    if kind in NUMBERS:
        number = float(value)
        return number if math.isfinite(number) else None
    return _text(str(value))


def _text(text: str) -> str:
    """Return text without the characters that XML cannot hold."""
    return UNWRITABLE.sub("\ufffd", text)


GRAPHML = Export(
    name="graphml",
    title="The graph as GraphML, for Gephi, yEd or Cytoscape",
    needs="graph",
    write=write,
    link="http://graphml.graphdrawing.org",
)
