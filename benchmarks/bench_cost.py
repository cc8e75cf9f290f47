"""How well a cell's time and memory are told before it runs, on samples not seen.

    python benchmarks/bench_cost.py measure    # trains; writes cost_cells.csv
    python benchmarks/bench_cost.py shop 2e6   # trains on a larger shop; adds to it
    python benchmarks/bench_cost.py terms      # tells the terms of its cells anew
    python benchmarks/bench_cost.py            # fits, and tries each sample left out

A cell's time is the processor time of its one thread, so that other work on the machine
counts little. Every run takes all of its epochs: how early runs stop is no matter of
cost, and is reported apart.
"""

import csv
import gc
import os
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from itertools import product
from pathlib import Path
from typing import TypeAlias

os.environ.setdefault("OMP_NUM_THREADS", "1")

import numpy as np
import pandas as pd
import torch
from scipy.optimize import nnls
from shop import write_sqlite

from workbench.cell import Bench, Cell, PlannedArm, Workload
from workbench.cost import cell_terms, feeding, share_asked
from workbench.engine import Crashed, Finished, Put, Tell
from workbench.engines.processes import Processes
from workbench.feed import Batching
from workbench.planning import PlannedStudy, plan_study
from workbench.run import Budget
from workbench.samples import SAMPLES
from workbench.study import MAX_ROWS, Arm, Study
from workbench.task import TaskSpec

CELLS = Path(__file__).with_name("cost_cells.csv")
TASKS = {
    "address-3nf": "prosperous",
    "address-flat": "prosperous",
    "chinook": None,
    "elements": None,
    "planted": None,
    "ring-lattice": None,
    "tpch": None,
}
TOPOLOGIES = ("row2node", "flattened")
DEPTHS = (0, 1, 2, 4)
MODELS = ("sage", "gat", "gin", "sage-mean")
SPENT = ((16, 3), (32, 12), (64, 8), (32, 30))
TIME_TERMS = (
    "cell", "layer", "relation", "prepare", "epoch", "epoch-column",
    "epoch-operation", "epoch-row", "epoch-message", "epoch-product", "epoch-input",
    "drawn",
)  # fmt: skip
PREPARE_TERMS = (
    "cell", "relation", "prepare", "input", "table", "table-input", "table-text",
)  # fmt: skip
MEMORY_TERMS = (
    "cell", "row", "message-width", "input", "held-row", "held-message", "held-input",
    "table", "table-input",
)  # fmt: skip
ABOUT = (
    "sample", "topology", "model", "depth", "width", "epochs", "batch_rows",
    "prepare_s", "seconds", "mb",
)  # fmt: skip
SHOP, SHOP_TARGET, SHOP_DEPTHS = "shop-", "supplier.rating", (1, 2)
SHOP_BATCH = 2048
TERMS = tuple(sorted({*TIME_TERMS, *PREPARE_TERMS, *MEMORY_TERMS}))
WITHIN = 1.5


Asked: TypeAlias = tuple[Cell, Budget, Batching | None]


@dataclass(frozen=True, slots=True)
class Timed:
    """Does cells and says what each took: preparing, running, megabytes."""

    arms: tuple[PlannedArm, ...]

    def __call__(self) -> Callable[[Asked, Tell], tuple[float, ...]]:
        """Return what does one cell."""
        torch.set_num_threads(1)
        return self.work

    def shared(self, items: Sequence[Asked], put: Put) -> "Timed":
        """Return itself: this runs on one machine."""
        return self

    def work(self, asked: Asked, tell: Tell) -> tuple[float, ...]:
        """Return the seconds of preparing and of running a cell, and megabytes."""
        gc.collect()  # the last cell's bench is held by what it keeps
        cell, budget, batching = asked
        bench = Bench(Workload(self.arms, budget, projected_seed=0, batching=batching))
        started = time.process_time()
        bench.prepare(cell)
        prepared = time.process_time()
        trial = bench.work(cell, tell).trial
        return prepared - started, time.process_time() - prepared, trial.peak_mb


def measure() -> None:
    """Train cells of every sample, a process each, and write what each took."""
    generator = np.random.default_rng(0)
    with CELLS.open("w", newline="") as file:
        csv.writer(file, lineterminator="\n").writerow([*ABOUT, *TERMS])
    for sample in TASKS:
        planned = plan_sample(sample)
        add_cells(sample, planned, list(_draw(generator, len(planned.arms))))


