"""A script cut into statements, as a stream, in time linear in its length.

Every character belongs to exactly one piece, so the pieces joined are the script. The
script may be longer than memory: a piece is held, never the whole, and the rows of a
COPY block come in several pieces.
"""

import codecs
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from enum import StrEnum
from functools import lru_cache
from pathlib import Path
from typing import Final, NamedTuple

from workbench.ddl.dialect import Dialect, comment_end
from workbench.errors import DatabaseError

CHUNK: Final = 1 << 20
LOOKAHEAD: Final = 4096  # longer than any first words that decide how to go on

Text = str | Path
"""A script's text, or the file to stream it from."""


class Kind(StrEnum):
    """What a piece of a script is."""

    STATEMENT = "statement"
    SEPARATOR = "separator"
    CLIENT = "client"
    ROWS = "rows"
    BLANK = "blank"


class Piece(NamedTuple):
    """A stretch of a script.

    Attributes:
        kind: What it is.
        text: Its characters; a statement's end before its separator.
        line: The line on which it begins, counted from 1.
        open: The quote or comment in it that never ends, if there is one.
    """

    kind: Kind
    text: str
    line: int
    open: str = ""


def read_pieces(text: Text, dialect: Dialect) -> Iterator[Piece]:
    """Yield the pieces of a script in order.

    Args:
        text: The script, or its file.
        dialect: How it quotes, comments and separates.

    Raises:
        DatabaseError: The file cannot be read.
    """
    chunks = iter([text]) if isinstance(text, str) else read_chunks(text)
    yield from _Splitter(dialect, chunks).pieces()


def read_chunks(path: Path) -> Iterator[str]:
    """Yield a script's text in chunks; the encoding is found from its first bytes.

    A byte that does not fit the encoding becomes U+FFFD: dumps hold binary data.

    Raises:
        DatabaseError: The file cannot be read.
    """
    try:
        with path.open("rb") as file:
            head = file.read(CHUNK)
            decoder = codecs.getincrementaldecoder(_encoding(head))(errors="replace")
            yield decoder.decode(head)
            while chunk := file.read(CHUNK):
                yield decoder.decode(chunk)
            yield decoder.decode(b"", final=True)
    except OSError as error:
        raise DatabaseError(
            f'The script "{path}" cannot be read; give a file that exists.'
        ) from error


def _encoding(head: bytes) -> str:
    for mark, name in (
        (codecs.BOM_UTF8, "utf-8-sig"),
        (codecs.BOM_UTF16_LE, "utf-16"),
        (codecs.BOM_UTF16_BE, "utf-16"),
    ):
        if head.startswith(mark):
            return name
    decoded = head.decode("utf-8", errors="replace")
    odd = decoded.count("�")
    other = sum(1 for char in decoded if char > "\x7f") - odd if odd else 0
    return "cp1252" if odd > 1 + other else "utf-8"


@dataclass(frozen=True, slots=True)
class _Patterns:
    """The compiled forms of a dialect for one delimiter.

    Attributes:
        blank: Space and comments between statements.
        run: Everything inside a statement up to what needs a decision.
        body: The same inside a routine, where BEGIN, CASE and END decide, too.
        opener: What opens a quote or a comment.
        client: A line for the client, with the newline before it.
        opening: The same where a statement could begin.
        separator: A separator line, with the newline before it.
        routine: The beginning of a routine.
    """

    blank: re.Pattern[str]
    run: re.Pattern[str]
    body: re.Pattern[str]
    opener: re.Pattern[str]
    client: re.Pattern[str]
    opening: re.Pattern[str]
    separator: re.Pattern[str]
    routine: re.Pattern[str]


_FLAGS: Final = re.IGNORECASE | re.DOTALL
_BLOCK_WORD: Final = re.compile(
    r"(BEGIN|CASE|END)\b(?:\s+(IF|LOOP|WHILE|REPEAT|FOR|CASE)\b)?", re.IGNORECASE
)
_SCHEMA: Final = re.compile(r"CREATE\s+SCHEMA\b", re.IGNORECASE)
_COPY: Final = re.compile(
    r"\s*\\?COPY\s.*\sFROM\s+P?STDIN\b", re.IGNORECASE | re.DOTALL
)
_DELIMITER: Final = re.compile(r"\s*DELIMITER\s+(\S+)", re.IGNORECASE)


