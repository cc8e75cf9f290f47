"""The command line: parse, one call into the core, show.

Exit code 0; 2 with one sentence on stderr for anything a user can put right; 130 after
Ctrl-C, with finished cells kept; 1 is a bug.
"""

import json
import os
import sys
import time
from collections.abc import Mapping
from datetime import datetime
from pathlib import Path
from typing import Annotated, Any

import typer
from typer.exceptions import TyperException

from workbench.errors import StoreError, StudyError, WorkbenchError
from workbench.resources import lasting_cache

INTERRUPTED = 130

app = typer.Typer(
    name="workbench",
    help="Shows what the choice of graph does to a graph neural network.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
)

Sources = Annotated[
    list[str],
    typer.Argument(
        metavar="SOURCE...",
        help="A database file, a folder or archive of CSV or Parquet, a workbook, .sql"
        " or .dbml files, a SQLAlchemy URL, or sample:NAME. Several .sql files are one"
        " source.",
    ),
]
DbSchemas = Annotated[
    list[str] | None,
    typer.Option("--db-schema", help="A schema of the server to read; repeat."),
]
Dialect = Annotated[
    str | None,
    typer.Option(
        help="The SQL dialect of scripts: postgresql, mysql, sqlite, tsql, oracle or"
        " portable; by default what they look like."
    ),
]
MaxRows = Annotated[
    int | None,
    typer.Option(help="Most rows that become a graph; of more a part is drawn."),
]
FanOut = Annotated[
    str,
    typer.Option(
        help="Most neighbours per key that a row hears where rows are predicted at"
        " moments of their own: a number, or auto for as many as fit."
    ),
]
Which = Annotated[
    str,
    typer.Option(
        help="Which neighbours, where there are more: latest, uniform or degree (the"
        " better connected more often)."
    ),
]
BatchRows = Annotated[
    str | None,
    typer.Option(
        help="Rows to predict that are trained at once: a number, full, or auto for all"
        " where they fit into memory."
    ),
]
BatchFanOut = Annotated[
    str | None,
    typer.Option(
        help="Most neighbours per key that a row hears in a batch: a number, all, or"
        " auto."
    ),
]
Hints = Annotated[
    Path | None,
    typer.Option(help="Hint file: types, time columns, keys, ready-made tasks."),
]
TaskName = Annotated[
    str | None, typer.Option("--task", help="A ready-made task of the hints.")
]
Target = Annotated[str | None, typer.Option(help="What to predict: TABLE.COLUMN.")]
Where = Annotated[
    str | None,
    typer.Option(
        help="Which rows: an expression over the target table, or over the later rows"
        " of a forecast."
    ),
]
Forecasting = Annotated[
    str | None,
    typer.Option(
        "--forecast",
        help="Predict what comes later: any, count, sum:COLUMN or mean:COLUMN.",
    ),
]
Events = Annotated[
    str | None, typer.Option("--of", help="The table of the later rows (forecast).")
]
Entity = Annotated[
    str | None,
    typer.Option("--for", help="The table of those it is asked for (forecast)."),
]
Within = Annotated[
    str | None,
    typer.Option(help="How far to look ahead: 12h, 30d, 8w or 1y (forecast)."),
]
By = Annotated[
    str | None,
    typer.Option(help="The key between the two, where there are several (forecast)."),
]
SeedTimes = Annotated[
    int | None, typer.Option(help="How many moments to ask at; 6 (forecast).")
]
Every = Annotated[
    str | None,
    typer.Option(help="How far the moments are apart; as --within (forecast)."),
]
Active = Annotated[
    bool,
    typer.Option("--active", help="Only who had such a row just before (forecast)."),
]
Until = Annotated[
    str | None,
    typer.Option(help="Where the last window ends; the last row's time (forecast)."),
]
Hide = Annotated[
    list[str] | None, typer.Option(help="Keep TABLE.COLUMN from the networks; repeat.")
]
Split = Annotated[
    str | None,
    typer.Option(
        help="random, time:C, group:C, column:C, composition:C,C, interpolation:C[,C],"
        " extrapolation:C[,C], leave:C or leave:C=VALUE|VALUE; C is a COLUMN, for the"
        " last four also the TABLE.COLUMN of a table that the row refers to."
    ),
]
SplitSeed = Annotated[int | None, typer.Option(help="The split's own seed.")]
Topologies = Annotated[
    list[str] | None,
    typer.Option("--topology", help="A topology's name or a topology file; repeat."),
]
AsJson = Annotated[bool, typer.Option("--json", help="Print JSON.")]
Out = Annotated[Path, typer.Option(help="The results folder.")]
Jobs = Annotated[
    int | None, typer.Option(help="Worker processes; by default one a core.")
]
Engine = Annotated[
    str,
    typer.Option(
        help="What trains: processes of this machine, ray for Ray on it, or"
        " ray:HOST:PORT (ray:auto from inside) for a Ray cluster."
    ),
]


