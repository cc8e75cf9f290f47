"""Small results folders made from formulas, in the shape that a real study leaves."""

from collections.abc import Sequence
from dataclasses import replace
from itertools import product
from math import cos, exp, sin
from pathlib import Path

import numpy as np
import pandas as pd

from workbench.compare import Floor, Trial, compare
from workbench.measure import Measure, Rows
from workbench.measures import MEASURES
from workbench.plane import pack, principal_components
from workbench.resampling import TestRows
from workbench.results import Results, load_results, write_results
from workbench.view import Labelled

TOPOLOGY_ARMS = (("shop", "row2node"), ("shop", "flattened"), ("shop", "promoted"))
SOURCE_ARMS = (
    ("address-flat", "row2node"),
    ("address-normalized", "row2node"),
    ("address-3nf", "row2node"),
)
TARGET = "person"
NODE_TYPES = (TARGET, "address", "city")
NUM_ROWS = 60
STUDY = """version = 1
models = ["sage"]
remedies = ["none"]
depths = [{depths}]
seeds = {seeds}

[task]
name = "prosperous"
target = "person.prosperous"

[budget]
epochs = 40
learning_rate = 0.01

{arms}
"""


def make_results(
    folder: Path,
    *,
    arms: Sequence[tuple[str, str]] = TOPOLOGY_ARMS,
    models: Sequence[str] = ("sage",),
    depths: Sequence[int] = (0, 1, 2, 3, 4, 5),
    seeds: int = 6,
    metric: str = "roc-auc",
    lost: bool = True,
    leaks: Sequence[str] = (),
    split: str = "random",
    gap: float = float("nan"),
) -> Results:
    """Write a results folder and read it back.

    Arm number i (from 0) leaves chance at depth ``3 - i`` and loses 0.04 a layer from
    two layers after that. With ``lost``, the first arm's deepest cell has one failed
    seed and one that ran out of memory. With a ``gap``, what was seen scores so much
    more than test rows, give or take .01 by seed.
    """
    folder.mkdir(parents=True, exist_ok=True)
    trials = [
        with_gap(
            make_trial(
                arms, arm, model, depth, seed, metric, lost and depth == max(depths)
            ),
            gap,
        )
        for seed, arm, model, depth in product(range(seeds), arms, models, depths)
    ]
    sources = dict.fromkeys(source for source, _ in arms)
    predictions = make_predictions(trials)
    comparison = compare(
        trials,
        [floor for source in sources for floor in make_floors(source)],
        task_name="prosperous",
        metric=metric,
        future_rows=0,
        leaks=leaks,
        test_rows=TestRows(predictions, ("no", "yes")),
    )
    write_results(
        folder,
        trials=trials,
        layers=make_layers(trials),
        predictions=predictions,
        projection=make_projection(arms, trials),
        states=make_states(trials),
        influence=make_influence(arms, trials),
        comparison=comparison,
        plans={source: make_plan(source, arms, split) for source in sources},
        study_toml=STUDY.format(
            depths=", ".join(map(str, depths)),
            seeds=seeds,
            arms="\n".join(
                f'[[arms]]\nsource = "{source}"\ntopology = "{topology}"\n'
                for source, topology in arms
            ),
        ),
    )
    return load_results(folder)


def make_trial(
    arms: Sequence[tuple[str, str]],
    arm: tuple[str, str],
    model: str,
    depth: int,
    seed: int,
    metric: str,
    deepest: bool,
) -> Trial:
    place = arms.index(arm)
    hop = max(0, 3 - place)
    score = 0.5 if depth < hop else 0.95 - 0.04 * max(0, depth - hop - 2)
    score += 0.012 * sin(2.3 * seed + 1.7 * depth + place)
    status = "ok"
    if deepest and place == 0 and seed in (1, 4):
        status = "failed" if seed == 1 else "out-of-memory"
    known = score if status == "ok" else float("nan")
    return Trial(
        source=arm[0],
        topology=arm[1],
        model=model,
        remedy="none",
        depth=depth,
        seed=seed,
        metric=metric,
        train=known + 0.02,
        val=known + 0.004 * cos(seed),
        test=known,
        best_epoch=20 + seed if status == "ok" else -1,
        seconds=1.5 + 0.8 * depth * (3 - place),
        peak_mb=420.0 + 35 * depth * (3 - place),
        num_parameters=2000 + 900 * depth,
        status=status,
        reason="" if status == "ok" else "The loss was not a number at epoch 3.",
        gradient_ratio=exp(-0.3 * depth),
    )