@lru_cache(maxsize=64)
def _compile(dialect: Dialect, delimiter: str) -> _Patterns:
    stop = rf"(?:{dialect.separators}|{dialect.client_lines})"
    quoted = "|".join((*dialect.strings, *dialect.names))
    end = re.escape(delimiter)
    opener = rf"{dialect.quotes}|{dialect.prefixes}|{dialect.comment_opener}"
    special = "".join(re.escape(char) for char in sorted({*"'\"`[-/#$", delimiter[0]}))
    rest = (
        rf"|[^\w\n(){special}]++|{quoted}|{dialect.comment}"
        rf"|\n(?!{_INDENT}(?:{stop}|{dialect.restarts}))"
        rf"|(?!{end}|{opener})[{special}]"
    )
    word = rf"(?!{dialect.prefixes}|{end})\w++"
    inner = rf"(?!(?:BEGIN|CASE|END)\b){word}"
    return _Patterns(
        blank=re.compile(
            rf"(?:[^\S\n]++|﻿|{dialect.comment}"
            rf"|\n(?!{_INDENT}(?:{stop}|{dialect.opening_lines})))*+",
            _FLAGS,
        ),
        run=re.compile(rf"(?:{word}{rest})*+", _FLAGS),
        body=re.compile(rf"(?:{inner}{rest})*+", _FLAGS),
        opener=re.compile(opener, _FLAGS),
        client=re.compile(rf"{_START}(?:{dialect.client_lines})[^\n]*+", _FLAGS),
        opening=re.compile(rf"{_START}(?:{dialect.opening_lines})[^\n]*+", _FLAGS),
        separator=re.compile(rf"{_START}(?:{dialect.separators})", _FLAGS),
        routine=re.compile(dialect.routines, _FLAGS),
    )


_INDENT: Final = r"[ \t\r\f]*+"
_START: Final = rf"(?:\A|\n){_INDENT}"


