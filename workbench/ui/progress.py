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

from workbench.jobs import Job, start_job
from workbench.palette import topology_label
from workbench.progress import CellProgress, Progress
from workbench.study import Study, read_study
from workbench.ui import place, widgets, words

EVERY_S = 1.0
ENDED = ("done", "cancelled")


def portable(study: Study, folder: Path) -> Study:
    """Return a study whose files outlive the session that starts it."""
    return replace(
        study,
        arms=tuple(
            replace(
                arm,
                source=place.keep_for_job(arm.source, folder),
                topology=place.keep_file(arm.topology, folder)
                if arm.topology.endswith(".toml")
                else arm.topology,
                hints=arm.hints and place.keep_file(arm.hints, folder),
            )
            for arm in study.arms
        ),
    )


def beside(study: Study) -> Study:
    """Return a study that names its topology files as they lie beside it."""
    return replace(
        study,
        arms=tuple(
            replace(arm, topology=Path(arm.topology).name) for arm in study.arms
        ),
    )


def show(job: Job) -> None:
    """Draw a run as it is now."""
    alive = job.is_running()
    state = job.progress()
    if state is None:
        _show_start(job, alive)
        return
    share = state.done / state.total if state.total else 0.0
    st.progress(share, text=_headline(state, alive))
    if not alive:
        _show_end(job, state)
    elif st.button("Cancel", key="train_cancel", help="What has finished is kept."):
        job.cancel()
        st.caption("Stopping; what has finished is kept and compared.")
    st.dataframe(
        grid(state.cells),
        key="train_grid",
        alt=f"{state.done} of {state.total} runs finished, by graph and depth",
    )
    signs = ", ".join(
        f"{sign} {name}" for sign, name in dict.fromkeys(words.STATES.values())
    )
    st.caption(f"A sign per run (seed): {signs}. {words.RUNS_ON if alive else ''}")
    failed = [cell for cell in state.cells if cell.reason]
    for reason in dict.fromkeys(cell.reason for cell in failed):
        st.warning(widgets.as_text(reason))


def grid(cells: Sequence[CellProgress]) -> pd.DataFrame:
    """Return a row per graph and network, a column per depth, a sign per seed."""
    shown: dict[str, dict[str, str]] = {}
    for cell in cells:
        parts = [topology_label(cell.topology), cell.model]
        parts += [] if cell.remedy == "none" else [cell.remedy]
        row = shown.setdefault(" · ".join(parts), {})
        depth = f"depth {cell.depth}"
        row[depth] = row.get(depth, "") + words.STATES[cell.state][0]
    return pd.DataFrame.from_dict(shown, orient="index")


def _headline(state: Progress, alive: bool) -> str:
    said = [f"{words.PHASES[state.phase]}: {state.done} of {state.total} finished"]
    if alive and state.phase == "training":
        left = state.seconds_left
        said.append(
            words.duration(left) if left is None else f"{words.duration(left)} left"
        )
    return " · ".join(said)


def _show_start(job: Job, alive: bool) -> None:
    if alive:
        if st.button("Cancel", key="train_cancel_early"):
            job.cancel()
        st.info("Checking the study and copying the rows; training starts in a moment.")
        return
    st.error(widgets.as_text(job.error() or words.JOB_GONE))


def _show_end(job: Job, state: Progress) -> None:
    finished = state.phase in ENDED
    if state.phase == "done":
        st.success("Finished.")
    elif state.phase == "cancelled":
        st.info("Cancelled. What had finished is kept and compared.")
    else:
        st.error(widgets.as_text(f"{words.JOB_DIED} {job.error()}"))
    with st.container(horizontal=True):
        if finished:
            # A link, not a button that switches the page: a tick of this fragment that
            # is under way meanwhile could make the browser drop the new page.
            st.page_link(
                widgets.page_file("compare"),
                label="See results",
                icon=":material/arrow_forward:",
                query_params={place.RESULTS: job.folder.name},
            )
        if state.phase != "done" and st.button("Go on", key="train_go_on"):
            with widgets.errors_shown():
                start_job(read_study(_study_file(job.folder)), job.folder)
            st.rerun()


def _study_file(folder: Path) -> Path:
    """Return the study that was asked for, or the one written beside the results."""
    asked = folder / "asked.toml"
    return asked if asked.exists() else folder / "study.toml"
