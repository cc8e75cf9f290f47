"""Generates the ring lattice: a graph on which messages travel slowly.

A thousand places lie on a ring and each refers to the next two. On natural graphs a few
hops reach nearly everything and states become alike; here a hop reaches four more
places, so it is the control of every picture of oversmoothing. What is known of a
place are eight slow waves along the ring, so that neighbours agree and averaging loses
little.
"""

import math
import sqlite3
from contextlib import closing
from pathlib import Path

NUM_PLACES = 1000
WAVES = (1, 2, 3, 4)

_PLACE = """
CREATE TABLE place (
  place_id INTEGER PRIMARY KEY,
  next_id INTEGER NOT NULL REFERENCES place (place_id),
  second_id INTEGER NOT NULL REFERENCES place (place_id),
  {waves},
  north INTEGER NOT NULL
)"""


def build(name: str, path: Path) -> None:
    """Write the ring lattice to a new SQLite file."""
    del name  # there is one
    columns = [
        f"{kind}_{wave} REAL NOT NULL" for wave in WAVES for kind in ("sin", "cos")
    ]
    places = [_place(index) for index in range(NUM_PLACES)]
    marks = ", ".join("?" * len(places[0]))
    with closing(sqlite3.connect(path)) as connection, connection:
        connection.execute(_PLACE.format(waves=", ".join(columns)))
        connection.executemany(f"INSERT INTO place VALUES ({marks})", places)


def _place(index: int) -> tuple[float, ...]:
    angle = 2 * math.pi * (index + 0.5) / NUM_PLACES
    waves = [turn(wave * angle) for wave in WAVES for turn in (math.sin, math.cos)]
    following = [(index + step) % NUM_PLACES for step in (1, 2)]
    return (index, *following, *waves, int(math.sin(angle) > 0))
