"""The page Data: what can be opened, what is seen of it, and what can be changed."""

import io
import sqlite3
import zipfile
from pathlib import Path

import pytest
import sqlalchemy as sa
from streamlit.testing.v1 import AppTest

from tests.pages import Open, said
from tests.servers import PASSWORD
from workbench.ui import words

CUSTOMERS = "id,town\n" + "".join(
    f"{at},{('Oslo', 'Bergen', 'Moss')[at % 3]}\n" for at in range(1, 41)
)
PURCHASES = "id,customer_id,price\n" + "".join(
    f"{at},{1 + at * 7 % 40},{at % 9}.5\n" for at in range(1, 301)
)
DDL = """
CREATE TABLE customer (id INTEGER PRIMARY KEY, town VARCHAR(20), age INTEGER);
CREATE TABLE purchase (
  id INTEGER PRIMARY KEY, customer_id INTEGER REFERENCES customer (id), price REAL
);
"""


def shop_file(path: Path) -> bytes:
    with sqlite3.connect(path) as connection:
        connection.executescript(
            DDL
            + """
            INSERT INTO customer VALUES (1, 'Oslo', 30), (2, 'Bergen', 40);
            INSERT INTO purchase VALUES (1, 1, 2.5), (2, NULL, 1.0);
            """
        )
    connection.close()
    return path.read_bytes()


def upload(app: AppTest, **files: bytes | str) -> AppTest:
    """Upload files, ``__`` standing for the dot of their names."""
    uploader = app.file_uploader(key="data_upload")
    for name, content in files.items():
        data = content.encode() if isinstance(content, str) else content
        uploader = uploader.upload(name.replace("__", "."), data)
    app = uploader.run()
    assert not app.exception
    return app


def packed(**files: str) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as archive:
        for name, content in files.items():
            archive.writestr(name.replace("__", "."), content)
    return out.getvalue()


def test_an_uploaded_database_is_opened(visit: Open, tmp_path: Path) -> None:
    app = upload(visit("data"), shop__db=shop_file(tmp_path / "shop.db"))
    assert "shop" in said(app)
    app.selectbox(key="table").set_value("purchase").run()
    assert "customer_id → customer, 1 empty" in said(app)


def test_several_tables_become_one_database_with_a_key_found_in_the_rows(
    visit: Open,
) -> None:
    app = upload(visit("data"), customer__csv=CUSTOMERS, purchase__csv=PURCHASES)
    app.selectbox(key="table").set_value("purchase").run()
    assert "customer_id → customer (found in the rows)" in said(app)


def test_a_zip_of_tables_is_opened_and_keeps_its_name(visit: Open) -> None:
    content = packed(customer__csv=CUSTOMERS, purchase__csv=PURCHASES)
    app = upload(visit("data"), towns__zip=content)
    assert "towns" in said(app)
    assert list(app.selectbox(key="table").options) == ["customer", "purchase"]


def test_a_schema_without_rows_is_planned_and_gets_a_planted_signal(
    visit: Open,
) -> None:
    app = upload(visit("data"), shop__sql=DDL)
    assert "schema without rows" in said(app)
    app.selectbox(key="plant_target").set_value("purchase").run()
    app.selectbox(key="plant_signal").set_value("customer.age").run()
    app.number_input(key="plant_rows").set_value(100).run()
    app.button(key="plant_start").click().run()
    assert not app.exception
    assert "planted" in said(app)
    app.switch_page("workbench/ui/pages/question.py").run()
    assert "customer.age, 1 hop away, decides it" in said(app)


@pytest.mark.parametrize(
    ("name", "content", "sentence"),
    [
        ("shop__db", b"PK\x03\x04 something", "shop.db"),
        ("shop__db", b"a,b\n1,2\n", "not an SQLite database"),
        ("shop__csv", b"", "is empty"),
        ("shop__sql", b"SELECT 1;", "declares no tables"),
        ("shop__xlsx", b"PK\x03\x04 cut", "shop.xlsx"),
    ],
)
def test_an_upload_that_cannot_be_read_is_named_in_a_sentence(
    visit: Open, name: str, content: bytes, sentence: str
) -> None:
    app = upload(visit("data"), **{name: content})
    assert app.error
    assert sentence in app.error[0].value.replace("\\", "")


def test_an_upload_shows_no_path_of_the_machine(visit: Open, tmp_path: Path) -> None:
    app = upload(visit("data"), shop__db=shop_file(tmp_path / "shop.db"))
    assert "/tmp/workbench-" not in said(app)
    app.session_state["kept"] = True  # a click on "Kept on this machine"
    app.run()
    kept = [str(frame.value.to_numpy()) for frame in app.dataframe]
    assert any("shop.db" in one for one in kept)
    assert not any("/tmp/workbench-" in one for one in kept)
    broken = upload(visit("data"), shop__db=b"no database")
    assert "/tmp" not in broken.error[0].value


