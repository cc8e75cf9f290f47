"""The values of an INSERT as texts: what is written, never what it would compute."""

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import lru_cache
from types import MappingProxyType
from typing import Final

from workbench.ddl.dialect import (
    DOLLAR_QUOTED,
    NAME_OR_STRING,
    STRING,
    STRING_WITH_BACKSLASHES,
    Dialect,
)

Row = tuple[str | None, ...]

_NUMBER: Final = r"[-+]?\s*(?:\d+(?:\.\d*)?|\.\d+)(?:[eE][-+]?\d+)?"
_CAST: Final = (
    r'(?:\s*::\s*(?:"[^"]*"|[\w.]+)(?:\s+varying|\s+with(?:out)?\s+time\s+zone)?'
)
_CASTS: Final = _CAST + r"(?:\(\d+(?:,\s*\d+)?\))?(?:\[\])*)*"
_OPEN: Final = re.compile(r"[\s,]*(?:ROW\s*)?\(", re.IGNORECASE)
_REPLACED: Final = re.compile(
    rf"\s*(?P<calls>(?:replace\(\s*)+)(?P<text>{STRING})"
    rf"(?P<changes>(?:\s*,\s*{STRING}\s*,\s*char\(\d+\)\s*\))+)\s*(?P<end>[,)])",
    re.IGNORECASE,
)
_CHANGE: Final = re.compile(rf",\s*({STRING})\s*,\s*char\((\d+)\)", re.IGNORECASE)
_UNISTR: Final = re.compile(
    rf"\s*unistr\(\s*(?P<text>{STRING})\s*\)\s*(?P<end>[,)])", re.IGNORECASE
)
_MYSQL_ESCAPES: Mapping[str, str] = MappingProxyType(
    {"0": "\0", "b": "\b", "n": "\n", "r": "\r", "t": "\t", "Z": "\x1a"}
)
_ESCAPES: Mapping[str, str] = MappingProxyType(
    {"b": "\b", "f": "\f", "n": "\n", "r": "\r", "t": "\t", "v": "\v"}
)
_ESCAPE: Final = re.compile(
    r"\\(?:x([0-9a-fA-F]{1,2})|u([0-9a-fA-F]{4})|U([0-9a-fA-F]{8})|([0-7]{1,3})|(.))",
    re.DOTALL,
)
_BLOB_MARKS: Final = re.compile(r"\A0[xX]|[xX'\s]")
_BACKSLASH: Final = re.compile(r"\\(.)", re.DOTALL)


@dataclass(frozen=True, slots=True)
class ValueList:
    """One parenthesised row of an INSERT.

    Attributes:
        row: Its values; None for NULL and for what would have to be computed.
        start: Where it begins in the statement.
        stop: Where it ends.
        computed: The positions of the values that would have to be computed.
    """

    row: Row
    start: int
    stop: int
    computed: tuple[int, ...]


def read_value_lists(text: str, at: int, dialect: Dialect) -> Iterator[ValueList]:
    """Yield the rows that stand behind VALUES.

    Args:
        text: The statement.
        at: The place behind VALUES.
        dialect: How texts are quoted.
    """
    pattern = _value(dialect)
    while match := _OPEN.match(text, at):
        start, at = match.end() - 1, match.end()
        row: list[str | None] = []
        computed: list[int] = []
        end = ","
        while end == ",":
            found = pattern.match(text, at)
            if found is not None:
                row.append(_READ[found.lastgroup or ""](found, dialect))
                end, at = text[found.end() - 1], found.end()
                continue
            value, end, at = _written(text, at, dialect)
            if value is None:
                computed.append(len(row))
            row.append(value)
        yield ValueList(tuple(row), start, at, tuple(computed))


