"""A database of many rows from its file to a trained comparison, with its memory.

A shop is written as an SQLite file, and the command line compares two graphs of it at
depths 1 and 2, one seed, three epochs. Memory is that of all processes together,
sampled five times a second: shared pages count once (PSS) and once a process (RSS).
What the shop's columns hold is drawn by chance, so that scores say nothing.
"""

import argparse
import os
import subprocess
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path
from time import perf_counter, sleep

import pandas as pd
import psutil
from shop import write_sqlite

TARGET = "supplier.rating"
EVERY_S = 0.2


@dataclass(frozen=True, slots=True)
class Use:
    """What a command took; memory in 10⁶ bytes."""

    seconds: float
    rss_mb: float
    pss_mb: float
    swapped_mb: float


def main() -> None:
    """Print time and memory of the whole way, and of each run."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("rows", type=int, nargs="?", default=100_000)
    parser.add_argument("--jobs", type=int, default=2)
    parser.add_argument("--batch-rows", default="auto")
    parser.add_argument("--target", default=TARGET)
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        started = perf_counter()
        write_sqlite(folder / "shop.db", asked.rows)
        print(f"{asked.rows:,} rows written in {perf_counter() - started:.0f} s")
        used = watch(command(folder, asked), folder)
        print(
            f"from file to comparison: {used.seconds:.0f} s; peak of all processes"
            f" {used.pss_mb:,.0f} MB (PSS), {used.rss_mb:,.0f} MB (RSS);"
            f" swapped {used.swapped_mb:,.0f} MB"
        )
        trials = pd.read_parquet(folder / "out" / "trials.parquet")
    shown = ["topology", "depth", "batch_rows", "seconds", "peak_mb", "status"]
    print(trials[shown].to_string(index=False))


def command(folder: Path, asked: argparse.Namespace) -> list[str]:
    """Return the comparison as a command."""
    words = [sys.executable, "-m", "workbench", "compare", str(folder / "shop.db")]
    words += ["--target", asked.target, "--topology", "row2node"]
    words += ["--topology", "flattened", "--depth", "1-2", "--seeds", "1"]
    words += ["--epochs", "3", "--max-rows", str(2 * asked.rows)]
    words += ["--batch-rows", asked.batch_rows, "--jobs", str(asked.jobs)]
    return [*words, "--out", str(folder / "out")]


def watch(words: list[str], folder: Path) -> Use:
    """Run a command to its end and return what it took.

    Raises:
        SystemExit: It failed.
    """
    before = psutil.swap_memory().used
    started = perf_counter()
    cache = {**os.environ, "WORKBENCH_CACHE": str(folder / "cache")}
    process = subprocess.Popen(words, env=cache, stdout=subprocess.DEVNULL)
    rss = pss = swapped = 0.0
    while process.poll() is None:
        found = [memory_of(one) for one in family(process.pid)]
        rss = max(rss, sum(one for one, _ in found))
        pss = max(pss, sum(one for _, one in found))
        swapped = max(swapped, psutil.swap_memory().used - before)
        sleep(EVERY_S)
    if process.returncode:
        raise SystemExit(f"the comparison ended with exit code {process.returncode}")
    return Use(perf_counter() - started, rss / 1e6, pss / 1e6, swapped / 1e6)


def family(pid: int) -> list[psutil.Process]:
    """Return a process and all that it started, as far as they are there."""
    try:
        first = psutil.Process(pid)
        return [first, *first.children(recursive=True)]
    except psutil.Error:
        return []


def memory_of(process: psutil.Process) -> tuple[float, float]:
    """Return resident memory, shared pages counted whole and in shares."""
    try:
        found = process.memory_full_info()
    except psutil.Error:
        return 0.0, 0.0
    return float(found.rss), float(getattr(found, "pss", found.rss))


if __name__ == "__main__":
    main()
