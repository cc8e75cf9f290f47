"""What a visitor does, in a real browser."""

import re
import sqlite3
from pathlib import Path

import pytest
from playwright.sync_api import Locator, Page, expect

pytestmark = [pytest.mark.browser, pytest.mark.slow]

LONG = 240_000  # ms: snapshots, and a small training on two cores
expect.set_options(timeout=60_000)


def settle(page: Page) -> None:
    idle = '[data-testid="stApp"][data-test-script-state="notRunning"]'
    page.wait_for_timeout(150)
    page.wait_for_selector(idle, timeout=120_000)


def start(page: Page) -> Locator:
    return page.locator(".st-key-train_start").get_by_role("button")


def pull(page: Page, key: str, presses: list[str], thumb: int = 0) -> None:
    slider = page.locator(f".st-key-{key}").get_by_role("slider").nth(thumb)
    for press in presses:
        slider.press(press)
        settle(page)


def test_from_a_sample_card_to_the_report(
    page: Page, app_url: str, tmp_path: Path
) -> None:
    page.goto(f"{app_url}/data")
    page.get_by_role("button", name="Open address-3nf").click()
    expect(page.get_by_role("heading", name="address-3nf")).to_be_visible()

    page.get_by_role("link", name="Say what to predict").click()
    expect(page.get_by_text("Rows to predict")).to_be_visible()
    expect(page).to_have_url(re.compile("task=prosperous"))

    page.get_by_role("link", name="See the graphs").click()
    expect(page.get_by_text("Circles are rows")).to_be_visible(timeout=LONG)
    settle(page)

    page.get_by_role("link", name="Train on these graphs").click()
    expect(start(page)).to_be_visible(timeout=LONG)
    pull(page, "train_depths", ["ArrowLeft", "ArrowLeft"], thumb=1)
    pull(page, "train_seeds", ["ArrowLeft"] * 4)
    page.get_by_text("What a run may spend").click()
    page.get_by_label("Most passes over the training rows").fill("3")
    page.keyboard.press("Enter")
    expect(page.get_by_text("8 runs", exact=True)).to_be_visible()
    start(page).click()
    expect(page).to_have_url(re.compile("results=[0-9a-f]{16}"), timeout=LONG)

    page.get_by_role("button", name="See results").click(timeout=LONG)
    expect(page.get_by_role("heading", name="Compare")).to_be_visible()
    settle(page)
    expect(page.get_by_text("Test", exact=False).first).to_be_visible()
    with page.expect_download() as caught:
        page.get_by_role("button", name="Report").click()
    target = tmp_path / "report.html"
    caught.value.save_as(target)
    assert "<html" in target.read_text(encoding="utf-8")[:2000].lower()


def test_the_depth_stays_in_the_address(page: Page, app_url: str) -> None:
    page.goto(f"{app_url}/compare?results=address")
    settle(page)
    before = page.url
    pull(page, "depth", ["ArrowLeft"])
    expect(page).to_have_url(re.compile(r"depth=\d"))
    assert page.url != before
    depth = re.search(r"depth=(\d+)", page.url)
    assert depth is not None
    page.reload()
    settle(page)
    expect(page.get_by_text(f"at depth {depth[1]}").first).to_be_visible()


def test_a_click_on_a_card_chooses_its_table(page: Page, app_url: str) -> None:
    page.goto(f"{app_url}/data?source=sample:address-3nf")
    settle(page)
    page.wait_for_function("() => document.querySelector('.st-key-data_schema')")
    place = page.evaluate(CARD_PLACE, "city")
    page.mouse.click(place["x"], place["y"])
    expect(page.get_by_role("heading", name="city")).to_be_visible()


CARD_PLACE = """async name => {
  const find = root => {
    for (const each of root.querySelectorAll('*')) {
      if (each.__cy) return each
      const inner = each.shadowRoot && find(each.shadowRoot)
      if (inner) return inner
    }
  }
  let found
  for (let tries = 0; tries < 100 && !found; tries++) {
    found = find(document)
    await new Promise(done => setTimeout(done, 100))
  }
  found.scrollIntoView({ block: 'center' })
  const at = found.__cy.getElementById(name).renderedPosition()
  const box = found.querySelector('.canvas').getBoundingClientRect()
  return { x: box.x + at.x, y: box.y + at.y }
}"""


def test_an_uploaded_file_shows_all_its_tables(
    page: Page, app_url: str, tmp_path: Path
) -> None:
    path = tmp_path / "shop.db"
    connection = sqlite3.connect(path)
    connection.executescript(
        """
        CREATE TABLE customer (id INTEGER PRIMARY KEY, town TEXT);
        CREATE TABLE purchase (
          id INTEGER PRIMARY KEY, customer INTEGER REFERENCES customer (id)
        );
        INSERT INTO customer VALUES (1, 'Oslo'), (2, 'Bergen');
        INSERT INTO purchase VALUES (1, 1), (2, 2);
        """
    )
    connection.close()
    page.goto(f"{app_url}/data")
    settle(page)
    uploader = page.get_by_test_id("stFileUploader").locator("input[type=file]")
    uploader.set_input_files(path)
    expect(page.get_by_role("heading", name="shop")).to_be_visible()
    expect(page).to_have_url(re.compile("source=upload"))


def test_a_cancelled_run_says_so_on_both_of_two_pages(page: Page, app_url: str) -> None:
    page.goto(f"{app_url}/train?source=sample:address-3nf&task=prosperous")
    start(page).click(timeout=LONG)
    expect(page).to_have_url(re.compile("results=[0-9a-f]{16}"), timeout=LONG)
    second = page.context.new_page()
    second.goto(page.url)
    expect(second.get_by_text("finished").first).to_be_visible(timeout=LONG)
    page.get_by_role("button", name="Cancel").click(timeout=LONG)
    for each in (page, second):
        expect(each.get_by_text("Cancelled. What had finished")).to_be_visible(
            timeout=LONG
        )


@pytest.mark.parametrize("page", ["light", "dark"], indirect=True)
@pytest.mark.parametrize(
    "path",
    [
        "",
        "data?source=sample:address-3nf",
        "question?source=sample:address-3nf&task=prosperous",
        "graphs?source=sample:address-3nf&task=prosperous",
        "train?source=sample:address-3nf&task=prosperous",
        "compare?results=address",
    ],
)
def test_a_page_opens_without_errors_or_outside_requests(
    page: Page, app_url: str, path: str
) -> None:
    page.goto(f"{app_url}/{path}")
    settle(page)
    expect(page.get_by_role("heading").first).to_be_visible()
