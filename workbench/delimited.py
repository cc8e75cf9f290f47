"""Delimited text on its way into a private place, every cell as text."""

import csv
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import pyarrow as pa
import pyarrow.csv

from workbench.columnar import Relation
from workbench.delimiting import NULLS, Format, Quoting, detect_format, split_rows
from workbench.encoding import Encoding, TextSource, detect_encoding
from workbench.errors import DatabaseError
from workbench.limits import Limits
from workbench.reader import BATCH_ROWS, SourceColumn, distinct_names, quote
from workbench.staging import Staging

SAMPLE_CHARACTERS = 1 << 20
MAX_CHARACTERS = 1 << 24  # of a line, and of a cell
MAX_BATCH_CELLS = 1_000_000
BLOCK_BYTES = 1 << 22


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


def detect(text: Text) -> tuple[Encoding, Format]:
    """Decide how a file is read, by its first million characters.

    Raises:
        DatabaseError: It is no text, or its first line has no end.
    """
    encoding = detect_encoding(text.path, text.shown)
    source = TextSource(text.path, encoding)
    lines, num_characters = [], 0
    try:
        while num_characters < SAMPLE_CHARACTERS:
            line = source.read_line(MAX_CHARACTERS)
            if not line:
                break
            _check_line(line, len(lines) + 1, text)
            lines.append(line)
            num_characters += len(line)
    finally:
        source.close()
    _allow_long_cells()
    return encoding, detect_format(lines, text.tab_first)


def stage_text(
    text: Text,
    decided: tuple[Encoding, Format],
    staging: Staging,
    limits: Limits,
    block_bytes: int = BLOCK_BYTES,
) -> tuple[Relation, list[str]]:
    """Read a file as it was decided to.

    Args:
        text: The file.
        decided: What `detect` returned.
        staging: Where the rows go.
        limits: How much may be read.
        block_bytes: How much is parsed at a time.

    Returns:
        The table, and a sentence for everything that was decided or changed.

    Raises:
        DatabaseError: A limit is exceeded, or a quotation mark is never closed.
    """
    encoding, form = decided
    limits.check("columns", form.width, f'columns in "{text.table}"')
    warnings = [encoding.warning] if encoding.warning else []
    given = form.names or [f"column_{at + 1}" for at in range(form.width)]
    if form.names is None:
        warnings.append(
            f'The table "{text.table}" has no header; its columns are called'
            f" column_1 to column_{form.width}."
        )
    names, renamed = distinct_names(given, f"column of {text.table}")
    try:
        sql, source = _stage_blocks(text, decided, names, staging, block_bytes)
        raggedness = _Raggedness()
    except pa.ArrowInvalid:  # a row of another length: read it line by line
        sql, source, raggedness = _stage_lines(text, decided, names, staging)
    warnings += raggedness.sentences(text.table)
    if source.num_replaced:
        warnings.append(
            f'{source.num_replaced:,} places in "{text.table}" cannot be decoded; each'
            ' is read as "\ufffd".'
        )
    blank = [at for at, name in enumerate(form.names or ()) if not name]
    relation, left_out = _relation(text.table, sql, names, blank, staging)
    return relation, [
        *warnings,
        *(one for one in renamed if not one.endswith(tuple(left_out))),
    ]


def _allow_long_cells() -> None:
    # The limit is the process's own; it is raised and never lowered.
    if csv.field_size_limit() < MAX_CHARACTERS:
        csv.field_size_limit(MAX_CHARACTERS)


def _check_line(line: str, number: int, text: Text) -> None:
    if len(line) >= MAX_CHARACTERS:
        raise DatabaseError(
            f"Line {number:,} of the {text.shown} has more than"
            f" {MAX_CHARACTERS:,} characters; a table has its rows on lines of their"
            " own."
        )


