"""Graphs: the same rows as several graphs, before anything trains."""

from collections.abc import Mapping
from functools import partial
from typing import Any

import streamlit as st

from workbench.blueprint import Blueprint
from workbench.palette import EXPLANATIONS, arm_style, topology_label
from workbench.ui import (
    ahead,
    beginning,
    calls,
    charts,
    designs,
    drawings,
    place,
    preview,
    tables,
    widgets,
)
from workbench.ui.diagram import draw


def show_table(name: str, graph: Blueprint, plan: Mapping[str, Any]) -> None:
    """Draw what a graph is made of as tables, and the file that says so."""
    st.dataframe(
        tables.graph_links(plan),
        hide_index=True,
        key=f"graphs_links_{name}",
        alt=f"The edge types of {name} with their counts",
    )
    st.dataframe(
        tables.graph_tables(graph),
        hide_index=True,
        key=f"graphs_tables_{name}",
        alt=f"What {name} makes of every table, and why",
    )
    st.download_button(
        "This graph as a file (TOML)",
        graph.to_toml(),
        file_name=f"{name}.toml",
        mime="application/toml",
        key=f"graphs_save_{name}",
        on_click="ignore",
    )


st.title("Graphs")
address = widgets.need_source()
spec = widgets.need_question()
beginning.show_proposal(address)

names = st.pills(
    "Which graphs to compare (topologies), two to four",
    designs.offered(place.graphs()),
    selection_mode="multi",
    default=list(place.graphs()),
    format_func=designs.label_of,
    key="graphs_chosen",
    wrap=True,
)
if len(names) > place.MAX_GRAPHS:
    st.warning(
        "Four graphs fit side by side; the last one chosen is not shown. Take one away"
        " to see it."
    )
    names = names[: place.MAX_GRAPHS]
if not names:
    st.info("Choose a graph to see it.")
    st.stop()
place.choose_graphs(names)

with widgets.errors_shown():
    planned = calls.plan_of(address, spec, names)
source, document = next(iter(planned.plans.items()))
plans = {plan["name"]: plan for plan in document["topologies"]}
arms = [(source, arm.topology) for arm in planned.arms]

widgets.show_notes(planned.notes)
for leak in planned.leaks:
    st.warning(widgets.as_text(f"Suspected leak: {leak}."))

crowded = any(len(plan["nodes"]) > 10 for plan in plans.values())
columns = st.columns(min(len(names), 2 if crowded or len(names) == 4 else 3))
for index, arm in enumerate(planned.arms):
    plan = plans[arm.topology]
    style = arm_style(source, arm.topology, arms)
    with columns[index % len(columns)], st.container(border=True):
        st.markdown(f"## {widgets.as_text(topology_label(arm.topology))}")
        st.caption(widgets.as_text(EXPLANATIONS.get(arm.topology, "your own graph")))
        counted = tables.size_in_words(plan)
        st.markdown(widgets.as_text(counted))
        boxes, lines, rings = drawings.draw_graph(
            arm.blueprint, plan["nodes"], style.colour
        )
        draw(
            boxes,
            lines,
            key=f"graphs_drawing_{arm.topology}",
            height=560 if crowded else 400,
            alt=drawings.graph_in_words(arm.blueprint, plan),
            rings=rings.rings,
        )
        if st.button(
            "Change this graph",
            key=f"graphs_change_{arm.topology}",
            icon=":material/edit:",
        ):
            st.switch_page(
                widgets.page_file("design"), query_params={place.DESIGN: str(index)}
            )
        for warning in plan["warnings"]:
            st.caption(f":material/warning: {widgets.as_text(warning)}")
        widgets.fold(
            "As a table",
            partial(show_table, arm.topology, arm.blueprint, plan),
            key=f"graphs_table_{arm.topology}",
        )
st.caption(
    "The target stands in the middle. A ring is a hop: a network of depth k sees what"
    " lies within ring k. Circles are rows, diamonds are values; a thick line is a row"
    " that became an edge. Hover or click to see which key a line is."
)

notes = st.container()
sheet = charts.sheet_of(planned, is_dark=widgets.is_dark())
sheet.show("graphs_figures")
with st.container(horizontal=True):
    for page, text in (("row", "Look at one row"), ("train", "Train on these graphs")):
        st.page_link(
            widgets.page_file(page), label=text, icon=":material/arrow_forward:"
        )

# --- what the figures show: last, so that everything else is there already --------

with st.container(gap=None, key="graphs_payloads"):
    sheet.send("graphs_sent", (charts.HOPS, charts.REACH, charts.WALK))
    preview.send(sheet, lambda: planned, notes, "graphs_preview")
ahead.expect_choices(address, spec, names)
