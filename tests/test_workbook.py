"""A sheet is a table: cached values, ISO dates, and nothing that a cell may hide."""

import datetime
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import openpyxl
import pytest

from workbench.address import Kind, kind_of
from workbench.database import Database, Limits, connect
from workbench.errors import DatabaseError
from workbench.reader import Request
from workbench.readers.workbook import open_workbook


def write(path: Path, **sheets: list[list[Any]]) -> Path:
    book = openpyxl.Workbook()
    book.remove(book.worksheets[0])
    for name, rows in sheets.items():
        sheet = book.create_sheet(name)
        for row in rows:
            sheet.append(row)
    book.save(path)
    return path


def rows_of(database: Database, table: str) -> list[tuple[object, ...]]:
    names = [column.name for column in database.table(table).columns]
    return list(zip(*database.arrow(table, names).to_pydict().values(), strict=True))


def change(path: Path, part: str, edit: Callable[[bytes], bytes]) -> Path:
    """Rewrite one part of a workbook."""
    with zipfile.ZipFile(path) as archive:
        parts = {name: archive.read(name) for name in archive.namelist()}
    parts[part] = edit(parts[part])
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in parts.items():
            archive.writestr(name, content)
    return path


SHEET = "xl/worksheets/sheet1.xml"


def test_a_sheet_is_a_table_with_typed_columns(tmp_path: Path) -> None:
    day = datetime.datetime(2020, 1, 2)
    path = write(
        tmp_path / "shop.xlsx",
        people=[["id", "name", "code"], [1, "Ann", "007"], [2.0, "Bob", "8"]],
        sales=[
            ["when", "price", "ok", "at"],
            [day, 1.5, True, datetime.time(9, 30)],
            [day.replace(hour=3), 2, False, None],
        ],
    )
    with connect(path) as database:
        assert database.name == "shop"
        assert rows_of(database, "people") == [(1, "Ann", "007"), (2, "Bob", "8")]
        assert rows_of(database, "sales") == [
            ("2020-01-02", 1.5, 1, "09:30:00"),
            ("2020-01-02 03:00:00", 2.0, 0, None),
        ]
        assert database.physical_type("people", "id") == "BIGINT"
        assert database.warnings == ()


def test_a_formula_is_its_cached_value_and_an_error_is_null(tmp_path: Path) -> None:
    path = write(tmp_path / "a.xlsx", t=[["x", "y"], [1, 2], ["#DIV/0!", 3], [4, 5]])

    def cache(xml: bytes) -> bytes:
        cell = b'<c r="B2" t="n"><v>2</v></c>'
        assert cell in xml
        return xml.replace(cell, b'<c r="B2"><f>1+41</f><v>42</v></c>')

    with connect(change(path, SHEET, cache)) as database:
        assert rows_of(database, "t") == [(1, 42), (None, 3), (4, 5)]


def test_a_formula_without_a_cached_value_is_null(tmp_path: Path) -> None:
    path = write(tmp_path / "a.xlsx", t=[["x", "y"], [1, "=A2+1"]])
    with connect(path) as database:
        assert rows_of(database, "t") == [(1, None)]


def test_a_date_out_of_range_is_null_and_no_crash(tmp_path: Path) -> None:
    path = write(tmp_path / "a.xlsx", t=[["x", "d"], [1, datetime.date(2020, 1, 2)]])

    def shift(xml: bytes) -> bytes:
        return xml.replace(b"<v>43832</v>", b"<v>99999999999</v>")

    with connect(change(path, SHEET, shift)) as database:
        assert rows_of(database, "t") == [(1, None)]


def test_empty_sheets_and_charts_are_left_out_and_told(tmp_path: Path) -> None:
    path = write(tmp_path / "a.xlsx", t=[["x"], [1]], blank=[])
    book = openpyxl.load_workbook(path)
    book.create_chartsheet("Chart")
    book.save(path)
    with connect(path) as database:
        assert [table.name for table in database.tables] == ["t"]
        told = " ".join(database.warnings)
        assert 'are empty sheets: "blank"' in told
        assert 'are charts: "Chart"' in told


