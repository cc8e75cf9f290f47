"""The tables that a DBML file declares.

Each block is read on its own, so that a broken one costs itself alone. References are
read apart from their tables, since one to a table that is not there is no reason to
lose the table it stands in.
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from pydbml import PyDBML
from pydbml.exceptions import (
    DatabaseValidationError,
    TableNotFoundError,
    ValidationError,
)
from pyparsing import ParseBaseException

from workbench.ddl.catalog import position
from workbench.ddl.declared import (
    DeclaredColumn,
    DeclaredKey,
    DeclaredSchema,
    DeclaredTable,
    Unread,
    excerpt,
)

_NAME: Final = r'(?:"[^"\n]+"|\w+)'
_END: Final = rf"{_NAME}(?:\s*\.\s*{_NAME})*(?:\s*\.\s*\([^)\n]*\))?"
_SIGN: Final = r"<>|[<>-]"
_INLINE: Final = re.compile(rf"\bref\s*:\s*({_SIGN})\s*({_END})", re.IGNORECASE)
_OUTSIDE: Final = re.compile(rf"({_END})\s*({_SIGN})\s*({_END})")
_PIECE: Final = re.compile(
    r"(?P<text>'''(?:[^'\\]|\\.|'(?!''))*+'''|'(?:[^'\\\n]|\\.)*+'|`[^`]*+`"
    r"|//[^\n]*+|/\*.*?(?:\*/|\Z))|(?P<name>\"[^\"\n]*+\")"
    r"|(?P<open>\{)|(?P<close>\})|(?P<line>\n)"
    r"|(?P<head>(?:(?<=\n)|\A)(?:Table|TableGroup|TablePartial|Enum|Ref|Project|Note"
    r"|Records|DiagramView)\b)|(?P<word>\w+)|(?P<other>.)",
    re.DOTALL | re.IGNORECASE,
)
_SKIPPED: Final = ("enum", "project", "tablegroup", "note", "diagramview")


def read_dbml(name: str, text: str) -> DeclaredSchema:
    """Read the tables and references of a DBML file.

    Args:
        name: The file's name, for what could not be read.
        text: The file's text.

    Returns:
        The tables; their notes are comments. A many-to-many reference is reported,
        not turned into a table that nobody wrote.
    """
    reading = _Reading(name)
    for block in _blocks(text.removeprefix("﻿").replace("\r\n", "\n")):
        reading.read(block)
    return reading.schema()


@dataclass(frozen=True, slots=True)
class _Block:
    """A top-level element: its first word, its text and the line it begins on."""

    head: str
    text: str
    line: int

    def masked(self) -> str:
        """Return the text with quoted texts and comments blanked, lines kept."""
        return _PIECE.sub(_mask, self.text)


@dataclass(frozen=True, slots=True)
class _Reference:
    """A reference from columns to columns before its names are looked up."""

    sign: str
    left: str
    right: str
    line: int
    text: str
    inline: bool


@dataclass(slots=True)
class _Reading:
    """What has been read of a file so far."""

    file: str
    tables: list[Any] = field(default_factory=list)
    references: list[_Reference] = field(default_factory=list)
    unread: list[Unread] = field(default_factory=list)

    def read(self, block: _Block) -> None:
        """Read one block."""
        if block.head == "table":
            self._read_table(block)
        elif block.head == "ref":
            self._read_references(block)
        elif block.head not in _SKIPPED:
            self._report(block.line, block.text, "this element of DBML is not read")

    def _report(self, line: int, text: str, why: str) -> None:
        self.unread.append(Unread(self.file, line, excerpt(text), why))

    def _read_table(self, block: _Block) -> None:
        masked, text = block.masked(), block.text
        spans = []
        for match in _INLINE.finditer(masked):
            begin = masked.rfind("\n", 0, match.start()) + 1
            owner = re.match(rf"\s*({_NAME})", text[begin:])
            line = block.line + text.count("\n", 0, begin)
            spans.append(match.span())
            if owner is not None:
                shown = text[begin:].split("\n", 1)[0]
                own = f"{_title(text)}.{owner.group(1)}"
                self.references.append(
                    _Reference(match[1], own, match[2], line, shown, inline=True)
                )
        for begin, end in reversed(spans):
            text = _without_setting(text, begin, end)
        try:
            self._add(PyDBML(text + "\n").tables, block)
        except ParseBaseException as error:
            line = block.line + max(error.lineno - 1, 0)
            wrong = text.split("\n")[max(error.lineno - 1, 0) :][:1]
            why = f"the table is left out: {_plain(str(error))}"
            self._report(line, wrong[0] if wrong else text, why)
        except _REFUSED as error:
            why = f"the table is left out: {_plain(str(error))}"
            self._report(block.line, block.text, why)

    def _add(self, tables: Sequence[Any], block: _Block) -> None:
        for table in tables:
            if any(_place(table) == _place(each) for each in self.tables):
                why = f'"{table.name}" was declared before; that counts'
                self._report(block.line, block.text, why)
            else:
                self.tables.append(table)

    def _read_references(self, block: _Block) -> None:
        masked = block.masked()
        start = masked.find("{") if "{" in masked else masked.find(":")
        found = list(_OUTSIDE.finditer(masked, start + 1))
        for match in found:
            line = block.line + masked.count("\n", 0, match.start())
            self.references.append(
                _Reference(match[2], match[1], match[3], line, match[0], inline=False)
            )
        if not found:
            self._report(block.line, block.text, "no reference looks like this")

    def schema(self) -> DeclaredSchema:
        """Return what was read."""
        names = _names(self.tables)
        known: dict[str, Any] = {}
        for table in self.tables:
            for title in (table.name, f"{table.schema}.{table.name}", table.alias):
                if title:
                    known.setdefault(title, table)
        keys: dict[int, list[DeclaredKey]] = {id(table): [] for table in self.tables}
        for reference in self.references:
            found = self._key(reference, known, names)
            if found is not None and found[1] not in keys[id(found[0])]:
                keys[id(found[0])].append(found[1])
        return DeclaredSchema(
            tables=tuple(
                _declared(table, names[id(table)], keys[id(table)])
                for table in self.tables
            ),
            dialect="dbml",
            unread=tuple(sorted(self.unread, key=lambda unread: unread.line)),
        )

    def _key(
        self,
        reference: _Reference,
        known: Mapping[str, Any],
        names: Mapping[int, str],
    ) -> tuple[Any, DeclaredKey] | None:
        ends = [_look_up(end, known) for end in (reference.left, reference.right)]
        for end, text in zip(ends, (reference.left, reference.right), strict=True):
            if end is None:
                why = f'the reference is left out: there is no "{text}"'
                self._report(reference.line, reference.text, why)
                return None
        if reference.sign == "<>":
            why = "a reference of many to many has no table that holds it; declare one"
            self._report(reference.line, reference.text, why)
            return None
        (left, own), (right, ref) = (end for end in ends if end is not None)
        if _turned(reference, _primary_key(left) == own, _primary_key(right) == ref):
            left, own, right, ref = right, ref, left, own
        if len(own) != len(ref):
            why = "the reference is left out: its columns do not pair"
            self._report(reference.line, reference.text, why)
            return None
        return left, DeclaredKey(own, names[id(right)], ref)


_REFUSED: Final = (
    SyntaxError,
    ValueError,
    TypeError,
    AttributeError,
    KeyError,
    IndexError,
    RecursionError,
    DatabaseValidationError,
    TableNotFoundError,
    ValidationError,
)


def _blocks(text: str) -> Iterator[_Block]:
    """Yield the top-level elements; a new one at a line's start ends a broken one."""
    begin: int | None = None
    head, depth, line, counted = "", 0, 1, 0
    for match in _PIECE.finditer(text):
        kind = match.lastgroup
        at_rest = begin is None
        if kind == "head" or (kind == "word" and at_rest):
            if begin is not None:
                yield _Block(head, text[begin : match.start()].rstrip(), line)
            begin, head, depth = match.start(), match.group().lower(), 0
            line += text.count("\n", counted, begin)
            counted = begin
        depth += (kind == "open") - (kind == "close")
        ends_line = kind == "line" and head == "ref" and depth == 0
        if begin is not None and depth <= 0 and (kind == "close" or ends_line):
            yield _Block(head, text[begin : match.end()].rstrip(), line)
            begin = None
    if begin is not None:
        yield _Block(head, text[begin:].rstrip(), line)