@app.command("app")
def open_app(
    port: Annotated[int, typer.Option(help="The port to serve on.")] = 8501,
    headless: Annotated[bool, typer.Option(help="Open no browser.")] = False,
) -> None:
    """Open the workbench in the browser."""
    from workbench.ui.launch import serve

    serve(port=port, headless=headless)


@app.command("samples")
def samples(
    action: Annotated[
        str | None, typer.Argument(metavar="[build]", help="build, or nothing to list.")
    ] = None,
    name: Annotated[
        str | None, typer.Argument(metavar="[NAME]", help="The sample to build.")
    ] = None,
    all_: Annotated[bool, typer.Option("--all", help="Build every sample.")] = False,
) -> None:
    """List the sample databases, or build one or all."""
    from workbench.samples import SAMPLES, build_sample

    if action is None:
        for sample in SAMPLES.values():
            typer.echo(
                f"{sample.name:20} {sample.title} (tasks: {', '.join(sample.tasks)})"
            )
        return
    if action != "build" or (name is None) != all_:
        raise StudyError(
            'Write "samples", "samples build NAME" or "samples build --all".'
        )
    for each in SAMPLES if all_ else [str(name)]:
        typer.echo(f"{each}: {build_sample(each)}")


@app.command("inspect")
def inspect(
    sources: Sources,
    hints: Hints = None,
    db_schema: DbSchemas = None,
    dialect: Dialect = None,
    as_json: AsJson = False,
) -> None:
    """Show the tables, columns, types and keys of a database."""
    from workbench.database import connect
    from workbench.recognise import find_offer, offer_to_json
    from workbench.schema import infer_schema, read_hints, schema_to_json

    addresses = _addresses(sources, db_schema, dialect)
    if len(addresses) > 1:
        raise StudyError("inspect takes one database at a time.")
    with connect(addresses[0]) as database:
        chosen = None if hints is None else read_hints(hints)
        schema = infer_schema(database, chosen)
        offer = offer_to_json(find_offer(database, schema))
        document = {**schema_to_json(schema), "graph": offer}
    if as_json:
        typer.echo(json.dumps(document, indent=2))
    else:
        _show_schema(document)


@app.command("plan")
def plan(
    sources: Sources,
    task: TaskName = None,
    target: Target = None,
    forecast: Forecasting = None,
    of: Events = None,
    for_: Entity = None,
    within: Within = None,
    by: By = None,
    seed_times: SeedTimes = None,
    every: Every = None,
    active: Active = False,
    until: Until = None,
    where: Where = None,
    hide: Hide = None,
    split: Split = None,
    split_seed: SplitSeed = None,
    topology: Topologies = None,
    hints: Hints = None,
    db_schema: DbSchemas = None,
    dialect: Dialect = None,
    max_rows: MaxRows = None,
    preview: Annotated[
        bool,
        typer.Option("--preview", help="Score each hop too, with no network trained."),
    ] = False,
    as_json: AsJson = False,
) -> None:
    """Show what each graph would hold and reach, before anything trains."""
    from workbench.planning import plan_study
    from workbench.previewing import with_previews
    from workbench.study import MAX_ROWS, Study
    from workbench.topologies import TOPOLOGIES

    addresses = _addresses(sources, db_schema, dialect)
    study = Study(
        arms=_arms(addresses, topology or list(TOPOLOGIES), hints),
        task=_task(
            {"--task": task, "--target": target, "--forecast": forecast},
            {"--split": split, "--split-seed": split_seed},
            {
                "--of": of,
                "--for": for_,
                "--within": within,
                "--by": by,
                "--seed-times": seed_times,
                "--every": every,
                "--active": active or None,
                "--until": until,
            },
            {"--where": where, "--hide": hide or None},
        ),
        max_rows=MAX_ROWS if max_rows is None else max_rows,
    )
    planned = plan_study(study)
    plans = (with_previews(planned) if preview else planned).plans
    if as_json:
        one = next(iter(plans.values())) if len(plans) == 1 else plans
        typer.echo(json.dumps(one, indent=2))
    else:
        for source, document in plans.items():
            _show_plan(source, document)


