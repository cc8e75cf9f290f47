"""Training: the workbench against the loop a user would write with PyG.

One graph, one network after the other, depth by depth. Every side of every depth runs
in a fresh process; processor time is counted from the loaded graph to the scores, so
what the workbench prepares per depth counts against it. Ratios are PyG over workbench,
above 1 where the workbench is faster.

    python benchmarks/bench_sweep.py              two depths of 50 000 rows, minutes
    python benchmarks/bench_sweep.py --full       all depths, and a million rows
    python benchmarks/bench_sweep.py --seeds 10   also: equal accuracy, first depth
    python benchmarks/bench_sweep.py --as-started no settings, all threads; wall time
"""

import argparse
import importlib
import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path

import numpy as np
from scipy.stats import t as student

WIDTH, LEARNING_RATE, WEIGHT_DECAY = 64, 0.01, 1e-4
SMALL, LARGE = 50_000, 1_000_000
SIZES = (10, 3)  # codes a column, classes
MARGIN = 0.01  # accuracy: within one point


@dataclass(frozen=True, slots=True)
class Case:
    """One side's work in one process.

    Attributes:
        side: ``workbench``, ``pyg``, or ``same`` for the comparison of first losses.
        path: The graph's arrays.
        seed: The only seed, or the first of several, trained one after the other.
        as_started: Whether threads and memory are left as a user finds them.
        num_seeds: How many seeds the process trains, for their scores alone.
    """

    side: str
    path: str
    depth: int
    epochs: int
    seed: int = 0
    as_started: bool = False
    num_seeds: int = 1


@dataclass(frozen=True, slots=True)
class Found:
    """What a process reports.

    Attributes:
        setup: Processor seconds from the loaded graph to the untrained network.
        training: Processor seconds of all epochs; for PyG, training passes only.
        evaluation: Processor seconds of PyG's scored passes.
        wall: Seconds from the loaded graph to the scores.
        peak: Peak resident memory, bytes.
        before: Resident memory once libraries and the graph are loaded, bytes.
        test: Test accuracy at the epoch that validated best.
        losses: First loss of the workbench and of PyG, where both are asked for.
        scores: Test accuracy of every seed, where several are asked for.
    """

    setup: float = 0.0
    training: float = 0.0
    evaluation: float = 0.0
    wall: float = 0.0
    peak: int = 0
    before: int = 0
    test: float = float("nan")
    losses: tuple[float, ...] = ()
    scores: tuple[float, ...] = ()

    @property
    def seconds(self) -> float:
        """All processor seconds."""
        return self.setup + self.training + self.evaluation


def work(case: Case) -> Found:
    """Do one side's work in this process."""
    import torch

    if not case.as_started:
        torch.set_num_threads(1)
    if case.num_seeds > 1:
        return score_seeds(case)
    match case.side:
        case "workbench":
            return work_here(case)
        case "pyg":
            return work_pyg(case)
        case _:
            return compare_losses(case)


def work_here(case: Case) -> Found:
    """Train with the workbench."""
    from shop_graph import read_graph

    from workbench.run import build_network, train

    # The first optimiser would import this for two seconds; PyG has done so by now.
    importlib.import_module("torch._dynamo")
    graph, task = read_graph(Path(case.path))
    # The workbench holds this once for a whole study.
    graph.directions, graph.degrees  # noqa: B018
    before, wall, started = memory("VmRSS"), time.perf_counter(), time.process_time()
    config = config_of(case)
    network = build_network(graph, task, config)
    ready = time.process_time()
    run = train(network, graph, task, config)
    return Found(
        setup=ready - started,
        training=time.process_time() - ready,
        wall=time.perf_counter() - wall,
        peak=memory("VmHWM"),
        before=before,
        test=run.test,
    )


def work_pyg(case: Case) -> Found:
    """Train with PyG."""
    import torch
    from pyg_loop import HeteroSage, read_data, train_pyg

    data = read_data(Path(case.path), "customer")
    before, wall, started = memory("VmRSS"), time.perf_counter(), time.process_time()
    torch.manual_seed(case.seed)
    model = HeteroSage(data, "customer", case.depth, WIDTH, SIZES)
    ready = time.process_time()
    took = train_pyg(model, data, case.epochs, LEARNING_RATE, WEIGHT_DECAY)
    return Found(
        setup=ready - started,
        training=took.training,
        evaluation=took.evaluation,
        wall=time.perf_counter() - wall,
        peak=memory("VmHWM"),
        before=before,
        test=took.test,
    )


