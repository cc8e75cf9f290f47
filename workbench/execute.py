"""The one use case: plan a study, run what is missing, compare, write the results."""

import hashlib
import json
import math
import shutil
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa

from workbench.batching import Settled, settle_batches, with_batches
from workbench.cell import (
    Cell,
    CellResult,
    FloorItem,
    PlannedArm,
    Workload,
    blank_trial,
)
from workbench.compare import compare
from workbench.comparison import (
    BEST_POSSIBLE,
    STOPPED_EARLY,
    Comparison,
    Floor,
    Trial,
)
from workbench.database import reopen
from workbench.engine import (
    AbstractEngine,
    Advanced,
    Crashed,
    Dropped,
    Event,
    Finished,
    Started,
)
from workbench.engines import DEFAULT_ENGINE, open_engine
from workbench.errors import StudyError
from workbench.halving import climb, configuration, num_runs
from workbench.heap import hand_back
from workbench.planning import PlannedStudy, plan_study
from workbench.previewing import with_previews
from workbench.progress import Progress, forget_dropped
from workbench.report import write_report
from workbench.resampling import TestRows
from workbench.results import write_results
from workbench.run import SAME, Budget
from workbench.schema import Schema
from workbench.split import SplitKind, read_split
from workbench.store import Store
from workbench.study import Arm, Study
from workbench.task import TEST
from workbench.tracking import Tracker

# Part of every stored item's key: raise it when the same settings give other numbers.
NUMBERS_VERSION = 2
BASELINES_VERSION = 2  # the same of the baselines alone

# What a finished run leaves behind, each maybe empty.
FRAMES = ("layers", "predictions", "projection", "states", "influence")

# Settings of the budget that are no part of the key while they are at their default, so
# that what was stored before them is found.
LATER_SETTINGS = frozenset({"input_dropout", "row_normalised", "parameters"})
# What is asked of batches is no part either: what was settled is.
SETTLED_SETTINGS = frozenset({"batch_rows", "batch_fan_out"})

OnProgress = Callable[[Progress], None]


def run_study(
    study: Study,
    out: Path,
    on_progress: OnProgress = lambda progress: None,
    *,
    jobs: int | None = None,
    engine: str = DEFAULT_ENGINE,
    should_stop: Callable[[], bool] = lambda: False,
    cache: Path | None = None,
    on_settled: Callable[[Settled], None] = lambda settled: None,
) -> Comparison:
    """Run a study into a results folder; finished items are not run again.

    Args:
        study: What to run.
        out: The results folder, made where missing.
        on_progress: Called with the state, at most a few times a second.
        jobs: Most items at the same time; by default one a core.
        engine: What does them: ``"processes"`` of this machine, or ``"ray"`` or
            ``"ray:ADDRESS"`` for a cluster. It changes no number.
        should_stop: Asked now and then; True cancels what is left.
        cache: Where snapshots are kept; the user's cache by default.
        on_settled: Called before anything trains with how rows are fed: all at once, or
            in batches where that is asked for or memory is short.

    Returns:
        The comparison of everything that has finished.

    Raises:
        WorkbenchError: Something a user can put right; nothing was trained.
        KeyboardInterrupt: The run was interrupted; what had finished is kept and
            compared.
    """
    workers = open_engine(engine, jobs)
    planned = plan_study(study, cache)
    if planned.assumed:
        raise StudyError(
            f'The source "{planned.assumed[0]}" has no rows to learn from. Give rows,'
            ' or plant a signal in made-up ones: "workbench plant SOURCE --target TABLE'
            ' --signal TABLE.COLUMN --out FILE.sqlite".'
        )
    planned = with_previews(planned, cache=cache)
    hand_back()  # workers want it
    with workers, Store(out) as store:
        forget_dropped(out)  # what an earlier run gave up may run now
        settled = settle_batches(planned, workers.num_workers)
        on_settled(settled)
        planned = with_batches(planned, settled)
        session = _Session(planned, store, workers, on_progress)
        session.write_study(out)
        workload = Workload(
            arms=planned.arms,
            budget=study.budget,
            projected_seed=0,
            reference=planned.reference,
            batching=planned.batching,
        )
        try:
            stopped = session.work(workload, should_stop)
        except KeyboardInterrupt:
            session.conclude(out, cancelled=True)
            raise
        return session.conclude(out, cancelled=stopped)


