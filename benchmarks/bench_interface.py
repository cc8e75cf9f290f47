"""How long a click takes until the page is as it was asked for, in a real Chromium.

A server is started on this machine, with a cache of its own. The first paint is from
the request until the page's heading and text are on the screen, once as the very first
visitor of a server that has just started and then as later ones. An interaction is from
the event in the browser until the page's script has ended and its frame is drawn; the
processor times are the server's and the page's own for the same interaction, which
other work on the machine changes least.

    python benchmarks/bench_interface.py [--repeats 20] [--small]
"""

import argparse
import os
import shutil
import socket
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from playwright.sync_api import Browser, CDPSession, Page, sync_playwright
from playwright.sync_api import TimeoutError as Lost

ROOT = Path(__file__).resolve().parents[1]
BROWSERS = ("chromium", "chromium-browser", "google-chrome")
SAMPLE = "source=sample:address-3nf&task=prosperous&graphs=row2node,flattened"
IDLE = '[data-testid="stApp"][data-test-script-state="notRunning"]'
TICKS = os.sysconf("SC_CLK_TCK")
QUIET_MS, LOST_MS = 150, 12_000
PROBE = """() => {
  const app = document.querySelector('[data-testid="stApp"]')
  const probe = { at: 0, ended: 0, changed: 0, ran: false }
  for (const kind of ['pointerdown', 'keydown']) {
    document.addEventListener(kind, event => {
      Object.assign(probe, { at: event.timeStamp, ended: 0, changed: 0, ran: false })
    }, true)
  }
  new MutationObserver(() => {
    const idle = app.dataset.testScriptState === 'notRunning'
    if (!idle) Object.assign(probe, { ran: true, ended: 0 })
    else if (probe.ran) requestAnimationFrame(() => { probe.ended = performance.now() })
  }).observe(app, { attributes: true, attributeFilter: ['data-test-script-state'] })
  // A run that ends within a frame never shows as running; what it drew does.
  new MutationObserver(() => { if (!probe.ran) probe.changed = performance.now() })
    .observe(app, { childList: true, characterData: true, subtree: true })
  window.probe = probe
}"""
ENDED = f"""() => {{
  const done = probe.ran ? probe.ended : probe.changed
  const wait = probe.ran ? {QUIET_MS} : {LOST_MS} / 4
  return done && performance.now() - done > wait && done - probe.at
}}"""


@dataclass(frozen=True)
class Step:
    """Something a visitor does again and again.

    Attributes:
        name: What it is.
        path: Where it is done.
        act: Does it once; the number says for the how manieth time.
    """

    name: str
    path: str
    act: Callable[[Page, int], None]


def press_key(label: str) -> Callable[[Page, int], None]:
    """Return a step that pulls a slider by one, to and fro."""

    def act(page: Page, turn: int) -> None:
        page.get_by_role("slider", name=label).first.focus()
        page.keyboard.press("ArrowRight" if turn % 2 == 0 else "ArrowLeft")

    return act


def click(*targets: str) -> Callable[[Page, int], None]:
    """Return a step that clicks one target after the other, by their selectors."""

    def act(page: Page, turn: int) -> None:
        page.locator(targets[turn % len(targets)]).first.click()

    return act


def select(label: str, *options: str) -> Callable[[Page, int], None]:
    """Return a step that chooses one option after the other in a list."""

    def act(page: Page, turn: int) -> None:
        box = page.locator(f".st-key-{label}").get_by_role("combobox")
        box.click()
        box.fill(options[turn % len(options)])
        page.keyboard.press("Enter")

    return act


def link_to(*pages: str) -> Callable[[Page, int], None]:
    """Return a step that goes from page to page by the bar at the top."""
    return click(*(f'[data-testid="stTopNavLink"][href*="{name}"]' for name in pages))


STEPS = (
    Step("change of page", f"data?{SAMPLE}", link_to("graphs", "data", "question")),
    Step("select: a table's drawer", f"data?{SAMPLE}", select("table", "zip", "city")),
    Step(
        "toggle: columns on the cards",
        f"data?{SAMPLE}",
        click(
            '.st-key-columns button:has-text("Names only")',
            '.st-key-columns button:has-text("All columns")',
        ),
    ),
    Step(
        "toggle: a third graph",
        f"graphs?{SAMPLE}",
        click('.st-key-graphs_chosen button:has-text("Shortcuts")'),
    ),
    Step(
        "slider: hops of one row",
        f"row?{SAMPLE}",
        press_key("Hops (layers of the network)"),
    ),
    Step("select: fan-out of one row", f"row?{SAMPLE}", select("fan_out", "8", "4")),
    Step("button: next row", f"row?{SAMPLE}", click(".st-key-row_next button")),
    Step(
        "slider: depth of a comparison",
        "compare?results=address",
        press_key("Depth (number of layers)"),
    ),
)


