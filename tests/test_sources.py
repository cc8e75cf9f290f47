"""The same tables in every kind of source give the same schema and the same plan."""

import json
import sqlite3
import tarfile
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import duckdb
import openpyxl
import pandas as pd
import pytest
import sqlalchemy as sa

from workbench.database import connect
from workbench.planning import plan_study
from workbench.schema import infer_schema, schema_to_json
from workbench.study import Arm, Study
from workbench.task import TaskSpec

NUM_CITIES, NUM_PEOPLE = 12, 120
CITIES = pd.DataFrame(
    {
        "id": range(1, NUM_CITIES + 1),
        "name": [f"City number {at}" for at in range(NUM_CITIES)],
        "size": [at * 1.5 + 0.25 for at in range(NUM_CITIES)],
    }
)
PEOPLE = pd.DataFrame(
    {
        "id": range(1, NUM_PEOPLE + 1),
        "city_id": [
            None if at % 40 == 7 else 1 + at * 5 % NUM_CITIES
            for at in range(NUM_PEOPLE)
        ],
        "born": [f"19{50 + at % 40}-0{1 + at % 9}-15" for at in range(NUM_PEOPLE)],
        "rich": [at * 7 % 3 % 2 for at in range(NUM_PEOPLE)],
    }
).astype({"city_id": "Int64"})
DDL = """
CREATE TABLE city (id INTEGER PRIMARY KEY, name VARCHAR(40), size DOUBLE PRECISION);
CREATE TABLE person (
  id INTEGER PRIMARY KEY, city_id INTEGER, born DATE, rich INTEGER,
  FOREIGN KEY (city_id) REFERENCES city (id)
);
"""
DBML = """
Table city {
  id integer [pk]
  name varchar
  size double
}
Table person {
  id integer [pk]
  city_id integer [ref: > city.id]
  born date
  rich integer
}
"""
TABLES = {"city": CITIES, "person": PEOPLE}
TASK = TaskSpec("person.rich")
DECLARED = {
    *("sqlite", "duckdb", "script", "postgresql", "mariadb", "dump", "relbench"),
    *("ddl", "dbml"),
}
WITHOUT_ROWS = {"ddl", "dbml"}


def rows(name: str) -> list[tuple[Any, ...]]:
    frame = TABLES[name].astype(object).where(TABLES[name].notna(), None)
    return [tuple(row) for row in frame.itertuples(index=False)]


def inserts() -> list[str]:
    """Return one INSERT a table, readable by every dialect."""
    found = []
    for name in TABLES:
        values = ", ".join(
            "(" + ", ".join(map(_literal, row)) + ")" for row in rows(name)
        )
        found.append(f"INSERT INTO {name} VALUES {values};")
    return found


def _literal(value: object) -> str:
    if value is None:
        return "NULL"
    return f"'{value}'" if isinstance(value, str) else str(value)


def write_sqlite(folder: Path) -> str:
    path = folder / "towns.db"
    with sqlite3.connect(path) as connection:
        connection.executescript(DDL + "\n".join(inserts()))
    connection.close()
    return str(path)


def write_duckdb(folder: Path) -> str:
    path = folder / "towns.duckdb"
    with duckdb.connect(str(path)) as connection:
        for statement in (DDL + "\n".join(inserts())).split(";\n"):
            if statement.strip():
                connection.execute(statement)
    return str(path)


def write_csv(folder: Path) -> str:
    target = folder / "towns"
    target.mkdir()
    for name, frame in TABLES.items():
        frame.to_csv(target / f"{name}.csv", index=False)
    return str(target)


def write_parquet(folder: Path) -> str:
    target = folder / "towns"
    target.mkdir()
    for name, frame in TABLES.items():
        frame.to_parquet(target / f"{name}.parquet", index=False)
    return str(target)


def write_zip(folder: Path) -> str:
    source = Path(write_csv(folder))
    path = folder / "towns.zip"
    with zipfile.ZipFile(path, "w") as archive:
        for file in source.iterdir():
            archive.write(file, file.name)
    return str(path)


def write_tar(folder: Path) -> str:
    path = folder / "towns.tar.gz"
    source = Path(write_parquet(folder))
    with tarfile.open(path, "w:gz") as archive:
        for file in source.iterdir():
            archive.add(file, file.name)
    return str(path)


def write_workbook(folder: Path) -> str:
    book = openpyxl.Workbook()
    book.remove(book["Sheet"])
    for name, frame in TABLES.items():
        sheet = book.create_sheet(name)
        sheet.append(list(frame.columns))
        for row in rows(name):
            sheet.append(row)
    path = folder / "towns.xlsx"
    book.save(path)
    return str(path)


def write_script(folder: Path) -> str:
    path = folder / "towns.sql"
    path.write_text(DDL + "\n".join(inserts()))
    return str(path)


def write_dump(folder: Path) -> str:
    """Write what pg_dump writes: COPY blocks, and keys at the end."""
    path = folder / "towns.sql"
    blocks = "".join(
        f"COPY public.{name} ({', '.join(frame.columns)}) FROM stdin;\n"
        + "".join(
            "\t".join("\\N" if one is None else str(one) for one in row) + "\n"
            for row in rows(name)
        )
        + "\\.\n"
        for name, frame in TABLES.items()
    )
    path.write_text(
        "-- PostgreSQL database dump\n"
        "CREATE TABLE public.city (id integer NOT NULL, name character varying(40),"
        " size double precision);\n"
        "CREATE TABLE public.person (id integer NOT NULL, city_id integer, born date,"
        " rich integer);\n"
        + blocks
        + "ALTER TABLE ONLY public.city ADD CONSTRAINT c PRIMARY KEY (id);\n"
        "ALTER TABLE ONLY public.person ADD CONSTRAINT p PRIMARY KEY (id);\n"
        "ALTER TABLE ONLY public.person ADD CONSTRAINT f FOREIGN KEY (city_id)"
        " REFERENCES public.city(id);\n"
    )
    return str(path)


