"""The rows of a dump are read as what they say; nothing is computed, nothing lost."""

import sqlite3
import tracemalloc
from contextlib import closing
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from workbench.ddl.dump import has_rows, read_rows
from workbench.ddl.literals import Row
from workbench.ddl.reading import DeclaredSchema, Unread, read_ddl
from workbench.reader import BATCH_ROWS

TABLE = "CREATE TABLE t (a text, b text);\n"


def rows(
    text: str, dialect: str
) -> tuple[list[tuple[str, tuple[str, ...], Row]], list[Unread]]:
    """Return every row with its table and columns, and what was not read."""
    texts = [("a.sql", text)]
    told: list[Unread] = []
    found = [
        (table, columns, row)
        for table, columns, batch in read_rows(
            texts, read_ddl(texts, dialect), told.append
        )
        for row in batch
    ]
    return found, told


def values(text: str, dialect: str) -> list[Row]:
    """Return the rows that some INSERTs put into a table of two columns."""
    found, told = rows(TABLE + text, dialect)
    assert told == []
    return [row for _, _, row in found]


# --- COPY ----------------------------------------------------------------------


def test_a_copy_block_is_read_with_its_escapes() -> None:
    text = (
        "COPY public.t (b, a) FROM stdin;\n"
        "x\t\\N\n"
        "\\\\N\ttab\\there; it's\n"
        "\t \n"
        "\\x41\\102\\n\t\\\\.\n"
        "\\.\n\n"
        "COPY t (a) FROM stdin;\n\nlast\n\\.\n"
    )
    found, told = rows(TABLE + text, "postgresql")
    assert told == []
    assert found == [
        ("t", ("b", "a"), ("x", None)),
        ("t", ("b", "a"), ("\\N", "tab\there; it's")),
        ("t", ("b", "a"), ("", " ")),
        ("t", ("b", "a"), ("AB\n", "\\.")),
        ("t", ("a",), ("",)),
        ("t", ("a",), ("last",)),
    ]


def test_a_copy_block_of_windows_keeps_no_carriage_returns() -> None:
    text = (TABLE + "COPY t FROM stdin;\n1\t2\n3\t\\N\n\\.\n").replace("\n", "\r\n")
    found, _ = rows(text, "postgresql")
    assert [row for _, _, row in found] == [("1", "2"), ("3", None)]


def test_a_copy_block_with_options_is_reported() -> None:
    block = "COPY t FROM stdin WITH (FORMAT csv);\n1,2\n\\.\n"
    text = f"{TABLE}{block}INSERT INTO t (a) VALUES (1);"
    found, told = rows(text, "postgresql")
    assert [row for _, _, row in found] == [("1",)]
    assert [(one.line, one.why) for one in told] == [
        (2, "COPY with options is not read")
    ]


# --- INSERT --------------------------------------------------------------------

CONSTANTS = {
    "numbers": ("sqlite", "1, -2.5e+10", ("1", "-2.5e+10")),
    "NULL and the text of it": ("sqlite", "NULL, 'NULL'", (None, "NULL")),
    "an empty text": ("sqlite", "'', ' '", ("", " ")),
    "commas and parentheses": ("sqlite", "'a,b)', '(('", ("a,b)", "((")),
    "doubled quotes": ("sqlite", "'it''s', ''''", ("it's", "'")),
    "a backslash means itself": ("sqlite", r"'a\n', '\'", ("a\\n", "\\")),
    "several lines": ("sqlite", "'a\n;\nb', 2", ("a\n;\nb", "2")),
    "binary": ("sqlite", "X'00fF', x''", ("\\x00ff", "\\x")),
    "what SQLite's dump writes for a newline": (
        "sqlite",
        r"replace('a\nit''s','\n',char(10)), unistr('b\u000ac')",
        ("a\nit's", "b\nc"),
    ),
    "two of them": (
        "sqlite",
        r"replace(replace('a\r\nb','\r',char(13)),'\n',char(10)), 1",
        ("a\r\nb", "1"),
    ),
    "escapes of MySQL": (
        "mysql",
        r"""'a\'b\\n\n\0', "c\"d'" """,
        ("a'b\\n\n\0", "c\"d'"),
    ),
    "introducers of MySQL": ("mysql", "_binary 'x', _utf8mb4'y'", ("x", "y")),
    "hexadecimals of MySQL": ("mysql", "0xAb, 0x", ("\\xab", "\\x")),
    "escapes of PostgreSQL": (
        "postgresql",
        r"E'a\tb\\c''d\'\u00e9', '\t'",
        ("a\tb\\c'd'é", "\\t"),
    ),
    "dollar quotes": ("postgresql", "$$it's$$, $a$b$$c$a$", ("it's", "b$$c")),
    "casts of texts": (
        "postgresql",
        "'1'::character varying(3), '{}'::text[]",
        ("1", "{}"),
    ),
    "truth": ("postgresql", "TRUE, false", ("true", "false")),
    "bits": ("postgresql", "B'101', b'0'", ("101", "0")),
    "typed texts": ("oracle", "DATE '2001-02-03', N'x'", ("2001-02-03", "x")),
}


