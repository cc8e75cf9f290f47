"""What a run is fed: all rows to predict at once, or batches of them.

A batch is a small graph: some rows to predict and what they see, all of it or, with a
fan-out, some neighbours of every row. Every network runs on it unchanged.
"""

from abc import ABC, abstractmethod
from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np
import torch
from jaxtyping import Int
from torch import Tensor

from workbench.errors import ModelError
from workbench.field import Field, receptive_field
from workbench.graph import Graph
from workbench.instances import Unfolding
from workbench.model import Inputs, gather_inputs
from workbench.sampler import Sampler
from workbench.sampling import Choice
from workbench.task import TRAIN, VAL, Task
from workbench.unfold import draw_batch, prepare_batches

TRAINING, ANSWERING = 1, 0  # draws of their own for each


@dataclass(frozen=True, slots=True)
class Batching:
    """How the rows to predict are divided into batches, alike for a whole study.

    Attributes:
        rows: Most rows to predict in a batch.
        fan_out: Most neighbours per key that a row hears in a batch, of graphs that are
            not unfolded over time; None for all.
        choice: Which ones, where there are more; drawn anew for every batch.
    """

    rows: int
    fan_out: int | None = None
    choice: Choice = Choice.UNIFORM

    def __post_init__(self) -> None:
        """Check the ranges."""
        if self.rows < 1:
            raise ModelError(f'A batch has "{self.rows}" rows; 1 or more work.')


@dataclass(frozen=True, slots=True)
class Part:
    """Some rows to predict and what they see.

    Attributes:
        field: Their receptive field.
        inputs: Its features.
        within: Which of the network's outputs count.
        rows: Which of the task's rows these are.
        validation: Which of the network's outputs are those of the validation rows, in
            the task's order, where a pass of training computes them all; else None.
    """

    field: Field
    inputs: Inputs
    within: Int[Tensor, " rows"]
    rows: Int[Tensor, " rows"]
    validation: Int[Tensor, " validation_rows"] | None = None


class AbstractFeed(ABC):
    """Hands out the rows of a task, part by part."""

    @abstractmethod
    def training(self, seed: int, epoch: int) -> Iterator[Part]:
        """Yield the training rows, each once; another seed or epoch, other parts."""

    @abstractmethod
    def answering(self, places: np.ndarray) -> Iterator[Part]:
        """Yield rows of the task in their order, the same parts every time.

        Args:
            places: int64 [rows]: positions among the task's rows, ascending.
        """

    def joint(self) -> "AbstractFeed":
        """Return the feed of networks whose states depend on the rows beside them."""
        return self


class Whole(AbstractFeed):
    """All rows at once, with all that they see.

    While training, that is the training and the validation rows: what only the others
    see is not computed before they are asked for.

    Args:
        graph: The graph.
        task: What is predicted and how rows are split.
        depth: Number of layers.
        device: Where the tensors live.
        is_joint: Whether every pass computes all of the task's rows.
    """

    def __init__(
        self,
        graph: Graph,
        task: Task,
        depth: int,
        device: torch.device,
        is_joint: bool = False,
    ) -> None:
        self.graph, self.task, self.depth, self.device = graph, task, depth, device
        self.is_joint = is_joint
        self.places = np.arange(len(task.rows))
        if not is_joint:
            self.places = np.flatnonzero(np.isin(task.split, (TRAIN, VAL)))
        self.field, self.inputs = self._see(self.places)

    def training(self, seed: int, epoch: int) -> Iterator[Part]:
        """Yield the training rows in one part, the same in every epoch."""
        yield self._every_epoch

    @cached_property
    def _every_epoch(self) -> Part:
        train, validation = (
            np.flatnonzero(self.task.split == part) for part in (TRAIN, VAL)
        )
        return replace(
            self._part(train),
            validation=self._tensor(np.searchsorted(self.places, validation)),
        )

    def answering(self, places: np.ndarray) -> Iterator[Part]:
        """Yield the rows in one part."""
        if np.isin(places, self.places).all():
            yield self._part(places)
            return
        field, inputs = self._see(places)
        within = np.arange(len(places))
        yield Part(field, inputs, self._tensor(within), self._tensor(places))

    def joint(self) -> "Whole":
        """Return the same feed with all of the task's rows in every pass."""
        return self if self.is_joint else self._joined

    @cached_property
    def _joined(self) -> "Whole":
        return Whole(self.graph, self.task, self.depth, self.device, is_joint=True)

    def _see(self, places: np.ndarray) -> tuple[Field, Inputs]:
        """Return what some of the task's rows see."""
        field = _last_field(self.graph, self.task.rows[places], self.depth)
        return field.to(self.device), gather_inputs(self.graph, field, self.device)

    def _part(self, places: np.ndarray) -> Part:
        within = np.searchsorted(self.places, places)
        return Part(self.field, self.inputs, self._tensor(within), self._tensor(places))

    def _tensor(self, places: np.ndarray) -> Tensor:
        return torch.from_numpy(places).to(self.device)


class Batched(AbstractFeed):
    """Batches of nearly equal size, each with what its rows see."""

    def __init__(
        self,
        graph: Graph,
        task: Task,
        depth: int,
        batching: Batching,
        device: torch.device,
        sampler: Sampler | None = None,
    ) -> None:
        self.graph, self.task, self.depth = graph, task, depth
        self.batching, self.device = batching, device
        self.sampler = prepare_batches(graph) if sampler is None else sampler

    def training(self, seed: int, epoch: int) -> Iterator[Part]:
        """Yield the training rows in an order of the epoch's own."""
        generator = np.random.default_rng([TRAINING, seed, epoch])
        order = generator.permutation(np.flatnonzero(self.task.split == TRAIN))
        for places in self._divide(order):
            drawn = int(generator.integers(2**62))
            yield self._part(np.sort(places), drawn)

    def answering(self, places: np.ndarray) -> Iterator[Part]:
        """Yield the rows in their order, with the same neighbours every time."""
        generator = np.random.default_rng([ANSWERING, len(places)])
        for some in self._divide(places):
            drawn = int(generator.integers(2**62))
            yield self._part(some, drawn)

    def _divide(self, places: np.ndarray) -> list[np.ndarray]:
        if not len(places):
            return []
        return np.array_split(places, -(-len(places) // self.batching.rows))

    def _part(self, places: np.ndarray, seed: int) -> Part:
        unfolding = Unfolding(
            self.depth, self.batching.fan_out, self.batching.choice, seed
        )
        rows = self.task.rows[places]
        batch = draw_batch(self.graph, self.sampler, rows, unfolding)
        within = np.arange(len(places))
        field = _last_field(batch, within, self.depth)
        return Part(
            field=field.to(self.device),
            inputs=gather_inputs(batch, field, self.device),
            within=torch.from_numpy(within).to(self.device),
            rows=torch.from_numpy(places).to(self.device),
        )


def training_field(graph: Graph, task: Task, depth: int) -> Field:
    """Return the field of all task rows at the last of ``depth`` layers."""
    return _last_field(graph, task.rows, depth)


def _last_field(graph: Graph, rows: np.ndarray, depth: int) -> Field:
    nothing: list[dict[str, np.ndarray]] = [{} for _ in range(depth)]
    return receptive_field(graph, [*nothing, {graph.target: rows}])
