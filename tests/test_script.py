"""A script is cut where its dialect says, loses no character and takes linear time."""

import time
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from workbench.ddl.dialects import DIALECTS
from workbench.ddl.script import Kind, Piece, Text, read_pieces
from workbench.errors import DatabaseError

NAMES = sorted(DIALECTS)


def cut(text: Text, dialect: str) -> list[Piece]:
    pieces = read_pieces(text, DIALECTS[dialect])
    return [piece for piece in pieces if piece.kind is Kind.STATEMENT]


def statements(text: str, dialect: str) -> list[str]:
    return [piece.text.strip() for piece in cut(text, dialect)]


# Each text is one script and the statements that its author meant.
CUTS = {
    "semicolons": ("portable", "a;b ;\nc", ["a", "b", "c"]),
    "a last statement without a semicolon": ("portable", "a;\nb", ["a", "b"]),
    "a semicolon in a text": ("portable", "a ';';b", ["a ';'", "b"]),
    "a doubled quote": ("portable", "a 'it''s;';b", ["a 'it''s;'", "b"]),
    "a semicolon in a name": ("portable", 'a ";";b', ['a ";"', "b"]),
    "a semicolon in a comment": ("portable", "a -- x;y\n;b", ["a -- x;y", "b"]),
    "an apostrophe in a comment": ("portable", "-- it's\na;b", ["a", "b"]),
    "a comment between": ("portable", "a; /* b; c */ d", ["a", "d"]),
    "a byte order mark": ("portable", "﻿a;b", ["a", "b"]),
    "line ends of Windows": ("tsql", "a\r\nGO\r\nb\r\n", ["a", "b"]),
    "dollar quotes": ("postgresql", "a $$x;'y$$;b", ["a $$x;'y$$", "b"]),
    "tagged dollar quotes": (
        "postgresql",
        "a $f$x;$$;$g$;$f$;b",
        ["a $f$x;$$;$g$;$f$", "b"],
    ),
    "a parameter is no dollar quote": ("postgresql", "a $1; b $2", ["a $1", "b $2"]),
    "a backslash ends a text": ("postgresql", r"a '\';b", [r"a '\'", "b"]),
    "a backslash in an escape string": (
        "postgresql",
        r"a E'\';';b",
        [r"a E'\';'", "b"],
    ),
    "nested comments": ("postgresql", "/* /* ; */ ; */a;b", ["a", "b"]),
    "comments that do not nest": ("sqlite", "/* /* ; */a;b", ["a", "b"]),
    "psql's lines": (
        "postgresql",
        "\\connect a;b\nc;\n\\restrict x\nd",
        ["c", "d"],
    ),
    "a body of SQL's own": (
        "postgresql",
        "CREATE FUNCTION f() BEGIN ATOMIC a; CASE b END; END;c",
        ["CREATE FUNCTION f() BEGIN ATOMIC a; CASE b END; END", "c"],
    ),
    "rows are no statements": (
        "postgresql",
        "COPY t (a) FROM stdin;\nDROP TABLE t;\n\\.\nb;",
        ["COPY t (a) FROM stdin", "b"],
    ),
    "a backslash in MySQL": ("mysql", r"a '\';';b", [r"a '\';'", "b"]),
    "backticks": ("mysql", "a `;`;b", ["a `;`", "b"]),
    "a hash": ("mysql", "a # it's;\n;b", ["a # it's;", "b"]),
    "a prefix is no comment": ("mysql", "a #__x;b", ["a #__x", "b"]),
    "two dashes before a digit": ("mysql", "a 1--1;b", ["a 1--1", "b"]),
    "code in a comment": ("mysql", "/*!40101 a ';' */;b", ["/*!40101 a ';' */", "b"]),
    "another delimiter": (
        "mysql",
        "DELIMITER $$\na;b$$\nc$$\nDELIMITER ;\nd;e",
        ["a;b", "c", "d", "e"],
    ),
    "a trigger without another delimiter": (
        "mysql",
        "CREATE TRIGGER t BEGIN IF a THEN b; END IF; END;c",
        ["CREATE TRIGGER t BEGIN IF a THEN b; END IF; END", "c"],
    ),
    "a trigger of SQLite": (
        "sqlite",
        "CREATE TRIGGER t BEGIN a=CASE 1 WHEN 2 THEN 3 END; b; END;c",
        ["CREATE TRIGGER t BEGIN a=CASE 1 WHEN 2 THEN 3 END; b; END", "c"],
    ),
    "brackets": ("tsql", "a [;]]'];b", ["a [;]]']", "b"]),
    "GO": ("tsql", "a;b\nGO\nc\n go 5 \nd GO\nGO;", ["a", "b", "c", "d GO"]),
    "no semicolons at all": (
        "tsql",
        "CREATE TABLE a (b int)\nCREATE TABLE c (\nd int\n)\nEXEC e",
        ["CREATE TABLE a (b int)", "CREATE TABLE c (\nd int\n)", "EXEC e"],
    ),
    "an action of ALTER TABLE": (
        "tsql",
        "ALTER TABLE a\nALTER COLUMN b int\nGO",
        ["ALTER TABLE a\nALTER COLUMN b int"],
    ),
    "a procedure up to GO": (
        "tsql",
        "CREATE PROC a AS\nBEGIN\nCREATE TABLE b (c int);\nEND\nGO\nd",
        ["CREATE PROC a AS\nBEGIN\nCREATE TABLE b (c int);\nEND", "d"],
    ),
    "a slash": ("oracle", "a 1/2\n/\nb\n / \nc", ["a 1/2", "b", "c"]),
    "SQL*Plus lines": (
        "oracle",
        "REM it's\nPROMPT a;b\nSET DEFINE OFF\n@@x.sql\nc;\nEXIT\n",
        ["c"],
    ),
    "a program up to its slash": (
        "oracle",
        "BEGIN\na;\nEND;\n/\nCREATE TRIGGER t BEGIN\nb;\nEND;\n/\nc;",
        ["BEGIN\na;\nEND;", "CREATE TRIGGER t BEGIN\nb;\nEND;", "c"],
    ),
    "quotes of one's own choice": (
        "oracle",
        "a q'[it's;]';b nq'!;'!';c",
        ["a q'[it's;]'", "b nq'!;'!'", "c"],
    ),
    "a semicolon that was forgotten": (
        "portable",
        "CREATE TABLE a (b int)\nCREATE TABLE c (d int);",
        ["CREATE TABLE a (b int)", "CREATE TABLE c (d int)"],
    ),
    "a schema with its tables": (
        "portable",
        "CREATE SCHEMA a\nCREATE TABLE b (c int)\n;d",
        ["CREATE SCHEMA a\nCREATE TABLE b (c int)", "d"],
    ),
}


