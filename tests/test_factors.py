"""Splits by columns of the row and of what it refers to, over a database with keys."""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from tests.tiny import make_task, write_sqlite
from workbench.baseline import floor
from workbench.database import Database, connect
from workbench.errors import WorkbenchError
from workbench.exposure import find_exposure
from workbench.factors import factor_choices
from workbench.graph import build_graph
from workbench.hints import TaskSpec
from workbench.links import Links, Sight
from workbench.models import MODELS
from workbench.remedies import REMEDIES
from workbench.run import Budget, Run, RunConfig, build_network, train
from workbench.schema import Schema, infer_schema
from workbench.survey import plan_to_json, survey
from workbench.task import SEEN, TEST, TRAIN, VAL, Task, define_task
from workbench.topologies import plan_named

REGIONS = ("North", "South", "East", "West", "Mid|dle")
PEOPLE = 400
CITIES = 20


def insert(table: str, rows: list[tuple]) -> str:
    values = ", ".join(
        "(" + ", ".join("NULL" if one is None else repr(one) for one in row) + ")"
        for row in rows
    )
    return f"INSERT INTO {table} VALUES {values};"


TOWN = """
CREATE TABLE region (id INTEGER PRIMARY KEY, name TEXT);
CREATE TABLE city (id INTEGER PRIMARY KEY, region_id INTEGER REFERENCES region (id),
  population INTEGER, founded TEXT);
CREATE TABLE person (id INTEGER PRIMARY KEY, city_id INTEGER REFERENCES city (id),
  born_in INTEGER REFERENCES city (id), age INTEGER, rich REAL);
CREATE TABLE visit (id INTEGER PRIMARY KEY, person_id INTEGER REFERENCES person (id),
  paid REAL);
""" + "".join(
    (
        insert("region", [(at, name) for at, name in enumerate(REGIONS)]),
        insert(
            "city",
            [
                (at, at % 5, 1000 + 10 * at, f"19{10 + at}-03-01")
                for at in range(CITIES)
            ],
        ),
        insert(
            "person",
            [
                (at, at % 19 if at else None, at % 7, at % 9, (at * 37 % 101) / 10)
                for at in range(PEOPLE)
            ],
        ),
        insert("visit", [(at, at % 50, at / 7) for at in range(60)]),
    )
)


@pytest.fixture(scope="module")
def town(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple]:
    # One key alone leads to a city: who was born where is told by no key.
    sql = TOWN.replace("born_in INTEGER REFERENCES city (id)", "born_in INTEGER")
    path = write_sqlite(tmp_path_factory.mktemp("town") / "town.db", sql)
    with connect(path) as database:
        yield database, infer_schema(database)


def define(opened: tuple[Database, Schema], split: str, seed: int = 0) -> Task:
    return define_task(*opened, TaskSpec("person.rich", split=split, split_seed=seed))


def city_of(task: Task) -> np.ndarray:
    return task.rows % 19


def test_a_column_of_a_parent_divides_its_children_whole(town) -> None:
    task = define(town, "extrapolation:city.population")
    tops = {side: set(city_of(task)[task.split == side]) for side in (TRAIN, VAL, TEST)}
    assert max(tops[TRAIN]) < min(tops[VAL])
    assert max(tops[VAL]) < min(tops[TEST])
    assert 0 not in task.rows.tolist()  # the person who lives in no city


def test_values_of_a_grandparent_are_left_out_by_name(town) -> None:
    task = define(town, 'leave:region.name=South|"Mid|dle"')
    assert set(city_of(task)[task.split == TEST] % 5) == {1, 4}
    assert not {1, 4} & set(city_of(task)[task.split != TEST] % 5)
    assert set(task.split.tolist()) == {TRAIN, VAL, TEST, SEEN}


def test_the_grid_counts_every_row_once_and_names_the_levels(town) -> None:
    task = define(town, "composition:age,region.name")
    assert task.grid is not None
    assert task.grid.columns == ("person.age", "region.name")
    assert task.grid.levels[0] == tuple("012345678")
    assert set(task.grid.levels[1]) == set(REGIONS)
    assert task.grid.counts.sum() == len(task.rows)
    for side in (TRAIN, VAL, TEST, SEEN):
        assert task.grid.counts[..., side].sum() == (task.split == side).sum()


