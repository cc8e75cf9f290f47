"""Sources are read whole and exactly, and never written."""

import hashlib
import sqlite3
from pathlib import Path

import duckdb
import numpy as np
import pytest

from tests.tiny import write_sqlite
from workbench.database import connect, reopen
from workbench.errors import DatabaseError
from workbench.profiles import profile_tables
from workbench.schema import infer_schema

BIG = 2**53 + 1  # the first whole number that a float cannot hold


def state_of(folder: Path) -> dict[str, str]:
    """Return every file of a folder with a hash of its content."""
    return {
        path.name: hashlib.sha256(path.read_bytes()).hexdigest()
        for path in folder.iterdir()
    }


def test_keys_above_two_to_the_53_are_joined_exactly(tmp_path: Path) -> None:
    path = write_sqlite(
        tmp_path / "big.db",
        f"""
        CREATE TABLE p (id INTEGER PRIMARY KEY, x REAL);
        CREATE TABLE c (id INTEGER PRIMARY KEY, p INTEGER REFERENCES p (id));
        INSERT INTO p VALUES ({BIG - 1}, 1), ({BIG}, 2), ({BIG + 1}, 3);
        INSERT INTO c VALUES (1, {BIG}), (2, {BIG - 1}), (3, NULL), (4, {BIG + 2});
        """,
    )
    with connect(path) as database:
        links = database.links("c", ["p"], "p", ["id"])
    assert links.tolist() == [1, 0, -1, -1]
    assert links.dtype == np.int64


@pytest.mark.parametrize("far", [9, 2**62], ids=["close", "far apart"])
def test_keys_are_found_whether_close_in_rank_or_far_apart(
    tmp_path: Path, far: int
) -> None:
    path = write_sqlite(
        tmp_path / "ranks.db",
        f"""
        CREATE TABLE p (id INTEGER, x REAL);
        CREATE TABLE c (p INTEGER);
        CREATE TABLE bare (id INTEGER);
        INSERT INTO p VALUES (-3, 1), (NULL, 2), (7, 3), (7, 4), ({far}, 5);
        INSERT INTO c VALUES (7), (-3), (NULL), ({far}), (0), (8), (-{2**63 - 1});
        """,
    )
    with connect(path) as database:
        links = database.links("c", ["p"], "p", ["id"])
        nowhere = database.links("c", ["p"], "bare", ["id"])
    # Of the two rows with key 7 the first counts; 0, 8 and the lowest number dangle.
    assert links.tolist() == [2, 0, -1, 4, -1, -1, -1]
    assert nowhere.tolist() == [-1] * 7


def test_parents_that_count_up_are_found_by_their_number(tmp_path: Path) -> None:
    path = write_sqlite(
        tmp_path / "up.db",
        """
        CREATE TABLE p (id INTEGER PRIMARY KEY, x REAL);
        CREATE TABLE c (p INTEGER);
        INSERT INTO p VALUES (5, 1), (6, 2), (7, 3), (8, 4);
        INSERT INTO c VALUES (8), (4), (5), (NULL), (9), (6);
        """,
    )
    with connect(path) as database:
        links = database.links("c", ["p"], "p", ["id"])
    assert links.tolist() == [3, -1, 0, -1, -1, 1]


def test_rows_that_lie_in_another_order_come_out_in_their_own(tmp_path: Path) -> None:
    path = write_sqlite(
        tmp_path / "order.db",
        """
        CREATE TABLE p (id INTEGER);
        CREATE TABLE c (p INTEGER);
        INSERT INTO p VALUES (1), (2), (3);
        INSERT INTO c VALUES (3), (3), (1);
        """,
    )
    with connect(path, cache=tmp_path) as database:
        snapshot = database.path
    with duckdb.connect(str(snapshot)) as connection:
        connection.execute("CREATE TABLE turned AS FROM p ORDER BY __row DESC")
        connection.execute("DROP TABLE p")
        connection.execute("ALTER TABLE turned RENAME TO p")
    with reopen(snapshot) as database:
        assert database.arrow("p", ["id"]).column(0).to_pylist() == [1, 2, 3]
        assert database.links("c", ["p"], "p", ["id"]).tolist() == [2, 2, 0]


