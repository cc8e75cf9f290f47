"""Where the score steps: test score by number of layers, one line a construction.

What decides the label lies a known number of hops away, and each construction of the
same facts says how many layers see it before anything trains. Two grids: the planted
sample, whose chain of three keys is folded bit by bit or bridged, and the address
samples, which hold the same facts in three schemas.

    python benchmarks/bench_staircase.py [--full]
"""

import argparse
import tempfile
import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from drawing import Line, draw_lines, save, table, versions

from workbench.comparison import BEST_POSSIBLE
from workbench.execute import run_study
from workbench.planning import plan_study
from workbench.results import load_results
from workbench.study import Arm, Budget, Study

BUDGET = Budget(epochs=80, patience=20, learning_rate=0.01, weight_decay=1e-4, width=32)
FOLDS = {
    "fold-1": 'name = "fold-1"\n[tables]\nsite = "folded"\n',
    "fold-2": 'name = "fold-2"\n[tables]\nsite = "folded"\nstation = "folded"\n',
}
CHANCE = 0.05  # a score so near to the majority's is that of a coin


@dataclass(frozen=True)
class Stair:
    """The scores of a grid.

    Attributes:
        title: What it is.
        scores: Mean test score by arm and depth.
        hops: The hop of the signal by arm, from the plan.
        floor: The score of always saying the commoner class.
        ceiling: The best possible score, where it is known.
    """

    title: str
    scores: Mapping[tuple[str, int], float]
    hops: Mapping[str, int]
    floor: float
    ceiling: float | None


def climb(title: str, study: Study, signal: str, by: str, folder: Path) -> Stair:
    """Run a study and read the scores of its arms, named by ``by``."""
    planned = plan_study(study)
    hops = {}
    for arm in planned.arms:
        of_source = planned.plans[arm.source]["topologies"]
        (found,) = [one for one in of_source if one["name"] == arm.topology]
        hops[getattr(arm, by)] = found["hops"][signal]
    comparison = run_study(study, folder)
    trials = load_results(folder).trials
    floors = {each.name: each.test for each in comparison.floors}
    grouped = trials.groupby([by, "depth"])["test"]
    return Stair(
        title=title,
        scores={key: float(value) for key, value in grouped.mean().items()},
        hops=hops,
        floor=floors["majority"],
        ceiling=floors.get(BEST_POSSIBLE),
    )


def lines_of(stair: Stair) -> str:
    """Return a table: hop, scores by depth, and the depth at which they step."""
    depths = sorted({depth for _, depth in stair.scores})
    rows = []
    for arm, hop in stair.hops.items():
        scores = [stair.scores[arm, depth] for depth in depths]
        rows.append([arm, hop, *scores, first_step(stair, arm, depths)])
    across = [[stair.scores[arm, depth] for arm in stair.hops] for depth in depths]
    spread = [max(each) - min(each) for each in across]
    rows.append(["*spread*", "", *spread, ""])
    head = ["graph", "hop", *(f"L={depth}" for depth in depths), "steps at"]
    known = "" if stair.ceiling is None else f"; best possible {stair.ceiling:.3f}"
    said = f"### {stair.title}\n\nMajority {stair.floor:.3f}{known}.\n\n"
    return said + table(head, rows)


def first_step(stair: Stair, arm: str, depths: list[int]) -> int | str:
    """Return the first depth that scores better than a coin does."""
    for depth in depths:
        if stair.scores[arm, depth] > stair.floor + 2 * CHANCE:
            return depth
    return "never"


def draw(stair: Stair, first_style: int) -> list[Line]:
    """Return the lines of a panel, in styles of its own."""
    depths = sorted({depth for _, depth in stair.scores})
    return [
        Line(
            f"{arm}: hop {hop}",
            depths,
            [stair.scores[arm, depth] for depth in depths],
            style,
        )
        for style, (arm, hop) in enumerate(stair.hops.items(), first_style)
    ]


def main() -> None:
    """Train both grids, print the tables, draw the figure."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--full", action="store_true", help="six seeds, depths to 5")
    full = parser.parse_args().full
    seeds, depths = (6, range(6)) if full else (1, range(5))
    started = time.perf_counter()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        for fold, text in FOLDS.items():
            (folder / f"{fold}.toml").write_text(text, encoding="utf-8")
        files = [str(folder / f"{fold}.toml") for fold in FOLDS]
        graphs = ["row2node", *files, "shortcut", "flattened"]
        common = {"depths": tuple(depths), "seeds": seeds, "budget": BUDGET}
        planted = Study(
            arms=tuple(Arm("sample:planted", graph) for graph in graphs),
            task="planted",
            **common,
        )
        kinds = ("address-flat", "address-normalized", "address-3nf")
        address = Study(
            arms=tuple(Arm(f"sample:{kind}", "row2node") for kind in kinds),
            task="prosperous",
            **common,
        )
        stairs = [
            climb("One chain of three keys, five graphs", planted, "site.exposed",
                  "topology", folder / "planted"),
            climb("The same facts in three schemas", address, "city.jobs_index",
                  "source", folder / "address"),
        ]  # fmt: skip
    for stair in stairs:
        print(lines_of(stair) + "\n")
    figure = draw_lines(
        {stair.title: draw(stair, 5 * at) for at, stair in enumerate(stairs)},
        "The score steps at the hop that the plan names",
        ("layers", "test accuracy"),
        (0.35, 1.05),
    )
    print(f"{save(figure, 'staircase').name}; {seeds} seed(s),"
          f" {time.perf_counter() - started:.0f} s; {versions()}")  # fmt: skip


if __name__ == "__main__":
    main()
