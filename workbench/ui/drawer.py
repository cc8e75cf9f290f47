"""The drawer of one table on the Data page: its rows, values, types and keys."""

from dataclasses import dataclass

import streamlit as st

from workbench.ui import calls, tables, widgets, words
from workbench.ui.changes import Changes

_DRAWN = "data_draw"


@dataclass(frozen=True, slots=True)
class Drawer:
    """What is open beside the drawing.

    Attributes:
        changes: The schema, and what the visitor changes of it.
        table: Name of the table.
    """

    changes: Changes
    table: str

    def show(self, height: int) -> None:
        """Draw the table's facts, and a tab each for what can be asked of it."""
        schema = self.changes.schema
        found = schema.table(self.table)
        with st.container(border=True, height=height, key="data_drawer"):
            with st.container(horizontal=True, vertical_alignment="center"):
                st.markdown(f"## {widgets.as_text(self.table)}", width="stretch")
                st.button(
                    "Close",
                    key="data_close",
                    icon=":material/close:",
                    type="tertiary",
                    on_click=_close,
                )
            st.caption(widgets.as_text(tables.table_in_words(found)))
            for warning in schema.warnings:
                if self.table in warning:
                    st.warning(widgets.as_text(warning))
            rows, values, meanings, links = st.tabs(words.DRAWER)
            with rows:
                self._show_rows()
            with values:
                self._show_values()
            with meanings:
                self.changes.show_key(found)
                self.changes.show_time(found)
                self.changes.show_columns(found)
            with links:
                self._show_links()

    def _show_rows(self) -> None:
        seed = int(st.session_state.get(_DRAWN, 0))
        with widgets.errors_shown():
            st.dataframe(
                calls.rows_of(self.changes.address, self.table, seed),
                hide_index=True,
                key="data_rows",
                height="content",
                alt=f"Some rows of {self.table}",
            )
        with st.container(horizontal=True, vertical_alignment="center"):
            st.button("Other rows", key="data_others", on_click=_draw_others)
            st.caption(words.DRAWN_ROWS if seed else words.FIRST_ROWS)

    def _show_values(self) -> None:
        with widgets.errors_shown():
            spread = tables.spread_of(
                calls.distributions_of(self.changes.address, self.table)
            )
        st.dataframe(
            spread,
            hide_index=True,
            key="data_spread",
            height="content",
            alt=f"How the values of each column of {self.table} are spread",
            column_config={
                "Missing": st.column_config.ProgressColumn(
                    format="percent", min_value=0.0, max_value=1.0, width="small"
                ),
                "Rows": st.column_config.BarChartColumn(y_min=0, width="small"),
            },
        )
        st.caption(words.SPREAD)

    def _show_links(self) -> None:
        said = tables.links_of(self.changes.schema, self.table)
        st.caption(
            "  \n".join(map(widgets.as_text, said))
            or "No link leads here or away from here."
        )
        self.changes.show_keys(self.table)


def _close() -> None:
    st.session_state["table"] = None


def _draw_others() -> None:
    st.session_state[_DRAWN] = int(st.session_state.get(_DRAWN, 0)) + 1
