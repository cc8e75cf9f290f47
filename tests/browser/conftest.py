"""A real Chromium on a real server, and what no page may ever do."""

import os
import shutil
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, Request, sync_playwright

ROOT = Path(__file__).parents[2]
BROWSERS = ("chromium", "chromium-browser", "google-chrome")
ARGUMENTS = (
    *("--no-sandbox", "--disable-gpu", "--disable-background-networking"),
    *("--disable-component-update", "--disable-sync"),
)


def free_port() -> int:
    with socket.socket() as bound:
        bound.bind(("127.0.0.1", 0))
        return bound.getsockname()[1]


def wait_until_healthy(url: str, server: subprocess.Popen[bytes]) -> None:
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline:
        assert server.poll() is None, "the server ended"
        try:
            with urllib.request.urlopen(f"{url}/_stcore/health", timeout=2):
                return
        except OSError:
            time.sleep(0.2)
    pytest.fail("the server did not start within a minute")


@contextmanager
def served(folder: Path, port: int = 0, **settings: str) -> Iterator[str]:
    """Serve the app with settings of its own, and return where."""
    port = port or free_port()
    command = [sys.executable, "-m", "workbench", "app", "--headless"]
    command += ["--port", str(port)]
    with (folder / "log").open("wb") as sink:
        server = subprocess.Popen(
            command,
            cwd=ROOT,
            stdout=sink,
            stderr=sink,
            env={**os.environ, "WORKBENCH_CACHE": str(folder / "cache"), **settings},
        )
    url = f"http://127.0.0.1:{port}"
    try:
        wait_until_healthy(url, server)
        yield url
    finally:
        server.terminate()
        server.wait(timeout=20)


@pytest.fixture(scope="session")
def app_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("server")


@pytest.fixture(scope="session")
def app_url(app_folder: Path) -> Iterator[str]:
    with served(app_folder) as url:
        yield url


@pytest.fixture(scope="session")
def chromium() -> Iterator[Browser]:
    path = next(filter(None, map(shutil.which, BROWSERS)))
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path, args=list(ARGUMENTS))
        yield browser
        browser.close()


@pytest.fixture(params=["light"])
def page(
    request: pytest.FixtureRequest, chromium: Browser, app_url: str
) -> Iterator[Page]:
    context = chromium.new_context(
        viewport={"width": 1280, "height": 800},
        reduced_motion="reduce",
        color_scheme=request.param,
        locale="en-GB",
        accept_downloads=True,
    )
    opened = context.new_page()
    opened.set_default_timeout(60_000)
    wrong: list[str] = []
    opened.on("pageerror", lambda error: wrong.append(f"page error: {error}"))

    def watch(sent: Request) -> None:
        inside = (app_url, app_url.replace("http", "ws", 1), "data:", "blob:")
        if not sent.url.startswith(inside):
            wrong.append(f"outside request: {sent.url}")

    opened.on("request", watch)
    yield opened
    shown = opened.get_by_test_id("stException").all_inner_texts()
    context.close()
    assert not [*wrong, *shown]
