"""One cell of the grid and one seed: train, measure, keep numbers and no tensors."""

import resource
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import torch

from workbench.baseline import floor
from workbench.blueprint import Blueprint
from workbench.comparison import Floor, Trial
from workbench.copies import Tracer
from workbench.database import Database, cache_directory, reopen
from workbench.engine import Put
from workbench.errors import ModelError
from workbench.feed import AbstractFeed, Batched, Batching, Whole
from workbench.graph import Graph, build_graph, row_normalised
from workbench.heap import hand_back
from workbench.influence import (
    InfluenceSample,
    build_influence_sample,
    measure_influence,
)
from workbench.instances import Unfolding
from workbench.layerwise import measure_layers, project_layers
from workbench.model import Network
from workbench.models import MODELS
from workbench.parts import locate_rows
from workbench.permutation import ShuffleSample, build_shuffle_sample, measure_drops
from workbench.remedies import REMEDIES
from workbench.run import (
    Budget,
    RunConfig,
    build_network,
    default_device,
    train,
)
from workbench.sampled import Probe, build_probe
from workbench.schema import Schema
from workbench.sizing import count_parameters, fit_width
from workbench.snapshot import copy_snapshot
from workbench.task import TEST, Task, TaskType
from workbench.unfold import prepare_batches, unfold

KEPT_FIELDS = 12
KEPT_IN_BATCHES = 2  # what does not fit at once is large, and its runs are long
ARM_COLUMNS = ("source", "topology", "model", "remedy", "depth")


@dataclass(frozen=True, slots=True)
class PlannedArm:
    """An arm whose schema, task and blueprint are settled.

    Attributes:
        source: What the source is called in results.
        snapshot: The file that holds its rows.
        topology: What the graph is called in results.
        unfolding: How the graph is unfolded over time; None where it is not.
    """

    source: str
    snapshot: Path
    topology: str
    schema: Schema
    task: Task
    blueprint: Blueprint
    unfolding: Unfolding | None = None


@dataclass(frozen=True, slots=True)
class Cell:
    """One network on one arm at one depth with one seed.

    Attributes:
        arm: Position of the arm among the study's.
    """

    arm: int
    model: str
    remedy: str
    depth: int
    seed: int


@dataclass(frozen=True, slots=True)
class FloorItem:
    """One baseline of one source; ``arm`` is any arm that uses the source."""

    arm: int
    name: str


@dataclass(frozen=True, slots=True)
class CellResult:
    """What a cell leaves behind: numbers only."""

    trial: Trial
    layers: pd.DataFrame = field(default_factory=pd.DataFrame)
    predictions: pd.DataFrame = field(default_factory=pd.DataFrame)
    projection: pd.DataFrame = field(default_factory=pd.DataFrame)
    states: pd.DataFrame = field(default_factory=pd.DataFrame)
    influence: pd.DataFrame = field(default_factory=pd.DataFrame)


@dataclass(frozen=True, slots=True)
class Prepared:
    """What all networks of one depth on one arm share."""

    feed: AbstractFeed
    probe: Probe
    influence: InfluenceSample | None
    shuffles: ShuffleSample


@dataclass(frozen=True, slots=True)
class Workload:
    """All that a worker needs to do any item of a study.

    Calling it opens the bench and returns the function that does one item.

    Attributes:
        projected_seed: The seed of which projections and costly measures are kept.
        reference: The cell whose number of parameters all cells get where the budget
            says ``parameters = "same"``.
        graphs: By arm, how to get a graph that is built already, and its task.
        snapshots: By the file of a snapshot, how to get what is in it where there is no
            such file.
    """

    arms: tuple[PlannedArm, ...]
    budget: Budget
    projected_seed: int
    reference: Cell | None = None
    batching: Batching | None = None
    graphs: Mapping[int, Callable[[], tuple[Graph, Task]]] = field(default_factory=dict)
    snapshots: Mapping[Path, Callable[[], bytes]] = field(default_factory=dict)

    def __call__(self) -> Callable[[Cell | FloorItem, Callable[[Any], None]], Any]:
        """Return the function that does one item."""
        torch.set_num_threads(1)
        return Bench(self).work

    def shared(self, items: Sequence[Cell | FloorItem], put: Put) -> "Workload":
        """Return the same work for machines that lack this one's files.

        Networks read a graph, which is built here once; baselines read the rows.
        """
        bench = Bench(self)
        cells = [item for item in items if isinstance(item, Cell)]
        cells += [self.reference] if self.reference and cells else []
        arms = sorted({cell.arm for cell in cells})
        files = {
            self.arms[item.arm].snapshot
            for item in items
            if isinstance(item, FloorItem)
        }
        made = replace(
            self,
            graphs={arm: put(bench.whole_graph(arm)) for arm in arms},
            snapshots={file: put(file.read_bytes()) for file in sorted(files)},
        )
        bench.close()
        return made


