"""Feature tables counted by hand, and floors where the right answer is known."""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from tests.tiny import make_task, open_tiny
from tests.zoo import CASES, CIRCLE, COMPOSITE, SELF, TWICE
from workbench import baseline
from workbench.baseline import FLOORS, floor, floors
from workbench.comparison import Floor
from workbench.database import Database
from workbench.hints import TaskSpec
from workbench.schema import Schema
from workbench.tabular import Feature, Tabulator
from workbench.task import Task, TaskType

SHOP = """
    CREATE TABLE region (id INTEGER PRIMARY KEY, wealth REAL);
    CREATE TABLE town (id INTEGER PRIMARY KEY, size REAL, r REFERENCES region (id));
    CREATE TABLE buyer (id INTEGER PRIMARY KEY, y INTEGER, age REAL, secret REAL,
      t REFERENCES town (id));
    CREATE TABLE product (id INTEGER PRIMARY KEY, price REAL);
    CREATE TABLE bill (id INTEGER PRIMARY KEY, b REFERENCES buyer (id),
      p REFERENCES product (id), amount REAL, kind TEXT);
    CREATE TABLE item (bill REFERENCES bill (id), weight REAL);
    INSERT INTO region VALUES (1, 100), (2, 200);
    INSERT INTO town VALUES (1, 10, 1), (2, 20, 2);
    INSERT INTO buyer VALUES (1, 0, 30, 1, 1), (2, 1, 40, 2, 2), (3, 0, 50, 3, 2),
      (4, 1, NULL, 4, NULL);
    INSERT INTO product VALUES (1, 7), (2, 9);
    INSERT INTO bill VALUES (1, 1, 1, 2, 'cash'), (2, 1, 2, 4, 'card'),
      (3, 2, 1, 8, 'card'), (4, NULL, 1, 99, 'cash'), (5, 9, 1, 99, 'cash');
    INSERT INTO item VALUES (1, 3), (2, 5), (3, 4);
"""
STYPES = {
    "region.wealth": "numerical",
    "town.size": "numerical",
    "buyer.y": "numerical",
    "buyer.age": "numerical",
    "buyer.secret": "numerical",
    "product.price": "numerical",
    "bill.amount": "numerical",
    "bill.kind": "categorical",
    "item.weight": "numerical",
}
BUYERS = (0, 1, 2, 3)
NAN = float("nan")


@contextmanager
def tabulate(
    folder: Path,
    sql: str,
    stypes: Mapping[str, str],
    task: Task,
    times: Mapping[str, str] | None = None,
) -> Iterator[Tabulator]:
    database, schema = open_tiny(folder, sql, stypes, times)
    with database:
        yield Tabulator(database, schema, task)


@pytest.fixture
def shop(tmp_path: Path) -> Iterator[Tabulator]:
    task = make_task("buyer.y", BUYERS, hide=("buyer.secret",))
    with tabulate(tmp_path, SHOP, STYPES, task) as found:
        yield found


def by_name(features: Sequence[Feature]) -> dict[str, list[float]]:
    names = [feature.name for feature in features]
    assert len(names) == len(set(names))
    return {feature.name: feature.values.tolist() for feature in features}


def same(found: Sequence[float], expected: Sequence[float]) -> None:
    np.testing.assert_allclose(found, expected, rtol=1e-6)


def test_own_columns_are_those_of_the_row_without_target_ids_and_hidden_ones(
    shop: Tabulator,
) -> None:
    found = by_name(shop.own())
    assert set(found) == {"buyer.age"}
    same(found["buyer.age"], [30, 40, 50, NAN])


def test_the_flattened_table_holds_every_ancestor_and_no_child(
    shop: Tabulator,
) -> None:
    found = by_name(shop.flattened())
    assert set(found) == {"buyer.age", "town.size by t", "region.wealth by r by t"}
    same(found["town.size by t"], [10, 20, 20, NAN])
    same(found["region.wealth by r by t"], [100, 200, 200, NAN])