@pytest.mark.parametrize(
    ("dialect", "text", "expected"), CONSTANTS.values(), ids=CONSTANTS
)
def test_a_constant_is_read_as_what_it_says(
    dialect: str, text: str, expected: Row
) -> None:
    assert values(f"INSERT INTO t VALUES ({text});", dialect) == [expected]


def test_an_insert_may_hold_many_rows_and_an_ending() -> None:
    text = (
        "INSERT IGNORE INTO t VALUES (1,2),\n (3, NULL) ,(5,6)"
        " ON DUPLICATE KEY UPDATE a = 1;"
    )
    assert values(text, "mysql") == [("1", "2"), ("3", None), ("5", "6")]


def test_columns_may_be_given_in_another_order_and_spelling() -> None:
    found, told = rows(TABLE + 'INSERT INTO "T" (B, "a") VALUES (1, 2)', "postgresql")
    assert (found, told) == ([("t", ("b", "a"), ("1", "2"))], [])


def test_statements_of_sql_server_need_no_into_and_no_semicolon() -> None:
    text = (
        "CREATE TABLE [dbo].[t] ([a] [int], [b] [nvarchar](9))\nGO\n"
        "SET IDENTITY_INSERT [dbo].[t] ON\n"
        "INSERT [dbo].[t] ([a], [b]) VALUES (1, N'it''s')\n"
        "INSERT [dbo].[t] ([a], [b]) VALUES (2, NULL)\nGO\n"
    )
    found, told = rows(text, "tsql")
    assert [row for _, _, row in found] == [("1", "it's"), ("2", None)]
    assert told == []


def test_bits_of_mysql_are_whole_numbers_however_they_are_written() -> None:
    text = (
        "CREATE TABLE t (a bit(1), b bit(4));"
        "INSERT INTO t VALUES (b'1', b'1010'), (0x00, 0x0A), ('\\0', _binary '\n');"
    )
    found, told = rows(text, "mysql")
    assert [row for _, _, row in found] == [("1", "10"), ("0", "10"), ("0", "10")]
    assert told == []


def test_rows_of_a_partition_are_rows_of_its_table() -> None:
    text = (
        "CREATE TABLE t (a int) PARTITION BY LIST (a);"
        "CREATE TABLE t1 PARTITION OF t DEFAULT;"
        "INSERT INTO t1 VALUES (1);\nCOPY public.t1 (a) FROM stdin;\n2\n\\.\n"
    )
    found, told = rows(text, "postgresql")
    assert found == [("t", ("a",), ("1",)), ("t", ("a",), ("2",))]
    assert told == []


def test_rows_find_their_table_in_another_schema() -> None:
    text = (
        "CREATE TABLE t (a int); CREATE TABLE s.t (a int);"
        "INSERT INTO s.t VALUES (1); INSERT INTO t VALUES (2);"
        "SET search_path = s; INSERT INTO t VALUES (3);"
    )
    found, told = rows(text, "postgresql")
    assert [(table, row) for table, _, row in found] == [
        ("s.t", ("1",)),
        ("public.t", ("2",)),
        ("s.t", ("3",)),
    ]
    assert told == []


UNREAD = {
    "INSERT INTO t VALUES (1, CAST('2' AS int))": (
        [("1", None)],
        'an expression in the column "b" is not computed: it is NULL',
    ),
    "INSERT INTO t VALUES (now(1, ')'), 1 + 2)": (
        [(None, None)],
        'an expression in the column "a" is not computed: it is NULL',
    ),
    "INSERT INTO t VALUES (1), (1, 2), (1, 2, 3)": (
        [("1", "2")],
        "a row has more or fewer values than columns; such rows are left out",
    ),
    "INSERT INTO t SELECT 1, 2": (
        [],
        "an INSERT without constant values is not executed",
    ),
    "INSERT INTO t (a, z) VALUES (1, 2)": (
        [],
        "a column that is given is not in the table; the rows are left out",
    ),
    "INSERT INTO u VALUES (1)": ([], 'there is no table "u"; its rows are left out'),
    "UPDATE t SET a = 1": ([], "statements that change rows are not executed"),
    "DELETE FROM t": ([], "statements that change rows are not executed"),
    "INSERT INTO t VALUES (1, 2) frob": (
        [("1", "2")],
        "the rest of an INSERT is not read",
    ),
}


@pytest.mark.parametrize(("text", "expected"), UNREAD.items(), ids=UNREAD)
def test_what_is_not_read_is_reported_with_its_line(
    text: str, expected: tuple[list[Row], str]
) -> None:
    found, told = rows(f"{TABLE}\n{text};", "postgresql")
    assert [row for _, _, row in found] == expected[0]
    assert (told[0].file, told[0].line, told[0].why) == ("a.sql", 3, expected[1])


