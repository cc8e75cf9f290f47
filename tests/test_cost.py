"""What a study is expected to take, and what it gives up to take less."""

import sqlite3
from dataclasses import replace

import numpy as np
import pytest

from workbench.cost import (
    cell_terms,
    cost_table,
    estimate_cells,
    estimate_seconds,
    expected_epochs,
    feeding,
    measure_slowness,
)
from workbench.errors import StudyError
from workbench.feed import Batching
from workbench.planning import PlannedStudy, plan_study
from workbench.run import Budget
from workbench.study import Arm, Study
from workbench.task import TaskSpec
from workbench.trim import fit_to_budget, parse_seconds


@pytest.fixture(scope="module")
def planned(tmp_path_factory: pytest.TempPathFactory) -> PlannedStudy:
    """Plans 300 customers of 60 cities in 6 countries."""
    folder = tmp_path_factory.mktemp("shop")
    with sqlite3.connect(folder / "shop.db") as connection:
        connection.executescript(
            """
            CREATE TABLE country (country_id INTEGER PRIMARY KEY, size REAL);
            CREATE TABLE city (
              city_id INTEGER PRIMARY KEY, size REAL,
              country_id INTEGER REFERENCES country (country_id));
            CREATE TABLE customer (
              customer_id INTEGER PRIMARY KEY, age REAL, good INTEGER,
              city_id INTEGER REFERENCES city (city_id));
            """
        )
        for table, rows in (
            ("country", [(at, at / 7) for at in range(6)]),
            ("city", [(at, at / 3, at % 6) for at in range(60)]),
            ("customer", [(at, at % 83 / 9, at % 2, at % 60) for at in range(300)]),
        ):
            marks = ", ".join("?" * len(rows[0]))
            connection.executemany(f"INSERT INTO {table} VALUES ({marks})", rows)
    connection.close()
    study = Study(
        arms=(Arm(str(folder / "shop.db"), "row2node"),),
        task=TaskSpec(target="customer.good"),
        depths=(0, 1, 2, 3),
        seeds=12,
        metric="accuracy",
    )
    return plan_study(study, folder)


def terms(planned: PlannedStudy, depth: int, **budget: int) -> dict[str, float]:
    (graph,) = planned.plans["shop"]["topologies"]
    return cell_terms(
        graph, planned.arms[0].blueprint, depth, Budget(**budget), epochs=10
    )


def test_only_what_can_still_reach_the_target_is_counted(planned: PlannedStudy):
    alone = terms(planned, 0, width=8)
    assert alone["message"] == 0
    assert alone["row"] == 300 * 8
    assert alone["epoch-row"] == 10 * 300 * 8
    one = terms(planned, 1, width=8)
    # Customers and cities below, customers above: 300 links of a city to customers.
    assert one["message"] == 300
    assert one["row"] == (300 + 60 + 300) * 8
    # Below that also countries; 300 links both ways and 60 of a country to cities.
    assert terms(planned, 2, width=8)["message"] == 300 + 300 + 300 + 60


def test_a_run_that_cannot_stop_early_takes_all_of_its_epochs():
    assert expected_epochs(Budget(epochs=30, patience=30)) == 31
    assert expected_epochs(Budget(epochs=80, patience=20)) < 81


def test_a_cell_costs_more_the_deeper_and_the_wider_it_is(planned: PlannedStudy):
    by_depth = {cell.depth: cost for cell, cost in estimate_cells(planned).items()}
    seconds = [by_depth[depth].seconds for depth in range(4)]
    assert seconds == sorted(seconds)
    assert seconds[0] < seconds[3]
    wide = replace(planned, study=replace(planned.study, budget=Budget(width=128)))
    assert estimate_seconds(wide, 1) > estimate_seconds(planned, 1)
    assert estimate_seconds(planned, 1, 2.0) == pytest.approx(
        2 * estimate_seconds(planned, 1)
    )
    assert estimate_seconds(planned, 4) < estimate_seconds(planned, 1)


def test_the_table_has_a_row_a_cell_with_its_seeds_together(planned: PlannedStudy):
    table = cost_table(planned)
    assert list(table.depth) == [0, 1, 2, 3]
    assert set(table.runs) == {12}
    assert (table.seconds > 0).all()
    assert (table.megabytes > 0).all()


def test_how_slow_the_machine_is_takes_no_time_to_say():
    assert 0.05 < measure_slowness() < 200


def test_a_study_that_is_done_in_time_is_left_as_it_is(planned: PlannedStudy):
    trimmed = fit_to_budget(planned, 1e9, jobs=1, slowness=1.0)
    assert trimmed.study == planned.study
    assert trimmed.sentences == ()


