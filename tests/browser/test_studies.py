"""Studies of several visitors: queued, cancelled, named, found again, kept apart."""

import re

import pytest
from playwright.sync_api import Browser, Page, expect

pytestmark = [pytest.mark.browser, pytest.mark.slow]

LONG = 240_000
expect.set_options(timeout=60_000)
TRAIN = "train?source=sample:address-3nf&task=prosperous&graphs=row2node"
STUDY = re.compile("results=([0-9a-f]{16})")


def start_study(page: Page, app_url: str) -> str:
    """Start a study from the Train page and return its identifier."""
    page.goto(f"{app_url}/{TRAIN}")
    page.locator(".st-key-train_start").get_by_role("button").click(timeout=LONG)
    expect(page).to_have_url(STUDY, timeout=LONG)
    found = STUDY.search(page.url)
    assert found is not None
    return found[1]


def end_study(page: Page, app_url: str, identifier: str) -> None:
    """Cancel a study where it has not ended by itself."""
    page.goto(f"{app_url}/studies?study={identifier}")
    cancel = page.locator(".st-key-study_cancel").get_by_role("button")
    ended = page.locator(".st-key-study_again")
    expect(cancel.or_(ended).first).to_be_visible(timeout=LONG)
    if cancel.is_visible():
        cancel.click()
    expect(ended).to_be_visible(timeout=LONG)


def test_two_studies_one_after_another_named_and_found_again_from_elsewhere(
    page: Page, chromium: Browser, app_url: str
) -> None:
    first = start_study(page, app_url)
    second = start_study(page, app_url)
    expect(page.get_by_text("It is the next to start")).to_be_visible()

    page.goto(f"{app_url}/train?results={first}")
    one = page.locator(".st-key-train_one")
    expect(one).to_be_visible(timeout=LONG)
    one.get_by_role("combobox").fill("depth 3 · seed 5")
    page.get_by_role("option").first.click()
    page.get_by_role("button", name="Cancel this run").click()
    expect(page.get_by_text("This run is given up")).to_be_visible()

    page.goto(f"{app_url}/studies?study={second}")
    page.get_by_label("Name", exact=True).fill("Does the city matter?")
    page.get_by_label("Tags").fill("city, first")
    page.get_by_role("button", name="Keep").click()
    title = page.get_by_role("heading", name="Does the city matter?")
    expect(title).to_be_visible()
    page.reload()
    expect(title).to_be_visible()

    with chromium.new_context() as elsewhere:
        other = elsewhere.new_page()
        other.goto(f"{app_url}/studies?study={second}")
        shown = other.get_by_role("heading", name="Does the city matter?")
        expect(shown).to_be_visible()
        other.goto(f"{app_url}/studies")
        expect(other.get_by_text("No studies of yours yet")).to_be_visible()

    page.goto(f"{app_url}/studies")
    expect(page.get_by_role("link", name="Does the city matter?")).to_be_visible()
    end_study(page, app_url, second)
    end_study(page, app_url, first)
    page.goto(f"{app_url}/train?results={first}")
    ended = page.get_by_text("Cancelled. What had finished")
    expect(ended.or_(page.get_by_text("Finished.")).first).to_be_visible(timeout=LONG)
