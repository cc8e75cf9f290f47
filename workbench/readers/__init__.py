"""The kinds of source that can be read, by the name a URL starts with."""

from collections.abc import Callable, Mapping
from pathlib import Path
from types import MappingProxyType

from workbench.reader import AbstractReader
from workbench.readers.sqlite import SqliteReader

READERS: Mapping[str, Callable[[Path], AbstractReader]] = MappingProxyType(
    {"sqlite": SqliteReader}
)
