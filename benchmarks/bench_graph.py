"""From a database file to a graph: times as fast as pandas and RelBench, and memory.

    python benchmarks/bench_graph.py [ROWS …] [--repeats 3]

Two ways to turn a generated shop (eight tables in one SQLite file) into a graph with
features, every row a node and every foreign key an edge each way:

    relbench    pandas.read_sql of every table, then RelBench's make_pkey_fkey_graph
    ours        connect with an empty cache, infer_schema, define_task, plan and
                build_graph, until every direction is sorted by receiver

Each runs twice: *with statistics* RelBench encodes every column and describes it
(torch_frame's materialize), and ours infers keys and types from all rows, encodes every
column and describes it; *without* neither side has a column, and ours is told the keys
and types as RelBench always is. Every measurement is a process of its own whose imports
are left out; the fastest of three counts. The edges of both are compared one by one.

RelBench comes with the extra "bench" (pip install -e ".[bench]").
"""

import argparse
import importlib.util
import json
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import shop

if TYPE_CHECKING:
    from workbench.database import Database
    from workbench.schema import Schema

ROOT = Path(__file__).resolve().parent.parent
SIZES = (400_000, 1_300_000, 4_300_000)
REPEATS = 3
TARGET = "customer.segment"
MODES = ("with statistics", "without")
NUMBERS = frozenset({"INTEGER", "REAL"})

Edges = Mapping[str, np.ndarray]
Clock = Callable[[str], None]


def relbench(path: Path, mode: str, clock: Clock) -> Edges:
    """Return the edges of RelBench's graph, by child, key and direction."""
    import pandas as pd
    import sqlalchemy as sa
    from relbench.base import Database, Table
    from relbench.modeling.graph import make_pkey_fkey_graph
    from torch_frame import stype

    tables, stypes = {}, {}
    with sa.create_engine(f"sqlite:///{path}").connect() as connection:
        for name, columns in shop.TABLES.items():
            known = {}
            for column, declared in columns if mode == MODES[0] else ():
                if column == "at":
                    known[column] = stype.timestamp
                elif declared in NUMBERS:
                    known[column] = stype.numerical
                elif declared == "TEXT":
                    known[column] = stype.categorical
            dates = [one for one, kind in known.items() if kind == stype.timestamp]
            query = sa.text(f"SELECT * FROM {name}")
            frame = pd.read_sql(query, connection, parse_dates=dates)
            tables[name] = Table(frame, shop.references(name), pkey_col="id")
            stypes[name] = known
    clock("read_sql")
    graph, _ = make_pkey_fkey_graph(Database(tables), stypes)
    clock("make_pkey_fkey_graph")
    return {
        f"{source} {relation} {target}": graph[source, relation, target].edge_index
        for source, relation, target in graph.edge_types
    }


def ours(path: Path, mode: str, clock: Clock) -> Edges:
    """Return the edges of our graph, named as RelBench names them."""
    from workbench.database import connect
    from workbench.graph import build_graph
    from workbench.hints import TaskSpec
    from workbench.pyg import column_statistics
    from workbench.schema import infer_schema
    from workbench.task import define_task
    from workbench.topologies import TOPOLOGIES
    from workbench.topology import plan

    spec = TaskSpec(TARGET)
    with (
        tempfile.TemporaryDirectory() as cache,
        connect(path, cache=Path(cache)) as database,
    ):
        clock("connect")
        schema = infer_schema(database) if mode == MODES[0] else told(database)
        clock("infer_schema")
        task = define_task(database, schema, spec)
        clock("define_task")
        blueprint = plan(schema, spec, TOPOLOGIES["row2node"])
        clock("plan")
        graph = build_graph(database, schema, task, blueprint)
        clock("build_graph")
        ways = graph.directions
        clock("directions")
        if mode == MODES[0]:
            for features in graph.nodes.values():
                column_statistics(features)
        clock("column_statistics")
    keys = {key.id: key for key in schema.foreign_keys}
    found = {}
    for way in ways:
        (column,) = keys[way.relation].columns
        reverse = "rev_" if way.reverse else ""
        name = f"{way.source} {reverse}f2p_{column} {way.target}"
        found[name] = np.stack([way.senders, way.receivers])
    return found


