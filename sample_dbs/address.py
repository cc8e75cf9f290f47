"""Generates the address samples: one set of facts kept in three schemas.

A person is prosperous when the city they live in is, and only the city's four indices
say whether it is. How many foreign keys lie between a person and those four numbers is
the only difference between the schemas: one, two or three.

Cities come in pairs: one of either label, in the same split, laid out alike (as many
zips, houses and residents, joined the same way, on streets of the same names). So the
labels are exactly balanced in every split and on every street, and nothing that can be
counted tells them apart. Many cities share a street's name, as they do in life, which
ties what would otherwise be five hundred separate graphs into one a split.
"""

import random
import sqlite3
import sys
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

SEED = 20250311
PAIRS = {"train": 156, "val": 39, "test": 65}  # of cities
_NUM_STREETS = sum(PAIRS.values())
MARGIN = 1.5  # no city's indices add up to less than this, either way
INDICES = ("jobs_index", "schools_index", "safety_index", "housing_index")
HOUSEHOLD_SIZES = (1, 1, 2, 2, 3)

_PERSON = """
CREATE TABLE person (
  person_id INTEGER PRIMARY KEY,
  age INTEGER NOT NULL,
  years_of_school INTEGER NOT NULL,
  commute_minutes REAL NOT NULL,
  monthly_spending REAL NOT NULL,
  {home},
  split TEXT NOT NULL,
  prosperous INTEGER NOT NULL
)"""
_STREET_AND_CITY = """
CREATE TABLE street (street_id INTEGER PRIMARY KEY, name TEXT NOT NULL);
CREATE TABLE city (
  city_id INTEGER PRIMARY KEY,
  name TEXT NOT NULL,
  jobs_index REAL NOT NULL,
  schools_index REAL NOT NULL,
  safety_index REAL NOT NULL,
  housing_index REAL NOT NULL
)"""
_STREET_ID = "street_id INTEGER NOT NULL REFERENCES street (street_id)"
_ZIP_ID = "zip_id INTEGER NOT NULL REFERENCES zip (zip_id)"
_CITY_ID = "city_id INTEGER NOT NULL REFERENCES city (city_id)"
_ADDRESS_ID = "address_id INTEGER NOT NULL REFERENCES address (address_id)"


@dataclass(frozen=True, slots=True)
class Layout:
    """What two cities of a pair share.

    Attributes:
        num_zips: How many zips the city has.
        houses: For each house its street's id, its zip (counted within the city), its
            number in the street and how many people live there.
    """

    num_zips: int
    houses: tuple[tuple[int, int, int, int], ...]


@dataclass(frozen=True, slots=True)
class City:
    """A city: how it is laid out, what is known of it, and which way it is labelled."""

    city_id: int
    name: str
    indices: tuple[float, ...]
    split: str
    layout: Layout

    @property
    def prosperous(self) -> int:
        """1 when the indices add up to more than 0, else 0."""
        return int(sum(self.indices) > 0)


@dataclass(frozen=True, slots=True)
class Facts:
    """Every row of the samples, whichever schema they are kept in.

    Attributes:
        cities: The cities, by id.
        zips: (zip_id, code, city_id).
        streets: (street_id, name).
        addresses: (address_id, house_number, street_id, zip_id, city_id).
        people: (person_id, four columns that mean nothing, address_id).
    """

    cities: tuple[City, ...]
    zips: tuple[tuple[int, int, int], ...]
    streets: tuple[tuple[int, str], ...]
    addresses: tuple[tuple[int, int, int, int, int], ...]
    people: tuple[tuple[int, int, int, float, float, int], ...]


