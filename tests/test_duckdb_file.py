"""DuckDB files are read with their keys, and cannot reach anything else."""

import json
import subprocess
import sys
from pathlib import Path

import duckdb
import pytest

from workbench.database import Database, SourceKey, connect
from workbench.errors import DatabaseError
from workbench.readers.duckdb import explain


def write(path: Path, sql: str) -> Path:
    with duckdb.connect(str(path)) as connection:
        connection.execute(sql)
    return path


def rows_of(database: Database, table: str) -> list[tuple[object, ...]]:
    names = [column.name for column in database.table(table).columns]
    return list(zip(*database.arrow(table, names).to_pydict().values(), strict=True))


SHOP = """
CREATE SCHEMA "old stock";
CREATE TABLE customers (id INTEGER PRIMARY KEY, name VARCHAR NOT NULL);
CREATE TABLE orders (
  id BIGINT PRIMARY KEY, customer_id INTEGER REFERENCES customers (id), paid DOUBLE);
CREATE TABLE "old stock".items (a INTEGER, b INTEGER, PRIMARY KEY (a, b));
CREATE TABLE "old stock".parts (
  x INTEGER, y INTEGER, FOREIGN KEY (x, y) REFERENCES "old stock".items (a, b));
CREATE VIEW sums AS SELECT count(*) FROM orders;
INSERT INTO customers VALUES (1, 'Ann'), (2, 'Bob');
INSERT INTO orders VALUES (10, 2, 'nan'), (11, NULL, 1.5), (12, 1, 'inf');
"""


def test_tables_of_all_schemas_are_read_with_their_keys(tmp_path: Path) -> None:
    path = write(tmp_path / "shop.duckdb", SHOP)
    with connect(path) as database:
        assert [table.name for table in database.tables] == [
            "customers",
            "orders",
            "old stock.items",
            "old stock.parts",
        ]
        assert rows_of(database, "orders") == [
            (10, 2, None),
            (11, None, 1.5),
            (12, 1, None),
        ]
        assert database.table("old stock.items").primary_key == ("a", "b")
        assert database.table("orders").foreign_keys == (
            SourceKey(("customer_id",), "customers", ("id",)),
        )
        assert database.table("old stock.parts").foreign_keys == (
            SourceKey(("x", "y"), "old stock.items", ("a", "b")),
        )
        name = database.table("customers").columns[1]
        assert (name.sql_type, name.nullable) == ("VARCHAR", False)
        assert 'are views: "sums"' in database.warnings[0]


def test_every_type_is_a_number_or_a_text(tmp_path: Path) -> None:
    path = write(
        tmp_path / "t.duckdb",
        """
        CREATE TYPE mood AS ENUM ('good', 'bad');
        CREATE TABLE t AS SELECT 1::UTINYINT AS a, 2::HUGEINT AS b,
          170141183460469231731687303715884105727::HUGEINT AS c,
          1.25::DECIMAL(9, 2) AS d, TRUE AS e, DATE '2020-01-02' AS f,
          TIMESTAMP '2020-01-02 03:04:05' AS g,
          'bad'::mood AS h, [1, 2] AS i, {'k': 1} AS j, 'x'::BLOB AS k,
          '00000000-0000-0000-0000-000000000001'::UUID AS l, INTERVAL 1 DAY AS m,
          'infinity'::TIMESTAMP AS n, DATE '290000-01-01' AS o;
        """,
    )
    with connect(path) as database:
        assert rows_of(database, "t") == [
            (
                1, 2, str(2**127 - 1), 1.25, 1, "2020-01-02", "2020-01-02 03:04:05",
                "bad", "1|2", "{'k': 1}", "00000000-0000-0000-0000-000000000001",
                "1 day", "infinity", "290000-01-01",
            )
        ]  # fmt: skip
        assert 'column "t.k" holds binary data' in " ".join(database.warnings)


def test_the_file_and_its_folder_are_left_as_they_were(tmp_path: Path) -> None:
    path = write(tmp_path / "shop.duckdb", SHOP)
    before = path.read_bytes()
    connect(path).close()
    assert path.read_bytes() == before
    assert [each.name for each in tmp_path.iterdir()] == ["shop.duckdb"]


def test_rows_in_a_pending_log_are_read_and_the_log_is_kept(tmp_path: Path) -> None:
    path = tmp_path / "t.duckdb"
    script = (
        "import duckdb, os, sys; c = duckdb.connect(sys.argv[1]);"
        "c.execute('CREATE TABLE t AS SELECT 7 AS x'); os._exit(0)"
    )
    subprocess.run([sys.executable, "-c", script, str(path)], check=True)
    log = tmp_path / "t.duckdb.wal"
    before = log.read_bytes()
    with connect(path) as database:
        assert rows_of(database, "t") == [(7,)]
    assert log.read_bytes() == before


