"""Start: a finished comparison, before anything was clicked."""

import streamlit as st

from workbench.figures import depth_figure
from workbench.results import stored
from workbench.ui import calls, place, widgets, words

st.title(words.TITLE)
st.markdown(
    "The same facts in other tables put the same information one hop or three hops"
    " away, and every layer of a graph network reaches one hop further. Here is what"
    " that does to **one set of addresses kept in three schemas**:"
)
with widgets.errors_shown():
    results = calls.results_in(stored(place.STORED_RESULTS))
with st.container(border=True):
    st.markdown(f"##### {widgets.as_text(results.comparison['verdict'])}")
    widgets.show_chart(depth_figure(results, dark=widgets.is_dark()), "start_depths")
    with st.container(horizontal=True):
        if st.button("See the whole comparison", key="start_compare"):
            st.switch_page(
                widgets.page_file("compare"),
                query_params={place.RESULTS: place.STORED_RESULTS},
            )
        if st.button("Open your own data", type="primary", key="start_data"):
            st.switch_page(widgets.page_file("data"))
st.caption(words.PROMISE)
