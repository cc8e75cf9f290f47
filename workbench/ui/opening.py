"""Opening a database: a sample, files of one's own, or a server."""

from collections.abc import Callable

import streamlit as st

from workbench.samples import SAMPLES
from workbench.ui import calls, place, widgets, words

ENDINGS = [
    *("sqlite", "sqlite3", "db", "db3", "duckdb"),
    *("csv", "tsv", "tab", "txt", "parquet", "zip", "tar", "tgz", "gz", "bz2", "xz"),
    *("xlsx", "xlsm", "sql", "ddl", "dbml"),
]
DIALECTS = ("postgresql", "mysql", "sqlite", "tsql", "oracle", "portable")


def show(expanded: bool) -> None:
    """Draw the ways to open a database; the page starts anew once one is open."""
    widgets.fold(
        "Open a database" if expanded else "Open another database",
        _show_ways,
        key="data_first" if expanded else "data_another",
        expanded=expanded,
        icon=":material/database:",
    )


def _show_ways() -> None:
    sample, files, server = st.tabs(
        ["A sample", "A file of your own", "A server"], key="data_ways"
    )
    with sample:
        _show_samples()
    with files:
        show_files("data")
    with server:
        _show_server()
    st.caption(f"{words.WHAT_IS_READ} {words.PROMISE}")


def _show_samples() -> None:
    with st.grid(min_column_width=300, gap="small"):
        for sample in SAMPLES.values():
            with st.container(border=True, height="stretch"):
                st.markdown(f"**{widgets.as_text(sample.title)}**")
                st.caption(widgets.as_text(sample.story))
                if st.button(f"Open {sample.name}", key=f"data_open_{sample.name}"):
                    open_sample(sample.name)


def open_sample(name: str, then: Callable[[], None] = st.rerun) -> None:
    """Open a sample, building it where it is not built yet, and go on."""
    with st.spinner("Building the sample…"):
        _open(f"sample:{name}", then=then)


def show_files(page: str, then: Callable[[], None] = st.rerun) -> None:
    """Draw where files of one's own are dropped; once they are read, go on.

    Args:
        page: The page, whose name begins the keys of what is drawn.
        then: What follows when the files are open.
    """
    st.caption(words.FILE_KINDS)
    files = st.file_uploader(
        "Database, tables or schema",
        type=ENDINGS,
        accept_multiple_files=True,
        max_upload_size=place.MAX_UPLOAD_MB,
        key=f"{page}_upload",
        label_visibility="collapsed",
    )
    dialect = None
    if page == "data":
        dialect = st.selectbox(
            "SQL dialect of scripts",
            DIALECTS,
            index=None,
            placeholder="told by the script itself",
            key="data_dialect",
        )
    taken = (dialect, *(file.file_id for file in files))
    if not files or taken == st.session_state.get("data_taken"):
        return
    st.session_state["data_taken"] = taken
    with widgets.errors_shown():
        address = place.keep_uploads([(file.name, file.getvalue()) for file in files])
    shown = " + ".join(file.name for file in files)
    _open(address, dialect=dialect, shown=shown, then=then)


def _show_server() -> None:
    st.caption(words.SERVERS)
    if st.session_state.pop("data_forget", False):
        st.session_state.pop("data_password", None)
    with st.form("data_server", border=False):
        url = st.text_input(
            "Address (URL)",
            value=_server_before(),
            placeholder="postgresql://user@host:5432/database",
            key="data_url",
        )
        left, right = st.columns(2)
        password = left.text_input("Password", type="password", key="data_password")
        named = right.text_input(
            "Schemas, the default one where empty",
            placeholder="sales, hr",
            key="data_schemas",
        )
        asked = st.form_submit_button("Connect", type="primary", key="data_connect")
    if asked and url:
        schemas = [part.strip() for part in named.split(",") if part.strip()]
        _open(url.strip(), password=password or None, schemas=schemas)


def _server_before() -> str:
    """Return the address of the open server, to read it again."""
    written = place.written_source() or ""
    return written if "://" in written else ""


def _open(
    address: str,
    password: str | None = None,
    schemas: list[str] | None = None,
    dialect: str | None = None,
    shown: str | None = None,
    then: Callable[[], None] = st.rerun,
) -> None:
    with widgets.errors_shown():
        name = calls.open_source(address, password, schemas or (), dialect, shown)
    st.session_state["data_forget"] = True
    place.open_source(name)
    then()
