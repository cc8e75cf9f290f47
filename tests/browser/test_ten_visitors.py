"""Ten visitors at once while two studies run: pages answer, and nobody sees another."""

import re
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.browser.conftest import served
from tests.browser.test_studies import LONG, end_study, start_study

pytestmark = [pytest.mark.browser, pytest.mark.slow]

NUM_VISITORS = 10


@pytest.fixture
def busy_url(tmp_path: Path) -> Iterator[str]:
    """Serve the app so that two studies run at the same time."""
    with served(tmp_path, WORKBENCH_STUDIES_AT_ONCE="2") as url:
        yield url


@pytest.fixture
def visitors(chromium: Browser) -> Iterator[list[Page]]:
    """Open a browser profile of its own for each visitor."""
    with ExitStack() as stack:
        pages = []
        for _ in range(NUM_VISITORS):
            context = stack.enter_context(chromium.new_context(locale="en-GB"))
            pages.append(context.new_page())
            pages[-1].set_default_timeout(LONG)
        yield pages


def upload(page: Page, url: str, name: str) -> str:
    """Open rows of a visitor's own and return the address of the page."""
    page.goto(f"{url}/data")
    page.get_by_role("tab", name="A file of your own").click()
    rows = "".join(f"{at},{at % 3}\n" for at in range(30))
    page.get_by_test_id("stFileUploader").locator("input[type=file]").set_input_files(
        {
            "name": f"{name}.csv",
            "mimeType": "text/csv",
            "buffer": f"id,kind\n{rows}".encode(),
        }
    )
    expect(page.get_by_role("heading", name=name).first).to_be_visible(timeout=LONG)
    expect(page).to_have_url(re.compile("source=open"), timeout=LONG)
    return page.url


def test_ten_visitors_at_once_get_their_own_pages_while_two_studies_run(
    visitors: list[Page], busy_url: str
) -> None:
    started = [start_study(page, busy_url) for page in visitors[:2]]
    for page, identifier in zip(visitors, started, strict=False):
        expect(page.get_by_role("button", name="Cancel").first).to_be_visible()
        assert identifier in page.url
    own = [upload(page, busy_url, f"secret{at}") for at, page in enumerate(visitors)]

    for at, page in enumerate(visitors):
        page.goto(own[at - 1])  # the address of another visitor's rows
        expect(page.get_by_text("points to data that is not open here")).to_be_visible()
        expect(page.get_by_text(f"secret{(at - 1) % NUM_VISITORS}")).to_have_count(0)
    for at, page in enumerate(visitors):
        page.goto(f"{busy_url}/studies")
        if at < 2:
            rows = page.locator("[class*='st-key-study_']")
            expect(rows).to_have_count(1, timeout=LONG)
            expect(page.locator(f".st-key-study_{started[at]}")).to_be_visible()
        else:
            expect(page.get_by_text("No studies of yours yet")).to_be_visible()
    for page, identifier in zip(visitors, started, strict=False):
        end_study(page, busy_url, identifier)
