"""The Question page's forecast: a sentence of controls, a link, and what is missing."""

import pytest

from tests.pages import Open, said
from workbench.ui import words

pytestmark = pytest.mark.samples

LINK = {
    "source": "sample:chinook",
    "forecast": "sum:total",
    "of": "invoice",
    "for": "customer",
    "within": "90d",
    "seed_times": "8",
    "where": "total > 1",
}


def test_a_ready_made_forecast_shows_its_moments(visit: Open) -> None:
    app = visit("question", source="sample:chinook", task="buys-again")
    assert not app.error
    assert "Will a customer buy anything within 90 days?" in said(app)
    assert "8 moments (seed times)" in said(app)
    assert "any invoice per customer within 90 days" in said(app)
    table = next(one.value for one in app.dataframe if "Moment" in one.value)
    assert table["Part"].tolist() == ["Training"] * 5 + ["Validation"] + ["Test"] * 2
    assert set(table["Rows"]) == {59}


def test_a_link_to_a_forecast_fills_the_sentence_in(visit: Open) -> None:
    app = visit("question", **LINK)
    assert not app.error
    assert app.pills(key="question_choice").value == "later"
    assert app.selectbox(key="forecast_entity").value == "customer"
    assert app.number_input(key="forecast_moments").value == 8
    assert app.selectbox(key="forecast_outcome").value == "sum"
    assert app.selectbox(key="forecast_column_invoice").value == "total"
    assert app.number_input(key="forecast_length").value == 90
    assert app.text_input(key="forecast_where").value == "total > 1"
    assert "A number (regression)" in said(app)
    assert "predict sum of invoice.total per customer" in said(app)


def test_the_sentence_becomes_a_link(visit: Open) -> None:
    app = visit("question", source="sample:chinook")
    app.pills(key="question_choice").set_value("later").run()
    app.number_input(key="forecast_length").set_value(90).run()
    app.checkbox(key="forecast_active").check().run()
    assert not app.exception
    assert not app.error
    found = {name: app.query_params[name] for name in ("forecast", "of", "for")}
    assert found == {"forecast": "any", "of": "invoice", "for": "customer"}
    assert app.query_params["within"] == "90d"
    assert app.query_params["active"] == "yes"
    assert "Yes or no (binary classification)" in said(app)


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        ({"where": "prise > 1"}, "prise"),
        ({"within": "20y"}, "leave 0 of 8 moments"),
        ({"every": "3d"}, 'Seed times "3d" apart'),
    ],
)
def test_what_cannot_be_forecast_is_said_in_a_sentence(
    visit: Open, change: dict[str, str], sentence: str
) -> None:
    app = visit("question", **{**LINK, **change})
    if "every" in change:  # such a link asks nothing, so it is typed in
        app.pills(key="question_choice").set_value("later").run()
        app.text_input(key="forecast_every").set_value("3d").run()
    assert sentence in app.error[0].value.replace("\\", "")


@pytest.mark.parametrize("change", [{"within": "<b>"}, {"seed_times": "1e9"}])
def test_a_link_that_is_no_forecast_asks_nothing(
    visit: Open, change: dict[str, str]
) -> None:
    app = visit("graphs", **{**LINK, **change})
    assert words.NO_QUESTION in said(app)


def test_without_a_confirmed_time_the_page_leads_to_the_data(visit: Open) -> None:
    app = visit("question", source="sample:address-3nf")
    app.pills(key="question_choice").set_value("later").run()
    assert not app.exception
    assert words.NO_EVENTS in said(app)
