"""The tokens of one statement, and a cursor that reads them."""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from enum import StrEnum
from functools import lru_cache
from typing import Final, NamedTuple

from workbench.ddl.dialect import EXECUTED, Dialect, comment_end


class TokenKind(StrEnum):
    """What a token is."""

    WORD = "word"
    NAME = "name"
    STRING = "string"
    NUMBER = "number"
    MARK = "mark"


class Token(NamedTuple):
    """A token.

    Attributes:
        kind: What it is.
        text: Its characters, quotes included.
        upper: An unquoted word or a mark in capitals; empty for anything else.
        start: Where it begins in the statement.
    """

    kind: TokenKind
    text: str
    upper: str
    start: int

    @property
    def stop(self) -> int:
        """Where it ends in the statement."""
        return self.start + len(self.text)


END: Final = Token(TokenKind.MARK, "", "", 0)

# A word may hold what a program fills in: @prefix@, ${schema}, {{prefix}}, #__, %p%.
_FILLED_IN: Final = (
    r"\$\{[^}\n]*\}|\$\([^)\n]*\)|\{\{[^}\n]*\}\}|\{\$?\w+\}"
    r"|&&?\w+\.?|%\w+%|<\w+>(?=\w)"
)
_WORD: Final = rf"(?:{_FILLED_IN}|[^\W\d]|[@#$](?=\w)|\d)(?:[\w$#@]|{_FILLED_IN})*"
_NUMBER: Final = re.compile(r"\d+(?:[eE]\d*)?\Z|0[xX][0-9a-fA-F]+\Z")


@lru_cache(maxsize=16)
def _pattern(dialect: Dialect) -> re.Pattern[str]:
    marker = rf"|/\*{EXECUTED}|\*/" if dialect.executed_comments else ""
    strings = "|".join(dialect.strings)
    names = "|".join(dialect.names)
    return re.compile(
        rf"(?P<skip>\s++|﻿|{dialect.comment}{marker})"
        rf"|(?P<string>[nNbBxX]?(?:{strings})|[uU]&'(?:[^']++|'')*+')"
        rf"|(?P<name>(?:[uU]&)?(?:{names}))"
        rf"|(?P<number>\.\d+(?:[eE][+-]?\d+)?|\d+\.\d*(?:[eE][+-]?\d+)?|\d+[eE][+-]\d+)"
        rf"|(?P<word>{_WORD})"
        r"|(?P<mark>::|.)",
        re.DOTALL,
    )


def read_tokens(text: str, dialect: Dialect) -> list[Token]:
    """Return the tokens of a statement, comments and spaces left out."""
    return list(iterate_tokens(text, dialect))


def iterate_tokens(text: str, dialect: Dialect) -> Iterator[Token]:
    """Yield the tokens of a statement one by one."""
    pattern, at = _pattern(dialect), 0
    while match := pattern.match(text, at):
        start, at = at, match.end()
        kind, found = match.lastgroup, match.group()
        if kind == "skip":
            continue
        if found == "/" and dialect.nested_comments and text.startswith("/*", start):
            at = comment_end(text, start, len(text)) or len(text)
            continue
        yield _token(kind or "mark", found, start)


def _token(kind: str, text: str, start: int) -> Token:
    if kind == "word":
        if _NUMBER.match(text):
            return Token(TokenKind.NUMBER, text, "", start)
        return Token(TokenKind.WORD, text, text.upper(), start)
    if kind == "mark":
        return Token(TokenKind.MARK, text, text, start)
    return Token(TokenKind(kind), text, "", start)


def unquoted(token: Token) -> str:
    """Return the name that a token spells.

    >>> unquoted(Token(TokenKind.NAME, "[a]]b]", "", 0))
    'a]b'
    """
    text = token.text
    if token.kind is TokenKind.WORD:
        return text
    if text[:2] in ("U&", "u&", "N'", "n'"):
        text = text[text.index(text[-1]) :]
    close = text[-1]
    return text[1:-1].replace(close * 2, close)


@dataclass(slots=True)
class Cursor:
    """A place in a list of tokens, up to an end.

    Attributes:
        tokens: The tokens of the whole statement.
        at: The next token.
        stop: The first token that is no longer part of what is read.
    """

    tokens: Sequence[Token]
    at: int
    stop: int

    def peek(self, ahead: int = 0) -> Token:
        """Return a token without moving; ``END`` behind the last one."""
        at = self.at + ahead
        return self.tokens[at] if at < self.stop else END

    def take(self) -> Token:
        """Return the next token and move behind it."""
        token = self.peek()
        self.at = min(self.at + 1, self.stop)
        return token

    @property
    def done(self) -> bool:
        """Whether nothing is left."""
        return self.at >= self.stop

    def sees(self, *words: str) -> bool:
        """Return whether these words, in capitals, come next."""
        return all(self.peek(ahead).upper == word for ahead, word in enumerate(words))

    def accept(self, *words: str) -> bool:
        """Move behind these words if they come next."""
        if not self.sees(*words):
            return False
        self.at += len(words)
        return True

    def accept_any(self, *words: str) -> bool:
        """Move behind one of these words if one comes next."""
        if self.peek().upper not in words or self.done:
            return False
        self.at += 1
        return True

    def sees_name(self) -> bool:
        """Return whether a name could come next."""
        return not self.done and self.peek().kind in _NAMING

    def name(self) -> str | None:
        """Return a name and move behind it, or nothing."""
        return unquoted(self.take()) if self.sees_name() else None

    def peek_name(self) -> str | None:
        """Return the name that comes next without moving."""
        return unquoted(self.peek()) if self.sees_name() else None

    def path(self) -> tuple[str, ...]:
        """Return a name with what qualifies it, outermost first; empty if none."""
        parts = []
        while (part := self.name()) is not None:
            parts.append(part)
            if not self.accept("."):
                break
            while self.accept("."):  # database..table: the default schema
                parts.append("")
        return tuple(parts)

    def group(self) -> "Cursor":
        """Return what lies in the parentheses that begin here; move behind them."""
        begin = self.at + 1
        self.skip()
        closed = self.tokens[self.at - 1].upper == ")"
        return Cursor(self.tokens, begin, self.at - 1 if closed else self.at)

    def skip(self) -> None:
        """Move behind the next token, or behind the parentheses that it opens."""
        depth = 0
        while not self.done:
            upper = self.take().upper
            depth += (upper == "(") - (upper == ")")
            if depth <= 0:
                return

    def skip_to(self, *words: str) -> bool:
        """Move to the next of these words outside parentheses; say if there is one."""
        while not self.done and self.peek().upper not in words:
            self.skip()
        return not self.done

    def split(self) -> list["Cursor"]:
        """Return the parts between commas outside parentheses; move to the end."""
        parts = []
        while not self.done:
            begin = self.at
            self.skip_to(",")
            if self.at > begin:
                parts.append(Cursor(self.tokens, begin, self.at))
            self.accept(",")
        return parts

    def rest(self) -> "Cursor":
        """Return a second cursor on the same place."""
        return Cursor(self.tokens, self.at, self.stop)


_NAMING: Final = (TokenKind.WORD, TokenKind.NAME, TokenKind.STRING)


def cursor_over(text: str, dialect: Dialect) -> Cursor:
    """Return a cursor at the beginning of a statement."""
    tokens = read_tokens(text, dialect)
    return Cursor(tokens, 0, len(tokens))
