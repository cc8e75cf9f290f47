"""Commands that train, and the one that lists what was trained."""

import json
from pathlib import Path
from typing import Annotated, Any

import typer

from workbench.cli.options import (
    Active,
    AsJson,
    BatchFanOut,
    BatchRows,
    By,
    DbSchemas,
    Dialect,
    Engine,
    Entity,
    Events,
    Every,
    FanOut,
    Forecasting,
    Hide,
    Hints,
    Jobs,
    MaxRows,
    Out,
    SeedTimes,
    Sources,
    Split,
    SplitSeed,
    Target,
    TaskName,
    Topologies,
    Until,
    Where,
    Which,
    Within,
)
from workbench.cli.parsing import read_addresses, read_arms, read_task
from workbench.cli.showing import show_comparison, show_entry
from workbench.cli.waiting import ProgressLine
from workbench.errors import StoreError


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
    halving: Annotated[
        int | None,
        typer.Option(
            metavar="N",
            help="Explore only: by validation score one configuration in N goes on to"
            " more seeds, and nothing is called better or worse.",
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
        arms=read_arms(
            read_addresses(sources, db_schema, dialect),
            topology or ["row2node", "flattened"],
            hints,
        ),
        task=read_task(
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
        halving=halving,
    )
    if answer_within is not None:
        study = _trimmed(study, answer_within, jobs)
    if dry_run:
        _show_costs(plan_study(study), jobs)
    else:
        _run(study, out, jobs, engine, as_json)


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
        show_entry(entry)
    if not found:
        typer.echo("No studies here yet.")


def queue() -> None:
    """Run the studies that wait, one after another, until none waits."""
    from workbench.queue import work_queue
    from workbench.shelves import open_shelf

    work_queue(open_shelf())


def _trimmed(study: Any, within: str, jobs: int | None) -> Any:
    """Return what of a study is done in time, and say on stderr what is not."""
    from workbench.planning import plan_study
    from workbench.trim import fit_to_budget, parse_seconds

    trimmed = fit_to_budget(plan_study(study), parse_seconds(within), jobs=jobs)
    for sentence in trimmed.sentences:
        typer.echo(sentence, err=True)
    return trimmed.study


def _show_costs(planned: Any, jobs: int | None) -> None:
    from workbench.batching import settle_batches, with_batches
    from workbench.cost import cost_table, estimate_seconds, measure_slowness
    from workbench.halving import halving_in_words, num_runs

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
        f"{num_runs(planned)} runs on {len(planned.arms)} graphs, about"
        f" {seconds:.0f} s and the baselines; everything fits together."
    )
    if planned.study.halving is not None:
        typer.echo(halving_in_words(planned))
    typer.echo(settled.sentence)


def _run(study: Any, out: Path, jobs: int | None, engine: str, as_json: bool) -> None:
    from workbench.execute import run_study

    line = ProgressLine()
    comparison = run_study(
        study, out, line.show, jobs=jobs, engine=engine, on_settled=_say_batches
    )
    line.close()
    if as_json:
        typer.echo(comparison.to_json())
    else:
        show_comparison(json.loads(comparison.to_json()))
        typer.echo(f"Report: {out / 'report.html'}")


def _say_batches(settled: Any) -> None:  # workbench.batching.Settled
    """Say on stderr before a run that its rows are trained in batches."""
    if settled.batching is not None:
        typer.echo(settled.sentence, err=True)
