"""The one use case: plan a study, run what is missing, compare, write the results."""

import hashlib
import json
import math
import shutil
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

from workbench.assume import assume_rows
from workbench.baseline import FLOORS
from workbench.cell import (
    Cell,
    CellResult,
    FloorItem,
    PlannedArm,
    Workload,
    blank_trial,
)
from workbench.closure import draw_rows
from workbench.compare import compare
from workbench.comparison import BEST_POSSIBLE, Comparison, Floor, Trial
from workbench.database import Database, cache_directory, connect, without_password
from workbench.errors import StudyError, TaskError
from workbench.pool import (
    Advanced,
    Crashed,
    Finished,
    Started,
    default_jobs,
    run_items,
)
from workbench.progress import Progress, Tracker
from workbench.report import write_report
from workbench.results import notes_of, write_results
from workbench.schema import KeyOrigin, Schema, infer_schema, read_hints
from workbench.store import Store
from workbench.study import Arm, Study
from workbench.survey import future_rows, plan_to_json, survey
from workbench.task import Task, TaskSpec, define_task, suspected_leaks
from workbench.topologies import plan_named

# Part of every stored item's key: raise it when the same settings give other numbers.
NUMBERS_VERSION = 1

# What a run costs on one core: fixed, per epoch, per layer, per node or link and layer.
CELL_S, EPOCH_S, LAYER_S, LINK_S = 0.3, 2e-3, 5e-3, 1.5e-7

OnProgress = Callable[[Progress], None]


@dataclass(frozen=True, slots=True)
class PlannedStudy:
    """A study whose every arm is checked, surveyed and audited.

    Attributes:
        study: What was asked.
        arms: One per arm of the study, in its order.
        plans: The ``plan --json`` document of every source, by its label.
        leaks: One sentence per column that predicts the target nearly alone.
        future_rows: Rows newer than their target row within reach; always 0.
        fingerprints: The content hash of every source, by its label.
        assumed: The sources that have no rows, by label: planned, never trained on.
    """

    study: Study
    arms: tuple[PlannedArm, ...]
    plans: Mapping[str, Mapping[str, Any]]
    leaks: tuple[str, ...]
    future_rows: int
    fingerprints: Mapping[str, str]
    assumed: tuple[str, ...] = ()

    @property
    def notes(self) -> tuple[str, ...]:
        """What is said wherever the study is shown, each sentence once."""
        return notes_of(self.plans)

    @property
    def cells(self) -> tuple[Cell, ...]:
        """Every cell and seed, seeds outermost, so that early results compare."""
        study = self.study
        return tuple(
            Cell(arm=arm, model=model, remedy=remedy, depth=depth, seed=seed)
            for seed in range(study.seeds)
            for depth in study.depths
            for arm in range(len(self.arms))
            for model in study.models
            for remedy in study.remedies
        )

    @property
    def floor_items(self) -> tuple[FloorItem, ...]:
        """Every baseline of every source, the longest first."""
        first: dict[str, int] = {}
        for index, arm in enumerate(self.arms):
            first.setdefault(arm.source, index)
        return tuple(
            FloorItem(arm=index, name=name)
            for name in reversed(FLOORS)
            for index in first.values()
        )


