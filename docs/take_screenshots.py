"""Takes the pictures of README and docs from the running app: `make screenshots`.

It opens the samples in a real Chromium, in the light theme and a window of one size,
and writes 8-bit PNGs to docs/pictures. With names of pictures it takes those alone.
"""

import io
import os
import shutil
import socket
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path

from PIL import Image
from playwright.sync_api import BrowserContext, Page, ViewportSize, sync_playwright

from workbench.queue import cancel
from workbench.shelf import About
from workbench.shelves import open_shelf
from workbench.studies import list_studies

ROOT = Path(__file__).resolve().parents[1]
PICTURES = ROOT / "docs" / "pictures"
BROWSERS = ("chromium", "chromium-browser", "google-chrome")
SIZE: ViewportSize = {"width": 1280, "height": 800}
COLOURS = 128
SAMPLE = "source=sample:address-3nf&task=prosperous&graphs=row2node,flattened"
# What is shown, and what stands at the top of the picture where not the page itself.
SHOTS = {
    "start": ("", None),
    "data": ("data?source=sample:address-3nf", ".st-key-data_schema"),
    "question": (f"question?{SAMPLE}", None),
    "graphs": (f"graphs?{SAMPLE}", ".st-key-graphs_chosen"),
    "preview": (f"graphs?{SAMPLE}", '[data-figure="preview"]'),
    "design": (f"design?{SAMPLE}&design=0", None),
    "row": (f"row?{SAMPLE}&hops=4", ".st-key-colouring"),
    "train": (f"train?{SAMPLE}", None),
    "compare": ("compare?results=address", "[data-figure=depths]"),
    "oversmoothing": ("compare?results=address", "[data-figure=last_layer]"),
}
# Whose the studies in the pictures are, and the one that has ended: the stored results.
VISITOR, STUDY, LINK = "0" * 32, "0" * 16, "shown-in-a-picture"
ENDED = About(
    name="How far away is the city?",
    tags=("address", "first"),
    notes="The same people, with their address in one, two and four tables.",
    owner=f"browser:{VISITOR}",
    created=time.time() - 5400,
    share=LINK,
)
AGAIN = ("The same once more", "The same a third time")
STUDIES = {
    "studies": ("studies", None),
    "study": (f"studies?study={STUDY}", None),
    "shared": (f"?share={LINK}", None),
}
LOGIN = """[auth]
redirect_uri = "http://127.0.0.1/oauth2callback"
cookie_secret = "of a picture"
client_id = "of a picture"
client_secret = "of a picture"
server_metadata_url = "http://127.0.0.1/.well-known/openid-configuration"
"""
BELOW_THE_HEADER = """each => {
  each.style.scrollMarginTop = '72px'
  each.scrollIntoView()
}"""
# Linked figures near the window say at which depth they are drawn.
NOTHING_WAITS = """() => [...document.querySelectorAll('.wb-figure h3')]
  .every(each => !each.textContent.startsWith('Drawing'))"""
IDLE = '[data-testid="stApp"][data-test-script-state="notRunning"]'


def main() -> None:
    """Take every picture, or those that are named."""
    PICTURES.mkdir(exist_ok=True)
    path = next(filter(None, map(shutil.which, BROWSERS)), None)
    if path is None:
        sys.exit("Pictures need Chromium; on Debian: apt-get install chromium")
    wanted = sys.argv[1:] or [*SHOTS, *STUDIES, "login"]
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=path, args=["--no-sandbox", "--disable-gpu"]
        )
        context = browser.new_context(
            viewport=SIZE,
            color_scheme="light",
            reduced_motion="reduce",
            locale="en-GB",
        )
        context.set_default_timeout(120_000)
        with serve() as (url, _):
            take_all(context, url, SHOTS, wanted)
        if not set(wanted).isdisjoint(STUDIES):
            take_studies(context, wanted)
        with serve(LOGIN) as (url, _):
            take_all(context, url, {"login": ("", None)}, wanted)
        browser.close()


