"""A schema without rows is planned on assumed ones, and nothing is trained on them."""

from pathlib import Path

import pytest

from workbench.database import connect
from workbench.errors import SchemaError, StudyError, TaskError
from workbench.execute import run_study
from workbench.planning import plan_study
from workbench.planting.assume import assume_rows
from workbench.resources import resource_path
from workbench.schema import Schema, infer_schema
from workbench.study import Arm, Study
from workbench.task import TaskSpec

SOURCE = str(resource_path("schemas") / "university.sql")
TOPOLOGIES = ("row2node", "flattened")


def study(target: str, **settings) -> Study:
    return Study(
        arms=tuple(Arm(SOURCE, topology) for topology in TOPOLOGIES),
        task=TaskSpec(target=target, **settings),
    )


@pytest.fixture(scope="module")
def university() -> Schema:
    with connect(SOURCE) as database:
        assert not database.has_rows
        return infer_schema(database)


def test_hops_are_exact_and_every_graph_says_that_counts_are_not(
    tmp_path: Path,
) -> None:
    plans = plan_study(study("enrolment.grade"), tmp_path).plans
    normalized, flat = plans["university"]["topologies"]
    # enrolment → student → department, and enrolment → offering → lecturer.
    assert normalized["hops"]["student.birth_year"] == 1
    assert normalized["hops"]["department.budget"] == 2
    assert normalized["hops"]["lecturer.hired_on"] == 2
    assert "enrolment.grade" not in normalized["hops"]
    # Tables that refer to none have 300 rows, and each key doubles them.
    assert normalized["nodes"]["department"] == 300
    assert normalized["nodes"]["enrolment"] == 2400
    for plan in (normalized, flat):
        assert plan["warnings"][0].startswith("The source has no rows: counts are for")
        assert plan["warnings"][0].endswith("hops are exact.")


@pytest.mark.parametrize(
    "settings",
    [
        {"where": "term > 3000"},
        {"split": "time:term"},
        {"split": "column:course_code"},
        {"hide": ("student.birth_year",)},
    ],
)
def test_what_no_assumed_row_could_answer_is_planned_all_the_same(
    settings: dict, tmp_path: Path
) -> None:
    plans = plan_study(study("enrolment.grade", **settings), tmp_path).plans
    assert plans["university"]["topologies"][0]["hops"]["department.budget"] == 2


def test_a_table_alone_is_target_enough(tmp_path: Path) -> None:
    plans = plan_study(study("student"), tmp_path).plans
    assert plans["university"]["task"]["target"] == "student.label"
    assert plans["university"]["topologies"][0]["hops"]["department.budget"] == 1


def test_nothing_is_trained_on_assumed_rows(tmp_path: Path) -> None:
    with pytest.raises(StudyError, match="has no rows to learn from"):
        run_study(study("enrolment.grade"), tmp_path / "out", cache=tmp_path)
    assert not (tmp_path / "out").exists()


def test_assumed_rows_are_made_once_and_follow_the_schema(
    university: Schema, tmp_path: Path
) -> None:
    spec = TaskSpec(target="enrolment.grade")
    made = assume_rows(university, spec, tmp_path)
    inode = made.path.stat().st_ino
    assert assume_rows(university, spec, tmp_path).path.stat().st_ino == inode
    other = assume_rows(university, TaskSpec(target="student.graduated"), tmp_path)
    assert other.path != made.path
    with connect(made.path, cache=tmp_path) as database:
        found = infer_schema(database, made.hints)
    assert {key.id for key in found.foreign_keys} == {
        key.id for key in university.foreign_keys
    }
    assert all(key.num_dangling == 0 for key in found.foreign_keys)
    asked, held = (
        {
            (table.name, column.name): column.stype
            for table in schema.tables
            for column in table.columns
        }
        for schema in (university, found)
    )
    assert asked == held


def test_a_target_that_is_not_there_is_answered(
    university: Schema, tmp_path: Path
) -> None:
    with pytest.raises(TaskError, match="names neither a table nor a column"):
        assume_rows(university, TaskSpec(target="grades"), tmp_path)
    with pytest.raises(SchemaError, match='did you mean "grade"'):
        assume_rows(university, TaskSpec(target="enrolment.grades"), tmp_path)
