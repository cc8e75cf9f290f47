"""The pieces of the page about one row."""

from __future__ import annotations

from html import escape
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
import streamlit as st

from workbench.answers import asked_before
from workbench.errors import WorkbenchError
from workbench.lookup import NamedRow
from workbench.moments import date_text
from workbench.neighbourhood import Neighbourhood
from workbench.palette import NEUTRAL, STEPS, topology_label
from workbench.task import TEST, TaskType
from workbench.ui import calls, designs, place, row_drawing, rows, widgets, words
from workbench.ui.diagram import draw
from workbench.ui.row_drawing import LATER, Colouring, Shown

if TYPE_CHECKING:
    from workbench.sketch import Asked, LaidGraph

DRAWING_HEIGHT = 460


def current_row(asked: Asked) -> int:
    """Return the row in the page's address; without one the first test row.

    Raises:
        DatabaseError: The address names a row that is not there.
    """
    key = place.read(place.ROW)
    if key is not None:
        return rows.row_with_key(asked, key)
    return int(asked.task.rows[np.flatnonzero(asked.task.split == TEST)[0]])


def choose_row(asked: Asked, current: int) -> NamedRow:
    """Draw the search and the list of what it found; return the row chosen."""
    table = asked.task.spec.table
    search, listed, step = st.columns([2, 2, 1], vertical_alignment="bottom")
    text = search.text_input(
        f"Find a row of {widgets.as_text(table)} by its key or a text",
        max_chars=100,
        key="row_search",
        placeholder="a key, or a few letters",
    )
    here = rows.named_row(asked, current)
    found = {here.key: here} | {one.key: one for one in rows.found_rows(asked, text)}
    if text.strip() and set(found) == {here.key}:
        search.caption(f"Nothing else of {widgets.as_text(table)} holds that.")
    step.button(
        "Next row",
        key="row_next",
        icon=":material/skip_next:",
        on_click=_go_to_next,
        args=(asked, current),
    )
    st.session_state["row_choice"] = here.key
    listed.selectbox(
        "Row",
        list(found),
        format_func=lambda key: found[key].text if key in found else key,
        key="row_choice",
        on_change=_go_to_choice,
    )
    return here


def _go_to_next(asked: Asked, current: int) -> None:
    after = asked.task.rows[np.searchsorted(asked.task.rows, current, "right") :]
    following = int(after[0] if len(after) else asked.task.rows[0])
    place.write({place.ROW: rows.named_row(asked, following).key})


def _go_to_choice() -> None:
    place.write({place.ROW: st.session_state["row_choice"]})


def choose_pair() -> list[str]:
    """Draw the lists of graphs and return the two to look at, the left one first."""
    offered = designs.offered(tuple(dict.fromkeys((*place.graphs(), *place.pair()))))
    sides = ("On the left", "row_left"), ("On the right", "row_right")
    pair = [
        column.selectbox(
            label,
            offered,
            index=offered.index(wanted),
            format_func=designs.label_of,
            key=key,
        )
        for column, (label, key), wanted in zip(
            st.columns(2), sides, place.pair(), strict=True
        )
    ]
    place.choose_pair(pair)
    return pair


def show_row(asked: Asked, row: NamedRow) -> None:
    """Say what is known of a row: its label, its part, and when it is predicted."""
    task = asked.task
    at = np.flatnonzero(task.rows == row.row)
    name = f"{task.spec.table} {row.text}"
    if not len(at):
        st.markdown(widgets.as_text(f"{name}: {words.NOT_PREDICTED}"))
        return
    label, part = task.labels[at[0]], words.SPLIT_PARTS[task.split[at[0]]]
    is_number = task.task_type is TaskType.REGRESSION
    said = f"{label:g}" if is_number else task.classes[int(label)]
    parts = [f"{name}: {task.spec.column} is {said}", f"part: {part.lower()}"]
    moment = np.inf if task.times is None else float(task.times[at[0]])
    if np.isfinite(moment):
        parts.append(f"predicted from what was known on {date_text(moment)}")
    st.markdown(widgets.as_text("; ".join(parts) + "."))


def show_side(
    asked: Asked,
    laid: LaidGraph,
    found: Neighbourhood,
    colouring: Colouring,
    key: str,
) -> None:
    """Draw a row's neighbourhood in one graph, what enters at each hop, and a node."""
    blueprint, links = laid.blueprint, laid.links
    chosen = row_drawing.choose_nodes(found, links)
    names = _names(asked, laid, chosen[0])
    boxes, lines, rings = row_drawing.draw_neighbourhood(
        blueprint, links, found, chosen, names, colouring
    )
    st.markdown(widgets.as_text(found.sentence))
    clicked = draw(
        boxes,
        lines,
        key=key,
        height=DRAWING_HEIGHT,
        alt=f"What the row hears in {blueprint.name}. {found.sentence}",
        rings=rings.rings,
    )
    _show_clicked(asked, laid, clicked)
    st.dataframe(
        entering(found),
        hide_index=True,
        key=f"{key}_entering",
        height="content",
        alt=f"What enters at each hop in {blueprint.name}",
    )


