"""Design: change what becomes of a table, key or column, and see what comes of it."""

import streamlit as st

from workbench.difference import describe_difference, describe_sizes
from workbench.palette import arm_style
from workbench.ui import (
    calls,
    charts,
    deciding,
    designing,
    designs,
    drawings,
    handing,
    place,
    preview,
    tables,
    widgets,
    words,
)
from workbench.ui.diagram import draw, selection

PICTURES = ("Rings", "Tables", "List")

st.title("Design")
address = widgets.need_source()
spec = widgets.need_question()
with widgets.errors_shown():
    asked = calls.asked_of(address, spec)
st.caption(words.DESIGNING)

desk = designing.desk()
place.choose_graphs(desk.entries)
designing.show_bar(asked, desk)
blueprint = designing.plan_or_take_away(asked, desk)
chains = calls.chains_of(address, spec, desk.entry)
arms = [(asked.schema.name, designs.name_of(one)) for one in desk.entries]
style = arm_style(asked.schema.name, blueprint.name, arms)

# --- the picture, and what is decided about what was chosen in it ----------

picture, decision = st.columns([3, 2], gap="medium")
with picture:
    shown = st.segmented_control(
        "Picture",
        PICTURES,
        default=PICTURES[0],
        required=True,
        key="design_picture",
        label_visibility="collapsed",
        help="Rings: the graph, a ring a hop. Tables: what becomes of each. List: the"
        " same as a table.",
    )
    if shown == "Rings":
        clicked = selection("design_rings")
        clicked = clicked and drawings.subject_of(blueprint, clicked)
        deciding.follow_click(clicked, asked, chains)
    elif shown == "Tables":
        deciding.follow_click(selection("design_tables"), asked, chains)
with decision:
    subject = deciding.choose_subject(asked, blueprint, chains)
    st.markdown(
        f"**{widgets.as_text(deciding.question_of(asked, blueprint, subject))}**"
    )
    possible = calls.choices_of(address, spec, desk.entry, subject)
    role = deciding.show_choices(subject, possible)
    if role is not None:
        with widgets.errors_shown():
            designing.change(asked, desk, blueprint, subject, role)
with picture:
    if shown == "Rings":
        boxes, lines, rings = drawings.draw_graph(blueprint, {}, style.colour)
        draw(
            boxes,
            lines,
            key="design_rings",
            height=460,
            alt=drawings.rings_in_words(asked.schema, blueprint),
            rings=rings.rings,
            selected=subject,
        )
        st.caption(words.RINGS)
    elif shown == "Tables":
        boxes, lines = drawings.draw_decisions(asked.schema, blueprint)
        draw(
            boxes,
            lines,
            key="design_tables",
            height=drawings.height_of(boxes, 660),
            alt=drawings.rings_in_words(asked.schema, blueprint),
            selected=subject,
            movable=True,
        )
        st.caption(words.DECISIONS)
    else:
        deciding.show_list(asked, blueprint, chains)

# --- what it amounts to, next to the others --------------------------------

with widgets.errors_shown():
    surveys = {
        designs.label_of(one): calls.survey_of(address, spec, one)
        for one in desk.entries
    }
label = designs.label_of(desk.entry)
here = surveys[label]
if desk.neighbour is not None:
    other = designs.label_of(desk.neighbour)
    st.markdown(f"## Next to {widgets.as_text(other)}")
    there = surveys[other]
    phrases = describe_difference(asked.schema, there.blueprint, here.blueprint)
    sizes = describe_sizes(there.plan, here.plan)
    st.markdown(
        "\n".join(f"- {widgets.as_text(one)}" for one in (*phrases, sizes)),
    )
for warning in here.plan["warnings"]:
    st.caption(f":material/warning: {widgets.as_text(warning)}")
st.dataframe(
    tables.graph_facts(surveys),
    key="design_facts",
    height="content",
    alt="Size, reach and losses of every graph, a column each",
)
notes = st.container()
graphs = [found.plan for found in surveys.values()]
task = {"metric": asked.task.metric}
sheet = charts.Sheet(
    (charts.PREVIEW, charts.HOPS, charts.REACH),
    {asked.schema.name: {"task": task, "topologies": graphs}},
    (address, spec, desk.entries, place.hints_file()),
    widgets.is_dark(),
)
sheet.show("design_figures")

# --- as code ---------------------------------------------------------------

with st.expander("As code: the SQL and the Python that build this graph"):
    handing.show(asked, blueprint)

with st.container(horizontal=True):
    for page, text in (("graphs", "See them side by side"), ("train", "Train on them")):
        st.page_link(
            widgets.page_file(page), label=text, icon=":material/arrow_forward:"
        )

# --- what the figures show: last, so that everything else is there already --------

with st.container(gap=None, key="design_payloads"):
    sheet.send("design_sent", (charts.HOPS, charts.REACH))
    preview.send(
        sheet,
        lambda: calls.plan_of(address, spec, desk.entries),
        notes,
        "design_preview",
    )
