"""What a team's app says before anybody is in, and where it lets nobody in."""

import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
import streamlit as st
from streamlit.testing.v1 import AppTest

from tests.pages import ROOT, said
from workbench.ui import login, words

COMPLETE = dict.fromkeys(login.SETTINGS, "hidden")


def outside(auth: dict[str, str]) -> AppTest:
    """Open the app as nobody yet, with settings of the login."""
    app = AppTest.from_file(str(ROOT / "app.py"), default_timeout=60)
    app.user = {"is_logged_in": False}
    app.secrets["auth"] = auth
    app.run()
    assert not app.exception
    assert "hidden" not in said(app)
    return app


@pytest.fixture
def secrets(tmp_path: Path) -> Iterator[Path]:
    """Name the file that Streamlit reads secrets from."""
    before = st.get_option("secrets.files")
    st.config.set_option("secrets.files", [str(tmp_path / "secrets.toml")])
    st.secrets._reset()
    yield tmp_path / "secrets.toml"
    st.secrets._reset()
    st.config.set_option("secrets.files", before)


def test_who_has_not_logged_in_sees_one_button() -> None:
    app = outside(COMPLETE)
    assert words.LOG_IN in said(app)
    assert [button.key for button in app.button] == ["log_in"]
    assert not app.error


@pytest.mark.parametrize("name", login.SETTINGS)
def test_a_setting_that_lacks_is_named_before_anybody_tries(name: str) -> None:
    app = outside({**COMPLETE, name: ""})
    assert f'lacks "{name}"' in said(app)
    assert not app.button


@pytest.mark.parametrize("packages", [("authlib",), ("httpx2", "httpx")])
def test_a_package_that_lacks_is_one_sentence(
    packages: tuple[str, ...], monkeypatch: pytest.MonkeyPatch
) -> None:
    for package in packages:
        monkeypatch.setitem(sys.modules, package, None)  # as if not installed
    app = outside(COMPLETE)
    assert 'pip install "graph-modelling-workbench[team]"' in said(app)
    assert not app.button


@pytest.mark.parametrize("written", ['[auth\nredirect_uri = "x"', "[auth]\nx = y z"])
def test_secrets_that_cannot_be_read_let_nobody_in(written: str, secrets: Path) -> None:
    secrets.write_text(written)
    app = AppTest.from_file(str(ROOT / "app.py"), default_timeout=60).run()
    assert "cannot be read" in said(app)
    assert not app.button
    assert not app.title


def test_a_login_without_any_setting_lets_nobody_in(secrets: Path) -> None:
    secrets.write_text("[auth]\n# everything to come")
    app = AppTest.from_file(str(ROOT / "app.py"), default_timeout=60).run()
    assert 'lacks "redirect_uri", "cookie_secret"' in said(app)
    assert not app.button


def test_without_secrets_there_is_no_login(secrets: Path) -> None:
    app = AppTest.from_file(str(ROOT / "app.py"), default_timeout=60).run()
    assert words.TITLE in said(app)
    assert not app.error
    assert "log_out" not in [button.key for button in app.button]


@pytest.mark.parametrize(
    ("claims", "shown"),
    [
        ({"name": "Ada", "email": "a@id.example"}, "Log out Ada"),
        ({"email": "a@id.example"}, "Log out a@id.example"),
        ({"name": "<b>*"}, "Log out <b>*"),
        ({}, "Log out"),
    ],
)
def test_whoever_is_in_is_named_as_the_provider_names_them(
    claims: dict[str, str], shown: str
) -> None:
    app = AppTest.from_file(str(ROOT / "app.py"), default_timeout=60)
    app.user = {"is_logged_in": True, "iss": "https://id.example", "sub": "1", **claims}
    app.run()
    label = app.button(key="log_out").label
    assert label.replace("\\", "").strip() == shown
