"""How well keys that nobody declares are found, and how long the search takes.

Every key that a sample declares, or its hint file names, is hidden; the rows are then
asked again, and what is used is compared with what was hidden.

    python benchmarks/bench_keys.py [SAMPLE ...]
"""

import sqlite3
import sys
import tempfile
import time
from dataclasses import replace
from pathlib import Path

from workbench.database import connect
from workbench.errors import SampleError
from workbench.hints import Hints
from workbench.samples import SAMPLES
from workbench.schema import ForeignKey, Schema, infer_schema

NUM_TABLES = 300
Key = tuple[str, frozenset[tuple[str, str]], str]

# True in every row, and left out of the hint file, which says why (sample_dbs/README).
ALSO_TRUE: dict[str, set[Key]] = {
    "lahman": {
        (
            "ManagersHalf",
            frozenset((one, one) for one in ("playerID", "yearID", "inseason")),
            "Managers",
        )
    },
}


def identity(key: ForeignKey) -> Key:
    """Return what makes two keys the same, whatever the order of their columns."""
    pairs = zip(key.columns, key.ref_columns, strict=True)
    return key.table, frozenset(pairs), key.ref_table


def score(name: str) -> str:
    """Return a line: precision, recall and seconds for a sample."""
    with connect(f"sample:{name}") as database:
        truth = infer_schema(database)
        database.tables = tuple(
            replace(table, primary_key=(), foreign_keys=()) for table in database.tables
        )
        started = time.perf_counter()
        found = infer_schema(database, Hints())
        seconds = time.perf_counter() - started
    return line(name, truth, found, seconds)


def line(name: str, truth: Schema, found: Schema, seconds: float) -> str:
    """Return precision and recall of foreign and primary keys."""
    wanted = {identity(key) for key in truth.foreign_keys}
    used = {identity(key) for key in found.foreign_keys}
    shown = used | {identity(key) for key in found.suggested_keys}
    forgiven = used - ALSO_TRUE.get(name, set())
    primary = {(one.name, frozenset(one.primary_key)) for one in truth.tables}
    guessed = {(one.name, frozenset(one.primary_key)) for one in found.tables}
    rows = sum(table.num_rows for table in truth.tables)
    return (
        f"{name:20}{len(truth.tables):7}{rows:10,}{len(wanted):6}"
        f"{share(wanted & used, used):>11}{share(wanted & forgiven, forgiven):>11}"
        f"{share(wanted & used, wanted):>8}{share(wanted & shown, wanted):>8}"
        f"{share(primary & guessed, primary):>9}{seconds:9.1f}"
    )


def share(part: set, whole: set) -> str:
    """Return a share with three digits, or a dash of nothing."""
    return f"{len(part) / len(whole):.3f}" if whole else "-"


def many_tables(folder: Path) -> str:
    """Return how long a database of many small tables takes."""
    path = folder / "many.db"
    starts = "bar cor del fen gal hem jor kel lum mor nar pol rus sel tam"
    ends = "ack ance eline ier ism ist itude ity ment ness old oon ora ow ue umn yard"
    num_keys = 0
    words = [
        f"{start}{end}{more}"
        for start in starts.split()
        for end in ends.split()
        for more in ("", "er")
    ]
    with sqlite3.connect(path) as connection:
        for number in range(NUM_TABLES):
            parents = [one for one in (number // 2, number // 3) if one < number]
            columns = [f"{words[one]}_id INTEGER" for one in sorted(set(parents))]
            columns += ["name TEXT", "code TEXT", "amount INTEGER", "rate REAL"]
            columns += ["status TEXT", "created_at TEXT"]
            connection.execute(
                f"CREATE TABLE {words[number]} (id INTEGER, {', '.join(columns)})"
            )
            links = len(set(parents))
            num_keys += links
            rows = [
                (
                    at,
                    *[1 + at * (7 + number) % 61] * links,
                    f"name {number} {at % 40}",
                    f"{number}-{at % 30}",
                    at % 60,
                    at / 7,
                    "abc"[at % 3],
                    f"2024-01-{1 + (at * 5 + number) % 28:02}",
                )
                for at in range(1, 101)
            ]
            marks = ", ".join("?" * len(rows[0]))
            connection.executemany(
                f"INSERT INTO {words[number]} VALUES ({marks})", rows
            )
    connection.close()
    with connect(path, cache=folder / "cache") as database:
        started = time.perf_counter()
        schema = infer_schema(database, Hints())
        seconds = time.perf_counter() - started
    return (
        f"{NUM_TABLES} small tables with {num_keys} keys:"
        f" {len(schema.foreign_keys)} used, {len(schema.suggested_keys)} suggested,"
        f" {seconds:.1f} s"
    )


def main() -> None:
    """Print a line a sample."""
    print(
        f"{'':20}{'':7}{'':10}{'':6}{'precision':>11}{'with also':>11}{'recall':>8}"
        f"{'shown':>8}{'primary':>9}"
    )
    print(
        f"{'sample':20}{'tables':>7}{'rows':>10}{'keys':>6}{'':11}{'true':>11}"
        f"{'':8}{'':8}{'':9}{'seconds':>9}"
    )
    for name in sys.argv[1:] or SAMPLES:
        try:
            print(score(name), flush=True)
        except SampleError as error:
            print(f"{name:20}{error}")
    if len(sys.argv) == 1:
        with tempfile.TemporaryDirectory() as folder:
            print(many_tables(Path(folder)))


if __name__ == "__main__":
    main()
