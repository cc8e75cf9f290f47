"""Fetches Cytoscape.js from the npm registry and writes `frontend/cytoscape.js`.

python -m workbench.ui.diagram.rebuild

What it writes is committed, so neither an install nor a user needs npm.
"""

import re
import subprocess
import tarfile
import tempfile
from pathlib import Path

VERSION = "3.34.4"
FRONTEND = Path(__file__).parent / "frontend"
# The library becomes a component that draws nothing and leaves its function behind.
EPILOGUE = """
globalThis.workbenchCytoscape = {name};
globalThis.dispatchEvent(new Event("workbench-cytoscape"));
export default function () {{}}
"""


def rebuild(version: str = VERSION) -> Path:
    """Write the library and its licence, and return the library's path."""
    with tempfile.TemporaryDirectory() as folder:
        subprocess.run(
            ["npm", "pack", "--silent", f"cytoscape@{version}"], cwd=folder, check=True
        )
        with tarfile.open(Path(folder, f"cytoscape-{version}.tgz")) as archive:
            archive.extractall(folder, filter="data")
        package = Path(folder, "package")
        code = Path(package, "dist/cytoscape.esm.min.mjs").read_text(encoding="utf-8")
        licence = Path(package, "LICENSE").read_text(encoding="utf-8")
    code, name = _without_export(code)
    target = FRONTEND / "cytoscape.js"
    head = f"/*! Cytoscape.js {version}, MIT, see cytoscape.LICENSE.txt */\n"
    target.write_text(head + code + EPILOGUE.format(name=name), encoding="utf-8")
    (FRONTEND / "cytoscape.LICENSE.txt").write_text(licence, encoding="utf-8")
    return target


def _without_export(code: str) -> tuple[str, str]:
    """Return the code without its last line's export, and the name it exported."""
    found = re.search(r"export\s*\{\s*([\w$]+) as default\s*\};?\s*$", code)
    if found is None:
        raise RuntimeError("This version of Cytoscape.js ends in another way.")
    return code[: found.start()], found[1]


if __name__ == "__main__":
    rebuild()
