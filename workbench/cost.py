"""What a run costs, told from a plan before anything is trained.

The seconds and the memory of a cell are sums of terms that its network has to work
through: rows, messages and products of matrices, layer by layer, of the node types that
can still reach the target. The weights were fitted to measured cells of some samples
and tried on others (``benchmarks/bench_cost.py``).
"""

from collections.abc import Mapping
from dataclasses import dataclass
from time import perf_counter, process_time
from types import MappingProxyType
from typing import Any

import numpy as np
import pandas as pd

from workbench.blueprint import Blueprint, KeyRole, RowNode, ValueNode
from workbench.cell import Cell, PlannedArm
from workbench.engine import default_jobs
from workbench.features import TEXT_CHANNELS
from workbench.feed import Batching
from workbench.halving import expected_share, num_runs, rung_seeds
from workbench.load import (
    Fed,
    Load,
    batch_terms,
    held_terms,
    load_terms,
    seen_load,
    with_probe,
)
from workbench.planning import PlannedStudy
from workbench.run import Budget
from workbench.sampled import MAX_OTHER_ROWS, MAX_TARGET_ROWS
from workbench.stypes import Stype
from workbench.task import TRAIN, VAL

# Of the epochs beyond the patience runs took this share before they stopped, in the
# stored study (108 runs; .10 to .80 by graph and depth).
RUN_SHARE = 0.53

PREPARE_SECONDS: Mapping[str, float] = MappingProxyType(
    {
        "cell": 0.04368,
        "relation": 0.001251,
        "prepare": 1.007e-07,
        "table": 1.134e-07,
        "table-text": 7.165e-08,
    }
)
SECONDS: Mapping[str, float] = MappingProxyType(
    {
        "cell": 0.04571,
        "layer": 0.01308,
        "prepare": 4.334e-07,
        "epoch": 0.002915,
        "epoch-column": 7.789e-06,
        "epoch-operation": 0.00026,
        "epoch-row": 1.047e-08,
        "epoch-product": 2.358e-10,
        "epoch-input": 1.562e-10,
        "drawn": 2.787e-07,
    }
)
MEGABYTES: Mapping[str, float] = MappingProxyType(
    {
        "cell": 633.2,
        "row": 1.196e-05,
        "message-width": 7.486e-06,
        "input": 7.257e-06,
        "held-row": 3.679e-05,
        "table": 2.766e-05,
        "table-input": 1.99e-06,
    }
)
MODEL_FACTORS: Mapping[str, float] = MappingProxyType(
    {
        "gat": 1.11,
        "gin": 0.98,
        "sage": 1.0,
        "sage-mean": 0.91,
    }
)

KERNEL_ROWS, KERNEL_WIDTH, KERNEL_ROUNDS = 4_000, 32, 30
KERNEL_S = 1.5e-3


@dataclass(frozen=True, slots=True)
class CellCost:
    """What one run is expected to take.

    Attributes:
        prepare: Seconds that a worker needs once for all cells of its graph and depth.
        seconds: Time of the run on one core, once that is done.
        megabytes: Most memory of its process, in units of 10⁶ bytes.
    """

    prepare: float
    seconds: float
    megabytes: float


def estimate_cells(
    planned: PlannedStudy, slowness: float = 1.0
) -> Mapping[Cell, CellCost]:
    """Return what every cell of a study is expected to take.

    Args:
        planned: The study.
        slowness: How much slower this machine is than the one the weights were
            measured on, as `measure_slowness` says.
    """
    documents = {
        (source, graph["name"]): graph
        for source, document in planned.plans.items()
        for graph in document["topologies"]
    }
    found: dict[tuple[int, str, int], CellCost] = {}
    for cell in planned.cells:
        asked = (cell.arm, cell.model, cell.depth)
        if asked not in found:
            arm = planned.arms[cell.arm]
            terms = cell_terms(
                documents[arm.source, arm.topology],
                arm.blueprint,
                cell.depth,
                planned.study.budget,
                fed=feeding(arm, planned.batching),
                asked=share_asked(arm),
            )
            found[asked] = _cost(terms, cell.model, slowness)
    return {cell: found[cell.arm, cell.model, cell.depth] for cell in planned.cells}