def test_blank_rows_and_columns_around_a_table_are_not_part_of_it(
    tmp_path: Path,
) -> None:
    rows = [[], [None, "id", None, "x"], [], [None, 1, None, "a"], [None, 2, None, "b"]]
    with connect(write(tmp_path / "a.xlsx", t=rows)) as database:
        assert [one.name for one in database.table("t").columns] == ["id", "x"]
        assert rows_of(database, "t") == [(1, "a"), (2, "b")]


def test_a_title_above_the_header_is_not_the_header(tmp_path: Path) -> None:
    rows = [["Sales of 2020"], ["id", "x"], [1, "a"], [2, "b"]]
    with connect(write(tmp_path / "a.xlsx", t=rows)) as database:
        assert rows_of(database, "t") == [(1, "a"), (2, "b")]


def test_a_sheet_of_numbers_gets_invented_names_and_says_so(tmp_path: Path) -> None:
    with connect(write(tmp_path / "a.xlsx", t=[[1, 2], [3, 4]])) as database:
        assert rows_of(database, "t") == [(1, 2), (3, 4)]
        assert '"t" has no header' in database.warnings[0]


def test_a_row_wider_than_the_first_ones_is_cut_and_told(tmp_path: Path) -> None:
    rows = [["x", "y"], *([at, at] for at in range(300)), [1, 2, 3]]
    with connect(write(tmp_path / "a.xlsx", t=rows)) as database:
        assert rows_of(database, "t")[-1] == (1, 2)
        assert "1 rows are wider" in database.warnings[0]


def test_absurd_headers_become_distinct_names(tmp_path: Path) -> None:
    header = ['a"b', "A\nB", "select", "id", "ID", "x.y", "__row"]
    path = write(tmp_path / "a.xlsx", t=[header, [1, 2, 3, 4, 5, 6, 7]])
    with connect(path) as database:
        names = [one.name for one in database.table("t").columns]
        assert names == ['a"b', "A B", "select", "id", "ID_2", "x_y", "__row_2"]
        assert rows_of(database, "t") == [(1, 2, 3, 4, 5, 6, 7)]


@pytest.mark.parametrize("name", ["a.xls", "a.ods", "a.xlsx"])
def test_another_programs_workbook_is_refused_in_a_sentence(
    tmp_path: Path, name: str
) -> None:
    path = tmp_path / name
    path.write_bytes(b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(600))
    with pytest.raises(DatabaseError, match=r"save it as \.xlsx"):
        open_workbook(Request(str(path), (path,)))


@pytest.mark.parametrize("share", [0.1, 0.5, 0.9])
def test_a_workbook_that_is_cut_short_is_refused(tmp_path: Path, share: float) -> None:
    path = write(tmp_path / "a.xlsx", t=[["x"], [1]])
    data = path.read_bytes()
    path.write_bytes(data[: int(share * len(data))])
    with pytest.raises(DatabaseError, match="damaged, cut short or protected"):
        connect(path)


STRINGS = (
    '<sst xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main">'
    "<si><t>name</t></si><si><t>Ann</t></si>"
    "<si><r><t>Bob </t></r><r><t>Ray</t></r></si></sst>"
)


def with_shared_texts(path: Path, texts: str) -> Path:
    """Write a workbook whose texts lie in a part of their own, as Excel does."""
    write(path, t=[["a", 1], ["b", 2], ["c", 3]])
    kind = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
    part = "application/vnd.openxmlformats-officedocument.spreadsheetml.sharedStrings"
    with zipfile.ZipFile(path, "a") as archive:
        archive.writestr("xl/sharedStrings.xml", texts)
    change(
        path,
        "[Content_Types].xml",
        lambda xml: xml.replace(
            b"</Types>",
            f'<Override PartName="/xl/sharedStrings.xml" ContentType="{part}+xml"/>'
            "</Types>".encode(),
        ),
    )
    change(
        path,
        "xl/_rels/workbook.xml.rels",
        lambda xml: xml.replace(
            b"</Relationships>",
            f'<Relationship Id="rId99" Type="{kind}/sharedStrings"'
            ' Target="sharedStrings.xml"/></Relationships>'.encode(),
        ),
    )

    def share(xml: bytes) -> bytes:
        for at, letter in enumerate((b"a", b"b", b"c")):
            inline = b't="inlineStr"><is><t>' + letter + b"</t></is></c>"
            assert inline in xml
            xml = xml.replace(inline, b't="s"><v>%d</v></c>' % at)
        return xml

    return change(path, SHEET, share)


