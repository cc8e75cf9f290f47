"""What the documents say is what the program does."""

import importlib.util
import re
import shlex
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType

import pytest

from workbench.measures import MEASURES
from workbench.split import SplitKind

ROOT = Path(__file__).resolve().parents[1]
PAGES = sorted([*ROOT.glob("*.md"), *ROOT.glob("docs/**/*.md")])
CHANGES = (
    "Results changed", "Added", "Changed", "Deprecated", "Removed", "Fixed", "Security",
)  # fmt: skip


def reference() -> ModuleType:
    place = ROOT / "docs" / "build_reference.py"
    spec = importlib.util.spec_from_file_location("build_reference", place)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def name_of(page: Path) -> str:
    return str(page.relative_to(ROOT))


def called() -> Iterator[tuple[str, list[str]]]:
    """Yield every call of the command line that a page shows."""
    for page in PAGES:
        for block in re.findall(r"```\w*\n(.*?)```", page.read_text(), re.DOTALL):
            for line in block.replace("\\\n", " ").splitlines():
                if line.strip().startswith("workbench "):
                    yield name_of(page), shlex.split(line, comments=True)


def test_the_reference_is_what_the_program_says_of_itself() -> None:
    module = reference()
    assert module.REFERENCE.read_text() == module.build_reference(), "run make docs"


def test_every_command_and_option_has_a_help_text() -> None:
    module = reference()
    silent = [
        f"{words} {parameter.name}"
        for words, command in module.commands()
        for parameter in command.params
        if command.help and not getattr(parameter, "help", "described by its command")
    ]
    assert silent == []
    assert all(command.help for _, command in module.commands())


FACTS = {
    "Topologies": {"node_count", "edge_count", "hop_change", "source"},
    "Splits": {"formula", "source"},
    "Models": {"formula", "graphs", "link_columns", "source"},
    "Remedies": {"formula", "source"},
    "Measures": {"formula", "value_range", "at_collapse", "comparable", "source"},
    "Protocols": {"settings", "source"},
    "Metrics": {"formula", "source"},
}


@pytest.mark.parametrize("family", FACTS)
def test_every_member_of_a_family_says_what_it_is_and_who_says_so(family: str) -> None:
    for name, member in reference().FAMILIES[family][1].items():
        said = {fact for fact in FACTS[family] if getattr(member, fact)}
        assert said == FACTS[family], name


def test_every_split_and_what_is_taken_of_a_whole_network_is_in_the_reference() -> None:
    module = reference()
    assert set(module.FAMILIES["Splits"][1]) == set(SplitKind)
    text = module.REFERENCE.read_text()
    whole = text.split("## Influence and reach")[1].split("\n## ")[0]
    assert whole.count("- Source: ") == len(module.FUNCTIONS["Influence and reach"][1])


@pytest.mark.parametrize(("where", "words"), list(called()))
def test_a_command_in_a_page_is_one_that_exists(where: str, words: list[str]) -> None:
    known = dict(reference().commands())
    depth = 3 if " ".join(words[:3]) in known else 2
    command = known[" ".join(words[:depth])]
    options = {flag for one in command.params for flag in one.opts}
    used = {word.split("=")[0] for word in words if word.startswith("--")}
    assert used <= options, where


@pytest.mark.parametrize("path", PAGES, ids=name_of)
def test_a_link_in_a_page_leads_somewhere(path: Path) -> None:
    links = re.findall(r"\]\(([^)#]+)(?:#[^)]*)?\)", path.read_text())
    local = [link for link in links if "://" not in link]
    assert [link for link in local if not (path.parent / link).exists()] == []


def test_the_readme_is_short() -> None:
    assert len((ROOT / "README.md").read_text().splitlines()) < 150


def test_the_readme_names_every_topology() -> None:
    readme = (ROOT / "README.md").read_text()
    unnamed = [name for name in reference().TOPOLOGIES if f"`{name}`" not in readme]
    assert unnamed == []


def test_the_changelog_says_first_which_results_changed() -> None:
    text = (ROOT / "CHANGELOG.md").read_text()
    newest = text.split("\n## ")[1]
    assert tuple(re.findall(r"^### (.+)$", newest, re.M)) == CHANGES


@pytest.mark.parametrize("path", sorted(ROOT.glob("docs/decisions/0*.md")), ids=name_of)
def test_a_decision_is_one_page_of_four_parts(path: Path) -> None:
    text = path.read_text()
    parts = ["Context", "Decision", "Consequences", "Status"]
    assert re.findall(r"^## (.+)$", text, re.M) == parts
    assert len(text.splitlines()) <= 60
    assert f"({path.name})" in (path.parent / "README.md").read_text()


def test_every_measure_has_been_sabotaged_and_a_test_of_that_name_noticed() -> None:
    """The mistakes themselves are tried by hand; the table must not fall behind."""
    text = (
        ROOT / "docs/decisions/0011-every-measure-has-been-sabotaged.md"
    ).read_text()
    rows = [line.split("|")[1:4] for line in text.splitlines() if line.startswith("| ")]
    named = {name for first, _, _ in rows for name in re.findall(r"`([^`]+)`", first)}
    assert set(MEASURES) <= named
    tests = "\n".join(path.read_text() for path in (ROOT / "tests").glob("test_*.py"))
    noticed = [name for *_, last in rows for name in re.findall(r"`([^`]+)`", last)]
    assert [name for name in noticed if f"def test_{name}(" not in tests] == []
