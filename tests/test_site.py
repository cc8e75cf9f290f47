"""The documentation site: complete, built without the network, its tutorial true."""

import importlib.util
import json
import re
import shlex
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
import yaml
from typer.testing import CliRunner

from workbench.cli import app

ROOT = Path(__file__).resolve().parents[1]
DOCS = ROOT / "docs"
PICTURES = sorted((DOCS / "pictures").glob("*.png"))
TUTORIAL = (DOCS / "tutorial.md").read_text(encoding="utf-8")
COMMANDS = [
    shlex.split(line)[1:]
    for block in re.findall(r"```\n(.*?)```", TUTORIAL, re.DOTALL)
    for line in block.splitlines()
]


def in_nav(part: object) -> Iterator[str]:
    """Yield the files that a part of the navigation names."""
    match part:
        case str():
            yield part
        case dict():
            yield from (file for inner in part.values() for file in in_nav(inner))
        case list():
            yield from (file for inner in part for file in in_nav(inner))


def test_every_page_of_the_documents_can_be_reached() -> None:
    settings = yaml.safe_load((ROOT / "mkdocs.yml").read_text(encoding="utf-8"))
    named = set(in_nav(settings["nav"]))
    pages = {str(path.relative_to(DOCS)) for path in DOCS.glob("**/*.md")}
    decisions = {page for page in pages if page.startswith("decisions/0")}
    assert named == pages - decisions


def test_every_page_of_the_app_has_a_how_to() -> None:
    index = (DOCS / "index.md").read_text(encoding="utf-8")
    rows = re.findall(r"^\| (?:One )?(\w+) \|.*\]\(how-to/", index, re.MULTILINE)
    pages = [path.stem for path in (ROOT / "workbench/ui/pages").glob("*.py")]
    assert sorted(row.lower() for row in rows) == sorted(pages)


def test_every_picture_is_small_and_shown_somewhere() -> None:
    text = "".join(path.read_text() for path in DOCS.glob("**/*.md"))
    text += (ROOT / "README.md").read_text()
    assert PICTURES
    for path in PICTURES:
        assert path.stat().st_size < 200_000, path.name
        assert f"pictures/{path.name})" in text, path.name


def test_every_picture_is_described_for_those_who_cannot_see_it() -> None:
    for path in DOCS.glob("**/*.md"):
        described = re.findall(r"!\[([^\]]*)\]", path.read_text(encoding="utf-8"))
        assert all(len(words) > 20 for words in described), path.name


def test_the_site_is_built_strictly_and_loads_nothing_from_elsewhere(
    tmp_path: Path,
) -> None:
    if importlib.util.find_spec("mkdocs") is None:
        pytest.skip("SKIPPED WITHOUT BEING RUN: the docs extra is not installed")
    command = [sys.executable, "-m", "mkdocs", "build", "--site-dir", str(tmp_path)]
    done = subprocess.run(
        command, cwd=ROOT, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    pages = list(tmp_path.rglob("*.html"))
    assert pages
    outside = re.compile(
        r"<(?:script|img)[^>]+src=.?https?:|<link[^>]+stylesheet[^>]+https?:"
    )
    assert [page.name for page in pages if outside.search(page.read_text())] == []


def run(arguments: list[str]) -> str:
    done = CliRunner().invoke(app, arguments, catch_exceptions=False)
    assert done.exit_code == 0, done.output
    return done.output


@pytest.mark.parametrize(
    ("command", "numbers"),
    [
        (COMMANDS[0], ["4,188", "520"]),
        (COMMANDS[1], ["8,482", "4,188", "3 hops  city", "0 hops  city"]),
        (COMMANDS[2], ["1 hops  city"]),
    ],
    ids=["inspect", "plan", "plan-flat"],
)
def test_a_command_of_the_tutorial_gives_the_number_that_stands_there(
    command: list[str], numbers: list[str]
) -> None:
    output = run(command)
    assert [number for number in numbers if number not in output] == []
    told = [number.replace("  city", "") for number in numbers]
    assert [number for number in told if number not in TUTORIAL] == []


@pytest.mark.slow
def test_the_networks_of_the_tutorial_leave_chance_where_it_says(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert len(COMMANDS) == 4
    monkeypatch.chdir(tmp_path)
    run(COMMANDS[3])
    assert (tmp_path / "out/tutorial/report.html").exists()
    found = json.loads((tmp_path / "out/tutorial/comparison.json").read_text())
    test = {(one["source"], one["depth"]): one["mean"] for one in found["cells"]}
    for depth in range(4):
        assert (test["address-flat", depth] > 0.8) == (depth >= 1), test
        assert (test["address-3nf", depth] > 0.8) == (depth >= 3), test