def _without_setting(text: str, begin: int, end: int) -> str:
    """Return a table without one setting of a column, its comma or its brackets."""
    before, after = text[:begin].rstrip(), text[end:].lstrip()
    if before.endswith(","):
        return before[:-1] + text[end:]
    if after.startswith(","):
        return text[:begin] + after[1:]
    if before.endswith("[") and after.startswith("]"):
        return before[:-1] + after[1:]
    return text[:begin] + text[end:]


def _place(table: Any) -> tuple[str, str]:
    return table.schema, table.name


def _mask(match: re.Match[str]) -> str:
    if match.lastgroup != "text":
        return match.group()
    return re.sub(r"[^\n]", " ", match.group())


def _title(text: str) -> str:
    match = re.match(rf"\w+\s+({_NAME}(?:\s*\.\s*{_NAME})*)", text)
    return match.group(1) if match else ""


def _plain(message: str) -> str:
    return " ".join(message.split("(at char")[0].split()).rstrip(" ,.!")


def _look_up(text: str, known: Mapping[str, Any]) -> tuple[Any, tuple[str, ...]] | None:
    """Return the table and the columns that ``schema.table.(a, b)`` means."""
    inner = re.search(r"\(([^)]*)\)$", text)
    if inner is not None:
        parts = _unquoted(text[: inner.start()].rstrip(" ."))
        columns = [name for part in inner[1].split(",") for name in _unquoted(part)]
    else:
        *parts, column = _unquoted(text)
        columns = [column]
    titles = list(known)
    at = position(titles, ".".join(parts))
    if at is None:
        return None
    table = known[titles[at]]
    names = [column.name for column in table.columns]
    spelt = [position(names, column) for column in columns]
    if None in spelt:
        return None
    return table, tuple(names[one] for one in spelt if one is not None)


