"""Commands about databases: those there are, what they hold, what is kept."""

import json
from pathlib import Path
from typing import Annotated

import typer

from workbench.cli.options import AsJson, DbSchemas, Dialect, Hints, Sources
from workbench.cli.parsing import read_addresses
from workbench.cli.showing import show_schema
from workbench.errors import StudyError


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

    addresses = read_addresses(sources, db_schema, dialect)
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
        show_schema(document)


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
