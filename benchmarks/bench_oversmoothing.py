"""How fast states become alike on natural graphs, and on a ring and a grid.

Two questions, over the same graphs. Features without meaning are spread by the
averaging that graph convolutions do, step by step: how much of them is left, and how
much of the graph has been seen by then? And networks are trained to say whether the
values around a node are high: what is left in the last layer of nets of 2 to 16 layers,
untrained and trained, and how do they score?

    python benchmarks/bench_oversmoothing.py [--full]
"""

import argparse
import sqlite3
import tempfile
import time
from collections.abc import Iterator, Mapping
from contextlib import closing
from pathlib import Path

import networkx as nx
import numpy as np
from drawing import Line, draw_lines, save, table, versions
from scipy.sparse import coo_array, csr_array, diags_array, eye_array
from scipy.sparse.csgraph import connected_components

from workbench.database import connect
from workbench.execute import run_study
from workbench.graph import build_graph
from workbench.hints import Hints, TaskSpec, hints_to_toml
from workbench.measures import measure_rows
from workbench.results import load_results
from workbench.schema import infer_schema
from workbench.study import Arm, Budget, Study
from workbench.task import define_task
from workbench.topologies import plan_named

STEPS = (0, 1, 2, 3, 4, 6, 8, 12, 16, 24, 32)
SHOWN = (1, 2, 4, 8, 16, 32)
CHANNELS = 16
SAMPLE = 2000  # rows whose states are measured, and from which is counted what is seen
CONTROLS = ("ring", "grid")
SOURCES = {"address-3nf": "prosperous", "chinook": "genre"}
TRAINED = ("les miserables", "power law", "ring", "grid")
DEPTHS = (2, 4, 8, 16)
MEASURES = ("cosine-distance", "effective-rank-centred", "variance-share")
BUDGET = Budget(epochs=60, patience=30, learning_rate=0.01, weight_decay=5e-4, width=32)


def graphs() -> Iterator[tuple[str, csr_array]]:
    """Yield names and symmetric 0/1 adjacency matrices."""
    natural = {
        "karate club": nx.karate_club_graph(),
        "les miserables": nx.les_miserables_graph(),
        "women and events": nx.davis_southern_women_graph(),
        "power law": nx.barabasi_albert_graph(1000, 2, seed=0),
    }
    for name, graph in natural.items():
        yield name, adjacency(graph)
    for sample, task in SOURCES.items():
        yield f"rows of {sample}", of_sample(sample, task)
    yield "ring", adjacency(nx.watts_strogatz_graph(1000, 4, 0, seed=0))
    yield "grid", adjacency(nx.grid_2d_graph(32, 32))


def adjacency(graph: nx.Graph) -> csr_array:
    """Return the adjacency matrix of a graph, weights left out."""
    tied = csr_array(nx.to_scipy_sparse_array(graph, dtype=float))
    tied.data[:] = 1
    return tied


def of_sample(sample: str, task_name: str) -> csr_array:
    """Return the rows of a sample as nodes, those tied by a key next to each other."""
    with connect(f"sample:{sample}") as database:
        schema = infer_schema(database)
        task = define_task(database, schema, task_name)
        blueprint = plan_named(schema, task.spec, "row2node")
        graph = build_graph(database, schema, task, blueprint)
    sizes = [features.num_rows for features in graph.nodes.values()]
    first = dict(zip(graph.nodes, np.cumsum([0, *sizes[:-1]]), strict=True))
    ends = [
        (first[one.source] + one.source_rows, first[one.target] + one.target_rows)
        for one in graph.relations
    ]
    child, parent = (np.concatenate(side) for side in zip(*ends, strict=True))
    both = np.concatenate([child, parent]), np.concatenate([parent, child])
    entries = np.ones(len(both[0]))
    tied = csr_array(coo_array((entries, both), shape=(sum(sizes), sum(sizes))))
    tied.data[:] = 1
    return tied


def averaging(tied: csr_array) -> csr_array:
    """Return D^-1/2 (A + I) D^-1/2, what one graph convolution spreads by."""
    looped = csr_array(tied + eye_array(tied.shape[0]))
    scale = diags_array(1 / np.sqrt(np.asarray(looped.sum(axis=1)).ravel()))
    return csr_array(scale @ looped @ scale)


