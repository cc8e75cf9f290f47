"""How much the way the facts are stored decides, by topology.

The three address samples hold the same facts in three schemas. A network that tolerates
such variation scores alike on all of them; the spread is the largest mean score minus
the smallest.

    python benchmarks/bench_tolerance.py [--depths 1] [--seeds 3] [--model sage]
"""

import argparse
import tempfile
from pathlib import Path

import pandas as pd

from workbench.execute import run_study
from workbench.results import load_results
from workbench.study import Arm, Budget, Study, parse_depths

SOURCES = ("address-flat", "address-normalized", "address-3nf")
TOPOLOGIES = ("row2node", "flattened", "shortcut")
BUDGET = Budget(epochs=80, patience=20, learning_rate=0.01, weight_decay=1e-4, width=32)


def study_of(model: str, depths: tuple[int, ...], seeds: int) -> Study:
    """Return the grid of every schema, topology and depth."""
    arms = [
        Arm(f"sample:{source}", topology)
        for source in SOURCES
        for topology in TOPOLOGIES
    ]
    return Study(
        arms=tuple(arms),
        task="prosperous",
        models=(model,),
        depths=depths,
        seeds=seeds,
        budget=BUDGET,
    )


def lines_of(trials: pd.DataFrame, metric: str) -> list[str]:
    """Return a Markdown table: mean test score by schema, and the spread."""
    lines = [
        f"| topology | depth | {' | '.join(SOURCES)} | spread of {metric} |",
        f"|---|---|{'---|' * len(SOURCES)}---|",
    ]
    means = trials.groupby(["topology", "depth", "source"])["test"].mean()
    for topology in TOPOLOGIES:
        for depth in sorted(trials["depth"].unique()):
            scores = [means[topology, depth, source] for source in SOURCES]
            spread = max(scores) - min(scores)
            shown = " | ".join(f"{score:.3f}" for score in scores)
            lines.append(f"| {topology} | {depth} | {shown} | {spread:.3f} |")
    return lines


def main() -> None:
    """Train the grid and print the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--depths", default="1", help="such as 1 or 1-3")
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--model", default="sage")
    asked = parser.parse_args()
    study = study_of(asked.model, parse_depths(asked.depths), asked.seeds)
    with tempfile.TemporaryDirectory() as folder:
        comparison = run_study(study, Path(folder))
        trials = load_results(Path(folder)).trials
    print("\n".join(lines_of(trials, comparison.metric)))


if __name__ == "__main__":
    main()
