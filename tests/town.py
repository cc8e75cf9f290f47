"""A random town: few rows, every kind of key, and times on some of the tables."""

from pathlib import Path

import numpy as np

from tests.oracle import Oracle
from tests.tiny import make_task, open_tiny
from workbench.blueprint import Blueprint
from workbench.clock import row_times
from workbench.survey import Survey, survey
from workbench.task import Task
from workbench.topologies import plan_named

TABLES = """
CREATE TABLE region (id INTEGER PRIMARY KEY, x REAL, day TEXT);
CREATE TABLE city (id INTEGER PRIMARY KEY, kind TEXT, region INTEGER
  REFERENCES region (id));
CREATE TABLE person (id INTEGER PRIMARY KEY, y INTEGER, city INTEGER
  REFERENCES city (id), boss INTEGER REFERENCES person (id), day TEXT);
CREATE TABLE club (id INTEGER PRIMARY KEY, x REAL, city INTEGER REFERENCES city (id));
CREATE TABLE member (person INTEGER REFERENCES person (id),
  club INTEGER REFERENCES club (id), fee REAL, day TEXT);
CREATE TABLE island (id INTEGER PRIMARY KEY, x REAL);
"""
STYPES = {
    "region.x": "numerical",
    "city.kind": "categorical",
    "person.y": "numerical",
    "club.x": "numerical",
    "member.fee": "numerical",
    "island.x": "numerical",
}
TIMES = {"region": "day", "person": "day", "member": "day"}


def random_rows(seed: int) -> str:
    """Return statements that fill the tables; keys may be NULL or dangling."""
    draw = np.random.default_rng(seed)

    def key(count: int) -> str:
        value = int(draw.integers(0, count + 2))
        return "NULL" if value == 0 else str(value)

    def day() -> str:
        return f"'2020-01-{int(draw.integers(1, 29)):02d}'"

    rows = [f"INSERT INTO region VALUES ({at}, {at}, {day()});" for at in (1, 2, 3)]
    rows += [
        f"INSERT INTO city VALUES ({at}, '{'abc'[at % 3]}', {key(3)});"
        for at in range(1, 8)
    ]
    rows += [
        f"INSERT INTO person VALUES ({at}, {at % 2}, {key(7)}, {key(20)}, {day()});"
        for at in range(1, 21)
    ]
    rows += [f"INSERT INTO club VALUES ({at}, {at}, {key(7)});" for at in range(1, 6)]
    rows += [
        f"INSERT INTO member VALUES ({key(20)}, {key(5)}, {at}, {day()});"
        for at in range(12)
    ]
    return TABLES + "\n".join([*rows, "INSERT INTO island VALUES (1, 1);"])


class Town:
    """A random town: a database, its schema, a task and its rows read by hand."""

    def __init__(self, folder: Path, seed: int) -> None:
        sql = random_rows(seed)
        self.database, self.schema = open_tiny(folder, sql, STYPES, TIMES)
        self.oracle = Oracle.read(folder / "tiny.db", self.schema)
        times = row_times(self.database, self.schema, "person")
        self.task: Task = make_task("person.y", [0, 3, 4, 9, 17], times=times)

    def plan(self, topology: str) -> Blueprint:
        return plan_named(self.schema, self.task.spec, topology)

    def survey(self, blueprint: Blueprint, max_hops: int = 4) -> Survey:
        return survey(self.database, self.schema, self.task, blueprint, max_hops)

    def seen(self, blueprint: Blueprint, row: int) -> dict:
        return self.oracle.seen(blueprint, ("person", row))
