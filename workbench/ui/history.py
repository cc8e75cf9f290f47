"""A study in the list of studies, and on a page of its own."""

from datetime import UTC, datetime, timedelta

import streamlit as st

from workbench.between import describe_change, difference_of_best
from workbench.chart import METRIC_TERMS, number
from workbench.queue import advance, cancel, repeat, resubmit
from workbench.shelf import MAX_NAME, MAX_NOTES, read_tags
from workbench.studies import (
    Best,
    Entry,
    StudyState,
    delete_study,
    list_studies,
    look_up,
    pack_study,
    rename_study,
    share_study,
    study_settings,
    study_text,
    unshare_study,
)
from workbench.ui import place, visitor, widgets, words

STUDY = "study"
EVERY_S = 2.0
# A link to a study leads to this same page, which Streamlit marks as where one is, and
# it cuts off a long name.
LINKS = """<style>
[data-testid="stPageLink-NavLink"][href^="studies"]:not(:hover):not(:focus-visible) {
  background: none
}
[data-testid="stPageLink-NavLink"][href^="studies"] { padding-inline: 0 }
[data-testid="stPageLink-NavLink"][href^="studies?"] * {
  white-space: normal; overflow-wrap: anywhere; overflow: visible
}
</style>"""


def show_row(entry: Entry) -> None:
    """Draw one study of the list."""
    with st.container(border=True, key=f"study_{entry.identifier}"):
        left, middle, right = st.columns([4, 3, 3], vertical_alignment="center")
        with left:
            st.page_link(
                widgets.page_file("studies"),
                label=widgets.as_text(entry.title),
                icon=":material/science:",
                query_params={STUDY: entry.identifier},
            )
            st.markdown(f":small[{widgets.as_text(_when(entry))}] {_tags(entry)}")
        with middle:
            st.markdown(_state(entry))
            if entry.state is StudyState.RUNNING and entry.total:
                st.progress(
                    entry.done / entry.total,
                    text=f"{entry.done} of {entry.total}, {_left(entry)}",
                )
        right.markdown(
            widgets.as_text(score_in_words(entry.best))
            if entry.best
            else "no score yet"
        )


def show_study(entry: Entry) -> None:
    """Draw one study: what it is, what it found, and what can be done with it."""
    st.page_link(
        widgets.page_file("studies"), label="All studies", icon=":material/arrow_back:"
    )
    st.header(widgets.as_text(entry.title), anchor=False)

    @st.fragment(run_every=EVERY_S if entry.is_live else None)
    def follow() -> None:
        with widgets.errors_shown():  # it may have been deleted meanwhile
            now = look_up(visitor.shelf(), entry.identifier)
        _show_state(now)
        _show_actions(now)
        if now.state is StudyState.QUEUED:
            advance(visitor.shelf())  # whoever starts the next one may have been killed

    follow()
    left, right = st.columns(2, gap="large")
    with left:
        _show_about(entry)
    with right:
        _show_between(entry)
        _show_sharing(entry)
    with st.expander("The study file"):
        st.code(study_text(visitor.shelf(), entry.identifier), language="toml")


def score_in_words(best: Best) -> str:
    """Return a best cell with its score and interval."""
    said = f"{METRIC_TERMS.get(best.metric, best.metric)} {number(best.mean)}"
    if best.low is not None:
        said += f" [{number(best.low)}, {number(best.high)}]"
    return f"{said}, {best.cell}"


def _show_state(entry: Entry) -> None:
    st.markdown(f"{_state(entry)} · {widgets.as_text(_when(entry))} {_tags(entry)}")
    if entry.state is StudyState.QUEUED:
        st.info(words.ahead(entry.ahead))
    if entry.state is StudyState.RUNNING and entry.total:
        st.progress(
            entry.done / entry.total,
            text=f"{entry.done} of {entry.total} finished, {_left(entry)}",
        )
    if entry.state is StudyState.STOPPED:
        st.error(widgets.as_text(f"{words.JOB_DIED} {entry.reason}"))
    if entry.best is not None:
        st.markdown(
            f"Best by validation, on test rows:"
            f" **{widgets.as_text(score_in_words(entry.best))}**"
        )


def _show_actions(entry: Entry) -> None:
    """Draw what can be done with a study in its state."""
    shelf, identifier = visitor.shelf(), entry.identifier
    where = {place.RESULTS: identifier}
    with st.container(horizontal=True, vertical_alignment="center"):
        if entry.best is not None:
            st.page_link(
                widgets.page_file("compare"),
                label="See results",
                icon=":material/arrow_forward:",
                query_params=where,
            )
        if entry.state is not StudyState.NEW:
            st.page_link(
                widgets.page_file("train"),
                label="See every run",
                icon=":material/grid_on:",
                query_params=where,
            )
        if entry.is_live:
            if st.button("Cancel", key="study_cancel", help=words.KEPT):
                cancel(shelf, identifier)
                st.toast("Stopping; what has finished is kept and compared.")
        else:
            _show_ended_actions(entry)


