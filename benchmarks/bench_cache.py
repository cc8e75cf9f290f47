"""What is kept of graphs: seconds of a build with nothing kept, and with all of it.

    python benchmarks/bench_cache.py [ROWS] [--target customer.segment]

Graphs of all topologies over a generated shop of eight tables, each stage with the
database opened anew: nothing kept, everything kept, after one key is rejected in the
schema, and with nowhere to keep anything. "links" are also what a survey reads.
"""

import argparse
import tempfile
import time
from collections.abc import Iterator
from dataclasses import replace
from itertools import pairwise
from pathlib import Path

import shop

from workbench.database import Database, connect
from workbench.depot import Depot
from workbench.graph import build_graph
from workbench.schema import Schema, infer_schema
from workbench.survey import survey
from workbench.task import TaskSpec, define_task
from workbench.topologies import TOPOLOGIES, plan_named

TOGGLED = "item.product_id->product"


def stages(path: Path, cache: Path) -> Iterator[tuple[str, Database, bool]]:
    """Yield what is measured, an opened database, and whether a key is rejected."""
    for what, rejects, keeps in (
        ("imports and file", False, False),
        ("nowhere to keep it", False, False),
        ("nothing kept", False, True),
        ("all kept", False, True),
        ("one key rejected", True, True),
        ("the same again", True, True),
    ):
        with connect(path, cache=cache) as database:
            if not keeps:
                database.depot = Depot(None)
            yield what, database, rejects


def seconds(database: Database, rejects: bool, target: str) -> list[float]:
    """Return processor seconds of the schema, of building and of surveying."""
    took = [time.process_time()]
    schema = infer_schema(database)
    took.append(time.process_time())
    schema = without(schema, TOGGLED) if rejects else schema
    spec = TaskSpec(target)
    task = define_task(database, schema, spec)
    plans = [plan_named(schema, spec, name) for name in TOPOLOGIES]
    took.append(time.process_time())
    for one in plans:
        build_graph(database, schema, task, one)
    took.append(time.process_time())
    for one in plans:
        survey(database, schema, task, one)
    took.append(time.process_time())
    return [after - before for before, after in pairwise(took)]


def without(schema: Schema, key: str) -> Schema:
    """Return a schema without one of its keys."""
    kept = tuple(one for one in schema.foreign_keys if one.id != key)
    return replace(schema, foreign_keys=kept)


def main() -> None:
    """Print a table of processor seconds."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("rows", type=int, nargs="?", default=100_000)
    parser.add_argument("--target", default="customer.segment")
    asked = parser.parse_args()
    print(f"Processor seconds, {asked.rows:,} rows, {len(TOPOLOGIES)} graphs\n")
    print("| what | schema | task and plans | graphs | surveys |")
    print("|---|---|---|---|---|")
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        shop.write_sqlite(folder / "shop.db", asked.rows)
        for what, database, rejects in stages(folder / "shop.db", folder / "cache"):
            found = seconds(database, rejects, asked.target)
            if what != "imports and file":
                cells = " | ".join(f"{one:.2f}" for one in found)
                print(f"| {what} | {cells} |", flush=True)
        parts = sum(one.stat().st_size for one in folder.glob("cache/graphs/*"))
        print(f"\nKept in the end: {parts / 1e6:.1f} MB")


if __name__ == "__main__":
    main()
