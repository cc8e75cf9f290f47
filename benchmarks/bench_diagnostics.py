"""What looking at a trained network costs, against one epoch of PyG.

A generated shop and `sage-mean`, width 64, one thread, both sides with the workers'
allocator, each in a fresh process. An epoch of PyG is a training pass and a scored
pass, the median of those after the first. Diagnostics are all that a trial measures:
layers before and after training and the influence of rows at each distance. One seed
of a cell also gets projections and permuted inputs.

    python benchmarks/bench_diagnostics.py [--rows 50000] [--depths 2 4] [--profile]
"""

import argparse
import cProfile
import json
import os
import pstats
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from bench_sweep import LEARNING_RATE, SIZES, WEIGHT_DECAY, WIDTH, Case, config_of

EPOCHS = 4
GOAL = 0.35


def epoch_of_pyg(path: Path, depth: int) -> float:
    """Return the processor seconds of one epoch of PyG."""
    import torch
    from pyg_loop import HeteroSage, read_data, train_pyg

    torch.manual_seed(0)
    data = read_data(path, "customer")
    model = HeteroSage(data, "customer", depth, WIDTH, SIZES)
    took = []
    for _ in range(EPOCHS):
        one = train_pyg(model, data, 1, LEARNING_RATE, WEIGHT_DECAY)
        took.append(one.training + one.evaluation)
    return statistics.median(took[1:])


def diagnostics(path: Path, depth: int, profile: bool) -> dict[str, float]:
    """Return the processor seconds of each part of a trial's diagnostics."""
    import torch
    from shop_graph import read_graph

    from workbench.copies import Tracer
    from workbench.feed import Whole
    from workbench.influence import build_influence_sample, measure_influence
    from workbench.layerwise import measure_layers, project_layers
    from workbench.permutation import build_shuffle_sample, measure_drops
    from workbench.run import build_network, train
    from workbench.sampled import build_probe

    graph, task = read_graph(path)
    graph.directions, graph.degrees  # noqa: B018
    config = config_of(Case("workbench", str(path), depth, EPOCHS))
    device = torch.device("cpu")
    feed = Whole(graph, task, depth, device)
    took: dict[str, float] = {}
    watch = cProfile.Profile()

    def timed(name: str, work: Callable[[], Any]) -> Any:
        started = time.process_time()
        if profile:
            watch.enable()
        found = work()
        watch.disable()
        took[name] = took.get(name, 0.0) + time.process_time() - started
        return found

    probe = timed("once: sample", lambda: build_probe(graph, task, depth, device))
    heard = timed(
        "once: influence",
        lambda: build_influence_sample(Tracer(graph), task, depth, device),
    )
    moved = timed(
        "once: permute", lambda: build_shuffle_sample(graph, task, depth, device)
    )
    network = build_network(graph, task, config)
    timed("layers", lambda: measure_layers(network, probe))
    is_shown = heard is not None and heard.is_costly
    name = "influence, one seed" if is_shown else "influence"
    if heard is not None:
        timed(name, lambda: measure_influence(network, heard))
    run = train(network, graph, task, config, feed)
    timed("layers", lambda: measure_layers(network, probe))
    if heard is not None:
        timed(name, lambda: measure_influence(network, heard))
    timed("projection", lambda: project_layers(network, probe, task, run.outputs))
    timed("permuted inputs", lambda: measure_drops(network, task, moved))
    if profile:
        pstats.Stats(watch, stream=sys.stderr).sort_stats("tottime").print_stats(25)
    return took


def measured(side: str, path: Path, depth: int, profile: bool) -> Any:
    """Do one side in a fresh process, with the settings that workers get."""
    from workbench.engine import ALLOCATOR

    done = subprocess.run(
        [sys.executable, "-W", "ignore", __file__, "--side", side]
        + ["--path", str(path), "--depths", str(depth)]
        + (["--profile"] if profile else []),
        env={**os.environ, **ALLOCATOR, "OMP_NUM_THREADS": "1", "MKL_NUM_THREADS": "1"},
        stdout=subprocess.PIPE,
        text=True,
        check=True,
    )
    return json.loads(done.stdout.splitlines()[-1])


def main() -> None:
    """Print a table of seconds and of shares of an epoch."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rows", type=int, default=50_000)
    parser.add_argument("--depths", type=int, nargs="+", default=[2])
    parser.add_argument("--profile", action="store_true")
    parser.add_argument("--side", help=argparse.SUPPRESS)
    parser.add_argument("--path", type=Path, help=argparse.SUPPRESS)
    asked = parser.parse_args()
    if asked.side:
        depth = asked.depths[0]
        found = (
            epoch_of_pyg(asked.path, depth)
            if asked.side == "pyg"
            else diagnostics(asked.path, depth, asked.profile)
        )
        print(json.dumps(found))
        return
    from shop_graph import write_arrays

    print(f"Processor seconds, {asked.rows:,} rows; the goal is {GOAL} of an epoch.\n")
    print("| depth | part | seconds | of an epoch of PyG |\n|---|---|---|---|")
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "shop.npz"
        write_arrays(path, asked.rows)
        for depth in asked.depths:
            epoch = measured("pyg", path, depth, profile=False)
            parts = measured("workbench", path, depth, asked.profile)
            every = sum(parts.get(name, 0.0) for name in ("layers", "influence"))
            once = ("projection", "permuted inputs", "influence, one seed")
            shown = every + sum(parts.get(name, 0.0) for name in once)
            rows = {
                "an epoch of PyG": epoch,
                **parts,
                "**every trial**": every,
                "**the one seed shown**": shown,
            }
            for name, took in rows.items():
                print(f"| {depth} | {name} | {took:.3f} | {took / epoch:.2f} |")


if __name__ == "__main__":
    main()
