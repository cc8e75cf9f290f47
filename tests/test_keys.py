"""Keys that nobody declares are found in the rows, and lookalikes are not."""

import sqlite3
from collections.abc import Mapping, Sequence
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from workbench.database import connect, quote
from workbench.hints import Hints, KeyHint, TableHint
from workbench.schema import ForeignKey, KeyOrigin, Schema, infer_schema

Rows = Sequence[Sequence[object]]
Tables = Mapping[str, tuple[str, Rows]]


def write(path: Path, tables: Tables) -> Path:
    """Write tables without a key; columns are "name type" and separated by commas."""
    with sqlite3.connect(path) as connection:
        for name, (columns, rows) in tables.items():
            connection.execute(f"CREATE TABLE {quote(name)} ({columns})")
            marks = ", ".join("?" * len(columns.split(",")))
            connection.executemany(
                f"INSERT INTO {quote(name)} VALUES ({marks})", list(rows)
            )
    connection.close()
    return path


def read(folder: Path, tables: Tables, hints: Hints | None = None) -> Schema:
    path = write(folder / f"db{len(list(folder.iterdir()))}.db", tables)
    with connect(path, cache=folder / "cache") as database:
        return infer_schema(database, Hints() if hints is None else hints)


def ids(keys: Sequence[ForeignKey]) -> set[str]:
    return {f"{key.id}({'+'.join(key.ref_columns)})" for key in keys}


SHOP: Tables = {
    "customers": (
        "id INTEGER, name TEXT, age INTEGER, rank INTEGER",
        [(n, f"c{n % 30}", 20 + n % 40, 1 + n % 10) for n in range(1, 61)],
    ),
    "products": (
        "id INTEGER, title TEXT, price REAL, weight INTEGER",
        [(n, f"p {n % 25}", n / 7, 1 + n % 9) for n in range(1, 51)],
    ),
    "orders": (
        "id INTEGER, customer_id INTEGER, month INTEGER, customer_rank INTEGER",
        [(n, 1 + n * 7 % 60, 1 + n % 12, 1 + n % 10) for n in range(1, 201)],
    ),
    "order_lines": (
        "order_id INTEGER, line INTEGER, product_id INTEGER, quantity INTEGER",
        [
            (n, line, 1 + (n * 3 + line) % 50, 1 + (n + line) % 20)
            for n in range(1, 201)
            for line in (1, 2, 3)
        ],
    ),
}


def test_a_shop_has_the_keys_that_its_names_say_and_no_lookalike(
    tmp_path: Path,
) -> None:
    # age, rank, month, weight, quantity and customer_rank all lie within 1 to 50 or 60,
    # so that their values are included in the surrogate keys: none of them is a key.
    schema = read(tmp_path, SHOP)
    assert ids(schema.foreign_keys) == {
        "orders.customer_id->customers(id)",
        "order_lines.order_id->orders(id)",
        "order_lines.product_id->products(id)",
    }
    assert schema.suggested_keys == ()
    assert {table.name: table.primary_key for table in schema.tables} == {
        "customers": ("id",),
        "products": ("id",),
        "orders": ("id",),
        "order_lines": ("order_id", "line"),
    }


def test_what_is_found_is_said_with_its_numbers(tmp_path: Path) -> None:
    schema = read(tmp_path, SHOP)
    assert any(
        "4 primary keys and 3 foreign keys" in warning for warning in schema.warnings
    )
    key = schema.key("orders.customer_id->customers")
    assert key.origin is KeyOrigin.INFERRED
    assert not key.declared
    assert 0.75 <= key.confidence <= 1
    # 200 orders, of 60 customers each one at least: 7 and 60 have no common divisor.
    assert {
        name: key.evidence[name]
        for name in ("inclusion", "orphans", "distinct", "duplicates", "coverage")
    } == {
        "inclusion": 1.0,
        "orphans": 0,
        "distinct": 60,
        "duplicates": 140,
        "coverage": 1.0,
    }
    assert key.evidence["why"] == "named for the parent and its column"
    assert "named as the table's key" in schema.table("orders").key_evidence