def spread(tied: csr_array, seed: int = 0) -> dict[int, dict[str, float]]:
    """Return what is left of Gaussian features after each number of steps."""
    rng = np.random.default_rng(seed)
    states = rng.standard_normal((tied.shape[0], CHANNELS))
    rows = rng.permutation(tied.shape[0])[:SAMPLE]
    step, found = averaging(tied), {}
    for number in range(max(STEPS) + 1):
        if number:
            states = step @ states
        if number in STEPS:
            measured = measure_rows(states[rows])
            found[number] = {name: measured[name].value for name in MEASURES}
    return found


def seen(tied: csr_array, most: int = 16, seed: int = 0) -> list[float]:
    """Return the median share of nodes within 0, 1, … hops of sampled nodes."""
    number = tied.shape[0]
    rows = np.random.default_rng(seed).permutation(number)[: min(number, 200)]
    reached = (
        csr_array(np.eye(number)[rows]) if number <= SAMPLE else _ones(rows, number)
    )
    step, shares = csr_array(tied + eye_array(number)), []
    for _ in range(most + 1):
        shares.append(float(np.median(np.diff(reached.indptr)) / number))
        reached = csr_array(reached @ step)
        reached.data[:] = 1
    return shares


def _ones(rows: np.ndarray, number: int) -> csr_array:
    entries = np.ones(len(rows)), (np.arange(len(rows)), rows)
    return csr_array(coo_array(entries, shape=(len(rows), number)))


def first_at(values: Mapping[int, bool]) -> int | str:
    """Return the first position that is true."""
    return next((at for at, true in values.items() if true), f"> {max(values)}")


def write_database(name: str, tied: csr_array, folder: Path) -> tuple[str, str]:
    """Write nodes and edges, and what to predict; return the file and its hints.

    The label says whether the mean over a node and its neighbours of the first of
    sixteen Gaussian columns is above the median: one hop decides it.
    """
    rng = np.random.default_rng(1)
    number = tied.shape[0]
    columns = rng.standard_normal((number, CHANNELS))
    around = (tied @ columns[:, 0] + columns[:, 0]) / (tied.sum(axis=1) + 1)
    label = (around > np.median(around)).astype(int)
    path = folder / f"{name.replace(' ', '-')}.sqlite"
    listed = ", ".join(f"x{at} REAL" for at in range(CHANNELS))
    upper = coo_array(tied)
    pairs = [
        (int(a), int(b)) for a, b in zip(upper.row, upper.col, strict=True) if a < b
    ]
    with closing(sqlite3.connect(path)) as connection, connection:
        connection.execute(
            f"CREATE TABLE node (id INTEGER PRIMARY KEY, {listed}, label INTEGER)"
        )
        connection.execute(
            "CREATE TABLE edge (a INTEGER REFERENCES node (id),"
            " b INTEGER REFERENCES node (id))"
        )
        marks = ", ".join("?" * (CHANNELS + 2))
        rows = zip(range(number), *columns.T.tolist(), label.tolist(), strict=True)
        connection.executemany(f"INSERT INTO node VALUES ({marks})", rows)
        connection.executemany("INSERT INTO edge VALUES (?, ?)", pairs)
    hints = path.with_suffix(".hints.toml")
    task = TaskSpec(target="node.label", metric="accuracy", name="high")
    hints.write_text(hints_to_toml(Hints(tasks={"high": task}, complete=True)))
    return str(path), str(hints)


def spread_table(
    left: Mapping[str, Mapping[int, Mapping[str, float]]],
    reach: Mapping[str, list[float]],
    sizes: Mapping[str, tuple[int, int]],
) -> str:
    """Return what averaging leaves, what is seen by then, and whether as expected.

    Of a natural graph it is expected that at most 2 % of the distance is left after 32
    steps and that 90 % is seen within 4; of a control that the distance stays above 0.9
    and that less than 10 % is seen within 6.
    """
    rows = []
    for name, found in left.items():
        start = found[0]["cosine-distance"]
        last = found[max(STEPS)]["cosine-distance"]
        half = first_at({at: share > 0.5 for at, share in enumerate(reach[name])})
        tenth = first_at(
            {at: one["cosine-distance"] < 0.1 * start for at, one in found.items()}
        )
        if name in CONTROLS:
            kept = last >= 0.9, reach[name][6] < 0.10
        else:
            kept = last <= 0.02 * start, reach[name][4] >= 0.9
        distances = [found[at]["cosine-distance"] for at in (0, *SHOWN)]
        held = [found[32]["effective-rank-centred"], found[32]["variance-share"]]
        shares = [reach[name][4], reach[name][6]]
        said = ["yes" if each else "**no**" for each in kept]
        rows.append(
            [name, *sizes[name], *distances, *held, *shares, half, tenth, *said]
        )
    head = [
        "graph",
        "nodes",
        "components",
        *(f"MAD {at}" for at in (0, *SHOWN)),
        "rank 32",
    ]
    head += ["variance 32", "seen 4", "seen 6", "half seen at", "MAD < 10 % at"]
    return table([*head, "distance as expected", "reach as expected"], rows)


