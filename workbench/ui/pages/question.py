"""Question: what is predicted, for which rows, and how the rows are split."""

import streamlit as st

from workbench.figures import split_grid_figure
from workbench.schema import Stype
from workbench.survey import grid_to_json
from workbench.task import TaskSpec
from workbench.ui import (
    ahead,
    calls,
    forecasting,
    place,
    splitting,
    tables,
    widgets,
    words,
)

OWN, LATER = "own", "later"
CHOICES = {
    OWN: "A column of my choice",
    LATER: "Something that happens later (forecast)",
}
NO_TARGETS = (Stype.ID, Stype.TIMESTAMP)

st.title("Question")
address = widgets.need_source()
with widgets.errors_shown():
    schema = calls.schema_of(address)
asked = place.question()
own = asked if isinstance(asked, TaskSpec) and not asked.forecast else None
later = asked.forecast if isinstance(asked, TaskSpec) else None

# --- what is predicted -----------------------------------------------------

ready = list(schema.tasks)
usual = asked if isinstance(asked, str) and asked in ready else None
usual = OWN if own else LATER if later else usual
labels = {name: name for name in ready} | CHOICES
choice = st.pills(
    "What to predict",
    list(labels),
    default=usual or (ready[0] if ready else OWN),
    format_func=labels.__getitem__,
    required=True,
    key="question_choice",
)
if choice == LATER:
    with widgets.errors_shown():
        spec: TaskSpec | str = forecasting.ask_forecast(
            schema, later, asked.hide if isinstance(asked, TaskSpec) else ()
        )
elif choice != OWN:
    hint = schema.tasks[choice]
    if hint.description:
        st.markdown(widgets.as_text(hint.description))
    spec = choice
else:
    left, right = st.columns(2)
    names = [table.name for table in schema.tables]
    table_of_target = own.table if own and own.table in names else names[0]
    with left:
        table = st.selectbox(
            "Table whose rows are predicted",
            names,
            index=names.index(table_of_target),
            key="question_table",
        )
    columns = [
        column.name
        for column in schema.table(table).columns
        if column.stype not in NO_TARGETS
    ]
    with right:
        column = st.selectbox(
            "Column that is predicted (target)",
            columns,
            index=columns.index(own.column) if own and own.column in columns else None,
            placeholder="Choose a column",
            key=f"question_column_{table}",
        )
    with st.expander("Which rows, what to hide, how to split", expanded=bool(own)):
        where = st.text_input(
            "Only rows where (optional)",
            value=(own.where or "") if own else "",
            placeholder="for example: year >= 1990 AND league = 'NL'",
            max_chars=500,
            key="question_where",
            help="One condition over the target's table. It is parsed, never pasted.",
        )
        everything = [
            f"{each.name}.{other.name}"
            for each in schema.tables
            for other in each.columns
        ]
        hide = st.multiselect(
            "Columns the networks may not see",
            everything,
            default=[name for name in (own.hide if own else ()) if name in everything],
            key="question_hide",
            help="Hide what is only known after the outcome.",
        )
        split = splitting.choose_split(
            schema, table, column, own.split if own else "random"
        )
        seed = st.number_input(
            "Seed of the split",
            min_value=0,
            max_value=999_999,
            value=own.split_seed if own else 0,
            key="question_seed",
            help="One split, the same for every graph, network and run.",
        )
    if column is None:
        st.info("Choose the column to predict.")
        st.stop()
    spec = TaskSpec(
        target=f"{table}.{column}",
        where=where.strip() or None,
        hide=tuple(hide),
        split=split,
        split_seed=int(seed),
    )

with widgets.errors_shown():
    question = calls.question_of(address, spec)
if spec != asked:
    place.ask(spec)
    st.rerun()

# --- what that means -------------------------------------------------------

task = question.task
forecast = task.spec.forecast
predicted = forecast.title if forecast else task.spec.target
st.divider()
widgets.show_notes(question.notes)
facts, table_of_rows = st.columns([1, 2], gap="large")
with facts:
    st.metric("Rows to predict", f"{len(task.rows):,}")
    st.markdown(
        f"**{widgets.as_text(words.TASK_TYPES[task.task_type])}**  \n"
        f"of {widgets.as_text(predicted)}"
    )
    st.caption(
        widgets.as_text(tables.task_in_words(task)),
    )
with table_of_rows:
    st.markdown("## How often each value occurs, by part of the split")
    st.dataframe(
        tables.balance(task),
        hide_index=True,
        key="question_balance",
        alt="The target's values in the training, validation and test rows",
        column_config={
            "Share": st.column_config.ProgressColumn(
                format="percent", min_value=0.0, max_value=1.0
            )
        },
    )

if question.moments:
    forecasting.show_moments(task, question.moments)
if task.grid is not None:
    chart = split_grid_figure(grid_to_json(task.grid), dark=widgets.is_dark())
    widgets.show_chart(chart, "question_grid")

st.markdown("## Suspected leaks")
if question.leaks:
    for leak in question.leaks:
        st.warning(
            widgets.as_text(
                f"{leak.column} alone scores {leak.score:.3f} ({leak.metric}) on the"
                " validation rows. If it is known only after the outcome, hide it."
            )
        )
else:
    st.caption(
        "No column alone predicts the target nearly perfectly (validation AUC or R² of"
        " .98 or more)."
    )
st.page_link(
    widgets.page_file("graphs"),
    label="See the graphs",
    icon=":material/arrow_forward:",
)
ahead.fetch_parts()
