"""Excel workbooks: a sheet is a table, a formula is the value it last had."""

import datetime
import re
import warnings
import zipfile
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager
from functools import partial
from itertools import chain, islice
from pathlib import Path
from typing import IO, Any
from xml.etree.ElementTree import ParseError

import pyarrow as pa
from openpyxl.cell.cell import ERROR_CODES
from openpyxl.reader.excel import ExcelReader
from openpyxl.utils.exceptions import InvalidFileException

from workbench.columnar import ColumnarReader, Relation
from workbench.errors import DatabaseError
from workbench.files.archive import CHUNK, DAMAGES, Budget
from workbench.files.deferred import DeferredReader, checking, state_of
from workbench.files.delimiting import looks_like_header
from workbench.files.listing import File, hash_files, left_out
from workbench.reader import (
    BATCH_ROWS,
    Request,
    SourceColumn,
    distinct_names,
    quote,
)
from workbench.staging import Staging

OFFICE_MAGIC = b"\xd0\xcf\x11\xe0"
MAX_ROWS = 1_048_576  # of a sheet, as Excel has it
MAX_STRINGS_BYTES = 500_000_000  # the shared texts are held in memory
MAX_OTHER_BYTES = 50_000_000
MAX_ROW_BYTES = 32_000_000  # between the starts of two rows
MAX_BATCH_CELLS = 500_000
HEAD_ROWS = 200
SHEET = re.compile(r"xl/(worksheets|sheets)/", re.IGNORECASE)
STRINGS = re.compile(r"xl/sharedstrings\.xml", re.IGNORECASE)
ROW_START = re.compile(rb"<(?:\w+:)?row[\s/>]")
UNHEARD_OF = (b"<!DOCTYPE", b"<!ENTITY")
BROKEN = (
    *DAMAGES,
    ParseError,
    InvalidFileException,
    AttributeError,
    TypeError,
    RecursionError,
    NotImplementedError,
    RuntimeError,
)  # openpyxl reads what it finds, and stumbles in many ways over what is missing


def open_workbook(request: Request) -> DeferredReader:
    """Open an Excel workbook.

    Its XML is read by openpyxl through defusedxml, which takes no entities.

    Raises:
        DatabaseError: There is no such file, or it is of another kind.
    """
    path = request.path
    files = [File("", path)]
    state = state_of([path])
    if not path.is_file():
        raise DatabaseError(f'"{request.address}" is no file.')
    with path.open("rb") as file:
        is_old = file.read(4) == OFFICE_MAGIC
    if is_old or path.suffix.lower() in (".xls", ".ods", ".xlsb"):
        raise DatabaseError(
            f'The file "{request.address}" is an old, a protected or another program\'s'
            " workbook; save it as .xlsx without a password."
        )
    return DeferredReader(
        path.stem,
        hash_files(files),
        partial(_prepare, request),
        checking([path], state),
    )


def _prepare(request: Request) -> ColumnarReader:
    shown = f'workbook "{request.address}"'
    staging = Staging(limits=request.limits)
    try:
        with _told(shown):
            _check_parts(request, shown)
            relations, sentences = _read_sheets(request, staging, shown)
    except BaseException:
        staging.close()
        raise
    if not relations:
        staging.close()
        why = " ".join(["", *sentences])
        raise DatabaseError(f"The {shown} holds no sheet with rows.{why}")
    return ColumnarReader(
        request.path.stem,
        "",
        staging.connection,
        relations,
        shown=shown,
        warnings=sentences,
        close=staging.close,
    )


@contextmanager
def _told(shown: str) -> Iterator[None]:
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of what openpyxl leaves out
            yield
    except BROKEN as error:
        raise DatabaseError(
            f"The {shown} is damaged, cut short or protected; open it in a spreadsheet"
            " program and save it again as .xlsx."
        ) from error


def _check_parts(request: Request, shown: str) -> None:
    """Unpack every part once, to nowhere, before anything is believed of it."""
    path = request.path
    budget = Budget(shown, path.stat().st_size, request.limits)
    with zipfile.ZipFile(path) as archive:
        for part in archive.infolist():
            budget.admit(part.filename)
            if part.is_dir():
                continue
            if part.flag_bits & 0x1:
                raise budget.refusal(part.filename, "is encrypted")
            if not part.filename.lower().endswith((".xml", ".rels")):
                continue  # pictures and macros are never opened
            with archive.open(part) as stream:
                _check_part(part.filename, stream, budget)


def _check_part(name: str, stream: IO[bytes], budget: Budget) -> None:
    is_sheet = bool(SHEET.match(name))
    most = MAX_STRINGS_BYTES if STRINGS.fullmatch(name) else MAX_OTHER_BYTES
    size, since_row, tail = 0, 0, b""
    while chunk := stream.read(CHUNK):
        budget.spend(len(chunk), name)
        size += len(chunk)
        text = tail + chunk
        if any(mark in text for mark in UNHEARD_OF) or (is_sheet and b"<!" in text):
            raise budget.refusal(name, "holds XML that no spreadsheet program writes")
        if is_sheet:
            starts = [match.start() for match in ROW_START.finditer(text)]
            since_row = len(text) - starts[-1] if starts else since_row + len(chunk)
        if since_row > MAX_ROW_BYTES or (not is_sheet and size > most):
            raise budget.refusal(name, "is larger than can be held in memory")
        tail = text[-32:]


