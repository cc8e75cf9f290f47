"""Two people who log in at a provider, and what each of them and a guest then sees."""

import hashlib
import re
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.browser.conftest import free_port, served
from tests.browser.test_ten_visitors import upload
from tests.provider import ADA, CLIENT, CLIENT_SECRET, open_id_provider
from tests.results_factory import make_results
from workbench.shelf import About
from workbench.shelves import open_shelf
from workbench.ui import words

pytestmark = pytest.mark.browser

COOKIE_SECRET = "a long random text of a test's own"
NOT_OPEN = "points to data that is not open here"
STUDY = "0123456789abcdef"
SECRETS = """[auth]
redirect_uri = "{app}/oauth2callback"
cookie_secret = "{cookie}"
client_id = "{client}"
client_secret = "{secret}"
server_metadata_url = "{provider}/.well-known/openid-configuration"
"""


@dataclass(frozen=True, slots=True)
class Team:
    """Where the app is, who says who people are, and what the app keeps."""

    url: str
    issuer: str
    folder: Path


@pytest.fixture(scope="module")
def team(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Team]:
    """Serve the app to people who log in at a provider on this machine."""
    folder, port = tmp_path_factory.mktemp("team"), free_port()
    secrets = folder / ".streamlit" / "secrets.toml"
    secrets.parent.mkdir()
    with open_id_provider() as provider:
        secrets.write_text(
            SECRETS.format(
                app=f"http://127.0.0.1:{port}",
                cookie=COOKIE_SECRET,
                client=CLIENT,
                secret=CLIENT_SECRET,
                provider=provider.url,
            )
        )
        kept = str(folder / "studies")
        with served(folder, port, HOME=str(folder), WORKBENCH_STORE=kept) as url:
            yield Team(url, provider.url, folder)


@pytest.fixture
def browse(chromium: Browser) -> Iterator[Callable[[], Page]]:
    """Open a page of a browser that knows nobody yet."""
    with ExitStack() as stack:

        def open_browser() -> Page:
            context = chromium.new_context(locale="en-GB", reduced_motion="reduce")
            page = stack.enter_context(context).new_page()
            page.set_default_timeout(60_000)
            return page

        yield open_browser


def log_in(page: Page, name: str) -> None:
    page.get_by_role("button", name="Log in").click()
    page.get_by_role("link", name=name).click()
    expect(page.get_by_role("button", name=f"Log out {name}")).to_be_visible()


def expect_only_the_way_in(page: Page) -> None:
    expect(page.get_by_text(words.LOG_IN)).to_be_visible()
    expect(page.get_by_role("dialog")).to_have_count(0)
    expect(page.get_by_test_id("stTopNavLink")).to_have_count(0)
    expect(page.get_by_test_id("stButton")).to_have_count(1)


def test_each_sees_their_own_uploads_alone_until_they_log_out(
    team: Team, browse: Callable[[], Page]
) -> None:
    ada, bob = browse(), browse()
    for address in ("", "compare?results=address", "studies"):
        ada.goto(f"{team.url}/{address}")
        expect_only_the_way_in(ada)

    log_in(ada, "Ada")
    own = upload(ada, team.url, "payroll")
    bob.goto(own)
    log_in(bob, "Bob")
    expect(bob.get_by_text(NOT_OPEN)).to_be_visible()
    expect(bob.get_by_text("payroll")).to_have_count(0)

    ada.get_by_role("button", name="Log out Ada").click()
    expect_only_the_way_in(ada)
    ada.goto(own)
    expect_only_the_way_in(ada)
    log_in(ada, "Bob")  # who sits down at the same browser
    expect(ada.get_by_text(NOT_OPEN)).to_be_visible()
    expect(ada.get_by_text("payroll")).to_have_count(0)

    told = (team.folder / "log").read_text()
    assert CLIENT_SECRET not in told
    assert COOKIE_SECRET not in told


def test_a_link_shows_one_study_to_who_is_not_logged_in_until_it_is_taken_back(
    team: Team, browse: Callable[[], Page]
) -> None:
    keep_study_of_ada(team)
    ada, bob, guest = browse(), browse(), browse()
    address = f"{team.url}/studies?study={STUDY}"
    guest.goto(address)
    expect_only_the_way_in(guest)
    bob.goto(address)
    log_in(bob, "Bob")
    expect(bob.get_by_text("not on this machine")).to_be_visible()
    expect(bob.get_by_text("churn")).to_have_count(0)

    ada.goto(address)
    log_in(ada, "Ada")
    expect(ada.get_by_role("heading", name="Ada's churn")).to_be_visible()
    ada.get_by_role("button", name="Make a link").click()
    link = ada.get_by_text(re.compile(r"/\?share="))
    shared = link.inner_text()
    assert shared.startswith(f"{team.url}/?share=")

    guest.goto(shared)
    expect(guest.get_by_text(words.ONLY_TO_LOOK)).to_be_visible()
    expect(guest.get_by_role("heading", name="Compare")).to_be_visible()
    expect(guest.get_by_test_id("stTopNavLink")).to_have_count(0)
    guest.goto(f"{team.url}/studies")
    expect_only_the_way_in(guest)

    ada.get_by_role("button", name="Take the link back").click()
    expect(link).to_have_count(0)
    guest.goto(shared)
    expect(guest.get_by_text("shows nothing any more")).to_be_visible()


def keep_study_of_ada(team: Team) -> None:
    told = f"{team.issuer}\n{ADA}"
    owner = "user:" + hashlib.sha256(told.encode()).hexdigest()[:32]
    shelf = open_shelf(str(team.folder / "studies"))
    make_results(shelf.home / STUDY, depths=(0, 1, 2))
    shelf.change(STUDY, lambda _: About(name="Ada's churn", created=1e9, owner=owner))
