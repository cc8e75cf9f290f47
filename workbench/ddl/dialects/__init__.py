"""The dialects of SQL that are told apart, by the name users type."""

from collections.abc import Mapping
from types import MappingProxyType

from workbench.ddl.dialect import Dialect
from workbench.ddl.dialects.mysql import MYSQL
from workbench.ddl.dialects.oracle import ORACLE
from workbench.ddl.dialects.portable import PORTABLE
from workbench.ddl.dialects.postgresql import POSTGRESQL
from workbench.ddl.dialects.sqlite import SQLITE
from workbench.ddl.dialects.tsql import TSQL

DIALECTS: Mapping[str, Dialect] = MappingProxyType(
    {
        dialect.name: dialect
        for dialect in (POSTGRESQL, MYSQL, SQLITE, TSQL, ORACLE, PORTABLE)
    }
)
"""Every member; ``portable`` is read where nothing tells which one it is."""
