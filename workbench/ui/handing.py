"""Handing a graph over: as SQL and as Python, with the rows that both read."""

import shlex

import streamlit as st

from workbench.blueprint import Blueprint
from workbench.handover import hand_over_sketch
from workbench.sketch import Asked, render_recipe
from workbench.ui import downloads, widgets, words


def show(asked: Asked, blueprint: Blueprint) -> None:
    """Draw a graph's code and what can be downloaded of it."""
    rows = f"{asked.schema.name}.duckdb"
    with widgets.errors_shown():
        recipe = render_recipe(asked, blueprint, rows)
    st.caption(widgets.as_text(words.AS_CODE))
    for note in recipe.notes:
        st.caption(widgets.as_text(note))
    offers = (
        ("Python (PyG)", recipe.script, f"{blueprint.name}.py", "text/x-python"),
        ("SQL (DuckDB)", recipe.sql, f"{blueprint.name}.sql", "application/sql"),
    )
    with st.container(horizontal=True):
        for label, text, name, mime in offers:
            st.download_button(
                label,
                text,
                file_name=name,
                mime=mime,
                key=f"design_code_{mime}",
                icon=":material/download:",
                on_click="ignore",
            )
        st.download_button(
            f"The rows ({rows})",
            asked.snapshot.read_bytes,
            file_name=rows,
            mime="application/octet-stream",
            key="design_rows",
            icon=":material/download:",
            on_click="ignore",
        )
    with st.container(horizontal=True):
        for offer in downloads.handovers_of_graph(hand_over_sketch(asked, blueprint)):
            downloads.show(offer, "design_hand")
    st.caption(words.HANDED_GRAPH)
    st.code(shlex.join(["python", f"{blueprint.name}.py", rows]), language="bash")
    script, sql = st.tabs(["Python (PyG)", "SQL (DuckDB)"], key="design_code")
    with script:
        st.code(recipe.script, language="python", height=420)
    with sql:
        st.code(recipe.sql, language="sql", height=420)
