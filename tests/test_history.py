"""Earlier labels of the same parents: counted by hand, and never a row's own."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.tiny import make_task, open_tiny
from workbench.baseline import floor
from workbench.database import Database
from workbench.history import earlier, history
from workbench.schema import Schema
from workbench.tabular import Feature
from workbench.task import TEST, TRAIN, VAL, Task, TaskType

NAN = float("nan")
ORDERS = """
    CREATE TABLE buyer (id INTEGER PRIMARY KEY);
    CREATE TABLE bill (y REAL, day TEXT, b REFERENCES buyer (id));
    INSERT INTO buyer VALUES (1), (2);
    INSERT INTO bill VALUES (1, '2020-01-01', 1), (0, '2020-01-03', 1),
      (1, '2020-01-03', 1), (0, '2020-01-05', 1), (1, '2020-01-07', 1),
      (0, '2020-01-09', 1), (1, '2020-01-02', 2), (1, '2020-01-09', NULL),
      (0, NULL, 1);
"""
STYPES = {"bill.y": "numerical"}
LABELS = np.array([1, 0, 1, 0, 1, 0, 1, 1, 0], dtype=float)
SPLIT = np.array(
    [TRAIN, TRAIN, TRAIN, VAL, TEST, TEST, TRAIN, TRAIN, TRAIN], dtype=np.int8
)
DAY_S = 86_400.0


def orders_task() -> Task:
    task = make_task("bill.y", range(len(LABELS)))
    return replace(task, labels=LABELS, split=SPLIT)


@contextmanager
def orders(folder: Path, time: str | None = "day") -> Iterator[tuple[Database, Schema]]:
    times = {"bill": time} if time else None
    database, schema = open_tiny(folder, ORDERS, STYPES, times)
    with database:
        yield database, schema


def by_name(features: Sequence[Feature]) -> dict[str, np.ndarray]:
    return {each.name: each.values for each in features}


def test_a_row_knows_the_labels_of_rows_before_it_and_of_no_other(tmp_path) -> None:
    with orders(tmp_path) as (database, schema):
        found = by_name(history(database, schema, orders_task()))
    # Two bills of one day do not know each other. The first test row knows the
    # training rows' 1, 0, 1 and the validation row's 0; the second no test row. The
    # last two rows have no buyer, and no day.
    np.testing.assert_array_equal(
        found["number of earlier labels by b"], [0, 1, 1, 3, 4, 4, 0, 0, 0]
    )
    np.testing.assert_allclose(
        found["mean of earlier labels by b"],
        [NAN, 1, 1, 2 / 3, 1 / 2, 1 / 2, NAN, NAN, NAN],
    )
    np.testing.assert_array_equal(
        found["latest mean by b"], [NAN, 1, 1, 1, 0, 0, NAN, NAN, NAN]
    )


def test_a_label_that_takes_a_while_to_be_known_is_not_known_before(tmp_path) -> None:
    task = orders_task()
    task = replace(task, spec=replace(task.spec, horizon=2 * DAY_S))
    slower = replace(task, spec=replace(task.spec, horizon=3 * DAY_S))
    with orders(tmp_path) as (database, schema):
        found = by_name(history(database, schema, task))
        later = by_name(history(database, schema, slower))
    # Known from days 3, 5 and 5 for training rows, from 7 for the validation row.
    np.testing.assert_array_equal(
        found["number of earlier labels by b"], [0, 1, 1, 3, 4, 4, 0, 0, 0]
    )
    np.testing.assert_array_equal(
        later["number of earlier labels by b"], [0, 0, 0, 1, 3, 4, 0, 0, 0]
    )


def test_without_a_time_only_labels_of_training_rows_are_known(tmp_path) -> None:
    with orders(tmp_path, time=None) as (database, schema):
        found = by_name(history(database, schema, orders_task()))
    counts = found["number of earlier labels by b"]
    # Of the four training rows of buyer 1 each knows those drawn before it.
    assert sorted(counts[[0, 1, 2, 8]]) == [0, 1, 2, 3]
    assert counts[[3, 4, 5]].tolist() == [4, 4, 4]
    means = found["mean of earlier labels by b"]
    assert means[[3, 4, 5]].tolist() == [0.5, 0.5, 0.5]
    assert not [name for name in found if name.startswith("latest")]


def test_of_several_classes_each_has_a_share(tmp_path) -> None:
    task = replace(
        orders_task(),
        task_type=TaskType.MULTICLASS,
        classes=("a", "b", "c"),
        labels=np.array([2, 0, 1, 0, 1, 0, 1, 1, 0], dtype=float),
    )
    with orders(tmp_path) as (database, schema):
        found = by_name(history(database, schema, task))
    shares = [found[f'share of "{one}" of earlier labels by b'][4] for one in "abc"]
    assert shares == [2 / 4, 1 / 4, 1 / 4]


@pytest.mark.parametrize("time", ["day", None])
def test_labels_of_test_rows_change_no_feature(time, tmp_path) -> None:
    task = orders_task()
    turned = np.where(task.split == TEST, 1 - task.labels, task.labels)
    with orders(tmp_path, time) as (database, schema):
        honest = by_name(history(database, schema, task))
        other = by_name(history(database, schema, replace(task, labels=turned)))
    assert honest.keys() == other.keys()
    for name, values in honest.items():
        np.testing.assert_array_equal(values, other[name])


@pytest.mark.parametrize("time", ["day", None])
def test_a_rows_own_label_changes_nothing_of_what_it_knows(time, tmp_path) -> None:
    task = orders_task()
    with orders(tmp_path, time) as (database, schema):
        honest = by_name(history(database, schema, task))
        for row in range(len(task.rows)):
            turned = task.labels.copy()
            turned[row] = 5.0
            other = by_name(history(database, schema, replace(task, labels=turned)))
            for name, values in honest.items():
                np.testing.assert_array_equal(values[row], other[name][row])


def entities(folder: Path, labels: np.ndarray, size: int) -> tuple[Database, Schema]:
    groups = np.arange(len(labels)) // size
    rows = ", ".join(f"({y}, {group})" for y, group in zip(labels, groups, strict=True))
    return open_tiny(
        folder,
        "CREATE TABLE one (id INTEGER PRIMARY KEY);"
        "CREATE TABLE many (y INTEGER, o REFERENCES one (id));"
        f"INSERT INTO one VALUES {', '.join(f'({at})' for at in set(groups.tolist()))};"
        f"INSERT INTO many VALUES {rows};",
        {"many.y": "numerical"},
    )


def task_of(labels: np.ndarray) -> Task:
    count = len(labels)
    split = np.random.default_rng(1).choice([0, 0, 0, 1, 2], count).astype(np.int8)
    task = make_task("many.y", range(count))
    return replace(task, labels=labels.astype(float), split=split)


def test_labels_drawn_by_chance_cannot_be_read_off_what_a_row_knows(tmp_path) -> None:
    # Whoever leaves out a row's own label alone tells it: in groups with as many of
    # one class as of the other, the mean of the others is always on the other side.
    generator = np.random.default_rng(0)
    labels = np.concatenate([generator.permutation([0, 0, 1, 1]) for _ in range(500)])
    database, schema = entities(tmp_path, labels, size=4)
    task = replace(task_of(labels), split=np.zeros(len(labels), dtype=np.int8))
    with database:
        found = by_name(history(database, schema, task))
    mean = found["mean of earlier labels by o"]
    counts = found["number of earlier labels by o"]
    first = counts == 1
    # One label of four is known: of the three others two are of the other class.
    assert np.mean(labels[first] != mean[first]) == pytest.approx(2 / 3, abs=0.07)
    # Before any is known both classes are as likely: four standard errors of 500.
    assert labels[counts == 0].mean() == pytest.approx(0.5, abs=0.09)


def test_an_entity_that_repeats_itself_is_predicted_from_its_history(tmp_path) -> None:
    generator = np.random.default_rng(0)
    labels = np.repeat(generator.integers(0, 2, 150), 6)
    database, schema = entities(tmp_path, labels, size=6)
    with database:
        found = floor(database, schema, task_of(labels), "made", "entity history")
    assert (found.name, found.num_columns) == ("entity history", 2)
    assert found.test > 0.95


def test_entities_without_a_habit_have_no_history_that_tells(tmp_path) -> None:
    labels = np.random.default_rng(0).integers(0, 2, 1500)
    database, schema = entities(tmp_path, labels, size=5)
    with database:
        found = floor(database, schema, task_of(labels), "made", "entity history")
    # 300 test rows: four standard errors of chance are .13.
    assert found.test == pytest.approx(0.5, abs=0.13)
    assert found.train < 0.65


ROWS = st.lists(
    st.tuples(
        st.integers(-1, 2),
        st.sampled_from([NAN, 0.0, 1.0, 2.0]),
        st.sampled_from([NAN, 0.0, 1.0, 2.0]),
        st.integers(0, 3),
    ),
    max_size=8,
)


@settings(max_examples=60, deadline=None)
@given(rows=ROWS, is_strict=st.booleans())
def test_what_was_known_is_that_of_a_loop(rows: list[tuple], is_strict: bool) -> None:
    parents = np.array([row[0] for row in rows], dtype=np.int64)
    asked, known, outcomes = (
        np.array([row[at] for row in rows], dtype=float) for at in (1, 2, 3)
    )
    counts, sums, last = earlier(
        parents, asked, known, outcomes[:, None], is_strict=is_strict
    )
    for at, (parent, when, _, _) in enumerate(rows):
        mine = [
            (told, place, outcome)
            for place, (other, _, told, outcome) in enumerate(rows)
            if parent == other >= 0 and (told < when or (told == when > -1))
            if told < when or not is_strict
        ]
        assert counts[at] == len(mine)
        assert sums[at, 0] == sum(outcome for _, _, outcome in mine)
        assert np.isnan(last[at, 0]) if not mine else last[at, 0] == max(mine)[2]
