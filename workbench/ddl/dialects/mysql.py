"""MySQL and MariaDB, as their dump programs write it."""

from typing import Final

from workbench.ddl.dialect import (
    BACKTICKED,
    NAME_OR_STRING,
    STRING_WITH_BACKSLASHES,
    Dialect,
)

MYSQL: Final = Dialect(
    name="mysql",
    strings=(STRING_WITH_BACKSLASHES,),
    quotes=r"['\"`]",
    names=(BACKTICKED, NAME_OR_STRING),
    hash_comments=True,
    spaced_dashes=True,
    executed_comments=True,
    opening_lines=r"DELIMITER[ \t]|SOURCE[ \t]|\\[.!uG]",
)
