"""The pages, in the states a visitor can find them in."""

import json
import sqlite3
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import streamlit as st
from streamlit.testing.v1 import AppTest

from workbench.results import stored
from workbench.ui import words

ROOT = Path(__file__).parents[1]
PAGES = ("start", "data", "question", "graphs", "train", "compare")
SAMPLE = {"source": "sample:address-3nf", "task": "prosperous"}


@pytest.fixture(autouse=True)
def empty_caches() -> Iterator[None]:
    st.cache_data.clear()
    st.cache_resource.clear()
    yield
    st.cache_resource.clear()


Open = Callable[..., AppTest]


@pytest.fixture
def visit() -> Open:
    def visit(page: str, **parameters: str) -> AppTest:
        app = AppTest.from_file(str(ROOT / "app.py"), default_timeout=60)
        for name, value in parameters.items():
            app.query_params[name] = value
        app.run()
        if page != "start":
            app.switch_page(f"workbench/ui/pages/{page}.py").run()
        assert not app.exception
        return app

    return visit


def said(app: AppTest) -> str:
    """Return every sentence on the page without its Markdown escapes."""
    kinds = ("title", "header", "subheader", "markdown", "caption", "error", "warning")
    kinds += ("info", "success")
    texts = [element.value for kind in kinds for element in getattr(app, kind)]
    return " ".join(texts).replace("\\", "")


@pytest.mark.parametrize("page", PAGES)
def test_a_page_says_something_when_nothing_is_open(visit: Open, page: str) -> None:
    app = visit(page)
    assert app.title
    if page in ("question", "graphs", "train"):
        assert words.NOTHING_OPEN in said(app)


@pytest.mark.parametrize("page", PAGES)
def test_a_page_draws_an_open_sample(visit: Open, page: str) -> None:
    app = visit(page, **SAMPLE)
    assert not app.error
    if page != "start":
        assert "address-3nf" in said(app)


@pytest.mark.parametrize("page", ["graphs", "train"])
def test_a_page_ahead_of_its_question_leads_to_it(visit: Open, page: str) -> None:
    assert words.NO_QUESTION in said(visit(page, source="sample:address-3nf"))


def test_the_app_opens_on_the_verdict_of_the_stored_comparison(visit: Open) -> None:
    text = (stored("address") / "comparison.json").read_text(encoding="utf-8")
    verdict = json.loads(text)["verdict"]
    assert verdict in said(visit("start"))


def test_compare_shows_a_score_per_graph_at_the_depth_of_the_address(
    visit: Open,
) -> None:
    app = visit("compare", results="address", depth="1")
    assert app.select_slider[0].value == 1
    assert len(app.metric) == 3
    assert all("depth 1" in metric.label for metric in app.metric)


@pytest.mark.parametrize("depth", ["99", "-1", "one", "<b>"])
def test_a_depth_that_was_not_tried_falls_back(visit: Open, depth: str) -> None:
    app = visit("compare", results="address", depth=depth)
    assert 0 <= int(app.select_slider[0].value) <= 16


@pytest.mark.parametrize(
    "results", ["../../etc", "/etc/passwd", "0123456789abcdef", "a b", "%2e%2e"]
)
def test_results_that_are_not_here_are_not_looked_for_elsewhere(
    visit: Open, results: str
) -> None:
    app = visit("compare", results=results)
    assert "not on this machine" in said(app)
    assert not app.metric


@pytest.mark.parametrize(
    "source", ["/etc/passwd", "sample:nothing", "upload:../x", "upload:" + "0" * 32]
)
def test_a_link_opens_no_file_of_the_machine(visit: Open, source: str) -> None:
    assert words.LINK_TO_NOTHING in said(visit("graphs", source=source))


def test_an_uploaded_database_is_opened(visit: Open, tmp_path: Path) -> None:
    path = tmp_path / "shop.db"
    with sqlite3.connect(path) as connection:
        connection.executescript(
            """
            CREATE TABLE customer (id INTEGER PRIMARY KEY, town TEXT);
            CREATE TABLE purchase (
              id INTEGER PRIMARY KEY,
              customer INTEGER REFERENCES customer (id),
              price REAL
            );
            INSERT INTO customer VALUES (1, 'Oslo'), (2, 'Bergen');
            INSERT INTO purchase VALUES (1, 1, 2.5), (2, NULL, 1.0);
            """
        )
    connection.close()
    app = visit("data")
    app.file_uploader(key="data_upload").upload("shop.db", path.read_bytes()).run()
    app.run()
    assert not app.exception
    assert "shop" in said(app)
    app.selectbox(key="table").set_value("purchase").run()
    assert "customer → customer, 1 empty" in said(app)


@pytest.mark.parametrize(
    ("content", "sentence"),
    [
        (b"PK\x03\x04 something", "so it is a zip file"),
        (b"a,b\n1,2\n", "is not a SQLite database"),
        (b"", "is empty"),
    ],
)
def test_an_upload_of_another_kind_is_named(
    visit: Open, content: bytes, sentence: str
) -> None:
    app = visit("data")
    app.file_uploader(key="data_upload").upload("shop.db", content).run()
    assert not app.exception
    assert sentence in said(app)


def test_a_target_that_cannot_be_predicted_is_refused_in_a_sentence(
    visit: Open,
) -> None:
    app = visit("question", source="sample:address-3nf", target="person.nothing")
    app = visit("graphs", source="sample:address-3nf", target="person.nothing")
    assert app.error
    assert "nothing" in app.error[0].value


def test_graphs_that_do_not_exist_are_left_out_of_the_address(visit: Open) -> None:
    app = visit("graphs", **SAMPLE, graphs="row2node,<script>,../x")
    assert app.pills(key="graphs_chosen").value == ["row2node"]


def test_the_study_to_train_is_the_one_on_the_form(visit: Open) -> None:
    app = visit("train", **SAMPLE, graphs="row2node,flattened")
    app.slider(key="train_depths").set_value((0, 1)).run()
    app.slider(key="train_seeds").set_value(2).run()
    assert not app.exception
    assert "8 runs" in said(app)  # two graphs, two depths, two seeds