def test_a_key_made_of_a_hidden_column_is_not_followed(tmp_path: Path) -> None:
    task = make_task("buyer.y", BUYERS, hide=("buyer.secret", "buyer.t"))
    with tabulate(tmp_path, SHOP, STYPES, task) as shop:
        assert set(by_name(shop.flattened())) == {"buyer.age"}
        assert not [name for name in by_name(shop.aggregates(2)) if "town" in name]


def test_one_hop_holds_parents_and_what_is_known_of_children(shop: Tabulator) -> None:
    found = by_name(shop.aggregates(1))
    amount, kind = "bill.amount", "bill.kind"
    assert set(found) == {
        "buyer.age", "town.size by t", "count of bill by b", f"sum of {amount}",
        f"mean of {amount}", f"min of {amount}", f"max of {amount}",
        f"distinct values of {kind}", f'count of "card" of {kind}',
        f'count of "cash" of {kind}',
    }  # fmt: skip
    same(found["count of bill by b"], [2, 1, 0, 0])
    same(found[f"sum of {amount}"], [6, 8, 0, 0])
    same(found[f"mean of {amount}"], [3, 8, NAN, NAN])
    same(found[f"min of {amount}"], [2, 8, NAN, NAN])
    same(found[f"max of {amount}"], [4, 8, NAN, NAN])
    same(found[f"distinct values of {kind}"], [2, 1, 0, 0])
    same(found[f'count of "card" of {kind}'], [1, 1, 0, 0])
    same(found[f'count of "cash" of {kind}'], [1, 0, 0, 0])


def test_the_second_hop_reaches_grandparents_siblings_and_both_sides_of_children(
    shop: Tabulator,
) -> None:
    near, far = by_name(shop.aggregates(1)), by_name(shop.aggregates(2))
    assert set(near) < set(far)
    assert set(far) - set(near) == {
        "region.wealth by r by t",
        "count of buyer by t by t",
        "sum of buyer.age by t",
        "mean of buyer.age by t",
        "min of buyer.age by t",
        "max of buyer.age by t",
        "mean of product.price by p",
        "mean of count of item by bill",
        "mean of sum of item.weight",
        "mean of mean of item.weight",
        "mean of min of item.weight",
        "mean of max of item.weight",
    }
    same(far["count of buyer by t by t"], [1, 2, 2, NAN])
    same(far["sum of buyer.age by t"], [30, 90, 90, NAN])
    same(far["mean of product.price by p"], [8, 7, NAN, NAN])
    same(far["mean of sum of item.weight"], [4, 4, NAN, NAN])


def test_nearer_columns_come_first(shop: Tabulator) -> None:
    hops = [feature.hops for feature in shop.aggregates(2)]
    assert hops == sorted(hops)
    assert set(hops) == {0, 1, 2}


@pytest.mark.parametrize("name", sorted(CASES))
def test_the_target_is_in_no_table_whatever_the_keys(name: str, tmp_path: Path) -> None:
    case = CASES[name]
    task = make_task(case.target, case.rows)
    with tabulate(tmp_path, case.sql, case.stypes, task) as found:
        tables = [found.own(), found.flattened(), *map(found.aggregates, (0, 1, 2, 3))]
    for features in tables:
        held = [each.name for each in features]
        assert not [each for each in held if case.target in each.split()]
        assert all(len(each.values) == len(case.rows) for each in features)


def test_changing_the_labels_in_the_database_changes_no_feature(
    tmp_path: Path,
) -> None:
    tables = []
    for at, sql in enumerate((SHOP, SHOP.replace("(1, 0, 30", "(1, 1, 30"))):
        folder = tmp_path / str(at)
        folder.mkdir()
        with tabulate(folder, sql, STYPES, make_task("buyer.y", BUYERS)) as found:
            tables.append(by_name(found.aggregates(2)))
    assert tables[0].keys() == tables[1].keys()
    for name, values in tables[0].items():
        same(values, tables[1][name])


