"""A program that builds a graph and trains a network on it without the workbench.

Its text is the workbench's own standalone modules, cut down to what the network needs,
with the plan of the graph and the settings of the network as literals beneath.
"""

import csv
import io
import pprint
import shutil
from collections.abc import Mapping
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any

import numpy as np

from workbench.bundle import entry_of, gather, names_in
from workbench.database import reopen
from workbench.errors import StoreError, StudyError
from workbench.export import write_file
from workbench.handover import Graphed, Handover, Winner
from workbench.instances import Unfolding
from workbench.links import Links, link
from workbench.recipe import RUNTIME, script_plan
from workbench.run import Budget
from workbench.score import METRICS
from workbench.task import SEEN, TEST, TRAIN, VAL, Task, TaskType
from workbench.timeline import instances_of

HERE = Path(__file__).parent
FIELD = HERE / "standalone_field.py"
LAYERS = HERE / "standalone_parts.py"
NETWORK = HERE / "standalone_network.py"
TRAINING = HERE / "standalone_training.py"
SCORES = HERE / "score.py"
PARTS: Mapping[int, str] = {
    TRAIN: "train",
    VAL: "validation",
    TEST: "test",
    SEEN: "set aside",
}
SPENT = (
    *("epochs", "patience", "learning_rate", "weight_decay"),
    *("dropout", "input_dropout", "row_normalised", "width"),
)
# What these ask for is settled in what a cell tells of itself.
SETTLED = ("parameters", "batch_rows", "batch_fan_out")
TITLES = (
    "The graph, from SQL",
    "How predictions are scored",
    "Who sends to whom, layer by layer",
    "The parts of the network",
    "The network",
    "The training loop",
)


@dataclass(frozen=True, slots=True)
class Program:
    """A program in pieces, for a script or for the cells of a notebook.

    Attributes:
        about: What it is, in sentences.
        imports: Its imports.
        parts: A title and the code of each part.
        plan: The graph and the settings, as assignments.
        score: Name of the function that scores predictions.
        files: What lies beside it, by name.
    """

    about: str
    imports: str
    parts: tuple[tuple[str, str], ...]
    plan: str
    score: str
    files: Mapping[str, bytes]


def write_program(handover: Handover) -> Program:
    """Return the program that trains a finished study's network again.

    Raises:
        StudyError: There is no trained network, or it was trained in a way that the
            program does not know.
    """
    graphed, winner = handover.graph(), handover.winner()
    _check(winner)
    design = ", ".join(
        f"**{entry_of(LAYERS, family, name)}"
        for family, name in (("NETWORKS", winner.model), ("REMEDIES", winner.remedy))
    )
    score = METRICS[graphed.task.metric].score.__name__
    wanted = {"train_all", "load", "describe", "fit", "Design", "Path", score}
    bundle = gather(
        [RUNTIME, SCORES, FIELD, LAYERS, NETWORK, TRAINING],
        wanted | names_in(f"dict({design})"),
    )
    with reopen(handover.snapshot) as database:
        plan = script_plan(database, handover.schema, graphed.blueprint)
        files = {"task.csv": _task_csv(graphed.task)}
        if graphed.unfolding is not None:
            links = link(database, handover.schema, graphed.blueprint)
            files["instances.npz"] = _instances(links, graphed, graphed.unfolding)
    settings = _settings(graphed.task, winner, graphed.blueprint.target)
    settings["unfolded"] = graphed.unfolding is not None
    literal = "\n\n".join(
        (
            f"PLAN = {pprint.pformat(plan, width=88, sort_dicts=False)}",
            f"SETTINGS = {pprint.pformat(settings, width=88, sort_dicts=False)}",
            f"DESIGN = Design({design})",
        )
    )
    return Program(
        about=_about(handover, winner),
        imports=bundle.imports,
        parts=tuple(zip(TITLES, bundle.parts, strict=True)),
        plan=literal,
        score=score,
        files=files,
    )


