"""A finished study's network as a notebook that trains it again, step by step."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from workbench.export import Export, write_file
from workbench.handover import Handover
from workbench.program import Program, write_beside, write_program

NOTEBOOK_FILE = "train.ipynb"
RUN = """\
data, task = load(PLAN, SETTINGS, Path("."))
describe(data)"""
TRAIN = """\
for seed in SETTINGS["seeds"]:
    found = fit(data, task, SETTINGS, DESIGN, {score}, seed)
    test, stored = found["scores"]["test"], SETTINGS["stored"][seed]
    print(f"seed {{seed}}: {{test:.6f}} on the test rows, stored {{stored:.6f}}")"""


def write(handover: Handover, folder: Path) -> Path:
    """Write the notebook, and beside it the study, the rows and the split."""
    program = write_program(handover)
    write_beside(program, handover, folder)
    return write_file(folder / NOTEBOOK_FILE, notebook_of(program))


def notebook_of(program: Program) -> str:
    """Return a program as a notebook of format 4.5."""
    cells = [
        {**cell, "id": f"cell-{number}", "metadata": {}}
        for number, cell in enumerate(_cells(program))
    ]
    document = {
        "cells": cells,
        "metadata": {
            "kernelspec": {
                "display_name": "Python 3",
                "language": "python",
                "name": "python3",
            },
            "language_info": {"name": "python"},
        },
        "nbformat": 4,
        "nbformat_minor": 5,
    }
    return json.dumps(document, indent=1, ensure_ascii=False) + "\n"


def _cells(program: Program) -> Iterator[dict[str, Any]]:
    yield _prose(f"# Training again what a study found\n\n{program.about}")
    yield _code(program.imports)
    for title, code in program.parts:
        yield _prose(f"## {title}")
        yield _code(code)
    yield _prose("## The plan of the graph and the settings of the network")
    yield _code(program.plan)
    yield _prose("## Build the graph")
    yield _code(RUN)
    yield _prose("## Train, once per seed")
    yield _code(TRAIN.format(score=program.score))


def _prose(text: str) -> dict[str, Any]:
    return {"cell_type": "markdown", "source": text.splitlines(keepends=True)}


def _code(text: str) -> dict[str, Any]:
    return {
        "cell_type": "code",
        "execution_count": None,
        "outputs": [],
        "source": text.splitlines(keepends=True),
    }


NOTEBOOK = Export(
    name="notebook",
    title="A notebook (Jupyter) that trains it again, step by step",
    needs="network",
    write=write,
    link="https://nbformat.readthedocs.io",
)
