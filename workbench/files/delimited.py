"""Delimited text on its way into a private place, every cell as text."""

from collections.abc import Iterator, Sequence

import pyarrow as pa
import pyarrow.csv

from workbench.columnar import Relation
from workbench.files.delimiting import DELIMITERS, NULLS, Format, detect_format
from workbench.files.encoding import Encoding, TextSource, detect_encoding
from workbench.files.rowwise import (
    MAX_CHARACTERS,
    Raggedness,
    Text,
    allow_long_cells,
    check_line,
    stage_lines,
)
from workbench.limits import Limits
from workbench.reader import SourceColumn, distinct_names, quote
from workbench.staging import Staging

SAMPLE_CHARACTERS = 1 << 20
BLOCK_BYTES = 1 << 22
COLUMNS_PER_QUERY = 200
COMMA_NUMBER = r"[+-]?(\d+|\d{1,3}(\.\d{3})+)(,\d+)?"


def detect(text: Text, limits: Limits) -> tuple[Encoding, Format]:
    """Decide how a file is read, by its first million characters.

    Raises:
        DatabaseError: It is no text, or its first line has no end or too many cells.
    """
    encoding = detect_encoding(text.path, text.shown)
    source = TextSource(text.path, encoding)
    lines, num_characters = [], 0
    try:
        while num_characters < SAMPLE_CHARACTERS:
            line = source.read_line(MAX_CHARACTERS)
            if not line:
                break
            check_line(line, len(lines) + 1, text)
            lines.append(line)
            num_characters += len(line)
    finally:
        source.close()
    if lines and '"' not in lines[0]:  # told before so many cells are looked at
        num_cells = max(lines[0].count(mark) for mark in DELIMITERS) + 1
        limits.check("columns", num_cells, f'columns in "{text.table}"')
    allow_long_cells()
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
        raggedness = Raggedness()
    except pa.ArrowInvalid:  # a row of another length: read it line by line
        sql, source, raggedness = stage_lines(text, decided, names, staging)
    warnings += raggedness.sentences(text.table)
    if source.num_replaced:
        warnings.append(
            f'Places in "{text.table}" that cannot be decoded:'
            f' {source.num_replaced:,}; each is read as "\ufffd".'
        )
    relation, told, left_out = _relation(text, form, sql, names, staging)
    gone = tuple(f'is called "{name}" here.' for name in left_out)
    return relation, [
        *warnings,
        *(one for one in renamed if not one.endswith(gone)),
        *told,
    ]


class _Utf8:
    """The rest of a text as a file of UTF-8 that Arrow reads from."""

    closed = False

    def __init__(self, first: str, source: TextSource) -> None:
        self._first = first
        self._source = source

    def read(self, num_bytes: int) -> bytes:
        text = self._first + self._source.read(max(1, num_bytes // 4 - 2))
        self._first = ""
        if text.endswith("\r"):
            # Arrow takes a line feed at the start of a block for the end of a line,
            # also within a cell
            text += self._source.read(1)
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


def _relation(
    text: Text, form: Format, sql: str, names: Sequence[str], staging: Staging
) -> tuple[Relation, list[str], set[str]]:
    """Return a staged table without columns that have neither a name nor a value.

    Numbers with a decimal comma are rewritten where another character divides cells.
    """
    blank = {
        name for name, given in zip(names, form.names or (), strict=False) if not given
    }
    empty, commas = set[str](), set[str]()
    asked = [name for name in names if name in blank or form.delimiter != ","]
    for start in range(0, len(asked), COLUMNS_PER_QUERY):
        part = asked[start : start + COLUMNS_PER_QUERY]
        tests = ", ".join(f"count({quote(name)}), {_comma_sql(name)}" for name in part)
        (found,) = staging.connection.execute(f"SELECT {tests} FROM {sql}").fetchall()
        for at, name in enumerate(part):
            empty |= {name} if name in blank and not found[2 * at] else set()
            commas |= {name} if found[2 * at + 1] and form.delimiter != "," else set()
    kept = [name for name in names if name not in empty] or list(names)
    listed = ", ".join(_picked(name, name in commas) for name in kept)
    relation = Relation(
        name=text.table,
        sql=f"(SELECT {listed} FROM {sql})",
        columns=tuple(SourceColumn(name, "", True) for name in kept),
        is_text=True,
    )
    told = [
        f'The numbers of "{text.table}.{name}" are written with a decimal comma.'
        for name in kept
        if name in commas
    ]
    return relation, told, empty


def _comma_sql(name: str) -> str:
    """Return the SQL that asks whether all values have decimal commas.

    Three digits behind every comma may be thousands as well, and are left alone.
    """
    value = f"trim({quote(name)})"
    return (
        f"bool_and(regexp_full_match({value}, '{COMMA_NUMBER}'))"
        f" AND bool_or(regexp_matches({value}, ',(\\d{{1,2}}|\\d{{4,}})$'))"
    )


def _picked(name: str, has_comma: bool) -> str:
    if not has_comma:
        return quote(name)
    plain = f"replace(replace(trim({quote(name)}), '.', ''), ',', '.')"
    return f"{plain} AS {quote(name)}"
