"""The Question page's forecast: a sentence of controls, and the moments it asks at."""

from collections.abc import Sequence

import pandas as pd
import streamlit as st

from workbench.figures import moments_figure
from workbench.forecast import (
    DEFAULT_SEED_TIMES,
    FEWEST_SEED_TIMES,
    UNITS,
    Forecast,
    Outcome,
)
from workbench.hints import forecast_task
from workbench.schema import Schema, Stype
from workbench.seeds import Moment
from workbench.task import Task, TaskSpec, TaskType
from workbench.ui import widgets, words

MOST_SEED_TIMES = 60
USUAL = "30d"


def ask_forecast(
    schema: Schema, asked: Forecast | None, hide: Sequence[str]
) -> TaskSpec:
    """Return what the controls say, or end the page with the way to a confirmed time.

    Args:
        schema: The database.
        asked: The forecast in the page's address, if any.
        hide: The columns hidden there.

    Raises:
        TaskError: What they say is no forecast.
    """
    pairs = [
        (key.ref_table, key.table)
        for key in schema.foreign_keys
        if schema.table(key.table).time_column
        and schema.table(key.ref_table).primary_key
    ]
    if not pairs:
        widgets.empty_state(words.NO_EVENTS, "data", "Confirm a time on the Data page")
    entity, seed_times = _whom(list(dict.fromkeys(one for one, _ in pairs)), asked)
    events, what, by, within = _what(
        schema, entity, [one for whom, one in dict.fromkeys(pairs) if whom == entity],
        asked,
    )  # fmt: skip
    with st.expander("Which rows count, who is asked about, when", expanded=False):
        where = st.text_input(
            f"Only rows of {widgets.as_text(events)} where (optional)",
            value=(asked.where or "") if asked else "",
            placeholder="for example: status = 'paid' AND amount > 0",
            max_chars=500,
            key="forecast_where",
            help="One condition over the later rows. It is parsed, never pasted.",
        )
        active = st.checkbox(
            "Ask only about those who had such a row just before (active)",
            value=asked.active if asked else False,
            key="forecast_active",
            help="In the window before the moment. Otherwise about all who exist by"
            " then: by their own time, or without one by their first such row.",
        )
        every = st.text_input(
            "Moments this far apart (optional)",
            value=(asked.every or "") if asked else "",
            placeholder=f"as far as one looks ahead: {within}",
            max_chars=10,
            key="forecast_every",
        )
        until = st.text_input(
            "The last window ends on (optional)",
            value=(asked.until or "") if asked else "",
            placeholder="the time of the last row, such as 2024-12-31",
            max_chars=30,
            key="forecast_until",
        )
        everything = [
            f"{table.name}.{column.name}"
            for table in schema.tables
            for column in table.columns
        ]
        hidden = st.multiselect(
            "Columns the networks may not see",
            everything,
            default=[name for name in hide if name in everything],
            key="forecast_hide",
            help="Hide what is filled in or changed later: a row's own columns are"
            " shown as they are now.",
        )
    return forecast_task(
        Forecast(
            what=what,
            events=events,
            entity=entity,
            within=within,
            by=by,
            seed_times=seed_times,
            every=every.strip() or None,
            where=where.strip() or None,
            active=active,
            until=until.strip() or None,
        ),
        tuple(hidden),
    )


def show_moments(task: Task, moments: Sequence[Moment]) -> None:
    """Draw the moments of a forecast in time, with a table beside."""
    st.markdown("## The moments it is asked at (seed times)")
    widgets.show_chart(
        moments_figure(task, moments, dark=widgets.is_dark()), "question_moments"
    )
    told = "Share with any" if task.task_type is TaskType.BINARY else "Mean label"
    with st.expander("As a table"):
        st.dataframe(
            pd.DataFrame(
                [
                    {
                        "Moment": one.time,
                        "Part": words.SPLIT_PARTS[one.side],
                        "Rows": one.num_rows,
                        told: one.mean,
                    }
                    for one in moments
                ]
            ),
            hide_index=True,
            key="question_moments_table",
            alt="The seed times with their part of the split, rows and labels",
        )


def _whom(entities: list[str], asked: Forecast | None) -> tuple[str, int]:
    """Return who is asked about, and at how many moments."""
    left, right = st.columns(2)
    with left:
        entity = st.selectbox(
            "For every row of",
            entities,
            index=_place(entities, asked.entity if asked else None),
            key="forecast_entity",
        )
    with right:
        number = st.number_input(
            "at so many moments (seed times)",
            min_value=FEWEST_SEED_TIMES,
            max_value=MOST_SEED_TIMES,
            value=min(asked.seed_times, MOST_SEED_TIMES)
            if asked
            else DEFAULT_SEED_TIMES,
            key="forecast_moments",
            help="The last ones are tested on, those before them choose the depth, the"
            " others train.",
        )
    return entity, int(number)


def _what(
    schema: Schema, entity: str, choices: list[str], asked: Forecast | None
) -> tuple[str, str, str | None, str]:
    """Return the events, what is told of them, by which key, and the window."""
    first, number_of, second, third, fourth = st.columns([3, 2, 3, 1, 1])
    with first:
        outcome = st.selectbox(
            "ask (what is predicted)",
            list(words.OUTCOMES),
            index=_place(list(words.OUTCOMES), asked.outcome if asked else None),
            format_func=words.OUTCOMES.__getitem__,
            key="forecast_outcome",
        )
    with second:
        events = st.selectbox(
            "in the later rows of (events)",
            choices,
            index=_place(choices, asked.events if asked else None),
            key=f"forecast_events_{entity}",
        )
    what = str(outcome)
    with number_of:
        if outcome in (Outcome.SUM, Outcome.MEAN):
            what = f"{outcome}:{_column(schema, events, asked) or ''}"
        else:
            st.selectbox(
                "of which number", ["rows"], disabled=True, key="forecast_column_none"
            )
    usual = asked.within.strip() if asked else USUAL
    with third:
        number = st.number_input(
            "within",
            min_value=1,
            max_value=99_999,
            value=int(usual[:-1]),
            key="forecast_length",
        )
    with fourth:
        unit = st.selectbox(
            "unit",
            list(UNITS),
            index=list(UNITS).index(usual[-1]),
            format_func=words.SPANS.__getitem__,
            key="forecast_unit",
        )
    return events, what, _key(schema, entity, events, asked), f"{number}{unit}"


def _column(schema: Schema, events: str, asked: Forecast | None) -> str | None:
    """Return the column that is added up, or None where none holds numbers."""
    columns = [
        column.name
        for column in schema.table(events).columns
        if column.stype is Stype.NUMERICAL
    ]
    return st.selectbox(
        "of which number",
        columns,
        index=_place(columns, asked.column if asked else None),
        placeholder="No column holds numbers",
        key=f"forecast_column_{events}",
    )


def _key(
    schema: Schema, entity: str, events: str, asked: Forecast | None
) -> str | None:
    """Return the key from the events to who is asked about, where there are several."""
    keys = [
        "+".join(key.columns)
        for key in schema.keys_from(events)
        if key.ref_table == entity
    ]
    if len(keys) == 1:
        return None
    return st.selectbox(
        "told by the link (foreign key)",
        keys,
        index=_place(keys, asked.by if asked else None),
        key=f"forecast_key_{events}_{entity}",
    )


def _place(choices: Sequence[str], wanted: str | None) -> int:
    return choices.index(wanted) if wanted in choices else 0