def entering(found: Neighbourhood) -> pd.DataFrame:
    """Return a row per hop and table: what is new there, and what is kept away."""
    names = {
        "num_seen": "New rows",
        "num_cut": "Sampled away",
        "num_later": "Came later (hidden)",
    }
    frame = pd.DataFrame(
        [
            {
                "Hop": one.hop,
                "Table": one.table,
                **{said: getattr(one, name) for name, said in names.items()},
            }
            for one in found.entering
        ]
    )
    kept = [said for said in list(names.values())[1:] if frame[said].any()]
    return frame[["Hop", "Table", "New rows", *kept]]


def _names(asked: Asked, laid: LaidGraph, shown: tuple[Shown, ...]) -> dict[str, str]:
    """Return what every node drawn is called, by its id."""
    by_type: dict[str, list[Shown]] = {}
    for one in shown:
        by_type.setdefault(one.node, []).append(one)
    named = rows.names_of(
        asked,
        laid.blueprint,
        {name: [one.place for one in ones] for name, ones in by_type.items()},
    )
    return {
        one.id: said
        for name, ones in by_type.items()
        for one, said in zip(ones, named[name], strict=True)
    }


def _show_clicked(asked: Asked, laid: LaidGraph, clicked: str | None) -> None:
    """Show the values of the row that was clicked."""
    found = _row_behind(asked, laid, clicked or "")
    if found is None:
        st.caption(words.CLICK_A_NODE)
        return
    table, row = found
    values = rows.values_of(asked, table, row)
    said = ["" if one is None else str(one) for one in values.values()]
    with st.expander(f"{widgets.as_text(table)}, row {row:,}", expanded=True):
        st.dataframe(
            pd.DataFrame({"Column": list(values), "Value": said}),
            hide_index=True,
            height="content",
            alt=f"The values of row {row} of {table}",
        )


def _row_behind(asked: Asked, laid: LaidGraph, clicked: str) -> tuple[str, int] | None:
    """Return the table and row that a node or line stands for, or None."""
    link = row_drawing.link_of(laid.blueprint, clicked)
    if link is not None:
        return rows.row_of_link(asked, laid, *link)
    node, _, place_text = clicked.rpartition("#")
    known = {rule.name for rule in laid.blueprint.nodes}
    if node not in known or not place_text.isdigit():
        return None
    table = rows.table_of(laid.blueprint, node)
    return None if table is None else (table, int(place_text))


def show_legend(
    colouring: Colouring, depth: int, is_sampled: bool, asked: Asked
) -> None:
    """Say what the colours mean."""
    timed = asked.task.times is not None
    if colouring is Colouring.HOP:
        said = [
            (STEPS[min(hop, len(STEPS)) - 1], "1 hop" if hop == 1 else f"{hop} hops")
            for hop in range(1, depth + 1)
        ]
    else:
        said = [
            (STEPS[0], "newest"),
            *((colour, "") for colour in STEPS[1:-1]),
            (STEPS[-1], "oldest"),
            (NEUTRAL, "no time"),
        ]
    if is_sampled:
        said.append((NEUTRAL, "sampled away (pale)"))
    if timed:
        said.append((LATER, "came later, not heard (pale)"))
    st.html(
        '<div style="display:flex;flex-wrap:wrap;gap:.35rem 1rem;font-size:.85rem">'
        + "".join(
            f'<span style="display:inline-flex;gap:.4rem;align-items:center">'
            f'<span style="width:12px;height:12px;border-radius:6px;'
            f'background:{colour}"></span>{escape(text)}</span>'
            for colour, text in said
        )
        + "</div>"
    )
    st.caption(words.ROW_PICTURE)


def show_answers(asked: Asked, row: NamedRow) -> None:
    """Show what trained networks said of the row, where there is such a study."""
    try:
        results = calls.results_in(place.results())
    except WorkbenchError:
        return  # the pages of the study say so, with the way out
    source = asked_before(results, asked.schema.fingerprint, asked.task)
    if source is None:
        return
    answers = rows.answers_in(results.folder, source, row.key)
    st.markdown("## What trained networks said of it")
    if answers.empty:
        st.caption(words.NO_TEST_ROW)
        return
    st.dataframe(
        pd.DataFrame(
            {
                "Graph (topology)": answers["topology"].map(topology_label),
                "Network (model)": answers["model"],
                "Remedy": answers["remedy"],
                "Depth (layers)": answers["depth"],
                "True": answers["label"],
                "Predicted": answers["prediction"],
                "Runs that say so": answers["share_alike"],
                "Runs (seeds)": answers["num_runs"],
            }
        ),
        hide_index=True,
        key="row_answers",
        height="content",
        column_config={
            "Runs that say so": st.column_config.NumberColumn(format="percent")
        },
        alt=f"What each network predicted for {row.text}",
    )
    st.caption(words.ANSWERS)
