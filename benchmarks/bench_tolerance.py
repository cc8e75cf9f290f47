"""How much the way the facts are stored decides, by topology.

The three address samples hold the same facts in three schemas. A network that tolerates
such variation scores alike on all of them; the spread is the largest mean score minus
the smallest.

    python benchmarks/bench_tolerance.py [--depths 1] [--seeds 3] [--model sage]
"""

import argparse
import tempfile
from itertools import product
from pathlib import Path

from workbench.comparison import Comparison
from workbench.execute import run_study
from workbench.study import Arm, Budget, Study, parse_depths
from workbench.tolerance import spread

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


def lines_of(comparison: Comparison) -> list[str]:
    """Return a Markdown table: mean test score by schema, and the spread."""
    lines = [
        f"| topology | depth | {' | '.join(SOURCES)} | spread of {comparison.metric}"
        " | 95 % interval |",
        f"|---|---|{'---|' * len(SOURCES)}---|---|",
    ]
    depths = sorted({cell.depth for cell in comparison.cells})
    for topology, depth in product(TOPOLOGIES, depths):
        cells = [
            cell
            for cell in comparison.cells
            if (cell.series.topology, cell.depth) == (topology, depth)
        ]
        found = spread(cells, comparison.metric, depth)
        if found is None:
            continue
        means = {cell.series.source: cell.mean("test") for cell in cells}
        shown = " | ".join(f"{means[source]:.3f}" for source in SOURCES)
        lines.append(
            f"| {topology} | {depth} | {shown} | {found.spread:.3f}"
            f" | {found.low:.3f} to {found.high:.3f} |"
        )
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
    print("\n".join(lines_of(comparison)))


if __name__ == "__main__":
    main()
