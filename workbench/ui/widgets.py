"""Pieces that several pages draw alike."""

from collections.abc import Callable, Sequence
from html import escape
from pathlib import Path
from types import TracebackType
from typing import NoReturn

import streamlit as st

from workbench.chart import Chart
from workbench.errors import WorkbenchError
from workbench.palette import ArmStyle
from workbench.task import TaskSpec
from workbench.ui import calls, designs, place, visitor, words

PAGES = Path(__file__).parent / "pages"


class errors_shown:  # noqa: N801  # read in a with statement, like a function
    """Shows what a user can put right as a sentence, and ends the page there."""

    def __enter__(self) -> None:
        pass

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if isinstance(error, WorkbenchError):
            st.error(as_text(str(error)))
            st.stop()


def as_text(text: str) -> str:
    """Return text that Markdown shows as it is written, whoever wrote it."""
    return "".join(
        f"\\{sign}" if sign in r"\`*_{}[]()#+-!|<>$~:" else sign for sign in text
    )


def is_dark() -> bool:
    """Return whether the page is drawn in the dark theme."""
    return st.context.theme.type == "dark"


def page_file(name: str) -> str:
    """Return what `st.switch_page` and `st.page_link` take for a page."""
    return str(PAGES / f"{name}.py")


def fold(
    label: str,
    show: Callable[[], object],
    *,
    key: str,
    expanded: bool = False,
    icon: str | None = None,
) -> None:
    """Draw what can be unfolded; what is folded away is neither made nor sent.

    Args:
        label: What stands there while it is folded.
        show: Draws what is inside.
        key: Unique on the page, another one for another first state; the session's
            state says under it whether it is unfolded.
        expanded: Whether it is unfolded at first.
        icon: What stands before the label.
    """
    place = st.expander(label, expanded=expanded, icon=icon, key=key, on_change="rerun")
    if place.open:
        with place:
            show()


def show_chart(chart: Chart, key: str) -> None:
    """Draw a chart with how to read it underneath."""
    st.plotly_chart(
        chart.figure,
        theme=None,
        key=key,
        alt=chart.alt,
        config={
            "displaylogo": False,
            "showSendToCloud": False,
            "modeBarButtonsToRemove": ["lasso2d", "select2d"],
        },
    )
    st.caption(f"{as_text(chart.how_to_read)} Numbers from {as_text(chart.source)}.")


def show_notes(notes: Sequence[str]) -> None:
    """Say what a reader has to know of the databases."""
    for note in notes:
        st.caption(f":material/info: {as_text(note)}")


def swatch(style: ArmStyle) -> None:
    """Name an arm beside its colour."""
    st.html(
        f'<div style="display:flex;gap:.5rem;align-items:center;font-weight:600">'
        f'<span style="flex:none;width:14px;height:14px;border-radius:4px;'
        f'background:{style.colour}"></span>{escape(style.label)}</div>'
    )


def show_way(page: str, label: str) -> None:
    """Draw a link to another page, but for a guest, who has no other page."""
    if visitor.guest_study() is None:
        st.page_link(page_file(page), label=label, icon=":material/arrow_forward:")


def empty_state(sentence: str, page: str, label: str) -> NoReturn:
    """Say what is missing, offer the one step that helps, and end the page there."""
    with st.container(border=True):
        st.markdown(as_text(sentence))
        show_way(page, label)
    st.stop()


def need_source() -> str:
    """Return the address of the open database, or end the page with the way to one."""
    try:
        address = place.source_address()
    except WorkbenchError as error:
        empty_state(str(error), "data", "Open a database")
    if address is None:
        empty_state(words.NOTHING_OPEN, "data", "Open a database")
    return address


def need_question() -> TaskSpec | str:
    """Return the question, or end the page with the way to it."""
    spec = place.question()
    if spec is None:
        empty_state(words.NO_QUESTION, "question", "Say what to predict")
    return spec


def show_place() -> None:
    """Say in one line what is open, what is asked and which graphs are compared."""
    parts = []
    try:
        address = place.source_address()
        if address is not None:
            parts.append(f"**{as_text(calls.schema_of(address).name)}**")
    except WorkbenchError:
        return  # the page itself says so, with the way out
    if not parts:
        return
    spec = place.question()
    if spec is not None:
        name = spec if isinstance(spec, str) else spec.title
        parts.append(f"predict {as_text(name)}")
        labels = [designs.label_of(each) for each in place.graphs()]
        parts.append(" and ".join(as_text(label) for label in labels))
    st.caption(" → ".join(parts))
