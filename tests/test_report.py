"""The report says what the results hold, in one file that asks for nothing else."""

import json
import re
import shutil
import subprocess
from dataclasses import replace
from html.parser import HTMLParser
from pathlib import Path

import pytest

from tests.results_factory import SOURCE_ARMS, TOPOLOGY_ARMS, make_results
from workbench.chart import Series, all_series
from workbench.errors import StoreError
from workbench.figures import same_sight
from workbench.reading import read_depth
from workbench.report import render_report, write_report
from workbench.results import Results
from workbench.sources import citations


class Sheet(HTMLParser):
    """The text a reader sees, and whatever a page could ask a server for."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.text = ""
        self.requests: list[str] = []
        self.ids: set[str] = set()
        self.links: list[str] = []
        self.tags: list[str] = []
        self._hidden = 0
        self.feed(html)

    def handle_starttag(self, tag, attrs):
        self.tags.append(tag)
        self._hidden += tag in ("script", "style")
        for name, value in attrs:
            if name in ("src", "srcset", "data", "poster") or tag == "link":
                self.requests.append(f"{tag} {name}={value}")
            if name == "id":
                self.ids.add(value)
            if name == "href":
                self.links.append(value)

    def handle_endtag(self, tag):
        self._hidden -= tag in ("script", "style")

    def handle_data(self, data):
        if not self._hidden:
            self.text += " ".join(data.split()) + " "


@pytest.fixture(scope="module")
def results(tmp_path_factory: pytest.TempPathFactory) -> Results:
    return make_results(tmp_path_factory.mktemp("results"))


@pytest.fixture(scope="module")
def html(results: Results) -> str:
    return render_report(results)


@pytest.fixture(scope="module")
def sheet(html: str) -> Sheet:
    return Sheet(html)


def test_the_verdict_comes_first(results, sheet):
    heading = sheet.text.index("which graph, and how deep?")
    assert sheet.text.index(results.comparison["verdict"]) > heading
    assert sheet.text.index(results.comparison["verdict"]) < sheet.text.index("Score ")


def test_the_audit_is_printed(sheet):
    assert "Future rows reachable: 0" in sheet.text


def test_the_page_asks_nobody_for_anything(html, sheet):
    assert sheet.requests == []
    assert all(link.startswith("#") for link in sheet.links)
    assert "default-src 'none'" in html
    assert "@import" not in html
    assert not re.findall(r"url\((?!data:)[^)]{0,80}https?:", html.split("<script")[0])


def test_every_link_of_the_page_leads_somewhere(sheet):
    assert {link[1:] for link in sheet.links} <= sheet.ids


def test_plotly_is_there_once(html):
    assert html.count("plotly.js v") == 1


def test_every_chart_has_a_place_and_alternative_text(html, sheet):
    places = {name for name in sheet.ids if name.startswith("chart-")}
    assert len(places) == 15
    assert html.count('role="img" aria-label="') == 15


def test_every_floor_contrast_and_lost_run_is_in_a_table(results, sheet):
    for floor in results.comparison["baselines"]:
        assert f"{floor['name']} {floor['learner']} {floor['value']:.3f}" in sheet.text
    for record in results.comparison["contrasts"]:
        assert f"{record['difference']:.3f}" in sheet.text
    assert "out-of-memory The loss was not a number at epoch 3." in sheet.text
    assert "2 of 108 runs have no score" in sheet.text


def test_the_report_aligns_graphs_by_what_they_see_beside_by_layers(results, html):
    assert 'id="chart-aligned"' in html
    for sentence in same_sight(results):
        assert sentence in html


def test_the_two_noises_and_the_tolerance_are_named_apart(results, sheet):
    assert "Re-training noise" in sheet.text
    assert "These test rows" in sheet.text
    assert "each at its best" in sheet.text
    assert "between the best and the worst graph" in sheet.text


def test_results_without_the_newer_numbers_still_have_a_report(results):
    old = json.loads(json.dumps(results.comparison))
    del old["tolerance"]
    added = ("rows_low", "rows_high", "both_low", "both_high")
    for record in (*old["best"], *old["contrasts"]):
        for name in added:
            del record[name]
    for cell in old["cells"]:
        del cell["median"], cell["seeds_disagree"]
    page = render_report(replace(results, comparison=old))
    assert "With other test rows" not in page
    assert "How much the choice of graph decides" not in page


def test_caveats_say_which_noise_an_interval_holds(results, sheet):
    assert results.comparison["noise"] in sheet.text


def test_too_few_seeds_are_a_caveat(tmp_path):
    few = make_results(tmp_path, seeds=2, depths=(0, 1))
    assert "Number of seeds: 2. Below 6" in Sheet(render_report(few)).text


def test_settings_seeds_and_versions_are_printed(sheet):
    assert "Seeds 0, 1, 2, 3, 4, 5" in sheet.text
    assert "Budget: epochs 40" in sheet.text
    assert "plotly 7." in sheet.text


def test_suspected_leaks_are_named(tmp_path):
    leaky = make_results(
        tmp_path, leaks=("person.note alone scores .99.",), seeds=2, depths=(0, 1)
    )
    assert "Suspected leak. person.note alone scores .99." in (
        Sheet(render_report(leaky)).text
    )


def test_text_from_the_user_stays_text(results):
    attack = "<script>alert(1)</script>"
    named = replace(
        results,
        comparison={**results.comparison, "verdict": attack, "task": attack},
        study={**results.study, "note": attack},
        trials=results.trials.assign(reason=attack),
    )
    html = render_report(named)
    assert attack not in html
    assert Sheet(html).tags.count("script") == 3


def test_a_table_cannot_end_the_figures_script(tmp_path):
    odd = make_results(tmp_path, arms=[("</script><b>", "row2node")], seeds=2)
    assert Sheet(render_report(odd)).tags.count("script") == 3


def test_sources_of_what_was_used_are_named_and_no_others(results, sheet):
    subjects = {citation.subject for citation in citations(results)}
    assert {"Network sage", "Normalized (row2node)", "Floor: boosted trees"} <= subjects
    assert "Network sage-mean" not in subjects
    assert not any("row2edge" in subject for subject in subjects)
    for citation in citations(results):
        assert " ".join(citation.text.split()) in sheet.text


def test_a_sample_is_credited(tmp_path):
    samples = make_results(tmp_path, arms=SOURCE_ARMS, seeds=2, depths=(0, 1))
    subjects = {citation.subject for citation in citations(samples)}
    assert {"Sample address-flat", "Sample address-3nf"} <= subjects


def test_one_arm_at_one_depth_with_one_seed_has_a_report(tmp_path):
    small = make_results(
        tmp_path, arms=TOPOLOGY_ARMS[1:2], depths=(0,), seeds=1, lost=False
    )
    assert "One graph alone has nothing to differ from." in (
        Sheet(render_report(small)).text
    )


def test_rendering_twice_gives_the_same_page(results, html):
    assert render_report(results) == html


def test_the_report_is_written_into_the_folder(results):
    assert write_report(results.folder) == results.folder / "report.html"
    assert (results.folder / "report.html").read_text().startswith("<!doctype html>")


def test_a_folder_without_results_has_no_report(tmp_path: Path):
    with pytest.raises(StoreError, match="holds no finished results"):
        write_report(tmp_path)
    assert not list(tmp_path.iterdir())


# --- what depth does, in words ----------------------------------------------


def with_scores(results: Results, train_end: float, rank_end: float) -> Results:
    """Return results whose deepest cells are replaced by these means."""
    deepest = max(results.depths)
    at_end = results.trials["depth"] == deepest
    trials = results.trials.assign(
        train=results.trials["train"].mask(at_end, train_end),
        test=results.trials["test"].mask(at_end, 0.6),
    )
    layers = results.layers.assign(
        value=results.layers["value"].mask(results.layers["depth"] == deepest, rank_end)
    )
    cells = [
        {**cell, "mean": 0.6, "low": 0.59, "high": 0.61}
        if cell["depth"] == deepest
        else cell
        for cell in results.comparison["cells"]
    ]
    comparison = {**results.comparison, "cells": cells}
    return replace(results, trials=trials, layers=layers, comparison=comparison)


FLATTENED = Series("shop", "flattened", "sage", "none")


@pytest.mark.parametrize(
    ("train_end", "rank_end", "kind"),
    [(0.6, 1.0, "smoothed"), (0.6, 9.0, "untrained"), (0.97, 1.0, "overreached")],
)
def test_three_ways_to_lose_with_depth_are_told_apart(
    results, train_end, rank_end, kind
):
    assert read_depth(with_scores(results, train_end, rank_end), FLATTENED).kind == kind


def test_no_reading_speaks_of_a_cause(results):
    for series in all_series(results):
        assert "because" not in read_depth(results, series).sentence


@pytest.mark.browser
def test_a_browser_draws_every_chart_without_a_network(results, tmp_path):
    write_report(results.folder)
    browser = shutil.which("chromium") or shutil.which("google-chrome")
    done = subprocess.run(
        [
            str(browser),
            "--headless",
            "--no-sandbox",
            "--disable-gpu",
            "--disable-background-networking",
            f"--user-data-dir={tmp_path}",
            "--virtual-time-budget=8000",
            "--dump-dom",
            (results.folder / "report.html").as_uri(),
        ],
        capture_output=True,
        text=True,
        timeout=120,
        check=True,
    )
    assert done.stdout.count('class="main-svg"') >= 11
    assert done.stdout.count("js-plotly-plot") >= 11