def test_days_are_ordered_in_time_and_shown_as_days(town) -> None:
    task = define(town, "interpolation:city.founded")
    assert task.grid is not None
    assert task.grid.levels[0][0] == "1910-03-01 to 1911-03-01"


def test_a_split_leaves_the_columns_it_goes_by_in_the_graph(town) -> None:
    task = define(town, "leave:region.name")
    assert task.spec.hidden == {("person", "rich")}


def test_the_same_seed_divides_alike_and_another_one_otherwise(town) -> None:
    for split in ("leave:city_id", "composition:age,region.name"):
        first = define(town, split)
        assert np.array_equal(first.split, define(town, split).split)
        assert not np.array_equal(first.split, define(town, split, seed=1).split)


@pytest.mark.parametrize(
    ("split", "sentence"),
    [
        ("leave:nothing", "no column of \"person\" \"nothing\".*TABLE.COLUMN"),
        ("leave:town.name", 'no table "town"'),
        ("leave:region.nam", 'did you mean "name"'),
        ("leave:visit.paid", "cannot be reached: no keys lead"),
        ("leave:rich", "uses the target itself"),
        ("composition:age,person.age", "names one column twice"),
        ("leave:region.name=Sout", 'did you mean "South"'),
        ("composition:age", "cannot be read; write"),
        ("leave:id", "0 rows for the set-aside part; at least 10 are needed"),
        ("leave:region.name=North|South|East|West|\"Mid|dle\"",
         "no rows for the training part"),
    ],
)  # fmt: skip
def test_a_split_that_does_not_fit_is_refused_in_a_sentence(
    town, split: str, sentence: str
) -> None:
    with pytest.raises(WorkbenchError, match=sentence):
        define(town, split)


def test_a_parent_reached_in_two_ways_is_refused_with_both(tmp_path: Path) -> None:
    with connect(write_sqlite(tmp_path / "two.db", TOWN)) as database:
        opened = database, infer_schema(database)
        with pytest.raises(
            WorkbenchError, match=r"2 ways, such as by person\.\w+ and person\.\w+;"
        ):
            define(opened, "leave:city.population")
        own = ("id", "city_id", "born_in", "age", "rich")
        assert factor_choices(opened[1], "person") == own


def test_what_a_split_can_name_is_the_row_and_what_it_refers_to(town) -> None:
    assert factor_choices(town[1], "person")[-6:] == (
        "city.id",
        "city.region_id",
        "city.population",
        "city.founded",
        "region.id",
        "region.name",
    )


@pytest.mark.parametrize(
    ("topology", "sentence"),
    [
        ("row2node", "from depth {hop} on, by way of {via}"),
        ("single-table", ""),
        ("aggregated", ""),
    ],
)
def test_a_graph_says_when_training_rows_see_held_out_ones(
    town, topology: str, sentence: str
) -> None:
    database, schema = town
    task = define(town, "composition:age,region.name")
    found = survey(
        database, schema, task, plan_named(schema, task.spec, topology)
    ).warnings
    told = [one for one in found if "held-out values are in this graph" in one]
    # Two people of one city and of different ages: two links, over the city.
    wanted = sentence.format(hop=2, via="city")
    assert bool(told) == bool(sentence)
    assert not told or wanted in told[0]


def test_a_summary_that_holds_a_test_row_is_told_of_at_depth_0() -> None:
    rows, nodes = np.array([0, 1, 1]), np.array([0, 0, 1])  # row 1 shows at node 0 too
    sights = (Sight("cell", "cell", rows, nodes),)
    links = Links({"cell": 2}, (), (), sights)
    task = replace(
        make_task("cell.total", (0, 1)), split=np.array([TRAIN, TEST], dtype=np.int8)
    )
    found = find_exposure(links, "cell", task)
    assert (found.num_seen, found.num_test, found.hop) == (1, 1, 0)
    assert "already in their own summaries" in found.sentence


def test_regions_that_share_nothing_are_not_seen(town) -> None:
    database, schema = town
    task = define(town, "leave:region.name")
    found = survey(
        database, schema, task, plan_named(schema, task.spec, "row2node")
    ).warnings
    assert not [one for one in found if "held-out values" in one]


