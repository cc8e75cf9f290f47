"""The shape of the house: what no single module's test would notice."""

import ast
import importlib
import re
import shutil
import subprocess
import sys
import tomllib
import zipfile
from collections.abc import Iterator, Mapping
from importlib.metadata import packages_distributions
from pathlib import Path

import pytest

from workbench.errors import ModelError
from workbench.papers import FAMILIES as PAPER_FAMILIES
from workbench.papers import paper_of
from workbench.results import stored

ROOT = Path(__file__).resolve().parents[1]
PACKAGE = ROOT / "workbench"
NAMED = ("topologies", "models", "remedies", "measures", "exports")
FAMILIES = (*NAMED, "readers", "engines", "shelves")
PLANNING = (
    "errors", "database", "samples", "schema", "task", "topology", "topologies",
    "edges", "survey", "score", "baseline", "inference", "compare", "results",
    "figures", "question", "progress", "jobs", "shelves", "studies", "queue", "between",
)  # fmt: skip
TENSOR_LIBRARIES = ("torch", "torch_geometric", "torch_frame")


def registry(family: str) -> Mapping[str, object]:
    module = importlib.import_module(f"workbench.{family}")
    return getattr(module, family.upper())


def members(family: str) -> list[str]:
    files = (PACKAGE / family).glob("*.py")
    return sorted(file.stem for file in files if file.stem != "__init__")


@pytest.mark.parametrize("family", FAMILIES)
def test_every_file_of_a_family_is_one_registered_name(family: str) -> None:
    files = [stem.replace("_", "-") for stem in members(family)]
    assert files == sorted(registry(family))


@pytest.mark.parametrize("family", FAMILIES)
def test_a_registry_cannot_be_changed(family: str) -> None:
    with pytest.raises(TypeError):
        registry(family)["another"] = object()  # type: ignore[index]


@pytest.mark.parametrize("family", NAMED)
def test_a_member_is_registered_under_its_own_name(family: str) -> None:
    for name, member in registry(family).items():
        assert getattr(member, "name") == name  # noqa: B009  # members share no type


def loaded_by(statement: str) -> set[str]:
    """Return the modules that a fresh interpreter holds after one statement."""
    program = f"import sys; {statement}; print('\\n'.join(sys.modules))"
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True
    )
    return set(done.stdout.split())


def test_importing_the_package_loads_no_torch() -> None:
    assert loaded_by("import workbench").isdisjoint(TENSOR_LIBRARIES)


def test_planning_loads_no_torch() -> None:
    modules = ", ".join(f"workbench.{name}" for name in PLANNING)
    assert loaded_by(f"import {modules}").isdisjoint(TENSOR_LIBRARIES)


def test_the_first_page_loads_no_torch() -> None:
    page = "AppTest.from_file({!r}, default_timeout=60).run()".format(
        str(ROOT / "app.py")
    )
    statement = f"from streamlit.testing.v1 import AppTest; {page}"
    assert loaded_by(statement).isdisjoint(TENSOR_LIBRARIES)


def test_rendering_a_report_loads_no_torch(tmp_path: Path) -> None:
    folder = tmp_path / "address"
    shutil.copytree(stored("address"), folder)
    called = f"app(['report', {str(folder)!r}], standalone_mode=False)"
    loaded = loaded_by(f"from workbench.cli import app; {called}")
    assert (folder / "report.html").exists()
    assert loaded.isdisjoint(TENSOR_LIBRARIES)


@pytest.mark.parametrize("family", PAPER_FAMILIES)
def test_the_paper_read_from_a_file_is_the_one_that_its_member_names(
    family: str,
) -> None:
    for name, member in registry(family).items():
        assert paper_of(family, name) == member.source  # type: ignore[attr-defined]


def test_a_member_that_does_not_exist_has_no_paper() -> None:
    with pytest.raises(ModelError, match='no model "sagee"; did you mean "sage"'):
        paper_of("models", "sagee")


