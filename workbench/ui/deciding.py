"""One decision of a graph: which table, key or column, and which role."""

from collections.abc import Mapping, Sequence

import streamlit as st

from workbench.blueprint import FOLLOWED, Blueprint
from workbench.design import Choice, Kind, Role, kind_of
from workbench.sketch import Asked
from workbench.ui import tables, widgets, words

Chains = Mapping[str, tuple[str, str]]
TABLE, CLICKED = "design_table", "design_clicked"
WHAT = {Kind.KEY: "key", Kind.COLUMN: "column", Kind.PATH: "chain of keys"}


def follow_click(chosen: str | None, asked: Asked, chains: Chains) -> None:
    """Let a click in a picture move the lists; after that the lists decide."""
    if chosen is None or chosen == st.session_state.get(CLICKED):
        return
    st.session_state[CLICKED] = chosen
    _look_at(chosen, asked, chains)


def choose_subject(asked: Asked, blueprint: Blueprint, chains: Chains) -> str:
    """Draw the lists of tables and of what belongs to one; return what is chosen."""
    names = [one.subject for one in blueprint.tables]
    if st.session_state.get(TABLE) not in names:
        others = [name for name in names if name != blueprint.target]
        st.session_state[TABLE] = (others or names)[0]
    table = st.selectbox("Table", names, key=TABLE, help="Or click in the picture.")
    subjects = _subjects_of(asked, chains, table)
    key = _subject_key(table)
    if st.session_state.get(key) not in subjects:
        st.session_state[key] = table
    return st.selectbox(
        "Of it: the table itself, a key, a column or a chain of keys",
        list(subjects),
        format_func=subjects.__getitem__,
        key=key,
    )


def question_of(asked: Asked, blueprint: Blueprint, subject: str) -> str:
    """Return the question that a decision answers."""
    kind = kind_of(asked.schema, asked.task.spec, blueprint, subject)
    what = "rows of" if kind is Kind.TABLE else WHAT[kind]
    return f"What becomes of the {what} {subject}?"


def show_choices(subject: str, found: Sequence[Choice]) -> Role | None:
    """Draw the roles with what each would change; return the one that was pressed."""
    pressed = None
    for one in found:
        if one.refused:
            continue
        if st.button(
            words.role(one.role),
            key=f"design_role_{subject}_{one.role}",
            disabled=one.is_current,
            icon=":material/check:" if one.is_current else None,
            width="stretch",
        ):
            pressed = one.role
        said = "As it is now." if one.is_current else "; ".join(one.changes)
        st.caption(widgets.as_text(said))
    refused = [one for one in found if one.refused]
    if refused:
        st.markdown("**Not possible here**")
    for one in refused:
        st.caption(widgets.as_text(f"{words.role(one.role)}: {one.refused}"))
    return pressed


def show_list(asked: Asked, blueprint: Blueprint, chains: Chains) -> None:
    """Draw every decision as a row; choosing one moves the lists."""
    frame = tables.decisions_of(asked.schema, blueprint)
    state = f"design_list_{blueprint.hash}"

    def chosen() -> None:
        rows = st.session_state[state]["selection"]["rows"]
        if rows:
            _look_at(str(frame["What"].iloc[rows[0]]), asked, chains)

    st.dataframe(
        frame,
        hide_index=True,
        key=state,
        height=460,
        on_select=chosen,
        selection_mode="single-row",
        alt=f"The {len(frame)} decisions of the graph {blueprint.name}",
    )


def _look_at(subject: str, asked: Asked, chains: Chains) -> None:
    for table in asked.schema.tables:
        if subject in _subjects_of(asked, chains, table.name):
            st.session_state[TABLE] = table.name
            st.session_state[_subject_key(table.name)] = subject
            return


def _subjects_of(asked: Asked, chains: Chains, table: str) -> dict[str, str]:
    """Return what can be decided about a table, each with how it is listed."""
    found = {table: f"the table {table}"}
    for key in asked.schema.keys_from(table):
        found[key.id] = f"key {'+'.join(key.columns)} → {key.ref_table}"
    for column in asked.schema.table(table).columns:
        found[f"{table}.{column.name}"] = f"column {column.name}"
    for chain, (start, end) in chains.items():
        if start == table:
            length = chain.count(FOLLOWED) + 1
            found[chain] = f"chain of {length} keys to {end}: {chain}"
    return found


def _subject_key(table: str) -> str:
    return f"design_subject_{table}"
