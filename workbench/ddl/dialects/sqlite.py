"""SQLite, as its command line's ``.dump`` writes it."""

from typing import Final

from workbench.ddl.dialect import BACKTICKED, BRACKETED, NAME, Dialect

SQLITE: Final = Dialect(
    name="sqlite",
    default_schemas=("main",),
    quotes=r"['\"`\[]",
    names=(NAME, BACKTICKED, BRACKETED),
    opening_lines=r"\.[a-z]",
)
