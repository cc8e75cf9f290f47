"""What is predicted: labels, filters, splits that keep their word, leaks by name."""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from tests.tiny import write_sqlite
from workbench.database import Database, connect
from workbench.errors import WorkbenchError
from workbench.schema import Schema, infer_schema, read_hints
from workbench.task import (
    TEST,
    TRAIN,
    VAL,
    Task,
    TaskSpec,
    TaskType,
    define_task,
    suspected_leaks,
)

ROWS = ", ".join(
    f"({at}, {at % 2}, {at % 2 + 10}, {(at * 7) % 13 / 3}, 'k{at % 3}', {at % 20},"
    f" '20{10 + at % 10}-01-01', '{('train', 'Val', 'test')[at % 3]}')"
    for at in range(200)
)
SQL = f"""
CREATE TABLE item (id INTEGER PRIMARY KEY, good INTEGER, told REAL, size REAL,
  kind TEXT, family INTEGER, made TEXT, part TEXT);
INSERT INTO item VALUES {ROWS};
INSERT INTO item VALUES (900, NULL, 1, 1, 'k0', 1, '2010-01-01', 'train');
"""
GOOD = TaskSpec(target="item.good")


@pytest.fixture(scope="module")
def opened(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple]:
    path: Path = write_sqlite(tmp_path_factory.mktemp("task") / "items.db", SQL)
    with connect(path) as database:
        yield database, infer_schema(database)


def define(opened: tuple[Database, Schema], **change) -> Task:
    return define_task(*opened, replace(GOOD, **change))


def test_a_row_without_a_label_is_in_no_split(opened) -> None:
    task = define(opened)
    assert task.task_type is TaskType.BINARY
    assert task.classes == ("0", "1")
    assert len(task.rows) == 200
    assert "900" not in task.keys


def test_a_random_split_is_60_20_20_in_every_class_and_follows_its_seed(opened) -> None:
    task = define(opened)
    for label in (0, 1):
        counts = np.bincount(task.split[task.labels == label], minlength=3)
        assert counts.tolist() == [60, 20, 20]
    assert np.array_equal(define(opened).split, task.split)
    assert not np.array_equal(define(opened, split_seed=1).split, task.split)


def test_a_group_never_straddles_a_split(opened) -> None:
    task = define(opened, split="group:family")
    families = task.rows % 20
    for family in range(20):
        assert len(set(task.split[families == family])) == 1
    assert set(task.split) == {TRAIN, VAL, TEST}


def test_a_split_by_time_trains_on_the_past_and_keeps_ties_together(opened) -> None:
    task = define(opened, split="time:made")
    years = task.rows % 10
    assert years[task.split == TRAIN].max() < years[task.split == VAL].min()
    assert years[task.split == VAL].max() < years[task.split == TEST].min()


def test_a_split_column_is_followed_and_hidden(opened) -> None:
    task = define(opened, split="column:part")
    assert np.array_equal(task.split, np.array([TRAIN, VAL, TEST])[task.rows % 3])
    assert ("item", "part") in task.spec.hidden


def test_a_row_is_predicted_at_its_own_time_and_without_one_after_all(tmp_path) -> None:
    change = "UPDATE item SET made = NULL WHERE id = 3;"
    path = write_sqlite(tmp_path / "items.db", SQL + change)
    hints = tmp_path / "hints.toml"
    hints.write_text('[tables.item]\ntime_column = "made"\n')
    with connect(path) as database:
        timed = define_task(database, infer_schema(database, read_hints(hints)), GOOD)
    assert timed.times is not None
    # Rows 0 and 1 were made on the first days of 2010 and 2011; row 3 nobody knows.
    assert timed.times[:2].tolist() == [1_262_304_000.0, 1_293_840_000.0]
    assert np.flatnonzero(np.isinf(timed.times)).tolist() == [3]


def test_without_a_time_column_rows_have_no_moments(opened) -> None:
    assert define(opened).times is None


def test_a_filter_keeps_the_rows_that_fulfil_it(opened) -> None:
    task = define(opened, where="size > 2 AND kind IN ('k0', 'k1')")
    wanted = [at for at in range(200) if (at * 7) % 13 / 3 > 2 and at % 3 < 2]
    assert task.rows.tolist() == wanted


@pytest.mark.parametrize(
    "where",
    [
        "1; DROP TABLE item",
        "id IN (SELECT id FROM item)",
        "read_text('/etc/passwd') = ''",
        "nothing > 1",
        "size >",
        "other.size > 1",
    ],
)
def test_a_filter_that_is_no_condition_on_the_table_is_refused(opened, where) -> None:
    with pytest.raises(WorkbenchError):
        define(opened, where=where)


def test_a_column_that_gives_the_target_away_is_named_and_others_are_not(
    opened,
) -> None:
    database, schema = opened
    leaks = suspected_leaks(database, schema, define(opened))
    assert [leak.column for leak in leaks] == ["item.told"]
    assert leaks[0].score == pytest.approx(1.0)
    hidden = define(opened, hide=("item.told",))
    assert suspected_leaks(database, schema, hidden) == ()


def test_a_key_that_is_hidden_leads_to_no_leak(tmp_path: Path) -> None:
    facts = "CREATE TABLE answer (id INTEGER PRIMARY KEY, said REAL);"
    facts += "INSERT INTO answer VALUES (10, 0.5), (11, 7.5);"
    told = SQL.replace("told REAL", "told INTEGER REFERENCES answer (id)")
    path = write_sqlite(
        tmp_path / "keyed.db", facts + told.partition("INSERT INTO item VALUES (900")[0]
    )
    with connect(path) as database:
        schema = infer_schema(database)
        task = define_task(database, schema, GOOD)
        found = [leak.column for leak in suspected_leaks(database, schema, task)]
        assert found == ["answer.said"]
        hidden = replace(GOOD, hide=("item.told",))
        task = define_task(database, schema, hidden)
        assert suspected_leaks(database, schema, task) == ()


def test_text_is_many_classes_and_a_real_number_is_regression(opened) -> None:
    kinds = define(opened, target="item.kind")
    assert (kinds.task_type, kinds.classes) == (
        TaskType.MULTICLASS,
        ("k0", "k1", "k2"),
    )
    sizes = define(opened, target="item.size")
    assert sizes.task_type is TaskType.REGRESSION
    assert sizes.metric == "r2"
