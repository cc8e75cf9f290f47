"""Which delimiter, quotes and header a text of cells has, decided on its beginning."""

import csv
import re
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import islice, pairwise
from typing import Protocol

DELIMITERS = (",", ";", "\t", "|", "\x1f", "\x01", "^", "~")
LAST_DELIMITERS = (" ", ":")  # only where nothing else divides, and into numbers
MAX_ROWS = 1_000
NULLS = ("", r"\N")
NUMBER = re.compile(r"[-+]?[$€£]?\s?(\d[\d.,' ]*|[.,]\d+)([eE][-+]?\d+)?\s?%?")
DATE = re.compile(
    r"\d{1,4}[-/.]\d{1,2}[-/.]\d{1,4}([T ]\d{1,2}:\d{2}(:\d{2}([.,]\d+)?)?"
    r"\s?(Z|[AP]M|[-+]\d{2}:?\d{2})?)?|\d{1,2}:\d{2}(:\d{2}([.,]\d+)?)?",
    re.IGNORECASE,
)
WORDS = re.compile(r'[^,;\t|\x1f\x01^~"\\\n\r]+')
NAME = re.compile(r".{1,120}", re.DOTALL)
EVIDENCE = 0.9
MAX_CELLS = 20_000  # looked at to tell whether a division makes sense


@dataclass(frozen=True, slots=True)
class Quoting:
    """How cells are quoted.

    Attributes:
        mark: The quotation mark, or None where every character is content.
        escape: What stands before a character to be taken literally; a doubled mark
            stands for one where it is None.
    """

    mark: str | None
    escape: str | None = None


QUOTINGS = (
    Quoting('"'),
    Quoting('"', "\\"),
    Quoting("'"),
    Quoting(None),
    Quoting(None, "\\"),
)


@dataclass(frozen=True, slots=True)
class Format:
    """What was decided.

    Attributes:
        delimiter: Between two cells.
        quoting: How cells are quoted.
        width: Number of cells of a row.
        names: The header's cells; None where there is no header.
        num_skipped: Number of lines before the first row, the header among them.
        has_comments: Whether lines that begin with ``#`` say nothing.
    """

    delimiter: str
    quoting: Quoting
    width: int
    names: tuple[str, ...] | None
    num_skipped: int
    has_comments: bool


class RowReader(Protocol):
    """What `csv.reader` returns."""

    @property
    def line_num(self) -> int:
        """Number of lines read so far."""
        ...

    def __iter__(self) -> Iterator[list[str]]:
        """Yield rows."""
        ...


@dataclass(frozen=True, slots=True)
class _Parsed:
    """The beginning of a text under one delimiter and quoting."""

    delimiter: str
    quoting: Quoting
    rows: tuple[tuple[str, ...], ...]
    lines: tuple[int, ...]  # the number of the line each row ends on
    width: int
    share: float  # of rows that have this width
    is_strict: bool

    @property
    def is_even(self) -> bool:
        return self.width > 1 and self.share == 1 and self.is_strict


def detect_format(lines: Sequence[str], tab_first: bool = False) -> Format:
    """Decide how a text is divided, by its first lines.

    A division is good when every row has as many cells as the others, and better when
    the cells look like numbers, dates and words.

    Args:
        lines: Whole lines with their ends.
        tab_first: Whether the file's name says that tabs divide.

    Source: van den Burg et al. (2019), arXiv:1811.11242; differs in: an even division
    comes before every uneven one, and quotes are settled for each delimiter first.
    """
    num_comments, has_comments, told = _preamble(lines)
    body = lines[num_comments:]
    order = ("\t", *DELIMITERS) if tab_first else DELIMITERS
    candidates = [told] if told else list(dict.fromkeys(order))
    parsed = [
        _best_quoting(body, one, has_comments)
        for one in candidates
        if _occurs(one, body)
    ]
    parsed += [] if parsed else _numbers_between(body, has_comments)
    parsed = parsed or [_best_quoting(body, ",", has_comments)]
    best = max(parsed, key=_score)  # the first of equals
    return _with_header(best, lines, num_comments, has_comments)