def write_ddl(folder: Path) -> str:
    path = folder / "towns.sql"
    path.write_text(DDL)
    return str(path)


def write_dbml(folder: Path) -> str:
    path = folder / "towns.dbml"
    path.write_text(DBML)
    return str(path)


def write_relbench(folder: Path) -> str:
    from workbench.relbench import write_relbench as export

    path = write_sqlite(folder)
    target = folder / "towns"
    with connect(path, cache=folder / "export") as database:
        export(database, infer_schema(database), target)
    return str(target)


WRITERS: dict[str, Callable[[Path], str]] = {
    "sqlite": write_sqlite,
    "duckdb": write_duckdb,
    "csv": write_csv,
    "parquet": write_parquet,
    "zip": write_zip,
    "tar": write_tar,
    "workbook": write_workbook,
    "script": write_script,
    "dump": write_dump,
    "ddl": write_ddl,
    "dbml": write_dbml,
    "relbench": write_relbench,
}
KINDS = (*WRITERS, "postgresql", "mariadb")


@pytest.fixture(params=KINDS)
def source(request: pytest.FixtureRequest, tmp_path: Path) -> tuple[str, str]:
    """Return a kind of source, and the address of the same tables in it."""
    kind = request.param
    if kind in WRITERS:
        return kind, WRITERS[kind](tmp_path)
    fixture = {"postgresql": "postgres", "mariadb": "maria"}[kind]
    url: sa.URL = request.getfixturevalue(fixture)
    engine = sa.create_engine(url)
    name = "towns_of_the_test"
    with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        connection.exec_driver_sql(f"DROP DATABASE IF EXISTS {name}")
        connection.exec_driver_sql(f"CREATE DATABASE {name}")
    engine.dispose()
    inside = url.set(database=name)
    engine = sa.create_engine(inside)
    with engine.begin() as connection:
        for statement in (DDL + "\n".join(inserts())).split(";\n"):
            if statement.strip():
                connection.exec_driver_sql(statement)
    engine.dispose()
    return kind, inside.render_as_string(hide_password=False)


def test_inspect_gives_the_contract_whatever_the_kind(
    source: tuple[str, str], tmp_path: Path
) -> None:
    kind, address = source
    with connect(address, cache=tmp_path / "cache") as database:
        found = json.loads(json.dumps(schema_to_json(infer_schema(database))))
    assert set(found) == {
        *("name", "fingerprint", "tables", "warnings", "suggested_keys")
    }
    assert len(found["fingerprint"]) == 16
    city, person = found["tables"]
    sizes = (0, 0) if kind in WITHOUT_ROWS else (NUM_CITIES, NUM_PEOPLE)
    for table, name, size in zip((city, person), TABLES, sizes, strict=True):
        assert set(table) == {"name", "rows", "primary_key", "columns", "foreign_keys"}
        assert (table["name"], table["rows"]) == (name, size)
        assert table["primary_key"] == ["id"]
        assert [column["name"] for column in table["columns"]] == list(TABLES[name])
        for column in table["columns"]:
            assert set(column) == {"name", "sql_type", "stype", "nullable"}
    stypes = {one["name"]: one["stype"] for one in person["columns"]}
    assert stypes["id"] == stypes["city_id"] == "id"
    assert stypes["born"] == "timestamp"
    (key,) = person["foreign_keys"]
    assert key["columns"] == ["city_id"]
    assert (key["ref_table"], key["ref_columns"]) == ("city", ["id"])
    assert key["declared"] is (kind in DECLARED)
    assert key["dangling"] == 0
    assert key["evidence"]


def test_plan_gives_the_contract_whatever_the_kind(
    source: tuple[str, str], tmp_path: Path
) -> None:
    kind, address = source
    study = Study((Arm(address, "row2node"), Arm(address, "flattened")), TASK)
    planned = plan_study(study, tmp_path / "cache")
    (found,) = json.loads(json.dumps(dict(planned.plans))).values()
    assert set(found) >= {"task", "topologies", "source"}
    normalized, flattened = found["topologies"]
    for topology in (normalized, flattened):
        assert set(topology) >= {
            *("name", "nodes", "edges", "hops", "unreachable", "reach", "warnings")
        }
    assert normalized["hops"]["city.size"] == 1
    assert flattened["hops"]["city.size"] == 0
    if kind in WITHOUT_ROWS:
        assert any("no rows" in warning for warning in normalized["warnings"])
        return
    assert normalized["nodes"] == {"city": NUM_CITIES, "person": NUM_PEOPLE}
    (edge,) = normalized["edges"]
    assert edge["type"][0] == "person"
    assert edge["type"][2] == "city"
    assert edge["count"] == NUM_PEOPLE - 3  # 7, 47 and 87 have no city
    assert "tester" not in json.dumps(found["task"])
    assert "s3cret" not in json.dumps(found)