def _read_sheets(
    request: Request, staging: Staging, shown: str
) -> tuple[list[Relation], list[str]]:
    relations, sentences, empty = [], [], []
    reader = _SheetReader(request.path)
    with closing(reader.archive):
        reader.read()
        workbook = reader.wb
        request.limits.check("tables", len(workbook.worksheets), f"sheets in {shown}")
        for sheet in workbook.worksheets:
            name = str(sheet.title)
            sheet.reset_dimensions()  # what a sheet says of its size is often wrong
            reading = _Sheet(name, request, staging)
            relation = reading.read(sheet.iter_rows(values_only=True))
            if relation is None:
                empty.append(name)
                continue
            relations.append(relation)
            sentences += reading.sentences
    sentences += left_out(empty, "are empty sheets")
    sentences += left_out(reader.charts, "are charts")
    return relations, sentences


class _SheetReader(ExcelReader):
    """openpyxl's reader without the pictures and charts that it would open."""

    def __init__(self, path: Path) -> None:
        super().__init__(path, read_only=True, data_only=True, keep_links=False)
        self.charts: list[str] = []

    def read_chartsheet(self, sheet: Any, rel: Any) -> None:
        self.charts.append(str(sheet.name))


class _Sheet:
    """One sheet on its way into the private place."""

    def __init__(self, name: str, request: Request, staging: Staging) -> None:
        self.name = name
        self.limits = request.limits
        self.staging = staging
        self.sentences: list[str] = []
        self.num_long = 0

    def read(self, rows: Iterator[Sequence[object]]) -> Relation | None:
        """Return the sheet as a table, or None where no cell has a value."""
        cells = self._rows(rows)
        head = list(islice(cells, HEAD_ROWS))
        if not head:
            return None
        width = max(map(len, head))
        self.limits.check("columns", width, f'columns in "{self.name}"')
        while len(head) > 2 and len(head[0]) - head[0].count("") == 1 < width:
            head = head[1:]  # a heading above the table
        has_header = looks_like_header(head[0], head[1:])
        written = [*head[0], *[""] * (width - len(head[0]))] if has_header else None
        given = written or [f"column_{at + 1}" for at in range(width)]
        names, renamed = distinct_names(given, f"column of {self.name}")
        sql, _, _ = self.staging.create(names)
        self._append(sql, names, chain(head[has_header:], cells))
        return self._relation(sql, names, written, renamed)

    def _rows(self, rows: Iterator[Sequence[object]]) -> Iterator[tuple[str, ...]]:
        """Yield the rows that have a value as texts, without empty cells at the end."""
        for number, row in enumerate(rows, start=1):
            if number > MAX_ROWS:
                raise DatabaseError(
                    f'The sheet "{self.name}" has rows beyond {MAX_ROWS:,}, where a'
                    " workbook ends."
                )
            texts = [_text(value) for value in row]
            while texts and not texts[-1]:
                texts.pop()
            if texts:
                yield tuple(texts)

    def _append(
        self, sql: str, names: Sequence[str], rows: Iterator[tuple[str, ...]]
    ) -> None:
        width = len(names)
        size = max(1, min(BATCH_ROWS, MAX_BATCH_CELLS // width))
        while batch := list(islice(rows, size)):
            self.num_long += sum(len(row) > width for row in batch)
            full = [(*row[:width], *[""] * (width - len(row))) for row in batch]
            arrays = [
                pa.array([cell or None for cell in column], type=pa.string())
                for column in zip(*full, strict=True)
            ]
            self.staging.append(sql, pa.record_batch(arrays, names=list(names)))

    def _relation(
        self,
        sql: str,
        names: Sequence[str],
        written: Sequence[str] | None,
        renamed: Sequence[str],
    ) -> Relation:
        counts = ", ".join(f"count({quote(name)})" for name in names)
        (found,) = self.staging.connection.execute(
            f"SELECT {counts} FROM {sql}"
        ).fetchall()
        kept = [
            name
            for at, name in enumerate(names)
            if found[at] or (written is not None and written[at].strip())
        ]
        dropped = tuple(
            f'is called "{name}" here.' for name in names if name not in kept
        )
        self.sentences += [one for one in renamed if not one.endswith(dropped or "\0")]
        if written is None:
            self.sentences.append(
                f'The sheet "{self.name}" has no header; its columns are called'
                " column_1 and so on."
            )
        if self.num_long:
            self.sentences.append(
                f'In the sheet "{self.name}", {self.num_long:,} rows are wider than the'
                " rows above; what is beyond the last column is left out."
            )
        return Relation(
            name=self.name,
            sql=f"(SELECT {', '.join(map(quote, kept))} FROM {sql})",
            columns=tuple(SourceColumn(name, "", True) for name in kept),
            is_text=True,
        )


def _text(value: object) -> str:
    """Return a cell's value as text; an error is no value."""
    match value:
        case None:
            return ""
        case bool():
            return str(int(value))
        case int():
            return str(value)
        case float():
            return str(int(value)) if value.is_integer() else repr(value)
        case datetime.datetime():
            is_day = value.time() == datetime.time()
            return value.date().isoformat() if is_day else value.isoformat(" ")
        case datetime.date() | datetime.time():
            return value.isoformat()
        case _:
            text = str(value)
            return "" if text in ERROR_CODES or text == r"\N" else text
