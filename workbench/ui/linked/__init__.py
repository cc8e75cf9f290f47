"""Figures linked in the browser: one depth, one graph, one choice of rows for all.

The page's Plotly figures live in one component, so that moving the depth, pointing at
a line or choosing rows asks Python nothing; what is settled comes back as state.
Plotly.js is the one that the installed plotly package brings. It travels, as the
figures do, in a component of its own whose message stays the same while a reader
explores, so that the browser keeps it and nothing is sent twice.
"""

import gzip
import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from functools import cache
from pathlib import Path
from types import MappingProxyType
from typing import Any

from plotly.offline import get_plotlyjs
from streamlit.components import v2

from workbench.chart import Chart

FRONTEND = Path(__file__).parent / "frontend"
PARTS = ("data.js", "rows.js", "figures.js", "linked.js")
# Plotly.js becomes a component that draws nothing and leaves its functions behind.
EPILOGUE = """
globalThis.dispatchEvent(new Event("workbench-plotly"));
export default function () {}
"""


@dataclass(frozen=True, slots=True)
class Looked:
    """What is looked at: small, and sent whenever it changes.

    Attributes:
        sections: Headings and the figures under them, each by the id of its payload.
        series: What lights up together: mark, label, colour and differences.
        depths: Every depth there is; none where nothing is trained yet.
        said: Id of what is said of each series at each depth, or None.
        frames: Id of where layers put the rows, or None.
        depth: The networks' depth.
        layer: The layer at which rows are shown; None for the last one.
        rows: Which rows are ringed, by their place among those drawn.
        csv: What is known of these rows, to be taken away.
    """

    sections: Sequence[Mapping[str, Any]]
    series: Sequence[Mapping[str, Any]] = ()
    depths: Sequence[int] = ()
    said: str | None = None
    frames: str | None = None
    depth: int = 0
    layer: int | None = None
    rows: Sequence[int] = ()
    csv: str = ""


def show(
    looked: Looked,
    *,
    key: str,
    on_change: Mapping[str, Callable[[], None]] = MappingProxyType({}),
) -> None:
    """Draw figures that move together, as soon as what they show is sent.

    Args:
        looked: What is looked at.
        key: Unique on the page.
        on_change: By name of a state (``depth``, ``rows`` or a choice of a figure),
            what is called when a reader has settled it; the session's state holds it.
    """
    _library()(key=f"{key}-plotly", height=1)
    _linked()(
        key=key,
        data=asdict(looked),
        **{f"on_{name}_change": act for name, act in on_change.items()},
    )


def send(payloads: Iterable[bytes], *, key: str) -> None:
    """Send what figures show, one after the other; what was sent before is kept."""
    for place, packed in enumerate(payloads):
        _carrier()(key=f"{key}-{place}", data=packed, height=1)


def pack(name: str, content: Mapping[str, Any]) -> bytes:
    """Return content as the browser gets it.

    Args:
        name: Under which the browser keeps it; other content has another name.
        content: What JSON can hold.
    """
    text = json.dumps({**content, "id": name}, separators=(",", ":"), allow_nan=False)
    return gzip.compress(text.encode(), compresslevel=5, mtime=0)


def pack_figure(name: str, charts: Mapping[str, Chart], **said: Any) -> bytes:
    """Return a figure as the browser gets it.

    Args:
        name: Under which the browser keeps it; another figure has another name.
        charts: By depth, or one under ``*`` for all depths.
        said: What else a card is told: its choice, and what colours stand for.
    """
    one = next(iter(charts.values()))
    content = {
        "titles": {at: chart.title for at, chart in charts.items()},
        "alts": {at: chart.alt for at, chart in charts.items()},
        "how": one.how_to_read,
        "source": one.source,
        "figures": {at: _plotly(chart) for at, chart in charts.items()},
        **said,
    }
    return pack(name, content)


def fetch_library() -> None:
    """Have the browser load Plotly.js, so that the first figures need not wait."""
    _library()(key="plotly-ahead", height=1)


def whole_numbers(found: object) -> tuple[int, ...]:
    """Return the whole numbers in what a browser sent; nothing else passes."""
    if not isinstance(found, Sequence) or isinstance(found, str):
        return ()
    return tuple(one for one in found if type(one) is int)


def _plotly(chart: Chart) -> dict[str, Any]:
    whole = json.loads(chart.figure.to_json() or "{}")
    return {"data": whole["data"], "layout": whole["layout"]}


@cache
def _library() -> Any:
    return v2.component("workbench_plotly", js=get_plotlyjs() + EPILOGUE)


@cache
def _carrier() -> Any:
    return v2.component("workbench_payload", js=_read("carrier.js"))


@cache
def _linked() -> Any:
    # Not isolated: Plotly's styles and its drawing of selections live in the document.
    return v2.component(
        "workbench_linked",
        js="\n".join(_read(name) for name in PARTS),
        css=_read("linked.css"),
        isolate_styles=False,
    )


def _read(name: str) -> str:
    return (FRONTEND / name).read_text(encoding="utf-8")
