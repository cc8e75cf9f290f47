"""What every page has around it: its title, the way to the others, and what is open."""

from collections.abc import Mapping
from pathlib import Path
from types import MappingProxyType
from typing import Any

import streamlit as st

from workbench.ui import ahead, guide, login, place, visitor, widgets, words

PAGES = Path(__file__).parent / "pages"
ICON = Path(__file__).parent / "icon.png"
TITLES: Mapping[str, str] = MappingProxyType(
    {
        "start": "Start",
        "data": "Data",
        "question": "Question",
        "graphs": "Graphs",
        "design": "Design",
        "row": "One row",
        "train": "Train",
        "compare": "Compare",
        "studies": "Studies",
    }
)
# What is chosen is written in the primary colour, too dark for a dark page.
READABLE_CHOICES = """<style>
button[data-variant][data-selected="true"] p { color: #7CB9E3 }
</style>"""


def run() -> None:
    """Draw the frame and the page that the address names."""
    st.set_page_config(
        page_title="Graph modelling workbench", page_icon=str(ICON), layout="wide"
    )
    if widgets.is_dark():
        st.html(READABLE_CHOICES)
    with ahead.answering():
        _show()


def _show() -> None:
    with widgets.errors_shown():
        guests = visitor.guest_study()
        if guests is None:
            login.check_secrets()
    if guests is not None:
        _show_guest()
    elif login.needs_login():
        _ask_to_log_in()
    else:
        _show_pages()


def _show_pages() -> None:
    page = st.navigation(
        [
            st.Page(PAGES / f"{name}.py", title=title, **_address(name))
            for name, title in TITLES.items()
        ],
        position="top",
    )
    place.carry_over()
    with st.container(horizontal=True, horizontal_alignment="distribute"):
        if page.url_path:
            widgets.show_place()
        guide.show_glossary()
        visitor.remember()
        if login.has_login():
            name = widgets.as_text(login.shown_name())
            st.button(f"Log out {name}", key="log_out", on_click=st.logout)
            login.go_on()
    guide.show(page.url_path)
    if page.url_path:
        ahead.expect_pages()
    with widgets.errors_shown():
        page.run()


def _show_guest() -> None:
    """Draw the one page that a guest may see; the others are not there for them."""
    only = st.Page(PAGES / "compare.py", title="Compare", default=True)
    page = st.navigation([only], position="hidden")
    st.caption(words.ONLY_TO_LOOK)
    with widgets.errors_shown():
        page.run()


def _ask_to_log_in() -> None:
    """Draw the way in at every address, so that none is told not to exist."""
    page = st.navigation(
        [st.Page(_show_login, title="Log in", **_address(name)) for name in TITLES],
        position="hidden",
    )
    page.run()


def _address(name: str) -> dict[str, Any]:
    """Return where a page is: the first one at the root."""
    return {"default": True} if name == "start" else {"url_path": name}


def _show_login() -> None:
    st.title(words.TITLE)
    st.markdown(words.LOG_IN)
    with widgets.errors_shown():
        login.check_login()
    st.button("Log in", type="primary", key="log_in", on_click=st.login)
    login.keep_way()
