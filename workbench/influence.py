"""How much the output listens to each hop and each table: gradients, not guesses.

One backward pass over the disjoint union of some test rows' receptive fields gives, for
each of them, how its output answers to the state every row enters the first layer with.
A row beyond reach has a gradient of exactly 0, a row within reach may still have next
to none: that is the difference between under-reaching and over-squashing.
"""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import pandas as pd
import torch
from torch import Tensor

from workbench.copies import Copies, Tracer
from workbench.field import Field, receptive_field
from workbench.graph import Graph
from workbench.model import Inputs, Network, gather_inputs
from workbench.task import TEST, Task, TaskType

MAX_SEEDS = 64
MAX_STRANGERS = 256
SAMPLE_SEED = 0
# A pass over the copies should cost no more than a third of a training epoch.
SHARE_OF_GRAPH = 0.35
FEWEST_COPIES = 20_000
# Beyond the share, few rows and one network of a cell have to do.
FEW_SEEDS = 4
MOST_COPIES = 1_000_000


@dataclass(frozen=True, slots=True)
class InfluenceSample:
    """Test rows with fields of their own, prepared once for networks of one depth.

    Attributes:
        field: The union of the fields; some rows that no seed sees enter it besides,
            from which the deviation of every channel is taken.
        inputs: Its features.
        labels: Label of each seed.
        task_type: Binary, multiclass or regression.
        places: Where the seeds stand in the output.
        hops: Hops of each layer-0 row by node type; -1 for one that no seed sees.
        depth: Number of layers.
        is_costly: Whether a pass costs more than a third of a training epoch.
    """

    field: Field
    inputs: Inputs
    labels: Tensor
    task_type: TaskType
    places: Tensor
    hops: Mapping[str, np.ndarray]
    depth: int
    is_costly: bool


def build_influence_sample(
    tracer: Tracer, task: Task, depth: int, device: torch.device
) -> InfluenceSample | None:
    """Return the copies that influence is measured on.

    At most 64 test rows are taken, always the same ones; fewer where their fields would
    cost more than a third of an epoch, and where even four do, up to four within a
    fixed size.

    Returns:
        The sample, or None where one row alone sees too much.
    """
    graph = tracer.graph
    generator = np.random.default_rng(SAMPLE_SEED)
    drawn = generator.permutation(np.flatnonzero(task.split == TEST))[:MAX_SEEDS]
    strangers = {
        name: generator.permutation(graph.nodes[name].num_rows)[:MAX_STRANGERS]
        for name in sorted(graph.reach(depth)[0])
    }
    limit = max(FEWEST_COPIES, int(SHARE_OF_GRAPH * _size(graph)))
    number, copies, seeds = len(drawn), None, drawn
    while number and copies is None:
        few = number <= FEW_SEEDS
        most = max(limit, MOST_COPIES) if few else limit
        seeds = np.sort(drawn[:number])
        copies = tracer.copy(task.rows[seeds], depth, strangers, most)
        number //= 2
    if copies is None:
        return None
    return _sample(copies, task, seeds, depth, device, copies.size > limit)