def measure_shop(num_rows: int) -> None:
    """Train a larger shop, all rows at once and in batches, and add what each took."""
    sample = f"{SHOP}{num_rows}"
    planned = plan_sample(sample)
    fed = (None, Batching(SHOP_BATCH)) if num_rows > 100 * SHOP_BATCH else (None,)
    asked = [_warm_up()]
    for index, depth, batching in product(range(len(TOPOLOGIES)), SHOP_DEPTHS, fed):
        cell = Cell(index, MODELS[0], "none", depth, 1)
        asked.append((cell, Budget(epochs=3, patience=3), batching))
    add_cells(sample, planned, asked)


def plan_sample(sample: str) -> PlannedStudy:
    """Return a sample's plan; ``shop-N`` is a generated shop of N rows."""
    if not sample.startswith(SHOP):
        return _plan(f"sample:{sample}", TASKS[sample] or SAMPLES[sample].tasks[0])
    num_rows = int(sample.removeprefix(SHOP))
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / f"{sample}.db"
        write_sqlite(path, num_rows)
        # What is planned lies in the cache, so that the file may go.
        return _plan(str(path), TaskSpec(target=SHOP_TARGET), 2 * num_rows)


def _plan(source: str, task: TaskSpec | str, max_rows: int = MAX_ROWS) -> PlannedStudy:
    return plan_study(
        Study(
            arms=tuple(Arm(source, name) for name in TOPOLOGIES),
            task=task,
            depths=DEPTHS,
            max_rows=max_rows,
        )
    )


def add_cells(sample: str, planned: PlannedStudy, asked: list[Asked]) -> None:
    """Train cells in a process of their own and add what each took to the file."""
    with CELLS.open("a", newline="") as file:
        table = csv.writer(file, lineterminator="\n")
        for event in Processes(1).run(Timed(planned.arms), asked):
            if type(event) is Crashed:
                raise RuntimeError(event.reason)
            if not isinstance(event, Finished) or event.item == asked[0]:
                continue  # the first run of a process is slower than all others
            cell, budget, batching = event.item
            told = [sample, planned.arms[cell.arm].topology, cell.model]
            told += [cell.depth, budget.width, budget.epochs]
            told += [batching.rows if batching else 0]
            told += [f"{one:.4f}" for one in event.result]
            terms = _terms(planned, *event.item)
            table.writerow(told + [f"{terms[name]:.6g}" for name in TERMS])
            file.flush()
            print(*told, flush=True)


def tell_anew() -> None:
    """Write the terms of measured cells as today's plans tell them."""
    cells = pd.read_csv(CELLS)
    plans = {sample: plan_sample(sample) for sample in cells["sample"].unique()}
    told = []
    for one in cells.to_dict("records"):
        planned = plans[one["sample"]]
        cell = Cell(
            TOPOLOGIES.index(one["topology"]), one["model"], "none", one["depth"], 1
        )
        budget = Budget(one["epochs"], one["epochs"], width=one["width"])
        rows = one["batch_rows"]
        terms = _terms(planned, cell, budget, Batching(rows) if rows else None)
        about = {name: one[name] for name in ABOUT}
        told.append(about | {name: float(f"{terms[name]:.6g}") for name in TERMS})
    pd.DataFrame(told).to_csv(CELLS, index=False, lineterminator="\n")


def _draw(generator: np.random.Generator, num_arms: int) -> Iterator[Asked]:
    """Yield a cell to warm up, then two networks for every graph and depth."""
    yield _warm_up()
    for index, depth in product(range(num_arms), DEPTHS):
        for model in generator.permutation(MODELS)[:2]:
            width, epochs = SPENT[generator.integers(len(SPENT))]
            budget = Budget(epochs=epochs, patience=epochs, width=width)
            # Seed 1: some measures are kept for the first seed alone.
            yield Cell(index, str(model), "none", depth, 1), budget, None


def _warm_up() -> Asked:
    return Cell(0, MODELS[0], "none", 1, 2), Budget(epochs=1), None


