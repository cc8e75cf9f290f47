"""One training run: the same loop for every graph, network and depth."""

import copy
import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np
import torch
from jaxtyping import Float
from torch import Tensor
from torch.nn import functional

from workbench.errors import ModelError
from workbench.feed import AbstractFeed, Part, Whole
from workbench.graph import Graph
from workbench.model import Model, Network, Remedy
from workbench.score import METRICS, Metric
from workbench.task import SEEN, TEST, TRAIN, VAL, Task, TaskType

RARE_CLASS_SHARE = 0.2
SAME = "same"
AUTO, FULL, ALL = "auto", "full", "all"

OnEpoch = Callable[[int, float], None]


@dataclass(frozen=True, slots=True)
class Budget:
    """What every run may spend: the same for every arm.

    Attributes:
        epochs: Most passes over the training rows.
        patience: Epochs without a better validation score before a run stops.
        learning_rate: Adam's step size.
        weight_decay: Adam's L2 penalty.
        width: Channels of every hidden state.
        dropout: Share of update channels dropped while training, in [0, 1).
        input_dropout: Share of input channels dropped while training, in [0, 1).
        row_normalised: Whether what a row lists adds up to 1: its nearly-always-0
            channels, and its numbers where no row has one below 0.
        parameters: Most trained numbers of every network, which then gets the largest
            width that fits, a multiple of 4; ``"same"`` for as many as the study's
            smallest network has at the given width; None for the given width.
        batch_rows: Most rows to predict that are trained at once; ``"full"`` for all,
            ``"auto"`` for all where that fits into memory.
        batch_fan_out: Most neighbours per key that a row hears in a batch; ``"all"``,
            or ``"auto"`` for as many as keep an epoch short.
    """

    epochs: int = 80
    patience: int = 20
    learning_rate: float = 0.01
    weight_decay: float = 1e-4
    width: int = 32
    dropout: float = 0.0
    input_dropout: float = 0.0
    row_normalised: bool = False
    parameters: int | str | None = None
    batch_rows: int | str = AUTO
    batch_fan_out: int | str = AUTO

    def __post_init__(self) -> None:
        """Check the ranges."""
        for name in ("epochs", "patience", "width"):
            value = getattr(self, name)
            if not isinstance(value, int) or value < 1:
                raise ModelError(
                    f'The budget has {name} "{value}"; a whole number from 1 up works.'
                )
        if not self.learning_rate > 0:
            raise ModelError(
                f'The learning rate is "{self.learning_rate}"; a number above 0 works.'
            )
        if self.weight_decay < 0:
            raise ModelError(
                f'The weight decay is "{self.weight_decay}"; 0 or more works.'
            )
        for name in ("dropout", "input_dropout"):
            value = getattr(self, name)
            if not 0 <= value < 1:
                raise ModelError(
                    f'The {name.replace("_", " ")} is "{value}"; a share from 0 up to'
                    " 1 works."
                )
        if not isinstance(self.row_normalised, bool):
            raise ModelError(
                f'"row_normalised" is "{self.row_normalised}"; true or false works.'
            )
        if self.parameters not in (None, SAME) and (
            not isinstance(self.parameters, int) or self.parameters < 1
        ):
            raise ModelError(
                f'The number of parameters is "{self.parameters}"; a whole number from'
                f' 1 up works, or "{SAME}".'
            )
        for name, words in (
            ("batch_rows", (AUTO, FULL)),
            ("batch_fan_out", (AUTO, ALL)),
        ):
            value = getattr(self, name)
            if value not in words and (not isinstance(value, int) or value < 1):
                raise ModelError(
                    f'The budget has {name} "{value}"; a whole number from 1 up works,'
                    f' or "{words[0]}" or "{words[1]}".'
                )

    @property
    def drops_out(self) -> bool:
        """Whether numbers of rows are set to 0 at random while training."""
        return bool(self.dropout or self.input_dropout)


@dataclass(frozen=True, slots=True)
class RunConfig:
    """One cell and one seed."""

    model: Model
    remedy: Remedy
    depth: int
    seed: int
    budget: Budget

    @property
    def is_random(self) -> bool:
        """Whether a pass while training differs from one that answers."""
        return self.budget.drops_out or bool(self.remedy.drop_links)


