"""The preview: how long it takes, and whether it ranks as training does.

Times are of a generated shop of eight tables and all topologies: the first time, after
one key of one graph is toggled, and after a key is rejected for all graphs. Ranks are
of every topology and depth of small studies, trained where their folder is missing.

    python benchmarks/bench_preview.py [--rows 100000] [--folder out/preview] [--small]
"""

import argparse
import tempfile
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import combinations
from pathlib import Path

import numpy as np
import pandas as pd
from scipy.stats import rankdata, spearmanr
from shop import write_sqlite

from workbench.database import Database, connect
from workbench.execute import run_study
from workbench.memo import Memo
from workbench.planning import plan_study
from workbench.preview import preview_all
from workbench.previewing import with_previews
from workbench.results import Results, load_results, stored
from workbench.schema import Schema, infer_schema
from workbench.study import Arm, Budget, Study
from workbench.task import TaskSpec, define_task
from workbench.topologies import TOPOLOGIES, plan_named, read_topology
from workbench.topology import plan

TARGETS = ("customer.segment", "review.stars")
TOGGLED = "item.product_id->product"
GRAPHS = ("row2node", "flattened", "shortcut", "promoted", "row2edge")
BUDGET = Budget(epochs=40)
RESAMPLES = 2_000
POOLED = "pooled, ranks within studies"


def study_of(
    source: str, task: str, seeds: int, deepest: int, graphs: Sequence[str] = GRAPHS
) -> Study:
    """Return a small study of one sample."""
    return Study(
        arms=tuple(Arm(f"sample:{source}", graph) for graph in graphs),
        task=task,
        depths=tuple(range(deepest + 1)),
        seeds=seeds,
        budget=BUDGET,
    )


# Settings of the preview were compared on all but the last, which was held out.
STUDIES: Mapping[str, Study] = {
    "chinook genre": study_of("chinook", "genre", 2, 3),
    "planted graded": study_of("planted", "planted-graded", 2, 4),
    "planted": study_of("planted", "planted", 1, 4),
    "elements decay": study_of("elements", "decay", 1, 3),
}


@dataclass(frozen=True, slots=True)
class Ranks:
    """Cells of one study: what was trained and what the preview said.

    Attributes:
        trained: Mean test score of each topology and depth.
        previewed: The preview's test score of the same.
        by_seed: Test score by cell (rows) and seed.
    """

    trained: np.ndarray
    previewed: np.ndarray
    by_seed: np.ndarray


def time_lines(num_rows: int) -> list[str]:
    """Return a Markdown table of times over a generated shop."""
    lines = ["| target | what | wall s | processor s |", "|---|---|---|---|"]
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "shop.db"
        write_sqlite(path, num_rows)
        with connect(path, cache=Path(folder)) as database:
            schema = infer_schema(database, None)
            for target in TARGETS:
                for what, took in times(database, schema, TaskSpec(target)):
                    lines.append(f"| {target} | {what} | {took} |")
    return lines


def times(
    database: Database, schema: Schema, spec: TaskSpec
) -> Iterator[tuple[str, str]]:
    """Yield what was asked of the preview, and its wall and processor seconds."""
    task = define_task(database, schema, spec)
    kept = tuple(key for key in schema.foreign_keys if key.id != TOGGLED)
    rejected = replace(schema, foreign_keys=kept)
    file = f'base = "row2node"\n[keys]\n"{TOGGLED}" = "dropped"\n'
    whole = [plan_named(schema, spec, name) for name in TOPOLOGIES]
    toggled = plan(schema, spec, read_topology(file))
    one_less = [toggled if each.name == "row2node" else each for each in whole]
    none = [plan_named(rejected, spec, name) for name in TOPOLOGIES]
    memo = Memo()
    for what, meaning, blueprints, known in (
        ("libraries and file", schema, whole, Memo()),
        (f"first, {len(whole)} graphs", schema, whole, memo),
        ("one key of one graph toggled", schema, one_less, memo),
        ("one key rejected for all graphs", rejected, none, memo),
    ):
        wall, cpu = time.perf_counter(), time.process_time()
        graphs = [(each, None) for each in blueprints]
        preview_all(database, meaning, task, graphs, 4, known)
        wall, cpu = time.perf_counter() - wall, time.process_time() - cpu
        if known is memo:
            yield what, f"{wall:.2f} | {cpu:.2f}"