def with_gap(trial: Trial, gap: float) -> Trial:
    return replace(trial, seen=trial.test + gap + (trial.seed % 3 - 1) / 100)


def make_floors(source: str) -> tuple[Floor, ...]:
    scores = {
        "majority": 0.5,
        "own columns": 0.51,
        "flattened table": 0.957,
        "1-hop aggregates": 0.62,
        "2-hop aggregates": 0.95,
        "entity history": 0.71,
    }
    return tuple(
        Floor(
            name=name,
            source=source,
            learner="constant" if name == "majority" else "boosted trees",
            train=score if name == "majority" else min(1.0, score + 0.02),
            val=score,
            test=score,
            low=score - 0.015,
            high=score + 0.015,
            num_columns=place,
        )
        for place, (name, score) in enumerate(scores.items())
    )


def make_layers(trials: Sequence[Trial]) -> pd.DataFrame:
    """Make every measure 1 + 15 e^(-rate · layer), in untrained networks faster."""
    records = [
        {
            **names_of(trial),
            "seed": trial.seed,
            "state": state,
            "layer": layer,
            "node_type": node_type,
            "measure": measure,
            "value": 1 + (15 + 0.4 * sin(trial.seed)) * exp(-rate * layer),
            "num_rows": NUM_ROWS,
            "flag": "",
        }
        for trial in trials
        if trial.status == "ok"
        for (state, rate), measure in product(
            (("untrained", 0.7), ("trained", 0.25)), MEASURES
        )
        for layer in range(trial.depth + 1)
        for node_type in _measured(MEASURES[measure], layer == trial.depth)
    ]
    return pd.DataFrame(records)


def _measured(measure: Measure, is_last: bool) -> tuple[str, ...]:
    """Return what a measure is taken of: node types, the target, or a key."""
    if measure.takes is Rows:
        return NODE_TYPES[: 1 if is_last else 3]
    return (TARGET,) if measure.takes is Labelled else (f"{TARGET}.address_id",)


def make_influence(
    arms: Sequence[tuple[str, str]], trials: Sequence[Trial]
) -> pd.DataFrame:
    """Make half of what is left go to each further table, the city costing .4 alone."""
    records = []
    for trial in trials:
        if trial.status != "ok":
            continue
        place = arms.index((trial.source, trial.topology))
        hops = {TARGET: 0, "address": max(0, 2 - place), "city": max(0, 3 - place)}
        shares = {hop: 0.5**hop for hop in range(trial.depth + 1)}
        tables = {
            name: 0.5**hop if hop <= trial.depth else 0.0 for name, hop in hops.items()
        }
        rows = [
            *(
                ("hop", str(hop), one / sum(shares.values()))
                for hop, one in shares.items()
            ),
            *(
                ("table", name, one / sum(tables.values()))
                for name, one in tables.items()
            ),
            ("range", "mean", 0.5),
            ("size", "total", 2.0),
        ]
        for state in ("untrained", "trained"):
            records += [(trial, state, *row) for row in rows]
        if not trial.seed:
            seen = hops["city"] <= trial.depth
            records.append((trial, "trained", "permutation", "city", 0.4 * seen))
    return pd.DataFrame(
        [
            {
                **names_of(trial),
                "seed": trial.seed,
                "state": state,
                "kind": kind,
                "name": name,
                "value": value,
                "num_rows": 12,
            }
            for trial, state, kind, name, value in records
        ]
    )


