"""The page One row: which row, what it hears under two graphs, what is kept from it."""

import pandas as pd
from streamlit.testing.v1 import AppTest

from tests.pages import Open, said
from workbench.ui import words

SAMPLE = {
    "source": "sample:address-3nf",
    "task": "prosperous",
    "graphs": "row2node,flattened",
}
AGAIN = {"source": "sample:chinook", "task": "buys-again", "graphs": "row2node"}


def frames(app: AppTest, column: str) -> list[pd.DataFrame]:
    return [one.value for one in app.dataframe if column in one.value]


def entered(app: AppTest, at: int) -> dict[tuple[int, str], int]:
    frame = frames(app, "New rows")[at]
    columns = zip(frame["Hop"], frame["Table"], frame["New rows"], strict=True)
    return {(hop, table): number for hop, table, number in columns}


def test_the_city_of_a_person_is_three_hops_away_and_none_when_joined_in(
    visit: Open,
) -> None:
    """A person has one address, which has one street and zip; the zip has one city."""
    app = visit("row", **SAMPLE, row="8", hops="3")
    left, right = entered(app, 0), entered(app, 1)
    assert left[1, "address"] == left[2, "street"] == left[2, "zip"] == 1
    assert left[3, "city"] == right[0, "city"] == 1
    assert "Within 3 hops: 5 rows of 5 tables." in said(app)


def test_the_address_holds_the_row_the_graphs_and_the_hops(visit: Open) -> None:
    app = visit(
        "row", **SAMPLE, row="12", hops="1", pair="flattened,row2edge", fan_out="4"
    )
    assert "person 12" in said(app)
    assert app.slider(key="hops").value == 1
    assert app.selectbox(key="row_left").value == "flattened"
    assert app.selectbox(key="row_right").value == "row2edge"
    assert app.selectbox(key="fan_out").value == 4
    assert max(hop for hop, _ in entered(app, 1)) == 1


def test_a_row_is_found_by_its_key_and_chosen(visit: Open) -> None:
    app = visit("row", **SAMPLE)
    app.text_input(key="row_search").set_value("4188").run()
    found = app.selectbox(key="row_choice")
    assert any(name.startswith("4188") for name in found.options)
    found.select_index(1).run()
    assert app.query_params["row"] == "4188"
    assert "person 4188" in said(app)


def test_what_is_typed_into_the_search_is_only_compared(visit: Open) -> None:
    app = visit("row", **SAMPLE, row="8")
    app.text_input(key="row_search").set_value("' OR 1=1 --").run()
    assert len(app.selectbox(key="row_choice").options) == 1
    assert "Nothing else of person holds that." in said(app)


def test_a_row_that_is_not_there_is_said_and_another_is_shown(visit: Open) -> None:
    app = visit("row", **SAMPLE, row="<b>none</b>")
    assert 'No row of person has the key "<b>none</b>"' in said(app)
    assert "part: test" in said(app)


def test_the_next_row_is_the_next_one_to_predict(visit: Open) -> None:
    app = visit("row", **SAMPLE, row="8")
    app.button(key="row_next").click().run()
    assert app.query_params["row"] == "9"


def test_the_stored_study_says_what_each_depth_predicted_of_a_test_row(
    visit: Open,
) -> None:
    app = visit("row", **SAMPLE, row="8")
    (answers,) = frames(app, "Predicted")
    assert answers["Depth (layers)"].tolist() == [0, 1, 2, 3, 4, 5]
    assert (answers["Runs (seeds)"] == 6).all()
    other = visit("row", **{**SAMPLE, "source": "sample:address-flat"}, row="1")
    assert words.NO_TEST_ROW in said(other)


def test_what_came_after_a_moment_is_counted_as_hidden(visit: Open) -> None:
    app = visit("row", **AGAIN, hops="3")
    assert "predicted from what was known on 20" in said(app)
    assert "Hidden by the clock:" in said(app)
    frame = frames(app, "New rows")[0]
    assert frame["Came later (hidden)"].sum() > 0
