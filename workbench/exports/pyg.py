"""A finished study's network as a Python script that trains it again."""

import textwrap
from pathlib import Path

from workbench.export import Export, write_file
from workbench.handover import Handover
from workbench.program import Program, write_beside, write_program

SCRIPT = "train.py"


def write(handover: Handover, folder: Path) -> Path:
    """Write the script, and beside it the study, the rows and the split."""
    program = write_program(handover)
    write_beside(program, handover, folder)
    return write_file(folder / SCRIPT, script_of(program))


def script_of(program: Program) -> str:
    """Return a program as one Python file."""
    head = textwrap.fill(
        f"{program.about} Run it with: python {SCRIPT}",
        88,
        initial_indent="# ",
        subsequent_indent="# ",
    )
    parts = [f"# {title}\n\n\n{code}" for title, code in program.parts]
    last = (
        'if __name__ == "__main__":\n'
        "    here = Path(__file__).parent\n"
        f"    train_all(PLAN, SETTINGS, DESIGN, {program.score}, here)\n"
    )
    return "\n\n\n".join([head, program.imports, *parts, program.plan, last])


PYG = Export(
    name="pyg",
    title="A Python script in PyTorch and PyTorch Geometric that trains it again",
    needs="network",
    write=write,
    link="https://pytorch-geometric.readthedocs.io",
)
