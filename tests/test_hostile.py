"""Whatever is opened gives a database or one sentence, and touches nothing else."""

import csv
import gzip
import io
import os
import random
import sqlite3
import tarfile
import tempfile
import threading
import time
import tracemalloc
import zipfile
from collections.abc import Callable, Iterator
from pathlib import Path

import duckdb
import openpyxl
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.tiny import write_sqlite
from workbench.database import Database, Limits, connect
from workbench.errors import DatabaseError
from workbench.reader import Request, quote
from workbench.readers.files import open_files
from workbench.snapshot import take_snapshot

ABSURD = [
    'a"b', "it's", "x\ny", "\t", "", "  ", "sel;ect", "SELECT", "id", "ID", "Id",
    "a.b", "a_b", "__row", "名前", "émoji🎉", "-- x", "/* x */", "$1", "?", "%s", "{0}",
    "a\\", "`", "[x]", "NULL", "1", "\u202eabc", "a" * 200,
]  # fmt: skip
FUZZED = ("csv", "zip", "xlsx", "parquet", "sqlite", "duckdb", "tar", "csv.gz")


@pytest.fixture
def private(tmp_path: Path) -> Iterator[Path]:
    """Give private folders a place where it can be seen that they are gone."""
    place = tmp_path / "private"
    place.mkdir()
    before = tempfile.tempdir
    tempfile.tempdir = str(place)
    yield place
    tempfile.tempdir = before


def names_of(database: Database, table: str) -> list[str]:
    return [column.name for column in database.table(table).columns]


def state_of(folder: Path) -> dict[str, tuple[int, int]]:
    found = {str(path): path.lstat() for path in folder.rglob("*")}
    return {name: (stat.st_size, stat.st_mtime_ns) for name, stat in found.items()}


def survives(path: Path) -> bool:
    """Return whether a file is a database; it is one, or one sentence is raised."""
    told = None
    try:
        with connect(path, limits=Limits(megabytes=50, seconds=30)) as database:
            for table in database.tables:
                database.arrow(table.name, names_of(database, table.name))
    except DatabaseError as error:
        told = str(error)
    assert told is None or (told.endswith(".") and "\n" not in told)
    return told is None


def write_absurd(path: Path) -> None:
    columns = ABSURD if path.suffix != ".parquet" else list(dict.fromkeys(ABSURD))
    row = [str(at) for at in range(len(columns))]
    match path.suffix:
        case ".csv":
            with path.open("w", newline="") as file:
                csv.writer(file, quoting=csv.QUOTE_ALL).writerows(
                    [columns, row, ["x", *row[1:]]]
                )
        case ".xlsx":
            book = openpyxl.Workbook()
            sheet = book.worksheets[0]
            sheet.title = "t"
            for cells in ([name or None for name in columns], row, ["x", *row[1:]]):
                sheet.append(cells)
            book.save(path)
        case ".parquet":
            arrays = [pa.array([value, value]) for value in row]
            pq.write_table(pa.table(arrays, names=columns), path)
        case _:
            names = {name.casefold(): name for name in columns if name}
            listed = ", ".join(f"{quote(name)} TEXT" for name in names.values())
            with duckdb.connect(str(path)) as connection:
                connection.execute(f"CREATE TABLE t ({listed})")
                marks = ", ".join("?" for _ in names)
                connection.execute(f"INSERT INTO t VALUES ({marks})", row[: len(names)])


@pytest.mark.parametrize("ending", [".csv", ".xlsx", ".parquet", ".duckdb"])
def test_absurd_names_are_told_apart_and_can_be_asked_for(
    tmp_path: Path, ending: str
) -> None:
    path = tmp_path / f"t{ending}"
    write_absurd(path)
    with connect(path) as database:
        (table,) = database.tables
        names = names_of(database, table.name)
        folded = {name.casefold() for name in names}
        assert len(folded) == len(names) > 20
        assert "__row" not in folded
        assert not any("." in name or "\n" in name for name in names)
        assert database.arrow(table.name, names).num_columns == len(names)


