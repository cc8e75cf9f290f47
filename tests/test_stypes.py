"""What a column means is read off all its rows, or off its declaration without rows."""

import sqlite3
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from workbench.database import connect
from workbench.features import encode_columns
from workbench.hints import Hints, TableHint
from workbench.schema import Column, Schema, Stype, infer_schema, value_sql
from workbench.stypes import declared_stype, named_unit, split_texts


def read(
    folder: Path, columns: str, rows: Sequence[Sequence[object]], **hints: str
) -> Schema:
    path = folder / "types.db"
    with sqlite3.connect(path) as connection:
        connection.execute(f"CREATE TABLE t ({columns})")
        marks = ", ".join("?" * len(columns.split(",")))
        connection.executemany(f"INSERT INTO t VALUES ({marks})", rows)
    connection.close()
    said = {name: Stype(stype) for name, stype in hints.items()}
    with connect(path, cache=folder / "cache") as database:
        return infer_schema(
            database, Hints(complete=True, tables={"t": TableHint(columns=said)})
        )


def column(folder: Path, declared: str, values: Sequence[object]) -> Column:
    return read(folder, declared, [(value,) for value in values]).tables[0].columns[0]


GENRES = ("rock", "jazz", "pop", "folk")
LISTS = [", ".join(GENRES[(n + at) % 4] for at in range(1 + n % 3)) for n in range(60)]
CASES = {
    "lists": ("tags TEXT", LISTS, "multicategorical"),
    "lists by bars": (
        "tags TEXT",
        [text.replace(", ", "|") for text in LISTS],
        "multicategorical",
    ),
    # Two places with words of their own: what stands first never stands second.
    "cities": (
        "place TEXT",
        [f"City{n % 30}, S{n % 6}" for n in range(90)],
        "categorical",
    ),
    "yes and no": ("paid TEXT", ["Yes", "No", None] * 20, "boolean"),
    "t and f": ("paid TEXT", ["t", "f"] * 20, "boolean"),
    "zero and one": ("paid INTEGER", [0, 1, 1, None] * 20, "boolean"),
    "one and two": ("half INTEGER", [1, 2] * 20, "categorical"),
    "two names": ("side TEXT", ["left", "right"] * 20, "categorical"),
    "declared boolean": ("paid BOOLEAN", [1, None] * 20, "boolean"),
    "ISO days": (
        "d TEXT",
        [f"2020-01-{1 + n % 28:02}" for n in range(60)],
        "timestamp",
    ),
    "named months": (
        "d TEXT",
        [f"{1 + n % 28}-Dec-2020" for n in range(60)],
        "timestamp",
    ),
    # 03/04/2020 is in March or in April: nobody can tell, so it stays a text.
    "uncertain days": (
        "d TEXT",
        [f"{1 + n % 12:02}/{1 + n % 28:02}/2020" for n in range(90)],
        "text",
    ),
    "epoch": ("created_at INTEGER", [1.6e9 + n * 977 for n in range(60)], "timestamp"),
    "epoch ms": ("ts INTEGER", [16e11 + n * 977 for n in range(60)], "timestamp"),
    "large numbers": (
        "visits INTEGER",
        [1.6e9 + n * 977 for n in range(60)],
        "numerical",
    ),
    "packed days": (
        "order_date INTEGER",
        [20200101 + n % 28 for n in range(60)],
        "timestamp",
    ),
    "zips": ("zip TEXT", [f"0{1000 + n % 30}" for n in range(90)], "categorical"),
    "phones": ("phone TEXT", [f"0{10**8 + n}" for n in range(90)], "id"),
    "short": (
        "name TEXT",
        [f"Ada number {chr(65 + n % 26)}{n}" for n in range(60)],
        "text",
    ),
    "long": (
        "review TEXT",
        [
            f"{n} is what I would have given it, had they " + "really " * 9
            for n in range(60)
        ],
        "free-text",
    ),
    "same": ("x TEXT", ["a"] * 60, "constant"),
    "none": ("x TEXT", [None] * 60, "constant"),
    "many values": (
        "w TEXT",
        [f"w{chr(97 + n % 20)}x" for n in range(90)],
        "categorical",
    ),
    "scores": ("score REAL", [n / 7 for n in range(60)], "numerical"),
}


