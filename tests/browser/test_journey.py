"""What a visitor does, in a real browser."""

import re
import zipfile
from pathlib import Path

import pytest
from playwright.sync_api import Locator, Page, expect

pytestmark = pytest.mark.browser

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

    page.get_by_role("link", name="See results").click(timeout=LONG)
    expect(page.get_by_role("heading", name="Compare")).to_be_visible()
    settle(page)
    expect(page.get_by_text("Test", exact=False).first).to_be_visible()
    with page.expect_download() as caught:
        page.get_by_role("button", name="Report", exact=True).click()
    target = tmp_path / "report.html"
    caught.value.save_as(target)
    assert "<html" in target.read_text(encoding="utf-8")[:2000].lower()


def test_the_depth_stays_in_the_address(page: Page, app_url: str) -> None:
    page.goto(f"{app_url}/compare?results=address")
    settle(page)
    before = page.url
    page.get_by_role("slider", name="Depth (number of layers)").press("ArrowRight")
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
    place = page.evaluate(PLACE, "city")
    page.mouse.click(place["x"], place["y"])
    expect(page.get_by_role("heading", name="city")).to_be_visible()


PLACE = """async name => {
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
  const one = found.__cy.getElementById(name)
  const at = one.isEdge() ? one.renderedMidpoint() : one.renderedPosition()
  const box = found.querySelector('.canvas').getBoundingClientRect()
  return { x: box.x + at.x, y: box.y + at.y }
}"""


def upload(page: Page, app_url: str, *paths: Path) -> None:
    page.goto(f"{app_url}/data")
    settle(page)
    page.get_by_role("tab", name="A file of your own").click()
    uploader = page.get_by_test_id("stFileUploader").locator("input[type=file]")
    uploader.set_input_files(list(paths))
    expect(page).to_have_url(re.compile("source=open"))
    settle(page)


def test_a_zip_of_tables_is_opened_and_a_key_found_in_it_is_rejected(
    page: Page, app_url: str, tmp_path: Path
) -> None:
    customers = "".join(f"{at},{'Oslo' if at % 2 else 'Moss'}\n" for at in range(50))
    purchases = "".join(f"{at},{at * 7 % 50},{at % 9}.5\n" for at in range(400))
    path = tmp_path / "shop.zip"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("customer.csv", f"id,town\n{customers}")
        archive.writestr("purchase.csv", f"id,customer_id,price\n{purchases}")
    upload(page, app_url, path)
    expect(page.get_by_role("heading", name="shop")).to_be_visible()
    expect(page.get_by_text("1 used, 1 of them found in the rows")).to_be_visible()
    place = page.evaluate(PLACE, "purchase")
    page.mouse.click(place["x"], place["y"])
    settle(page)
    page.get_by_role("tab", name="Links (keys)").click()
    expect(page.get_by_text("customer_id → customer")).to_be_visible()

    drawer = page.locator(".st-key-data_drawer")
    grid = drawer.locator("[data-testid=stDataFrame]:visible canvas").first
    grid.scroll_into_view_if_needed()
    box = grid.bounding_box()
    assert box is not None
    # The tick of the first row; the canvas itself lies under what scrolls it.
    page.mouse.click(box["x"] + 38, box["y"] + 52)
    settle(page)
    expect(page.get_by_text("Changes to the schema: 1")).to_be_visible()
    expect(page.get_by_text("0 used, 0 of them found in the rows")).to_be_visible()
    settle(page)
    page.get_by_role("button", name="Undo").click()
    expect(page.get_by_text("1 used, 1 of them found in the rows")).to_be_visible()


def test_a_schema_is_opened_and_a_signal_planted_in_it(
    page: Page, app_url: str, tmp_path: Path
) -> None:
    path = tmp_path / "shop.sql"
    path.write_text(
        """
        CREATE TABLE customer (id INTEGER PRIMARY KEY, age INTEGER);
        CREATE TABLE purchase (
          id INTEGER PRIMARY KEY, customer INTEGER REFERENCES customer (id)
        );
        """
    )
    upload(page, app_url, path)
    expect(page.get_by_text("This is a schema without rows")).to_be_visible()
    page.get_by_role("button", name="Plant it").click()
    expect(page).to_have_url(re.compile("task=planted"))
    page.get_by_role("link", name="Question").click()
    expect(page.get_by_text("1 hop away, decides it")).to_be_visible()


def test_a_cancelled_run_says_so_on_both_of_two_pages(page: Page, app_url: str) -> None:
    page.goto(f"{app_url}/train?source=sample:address-3nf&task=prosperous")
    start(page).click(timeout=LONG)
    expect(page).to_have_url(re.compile("results=[0-9a-f]{16}"), timeout=LONG)
    second = page.context.new_page()
    second.goto(page.url)
    expect(second.get_by_text("finished").first).to_be_visible(timeout=LONG)
    page.get_by_role("button", name="Cancel", exact=True).click(timeout=LONG)
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
        "design?source=sample:address-3nf&task=prosperous",
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
