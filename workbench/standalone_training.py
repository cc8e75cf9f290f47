"""Training as the workbench trains, without it; stands in scripts that it hands over.

The loop, the loss, the choice of the epoch and the draws of a seed are the workbench's;
the tests train both and compare.
"""

import copy
import csv
import math
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional
from torch_geometric.data import HeteroData

from workbench.standalone import build
from workbench.standalone_field import columns_of, link_columns, receptive_field
from workbench.standalone_network import Design, Network

PARTS = ("train", "validation", "test", "set aside")


def read_task(path: Path) -> dict:
    """Return the rows that are predicted, their labels and the rows of each part."""
    with path.open(encoding="utf-8", newline="") as file:
        listed = list(csv.DictReader(file))
    found = np.array([one["part"] for one in listed])
    return {
        "rows": torch.tensor([int(one["row"]) for one in listed]),
        "labels": np.array([float(one["label"]) for one in listed]),
        "parts": {
            part: torch.from_numpy(np.flatnonzero(found == part)) for part in PARTS
        },
    }


def row_normalise(data: HeteroData) -> None:
    """Let the amounts that each node lists add up to 1."""
    for name in data.node_types:
        store = data[name]
        if store.x.numel() and bool((store.x >= 0).all()):
            sums = store.x.sum(dim=1, keepdim=True)
            store.x = store.x / sums.masked_fill(sums == 0, 1)
        if "sparse" in store:
            block = store.sparse
            starts, values = block.crow_indices(), block.values()
            rows = torch.repeat_interleave(torch.arange(len(starts) - 1), starts.diff())
            sums = values.new_zeros(len(starts) - 1).index_add(0, rows, values.abs())
            store.sparse = torch.sparse_csr_tensor(
                starts,
                block.col_indices(),
                values / sums[rows],
                size=block.shape,
                check_invariants=True,
            )


def unfold(data: HeteroData, plan: dict, path: Path) -> HeteroData:
    """Return the graph as it was known at the moments at which rows are predicted.

    The file lists which row each node shows and which link each edge stands for.
    """
    found, made = np.load(path), HeteroData()
    for at, name in enumerate(data.node_types):
        rows = torch.from_numpy(found[f"rows{at}"])
        made[name].num_nodes = len(rows)
        made[name].degree = torch.from_numpy(found[f"degree{at}"])
        put_columns(made[name], columns_of(data[name]).take(rows), "")
    for at, edge in enumerate(plan["edges"]):
        part = {
            one: found[f"{one}{at}"]
            for one in ("links", "sources", "targets", "up", "down")
        }
        for way in edge["ways"]:
            add_unfolded(made, data, edge, way, part)
    return made


def add_unfolded(
    made: HeteroData, data: HeteroData, edge: dict, way: str, part: dict
) -> None:
    """Add one direction of an edge type between rows at their moments."""
    ends = [edge["source"], edge["target"]]
    pairs = np.stack([part["sources"], part["targets"]])
    links, heard = np.arange(len(part["links"])), part["up"]
    name = edge["name"]
    if way == "down":
        ends, pairs, heard, name = ends[::-1], pairs[::-1], part["down"], f"rev_{name}"
    if way == "alike":
        pairs, links = np.hstack([pairs, pairs[::-1]]), np.tile(links, 2)
        heard = np.append(part["up"], part["down"])
    order = np.argsort(pairs[1], kind="stable")
    order = order[heard[order]]
    old, store = data[ends[0], name, ends[1]], made[ends[0], name, ends[1]]
    store.edge_index = torch.from_numpy(pairs[:, order].copy())
    store.link = torch.from_numpy(links[order])
    store.relation, store.num_links = edge["name"], len(part["links"])
    columns = link_columns(old)
    if columns is not None:
        first = torch.zeros(old.num_links, dtype=torch.long)
        first[old.link] = torch.arange(len(old.link))
        behind = torch.from_numpy(part["links"][links[order]])
        put_columns(store, columns.take(first[behind]), "edge_")


def put_columns(store: Any, columns: Any, edge: str) -> None:
    """Write columns where `columns_of` finds them."""
    store["edge_attr" if edge else "x"] = columns.x
    store[f"{edge}codes"], store["cardinalities"] = columns.codes, columns.cardinalities
    block = columns.sparse
    if block is not None:
        store[f"{edge}sparse"] = torch.sparse_csr_tensor(
            torch.from_numpy(block.indptr.astype(np.int64)),
            torch.from_numpy(block.indices.astype(np.int64)),
            torch.from_numpy(block.data),
            size=block.shape,
            check_invariants=True,
        )


def moved(value: Any, device: torch.device) -> Any:
    """Return tensors, and tuples, lists and dictionaries of them, on a device."""
    if isinstance(value, Tensor):
        return value.to(device)
    if isinstance(value, dict):
        return {name: moved(one, device) for name, one in value.items()}
    if isinstance(value, list):
        return [moved(one, device) for one in value]
    if isinstance(value, tuple) and hasattr(value, "_replace"):
        return type(value)(*(moved(one, device) for one in value))
    return value