class _Session:
    """One run of a study over one store."""

    def __init__(
        self,
        planned: PlannedStudy,
        store: Store,
        workers: AbstractEngine,
        on_progress: OnProgress,
    ) -> None:
        self.planned = planned
        self.store = store
        self.workers = workers
        self.on_progress = on_progress
        self.keys = {item: _key(planned, item) for item in planned.cells}
        self.floor_keys = {item: _key(planned, item) for item in planned.floor_items}
        self.vals: dict[Cell, float] = {}
        self.stopped: dict[Cell, str] = {}  # by configuration, why
        self.tracker = Tracker(
            store.folder,
            planned.arms,
            planned.cells,
            planned.study.budget.epochs,
            workers.num_workers,
        )

    def write_study(self, out: Path) -> None:
        """Write the study beside its results, with the files it refers to."""
        study = replace(
            self.planned.study,
            arms=tuple(_localise(arm, out) for arm in self.planned.study.arms),
        )
        (out / "study.toml").write_text(study.to_toml(), encoding="utf-8")

    def work(self, workload: Workload, should_stop: Callable[[], bool]) -> bool:
        """Run every item that is not in the store; return whether it was stopped."""
        finished = self._finished()
        # Baselines first: one of them can take longer than any cell.
        items: list[Cell | FloorItem] = [
            item for item, key in self.floor_keys.items() if key not in finished
        ]
        self.tracker.expect_floors(len(items))
        self.tracker.expect_runs(num_runs(self.planned))
        for rung in climb(self.planned, lambda cell: self.vals.get(cell, math.nan)):
            self._stop_early(rung.stopped)
            for cell in rung.cells:
                record = finished.get(self.keys[cell])
                if record is None:
                    items.append(cell)
                else:
                    self._know(cell, Trial(**record))
            self._tell(force=True)
            done = 0
            for event in self.workers.run(
                workload, items, should_stop, self._is_dropped
            ):
                done += self._handle(event)
                self._tell()
            if done < len(items):
                return True
            items = []
        return False

    def _finished(self) -> dict[str, dict]:
        """Return the stored items, without runs that lack one of today's measures.

        They are run again, to the same score, so that what is shown is complete.
        """
        records = self.store.records()
        whole = self.store.keys_with(*FRAMES)
        cells = set(self.keys.values())
        return {
            key: record
            for key, record in records.items()
            if key not in cells or record["status"] != "ok" or key in whole
        }

    def _stop_early(self, stopped: Mapping[Cell, str]) -> None:
        """Leave out configurations, and what has been run of them."""
        self.stopped |= stopped
        for cell in self.keys:
            if configuration(cell) in stopped:
                self.tracker.stop_early(cell, stopped[configuration(cell)])

    def _know(self, cell: Cell, trial: Trial) -> None:
        self.vals[cell] = trial.val
        self.tracker.finish(cell, trial.status, trial.val, trial.reason)

    def _is_dropped(self, item: Cell | FloorItem) -> bool:
        return isinstance(item, Cell) and self.tracker.is_dropped(item)

    def _handle(self, event: Event | None) -> int:
        """Follow one event; return the number of items it ended."""
        match event:
            case Started(item=Cell() as cell):
                self.tracker.start(cell)
            case Advanced(item=Cell() as cell, news=(epoch, val)):
                self.tracker.advance(cell, epoch, val)
            case Finished(item=Cell() as cell, result=CellResult() as result):
                self._keep(cell, result)
                return 1
            case Finished(item=FloorItem() as item, result=Floor() as floor):
                self.store.save(self.floor_keys[item], "floor", asdict(floor), {})
                self.tracker.floor_done()
                return 1
            case Crashed(item=Cell() as cell, reason=reason, killed=killed):
                status = "out-of-memory" if killed else "failed"
                arm = self.planned.arms[cell.arm]
                self._keep(cell, CellResult(blank_trial(arm, cell, status, reason)))
                return 1
            case Dropped(item=Cell() as cell):
                self.tracker.drop(cell)
                return 1
            case Crashed(item=FloorItem(), reason=reason):
                raise RuntimeError(f"a baseline failed: {reason}")
            case _:
                pass
        return 0

    def _keep(self, cell: Cell, result: CellResult) -> None:
        trial = result.trial
        frames = {name: getattr(result, name) for name in FRAMES}
        self.store.save(self.keys[cell], "trial", asdict(trial), frames)
        self._know(cell, trial)

    def _tell(self, force: bool = False) -> None:
        self.tracker.save(force)
        self.on_progress(self.tracker.progress())

    def conclude(self, out: Path, cancelled: bool) -> Comparison:
        """Compare what has finished, write every file, and say so."""
        self.tracker.enter("comparing")
        self._tell(force=True)
        records = self.store.records()
        trials = [
            self._trial(cell, records.get(key)) for cell, key in self.keys.items()
        ]
        floors = [
            Floor(**records[key])
            for key in reversed(self.floor_keys.values())
            if key in records
        ]
        floors += _ceilings(self.planned.arms)
        task = self.planned.arms[0].task
        keys = [
            key
            for cell, key in self.keys.items()
            if configuration(cell) not in self.stopped
        ]
        predictions = self.store.frame("predictions", keys)
        comparison = compare(
            trials,
            floors,
            task_name=task.spec.title,
            metric=task.metric,
            future_rows=self.planned.future_rows,
            leaks=self.planned.leaks,
            hops=_hops(self.planned.plans),
            test_rows=TestRows(predictions, task.classes, _groups(self.planned.arms)),
            halving=self.planned.study.halving,
        )
        write_results(
            out,
            trials=trials,
            layers=self.store.frame("layers", keys),
            predictions=predictions,
            projection=self.store.frame("projection", keys),
            states=self.store.frame("states", keys),
            influence=self.store.frame("influence", keys),
            comparison=comparison,
            plans=dict(self.planned.plans),
        )
        write_report(out)
        self.tracker.enter("cancelled" if cancelled else "done")
        self._tell(force=True)
        return comparison

    def _trial(self, cell: Cell, record: Mapping[str, Any] | None) -> Trial:
        """Return what results say of a cell; no score of what was stopped early."""
        arm = self.planned.arms[cell.arm]
        reason = self.stopped.get(configuration(cell))
        if reason is not None:
            seconds = 0.0 if record is None else record["seconds"]
            return blank_trial(arm, cell, STOPPED_EARLY, reason, seconds)
        if record is None:
            return blank_trial(arm, cell, "cancelled", "It was cancelled.")
        return Trial(**record)


