"""The rows that a script holds: COPY blocks and INSERTs with constant values."""

import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from itertools import islice
from typing import Final

from workbench.ddl.catalog import position
from workbench.ddl.declared import DeclaredSchema, DeclaredTable, Unread, excerpt
from workbench.ddl.dialect import Dialect
from workbench.ddl.dialects import DIALECTS
from workbench.ddl.literals import Row, read_value_lists, unescaped
from workbench.ddl.reading import choose_dialect
from workbench.ddl.script import Kind, Piece, Text, read_pieces
from workbench.ddl.tokens import Cursor, Token, iterate_tokens
from workbench.ddl.vocabulary import BEFORE_TABLE
from workbench.reader import BATCH_ROWS

Batch = tuple[str, tuple[str, ...], list[Row]]
"""A table, the columns that are given, and rows as texts, NULL as None."""

OnUnread = Callable[[Unread], None]

_INSERT: Final = re.compile(r"(?:/\*M?!\d*\s*)?(?:INSERT|REPLACE)\b", re.IGNORECASE)
_COPY: Final = re.compile(r"\\?COPY\s.*\bFROM\s+P?STDIN\b", re.IGNORECASE | re.DOTALL)
_HEAD: Final = re.compile(
    r"[^'(]*?(?:\([^'()]*+\)[^'(]*?)?\bVALUES?\s*(?=\()", re.IGNORECASE
)
_CHANGES: Final = re.compile(
    r"(?:UPDATE|DELETE|MERGE|TRUNCATE|COPY\s[^']*\sFROM\s+'|LOAD\s+(?:DATA|XML)|BULK\s+INSERT)\b",
    re.I,
)
_PLACE: Final = re.compile(r"(?:SET\s+search_path|USE)\b", re.IGNORECASE)
_REST: Final = re.compile(r"\s*(?:ON\b|RETURNING\b|AS\b|\*/|\Z)", re.IGNORECASE)


def has_rows(texts: Sequence[tuple[str, Text]]) -> bool:
    """Return whether a script holds rows, without reading on behind the first.

    Raises:
        DatabaseError: A file cannot be read.
    """
    dialect = choose_dialect(texts)
    return any(
        bool(_INSERT.match(piece.text)) or bool(_COPY.match(piece.text))
        for _, text in texts
        for piece in read_pieces(text, dialect)
        if piece.kind is Kind.STATEMENT
    )


def read_rows(
    texts: Sequence[tuple[str, Text]],
    schema: DeclaredSchema,
    on_unread: OnUnread | None = None,
) -> Iterator[Batch]:
    r"""Yield the rows of scripts in their order, in batches of one table.

    Values are texts as written, escapes replaced; binary ones are ``\x`` and
    hexadecimal digits. An expression is not evaluated: its value is None and it is
    reported, as is a row that does not fit its table. A row of a partition is a row of
    its table.

    Args:
        texts: Each script's name and its text or path, as for ``read_ddl``.
        schema: What ``read_ddl`` returned for them.
        on_unread: Takes what is not read; of each kind of thing in a table the first.

    Yields:
        A table, the columns that are given, at most ``BATCH_ROWS`` rows.

    Raises:
        DatabaseError: A file cannot be read.
    """
    reading = _Reading(
        DIALECTS.get(schema.dialect, DIALECTS["portable"]),
        schema,
        on_unread or (lambda unread: None),
    )
    batch: Batch | None = None
    for target, row in reading.rows(texts):
        if batch is not None and (
            batch[:2] != (target.table, target.columns) or len(batch[2]) >= BATCH_ROWS
        ):
            yield batch
            batch = None
        if batch is None:
            batch = (target.table, target.columns, [])
        batch[2].append(row)
    if batch is not None:
        yield batch


@dataclass(frozen=True, slots=True)
class _Target:
    """Where rows go.

    Attributes:
        table: The table's name.
        columns: The columns that are given.
        bits: The positions of columns of bits.
    """

    table: str
    columns: tuple[str, ...]
    bits: tuple[int, ...]