def build(name: str, path: Path) -> None:
    """Write one of the three samples to a new SQLite file.

    Args:
        name: ``address-flat``, ``address-normalized`` or ``address-3nf``.
        path: The file, which must not exist yet.
    """
    facts = make_facts(random.Random(SEED))
    tables = {"address-flat": _flat, "address-normalized": _normalized}.get(name, _3nf)
    with sqlite3.connect(path, isolation_level=None) as connection:
        connection.execute("BEGIN")
        for statement in _STREET_AND_CITY.split(";"):
            connection.execute(statement)
        _insert(connection, "street", facts.streets)
        _insert(
            connection, "city", ((c.city_id, c.name, *c.indices) for c in facts.cities)
        )
        for table, definition, rows in tables(facts):
            connection.execute(definition)
            _insert(connection, table, rows)
        connection.execute("COMMIT")
    connection.close()


def make_facts(rng: random.Random) -> Facts:
    """Draw the cities, and then fill them with zips, streets, houses and people."""
    cities = _draw_cities(rng)
    zips: list[tuple[int, int, int]] = []
    addresses: list[tuple[int, int, int, int, int]] = []
    homes: list[int] = []
    codes = rng.sample(range(10_000, 100_000), 3 * len(cities))
    for city in cities:
        first_zip = len(zips) + 1
        for _ in range(city.layout.num_zips):
            zips.append((len(zips) + 1, codes[len(zips)], city.city_id))
        for street, zip_, number, residents in city.layout.houses:
            place = (street, first_zip + zip_, city.city_id)
            addresses.append((len(addresses) + 1, number, *place))
            homes.extend([len(addresses)] * residents)
    rng.shuffle(homes)
    people = [(i, *_noise(rng), home) for i, home in enumerate(homes, 1)]
    streets = tuple((i, _street_name(i - 1)) for i in range(1, _NUM_STREETS + 1))
    return Facts(cities, tuple(zips), streets, tuple(addresses), tuple(people))


def _draw_cities(rng: random.Random) -> tuple[City, ...]:
    """Two cities of a pair share split and layout, and differ in their label."""
    drafts: list[tuple[tuple[float, ...], str, Layout]] = []
    first_street = 1
    for split, num_pairs in PAIRS.items():
        # As many street names as pairs; each pair has one of them for certain.
        names = range(first_street, first_street + num_pairs)
        first_street += num_pairs
        for name in names:
            layout = _draw_layout(rng, name, names)
            drafts.extend((_draw_indices(rng, s), split, layout) for s in (1, -1))
    rng.shuffle(drafts)
    names = _city_names(rng, len(drafts))
    return tuple(
        City(i, name, *draft)
        for i, (name, draft) in enumerate(zip(names, drafts, strict=True), 1)
    )


def _draw_indices(rng: random.Random, sign: int) -> tuple[float, ...]:
    """Four standard normal numbers, drawn until their sum lies beyond the margin."""
    while True:
        drawn = tuple(round(rng.gauss(0, 1), 4) for _ in INDICES)
        if sign * sum(drawn) > MARGIN:
            return drawn


def _draw_layout(rng: random.Random, name: int, names: Sequence[int]) -> Layout:
    """Six to ten residents in houses that use every zip and every street."""
    num_zips, num_streets = rng.randint(1, 3), rng.randint(2, 4)
    others = rng.sample([each for each in names if each != name], num_streets - 1)
    streets = (name, *others)
    left, houses = rng.randint(6, 10), []
    while left:
        residents = min(left, rng.choice(HOUSEHOLD_SIZES))
        # The first houses go round the zips and streets, so that none stays empty.
        street, zip_ = len(houses) % num_streets, len(houses) % num_zips
        if len(houses) >= max(num_zips, num_streets):
            street, zip_ = rng.randrange(num_streets), rng.randrange(num_zips)
        number = 2 * len(houses) + rng.randint(1, 2)
        houses.append((streets[street], zip_, number, residents))
        left -= residents
    if len(houses) < max(num_zips, num_streets):
        return _draw_layout(rng, name, names)
    return Layout(num_zips, tuple(houses))


