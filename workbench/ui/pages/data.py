"""Data: open a database and see what it holds."""

import streamlit as st

from workbench.errors import WorkbenchError
from workbench.schema import KeyOrigin
from workbench.ui import (
    ahead,
    calls,
    drawings,
    kept,
    opening,
    place,
    planting,
    tables,
    widgets,
    words,
)
from workbench.ui.changes import Changes
from workbench.ui.diagram import draw, last_turn, selection
from workbench.ui.drawer import Drawer

PAGE_WIDTH = 1080  # pixels that a drawing has on a window of 1280
DRAWER_HEIGHT = 560

st.title("Data")

try:
    address = place.source_address()
except WorkbenchError as error:
    st.warning(widgets.as_text(str(error)))
    address = None

opening.show(expanded=address is None)

if address is None:
    kept.show()
    st.stop()

# --- what it holds ---------------------------------------------------------

with widgets.errors_shown():
    schema = calls.schema_of(address)

if not schema.tables:
    st.warning(words.NO_TABLES)
    st.stop()

heading, following = st.columns([4, 1], vertical_alignment="center")
heading.header(widgets.as_text(schema.name))
following.page_link(
    widgets.page_file("question"),
    label="Say what to predict",
    icon=":material/arrow_forward:",
)

if not calls.has_rows(address):
    st.info(words.ONLY_A_SCHEMA)
elif not any(table.num_rows for table in schema.tables):
    st.warning(words.NO_ROWS)
if len(schema.tables) == 1:
    st.info(words.ONE_TABLE)
elif not schema.foreign_keys:
    st.info(words.NO_KEYS)

offer = calls.offer_of(address)
if offer is not None:
    with st.container(border=True):
        st.markdown(widgets.as_text(f"{offer.graph.sentence} {words.AS_IT_CAME}"))
        if offer.task is not None:
            said = words.proposed(offer.task)
            if st.button(said, key="data_native", icon=":material/hub:"):
                place.ask(offer.task)
                place.choose_graphs((offer.topology, *place.DEFAULT_GRAPHS[:1]))
                st.switch_page(widgets.page_file("graphs"))

names = [table.name for table in schema.tables]
many = len(names) > 12
clicked = selection("data_schema")
clicked = {key.id: key.table for key in schema.foreign_keys}.get(clicked or "", clicked)
turn = last_turn("data_schema")
if clicked in names and turn != st.session_state.get("data_turn"):
    # A click in the drawing moves the list; after that the list decides.
    st.session_state["data_turn"], st.session_state["table"] = turn, clicked
control, choice = st.columns([2, 1], vertical_alignment="bottom")
detail = control.segmented_control(
    "Columns on the cards",
    list(words.DETAILS),
    default="names" if many else "all",
    format_func=words.DETAILS.__getitem__,
    key="columns",
    required=True,
    bind="query-params",
)
chosen = choice.selectbox(
    "Table",
    names,
    index=0 if len(names) == 1 else None,
    placeholder="Choose a table, or click its card",
    key="table",
    bind="query-params",
)
changes = Changes(address, schema)
changes.show_state()
target = place.target_table(schema)
way = (target, chosen) if target in names and chosen else None
boxes, lines = drawings.draw_schema(schema, detail, way)
height = drawings.height_of(boxes, PAGE_WIDTH)
if chosen:
    height = max(height, DRAWER_HEIGHT)
picture, *beside = st.columns([3, 2] if chosen else [1])
with picture:
    draw(
        boxes,
        lines,
        key="data_schema",
        height=height,
        alt=f"The {len(names)} tables of {schema.name} and"
        f" {len(schema.foreign_keys)} links between them.",
        selected=chosen,
        movable=True,
    )
if chosen:
    with beside[0]:
        Drawer(changes, chosen).show(height)
st.caption(words.LINES + (words.WAY if way and chosen != target else ""))

planting.show(schema, expanded=not calls.has_rows(address))

num_found = sum(key.origin is KeyOrigin.INFERRED for key in schema.foreign_keys)
is_to_check = bool(num_found or schema.suggested_keys)
widgets.fold(
    f"Links (foreign keys): {len(schema.foreign_keys)} used, {num_found} of them found"
    f" in the rows, {len(schema.suggested_keys)} more possible",
    changes.show_keys,
    key="links_to_check" if is_to_check else "links",
    expanded=is_to_check,
)
widgets.fold(
    "All tables as a list",
    lambda: st.dataframe(
        tables.all_tables(schema),
        hide_index=True,
        key="data_tables",
        alt="Every table with its rows, columns and links",
    ),
    key="listed",
)
if schema.warnings:
    with st.expander(f"Worth knowing about this database: {len(schema.warnings)}"):
        for warning in schema.warnings:
            st.markdown(f"- {widgets.as_text(warning)}")

kept.show()
ahead.expect_tables(address, names)
ahead.fetch_parts()
