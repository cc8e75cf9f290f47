"""Planting a signal: made-up rows for a schema, with an answer that is known."""

import streamlit as st

from workbench.hints import read_hints
from workbench.planting.plant import Plant, Variant, plant_signal
from workbench.schema import Schema, Stype
from workbench.ui import calls, place, widgets

VARIANTS = {
    Variant.PLAIN: "one column far away decides (plain)",
    Variant.GRADED: "every table on the way has a say (graded)",
}
FEATURES = (Stype.ID, Stype.CONSTANT)
NUM_ROWS = 500


def show(schema: Schema, expanded: bool) -> None:
    """Draw the form; rows that were made up are opened like any database."""
    widgets.fold(
        "Plant a signal in made-up rows",
        lambda: _show_form(schema),
        key="plant_first" if expanded else "plant_also",
        expanded=expanded,
        icon=":material/spa:",
    )


def _show_form(schema: Schema) -> None:
    st.caption(
        "Rows are made up for these tables, with every key valid, and a label that"
        " depends on one column and on nothing else. You then see whether networks"
        " find it, and how deep they must be; the best possible score is a line in"
        " every figure. Everything else about such rows is noise."
    )
    names = [table.name for table in schema.tables]
    left, right = st.columns(2)
    target = left.selectbox(
        "Rows that get the label",
        names,
        index=names.index(_outermost(schema)),
        key="plant_target",
    )
    columns = [
        f"{table.name}.{column.name}"
        for table in schema.tables
        if table.name != target
        for column in table.columns
        if column.stype not in FEATURES
    ]
    signal = right.selectbox(
        "Column that decides it (signal)", columns, key="plant_signal"
    )
    left, middle, right = st.columns(3)
    variant = left.selectbox(
        "How", list(VARIANTS), format_func=VARIANTS.__getitem__, key="plant_how"
    )
    noise = middle.slider(
        "Labels turned over (noise)", 0.0, 0.45, 0.1, 0.05, key="plant_noise"
    )
    rows = right.number_input(
        "Groups of rows", 50, 20_000, NUM_ROWS, 50, key="plant_rows"
    )
    if st.button("Plant it", key="plant_start", type="primary") and signal:
        _plant(schema, Plant(target, signal, variant, noise, int(rows)))


def _outermost(schema: Schema) -> str:
    """Return the table that refers most and is referred to least: it sees the most."""
    return max(
        schema.tables,
        key=lambda table: (
            len(schema.keys_from(table.name)) - 2 * len(schema.keys_into(table.name))
        ),
    ).name


def _plant(schema: Schema, request: Plant) -> None:
    path = place.new_file(f"planted-{schema.name}.sqlite")
    with widgets.errors_shown(), st.spinner("Making up rows…"):
        planted = plant_signal(schema, request, path)
        name = calls.open_source(
            str(path), shown=f"planted in {schema.name} ({request.signal})"
        )
    place.open_source(name)
    place.change_hints(read_hints(planted.hints))
    place.ask(planted.task.name)
    st.rerun()
