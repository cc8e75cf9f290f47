"""The way to a planted signal, and rows on it that come in groups of their own."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from workbench.errors import SchemaError
from workbench.planting.generate import row_counts
from workbench.planting.invention import generator
from workbench.planting.kinship import is_one_to_one
from workbench.planting.optimum import Plant
from workbench.schema import ForeignKey, Schema

FAN_OUT = 3  # rows of a table for one they refer to, where the signal is a majority


@dataclass(frozen=True, slots=True)
class Step:
    """One key on the way.

    Attributes:
        key: The key.
        is_up: Whether it is followed from the row that refers to the one referred to.
    """

    key: ForeignKey
    is_up: bool

    @property
    def end(self) -> str:
        """The table it leads to."""
        return self.key.ref_table if self.is_up else self.key.table


@dataclass(frozen=True, slots=True)
class Way:
    """A shortest way along keys."""

    start: str
    steps: tuple[Step, ...]

    @property
    def tables(self) -> tuple[str, ...]:
        """The tables on the way, both ends included."""
        return (self.start, *(step.end for step in self.steps))


def find_way(schema: Schema, start: str, end: str) -> Way:
    """Return a shortest way along keys, through many-to-one keys where there is one.

    Raises:
        SchemaError: A table is not there, or no keys lead from one to the other.
    """
    schema.table(start)
    schema.table(end)
    ways: dict[str, tuple[Step, ...]] = {start: ()}
    waiting = [start]
    while waiting:
        table = waiting.pop(0)
        ups = [Step(key, True) for key in schema.keys_from(table)]
        downs = [Step(key, False) for key in schema.keys_into(table)]
        for step in [*ups, *downs]:
            if step.end not in ways:
                ways[step.end] = (*ways[table], step)
                waiting.append(step.end)
    if end not in ways:
        near = ", ".join(sorted(set(ways) - {start})) or "none"
        raise SchemaError(
            f'No keys lead from "{start}" to "{end}"; these tables can be reached:'
            f" {near}."
        )
    return Way(start, ways[end])


@dataclass(frozen=True, slots=True)
class Layout:
    """The rows on the way: group by group, and how they refer to one another.

    Attributes:
        counts: Rows of every table.
        groups: The group of every row, by table on the way.
        links: The row of the parent, by key on the way.
    """

    counts: Mapping[str, int]
    groups: Mapping[str, np.ndarray]
    links: Mapping[str, np.ndarray]


def lay_out(schema: Schema, way: Way, request: Plant) -> Layout:
    """Return rows for the tables on a way, in groups that no key leads out of.

    Args:
        schema: The tables; where they have rows, the others keep their proportions.
        way: From the target to the signal.
        request: How many groups, and the seed.
    """
    sizes = dict(zip(way.tables, _group_sizes(schema, way), strict=True))
    counts = row_counts(schema, request.rows)
    known = schema.table(way.start).num_rows
    if known:  # as many times the target's rows as in the schema
        times = request.rows * sizes[way.start] / known
        for table in schema.tables:
            counts[table.name] = max(10, round(times * table.num_rows))
    counts |= {table: request.rows * size for table, size in sizes.items()}
    slots, rows = {}, {}
    for table, size in sizes.items():
        rng = generator(request.seed, table, "place on the way")
        slots[table] = rng.permutation(request.rows * size)
        rows[table] = np.argsort(slots[table])
    links: dict[str, np.ndarray] = {}
    fixed: dict[str, int] = {}
    for step in way.steps:
        child, parent = step.key.table, step.key.ref_table
        group, place = np.divmod(slots[child], sizes[child])
        # A junction's second key turns once its first has gone round: no pair twice.
        place = place // fixed.get(child, 1) % sizes[parent]
        fixed[child] = sizes[parent]
        links[step.key.id] = rows[parent][group * sizes[parent] + place]
    groups = {table: slots[table] // size for table, size in sizes.items()}
    return Layout(counts, groups, links)


def _group_sizes(schema: Schema, way: Way) -> list[int]:
    """Return how many rows of each table on the way a group holds.

    Many-to-one ways as in the generator of the ground-truth tests: one row at the far
    end, two on the way, four of the target; three rows for one where it goes down.
    """
    sizes = [1.0]
    for place in reversed(range(len(way.steps))):
        step = way.steps[place]
        is_end = place in (0, len(way.steps) - 1)
        if is_one_to_one(schema, step.key):
            times = 1.0
        elif step.is_up:
            times = 2.0 if is_end else 1.0
        else:
            times = 1 / FAN_OUT
        sizes.append(sizes[-1] * times)
    smallest = min(size for size in sizes)
    scale = 1 / smallest if smallest < 1 else 1.0
    return [max(1, round(size * scale)) for size in reversed(sizes)]