@pytest.mark.parametrize(
    "name",
    ["a b.csv", "it's.csv", 'q"q.csv', "select.csv", "名.csv", "-x.csv", "a.b.csv"],
)
def test_absurd_file_names_are_table_names(tmp_path: Path, name: str) -> None:
    (tmp_path / name).write_text("x\n1\n")
    for source in (tmp_path / name, tmp_path):
        with connect(source) as database:
            (table,) = database.tables
            assert table.name == name.removesuffix(".csv")
            assert database.arrow(table.name, ["x"]).column(0).to_pylist() == [1]


def test_five_hundred_columns_are_read(tmp_path: Path) -> None:
    path = tmp_path / "t.csv"
    names = [f"c{at}" for at in range(500)]
    path.write_text("\n".join([",".join(names), ",".join(map(str, range(500)))]))
    with connect(path) as database:
        assert names_of(database, "t") == names


def test_a_million_columns_are_refused_quickly(tmp_path: Path) -> None:
    path = tmp_path / "t.csv"
    path.write_text(",".join(f"c{at}" for at in range(1_000_000)) + "\n1\n")
    started = time.monotonic()
    with pytest.raises(DatabaseError, match="1,000,000 columns"):
        connect(path)
    assert time.monotonic() - started < 10


@pytest.mark.parametrize("start", ["", '"', "a,b\n"])
def test_one_endless_line_is_refused_in_bounded_memory(
    tmp_path: Path, start: str
) -> None:
    path = tmp_path / "t.csv"
    with path.open("w") as file:
        file.write(start)
        file.truncate(0 if not start else len(start))
        for _ in range(100):
            file.write("x" * 1_000_000)
    tracemalloc.start()
    started = time.monotonic()
    try:
        with pytest.raises(DatabaseError, match="more than 16,777,216 characters"):
            connect(path)
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert peak < 400_000_000
    assert time.monotonic() - started < 10


def test_an_archive_leaves_nothing_behind(tmp_path: Path, private: Path) -> None:
    path = tmp_path / "a.zip"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("x.csv", "a\n1\n")
    with connect(path) as database:
        assert database.table("x").num_rows == 1
    with zipfile.ZipFile(path, "a") as archive:
        archive.writestr("../y.csv", "a\n1\n")
    with pytest.raises(DatabaseError, match="leads out"):
        connect(path)
    assert not list(private.iterdir())
    assert not (tmp_path / "y.csv").exists()


@pytest.mark.parametrize("kind", ["fifo", "device", "socketless", "empty", "dangling"])
def test_what_is_no_file_is_refused_without_waiting(tmp_path: Path, kind: str) -> None:
    path = tmp_path / "x.csv"
    match kind:
        case "fifo":
            os.mkfifo(path)
        case "device":
            path = Path("/dev/zero")
        case "empty":
            path.touch()
        case "dangling":
            path.symlink_to(tmp_path / "gone.csv")
        case _:
            path = tmp_path / "no" / "such.csv"
    with pytest.raises(DatabaseError):
        connect(path)


def test_a_pipe_within_a_folder_is_left_out_and_told(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "p.csv")
    (tmp_path / "a.csv").write_text("x\n1\n")
    with connect(tmp_path) as database:
        assert [table.name for table in database.tables] == ["a"]
        assert '"p.csv"' in database.warnings[0]


def test_a_folder_that_is_called_like_a_file_is_a_folder(tmp_path: Path) -> None:
    (tmp_path / "x.csv").mkdir()
    (tmp_path / "x.csv" / "a.csv").write_text("x\n1\n")
    with connect(tmp_path / "x.csv") as database:
        assert [table.name for table in database.tables] == ["a"]


def test_a_file_that_grows_while_it_is_read_is_noticed(tmp_path: Path) -> None:
    path = tmp_path / "a.csv"
    path.write_text("x\n1\n")
    with open_files(Request(str(path), (path,))) as reader:
        with path.open("a") as file:
            file.write("2\n")
        with pytest.raises(DatabaseError, match="changes while it is being read"):
            take_snapshot(reader, "a", tmp_path / "cache")
    assert not list((tmp_path / "cache").rglob("*.duckdb"))


