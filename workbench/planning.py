"""Planning a study: everything that can fail is tried before anything trains."""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from workbench.baseline import FLOORS, floor_names
from workbench.cell import (
    Cell,
    FloorItem,
    PlannedArm,
)
from workbench.closure import draw_rows
from workbench.database import (
    Database,
    cache_directory,
    connect,
    without_password,
)
from workbench.errors import StudyError, TaskError
from workbench.feed import Batching
from workbench.member import check_fit
from workbench.models import MODELS
from workbench.planting.assume import assume_rows
from workbench.recognise import KEPT_BY, find_graph
from workbench.results import notes_of
from workbench.sampling import Choice
from workbench.schema import KeyOrigin, Schema, infer_schema, read_hints
from workbench.seeds import with_seeds
from workbench.study import Arm, Study
from workbench.survey import plan_to_json, survey
from workbench.task import Task, TaskSpec, define_task, suspected_leaks
from workbench.timing import Timed, Timing, open_timed, settle_timing, time_notes
from workbench.topologies import plan_named


@dataclass(frozen=True, slots=True)
class PlannedStudy:
    """A study whose every arm is checked, surveyed and audited.

    Attributes:
        study: What was asked.
        arms: One per arm of the study, in its order.
        plans: The ``plan --json`` document of every source, by its label.
        leaks: One sentence per column that predicts the target nearly alone.
        future_rows: Rows newer than the moment of the row that sees them, counted on
            what is trained on; always 0.
        fingerprints: The content hash of every source, by its label.
        assumed: The sources that have no rows, by label: planned, never trained on.
        batching: How rows are fed in batches, once that is settled; None for all rows
            at once.
    """

    study: Study
    arms: tuple[PlannedArm, ...]
    plans: Mapping[str, Mapping[str, Any]]
    leaks: tuple[str, ...]
    future_rows: int
    fingerprints: Mapping[str, str]
    assumed: tuple[str, ...] = ()
    batching: Batching | None = None

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
    def reference(self) -> Cell:
        """The first arm's and network's shallowest cell that passes messages."""
        study = self.study
        deep = [depth for depth in study.depths if depth] or list(study.depths)
        return Cell(0, study.models[0], study.remedies[0], min(deep), 0)

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
            if name in floor_names(self.arms[index].schema, self.arms[index].task.spec)
        )


def plan_study(study: Study, cache: Path | None = None) -> PlannedStudy:
    """Check everything that can fail before anything trains or is written.

    Raises:
        WorkbenchError: A source, name, column or setting does not work, or a row from
            after the prediction time is within reach of some arm.
    """
    root = cache_directory() if cache is None else cache
    with ExitStack() as stack:
        opened = {
            source: stack.enter_context(connect(source, cache=cache))
            for source in study.sources
        }
        labels = _labels(opened)
        planned = [
            _plan_source(study, source, labels[source], database, root)
            for source, database in opened.items()
        ]
    arms = {arm: made for each in planned for arm, made in each.arms.items()}
    _check_arms(tuple(arms[arm] for arm in study.arms))
    timed = {arm: one for each in planned for arm, one in each.timed.items()}
    _check_fan_out(study, timed)
    settled = settle_timing(
        list(timed.values()), fan_out=study.fan_out, choice=Choice(study.neighbours)
    )
    timings = dict(zip(timed, settled, strict=True))
    for arm, timing in timings.items():
        _check_time(arms[arm], timing)
        arms[arm] = replace(arms[arm], unfolding=timing.unfolding)
    ordered = tuple(arms[arm] for arm in study.arms)
    _check_models(study, ordered)
    return PlannedStudy(
        study=study,
        arms=ordered,
        plans={each.label: _with_timing(each, timings) for each in planned},
        leaks=tuple(leak for each in planned for leak in each.leaks),
        future_rows=sum(one.found.count for one in timings.values()),
        fingerprints={each.label: each.fingerprint for each in planned},
        assumed=tuple(each.label for each in planned if each.is_assumed),
    )


def with_rows(
    database: Database, schema: Schema, spec: TaskSpec, cache: Path
) -> tuple[Database, Schema, TaskSpec, tuple[str, ...]]:
    """Return a database that holds the rows that are asked about.

    It is the same one, or one with the table that a forecast predicts, or assumed rows
    for a schema that has none.

    Returns:
        The database, its schema, what is asked of it, and what is said of its rows.

    Raises:
        WorkbenchError: The forecast, or the schema, does not allow such rows.
    """
    if spec.forecast is not None:
        return with_seeds(database, schema, spec, cache)
    if database.has_rows:
        return database, schema, spec, ()
    made = assume_rows(schema, spec, cache)
    whole = connect(made.path, cache=cache)
    return whole, infer_schema(whole, made.hints), made.spec, (made.note,)