@app.command("row")
def row(
    source: Annotated[
        str, typer.Argument(metavar="SOURCE", help="One database, as for plan.")
    ],
    table: Annotated[str, typer.Argument(metavar="TABLE", help="The row's table.")],
    key: Annotated[
        str,
        typer.Argument(
            metavar="KEY",
            help="Its primary key, parts joined by a comma and a space; the row's"
            " number, from 0, where the table has none.",
        ),
    ],
    task: TaskName = None,
    target: Target = None,
    forecast: Forecasting = None,
    of: Events = None,
    for_: Entity = None,
    within: Within = None,
    by: By = None,
    seed_times: SeedTimes = None,
    every: Every = None,
    active: Active = False,
    until: Until = None,
    where: Where = None,
    hide: Hide = None,
    split: Split = None,
    split_seed: SplitSeed = None,
    topology: Topologies = None,
    depth: Annotated[int, typer.Option(min=0, max=16, help="Number of hops.")] = 2,
    fan_out: FanOut = "auto",
    hints: Hints = None,
    db_schema: DbSchemas = None,
    dialect: Dialect = None,
    as_json: AsJson = False,
) -> None:
    """Show what one row hears in each graph, hop by hop, and what is kept from it."""
    from workbench.instances import Unfolding
    from workbench.neighbourhood import neighbourhood_to_json
    from workbench.sketch import ask, look_at_key
    from workbench.study import parse_fan_out
    from workbench.topologies import TOPOLOGIES

    (address,) = _addresses([source], db_schema, dialect)
    spec = _task(
        {"--task": task, "--target": target, "--forecast": forecast},
        {"--split": split, "--split-seed": split_seed},
        {
            "--of": of,
            "--for": for_,
            "--within": within,
            "--by": by,
            "--seed-times": seed_times,
            "--every": every,
            "--active": active or None,
            "--until": until,
        },
        {"--where": where, "--hide": hide or None},
    )
    unfolding = Unfolding(depth, parse_fan_out(fan_out))
    asked = ask(address, spec, None if hints is None else str(hints))
    names = topology or list(TOPOLOGIES)
    found = look_at_key(asked, names, table, key, unfolding)
    documents = {name: neighbourhood_to_json(one) for name, one in found.items()}
    if as_json:
        typer.echo(json.dumps(documents, indent=2))
    else:
        for name, document in documents.items():
            _show_row(name, document)