def test_what_ends_a_reading_arrives_as_it_was_raised(tmp_path: Path) -> None:
    class Left(BaseException):
        """As a page of the app is left."""

    path = write_sqlite(
        tmp_path / "t.db", "CREATE TABLE t (id INTEGER); INSERT INTO t VALUES (1)"
    )

    def leave(reading: object) -> None:
        raise Left

    with pytest.raises(Left):
        connect(path, cache=tmp_path / "cache", on_reading=leave)
    assert list((tmp_path / "cache").rglob("*.duckdb")) == []


def test_a_text_counts_in_every_row_that_holds_it(tmp_path: Path) -> None:
    path = write_sqlite(
        tmp_path / "texts.db",
        """
        CREATE TABLE t (a TEXT, b TEXT);
        INSERT INTO t VALUES ('x y', NULL), ('x y', NULL), ('', NULL), ('1.5', NULL);
        INSERT INTO t VALUES (NULL, NULL), ('7', NULL), ('7', NULL), ('7', NULL);
        """,
    )
    with connect(path) as database:
        profiles = profile_tables(database)
    a, b = profiles["t", "a"], profiles["t", "b"]
    assert (a.num_values, a.num_distinct, a.num_blank) == (7, 4, 1)
    assert (a.num_numbers, a.num_decimals, a.num_spaced) == (4, 1, 2)
    assert a.num_letters == 3 + 3 + 0 + 3 + 1 + 1 + 1
    assert (b.num_rows, b.num_values, b.num_distinct, b.first) == (8, 0, 0, "")


def test_a_composite_key_with_a_null_part_points_nowhere(tmp_path: Path) -> None:
    path = write_sqlite(
        tmp_path / "two.db",
        """
        CREATE TABLE p (a INTEGER, b TEXT, PRIMARY KEY (a, b));
        CREATE TABLE c (a INTEGER, b TEXT, FOREIGN KEY (a, b) REFERENCES p (a, b));
        INSERT INTO p VALUES (1, 'x'), (1, 'y'), (2, 'x');
        INSERT INTO c VALUES (2, 'x'), (1, NULL), (1, 'y'), (2, 'y');
        """,
    )
    with connect(path) as database:
        links = database.links("c", ["a", "b"], "p", ["a", "b"])
    assert links.tolist() == [2, -1, 1, -1]


def test_a_wal_database_in_use_is_read_whole_and_left_as_it_was(tmp_path: Path) -> None:
    path = tmp_path / "wal.db"
    writer = sqlite3.connect(path)
    writer.execute("PRAGMA journal_mode = WAL")
    writer.execute("CREATE TABLE t (id INTEGER PRIMARY KEY)")
    writer.execute("INSERT INTO t VALUES (1), (2), (3)")
    writer.commit()  # the rows are in the log alone
    before = state_of(tmp_path)
    assert "wal.db-wal" in before
    with connect(path) as database:
        assert database.table("t").num_rows == 3
    assert state_of(tmp_path) == before
    writer.close()


def test_a_wal_database_at_rest_gets_no_files_beside_it(tmp_path: Path) -> None:
    path = tmp_path / "wal.db"
    with sqlite3.connect(path) as writer:
        writer.execute("PRAGMA journal_mode = WAL")
        writer.execute("CREATE TABLE t (id INTEGER PRIMARY KEY)")
        writer.execute("INSERT INTO t VALUES (1)")
    writer.close()
    before = state_of(tmp_path)
    with connect(path) as database:
        assert database.table("t").num_rows == 1
    assert state_of(tmp_path) == before == {"wal.db": before["wal.db"]}