def _terms(
    planned: PlannedStudy, cell: Cell, budget: Budget, batching: Batching | None
) -> dict[str, float]:
    arm = planned.arms[cell.arm]
    graph = planned.plans[arm.source]["topologies"][cell.arm]
    return cell_terms(
        graph,
        arm.blueprint,
        cell.depth,
        budget,
        budget.epochs + 1,
        feeding(arm, batching),
        share_asked(arm),
    )


@dataclass(frozen=True, slots=True)
class Fit:
    """Weights of the terms, and what each network costs beside the first."""

    weights: dict[str, float]
    factors: dict[str, float]

    def tell(self, cells: pd.DataFrame) -> np.ndarray:
        """Return what each cell is expected to take."""
        base = cells[[*self.weights]].to_numpy() @ np.array([*self.weights.values()])
        return base * cells.model.map(self.factors).fillna(1.0).to_numpy()


def fit(cells: pd.DataFrame, column: str, terms: Sequence[str], by_model: bool) -> Fit:
    """Return weights of 0 or more that make relative errors small."""
    factors: dict[str, float] = {}
    found = Fit(dict.fromkeys(terms, 0.0), factors)
    for _ in range(6 if by_model else 1):
        scale = cells.model.map(factors).fillna(1.0).to_numpy() / cells[column]
        rows = cells[[*terms]].to_numpy() * scale.to_numpy()[:, None]
        largest = rows.max(axis=0).clip(1e-300)
        weights = nnls(rows / largest, np.ones(len(rows)))[0] / largest
        found = Fit(dict(zip(terms, weights, strict=True)), factors)
        if by_model:
            off = np.log(cells[column] / found.tell(cells))
            moved = np.exp(off.groupby(cells.model).median())
            factors = {one: factors.get(one, 1.0) * moved[one] for one in moved.index}
            first = factors[MODELS[0]]
            factors = {one: value / first for one, value in factors.items()}
    return found


def show(cells: pd.DataFrame) -> None:
    """Print how well samples are told that were left out, and the weights of all."""
    kinds = (
        ("seconds", TIME_TERMS, True),
        ("prepare_s", PREPARE_TERMS, False),
        ("mb", MEMORY_TERMS, False),
    )
    for column, terms, by_model in kinds:
        ratios = pd.Series(np.nan, index=cells.index)
        for sample in cells["sample"].unique():
            left = cells["sample"] == sample
            told = fit(cells[~left], column, terms, by_model).tell(cells[left])
            ratios[left] = told / cells.loc[left, column]
        folds = np.random.default_rng(0).integers(5, size=len(cells))
        again = pd.Series(np.nan, index=cells.index)
        for fold in range(5):
            left = pd.Series(folds == fold, index=cells.index)
            told = fit(cells[~left], column, terms, by_model).tell(cells[left])
            again[left] = told / cells.loc[left, column]
        share = again.between(1 / WITHIN, WITHIN).mean()
        print(f"\n{column}: {share:.1%} of cells left out at random (five folds)")
        within = ratios.between(1 / WITHIN, WITHIN)
        print(f"{column}: {within.mean():.1%} of {len(cells)} cells of samples left")
        print(f"out are told within {WITHIN}; 90 % within {_spread(ratios):.2f}")
        for sample, one in ratios.groupby(cells["sample"]):
            share = one.between(1 / WITHIN, WITHIN).mean()
            print(f"  {sample:14} {share:6.1%}  told/measured {one.median():.2f}")
        whole = fit(cells, column, terms, by_model)
        print({name: float(f"{value:.4g}") for name, value in whole.weights.items()})
        print({name: round(value, 2) for name, value in whole.factors.items()})


def _spread(ratios: pd.Series) -> float:
    return float(np.exp(np.log(ratios).abs().quantile(0.9)))


def main() -> None:
    """Do what is asked, then show how well cells are told."""
    match sys.argv[1:]:
        case ["measure"]:
            measure()
        case ["shop", rows]:
            measure_shop(int(float(rows)))
        case ["terms"]:
            tell_anew()
        case _:
            pass
    show(pd.read_csv(CELLS))


if __name__ == "__main__":
    # Workers find what they do by its module, and do not run this script.
    from bench_cost import main as named

    named()