@pytest.mark.parametrize(("dialect", "text", "expected"), CUTS.values(), ids=CUTS)
def test_a_script_is_cut_where_its_dialect_says(
    dialect: str, text: str, expected: list[str]
) -> None:
    assert statements(text, dialect) == expected


@pytest.mark.parametrize(("dialect", "text", "expected"), CUTS.values(), ids=CUTS)
def test_every_character_of_a_script_is_in_one_piece(
    dialect: str, text: str, expected: list[str]
) -> None:
    for name in NAMES:
        pieces = read_pieces(text, DIALECTS[name])
        assert "".join(piece.text for piece in pieces) == text


def test_a_statement_knows_the_line_it_begins_on() -> None:
    text = "-- one\n\na;\n/* four\n*/ b\n ;\n\nc"
    found = cut(text, "portable")
    assert [(piece.text.strip(), piece.line) for piece in found] == [
        ("a", 3),
        ("b", 5),
        ("c", 8),
    ]


@pytest.mark.parametrize("dialect", NAMES)
def test_a_quote_that_never_ends_is_named(dialect: str) -> None:
    *_, last = read_pieces("a;\nb 'c;\nd;", DIALECTS[dialect])
    assert (last.text, last.line, last.open) == ("b 'c;\nd;", 2, "'")