@dataclass(frozen=True, slots=True)
class Run:
    """What a run found, at the epoch that validated best.

    Attributes:
        config: What was run.
        train: Score on the training rows.
        val: Score on the validation rows, by which the epoch was chosen.
        test: Score on the test rows, read once.
        best_epoch: The chosen epoch, from 0 (untrained).
        gradient_ratio: Norm of the loss gradient in the first layer over that in the
            last, at the chosen epoch; NaN at depth 0. Far below 1: the first layer
            hardly learns.
        num_parameters: Number of trained numbers.
        outputs: Predictions for every task row, in the task's order: probability of
            class 1 [rows], probabilities [rows, classes] or values [rows].
        seen: Score on the rows set aside from the values that were trained on; NaN
            where the split holds no values out.
    """

    config: RunConfig
    train: float
    val: float
    test: float
    best_epoch: int
    gradient_ratio: float
    num_parameters: int
    outputs: np.ndarray
    seen: float = math.nan


def default_device() -> torch.device:
    """Return the GPU where there is one, else the CPU."""
    return torch.device("cuda" if torch.cuda.is_available() else "cpu")


def build_network(graph: Graph, task: Task, config: RunConfig) -> Network:
    """Return an untrained network whose initial weights depend on the seed alone.

    The caller's random state is left as it was.
    """
    num_outputs = len(task.classes) if task.task_type is TaskType.MULTICLASS else 1
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(config.seed)
        return Network(
            graph,
            config.model,
            config.remedy,
            config.depth,
            config.budget.width,
            num_outputs,
            config.budget.dropout,
            config.budget.input_dropout,
        )


def train(
    network: Network,
    graph: Graph,
    task: Task,
    config: RunConfig,
    feed: AbstractFeed | None = None,
    on_epoch: OnEpoch | None = None,
) -> Run:
    """Train a network in place and leave it at the epoch that validated best.

    An epoch is one pass over the training rows: one step where they are fed all at
    once, one a batch otherwise. Its validation score is that before its first step.

    Args:
        network: An untrained network for ``graph``.
        graph: The graph.
        task: What is predicted and how rows are split.
        config: Depth, seed and budget.
        feed: How rows are handed out, when the caller keeps that between runs; all at
            once by default.
        on_epoch: Called with the epoch's number and validation score.

    Returns:
        Scores, and predictions of the chosen epoch.

    Raises:
        FloatingPointError: The loss stopped being a finite number.
    """
    device = default_device()
    fed = Whole(graph, task, config.depth, device) if feed is None else feed
    # The same rows take part in every draw as ever, so that a seed's numbers stay.
    if config.remedy.over_rows or config.budget.drops_out:
        fed = fed.joint()
    loop = _Loop(network.to(device), task, config, fed, device)
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(config.seed)
        return loop.run(on_epoch)


def predictions_of(task: Task, raw: Tensor) -> np.ndarray:
    """Return a network's output as probabilities, or in the label's own unit."""
    raw = raw.double()
    match task.task_type:
        case TaskType.BINARY:
            return raw[:, 0].sigmoid().cpu().numpy()
        case TaskType.MULTICLASS:
            return raw.softmax(dim=1).cpu().numpy()
        case TaskType.REGRESSION:
            centre, spread = _label_scale(task)
            return raw[:, 0].cpu().numpy() * spread + centre