LEAGUE: Tables = {
    "Teams": (
        "yearID INTEGER, teamID TEXT, wins INTEGER, park TEXT",
        [
            (year, team, (year * 7 + at * 13) % 90, f"park {at % 3}")
            for year in range(2000, 2010)
            for at, team in enumerate(("AAA", "BBB", "CCC", "DDD"))
        ],
    ),
    "HomeGames": (
        "yearkey INTEGER, teamkey TEXT, day INTEGER, guests INTEGER",
        [
            (year, team, day, 1000 + day)
            for year in range(2000, 2010)
            for team in ("AAA", "BBB", "CCC", "DDD")
            for day in (1, 2, 3, 4)
        ],
    ),
    "Finals": (
        "yearID INTEGER, teamIDwinner TEXT, teamIDloser TEXT",
        [(year, "AAA", "CCC") for year in range(2000, 2010)],
    ),
}


def test_a_composite_key_is_found_under_other_names_and_in_two_roles(
    tmp_path: Path,
) -> None:
    schema = read(tmp_path, LEAGUE)
    assert schema.table("Teams").primary_key == ("yearID", "teamID")
    assert ids(schema.foreign_keys) == {
        "HomeGames.yearkey+teamkey->Teams(yearID+teamID)",
        "Finals.yearID+teamIDwinner->Teams(yearID+teamID)",
        "Finals.yearID+teamIDloser->Teams(yearID+teamID)",
    }