@pytest.mark.parametrize("case", CASES)
def test_values_say_what_a_column_means(tmp_path: Path, case: str) -> None:
    declared, values, stype = CASES[case]
    whole = [
        int(one) if isinstance(one, float) and one > 1e8 else one for one in values
    ]
    found = column(tmp_path, declared, whole)
    assert found.stype == stype, found.evidence
    assert found.evidence


@pytest.mark.parametrize(
    ("values", "unit", "expected"),
    [
        (["5.2 kg", "10 kg", "0.5 kg"], "kg", [5.2, 10, 0.5]),
        (["$3.50", "$1,200", "$12.75"], "$", [3.5, 1200, 12.75]),
        (["12 %", "7 %", "99.5 %"], "%", [12, 7, 99.5]),
    ],
)
def test_a_number_with_one_unit_is_a_number_and_the_unit_is_kept(
    tmp_path: Path, values: list[str], unit: str, expected: list[float]
) -> None:
    found = column(tmp_path, "x TEXT", values)
    assert (found.stype, found.unit) == (Stype.NUMERICAL, unit)
    with connect(tmp_path / "types.db", cache=tmp_path / "cache") as database:
        rows = database.rows(
            f"SELECT {value_sql(found.stype, 'x')} FROM t ORDER BY __row"
        )
    assert [value for (value,) in rows] == expected


@pytest.mark.parametrize(
    "values",
    [
        ["5 kg", "3 lb", "2 kg"],  # two units
        ["1,234 kg", "2 kg", "3 kg"],  # a comma that may be a point
        ["0012 A", "0013 A", "0014 A"],  # codes
    ],
)
def test_what_is_not_certainly_a_number_with_a_unit_is_none(
    tmp_path: Path, values: list[str]
) -> None:
    found = column(tmp_path, "x TEXT", values)
    assert found.stype is not Stype.NUMERICAL
    assert found.unit is None


@pytest.mark.parametrize(
    ("name", "unit"),
    [("ride_km", "km"), ("price_usd", "usd"), ("tax_pct", "%"), ("km", None),
     ("price_per_kg", None), ("size_mm3", None), ("name", None)],
)  # fmt: skip
def test_the_end_of_a_name_gives_the_unit(name: str, unit: str | None) -> None:
    assert named_unit(name) == unit


def test_the_two_halves_of_a_place_know_each_other_and_stay_numbers(
    tmp_path: Path,
) -> None:
    columns = "start_lat REAL, start_lng REAL, end_lat REAL, lat REAL, longitude REAL"
    rows = [(n / 7, n * 1.7, n / 3, 100.0 + n, n / 9) for n in range(60)]
    found = read(tmp_path, columns, rows).tables[0].columns
    assert {one.name: one.partner for one in found} == {
        "start_lat": "start_lng",
        "start_lng": "start_lat",
        "end_lat": None,  # no longitude of that name
        "lat": None,  # beyond the poles
        "longitude": None,
    }
    assert {one.stype for one in found} == {Stype.NUMERICAL}


@pytest.mark.parametrize(
    ("name", "sql_type", "stype"),
    [
        ("id", "INTEGER", "id"),
        ("customer_id", "BIGINT", "id"),
        ("paid", "BOOLEAN", "boolean"),
        ("born", "DATE", "timestamp"),
        ("made_at", "TIMESTAMP WITH TIME ZONE", "timestamp"),
        ("price", "NUMERIC(10, 2)", "numerical"),
        ("size", "double precision", "numerical"),
        ("status", "VARCHAR(20)", "categorical"),
        ("mood", "ENUM('sad', 'glad')", "categorical"),
        ("tags", "text[]", "multicategorical"),
        ("name", "VARCHAR(80)", "text"),
        ("payload", "JSONB", "free-text"),
        ("x", "", "text"),
    ],
)
def test_a_column_without_rows_means_what_it_is_declared_as(
    name: str, sql_type: str, stype: str
) -> None:
    found = declared_stype(name, sql_type)
    assert found.stype == stype
    assert "no rows" in found.evidence


