"""The kinds of source that can be read, one member each."""

from collections.abc import Callable, Mapping
from types import MappingProxyType

from workbench.address import Kind
from workbench.reader import AbstractReader, Request
from workbench.readers.dbml import open_dbml
from workbench.readers.duckdb import open_duckdb
from workbench.readers.files import open_files
from workbench.readers.relbench import open_relbench
from workbench.readers.script import open_script
from workbench.readers.server import open_server
from workbench.readers.sqlite import open_sqlite
from workbench.readers.workbook import open_workbook

READERS: Mapping[Kind, Callable[[Request], AbstractReader]] = MappingProxyType(
    {
        Kind.SQLITE: open_sqlite,
        Kind.SCRIPT: open_script,
        Kind.DBML: open_dbml,
        Kind.SERVER: open_server,
        Kind.DUCKDB: open_duckdb,
        Kind.FILES: open_files,
        Kind.WORKBOOK: open_workbook,
        Kind.RELBENCH: open_relbench,
    }
)
"""What opens a source, by its kind; every one of them only reads."""