def main() -> None:
    """Measure and print both tables."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--repeats", type=int, default=20)
    parser.add_argument("--small", action="store_true")
    options = parser.parse_args()
    repeats = 4 if options.small else options.repeats
    with sync_playwright() as playwright:
        path = next(filter(None, map(shutil.which, BROWSERS)))
        browser = playwright.chromium.launch(
            executable_path=path, args=["--no-sandbox", "--disable-gpu"]
        )
        with serve() as (url, server):
            paints = [paint(browser, url) for _ in range(1 if options.small else 5)]
            found = [measure(browser, url, server, step, repeats) for step in STEPS]
        browser.close()
    show(paints, found)


@contextmanager
def serve() -> Iterator[tuple[str, int]]:
    """Yield the address and process of a workbench with an empty cache."""
    with socket.socket() as bound:
        bound.bind(("127.0.0.1", 0))
        port = bound.getsockname()[1]
    with tempfile.TemporaryDirectory() as cache:
        server = subprocess.Popen(
            [sys.executable, "-m", "workbench", "app", "--headless", f"--port={port}"],
            cwd=ROOT,
            env={**os.environ, "WORKBENCH_CACHE": cache},
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        url = f"http://127.0.0.1:{port}"
        try:
            wait_until_healthy(url)
            yield url, server.pid
        finally:
            server.terminate()
            server.wait(timeout=20)


def wait_until_healthy(url: str) -> None:
    """Wait until the server answers."""
    for _ in range(600):
        try:
            with urllib.request.urlopen(f"{url}/_stcore/health", timeout=2):
                return
        except OSError:
            time.sleep(0.1)
    sys.exit("the server did not start within a minute")


def paint(browser: Browser, url: str) -> float:
    """Return the seconds until a new visitor reads the first page."""
    context = browser.new_context(viewport={"width": 1280, "height": 800})
    page = context.new_page()
    started = time.perf_counter()
    page.goto(url, wait_until="commit")
    page.get_by_role("heading").first.wait_for(timeout=60_000)
    seconds = time.perf_counter() - started
    page.wait_for_selector(IDLE, timeout=60_000)
    context.close()
    return seconds


@dataclass(frozen=True)
class Found:
    """What an interaction took, in milliseconds, a number each time.

    Attributes:
        name: The interaction.
        waited: In the browser, from the event to the frame.
        server: Of the processor, by the server.
        page: Of the processor, by the page's own thread.
    """

    name: str
    waited: list[float]
    server: list[float]
    page: list[float]


def measure(browser: Browser, url: str, server: int, step: Step, repeats: int) -> Found:
    """Return what a step took in the browser, and of the processor.

    The first two times, in which answers are found that later ones read from memory,
    are counted as well.
    """
    context = browser.new_context(
        viewport={"width": 1280, "height": 800}, reduced_motion="reduce"
    )
    page = context.new_page()
    page.set_default_timeout(60_000)
    page.goto(f"{url}/{step.path}")
    page.wait_for_selector(IDLE)
    page.wait_for_timeout(1500)
    page.wait_for_selector(IDLE)
    page.evaluate(PROBE)
    tools = context.new_cdp_session(page)
    tools.send("Performance.enable", {"timeDomain": "threadTicks"})
    found = Found(step.name, [], [], [])
    for turn in range(repeats):
        before, drawn = processor_ms(server), page_ms(tools)
        step.act(page, turn)
        try:
            ended = page.wait_for_function(ENDED, timeout=LOST_MS)
        except Lost:
            print(f"{step.name}: time {turn} brought no run, and is left out")
            continue
        found.waited.append(float(ended.json_value()))
        found.server.append(processor_ms(server) - before)
        found.page.append(page_ms(tools) - drawn)
    context.close()
    return found


def page_ms(tools: CDPSession) -> float:
    """Return the processor time that a page's own thread has used."""
    told = tools.send("Performance.getMetrics")["metrics"]
    return 1000 * next(one["value"] for one in told if one["name"] == "TaskDuration")


def processor_ms(process: int) -> float:
    """Return the processor time that a process has used."""
    fields = Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) * 1000 / TICKS


def show(paints: list[float], found: list[Found]) -> None:
    """Print the tables."""
    first, *later = paints
    print(f"first paint: {first:.1f} s on a server just started", end="")
    print(f", {np.median(later):.1f} s after (median)" if later else "")
    print(f"load of the machine: {os.getloadavg()[0]:.1f} on {os.cpu_count()} cores\n")
    print("| interaction | times | median | p95 | slowest | server p95 | page p95 |")
    print("|---|---|---|---|---|---|---|")
    for one in found:
        show_row(one)
    kinds = ("waited", "server", "page")
    sums = ([ms for one in found for ms in getattr(one, kind)] for kind in kinds)
    show_row(Found("all", *sums))


def show_row(found: Found) -> None:
    """Print a row of the table, in milliseconds."""
    print(
        f"| {found.name} | {len(found.waited)} | {np.median(found.waited):.0f} ms"
        f" | {np.percentile(found.waited, 95):.0f} ms | {max(found.waited):.0f} ms"
        f" | {np.percentile(found.server, 95):.0f} ms"
        f" | {np.percentile(found.page, 95):.0f} ms |"
    )


if __name__ == "__main__":
    main()