def test_a_file_that_another_program_has_open_is_named_so(tmp_path: Path) -> None:
    path = write(tmp_path / "t.duckdb", SHOP)
    script = (
        "import duckdb, sys; c = duckdb.connect(sys.argv[1]);"
        "print('open', flush=True); sys.stdin.read()"
    )
    with subprocess.Popen(
        [sys.executable, "-c", script, str(path)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
    ) as other:
        if other.stdout is not None:
            other.stdout.readline()
        with pytest.raises(DatabaseError, match="another program has it open"):
            connect(path)
        other.communicate()


def test_a_file_that_this_program_writes_to_is_named_so(tmp_path: Path) -> None:
    path = write(tmp_path / "t.duckdb", SHOP)
    with (
        duckdb.connect(str(path)),
        pytest.raises(DatabaseError, match="this program has it open"),
    ):
        connect(path)


def test_an_encrypted_file_is_named_so(tmp_path: Path) -> None:
    path = tmp_path / "t.duckdb"
    with duckdb.connect() as connection:
        connection.execute("SET force_mbedtls_unsafe = 'true'")
        connection.execute(f"ATTACH '{path}' AS x (ENCRYPTION_KEY 'secret')")
        connection.execute("CREATE TABLE x.t AS SELECT 1 AS a")
    with pytest.raises(DatabaseError, match="it is encrypted"):
        connect(path)


def test_a_file_of_another_storage_version_is_named_so() -> None:
    error = duckdb.IOException(
        "Trying to read a database file with version number 99, but we can only read"
        " versions between 64 and 68."
    )
    assert "another version of DuckDB wrote it" in str(explain("t.duckdb", error))


@pytest.mark.parametrize("size", [20, 5_000, 13_000])
def test_a_file_that_is_cut_short_is_named_so(tmp_path: Path, size: int) -> None:
    path = write(tmp_path / "t.duckdb", SHOP)
    path.write_bytes(path.read_bytes()[:size])
    with pytest.raises(DatabaseError, match=r"damaged or cut short|no DuckDB database"):
        connect(path)


def test_a_file_without_tables_says_so(tmp_path: Path) -> None:
    path = write(tmp_path / "t.duckdb", "CREATE VIEW v AS SELECT 1 AS a")
    with pytest.raises(DatabaseError, match="holds no tables"):
        connect(path)


def test_a_view_that_reads_another_file_is_never_run(tmp_path: Path) -> None:
    secret = tmp_path / "secret.csv"
    secret.write_text("key\nhidden\n")
    path = write(
        tmp_path / "t.duckdb",
        f"CREATE TABLE t (a INTEGER); CREATE VIEW v AS SELECT * FROM '{secret}';"
        f"CREATE MACRO m() AS TABLE SELECT * FROM '{secret}'",
    )
    with connect(path) as database:
        assert [table.name for table in database.tables] == ["t"]


def test_a_file_that_only_calls_itself_a_snapshot_is_read_as_any_other(
    tmp_path: Path,
) -> None:
    told = {
        "name": "told",
        "source": "told",
        "fingerprint": "0" * 16,
        "tables": [
            {
                "name": "t",
                "num_rows": 1_000_000,
                "columns": [{"name": "a", "sql_type": "INTEGER", "nullable": True}],
                "primary_key": [],
                "foreign_keys": [],
            }
        ],
        "warnings": [],
        "has_rows": True,
    }
    path = write(
        tmp_path / "made_up.duckdb",
        f"""
        CREATE TABLE t AS SELECT 0::BIGINT AS __row, 7::BIGINT AS a;
        CREATE SCHEMA "__workbench";
        CREATE TABLE "__workbench".meta AS SELECT '{json.dumps(told)}' AS content;
        """,
    )
    with connect(path) as database:
        assert database.name == "made_up"
        assert database.table("t").num_rows == 1


def test_absurd_names_are_quoted_and_told_apart(tmp_path: Path) -> None:
    path = write(
        tmp_path / "t.duckdb",
        'CREATE TABLE "a ""b; DROP" ("x.y" INTEGER, "sel""ect" INTEGER);'
        'INSERT INTO "a ""b; DROP" VALUES (1, 2)',
    )
    with connect(path) as database:
        assert rows_of(database, 'a "b; DROP') == [(1, 2)]
        names = [one.name for one in database.table('a "b; DROP').columns]
        assert names == ["x_y", 'sel"ect']
