"""What trained networks said of one row."""

from dataclasses import replace

import pytest

from tests.tiny import make_task
from workbench.answers import answers_of, asked_before
from workbench.results import load_results, stored


@pytest.fixture(scope="module")
def results():
    return load_results(stored("address"))


def test_every_depth_of_a_source_answers_for_a_test_row(results) -> None:
    frame = results.predictions
    mine = frame[(frame["source"] == "address-3nf") & (frame["key"] == "8")]
    found = answers_of(results, "address-3nf", "8").set_index("depth")
    assert found.index.tolist() == [0, 1, 2, 3, 4, 5]
    for depth, one in found.iterrows():
        runs = mine.loc[mine["depth"] == depth]
        alike = (runs["prediction"] == one["prediction"]).sum()
        assert one["share_alike"] == alike / 6 >= 0.5
        assert one["value"] == pytest.approx(runs["value"].mean())


def test_a_row_that_was_not_tested_has_no_answer(results) -> None:
    assert answers_of(results, "address-3nf", "no such row").empty


def test_of_answers_as_frequent_the_first_by_name_is_said() -> None:
    results = load_results(stored("address"))
    frame = results.predictions
    keep = (frame["source"] == "address-3nf") & (frame["key"] == "8")
    rows = frame[keep & (frame["depth"] == 0) & (frame["seed"] < 4)]
    rows = rows.assign(prediction=["b", "a", "b", "a"], value=[0.1, 0.2, 0.3, 0.4])
    found = answers_of(replace(results, predictions=rows), "address-3nf", "8")
    assert found[["prediction", "share_alike", "num_runs"]].values.tolist() == [
        ["a", 0.5, 4]
    ]
    assert found["value"].tolist() == pytest.approx([0.25])


def test_a_study_is_about_a_question_where_database_and_split_are_the_same(
    results,
) -> None:
    plan = results.plans["address-3nf"]
    fingerprint = plan["source"]["fingerprint"]
    task = make_task("person.prosperous", [0, 1])
    asked = replace(task, spec=replace(task.spec, split="column:split"))
    assert asked_before(results, fingerprint, asked) == "address-3nf"
    assert asked_before(results, "0" * 16, asked) is None
    assert asked_before(results, fingerprint, task) is None
