"""A browser without a window, for what only a browser can draw: pictures and PDF."""

import base64
import json
import os
import re
import shutil
import subprocess
import tempfile
from pathlib import Path

from workbench.errors import StoreError

NAMES = (
    *("chromium", "chromium-browser", "google-chrome", "google-chrome-stable"),
    *("chrome", "msedge", "microsoft-edge"),
    "/Applications/Google Chrome.app/Contents/MacOS/Google Chrome",
)
PRINTED_WIDTH = 760  # pixels across a page of A4
LIMIT_S = 120
DRAWN_MS = 20_000  # of the page's own clock, which does not wait in vain
PICTURES = """
<script type="application/json" id="pictures"></script>
<script>
(async () => {
  const found = {};
  for (const place of document.querySelectorAll("[id^=chart-]")) {
    const height = place.layout.height || 420;
    const drawn = { format: "png", width: 1000, height, scale: 2 };
    const figure = { data: place.data, layout: place.layout };
    figure.layout.paper_bgcolor = "#ffffff";
    found[place.id.slice(6)] = await Plotly.toImage(figure, drawn);
  }
  document.getElementById("pictures").textContent = JSON.stringify(found);
})();
</script>
</body>
"""


def find_chromium() -> str | None:
    """Return the command of a browser that can run without a window, or None."""
    return next((found for name in NAMES if (found := shutil.which(name))), None)


def print_page(html: str) -> bytes:
    """Return a page as PDF.

    Raises:
        StoreError: There is no browser, or it could not print.
    """
    with tempfile.TemporaryDirectory() as made:
        out = Path(made) / "page.pdf"
        _run(
            html,
            Path(made),
            f"--print-to-pdf={out}",
            "--no-pdf-header-footer",
            f"--window-size={PRINTED_WIDTH},1100",
        )
        if not out.is_file():
            raise StoreError(_failed())
        return out.read_bytes()


def take_pictures(html: str) -> dict[str, bytes]:
    """Return the charts of a report as PNG, by their names.

    Raises:
        StoreError: There is no browser, or it could not draw.
    """
    with tempfile.TemporaryDirectory() as made:
        page = html.replace("</body>", PICTURES)
        drawn = _run(page, Path(made), "--dump-dom")
    found = re.search(r'id="pictures">(\{.*?\})</script>', drawn, re.DOTALL)
    if found is None:
        raise StoreError(_failed())
    return {
        name: base64.b64decode(address.partition(",")[2])
        for name, address in json.loads(found[1]).items()
    }


def _run(html: str, folder: Path, *options: str) -> str:
    """Open a page in a browser of its own and return what it writes."""
    command = find_chromium()
    if command is None:
        raise StoreError(
            "No Chromium or Chrome was found, which draws what is asked for. Install"
            ' one, or take the report as "html" and print it from any browser.'
        )
    page = folder / "page.html"
    page.write_text(html, encoding="utf-8")
    as_root = ["--no-sandbox"] if getattr(os, "geteuid", lambda: 1)() == 0 else []
    try:
        done = subprocess.run(
            [
                command,
                "--headless",
                "--disable-gpu",
                *as_root,
                f"--user-data-dir={folder / 'profile'}",
                f"--virtual-time-budget={DRAWN_MS}",
                *options,
                page.as_uri(),
            ],
            capture_output=True,
            text=True,
            timeout=LIMIT_S,
            check=False,
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        raise StoreError(_failed()) from error
    return done.stdout


def _failed() -> str:
    return (
        "The browser that was found could not draw the report; take it as"
        ' "html" and print it from any browser.'
    )
