"""One row and the drawer of a table, in a real browser, light and dark."""

import re

import pytest
from playwright.sync_api import Page, expect

from tests.browser.test_journey import LONG, PLACE, settle

pytestmark = pytest.mark.browser

AT = "source=sample:address-3nf&task=prosperous&graphs=row2node,flattened"


def click_in_drawing(page: Page, name: str) -> None:
    place = page.evaluate(PLACE, name)
    page.mouse.click(place["x"], place["y"])
    settle(page)


@pytest.mark.parametrize("page", ["light", "dark"], indirect=True)
def test_a_row_is_followed_hop_by_hop_and_the_link_shows_the_same(
    page: Page, app_url: str
) -> None:
    page.goto(f"{app_url}/row?{AT}&row=8")
    settle(page)
    expect(page.get_by_text("Within 2 hops: 4 rows of 4 tables.")).to_be_visible(
        timeout=LONG
    )
    expect(page.get_by_text("Within 2 hops: 5 rows of 5 tables.")).to_be_visible()
    page.locator(".st-key-hops").get_by_role("slider").first.focus()
    page.keyboard.press("ArrowRight")
    settle(page)
    expect(page.get_by_text("Within 3 hops: 11 rows of 5 tables.")).to_be_visible()
    expect(page).to_have_url(re.compile("hops=3"))
    # Its address is the 1,966th; what is seen of it is a hop away.
    click_in_drawing(page, "address#1965")
    expect(page.get_by_text("address, row 1,965")).to_be_visible()

    page.get_by_role("button", name="Next row").click()
    settle(page)
    expect(page.get_by_text("person 9: prosperous is")).to_be_visible()
    expect(page).to_have_url(re.compile("row=9"))
    shared = page.url
    page.goto(app_url)
    page.goto(shared)
    settle(page)
    expect(page.get_by_text("person 9: prosperous is")).to_be_visible(timeout=LONG)
    expect(page.get_by_text(re.compile("Within 3 hops")).first).to_be_visible()


def test_a_card_opens_a_drawer_that_closes_and_opens_again(
    page: Page, app_url: str
) -> None:
    page.goto(f"{app_url}/data?source=sample:address-3nf")
    settle(page)
    drawer = page.locator(".st-key-data_drawer")
    expect(drawer).to_have_count(0)
    for _ in range(2):
        click_in_drawing(page, "city")
        expect(drawer.get_by_role("heading", name="city")).to_be_visible()
        drawer.get_by_role("button", name="Close").click()
        settle(page)
        expect(drawer).to_have_count(0)
    click_in_drawing(page, "zip")
    drawer.get_by_role("tab", name="Links (keys)").click()
    expect(drawer.get_by_text("city_id → city")).to_be_visible()