def _noise(rng: random.Random) -> tuple[int, int, float, float]:
    """A person's own columns: plausible, and drawn without a look at the city."""
    age, school = rng.randint(18, 90), rng.randint(4, 30)
    commute, spending = rng.expovariate(1 / 25), rng.lognormvariate(7.5, 0.5)
    return age, school, round(commute, 1), round(spending, 2)


def _city_names(rng: random.Random, count: int) -> list[str]:
    starts = ("Al", "Bren", "Cal", "Dor", "El", "Fal", "Gar", "Hol", "Ist", "Jun")
    middles = ("a", "e", "i", "o", "u", "an", "en", "in", "or", "un")
    ends = ("bridge", "burg", "dale", "field", "ford", "ham", "mouth", "ton", "ville")
    names = [start + m + end for start in starts for m in middles for end in ends]
    return rng.sample(names, count)


def _street_name(position: int) -> str:
    trees = ("Alder", "Ash", "Beech", "Birch", "Cedar", "Elm", "Hazel", "Larch")
    return f"{trees[position % len(trees)]} Street {position // len(trees) + 1}"


# --- the same facts, three times ---------------------------------------------

Tables = Iterator[tuple[str, str, Iterable[Sequence[object]]]]


def _flat(facts: Facts) -> Tables:
    """One hop: every part of the address hangs on the person."""
    home = (
        f"house_number INTEGER NOT NULL,\n  {_STREET_ID},\n  {_ZIP_ID},\n  {_CITY_ID}"
    )
    yield "zip", _zip_table(), ((z, code) for z, code, _ in facts.zips)
    homes = {address: parts for address, *parts in facts.addresses}
    yield (
        "person",
        _PERSON.format(home=home),
        ((*own, *homes[address], *label) for own, address, label in _people(facts)),
    )


def _normalized(facts: Facts) -> Tables:
    """Two hops: an address is a row of its own, and knows its city."""
    yield "zip", _zip_table(), ((z, code) for z, code, _ in facts.zips)
    yield "address", _address_table(_STREET_ID, _ZIP_ID, _CITY_ID), facts.addresses
    yield "person", _PERSON.format(home=_ADDRESS_ID), _people_with_address(facts)


def _3nf(facts: Facts) -> Tables:
    """Three hops: the zip knows the city, so the address need not."""
    yield "zip", _zip_table(_CITY_ID), facts.zips
    without_city = (address[:-1] for address in facts.addresses)
    yield "address", _address_table(_STREET_ID, _ZIP_ID), without_city
    yield "person", _PERSON.format(home=_ADDRESS_ID), _people_with_address(facts)


def _people(
    facts: Facts,
) -> Iterator[tuple[Sequence[object], int, tuple[str, int]]]:
    """Yield each person's own columns, their address, their split and label."""
    city_of = {address: facts.cities[city - 1] for address, *_, city in facts.addresses}
    for *own, address in facts.people:
        city = city_of[address]
        yield own, address, (city.split, city.prosperous)


def _people_with_address(facts: Facts) -> Iterator[tuple[object, ...]]:
    return ((*own, address, *label) for own, address, label in _people(facts))


def _zip_table(*keys: str) -> str:
    columns = ("zip_id INTEGER PRIMARY KEY", "code INTEGER NOT NULL", *keys)
    return f"CREATE TABLE zip ({', '.join(columns)})"


def _address_table(*keys: str) -> str:
    number = "house_number INTEGER NOT NULL"
    columns = ("address_id INTEGER PRIMARY KEY", number, *keys)
    return f"CREATE TABLE address ({', '.join(columns)})"


def _insert(
    connection: sqlite3.Connection, table: str, rows: Iterable[Sequence[object]]
) -> None:
    rows = list(rows)
    marks = ", ".join("?" * len(rows[0]))
    connection.executemany(f"INSERT INTO {table} VALUES ({marks})", rows)


if __name__ == "__main__":
    build(sys.argv[1], Path(sys.argv[2]))