class Bench:
    """Opened databases and built graphs, kept from one cell to the next."""

    def __init__(self, workload: Workload) -> None:
        self.workload = workload
        self.databases: dict[Path, Database] = {}
        self._graph = lru_cache(maxsize=None)(self._build_graph)
        self._tracer = lru_cache(maxsize=None)(lambda arm: Tracer(self._graph(arm)[0]))
        self._sampler = lru_cache(maxsize=None)(
            lambda arm: prepare_batches(self._graph(arm)[0])
        )
        self._located = lru_cache(maxsize=None)(
            lambda arm: locate_rows(self._graph(arm)[0])
        )
        kept = KEPT_FIELDS if workload.batching is None else KEPT_IN_BATCHES
        self._prepared = lru_cache(maxsize=kept)(self._prepare)

    def work(
        self, item: Cell | FloorItem, tell: Callable[[Any], None]
    ) -> CellResult | Floor:
        """Do one item and return what it found."""
        hand_back()
        if isinstance(item, FloorItem):
            arm = self.workload.arms[item.arm]
            database = self._database(arm.snapshot)
            return floor(database, arm.schema, arm.task, arm.source, item.name)
        return self._run(item, tell)

    def whole_graph(self, arm_index: int) -> tuple[Graph, Task]:
        """Return an arm's graph with all that is worked out once per graph."""
        graph, task = self._build_graph(arm_index)
        _ = graph.directions, graph.degrees
        return graph, task

    def prepare(self, cell: Cell) -> None:
        """Do what all cells of one arm and depth share, if it is not done yet."""
        self._prepared(cell.arm, cell.depth)

    def close(self) -> None:
        """Let go of the opened databases."""
        for database in self.databases.values():
            database.close()
        self.databases.clear()

    def _run(self, cell: Cell, tell: Callable[[Any], None]) -> CellResult:
        started = time.perf_counter()
        _reset_peak_memory()
        try:
            return self._trial(cell, tell, started)
        except (FloatingPointError, ModelError) as error:
            return CellResult(self._blank(cell, "failed", str(error), started))
        except (MemoryError, RuntimeError) as error:
            if not _is_out_of_memory(error):
                raise
            reason = "Memory ran out while this cell was running."
            return CellResult(self._blank(cell, "out-of-memory", reason, started))

    def _trial(
        self, cell: Cell, tell: Callable[[Any], None], started: float
    ) -> CellResult:
        arm = self.workload.arms[cell.arm]
        graph, task = self._graph(cell.arm)
        prepared = self._prepared(cell.arm, cell.depth)
        probe = prepared.probe
        config = self._config(cell)
        network = build_network(graph, task, config).to(default_device())
        untrained = measure_layers(network, probe)
        heard = [self._influence(cell, network, prepared, "untrained")]
        run = train(
            network,
            graph,
            task,
            config,
            prepared.feed,
            lambda epoch, val: tell((epoch, val)),
        )
        names = trial_names(arm, cell)
        trained = measure_layers(network, probe)
        layers = pd.concat(
            [untrained.assign(state="untrained"), trained.assign(state="trained")]
        )
        heard.append(self._influence(cell, network, prepared, "trained"))
        projection, states = pd.DataFrame(), pd.DataFrame()
        if cell.seed == self.workload.projected_seed:
            projected = project_layers(network, probe, task, run.outputs)
            states = projected.states
            places = self._located(cell.arm).loc[projected.rows["row"]]
            projection = projected.rows.assign(
                **{name: places[name].array for name in places}
            )
            drops = measure_drops(network, task, prepared.shuffles)
            heard.append(drops.assign(state="trained"))
        batching = self.workload.batching
        trial = Trial(
            **names,
            metric=task.metric,
            train=run.train,
            val=run.val,
            test=run.test,
            best_epoch=run.best_epoch,
            seconds=time.perf_counter() - started,
            peak_mb=_peak_memory_mb(),
            num_parameters=run.num_parameters,
            status="ok",
            reason="",
            gradient_ratio=run.gradient_ratio,
            seen=run.seen,
            width=config.budget.width,
            batch_rows=0 if batching is None else batching.rows,
            batch_fan_out=0 if batching is None else batching.fan_out or 0,
        )
        without_seed = {name: names[name] for name in ARM_COLUMNS}
        return CellResult(
            trial=trial,
            layers=layers.assign(**names),
            predictions=_predictions(task, run.outputs).assign(**names),
            projection=projection.assign(**without_seed),
            states=states.assign(**without_seed),
            influence=pd.concat(heard, ignore_index=True).assign(**names),
        )

    def _config(self, cell: Cell) -> RunConfig:
        """Return what is run, at the width that the budget gives this cell."""
        budget = self.workload.budget
        given = run_config(cell, budget)
        most = budget.parameters
        if most is None:
            return given
        if isinstance(most, str):
            first = self.workload.reference or cell
            reference = run_config(first, budget)
            most = count_parameters(*self._graph(first.arm), reference)
        width = fit_width(*self._graph(cell.arm), given, most)
        return replace(given, budget=replace(budget, width=width))

    def _influence(
        self, cell: Cell, network: Network, prepared: Prepared, state: str
    ) -> pd.DataFrame:
        """Measure influence; where that costs much, for one seed of a cell only."""
        sample = prepared.influence
        shown = cell.seed == self.workload.projected_seed
        if sample is None or (sample.is_costly and not shown):
            return pd.DataFrame()
        return measure_influence(network, sample).assign(state=state)

    def _blank(self, cell: Cell, status: str, reason: str, started: float) -> Trial:
        return blank_trial(
            self.workload.arms[cell.arm],
            cell,
            status,
            reason,
            time.perf_counter() - started,
        )

    def _database(self, snapshot: Path) -> Database:
        if snapshot not in self.databases:
            held = self.workload.snapshots.get(snapshot)
            here = snapshot
            if held is not None:
                here = copy_snapshot(snapshot, held, cache_directory())
            self.databases[snapshot] = reopen(here)
        return self.databases[snapshot]

    def _build_graph(self, arm_index: int) -> tuple[Graph, Task]:
        """Return what is trained on: the graph, unfolded where time asks for it."""
        if arm_index in self.workload.graphs:
            return self.workload.graphs[arm_index]()
        arm = self.workload.arms[arm_index]
        database = self._database(arm.snapshot)
        graph = build_graph(database, arm.schema, arm.task, arm.blueprint)
        if self.workload.budget.row_normalised:
            graph = row_normalised(graph)
        if arm.unfolding is None:
            return graph, arm.task
        unfolded = unfold(graph, arm.task, arm.unfolding)
        return unfolded.graph, unfolded.task

    def _prepare(self, arm_index: int, depth: int) -> Prepared:
        graph, task = self._graph(arm_index)
        device = default_device()
        tracer = self._tracer(arm_index)
        return Prepared(
            feed=self._feed(arm_index, depth),
            probe=build_probe(graph, task, depth, device),
            influence=build_influence_sample(tracer, task, depth, device),
            shuffles=build_shuffle_sample(graph, task, depth, device),
        )

    def _feed(self, arm_index: int, depth: int) -> AbstractFeed:
        graph, task = self._graph(arm_index)
        device, batching = default_device(), self.workload.batching
        if batching is None:
            is_joint = self.workload.budget.drops_out
            return Whole(graph, task, depth, device, is_joint)
        if self.workload.arms[arm_index].unfolding is not None:
            batching = replace(batching, fan_out=None)  # what is left was chosen there
        sampler = self._sampler(arm_index)
        return Batched(graph, task, depth, batching, device, sampler)


