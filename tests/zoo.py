"""One small database for each thing that is normal in a real one."""

from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True)
class Case:
    """A database, what is predicted in it, and which columns are no ids."""

    sql: str
    target: str
    rows: tuple[int, ...]
    stypes: Mapping[str, str]


CHAIN = Case(
    """
    CREATE TABLE state (id INTEGER PRIMARY KEY, kind TEXT);
    CREATE TABLE city (id INTEGER PRIMARY KEY, size REAL, s REFERENCES state (id));
    CREATE TABLE person (id INTEGER PRIMARY KEY, y INTEGER, age REAL,
      c INTEGER REFERENCES city (id));
    INSERT INTO state VALUES (1, 'hot'), (2, 'cold');
    INSERT INTO city VALUES (1, 10, 1), (2, 20, 1), (3, 30, 2);
    INSERT INTO person VALUES (1, 0, 5, 1), (2, 1, 6, 1), (3, 0, 7, 2), (4, 1, 8, 3);
    """,
    "person.y",
    (0, 1, 2, 3),
    {
        "person.y": "numerical",
        "person.age": "numerical",
        "city.size": "numerical",
        "state.kind": "categorical",
    },
)

JUNCTION = Case(
    """
    CREATE TABLE pupil (id INTEGER PRIMARY KEY, y INTEGER);
    CREATE TABLE course (id INTEGER PRIMARY KEY, level TEXT);
    CREATE TABLE enrolment (p INTEGER REFERENCES pupil (id),
      c INTEGER REFERENCES course (id), grade REAL);
    INSERT INTO pupil VALUES (1, 0), (2, 1), (3, 0);
    INSERT INTO course VALUES (1, 'low'), (2, 'high');
    INSERT INTO enrolment VALUES (1, 1, 3), (2, 1, 4), (2, 2, 5), (3, NULL, 1),
      (9, 2, 2);
    """,
    "pupil.y",
    (0, 1, 2),
    {
        "pupil.y": "numerical",
        "course.level": "categorical",
        "enrolment.grade": "numerical",
    },
)

SELF = Case(
    """
    CREATE TABLE staff (id INTEGER PRIMARY KEY, y INTEGER, pay REAL,
      boss INTEGER REFERENCES staff (id));
    INSERT INTO staff VALUES (1, 0, 9, NULL), (2, 1, 5, 1), (3, 0, 4, 2), (4, 1, 3, 2);
    """,
    "staff.y",
    (3,),
    {"staff.y": "numerical", "staff.pay": "numerical"},
)

CIRCLE = Case(
    """
    CREATE TABLE head (id INTEGER PRIMARY KEY, y INTEGER,
      d INTEGER REFERENCES unit (id));
    CREATE TABLE unit (id INTEGER PRIMARY KEY, size REAL,
      h INTEGER REFERENCES head (id));
    INSERT INTO head VALUES (1, 0, 1), (2, 1, 2);
    INSERT INTO unit VALUES (1, 5, 2), (2, 6, 1), (3, 7, 1);
    """,
    "head.y",
    (0, 1),
    {"head.y": "numerical", "unit.size": "numerical"},
)

COMPOSITE = Case(
    """
    CREATE TABLE team (year INTEGER, code TEXT, wins REAL, PRIMARY KEY (year, code));
    CREATE TABLE bat (year INTEGER, code TEXT, y REAL,
      FOREIGN KEY (year, code) REFERENCES team (year, code));
    INSERT INTO team VALUES (1990, 'A', 3), (1990, 'B', 4), (1991, 'A', 5);
    INSERT INTO bat VALUES (1990, 'A', 1), (1991, 'A', 2), (1991, 'B', 3),
      (1990, NULL, 4), (1990, 'A', 5);
    """,
    "bat.y",
    (0, 1, 2, 3, 4),
    {
        "bat.year": "numerical",
        "bat.y": "numerical",
        "team.year": "numerical",
        "team.wins": "numerical",
    },
)

TWICE = Case(
    """
    CREATE TABLE club (id INTEGER PRIMARY KEY, rank REAL, town TEXT);
    CREATE TABLE game (id INTEGER PRIMARY KEY, y INTEGER,
      home INTEGER REFERENCES club (id), away INTEGER REFERENCES club (id));
    INSERT INTO club VALUES (1, 1, 'x'), (2, 2, 'x'), (3, 3, 'z'), (4, 4, NULL);
    INSERT INTO game VALUES (1, 0, 1, 2), (2, 1, 2, 3), (3, 0, 4, NULL);
    """,
    "game.y",
    (0, 1, 2),
    {"game.y": "numerical", "club.rank": "numerical", "club.town": "categorical"},
)

EMPTY = Case(
    """
    CREATE TABLE shop (id INTEGER PRIMARY KEY, size REAL);
    CREATE TABLE buyer (id INTEGER PRIMARY KEY, y INTEGER,
      s INTEGER REFERENCES shop (id));
    CREATE TABLE visit (b INTEGER REFERENCES buyer (id), cost REAL);
    INSERT INTO buyer VALUES (1, 0, NULL), (2, 1, 7);
    """,
    "buyer.y",
    (0, 1),
    {"buyer.y": "numerical", "shop.size": "numerical", "visit.cost": "numerical"},
)

HUB = Case(
    """
    CREATE TABLE people (id INTEGER PRIMARY KEY, born REAL);
    CREATE TABLE pay (p INTEGER REFERENCES people (id), y REAL);
    CREATE TABLE hits (p INTEGER REFERENCES people (id), runs REAL);
    CREATE TABLE alone (id INTEGER PRIMARY KEY, colour TEXT);
    INSERT INTO people VALUES (1, 50), (2, 60), (3, 70);
    INSERT INTO pay VALUES (1, 5), (1, 6), (3, 7);
    INSERT INTO hits VALUES (1, 2), (2, 3), (2, 4);
    INSERT INTO alone VALUES (1, 'red'), (2, 'blue');
    """,
    "pay.y",
    (0, 1, 2),
    {
        "people.born": "numerical",
        "pay.y": "numerical",
        "hits.runs": "numerical",
        "alone.colour": "categorical",
    },
)

CASES: Mapping[str, Case] = {
    "a chain of keys": CHAIN,
    "a junction": JUNCTION,
    "a self-reference": SELF,
    "a circle of keys": CIRCLE,
    "a composite key": COMPOSITE,
    "two keys to one parent": TWICE,
    "empty tables": EMPTY,
    "a hub and an island": HUB,
}
