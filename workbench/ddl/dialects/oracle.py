"""Oracle, as SQL*Plus runs it: programs end at a line with a slash."""

from typing import Final

from workbench.ddl.dialect import CHOSEN_QUOTES, STRING, Dialect

SQLPLUS: Final = (
    r"(?:REM(?:ARK)?|PRO(?:MPT)?|EXIT|QUIT|SPO(?:OL)?|WHENEVER|CONN(?:ECT)?|DISC(?:ONNECT)?"
    r"|DEF(?:INE)?|UNDEF(?:INE)?|ACC(?:EPT)?|COL(?:UMN)?|PAUSE|HOST|SHOW?|VAR(?:IABLE)?"
    r"|TTI(?:TLE)?|BTI(?:TLE)?|CL(?:EAR)?|START|STA|TIMING|BREAK|COMPUTE|DESC(?:RIBE)?"
    r"|PRINT|EXEC(?:UTE)?|ARCHIVE|STARTUP|SHUTDOWN|SET)(?=\s|;|\Z)|@@?(?=[\w?&./\"'$])|!"
)

ORACLE: Final = Dialect(
    name="oracle",
    prefixes=r"[nN]?[qQ]'\S",
    strings=(CHOSEN_QUOTES, STRING),
    separators=r"/[ \t]*+\r?(?=\n|\Z)",
    opening_lines=rf"(?!SET\s+(?:TRANSACTION|ROLE|CONSTRAINTS?)\b)(?:{SQLPLUS})",
    routines=(
        r"(?:CREATE\s+(?:OR\s+REPLACE\s+)?(?:(?:NON)?EDITIONABLE\s+)?"
        r"(?:FUNCTION|PROCEDURE|TRIGGER|PACKAGE|TYPE\s+BODY|(?:AND\s+\w+\s+)?JAVA)"
        r"|DECLARE|BEGIN)\b"
    ),
    routine_until_separator=True,
)