@app.command("compare")
def compare(
    sources: Sources,
    out: Out,
    topology: Topologies = None,
    task: TaskName = None,
    target: Target = None,
    forecast: Forecasting = None,
    of: Events = None,
    for_: Entity = None,
    within: Within = None,
    by: By = None,
    seed_times: SeedTimes = None,
    every: Every = None,
    active: Active = False,
    until: Until = None,
    where: Where = None,
    hide: Hide = None,
    split: Split = None,
    split_seed: SplitSeed = None,
    depth: Annotated[str, typer.Option(help="0-6, 0,1,2,4,8 or both.")] = "0-3",
    seeds: Annotated[int, typer.Option(help="Seeds per cell.")] = 6,
    model: Annotated[list[str] | None, typer.Option(help="A network; repeat.")] = None,
    remedy: Annotated[
        list[str] | None, typer.Option(help="A remedy against collapse; repeat.")
    ] = None,
    metric: Annotated[str | None, typer.Option(help="The score.")] = None,
    protocol: Annotated[
        str, typer.Option(help="The budget to start from: usual or citation.")
    ] = "usual",
    epochs: Annotated[int | None, typer.Option(help="Most epochs of a run.")] = None,
    width: Annotated[int | None, typer.Option(help="Channels of a state.")] = None,
    parameters: Annotated[
        str | None,
        typer.Option(
            help="Most trained numbers of every network, whose width then follows; or"
            ' "same", for as many as the smallest network has.'
        ),
    ] = None,
    dropout: Annotated[
        float | None, typer.Option(help="Share of channels dropped in training.")
    ] = None,
    row_normalised: Annotated[
        bool | None,
        typer.Option(
            "--row-normalised/--no-row-normalised",
            help="Let what a row lists, such as its words, add up to 1.",
        ),
    ] = None,
    hints: Hints = None,
    db_schema: DbSchemas = None,
    dialect: Dialect = None,
    max_rows: MaxRows = None,
    fan_out: FanOut = "auto",
    neighbours: Which = "latest",
    batch_rows: BatchRows = None,
    batch_fan_out: BatchFanOut = None,
    jobs: Jobs = None,
    engine: Engine = "processes",
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Check everything, train nothing.")
    ] = False,
    answer_within: Annotated[
        str | None,
        typer.Option(
            help="Give up seeds, rows and depths until it takes no longer: 90s, 5m, 2h."
        ),
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Train every network at every depth on every graph, and compare."""
    from workbench.planning import plan_study
    from workbench.protocols import make_budget
    from workbench.study import MAX_ROWS, Study, parse_depths, parse_fan_out

    settings = {
        "epochs": epochs,
        "width": width,
        "parameters": parameters,
        "dropout": dropout,
        "row_normalised": row_normalised,
        "batch_rows": batch_rows,
        "batch_fan_out": batch_fan_out,
    }
    study = Study(
        arms=_arms(
            _addresses(sources, db_schema, dialect),
            topology or ["row2node", "flattened"],
            hints,
        ),
        task=_task(
            {"--task": task, "--target": target, "--forecast": forecast},
            {"--split": split, "--split-seed": split_seed},
            {
                "--of": of,
                "--for": for_,
                "--within": within,
                "--by": by,
                "--seed-times": seed_times,
                "--every": every,
                "--active": active or None,
                "--until": until,
            },
            {"--where": where, "--hide": hide or None},
        ),
        models=tuple(model or ("sage",)),
        remedies=tuple(remedy or ("none",)),
        depths=parse_depths(depth),
        seeds=seeds,
        metric=metric,
        budget=make_budget(protocol, settings),
        max_rows=MAX_ROWS if max_rows is None else max_rows,
        fan_out=parse_fan_out(fan_out),
        neighbours=neighbours,
    )
    if answer_within is not None:
        study = _trimmed(study, answer_within, jobs)
    if dry_run:
        _show_costs(plan_study(study), jobs)
    else:
        _run(study, out, jobs, engine, as_json)


@app.command("run")
def run(
    study: Annotated[Path, typer.Argument(metavar="STUDY.toml", help="A study file.")],
    out: Out,
    jobs: Jobs = None,
    engine: Engine = "processes",
    as_json: AsJson = False,
) -> None:
    """Run a study file; finished cells are not run again."""
    from workbench.study import read_study

    _run(read_study(study), out, jobs, engine, as_json)


@app.command("studies")
def studies(
    folder: Annotated[
        Path | None,
        typer.Argument(
            metavar="[DIR]",
            help="A folder of results folders; by default where the app keeps them.",
        ),
    ] = None,
    find: Annotated[
        str, typer.Option(help="Only studies in which these words occur.")
    ] = "",
    as_json: AsJson = False,
) -> None:
    """List the studies that were run, newest first."""
    from workbench.shelves import open_shelf
    from workbench.studies import list_studies, search_studies

    if folder is not None and not folder.is_dir():
        raise StoreError(f'There is no folder "{folder}".')
    shelf = open_shelf(None if folder is None else str(folder))
    found = search_studies(list_studies(shelf), find)
    if as_json:
        typer.echo(json.dumps([entry.to_json() for entry in found], indent=2))
        return
    for entry in found:
        _show_entry(entry)
    if not found:
        typer.echo("No studies here yet.")


@app.command("queue")
def queue() -> None:
    """Run the studies that wait, one after another, until none waits."""
    from workbench.queue import work_queue
    from workbench.shelves import open_shelf

    work_queue(open_shelf())


@app.command("plant")
def plant(
    source: Annotated[
        str, typer.Argument(metavar="SOURCE", help="A schema, with or without rows.")
    ],
    target: Annotated[str, typer.Option(help="The TABLE whose rows get a label.")],
    signal: Annotated[str, typer.Option(help="The TABLE.COLUMN that decides it.")],
    out: Annotated[Path, typer.Option(help="The SQLite file to write.")],
    variant: Annotated[str, typer.Option(help="plain or graded.")] = "plain",
    noise: Annotated[
        float, typer.Option(help="Share of plain labels that are turned over.")
    ] = 0.1,
    rows: Annotated[
        int, typer.Option(help="Groups of rows that share nothing on the way.")
    ] = 1000,
    seed: Annotated[int, typer.Option(help="Another seed, other rows.")] = 0,
    hints: Hints = None,
) -> None:
    """Make up rows for a schema, with a signal at a known number of hops."""
    from workbench.database import connect
    from workbench.planting.plant import Plant, plant_signal, read_variant
    from workbench.schema import infer_schema, read_hints

    chosen = None if hints is None else read_hints(hints)
    request = Plant(target, signal, read_variant(variant), noise, rows, seed)
    with connect(source) as database:
        planted = plant_signal(infer_schema(database, chosen), request, out)
    typer.echo(f"{planted.task.target} lies {planted.hops} hops from {signal}")
    for best in planted.bayes:
        typer.echo(
            f"  best possible with {best.hops} hops: accuracy {best.accuracy:.3f},"
            f" AUROC {best.auroc:.3f}"
        )
    typer.echo(f"Rows: {planted.path}; task {planted.task.name}: {planted.hints}")


@app.command("report")
def report(
    folder: Annotated[Path, typer.Argument(metavar="DIR", help="A results folder.")],
    format_: Annotated[
        str,
        typer.Option(
            "--format",
            help="html, pdf (printed by a Chromium that is found) or md (Markdown, with"
            " pictures where there is one).",
        ),
    ] = "html",
) -> None:
    """Render a results folder's report again; nothing is trained."""
    from workbench.publish import publish_report

    typer.echo(publish_report(folder, format_))


@app.command("export")
def export(
    sources: Annotated[
        list[str],
        typer.Argument(
            metavar="SOURCE...",
            help="What is handed over: a database, or the folder of a finished study.",
        ),
    ],
    out: Annotated[Path, typer.Option(help="The folder to write; it must be new.")],
    format_: Annotated[
        str,
        typer.Option(
            "--format",
            help="relbench for the rows; graphstorm, graphml or neo4j for a graph; pyg"
            " or notebook for a network that a study has trained.",
        ),
    ] = "relbench",
    task: TaskName = None,
    target: Target = None,
    topology: Annotated[
        str | None,
        typer.Option(help="The graph: a topology's name or file, or a study's."),
    ] = None,
    source_name: Annotated[
        str | None, typer.Option("--source", help="A source of the study.")
    ] = None,
    model: Annotated[str | None, typer.Option(help="A network of the study.")] = None,
    remedy: Annotated[str | None, typer.Option(help="A remedy of the study.")] = None,
    depth: Annotated[int | None, typer.Option(help="A depth of the study.")] = None,
    hints: Hints = None,
    db_schema: DbSchemas = None,
    dialect: Dialect = None,
) -> None:
    """Hand over rows, a graph, or the network that validated best in a study."""
    from workbench.exports import find_export, write_export
    from workbench.handover import Choice, hand_over
    from workbench.task import TaskSpec

    find_export(format_)
    addresses = _addresses(sources, db_schema, dialect)
    if len(addresses) > 1:
        raise StudyError("export takes one database at a time.")
    if task and target:
        raise StudyError("Say what to predict with --task or with --target, not both.")
    handover = hand_over(
        addresses[0],
        TaskSpec(target=target) if target else task,
        Choice(source_name, topology, model, remedy, depth),
        None if hints is None else str(hints),
    )
    typer.echo(write_export(format_, handover, out))


@app.command("cache")
def cache(
    action: Annotated[
        str, typer.Argument(metavar="[list|clear]", help="list or clear.")
    ] = "list",
) -> None:
    """List or clear what is kept on this machine."""
    from workbench.cache import clear_cache, list_cache
    from workbench.database import cache_directory

    match action:
        case "list":
            typer.echo(cache_directory())
            for entry in list_cache():
                typer.echo(
                    f"{entry.num_bytes / 1e6:10.1f} MB  {entry.kind:8}  {entry.name}"
                )
        case "clear":
            typer.echo(f"{clear_cache() / 1e6:.1f} MB freed")
        case _:
            raise StudyError(f'"cache {action}" is unknown; write "list" or "clear".')


def main() -> None:
    """Run the command line and end the process with its exit code."""
    try:
        with lasting_cache():
            code = app(standalone_mode=False)
    except WorkbenchError as error:
        code = _refuse(str(error))
    except TyperException as error:
        code = _refuse(f"{error}; see workbench --help")
    except (KeyboardInterrupt, typer.Abort):
        code = INTERRUPTED
    if code == INTERRUPTED:  # typer may have turned Ctrl-C into the code itself
        typer.echo("Stopped; finished cells are kept.", err=True)
    _leave(code if isinstance(code, int) else 0)


def _refuse(sentence: str) -> int:
    typer.echo(" ".join(sentence.split()), err=True)
    return 2


def _leave(code: int) -> None:
    """End the process without the interpreter's tidying up.

    DuckDB reports objects that outlive it by dozens of lines on stderr, where a
    sentence should stand last.
    """
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(code)


def _run(study: Any, out: Path, jobs: int | None, engine: str, as_json: bool) -> None:
    from workbench.execute import run_study

    line = _ProgressLine()
    comparison = run_study(
        study, out, line.show, jobs=jobs, engine=engine, on_settled=_say_batches
    )
    line.close()
    if as_json:
        typer.echo(comparison.to_json())
    else:
        _show_comparison(json.loads(comparison.to_json()))
        typer.echo(f"Report: {out / 'report.html'}")


def _trimmed(study: Any, within: str, jobs: int | None) -> Any:
    """Return what of a study is done in time, and say on stderr what is not."""
    from workbench.planning import plan_study
    from workbench.trim import fit_to_budget, parse_seconds

    trimmed = fit_to_budget(plan_study(study), parse_seconds(within), jobs=jobs)
    for sentence in trimmed.sentences:
        typer.echo(sentence, err=True)
    return trimmed.study


def _say_batches(settled: Any) -> None:  # workbench.batching.Settled
    """Say on stderr before a run that its rows are trained in batches."""
    if settled.batching is not None:
        typer.echo(settled.sentence, err=True)


def _show_costs(planned: Any, jobs: int | None) -> None:
    from workbench.batching import settle_batches, with_batches
    from workbench.cost import cost_table, estimate_seconds, measure_slowness

    slowness = measure_slowness()
    settled = settle_batches(planned, jobs)
    planned = with_batches(planned, settled)
    table = cost_table(planned, slowness)
    for cell in table.to_dict("records"):
        name = " ".join(
            str(cell[part]) for part in ("source", "topology", "model", "remedy")
        )
        typer.echo(
            f"  {name:52} depth {cell['depth']:2}  {cell['runs']} times"
            f" {cell['seconds']:.1f} s, {cell['megabytes']:,.0f} MB"
        )
    seconds = estimate_seconds(planned, jobs, slowness)
    typer.echo(
        f"{len(planned.cells)} runs on {len(planned.arms)} graphs, about"
        f" {seconds:.0f} s and the baselines; everything fits together."
    )
    typer.echo(settled.sentence)


class _ProgressLine:
    """One line on stderr, rewritten in a terminal, repeated now and then elsewhere."""

    def __init__(self) -> None:
        self._terminal = sys.stderr.isatty()
        self._pause_s = 0.2 if self._terminal else 15.0
        self._shown_at = -1e9

    def show(self, progress: Any) -> None:  # workbench.progress.Progress
        now = time.monotonic()
        if now - self._shown_at < self._pause_s:
            return
        self._shown_at = now
        left = _time_left(progress.seconds_left)
        text = f"{progress.phase}: {progress.done} of {progress.total}{left}"
        sys.stderr.write(f"\r\033[K{text}" if self._terminal else f"{text}\n")
        sys.stderr.flush()

    def close(self) -> None:
        if self._terminal:
            sys.stderr.write("\r\033[K")


def _time_left(seconds: float | None) -> str:
    if seconds is None:
        return ""
    if seconds < 90:
        return ", about a minute left" if seconds > 30 else ", less than a minute left"
    return f", about {seconds / 60:.0f} minutes left"


def _addresses(
    sources: list[str], schemas: list[str] | None, dialect: str | None
) -> list[str]:
    from workbench.database import joined_sources, with_options

    found = joined_sources(sources)
    return [with_options(each, schemas or (), dialect) for each in found]


def _arms(sources: list[str], topologies: list[str], hints: Path | None) -> Any:
    from workbench.study import Arm

    chosen = None if hints is None else str(hints)
    return tuple(
        Arm(source=source, topology=topology, hints=chosen)
        for source in sources
        for topology in topologies
    )


def _task(
    asked: Mapping[str, Any],
    of_target: Mapping[str, Any],
    of_forecast: Mapping[str, Any],
    of_both: Mapping[str, Any],
) -> Any:
    """Return what to predict, by the options that say so and those that go along."""
    from workbench.task import TaskSpec

    chosen = [option for option, value in asked.items() if value is not None]
    if len(chosen) != 1:
        raise StudyError(
            "Say what to predict: --task NAME for a ready-made task, --target"
            " TABLE.COLUMN for a column, or --forecast WHAT for what comes later; one"
            " of them."
        )
    (way,) = chosen
    _refuse_options(of_target, way, "--target")
    _refuse_options(of_forecast, way, "--forecast")
    where, hide = of_both["--where"], tuple(of_both["--hide"] or ())
    if way == "--task":
        if where or hide:
            raise StudyError(
                "--where and --hide go with --target and --forecast; a ready-made task"
                " has its own."
            )
        return asked["--task"]
    if way == "--target":
        return TaskSpec(
            target=asked["--target"],
            where=where,
            hide=hide,
            split=of_target["--split"] or "random",
            split_seed=of_target["--split-seed"] or 0,
        )
    return _forecast(asked["--forecast"], of_forecast, where, hide)


def _refuse_options(given: Mapping[str, Any], way: str, theirs: str) -> None:
    """Refuse options that go with another way to say what to predict."""
    if way != theirs and any(value is not None for value in given.values()):
        *first, last = given
        own = {
            "--task": "a ready-made task has its own",
            "--target": "a column has no use for them",
            "--forecast": "a forecast is split by its moments",
        }
        raise StudyError(f"{', '.join(first)} and {last} go with {theirs}; {own[way]}.")


def _forecast(
    what: str, given: Mapping[str, Any], where: str | None, hide: tuple[str, ...]
) -> Any:
    from workbench.forecast import DEFAULT_SEED_TIMES, Forecast
    from workbench.hints import forecast_task

    missing = [one for one in ("--of", "--for", "--within") if given[one] is None]
    if missing:
        raise StudyError(
            f"--forecast needs {', '.join(missing)}, as in --forecast any"
            " --of orders --for customers --within 30d."
        )
    number = given["--seed-times"]
    return forecast_task(
        Forecast(
            what=what,
            events=given["--of"],
            entity=given["--for"],
            within=given["--within"],
            by=given["--by"],
            seed_times=DEFAULT_SEED_TIMES if number is None else number,
            every=given["--every"],
            where=where,
            active=bool(given["--active"]),
            until=given["--until"],
        ),
        hide,
    )


def _show_schema(document: Mapping[str, Any]) -> None:
    typer.echo(f"{document['name']} ({document['fingerprint']})")
    for table in document["tables"]:
        key = ", ".join(table["primary_key"]) or "none"
        typer.echo(f"\n{table['name']}: {table['rows']:,} rows, primary key {key}")
        for column in table["columns"]:
            typer.echo(
                f"  {column['name']:28} {column['stype']:12} {column['sql_type']}"
            )
        for link in table["foreign_keys"]:
            kind = link["evidence"]["origin"]
            typer.echo(
                f"  {', '.join(link['columns'])} -> {link['ref_table']}"
                f" ({kind}, {link['dangling']:,} dangling)"
            )
    graph = document["graph"]
    if graph is not None:
        typer.echo(f"\n{graph['sentence']} Topology: {graph['topology']}.")
        if graph["target"]:
            typer.echo(f"  --target {graph['target']} --split {graph['split']}")
    for warning in document["warnings"]:
        typer.echo(f"\nWarning: {warning}")


def _show_plan(source: str, document: Mapping[str, Any]) -> None:
    typer.echo(f"\n{source}")
    for topology in document["topologies"]:
        num_nodes = sum(topology["nodes"].values())
        num_edges = sum(edge["count"] for edge in topology["edges"])
        typer.echo(f"\n  {topology['name']}: {num_nodes:,} nodes, {num_edges:,} edges")
        nearest: dict[str, int] = {}
        for column, hop in topology["hops"].items():
            if hop is not None:
                table = column.rpartition(".")[0]
                nearest[table] = min(hop, nearest.get(table, hop))
        for table, hop in sorted(nearest.items(), key=lambda pair: (pair[1], pair[0])):
            typer.echo(f"    {hop} hops  {table}")
        for table in topology["unreachable"]:
            typer.echo(f"    never   {table}")
        _show_preview(topology, document["task"]["metric"])
        for warning in topology["warnings"]:
            typer.echo(f"    Warning: {warning}")
        if "time" in topology:
            _show_time(topology["time"])
    for note in document["source"]["notes"]:
        typer.echo(f"\n  {note}")


def _show_row(topology: str, document: Mapping[str, Any]) -> None:
    typer.echo(f"\n{topology}: {document['in_words']}")
    for one in document["entering"]:
        kept = [
            f"{one[name]:,} {said}"
            for name, said in (("cut", "sampled away"), ("later", "came later, hidden"))
            if one[name]
        ]
        behind = f" ({', '.join(kept)})" if kept else ""
        typer.echo(f"  hop {one['hop']}  {one['table']}: {one['seen']:,}{behind}")


def _show_time(time: Mapping[str, Any]) -> None:
    if time["unfolding"]:
        typer.echo(
            f"    Over time: {time['instances']:,} nodes and {time['messages']:,}"
            f" messages at {time['moments']:,} moments"
        )
    whole = time["future_rows_without_unfolding"]
    way = f" ({whole:,} on the whole graph, {time['way_without_unfolding']})"
    typer.echo(
        f"    Future rows reachable: {time['future_rows']}{way if whole else ''}"
    )


def _show_preview(topology: Mapping[str, Any], metric: str) -> None:
    if topology.get("preview"):
        shown = ", ".join(
            f"{one['hop']}: {_short(one['score'])}" for one in topology["preview"]
        )
        typer.echo(
            "    Preview, no network trained"
            f" (hops: {metric} on validation rows)  {shown}"
        )
    if topology.get("preview_note"):
        typer.echo(f"    {topology['preview_note']}")


def _short(score: float | None) -> str:
    return "no score" if score is None else f"{score:.3f}"


def _show_comparison(document: Mapping[str, Any]) -> None:
    typer.echo(f"{document['task']}, {document['metric']} on the test rows")
    for cell in document["cells"]:
        name = " ".join(
            str(cell[part]) for part in ("source", "topology", "model", "remedy")
        )
        typer.echo(f"  {name:52} depth {cell['depth']:2}  {_interval(cell, 'mean')}")
    for floor in document["baselines"]:
        typer.echo(f"  {floor['name']:61} {_interval(floor, 'value')}")
    rows = document["leakage"]["future_rows_reachable"]
    typer.echo(f"Future rows reachable: {rows}")
    typer.echo(document["verdict"])


def _show_entry(entry: Any) -> None:  # workbench.studies.Entry
    when = datetime.fromtimestamp(entry.about.created)
    best = entry.best
    score = "" if best is None else f"{best.metric} {best.mean:.3f}, {best.cell}"
    typer.echo(
        f"{entry.identifier:18} {entry.state:10} {when:%Y-%m-%d %H:%M}  {entry.title}"
        + (f" ({score})" if score else "")
        + (f" [{', '.join(entry.about.tags)}]" if entry.about.tags else "")
    )


def _interval(found: Mapping[str, Any], name: str) -> str:
    if found[name] is None:
        return "no score"
    if found["low"] is None:
        return f"{found[name]:.3f}"
    return f"{found[name]:.3f} [{found['low']:.3f}, {found['high']:.3f}]"