def told(database: "Database") -> "Schema":
    """Return a schema of the shop's declared keys, without a look at its rows."""
    from workbench.relations import Column, ForeignKey, KeyOrigin, Schema, Table
    from workbench.stypes import Stype

    tables, keys = [], []
    for table in database.tables:
        columns = []
        for column in table.columns:
            is_target = f"{table.name}.{column.name}" == TARGET
            stype = Stype.CATEGORICAL if is_target else Stype.ID
            columns.append(
                Column(column.name, column.sql_type, stype, True, 0, 0, "told")
            )
        tables.append(Table(table.name, table.num_rows, ("id",), tuple(columns), None))
        for column, ref_table in shop.references(table.name).items():
            ends = (table.name, (column,), ref_table, ("id",))
            keys.append(ForeignKey(*ends, KeyOrigin.DECLARED, 0, 0, {}))
    return Schema(
        name=database.name,
        fingerprint=database.fingerprint,
        tables=tuple(tables),
        foreign_keys=tuple(keys),
        warnings=(),
        tasks={},
    )


WAYS: Mapping[str, Callable[[Path, str, Clock], Edges]] = {
    "relbench": relbench,
    "ours": ours,
}


@dataclass(frozen=True, slots=True)
class Taken:
    """What one process took: seconds by stage, and memory above its imports."""

    wall_s: Mapping[str, float]
    processor_s: Mapping[str, float]
    peak_bytes: int

    @property
    def wall(self) -> float:
        """Seconds by the clock."""
        return sum(self.wall_s.values())

    @property
    def processor(self) -> float:
        """Seconds of all cores together."""
        return sum(self.processor_s.values())


def one(way: str, path: str, mode: str, saved: str) -> None:
    """Run one way, save its edges and print what it took."""
    import pandas as pd  # noqa: F401 the imports of either way are left out
    import sqlalchemy as sa  # noqa: F401

    if way == "relbench":
        import relbench.modeling.graph  # noqa: F401
    else:
        import workbench.database
        import workbench.graph
        import workbench.pyg
        import workbench.schema
        import workbench.task
        import workbench.topologies  # noqa: F401

    wall_s, processor_s = {}, {}
    imported = _memory("VmRSS")
    last = [time.perf_counter(), time.process_time()]

    def clock(stage: str) -> None:
        now = [time.perf_counter(), time.process_time()]
        wall_s[stage], processor_s[stage] = now[0] - last[0], now[1] - last[1]
        last[:] = now

    edges = WAYS[way](Path(path), mode, clock)
    peak = _memory("VmHWM") - imported
    if saved:
        np.savez(saved, **{name: np.asarray(pair) for name, pair in edges.items()})
    print(json.dumps([wall_s, processor_s, peak]))


def _memory(name: str) -> int:
    for line in Path("/proc/self/status").read_text().splitlines():
        if line.startswith(f"{name}:"):
            return int(line.split()[1]) * 1024
    raise OSError(f"/proc/self/status does not tell {name}")


def measure(way: str, path: Path, mode: str, saved: str = "") -> Taken:
    """Return what one way took in a process of its own."""
    found = subprocess.run(
        [
            sys.executable,
            "-W",
            "ignore",
            __file__,
            "--one",
            way,
            str(path),
            mode,
            saved,
        ],
        stdout=subprocess.PIPE,
        text=True,
        check=True,
        cwd=ROOT,
    )
    return Taken(*json.loads(found.stdout.splitlines()[-1]))