def test_a_self_reference_is_followed_a_hop_at_a_time(tmp_path: Path) -> None:
    task = make_task("staff.y", (0, 1, 2, 3))
    with tabulate(tmp_path, SELF.sql, SELF.stypes, task) as found:
        near, far = by_name(found.aggregates(1)), by_name(found.aggregates(2))
        flat = by_name(found.flattened())
    same(near["staff.pay by boss"], [NAN, 9, 5, 5])
    same(near["sum of staff.pay"], [5, 7, 0, 0])  # of those led, 3 and 4 by 2
    same(far["staff.pay by boss by boss"], [NAN, NAN, 9, 9])
    assert set(flat) == {"staff.pay"}


def test_a_circle_of_keys_ends(tmp_path: Path) -> None:
    task = make_task(CIRCLE.target, CIRCLE.rows)
    with tabulate(tmp_path, CIRCLE.sql, CIRCLE.stypes, task) as found:
        assert set(by_name(found.flattened())) == {"unit.size by d"}
        found.aggregates(4)


def test_a_composite_key_joins_on_all_of_its_columns(tmp_path: Path) -> None:
    task = make_task(COMPOSITE.target, COMPOSITE.rows)
    with tabulate(tmp_path, COMPOSITE.sql, COMPOSITE.stypes, task) as found:
        flat = by_name(found.flattened())
    same(flat["team.wins by year+code"], [3, 5, NAN, NAN, 3])


def test_two_keys_to_one_parent_are_two_sets_of_columns(tmp_path: Path) -> None:
    task = make_task(TWICE.target, TWICE.rows)
    with tabulate(tmp_path, TWICE.sql, TWICE.stypes, task) as found:
        flat = by_name(found.flattened())
    same(flat["club.rank by home"], [1, 2, 4])
    same(flat["club.rank by away"], [2, 3, NAN])


def test_codes_go_by_the_alphabet_and_not_by_the_order_of_rows(tmp_path: Path) -> None:
    sql = """
        CREATE TABLE t (id INTEGER PRIMARY KEY, y INTEGER, colour TEXT);
        INSERT INTO t VALUES (1, 0, 'red'), (2, 1, 'blue'), (3, 0, NULL), (4, 1, 'red');
    """
    stypes = {"t.y": "numerical", "t.colour": "categorical"}
    with tabulate(tmp_path, sql, stypes, make_task("t.y", BUYERS)) as found:
        (colour,) = found.own()
    assert colour.categories == ("blue", "red")
    same(colour.values.tolist(), [1, 0, NAN, 1])


VISITS = """
    CREATE TABLE shop (id INTEGER PRIMARY KEY, opened TEXT, size REAL);
    CREATE TABLE buyer (id INTEGER PRIMARY KEY, y INTEGER, joined TEXT,
      s REFERENCES shop (id));
    CREATE TABLE visit (b REFERENCES buyer (id), day TEXT, cost REAL);
    INSERT INTO shop VALUES (1, '2001-01-01', 5), (2, '2002-01-01', 6);
    INSERT INTO buyer VALUES (1, 0, '2010-01-01', 1), (2, 1, '2011-01-01', 2);
    INSERT INTO visit VALUES (1, '2009-06-01', 3), (1, '2009-07-01', 4),
      (2, '{latest}', 5);
"""
VISIT_STYPES = {
    "shop.size": "numerical",
    "buyer.y": "numerical",
    "visit.cost": "numerical",
}
VISIT_TIMES = {"shop": "opened", "buyer": "joined", "visit": "day"}


@pytest.mark.parametrize(
    ("latest", "times", "is_seen"),
    [
        ("2010-12-31", VISIT_TIMES, True),
        ("2011-01-01", VISIT_TIMES, True),
        ("2011-01-02", VISIT_TIMES, False),
        ("2011-01-02", None, True),
    ],
)
def test_children_from_after_a_rows_own_time_are_not_aggregated(
    latest: str, times: Mapping[str, str] | None, is_seen: bool, tmp_path: Path
) -> None:
    sql, task = VISITS.replace("{latest}", latest), make_task("buyer.y", (0, 1))
    with tabulate(tmp_path, sql, VISIT_STYPES, task, times) as found:
        names = set(by_name(found.aggregates(1)))
    assert "shop.size by s" in names
    assert ("sum of visit.cost" in names) == is_seen