def resolve_task(schema: Schema, task: TaskSpec | str, metric: str | None) -> TaskSpec:
    """Return what to predict, with the study's metric where it names one."""
    spec = schema.ready_task(task) if isinstance(task, str) else task
    if metric is None or metric == spec.metric:
        return spec
    return replace(spec, metric=metric, optimal=None)  # it is of the other metric


@dataclass(frozen=True, slots=True)
class _PlannedSource:
    """One source of a study, and its arms."""

    label: str
    arms: Mapping[Arm, PlannedArm]
    timed: Mapping[Arm, Timed]
    plan: Mapping[str, Any]
    leaks: tuple[str, ...]
    fingerprint: str
    is_assumed: bool


def _plan_source(
    study: Study, source: str, label: str, given: Database, root: Path
) -> _PlannedSource:
    members = [arm for arm in study.arms if arm.source == source]
    schema, spec = _ask(given, study, members)
    with ExitStack() as stack:
        whole, schema, spec, notes = with_rows(given, schema, spec, root)
        stack.callback(whole.close)
        drawn = draw_rows(whole, schema, spec.table, study.max_rows, root)
        database = stack.enter_context(drawn.database)
        schema, task = drawn.schema, define_task(database, drawn.schema, spec)
        arms = {arm: _plan_arm(database, schema, task, label, arm) for arm in members}
        surveys = [
            survey(database, schema, task, arm.blueprint) for arm in arms.values()
        ]
        depth = max(study.depths)
        timed = {
            arm: found
            for arm, made in arms.items()
            if (found := open_timed(database, schema, task, made.blueprint, depth))
        }
        leaks = suspected_leaks(database, schema, task)
        fingerprint = database.fingerprint
    told = [replace(one, warnings=(*notes, *one.warnings)) for one in surveys]
    return _PlannedSource(
        label=label,
        arms=arms,
        timed=timed,
        plan={
            **plan_to_json(task, told),
            "source": {
                "address": without_password(given.source),
                "fingerprint": given.fingerprint,
                "notes": [*notes, *drawn.notes, *_notes(schema, task)],
            },
        },
        leaks=tuple(
            f"{leak.column} alone scores {leak.score:.3f} ({leak.metric}) on the"
            f" validation rows of {label}"
            for leak in leaks
        ),
        fingerprint=fingerprint,
        is_assumed=not given.has_rows,
    )


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
    native = find_graph(schema)
    if native is not None:
        yield f'{native.sentence} "{KEPT_BY}" keeps it as it is.'
    found = [key for key in schema.foreign_keys if key.origin is KeyOrigin.INFERRED]
    if found:
        yield (
            f"{len(found)} of the {len(schema.foreign_keys)} keys are not declared but"
            " were found in the rows. A hint file confirms or rejects each."
        )
    timed = {table.name for table in schema.tables if table.time_column}
    if task.times is None:
        yield (
            f'"{task.spec.table}" has no confirmed time column, so nothing says what'
            " was known when, and rows from the future cannot be told."
        )
    elif timed == {task.spec.table}:
        yield (
            "No other table has a confirmed time column, so only rows of"
            f' "{task.spec.table}" can be recognised as later than another.'
        )


def _check_fan_out(study: Study, timed: Mapping[Arm, Timed]) -> None:
    """Refuse a fan-out where no graph is unfolded, so that it would do nothing."""
    if study.fan_out is not None and len(timed) < len(study.arms):
        raise StudyError(
            f'The fan-out is "{study.fan_out}", but rows are not predicted at moments'
            " of their own, so every graph is seen whole; leave it out, or confirm a"
            " time column of the table that is predicted."
        )


def _check_time(arm: PlannedArm, timing: Timing) -> None:
    if timing.found.count:
        raise TaskError(
            f'The graph "{arm.topology}" lets rows of "{arm.task.spec.table}" see'
            f" {timing.found.count} rows from after their own time, by way of"
            f" {timing.found.path}. Drop that key or table in a topology file, or lower"
            " the depth."
        )


def _with_timing(
    planned: _PlannedSource, timings: Mapping[Arm, Timing]
) -> dict[str, Any]:
    """Return a source's plan with what time does to each of its graphs."""
    found = {arm: timings[arm] for arm in planned.arms if arm in timings}
    by_name = {planned.arms[arm].topology: one for arm, one in found.items()}
    plan = dict(planned.plan)
    plan["topologies"] = [
        {**one, "time": by_name[one["name"]].to_json()}
        if one["name"] in by_name
        else one
        for one in plan["topologies"]
    ]
    notes = [*plan["source"]["notes"], *time_notes(list(found.values()))]
    return {**plan, "source": {**plan["source"], "notes": notes}}


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


def _check_models(study: Study, arms: Sequence[PlannedArm]) -> None:
    """Refuse networks that do not work on some arm's graph."""
    for arm in arms:
        ends = [(edge.source, edge.target) for edge in arm.blueprint.edges]
        for name in study.models:
            check_fit(MODELS[name], arm.blueprint.target, ends)