def check_edges(folder: Path) -> int:
    """Return the number of edges that both sides saved, which are the same one by one.

    Raises:
        ValueError: They differ.
    """
    graphs = []
    for way in WAYS:
        with np.load(folder / f"{way}.npz") as found:
            graphs.append({name: _ordered(found[name]) for name in found})
    theirs, own = graphs
    if theirs.keys() != own.keys():
        raise ValueError(f"other kinds of edges: {theirs.keys() ^ own.keys()}")
    for name, edges in theirs.items():
        if not np.array_equal(edges, own[name]):
            raise ValueError(f"other edges: {name}")
    return sum(edges.shape[1] for edges in theirs.values())


def _ordered(edges: np.ndarray) -> np.ndarray:
    return edges[:, np.lexsort(edges[::-1])]


def best_of(
    path: Path, mode: str, ways: Sequence[str], repeats: int, folder: Path
) -> dict[str, Taken]:
    """Return the fastest run of each way; the first of each saves its edges."""
    found = {}
    for way in ways:
        saved = ["" if at else str(folder / f"{way}.npz") for at in range(repeats)]
        runs = [measure(way, path, mode, one) for one in saved]
        fastest = min(runs, key=lambda run: run.processor)
        found[way] = replace(fastest, peak_bytes=max(run.peak_bytes for run in runs))
    return found


def main() -> None:
    """Measure every size and print two tables."""
    parser = argparse.ArgumentParser()
    parser.add_argument("sizes", nargs="*", type=int, default=SIZES)
    parser.add_argument("--repeats", type=int, default=REPEATS)
    asked = parser.parse_args()
    ways = list(WAYS)
    if importlib.util.find_spec("relbench") is None:
        print('RelBench is not there (pip install -e ".[bench]"): ours alone.\n')
        ways = ["ours"]
    best: dict[tuple[str, str, int], Taken] = {}
    for size in asked.sizes:
        with tempfile.TemporaryDirectory() as name:
            folder = Path(name)
            path = folder / "shop.sqlite"
            shop.write_sqlite(path, size)
            for mode in MODES:
                taken = best_of(path, mode, ways, asked.repeats, folder)
                best |= {(mode, way, size): one for way, one in taken.items()}
                if len(ways) > 1:
                    number = check_edges(folder)
                    print(f"{size:,} rows, {mode}: {number:,} edges, all the same")
    _print_table(best, asked.sizes, ways)
    _print_stages(best, asked.sizes[-1])


def _print_table(
    best: Mapping[tuple[str, str, int], Taken],
    sizes: Sequence[int],
    ways: Sequence[str],
) -> None:
    head = (
        "mode",
        "way",
        "rows",
        "wall s",
        "processor s",
        "times as fast (wall)",
        "(processor)",
        "bytes a row",
        "exponent",
    )
    print(f"\n| {' | '.join(head)} |\n|{'---|' * len(head)}")
    for mode in MODES:
        for way in ways:
            for before, size in zip([None, *sizes], sizes, strict=False):
                taken, base = best[mode, way, size], best[mode, ways[0], size]
                grown = "–"
                if before is not None:
                    small = best[mode, way, before]
                    power = np.log(taken.processor / small.processor)
                    grown = f"{power / np.log(size / before):.2f}"
                print(
                    f"| {mode} | {way} | {size:,} | {taken.wall:.2f} |"
                    f" {taken.processor:.2f} | {base.wall / taken.wall:.1f} |"
                    f" {base.processor / taken.processor:.1f} |"
                    f" {taken.peak_bytes / size:.0f} | {grown} |"
                )


def _print_stages(best: Mapping[tuple[str, str, int], Taken], size: int) -> None:
    print(f"\n| mode | way | stage, {size:,} rows | wall s | processor s |")
    print("|---|---|---|---|---|")
    for (mode, way, rows), taken in best.items():
        for stage in taken.wall_s if rows == size else ():
            print(
                f"| {mode} | {way} | {stage} | {taken.wall_s[stage]:.2f} |"
                f" {taken.processor_s[stage]:.2f} |"
            )


if __name__ == "__main__":
    if "--one" in sys.argv:
        one(*sys.argv[2:])
    else:
        main()