def test_a_sibling_from_after_a_rows_own_time_is_not_aggregated(
    tmp_path: Path,
) -> None:
    # Both buyers now share a shop, so the first would see the second, a year later.
    sql = VISITS.replace("{latest}", "2010-01-01").replace("01-01', 2)", "01-01', 1)")
    stypes = {**VISIT_STYPES, "buyer.joined": "timestamp"}
    task = make_task("buyer.y", (0, 1))
    with tabulate(tmp_path, sql, stypes, task, VISIT_TIMES) as found:
        assert not [name for name in by_name(found.aggregates(2)) if "by s" in name]
        assert "buyer.joined" in by_name(found.own())


# Floors, on rows where one way along the keys gives everything away.

ROWS = 240
PLANTED = {
    "own": ("CASE WHEN a > 0 THEN 1 ELSE 0 END", "own columns"),
    "parent": ("(SELECT bit FROM parent WHERE parent.id = p)", "flattened table"),
    "children": (
        "(SELECT count(*) > 1 FROM child WHERE c = row.id)",
        "1-hop aggregates",
    ),
    "grandchildren": (
        "(SELECT sum(g.v) > 0 FROM grandchild g JOIN child ON g.c = child.id"
        " WHERE child.c = row.id)",
        "2-hop aggregates",
    ),
}
PLANTED_STYPES = {
    "row.y": "numerical",
    "row.a": "numerical",
    "parent.bit": "numerical",
    "child.w": "numerical",
    "grandchild.v": "numerical",
}


def planted_sql(target: str) -> str:
    generator = np.random.default_rng(0)
    own, bits = generator.normal(size=ROWS), generator.integers(0, 2, 80)
    children = [
        (row, generator.normal())
        for row in range(ROWS)
        for _ in range(generator.integers(1, 3))
    ]
    leaves = [(at, generator.normal()) for at in range(len(children))]

    def values(rows: Sequence[tuple]) -> str:
        return ", ".join(str(row) for row in rows)

    parents = [(at, int(bit)) for at, bit in enumerate(bits)]
    rows = [(at, 0, float(own[at]), int(generator.integers(80))) for at in range(ROWS)]
    kids = [(at, row, float(w)) for at, (row, w) in enumerate(children)]
    return f"""
        CREATE TABLE parent (id INTEGER PRIMARY KEY, bit INTEGER);
        CREATE TABLE row (id INTEGER PRIMARY KEY, y INTEGER, a REAL,
          p REFERENCES parent (id));
        CREATE TABLE child (id INTEGER PRIMARY KEY, c REFERENCES row (id), w REAL);
        CREATE TABLE grandchild (c REFERENCES child (id), v REAL);
        INSERT INTO parent VALUES {values(parents)};
        INSERT INTO row VALUES {values(rows)};
        INSERT INTO child VALUES {values(kids)};
        INSERT INTO grandchild VALUES {values([(at, float(v)) for at, v in leaves])};
        UPDATE row SET y = {target};
    """