def test_a_file_that_grows_all_the_time_ends_in_a_sentence(tmp_path: Path) -> None:
    path = tmp_path / "a.csv"
    path.write_text("x,y\n" + "1,2\n" * 1_000)
    done = threading.Event()

    def grow() -> None:
        with path.open("a") as file:
            while not done.is_set():
                file.write("3,4\n")
                file.flush()
                time.sleep(0.001)

    writer = threading.Thread(target=grow)
    writer.start()
    try:
        with pytest.raises(DatabaseError, match="changes while it is being read"):
            connect(path)
    finally:
        done.set()
        writer.join()


@pytest.mark.parametrize(
    "cell", ["read_csv('/etc/passwd')", "'/etc/passwd'", "/etc/passwd", "*.csv"]
)
def test_a_value_or_name_is_never_run_or_opened(tmp_path: Path, cell: str) -> None:
    path = tmp_path / "t.csv"
    path.write_text(f'"{cell}","{cell} b"\n"{cell}",1\n')
    with connect(path) as database:
        found = database.arrow("t", names_of(database, "t")).to_pylist()
    assert [list(row.values()) for row in found] == [[cell, 1]]


def test_a_table_name_that_is_a_path_reads_no_file(tmp_path: Path) -> None:
    secret = tmp_path / "secret.csv"
    secret.write_text("key\nhidden\n")
    path = tmp_path / "t.duckdb"
    with duckdb.connect(str(path)) as connection:
        connection.execute(f"CREATE TABLE {quote(str(secret))} AS SELECT 7 AS x")
    with connect(path) as database:
        (table,) = database.tables
        assert database.arrow(table.name, ["x"]).column(0).to_pylist() == [7]


def test_triggers_views_and_virtual_tables_of_sqlite_are_not_run(
    tmp_path: Path,
) -> None:
    path = write_sqlite(
        tmp_path / "t.db",
        """
        CREATE TABLE t (id INTEGER PRIMARY KEY, x TEXT);
        INSERT INTO t VALUES (1, 'a');
        CREATE TABLE log (x TEXT);
        CREATE TRIGGER tr AFTER INSERT ON t BEGIN INSERT INTO log VALUES ('run'); END;
        CREATE VIEW endless AS WITH RECURSIVE n(i) AS
          (SELECT 1 UNION ALL SELECT i + 1 FROM n) SELECT * FROM n;
        CREATE VIRTUAL TABLE found USING fts5(body);
        """,
    )
    before = path.read_bytes()
    with connect(path) as database:
        assert [table.name for table in database.tables] == ["log", "t"]
        assert database.table("log").num_rows == 0
        assert '"found" is left out' in " ".join(database.warnings)
    assert path.read_bytes() == before


def test_a_schema_of_sqlite_that_was_tampered_with_is_a_sentence(
    tmp_path: Path,
) -> None:
    path = write_sqlite(tmp_path / "t.db", "CREATE TABLE t (id INTEGER, x TEXT)")
    with sqlite3.connect(path) as connection:
        connection.execute("PRAGMA writable_schema = ON")
        connection.execute(
            "UPDATE sqlite_master SET sql = 'CREATE TABLE t (id, x AS"
            " (load_extension(''evil'')))'"
        )
    connection.close()
    survives(path)


def test_mixed_and_broken_values_of_sqlite_become_texts(tmp_path: Path) -> None:
    path = tmp_path / "t.db"
    with sqlite3.connect(path) as connection:
        connection.execute("CREATE TABLE t (mix, bad TEXT, number REAL)")
        connection.execute("INSERT INTO t VALUES (1, CAST(x'ff61' AS TEXT), 9e999)")
        connection.execute("INSERT INTO t VALUES ('x', 'b', 1.5)")
    connection.close()
    with connect(path) as database:
        found = database.arrow("t", ["mix", "bad", "number"]).to_pydict()
    assert found == {
        "mix": ["1", "x"],
        "bad": ["\ufffda", "b"],
        "number": [None, 1.5],
    }


