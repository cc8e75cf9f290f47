"""Neighbours drawn per second: the workbench's sampler against a loop in NumPy.

Links are those of a shop of some rows; from random customers two hops are drawn. The
baseline is what one writes without a compiled sampler: per row a slice of the CSR and
``Generator.choice`` without replacement. PyTorch Geometric's own ``NeighborSampler``
needs torch-sparse or pyg-lib; where one of them is installed it is measured too.
"""

import argparse
import importlib.util
from collections.abc import Callable
from functools import partial
from time import process_time

import numpy as np
import torch
from shop import references, sizes
from torch_geometric.data import HeteroData
from torch_geometric.sampler import NeighborSampler, NodeSamplerInput

from workbench.blueprint import KeyRole
from workbench.instances import Instances, Tie, Unfolding
from workbench.sampler import Sampler, prepare_sampler
from workbench.sampling import Choice

TARGET = "customer"
BATCH = 4096
HOPS = 2


def main() -> None:
    """Print sampled messages per second of every sampler, and ratios."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("rows", type=int, nargs="?", default=200_000)
    parser.add_argument("--fan-out", type=int, default=10)
    parser.add_argument("--batches", type=int, default=3)
    asked = parser.parse_args()
    ties, counts = draw_shop(asked.rows)
    sampler = prepare_sampler(ties, counts, TARGET)
    generator = np.random.default_rng(0)
    batches = [
        np.sort(generator.choice(counts[TARGET], min(BATCH, counts[TARGET]), False))
        for _ in range(asked.batches)
    ]
    print(f"{asked.rows:,} rows, batches of {len(batches[0]):,}, {HOPS} hops")
    for fan_out in (asked.fan_out, None):
        told = "all" if fan_out is None else fan_out
        ours = rate(partial(workbench, sampler, fan_out), batches)
        print(f"fan-out {told}: workbench {ours:,.0f} messages a second")
        loop = rate(partial(numpy_loop, sampler, fan_out), batches[:1])
        print(f"fan-out {told}: NumPy loop {loop:,.0f}; workbench {ours / loop:.1f} x")
        if pyg_can_sample():
            pyg = pyg_sampler(ties, counts, fan_out)
            theirs = rate(pyg, batches)
            print(f"fan-out {told}: PyG {theirs:,.0f}; workbench {ours / theirs:.1f} x")
    few = asked.fan_out
    ours = rate(partial(workbench, sampler, few, choice=Choice.DEGREE), batches)
    print(f"fan-out {few}, by degree: workbench {ours:,.0f}")
    apart = rate(partial(workbench, sampler, few, disjoint=True), batches)
    print(f"fan-out {few}, disjoint: workbench {apart:,.0f}")
    if not pyg_can_sample():
        print("torch-sparse and pyg-lib are not installed: PyG cannot sample here")


def draw_shop(num_rows: int) -> tuple[list[Tie], dict[str, int]]:
    """Return random links of the shop's keys, and the rows of its tables."""
    counts, generator = sizes(num_rows), np.random.default_rng(0)
    ties = [
        Tie(
            source=table,
            target=parent,
            sources=np.arange(number),
            targets=generator.integers(0, counts[parent], number),
            times=None,
            direction=KeyRole.EDGE,
        )
        for table, number in counts.items()
        for parent in references(table).values()
    ]
    return ties, counts


def rate(draw: Callable[[np.ndarray], int], batches: list[np.ndarray]) -> float:
    """Return messages a second of processor time, after one draw to warm up."""
    draw(batches[0])
    started = process_time()
    found = sum(draw(rows) for rows in batches)
    return found / (process_time() - started)


def workbench(
    sampler: Sampler,
    fan_out: int | None,
    rows: np.ndarray,
    choice: Choice = Choice.UNIFORM,
    disjoint: bool = False,
) -> int:
    """Return the messages of a draw by the workbench."""
    unfolding = Unfolding(HOPS, fan_out, choice)
    found: Instances = sampler.draw(rows, None, unfolding, disjoint=disjoint)
    return found.num_messages


def numpy_loop(sampler: Sampler, fan_out: int | None, rows: np.ndarray) -> int:
    """Return the messages of a draw row by row, each row drawn for once."""
    generator = np.random.default_rng(0)
    seen = {name: set() for name in sampler.num_nodes}
    seen[sampler.target] = set(rows.tolist())
    fresh = {sampler.target: rows.tolist()}
    number = 0
    for _ in range(HOPS):
        arriving: dict[str, set[int]] = {}
        for way in sampler.ways:
            starts, order = way.neighbours.starts, way.neighbours.order
            for row in fresh.get(way.receiver, ()):
                links = order[starts[row] : starts[row + 1]]
                if fan_out is not None and len(links) > fan_out:
                    links = generator.choice(links, fan_out, replace=False)
                number += len(links)
                arriving.setdefault(way.sender, set()).update(
                    way.senders[links].tolist()
                )
        fresh = {}
        for name, found in arriving.items():
            new = found - seen[name]
            seen[name] |= new
            fresh[name] = sorted(new)
    return number


def pyg_can_sample() -> bool:
    """Return whether PyG has a compiled sampler."""
    return any(
        importlib.util.find_spec(name) is not None
        for name in ("torch_sparse", "pyg_lib")
    )


def pyg_sampler(
    ties: list[Tie], counts: dict[str, int], fan_out: int | None
) -> Callable[[np.ndarray], int]:
    """Return a draw by PyG's sampler, which returns its messages."""
    data = HeteroData()
    for name, number in counts.items():
        data[name].num_nodes = number
    for index, tie in enumerate(ties):
        pairs = torch.from_numpy(np.stack([tie.sources, tie.targets]))
        data[tie.source, f"r{index}", tie.target].edge_index = pairs
        data[tie.target, f"rev{index}", tie.source].edge_index = pairs.flip(0)
    most = -1 if fan_out is None else fan_out
    sampler = NeighborSampler(data, num_neighbors=[most] * HOPS)

    def draw(rows: np.ndarray) -> int:
        asked = NodeSamplerInput(None, torch.from_numpy(rows), input_type=TARGET)
        found = sampler.sample_from_nodes(asked)
        return sum(len(one) for one in found.row.values())

    return draw


if __name__ == "__main__":
    main()