def test_two_roles_of_one_parent_and_a_manager_are_keys_of_their_own(
    tmp_path: Path,
) -> None:
    schema = read(
        tmp_path,
        {
            "team": ("id INTEGER, city TEXT", [(n, f"c{n % 5}") for n in range(1, 21)]),
            "game": (
                "id INTEGER, home_team_id INTEGER, away_team_id INTEGER",
                [(n, 1 + n % 20, 1 + n * 3 % 20) for n in range(1, 101)],
            ),
            "employee": (
                "employee_id INTEGER, manager_id INTEGER, age INTEGER",
                [(n, n // 4 or None, 18 + n % 40) for n in range(1, 61)],
            ),
        },
    )
    assert ids(schema.foreign_keys) == {
        "game.home_team_id->team(id)",
        "game.away_team_id->team(id)",
        "employee.manager_id->employee(employee_id)",
    }


def test_one_to_one_tables_refer_to_the_one_that_is_named(tmp_path: Path) -> None:
    # manager ⊆ employee ⊆ person, all by person_id: person is the one that is named.
    schema = read(
        tmp_path,
        {
            name: (
                f"person_id INTEGER, {name}_note TEXT",
                [(n, f"{name} {n % 4}") for n in range(1, last)],
            )
            for name, last in (("manager", 20), ("person", 100), ("employee", 50))
        },
    )
    assert ids(schema.foreign_keys) == {
        "manager.person_id->person(person_id)",
        "employee.person_id->person(person_id)",
    }
    assert {table.primary_key for table in schema.tables} == {("person_id",)}


def test_a_column_is_no_key_to_two_parents(tmp_path: Path) -> None:
    # Nobody is named, so the smaller of the two that hold every code is the parent.
    schema = read(
        tmp_path,
        {
            "first": (
                "voucher_id TEXT, x REAL",
                [(f"k{n:03}", n / 3) for n in range(100)],
            ),
            "second": (
                "voucher_id TEXT, x REAL",
                [(f"k{n:03}", n / 3) for n in range(60)],
            ),
            "third": (
                "n REAL, voucher_id TEXT",
                [(n / 3, f"k{n % 40:03}") for n in range(200)],
            ),
        },
    )
    found = [key for key in schema.foreign_keys if key.table == "third"]
    assert ids(found) == {"third.voucher_id->second(voucher_id)"}


@pytest.mark.parametrize(
    ("orphans", "used", "suggested"), [(0, 1, 0), (2, 1, 0), (15, 0, 1), (60, 0, 0)]
)
def test_few_orphans_are_told_and_many_make_no_key(
    tmp_path: Path, orphans: int, used: int, suggested: int
) -> None:
    # 200 trips: 0, 1 %, 7.5 % and 30 % of them name a bus that is not there.
    trips = [(n, f"B{n % 40:02}") for n in range(200 - orphans)]
    trips += [(500 + n, f"X{n:02}") for n in range(orphans)]
    schema = read(
        tmp_path,
        {
            "bus": (
                "bus_id TEXT, seats REAL",
                [(f"B{n:02}", n / 7) for n in range(40)],
            ),
            "trip": ("trip_id INTEGER, bus_id TEXT", trips),
        },
    )
    keys = [*schema.foreign_keys, *schema.suggested_keys]
    assert (len(schema.foreign_keys), len(schema.suggested_keys)) == (used, suggested)
    assert all(key.num_dangling == orphans for key in keys)
    assert all(key.evidence["orphans"] == orphans for key in keys)
    assert all((key.confidence >= 0.75) == bool(used) for key in keys)


def test_a_column_without_a_value_is_no_key(tmp_path: Path) -> None:
    schema = read(
        tmp_path,
        {
            "bus": ("id INTEGER, seats REAL", [(n, n / 7) for n in range(1, 41)]),
            "trip": ("id INTEGER, bus_id INTEGER", [(n, None) for n in range(1, 50)]),
        },
    )
    assert schema.foreign_keys == schema.suggested_keys == ()


def test_texts_that_are_included_under_another_name_are_only_suggested(
    tmp_path: Path,
) -> None:
    airports = [f"{a}{b}{c}" for a in "ABCD" for b in "EFGH" for c in "IJK"]
    schema = read(
        tmp_path,
        {
            "airport": (
                "faa TEXT, lat REAL",
                [(a, n / 3) for n, a in enumerate(airports)],
            ),
            "flight": (
                "minutes REAL, origin TEXT, gate TEXT",
                [(n / 3, airports[n % 9], f"G{n % 12}") for n in range(200)],
            ),
        },
    )
    assert schema.foreign_keys == ()
    (key,) = schema.suggested_keys
    assert key.id == "flight.origin->airport"
    assert key.evidence["why"] == "the names have nothing in common"


def test_the_name_of_a_thing_beside_its_key_is_a_copy(tmp_path: Path) -> None:
    names = [f"genre{n}" for n in range(12)]
    schema = read(
        tmp_path,
        {
            "genre": ("id INTEGER, name TEXT", list(enumerate(names, start=1))),
            "track": (
                "id INTEGER, genre_id INTEGER, genre TEXT",
                [(n, 1 + n % 12, names[n % 12]) for n in range(1, 101)],
            ),
        },
    )
    assert ids(schema.foreign_keys) == {"track.genre_id->genre(id)"}


def test_a_measurement_that_happens_to_be_unique_is_no_key(tmp_path: Path) -> None:
    schema = read(
        tmp_path,
        {
            "reading": (
                "place TEXT, pressure INTEGER, level REAL",
                [(f"p{n % 3}", 9000 + n * 17 % 4999, n / 3) for n in range(100)],
            ),
        },
    )
    assert schema.table("reading").primary_key == ()
    assert "tell all rows apart" in schema.table("reading").key_evidence


def test_a_near_key_is_told_with_its_repeats_and_rows_go_by_their_number(
    tmp_path: Path,
) -> None:
    rows = [(n, f"c{n % 5}") for n in range(1, 101)]
    rows += [(7, "c9"), (8, "c9")]  # two invoices were numbered twice
    tables: Tables = {"invoice": ("invoice_id INTEGER, city TEXT", rows)}
    table = read(tmp_path, tables).table("invoice")
    assert table.primary_key == ()
    assert table.key_evidence == (
        "invoice_id would be a key, but 2 of 102 rows repeat it;"
        " rows go by their number"
    )
    hints = Hints(tables={"invoice": TableHint(primary_key=())})
    settled = read(tmp_path, tables, hints).table("invoice")
    assert settled.primary_key == ()
    assert settled.key_evidence.startswith("the hints say")


def test_a_table_with_repeated_rows_has_no_key(tmp_path: Path) -> None:
    rows = [(n % 5, f"2020-01-{1 + n % 9:02}") for n in range(100)]  # 45 distinct
    schema = read(tmp_path, {"visit": ("shop_id INTEGER, day TEXT", rows)})
    table = schema.table("visit")
    assert table.primary_key == ()
    assert table.key_evidence.startswith("55 rows repeat an earlier row in whole")


def test_hints_accept_a_suggestion_and_reject_a_find(tmp_path: Path) -> None:
    accepted = KeyHint("orders", ("month",), "products", ("id",))
    rejected = KeyHint("orders", ("customer_id",), "customers", ("id",))
    hints = Hints(foreign_keys=(accepted,), rejected_keys=(rejected,))
    schema = read(tmp_path, SHOP, hints)
    assert "orders.month->products(id)" in ids(schema.foreign_keys)
    assert "orders.customer_id->customers(id)" not in ids(
        [*schema.foreign_keys, *schema.suggested_keys]
    )
    assert schema.key("orders.month->products").origin is KeyOrigin.HINTS


def test_nothing_is_looked_for_where_the_hints_are_complete(tmp_path: Path) -> None:
    schema = read(tmp_path, SHOP, Hints(complete=True))
    assert schema.foreign_keys == schema.suggested_keys == ()
    assert all(table.primary_key == () for table in schema.tables)
    assert schema.warnings == ()


def test_tables_without_rows_give_no_guess(tmp_path: Path) -> None:
    empty = {name: (columns, []) for name, (columns, _) in SHOP.items()}
    schema = read(tmp_path, empty)
    assert schema.foreign_keys == schema.suggested_keys == schema.warnings == ()


def test_what_is_declared_is_kept_and_the_rest_is_found(tmp_path: Path) -> None:
    path = tmp_path / "half.db"
    with sqlite3.connect(path) as connection:
        connection.executescript(
            "CREATE TABLE a (id INTEGER PRIMARY KEY, x REAL);"
            "CREATE TABLE b (id INTEGER PRIMARY KEY, a_id INTEGER REFERENCES a (id));"
            "CREATE TABLE c (c_id INTEGER, b_id INTEGER);"
        )
        connection.executemany(
            "INSERT INTO a VALUES (?, ?)", [(n, n / 3) for n in range(9)]
        )
        connection.executemany(
            "INSERT INTO b VALUES (?, ?)", [(n, n % 9) for n in range(30)]
        )
        connection.executemany(
            "INSERT INTO c VALUES (?, ?)", [(n, n % 30) for n in range(90)]
        )
    connection.close()
    with connect(path, cache=tmp_path / "cache") as database:
        schema = infer_schema(database, Hints())
    assert [(key.id, str(key.origin)) for key in schema.foreign_keys] == [
        ("b.a_id->a", "declared"),
        ("c.b_id->b", "inferred"),
    ]
    assert schema.table("a").key_evidence == "declared by the database"
    assert schema.table("c").primary_key == ("c_id",)


@settings(
    max_examples=12,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(data=st.data())
def test_keys_do_not_depend_on_the_order_of_rows_and_tables(
    tmp_path_factory: pytest.TempPathFactory, data: st.DataObject
) -> None:
    merged = {**SHOP, **LEAGUE}
    order = data.draw(st.permutations(sorted(merged)))
    random = data.draw(st.randoms(use_true_random=False))
    shuffled: dict[str, tuple[str, Rows]] = {}
    for name in order:
        columns, rows = merged[name]
        shuffled[name] = (columns, random.sample(list(rows), len(rows)))
    expected, found = (
        read(tmp_path_factory.mktemp("keys"), tables) for tables in (merged, shuffled)
    )
    assert described(found) == described(expected)


def described(schema: Schema) -> tuple[object, ...]:
    keys = sorted(
        (key.id, key.ref_columns, key.confidence, sorted(key.evidence.items(), key=str))
        for key in (*schema.foreign_keys, *schema.suggested_keys)
    )
    tables = sorted(
        (table.name, table.primary_key, table.key_evidence) for table in schema.tables
    )
    return keys, tables


@settings(max_examples=15, deadline=None)
@given(
    rows=st.lists(
        st.tuples(
            st.integers(0, 6) | st.none(),
            st.integers(0, 3),
            st.sampled_from("abc"),
            st.floats(0, 1),
        ),
        min_size=2,
        max_size=30,
    )
)
def test_a_primary_key_is_filled_unique_minimal_and_never_a_fraction(
    tmp_path_factory: pytest.TempPathFactory,
    rows: list[tuple[int | None, int, str, float]],
) -> None:
    folder = tmp_path_factory.mktemp("keys")
    names = ["a_id", "day", "kind", "x"]
    columns = "a_id INTEGER, day INTEGER, kind TEXT, x REAL"
    (table,) = read(folder, {"t": (columns, rows)}).tables
    places = [names.index(name) for name in table.primary_key]
    assert 3 not in places
    if places:
        keys = [tuple(row[at] for at in places) for row in rows]
        assert None not in {part for key in keys for part in key}
        assert len(set(keys)) == len(rows)
        for left_out in places if len(places) > 1 else []:
            fewer = {tuple(row[at] for at in places if at != left_out) for row in rows}
            assert len(fewer) < len(rows)
