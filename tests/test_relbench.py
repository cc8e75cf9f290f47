"""RelBench folders come in with their keys, and a written one comes back the same."""

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import yaml

from tests.tiny import write_sqlite
from workbench.address import Kind, kind_of
from workbench.database import Database, SourceKey, connect
from workbench.errors import DatabaseError
from workbench.relbench import write_relbench
from workbench.schema import Schema, infer_schema

SHOP = """
CREATE TABLE customers (id INTEGER PRIMARY KEY, name TEXT);
CREATE TABLE orders (
  no TEXT PRIMARY KEY, customer_id INTEGER REFERENCES customers (id),
  referrer_id INTEGER REFERENCES customers (id), ordered_at TEXT, total REAL);
CREATE TABLE lines (
  order_no TEXT REFERENCES orders (no), line INTEGER, parent INTEGER,
  PRIMARY KEY (order_no, line),
  FOREIGN KEY (order_no, parent) REFERENCES lines (order_no, line));
CREATE TABLE days (id INTEGER PRIMARY KEY, holiday INTEGER);
CREATE TABLE visits (id INTEGER PRIMARY KEY, day INTEGER REFERENCES days (id));
CREATE TABLE bare (id INTEGER PRIMARY KEY);
INSERT INTO customers VALUES (7, 'Ann'), (8, 'Bob "the" second'), (9, NULL);
INSERT INTO orders VALUES
  ('A', 8, 7, '2021-05-01', 1.5), ('B', NULL, 9, '2020-01-01', NULL),
  ('C', 5, 8, NULL, 2), ('D', 7, 7, '2020-06-01 12:00:00', 3);
INSERT INTO lines VALUES ('A', 1, NULL), ('A', 2, 1), ('D', 1, NULL), ('Z', 1, NULL);
INSERT INTO days VALUES (0, 1), (1, 0), (2, 0);
INSERT INTO visits VALUES (0, 2), (1, 0), (2, 0);
"""


def shop(tmp_path: Path) -> tuple[Database, Schema]:
    database = connect(write_sqlite(tmp_path / "shop.db", SHOP))
    schema = infer_schema(database)
    tables = tuple(
        replace(one, time_column="ordered_at") if one.name == "orders" else one
        for one in schema.tables
    )
    return database, replace(schema, tables=tables)


def test_a_written_folder_comes_back_element_by_element(tmp_path: Path) -> None:
    database, schema = shop(tmp_path)
    with database:
        manifest = write_relbench(database, schema, tmp_path / "out")
        assert manifest == tmp_path / "out" / "manifest.yaml"
        with connect(tmp_path / "out") as back:
            found = infer_schema(back)
            for table in database.tables:
                names = [column.name for column in table.columns]
                again = back.table(table.name)
                assert [column.name for column in again.columns] == names
                assert back.arrow(table.name, names).equals(
                    database.arrow(table.name, names)
                )
                assert set(again.foreign_keys) == set(table.foreign_keys)
                assert again.primary_key == table.primary_key
            assert '"orders.ordered_at"' in " ".join(back.warnings)
    assert {key.id for key in found.foreign_keys} == {
        key.id for key in schema.foreign_keys
    }


def test_a_written_folder_keeps_what_relbench_asks_for(tmp_path: Path) -> None:
    """Primary keys count rows from 0, keys point at rows, and rows are sorted by time.

    Source: relbench 3.0.2, ``Dataset.validate_and_correct_db``.
    """
    database, schema = shop(tmp_path)
    with database:
        manifest = write_relbench(database, schema, tmp_path / "out")
    content = yaml.safe_load(manifest.read_text())
    assert content["manifest_version"] == 1
    tables = {
        name: pq.read_table(tmp_path / "out" / "db" / f"{name}.parquet").to_pydict()
        for name in content["tables"]
    }
    for name, entry in content["tables"].items():
        rows = tables[name]
        assert rows[entry["pkey"]] == list(range(len(rows[entry["pkey"]])))
        for column, parent in entry["fkeys"].items():
            size = len(tables[parent][content["tables"][parent]["pkey"]])
            assert all(one is None or 0 <= one < size for one in rows[column])
    orders, entry = tables["orders"], content["tables"]["orders"]
    assert orders["no"] == ["B", "D", "A", "C"]  # by time, without one last
    times = [one and one.isoformat() for one in orders[entry["time_col"]]]
    assert times == [
        "2020-01-01T00:00:00",
        "2020-06-01T12:00:00",
        "2021-05-01T00:00:00",
        None,
    ]
    assert orders["customer_id_row"] == [None, 0, 1, None]  # 5 is nobody
    assert tables["lines"]["order_no_row"] == [2, 2, 1, None]
    assert tables["lines"]["order_no_parent_row"] == [None, 0, None, None]
    assert (
        content["val_timestamp"] == content["test_timestamp"] == "2020-06-01 12:00:00"
    )
    # days count from 0 as they are: nothing is added for them
    assert content["tables"]["days"]["pkey"] == "id"
    assert content["tables"]["visits"]["fkeys"] == {"day": "days"}
    assert set(tables["days"]) == {"id", "holiday"}


def notes(**values: object) -> dict[bytes, bytes]:
    return {name.encode(): json.dumps(value).encode() for name, value in values.items()}


def save(path: Path, columns: dict[str, object], **values: object) -> None:
    """Write a table as RelBench 1 and 2 did, with notes beside the rows."""
    path.parent.mkdir(parents=True, exist_ok=True)
    table = pa.table(columns)
    pq.write_table(table.replace_schema_metadata(notes(**values)), path)


