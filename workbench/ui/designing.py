"""Changing graphs in the app: which one, what was changed, undo and redo.

The state is what the address holds: the graphs that are compared and which of them is
being changed. Undo puts an earlier address back, so it covers every kind of change.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from functools import partial

import streamlit as st

from workbench.blueprint import Blueprint
from workbench.design import (
    base_of,
    checked_name,
    decide,
    design_to_toml,
    read_design,
)
from workbench.errors import WorkbenchError
from workbench.sketch import Asked
from workbench.topologies import TOPOLOGIES, resolve_topology
from workbench.topology import plan
from workbench.ui import designs, place, widgets

NUM_STEPS = 100
MAX_FILE_MB = 1


@dataclass(frozen=True, slots=True)
class Desk:
    """The graphs on the desk.

    Attributes:
        entries: Topologies and designs, one to four.
        at: Which of them is being changed.
    """

    entries: tuple[str, ...]
    at: int

    @property
    def entry(self) -> str:
        """The one that is being changed."""
        return self.entries[self.at]

    @property
    def neighbour(self) -> str | None:
        """The one that it is held against: the one before it, or after the first."""
        others = [*self.entries[: self.at][::-1], *self.entries[self.at + 1 :]]
        return others[0] if others else None

    @property
    def is_full(self) -> bool:
        """Whether no further graph fits beside these."""
        return len(self.entries) >= place.MAX_GRAPHS

    def with_another(self, entry: str) -> "Desk":
        """Return the desk with an entry after the one being changed, or in its place.

        A topology of the workbench stays beside its changed copy while there is room.
        """
        if entry in self.entries:
            return replace(self, at=self.entries.index(entry))
        after = self.at + 1 if not self.is_full else self.at
        rest = self.entries[after:] if not self.is_full else self.entries[after + 1 :]
        return Desk((*self.entries[:after], entry, *rest), after)

    def with_changed(self, entry: str) -> "Desk":
        """Return the desk with another entry in the place of the one being changed."""
        if entry in self.entries:
            return replace(self, at=self.entries.index(entry))
        before, after = self.entries[: self.at], self.entries[self.at + 1 :]
        return Desk((*before, entry, *after), self.at)

    def without(self) -> "Desk":
        """Return the desk without the entry being changed, if another is left."""
        rest = (*self.entries[: self.at], *self.entries[self.at + 1 :])
        return Desk(rest, max(0, self.at - 1)) if rest else self


def desk() -> Desk:
    """Return the desk that the address describes."""
    entries, at = place.graphs(), place.read(place.DESIGN) or "0"
    index = int(at) if at.isascii() and at.isdigit() and len(at) < 3 else 0
    return Desk(entries, min(index, len(entries) - 1))


def show_bar(asked: Asked, now: Desk) -> None:
    """Draw which graph is being changed, and what can be done with it as a whole."""
    chosen = st.segmented_control(
        "Which graph to change",
        range(len(now.entries)),
        default=now.at,
        format_func=lambda at: designs.label_of(now.entries[at]),
        required=True,
        key=f"design_which_{now.at}_{'+'.join(now.entries)}",
    )
    if chosen != now.at:
        place.write({place.DESIGN: str(chosen)})
        st.rerun()
    past, future = _steps()
    is_own = now.entry not in TOPOLOGIES
    with st.container(horizontal=True, vertical_alignment="center"):
        _button("Undo", "undo", not past, _undo)
        _button("Redo", "redo", not future, _redo)
        _button(
            "Duplicate",
            "content_copy",
            now.is_full,
            lambda: _duplicate(asked, now),
            "Four graphs are compared at most." if now.is_full else "",
        )
        with st.popover("Rename", icon=":material/edit:", disabled=not is_own):
            name = st.text_input(
                "Name", designs.name_of(now.entry), key=f"design_name_{now.entry}"
            )
            if st.button("Rename it", key="design_rename"):
                with widgets.errors_shown():
                    _rename(asked, now, name)
        _button("Take away", "delete", len(now.entries) < 2, lambda: _go(now.without()))
        st.download_button(
            "Save (TOML)",
            partial(_text_of, asked, now.entry),
            file_name=f"{designs.name_of(now.entry)}.toml",
            mime="application/toml",
            key="design_save",
            icon=":material/download:",
            on_click="ignore",
            help="The command line takes it in place of a topology's name.",
        )
        with st.popover("Load (TOML)", icon=":material/upload:"):
            _show_load(asked, now)


def plan_or_take_away(asked: Asked, now: Desk) -> Blueprint:
    """Return the plan being changed; one that does not fit can be taken away."""
    try:
        return _plan_of(asked, now.entry)
    except WorkbenchError as error:
        st.error(widgets.as_text(str(error)))
        if st.button("Take this graph away", key="design_misfit"):
            _go(
                now.without() if len(now.entries) > 1 else Desk(place.DEFAULT_GRAPHS, 0)
            )
        st.stop()


def change(
    asked: Asked, now: Desk, blueprint: Blueprint, subject: str, role: str
) -> None:
    """Give a subject another role; a topology of the workbench is copied first."""
    made = decide(asked.schema, asked.task.spec, blueprint, subject, role)
    if now.entry in TOPOLOGIES:
        made = replace(made, name=checked_name(made.name, _names(now)))
        _go(now.with_another(_keep(asked, made, now.entry)))
    base = base_of(_text_of(asked, now.entry))
    _go(now.with_changed(_keep(asked, made, base)))


def _button(
    label: str, icon: str, disabled: bool, act: Callable[[], None], why: str = ""
) -> None:
    key = f"design_{label.lower().replace(' ', '_')}"
    icon = f":material/{icon}:"
    if st.button(label, key=key, icon=icon, disabled=disabled, help=why or None):
        with widgets.errors_shown():
            act()


def _duplicate(asked: Asked, now: Desk) -> None:
    found = _plan_of(asked, now.entry)
    copy = replace(found, name=checked_name(found.name, _names(now)))
    base = base_of(_text_of(asked, now.entry))
    _go(now.with_another(_keep(asked, copy, base)))


def _rename(asked: Asked, now: Desk, name: str) -> None:
    others = [designs.name_of(one) for one in now.entries if one != now.entry]
    found = replace(_plan_of(asked, now.entry), name=checked_name(name, others))
    base = base_of(_text_of(asked, now.entry))
    _go(now.with_changed(_keep(asked, found, base)))


def _show_load(asked: Asked, now: Desk) -> None:
    file = st.file_uploader(
        "A topology file (TOML)",
        type=["toml"],
        max_upload_size=MAX_FILE_MB,
        key="design_load",
    )
    if file is None or file.file_id == st.session_state.get("design_loaded"):
        return
    st.session_state["design_loaded"] = file.file_id
    with widgets.errors_shown():
        found = read_design(file.getvalue(), asked.schema, asked.task.spec)
        found = replace(found, name=checked_name(found.name, _names(now)))
        _go(now.with_another(_keep(asked, found, "row2node")))


def _keep(asked: Asked, blueprint: Blueprint, base: str) -> str:
    text = design_to_toml(asked.schema, asked.task.spec, blueprint, base)
    return designs.keep_design(text)


def _plan_of(asked: Asked, entry: str) -> Blueprint:
    topology = resolve_topology(designs.topology_of(entry))
    return plan(asked.schema, asked.task.spec, topology)


def _text_of(asked: Asked, entry: str) -> str:
    file = designs.design_file(entry)
    if file is not None:
        return file.read_text(encoding="utf-8")
    found = _plan_of(asked, entry)
    return design_to_toml(asked.schema, asked.task.spec, found, entry)


def _names(now: Desk) -> Iterable[str]:
    return [designs.name_of(one) for one in now.entries]


def _go(to: Desk) -> None:
    """Change the desk so that it can be undone, and draw the page anew."""
    past, future = _steps()
    past.append(desk())
    del past[:-NUM_STEPS]
    future.clear()
    _put(to)


def _undo() -> None:
    past, future = _steps()
    future.append(desk())
    _put(past.pop())


def _redo() -> None:
    past, future = _steps()
    past.append(desk())
    _put(future.pop())


def _put(to: Desk) -> None:
    place.choose_graphs(to.entries)
    place.write({place.DESIGN: str(to.at)})
    st.rerun()


def _steps() -> tuple[list[Desk], list[Desk]]:
    kept = st.session_state.setdefault("design_steps", {})
    asked = (place.read(place.SOURCE), repr(place.question()))
    return kept.setdefault(asked, ([], []))