def score_seeds(case: Case) -> Found:
    """Train several seeds, each from the same weights on both sides."""
    from pyg_loop import HeteroSage, read_data, train_pyg
    from shop_graph import read_graph

    from workbench.run import build_network, train

    graph, task = read_graph(Path(case.path))
    data = read_data(Path(case.path), graph.target)
    scores = []
    for seed in range(case.seed, case.seed + case.num_seeds):
        config = config_of(replace(case, seed=seed, epochs=case.epochs + 1))
        network = build_network(graph, task, config)
        if case.side == "workbench":
            scores.append(train(network, graph, task, config).test)
            continue
        model = HeteroSage(data, graph.target, case.depth, WIDTH, SIZES)
        copy_weights(network, graph, model)
        took = train_pyg(model, data, case.epochs, LEARNING_RATE, WEIGHT_DECAY)
        scores.append(took.test)
    return Found(scores=tuple(scores))


def compare_losses(case: Case) -> Found:
    """Return both sides' first losses, from the same weights."""
    import torch
    from pyg_loop import HeteroSage, read_data, train_pyg
    from shop_graph import read_graph
    from torch.nn import functional

    from workbench.feed import training_field
    from workbench.model import gather_inputs
    from workbench.run import build_network
    from workbench.task import TRAIN

    graph, task = read_graph(Path(case.path))
    network = build_network(graph, task, config_of(case))
    data = read_data(Path(case.path), graph.target)
    model = HeteroSage(data, graph.target, case.depth, WIDTH, SIZES)
    copy_weights(network, graph, model)
    field = training_field(graph, task, case.depth)
    inputs = gather_inputs(graph, field, torch.device("cpu"))
    labels = torch.from_numpy(task.labels).long()
    with torch.no_grad():
        raw = network(field, inputs)[1]
    kept = torch.from_numpy(task.split == TRAIN)
    ours = float(functional.cross_entropy(raw[kept], labels[kept]))
    took = train_pyg(model, data, 1, LEARNING_RATE, WEIGHT_DECAY)
    return Found(losses=(ours, took.losses[0]))


def config_of(case: Case):
    """Return the workbench's settings; its epochs count from 0."""
    from workbench.models import MODELS
    from workbench.remedies import REMEDIES
    from workbench.run import Budget, RunConfig

    budget = Budget(
        epochs=max(case.epochs - 1, 1),
        patience=case.epochs + 1,
        learning_rate=LEARNING_RATE,
        weight_decay=WEIGHT_DECAY,
        width=WIDTH,
    )
    return RunConfig(
        MODELS["sage-mean"], REMEDIES["none"], case.depth, case.seed, budget
    )


def copy_weights(network, graph, model) -> None:
    """Give PyG's network the workbench's weights, wherever both have one."""
    import torch

    with torch.no_grad():
        for name, key in network.keys.items():
            if key in network.encoders:
                encoder = network.encoders[key]
                model.columns[name].weight.copy_(encoder.weight.T)
                model.columns[name].bias.copy_(encoder.bias)
                model.codes[name].weight.copy_(encoder.table)
        for index, layer in enumerate(network.layers):
            for name, key in network.keys.items():
                if key in layer.own:
                    own = layer.own[key].linear.state_dict()
                    model.own[index][name].load_state_dict(own)
            for channel, way in enumerate(graph.directions):
                if str(channel) in layer.convolutions:
                    column = way.relation.split(".")[1]
                    middle = f"rev_{column}" if way.reverse else column
                    ends = (way.source, middle, way.target)
                    peer = model.convolutions[index].convs[ends].lin_l.weight
                    peer.copy_(layer.convolutions[str(channel)].linear.weight)
        model.head.load_state_dict(network.head.state_dict())


def memory(name: str) -> int:
    """Return a figure of this process's memory in bytes, as Linux counts it."""
    for line in Path("/proc/self/status").read_text().splitlines():
        if line.startswith(f"{name}:"):
            return int(line.split()[1]) * 1024
    return 0


