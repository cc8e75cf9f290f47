"""The kinds of source that can be read, one member each."""

from collections.abc import Callable, Mapping
from types import MappingProxyType

from workbench.address import Kind
from workbench.reader import AbstractReader, Request
from workbench.readers.dbml import open_dbml
from workbench.readers.script import open_script
from workbench.readers.server import open_server
from workbench.readers.sqlite import open_sqlite

READERS: Mapping[Kind, Callable[[Request], AbstractReader]] = MappingProxyType(
    {
        Kind.SQLITE: open_sqlite,
        Kind.SCRIPT: open_script,
        Kind.DBML: open_dbml,
        Kind.SERVER: open_server,
    }
)
"""What opens a source, by its kind; every one of them only reads."""