def looks_like_header(first: Sequence[str], rest: Sequence[Sequence[str]]) -> bool:
    """Return whether a row names the columns of those below it.

    Args:
        first: The first row's cells.
        rest: Rows below it, of any width.
    """
    cells = [cell.strip() for cell in first]
    named = [cell for cell in cells if cell]
    if not named or not all(NAME.fullmatch(cell) for cell in named):
        return False
    if _are_years(cells):
        return True
    if any(_is_value(cell) for cell in named):
        return False
    columns = [
        [row[at] for row in rest if at < len(row) and row[at] not in NULLS]
        for at in range(len(cells))
    ]
    if any(_are_values(column) for column in columns):
        return True
    recurring = sum(
        cell in column for cell, column in zip(cells, columns, strict=True) if cell
    )
    return recurring * 2 < len(named) and len(set(named)) * 2 > len(named)


def split_rows(
    lines: Iterable[str], delimiter: str, quoting: Quoting, *, is_strict: bool = False
) -> "RowReader":
    """Return a reader of the rows of some lines."""
    return csv.reader(
        lines,
        delimiter=delimiter,
        quotechar=quoting.mark or '"',
        quoting=csv.QUOTE_MINIMAL if quoting.mark else csv.QUOTE_NONE,
        doublequote=quoting.escape is None,
        escapechar=quoting.escape,
        strict=is_strict,
    )


def _preamble(lines: Sequence[str]) -> tuple[int, bool, str | None]:
    """Return how many lines say nothing, whether by ``#``, and a delimiter told."""
    at, has_comments, told = 0, False, None
    for line in lines:
        plain = line.strip()
        if at == 0 and (match := re.fullmatch(r"sep=(.)", line.rstrip("\r\n"))):
            told = match[1]  # Excel's own mark
        elif plain.startswith("#"):
            has_comments = True
        elif plain:
            break
        at += 1
    if at == len(lines) and not told:
        return 0, False, None
    return at, has_comments, told


def _occurs(delimiter: str, lines: Sequence[str]) -> bool:
    return any(delimiter in line for line in lines)


def _best_quoting(body: Sequence[str], delimiter: str, has_comments: bool) -> _Parsed:
    found = []
    plausible = [one for one in QUOTINGS if _is_plausible(one, delimiter, body)]
    has_single = Quoting("'") in plausible
    for quoting in plausible:
        parsed = _parse(body, delimiter, quoting, has_comments)
        if parsed.is_even and not (has_single and _is_single_quoted(parsed)):
            return parsed
        found.append(parsed)
    return max(
        found,
        key=lambda one: (
            one.width > 1,
            one.share,
            one.is_strict,
            not (has_single and _is_single_quoted(one)),
        ),
    )


def _is_single_quoted(parsed: _Parsed) -> bool:
    """Return whether all cells of a column still stand in single quotation marks."""
    return any(
        all(len(cell) > 1 and cell[0] == cell[-1] == "'" for cell in column)
        for column in zip(*parsed.rows[:100], strict=False)
    )


def _is_plausible(quoting: Quoting, delimiter: str, body: Sequence[str]) -> bool:
    mark = quoting.mark
    if quoting.escape:
        return any(quoting.escape in line for line in body)
    if mark is None:
        return True
    if delimiter != "\t" and mark == '"':
        return True  # a quote may come later
    start = re.compile(rf"(?:^|{re.escape(delimiter)}){mark}")
    end = re.compile(rf"{mark}\s*(?:{re.escape(delimiter)}|$)")
    return any(start.search(line) for line in body) and any(
        end.search(line) for line in body
    )


def _parse(
    body: Sequence[str], delimiter: str, quoting: Quoting, has_comments: bool
) -> _Parsed:
    rows, ends, is_strict = [], [], True
    for strict in (True, False):
        rows, ends = [], []
        reader = split_rows(body, delimiter, quoting, is_strict=strict)
        try:
            for row in reader:
                if _says_something(row, has_comments):
                    rows.append(tuple(row))
                    ends.append(reader.line_num)
                if len(rows) == MAX_ROWS:
                    break
            break
        except csv.Error:
            is_strict = False
    widths = Counter(map(len, rows))
    # of two frequent widths the wider: what is missing can be filled
    width, count = max(widths.items(), key=lambda one: (one[1], one[0]), default=(1, 0))
    share = count / max(len(rows), 1)
    return _Parsed(
        delimiter, quoting, tuple(rows), tuple(ends), width, share, is_strict
    )


def _says_something(row: Sequence[str], has_comments: bool) -> bool:
    if len(row) == 1 and has_comments and row[0].startswith("#"):
        return False
    return len(row) > 1 or bool(row and row[0].strip())


