"""Commands that hand over what a study found."""

from pathlib import Path
from typing import Annotated

import typer

from workbench.cli.options import DbSchemas, Dialect, Hints, Target, TaskName
from workbench.cli.parsing import read_addresses
from workbench.errors import StudyError


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
    addresses = read_addresses(sources, db_schema, dialect)
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
