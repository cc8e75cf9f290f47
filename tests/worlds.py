"""Databases made up so that the best possible score is known at every hop.

Each generator writes an SQLite file and a hint file. What decides the label lies a
known number of hops away in the normalized graph; rows that hang on one root are in one
part of the split, so that no answer can be known by heart.
"""

import itertools
import sqlite3
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from tests.tiny import make_schema, make_table
from workbench.hints import Hints, TaskSpec, hints_to_toml
from workbench.planting.plant import Plant, Planted, Variant, plant_signal
from workbench.schema import Schema

NOISE = 0.1
SHARES = (0.6, 0.1, 0.3)
COLOURS = ("amber", "blue", "coral", "dun")
WARM = frozenset({"amber", "blue"})
LEAVES = 5  # children of a root in the world of colours


@dataclass(frozen=True)
class World:
    """A database whose answer is known.

    Attributes:
        source: The SQLite file.
        hints: The hint file beside it.
        task: What to predict.
        signal: ``table.column`` that decides the label, the farthest of them.
        roots: Number of roots among the test rows: what their scores vary by.
        best: Best accuracy on these test rows of who sees 0, 1, … hops of the
            normalized graph.
        summarised: The same of who sees summaries of children instead of children.
    """

    source: Path
    hints: Path
    task: str
    signal: str
    roots: int
    best: tuple[float, ...]
    summarised: float | None = None

    @property
    def hops(self) -> int:
        """How far away the signal is in the normalized graph."""
        return len(self.best) - 1


# --- planted by the product itself -------------------------------------------


def chain(folder: Path, hops: int = 3, roots: int = 500) -> World:
    """t0 → t1 → … : the bit of the row at the end of the chain."""
    return _of(_plant(folder, _chain_schema(hops), "t0", f"t{hops}.signal", roots))


def graded(folder: Path, hops: int = 3, roots: int = 800) -> World:
    """A bit in every table of a chain, with the same say: a curve and no step."""
    schema = _chain_schema(hops)
    signal = f"t{hops}.signal"
    return _of(_plant(folder, schema, "t0", signal, roots, Variant.GRADED))


def majority(folder: Path, roots: int = 1500) -> World:
    """What most of a row's three children say, each with a bit of its own."""
    schema = make_schema(
        [_table("root"), _table("leaf", "root_id", signal="boolean")],
        ["leaf.root_id->root"],
    )
    return _of(_plant(folder, schema, "root", "leaf.signal", roots))


def xor(folder: Path, hops: int = 2, roots: int = 500) -> World:
    """The bit at the end of a chain, turned over by a bit of the row's own.

    Neither bit alone says anything: only who sees both knows more than a coin.
    """
    found = _plant(folder, _chain_schema(hops), "t0", f"t{hops}.signal", roots)
    with closing(sqlite3.connect(found.path)) as connection, connection:
        number = connection.execute("SELECT count(*) FROM t0").fetchone()[0]
        bits = np.random.default_rng(1).integers(0, 2, number).tolist()
        rows = [row for (row,) in connection.execute("SELECT id FROM t0 ORDER BY id")]
        connection.execute("ALTER TABLE t0 ADD COLUMN own INTEGER")
        connection.executemany(
            "UPDATE t0 SET own = ?1, label = (label + ?1) % 2 WHERE id = ?2",
            list(zip(bits, rows, strict=True)),
        )
    return _of(found)


def distractors(
    folder: Path, hops: int = 2, fan_in: int = 8, roots: int = 500
) -> World:
    """A chain in which every row has so many more children that say nothing.

    The extra rows of t1, t2, … send by the same key as the ones on the way; no row to
    predict refers to them.
    """
    found = _plant(folder, _chain_schema(hops), "t0", f"t{hops}.signal", roots)
    rng = np.random.default_rng(2)
    with closing(sqlite3.connect(found.path)) as connection, connection:
        for at in range(1, hops):
            query = f"SELECT id FROM t{at + 1} ORDER BY id"
            parents = [parent for (parent,) in connection.execute(query)] * fan_in
            (last,) = connection.execute(f"SELECT max(id) FROM t{at}").fetchone()
            sizes = rng.standard_normal(len(parents)).tolist()
            connection.executemany(
                f"INSERT INTO t{at} (id, k{at + 1}, size) VALUES (?, ?, ?)",
                [
                    (last + place + 1, parent, size)
                    for place, (parent, size) in enumerate(
                        zip(parents, sizes, strict=True)
                    )
                ],
            )
    return _of(found)


