"""SQL of no product, or of one that is not known: what most of them take."""

from typing import Final

from workbench.ddl.dialect import BACKTICKED, DOLLAR_QUOTED, NAME, STRING, Dialect

PORTABLE: Final = Dialect(
    name="portable",
    default_schemas=("public", "dbo", "main"),
    strings=(STRING, DOLLAR_QUOTED),
    quotes=r"['\"`]|\$(?:[^\W\d]\w*+)?\$",
    names=(NAME, BACKTICKED, r"\[(?=[^\W\d])[^\]\n]{0,200}+\]"),
    copies=True,
    separators=(r"GO[ \t]*+;?[ \t]*+\r?(?=\n|\Z)|/[ \t]*+\r?(?=\n|\Z)"),
    client_lines=r"\\[a-zA-Z.!]",
    opening_lines=r"(?:REM(?:ARK)?|PROMPT|DELIMITER)\s|@@?[\w./]+\s*(?:\n|\Z)",
)
