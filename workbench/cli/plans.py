"""Commands about graphs, before anything trains."""

import json
from typing import Annotated

import typer

from workbench.cli.options import (
    Active,
    AsJson,
    By,
    DbSchemas,
    Dialect,
    Entity,
    Events,
    Every,
    FanOut,
    Forecasting,
    Hide,
    Hints,
    MaxRows,
    SeedTimes,
    Sources,
    Split,
    SplitSeed,
    Target,
    TaskName,
    Topologies,
    Until,
    Where,
    Within,
)
from workbench.cli.parsing import read_addresses, read_arms, read_task
from workbench.cli.showing import show_plan, show_row


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

    addresses = read_addresses(sources, db_schema, dialect)
    study = Study(
        arms=read_arms(addresses, topology or list(TOPOLOGIES), hints),
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
        max_rows=MAX_ROWS if max_rows is None else max_rows,
    )
    planned = plan_study(study)
    plans = (with_previews(planned) if preview else planned).plans
    if as_json:
        one = next(iter(plans.values())) if len(plans) == 1 else plans
        typer.echo(json.dumps(one, indent=2))
    else:
        for source, document in plans.items():
            show_plan(source, document)


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

    (address,) = read_addresses([source], db_schema, dialect)
    spec = read_task(
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
            show_row(name, document)
