"""A study is a value: the same from Python, a file and the command line."""

from dataclasses import replace

import pytest

from workbench.errors import ModelError, StudyError
from workbench.run import Budget
from workbench.study import Arm, Study, parse_depths, read_study
from workbench.task import TaskSpec

STUDY = Study(
    arms=(Arm("sample:lahman", "row2node"), Arm("shop.db", "mine.toml", "shop.toml")),
    task=TaskSpec(target="People.elected", hide=("People.x",), split_seed=3),
    models=("sage", "sage-mean"),
    remedies=("none", "residual"),
    depths=(0, 2, 4),
    seeds=2,
    metric="roc-auc",
    budget=Budget(
        epochs=5, width=16, learning_rate=0.02, weight_decay=5e-4, dropout=0.5
    ),
)


@pytest.mark.parametrize(
    "study", [STUDY, replace(STUDY, task="elected", metric=None)], ids=["spec", "name"]
)
def test_a_study_written_to_a_file_reads_back_equal(tmp_path, study):
    path = tmp_path / "study.toml"
    path.write_text(study.to_toml(), encoding="utf-8")
    assert read_study(path) == study


def test_files_beside_the_study_are_found_from_anywhere(tmp_path):
    (tmp_path / "mine.toml").write_text("")
    (tmp_path / "study.toml").write_text(STUDY.to_toml(), encoding="utf-8")
    arm = read_study(tmp_path / "study.toml").arms[1]
    assert arm.topology == str(tmp_path / "mine.toml")
    assert arm.hints == "shop.toml"


@pytest.mark.parametrize(
    ("text", "depths"),
    [
        ("0-3", (0, 1, 2, 3)),
        ("4", (4,)),
        ("0,1,2,4,8", (0, 1, 2, 4, 8)),
        ("8, 0-2", (0, 1, 2, 8)),
    ],
)
def test_depths_are_ranges_lists_or_both(text, depths):
    assert parse_depths(text) == depths


@pytest.mark.parametrize("text", ["", "3-1", "a", "1-", "-1", "1;2", "0-6-8", "1.5"])
def test_depths_written_otherwise_are_refused_with_an_example(text):
    with pytest.raises(StudyError, match=r'write them as "0-6"'):
        parse_depths(text)


@pytest.mark.parametrize(
    ("change", "kind", "sentence"),
    [
        ({"models": ("sagee",)}, ModelError, 'did you mean "sage"'),
        ({"remedies": ("residul",)}, ModelError, 'did you mean "residual"'),
        ({"metric": "auc-roc"}, StudyError, 'no metric "auc-roc"'),
        ({"depths": (0, 65)}, StudyError, "from 0 to 64"),
        ({"seeds": 0}, StudyError, "1 to 1000"),
        ({"arms": ()}, StudyError, "names no arm"),
        ({"models": ("sage", "sage")}, StudyError, "names a model twice"),
    ],
)
def test_settings_that_do_not_work_are_refused_by_name(change, kind, sentence):
    with pytest.raises(kind, match=sentence):
        replace(STUDY, **change)


@pytest.mark.parametrize(
    ("name", "value", "sentence"),
    [
        ("epochs", 0, "epochs"),
        ("width", -1, "width"),
        ("learning_rate", 0.0, "learning rate"),
        ("weight_decay", -1.0, "weight decay"),
        ("dropout", 1.0, "dropout"),
    ],
)
def test_a_budget_out_of_range_is_refused(name, value, sentence):
    with pytest.raises(ModelError, match=sentence):
        Budget(**{name: value})


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("version = 1\nnonsense = 2", 'no study setting "nonsense"'),
        ("version = 9", 'version is "9"'),
        ("version = 1", "The study has no"),
        ("not toml", "is not a study file"),
        ('version = 1\narms = 3\n[task]\nname = "t"', "wrong form"),
    ],
)
def test_a_file_that_is_no_study_says_why(tmp_path, text, sentence):
    path = tmp_path / "study.toml"
    path.write_text(text)
    with pytest.raises(StudyError, match=sentence):
        read_study(path)


def test_a_missing_study_file_is_named(tmp_path):
    with pytest.raises(StudyError, match="There is no study file"):
        read_study(tmp_path / "none.toml")
