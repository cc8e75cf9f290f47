"""What a visitor changes of a schema: keys, types, times; saved as a hint file."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import streamlit as st

from workbench.hints import Hints, KeyHint, hints_to_toml
from workbench.schema import Schema, Table
from workbench.ui import calls, place, tables, widgets, words

NO_TIME = "no time (rows are of no time)"
NUM_STEPS = 50


@dataclass(frozen=True, slots=True)
class Changes:
    """The changes to one database's schema.

    Attributes:
        address: What `connect` opens.
        schema: As it is with the changes so far.
    """

    address: str
    schema: Schema

    def show_keys(self, table: str | None = None) -> None:
        """Draw the keys, or those of one table, with evidence; ticking accepts one."""
        keys, frame = tables.keys_of(self.schema, table)
        if not keys:
            st.caption("No key is declared, said or found.")
            return
        self._editor(
            frame,
            tables.USED,
            f"data_keys_{table}" if table else "data_keys",
            f"The {len(keys)} keys of {table or 'the database'} with their evidence",
            lambda row, used: self._decide(keys[row], bool(used)),
            {
                "Confidence": st.column_config.NumberColumn(
                    format="%.2f", help="A score from 0 to 1; no probability."
                ),
                "Matched": st.column_config.NumberColumn(
                    format="percent", help="Values that name a row (inclusion)."
                ),
                "Why": st.column_config.TextColumn(width="large"),
            },
        )

    def show_columns(self, table: Table) -> None:
        """Draw a table's columns; choosing another meaning changes it."""
        meanings = {label: stype for stype, label in words.STYPES.items()}
        self._editor(
            tables.columns_of(self.schema, table),
            tables.MEANING,
            f"data_columns_{table.name}",
            f"The columns of {table.name} with types and evidence",
            lambda row, label: self.hints().with_type(
                table.name, table.columns[row].name, meanings[label]
            ),
            {
                tables.MEANING: st.column_config.SelectboxColumn(
                    options=list(meanings), required=True, width="medium"
                ),
                "Why this type": st.column_config.TextColumn(width="large"),
            },
        )

    def show_key(self, table: Table) -> None:
        """Draw a table's primary key; choosing other columns changes it."""
        chosen = st.multiselect(
            "What tells rows apart? (primary key)",
            [column.name for column in table.columns],
            default=list(table.primary_key),
            placeholder="nothing but their position (surrogate key)",
            key=f"data_key_{table.name}_{self._version()}",
        )
        if table.key_evidence:
            st.caption(widgets.as_text(table.key_evidence))
        if tuple(chosen) != table.primary_key:
            self._keep(self.hints().with_primary_key(table.name, tuple(chosen)))
            st.rerun()

    def show_time(self, table: Table) -> None:
        """Draw what may say when a row came to be; choosing one confirms it."""
        proposed = {one.column: one for one in table.time_proposals}
        names = [*proposed]
        if table.time_column and table.time_column not in names:
            names.append(table.time_column)
        if not names:
            return
        chosen = st.selectbox(
            "When did a row come to be? (time column)",
            [None, *names],
            index=names.index(table.time_column) + 1 if table.time_column else 0,
            format_func=lambda name: name or NO_TIME,
            key=f"data_time_{table.name}_{self._version()}",
            help="Proposed, and not used before you confirm it: a birthday is not the"
            " time of a row.",
        )
        for name in [chosen] if chosen in proposed else proposed:
            one = proposed[name]
            span = f", from {one.low} to {one.high}" if one.low else ""
            st.caption(f"{name}: {one.why}{span}; {one.share:.0%} of the rows have it.")
        if chosen != table.time_column:
            self._keep(self.hints().with_time(table.name, chosen))
            st.rerun()

    def show_state(self) -> None:
        """Draw what was changed so far: undo, redo, drop, and the hint file."""
        steps, undone = self._steps(), self._undone()
        if not steps and not undone:
            return
        with st.container(horizontal=True, vertical_alignment="center"):
            st.caption(f"Changes to the schema: {len(steps)}")
            if st.button(
                "Undo", key="data_undo", icon=":material/undo:", disabled=not steps
            ):
                undone.append(place.hints())
                place.change_hints(steps.pop())
                st.rerun()
            if st.button(
                "Redo", key="data_redo", icon=":material/redo:", disabled=not undone
            ):
                steps.append(place.hints())
                place.change_hints(undone.pop())
                st.rerun()
            if st.button("Drop all changes", key="data_drop", disabled=not steps):
                undone[:] = [place.hints(), *reversed(steps[1:])]
                place.change_hints(steps[0])
                steps.clear()
                st.rerun()
            st.download_button(
                "Save as a hint file (TOML)",
                hints_to_toml(self.hints()),
                file_name=f"{self.schema.name}.hints.toml",
                mime="application/toml",
                key="data_hints",
                help="The command line reads it: --hints FILE.",
                on_click="ignore",
            )

    def hints(self) -> Hints:
        """Return the hints in force: the visitor's, or those that come with it."""
        return place.hints() or calls.hints_of(self.address)

    def _decide(self, key: KeyHint, used: bool) -> Hints:
        if not used:
            return self.hints().rejecting(key)
        declared = any(
            key == KeyHint(table.name, one.columns, one.ref_table, one.ref_columns)
            for table in calls.tables_of(self.address)
            for one in table.foreign_keys
        )
        return self.hints().allowing(key) if declared else self.hints().accepting(key)

    def _editor(
        self,
        frame: Any,
        editable: str,
        key: str,
        alt: str,
        change: Callable[[int, Any], Hints],
        config: dict[str, Any],
    ) -> None:
        """Draw a table with one column that can be changed."""
        state = f"{key}_{self._version()}"

        def changed() -> None:
            for row, values in st.session_state[state]["edited_rows"].items():
                if editable in values:
                    self._keep(change(int(row), values[editable]))

        st.data_editor(
            frame,
            hide_index=True,
            key=state,
            disabled=[name for name in frame.columns if name != editable],
            column_config=config,
            on_change=changed,
            alt=alt,
        )

    def _keep(self, changed: Hints) -> None:
        steps = self._steps()
        steps.append(place.hints())
        del steps[:-NUM_STEPS]
        self._undone().clear()
        place.change_hints(changed)

    def _steps(self) -> list[Hints | None]:
        kept = st.session_state.setdefault("data_steps", {})
        return kept.setdefault(place.read(place.SOURCE), [])

    def _undone(self) -> list[Hints | None]:
        kept = st.session_state.setdefault("data_undone", {})
        return kept.setdefault(place.read(place.SOURCE), [])

    def _version(self) -> int:
        """Return what changes with every change, so that no table keeps old ticks."""
        return hash(hints_to_toml(self.hints())) % 1_000_000
