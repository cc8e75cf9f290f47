"""What a user would write instead: PyTorch Geometric's heterogeneous layers in a loop.

The arithmetic is that of `sage-mean`: one linear map of a row's own state, one of the
mean of what each relation sends, their sum, ReLU. The own map is one `Linear` a node
type: `SAGEConv`'s own, one a relation, would sum to the same and cost more.
"""

import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional
from torch_geometric.data import HeteroData
from torch_geometric.nn import HeteroConv, SAGEConv

PARTS = ("train", "val", "test")


@dataclass(slots=True)
class Took:
    """Processor seconds by what they went into, and scores at the best epoch."""

    training: float = 0.0
    evaluation: float = 0.0
    test: float = float("nan")
    losses: list[float] = field(default_factory=list)


def read_data(path: Path, target: str) -> HeteroData:
    """Return the graph as PyG holds it, both ways along every key."""
    data = HeteroData()
    with np.load(path) as arrays:
        for name in arrays.files:
            match name.split("|"):
                case ["x", table]:
                    data[table].x = torch.from_numpy(arrays[name])
                case ["code", table]:
                    data[table].code = torch.from_numpy(arrays[name][:, 0])
                case ["key", table, column, parent]:
                    parents = torch.from_numpy(arrays[name])
                    links = torch.stack([torch.arange(len(parents)), parents])
                    data[table, column, parent].edge_index = links
                    data[parent, f"rev_{column}", table].edge_index = links.flip(0)
                case _:
                    pass
        data[target].y = torch.from_numpy(arrays["labels"])
        for index, part in enumerate(PARTS):
            data[target][f"{part}_mask"] = torch.from_numpy(arrays["split"] == index)
    return data


class HeteroSage(nn.Module):
    """Encoders, layers over all node types, a head."""

    def __init__(
        self,
        data: HeteroData,
        target: str,
        depth: int,
        width: int,
        sizes: tuple[int, int],
    ) -> None:
        super().__init__()
        self.target = target
        types = data.node_types
        codes, classes = sizes
        self.columns = nn.ModuleDict(
            {name: nn.Linear(data[name].x.shape[1], width) for name in types}
        )
        self.codes = nn.ModuleDict({name: nn.Embedding(codes, width) for name in types})
        self.own = nn.ModuleList(
            nn.ModuleDict({name: nn.Linear(width, width) for name in types})
            for _ in range(depth)
        )
        self.convolutions = nn.ModuleList(
            HeteroConv(
                {
                    ends: SAGEConv(
                        (width, width),
                        width,
                        aggr="mean",
                        bias=False,
                        root_weight=False,
                    )
                    for ends in data.edge_types
                },
                aggr="sum",
            )
            for _ in range(depth)
        )
        self.head = nn.Sequential(
            nn.Linear(width, width), nn.ReLU(), nn.Linear(width, classes)
        )

    def forward(self, data: HeteroData) -> Tensor:
        """Return the logits of the target's rows."""
        state: Mapping[str, Tensor] = {
            name: (
                self.columns[name](data[name].x) + self.codes[name](data[name].code)
            ).relu()
            for name in data.node_types
        }
        for own, convolution in zip(self.own, self.convolutions, strict=True):
            brought = convolution(state, data.edge_index_dict)
            state = {
                name: (own[name](value) + brought[name]).relu()
                if name in brought
                else own[name](value).relu()
                for name, value in state.items()
            }
        return self.head(state[self.target])


def train_pyg(
    model: HeteroSage,
    data: HeteroData,
    epochs: int,
    learning_rate: float,
    weight_decay: float,
) -> Took:
    """Train as PyG's examples do: a training pass and a scored pass each epoch."""
    optimiser = torch.optim.Adam(
        model.parameters(), lr=learning_rate, weight_decay=weight_decay
    )
    node, took, best = data[model.target], Took(), -1.0
    for _ in range(epochs):
        started = time.process_time()
        model.train()
        optimiser.zero_grad()
        raw = model(data)
        mask = node.train_mask
        loss = functional.cross_entropy(raw[mask], node.y[mask])
        loss.backward()
        optimiser.step()
        took.losses.append(float(loss))
        trained = time.process_time()
        scores = score_pyg(model, data)
        if scores["val"] > best:
            best, took.test = scores["val"], scores["test"]
        took.training += trained - started
        took.evaluation += time.process_time() - trained
    return took


@torch.no_grad()
def score_pyg(model: HeteroSage, data: HeteroData) -> dict[str, float]:
    """Return the accuracy on each part of the target's rows."""
    model.eval()
    node = data[model.target]
    hit = model(data).argmax(dim=1) == node.y
    return {part: float(hit[node[f"{part}_mask"]].float().mean()) for part in PARTS}
