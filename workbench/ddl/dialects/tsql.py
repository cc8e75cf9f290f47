"""Transact-SQL, as SQL Server's tools write it: batches between lines of GO."""

from typing import Final

from workbench.ddl.dialect import BRACKETED, NAME, Dialect

TSQL: Final = Dialect(
    name="tsql",
    default_schemas=("dbo",),
    quotes=r"['\"\[]",
    names=(NAME, BRACKETED),
    nested_comments=True,
    separators=r"GO(?:[ \t]+\d+)?[ \t]*+;?[ \t]*+(?:--[^\n]*+)?\r?(?=\n|\Z)",
    client_lines=r":(?:r|setvar|on|connect|out|error|list|reset|quit|exit)\b|!!",
    restarts=(  # a batch needs no semicolons
        r"(?:CREATE|INSERT|UPDATE|PRINT|IF|USE|DECLARE|BEGIN|END|ELSE|WHILE|RETURN|MERGE"
        r"|EXEC(?:UTE)?|GRANT|DENY|REVOKE|RAISERROR|THROW|TRUNCATE|COMMIT|ROLLBACK)\b"
        r"|ALTER[ \t]+(?!COLUMN)|DELETE[ \t]+FROM\b|SET[ \t]+[@\w]"
        r"|DROP[ \t]+(?!COLUMN|CONSTRAINT|PERIOD)"
    ),
    routines=(
        r"(?:CREATE|ALTER)\s+(?:OR\s+ALTER\s+)?(?:FUNCTION|PROC(?:EDURE)?|TRIGGER|VIEW)\b"
    ),
    routine_until_separator=True,
)