def _score(parsed: _Parsed) -> tuple[bool, bool, float]:
    cells = islice((cell for row in parsed.rows for cell in row), MAX_CELLS)
    typed = [_is_plain(cell) for cell in cells]
    sense = sum(typed) / max(len(typed), 1)
    pattern = parsed.share * (parsed.width - 1) / parsed.width
    return parsed.width > 1, parsed.is_even, pattern * max(sense, 1e-3)


def _is_plain(cell: str) -> bool:
    stripped = cell.strip()
    return stripped in NULLS or _is_value(stripped) or bool(WORDS.fullmatch(stripped))


def _is_value(cell: str) -> bool:
    return bool(NUMBER.fullmatch(cell) or DATE.fullmatch(cell))


def _are_values(column: Sequence[str]) -> bool:
    num_values = sum(_is_value(cell.strip()) for cell in column)
    return bool(column) and num_values >= EVIDENCE * len(column)


def _are_years(cells: Sequence[str]) -> bool:
    """Return whether a row has a word first and consecutive years somewhere after."""
    if not cells or not cells[0] or _is_value(cells[0]):
        return False
    years = [int(cell) for cell in cells if re.fullmatch(r"(1[5-9]|20)\d\d", cell)]
    numbers = [cell for cell in cells if _is_value(cell)]
    steps = {late - early for early, late in pairwise(years)}
    return len(years) == len(numbers) > 2 and len(steps) == 1 and steps <= {1, -1}


def _numbers_between(body: Sequence[str], has_comments: bool) -> list[_Parsed]:
    """Return divisions by blanks or colons that give columns of numbers."""
    found = []
    for delimiter in LAST_DELIMITERS:
        if not _occurs(delimiter, body):
            continue
        parsed = _parse(body, delimiter, Quoting('"'), has_comments)
        cells = [cell for row in parsed.rows[1:] for cell in row]
        num_numbers = sum(bool(NUMBER.fullmatch(cell)) for cell in cells)
        if parsed.is_even and num_numbers * 2 > len(cells):
            found.append(parsed)
    return found


def _with_header(
    best: _Parsed, lines: Sequence[str], num_comments: int, has_comments: bool
) -> Format:
    rows, ends, start = best.rows, best.lines, 0
    # A heading above the table: single cells, then rows of the table's width.
    while (
        best.width > 1
        and start < min(10, len(rows) - 1)
        and len(rows[start]) == 1
        and len(rows[start + 1]) in (1, best.width)
    ):
        start += 1
    if start and len(rows[start]) != best.width:
        start = 0
    body, before = rows[start:], num_comments + (ends[start - 1] if start else 0)
    names = None if start else _commented_names(best, lines[:num_comments])
    if names is None and body and looks_like_header(body[0], body[1:]):
        names = tuple(cell.strip() for cell in body[0])
        before = num_comments + ends[start]
        names = _with_row_names(names, body[1:], best.width)
    width = max(best.width, len(names or ()))
    if names is not None:
        names = (*names, *("" for _ in range(width - len(names))))
    return Format(best.delimiter, best.quoting, width, names, before, has_comments)


def _with_row_names(
    names: tuple[str, ...], rows: Sequence[Sequence[str]], width: int
) -> tuple[str, ...]:
    """Return the header, a blank before it where only the rows' names have no name."""
    is_one_short = len(names) == width - 1 and all(names)
    is_used = any(len(row) == width and row[-1] not in NULLS for row in rows)
    return ("", *names) if is_one_short and is_used else names


def _commented_names(best: _Parsed, comments: Sequence[str]) -> tuple[str, ...] | None:
    """Return the header where the last comment is one, as in ``#id,name``."""
    if best.width < 2 or not comments or not best.rows:
        return None
    last = comments[-1].strip()
    if not last.startswith("#"):
        return None
    written = last.lstrip("#")
    row = next(iter(split_rows([written], best.delimiter, best.quoting)), [])
    cells = tuple(cell.strip() for cell in row)
    if len(cells) != best.width or not looks_like_header(cells, best.rows):
        return None
    # "#id,name" is a header; "# id, name" may as well be a sentence
    is_sentence = written[:1].isspace()
    has_other = looks_like_header(best.rows[0], best.rows[1:])
    return None if is_sentence and has_other else cells
