"""Start: what this is for, a way in, and a finished comparison, nothing clicked yet."""

import streamlit as st

from workbench.figures import depth_figure
from workbench.results import stored
from workbench.samples import SAMPLES
from workbench.ui import beginning, calls, guide, opening, place, widgets, words

FIRST_SAMPLES = ("address-3nf", "flights", "lahman", "chinook")

st.title(words.TITLE)
st.markdown(words.PURPOSE)
picture, ways = st.columns([3, 2], gap="medium")
with ways, st.container(border=True):
    st.header("See two graphs of a database now")
    st.caption(
        "What to predict, how to split the rows and which graphs to look at are"
        " proposed for you, and can be changed at any time."
    )
    for name in FIRST_SAMPLES:
        sample = SAMPLES[name]
        pressed = st.button(
            f"{sample.title} ({name})",
            key=f"start_open_{name}",
            type="primary" if name == FIRST_SAMPLES[0] else "secondary",
            width="stretch",
        )
        if pressed:
            opening.open_sample(name, then=beginning.begin)
    st.markdown("**Or drop a file of your own**")
    opening.show_files("start", then=beginning.begin)
    with st.container(horizontal=True):
        if st.button("All samples, or a server", key="start_data"):
            st.switch_page(widgets.page_file("data"))
        guide.offer_tour()
with picture, st.container(border=True):
    with widgets.errors_shown():
        results = calls.results_in(stored(place.STORED_RESULTS))
    st.header("What it looks like when it is done")
    st.markdown(f"**{widgets.as_text(results.comparison['verdict'])}**")
    widgets.show_chart(depth_figure(results, dark=widgets.is_dark()), "start_depths")
    if st.button("See the whole comparison", key="start_compare"):
        st.switch_page(
            widgets.page_file("compare"),
            query_params={place.RESULTS: place.STORED_RESULTS},
        )
st.caption(words.PROMISE)
