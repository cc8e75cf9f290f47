"""What axe-core finds on every page, light and dark, beyond what is known of Streamlit.

The baseline names a rule and the part of the page it is found in. An entry that is no
longer found anywhere does no harm; a finding that it does not name fails.
"""

import itertools
import json
import os
import secrets
import shutil
import subprocess
import tarfile
from collections.abc import Sequence
from dataclasses import asdict, replace
from pathlib import Path

import pytest
from playwright.sync_api import Page

from tests.results_factory import make_results
from workbench.progress import PROGRESS_NAME, Progress
from workbench.resources import cache_directory
from workbench.shelf import About
from workbench.shelves import open_shelf
from workbench.ui.visitor import COOKIE

pytestmark = pytest.mark.browser

AXE = "4.14.1"
BASELINE = Path(__file__).with_name("axe_baseline.json")
IDLE = '[data-testid="stApp"][data-test-script-state="notRunning"]'
SAMPLE = "source=sample:address-3nf&task=prosperous&graphs=row2node,flattened"
STUDY, AT_WORK = "0123456789abcdef", "fedcba9876543210"
PAGES = {
    "start": "",
    "data": f"data?{SAMPLE}",
    "question": f"question?{SAMPLE}",
    "graphs": f"graphs?{SAMPLE}",
    "design": f"design?{SAMPLE}&design=0",
    "row": f"row?{SAMPLE}",
    "train": f"train?{SAMPLE}",
    "compare": "compare?results=address",
    "studies": "studies",
    "study": f"studies?study={STUDY}",
}
RUN = """async () => {
  const found = await axe.run(document, {
    resultTypes: ['violations'],
    runOnly: ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'best-practice'],
  })
  const part = node => {
    const first = node.target.flat()[0]
    let each = document.querySelector(first)
    for (; each; each = each.parentElement) {
      const own = [...each.classList].find(name => name.startsWith('st-key-'))
      if (own) return own
      if (each.dataset.testid) return each.dataset.testid
    }
    return first
  }
  return found.violations
    .filter(one => ['serious', 'critical'].includes(one.impact))
    .flatMap(one => one.nodes.map(node => ({
      rule: one.id, part: part(node), html: node.html.slice(0, 200),
      why: (node.any[0] || node.all[0] || node.none[0] || {}).message,
    })))
}"""
ORDER = """() => [...document.querySelectorAll('h1,h2,h3,h4,h5,h6')]
  .filter(each => each.offsetParent)
  .map(each => Number(each.tagName[1]))"""


@pytest.fixture(scope="session")
def axe() -> str:
    """Return the source of axe-core, fetched from npm once and kept in the cache."""
    home = Path(os.environ.get("WORKBENCH_AXE", cache_directory() / "axe"))
    script = home / f"axe-{AXE}.min.js"
    if not script.exists():
        if shutil.which("npm") is None:
            need_or_skip("npm is missing (Debian: apt-get install npm)")
        home.mkdir(parents=True, exist_ok=True)
        done = subprocess.run(
            ["npm", "pack", "--silent", f"axe-core@{AXE}"],
            cwd=home,
            capture_output=True,
            text=True,
            check=False,
        )
        if done.returncode:
            need_or_skip(f"npm cannot fetch axe-core: {done.stderr.strip()[-200:]}")
        with tarfile.open(home / f"axe-core-{AXE}.tgz") as packed:
            held = packed.extractfile("package/axe.min.js")
            assert held is not None
            script.write_bytes(held.read())
    return script.read_text(encoding="utf-8")


def need_or_skip(reason: str) -> None:
    if os.environ.get("WORKBENCH_REQUIRE_BROWSER"):
        pytest.fail(f"WORKBENCH_REQUIRE_BROWSER is set, but {reason}", pytrace=False)
    pytest.skip(f"SKIPPED WITHOUT BEING RUN: {reason}")


@pytest.fixture(scope="session", autouse=True)
def visitor(app_folder: Path) -> str:
    """Keep a study that has ended and one at work, and return whose they are."""
    number = secrets.token_hex(16)
    shelf = open_shelf(str(app_folder / "cache" / "results"))
    make_results(shelf.home / STUDY, depths=(0, 1))
    about = About(
        owner=f"browser:{number}", tags=("city",), notes="n", share="s", created=1e9
    )
    shelf.change(STUDY, lambda _: about)
    elsewhere = replace(about, host="elsewhere", at_work=True, seen=9e9)
    shelf.change(AT_WORK, lambda _: elsewhere)
    progress = Progress("training", done=1, total=4, seconds_left=60.0, cells=())
    written = json.dumps(asdict(progress))
    (shelf.home / AT_WORK / PROGRESS_NAME).write_text(written)
    return number


@pytest.fixture(autouse=True)
def known(page: Page, app_url: str, visitor: str) -> None:
    """Have the browser keep the number of whose the studies are."""
    page.context.add_cookies([{"name": COOKIE, "value": visitor, "url": app_url}])


def open_page(page: Page, app_url: str, name: str) -> None:
    page.goto(f"{app_url}/{PAGES[name]}")
    page.get_by_role("heading", level=1).wait_for()
    page.wait_for_selector(IDLE, timeout=120_000)
    page.wait_for_timeout(1500)  # charts are drawn after the script has ended


@pytest.mark.parametrize("page", ["light", "dark"], indirect=True)
@pytest.mark.parametrize("name", PAGES)
def test_a_page_has_no_serious_finding_that_is_not_known(
    page: Page, app_url: str, axe: str, name: str
) -> None:
    open_page(page, app_url, name)
    page.evaluate(axe)
    found: Sequence[dict[str, str]] = page.evaluate(RUN)
    known = {
        (one["rule"], part)
        for one in json.loads(BASELINE.read_text(encoding="utf-8"))
        for part in one["parts"]
    }
    new = [one for one in found if (one["rule"], one["part"]) not in known]
    assert new == [], json.dumps(new, indent=1)


@pytest.mark.parametrize("name", PAGES)
def test_headings_begin_with_one_title_and_skip_no_level(
    page: Page, app_url: str, name: str
) -> None:
    open_page(page, app_url, name)
    levels = page.evaluate(ORDER)
    assert levels[0] == 1
    assert levels.count(1) == 1
    steps = itertools.pairwise(levels)
    assert [step for step in steps if step[1] > step[0] + 1] == []
