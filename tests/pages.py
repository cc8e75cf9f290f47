"""The pages of the app without a browser, for the tests of what they say."""

from collections.abc import Callable
from pathlib import Path

from streamlit.testing.v1 import AppTest

ROOT = Path(__file__).parents[1]

Open = Callable[..., AppTest]


def open_page(page: str, **parameters: str) -> AppTest:
    """Return a page as a visitor finds it who follows a link."""
    app = AppTest.from_file(str(ROOT / "app.py"), default_timeout=60)
    for name, value in parameters.items():
        app.query_params[name] = value
    app.run()
    if page != "start":
        app.switch_page(f"workbench/ui/pages/{page}.py").run()
    assert not app.exception
    return app


def said(app: AppTest) -> str:
    """Return every sentence on the page without its Markdown escapes."""
    kinds = ("title", "header", "subheader", "markdown", "caption", "error", "warning")
    kinds += ("info", "success")
    texts = [element.value for kind in kinds for element in getattr(app, kind)]
    return " ".join(texts).replace("\\", "")
