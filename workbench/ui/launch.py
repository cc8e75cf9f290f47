"""Starts the browser workbench in this process."""

import gc
import importlib
import os
import pkgutil
import sys
import threading
import time
from pathlib import Path

HERE = Path(__file__).resolve().parent
PACKAGE = HERE.parent
FIRST_NEEDED = ("workbench.ui.shell", "workbench.ui.beginning", "workbench.figures")
# Torch, and what grows the trees that look for leaks.
LATER_NEEDED = ("workbench.previewing", "sklearn.metrics", "sklearn.tree")
FIRST_PAGE_S = 5.0  # from when the server is ready until a visitor has clicked


def serve(port: int, headless: bool) -> None:
    """Serve the workbench until the process is stopped.

    Args:
        port: On 127.0.0.1.
        headless: Whether to leave the browser alone, as without a display.
    """
    import streamlit  # noqa: F401  # whole, before a second thread imports from it
    from streamlit.web import cli

    script = entry_script()
    # Streamlit looks for .streamlit/config.toml where it is started.
    os.chdir(script.parent)
    sys.argv = [
        *("streamlit", "run", str(script)),
        *("--server.port", str(port)),
        *("--server.headless", str(headless or not has_display()).lower()),
        *("--server.showEmailPrompt", "false"),
    ]
    threading.Thread(target=_load_ahead, daemon=True).start()
    cli.main()


def _load_ahead() -> None:
    """Load what the first page needs, and later, while it is read, what plans need.

    Torch takes seconds to load. No page waits for it that does not need it. Streamlit
    looks for garbage after every click; what is loaded for good is set aside (frozen),
    or each look would go through all of torch.
    """
    for name in FIRST_NEEDED:
        importlib.import_module(name)
    gc.freeze()
    time.sleep(FIRST_PAGE_S)
    for name in (*LATER_NEEDED, *_modules_of_pages()):
        importlib.import_module(name)
    gc.freeze()


def _modules_of_pages() -> list[str]:
    """Return all that the pages are made of, so that no first visit waits for it."""
    return [f"workbench.ui.{one.name}" for one in pkgutil.iter_modules([str(HERE)])]


def entry_script() -> Path:
    """Return app.py: inside the package of a wheel, beside it in the repository."""
    inside = PACKAGE / "app.py"
    return inside if inside.exists() else PACKAGE.parent / "app.py"


def has_display() -> bool:
    """Return whether a browser could open a window here."""
    if sys.platform != "linux":
        return True
    return bool(os.environ.get("DISPLAY") or os.environ.get("WAYLAND_DISPLAY"))
