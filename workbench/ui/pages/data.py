"""Data: open a database and see what it holds."""

import streamlit as st

from workbench.errors import WorkbenchError
from workbench.samples import SAMPLES
from workbench.ui import calls, drawings, place, tables, widgets, words
from workbench.ui.diagram import draw, selection

PAGE_WIDTH = 1080  # pixels that a drawing has on a window of 1280

st.title("Data")

try:
    address = place.source_address()
except WorkbenchError as error:
    st.warning(widgets.as_text(str(error)))
    address = None

# --- opening one -----------------------------------------------------------

with st.expander(
    "Open another database" if address else "Open a database",
    expanded=address is None,
    icon=":material/database:",
):
    st.markdown("**A sample**, to see how it works")
    with st.grid(min_column_width=300, gap="small"):
        for sample in SAMPLES.values():
            with st.container(border=True, height="stretch"):
                st.markdown(f"**{widgets.as_text(sample.title)}**")
                st.caption(widgets.as_text(sample.story))
                if st.button(f"Open {sample.name}", key=f"data_open_{sample.name}"):
                    place.open_source(f"sample:{sample.name}")
                    st.rerun()
    st.markdown("**A file of your own**: a SQLite database (.sqlite, .db)")
    upload = st.file_uploader(
        "SQLite database",
        type=["sqlite", "sqlite3", "db", "db3"],
        max_upload_size=place.MAX_UPLOAD_MB,
        key="data_upload",
        label_visibility="collapsed",
    )
    st.caption(f"{words.WHAT_IS_READ} {words.PROMISE}")
    if upload is not None and upload.file_id != st.session_state.get("data_taken"):
        with widgets.errors_shown():
            name = place.keep_upload(upload.name, upload.getvalue())
        st.session_state["data_taken"] = upload.file_id
        place.open_source(name)
        st.rerun()

if address is None:
    st.stop()

# --- what it holds ---------------------------------------------------------

with widgets.errors_shown():
    schema = calls.schema_of(address)

if not schema.tables:
    st.warning(words.NO_TABLES)
    st.stop()

heading, following = st.columns([4, 1], vertical_alignment="center")
heading.subheader(widgets.as_text(schema.name))
following.page_link(
    widgets.page_file("question"),
    label="Say what to predict",
    icon=":material/arrow_forward:",
)

if not any(table.num_rows for table in schema.tables):
    st.warning(words.NO_ROWS)
if len(schema.tables) == 1:
    st.info(words.ONE_TABLE)
elif not schema.foreign_keys:
    st.info(words.NO_KEYS)

names = [table.name for table in schema.tables]
many = len(names) > 12
clicked = selection("data_schema")
if clicked in names and clicked != st.session_state.get("data_clicked"):
    # A click in the drawing moves the list; after that the list decides.
    st.session_state["data_clicked"] = st.session_state["table"] = clicked
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
    "Table", names, key="table", bind="query-params", help="Or click a card."
)
boxes, lines = drawings.draw_schema(schema, detail)
draw(
    boxes,
    lines,
    key="data_schema",
    height=drawings.height_of(boxes, PAGE_WIDTH),
    alt=f"The {len(names)} tables of {schema.name} and"
    f" {len(schema.foreign_keys)} links between them.",
    selected=chosen,
)
st.caption(
    "An arrow points from a row to the row it refers to (a foreign key). Solid:"
    " declared in the database. Dashed: named by a hint file, not declared."
)

table = schema.table(chosen)
st.markdown(f"#### {widgets.as_text(chosen)}")
facts, links = st.columns(2)
facts.caption(widgets.as_text(tables.table_in_words(table)))
links.caption(
    "  \n".join(widgets.as_text(link) for link in tables.links_of(schema, chosen))
    or "No link leads here or away from here."
)
for warning in schema.warnings:
    if chosen in warning:
        st.warning(widgets.as_text(warning))

st.markdown("**Columns**")
st.dataframe(
    tables.columns_of(schema, table),
    hide_index=True,
    key="data_columns",
    alt=f"The columns of {chosen} with types and evidence",
    column_config={"Why this type": st.column_config.TextColumn(width="large")},
)
st.markdown("**First rows**")
with widgets.errors_shown():
    st.dataframe(
        calls.rows_of(address, chosen),
        hide_index=True,
        key="data_rows",
        alt=f"The first rows of {chosen}",
    )

with st.expander("All tables as a list"):
    st.dataframe(
        tables.all_tables(schema),
        hide_index=True,
        key="data_tables",
        alt="Every table with its rows, columns and links",
    )
if schema.warnings:
    with st.expander(f"{len(schema.warnings)} things to know about this database"):
        for warning in schema.warnings:
            st.markdown(f"- {widgets.as_text(warning)}")