def _ceilings(arms: Sequence[PlannedArm]) -> list[Floor]:
    """Return the best possible score of every source where it is known."""
    known = {arm.source: arm.task.spec.optimal for arm in arms}
    return [
        Floor(
            name=BEST_POSSIBLE,
            source=source,
            learner="known",
            train=math.nan,
            val=math.nan,
            test=optimal,
            low=math.nan,
            high=math.nan,
            num_columns=0,
        )
        for source, optimal in known.items()
        if optimal is not None
    ]


def _hops(
    plans: Mapping[str, Mapping[str, Any]],
) -> dict[tuple[str, str], Mapping[str, int | None]]:
    """Return how far each column is in every graph."""
    return {
        (source, graph["name"]): graph["hops"]
        for source, plan in plans.items()
        for graph in plan["topologies"]
    }


def _groups(arms: Sequence[PlannedArm]) -> dict[str, Mapping[str, str]]:
    """Return the group of every test row where the split keeps groups together."""
    found: dict[str, Mapping[str, str]] = {}
    for arm in arms:
        kind, column = read_split(arm.task.spec.split)
        if kind is not SplitKind.GROUP or arm.source in found:
            continue
        with reopen(arm.snapshot) as database:
            held = database.arrow(arm.task.spec.table, [column]).column(0)
        test = np.flatnonzero(arm.task.split == TEST)
        groups = held.take(pa.array(arm.task.rows[test])).to_pylist()
        keys = [arm.task.keys[at] for at in test]
        found[arm.source] = dict(zip(keys, map(str, groups), strict=True))
    return found


