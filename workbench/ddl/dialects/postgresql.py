"""PostgreSQL, as psql and pg_dump write it."""

from typing import Final

from workbench.ddl.dialect import DOLLAR_QUOTED, ESCAPE_STRING, STRING, Dialect

POSTGRESQL: Final = Dialect(
    name="postgresql",
    default_schemas=("public",),
    quotes=r"['\"]|\$(?:[^\W\d]\w*+)?\$",
    prefixes=r"[eE]'",
    strings=(ESCAPE_STRING, STRING, DOLLAR_QUOTED),
    nested_comments=True,
    copies=True,
    client_lines=r"\\",
)
