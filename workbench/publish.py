"""The report in the forms in which it is sent: a page, a PDF, Markdown."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType

from workbench.chromium import find_chromium, print_page, take_pictures
from workbench.errors import StoreError, unknown
from workbench.report import render_markdown, render_report, write_report
from workbench.results import Results, load_results

PICTURES = "report_pictures"


@dataclass(frozen=True, slots=True)
class Form:
    """A form of the report.

    Attributes:
        name: What users type, and the ending of the file.
        title: What it is for, in plain words.
        write: Writes it into a results folder and returns the file.
    """

    name: str
    title: str
    write: Callable[[Path], Path]


def publish_report(folder: Path, form: str = "html") -> Path:
    """Render a results folder's report in one of `FORMS`.

    Raises:
        StoreError: There is no such form, the folder holds no results or cannot be
            written, or no browser is there to print a PDF.
    """
    if form not in FORMS:
        raise StoreError(unknown("form of the report", form, FORMS))
    return FORMS[form].write(folder)


def render_pdf(results: Results) -> bytes:
    """Return the report as PDF, everything unfolded.

    Raises:
        StoreError: No browser is there to print it.
    """
    return print_page(render_report(results, unfolded=True))


def _write_pdf(folder: Path) -> Path:
    return _write(folder / "report.pdf", render_pdf(load_results(folder)))


def _write_markdown(folder: Path) -> Path:
    """Write Markdown, with pictures beside it where a browser can draw them."""
    results = load_results(folder)
    found: Mapping[str, bytes] = {}
    if find_chromium() is not None:
        found = take_pictures(render_report(results, unfolded=True))
    for name, content in found.items():
        _write(folder / PICTURES / f"{name}.png", content)
    places = {name: f"{PICTURES}/{name}.png" for name in found}
    text = render_markdown(results, places)
    return _write(folder / "report.md", text.encode())


def _write(path: Path, content: bytes) -> Path:
    try:
        path.parent.mkdir(exist_ok=True)
        path.write_bytes(content)
    except OSError as error:
        raise StoreError(
            f'"{path}" cannot be written ({error.strerror or error}).'
        ) from error
    return path


FORMS: Mapping[str, Form] = MappingProxyType(
    {
        one.name: one
        for one in (
            Form("html", "One page that opens offline", write_report),
            Form("pdf", "To print or to send, everything unfolded", _write_pdf),
            Form("md", "Markdown, with the charts as pictures", _write_markdown),
        )
    }
)