WORDS = r"""
    ' '' " ` [ ] ( ) ; -- /* */ /*! # $$ $a$ E' q'[ \ \. // @x a 1 é GO / DELIMITER
    CREATE TABLE TRIGGER BEGIN END CASE COPY FROM stdin; REM SET ALTER
"""
BREAKS = (" ", "\n", "\r\n", "\nGO\n", "\n/\n", "COPY t FROM stdin;\n", "\n\\.\n")
SNIPPETS = st.lists(st.sampled_from([*WORDS.split(), *BREAKS]))


@given(SNIPPETS, st.sampled_from(NAMES))
@settings(max_examples=150, deadline=None)
def test_no_text_breaks_the_splitter(snippets: list[str], dialect: str) -> None:
    text = " ".join(snippets)
    pieces = list(read_pieces(text, DIALECTS[dialect]))
    assert "".join(piece.text for piece in pieces) == text
    assert all(piece.text for piece in pieces)
    lines = 1
    for piece in pieces:
        assert piece.line == lines
        lines += piece.text.count("\n")


@given(st.text())
@settings(max_examples=50, deadline=None)
def test_no_character_is_lost(text: str) -> None:
    for dialect in DIALECTS.values():
        assert "".join(one.text for one in read_pieces(text, dialect)) == text


HARD = {
    "a long text": "'" + "ab\n" * 400_000 + "'",
    "many doubled quotes": "'" + "a''" * 300_000 + "'",
    "many backslashes": "'\\" * 300_000,
    "many comments opened": "/*" * 300_000,
    "many parentheses": "(" * 500_000,
    "many brackets": "[a" * 200_000,
    "many dollars": "$$ $a$ " * 100_000,
    "many separators": "\nGO\n" * 50_000,
    "many statements": "a;\n" * 50_000,
    "many rows": "COPY t FROM stdin;\n" + "1\t2\n" * 200_000,
}


@pytest.mark.parametrize("text", HARD.values(), ids=HARD)
def test_time_grows_with_the_length_and_not_with_its_square(text: str) -> None:
    for dialect in (DIALECTS["postgresql"], DIALECTS["mysql"], DIALECTS["portable"]):
        start = time.perf_counter()
        for _ in read_pieces(text, dialect):
            pass
        # A square of these lengths would take minutes.
        assert time.perf_counter() - start < 8


def test_a_file_is_streamed_and_cut_like_its_text(tmp_path: Path) -> None:
    body = "".join(f"INSERT INTO t VALUES ({n}, 'a;\n''b');\n" for n in range(60_000))
    path = tmp_path / "long.sql"
    path.write_text(body, newline="")
    assert path.stat().st_size > 2 << 20  # several chunks
    dialect = DIALECTS["sqlite"]
    assert list(read_pieces(path, dialect)) == list(read_pieces(body, dialect))


def test_the_rows_of_a_copy_come_in_several_pieces_of_whole_lines(
    tmp_path: Path,
) -> None:
    rows = "".join(f"{n}\tsome text; and more\n" for n in range(150_000))
    path = tmp_path / "long.sql"
    path.write_text(f"COPY t FROM stdin;\n{rows}\\.\nSELECT 1;")
    pieces = list(read_pieces(path, DIALECTS["postgresql"]))
    blocks = [piece.text for piece in pieces if piece.kind is Kind.ROWS]
    assert len(blocks) > 1
    assert all(block.endswith("\n") for block in blocks)
    assert "".join(blocks) == rows
    assert [one.text for one in pieces if one.kind is Kind.STATEMENT][-1] == "SELECT 1"


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "cp1252"])
def test_the_encoding_of_a_file_is_found(encoding: str, tmp_path: Path) -> None:
    path = tmp_path / "odd.sql"
    path.write_bytes("CREATE TABLE größe (naïve int)".encode(encoding))
    (found,) = cut(path, "portable")
    assert found.text == "CREATE TABLE größe (naïve int)"


def test_a_file_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(DatabaseError, match=r'script ".*none\.sql" cannot be read'):
        list(read_pieces(tmp_path / "none.sql", DIALECTS["portable"]))


def test_every_dialect_is_known_by_its_own_name() -> None:
    assert NAMES == ["mysql", "oracle", "portable", "postgresql", "sqlite", "tsql"]
    assert all(dialect.name == name for name, dialect in DIALECTS.items())