def test_the_plan_tells_the_grid_and_only_of_splits_that_hold_values_out(town) -> None:
    told = plan_to_json(define(town, "leave:region.name"), [])["task"]
    assert told["grid"]["columns"] == ["region.name"]
    counts = np.array(told["grid"]["counts"])
    assert counts.sum() == sum(told["rows_per_split"]) + told["rows_set_aside"]
    assert "grid" not in plan_to_json(define(town, "random"), [])["task"]


SIDE, EACH = 7, 12
SPLITS = ("random", "composition:a,b", "interpolation:a,b", "extrapolation:a,b")


def cells(as_text: bool) -> str:
    """Return a 7 × 7 grid of rows whose target is the sum of both values."""
    noise = np.random.default_rng(0).normal(0, 0.05, SIDE * SIDE * EACH)
    rows = []
    for at, off in enumerate(noise):
        a, b = divmod(at % SIDE**2, SIDE)
        shown = (f"a{a}", f"b{b}") if as_text else (a / 2, b / 2)
        rows.append((at, *shown, float(a + b + off)))
    kind = "TEXT" if as_text else "REAL"
    return (
        f"CREATE TABLE cell (id INTEGER PRIMARY KEY, a {kind}, b {kind}, total REAL);"
        + insert("cell", rows)
    )


def score_own_columns(path: Path, split: str):
    with connect(path) as database:
        schema = infer_schema(database)
        task = define_task(database, schema, TaskSpec("cell.total", split=split))
        return floor(database, schema, task, "grid", "own columns")


@pytest.mark.parametrize("split", SPLITS)
def test_an_additive_target_carries_over_where_values_are_numbers(
    tmp_path: Path, split: str
) -> None:
    path = write_sqlite(tmp_path / "numbers.db", cells(as_text=False))
    assert score_own_columns(path, split).test >= 0.95


def test_where_values_are_names_those_outside_are_worse_than_the_mean(
    tmp_path: Path,
) -> None:
    path = write_sqlite(tmp_path / "names.db", cells(as_text=True))
    found = score_own_columns(path, "extrapolation:a,b")
    assert found.seen >= 0.95
    assert found.test < 0
    assert found.gap_low > 0.95
    assert np.isnan(score_own_columns(path, "random").seen)


def train_once(path: Path, split: str, topology: str, depth: int, epochs: int) -> Run:
    with connect(path) as database:
        schema = infer_schema(database)
        task = define_task(database, schema, TaskSpec("cell.total", split=split))
        blueprint = plan_named(schema, task.spec, topology)
        graph = build_graph(database, schema, task, blueprint)
    budget = Budget(epochs=epochs, patience=epochs)
    config = RunConfig(MODELS["sage"], REMEDIES["none"], depth, 0, budget)
    return train(build_network(graph, task, config), graph, task, config)


def test_labels_of_rows_set_aside_teach_nothing(tmp_path: Path) -> None:
    path = write_sqlite(tmp_path / "numbers.db", cells(as_text=False))
    first = train_once(path, "composition:a,b", "single-table", depth=0, epochs=4)
    with connect(path) as database:
        task = define_task(
            database,
            infer_schema(database),
            TaskSpec("cell.total", split="composition:a,b"),
        )
    aside = ", ".join(task.keys[at] for at in np.flatnonzero(task.split == SEEN))
    changed = write_sqlite(
        tmp_path / "changed.db",
        f"{cells(as_text=False)} UPDATE cell SET total = total + 90 WHERE id IN"
        f" ({aside})",
    )
    second = train_once(changed, "composition:a,b", "single-table", depth=0, epochs=4)
    assert np.array_equal(first.outputs, second.outputs)
    assert first.seen > second.seen
    assert first.test == second.test


@pytest.mark.slow
def test_a_network_on_value_nodes_knows_new_pairs_and_nothing_outside(
    tmp_path: Path,
) -> None:
    path = write_sqlite(tmp_path / "names.db", cells(as_text=True))
    pairs = train_once(path, "composition:a,b", "promoted", depth=1, epochs=60)
    assert pairs.seen >= 0.95
    assert pairs.test >= 0.9
    outside = train_once(path, "extrapolation:a,b", "promoted", depth=1, epochs=60)
    assert outside.test < 0
