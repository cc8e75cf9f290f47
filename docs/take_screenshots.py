"""Takes the pictures of README and docs from the running app: `make screenshots`.

It opens the samples in a real Chromium, in the light theme and a window of one size,
and writes 8-bit PNGs to docs/pictures.
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
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from PIL import Image
from playwright.sync_api import Page, ViewportSize, sync_playwright

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
BELOW_THE_HEADER = """each => {
  each.style.scrollMarginTop = '72px'
  each.scrollIntoView()
}"""
# Linked figures near the window say at which depth they are drawn.
NOTHING_WAITS = """() => [...document.querySelectorAll('.wb-figure h3')]
  .every(each => !each.textContent.startsWith('Drawing'))"""
IDLE = '[data-testid="stApp"][data-test-script-state="notRunning"]'


def main() -> None:
    """Take every picture."""
    PICTURES.mkdir(exist_ok=True)
    path = next(filter(None, map(shutil.which, BROWSERS)), None)
    if path is None:
        sys.exit("Pictures need Chromium; on Debian: apt-get install chromium")
    with serve() as url, sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=path, args=["--no-sandbox", "--disable-gpu"]
        )
        context = browser.new_context(
            viewport=SIZE,
            color_scheme="light",
            reduced_motion="reduce",
            locale="en-GB",
        )
        page = context.new_page()
        page.set_default_timeout(120_000)
        for name, (address, top) in SHOTS.items():
            take(page, f"{url}/{address}", top, PICTURES / f"{name}.png")
            print(f"docs/pictures/{name}.png")
        browser.close()


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
def serve() -> Iterator[str]:
    """Serve the app with a cache of its own, and end it."""
    with socket.socket() as bound:
        bound.bind(("127.0.0.1", 0))
        port = bound.getsockname()[1]
    url = f"http://127.0.0.1:{port}"
    command = [sys.executable, "-m", "workbench", "app", "--headless"]
    with tempfile.TemporaryDirectory() as cache:
        server = subprocess.Popen(
            [*command, "--port", str(port)],
            cwd=ROOT,
            env={**os.environ, "WORKBENCH_CACHE": cache},
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        try:
            wait_for(f"{url}/_stcore/health")
            yield url
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