def _table(name: str, *keys: str, **columns: str):
    stypes = {"id": "id", **dict.fromkeys(keys, "id"), "size": "numerical", **columns}
    return make_table(name, stypes, num_rows=0)


def _chain_schema(hops: int) -> Schema:
    tables = [_table(f"t{at}", f"k{at + 1}") for at in range(hops)]
    tables.append(_table(f"t{hops}", signal="boolean"))
    return make_schema(tables, [f"t{at}.k{at + 1}->t{at + 1}" for at in range(hops)])


def _plant(
    folder: Path,
    schema: Schema,
    target: str,
    signal: str,
    roots: int,
    variant: Variant = Variant.PLAIN,
) -> Planted:
    request = Plant(target, signal, variant, NOISE, roots)
    return plant_signal(schema, request, folder / "world.sqlite")


def _of(found: Planted) -> World:
    return World(
        source=found.path,
        hints=found.hints,
        task=found.task.name,
        signal=found.request.signal,
        roots=round(SHARES[2] * found.request.rows),
        best=tuple(each.accuracy for each in found.oracle),
    )


# --- written here -------------------------------------------------------------


def junction(folder: Path, roots: int = 500) -> World:
    """The bit of the one thing that a row is tied to, across a junction table."""
    rng = np.random.default_rng(3)
    bits, sides = _bits(rng, roots), _sides(rng, roots)
    root = rng.permutation(np.repeat(np.arange(roots), 4))
    labels = _noisy(rng, bits[root])
    tables = {
        "thing": {"signal": bits, "size": rng.standard_normal(roots)},
        "row": {
            "size": rng.standard_normal(len(root)),
            "label": labels,
            "split": sides[root],
        },
        "tie": {"row_id": np.arange(len(root)), "thing_id": root},
    }
    path = _write(folder, tables, {"row_id": "row", "thing_id": "thing"})
    test = sides[root] == "test"
    best = (0.5, 0.5, float((labels == bits[root])[test].mean()))
    return _described(path, "row", "thing.signal", int((sides == "test").sum()), best)


def marks(folder: Path, rows: int = 1500) -> World:
    """The mark on the one tie that leads out of a row, in a graph of rows and ties."""
    rng = np.random.default_rng(4)
    bits, sides = _bits(rng, rows), _sides(rng, rows)
    labels = _noisy(rng, bits)
    tables = {
        "spot": {
            "size": rng.standard_normal(rows),
            "label": labels,
            "split": sides,
        },
        "tie": {
            "from_id": np.arange(rows),
            "to_id": rng.permutation(rows),
            "mark": bits,
        },
    }
    path = _write(folder, tables, {"from_id": "spot", "to_id": "spot"})
    test = sides == "test"
    best = (0.5, float((labels == bits)[test].mean()))
    return _described(path, "spot", "tie.mark", int(test.sum()), best)


def colours(folder: Path, roots: int = 1500) -> World:
    """Whether most of a row's five children are amber or blue.

    The commonest colour and the number of different ones do not always tell.
    """
    rng = np.random.default_rng(5)
    held = rng.integers(0, len(COLOURS), (roots, LEAVES))
    names = np.array(COLOURS)[held]
    warm, sides = (held < len(WARM)).sum(axis=1) > LEAVES / 2, _sides(rng, roots)
    labels = _noisy(rng, warm.astype(np.int64))
    guess = guess_from_summary()
    guessed = np.array([guess[summary_of(row)] for row in names.tolist()])
    tables = {
        "root": {
            "size": rng.standard_normal(roots),
            "label": labels,
            "split": sides,
        },
        "leaf": {
            "root_id": np.repeat(np.arange(roots), LEAVES),
            "colour": names.ravel(),
        },
    }
    path = _write(folder, tables, {"root_id": "root"})
    test = sides == "test"
    right = np.where(guessed == 0.5, 0.5, labels == guessed)
    return _described(
        path,
        "root",
        "leaf.colour",
        int(test.sum()),
        (0.5, float((labels == warm)[test].mean())),
        float(right[test].mean()),
    )