def write_beside(program: Program, handover: Handover, folder: Path) -> None:
    """Write what a program reads: the rows, who is predicted, and the study.

    Raises:
        StoreError: The folder is full or cannot be written to.
    """
    try:
        shutil.copyfile(handover.snapshot, folder / "rows.duckdb")
    except OSError as error:
        raise StoreError(
            f'The rows cannot be written to "{folder}" ({error.strerror or error}).'
        ) from error
    for name, content in {**program.files, **handover.winner().study}.items():
        write_file(folder / name, content)


def _check(winner: Winner) -> None:
    """Refuse settings that change training and that the program does not know."""
    if winner.batch_rows:
        raise StudyError(
            "The network was trained in batches (mini-batches) of"
            f" {winner.batch_rows:,} rows, which a script in plain PyTorch does not do;"
            " a study that trains all rows at once can be handed over, and this one's"
            " graph can."
        )
    usual = Budget()
    others = [
        one.name
        for one in fields(Budget)
        if one.name not in (*SPENT, *SETTLED)
        and getattr(winner.budget, one.name) != getattr(usual, one.name)
    ]
    if others:
        raise StudyError(
            f'The network was trained with "{others[0]}", which a script in plain'
            " PyTorch does not do; a study without it can be handed over."
        )


def _about(handover: Handover, winner: Winner) -> str:
    interval = ""
    if winner.low is not None and winner.high is not None:
        interval = f", interval of the mean {winner.low:.3f} to {winner.high:.3f}"
    graphed = handover.graph()
    found = ", ".join(f"{score:.3f}" for score in winner.tests.values())
    return (
        f"Predicts {graphed.task.spec.target} of {handover.name} with the graph"
        f" {graphed.blueprint.name} and the network {winner.title}. It builds the graph"
        f" from the rows in rows.duckdb and trains once per seed; the study found"
        f" {graphed.task.metric} {found} on the test rows, by seed{interval}. It needs"
        " DuckDB, NumPy, pandas, SciPy, PyTorch and PyTorch Geometric, and scikit-learn"
        " where there is text."
    )


def _settings(task: Task, winner: Winner, target: str) -> dict[str, Any]:
    is_multiclass = task.task_type is TaskType.MULTICLASS
    return {
        "target": target,
        "model": winner.model,
        "remedy": winner.remedy,
        "depth": winner.depth,
        **{name: getattr(winner.budget, name) for name in SPENT},
        "outputs": len(task.classes) if is_multiclass else 1,
        "kind": str(task.task_type),
        "classes": list(task.classes),
        "metric": task.metric,
        "higher_is_better": METRICS[task.metric].higher_is_better,
        "seeds": list(winner.tests),
        "stored": dict(winner.tests),
    }


def _task_csv(task: Task) -> bytes:
    """Return the rows that are predicted, with their labels and their parts."""
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(["row", "key", "label", "part"])
    for row, key, label, part in zip(
        task.rows.tolist(),
        task.keys,
        task.labels.tolist(),
        task.split.tolist(),
        strict=True,
    ):
        writer.writerow([row, key, repr(label), PARTS[part]])
    return text.getvalue().encode()


def _instances(links: Links, graphed: Graphed, unfolding: Unfolding) -> bytes:
    """Return which row each node shows at its moment, and the links between them."""
    task = graphed.task
    if task.times is None:
        raise ValueError("a task without moments is not unfolded")
    seeds = graphed.blueprint.target, task.rows, task.times
    found = instances_of(links, seeds, unfolding)
    arrays: dict[str, np.ndarray] = {}
    for at, name in enumerate(found.rows):
        arrays[f"rows{at}"] = found.rows[name].astype(np.int64)
        arrays[f"degree{at}"] = found.degrees[name]
    for at, tied in enumerate(found.ties):
        arrays |= {f"up{at}": tied.up, f"down{at}": tied.down}
        for part in ("links", "sources", "targets"):
            arrays[f"{part}{at}"] = getattr(tied, part).astype(np.int64)
    content = io.BytesIO()
    np.savez_compressed(content, allow_pickle=False, **arrays)
    return content.getvalue()