def run_config(cell: Cell, budget: Budget) -> RunConfig:
    """Return what a cell runs within a budget."""
    return RunConfig(
        model=MODELS[cell.model],
        remedy=REMEDIES[cell.remedy],
        depth=cell.depth,
        seed=cell.seed,
        budget=budget,
    )


def trial_names(arm: PlannedArm, cell: Cell) -> dict[str, Any]:
    """Return the columns that say which trial a row belongs to."""
    return {
        "source": arm.source,
        "topology": arm.topology,
        "model": cell.model,
        "remedy": cell.remedy,
        "depth": cell.depth,
        "seed": cell.seed,
    }


def blank_trial(
    arm: PlannedArm, cell: Cell, status: str, reason: str, seconds: float = 0.0
) -> Trial:
    """Return the trial of a cell that has no scores, and why."""
    nothing = float("nan")
    return Trial(
        **trial_names(arm, cell),
        metric=arm.task.metric,
        train=nothing,
        val=nothing,
        test=nothing,
        best_epoch=-1,
        seconds=seconds,
        peak_mb=nothing,
        num_parameters=0,
        status=status,
        reason=reason,
        gradient_ratio=nothing,
    )


def _predictions(task: Task, outputs: np.ndarray) -> pd.DataFrame:
    """Return one row per test row: its key, label, prediction and confidence."""
    test = np.flatnonzero(task.split == TEST)
    labels, found = task.labels[test], outputs[test]
    frame = {"key": [task.keys[at] for at in test]}
    match task.task_type:
        case TaskType.REGRESSION:
            return pd.DataFrame(
                {**frame, "label": labels.astype(str), "prediction": found.astype(str)}
            ).assign(value=found)
        case TaskType.BINARY:
            chosen, value = (found >= 0.5).astype(int), found
        case TaskType.MULTICLASS:
            chosen, value = found.argmax(axis=1), found.max(axis=1)
    classes = np.asarray(task.classes, dtype=object)
    return pd.DataFrame(
        {
            **frame,
            "label": classes[labels.astype(int)],
            "prediction": classes[chosen],
            "value": value,
        }
    )


def _is_out_of_memory(error: Exception) -> bool:
    text = str(error).lower()
    return (
        isinstance(error, MemoryError | torch.OutOfMemoryError)
        or "can't allocate memory" in text
    )


def _reset_peak_memory() -> None:
    """Ask Linux to count the process's peak memory from here."""
    reset = Path("/proc/self/clear_refs")
    if reset.exists():
        reset.write_text("5")


def _peak_memory_mb() -> float:
    """Return the process's peak resident memory in megabytes (10^6 bytes)."""
    status = Path("/proc/self/status")
    if status.exists():
        for line in status.read_text().splitlines():
            if line.startswith("VmHWM:"):
                return int(line.split()[1]) * 1024 / 1e6
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024 / 1e6