def fit(
    data: HeteroData,
    task: dict,
    settings: dict,
    design: Design,
    score: Callable,
    seed: int,
) -> dict:
    """Train one network and keep the epoch that validates best.

    Returns:
        The network, its scores by part, the epoch, and the outputs of the task's rows.
    """
    device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
    depth, target = settings["depth"], settings["target"]
    rows, hops = receptive_field(data, target, task["rows"], depth)
    inputs = {name: columns_of(data[name]).take(one) for name, one in rows.items()}
    inputs, hops = moved(inputs, device), moved(hops, device)
    torch.manual_seed(seed)
    network = Network(data, target, design, settings).to(device)
    torch.manual_seed(seed)
    parts = moved(task["parts"], device)
    measure = loss_of(task, settings, parts["train"], device)
    sign = 1 if settings["higher_is_better"] else -1
    optimiser = torch.optim.Adam(
        network.parameters(),
        lr=settings["learning_rate"],
        weight_decay=settings["weight_decay"],
    )

    def judge(raw: Tensor, part: str) -> float:
        chosen = parts[part]
        labels = task["labels"][chosen.cpu().numpy()]
        return float(score(labels, outputs_of(task, settings, raw[chosen])))

    def evaluate() -> Tensor:
        network.eval()
        with torch.no_grad():
            return network(inputs, hops)

    noisy = (
        settings["dropout"] or settings["input_dropout"] or network.design.drop_links
    )
    best, best_epoch = (-math.inf, -math.inf), 0
    state = copy.deepcopy(network.state_dict())
    for epoch in range(settings["epochs"] + 1):
        network.train()
        raw = network(inputs, hops)
        loss = measure(raw, parts["train"])
        seen = evaluate() if noisy else raw.detach()
        found = sign * judge(seen, "validation")
        found = found, -float(measure(seen, parts["validation"]))
        optimiser.zero_grad(set_to_none=True)
        loss.backward()
        if found > best or epoch == 0:
            best, best_epoch = found, epoch
            state = copy.deepcopy(network.state_dict())
        if epoch - best_epoch >= settings["patience"]:
            break
        optimiser.step()
    network.load_state_dict(state)
    raw = evaluate()
    return {
        "network": network,
        "scores": {part: judge(raw, part) for part in PARTS if len(parts[part])},
        "epoch": best_epoch,
        "outputs": outputs_of(task, settings, raw),
    }


def outputs_of(task: dict, settings: dict, raw: Tensor) -> np.ndarray:
    """Return probabilities, or values in the label's own unit."""
    raw = raw.double()
    if settings["kind"] == "binary":
        return raw[:, 0].sigmoid().cpu().numpy()
    if settings["kind"] == "multiclass":
        return raw.softmax(dim=1).cpu().numpy()
    centre, spread = label_scale(task)
    return raw[:, 0].cpu().numpy() * spread + centre


def label_scale(task: dict) -> tuple:
    """Return mean and deviation of the training labels."""
    labels = task["labels"][task["parts"]["train"].numpy()]
    return float(labels.mean()), float(labels.std()) or 1.0


def loss_of(
    task: dict, settings: dict, train: Tensor, device: torch.device
) -> Callable:
    """Return the loss of some rows; rare classes count for more."""
    labels = torch.from_numpy(task["labels"]).to(device)
    if settings["kind"] == "regression":
        centre, spread = label_scale(task)
        wanted = ((labels - centre) / spread).float()
        is_absolute = settings["metric"] == "mae"
        measure = functional.l1_loss if is_absolute else functional.mse_loss
        return lambda raw, rows: measure(raw[rows, 0], wanted[rows])
    classes = labels.long()
    number = len(settings["classes"])
    counts = torch.bincount(classes[train], minlength=number).float().clamp(min=1)
    share = counts / counts.sum()
    is_even = settings["metric"] == "log-loss" or share.min() >= 0.2
    weights = torch.ones_like(counts) if is_even else 1 / (share * number)
    if settings["kind"] == "binary":
        return lambda raw, rows: functional.binary_cross_entropy_with_logits(
            raw[rows, 0], labels[rows].float(), weight=weights[classes[rows]]
        )
    return lambda raw, rows: functional.cross_entropy(
        raw[rows], classes[rows], weight=weights
    )


def load(plan: dict, settings: dict, folder: Path) -> tuple:
    """Return the graph and the task, from the files beside the script."""
    data = build(plan, str(folder / "rows.duckdb"))
    task = read_task(folder / "task.csv")
    if settings["row_normalised"]:
        row_normalise(data)
    if settings["unfolded"]:
        data = unfold(data, plan, folder / "instances.npz")
        task["rows"] = torch.arange(len(task["rows"]))
    return data, task


def describe(data: HeteroData) -> None:
    """Say how many nodes and messages there are."""
    for name in data.node_types:
        print(f"{data[name].num_nodes:>10,} nodes     {name}")
    for kind in data.edge_types:
        print(f"{data[kind].num_edges:>10,} messages  {' → '.join(kind)}")


def train_all(
    plan: dict, settings: dict, design: Design, score: Callable, folder: Path
) -> None:
    """Train every seed and print its test score beside the one that was handed over."""
    data, task = load(plan, settings, folder)
    describe(data)
    asked = [int(one) for one in sys.argv[1:] if one.isdigit()] or settings["seeds"]
    for seed in asked:
        found = fit(data, task, settings, design, score, seed)["scores"]["test"]
        known = settings["stored"].get(seed, math.nan)
        name = settings["metric"]
        print(f"seed {seed}: {name} {found:.6f} on the test rows, stored {known:.6f}")
