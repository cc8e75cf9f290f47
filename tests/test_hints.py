"""Hints are written as they are read, and what they cannot mean is said."""

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from workbench.errors import SchemaError
from workbench.hints import (
    Hints,
    KeyHint,
    TableHint,
    TaskSpec,
    hints_to_toml,
    read_hints,
)
from workbench.resources import resource_path
from workbench.stypes import Stype

names = st.text(min_size=1, max_size=12).filter(lambda text: text.isprintable())
columns = st.lists(names, min_size=1, max_size=3).map(tuple)
keys = st.integers(1, 3).flatmap(
    lambda number: st.builds(
        KeyHint,
        table=names,
        columns=st.tuples(*[names] * number),
        ref_table=names,
        ref_columns=st.tuples(*[names] * number),
    )
)
tables = st.builds(
    TableHint,
    primary_key=st.none() | st.just(()) | columns,
    time_column=st.none() | names,
    columns=st.dictionaries(names, st.sampled_from(Stype), max_size=3),
)


@st.composite
def all_hints(draw: st.DrawFn) -> Hints:
    task_names = draw(st.lists(names, unique=True, max_size=2))
    return Hints(
        tables=draw(st.dictionaries(names, tables, max_size=3)),
        foreign_keys=tuple(draw(st.lists(keys, max_size=3))),
        rejected_keys=tuple(draw(st.lists(keys, max_size=3))),
        tasks={
            name: TaskSpec(
                target=draw(names),
                where=draw(st.none() | names),
                hide=draw(st.just(()) | columns),
                split=draw(names),
                split_seed=draw(st.integers(0, 99)),
                metric=draw(st.none() | names),
                name=name,
                description=draw(st.just("") | names),
            )
            for name in task_names
        },
        complete=draw(st.booleans()),
    )


@given(hints=all_hints())
def test_hints_that_are_written_are_read_as_they_were(
    tmp_path_factory: pytest.TempPathFactory, hints: Hints
) -> None:
    path = tmp_path_factory.mktemp("hints") / "some.hints.toml"
    path.write_text(hints_to_toml(hints), encoding="utf-8")
    assert read_hints(path) == hints


@pytest.mark.parametrize(
    "path",
    sorted(resource_path("schemas").glob("*.hints.toml")),
    ids=lambda path: path.name,
)
def test_a_shipped_hint_file_is_complete_and_survives_being_written(
    path: Path, tmp_path: Path
) -> None:
    hints = read_hints(path)
    assert hints.complete
    copy = tmp_path / "copy.toml"
    copy.write_text(hints_to_toml(hints), encoding="utf-8")
    assert read_hints(copy) == hints


def test_nothing_to_say_is_an_empty_file() -> None:
    assert hints_to_toml(Hints()) == ""


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ('keys = "most"', '"keys" is "most"; "complete" is all it can be'),
        ("keys = 3", '"keys" is "3"'),
        ("[[rejected_keys]]\ntable = 1", '"table" should be a text'),
        ("rejected_keys = 1", r"written as \[\[rejected_keys\]\] entries"),
        ("foreign_keys = [1]", r"written as \[\[foreign_keys\]\] entries"),
        ("[table.x]", 'did you mean "tables"'),
        ("[tables.x]\nprimary = []", "primary_key"),
        ('[tables.x]\nprimary_key = "id"', '"primary_key" should be a list of names'),
        ('[tables.x.columns]\ny = "number"', "numerical"),
        ("tables = 3", '"tables" should be a table of settings'),
        ('[tasks.x]\nwhere = "a"', 'the task "x" needs a "target"'),
        ('[tasks.x]\ntarget = "a.b"\nsplit_seed = -1', "a whole number from 0 up"),
        (
            '[[foreign_keys]]\ntable = "a"\ncolumns = ["b"]\nref_table = "c"\n'
            "ref_columns = []",
            'as many "ref_columns" as "columns"',
        ),
        ("keys =", "is not TOML"),
    ],
)
def test_what_a_hint_file_cannot_mean_is_said_in_a_sentence(
    tmp_path: Path, text: str, sentence: str
) -> None:
    path = tmp_path / "bad.toml"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(SchemaError, match=f"(?is)bad.toml.*{sentence}"):
        read_hints(path)


def test_a_hint_file_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(SchemaError, match=r"none\.toml"):
        read_hints(tmp_path / "none.toml")