def plan_study(study: Study, cache: Path | None = None) -> PlannedStudy:
    """Check everything that can fail before anything trains or is written.

    Raises:
        WorkbenchError: A source, name, column or setting does not work, or a row from
            after the prediction time is within reach of some arm.
    """
    arms: list[PlannedArm] = []
    plans: dict[str, Mapping[str, Any]] = {}
    leaks: list[str] = []
    assumed: list[str] = []
    fingerprints: dict[str, str] = {}
    with ExitStack() as stack:
        opened = {
            source: stack.enter_context(connect(source, cache=cache))
            for source in study.sources
        }
        labels = _labels(opened)
        for source, given in opened.items():
            members = [arm for arm in study.arms if arm.source == source]
            schema, spec = _ask(given, study, members)
            root = cache_directory() if cache is None else cache
            whole, notes = given, ()
            if not given.has_rows:
                made = assume_rows(schema, spec, root)
                whole = stack.enter_context(connect(made.path, cache=cache))
                schema, spec = infer_schema(whole, made.hints), made.spec
                notes = (made.note,)
                assumed.append(labels[source])
            drawn = draw_rows(whole, schema, spec.table, study.max_rows, root)
            database = stack.enter_context(drawn.database)
            schema, task = drawn.schema, define_task(database, drawn.schema, spec)
            planned = [
                _plan_arm(database, schema, task, labels[source], arm)
                for arm in members
            ]
            surveys = [survey(database, schema, task, arm.blueprint) for arm in planned]
            surveys = [replace(s, warnings=(*notes, *s.warnings)) for s in surveys]
            for arm in planned:
                _audit(database, arm, max(study.depths))
            arms += planned
            plans[labels[source]] = {
                **plan_to_json(task, surveys),
                "source": {
                    "address": without_password(given.source),
                    "fingerprint": given.fingerprint,
                    "notes": [*notes, *drawn.notes, *_notes(drawn.schema, task)],
                },
            }
            leaks += [
                f"{leak.column} alone scores {leak.score:.3f} ({leak.metric}) on the"
                f" validation rows of {labels[source]}"
                for leak in suspected_leaks(database, schema, task)
            ]
            fingerprints[labels[source]] = database.fingerprint
    order = {arm: index for index, arm in enumerate(study.arms)}
    keyed = zip(
        [arm for source in study.sources for arm in study.arms if arm.source == source],
        arms,
        strict=True,
    )
    ordered = [planned for _, planned in sorted(keyed, key=lambda pair: order[pair[0]])]
    _check_arms(ordered)
    return PlannedStudy(
        study=study,
        arms=tuple(ordered),
        plans=plans,
        leaks=tuple(leaks),
        future_rows=0,
        fingerprints=fingerprints,
        assumed=tuple(assumed),
    )


def estimate_seconds(planned: PlannedStudy, jobs: int | None = None) -> float:
    """Return roughly how long a study takes, to a factor of three either way.

    A layer costs a fixed time and a time per node and link in every epoch, as measured
    on one core of a two-core server; runs stop early at two thirds of their epochs.
    Pruning, baselines and faster machines are left to the estimate's width.
    """
    sizes = {
        (source, graph["name"]): sum(graph["nodes"].values())
        + sum(edge["count"] for edge in graph["edges"])
        for source, document in planned.plans.items()
        for graph in document["topologies"]
    }
    epochs = planned.study.budget.epochs * 2 / 3
    total = 0.0
    for cell in planned.cells:
        arm = planned.arms[cell.arm]
        layer = LAYER_S + LINK_S * sizes[arm.source, arm.topology]
        total += CELL_S + epochs * (EPOCH_S + cell.depth * layer)
    return total / (jobs or default_jobs())


