"""What tells the dialects of SQL apart when a script is cut into statements."""

import re
from dataclasses import dataclass

STRING = r"'(?:[^']++|'')*+'"
STRING_WITH_BACKSLASHES = r"'(?:[^'\\]++|\\.|'')*+'"
NAME = r'"(?:[^"]++|"")*+"'
NAME_OR_STRING = r'"(?:[^"\\]++|\\.|"")*+"'
BACKTICKED = r"`(?:[^`]++|``)*+`"
BRACKETED = r"\[(?:[^\]]++|\]\])*+\]"
DOLLAR_QUOTED = r"\$(?P<tag>(?:[^\W\d]\w*+)?)\$.*?\$(?P=tag)\$"
ESCAPE_STRING = r"[eE]" + STRING_WITH_BACKSLASHES
CHOSEN_QUOTES = (
    r"[nN]?[qQ]'(?:\[.*?\]'|\{.*?\}'|\(.*?\)'|<.*?>'"
    r"|(?P<around>[^\s\[{(<]).*?(?P=around)')"
)
EXECUTED = r"M?!(?!999999)\d*"  # no server has that version: the dump's own switch


@dataclass(frozen=True, slots=True)
class Dialect:
    """How a dialect quotes, comments and separates.

    The patterns are regular expressions; those of lines are matched where a line
    begins, after its indentation, without regard to case.

    Attributes:
        name: What users call it.
        default_schemas: The schemas whose name is not part of a table's name.
        strings: The forms of a quoted text, those with a prefix first.
        names: The forms of a quoted name.
        quotes: What opens one of them.
        prefixes: What opens one of them and looks like a word at first.
        hash_comments: Whether ``#`` begins a comment.
        spaced_dashes: Whether ``--`` begins a comment only before a space.
        nested_comments: Whether ``/* /* */ */`` is one comment.
        executed_comments: Whether ``/*!40101 … */`` is code.
        copies: Whether ``COPY … FROM stdin;`` is followed by rows.
        separators: Lines that end a statement, such as GO.
        client_lines: Lines for the client program, wherever they stand.
        opening_lines: Lines for the client program where a statement could begin.
        restarts: Beginnings of a line that begin a statement, whatever stood before.
        routines: Beginnings of a statement that holds statements.
        routine_until_separator: Whether such a statement ends at a separator line
            only, and not at the semicolon after its last END.
    """

    name: str
    default_schemas: tuple[str, ...] = ()
    strings: tuple[str, ...] = (STRING,)
    names: tuple[str, ...] = (NAME,)
    quotes: str = r"['\"]"
    prefixes: str = r"(?!)"
    hash_comments: bool = False
    spaced_dashes: bool = False
    nested_comments: bool = False
    executed_comments: bool = False
    copies: bool = False
    separators: str = r"(?!)"
    client_lines: str = r"(?!)"
    opening_lines: str = r"(?!)"
    restarts: str = r"(?:CREATE|ALTER)[ \t]+TABLE\b"
    routines: str = (
        r"(?:CREATE|ALTER)\s+(?:OR\s+(?:REPLACE|ALTER)\s+)?(?:(?:NON)?EDITIONABLE\s+)?"
        r"(?:AGGREGATE\s+|CONSTRAINT\s+|TEMP(?:ORARY)?\s+)?"
        r"(?:DEFINER\s*+=\s*+\S++\s+)?"
        r"(?:FUNCTION|PROC(?:EDURE)?|TRIGGER|EVENT|PACKAGE|TYPE\s+BODY)\b"
    )
    routine_until_separator: bool = False

    @property
    def comment(self) -> str:
        """The pattern of a comment that a regular expression can see the end of."""
        spaced = r"(?:--(?=[\s-]|\Z)|(?<=\n)--)"
        dashes = (spaced if self.spaced_dashes else "--") + r"[^\n]*+"
        hashes = r"|\#(?!__)[^\n]*+" if self.hash_comments else ""
        blocks = "" if self.nested_comments else rf"|(?:{self.comment_opener}).*?\*/"
        return dashes + hashes + blocks

    @property
    def comment_opener(self) -> str:
        """The pattern of what begins a comment over several lines."""
        return rf"/\*(?!{EXECUTED})" if self.executed_comments else r"/\*"


def comment_end(text: str, start: int, limit: int) -> int | None:
    """Return where a nested comment ends, or nothing if it does not end."""
    depth = 0
    for mark in re.compile(r"/\*|\*/").finditer(text, start, limit):
        depth += 1 if mark.group() == "/*" else -1
        if depth == 0:
            return mark.end()
    return None
