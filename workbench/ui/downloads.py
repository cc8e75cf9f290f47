"""What can be taken away from a results folder."""

import io
import zipfile
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

import streamlit as st

from workbench.chromium import find_chromium
from workbench.errors import WorkbenchError
from workbench.exports import EXPORTS, zip_export
from workbench.handover import Handover, hand_over_study
from workbench.publish import render_pdf
from workbench.report import render_markdown, render_report
from workbench.results import Results


@dataclass(frozen=True, slots=True)
class Offer:
    """A file to download.

    Attributes:
        label: On the button.
        explanation: What the file is for.
        file_name: Under which it arrives.
        mime: Its media type.
        read: Returns its content, called on the click.
    """

    label: str
    explanation: str
    file_name: str
    mime: str
    read: Callable[[], bytes]


def show(offer: Offer, key: str) -> None:
    """Draw the button of an offer; its content is made on the click."""
    st.download_button(
        offer.label,
        offer.read,
        file_name=offer.file_name,
        mime=offer.mime,
        key=f"{key}_{offer.file_name}",
        on_click="ignore",
        help=offer.explanation,
        icon=":material/download:",
    )


def offers(results: Results) -> tuple[Offer, ...]:
    """Return the files that a results folder holds, and every run as CSV."""
    kept = (
        ("Comparison", "For programs.", "comparison.json", "application/json"),
        ("Study", "To run it again.", "study.toml", "application/toml"),
        (
            "All runs (Parquet)",
            "A row a run.",
            "trials.parquet",
            "application/vnd.apache.parquet",
        ),
    )
    files = [
        Offer(label, why, name, mime, (results.folder / name).read_bytes)
        for label, why, name, mime in kept
        if (results.folder / name).exists()
    ]
    table = Offer(
        "All runs (CSV)",
        "A row a run.",
        "trials.csv",
        "text/csv",
        lambda: results.trials.to_csv(index=False).encode(),
    )
    # The shipped results come without their report, which is larger than all else.
    report = Offer(
        "Report",
        "Everything in one page that opens offline.",
        "report.html",
        "text/html",
        lambda: render_report(results).encode(),
    )
    text = Offer(
        "Report (Markdown)",
        "For a wiki or a message; charts are told in words.",
        "report.md",
        "text/markdown",
        lambda: render_markdown(results, {}).encode(),
    )
    printed = Offer(
        "Report (PDF)",
        "Everything unfolded, to print or to send.",
        "report.pdf",
        "application/pdf",
        lambda: render_pdf(results),
    )
    reports = (report, printed, text) if find_chromium() else (report, text)
    return (*reports, *files, table)


def handovers_of_study(results: Results) -> tuple[Offer, ...]:
    """Return the network that validated best, and its graph, in every format."""
    return _handovers(
        lambda: hand_over_study(results.folder), ("graph", "network"), "study"
    )


def handovers_of_graph(handover: Handover) -> tuple[Offer, ...]:
    """Return a graph in every format that needs no trained network."""
    return _handovers(lambda: handover, ("graph",), handover.name)


def _handovers(
    make: Callable[[], Handover], needs: tuple[str, ...], name: str
) -> tuple[Offer, ...]:
    return tuple(
        Offer(
            label=export.name,
            explanation=export.title,
            file_name=f"{name}-{export.name}.zip",
            mime="application/zip",
            read=partial(_zip, export.name, make),
        )
        for export in EXPORTS.values()
        if export.needs in needs
    )


def _zip(format_name: str, make: Callable[[], Handover]) -> bytes:
    """Return a format as a zip file, or one that says why there is none.

    The page is not drawn again on a click, so it could not say so itself.
    """
    try:
        return zip_export(format_name, make())
    except WorkbenchError as error:
        content = io.BytesIO()
        with zipfile.ZipFile(content, "w") as archive:
            archive.writestr("why_not.txt", f"{error}\n")
        return content.getvalue()