def _unquoted(text: str) -> list[str]:
    return [name.strip('"') for name in re.findall(_NAME, text)]


def _turned(reference: _Reference, left_is_key: bool, right_is_key: bool) -> bool:
    """Return whether the right side refers to the left one.

    Of one to one, the side that is no primary key refers; if both or none are, the
    side that is written last, as DBML's own programs do it.
    """
    if reference.sign == "-" and not reference.inline:
        return left_is_key or not right_is_key
    return reference.sign == "<"


def _primary_key(table: Any) -> tuple[str, ...]:
    single = tuple(column.name for column in table.columns if column.pk)
    if single:
        return single
    for index in table.indexes:
        if index.pk:
            return tuple(subject.name for subject in index.subjects)
    return ()


def _names(tables: Sequence[Any]) -> dict[int, str]:
    alone = len({table.schema for table in tables}) <= 1
    return {
        id(table): table.name
        if alone or table.schema == "public"
        else f"{table.schema}.{table.name}"
        for table in tables
    }


def _declared(table: Any, name: str, keys: Sequence[DeclaredKey]) -> DeclaredTable:
    primary_key = _primary_key(table)
    return DeclaredTable(
        name=name,
        columns=tuple(
            DeclaredColumn(
                column.name,
                str(column.type),
                not (column.not_null or column.name in primary_key),
                column.note.text,
            )
            for column in table.columns
        ),
        primary_key=primary_key,
        foreign_keys=tuple(keys),
        comment=table.note.text,
    )