def _key(planned: PlannedStudy, item: Cell | FloorItem) -> str:
    """Return the hash of everything that an item's numbers depend on."""
    arm = planned.arms[item.arm]
    content: dict[str, Any] = {
        "version": NUMBERS_VERSION,
        "rows": planned.fingerprints[arm.source],
        "source": arm.source,
        # How well it could be done changes no number of what was done.
        "task": {k: v for k, v in asdict(arm.task.spec).items() if k != "optimal"},
        "metric": arm.task.metric,
    }
    match item:
        case Cell():
            content |= {
                "cell": {**asdict(item), "arm": arm.topology},
                "blueprint": arm.blueprint.hash,
                "budget": _budget_content(planned.study.budget),
            }
            if arm.unfolding is not None:
                content["unfolding"] = asdict(arm.unfolding)
            if planned.batching is not None:
                content["batches"] = asdict(planned.batching)
            if planned.study.budget.parameters == SAME:
                content["reference"] = _reference_content(planned)
        case FloorItem():
            told = [BASELINES_VERSION, item.name, _schema_content(arm.schema)]
            content["floor"] = told
    text = json.dumps(content, sort_keys=True)
    return hashlib.sha256(text.encode()).hexdigest()


def _reference_content(planned: PlannedStudy) -> dict[str, Any]:
    """Return what decides how many parameters the reference network has."""
    cell = planned.reference
    arm = planned.arms[cell.arm]
    return {
        "cell": asdict(cell),
        "rows": planned.fingerprints[arm.source],
        "blueprint": arm.blueprint.hash,
    }


def _budget_content(budget: Budget) -> dict[str, Any]:
    """Return a budget without the settings that came later and change nothing."""
    usual = asdict(Budget())
    return {
        name: value
        for name, value in asdict(budget).items()
        if name not in SETTLED_SETTINGS
        and (name not in LATER_SETTINGS or value != usual[name])
    }


def _schema_content(schema: Schema) -> list[Any]:
    """Return what the baselines read of a schema: semantic types, times and keys."""
    stypes = [
        [table.name, column.name, column.stype]
        for table in schema.tables
        for column in table.columns
    ]
    times = [table.time_column for table in schema.tables]
    return [stypes, times, [key.id for key in schema.foreign_keys]]


def _localise(arm: Arm, out: Path) -> Arm:
    """Copy an arm's files beside the results and refer to them from there."""
    topology, hints = arm.topology, arm.hints
    if topology.endswith(".toml"):
        topology = _copy(Path(topology), out, "topologies")
    if hints is not None:
        hints = _copy(Path(hints), out, "hints")
    kept = Path(arm.source)
    source = kept.name if kept.parent.resolve() == out.resolve() else arm.source
    return replace(arm, source=source, topology=topology, hints=hints)


def _copy(file: Path, out: Path, folder: str) -> str:
    target = out / folder / file.name
    target.parent.mkdir(exist_ok=True)
    if file.resolve() != target.resolve():
        shutil.copyfile(file, target)
    return f"{folder}/{file.name}"