def test_the_core_loads_no_streamlit() -> None:
    assert "streamlit" not in loaded_by("import workbench.api, workbench.cli")


def test_every_module_imports_only_to_its_left() -> None:
    command = [
        Path(sys.executable).with_name("lint-imports"),
        "--no-cache",
        "--no-logo",
    ]
    done = subprocess.run(
        command, cwd=ROOT, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout


def settings() -> dict:
    return tomllib.loads((ROOT / "pyproject.toml").read_text())


def tracked() -> Iterator[tuple[Path, str]]:
    """Yield the text files that git holds."""
    listed = subprocess.run(
        ["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, text=True, check=False
    )
    if listed.returncode:
        pytest.skip("not a git checkout")
    for name in filter(None, listed.stdout.split("\0")):
        path = ROOT / name
        try:
            yield path, path.read_text(encoding="utf-8")
        except (UnicodeDecodeError, FileNotFoundError, IsADirectoryError):
            continue


def test_no_file_names_a_place_on_somebodys_machine() -> None:
    places = [f"/{home}/" for home in ("work", "root", "home", "Users")]
    found = [
        f"{path.relative_to(ROOT)}: {place}"
        for path, text in tracked()
        for place in places
        if place in text
    ]
    assert found == []


def test_every_pin_is_exact_and_covers_what_is_declared() -> None:
    lines = (ROOT / "constraints.txt").read_text().splitlines()
    pins = dict(line.split("==") for line in lines if line and line[0] != "#")
    names = {name_in(name) for name in pins}
    project = settings()["project"]
    extras = project["optional-dependencies"].values()
    for requirement in [*project["dependencies"], *(one for e in extras for one in e)]:
        assert name_in(requirement) in names, requirement


def imported() -> set[str]:
    """Return the first name of every absolute import in the package."""
    trees = [ast.parse(path.read_text()) for path in PACKAGE.rglob("*.py")]
    names = set()
    for node in (node for tree in trees for node in ast.walk(tree)):
        match node:
            case ast.Import():
                names |= {alias.name.partition(".")[0] for alias in node.names}
            case ast.ImportFrom(module=str(module)):
                names.add(module.partition(".")[0])
    return names - set(sys.stdlib_module_names) - {"workbench"}


def test_every_package_that_is_imported_is_declared() -> None:
    project = settings()["project"]
    optional = project["optional-dependencies"]
    named = ("samples", "export", "databases", "distributed")
    extras = (optional[name] for name in named)
    lines = [*project["dependencies"], *(one for extra in extras for one in extra)]
    declared = {name_in(line) for line in lines}
    providers = packages_distributions()
    undeclared = {
        name
        for name in imported()
        if declared.isdisjoint(name_in(one) for one in providers.get(name, [name]))
    }
    assert undeclared == set()


def name_in(requirement: str) -> str:
    name = re.split(r"[<>=\[ ]", requirement)[0]
    return name.lower().replace("_", "-")


def test_the_wheel_holds_the_app_the_samples_and_the_hint_files(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "hatchling", "build", "-t", "wheel"]
    subprocess.run(
        [*command, "-d", str(tmp_path)], cwd=ROOT, capture_output=True, check=True
    )
    (wheel,) = tmp_path.glob("*.whl")
    held = set(zipfile.ZipFile(wheel).namelist())
    hints = {f"workbench/schemas/{p.name}" for p in (ROOT / "schemas").glob("*.toml")}
    assert hints
    assert hints <= held
    assert {"workbench/app.py", "workbench/.streamlit/config.toml"} <= held
    assert any(name.startswith("workbench/sample_dbs/") for name in held)


def test_what_runs_in_ci_is_what_the_readme_says() -> None:
    script = (ROOT / ".ci" / "run").read_text().splitlines()
    readme = (ROOT / "README.md").read_text()
    for command in ("make check", "make test"):
        assert command in script
        assert command in readme
