"""A run as it goes: how far, how long still, every cell, and the end.

The end is drawn here, inside the fragment that asks again and again. Drawing it
outside after a rerun looks simpler, but a last tick under way can then make the browser
drop it.
"""

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import pandas as pd
import streamlit as st

from workbench.comparison import STOPPED_EARLY
from workbench.figures import live_figure
from workbench.palette import topology_label
from workbench.progress import CellProgress, Progress, read_progress
from workbench.queue import advance, cancel, give_up, resubmit
from workbench.studies import Entry, StudyState, look_up
from workbench.study import Study
from workbench.ui import place, visitor, widgets, words

EVERY_S = 1.0
UNDER_WAY = ("queued", "running")


def beside(study: Study) -> Study:
    """Return a study that names its topology files as they lie beside it."""
    return replace(
        study,
        arms=tuple(
            replace(arm, topology=Path(arm.topology).name) for arm in study.arms
        ),
    )


def show(identifier: str) -> None:
    """Draw a run as it is now.

    The places are the same in every state: a tick that is overtaken by the next one
    then leaves no hole that the browser stumbles over.
    """
    shelf = visitor.shelf()
    entry = look_up(shelf, identifier)
    head, actions, cells, one, curves, notes = (st.container() for _ in range(6))
    state = read_progress(shelf.folder(identifier))
    with head:
        st.markdown(f"**{widgets.as_text(entry.title)}**")
        _show_head(entry, state)
    with actions:
        if entry.is_live:
            _offer_cancel(entry)
        else:
            _show_end(entry)
    if entry.state is StudyState.QUEUED:
        advance(shelf)  # whoever started the next one may have been killed
    elif state is not None:
        with cells:
            _show_grid(entry, state)
        with one:
            if entry.is_live:
                _offer_cancel_one(entry, state.cells)
        with curves:
            _show_curves(state)
        with notes:
            _show_reasons(state.cells)


def grid(cells: Sequence[CellProgress]) -> pd.DataFrame:
    """Return a row per graph and network, a column per depth, a sign per seed."""
    shown: dict[str, dict[str, str]] = {}
    for cell in cells:
        row = shown.setdefault(_series(cell), {})
        depth = f"depth {cell.depth}"
        row[depth] = row.get(depth, "") + words.STATES[cell.state][0]
    return pd.DataFrame.from_dict(shown, orient="index")


def _series(cell: CellProgress) -> str:
    parts = [topology_label(cell.topology), cell.model]
    parts += [] if cell.remedy == "none" else [cell.remedy]
    return " · ".join(parts)


def _headline(state: Progress, alive: bool) -> str:
    said = [f"{words.PHASES[state.phase]}: {state.done} of {state.total} finished"]
    if alive and state.phase == "training":
        left = state.seconds_left
        said.append(
            words.duration(left) if left is None else f"{words.duration(left)} left"
        )
    return " · ".join(said)


def _show_head(entry: Entry, state: Progress | None) -> None:
    if entry.state is StudyState.QUEUED:
        st.info(words.ahead(entry.ahead))
    elif state is not None:
        share = state.done / state.total if state.total else 0.0
        st.progress(share, text=_headline(state, entry.is_live))
    elif entry.is_live:
        st.info("Checking the study and copying the rows; training starts in a moment.")


def _show_grid(entry: Entry, state: Progress) -> None:
    st.dataframe(
        grid(state.cells),
        key="train_grid",
        alt=f"{state.done} of {state.total} runs finished, by graph and depth",
    )
    signs = ", ".join(
        f"{sign} {name}" for sign, name in dict.fromkeys(words.STATES.values())
    )
    on = words.RUNS_ON if entry.is_live else ""
    st.caption(f"A sign per run (seed): {signs}. {on}")


def _show_curves(state: Progress) -> None:
    if any(cell.curve for cell in state.cells):
        chart = live_figure(state.cells, dark=widgets.is_dark())
        widgets.show_chart(chart, "train_live")


def _show_reasons(cells: Sequence[CellProgress]) -> None:
    """Say why runs have no score; what halving left out is no warning."""
    failed = [cell.reason for cell in cells if cell.reason]
    stopped = [cell.reason for cell in cells if cell.state == STOPPED_EARLY]
    for reason in dict.fromkeys(failed):
        if reason not in stopped:
            st.warning(widgets.as_text(reason))
    if stopped:
        with st.expander("What halving left out (stopped early)"):
            called = {
                f"{_series(cell)} · depth {cell.depth}": cell.reason
                for cell in cells
                if cell.state == STOPPED_EARLY
            }
            for name, reason in called.items():
                st.markdown(f"**{widgets.as_text(name)}**: {widgets.as_text(reason)}")


def _offer_cancel(entry: Entry) -> None:
    if st.button("Cancel", key="train_cancel", help=words.KEPT):
        cancel(visitor.shelf(), entry.identifier)
        st.caption("Stopping; what has finished is kept and compared.")


def _offer_cancel_one(entry: Entry, cells: Sequence[CellProgress]) -> None:
    """Draw the way to give up one run of the study while the others go on."""
    named = {cell.key: cell for cell in cells}
    several = len({cell.source for cell in cells}) > 1
    with st.container(horizontal=True, vertical_alignment="bottom"):
        chosen = st.selectbox(
            "One run",
            list(named),
            index=None,
            placeholder="Choose one run to cancel; the others go on",
            format_func=lambda key: _called(named[key], several),
            key="train_one",
        )
        state = named[chosen].state if chosen else "queued"
        if st.button(
            "Cancel this run",
            key="train_cancel_one",
            disabled=chosen is None or state not in UNDER_WAY,
        ):
            give_up(visitor.shelf(), entry.identifier, str(chosen))
            st.toast("This run is given up; the others go on.")


def _called(cell: CellProgress, several: bool) -> str:
    source = f"{cell.source} · " if several else ""
    return f"{source}{_series(cell)} · depth {cell.depth} · seed {cell.seed}"


def _show_end(entry: Entry) -> None:
    match entry.state:
        case StudyState.DONE:
            st.success("Finished.")
        case StudyState.CANCELLED:
            st.info("Cancelled. What had finished is kept and compared.")
        case _:
            st.error(widgets.as_text(f"{words.JOB_DIED} {entry.reason}"))
    with st.container(horizontal=True):
        if entry.best is not None:
            # A link, not a button that switches the page: a tick of this fragment that
            # is under way meanwhile could make the browser drop the new page.
            st.page_link(
                widgets.page_file("compare"),
                label="See results",
                icon=":material/arrow_forward:",
                query_params={place.RESULTS: entry.identifier},
            )
        if entry.state is not StudyState.DONE and st.button("Go on", key="train_go_on"):
            with widgets.errors_shown():
                resubmit(visitor.shelf(), entry.identifier)
            st.rerun()
