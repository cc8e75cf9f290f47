"""The chooser of a split: plain words, the columns it can go by, and its one text."""

import streamlit as st

from workbench.errors import TaskError
from workbench.factors import factor_choices
from workbench.schema import Schema, Stype
from workbench.split import SPLITS, SplitKind, read_named, read_split, write_named
from workbench.ui import widgets


def choose_split(schema: Schema, table: str, target: str | None, written: str) -> str:
    """Draw the choice of a split and return it as a task writes it.

    Args:
        schema: The schema.
        table: The table whose rows are predicted.
        target: The column that is predicted, which no split goes by.
        written: The split as it is now.
    """
    kind, columns, values = _read(written)
    kinds = list(SplitKind)
    chosen = st.radio(
        "How the rows are split into training, validation and test",
        kinds,
        index=kinds.index(kind),
        format_func=lambda one: SPLITS[one].title,
        key="question_split",
    )
    if chosen is SplitKind.RANDOM:
        return str(chosen)
    if not chosen.holds_values_out:
        own = [column.name for column in schema.table(table).columns]
        by = _pick("By which column", own, columns[:1], f"question_by_{table}")
        return f"{chosen}:{by}"
    st.caption(SPLITS[chosen].story)
    choices = _usual_first(schema, table, target)
    named = [_pick("By which column", choices, columns[:1], f"question_by_{table}")]
    if len(chosen.num_columns) > 1 or chosen is SplitKind.COMPOSITION:
        named += _pick_second(chosen, choices, named[0], columns[1:], table)
    if chosen is SplitKind.LEAVE:
        values = _name_values(values)
    return f"{chosen}:{write_named(named, values if chosen is SplitKind.LEAVE else ())}"


def _read(written: str) -> tuple[SplitKind, tuple[str, ...], tuple[str, ...]]:
    """Return a split's parts; one that cannot be read is offered as a random one."""
    try:
        kind, named = read_split(written)
        return kind, *read_named(kind, named)
    except TaskError:
        return SplitKind.RANDOM, (), ()


def _usual_first(schema: Schema, table: str, target: str | None) -> list[str]:
    """Return what a split can go by, identifiers after what means something."""
    found = [one for one in factor_choices(schema, table) if one != target]

    def is_identifier(name: str) -> bool:
        own = {column.name: column for column in schema.table(table).columns}
        owner, _, column = name.rpartition(".")
        held = own.get(name) or schema.column(owner, column)
        return held.stype in (Stype.ID, Stype.CONSTANT)

    return sorted(found, key=is_identifier)


def _pick(label: str, choices: list[str], now: tuple[str, ...], key: str) -> str:
    index = choices.index(now[0]) if now and now[0] in choices else 0
    return st.selectbox(label, choices, index=index, key=key)


def _pick_second(
    kind: SplitKind, choices: list[str], first: str, now: tuple[str, ...], table: str
) -> list[str]:
    """Return the second column in a list, which is empty where none is needed."""
    others = [name for name in choices if name != first]
    must = kind is SplitKind.COMPOSITION
    index = others.index(now[0]) if now and now[0] in others else 0 if must else None
    second = st.selectbox(
        "And by which other column" + ("" if must else " (optional)"),
        others,
        index=index,
        placeholder="By one column alone",
        key=f"question_and_{table}_{must}",
    )
    return [] if second is None else [second]


def _name_values(now: tuple[str, ...]) -> tuple[str, ...]:
    written = st.text_input(
        "Values to test on (optional)",
        value=write_named(("",), now).partition("=")[2],
        max_chars=500,
        placeholder="for example: North|South",
        key="question_values",
        help=(
            "Parted by bars; one that holds a bar stands in double quotes. Without any,"
            " the seed draws about a fifth of the rows."
        ),
    )
    if not written.strip():
        return ()
    with widgets.errors_shown():
        return read_named(SplitKind.LEAVE, f"values={written}")[1]