@lru_cache(maxsize=16)
def _value(dialect: Dialect) -> re.Pattern[str]:
    mysql = dialect.name == "mysql"
    string = STRING_WITH_BACKSLASHES if mysql else STRING
    more = rf"|{NAME_OR_STRING}" if mysql else ""
    introducer = r"(?:_\w+\s*|[nN]|(?:DATE|TIME|TIMESTAMP)\s+)?"
    end = rf"{_CASTS}\s*[,)]"
    return re.compile(
        rf"\s*+(?:(?P<null>NULL){end}|(?P<string>{introducer}(?:{string}{more})){end}"
        rf"|(?P<blob>[xX]'[0-9a-fA-F\s]*'|0x[0-9a-fA-F]*){end}"
        rf"|(?P<number>{_NUMBER}){end}|(?P<bits>[bB]'[01]*'){end}"
        rf"|(?P<truth>TRUE|FALSE){end}"
        rf"|(?P<escaped>[eE]{STRING_WITH_BACKSLASHES}){end}"
        rf"|(?P<dollars>{DOLLAR_QUOTED}){end})",
        re.IGNORECASE | re.DOTALL,
    )


def _string(found: re.Match[str], dialect: Dialect) -> str:
    text = found.group("string")
    quote = text[-1]
    text = text[text.index(quote) + 1 : -1].replace(quote * 2, quote)
    if dialect.name == "mysql" and "\\" in text:
        return _BACKSLASH.sub(
            lambda one: _MYSQL_ESCAPES.get(one.group(1), one.group(1)), text
        )
    return text


def unescaped(text: str) -> str:
    r"""Return a text with PostgreSQL's escapes replaced, as in E'…' and COPY.

    >>> unescaped(r"a\tb\x41")
    'a\tbA'
    """
    return _ESCAPE.sub(_unescape, text)


def _unescape(match: re.Match[str]) -> str:
    hexadecimal = match.group(1) or match.group(2) or match.group(3)
    if hexadecimal:
        number = int(hexadecimal, 16)
        return chr(number) if number < 0x110000 else "�"
    if match.group(4):
        return chr(int(match.group(4), 8))
    return _ESCAPES.get(match.group(5), match.group(5))


def _escaped(found: re.Match[str], _: Dialect) -> str:
    return unescaped(found.group("escaped")[2:-1].replace("''", "'"))


def _dollars(found: re.Match[str], _: Dialect) -> str:
    text = found.group("dollars")
    size = text.index("$", 1) + 1
    return text[size:-size]


def _blob(found: re.Match[str], _: Dialect) -> str:
    digits = _BLOB_MARKS.sub("", found.group("blob"))
    return "\\x" + digits.lower()


_READ: Mapping[str, Callable[[re.Match[str], Dialect], str | None]] = MappingProxyType(
    {
        "null": lambda found, _: None,
        "string": _string,
        "blob": _blob,
        "number": lambda found, _: "".join(found.group("number").split()).lstrip("+"),
        "bits": lambda found, _: found.group("bits")[2:-1],
        "truth": lambda found, _: found.group("truth").lower(),
        "escaped": _escaped,
        "dollars": _dollars,
    }
)


def _written(text: str, at: int, dialect: Dialect) -> tuple[str | None, str, int]:
    r"""Read a value that is not plainly a constant; None if it must be computed.

    SQLite's own dump writes a text with newlines as ``replace('a\nb','\n',char(10))``
    or ``unistr('a\u000ab')``: constants, however they look.
    """
    found = _REPLACED.match(text, at)
    if found is not None:
        value = _inner(found.group("text"))
        for change in _CHANGE.finditer(found.group("changes")):
            value = value.replace(_inner(change.group(1)), chr(int(change.group(2))))
        return value, found.group("end"), found.end()
    found = _UNISTR.match(text, at)
    if found is not None:
        return unescaped(_inner(found.group("text"))), found.group("end"), found.end()
    return _skip(text, at, dialect)


def _inner(quoted: str) -> str:
    return quoted[1:-1].replace("''", "'")


@lru_cache(maxsize=16)
def _part(dialect: Dialect) -> re.Pattern[str]:
    quoted = "|".join((*dialect.strings, *dialect.names))
    return re.compile(rf"(?:{quoted}|[^(),'\"]|['\"])", re.DOTALL)


def _skip(text: str, at: int, dialect: Dialect) -> tuple[None, str, int]:
    """Move behind an expression: to the comma or parenthesis that ends it."""
    pattern, depth = _part(dialect), 0
    while at < len(text):
        char = text[at]
        if depth == 0 and char in ",)":
            return None, char, at + 1
        found = pattern.match(text, at)
        depth += (char == "(") - (char == ")")
        at = found.end() if found else at + 1
    return None, "", at
