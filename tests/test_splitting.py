"""The chooser of a split on the Question page, and what the page then shows."""

from pathlib import Path

import pytest
from streamlit.testing.v1 import AppTest

from tests.pages import Open, said, sent
from tests.results_factory import make_results
from workbench.shelves import open_shelf

SAMPLE = {"source": "sample:address-3nf", "target": "person.prosperous"}


def split_of(app: AppTest) -> str:
    """Return the split in the page's address; a list once the page has changed it."""
    written = app.query_params["split"]
    return written if isinstance(written, str) else written[0]


def test_a_visitor_chooses_values_outside_the_range_of_a_citys_column(
    visit: Open,
) -> None:
    app = visit("question", **SAMPLE)
    app.radio(key="question_split").set_value("extrapolation").run()
    app.selectbox(key="question_by_person").set_value("city.jobs_index").run()
    assert not app.exception
    assert not app.error
    assert split_of(app) == "extrapolation:city.jobs_index"
    assert "values outside the range (extrapolation), by city.jobs_index" in said(app)
    assert "Set aside (seen values)" in set(app.dataframe[0].value["Part"])
    assert app.get("plotly_chart")


@pytest.mark.parametrize(
    "split",
    [
        "composition:age,city.jobs_index",
        "interpolation:years_of_school",
        "leave:age=30|31|32|33|34|35",
        "leave:address_id",
        "group:address_id",
        "column:split",
        "random",
    ],
)
def test_a_split_in_the_address_is_the_one_on_the_form(visit: Open, split: str) -> None:
    app = visit("question", **SAMPLE, split=split)
    assert not app.exception
    assert not app.error
    assert split_of(app) == split
    assert app.radio(key="question_split").value == split.partition(":")[0]
    assert bool(app.get("plotly_chart")) == (split.split(":")[0] in (
        "composition", "interpolation", "leave",
    ))  # fmt: skip


def test_values_that_are_not_there_are_refused_in_a_sentence(visit: Open) -> None:
    app = visit("question", **SAMPLE, split="leave:age=old")
    assert 'There is no value of "person.age" "old"' in said(app)


def test_the_first_columns_on_offer_are_no_identifiers(visit: Open) -> None:
    app = visit("question", **SAMPLE)
    app.radio(key="question_split").set_value("composition").run()
    chosen = [
        app.selectbox(key="question_by_person").value,
        app.selectbox(key="question_and_person_True").value,
    ]
    assert chosen == ["age", "years_of_school"]
    assert not app.error


def test_compare_says_what_is_lost_on_what_was_not_seen(
    visit: Open, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("WORKBENCH_CACHE", str(tmp_path))
    name = "0" * 16
    make_results(
        open_shelf().home / name, split="leave:age", gap=0.12, lost=False, depths=(3,)
    )
    app = visit("compare", results=name)
    assert not app.exception
    assert "On values it has not seen it loses 0.120" in sent(app)