@dataclass(slots=True)
class _Raggedness:
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
        found = []
        if self.num_comments:
            found.append(f'{self.num_comments:,} comments in "{table}" are left out.')
        if self.num_short:
            found.append(
                f'{self.num_short:,} rows of "{table}" have fewer cells than the'
                f" table has columns, the first in line {self.first_short:,}; what is"
                " missing is NULL."
            )
        if self.num_long:
            found.append(
                f'{self.num_long:,} rows of "{table}" have more cells than the table'
                f" has columns, the first in line {self.first_long:,}; what is too"
                " much is left out."
            )
        return found


class _Utf8:
    """The rest of a text as a file of UTF-8 that Arrow reads from."""

    closed = False

    def __init__(self, first: str, source: TextSource) -> None:
        self._first = first
        self._source = source

    def read(self, num_bytes: int) -> bytes:
        text = self._first + self._source.read(max(1, num_bytes // 4 - 1))
        self._first = ""
        return text.encode()


def _stage_blocks(
    text: Text,
    decided: tuple[Encoding, Format],
    names: Sequence[str],
    staging: Staging,
    block_bytes: int,
) -> tuple[str, TextSource]:
    """Read a file whose rows all have one length, many rows at a time."""
    encoding, form = decided
    if form.quoting.escape is not None:  # here \N would be read as N
        raise pa.ArrowInvalid("escapes are read line by line")
    sql, _, _ = staging.create(names)
    source = TextSource(text.path, encoding)
    try:
        for _ in range(form.num_skipped):
            source.read_line(MAX_CHARACTERS)
        first = source.read(1)
        if not first:  # Arrow takes no empty file
            return sql, source
        for batch in _arrow_batches(first, source, form, names, block_bytes):
            staging.append(sql, batch)
    except pa.ArrowInvalid:
        staging.drop(sql)
        raise
    finally:
        source.close()
    return sql, source


def _arrow_batches(
    first: str,
    source: TextSource,
    form: Format,
    names: Sequence[str],
    block_bytes: int,
) -> Iterator[pa.RecordBatch]:
    mark = form.quoting.mark
    with pa.csv.open_csv(
        pa.PythonFile(_Utf8(first, source), mode="r"),
        read_options=pa.csv.ReadOptions(
            use_threads=False, block_size=block_bytes, column_names=list(names)
        ),
        parse_options=pa.csv.ParseOptions(
            delimiter=form.delimiter,
            quote_char=mark or False,
            double_quote=mark is not None,
            escape_char=False,
            newlines_in_values=mark is not None,
        ),
        convert_options=pa.csv.ConvertOptions(
            column_types=dict.fromkeys(names, pa.string()),
            null_values=list(NULLS),
            strings_can_be_null=True,
            quoted_strings_can_be_null=True,
        ),
    ) as reader:
        yield from reader


def _stage_lines(
    text: Text,
    decided: tuple[Encoding, Format],
    names: Sequence[str],
    staging: Staging,
) -> tuple[str, TextSource, _Raggedness]:
    """Read any file, row by row."""
    encoding, form = decided
    sql, _, _ = staging.create(names)
    raggedness, lines = _Raggedness(), _Lines(text, encoding, form)
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
            _check_line(line, number, self.text)
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


def _relation(
    table: str,
    sql: str,
    names: Sequence[str],
    blank: Sequence[int],
    staging: Staging,
) -> tuple[Relation, list[str]]:
    """Return a staged table without columns that have neither a name nor a value."""
    asked = ", ".join(["count(*)", *(f"count({quote(names[at])})" for at in blank)])
    ((_, *counts),) = staging.connection.execute(f"SELECT {asked} FROM {sql}").fetchall()
    empty = {names[at] for at, count in zip(blank, counts, strict=True) if not count}
    kept = [name for name in names if name not in empty] or list(names)
    listed = ", ".join(map(quote, kept))
    relation = Relation(
        name=table,
        sql=f"(SELECT {listed} FROM {sql})",
        columns=tuple(SourceColumn(name, "", True) for name in kept),
        is_text=True,
    )
    return relation, [f'is called "{name}" here.' for name in empty]