def summary_of(colours_held: Iterable[str]) -> tuple[str, int]:
    """Return the commonest colour, of equals the first by name, and how many differ."""
    counts = Counter(colours_held)
    return min(counts, key=lambda name: (-counts[name], name)), len(counts)


def guess_from_summary() -> Mapping[tuple[str, int], float]:
    """Return the likelier answer for every summary of five children: 0, 1, or ½."""
    return {key: float(np.sign(share - 0.5) / 2 + 0.5) for key, share in _told()}


def right_from_summary() -> float:
    """Return how often the likelier answer is right, without noise."""
    total = len(COLOURS) ** LEAVES
    seen = Counter(summary_of(row) for row in _every_family())
    return sum(max(share, 1 - share) * seen[key] for key, share in _told()) / total


def _every_family() -> Iterable[tuple[str, ...]]:
    return itertools.product(COLOURS, repeat=LEAVES)


def _told() -> list[tuple[tuple[str, int], float]]:
    """Return the share of families with answer 1 among those of each summary."""
    seen: Counter[tuple[str, int]] = Counter()
    warm: Counter[tuple[str, int]] = Counter()
    for row in _every_family():
        key = summary_of(row)
        seen[key] += 1
        warm[key] += sum(name in WARM for name in row) > LEAVES / 2
    return [(key, warm[key] / seen[key]) for key in seen]


def _bits(rng: np.random.Generator, number: int) -> np.ndarray:
    return rng.integers(0, 2, number)


def _noisy(rng: np.random.Generator, bits: np.ndarray) -> np.ndarray:
    return np.where(rng.random(len(bits)) < NOISE, 1 - bits, bits)


def _sides(rng: np.random.Generator, number: int) -> np.ndarray:
    """Return the part of the split of every root, in the shares named above."""
    borders = np.cumsum(SHARES[:2]) * number
    place = np.searchsorted(borders, np.arange(number), side="right")
    return rng.permutation(np.array(["train", "val", "test"])[place])


def _write(
    folder: Path,
    tables: Mapping[str, Mapping[str, np.ndarray]],
    refs: Mapping[str, str],
) -> Path:
    """Write tables with an id from 0 and the keys that ``refs`` names by column."""
    path = folder / "world.sqlite"
    with closing(sqlite3.connect(path)) as connection, connection:
        for name, columns in tables.items():
            parts = [
                f'"{column}" REFERENCES "{refs[column]}" (id)'
                if column in refs
                else f'"{column}"'
                for column in columns
            ]
            listed = ", ".join(["id INTEGER PRIMARY KEY", *parts])
            connection.execute(f'CREATE TABLE "{name}" ({listed})')
            values = [array.tolist() for array in columns.values()]
            rows = zip(itertools.count(), *values, strict=False)
            marks_ = ", ".join("?" * (len(columns) + 1))
            connection.executemany(f'INSERT INTO "{name}" VALUES ({marks_})', rows)
    return path


def _described(
    path: Path,
    target: str,
    signal: str,
    roots: int,
    best: Sequence[float],
    summarised: float | None = None,
) -> World:
    spec = TaskSpec(
        target=f"{target}.label",
        split="column:split",
        metric="accuracy",
        name="planted",
    )
    hints = path.with_name("world.hints.toml")
    held = Hints(tasks={"planted": spec}, complete=True)
    hints.write_text(hints_to_toml(held), encoding="utf-8")
    return World(path, hints, "planted", signal, roots, tuple(best), summarised)


WORLDS: Mapping[str, Callable[[Path], World]] = {
    "chain": chain,
    "graded": graded,
    "xor": xor,
    "majority": majority,
    "colours": colours,
    "junction": junction,
    "marks": marks,
    "distractors": distractors,
}