def train_nets(
    tied: Mapping[str, csr_array], folder: Path, models: tuple[str, ...], seeds: int
) -> tuple[str, dict[str, list[Line]]]:
    """Train networks on databases of nodes and edges; return a table and lines."""
    files = {name: write_database(name, tied[name], folder) for name in TRAINED}
    rows, panels = [], {}
    for style, (name, (source, hints)) in enumerate(files.items()):
        study = Study(
            arms=(Arm(source, "row2edge", hints),),
            task="high",
            models=models,
            depths=DEPTHS,
            seeds=seeds,
            budget=BUDGET,
        )
        out = folder / f"out-{style}"
        run_study(study, out)
        results = load_results(out)
        layers, trials = results.layers, results.trials
        last = layers[(layers["layer"] == layers["depth"])]
        last = last[last["node_type"] == "node"]
        means = last.groupby(["model", "state", "depth", "measure"])["value"].mean()
        scores = trials.groupby(["model", "depth"])["test"].mean()
        for model in study.models:
            for depth in DEPTHS:
                row: list[object] = [name, model, depth]
                for state in ("untrained", "trained"):
                    row += [float(means[model, state, depth, one]) for one in MEASURES]
                rows.append([*row, float(scores[model, depth])])
        for state in ("untrained", "trained"):
            values = [
                float(means["gcn", state, depth, "cosine-distance"]) for depth in DEPTHS
            ]
            panels.setdefault(f"GCN, {state}: last layer", []).append(
                Line(name, DEPTHS, values, style)
            )
    head = ["graph", "network", "layers"]
    head += ["MAD", "rank", "variance", "MAD trained", "rank trained"]
    return table([*head, "variance trained", "test accuracy"], rows), panels


def main() -> None:
    """Measure, train, print both tables and draw both figures."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--full", action="store_true", help="two networks, three seeds")
    full = parser.parse_args().full
    models, seeds = (("gcn", "sage"), 3) if full else (("gcn",), 1)
    started = time.perf_counter()
    tied = dict(graphs())
    left = {name: spread(one) for name, one in tied.items()}
    reach = {name: seen(one) for name, one in tied.items()}
    sizes = {
        name: (one.shape[0], connected_components(one)[0]) for name, one in tied.items()
    }
    print(spread_table(left, reach, sizes) + "\n")
    distance = [
        Line(
            name,
            STEPS,
            [found[at]["cosine-distance"] for at in STEPS],
            style,
            name in CONTROLS,
        )
        for style, (name, found) in enumerate(left.items())
    ]
    shares = [
        Line(name, range(17), found, style, name in CONTROLS)
        for style, (name, found) in enumerate(reach.items())
    ]
    panels = {"Distance between states": distance, "Share of nodes seen": shares}
    title = "Averaging makes states alike on natural graphs before it does on a ring"
    drawn = [
        save(
            draw_lines(panels, title, ("steps", "cosine distance; share"), (0, 1.1)),
            "oversmoothing-propagation",
        )
    ]
    with tempfile.TemporaryDirectory() as folder:
        text, nets = train_nets(tied, Path(folder), models, seeds)
    print(text + "\n")
    title = "The last layer of networks of 2 to 16 layers"
    figure = draw_lines(nets, title, ("layers", "cosine distance"), (0, 0.5))
    drawn.append(save(figure, "oversmoothing-networks"))
    names = ", ".join(each.name for each in drawn)
    print(f"{names}; {seeds} seed(s), {time.perf_counter() - started:.0f} s;"
          f" {versions()}")  # fmt: skip


if __name__ == "__main__":
    main()