class _Loop:
    """The state of one run; `run` is called once."""

    def __init__(
        self,
        network: Network,
        task: Task,
        config: RunConfig,
        feed: AbstractFeed,
        device: torch.device,
    ) -> None:
        self.network = network
        self.task = task
        self.config = config
        self.feed = feed
        self.metric = METRICS[task.metric]
        self.rows = [
            torch.from_numpy(np.flatnonzero(task.split == part)).to(device)
            for part in (TRAIN, VAL, TEST, SEEN)
        ]
        self.loss = _loss(task, self.metric, self.rows[TRAIN], device)
        self.optimiser = torch.optim.Adam(
            network.parameters(),
            lr=config.budget.learning_rate,
            weight_decay=config.budget.weight_decay,
            fused=True,
        )

    def run(self, on_epoch: OnEpoch | None) -> Run:
        best_score, best_loss, best_epoch, ratio = -math.inf, math.inf, 0, math.nan
        best_state = copy.deepcopy(self.network.state_dict())
        sign = 1 if self.metric.higher_is_better else -1
        for epoch in range(self.config.budget.epochs + 1):
            parts = self.feed.training(self.config.seed, epoch)
            first = next(parts)
            raw = self._forward(first)
            loss = self._loss_of(raw, first, epoch)
            seen = self._validation(raw, first)
            val = self._score(seen, VAL)
            val_loss = float(self.loss(seen, self.rows[VAL]))
            self.optimiser.zero_grad(set_to_none=True)
            loss.backward()
            improved = (sign * val, -val_loss) > (best_score, -best_loss)
            if improved or epoch == 0:
                best_score, best_loss, best_epoch = sign * val, val_loss, epoch
                best_state = copy.deepcopy(self.network.state_dict())
                ratio = self._gradient_ratio()
            if on_epoch is not None:
                on_epoch(epoch, val)
            if epoch - best_epoch >= self.config.budget.patience:
                break
            self.optimiser.step()
            self._step_through(parts, epoch)
        self.network.load_state_dict(best_state)
        return self._conclude(best_epoch, ratio)

    def _conclude(self, best_epoch: int, ratio: float) -> Run:
        outputs = self._answer(np.arange(len(self.task.rows)))
        train, val, test, seen = (
            self._score(outputs[rows], part) if len(rows) else math.nan
            for part, rows in enumerate(self.rows)
        )
        return Run(
            config=self.config,
            train=train,
            val=val,
            test=test,
            best_epoch=best_epoch,
            gradient_ratio=ratio,
            num_parameters=self.network.num_parameters,
            outputs=predictions_of(self.task, outputs),
            seen=seen,
        )

    def _step_through(self, parts: Iterator[Part], epoch: int) -> None:
        """Take a step for each of the parts of an epoch that are left."""
        for part in parts:
            loss = self._loss_of(self._forward(part), part, epoch)
            self.optimiser.zero_grad(set_to_none=True)
            loss.backward()
            self.optimiser.step()

    def _forward(self, part: Part) -> Tensor:
        self.network.train()
        return self.network(part.field, part.inputs)[1]

    def _loss_of(self, raw: Tensor, part: Part, epoch: int) -> Tensor:
        loss = self.loss(raw[part.within], part.rows)
        if not torch.isfinite(loss):
            raise FloatingPointError(f"the loss is {loss.item()} at epoch {epoch}")
        return loss

    def _validation(self, raw: Tensor, part: Part) -> Tensor:
        """Return the outputs of the validation rows, those of training where alike."""
        if part.validation is not None and not self.config.is_random:
            return raw.detach()[part.validation]
        return self._answer(self.rows[VAL].cpu().numpy())

    @torch.no_grad()
    def _answer(self, places: np.ndarray) -> Tensor:
        """Return the outputs of some of the task's rows, [rows, outputs]."""
        self.network.eval()
        return torch.cat(
            [
                self.network(part.field, part.inputs)[1][part.within]
                for part in self.feed.answering(places)
            ]
        )

    def _score(self, raw: Tensor, part: int) -> float:
        labels = self.task.labels[self.rows[part].cpu().numpy()]
        return float(self.metric.score(labels, predictions_of(self.task, raw)))

    def _gradient_ratio(self) -> float:
        layers = self.network.layers
        if not len(layers):
            return math.nan
        first, last = _gradient_norm(layers[0]), _gradient_norm(layers[-1])
        return first / last if last > 0 else math.nan


def _gradient_norm(layer: torch.nn.Module) -> float:
    squares = [
        float(parameter.grad.double().square().sum())
        for parameter in layer.parameters()
        if parameter.grad is not None
    ]
    return math.sqrt(sum(squares))


def _label_scale(task: Task) -> tuple[float, float]:
    """Return mean and deviation of the training labels."""
    labels = task.labels[task.split == TRAIN]
    return float(labels.mean()), float(labels.std()) or 1.0


def _loss(
    task: Task, metric: Metric, train_rows: Tensor, device: torch.device
) -> Callable[[Float[Tensor, "rows outputs"], Tensor], Tensor]:
    """Return the loss of some task rows, given the network's output for them."""
    labels = torch.from_numpy(task.labels).to(device)
    if task.task_type is TaskType.REGRESSION:
        centre, spread = _label_scale(task)
        wanted = ((labels - centre) / spread).float()
        measure = functional.l1_loss if metric.name == "mae" else functional.mse_loss
        return lambda raw, rows: measure(raw[:, 0], wanted[rows])
    classes = labels.long()
    weights = _class_weights(classes[train_rows], metric, len(task.classes))
    if task.task_type is TaskType.BINARY:
        return lambda raw, rows: functional.binary_cross_entropy_with_logits(
            raw[:, 0], labels[rows].float(), weight=weights[classes[rows]]
        )
    return lambda raw, rows: functional.cross_entropy(
        raw, classes[rows], weight=weights
    )


def _class_weights(classes: Tensor, metric: Metric, num_classes: int) -> Tensor:
    """Return inverse class frequencies when a class is rare, else ones.

    Log loss asks for calibrated probabilities, which weights would spoil.
    """
    counts = torch.bincount(classes, minlength=num_classes).float().clamp(min=1)
    share = counts / counts.sum()
    if metric.name == "log-loss" or share.min() >= RARE_CLASS_SHARE:
        return torch.ones_like(counts)
    return 1 / (share * num_classes)
