"""How a sweep of 1 000 cells would scale to 100 workers, from measured cell times.

    python benchmarks/bench_scaling.py [RESULTS]

RESULTS is a results folder; without one the cells of ``cost_cells.csv`` are taken. The
times of 1 000 cells are drawn from the measured ones (seed 0), as they are and ten
times as long, and handed to workers in order, the next to whoever is free. Three things
keep it from scaling for ever: every worker starts once, prepares each graph and depth
once, and one process keeps all results, one after the other; what keeping costs is
measured here.
"""

import heapq
import sys
import tempfile
import time
from dataclasses import asdict, dataclass, replace
from pathlib import Path

import numpy as np
import pandas as pd

from workbench.comparison import Trial
from workbench.store import Store

CELLS = Path(__file__).with_name("cost_cells.csv")
NUM_CELLS = 1000
WORKERS = (1, 2, 4, 8, 16, 32, 64, 100)
START_S = 6.0  # a worker's imports, as measured on two busy cores
KEPT_ROWS = 400  # of layers and of predictions, as a cell of a small sample leaves


@dataclass(frozen=True, slots=True)
class Sweep:
    """Cells in the order they are handed out.

    Attributes:
        seconds: Time of each run, [cells].
        prepare: Time that a worker needs once for each kind, [kinds].
        kinds: Which graph and depth each cell is of, [cells].
    """

    seconds: np.ndarray
    prepare: np.ndarray
    kinds: np.ndarray


def draw(measured: pd.DataFrame, names: list[str]) -> Sweep:
    """Return 1 000 cells that are as long as measured ones."""
    generator = np.random.default_rng(0)
    rows = generator.integers(len(measured), size=NUM_CELLS)
    kinds, _ = pd.factorize(measured[names].astype(str).agg(" ".join, axis=1))
    prepare = measured.get("prepare_s", pd.Series(0.0, index=measured.index))
    return Sweep(
        seconds=measured.seconds.to_numpy()[rows],
        prepare=prepare.groupby(kinds).mean().to_numpy(),
        kinds=kinds[rows],
    )


def simulate(sweep: Sweep, workers: int, keep_s: float) -> float:
    """Return when the last result is kept, in seconds.

    Args:
        sweep: What is done.
        workers: How many cells at the same time.
        keep_s: How long one process takes to keep one result.
    """
    free = [(START_S, worker) for worker in range(workers)]
    known: list[set[int]] = [set() for _ in range(workers)]
    ends = []
    for seconds, kind in zip(sweep.seconds, sweep.kinds, strict=True):
        at, worker = heapq.heappop(free)
        if kind not in known[worker]:
            known[worker].add(kind)
            at += sweep.prepare[kind]
        heapq.heappush(free, (at + seconds, worker))
        ends.append(at + seconds)
    kept = 0.0
    for end in sorted(ends):
        kept = max(kept, end) + keep_s
    return kept


def measure_keeping() -> float:
    """Return the seconds that keeping one cell's results takes, the median of 50."""
    trial = Trial(
        source="s", topology="t", model="sage", remedy="none", depth=1, seed=0,
        metric="accuracy", train=1.0, val=1.0, test=1.0, best_epoch=1, seconds=1.0,
        peak_mb=1.0, num_parameters=1, status="ok", reason="", gradient_ratio=1.0,
    )  # fmt: skip
    frame = pd.DataFrame(np.random.default_rng(0).random((KEPT_ROWS, 8)))
    frame.columns = [f"c{at}" for at in range(8)]
    frames = {"layers": frame, "predictions": frame}
    taken = []
    with tempfile.TemporaryDirectory() as folder, Store(Path(folder)) as store:
        for at in range(50):
            started = time.perf_counter()
            store.save(f"{at}", "trial", asdict(trial), frames)
            taken.append(time.perf_counter() - started)
    return float(np.median(taken))


def main() -> None:
    """Print the time and the speed-up for every number of workers."""
    if len(sys.argv) > 1:
        trials = pd.read_parquet(Path(sys.argv[1]) / "trials.parquet")
        measured, names = trials[trials.status == "ok"], ["topology", "depth"]
    else:
        measured, names = pd.read_csv(CELLS), ["sample", "topology", "depth"]
    sweep, keep_s = draw(measured.reset_index(drop=True), names), measure_keeping()
    print(f"{keep_s * 1e3:.1f} ms to keep a result")
    for longer in (1, 10):
        show(replace(sweep, seconds=sweep.seconds * longer), keep_s)


def show(sweep: Sweep, keep_s: float) -> None:
    """Print one table."""
    print(
        f"\n{NUM_CELLS} cells, {sweep.seconds.mean():.2f} s on average and"
        f" {sweep.seconds.max():.1f} s at most\n"
    )
    print("| workers | seconds | times as fast | of the ideal |\n|---|---|---|---|")
    alone = simulate(sweep, 1, keep_s)
    for workers in WORKERS:
        seconds = simulate(sweep, workers, keep_s)
        ratio = alone / seconds
        print(f"| {workers} | {seconds:.0f} | {ratio:.1f} | {ratio / workers:.0%} |")


if __name__ == "__main__":
    main()
