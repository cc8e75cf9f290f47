"""Which dialect a script is written in, from the words that only one of them knows."""

import re
from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

_HEAD: Final = 1 << 20

_BANNERS: Mapping[str, str] = MappingProxyType(
    {
        "postgresql": r"--\s*PostgreSQL database (?:cluster )?dump|--.*\bpg_dump\b",
        "mysql": r"--\s*(?:MySQL|MariaDB) dump|phpMyAdmin SQL Dump|-- .*\bmysqldump\b",
        "tsql": r"/\*{6} Object:|\bScript Date:",
    }
)

_MARKS: Mapping[str, tuple[str, ...]] = MappingProxyType(
    {
        "postgresql": (
            r"\b(?:big|small)?serial\b(?!\s+DEFAULT)",
            r"::\s*\"?\w",
            r"\$\w*\$",
            r"^\\(?:connect|c|set|i|ir|echo|restrict|unrestrict|copy|encoding)\b",
            r"^\\\.",
            r"\bCOPY\s[^;]*\sFROM\s+stdin",
            r"\bcharacter varying\b",
            r"\btimestamp(?:\(\d\))? with(?:out)? time zone\b",
            r"\bALTER TABLE (?:IF EXISTS )?ONLY\b",
            r"\bOWNER TO\b",
            r"\bplpgsql\b",
            r"\bnextval\s*\(",
            r"\bCREATE EXTENSION\b",
            r"\w\s*(?:\(\d+\))?\[\]",
            r"\b(?:bytea|jsonb|timestamptz|tsvector|inet|citext|int4|int8|bool)\b",
            r"\bCREATE DOMAIN\b|\bCREATE TYPE\s+\S+\s+AS\s+ENUM\b",
            r"\bsearch_path\b",
            r"\bINHERITS\s*\(|\bPARTITION OF\b",
            r"\bUSING (?:btree|gin|gist|hash)\b\s*\(",
            r"\bpg_catalog\b",
            r"\bCOMMENT ON\b",
            r"\bGENERATED (?:ALWAYS|BY DEFAULT) AS IDENTITY\b",
            r"\bCREATE (?:TEMP|MATERIALIZED|UNLOGGED)\b",
        ),
        "mysql": (
            r"`[^`\n]+`",
            r"`[^`\n]+`\s*\.\s*`",
            r"\bENGINE\s*=",
            r"\bAUTO_INCREMENT\b",
            r"/\*!\d",
            r"^\s*DELIMITER\b",
            r"\bunsigned\b",
            r"\b(?:DEFAULT )?(?:CHARSET|CHARACTER SET)\s*=?\s*\w+",
            r"\b(?:tiny(?:text|blob)|medium(?:text|blob|int))\b",
            r"\blong(?:text|blob)\b",
            r"\benum\s*\(\s*'",
            r"^\s*(?:UNIQUE )?KEY [`\w]+\s*\(",
            r"^#(?!__)",
            r"\bON UPDATE CURRENT_TIMESTAMP\b",
            r"\bCOMMENT\s*=?\s*'",
            r"^\s*UNLOCK TABLES\b|^\s*LOCK TABLES\b",
            r"\bFULLTEXT KEY\b",
        ),
        "sqlite": (
            r"\bPRAGMA\b",
            r"\bAUTOINCREMENT\b",
            r"\bWITHOUT\s+ROWID\b",
            r"^BEGIN TRANSACTION;",
            r"\bsqlite_\w+\b",
            r"\)\s*STRICT\b",
            r"\bON CONFLICT (?:REPLACE|IGNORE|FAIL|ABORT)\b",
            r"\bCREATE VIRTUAL TABLE\b",
            r"^\.(?:mode|import|read|open|headers)\b",
            r"\bINSERT OR (?:REPLACE|IGNORE)\b",
        ),
        "tsql": (
            r"^\s*GO\s*;?\s*$",
            r"\[?\bdbo\b\]?\.",
            r"\bnvarchar\s*\(|\]\s*\(\s*max\s*\)|\bvarchar\s*\(\s*max\s*\)",
            r"\bIDENTITY\s*\(\s*-?\d",
            r"\b(?:NON)?CLUSTERED\b",
            r"\buniqueidentifier\b",
            r"\b(?:datetime2|datetimeoffset|smalldatetime|smallmoney|ntext)\b",
            r"\[\w+\]\s+\[\w+\]",
            r"\[[A-Za-z_]\w*\]",
            r"\bsys\.\w+|\bsp_\w+|\bOBJECT_ID\s*\(",
            r"\bWITH (?:NO)?CHECK ADD\b",
            r"\bON \[?PRIMARY\]?\b",
            r"\bgetdate\s*\(",
            r"\bSET (?:ANSI_NULLS|QUOTED_IDENTIFIER|NOCOUNT|IDENTITY_INSERT)\b",
            r"\bnvarchar\b",
            r"\bDECLARE @",
        ),
        "oracle": (
            r"\bn?varchar2\b",
            r"\bnumber\b\s*(?:\(|,|\s+(?:NOT|DEFAULT|PRIMARY|CONSTRAINT))",
            r"^/\s*$",
            r"^(?:REM(?:ARK)?|PROMPT|WHENEVER|SPOOL)\b",
            r"^SET (?:DEFINE|ECHO|FEEDBACK|SERVEROUTPUT|VERIFY|TERMOUT|SCAN)\b",
            r"^@@?[\w.]",
            r"\bUSING INDEX\b",
            r"\b(?:n?clob|bfile|long raw)\b",
            r"\bsysdate\b",
            r"\bADD\s*\(\s*CONSTRAINT\b",
            r"\bNO(?:CACHE|CYCLE|LOGGING|COMPRESS)\b",
            r"\bto_date\s*\(",
            r"\b(?:ENABLE|DISABLE)\s*(?:,|\)|;|$)",
            r"\bNEXTVAL\b(?!\s*\()",
            r"\bFROM dual\b",
            r"\bPCTFREE\b|\bSTORAGE\s*\(\s*INITIAL\b",
            r"\(\d+ (?:CHAR|BYTE)\)",
        ),
    }
)

# What never ends ends with the text, or this would be quadratic.
_ASIDE: Final = re.compile(
    r"'(?:[^'\\]++|\\.|'')*+(?:'|\Z)|/\*(?!M?!).*?(?:\*/|\Z)|--[^\n]*+", re.DOTALL
)
_COPIED: Final = re.compile(
    r"(\bFROM\s+stdin\b[^\n]*;[^\n]*\n).*?(?:^\\\.$|\Z)",
    re.IGNORECASE | re.DOTALL | re.MULTILINE,
)


def detect_dialect(text: str) -> str:
    """Return the dialect whose own words a script uses most.

    Only different words count, not how often each is used, so that rows decide nothing.

    Args:
        text: The script, or its beginning; a million characters are looked at.

    Returns:
        A name in ``DIALECTS``; ``portable`` where no word tells.
    """
    head = text[:_HEAD].removeprefix("﻿").replace("\r\n", "\n")
    for name, banner in _BANNERS.items():
        if re.search(banner, head[:20_000], re.IGNORECASE):
            return name
    bare = _ASIDE.sub(_blank, _COPIED.sub(r"\1\\.", head))
    points = {
        name: sum(bool(re.search(mark, bare, re.I | re.M)) for mark in marks)
        for name, marks in _MARKS.items()
    }
    best = max(points, key=lambda name: points[name])
    return best if points[best] else "portable"


def _blank(aside: re.Match[str]) -> str:
    return "''" if aside.group().startswith("'") else " "
