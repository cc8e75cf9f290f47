"""What every page has around it: its title, the way to the others, and what is open."""

from pathlib import Path

import streamlit as st

from workbench.ui import guide, place, widgets

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
        ],
        position="top",
    )
    if widgets.is_dark():
        st.html(READABLE_CHOICES)
    place.carry_over()
    with st.container(horizontal=True, horizontal_alignment="distribute"):
        if page.url_path:
            widgets.show_place()
        guide.show_glossary()
    guide.show(page.url_path)
    page.run()