def estimate_seconds(
    planned: PlannedStudy, jobs: int | None = None, slowness: float = 1.0
) -> float:
    """Return how long the runs of a study are expected to take, floors left out.

    Every worker prepares what the cells of one graph and depth share. Where a study is
    halved, nothing says which cells go on, so each counts for the share that does; the
    workers of every rung prepare again.
    """
    workers = jobs or default_jobs()
    costs = estimate_cells(planned, slowness)
    shares = expected_share(planned)
    firsts = (0, *rung_seeds(planned)[:-1])
    shared = {
        (cell.arm, cell.depth, cell.seed): (shares[cell], cost.prepare)
        for cell, cost in costs.items()
        if cell.seed in firsts
    }
    sharing = num_runs(planned) / sum(share for share, _ in shared.values())
    once = sum(share * prepare for share, prepare in shared.values())
    preparing = once * min(workers, sharing)
    running = sum(shares[cell] * cost.seconds for cell, cost in costs.items())
    return (preparing + running) / workers


def cost_table(planned: PlannedStudy, slowness: float = 1.0) -> pd.DataFrame:
    """Return one row a cell, seeds together: names, number of runs, what one takes.

    Where a study is halved, the number of runs is the mean over the configurations.
    """
    study = planned.study
    runs = num_runs(planned) / (len(planned.cells) / study.seeds)
    rows = [
        {
            "source": planned.arms[cell.arm].source,
            "topology": planned.arms[cell.arm].topology,
            "model": cell.model,
            "remedy": cell.remedy,
            "depth": cell.depth,
            "runs": study.seeds if study.halving is None else round(runs, 2),
            "seconds": cost.seconds,
            "megabytes": cost.megabytes,
        }
        for cell, cost in estimate_cells(planned, slowness).items()
        if cell.seed == 0
    ]
    return pd.DataFrame(rows)


def share_asked(arm: PlannedArm) -> float:
    """Return the share of the target's rows that are predicted."""
    if arm.unfolding is not None:  # every instance is there because one sees it
        return 1.0
    table = arm.schema.table(arm.task.spec.table)
    return min(len(arm.task.split) / max(table.num_rows, 1), 1.0)