def _show_ended_actions(entry: Entry) -> None:
    shelf, identifier = visitor.shelf(), entry.identifier
    if entry.state is not StudyState.DONE and st.button("Go on", key="study_go_on"):
        with widgets.errors_shown():
            resubmit(shelf, identifier)
        st.rerun()
    if st.button("Run again", key="study_again", help=words.RUN_AGAIN):
        with widgets.errors_shown():
            again = repeat(shelf, identifier, visitor.visitor())
        st.query_params[STUDY] = again
        st.rerun()
    st.download_button(
        "Everything (zip)",
        lambda: pack_study(shelf, identifier),
        file_name=f"study-{identifier}.zip",
        mime="application/zip",
        key="study_zip",
        icon=":material/download:",
        on_click="ignore",
        help="The study file, the results and the report; without the rows.",
    )
    with st.popover("Delete", icon=":material/delete:"):
        st.markdown("Delete this study and its results? They cannot be brought back.")
        if st.button("Yes, delete it", key="study_delete"):
            with widgets.errors_shown():
                delete_study(shelf, identifier)
            if place.read(place.RESULTS) == identifier:
                place.write({place.RESULTS: None})
            del st.query_params[STUDY]
            st.rerun()


def _show_about(entry: Entry) -> None:
    about, own = entry.about, entry.identifier
    st.subheader("Name, tags and notes", anchor=False)
    with st.form("study_about", border=False):
        name = st.text_input(
            "Name",
            about.name,
            placeholder=entry.title,
            max_chars=MAX_NAME,
            key=f"study_name_{own}",
        )
        tags = st.text_input(
            "Tags, with commas between them",
            ", ".join(about.tags),
            key=f"study_tags_{own}",
        )
        notes = st.text_area(
            "Notes", about.notes, max_chars=MAX_NOTES, key=f"study_notes_{own}"
        )
        if st.form_submit_button("Keep", key="study_keep"):
            with widgets.errors_shown():
                rename_study(
                    visitor.shelf(),
                    entry.identifier,
                    name=name.strip(),
                    tags=read_tags(tags),
                    notes=notes,
                )
            st.rerun()


def _show_between(entry: Entry) -> None:
    """Draw what another study asks otherwise, and what that made of the best score."""
    st.subheader("Set beside another study", anchor=False)
    shelf = visitor.shelf()
    others = {
        one.identifier: one
        for one in list_studies(shelf, visitor.visitor())
        if one.identifier != entry.identifier
    }
    if not others:
        st.caption("There is no other study of yours yet.")
        return
    chosen = st.selectbox(
        "What does this study do otherwise than",
        list(others),
        index=None,
        placeholder="Choose a study",
        format_func=lambda one: f"{others[one].title} ({_when(others[one])})",
        key=f"study_other_{entry.identifier}",
    )
    if chosen is None:
        return
    before = study_settings(shelf, chosen)
    now = study_settings(shelf, entry.identifier)
    for phrase in describe_change(before, now):
        st.markdown(f"- {widgets.as_text(phrase)}")
    first, second = others[chosen].best, entry.best
    if first is None or second is None:
        st.caption("Scores are set side by side once both have some.")
        return
    found = difference_of_best(before, now, (first, second))
    st.markdown(widgets.as_text(found.sentence))


def _show_sharing(entry: Entry) -> None:
    """Draw the link that can only look, or the way to one."""
    st.subheader("Show it to somebody", anchor=False)
    shelf = visitor.shelf()
    if not entry.about.share:
        if st.button("Make a link", key="study_share", icon=":material/link:"):
            share_study(shelf, entry.identifier)
            st.rerun()
        return
    st.caption(words.SHARING)
    base = str(st.context.url or "").rstrip("/").rpartition("/")[0]
    st.code(f"{base}/?{visitor.SHARE}={entry.about.share}", language=None)
    if st.button("Take the link back", key="study_unshare"):
        unshare_study(shelf, entry.identifier)
        st.rerun()


def _state(entry: Entry) -> str:
    sign, said = words.STUDY_STATES[entry.state]
    return f"{sign} {said}"


def _left(entry: Entry) -> str:
    left = entry.seconds_left
    return words.duration(left) if left is None else f"{words.duration(left)} left"


def _tags(entry: Entry) -> str:
    return " ".join(f":gray-badge[{widgets.as_text(tag)}]" for tag in entry.about.tags)


def _when(entry: Entry) -> str:
    """Return when a study was started, in the visitor's own time."""
    offset = st.context.timezone_offset
    minutes = offset if isinstance(offset, int) else 0
    when = datetime.fromtimestamp(entry.about.created, UTC) - timedelta(minutes=minutes)
    return f"{when:%d %b %Y, %H:%M}"
