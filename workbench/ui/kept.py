"""What the workbench keeps on this machine, and clearing it."""

from collections.abc import Sequence
from pathlib import Path

import pandas as pd
import streamlit as st

from workbench.cache import CacheEntry, clear_cache, list_cache, source_of
from workbench.database import cache_directory
from workbench.ui import widgets


def show() -> None:
    """Draw where snapshots, graphs and samples lie and how large they are."""
    entries = list_cache(_source_of)
    total = sum(entry.num_bytes for entry in entries)
    widgets.fold(
        f"Kept on this machine: {total / 1e6:,.0f} MB",
        lambda: _show_entries(entries),
        key="kept",
    )


def _show_entries(entries: Sequence[CacheEntry]) -> None:
    st.caption(
        f"In {cache_directory()}. WORKBENCH_CACHE names another folder, such as one"
        " on an encrypted disk; with WORKBENCH_CACHE=temporary everything goes when"
        " the workbench ends."
    )
    st.dataframe(
        pd.DataFrame(
            [
                {
                    "What": entry.kind,
                    "Of": entry.name,
                    "MB": entry.num_bytes / 1e6,
                    "Written": entry.written,
                }
                for entry in entries
            ],
            columns=["What", "Of", "MB", "Written"],
        ),
        hide_index=True,
        key="data_kept",
        alt=f"What is kept, {len(entries)} lines, with their sizes",
        column_config={"MB": st.column_config.NumberColumn(format="%.1f")},
    )
    if entries and st.button("Clear", key="data_clear"):
        freed = clear_cache()
        st.toast(f"{freed / 1e6:,.0f} MB freed.")
        st.rerun()


def _source_of(path: Path) -> str:
    return _known_source(str(path), path.stat().st_mtime_ns)


@st.cache_resource(max_entries=2000, show_spinner=False)
def _known_source(path: str, written_ns: int) -> str:
    """Return what a snapshot was read from; its file is opened once, not every run."""
    return source_of(Path(path))
