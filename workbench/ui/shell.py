"""What every page has around it: its title, the way to the others, and what is open."""

from pathlib import Path

import streamlit as st

from workbench.ui import ahead, guide, place, visitor, widgets, words

PAGES = Path(__file__).parent / "pages"
ICON = Path(__file__).parent / "icon.png"
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
    if guests is not None:
        _show_guest()
    elif visitor.needs_login():
        _ask_to_log_in()
    else:
        _show_pages()


def _show_pages() -> None:
    page = st.navigation(
        [
            st.Page(PAGES / "start.py", title="Start", default=True),
            st.Page(PAGES / "data.py", title="Data", url_path="data"),
            st.Page(PAGES / "question.py", title="Question", url_path="question"),
            st.Page(PAGES / "graphs.py", title="Graphs", url_path="graphs"),
            st.Page(PAGES / "design.py", title="Design", url_path="design"),
            st.Page(PAGES / "row.py", title="One row", url_path="row"),
            st.Page(PAGES / "train.py", title="Train", url_path="train"),
            st.Page(PAGES / "compare.py", title="Compare", url_path="compare"),
            st.Page(PAGES / "studies.py", title="Studies", url_path="studies"),
        ],
        position="top",
    )
    place.carry_over()
    with st.container(horizontal=True, horizontal_alignment="distribute"):
        if page.url_path:
            widgets.show_place()
        guide.show_glossary()
        visitor.remember()
        if visitor.has_login():
            st.button(f"Log out {st.user.get('name', '')}", on_click=st.logout)
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
    page = st.navigation([st.Page(_show_login, title="Log in")], position="hidden")
    page.run()


def _show_login() -> None:
    st.title(words.TITLE)
    st.markdown(words.LOG_IN)
    st.button("Log in", type="primary", key="log_in", on_click=st.login)
