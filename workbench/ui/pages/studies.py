"""Studies: everything that was run, to find again, set side by side, and go on with."""

import streamlit as st

from workbench.errors import WorkbenchError
from workbench.studies import list_studies, search_studies
from workbench.ui import history, login, visitor, widgets, words

PER_PAGE = 10
FIND_WIDTH = 430  # px; where both do not fit beside each other, they stand below

st.html(history.LINKS)
st.title("Studies")

shelf = visitor.shelf()
chosen = st.query_params.get(history.STUDY)
if chosen:
    try:
        entry = visitor.open_study(chosen)
    except WorkbenchError as error:
        widgets.empty_state(str(error), "studies", "All studies")
    history.show_study(entry)
    st.stop()

mine = list_studies(shelf, visitor.visitor())
if not mine:
    widgets.empty_state(words.NO_STUDIES, "train", "Train")

with st.container(horizontal=True, vertical_alignment="bottom"):
    text = st.text_input(
        "Find",
        placeholder="words of a name, a tag, the notes or the best graph",
        width=FIND_WIDTH,
        key="studies_find",
        bind="query-params",
    )
    states = st.pills(
        "Only these",
        list(words.STUDY_STATES),
        selection_mode="multi",
        format_func=lambda state: words.STUDY_STATES[state][1],
        key="studies_states",
    )


@st.fragment(run_every=history.EVERY_S if any(e.is_live for e in mine) else None)
def show_list() -> None:
    """Draw the studies as they are now."""
    found = search_studies(
        list_studies(shelf, visitor.visitor()), text or "", map(str, states)
    )
    if not found:
        st.info(words.NO_SUCH_STUDIES)
        return
    num_pages = -(-len(found) // PER_PAGE)
    page = st.pagination(num_pages, key="studies_page") if num_pages > 1 else 1
    for entry in found[(page - 1) * PER_PAGE : page * PER_PAGE]:
        history.show_row(entry)


show_list()
st.caption(words.MY_STUDIES if login.has_login() else words.WHOSE_STUDIES)
