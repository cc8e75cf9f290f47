"""One row: what it hears under two graphs, hop by hop, and what is kept from it."""

import streamlit as st

from workbench.errors import WorkbenchError
from workbench.instances import FAN_OUTS, Unfolding
from workbench.palette import arm_style
from workbench.ui import (
    beginning,
    calls,
    designs,
    lens,
    place,
    rows,
    widgets,
    words,
)
from workbench.ui.row_drawing import Colouring

MOST_HOPS = 6

st.title("One row")
address = widgets.need_source()
spec = widgets.need_question()
beginning.show_proposal(address)
if not calls.has_rows(address):
    widgets.empty_state(words.ROW_OF_A_SCHEMA, "data", "Open a database with rows")
with widgets.errors_shown():
    asked = calls.asked_of(address, spec)
st.caption(words.ONE_ROW)

# --- which row, which graphs, how far ---------------------------------------

try:
    current = lens.current_row(asked)
except WorkbenchError as error:
    st.warning(widgets.as_text(str(error)))
    place.write({place.ROW: None})
    current = lens.current_row(asked)
row = lens.choose_row(asked, current)

graphs, far = st.columns([2, 1])
with graphs:
    pair = lens.choose_pair()
depth = far.slider(
    "Hops (layers of the network)", 1, MOST_HOPS, 2, key="hops", bind="query-params"
)
with st.container(horizontal=True, vertical_alignment="bottom"):
    colouring = st.segmented_control(
        "Colour shows",
        list(Colouring),
        default=Colouring.HOP,
        required=True,
        key="colouring",
        bind="query-params",
        help="Hop: how far away. Time: how new, where rows have a time.",
    )
    fan_out = st.selectbox(
        "Most neighbours per key (fan-out)",
        FAN_OUTS,
        format_func=lambda number: "all of them" if number is None else str(number),
        key="fan_out",
        bind="query-params",
        width=240,
        help="What a network that samples hears: the latest rows first. The others are"
        " drawn pale.",
    )
lens.show_row(asked, row)

# --- what it hears ------------------------------------------------------------

arms = [(asked.schema.name, designs.name_of(entry)) for entry in pair]
unfolding = Unfolding(depth, fan_out)
sides = st.columns(2)
for at, (side, entry, arm) in enumerate(zip(sides, pair, arms, strict=True)):
    with side, st.container(border=True), widgets.errors_shown():
        widgets.swatch(arm_style(*arm, arms))
        laid = rows.graph_of(asked, entry)
        found = rows.neighbourhood_of(asked, entry, row.row, unfolding)
        lens.show_side(asked, laid, found, Colouring(colouring), f"row_drawing_{at}")
lens.show_legend(Colouring(colouring), depth, fan_out is not None, asked)

# --- what came of it ----------------------------------------------------------

lens.show_answers(asked, row)