def seeds(folder: Path) -> dict[str, bytes]:
    """Return a small, sound file of every kind."""
    folder.mkdir(exist_ok=True)
    rows = {"id": [1, 2, 3], "x": ["a", None, "é"], "n": [0.5, 1.5, None]}
    pq.write_table(pa.table(rows), folder / "a.parquet")
    write_sqlite(
        folder / "a.sqlite",
        "CREATE TABLE t (id INTEGER PRIMARY KEY, x TEXT);INSERT INTO t VALUES (1, 'a')",
    )
    with duckdb.connect(str(folder / "a.duckdb")) as connection:
        connection.execute("CREATE TABLE t AS SELECT range AS x FROM range(10)")
    book = openpyxl.Workbook()
    for row in (["id", "x"], [1, "a"], [2, 3.5]):
        book.worksheets[0].append(row)
    book.save(folder / "a.xlsx")
    (folder / "a.csv").write_text('id,x\n1,"a, b"\n2,\n')
    with zipfile.ZipFile(folder / "a.zip", "w", zipfile.ZIP_DEFLATED) as archive:
        archive.write(folder / "a.csv", "a.csv")
        archive.write(folder / "a.parquet", "b.parquet")
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w") as packed:
        packed.add(folder / "a.csv", "a.csv")
    (folder / "a.tar").write_bytes(buffer.getvalue())
    (folder / "a.csv.gz").write_bytes(gzip.compress((folder / "a.csv").read_bytes()))
    return {kind: (folder / f"a.{kind}").read_bytes() for kind in FUZZED}


MAGIC = {
    "csv": b"",
    "zip": b"PK\x03\x04",
    "xlsx": b"PK\x03\x04",
    "parquet": b"PAR1",
    "sqlite": b"SQLite format 3\x00",
    "duckdb": bytes(8) + b"DUCK",
    "tar": b"",
    "csv.gz": b"\x1f\x8b",
}


@pytest.mark.parametrize("kind", FUZZED)
@settings(
    max_examples=15,
    deadline=None,
    derandomize=True,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(content=st.binary(max_size=300), has_magic=st.booleans())
def test_any_bytes_give_a_database_or_one_sentence(
    tmp_path: Path, private: Path, kind: str, content: bytes, has_magic: bool
) -> None:
    folder = tmp_path / "in"
    folder.mkdir(exist_ok=True)
    path = folder / f"a.{kind}"
    path.write_bytes((MAGIC[kind] if has_magic else b"") + content)
    before = state_of(folder)
    survives(path)
    assert state_of(folder) == before
    assert not list(private.iterdir())


def damage(content: bytes, generator: random.Random) -> bytes:
    """Return a file with some bytes changed, cut, doubled or left out."""
    data = bytearray(content)
    for _ in range(generator.randint(1, 6)):
        at = generator.randrange(len(data))
        match generator.randrange(4):
            case 0:
                data[at] = generator.randrange(256)
            case 1:
                data[at] ^= 1 << generator.randrange(8)
            case 2:
                del data[at : at + generator.randint(1, 40)]
            case _:
                data[at:at] = data[at : at + generator.randint(1, 40)]
        data = data or bytearray(b"\0")
    if generator.random() < 0.2:
        data = data[: generator.randrange(len(data)) + 1]
    return bytes(data)


def fuzz(
    folder: Path, kind: str, rounds: int, seed: int, check: Callable[[Path], bool]
) -> None:
    sound = seeds(folder / "seeds")[kind]
    generator = random.Random(seed)
    place = folder / "in"
    place.mkdir(exist_ok=True)
    path = place / f"a.{kind}"
    for _ in range(rounds):
        path.write_bytes(damage(sound, generator))
        before = state_of(place)
        check(path)
        assert state_of(place) == before


@pytest.mark.parametrize("kind", FUZZED)
def test_a_damaged_file_gives_a_database_or_one_sentence(
    tmp_path: Path, private: Path, kind: str
) -> None:
    fuzz(tmp_path, kind, 15, 1, survives)
    assert not list(private.iterdir())


@pytest.mark.slow
@pytest.mark.parametrize("kind", FUZZED)
def test_a_file_damaged_in_many_ways_gives_a_database_or_one_sentence(
    tmp_path: Path, private: Path, kind: str
) -> None:
    fuzz(tmp_path, kind, 250, 2, survives)
    assert not list(private.iterdir())
