"""Whether people log in here, and what keeps them from it.

Logging in is Streamlit's, asked for by `[auth]` in its file of secrets. Streamlit takes
a file that it cannot read for none at all; nobody may then pass as if no login were
asked for. It always comes back from the provider to the first page; the browser keeps
where somebody meant to go, for as long as its tab is open.
"""

from importlib.util import find_spec
from pathlib import Path

import streamlit as st
from streamlit.components import v2

from workbench.errors import LoginError

SETTINGS = (
    *("redirect_uri", "cookie_secret"),
    *("client_id", "client_secret", "server_metadata_url"),
)
_KEEP_WAY = """
export default function () {
  sessionStorage.setItem('workbench_way', location.href)
}
"""
_GO_ON = """
export default function () {
  const way = sessionStorage.getItem('workbench_way')
  sessionStorage.removeItem('workbench_way')
  if (way && way !== location.href) location.replace(way)
}
"""
# Streamlit needs Authlib, and Authlib either of these.
PACKAGES = (("authlib",), ("httpx2", "httpx"))


def has_login() -> bool:
    """Return whether people log in here (`[auth]` in Streamlit's secrets).

    Streamlit takes an `[auth]` with nothing in it for none.
    """
    if "is_logged_in" in st.user:
        return True
    return st.secrets.load_if_toml_exists() and "auth" in st.secrets


def needs_login() -> bool:
    """Return whether whoever looks has to log in first."""
    return has_login() and not st.user.get("is_logged_in")


def check_secrets() -> None:
    """Refuse to go on where it cannot be told whether people have to log in.

    Raises:
        LoginError: There is a file of secrets, and it cannot be read.
    """
    there = any(Path(path).exists() for path in st.get_option("secrets.files"))
    if there and not st.secrets.load_if_toml_exists():
        raise LoginError(
            "Streamlit's file of secrets (secrets.toml) cannot be read, so it is not"
            " known who may come in. Whoever runs this workbench finds the line in its"
            " log, and starts it again once the line is mended."
        )


def check_login() -> None:
    """Say what logging in lacks before anybody tries.

    Raises:
        LoginError: A setting or a package is missing.
    """
    here = st.secrets.get("auth", {})
    missing = [name for name in SETTINGS if not here.get(name)]
    if missing:
        named = ", ".join(f'"{name}"' for name in missing)
        raise LoginError(
            f"Nobody can log in here yet: [auth] in secrets.toml lacks {named}. Whoever"
            " runs this workbench writes it there and starts it again."
        )
    if not all(any(map(find_spec, either)) for either in PACKAGES):
        raise LoginError(
            "Nobody can log in here yet: that needs Authlib. Whoever runs this"
            ' workbench installs it with pip install "graph-modelling-workbench[team]".'
        )


def shown_name() -> str:
    """Return what the provider calls whoever is logged in."""
    told = (st.user.get(claim) for claim in ("name", "email"))
    return str(next(filter(None, told), ""))


def keep_way() -> None:
    """Have the browser keep where somebody meant to go before they log in."""
    _mount("workbench_keep_way", _KEEP_WAY)


def go_on() -> None:
    """Have the browser go where somebody meant to before they logged in."""
    _mount("workbench_go_on", _GO_ON)


def _mount(name: str, script: str) -> None:
    component = v2.component(name, js=script)
    with st.container(width=1, height=1, border=False, key=name):
        component(key=f"{name}_mounted")
