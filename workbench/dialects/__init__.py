"""The dialects of SQL that are told apart, by the name users type."""

from collections.abc import Mapping
from types import MappingProxyType

from workbench.dialect import Dialect
from workbench.dialects.mysql import MYSQL
from workbench.dialects.oracle import ORACLE
from workbench.dialects.portable import PORTABLE
from workbench.dialects.postgresql import POSTGRESQL
from workbench.dialects.sqlite import SQLITE
from workbench.dialects.tsql import TSQL

DIALECTS: Mapping[str, Dialect] = MappingProxyType(
    {
        dialect.name: dialect
        for dialect in (POSTGRESQL, MYSQL, SQLITE, TSQL, ORACLE, PORTABLE)
    }
)
"""Every member; ``portable`` is read where nothing tells which one it is."""
