"""What is handed over: rows, a graph of them, and the network that won on it."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path

import pandas as pd

from workbench.blueprint import Blueprint
from workbench.database import connect
from workbench.errors import StudyError, unknown
from workbench.instances import Unfolding
from workbench.planning import plan_study
from workbench.results import CELL_COLUMNS, Results, load_results
from workbench.run import Budget
from workbench.schema import Schema, infer_schema, read_hints
from workbench.score import METRICS
from workbench.sketch import Asked, ask
from workbench.study import read_study
from workbench.task import Task, TaskSpec
from workbench.topologies import plan_named

FINISHED = "comparison.json"


@dataclass(frozen=True, slots=True)
class Winner:
    """A network that was trained, and what it scored.

    Attributes:
        model: Its name in `MODELS`.
        remedy: Its name in `REMEDIES`.
        depth: Number of layers.
        budget: What it was trained with; its width is the one that it had.
        tests: Test score by seed.
        low: Lower end of the interval of its mean over seeds; None without one.
        high: Upper end.
        batch_rows: Most rows that it was trained on at once; 0 for all.
        study: The study that it comes from: ``study.toml`` and the files that it
            refers to, by their names beside it.
    """

    model: str
    remedy: str
    depth: int
    budget: Budget
    tests: Mapping[int, float]
    low: float | None
    high: float | None
    batch_rows: int
    study: Mapping[str, bytes]

    @property
    def title(self) -> str:
        """What it is called, such as "sage, 2 layers"."""
        remedy = "" if self.remedy == "none" else f" with {self.remedy}"
        layers = "1 layer" if self.depth == 1 else f"{self.depth} layers"
        return f"{self.model}{remedy}, {layers}"


@dataclass(frozen=True, slots=True)
class Graphed:
    """A graph over the rows, and who won on it.

    Attributes:
        task: What is predicted, and how rows are split.
        blueprint: The graph.
        unfolding: How it is unfolded over time; None where it is seen whole.
        winner: The network trained on it; None before a study.
    """

    task: Task
    blueprint: Blueprint
    unfolding: Unfolding | None = None
    winner: Winner | None = None


@dataclass(frozen=True, slots=True)
class Handover:
    """Rows, and a graph of them where one was chosen.

    Attributes:
        name: What the database is called.
        snapshot: The file that holds the rows.
        schema: What they mean.
        graphed: The graph; None where nothing was asked.
    """

    name: str
    snapshot: Path
    schema: Schema
    graphed: Graphed | None = None

    def graph(self) -> Graphed:
        """Return the graph.

        Raises:
            StudyError: None was chosen.
        """
        if self.graphed is None:
            raise StudyError(
                "This format writes a graph: say what is predicted with --task or"
                " --target (and --topology), or name the folder of a finished study."
            )
        return self.graphed

    def winner(self) -> Winner:
        """Return the network that was trained on the graph.

        Raises:
            StudyError: None was.
        """
        winner = self.graph().winner
        if winner is None:
            raise StudyError(
                "This format trains a network again: name the folder of a finished"
                " study."
            )
        return winner


@dataclass(frozen=True, slots=True)
class Choice:
    """Which cells of a study may win; None and empty for any."""

    source: str | None = None
    topology: str | None = None
    model: str | None = None
    remedy: str | None = None
    depth: int | None = None


def hand_over(
    source: str,
    task: TaskSpec | str | None = None,
    choice: Choice | None = None,
    hints: str | None = None,
) -> Handover:
    """Return what a source has to hand over.

    Args:
        source: What `connect` opens, or the folder of a finished study.
        task: What is predicted; None for the rows alone, and for a study.
        choice: Which graph, and which cells of a study may win.
        hints: A hint file.

    Raises:
        WorkbenchError: Something of it does not work.
    """
    asked = choice or Choice()
    if (Path(source) / FINISHED).is_file():
        if task is not None or hints is not None:
            raise StudyError(
                "A finished study has its own question and hints; leave out --task,"
                " --target and --hints."
            )
        return hand_over_study(Path(source), asked)
    given = [
        name
        for name in ("source", "model", "remedy", "depth")
        if getattr(asked, name) is not None
    ]
    if given:
        raise StudyError(
            f'"--{given[0]}" chooses among what a study has trained; name the folder of'
            " a finished study, or leave it out."
        )
    if task is None:
        return hand_over_rows(source, hints)
    return hand_over_graph(source, task, asked.topology or "row2node", hints)


def hand_over_rows(source: str, hints: str | None = None) -> Handover:
    """Return the rows of a source alone, before anything is asked of them."""
    with connect(source) as database:
        chosen = None if hints is None else read_hints(Path(hints))
        schema = infer_schema(database, chosen)
        return Handover(database.name, database.path, schema)


def hand_over_graph(
    source: str, task: TaskSpec | str, topology: str, hints: str | None = None
) -> Handover:
    """Return a graph over the rows of a source, which nothing was trained on.

    Raises:
        WorkbenchError: The source, the question or the topology does not work.
    """
    asked = ask(source, task, hints)
    return hand_over_sketch(asked, plan_named(asked.schema, asked.task.spec, topology))


def hand_over_sketch(asked: Asked, blueprint: Blueprint) -> Handover:
    """Return a graph that was looked at and not trained on."""
    return Handover(
        name=asked.schema.name,
        snapshot=asked.snapshot,
        schema=asked.schema,
        graphed=Graphed(asked.task, blueprint),
    )


def hand_over_study(folder: Path, choice: Choice | None = None) -> Handover:
    """Return the graph and the network that won a finished study.

    The winner is the cell with the best mean score on the validation rows; test rows
    have no say.

    Args:
        folder: A results folder.
        choice: Which cells may win; all by default.

    Raises:
        WorkbenchError: The study did not finish, names a source that is gone or has
            changed, or has no such cell.
    """
    results = load_results(folder)
    cell = best_cell(results, choice or Choice())
    study = read_study(folder / "study.toml")
    planned = plan_study(study)
    arm = next(
        (
            one
            for one in planned.arms
            if (one.source, one.topology) == (cell["source"], cell["topology"])
        ),
        None,
    )
    if arm is None:
        raise StudyError(
            f'The study does not make the graph "{cell["topology"]}" of'
            f' "{cell["source"]}" any more; run it again.'
        )
    _check_rows(results, planned.plans, str(cell["source"]))
    winner = _winner(results, cell, study.budget)
    return Handover(
        name=arm.source,
        snapshot=arm.snapshot,
        schema=arm.schema,
        graphed=Graphed(arm.task, arm.blueprint, arm.unfolding, winner),
    )


def best_cell(results: Results, choice: Choice) -> dict[str, object]:
    """Return the names of the cell that validates best, the shallowest of equals."""
    trials = results.trials[results.trials["status"] == "ok"]
    for name in CELL_COLUMNS:
        wanted = getattr(choice, name)
        if wanted is None:
            continue
        known = [str(one) for one in trials[name].unique()]
        if str(wanted) not in known:
            raise StudyError(unknown(f"finished cell of {name}", str(wanted), known))
        trials = trials[trials[name] == wanted]
    means = trials.groupby(list(CELL_COLUMNS), sort=False)["val"].mean().dropna()
    if means.empty:
        raise StudyError(
            "No cell of the study has a score, so there is no network to hand over."
        )
    ordered = means.reset_index().sort_values("depth", kind="stable")
    better = METRICS[results.comparison["metric"]].higher_is_better
    place = ordered["val"].idxmax() if better else ordered["val"].idxmin()
    return ordered.loc[place, list(CELL_COLUMNS)].to_dict()


def _check_rows(
    results: Results, plans: Mapping[str, Mapping[str, object]], source: str
) -> None:
    """Refuse rows that are not those that were trained on."""

    def told(found: Mapping[str, Mapping[str, object]]) -> object:
        about = found.get(source, {}).get("source", {})
        return about.get("fingerprint") if isinstance(about, Mapping) else None

    before, now = told(results.plans), told(plans)
    if before is not None and before != now:
        raise StudyError(
            f'The rows of "{source}" are not those of the study any more, so its score'
            " cannot be reached again; run the study again."
        )


def _winner(results: Results, cell: Mapping[str, object], budget: Budget) -> Winner:
    trials = results.trials
    is_mine = pd.Series(True, index=trials.index)
    for name in CELL_COLUMNS:
        is_mine &= trials[name] == cell[name]
    mine = trials[is_mine & (trials["status"] == "ok")]
    width = int(mine["width"].iloc[0]) or budget.width
    record = next(
        one
        for one in results.comparison["cells"]
        if all(one[name] == cell[name] for name in CELL_COLUMNS)
    )
    tests = zip(mine["seed"].astype(int), mine["test"].astype(float), strict=True)
    return Winner(
        model=str(cell["model"]),
        remedy=str(cell["remedy"]),
        depth=int(str(cell["depth"])),
        budget=replace(budget, width=width, parameters=None),
        tests=dict(tests),
        low=record["low"],
        high=record["high"],
        batch_rows=int(mine["batch_rows"].iloc[0]) if "batch_rows" in mine else 0,
        study=_study_files(results.folder),
    )


def _study_files(folder: Path) -> dict[str, bytes]:
    """Return a study's file, and the hints and topologies that lie beside it."""
    paths = [folder / "study.toml", *sorted(folder.glob("*/*.toml"))]
    return {str(path.relative_to(folder)): path.read_bytes() for path in paths}