def test_an_empty_table_is_not_called_constant(tmp_path: Path) -> None:
    columns = "id INTEGER PRIMARY KEY, price REAL, made_at DATE"
    found = read(tmp_path, columns, []).tables[0].columns
    assert [one.stype for one in found] == ["id", "numerical", "timestamp"]


def test_a_list_has_a_channel_for_each_of_its_values_and_one_for_nothing() -> None:
    values = pa.table({"tags": ["a; b", "b", None, "", "b;c"]})
    features = encode_columns(values, {"tags": Stype.MULTICATEGORICAL}, 5)
    # b stands in three rows, a and c in one each, and the third row has no list.
    assert features.numerical_names == (
        'tags has "b"', 'tags has "a"', 'tags has "c"', "tags is missing",
    )  # fmt: skip
    np.testing.assert_array_equal(
        features.numerical.numpy(),
        [[1, 1, 0, 0], [1, 0, 0, 0], [0, 0, 0, 1], [0, 0, 0, 0], [1, 0, 1, 0]],
    )


def test_the_commonest_64_values_of_lists_are_kept() -> None:
    texts = [",".join(f"p{at:03}" for at in range(100 - n)) for n in range(90)]
    values = pa.table({"tags": texts})
    features = encode_columns(values, {"tags": Stype.MULTICATEGORICAL}, 90)
    # p000 to p010 stand in every list, p063 in 37 of them, p064 in 36.
    assert len(features.numerical_names) == 64
    assert features.numerical_names[-1] == 'tags has "p063"'


def test_a_boolean_is_encoded_as_a_category_of_two_is() -> None:
    values = pa.table({"x": ["Y", "N", None, "Y"]})
    one, two = (
        encode_columns(values, {"x": stype}, 4)
        for stype in (Stype.BOOLEAN, Stype.CATEGORICAL)
    )
    assert one.codes.tolist() == two.codes.tolist() == [[2], [3], [0], [2]]
    assert one.cardinalities == two.cardinalities == (4,)


@given(
    st.lists(
        st.lists(st.sampled_from(["red", "blue", "grey sky", "x1"]), min_size=2).map(
            lambda parts: tuple(dict.fromkeys(parts))
        ),
        min_size=1,
    ),
    st.sampled_from([",", "; ", " | ", "/"]),
)
def test_lists_come_apart_as_they_were_put_together(
    lists: list[tuple[str, ...]], separator: str
) -> None:
    assert split_texts([separator.join(parts) for parts in lists]) == lists


def test_times_are_proposed_in_the_order_of_what_they_stand_for_and_never_taken(
    tmp_path: Path,
) -> None:
    columns = (
        "birth_date TEXT, expires_at TEXT, updated_at TEXT, created_at TEXT, x REAL"
    )
    rows = [
        (
            f"19{50 + n}-01-01",
            f"2030-01-{1 + n:02}",
            f"2021-01-{1 + n:02}",
            f"2020-01-{1 + n:02}" if n else None,
            n / 7,
        )
        for n in range(20)
    ]
    table = read(tmp_path, columns, rows).tables[0]
    assert table.time_column is None
    assert [one.column for one in table.time_proposals] == [
        "created_at", "updated_at", "expires_at", "birth_date",
    ]  # fmt: skip
    best = table.time_proposals[0]
    assert (best.low, best.high, best.share) == ("2020-01-02", "2020-01-20", 0.95)
    assert "rarely" in table.time_proposals[-1].why


def test_a_hint_decides_over_every_rule(tmp_path: Path) -> None:
    schema = read(tmp_path, "tags TEXT", [(text,) for text in LISTS], tags="text")
    found = schema.column("t", "tags")
    assert (found.stype, found.evidence) == (Stype.TEXT, "said by the hints")