def feeding(arm: PlannedArm, batching: Batching | None) -> Fed | None:
    """Return the batches of an arm; what is unfolded over time has its fan-out."""
    if batching is None:
        return None
    split, rows = arm.task.split, batching.rows
    return Fed(
        rows=min(rows, len(split)),
        fan_out=batching.fan_out if arm.unfolding is None else None,
        num_train=-(-int((split == TRAIN).sum()) // rows),
        num_val=-(-int((split == VAL).sum()) // rows),
        num_all=-(-len(split) // rows),
    )


def _cost(terms: Mapping[str, float], model: str, slowness: float) -> CellCost:
    factor = MODEL_FACTORS.get(model, 1.0)
    return CellCost(
        prepare=_sum(PREPARE_SECONDS, terms) * slowness,
        seconds=_sum(SECONDS, terms) * factor * slowness,
        megabytes=_sum(MEGABYTES, terms),
    )


def _sum(weights: Mapping[str, float], terms: Mapping[str, float]) -> float:
    return sum(weight * terms[name] for name, weight in weights.items())


def expected_epochs(budget: Budget) -> float:
    """Return how many epochs a run goes on for, where it may stop early."""
    patience = min(budget.patience, budget.epochs)
    return 1 + patience + RUN_SHARE * (budget.epochs - patience)


def cell_terms(
    document: Mapping[str, Any],
    blueprint: Blueprint,
    depth: int,
    budget: Budget,
    epochs: float | None = None,
    fed: Fed | None = None,
    asked: float = 1.0,
) -> dict[str, float]:
    """Return the terms that a cell's cost is a sum of.

    Args:
        document: The graph's part of ``plan --json``.
        blueprint: The graph's plan.
        depth: Number of layers.
        budget: What a run may spend.
        epochs: How many epochs it runs, where that is known.
        fed: How rows to predict are fed in batches; None for all at once.
        asked: Share of the target's rows that are predicted.

    Returns:
        By name: counts of rows, messages and operations, those of training times the
        number of epochs. What cannot reach a row to predict in the layers that are left
        counts for nothing, as far as numbers of rows and links tell.
    """
    nodes, counts = _counts(document)
    ways = _ways(blueprint, counts)
    layers = _layers(blueprint.target, ways, depth)
    run = expected_epochs(budget) if epochs is None else epochs
    channels = {rule.name: _channels(rule) for rule in blueprint.nodes}
    texts = {rule.name: _texts(rule) for rule in blueprint.nodes}
    number = nodes[blueprint.target] * asked
    probe = _probe(nodes, ways, layers)
    if fed is None:
        whole = seen_load(nodes, ways, _last(layers, number), None)
        own = load_terms(whole, channels, budget.width, run)
        held = held_terms((whole, probe), channels)
    else:
        batch = seen_load(nodes, ways, _last(layers, fed.rows), fed.fan_out)
        own = batch_terms(batch, channels, budget.width, fed.passes(run))
        held = held_terms((probe,), channels)
    return {
        **with_probe(own, probe, channels, budget.width),
        **held,
        "cell": 1.0,
        "table": float(sum(nodes.values()) + sum(counts.values())),
        "table-input": float(sum(nodes[one] * channels[one] for one in nodes)),
        "table-text": float(sum(nodes[one] * texts[one] for one in nodes)),
    }


def _last(layers: list[frozenset[str]], number: float) -> list[dict[str, float]]:
    """Return, for every layer, what training asks for: target rows at the last."""
    (target,) = layers[-1]
    return [*({} for _ in layers[1:]), {target: number}]


def _probe(
    nodes: Mapping[str, float],
    ways: list[tuple[str, str, float]],
    layers: list[frozenset[str]],
) -> Load:
    """Return what the sample of the measures is expected to see."""
    (target,) = layers[-1]
    most = dict.fromkeys(nodes, MAX_OTHER_ROWS) | {target: MAX_TARGET_ROWS}
    sampled = [{name: min(nodes[name], most[name]) for name in each} for each in layers]
    return seen_load(nodes, ways, sampled, None)


def measure_slowness() -> float:
    """Return how much slower this machine is than the one that was measured.

    A gather, a product and a sum by segments, as a layer does them, on one core for at
    most a fifth of a second; the best of some rounds, so that what else runs here is
    left out.
    """
    generator = np.random.default_rng(0)
    states = generator.standard_normal((KERNEL_ROWS, KERNEL_WIDTH), dtype=np.float32)
    weights = states[:KERNEL_WIDTH].copy()
    senders = generator.integers(0, KERNEL_ROWS, 2 * KERNEL_ROWS)
    starts = np.arange(0, 2 * KERNEL_ROWS, 2)
    best, began = float("inf"), perf_counter()
    for _ in range(KERNEL_ROUNDS):
        started = process_time()
        _ = np.add.reduceat(states[senders], starts) @ weights
        best = min(best, process_time() - started)
        if perf_counter() - began > 0.12:
            break
    return best / KERNEL_S


def _counts(document: Mapping[str, Any]) -> tuple[dict[str, float], dict[str, float]]:
    """Return rows by node type and links by edge rule, unfolded where time asks."""
    nodes = dict(document["nodes"])
    links = {edge["type"][1]: edge["count"] for edge in document["edges"]}
    time = document.get("time", {})
    if time.get("unfolding"):
        rows = time["instances"] / max(sum(nodes.values()), 1)
        # A link counts once, and messages may run along it both ways.
        messages = time["messages"] / max(sum(links.values()), 1)
        nodes = {name: number * rows for name, number in nodes.items()}
        links = {name: number * messages for name, number in links.items()}
    return nodes, links


def _channels(rule: RowNode | ValueNode) -> int:
    """Return how many numbers a row is known by, codes counted as one."""
    if isinstance(rule, ValueNode):
        return 1
    wide = (Stype.TEXT, Stype.FREE_TEXT, Stype.MULTICATEGORICAL)
    columns = [TEXT_CHANNELS if one.stype in wide else 1 for one in rule.columns]
    return 1 + sum(columns) + len(rule.aggregates)


def _texts(rule: RowNode | ValueNode) -> int:
    """Return how many columns hold text."""
    columns = (rule.column,) if isinstance(rule, ValueNode) else rule.columns
    return sum(one.stype in (Stype.TEXT, Stype.FREE_TEXT) for one in columns)


def _ways(
    blueprint: Blueprint, counts: Mapping[str, float]
) -> list[tuple[str, str, float]]:
    """Return sender, receiver and number of messages of every way they run."""
    found = []
    for edge in blueprint.edges:
        count = counts.get(edge.name, 0)
        if edge.direction in (KeyRole.EDGE, KeyRole.UP):
            found.append((edge.source, edge.target, count))
        if edge.direction in (KeyRole.EDGE, KeyRole.DOWN):
            found.append((edge.target, edge.source, count))
    return found


def _layers(
    target: str, ways: list[tuple[str, str, float]], depth: int
) -> list[frozenset[str]]:
    """Return, for each layer, the node types that can still reach the target."""
    layers = [frozenset({target})]
    for _ in range(depth):
        above = layers[0]
        senders = {sender for sender, receiver, _ in ways if receiver in above}
        layers.insert(0, above | senders)
    return layers