def run_study(
    study: Study,
    out: Path,
    on_progress: OnProgress = lambda progress: None,
    *,
    jobs: int | None = None,
    should_stop: Callable[[], bool] = lambda: False,
    cache: Path | None = None,
) -> Comparison:
    """Run a study into a results folder; finished items are not run again.

    Args:
        study: What to run.
        out: The results folder, made where missing.
        on_progress: Called with the state, at most a few times a second.
        jobs: Number of worker processes; by default one a core.
        should_stop: Asked now and then; True cancels what is left.
        cache: Where snapshots are kept; the user's cache by default.

    Returns:
        The comparison of everything that has finished.

    Raises:
        WorkbenchError: Something a user can put right; nothing was trained.
        KeyboardInterrupt: The run was interrupted; what had finished is kept and
            compared.
    """
    if jobs is not None and jobs < 1:
        raise StudyError(f'The number of jobs is "{jobs}"; 1 or more work.')
    planned = plan_study(study, cache)
    if planned.assumed:
        raise StudyError(
            f'The source "{planned.assumed[0]}" has no rows to learn from. Give rows,'
            ' or plant a signal in made-up ones: "workbench plant SOURCE --target TABLE'
            ' --signal TABLE.COLUMN --out FILE.sqlite".'
        )
    with Store(out) as store:
        session = _Session(planned, store, jobs or default_jobs(), on_progress)
        session.write_study(out)
        workload = Workload(
            arms=planned.arms,
            budget=study.budget,
            projected_seed=0,
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
        jobs: int,
        on_progress: OnProgress,
    ) -> None:
        self.planned = planned
        self.store = store
        self.jobs = jobs
        self.on_progress = on_progress
        self.keys = {item: _key(planned, item) for item in planned.cells}
        self.floor_keys = {item: _key(planned, item) for item in planned.floor_items}
        self.tracker = Tracker(
            store.folder,
            planned.arms,
            planned.cells,
            planned.study.budget.epochs,
            jobs,
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
        finished = self.store.records()
        for cell, key in self.keys.items():
            if key in finished:
                trial = Trial(**finished[key])
                self.tracker.finish(cell, trial.status, trial.val, trial.reason)
        cells = [cell for cell, key in self.keys.items() if key not in finished]
        floor_items = [
            item for item, key in self.floor_keys.items() if key not in finished
        ]
        self.tracker.expect_floors(len(floor_items))
        self._tell(force=True)
        # Baselines first: one of them can take longer than any cell.
        items: list[Cell | FloorItem] = [*floor_items, *cells]
        done = 0
        for event in run_items(workload, items, self.jobs, should_stop):
            done += self._handle(event)
            self._tell()
        return done < len(items)

    def _handle(self, event: Started | Advanced | Finished | Crashed | None) -> int:
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
            case Crashed(item=FloorItem(), reason=reason):
                raise RuntimeError(f"a baseline failed: {reason}")
            case _:
                pass
        return 0

    def _keep(self, cell: Cell, result: CellResult) -> None:
        trial = result.trial
        frames = {
            "layers": result.layers,
            "predictions": result.predictions,
            "projection": result.projection,
            "influence": result.influence,
        }
        self.store.save(self.keys[cell], "trial", asdict(trial), frames)
        self.tracker.finish(cell, trial.status, trial.val, trial.reason)

    def _tell(self, force: bool = False) -> None:
        self.tracker.save(force)
        self.on_progress(self.tracker.progress())

    def conclude(self, out: Path, cancelled: bool) -> Comparison:
        """Compare what has finished, write every file, and say so."""
        self.tracker.enter("comparing")
        self._tell(force=True)
        records = self.store.records()
        trials = [
            Trial(**records[key])
            if key in records
            else blank_trial(
                self.planned.arms[cell.arm], cell, "cancelled", "The run was stopped."
            )
            for cell, key in self.keys.items()
        ]
        floors = [
            Floor(**records[key])
            for key in reversed(self.floor_keys.values())
            if key in records
        ]
        floors += _ceilings(self.planned.arms)
        task = self.planned.arms[0].task
        comparison = compare(
            trials,
            floors,
            task_name=task.spec.name or task.spec.target,
            metric=task.metric,
            future_rows=self.planned.future_rows,
            leaks=self.planned.leaks,
        )
        keys = list(self.keys.values())
        write_results(
            out,
            trials=trials,
            layers=self.store.frame("layers", keys),
            predictions=self.store.frame("predictions", keys),
            projection=self.store.frame("projection", keys),
            influence=self.store.frame("influence", keys),
            comparison=comparison,
            plans=dict(self.planned.plans),
        )
        write_report(out)
        self.tracker.enter("cancelled" if cancelled else "done")
        self._tell(force=True)
        return comparison


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


def _ask(
    database: Database, study: Study, members: Sequence[Arm]
) -> tuple[Schema, TaskSpec]:
    hints = {arm.hints for arm in members}
    if len(hints) > 1:
        raise StudyError(
            f'The source "{database.source}" is given two hint files; one per source'
            " works."
        )
    chosen = hints.pop()
    schema = infer_schema(database, read_hints(Path(chosen)) if chosen else None)
    return schema, resolve_task(schema, study.task, study.metric)


def resolve_task(schema: Schema, task: TaskSpec | str, metric: str | None) -> TaskSpec:
    """Return what to predict, with the study's metric where it names one."""
    spec = schema.ready_task(task) if isinstance(task, str) else task
    if metric is None or metric == spec.metric:
        return spec
    return replace(spec, metric=metric, optimal=None)  # it is of the other metric


def _plan_arm(
    database: Database, schema: Schema, task: Task, label: str, arm: Arm
) -> PlannedArm:
    blueprint = plan_named(schema, task.spec, arm.topology)
    return PlannedArm(
        source=label,
        snapshot=database.path,
        topology=blueprint.name,
        schema=schema,
        task=task,
        blueprint=blueprint,
    )


def _notes(schema: Schema, task: Task) -> Iterator[str]:
    """Yield what a reader of the results has to know of the database."""
    found = [key for key in schema.foreign_keys if key.origin is KeyOrigin.INFERRED]
    if found:
        yield (
            f"{len(found)} of the {len(schema.foreign_keys)} keys are not declared but"
            " were found in the rows. A hint file confirms or rejects each."
        )
    timed = [table.name for table in schema.tables if table.time_column]
    if not set(timed) - {task.spec.table}:
        yield (
            "No other table has a confirmed time column, so the search for rows from"
            " the future had nothing to look at."
        )


def _audit(database: Database, arm: PlannedArm, depth: int) -> None:
    found = future_rows(database, arm.schema, arm.task, arm.blueprint, depth)
    if found.count:
        raise TaskError(
            f'The graph "{arm.topology}" lets rows of "{arm.task.spec.table}" see'
            f" {found.count} rows from after their own time, by way of {found.path}."
            " Drop that key or table in a topology file, or lower the depth."
        )


def _labels(opened: Mapping[str, Database]) -> dict[str, str]:
    """Return what each source is called: its name, or what was typed when two agree."""
    names = [database.name for database in opened.values()]
    return {
        source: database.name
        if names.count(database.name) == 1
        else without_password(source)
        for source, database in opened.items()
    }


def _check_arms(arms: Sequence[PlannedArm]) -> None:
    """Refuse arms that results could not tell apart or compare."""
    names = [(arm.source, arm.topology) for arm in arms]
    if len(set(names)) < len(names):
        raise StudyError("Two arms have the same source and topology name; rename one.")
    kinds = {(arm.task.metric, arm.task.task_type) for arm in arms}
    if len(kinds) > 1:
        raise StudyError(
            "The sources give different kinds of task or metric; choose the same"
            " target and metric for all of them."
        )


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
                "budget": asdict(planned.study.budget),
            }
        case FloorItem():
            content["floor"] = [item.name, _schema_content(arm.schema)]
    text = json.dumps(content, sort_keys=True)
    return hashlib.sha256(text.encode()).hexdigest()


def _schema_content(schema: Schema) -> list[Any]:
    """Return what the baselines read of a schema: semantic types and keys."""
    stypes = [
        [table.name, column.name, column.stype]
        for table in schema.tables
        for column in table.columns
    ]
    return [stypes, [key.id for key in schema.foreign_keys]]


def _localise(arm: Arm, out: Path) -> Arm:
    """Copy an arm's files beside the results and refer to them from there."""
    topology, hints = arm.topology, arm.hints
    if topology.endswith(".toml"):
        topology = _copy(Path(topology), out, "topologies")
    if hints is not None:
        hints = _copy(Path(hints), out, "hints")
    return replace(arm, topology=topology, hints=hints)


def _copy(file: Path, out: Path, folder: str) -> str:
    target = out / folder / file.name
    target.parent.mkdir(exist_ok=True)
    if file.resolve() != target.resolve():
        shutil.copyfile(file, target)
    return f"{folder}/{file.name}"