@dataclass(slots=True)
class _Reading:
    """The state between two statements."""

    dialect: Dialect
    schema: DeclaredSchema
    on_unread: OnUnread
    inside: str = ""
    file: str = ""
    told: set[tuple[str, str, str]] = field(default_factory=set)
    heads: dict[str, _Target | None] = field(default_factory=dict)
    tables: dict[str, DeclaredTable] = field(default_factory=dict)

    def rows(self, texts: Sequence[tuple[str, Text]]) -> Iterator[tuple[_Target, Row]]:
        """Yield every row with where it goes."""
        self.tables = {table.name: table for table in self.schema.tables}
        for self.file, text in texts:
            target: _Target | None = None
            for piece in read_pieces(text, self.dialect):
                if piece.kind is Kind.ROWS and target is not None:
                    yield from self._copied(target, piece)
                elif piece.kind is Kind.STATEMENT and _INSERT.match(piece.text):
                    yield from self._inserted(piece)
                elif piece.kind in (Kind.STATEMENT, Kind.CLIENT):
                    target = self._other(piece)

    def _other(self, piece: Piece) -> _Target | None:
        """Follow a statement without rows; return where rows behind it go."""
        text = piece.text.lstrip()
        if self.dialect.copies and _COPY.match(text):
            return self._copy_target(piece)
        if _PLACE.match(text):
            cursor = self._cursor(text)
            cursor.take()
            if cursor.accept("SEARCH_PATH"):
                cursor.take()
            self.inside = cursor.name() or ""
        elif _CHANGES.match(text) and "sqlite_" not in text[:80]:
            self._tell(piece, 0, "", "statements that change rows are not executed")
        return None

    def _cursor(self, text: str) -> Cursor:
        tokens: list[Token] = []
        for token in islice(iterate_tokens(text, self.dialect), 10_000):
            tokens.append(token)
            if token.upper in ("VALUES", "SELECT", "STDIN"):
                break
        return Cursor(tokens, 0, len(tokens))

    def _tell(self, piece: Piece, start: int, table: str, why: str) -> None:
        """Report something, once for each table."""
        if (self.file, table, why) in self.told:
            return
        self.told.add((self.file, table, why))
        line = piece.line + piece.text.count("\n", 0, start)
        part = excerpt(piece.text[start : start + 400])
        self.on_unread(Unread(self.file, line, part, why))

    def _copy_target(self, piece: Piece) -> _Target | None:
        cursor = self._cursor(piece.text)
        cursor.accept("\\")
        cursor.take()
        target = self._target(piece, cursor)
        rest = re.split(r"\bP?STDIN\b", piece.text, maxsplit=1, flags=re.IGNORECASE)[-1]
        if target is not None and rest.strip(" \t\r\n;"):
            self._tell(piece, 0, target.table, "COPY with options is not read")
            return None
        return target

    def _target(self, piece: Piece, cursor: Cursor) -> _Target | None:
        """Read a table's name and the columns that follow it."""
        path = cursor.path()
        named = cursor.rest()
        table = self._table(path)
        if table is None:
            if path and not path[-1].lower().startswith(("sqlite_", "#")):
                why = f'there is no table "{".".join(path)}"; its rows are left out'
                self._tell(piece, 0, ".".join(path), why)
            return None
        known = [column.name for column in table.columns]
        at: list[int | None] = list(range(len(known)))
        if named.sees("("):
            at = [position(known, part.name() or "") for part in cursor.group().split()]
        if None in at:
            why = "a column that is given is not in the table; the rows are left out"
            self._tell(piece, 0, table.name, why)
            return None
        columns = [table.columns[one] for one in at if one is not None]
        return _Target(
            table.name,
            tuple(column.name for column in columns),
            tuple(
                here
                for here, column in enumerate(columns)
                if column.sql_type.lower().startswith("bit")
            ),
        )

    def _table(self, path: Sequence[str]) -> DeclaredTable | None:
        if not path:
            return None
        tries = [".".join(path[-2:]), path[-1]]
        if len(path) == 1 and self.inside:
            tries.insert(0, f"{self.inside}.{path[0]}")
        if len(path) == 1:
            tries += [f"{each}.{path[0]}" for each in self.dialect.default_schemas]
        names, parts = list(self.tables), list(self.schema.partitions)
        for wanted in tries:
            if (at := position(names, wanted)) is not None:
                return self.tables[names[at]]
            if (at := position(parts, wanted)) is not None:
                return self.tables[self.schema.partitions[parts[at]]]
        return None

    def _copied(self, target: _Target, piece: Piece) -> Iterator[tuple[_Target, Row]]:
        lines = piece.text.split("\n")
        if not lines[-1]:
            lines.pop()
        ending = "\r" if lines and lines[0].endswith("\r") else ""
        width, start = len(target.columns), 0
        for line in lines:
            fields = line.removesuffix(ending).split("\t")
            if len(fields) == width:
                yield target, tuple(map(_field, fields))
            else:
                self._mismatch(piece, start, target)
            start += len(line) + 1

    def _mismatch(self, piece: Piece, start: int, target: _Target) -> None:
        why = "a row has more or fewer values than columns; such rows are left out"
        self._tell(piece, start, target.table, why)

    def _inserted(self, piece: Piece) -> Iterator[tuple[_Target, Row]]:
        text = piece.text
        head = _HEAD.match(text)
        if head is None:
            self._tell(
                piece, 0, "", "an INSERT without constant values is not executed"
            )
            return
        target = self._insert_target(piece, head.group())
        if target is None:
            return
        at = head.end()
        for found in read_value_lists(text, at, self.dialect):
            at = found.stop
            if len(found.row) != len(target.columns):
                self._mismatch(piece, found.start, target)
                continue
            for column in found.computed:
                name = target.columns[column]
                why = (
                    f'an expression in the column "{name}" is not computed: it is NULL'
                )
                self._tell(piece, found.start, target.table, why)
            yield target, self._row(found.row, target)
        if not _REST.match(text, at):
            self._tell(piece, at, target.table, "the rest of an INSERT is not read")

    def _insert_target(self, piece: Piece, head: str) -> _Target | None:
        key = f"{self.inside}\0{head}"
        if key not in self.heads:
            cursor = self._cursor(head)
            while cursor.accept_any(*BEFORE_TABLE):
                pass
            if len(self.heads) > _MOST_HEADS:
                self.heads.clear()
            self.heads[key] = self._target(piece, cursor)
        return self.heads[key]

    def _row(self, row: Row, target: _Target) -> Row:
        if not target.bits or self.dialect.name != "mysql":
            return row
        return tuple(
            _bits(value) if at in target.bits and value else value
            for at, value in enumerate(row)
        )


_MOST_HEADS: Final = 10_000


def _field(text: str) -> str | None:
    if "\\" not in text:
        return text
    return None if text == "\\N" else unescaped(text)


def _bits(value: str) -> str:
    """Return MySQL's bits, however they are written, as a whole number."""
    if value.startswith("\\x"):
        return str(int(value[2:] or "0", 16))
    if set(value) <= {"0", "1"}:
        return str(int(value, 2))
    if len(value) <= 8 and not value.isdigit():
        return str(int.from_bytes(value.encode("latin-1", errors="replace")))
    return value
