"""A part of a database keeps every row that its rows refer to."""

import sqlite3
from pathlib import Path

import numpy as np
import pytest

from workbench.closure import draw_rows
from workbench.database import Database, connect
from workbench.planning import plan_study
from workbench.schema import Schema, infer_schema
from workbench.study import Arm, Study
from workbench.task import TaskSpec

NUM_PEOPLE, NUM_CITIES = 400, 20


@pytest.fixture
def towns(tmp_path: Path) -> Path:
    """400 people of 20 cities, two visits each, a boss for most, one key that dangles.

    A city lies in one of four lands, and has three shops.
    """
    path = tmp_path / "towns.db"
    generator = np.random.default_rng(0)
    with sqlite3.connect(path) as connection:
        connection.executescript(
            """
            CREATE TABLE land (id INTEGER PRIMARY KEY);
            CREATE TABLE city (id INTEGER PRIMARY KEY, land INTEGER REFERENCES land);
            CREATE TABLE shop (id INTEGER PRIMARY KEY, city INTEGER REFERENCES city);
            CREATE TABLE person (id INTEGER PRIMARY KEY, city INTEGER REFERENCES city,
                boss INTEGER REFERENCES person, rich INTEGER);
            CREATE TABLE visit (id INTEGER PRIMARY KEY,
                person INTEGER REFERENCES person, shop INTEGER REFERENCES shop);
            CREATE TABLE note (id INTEGER PRIMARY KEY);
            """
        )
        insert = connection.executemany
        insert("INSERT INTO land VALUES (?)", [(one,) for one in range(4)])
        insert("INSERT INTO city VALUES (?, ?)", [(c, c % 4) for c in range(20)])
        insert("INSERT INTO shop VALUES (?, ?)", [(s, s % 20) for s in range(60)])
        people = [
            (one, int(generator.integers(20)), one // 2 or None, one % 2)
            for one in range(1, NUM_PEOPLE)
        ]
        insert("INSERT INTO person VALUES (?, ?, ?, ?)", [*people, (1000, 99, None, 1)])
        visits = [(v, 1 + v // 2, int(generator.integers(60))) for v in range(700)]
        insert("INSERT INTO visit VALUES (?, ?, ?)", visits)
    return path


def draw(path: Path, tmp_path: Path, max_rows: int) -> tuple[Database, Schema]:
    database = connect(path, cache=tmp_path)
    schema = infer_schema(database)
    drawn = draw_rows(database, schema, "person", max_rows, tmp_path)
    return drawn.database, drawn.schema


def ids(database: Database, table: str) -> list[int]:
    return database.arrow(table, ["id"]).column(0).to_pylist()


def test_no_key_dangles_that_did_not_dangle_before(towns: Path, tmp_path: Path) -> None:
    part, schema = draw(towns, tmp_path, 300)
    for key in schema.foreign_keys:
        values = part.arrow(key.table, key.columns).column(0)
        links = part.links(key.table, key.columns, key.ref_table, key.ref_columns)
        lost = {values[int(row)].as_py() for row in np.flatnonzero(links < 0)}
        assert lost <= {None, 99}, key.id  # 99: the city that never was


def test_the_rows_drawn_fit_and_are_drawn_alike_every_time(
    towns: Path, tmp_path: Path
) -> None:
    part, _ = draw(towns, tmp_path, 300)
    again, _ = draw(towns, tmp_path / "elsewhere", 300)
    more, _ = draw(towns, tmp_path, 500)
    assert sum(table.num_rows for table in part.tables) <= 300
    assert ids(part, "person") == ids(again, "person")
    assert part.fingerprint == again.fingerprint != more.fingerprint
    assert set(ids(part, "person")) < set(ids(more, "person"))
    assert len(ids(part, "person")) > 20


def test_a_drawn_target_row_keeps_its_children(towns: Path, tmp_path: Path) -> None:
    """Only rows that were drawn for their own sake: bosses come as parents alone."""
    whole = connect(towns, cache=tmp_path)
    part, schema = draw(towns, tmp_path, 300)
    bosses = set(part.arrow("person", ["boss"]).column(0).to_pylist())
    drawn = set(ids(part, "person")) - bosses
    visits = whole.arrow("visit", ["id", "person"]).to_pylist()
    wanted = {one["id"] for one in visits if one["person"] in drawn}
    assert wanted
    assert wanted <= set(ids(part, "visit"))
    assert part.table("note").num_rows == 0
    assert schema.table("note").num_rows == 0


def test_what_was_settled_on_all_rows_stays(towns: Path, tmp_path: Path) -> None:
    with connect(towns, cache=tmp_path) as database:
        whole = infer_schema(database)
    _, schema = draw(towns, tmp_path, 60)
    for table in whole.tables:
        part = schema.table(table.name)
        assert part.primary_key == table.primary_key
        assert [one.stype for one in part.columns] == [
            one.stype for one in table.columns
        ]
    assert {key.id for key in schema.foreign_keys} == {
        key.id for key in whole.foreign_keys
    }


def test_a_database_that_fits_is_left_as_it_is(towns: Path, tmp_path: Path) -> None:
    with connect(towns, cache=tmp_path) as database:
        drawn = draw_rows(database, infer_schema(database), "person", 10_000, tmp_path)
        assert drawn.database is database
    assert drawn.notes == ()


def test_a_plan_says_that_only_a_part_was_drawn(towns: Path, tmp_path: Path) -> None:
    study = Study(
        arms=(Arm(str(towns), "row2node"),),
        task=TaskSpec("person.rich"),
        max_rows=300,
    )
    planned = plan_study(study, tmp_path)
    (plan,) = planned.plans.values()
    note, *_ = plan["source"]["notes"]
    assert "1,184 rows" in note  # 4 + 20 + 60 + 400 + 700
    assert 'rows of "person" were drawn' in note
    (topology,) = plan["topologies"]
    assert sum(topology["nodes"].values()) <= 300
