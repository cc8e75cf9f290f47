"""Somebody who has never seen the workbench, in a real browser."""

import re
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

pytestmark = pytest.mark.browser

IDLE = '[data-testid="stApp"][data-test-script-state="notRunning"]'
LONG = 120_000  # ms; what is asserted is what is there, not how soon
expect.set_options(timeout=60_000)


def expect_two_graphs_and_a_preview(page: Page) -> None:
    expect(page).to_have_url(re.compile("graphs=row2node"), timeout=LONG)
    for graph in ("row2node", "flattened"):
        drawing = page.locator(f".st-key-graphs_drawing_{graph}")
        expect(drawing).to_be_visible(timeout=LONG)
    expect(page.locator('[data-figure="preview"]')).to_be_visible(timeout=LONG)


@pytest.mark.parametrize("page", ["light", "dark"], indirect=True)
def test_one_click_leads_to_two_graphs_and_a_preview(page: Page, app_url: str) -> None:
    page.goto(app_url)
    expect(page.get_by_role("heading", level=1)).to_be_visible()
    expect(page.get_by_role("heading", name="See two graphs")).to_be_visible()
    page.get_by_role("button", name="(address-3nf)").click()
    expect_two_graphs_and_a_preview(page)
    note = page.locator(".st-key-proposed")
    expect(note).to_contain_text("person.prosperous")
    expect(note).to_contain_text('The column "split" says')
    note.get_by_role("button", name="Put this note away").click()
    expect(note).to_have_count(0)


def test_a_file_dropped_on_the_first_page_is_enough(
    page: Page, app_url: str, tmp_path: Path
) -> None:
    path = tmp_path / "shop.sql"
    rows = [
        f"INSERT INTO purchase VALUES ({at}, {at // 5 % 2}, {at % 40});"
        for at in range(300)
    ]
    path.write_text(
        "CREATE TABLE customer (id INTEGER PRIMARY KEY, age REAL);\n"
        "CREATE TABLE purchase (id INTEGER PRIMARY KEY, returned BOOLEAN,"
        " customer_id INTEGER REFERENCES customer (id));\n"
        + "".join(f"INSERT INTO customer VALUES ({at}, {at}.5);\n" for at in range(40))
        + "\n".join(rows)
    )
    page.goto(app_url)
    page.locator("input[type=file]").set_input_files(path)
    expect_two_graphs_and_a_preview(page)
    expect(page.locator(".st-key-proposed")).to_contain_text("purchase.returned")


def test_the_tour_passes_every_page_and_can_be_left(page: Page, app_url: str) -> None:
    page.goto(app_url)
    page.get_by_role("button", name="Show me around").click()
    tour = page.locator(".st-key-tour")
    for step in range(1, 5):
        expect(tour).to_contain_text(f"Tour, {step} of 5", timeout=LONG)
        tour.get_by_role("button", name="Next").click()
    expect(tour).to_contain_text("Tour, 5 of 5", timeout=LONG)
    tour.get_by_role("button", name="End the tour").click()
    expect(tour).to_have_count(0)


def test_the_words_of_the_field_are_explained_where_they_stand(
    page: Page, app_url: str
) -> None:
    page.goto(app_url)
    page.get_by_role("button", name="What do the words mean?").click()
    page.get_by_label("Find a word").fill("squashing")
    page.keyboard.press("Enter")
    expect(page.get_by_text("pass through few edges")).to_be_visible()
    expect(page.get_by_text("One step along an edge.")).to_have_count(0)


@pytest.mark.parametrize("path", ["", "data", "graphs", "compare"])
def test_no_page_is_wider_than_a_window_of_1024(
    page: Page, app_url: str, path: str
) -> None:
    page.set_viewport_size({"width": 1024, "height": 768})
    page.goto(f"{app_url}/{path}?source=sample:address-3nf&task=prosperous")
    page.wait_for_selector(IDLE, timeout=LONG)
    page.wait_for_timeout(500)
    widest = page.evaluate(
        "() => { const main = document.querySelector('[data-testid=stMain]');"
        " return main.scrollWidth - main.clientWidth }"
    )
    assert widest <= 1
