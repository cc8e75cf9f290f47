"""The report as Markdown and as PDF, and the buttons that hand things over."""

import io
import re
import zipfile
from pathlib import Path

import pytest

from tests.pages import open_page, said
from tests.results_factory import make_results
from tests.test_cli import call
from workbench.errors import StoreError
from workbench.exports import EXPORTS
from workbench.publish import publish_report
from workbench.report import render_markdown, render_report
from workbench.results import Results
from workbench.ui import downloads


@pytest.fixture(scope="module")
def results(tmp_path_factory: pytest.TempPathFactory) -> Results:
    return make_results(
        tmp_path_factory.mktemp("results"), depths=(0, 1), seeds=2, leaks=["a | b <c>"]
    )


def unescaped(text: str) -> str:
    return re.sub(r"\\([^\w\s])", r"\1", text)


def test_the_page_begins_with_the_finding_the_picture_and_the_caveats(results) -> None:
    page = render_report(results)
    order = [
        'class="verdict"',
        'id="chart-depths"',
        'id="summary"',
        'id="caveats"',
        '<details class="part" id="scores">',
        '<details class="part" id="sources">',
    ]
    places = [page.index(one) for one in order]
    assert places == sorted(places)
    assert "<details open" not in page.split('id="scores"')[0]


def test_a_page_to_print_is_unfolded(results) -> None:
    page = render_report(results, unfolded=True)
    folds = re.findall(r"<details[^>]*>", page)
    assert len(folds) > 7
    assert all(fold.endswith(" open>") for fold in folds)
    assert "@media print" in page


def test_markdown_says_what_was_found_and_what_was_not(results) -> None:
    text = render_markdown(results, {"depths": "report_pictures/depths.png"})
    headline, _, verdict = results.comparison["verdict"].partition(": ")
    assert unescaped(text).startswith(f"# {headline}\n")
    assert verdict in unescaped(text)
    assert "](report_pictures/depths.png)" in text
    assert "Number of seeds: 2. Below 6" in unescaped(text)
    assert text.count("<details>") == text.count("</details>") == 6
    # What a user has named stays text, in a table too.
    assert r"a \| b \<c\>" in text


def test_every_table_of_the_markdown_has_as_many_cells_as_its_head(tmp_path) -> None:
    arms = (("sh|op", "row2node"), ("sh|op", "flattened"))
    named = make_results(tmp_path, arms=arms, depths=(0, 1), seeds=2)
    tables = re.findall(r"(?:^\|.*\n)+", render_markdown(named, {}), re.M)
    assert len(tables) >= 5
    for table in tables:
        rows = [re.split(r"(?<!\\)\|", row) for row in table.splitlines()]
        assert {len(row) for row in rows} == {len(rows[0])}, table


def test_without_a_browser_markdown_tells_charts_in_words(
    results, tmp_path, monkeypatch
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    path = publish_report(results.folder, "md")
    assert "![" not in path.read_text()
    assert not (results.folder / "report_pictures").exists()


def test_without_a_browser_a_pdf_is_refused_with_a_way_out(
    results, tmp_path, monkeypatch
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(StoreError, match='Install one, or take the report as "html"'):
        publish_report(results.folder, "pdf")
    assert not (results.folder / "report.pdf").exists()
    assert "report.pdf" not in {one.file_name for one in downloads.offers(results)}


def test_a_form_that_is_not_there_is_refused(results) -> None:
    done = call("report", results.folder, "--format", "pfd")
    assert done.returncode == 2
    assert 'did you mean "pdf"' in done.stderr


@pytest.mark.browser
def test_a_browser_prints_every_section(results) -> None:
    content = publish_report(results.folder, "pdf").read_bytes()
    assert content.startswith(b"%PDF")
    # Eight parts, of which each begins a page.
    assert len(re.findall(rb"/Type\s*/Page\b", content)) >= 8


@pytest.mark.browser
def test_a_browser_draws_the_pictures_of_the_markdown(results) -> None:
    text = publish_report(results.folder, "md").read_text()
    places = re.findall(r"!\[.*\]\((report_pictures/[\w.-]+)\)", text)
    assert "report_pictures/depths.png" in places
    for place in places:
        assert (results.folder / place).read_bytes().startswith(b"\x89PNG")


def test_a_download_that_cannot_be_made_says_why(results) -> None:
    offers = {one.label: one for one in downloads.handovers_of_study(results)}
    assert set(offers) == {name for name, one in EXPORTS.items() if one.needs != "rows"}
    with zipfile.ZipFile(io.BytesIO(offers["pyg"].read())) as archive:
        assert archive.namelist() == ["why_not.txt"]  # there is no such database


def test_the_compare_page_offers_what_can_be_handed_over(tmp_path: Path) -> None:
    app = open_page("compare")
    labels = [one.proto.label for one in app.get("download_button")]
    assert {"Report", "Report (Markdown)", "pyg", "notebook", "neo4j"} <= set(labels)
    assert "They hold rows of your database" in said(app)
