"""Trains again the comparison that the workbench opens on, and says what changed.

make stored
"""

import json
import shutil
from pathlib import Path

from workbench.execute import run_study
from workbench.study import read_study

HERE = Path(__file__).parent
STUDY = HERE.parents[1] / "examples" / "1_address.toml"
SCRATCH = HERE.parents[1] / "out" / "stored"
# The store holds the same numbers again, per cell; what is shown needs none of it.
KEPT = (
    "study.toml",
    "trials.parquet",
    "layers.parquet",
    "predictions.parquet",
    "projection.parquet",
    "states.parquet",
    "influence.parquet",
    "comparison.json",
    "plan.json",
)


def means(folder: Path) -> dict[tuple[str, int], float]:
    """Return each cell's mean test score, or nothing where nothing is stored yet."""
    path = folder / "comparison.json"
    if not path.exists():
        return {}
    cells = json.loads(path.read_text(encoding="utf-8"))["cells"]
    return {(cell["source"], cell["depth"]): cell["mean"] for cell in cells}


def main() -> None:
    """Run what is missing of the study, print old and new figures, keep the new."""
    stored = HERE / "address"
    run_study(read_study(STUDY), SCRATCH)
    before, after = means(stored), means(SCRATCH)
    for cell, mean in after.items():
        print(f"{cell[0]:20} depth {cell[1]}: {before.get(cell)} -> {mean}")
    stored.mkdir(exist_ok=True)
    for name in KEPT:
        shutil.copyfile(SCRATCH / name, stored / name)


if __name__ == "__main__":
    main()
