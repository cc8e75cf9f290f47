"""What a network or remedy says of its paper, read without loading what it is made of.

A member of `workbench.models` or `workbench.remedies` names its paper in its own file,
beside the tensors it computes. A report cites the paper and computes nothing, so the
file is parsed here and not run: no torch is loaded for a line of literature.
"""

import ast
from functools import cache
from pathlib import Path

from workbench.errors import ModelError, unknown

FAMILIES = ("models", "remedies")


@cache
def paper_of(family: str, name: str) -> str:
    """Return the ``source`` of a member, as its registry would.

    Args:
        family: ``"models"`` or ``"remedies"``.
        name: The member's name, as users type it.

    Raises:
        ModelError: The family has no such member.
    """
    folder = Path(__file__).parent / family
    names = [
        path.stem.replace("_", "-")
        for path in folder.glob("*.py")
        if path.stem != "__init__"
    ]
    if family not in FAMILIES or name not in names:
        raise ModelError(unknown(family.removesuffix("s"), name, names))
    file = folder / f"{name.replace('-', '_')}.py"
    tree = ast.parse(file.read_text(encoding="utf-8"))
    return next(
        ast.literal_eval(keyword.value)
        for node in ast.walk(tree)
        if isinstance(node, ast.Call)
        for keyword in node.keywords
        if keyword.arg == "source"
    )
