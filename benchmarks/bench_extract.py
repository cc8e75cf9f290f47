"""Reading a database: how much faster than pandas.read_sql, and how much memory.

    python benchmarks/bench_extract.py [rows, 2000000 by default]

Three ways to have every table of a generated shop (eight tables) in memory or on disk,
each in a process of its own on one and the same file or server:

    pandas      pandas.read_sql of every table, one after the other, through SQLAlchemy
    extraction  what the workbench reads: every table as Arrow batches, types checked
    snapshot    the same, written into the columnar file that all later steps read

Memory is the growth of the process's peak over 0.4 and 4 million rows, a row.
PostgreSQL is the machine's own, or the one of the wheel that the tests use.
"""

import json
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import shop

ROOT = Path(__file__).resolve().parent.parent
REPEATS = 3
LARGE = 2_000_000  # rows; with fewer the growth of memory is not measured


def pandas(address: str) -> int:
    """Return the number of rows that pandas.read_sql gives over all tables."""
    import pandas as pd
    import sqlalchemy as sa

    engine = sa.create_engine(address)
    with engine.connect() as connection:
        return sum(
            len(pd.read_sql(sa.text(f"SELECT * FROM {table}"), connection))
            for table in shop.TABLES
        )


def extraction(address: str) -> int:
    """Return the number of rows of all Arrow batches."""
    from workbench.address import parse_address
    from workbench.reader import Request
    from workbench.readers import READERS

    found = parse_address(address)
    request = Request(found.shown, paths=found.paths, url=found.url)
    with READERS[found.kind](request) as reader:
        reflection = reader.reflect()
        return sum(
            batch.num_rows
            for table in reflection.tables
            for batch in reader.batches(table, reflection.types)
        )


def snapshot(address: str) -> int:
    """Return the number of rows of a snapshot that is written anew."""
    from workbench.database import connect

    with (
        tempfile.TemporaryDirectory() as cache,
        connect(address, cache=Path(cache)) as database,
    ):
        return sum(table.num_rows for table in database.tables)


WAYS: dict[str, Callable[[str], int]] = {
    "pandas": pandas,
    "extraction": extraction,
    "snapshot": snapshot,
}


def measure(way: str, address: str) -> tuple[float, float, int]:
    """Return seconds, peak megabytes and rows of one way in a process of its own."""
    found = subprocess.run(
        [sys.executable, __file__, "--one", way, address],
        capture_output=True,
        text=True,
        check=True,
        cwd=ROOT,
    )
    return tuple(json.loads(found.stdout.splitlines()[-1]))


def one(way: str, address: str) -> None:
    """Run one way and print what it took."""
    import pandas as pd  # noqa: F401 the imports of all ways are left out of the time
    import pyarrow as pa  # noqa: F401

    import workbench.database  # noqa: F401

    started = time.perf_counter()
    num_rows = WAYS[way](address)
    seconds = time.perf_counter() - started
    for line in Path("/proc/self/status").read_text().splitlines():
        if line.startswith("VmHWM:"):
            print(json.dumps([seconds, int(line.split()[1]) / 1000, num_rows]))


def compare(name: str, address: str) -> None:
    """Print one line for every way of reading one source."""
    times = {way: [measure(way, address) for _ in range(REPEATS)] for way in WAYS}
    slowest = min(seconds for seconds, _, _ in times["pandas"])
    for way, found in times.items():
        seconds = min(each[0] for each in found)
        peak = max(each[1] for each in found)
        print(
            f"{name:12} {way:12} {found[0][2]:>10,} rows {seconds:8.2f} s"
            f" {slowest / seconds:6.1f}x {peak:8.0f} MB"
        )


def memory(way: str, address_of: Callable[[int], str]) -> None:
    """Print how the peak grows with the number of rows."""
    small, large = (measure(way, address_of(rows)) for rows in (400_000, 4_000_000))
    grown = (large[1] - small[1]) * 1e6 / (large[2] - small[2])
    print(f"sqlite       {way:12} {grown:8.0f} bytes a row")


def main() -> None:
    """Measure SQLite, then PostgreSQL, then memory."""
    num_rows = int(sys.argv[1]) if len(sys.argv) > 1 else LARGE
    with tempfile.TemporaryDirectory() as folder:

        def sqlite_of(rows: int) -> str:
            path = Path(folder) / f"shop-{rows}.sqlite"
            if not path.exists():
                shop.write_sqlite(path, rows)
            return f"sqlite:///{path}"

        compare("sqlite", sqlite_of(num_rows))
        for way in ("extraction", "snapshot") if num_rows >= LARGE else ():
            memory(way, sqlite_of)
    sys.path.insert(0, str(ROOT))
    import sqlalchemy as sa

    from tests.servers import postgresql

    with postgresql() as url:
        engine = sa.create_engine(url)
        with engine.begin() as connection:
            for table, columns in shop.TABLES.items():
                listed = ", ".join(
                    f"{column} {declared.replace('INTEGER', 'BIGINT')}"
                    for column, declared in columns
                )
                connection.exec_driver_sql(
                    f"CREATE TABLE {table} ({listed.replace('REAL', 'FLOAT8')})"
                )
                with connection.connection.cursor().copy(
                    f"COPY {table} FROM STDIN"
                ) as copy:
                    for chunk in shop.rows(table, num_rows):
                        for row in chunk:
                            copy.write_row(row)
        engine.dispose()
        compare("postgresql", url.render_as_string(hide_password=False))


if __name__ == "__main__":
    if "--one" in sys.argv:
        one(*sys.argv[2:])
    else:
        main()
