"""Delimited text read row by row, whatever the length of its rows."""

import csv
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import pyarrow as pa

from workbench.errors import DatabaseError
from workbench.files.delimiting import NULLS, Format, Quoting, split_rows
from workbench.files.encoding import Encoding, TextSource
from workbench.reader import BATCH_ROWS
from workbench.staging import Staging

MAX_CHARACTERS = 1 << 24  # of a line, and of a cell
MAX_BATCH_CELLS = 1_000_000


@dataclass(frozen=True, slots=True)
class Text:
    """A file of delimited text.

    Attributes:
        path: The file.
        table: The table it is.
        tab_first: Whether its name says that tabs divide.
    """

    path: Path
    table: str
    tab_first: bool = False

    @property
    def shown(self) -> str:
        """How it is named in messages."""
        return f'text of "{self.table}"'


@dataclass(slots=True)
class Raggedness:
    """How many rows have another length than the table, and where the first is."""

    num_short: int = 0
    num_long: int = 0
    num_comments: int = 0
    first_short: int = 0
    first_long: int = 0

    def fit(self, row: list[str], form: Format, line: int) -> list[str] | None:
        """Return a row as wide as the table, or None where it says nothing."""
        width = form.width
        if len(row) == width:
            return row
        if not row or (len(row) == 1 and not row[0].strip()):
            return None
        if form.has_comments and len(row) == 1 and row[0].startswith("#"):
            self.num_comments += 1
            return None
        if len(row) < width:
            self.num_short += 1
            self.first_short = self.first_short or line
            return [*row, *("" for _ in range(width - len(row)))]
        if any(cell.strip() for cell in row[width:]):
            self.num_long += 1
            self.first_long = self.first_long or line
        return row[:width]

    def sentences(self, table: str) -> list[str]:
        """Return what is told of the rows of another length."""
        found = []
        if self.num_comments:
            found.append(f'Comments in "{table}" are left out: {self.num_comments:,}.')
        if self.num_short:
            found.append(
                f'Rows of "{table}" with fewer cells than the table has columns:'
                f" {self.num_short:,}, the first in line {self.first_short:,}; what is"
                " missing is NULL."
            )
        if self.num_long:
            found.append(
                f'Rows of "{table}" with more cells than the table has columns:'
                f" {self.num_long:,}, the first in line {self.first_long:,}; what is"
                " too much is left out."
            )
        return found


def stage_lines(
    text: Text,
    decided: tuple[Encoding, Format],
    names: Sequence[str],
    staging: Staging,
) -> tuple[str, TextSource, Raggedness]:
    """Read any file, row by row.

    Returns:
        The staged table as SQL, the text that was read, and the rows of other lengths.

    Raises:
        DatabaseError: A line or cell is too long, or a limit is exceeded.
    """
    encoding, form = decided
    sql, _, _ = staging.create(names)
    raggedness, lines = Raggedness(), _Lines(text, encoding, form)
    max_rows = max(1, min(BATCH_ROWS, MAX_BATCH_CELLS // form.width))
    rows: list[list[str]] = []
    reader = split_rows(lines, form.delimiter, form.quoting)
    try:
        for row in reader:
            fitted = raggedness.fit(row, form, form.num_skipped + reader.line_num)
            if fitted is not None:
                rows.append(fitted)
            if len(rows) >= max_rows or lines.num_characters > MAX_CHARACTERS:
                staging.append(sql, _to_arrow(rows, names))
                rows, lines.num_characters = [], 0
    except csv.Error as error:
        line = form.num_skipped + reader.line_num
        raise DatabaseError(
            f"The {text.shown} cannot be read at line {line:,}: {error}. A quotation"
            " mark may not be closed."
        ) from error
    finally:
        lines.source.close()
    if rows:
        staging.append(sql, _to_arrow(rows, names))
    return sql, lines.source, raggedness


@dataclass(slots=True)
class _Lines:
    """The lines behind the header, each of bounded length."""

    text: Text
    encoding: Encoding
    form: Format
    num_characters: int = 0
    source: TextSource = field(init=False)

    def __post_init__(self) -> None:
        self.source = TextSource(self.text.path, self.encoding)

    def __iter__(self) -> Iterator[str]:
        null = _null_pattern(self.form.delimiter, self.form.quoting)
        number = 0
        while line := self.source.read_line(MAX_CHARACTERS):
            number += 1
            check_line(line, number, self.text)
            if number <= self.form.num_skipped:
                continue
            self.num_characters += len(line)
            yield null.sub("", line) if null else line


def _null_pattern(delimiter: str, quoting: Quoting) -> re.Pattern[str] | None:
    r"""Return what finds ``\N`` where a backslash would be taken off it."""
    if quoting.escape is None:
        return None
    mark = re.escape(delimiter)
    return re.compile(rf"(?:(?<={mark})|^)\\N(?={mark}|[\r\n]|$)")


def _to_arrow(rows: Sequence[Sequence[str]], names: Sequence[str]) -> pa.RecordBatch:
    columns = zip(*rows, strict=True)
    arrays = [
        pa.array([None if one in NULLS else one for one in column], type=pa.string())
        for column in columns
    ]
    return pa.record_batch(arrays, names=list(names))


def allow_long_cells() -> None:
    """Let the csv module read cells as long as a line may be."""
    # The limit is the process's own; it is raised and never lowered.
    if csv.field_size_limit() < MAX_CHARACTERS:
        csv.field_size_limit(MAX_CHARACTERS)


def check_line(line: str, number: int, text: Text) -> None:
    """Refuse a line that was cut because it is too long.

    Raises:
        DatabaseError: It is.
    """
    if len(line) >= MAX_CHARACTERS:
        raise DatabaseError(
            f"Line {number:,} of the {text.shown} has more than"
            f" {MAX_CHARACTERS:,} characters; a table has its rows on lines of their"
            " own."
        )