def test_texts_that_are_shared_are_found(tmp_path: Path) -> None:
    path = with_shared_texts(tmp_path / "a.xlsx", STRINGS)
    with connect(path) as database:
        assert rows_of(database, "t") == [("name", 1), ("Ann", 2), ("Bob Ray", 3)]


def test_entities_are_never_expanded(tmp_path: Path) -> None:
    laughs = '<!DOCTYPE a [<!ENTITY a "ha"><!ENTITY b "&a;&a;&a;&a;&a;">]>'
    texts = laughs + STRINGS.replace("Ann", "&b;")
    path = with_shared_texts(tmp_path / "a.xlsx", texts)
    with pytest.raises(DatabaseError, match=r"sharedStrings\.xml.* no spreadsheet"):
        connect(path)


def test_entities_in_another_encoding_are_not_expanded_either(tmp_path: Path) -> None:
    laughs = '<!DOCTYPE a [<!ENTITY a "ha"><!ENTITY b "&a;&a;&a;&a;&a;">]>'
    texts = f'<?xml version="1.0" encoding="utf-16"?>{laughs}{STRINGS}'
    path = with_shared_texts(tmp_path / "a.xlsx", "")
    change(path, "xl/sharedStrings.xml", lambda xml: texts.encode("utf-16"))
    with pytest.raises(DatabaseError, match="damaged, cut short or protected"):
        connect(path)


def test_openpyxl_reads_through_a_parser_that_takes_no_entities() -> None:
    assert openpyxl.DEFUSEDXML


def test_a_bomb_in_a_workbook_is_refused_before_it_is_parsed(tmp_path: Path) -> None:
    path = write(tmp_path / "a.xlsx", t=[["x"], [1]])

    def blow(xml: bytes) -> bytes:
        return xml.replace(b"<v>1</v>", b"<v>" + b"1" * 60_000_000 + b"</v>")

    with pytest.raises(DatabaseError, match=r"held in memory|500 times"):
        connect(change(path, SHEET, blow))


@pytest.mark.parametrize(
    ("old", "new", "match"),
    [
        (b'<row r="2">', b'<row r="99999999">', "beyond 1,048,576"),
        (b'r="A2"', b'r="ZZZZZZZ2"', "damaged"),
        (b'<row r="2">', b'<row r="x">', "damaged"),
        (b'<c r="A2" t="n"><v>1', b'<c r="A2" t="s"><v>77', "damaged"),
        (b'<c r="A2"', b'<c s="77" r="A2"', None),
        (b"</sheetData>", b"", "damaged"),
    ],
)
def test_a_sheet_that_lies_about_itself_is_refused(
    tmp_path: Path, old: bytes, new: bytes, match: str | None
) -> None:
    path = write(tmp_path / "a.xlsx", t=[["x"], [1]])

    def edit(xml: bytes) -> bytes:
        assert old in xml
        return xml.replace(old, new)

    change(path, SHEET, edit)
    if match is None:
        with connect(path) as database:
            assert rows_of(database, "t") == [(1,)]
        return
    with pytest.raises(DatabaseError, match=match):
        connect(path)


def test_limits_hold_for_sheets(tmp_path: Path) -> None:
    path = write(tmp_path / "a.xlsx", t=[["x", "y"], [1, 2]], u=[["x"], [1]])
    with pytest.raises(DatabaseError, match="2 columns"):
        connect(path, limits=Limits(columns=1))
    with pytest.raises(DatabaseError, match="2 sheets"):
        connect(path, limits=Limits(tables=1))


def test_a_workbook_without_rows_says_so(tmp_path: Path) -> None:
    path = write(tmp_path / "a.xlsx", t=[])
    assert kind_of(path) is Kind.WORKBOOK
    with pytest.raises(DatabaseError, match="holds no sheet with rows"):
        connect(path)
