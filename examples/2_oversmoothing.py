"""Oversmoothing before any training: what sixteen layers leave of the differences.

    python examples/2_oversmoothing.py

Prints, for an untrained ``sage-mean`` of depth 16 and six seeds, the share of the
target rows' centred variance and effective rank that is left at the last layer, on a
natural graph of foreign keys and on a ring, where messages travel slowly.
"""

import torch

from workbench.api import (
    MODELS,
    REMEDIES,
    build_graph,
    connect,
    define_task,
    infer_schema,
    plan_named,
)
from workbench.layerwise import measure_layers
from workbench.run import Budget, RunConfig, build_network
from workbench.sampled import build_probe

DEPTH = 16
SEEDS = range(6)
CASES = (("address-3nf", "prosperous"), ("ring-lattice", "north"))
MEASURES = ("variance-share", "effective-rank-centred")


def shares_left(sample: str, task_name: str) -> dict[str, list[float]]:
    """Return, per measure, what is left at the last layer of what the first had."""
    with connect(f"sample:{sample}") as database:
        schema = infer_schema(database)
        task = define_task(database, schema, task_name)
        blueprint = plan_named(schema, task.spec, "row2node")
        graph = build_graph(database, schema, task, blueprint)
    probe = build_probe(graph, task, DEPTH, torch.device("cpu"))
    left: dict[str, list[float]] = {name: [] for name in MEASURES}
    for seed in SEEDS:
        model, remedy = MODELS["sage-mean"], REMEDIES["none"]
        config = RunConfig(model, remedy, DEPTH, seed, Budget())
        found = measure_layers(build_network(graph, task, config), probe)
        target = found[found.node_type == graph.target].set_index(["measure", "layer"])
        for name in MEASURES:
            curve = target.value[name]
            left[name].append(float(curve[DEPTH] / curve[0]))
    return left


def main() -> None:
    """Print a line per sample and measure."""
    for sample, task_name in CASES:
        for name, shares in shares_left(sample, task_name).items():
            seeds = " ".join(f"{share:.3f}" for share in shares)
            mean = sum(shares) / len(shares)
            print(f"{sample:14} {name:24} left: {mean:.3f}  (seeds {seeds})")


if __name__ == "__main__":
    main()