@pytest.mark.parametrize("place", ["", "db"])
def test_notes_in_parquet_files_give_keys(tmp_path: Path, place: str) -> None:
    folder = tmp_path / "rel-race"
    save(
        folder / place / "drivers.parquet",
        {"driverId": [0, 1], "name": ["a", "b"]},
        fkey_col_to_pkey_table={},
        pkey_col="driverId",
        time_col=None,
    )
    save(
        folder / place / "results.parquet",
        {
            "resultId": [0, 1, 2],
            "driverId": pa.array([1.0, None, 0.0]),
            "date": pa.array([0, 1, 2], pa.timestamp("ns")),
        },
        fkey_col_to_pkey_table={"driverId": "drivers", "raceId": "races"},
        pkey_col="resultId",
        time_col="date",
    )
    assert kind_of(folder) is Kind.RELBENCH
    with connect(folder) as database:
        assert database.table("drivers").primary_key == ("driverId",)
        assert database.table("results").foreign_keys == (
            SourceKey(("driverId",), "drivers", ("driverId",)),
        )
        links = database.links("results", ["driverId"], "drivers", ["driverId"])
        assert links.tolist() == [1, -1, 0]
        told = " ".join(database.warnings)
    assert '"results.date"' in told
    assert '"races" is left out' in told


@pytest.mark.parametrize("ending", ["yaml", "json"])
def test_a_manifest_gives_keys(tmp_path: Path, ending: str) -> None:
    save(tmp_path / "db" / "p.parquet", {"id": [0, 1]})
    save(tmp_path / "db" / "c.parquet", {"p": [1, 1]})
    save(tmp_path / "db" / "extra.parquet", {"p": [1, 1]})
    save(tmp_path / "tasks" / "t" / "train.parquet", {"p": [1]})
    content = {
        "name": "x",
        "tables": {
            "p": {"pkey": "id", "time_col": None, "fkeys": {}},
            "c": {"pkey": None, "fkeys": {"p": "p"}},
            "gone": {"pkey": "id"},
        },
    }
    text = yaml.safe_dump(content) if ending == "yaml" else json.dumps(content)
    (tmp_path / f"manifest.{ending}").write_text(text)
    with connect(tmp_path) as database:
        assert {table.name for table in database.tables} == {"p", "c"}
        assert database.table("c").foreign_keys == (SourceKey(("p",), "p", ("id",)),)
        told = " ".join(database.warnings)
    assert '"gone"' in told
    assert '"db/extra.parquet"' in told


@pytest.mark.parametrize(
    "text",
    [
        "tables: [1, 2]",
        "{",
        "tables: {p: {pkey: [1]}}",
        "a: &a [x]\ntables: {p: {fkeys: *a}}",
        "tables: !!python/object/apply:os.system ['touch pwned']",
        "[" * 20_000,
        "no: tables",
        "\x00",
        "#" * 5_000_001,
    ],
    ids=["list", "cut", "type", "alias", "object", "deep", "none", "nul", "large"],
)
def test_a_manifest_that_is_none_is_refused(tmp_path: Path, text: str) -> None:
    save(tmp_path / "db" / "p.parquet", {"id": [0, 1]})
    (tmp_path / "manifest.yaml").write_text(text)
    with pytest.raises(DatabaseError, match="The manifest"):
        connect(tmp_path)
    assert not (Path.cwd() / "pwned").exists()


def test_a_manifest_cannot_name_a_file_outside(tmp_path: Path) -> None:
    save(tmp_path / "secret.parquet", {"key": ["hidden"]})
    folder = tmp_path / "in"
    save(folder / "db" / "p.parquet", {"id": [0]})
    (folder / "db" / "linked.parquet").symlink_to(tmp_path / "secret.parquet")
    (folder / "manifest.yaml").write_text(
        "tables: {p: {pkey: id}, ../../secret: {}, linked: {}, /etc/passwd: {}}"
    )
    with connect(folder) as database:
        assert [table.name for table in database.tables] == ["p"]


def test_notes_that_are_no_notes_are_refused(tmp_path: Path) -> None:
    table = pa.table({"id": [1]}).replace_schema_metadata({"pkey_col": "{"})
    pq.write_table(table, tmp_path / "p.parquet")
    with pytest.raises(DatabaseError, match='notes on keys in the Parquet file of "p"'):
        connect(tmp_path)


def test_a_folder_that_is_not_empty_is_not_written_to(tmp_path: Path) -> None:
    database, schema = shop(tmp_path)
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / "mine.txt").write_text("keep")
    with database, pytest.raises(DatabaseError, match="is not empty"):
        write_relbench(database, schema, tmp_path / "out")
    assert [each.name for each in (tmp_path / "out").iterdir()] == ["mine.txt"]


def test_a_table_name_that_is_a_path_is_not_written(tmp_path: Path) -> None:
    path = write_sqlite(tmp_path / "a.db", 'CREATE TABLE "../x" (id INTEGER)')
    with (
        connect(path) as database,
        pytest.raises(DatabaseError, match="cannot be a file of that name"),
    ):
        write_relbench(database, infer_schema(database), tmp_path / "out")
    assert not (tmp_path / "x.parquet").exists()


def test_large_tables_are_written_in_parts_and_in_order(tmp_path: Path) -> None:
    rows = (
        "WITH RECURSIVE n(i) AS (SELECT 0 UNION ALL SELECT i + 1 FROM n LIMIT 600000)"
    )
    path = write_sqlite(
        tmp_path / "a.db",
        f"CREATE TABLE t (x INTEGER); INSERT INTO t {rows} SELECT 3 * i FROM n",
    )
    with connect(path) as database:
        write_relbench(database, infer_schema(database), tmp_path / "out")
    found = pq.read_table(tmp_path / "out" / "db" / "t.parquet").column("x").to_numpy()
    assert (found == 3 * np.arange(600_000)).all()