def take_all(
    context: BrowserContext,
    url: str,
    shots: Mapping[str, tuple[str, str | None]],
    wanted: Sequence[str],
) -> None:
    """Take the pictures that are wanted of these."""
    page = context.new_page()
    for name, (address, top) in shots.items():
        if name in wanted:
            take(page, f"{url}/{address}", top, PICTURES / f"{name}.png")
            print(f"docs/pictures/{name}.png")


def take_studies(context: BrowserContext, wanted: Sequence[str]) -> None:
    """Take the pictures of studies while one runs and another waits, and end both."""
    with serve() as (url, home):
        shelf = open_shelf(str(home / "results"))
        shutil.copytree(ROOT / "sample_dbs/stored/address", shelf.home / STUDY)
        shelf.change(STUDY, lambda _: ENDED)
        context.add_cookies(
            [{"name": "workbench_visitor", "value": VISITOR, "url": url}]
        )
        try:
            for name in AGAIN:
                run_again(context.new_page(), url, name)
            wait_for_progress(context.new_page(), url)
            take_all(context, url, STUDIES, wanted)
        finally:
            while live := [one for one in list_studies(shelf) if one.is_live]:
                for entry in live:
                    cancel(shelf, entry.identifier)
                time.sleep(1)


def run_again(page: Page, url: str, name: str) -> None:
    """Start the study that has ended once more, under another name."""
    page.goto(f"{url}/studies?study={STUDY}")
    page.get_by_role("button", name="Run again").click()
    page.wait_for_url(lambda now: STUDY not in now)
    page.get_by_role("button", name="Cancel").wait_for()
    page.wait_for_selector(IDLE)
    page.get_by_label("Name", exact=True).fill(name)
    page.get_by_role("button", name="Keep").click()
    page.get_by_role("heading", name=name).wait_for()
    page.close()


def wait_for_progress(page: Page, url: str) -> None:
    """Wait until the study that runs can say how long it will take."""
    page.goto(f"{url}/studies")
    page.get_by_text(" left").first.wait_for(timeout=400_000)
    page.close()


def take(page: Page, url: str, top: str | None, path: Path) -> None:
    """Write what a page shows once nothing moves any more."""
    page.goto(url)
    page.wait_for_timeout(1500)
    page.wait_for_selector(IDLE)
    page.wait_for_function(NOTHING_WAITS)
    if top is not None:
        page.locator(top).first.evaluate(BELOW_THE_HEADER)
    page.mouse.move(0, 0)
    page.wait_for_timeout(2500)
    image = Image.open(io.BytesIO(page.screenshot(animations="disabled")))
    image.convert("RGB").quantize(COLOURS, dither=Image.Dither.NONE).save(
        path, optimize=True
    )


@contextmanager
def serve(secrets: str = "") -> Iterator[tuple[str, Path]]:
    """Serve the app with a cache of its own, say where both are, and end it."""
    with socket.socket() as bound:
        bound.bind(("127.0.0.1", 0))
        port = bound.getsockname()[1]
    url = f"http://127.0.0.1:{port}"
    command = [sys.executable, "-m", "workbench", "app", "--headless"]
    with tempfile.TemporaryDirectory() as cache:
        home = Path(cache)
        (home / ".streamlit").mkdir()
        if secrets:
            (home / ".streamlit" / "secrets.toml").write_text(secrets)
        server = subprocess.Popen(
            [*command, "--port", str(port)],
            cwd=ROOT,
            env={**os.environ, "WORKBENCH_CACHE": cache, "HOME": cache},
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        try:
            wait_for(f"{url}/_stcore/health")
            yield url, home
        finally:
            server.terminate()
            server.wait(timeout=20)


def wait_for(url: str, seconds: float = 60.0) -> None:
    """Wait until an address answers."""
    until = time.monotonic() + seconds
    while time.monotonic() < until:
        try:
            urllib.request.urlopen(url, timeout=2).close()
        except OSError:
            time.sleep(0.2)
        else:
            return
    sys.exit("The app did not start within a minute.")


if __name__ == "__main__":
    main()
