"""Writes docs/reference.md from the command line and the registries.

Run it with `make docs`. A test fails when the file is not what this would write.
"""

import inspect
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

from typer import Context
from typer.core import TyperArgument, TyperCommand, TyperGroup
from typer.main import get_command

from workbench.cli import app
from workbench.exports import EXPORTS
from workbench.influence import measure_influence
from workbench.measures import MEASURES
from workbench.models import MODELS
from workbench.permutation import measure_drops
from workbench.protocols import PROTOCOLS
from workbench.remedies import REMEDIES
from workbench.score import METRICS
from workbench.split import SPLITS
from workbench.survey import survey
from workbench.topologies import TOPOLOGIES
from workbench.walk import walk_profile

REFERENCE = Path(__file__).with_name("reference.md")
Command = TyperCommand | TyperGroup
OPENING = """# Reference

Written by `make docs` from the program itself; edit the docstrings, not this file.
"""
FAMILIES: Mapping[str, tuple[str, Mapping[str, object]]] = {
    "Topologies": ("What turns tables into a graph.", TOPOLOGIES),
    "Splits": ("What is trained on, and what is tested.", SPLITS),
    "Models": ("What turns a graph into predictions, layer by layer.", MODELS),
    "Remedies": ("What is tried against the collapse of deep networks.", REMEDIES),
    "Protocols": ("What every run may spend, as published.", PROTOCOLS),
    "Measures": ("Taken per layer and node type, untrained and trained.", MEASURES),
    "Metrics": ("What a score is.", METRICS),
    "Exports": ("The formats in which something is handed over.", EXPORTS),
}
FUNCTIONS: Mapping[str, tuple[str, Mapping[str, Callable[..., Any]]]] = {
    "Influence and reach": (
        "Taken of a whole network, or of a graph before anything is trained.",
        {
            "influence": measure_influence,
            "permutation": measure_drops,
            "walk": walk_profile,
            "survey": survey,
        },
    ),
}
FACTS: Mapping[str, str] = {
    "node_count": "Nodes",
    "edge_count": "Edges",
    "hop_change": "Hops",
    "settings": "Settings",
    "formula": "Formula",
    "graphs": "Works on",
    "link_columns": "Junction columns on links",
    "value_range": "Range",
    "at_collapse": "At full collapse",
    "comparable": "May be compared across",
    "source": "Source",
    "needs": "Hands over",
    "link": "Described at",
}


def build_reference() -> str:
    """Return the text of the reference."""
    parts = [OPENING, "## Commands\n"]
    parts += [describe_command(name, one) for name, one in commands()]
    for title, (opening, members) in FAMILIES.items():
        parts.append(f"## {title}\n\n{opening}\n")
        parts += [describe_member(name, one) for name, one in members.items()]
    for title, (opening, functions) in FUNCTIONS.items():
        parts.append(f"## {title}\n\n{opening}\n")
        parts += [describe_function(name, one) for name, one in functions.items()]
    return "\n".join(parts)


def commands() -> Iterator[tuple[str, Command]]:
    """Yield every command with the words that call it."""
    pending: list[tuple[str, Any]] = [("workbench", get_command(app))]
    while pending:
        words, command = pending.pop(0)
        if isinstance(command, TyperGroup):
            inner = [(f"{words} {name}", one) for name, one in command.commands.items()]
            pending = inner + pending
        if not isinstance(command, TyperGroup) or command.invoke_without_command:
            yield words, command


def describe_command(words: str, command: Command) -> str:
    """Return a command's help and the table of its parameters."""
    context = Context(command)
    values = [one.metavar for one in command.params if isinstance(one, TyperArgument)]
    usage = " ".join([words, *(value for value in values if value), "[OPTIONS]"])
    lines = [f"### `{words}`\n", f"    {usage}\n", text_of(command.help) + "\n"]
    records = [parameter.get_help_record(context) for parameter in command.params]
    shown = [record for record in records if record is not None]
    if shown:
        lines.append("| option | what it does |\n|---|---|")
        lines += [f"| `{cell(what)}` | {cell(text)} |" for what, text in shown]
    return "\n".join(lines) + "\n"


def describe_member(name: str, member: object) -> str:
    """Return what a member of a family says of itself."""
    title = getattr(member, "title", None) or getattr(member, "label", "")
    story = getattr(member, "story", "")
    lines = [f"### `{name}`\n", f"{title}. {story}".strip() + "\n"]
    facts = {said: getattr(member, fact, None) for fact, said in FACTS.items()}
    lines += [f"- {said}: {value}" for said, value in facts.items() if value]
    return "\n".join(lines) + "\n"


def describe_function(name: str, function: Callable[..., Any]) -> str:
    """Return what a function's docstring says of what it finds, and who says so."""
    lines = [f"### `{name}`\n"]
    for block in text_of(function.__doc__).split("\n\n"):
        heading = block.partition(":")[0]
        if heading in ("Args", "Raises"):
            continue
        said = " ".join(block.split())
        lines.append(f"- {said}" if heading in ("Returns", "Source") else f"{said}\n")
    return "\n".join(lines) + "\n"


def text_of(text: str | None) -> str:
    """Return a docstring without its indentation."""
    return inspect.cleandoc(text or "").replace("\b\n", "")


def cell(text: str) -> str:
    """Return a text that fits between two bars of a table."""
    return " ".join(text.split()).replace("|", "\\|")


if __name__ == "__main__":
    REFERENCE.write_text(build_reference(), encoding="utf-8")