@dataclass(slots=True)
class _Splitter:
    """The part of a script that is being looked at.

    Attributes:
        dialect: How the script is written.
        chunks: What has not been looked at yet.
        buffer: Some text; its first character lies before the current piece unless
            the piece is the script's first.
        start: Where the current piece begins.
        at: How far it has been looked at.
        limit: Up to where whole lines are in the buffer.
        ended: Whether ``chunks`` is used up.
        line: The line of ``start``.
        delimiter: What ends a statement.
    """

    dialect: Dialect
    chunks: Iterator[str]
    buffer: str = ""
    start: int = 0
    at: int = 0
    limit: int = 0
    ended: bool = False
    line: int = 1
    delimiter: str = ";"
    patterns: _Patterns = field(init=False)

    def pieces(self) -> Iterator[Piece]:
        """Yield every piece, the script's characters in order."""
        self.patterns = _compile(self.dialect, self.delimiter)
        while self._look_ahead():
            if self._skip(self.patterns.blank) or self._skip_comment():
                yield self._piece(Kind.BLANK)
            elif self._skip_delimiter() or self._skip_line(self.patterns.separator):
                self._skip(self.patterns.blank)
                yield self._piece(Kind.SEPARATOR)
            elif self._skip_line(self.patterns.client, self.patterns.opening):
                piece = self._piece(Kind.CLIENT)
                yield piece
                yield from self._after_client_line(piece.text)
            elif self.at < self.limit:
                yield from self._statement()
            elif not self._extend():
                return

    def _look_ahead(self) -> bool:
        while self.limit - self.at < LOOKAHEAD and self._extend():
            pass
        return self.at < len(self.buffer)

    def _extend(self) -> bool:
        """Read on; doubling keeps the sum of all copies linear."""
        if self.ended:
            return False
        kept = max(self.start - 1, 0)
        parts = [self.buffer[kept:]]
        wanted = max(CHUNK, len(parts[0]))
        while wanted > 0 and not self.ended:
            chunk = next(self.chunks, None)
            self.ended = chunk is None
            parts.append(chunk or "")
            wanted -= len(chunk or "")
        self.buffer = "".join(parts)
        self.start -= kept
        self.at -= kept
        size = len(self.buffer)
        whole = size if self.ended else self.buffer.rfind("\n", self.at)
        self.limit = max(whole, self.at)
        return True

    def _piece(self, kind: Kind, opened: str = "") -> Piece:
        text = self.buffer[self.start : self.at]
        piece = Piece(kind, text, self.line, opened)
        self.line += text.count("\n")
        self.start = self.at
        return piece

    def _skip(self, pattern: re.Pattern[str]) -> bool:
        match = pattern.match(self.buffer, self.at, self.limit)
        if match is None or match.end() == self.at:
            return False
        self.at = match.end()
        return True

    def _skip_line(self, *patterns: re.Pattern[str]) -> bool:
        if self.at and not self.buffer.startswith("\n", self.at):
            return False
        return any(self._skip(pattern) for pattern in patterns)

    def _skip_comment(self) -> bool:
        """Skip a comment that the pattern could not: a nested or an endless one."""
        if not self.buffer.startswith("/*", self.at):
            return False
        if not re.compile(self.dialect.comment_opener).match(self.buffer, self.at):
            return False
        self._leave(self._comment_end)
        return True

    def _comment_end(self) -> int | None:
        if self.dialect.nested_comments:
            return comment_end(self.buffer, self.at, self.limit)
        found = self.buffer.find("*/", self.at + 2, self.limit)
        return found + 2 if found >= 0 else None

    def _leave(self, find: Callable[[], int | None]) -> bool:
        """Move behind what is open here; to the script's end if it never ends."""
        while (end := find()) is None:
            if not self._extend():
                self.at = len(self.buffer)
                return False
        self.at = end
        return True

    def _skip_delimiter(self) -> bool:
        if not self.buffer.startswith(self.delimiter, self.at):
            return False
        self.at += len(self.delimiter)
        return True

    def _after_client_line(self, text: str) -> Iterator[Piece]:
        delimiter = _DELIMITER.match(text)
        if delimiter is not None:
            self.delimiter = delimiter.group(1)
            self.patterns = _compile(self.dialect, self.delimiter)
        elif self.dialect.copies and _COPY.match(text):
            yield from self._rows()

    def _statement(self) -> Iterator[Piece]:
        routine = self.patterns.routine.match(self.buffer, self.at) is not None
        whole = routine or _SCHEMA.match(self.buffer, self.at) is not None
        opened = self._scan(routine, whole)
        piece = self._piece(Kind.STATEMENT, opened)
        yield piece
        if self._copies(piece):
            if self._skip_delimiter():
                yield self._piece(Kind.SEPARATOR)
            yield from self._rows()

    def _copies(self, piece: Piece) -> bool:
        if piece.open or not self.dialect.copies or piece.text[:1] not in "cC\\":
            return False
        return _COPY.match(piece.text[:LOOKAHEAD]) is not None

    def _scan(self, routine: bool, whole: bool) -> str:
        """Move to the end of a statement; return a quote that never ends."""
        pattern = self.patterns.body if routine else self.patterns.run
        depth = blocks = 0
        while True:
            match = pattern.match(self.buffer, self.at, self.limit)
            self.at = match.end() if match else self.at
            if self.at >= self.limit:
                if not self._extend():
                    return ""
                continue
            char = self.buffer[self.at]
            if self.buffer.startswith(self.delimiter, self.at):
                if self._ends(routine, blocks):
                    return ""
                self.at += len(self.delimiter)
            elif char in "()":
                depth += 1 if char == "(" else -1
                self.at += 1
            elif char == "\n":
                if self._breaks(routine, whole, depth):
                    return ""
                self.at += 1
            elif routine and (word := _BLOCK_WORD.match(self.buffer, self.at)):
                blocks += _blocks(word)
                self.at = word.end()
            elif self._comes_to_nothing():
                return char

    def _ends(self, routine: bool, blocks: int) -> bool:
        """Return whether the delimiter here ends the statement."""
        if not routine or self.delimiter != ";":
            return True
        return not self.dialect.routine_until_separator and blocks <= 0

    def _breaks(self, routine: bool, whole: bool, depth: int) -> bool:
        """Return whether the line that follows is none of the statement."""
        for pattern in (self.patterns.separator, self.patterns.client):
            if pattern.match(self.buffer, self.at, self.limit):
                return True
        if not whole:
            return depth <= 0
        before = self.buffer[max(self.start, self.at - LOOKAHEAD) : self.at].rstrip()
        return routine and before.endswith(";") and self.dialect.name != "tsql"

    def _comes_to_nothing(self) -> bool:
        """Leave the quote or comment that opens here; say if it never ends."""
        opener = self.patterns.opener.match(self.buffer, self.at)
        if opener is None:
            self.at += 1
            return False
        if opener.group() == "/*" and self.dialect.nested_comments:
            return not self._leave(self._comment_end)
        if self._extend():
            return False
        self.at = len(self.buffer)
        return True

    def _rows(self) -> Iterator[Piece]:
        """Yield what follows COPY … FROM stdin up to the line that ends it."""
        while (newline := self.buffer.find("\n", self.at)) < 0 and self._extend():
            pass
        self.at = newline + 1 if newline >= 0 else len(self.buffer)
        if self.at > self.start:
            yield self._piece(Kind.BLANK)
        while self._look_ahead():
            end = _ROWS_END.match(self.buffer, self.at)
            if end is None:
                found = self.buffer.find("\n\\.", self.at, self.limit)
                last = found if found >= 0 else self.limit
                if last <= self.at and not self.ended and self._extend():
                    continue
                self.at = min(last + 1, len(self.buffer))
                yield self._piece(Kind.ROWS)
            else:
                self.at = end.end()
                yield self._piece(Kind.SEPARATOR)
                return


_ROWS_END: Final = re.compile(r"\\\.[ \t]*\r?(?=\n|\Z)")


def _blocks(word: re.Match[str]) -> int:
    """Return how a word changes the number of open blocks."""
    if word.group(1).upper() != "END":
        return 1
    return 0 if (word.group(2) or "CASE").upper() != "CASE" else -1
