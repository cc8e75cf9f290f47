"""What can be taken away from a results folder."""

from collections.abc import Callable
from dataclasses import dataclass

from workbench.report import render_report
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
    return (report, *files, table)