@contextmanager
def planted(folder: Path, where: str) -> Iterator[tuple[Database, Schema, Task]]:
    sql = planted_sql(PLANTED[where][0])
    database, schema = open_tiny(folder, sql, PLANTED_STYPES)
    with database:
        labels = database.arrow("row", ["y"]).column(0).to_numpy().astype(float)
        task = replace(
            make_task("row.y", range(ROWS)),
            labels=labels,
            split=np.repeat([0, 1, 2], ROWS // 3).astype(np.int8),
        )
        yield database, schema, task


@pytest.mark.parametrize("where", sorted(PLANTED))
def test_the_floor_that_reaches_the_signal_finds_it_and_own_columns_do_not(
    where: str, tmp_path: Path
) -> None:
    with planted(tmp_path, where) as (database, schema, task):
        found = {each.name: each for each in floors(database, schema, task, "made")}
    assert list(found) == [
        "majority", "own columns", "flattened table", "1-hop aggregates",
        "2-hop aggregates",
    ]  # fmt: skip
    assert found["majority"].test == 0.5
    assert found[PLANTED[where][1]].test > 0.95
    assert found["2-hop aggregates"].test > 0.9  # holds all that the others hold
    if where != "own":
        # Half a standard error of chance at 80 rows is .03; four of them are .26.
        assert abs(found["own columns"].test - 0.5) < 0.26


def planted_floor(
    folder: Path, name: str = "flattened table", where: str = "parent", **facts
) -> Floor:
    with planted(folder, where) as (database, schema, task):
        return floor(database, schema, replace(task, **facts), "made", name)


def test_a_floor_says_what_it_is_and_where_it_lies(tmp_path: Path) -> None:
    found = planted_floor(tmp_path)
    assert (found.name, found.source) == ("flattened table", "made")
    assert found.learner in ("linear model", "boosted trees")
    assert found.num_columns == 2  # own a, parent's bit
    assert found.low <= found.test <= found.high


def test_the_same_floor_twice_is_the_same_number(tmp_path: Path) -> None:
    found = []
    for folder in (tmp_path / "one", tmp_path / "two"):
        folder.mkdir()
        found.append(planted_floor(folder, "2-hop aggregates", "children"))
    assert found[0] == found[1]


def test_labels_of_test_rows_decide_nothing_but_the_test_score(tmp_path: Path) -> None:
    with planted(tmp_path, "parent") as (database, schema, task):
        flipped = np.where(task.split == 2, 1 - task.labels, task.labels)
        honest, turned = (
            floor(database, schema, each, "made", "flattened table")
            for each in (task, replace(task, labels=flipped))
        )
    assert (turned.train, turned.val) == (honest.train, honest.val)
    assert turned.learner == honest.learner
    assert turned.test == pytest.approx(1 - honest.test)


@pytest.mark.parametrize("name", FLOORS)
def test_values_are_predicted_as_values(name: str, tmp_path: Path) -> None:
    rows = np.random.default_rng(1).permutation(ROWS)
    found = planted_floor(
        tmp_path,
        name,
        task_type=TaskType.REGRESSION,
        classes=(),
        metric="mae",
        labels=rows.astype(float),
    )
    # Rows 0 to 239 are 60 from their middle on average; nothing here tells more.
    assert found.test == pytest.approx(60, abs=15)
    assert (found.name == "mean") == (name == "constant")


@pytest.mark.parametrize("name", FLOORS)
def test_a_class_without_training_rows_gets_no_chance_and_no_error(
    name: str, tmp_path: Path
) -> None:
    labels = np.arange(ROWS) % 2.0
    labels[-5:] = 2.0
    found = planted_floor(
        tmp_path,
        name,
        task_type=TaskType.MULTICLASS,
        classes=("a", "b", "c"),
        metric="accuracy",
        labels=labels,
    )
    assert 0 < found.test <= 75 / 80


def test_a_table_without_columns_gives_what_a_constant_gives(tmp_path: Path) -> None:
    spec = TaskSpec(target="row.y", hide=("row.a",))
    found = planted_floor(tmp_path, "own columns", spec=spec)
    assert (found.learner, found.num_columns, found.test) == ("constant", 0, 0.5)


def test_a_table_that_is_too_wide_keeps_the_nearest_columns(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(baseline, "MAX_COLUMNS", 2)
    found = planted_floor(tmp_path, "2-hop aggregates", "own")
    assert found.num_columns == 2
    assert found.test > 0.95  # the own column is among them


def test_a_column_without_a_value_on_training_rows_is_no_error() -> None:
    column = np.random.default_rng(0).normal(size=9)
    train = np.arange(9) < 3
    features = [Feature("a", np.where(train, NAN, column)), Feature("b", column)]
    missing, empty, full = baseline._design(features, train).T
    assert np.isfinite(missing).all()
    assert not empty.any()
    known = column[:3]
    assert full == pytest.approx((column - known.mean()) / known.std())