def test_seeds_beyond_six_go_first(planned: PlannedStudy):
    time = 0.7 * estimate_seconds(planned, 1, 1.0)
    trimmed = fit_to_budget(planned, time, jobs=1, slowness=1.0)
    assert 6 <= trimmed.study.seeds < 12
    assert trimmed.study.depths == planned.study.depths
    assert trimmed.seconds <= time
    (said,) = trimmed.sentences
    assert f"{trimmed.study.seeds} instead of 12 seeds" in said


def test_then_the_deepest_go_and_the_shallowest_stay(planned: PlannedStudy):
    six = replace(planned, study=replace(planned.study, seeds=6))
    time = 0.95 * estimate_seconds(six, 1, 1.0)
    trimmed = fit_to_budget(planned, time, jobs=1, slowness=1.0)
    assert trimmed.study.seeds == 6
    assert trimmed.study.depths == (0, 1, 2)
    assert "the depths 0, 1, 2 alone" in trimmed.sentences[0]


def test_what_is_too_little_for_a_claim_or_too_much_for_the_time_is_said(
    planned: PlannedStudy,
):
    trimmed = fit_to_budget(planned, 1e-6, jobs=1, slowness=1.0)
    assert trimmed.study.seeds == 1
    assert trimmed.study.depths == (0, 1)
    assert any("nothing is called a difference" in one for one in trimmed.sentences)
    assert any("more than" in one for one in trimmed.sentences)


def test_rows_are_sampled_where_there_are_many(planned: PlannedStudy):
    tables = tuple(
        replace(table, num_rows=1000 * table.num_rows)
        for table in planned.arms[0].schema.tables
    )
    arm = planned.arms[0]
    task = replace(
        arm.task,
        rows=np.arange(1000 * len(arm.task.rows)),
        labels=np.tile(arm.task.labels, 1000),
        split=np.tile(arm.task.split, 1000),
    )
    arm = replace(arm, schema=replace(arm.schema, tables=tables), task=task)
    ((source, plan),) = planned.plans.items()
    (graph,) = plan["topologies"]
    larger = {
        **graph,
        "nodes": {name: 1000 * count for name, count in graph["nodes"].items()},
        "edges": [{**edge, "count": 1000 * edge["count"]} for edge in graph["edges"]],
    }
    large = replace(
        planned, arms=(arm,), plans={source: {**plan, "topologies": [larger]}}
    )
    time = 0.1 * estimate_seconds(large, 1, 1.0)
    trimmed = fit_to_budget(large, time, jobs=1, slowness=1.0)
    assert trimmed.study.seeds == 6
    assert 20_000 <= trimmed.study.max_rows < 366_000
    assert "of some 366,000 rows" in trimmed.sentences[0]


@pytest.mark.parametrize(
    ("text", "seconds"), [("90s", 90), ("5m", 300), ("1.5h", 5400)]
)
def test_a_time_is_read_in_seconds_minutes_and_hours(text: str, seconds: float):
    assert parse_seconds(text) == seconds


@pytest.mark.parametrize("text", ["5", "5 d", "0m", "soon", "-1m"])
def test_a_time_that_is_none_is_refused(text: str):
    with pytest.raises(StudyError, match="write it as 90s, 5m or"):
        parse_seconds(text)


def test_rows_that_no_row_to_predict_sees_are_not_counted(planned: PlannedStudy):
    (graph,) = planned.plans["shop"]["topologies"]
    plan, budget = planned.arms[0].blueprint, Budget(width=1)
    few = cell_terms(graph, plan, 1, budget, epochs=10, asked=6 / 300)
    # Six customers hear a city each, hardly any two the same of 60.
    assert few["message"] == 6
    assert few["epoch-row"] == pytest.approx(10 * (6 + 6 + 6), abs=5)


def test_a_batch_holds_less_than_all_rows_at_once(planned: PlannedStudy):
    (arm,), (graph,) = planned.arms, planned.plans["shop"]["topologies"]
    budget = Budget(width=8)
    fed = feeding(arm, Batching(30))
    whole = cell_terms(graph, arm.blueprint, 1, budget, epochs=10)
    parts = cell_terms(graph, arm.blueprint, 1, budget, epochs=10, fed=fed)
    # What measures look at is held by both: all 300 messages and 660 rows.
    assert parts["held-message"] == 300
    assert whole["held-message"] == 600
    assert parts["held-row"] == 660
    assert parts["message"] == pytest.approx(30)
