"""The pages of the app without a browser, for the tests of what they say."""

import gzip
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

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


def linked(app: AppTest) -> dict[str, Any]:
    """Return what the component of linked figures is told."""
    (found,) = components(app, "workbench_linked")
    return json.loads(found.json)


def sent(app: AppTest) -> str:
    """Return the figures that are sent to the browser, as JSON."""
    return "".join(json.dumps(each, ensure_ascii=False) for each in payloads(app))


def payloads(app: AppTest) -> list[dict[str, Any]]:
    """Return what is sent to the browser, part by part."""
    packed = [each.bytes for each in components(app, "workbench_payload")]
    return [json.loads(gzip.decompress(one)) for one in packed]


def components(app: AppTest, name: str) -> list[Any]:
    """Return what the components of a name are told, as it travels."""
    found = [each.proto for each in app.get("bidi_component")]
    return [proto for proto in found if proto.component_name == name]