def test_the_fingerprint_follows_the_content_and_not_the_path(tmp_path: Path) -> None:
    sql = "CREATE TABLE t (id INTEGER PRIMARY KEY); INSERT INTO t VALUES (1)"
    one = write_sqlite(tmp_path / "one.db", sql)
    copy = tmp_path / "copy.db"
    copy.write_bytes(one.read_bytes())
    other = write_sqlite(tmp_path / "other.db", sql.replace("(1)", "(2)"))
    prints = []
    for path in (one, copy, other):
        with connect(path) as database:
            prints.append(database.fingerprint)
    assert prints[0] == prints[1] != prints[2]


def test_views_are_not_tables_and_a_key_to_nowhere_is_reported(tmp_path: Path) -> None:
    path = write_sqlite(
        tmp_path / "odd.db",
        """
        CREATE TABLE t (id INTEGER PRIMARY KEY, g INTEGER REFERENCES gone (id));
        CREATE VIEW v AS SELECT id FROM t;
        INSERT INTO t VALUES (1, 1);
        """,
    )
    with connect(path) as database:
        schema = infer_schema(database)
    assert [table.name for table in schema.tables] == ["t"]
    assert schema.foreign_keys == ()
    assert any("gone" in warning for warning in schema.warnings)


def test_the_snapshot_can_neither_be_written_nor_reach_outside(tmp_path: Path) -> None:
    path = write_sqlite(tmp_path / "t.db", "CREATE TABLE t (id INTEGER PRIMARY KEY)")
    secret = tmp_path / "secret.csv"
    secret.write_text("a\n1\n")
    with connect(path) as database:
        for query in (
            "CREATE TABLE x (a INTEGER)",
            f"SELECT * FROM read_csv('{secret}')",
            f"ATTACH '{tmp_path / 'other.duckdb'}'",
            "SET enable_external_access = true",
        ):
            with pytest.raises(duckdb.Error):
                database.sql(query)


@pytest.mark.parametrize("name", ["missing.db", "folder", "empty.db", "text.db"])
def test_what_is_no_database_is_named_in_a_sentence(tmp_path: Path, name: str) -> None:
    (tmp_path / "folder").mkdir()
    (tmp_path / "empty.db").touch()
    (tmp_path / "text.db").write_text("a,b\n1,2\n")
    with pytest.raises(DatabaseError, match=name):
        connect(tmp_path / name)
    assert not (tmp_path / "missing.db").exists()


def test_an_empty_table_and_strange_names_are_normal(tmp_path: Path) -> None:
    path = write_sqlite(
        tmp_path / "names.db",
        """
        CREATE TABLE "order" ("select" INTEGER PRIMARY KEY, "a ""b" TEXT);
        CREATE TABLE empty (id INTEGER PRIMARY KEY, o REFERENCES "order" ("select"));
        INSERT INTO "order" VALUES (1, 'x; DROP TABLE "order"');
        """,
    )
    with connect(path) as database:
        assert database.table("empty").num_rows == 0
        values = database.arrow("order", ['a "b'])
        assert values.column(0).to_pylist() == ['x; DROP TABLE "order"']
        assert database.links("empty", ["o"], "order", ["select"]).tolist() == []


def test_a_key_to_a_column_with_a_dot_in_its_name_is_kept(tmp_path: Path) -> None:
    path = write_sqlite(
        tmp_path / "dots.db",
        """
        CREATE TABLE p ("a.b" INTEGER PRIMARY KEY, x REAL);
        CREATE TABLE c (id INTEGER PRIMARY KEY, "p.a" INTEGER REFERENCES p ("a.b"));
        INSERT INTO p VALUES (5, 1), (6, 2);
        INSERT INTO c VALUES (1, 6);
        """,
    )
    with connect(path) as database:
        (key,) = database.table("c").foreign_keys
        assert (key.columns, key.ref_columns) == (("p_a",), ("a_b",))
        assert database.links("c", ["p_a"], "p", ["a_b"]).tolist() == [1]