def test_a_thing_that_happens_in_every_row_is_reported_once() -> None:
    text = TABLE + "INSERT INTO t VALUES (now(), 1);\n" * 100
    found, told = rows(text, "postgresql")
    assert len(found) == 100
    assert [one.line for one in told] == [2]


# --- whole dumps ---------------------------------------------------------------

TEXTS = st.one_of(
    st.none(),
    st.text(alphabet="ab'\"\\;\n\r\t,()é漢-/*$", max_size=8),
    st.integers(-(2**63), 2**63 - 1),
    st.binary(max_size=4),
)


@given(st.lists(st.tuples(TEXTS, TEXTS), max_size=8))
@settings(max_examples=60, deadline=None)
def test_what_sqlite_dumps_is_read_back(drawn: list[tuple[object, object]]) -> None:
    with closing(sqlite3.connect(":memory:")) as connection:
        connection.execute('CREATE TABLE t (a, "b;c")')
        connection.executemany("INSERT INTO t VALUES (?, ?)", drawn)
        text = "\n".join(connection.iterdump())
    found, told = rows(text, "sqlite")
    assert [row for _, _, row in found] == [tuple(map(_text, row)) for row in drawn]
    assert told == []


def _text(value: object) -> str | None:
    if isinstance(value, bytes):
        return f"\\x{value.hex()}"
    return None if value is None else str(value)


@given(st.lists(st.text(max_size=6), min_size=1, max_size=6))
@settings(max_examples=60, deadline=None)
def test_what_copy_escapes_is_read_back(drawn: list[str]) -> None:
    pairs = {"\\": "\\\\", "\n": "\\n", "\t": "\\t", "\r": "\\r"}
    lines = ["".join(pairs.get(char, char) for char in text) for text in drawn]
    block = "".join(f"{line}\t\\N\n" for line in lines)
    found, told = rows(f"{TABLE}COPY t FROM stdin;\n{block}\\.\n", "postgresql")
    assert [row for _, _, row in found] == [(text, None) for text in drawn]
    assert told == []


@given(st.text(alphabet="'\"\\(),; \nNULLx1$-", max_size=30))
@settings(max_examples=150, deadline=None)
def test_no_insert_breaks_the_reader(text: str) -> None:
    for dialect in ("postgresql", "mysql", "sqlite", "tsql"):
        rows(f"{TABLE}INSERT INTO t VALUES ({text});", dialect)


def test_batches_hold_one_table_and_at_most_fifty_thousand_rows() -> None:
    text = (
        "CREATE TABLE t (a int); CREATE TABLE u (a int);"
        "INSERT INTO t VALUES " + ",".join(["(1)"] * (BATCH_ROWS + 1)) + ";"
        "INSERT INTO u VALUES (2); INSERT INTO t VALUES (3);"
    )
    texts = [("a.sql", text)]
    batches = list(read_rows(texts, read_ddl(texts, "mysql")))
    assert [(table, len(batch)) for table, _, batch in batches] == [
        ("t", BATCH_ROWS),
        ("t", 1),
        ("u", 1),
        ("t", 1),
    ]


def test_a_long_dump_is_not_held_in_memory(tmp_path: Path) -> None:
    path = tmp_path / "long.sql"
    with path.open("w") as file:
        file.write(f"{TABLE}COPY t (a, b) FROM stdin;\n")
        for _ in range(40):
            file.write(
                "some text that is long enough to count\tand more of it\n" * 10_000
            )
        file.write("\\.\n")
    texts = [("long.sql", path)]
    schema = read_ddl(texts, "postgresql")
    tracemalloc.start()
    count = sum(len(batch) for _, _, batch in read_rows(texts, schema))
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert count == 400_000
    assert path.stat().st_size > 20_000_000
    # A batch of 50 000 rows of two texts takes about 15 MB, wherever it lies.
    assert peak < 45_000_000


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("CREATE TABLE t (a int);", False),
        ("CREATE TABLE t (a text DEFAULT 'INSERT INTO t VALUES (1)');", False),
        ("-- INSERT INTO t VALUES (1);\n", False),
        ("INSERT INTO t VALUES (1)", True),
        ("CREATE TABLE t (a int);\nCOPY t (a) FROM stdin;\n1\n\\.\n", True),
        ("/*!40000 REPLACE INTO t VALUES (1) */;", True),
        ("COPY t TO stdout;", False),
    ],
)
def test_a_script_tells_whether_it_holds_rows(text: str, expected: bool) -> None:
    assert has_rows([("a.sql", text)]) is expected


def test_a_schema_of_nothing_has_no_rows() -> None:
    assert list(read_rows([], DeclaredSchema((), "portable", ()))) == []