def measure_influence(network: Network, sample: InfluenceSample) -> pd.DataFrame:
    """Measure what the output of the sampled rows listens to.

    Let z be the true class's logit less the mean of the others (or the value), and g_u
    its gradient in the state row u enters the first layer with, each channel times its
    deviation over the rows of u's type. Then T_k = mean over seeds v of Σ ‖g_u‖² over
    rows u at k hops from v, and the influence of a table is the same sum over its rows.

    Returns:
        ``kind``, ``name``, ``value`` and ``num_rows`` (number of seeds): kind ``hop``
        with T_k / Σ T for every hop up to the depth; kind ``table`` with the share of
        every node type, exactly 0 for one beyond reach; kind ``range``, name ``mean``,
        with Σ k T_k / Σ T; kind ``size``, name ``total``, with Σ T. Shares are NaN
        where nothing has any influence.

    Source: Xu et al. (2018), arXiv:1806.03536; by hop Liang et al. (2025),
        arXiv:2503.09008; differs in: squared, per deviation of the encoded input, and
        normalised by the sum instead of the row's own share. Columns that ride on a
        junction's links have no state of their own and are not counted. A network that
        normalises over rows sees the copies of several seeds at once. Where neighbours
        tie for a maximum (``sage``), the one stored first is the one listened to.
    """
    network.eval()
    with torch.enable_grad():
        states, raw = network(sample.field, sample.inputs)
        entering = states[0]
        names = sorted(entering)
        gradients = torch.autograd.grad(
            _margin(raw[sample.places], sample).sum(),
            [entering[name] for name in names],
            allow_unused=True,
        )
    by_hop = np.zeros(sample.depth + 1)
    by_table = dict.fromkeys(sample.hops, 0.0)
    for name, gradient in zip(names, gradients, strict=True):
        if gradient is None:
            continue
        hops = sample.hops[name]
        squares = _squares(entering[name], gradient, hops)
        seen = hops >= 0
        found = np.bincount(hops[seen], squares[seen], minlength=len(by_hop))
        by_hop += found
        by_table[name] += float(found.sum())
    return _as_frame(by_hop, by_table, len(sample.labels))


def _as_frame(
    by_hop: np.ndarray, by_table: Mapping[str, float], num_seeds: int
) -> pd.DataFrame:
    total = float(by_hop.sum())
    over = total if total > 0 else float("nan")
    mean = float((np.arange(len(by_hop)) * by_hop).sum()) / over
    records = [
        *(("hop", str(hop), value / over) for hop, value in enumerate(by_hop)),
        *(("table", name, by_table[name] / over) for name in sorted(by_table)),
        ("range", "mean", mean),
        ("size", "total", total / num_seeds),
    ]
    return pd.DataFrame(
        [(*one, num_seeds) for one in records],
        columns=["kind", "name", "value", "num_rows"],
    )


def _margin(raw: Tensor, sample: InfluenceSample) -> Tensor:
    """Return what is differentiated, one number a seed."""
    match sample.task_type:
        case TaskType.REGRESSION:
            return raw[:, 0]
        case TaskType.BINARY:  # the sign does not change a square
            return raw[:, 0]
        case TaskType.MULTICLASS:
            own = raw.gather(1, sample.labels.long()[:, None])[:, 0]
            return own - (raw.sum(dim=1) - own) / (raw.shape[1] - 1)


def _squares(entering: Tensor, gradient: Tensor, hops: np.ndarray) -> np.ndarray:
    """Return the squared answer of each row, in deviations of its type's channels."""
    strangers = torch.from_numpy(np.flatnonzero(hops < 0)).to(entering.device)
    spread = entering.detach().index_select(0, strangers).double().cpu().numpy()
    slopes = gradient.double().cpu().numpy()  # doubles, whose squares do not vanish
    return (slopes**2) @ spread.var(axis=0)


def _size(graph: Graph) -> int:
    rows = sum(features.num_rows for features in graph.nodes.values())
    return rows + sum(len(relation.source_rows) for relation in graph.relations)


def _sample(
    copies: Copies,
    task: Task,
    seeds: np.ndarray,
    depth: int,
    device: torch.device,
    is_costly: bool,
) -> InfluenceSample:
    wanted: list[dict[str, np.ndarray]] = [{} for _ in range(depth + 1)]
    wanted[-1] = {copies.target: copies.seeds}
    for name, hops in copies.hops.items():
        strangers = np.flatnonzero(hops < 0)
        if len(strangers):
            wanted[0][name] = np.append(wanted[0].get(name, strangers[:0]), strangers)
    field = receptive_field(copies, wanted)
    inputs = gather_inputs(copies, field, device)
    last = field.rows_at(depth)[copies.target]
    hops = {
        name: copies.hops[name][field.rows[name]] if name in field.rows else none
        for name, none in copies.hops.items()
    }
    return InfluenceSample(
        field=field.to(device),
        inputs=inputs,
        labels=torch.from_numpy(task.labels[seeds]).to(device),
        task_type=task.task_type,
        places=torch.from_numpy(np.searchsorted(last, copies.seeds)).to(device),
        hops=hops,
        depth=depth,
        is_costly=is_costly,
    )
