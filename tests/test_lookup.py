"""Rows found by a key or a few letters, and what they are called."""

from pathlib import Path

import pytest

from tests.tiny import open_tiny
from workbench.database import Database
from workbench.errors import DatabaseError
from workbench.lookup import (
    find_rows,
    name_nodes,
    row_of_key,
    row_values,
    sample_rows,
)
from workbench.schema import Schema
from workbench.task import TaskSpec
from workbench.topologies import plan_named

SQL = """
CREATE TABLE town (code TEXT PRIMARY KEY, name TEXT);
CREATE TABLE person (id INTEGER PRIMARY KEY, name TEXT, hair TEXT,
  town TEXT REFERENCES town (code));
CREATE TABLE stay (person INTEGER, town TEXT, nights INTEGER,
  PRIMARY KEY (person, town));
CREATE TABLE note (words TEXT);
INSERT INTO town VALUES ('os', 'Oslo'), ('be', 'Bergen');
INSERT INTO person VALUES (10, 'Ada Berg', 'red', 'os'), (11, 'Bob', 'black', 'be'),
  (12, 'Ada O''Hara', 'red', NULL), (110, '50% off', 'black', 'os');
INSERT INTO stay VALUES (10, 'be', 3), (11, 'os', 4);
INSERT INTO note VALUES ('hello'), (NULL);
"""
STYPES = {
    "town.name": "text",
    "person.name": "text",
    "person.hair": "categorical",
    "stay.nights": "numerical",
    "note.words": "text",
}


@pytest.fixture(scope="module")
def opened(tmp_path_factory) -> tuple[Database, Schema]:
    return open_tiny(Path(tmp_path_factory.mktemp("rows")), SQL, STYPES)


def found(opened: tuple[Database, Schema], table: str, text: str) -> list[str]:
    return [one.text for one in find_rows(*opened, table, text)]


def test_a_key_comes_before_another_row_that_refers_to_it(
    opened: tuple[Database, Schema],
) -> None:
    assert found(opened, "person", "11") == ["11 · Bob"]
    assert found(opened, "person", "os") == ["10 · Ada Berg", "110 · 50% off"]


def test_letters_are_found_anywhere_whatever_their_case(
    opened: tuple[Database, Schema],
) -> None:
    assert found(opened, "person", "ada") == ["10 · Ada Berg", "12 · Ada O'Hara"]


@pytest.mark.parametrize(
    ("typed", "names"),
    [
        ("O'H", ["12 · Ada O'Hara"]),
        ("%", ["110 · 50% off"]),
        ("' OR 1=1 --", []),
        ('"; DROP TABLE person', []),
    ],
)
def test_what_is_typed_is_compared_and_never_run(
    opened: tuple[Database, Schema], typed, names
) -> None:
    assert found(opened, "person", typed) == names
    assert len(find_rows(*opened, "person", "")) == 4


def test_a_key_of_two_columns_is_written_with_a_comma(
    opened: tuple[Database, Schema],
) -> None:
    assert found(opened, "stay", "11, os") == ["11, os"]
    assert row_of_key(*opened, "stay", "10, be") == 0


def test_a_table_without_a_key_is_searched_by_row_number(
    opened: tuple[Database, Schema],
) -> None:
    assert found(opened, "note", "") == ["0 · hello", "1"]
    assert row_of_key(*opened, "note", "1") == 1


def test_a_key_that_no_row_has_is_refused_with_some_that_are_there(
    opened: tuple[Database, Schema],
) -> None:
    with pytest.raises(DatabaseError, match='No row of person has the key "9"; 10, 11'):
        row_of_key(*opened, "person", "9")


def test_a_row_is_shown_with_every_column(opened: tuple[Database, Schema]) -> None:
    assert row_values(*opened, "person", 2) == {
        "id": 12,
        "name": "Ada O'Hara",
        "hair": "red",
        "town": None,
    }


def test_values_that_became_nodes_are_called_as_they_are(
    opened: tuple[Database, Schema],
) -> None:
    _, schema = opened
    blueprint = plan_named(schema, TaskSpec("person.name"), "promoted")
    (node,) = (one for one in blueprint.nodes if "hair" in one.name)
    assert name_nodes(*opened, node, [1, 0]) == ("red", "black")


def test_rows_drawn_by_chance_are_the_same_ones_for_the_same_seed(
    tmp_path: Path,
) -> None:
    numbers = ",".join(f"({at})" for at in range(1000))
    database, _ = open_tiny(
        tmp_path, f"CREATE TABLE n (x INTEGER); INSERT INTO n VALUES {numbers}", {}
    )

    def drawn(seed: int) -> list[int]:
        return sample_rows(database, "n", 8, seed).column("x").to_pylist()

    assert drawn(0) == [0, 1, 2, 3, 4, 5, 6, 7]
    assert drawn(1) == drawn(1) == sorted(drawn(1))
    assert len({tuple(drawn(seed)) for seed in range(6)}) == 6
    means = [sum(drawn(seed)) / 8 for seed in range(1, 101)]
    # The mean of 8 of 0 to 999 varies by 102; that of 100 such means by 10.
    assert abs(sum(means) / 100 - 499.5) < 40
