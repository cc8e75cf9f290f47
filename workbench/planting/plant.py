"""A signal planted in made-up rows: the answer, and how far away it is, are known.

With a schema and no rows nothing real can be compared. What can be is whether networks
find a signal that is known to lie a number of hops away, and how deep they must be.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
from scipy.sparse import csr_array

from workbench.errors import SchemaError, unknown
from workbench.hints import Hints, TaskSpec, hints_to_toml
from workbench.planting.drawing import Plan
from workbench.planting.generate import write_plan
from workbench.planting.invention import Values, generator
from workbench.planting.optimum import (
    Optimal,
    Plant,
    Variant,
    achieved,
    best_possible,
    chance_of_one,
    expected,
    read_variant,
)
from workbench.planting.way import Layout, Way, find_way, lay_out
from workbench.schema import Schema, Stype

__all__ = [
    "Optimal",
    "Plant",
    "Planted",
    "Variant",
    "best_possible",
    "find_way",
    "plant_signal",
    "plant_signals",
    "read_variant",
]

SHARES = (0.6, 0.7)  # training ends at the first, validation at the second
SIDES = ("train", "val", "test")
OWN_NAME = "signal"  # a column of this name is added where there is none


@dataclass(frozen=True, slots=True)
class Planted:
    """What was planted.

    Attributes:
        request: What was asked for.
        path: The SQLite file.
        hints: The hint file beside it, with the ready-made task.
        task: The ready-made task.
        tables: From the target to the signal's table.
        keys: The keys on the way, by id.
        bayes: The best possible scores in expectation, for 0, 1, … hops.
        oracle: The same predictor's scores on the labels of the test rows.
    """

    request: Plant
    path: Path
    hints: Path
    task: TaskSpec
    tables: tuple[str, ...]
    keys: tuple[str, ...]
    bayes: tuple[Optimal, ...]
    oracle: tuple[Optimal, ...]

    @property
    def hops(self) -> int:
        """How many hops away the signal is."""
        return len(self.keys)


def plant_signal(schema: Schema, request: Plant, path: Path) -> Planted:
    """Write rows for a schema in which a label depends on a column some hops away.

    The way is a shortest one along keys, many-to-one where there is a choice. A plain
    label is the signal's bit of the row that the way leads to, turned over in a share
    ``noise`` of rows. Where the way goes from a row to those that refer to it, the bit
    is the majority of theirs, a tie being broken by a coin. A graded label is drawn
    with probability sigmoid(Σ ±1) over such bits of every table on the way.

    Rows on the way come in groups that share none, and a group is in one part of the
    split (60/10/30), so that no answer can be known by heart. Every other column is
    noise.

    Args:
        schema: The tables, their keys and types.
        request: What to plant.
        path: The SQLite file, which must not exist yet. ``NAME.hints.toml`` is written
            beside it.

    Raises:
        SchemaError: A table or column is not there, the signal is part of a key, no
            keys lead to it, or the keys allow no such rows.

    Source: the FK-chain generator of the ground-truth tests; differs in: any schema,
        ways from one to many.
    """
    return plant_signals(schema, (request,), path)[0]


def plant_signals(
    schema: Schema, requests: Sequence[Plant], path: Path
) -> tuple[Planted, ...]:
    """Plant several signals in the same rows; each task hides the others' labels.

    Their targets, rows and seeds are the first one's, and so is the table of the
    signal. The ready-made tasks are ``planted`` and ``planted-graded``.
    """
    _check_free(path)
    first = requests[0]
    if "." not in first.signal:
        raise SchemaError(
            f'The signal "{first.signal}" names no column; write TABLE.COLUMN, such as'
            f' "{first.target}.{OWN_NAME}".'
        )
    way = find_way(schema, first.target, first.signal.rpartition(".")[0])
    layout = lay_out(schema, way, first)
    grown = _Grown(schema, way, layout)
    split = grown.split()
    labels = [grown.add(request) for request in requests]
    tested = grown.side == SIDES.index("test")
    plan = Plan(layout.counts, layout.links, grown.columns, first.seed)
    write_plan(schema, path, plan)
    results = []
    for request, label in zip(requests, labels, strict=True):
        others = [f"{first.target}.{one.name}" for one in labels if one is not label]
        bayes = expected(request, label.sizes)
        oracle = achieved(request, label.states[tested], label.values[tested])
        is_plain = request.variant is Variant.PLAIN
        best = oracle[-1].accuracy if is_plain else oracle[-1].auroc
        task = TaskSpec(
            target=f"{first.target}.{label.name}",
            hide=tuple(others),
            split=f"column:{split}",
            # The accuracy of a graded signal rises at every other hop only.
            metric="accuracy" if is_plain else "roc-auc",
            name=_task_name(request),
            description=_describe(request, way),
            optimal=round(best, 6),
        )
        results.append((request, task, bayes, oracle))
    hints = path.with_name(f"{path.stem}.hints.toml")
    held = Hints(tasks={task.name: task for _, task, _, _ in results}, complete=True)
    hints.write_text(hints_to_toml(held), encoding="utf-8")
    return tuple(
        Planted(
            request=request,
            path=path,
            hints=hints,
            task=task,
            tables=way.tables,
            keys=tuple(step.key.id for step in way.steps),
            bayes=bayes,
            oracle=oracle,
        )
        for request, task, bayes, oracle in results
    )


def _check_free(path: Path) -> None:
    """Refuse to write over a file, or into a folder that is not there."""
    if path.exists():
        raise SchemaError(f'There is a file "{path}" already; choose another name.')
    if not path.parent.is_dir():
        raise SchemaError(f'There is no folder "{path.parent}" to write into.')


@dataclass(frozen=True, slots=True)
class _Label:
    """A label and what decided it.

    Attributes:
        name: The column.
        values: int64 ``[rows]``: 0 or 1.
        states: float64 ``[rows, hops + 1]``: 0 or 1 where a bit or most of several say
            so, a half where they tie.
        sizes: int64 ``[rows, hops + 1]``: how many bits each state is the majority of.
    """

    name: str
    values: np.ndarray
    states: np.ndarray
    sizes: np.ndarray


@dataclass(slots=True)
class _Grown:
    """Columns that are added to the rows on the way."""

    schema: Schema
    way: Way
    layout: Layout
    columns: dict[str, dict[str, tuple[str, Values]]] = field(default_factory=dict)
    side: np.ndarray = field(default_factory=lambda: np.empty(0))

    def split(self) -> str:
        """Add the column that says which part of the split a row is in."""
        groups = self.layout.groups[self.way.start]
        number = int(groups.max()) + 1
        order = generator(0, "split").permutation(number)
        of_group = np.searchsorted(SHARES, (order + 0.5) / number)
        self.side = of_group[groups]
        values: Values = [SIDES[side] for side in self.side]
        return self._add(self.way.start, "split", "TEXT", values)

    def add(self, request: Plant) -> _Label:
        """Plant one signal and add the label that it decides."""
        table, _, column = request.signal.rpartition(".")
        if request.target != self.way.start or table != self.way.tables[-1]:
            raise SchemaError("Signals planted together share their tables.")
        self._check_signal(table, column)
        graded = request.variant is Variant.GRADED
        states, sizes = [], []
        reached = csr_array(np.eye(1))
        for hop, name in enumerate(self.way.tables):
            reached = self._reached(hop, reached)
            bits = np.zeros(self.layout.counts[name])
            if graded or hop == len(self.way.steps):
                own = column if hop == len(self.way.steps) else "bit"
                rng = generator(request.seed, name, own, request.variant)
                bits = rng.integers(0, 2, len(bits))
                self._put(name, own, bits, replaces=hop == len(self.way.steps))
            size = np.asarray(reached.sum(axis=1)).ravel()
            ones = np.asarray(reached @ bits).ravel()
            states.append((1 + np.sign(2 * ones - size)) / 2)
            sizes.append(size.astype(np.int64))
        known, counted = np.column_stack(states), np.column_stack(sizes)
        values = _draw_labels(request, known)
        name = self._add(self.way.start, "label", "INTEGER", values.tolist())
        return _Label(name, values, known, counted)

    def _reached(self, hop: int, before: csr_array) -> csr_array:
        """Return which rows of the table at a hop each target row leads to."""
        number = self.layout.counts[self.way.start]
        if hop == 0:
            rows = np.arange(number)
            ones = np.ones(number)
            return csr_array((ones, (rows, rows)), shape=(number, number))
        step = self.way.steps[hop - 1]
        links = self.layout.links[step.key.id]
        shape = (len(links), self.layout.counts[step.key.ref_table])
        entries = (np.ones(len(links)), (np.arange(len(links)), links))
        one = csr_array(entries, shape=shape)
        found = csr_array(before @ (one if step.is_up else one.T))
        found.data[:] = 1  # a row that is reached twice counts once
        return found

    def _check_signal(self, table: str, column: str) -> None:
        held = self.schema.table(table)
        names = [each.name for each in held.columns]
        if column not in names and column != OWN_NAME:
            raise SchemaError(unknown(f'column of "{table}"', column, names))
        keys = [*self.schema.keys_from(table), *self.schema.keys_into(table)]
        tied = set(held.primary_key) | {
            name for key in keys for owner, name in key.reads if owner == table
        }
        if column in tied:
            free = ", ".join(name for name in names if name not in tied) or OWN_NAME
            raise SchemaError(
                f'The column "{table}.{column}" is part of a key, so it can hold no'
                f" signal; choose from {free}."
            )

    def _put(self, table: str, name: str, bits: np.ndarray, replaces: bool) -> None:
        """Add a column of bits, written as its declared type would write them."""
        for column in self.schema.table(table).columns if replaces else ():
            if column.name == name:
                is_number = column.stype in (Stype.NUMERICAL, Stype.BOOLEAN)
                kind = column.sql_type if is_number else "INTEGER"
                held = self.columns.setdefault(table, {})
                held[name] = (kind, bits.tolist())
                return
        self._add(table, name, "INTEGER", bits.tolist())

    def _add(self, table: str, name: str, sql_type: str, values: Values) -> str:
        """Add a column under its name, or one like it where that is taken."""
        held = self.columns.setdefault(table, {})
        taken = {each.name.casefold() for each in self.schema.table(table).columns}
        taken |= {each.casefold() for each in held}
        free, number = name, 2
        while free.casefold() in taken:
            free, number = f"{name}_{number}", number + 1
        held[free] = (sql_type, values)
        return free


def _draw_labels(request: Plant, states: np.ndarray) -> np.ndarray:
    """Draw labels from what decides them; a tie is broken by a coin."""
    rng = generator(request.seed, request.target, "label", request.variant)
    coins = rng.integers(0, 2, states.shape)
    bits = np.where(states == 0.5, coins, states)
    chance = rng.random(len(states))
    return (chance < chance_of_one(request, bits)).astype(np.int64)


def _task_name(request: Plant) -> str:
    return "planted" if request.variant is Variant.PLAIN else "planted-graded"


def _describe(request: Plant, way: Way) -> str:
    hops = len(way.steps)
    far = (
        "in the row itself" if not hops else f"{hops} hop{'s' if hops > 1 else ''} away"
    )
    if request.variant is Variant.PLAIN:
        share = f"{100 * request.noise:g} % of the labels are turned over"
        return f"A planted label: {request.signal}, {far}, decides it, and {share}."
    return (
        f"A planted label: a bit in every table up to {request.signal}, {far}, has the"
        " same say, so the score rises step by step."
    )