def measure(case: Case, allocator: Mapping[str, str]) -> Found:
    """Do one side's work in a fresh process."""
    threads = (
        {} if case.as_started else {"OMP_NUM_THREADS": "1", "MKL_NUM_THREADS": "1"}
    )
    settings = {} if case.as_started else {**allocator, **threads}
    kept = {
        name: value
        for name, value in os.environ.items()
        if name not in ("OMP_NUM_THREADS", "MKL_NUM_THREADS")
        and not name.startswith(("MALLOC_", "GLIBC_"))
    }
    done = subprocess.run(
        [sys.executable, __file__, "--case", json.dumps(asdict(case))],
        env={**kept, **settings},
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode:
        raise SystemExit(done.stderr)
    return Found(**json.loads(done.stdout.splitlines()[-1]))


def ratio_lines(
    cases: Sequence[Case], allocator: Mapping[str, str], repeats: int
) -> Iterator[str]:
    """Yield a Markdown table of ratios, a row a case."""
    yield (
        "| rows | depth | epochs | first losses apart | workbench s | PyG s"
        " | times as fast | spread | without PyG's scoring | memory added | peak |"
    )
    yield "|---|---|---|---|---|---|---|---|---|---|---|"
    for case in cases:
        ours, peers = [], []
        for _ in range(repeats):
            ours.append(measure(replace(case, side="workbench"), allocator))
            peers.append(measure(replace(case, side="pyg"), allocator))
        yield _line(case, ours, peers, _apart(case, allocator))


def _line(case: Case, ours: Sequence[Found], peers: Sequence[Found], apart: str) -> str:
    pairs = list(zip(ours, peers, strict=True))
    ratios = [peer.seconds / own.seconds for own, peer in pairs]
    bare = [(peer.setup + peer.training) / own.seconds for own, peer in pairs]
    added = [(own.peak - own.before) / (peer.peak - peer.before) for own, peer in pairs]
    peak = [own.peak / peer.peak for own, peer in pairs]
    own_s, peer_s = (
        np.median([one.wall if case.as_started else one.seconds for one in side])
        for side in (ours, peers)
    )
    if case.as_started:
        ratios = [peer.wall / own.wall for own, peer in pairs]
    return (
        f"| {Path(case.path).stem} | {case.depth} | {case.epochs} | {apart}"
        f" | {own_s:.2f} | {peer_s:.2f} | **{np.median(ratios):.1f}**"
        f" | {min(ratios):.1f} to {max(ratios):.1f} | {np.median(bare):.1f}"
        f" | {np.median(added):.2f} | {np.median(peak):.2f} |"
    )


def _apart(case: Case, allocator: Mapping[str, str]) -> str:
    if case.as_started:
        return "–"
    one, other = measure(replace(case, side="same"), allocator).losses
    return f"{abs(one - other):.0e}"


def equal_line(case: Case, seeds: int, allocator: Mapping[str, str]) -> str:
    """Return what two one-sided tests say of the accuracies, seed by seed."""
    found = {
        side: np.array(
            measure(replace(case, side=side, num_seeds=seeds), allocator).scores
        )
        for side in ("workbench", "pyg")
    }
    gaps = found["workbench"] - found["pyg"]
    error = gaps.std(ddof=1) / np.sqrt(seeds)
    tail = float(student.sf((MARGIN - abs(gaps.mean())) / error, seeds - 1))
    said = "equivalent" if tail < 0.05 else "not shown to be equivalent"
    return (
        f"Accuracy at depth {case.depth} over {seeds} seeds of {case.epochs} epochs:"
        f" workbench {found['workbench'].mean():.4f}, PyG {found['pyg'].mean():.4f};"
        f" {said} within {MARGIN} (p = {tail:.3g}); seed by seed"
        f" {', '.join(f'{gap:+.4f}' for gap in gaps)}."
    )


def parse() -> argparse.Namespace:
    """Return the command line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--case", help=argparse.SUPPRESS)
    parser.add_argument("--full", action="store_true")
    parser.add_argument("--seeds", type=int, default=0)
    parser.add_argument("--rows", type=int, default=SMALL)
    parser.add_argument("--depths", type=int, nargs="+")
    parser.add_argument("--epochs", type=int, default=10)
    parser.add_argument("--repeats", type=int, default=1)
    parser.add_argument("--as-started", action="store_true")
    return parser.parse_args()


def plan(asked: argparse.Namespace) -> list[tuple[int, int, int]]:
    """Return rows, depth and epochs of every case."""
    if asked.full:
        small = [(SMALL, depth, 20) for depth in range(1, 9)]
        return [*small, (LARGE, 2, 4), (LARGE, 4, 4)]
    return [(asked.rows, depth, asked.epochs) for depth in asked.depths or (2, 4)]


def main() -> None:
    """Print the table that was asked for."""
    asked = parse()
    if asked.case:
        print(json.dumps(asdict(work(Case(**json.loads(asked.case))))))
        return
    from shop_graph import write_arrays

    from workbench.engine import ALLOCATOR

    with tempfile.TemporaryDirectory() as folder:
        cases = []
        for rows, depth, epochs in plan(asked):
            path = Path(folder) / f"{rows}.npz"
            if not path.exists():
                write_arrays(path, rows)
            cases.append(
                Case("", str(path), depth, epochs, as_started=asked.as_started)
            )
        for line in ratio_lines(cases, ALLOCATOR, asked.repeats):
            print(line, flush=True)
        if asked.seeds:
            print(equal_line(cases[0], asked.seeds, ALLOCATOR))


if __name__ == "__main__":
    main()
