"""The command line: parse, one call into the core, show.

Exit code 0; 2 with one sentence on stderr for anything a user can put right; 130 after
Ctrl-C, with finished cells kept; 1 is a bug. Commands import the core when they are
called, so that --help is quick.
"""

import os
import sys
from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Annotated

import typer
from typer.exceptions import TyperException

from workbench.cli.handing import export, report
from workbench.cli.plans import plan, row
from workbench.cli.sources import cache, inspect, plant, samples
from workbench.cli.studies import compare, queue, run, studies
from workbench.errors import WorkbenchError
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


def open_app(
    port: Annotated[int, typer.Option(help="The port to serve on.")] = 8501,
    headless: Annotated[bool, typer.Option(help="Open no browser.")] = False,
) -> None:
    """Open the workbench in the browser."""
    from workbench.ui.launch import serve

    serve(port=port, headless=headless)


COMMANDS: Mapping[str, Callable[..., None]] = MappingProxyType(
    {
        "app": open_app,
        "samples": samples,
        "inspect": inspect,
        "plan": plan,
        "row": row,
        "compare": compare,
        "run": run,
        "studies": studies,
        "queue": queue,
        "plant": plant,
        "report": report,
        "export": export,
        "cache": cache,
    }
)
for _name, _command in COMMANDS.items():
    app.command(_name)(_command)


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