def ranks_of(results: Results) -> Ranks:
    """Return the trained and previewed test scores of a study's cells."""
    said = {
        (source, graph["name"], one["hop"]): one["test"]
        for source, document in results.plans.items()
        for graph in document["topologies"]
        for one in graph.get("preview", ())
    }
    cells = ["source", "topology", "depth"]
    table = pd.pivot_table(results.trials, values="test", index=cells, columns="seed")
    known = [cell for cell in table.index if said.get(cell) is not None]
    scores = table.loc[known].to_numpy()
    previewed = np.array([said[cell] for cell in known])
    return Ranks(np.nanmean(scores, axis=1), previewed, scores)


def rank_line(name: str, found: Ranks) -> str:
    """Return one row of the Markdown table: correlation, interval, seeds, distance."""
    low, high = resampled(found.previewed, found.trained)
    pairs = combinations(range(found.by_seed.shape[1]), 2)
    seeds = [correlation(found.by_seed[:, a], found.by_seed[:, b]) for a, b in pairs]
    among = f"{np.mean(seeds):.2f}" if seeds else "–"
    apart = f"{np.abs(found.previewed - found.trained).mean():.3f}"
    return (
        f"| {name} | {len(found.trained)} | {found.by_seed.shape[1]} |"
        f" {correlation(found.previewed, found.trained):.2f} [{low:.2f}, {high:.2f}] |"
        f" {among} | {apart if name != POOLED else '–'} |"
    )


def correlation(one: np.ndarray, other: np.ndarray) -> float:
    """Return Spearman's rank correlation."""
    return float(spearmanr(one, other).statistic)


def resampled(one: np.ndarray, other: np.ndarray) -> tuple[float, float]:
    """Return the central 95 % of the correlation when cells are drawn again."""
    rng = np.random.default_rng(0)
    drawn = rng.integers(0, len(one), (RESAMPLES, len(one)))
    usable = [row for row in drawn if np.ptp(one[row]) and np.ptp(other[row])]
    found = [correlation(one[row], other[row]) for row in usable]
    low, high = np.percentile(found, [2.5, 97.5])
    return float(low), float(high)


def pooled(everything: Sequence[Ranks]) -> Ranks:
    """Return all cells together, each score as its rank share within its study."""

    def shares(values: np.ndarray) -> np.ndarray:
        return rankdata(values) / len(values)

    trained = np.concatenate([shares(each.trained) for each in everything])
    said = np.concatenate([shares(each.previewed) for each in everything])
    return Ranks(trained, said, trained[:, None])


def trained_results(name: str, study: Study, folder: Path) -> Results:
    """Return a study's results with the preview as it is computed now."""
    place = folder / name.replace(" ", "-")
    if not (place / "comparison.json").exists():
        run_study(study, place, jobs=1)
    plans = with_previews(plan_study(study)).plans
    return replace(load_results(place), plans=plans)


def main() -> None:
    """Print the tables of times and ranks."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rows", type=int, default=100_000)
    parser.add_argument("--folder", type=Path, default=Path("out/preview"))
    parser.add_argument("--small", action="store_true", help="train nothing")
    asked = parser.parse_args()
    print("\n".join(time_lines(10_000 if asked.small else asked.rows)))
    everything = {"address (stored)": ranks_of(load_results(stored("address")))}
    if not asked.small:
        for name, study in STUDIES.items():
            everything[name] = ranks_of(trained_results(name, study, asked.folder))
    print("\n| study | cells | seeds | rank correlation | between seeds | apart |")
    print("|---|---|---|---|---|---|")
    for name, found in everything.items():
        print(rank_line(name, found))
    if len(everything) > 1:
        print(rank_line(POOLED, pooled([*everything.values()])))


if __name__ == "__main__":
    main()