def test_a_server_is_opened_and_its_password_forgotten(
    visit: Open, postgres: sa.URL
) -> None:
    engine = sa.create_engine(postgres)
    with engine.begin() as connection:
        connection.exec_driver_sql("CREATE SCHEMA IF NOT EXISTS page")
        connection.exec_driver_sql("CREATE TABLE page.town (id int PRIMARY KEY)")
        connection.exec_driver_sql("INSERT INTO page.town VALUES (1), (2)")
    app = visit("data")
    bare = f"postgresql://tester@127.0.0.1:{postgres.port}/postgres"
    app.text_input(key="data_url").set_value(bare)
    app.text_input(key="data_password").set_value("wrong")
    app.text_input(key="data_schemas").set_value("page")
    app.button(key="data_connect").click().run()
    assert "cannot be reached" in said(app)
    app.text_input(key="data_password").set_value(PASSWORD)
    app.button(key="data_connect").click().run()
    with engine.begin() as connection:
        connection.exec_driver_sql("DROP SCHEMA page CASCADE")
    engine.dispose()
    assert not app.exception
    assert "2 rows" in said(app)
    app.session_state["data_another"] = True  # a click on "Open another database"
    app.run()
    assert app.text_input(key="data_password").value == ""
    assert PASSWORD not in said(app) + repr(dict(app.query_params))


def test_a_change_of_the_schema_is_undone_and_done_again(
    visit: Open, tmp_path: Path
) -> None:
    app = upload(visit("data"), shop__db=shop_file(tmp_path / "shop.db"))
    app.selectbox(key="table").set_value("purchase").run()
    [keys] = [one for one in app.multiselect if "primary key" in one.label]
    keys.set_value([]).run()
    assert "no key (primary key)" in said(app)
    app.button(key="data_undo").click().run()
    assert "key (primary key): id" in said(app)
    assert app.button(key="data_undo").disabled
    app.button(key="data_redo").click().run()
    assert "no key (primary key)" in said(app)
    app.button(key="data_drop").click().run()
    assert "key (primary key): id" in said(app)
    app.button(key="data_redo").click().run()
    assert "no key (primary key)" in said(app)
    assert app.button(key="data_redo").disabled


def test_how_values_are_spread_is_shown_of_the_chosen_table(
    visit: Open, tmp_path: Path
) -> None:
    app = upload(visit("data"), shop__db=shop_file(tmp_path / "shop.db"))
    app.selectbox(key="table").set_value("customer").run()
    spread = next(one.value for one in app.dataframe if "Missing" in one.value.columns)
    towns = spread.set_index("Column").loc["town"]
    assert towns["From … to, or the commonest"] == "Bergen (1), Oslo (1)"


def test_what_is_kept_is_listed_and_cleared(visit: Open, tmp_path: Path) -> None:
    app = upload(visit("data"), shop__db=shop_file(tmp_path / "shop.db"))
    app.session_state["kept"] = True  # a click on "Kept on this machine"
    app.run().button(key="data_clear").click().run()
    app = visit("data")
    assert "Kept on this machine: 0 MB" in str([one.label for one in app.expander])


def test_a_graph_that_came_as_a_graph_is_offered_as_one(visit: Open) -> None:
    app = visit("data")
    papers = "id,label,split\n" + "".join(
        f"{at},{'ab'[at % 2]},{('train', 'val', 'test')[at // 2 % 3]}\n"
        for at in range(60)
    )
    cites = "src,dst\n" + "".join(
        f"{at},{(at + step) % 60}\n" for at in range(60) for step in (1, 7)
    )
    app = upload(app, papers__csv=papers, cites__csv=cites)
    assert "is a graph already: 60 nodes (papers) and 120 rows of links" in said(app)
    button = app.button(key="data_native")
    assert button.label == "Predict papers.label, split as “split” says, on this graph"
    button.click().run()
    assert not app.exception
    assert app.query_params["target"] == "papers.label"
    assert app.query_params["split"] == "column:split"
    assert app.query_params["graphs"] == "row2edge,row2node"


def test_a_table_opens_in_a_drawer_that_can_be_closed(
    visit: Open, tmp_path: Path
) -> None:
    app = upload(visit("data"), shop__db=shop_file(tmp_path / "shop.db"))
    assert words.DRAWER[0] not in [tab.label for tab in app.tabs]
    app.selectbox(key="table").set_value("purchase").run()
    assert [tab.label for tab in app.tabs[-4:]] == list(words.DRAWER)
    assert words.FIRST_ROWS in said(app)
    app.button(key="data_others").click().run()
    assert words.DRAWN_ROWS in said(app)
    app.button(key="data_close").click().run()
    assert app.selectbox(key="table").value is None
    assert words.DRAWN_ROWS not in said(app)


def test_a_drawer_lists_the_links_of_its_table_alone(visit: Open) -> None:
    app = visit("data", source="sample:address-3nf", table="street")
    app.session_state["links"] = True  # a click on "Links (foreign keys)"
    app.run()
    keys = [one.value for one in app.dataframe if "Confidence" in one.value.columns]
    assert sorted(len(one) for one in keys) == [1, 4]
    (mine,) = [one for one in keys if len(one) == 1]
    assert mine[["From", "To"]].values.tolist() == [
        ["address.street_id", "street.street_id"]
    ]
