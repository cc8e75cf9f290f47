"""How much the way the facts are stored decides, by topology.

The three address samples hold the same facts in three schemas. A network that tolerates
such variation scores alike on all of them; the spread is the largest mean score minus
the smallest.

    python benchmarks/bench_tolerance.py [--depths 1] [--seeds 1] [--models sage,gat]
"""

import argparse
import tempfile
import time
from itertools import groupby
from pathlib import Path

import pandas as pd
import plotly.graph_objects as go
from drawing import save, table, versions

from workbench.chart import style_figure
from workbench.comparison import Cell, Comparison
from workbench.execute import run_study
from workbench.palette import COLOURS
from workbench.study import Arm, Budget, Study, parse_depths
from workbench.tolerance import spread

SOURCES = ("address-flat", "address-normalized", "address-3nf")
TOPOLOGIES = ("row2node", "flattened", "shortcut")
BUDGET = Budget(epochs=80, patience=20, learning_rate=0.01, weight_decay=1e-4, width=32)


def study_of(models: tuple[str, ...], depths: tuple[int, ...], seeds: int) -> Study:
    """Return the grid of every schema, topology, network and depth."""
    arms = [
        Arm(f"sample:{source}", topology)
        for source in SOURCES
        for topology in TOPOLOGIES
    ]
    return Study(
        arms=tuple(arms),
        task="prosperous",
        models=models,
        depths=depths,
        seeds=seeds,
        budget=BUDGET,
    )


def spreads(comparison: Comparison) -> pd.DataFrame:
    """Return mean test scores by schema, and how far they lie apart."""
    rows = {}
    for key, cells in groupby(sorted(comparison.cells, key=_arm), key=_arm):
        held = list(cells)
        found = spread(held, comparison.metric, key[2])
        means = {cell.series.source: cell.mean("test") for cell in held}
        if found is not None and set(means) == set(SOURCES):
            shown = [means[source] for source in SOURCES]
            rows[key] = [*shown, found.spread, found.low, found.high]
    index = pd.MultiIndex.from_tuples(rows, names=["model", "topology", "depth"])
    columns = [*SOURCES, "spread", "low", "high"]
    return pd.DataFrame([*rows.values()], index=index, columns=columns)


def _arm(cell: Cell) -> tuple[str, str, int]:
    return cell.series.model, cell.series.topology, cell.depth


def draw(found: pd.DataFrame, metric: str) -> go.Figure:
    """Draw the spread of every network at the first depth, a colour a topology."""
    at = found.index.get_level_values("depth").min()
    shallow = found["spread"].xs(at, level="depth")
    figure = go.Figure()
    for style, topology in enumerate(TOPOLOGIES):
        values = shallow.xs(topology, level="topology")
        figure.add_trace(
            go.Bar(
                x=list(values.index),
                y=list(values),
                name=topology,
                text=[f"{value:.3f}" for value in values],
                textposition="outside",
                cliponaxis=False,
                marker={"color": COLOURS[style]},
            )
        )
    title = f"What the schema decides: spread over three schemas, {at} layer(s)"
    style_figure(figure, title, dark=False, height=480)
    figure.update_layout(paper_bgcolor="white", barmode="group", yaxis_range=[0, 0.6])
    figure.update_yaxes(title_text=f"spread of {metric}")
    return figure


def main() -> None:
    """Train the grid, print the table and draw the figure."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--depths", default="1", help="such as 1 or 1-3")
    parser.add_argument("--seeds", type=int, default=1)
    parser.add_argument("--models", default="sage,gat")
    asked = parser.parse_args()
    started = time.perf_counter()
    models = tuple(asked.models.split(","))
    study = study_of(models, parse_depths(asked.depths), asked.seeds)
    with tempfile.TemporaryDirectory() as folder:
        comparison = run_study(study, Path(folder))
    found = spreads(comparison)
    head = ["network", "topology", "depth", *SOURCES, f"spread of {comparison.metric}",
            "from", "to"]  # fmt: skip
    print(table(head, [[*at, *row] for at, row in zip(found.index, found.to_numpy(),
                                                      strict=True)]))  # fmt: skip
    drawn = save(draw(found, comparison.metric), "tolerance").name
    print(f"\n{drawn}; {asked.seeds} seed(s), {time.perf_counter() - started:.0f} s;"
          f" {versions()}")  # fmt: skip


if __name__ == "__main__":
    main()