def make_predictions(trials: Sequence[Trial]) -> pd.DataFrame:
    records = [
        {
            **names_of(trial),
            "seed": trial.seed,
            "key": str(row),
            "label": "yes" if row % 2 else "no",
            "prediction": "yes" if row % 3 else "no",
            "value": (row % 10) / 10,
        }
        for trial in trials
        if trial.status == "ok"
        for row in range(12)
    ]
    return pd.DataFrame(records)


def make_projection(
    arms: Sequence[tuple[str, str]], trials: Sequence[Trial]
) -> pd.DataFrame:
    """Make two clusters that part with depth, turned by one radian per arm."""
    records = []
    for trial in trials:
        if trial.seed or trial.status != "ok":
            continue
        angle = float(arms.index((trial.source, trial.topology)))
        for layer, row in product(range(trial.depth + 1), range(NUM_ROWS)):
            side = 1 if row % 2 else -1
            x = side * (0.1 + 0.15 * layer) + 0.4 * sin(row * 1.3)
            y = 0.5 * cos(row * 2.1)
            records.append(
                {
                    **names_of(trial),
                    "layer": layer,
                    "row": row,
                    "key": str(row),
                    "x": x * cos(angle) - y * sin(angle),
                    "y": x * sin(angle) + y * cos(angle),
                    "label": "yes" if row % 2 else "no",
                    "correct": row % 5 > 0,
                }
            )
    return pd.DataFrame(records)


def make_states(trials: Sequence[Trial]) -> pd.DataFrame:
    """Make rows of two clusters, even ones and odd ones, ten units apart on an axis."""
    records = []
    for trial in trials:
        if trial.seed or trial.status != "ok":
            continue
        for layer in range(trial.depth + 1):
            draw = np.random.default_rng([trial.depth, layer])
            states = draw.normal(size=(NUM_ROWS, 4))
            states[1::2, layer % 4] += 10
            components, share = principal_components(states)
            packed = pack("", components)
            records.append(
                {
                    **names_of(trial),
                    "layer": layer,
                    "num_rows": NUM_ROWS,
                    "num_components": packed.num_components,
                    "share": share,
                    "states": packed.states,
                }
            )
    return pd.DataFrame(records)


def make_plan(
    source: str, arms: Sequence[tuple[str, str]], split: str = "random"
) -> dict:
    """Make a plan in which the city is one hop nearer with each arm."""
    topologies = []
    for place, (own, topology) in enumerate(arms):
        if own != source:
            continue
        distances = {TARGET: 0, "address": max(0, 2 - place), "city": max(0, 3 - place)}
        topologies.append(
            {
                "name": topology,
                "nodes": {TARGET: 400, "address": 200, "city": 40},
                "edges": [
                    {"type": [TARGET, "lives at", "address"], "count": 400},
                    {"type": ["address", "lies in", "city"], "count": 190},
                ],
                "hops": {
                    **{f"{table}.name": hop for table, hop in distances.items()},
                    "log.line": None,
                },
                "unreachable": ["log"],
                "reach": [
                    {
                        "hop": hop,
                        "table": table,
                        "mean": 0.0
                        if hop < first
                        else 1 - exp(-0.6 * (hop - first + 1)),
                        "p10": 0.0 if hop < first else 0.3,
                        "p90": 0.0 if hop < first else 1.0,
                    }
                    for hop, (table, first) in product(range(5), distances.items())
                ],
                "walk": [
                    {
                        "depth": depth,
                        "hop": hop,
                        "share": 1 / (depth + 1),
                        "squared": 1 / (depth + 1),
                    }
                    for depth in range(5)
                    for hop in range(depth + 1)
                ],
                "warnings": ["The table log is never seen by the target."],
            }
        )
    task = {"name": "prosperous", "target": "person.prosperous", "split": split}
    return {"task": task, "topologies": topologies}


def names_of(trial: Trial) -> dict[str, object]:
    return {
        "source": trial.source,
        "topology": trial.topology,
        "model": trial.model,
        "remedy": trial.remedy,
        "depth": trial.depth,
    }
