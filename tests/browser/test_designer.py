"""Designing a graph, in a real browser."""

import re
from pathlib import Path

import duckdb
import pytest
from playwright.sync_api import Page, expect

from tests.browser.test_journey import LONG, PLACE, pull, settle, start

pytestmark = pytest.mark.browser

AT = "source=sample:address-3nf&task=prosperous&graphs=row2node"


def press(page: Page, name: str) -> None:
    page.get_by_role("button", name=name, exact=True).click()
    settle(page)


def look_at(page: Page, table: str) -> None:
    box = page.locator(".st-key-design_table").get_by_role("combobox")
    box.fill(table)
    box.press("Enter")
    settle(page)
    expect(page.get_by_text(f"What becomes of the rows of {table}?")).to_be_visible()


def choose(page: Page, subject: str, role: str) -> None:
    page.locator(f'[class*="st-key-design_role_{subject}_{role}"] button').click()
    settle(page)


def test_a_key_is_changed_undone_duplicated_and_trained(
    page: Page, app_url: str
) -> None:
    page.goto(f"{app_url}/design?{AT}")
    settle(page)
    look_at(page, "city")
    choose(page, "city", "folded")
    # 8,482 rows of which 520 are cities; 4 keys of which the zips' is folded.
    expect(page.get_by_text("520 nodes fewer")).to_be_visible(timeout=LONG)
    expect(page.get_by_text("folded: city into zip; 1 hop nearer")).to_be_visible()
    expect(page).to_have_url(re.compile("own-row2node"))

    press(page, "Undo")
    expect(page.get_by_text("520 nodes fewer")).to_have_count(0)
    expect(page).not_to_have_url(re.compile("own-row2node"))
    press(page, "Redo")
    expect(page.get_by_text("520 nodes fewer")).to_be_visible(timeout=LONG)
    press(page, "Duplicate")
    expect(page).to_have_url(re.compile("own-row2node-2"))
    expect(page.get_by_text("the two are the same graph")).to_be_visible(timeout=LONG)

    page.reload()
    settle(page)
    expect(page.get_by_text("the two are the same graph")).to_be_visible(timeout=LONG)
    press(page, "Take away")
    page.get_by_role("link", name="Train on them").click()
    expect(start(page)).to_be_visible(timeout=LONG)
    pull(page, "train_depths", ["ArrowLeft", "ArrowLeft"], thumb=1)
    pull(page, "train_seeds", ["ArrowLeft"] * 5)
    page.get_by_text("What a run may spend").click()
    page.get_by_label("Most passes over the training rows").fill("2")
    page.keyboard.press("Enter")
    settle(page)
    start(page).click()
    page.get_by_role("link", name="See results").click(timeout=LONG)
    expect(page.get_by_role("heading", name="Compare")).to_be_visible()
    expect(page.get_by_text("own row2node").first).to_be_visible()


def test_the_code_of_a_graph_is_downloaded_and_runs(
    page: Page, app_url: str, tmp_path: Path
) -> None:
    page.goto(f"{app_url}/design?{AT}")
    settle(page)
    page.get_by_text("As code: the SQL and the Python").click()
    files = {}
    kept = {"SQL (DuckDB)": "graph.sql", "The rows (address-3nf.duckdb)": "rows.duckdb"}
    for button, name in kept.items():
        with page.expect_download() as caught:
            page.get_by_role("button", name=button).click()
        files[name] = tmp_path / name
        caught.value.save_as(files[name])
    with duckdb.connect(str(files["rows.duckdb"]), read_only=True) as rows:
        rows.execute(files["graph.sql"].read_text(encoding="utf-8"))
        found = rows.execute('SELECT count(*) FROM "nodes city"').fetchone()
    assert found == (520,)


@pytest.mark.parametrize("page", ["light", "dark"], indirect=True)
def test_a_click_on_a_node_asks_what_becomes_of_it(page: Page, app_url: str) -> None:
    page.goto(f"{app_url}/design?{AT}")
    settle(page)
    place = page.evaluate(PLACE, "zip")
    page.mouse.click(place["x"], place["y"])
    expect(page.get_by_text("What becomes of the rows of zip?")).to_be_visible()
    line = page.evaluate(PLACE, "zip.city_id->city")
    page.mouse.click(line["x"], line["y"])
    settle(page)
    expect(
        page.get_by_text("What becomes of the key zip.city_id->city?")
    ).to_be_visible()
