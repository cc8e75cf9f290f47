"""What tables a script declares: its statements followed in order, none executed."""

import re
from collections.abc import Iterator, Sequence
from itertools import islice
from typing import Final

from workbench.ddl.catalog import Catalog
from workbench.ddl.declared import (
    DeclaredColumn,
    DeclaredKey,
    DeclaredSchema,
    DeclaredTable,
    Unread,
    excerpt,
)
from workbench.ddl.detection import detect_dialect
from workbench.ddl.dialect import Dialect
from workbench.ddl.dialects import DIALECTS
from workbench.ddl.outcome import declare
from workbench.ddl.script import Kind, Piece, Text, read_chunks, read_pieces
from workbench.ddl.statements import Follower
from workbench.errors import SchemaError, unknown

__all__ = [
    "DeclaredColumn",
    "DeclaredKey",
    "DeclaredSchema",
    "DeclaredTable",
    "Unread",
    "choose_dialect",
    "detect_dialect",
    "read_ddl",
]

_HEAD_CHUNKS: Final = 1


def read_ddl(
    texts: Sequence[tuple[str, Text]], dialect: str | None = None
) -> DeclaredSchema:
    """Read the tables that scripts declare.

    Nothing is executed, with one exception: where the dialect is SQLite, SQLite itself
    reads each CREATE TABLE, in memory, allowed to do nothing else.

    Args:
        texts: Each script's name and its text, or its path to be streamed; several
            are one schema and are followed in this order.
        dialect: A name in ``DIALECTS``; found from the texts where it is not given.

    Returns:
        The tables as the last statement leaves them, and what could not be read.

    Raises:
        SchemaError: There is no such dialect.
        DatabaseError: A file cannot be read.
    """
    chosen = choose_dialect(texts, dialect)
    follower = Follower(chosen, Catalog(chosen.default_schemas))
    for name, text in texts:
        for piece in _way_up(read_pieces(text, chosen)):
            if piece.kind is Kind.STATEMENT:
                follower.follow(name, piece)
            elif _INCLUDED.match(piece.text):
                line = piece.line + piece.text.startswith("\n")
                why = "the file that is named here is not read; give it, too"
                follower.unread.append(Unread(name, line, excerpt(piece.text), why))
    follower.finish()
    return declare(follower.catalog, chosen.name, follower.unread)


def choose_dialect(
    texts: Sequence[tuple[str, Text]], dialect: str | None = None
) -> Dialect:
    """Return the dialect that is asked for, or the one the texts are written in.

    Raises:
        SchemaError: There is no such dialect.
        DatabaseError: A file cannot be read.
    """
    if dialect is None:
        dialect = detect_dialect("\n".join(_head(text) for _, text in texts))
    if dialect not in DIALECTS:
        raise SchemaError(unknown("dialect", dialect, DIALECTS))
    return DIALECTS[dialect]


def _head(text: Text) -> str:
    if isinstance(text, str):
        return text
    return "".join(islice(read_chunks(text), _HEAD_CHUNKS))


_INCLUDED: Final = re.compile(
    r"\s*(?:@@?|\\ir?\s|\\include|:r\s|SOURCE\s|START\s|\.read\s)", re.IGNORECASE
)
_DOWN: Final = re.compile(
    r"^--\s*(?:\+goose\s+Down|migrate:down|\+migrate\s+Down|//\s*@UNDO|rollback\b)",
    re.IGNORECASE | re.MULTILINE,
)
_UP: Final = re.compile(
    r"^--\s*(?:\+goose\s+Up|migrate:up|\+migrate\s+Up)", re.IGNORECASE | re.MULTILINE
)


def _way_up(pieces: Iterator[Piece]) -> Iterator[Piece]:
    """Yield what a migration does; what takes it back is not followed."""
    down = False
    for piece in pieces:
        if piece.kind in (Kind.BLANK, Kind.SEPARATOR) and "--" in piece.text:
            down = bool(_DOWN.search(piece.text)) or (
                down and not _UP.search(piece.text)
            )
        if piece.kind in (Kind.STATEMENT, Kind.CLIENT) and not down:
            yield piece
