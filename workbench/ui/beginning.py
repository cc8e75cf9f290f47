"""The first minute: from an opened database to two graphs of it, nothing to be set."""

from typing import NoReturn

import streamlit as st

from workbench.ui import calls, designs, place, widgets, words

_PROPOSED = "proposed"


def begin() -> NoReturn:
    """Go on with the database just opened: to its graphs, or to what it holds.

    The question, the split and the graphs are proposed. Where nothing can be, the
    Data page says what is missing.
    """
    address = widgets.need_source()
    with widgets.errors_shown():
        proposal = calls.proposal_of(address)
    if proposal is None:
        st.switch_page(widgets.page_file("data"))
    place.ask(proposal.question.task)
    place.choose_graphs([graph.topology for graph in proposal.graphs])
    st.session_state[_PROPOSED] = place.read(place.SOURCE)
    st.switch_page(widgets.page_file("graphs"))


def show_proposal(address: str) -> None:
    """Say what was proposed and why, until it is changed or put away."""
    if st.session_state.get(_PROPOSED) != place.read(place.SOURCE):
        return
    proposal = calls.proposal_of(address)
    if proposal is None or place.question() != proposal.question.task:
        return
    with st.container(border=True, key="proposed"):
        said = [f"**To predict: {widgets.as_text(proposal.question.target)}.**"]
        said += [widgets.as_text(proposal.question.why)]
        said += [f"**Split.** {widgets.as_text(proposal.question.why_split)}"]
        said += [
            f"**{widgets.as_text(designs.label_of(graph.topology))}.**"
            f" {widgets.as_text(graph.why)}"
            for graph in proposal.graphs
        ]
        st.markdown(f"{words.PROPOSED_FOR_YOU}\n\n" + "  \n".join(said))
        with st.container(horizontal=True):
            if st.button("Ask something else", key="proposed_ask"):
                st.switch_page(widgets.page_file("question"))
            if st.button("Look at the tables", key="proposed_data"):
                st.switch_page(widgets.page_file("data"))
            if st.button("Put this note away", key="proposed_away"):
                del st.session_state[_PROPOSED]
                st.rerun()
