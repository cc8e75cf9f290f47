"""Folders, archives and single files of CSV or Parquet become tables as they are."""

import csv
import gzip
import io
import random
import tarfile
import zipfile
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from workbench.database import Database, Limits, connect
from workbench.errors import DatabaseError
from workbench.files.delimited import detect, stage_text
from workbench.files.rowwise import Text, stage_lines
from workbench.staging import Staging

SETTINGS = settings(
    max_examples=25,
    deadline=None,
    derandomize=True,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)


def read(path: Path, content: bytes | str | None = None, **limits: int) -> Database:
    """Write a file where content is given, and open it."""
    if content is not None:
        data = content.encode() if isinstance(content, str) else content
        path.write_bytes(data)
    return connect(path, limits=Limits(**limits))


def rows_of(database: Database, table: str) -> list[tuple[object, ...]]:
    names = [column.name for column in database.table(table).columns]
    return list(zip(*database.arrow(table, names).to_pydict().values(), strict=True))


def names_of(database: Database, table: str) -> list[str]:
    return [column.name for column in database.table(table).columns]


def cells_of(path: Path, block_bytes: int = 1 << 20) -> list[tuple[str | None, ...]]:
    """Return the cells of a text as they are staged, before types are told."""
    staging = Staging()
    try:
        text = Text(path, "t")
        relation, _ = stage_text(
            text, detect(text, Limits()), staging, Limits(), block_bytes
        )
        return staging.connection.execute(f"SELECT * FROM {relation.sql}").fetchall()
    finally:
        staging.close()


@pytest.mark.parametrize("delimiter", [",", ";", "\t", "|"])
@pytest.mark.parametrize("line_end", ["\n", "\r\n", "\r"])
def test_delimiters_and_line_ends_are_told_by_the_text(
    tmp_path: Path, delimiter: str, line_end: str
) -> None:
    lines = ["id,name,paid", "1,Ann,2.5", "2,Bob,3"]
    text = line_end.join(lines).replace(",", delimiter) + line_end
    with read(tmp_path / "a.csv", text) as database:
        assert names_of(database, "a") == ["id", "name", "paid"]
        assert rows_of(database, "a") == [(1, "Ann", 2.5), (2, "Bob", 3.0)]
        assert database.warnings == ()


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ('a,b\n"x, y",1\n"say ""hi""",2\n', [("x, y", 1), ('say "hi"', 2)]),
        ('a,b\n"two\nlines",1\n"\r\n",2\n', [("two\nlines", 1), ("\r\n", 2)]),
        ('a,b\n"say \\"hi, you\\"",1\n\\N,2\n', [('say "hi, you"', 1), (None, 2)]),
        ("a,b\n'x, y',1\n'it''s',2\n", [("x, y", 1), ("it's", 2)]),
        ('a\tb\n"Rome" 2005\t1\n5" disk\t2\n', [('"Rome" 2005', 1), ('5" disk', 2)]),
        ('a,b\n5" disk,1\nb "c" d,2\n', [('5" disk', 1), ('b "c" d', 2)]),
    ],
    ids=["doubled", "newlines", "backslash", "single", "no-quotes", "inside"],
)
def test_every_way_of_quoting_is_understood(
    tmp_path: Path, text: str, expected: list[tuple[object, ...]]
) -> None:
    with read(tmp_path / "a.csv", text) as database:
        assert rows_of(database, "a") == expected


@pytest.mark.parametrize(
    ("encoding", "mark"),
    [
        ("utf-8", b""),
        ("utf-8-sig", b""),
        ("utf-16", b""),
        ("utf-16-le", b""),
        ("utf-16-be", b"\xfe\xff"),
        ("utf-32", b""),
        ("cp1252", b""),
    ],
)
def test_letters_survive_every_encoding(
    tmp_path: Path, encoding: str, mark: bytes
) -> None:
    text = "id,Größe\n1,naïve €\n2,Zoë\n"
    with read(tmp_path / "a.csv", mark + text.encode(encoding)) as database:
        assert names_of(database, "a") == ["id", "Größe"]
        assert rows_of(database, "a") == [(1, "naïve €"), (2, "Zoë")]


def test_windows_text_behind_a_million_ascii_letters_is_found(tmp_path: Path) -> None:
    text = b"id,name\n" + b"1,ann\n" * 300_000 + b"2,Zo\xeb\n"
    with read(tmp_path / "a.csv", text) as database:
        assert rows_of(database, "a")[-1] == (2, "Zoë")
        assert "Windows-1252" in " ".join(database.warnings)


def test_bytes_that_are_no_utf8_are_replaced_and_counted(tmp_path: Path) -> None:
    text = "id,name\n1,éééé\n".encode() + b"2,a\xff\xfeb\n"
    with read(tmp_path / "a.csv", text) as database:
        assert rows_of(database, "a") == [(1, "éééé"), (2, "a\ufffd\ufffdb")]
        assert "cannot be decoded: 2" in " ".join(database.warnings)


def test_the_empty_cell_and_backslash_n_are_null_and_na_is_not(tmp_path: Path) -> None:
    with read(tmp_path / "a.csv", 'id,x,y\n1,,"NA"\n2,\\N,""\n3,4,z\n') as database:
        assert rows_of(database, "a") == [(1, None, "NA"), (2, None, None), (3, 4, "z")]


def test_a_text_without_header_gets_invented_names_and_says_so(tmp_path: Path) -> None:
    with read(tmp_path / "a.csv", "1,2020-01-01,x\n2,2020-01-02,y\n") as database:
        assert names_of(database, "a") == ["column_1", "column_2", "column_3"]
        assert database.table("a").num_rows == 2
        assert "has no header" in " ".join(database.warnings)


@pytest.mark.parametrize(
    ("text", "names"),
    [
        ("name,city\nAnn,Rome\nBob,Oslo\n", ["name", "city"]),
        ("Rome,red\nOslo,red\nRome,blue\nOslo,red\n", ["column_1", "column_2"]),
        ("country,2019,2020,2021\nIT,1,2,3\n", ["country", "2019", "2020", "2021"]),
        (",a,b\n0,1,2\n1,3,4\n", ["column_1", "a", "b"]),
        ("id,name\n", ["id", "name"]),
        ("a,a,A\n1,2,3\n", ["a", "a_2", "A_3"]),
        ("a b\n1\n", ["a b"]),
    ],
    ids=["texts", "values", "years", "index", "only", "repeats", "one"],
)
def test_the_first_line_is_a_header_where_it_is_unlike_the_rest(
    tmp_path: Path, text: str, names: list[str]
) -> None:
    with read(tmp_path / "t.csv", text) as database:
        assert names_of(database, "t") == names


def test_short_rows_are_filled_long_ones_cut_and_both_told(tmp_path: Path) -> None:
    text = "a,b,c\n1,2,3\n4,5\n\n6,7,8,9\n10,11,12,\n13,14,15\n16\n"
    with read(tmp_path / "t.csv", text) as database:
        assert rows_of(database, "t") == [
            (1, 2, 3),
            (4, 5, None),
            (6, 7, 8),
            (10, 11, 12),
            (13, 14, 15),
            (16, None, None),
        ]
        told = " ".join(database.warnings)
    assert "fewer cells than the table has columns: 2, the first in line 3" in told
    assert "more cells than the table has columns: 1, the first in line 5" in told


@pytest.mark.parametrize(
    "text",
    [
        "a,b,\n1,2,\n3,4,\n",
        "a,b\n1,2,\n3,4,\n",
        "# made by hand\n\na,b\n1,2\n# half way\n3,4\n",
        "#a,b\n1,2\n3,4\n",
        "sep=;\na;b\n1;2\n3;4\n",
        "Our figures\n\na,b\n1,2\n3,4\n",
        "\n\na,b\n1,2\n\n3,4\n\n",
        " a , b \n1,2\n 3 , 4 \n",
    ],
    ids=[
        "trailing",
        "trailing-in-rows",
        "comments",
        "commented-header",
        "sep",
        "title",
        "blank",
        "spaces",
    ],
)
def test_what_surrounds_a_table_is_not_part_of_it(tmp_path: Path, text: str) -> None:
    with read(tmp_path / "t.csv", text) as database:
        assert names_of(database, "t") == ["a", "b"]
        assert rows_of(database, "t") == [(1, 2), (3, 4)]


def test_numbers_with_a_decimal_comma_are_numbers_and_thousands_are_not_guessed(
    tmp_path: Path,
) -> None:
    text = "id;price;people\n1;1.234,5;1,234\n2;0,25;2,000\n"
    with read(tmp_path / "t.csv", text) as database:
        assert rows_of(database, "t") == [(1, 1234.5, "1,234"), (2, 0.25, "2,000")]
        assert any("t.price" in warning for warning in database.warnings)


def test_codes_with_leading_zeros_stay_texts(tmp_path: Path) -> None:
    with read(tmp_path / "t.csv", "zip,n\n00501,1\n10001,2\n") as database:
        assert rows_of(database, "t") == [("00501", 1), ("10001", 2)]


def test_a_column_of_infinities_and_nans_has_them_as_null(tmp_path: Path) -> None:
    with read(tmp_path / "t.csv", "x\n1.5\nNaN\ninf\n-Infinity\n") as database:
        assert rows_of(database, "t") == [(1.5,), (None,), (None,), (None,)]


def test_a_name_with_a_star_or_brackets_is_one_file(tmp_path: Path) -> None:
    (tmp_path / "a1.csv").write_text("x\n1\n")
    (tmp_path / "a*.csv").write_text("x\n2\n")
    table = pa.table({"x": [3]})
    pq.write_table(table, tmp_path / "[q]?.parquet")
    pq.write_table(pa.table({"x": [4]}), tmp_path / "q1.parquet")
    with read(tmp_path / "a*.csv") as database:
        assert rows_of(database, "a*") == [(2,)]
    with read(tmp_path / "[q]?.parquet") as database:
        assert rows_of(database, "[q]?") == [(3,)]
    with read(tmp_path) as database:
        found = {table.name: rows_of(database, table.name) for table in database.tables}
    assert found == {"a1": [(1,)], "a*": [(2,)], "[q]?": [(3,)], "q1": [(4,)]}


def fill(folder: Path) -> Path:
    """Write a folder with two tables of one stem, parts, and what is no table."""
    for name in ("sub", "other", "orders", ".git", "__MACOSX"):
        (folder / name).mkdir(parents=True)
    (folder / "sub" / "items.csv").write_text("id,x\n1,a\n")
    (folder / "other" / "items.tsv").write_text("id\tx\n2\tb\n3\tc\n")
    for at in (0, 1):
        part = pa.table({"id": [2 * at, 2 * at + 1]})
        pq.write_table(part, folder / "orders" / f"part-00{at}.parquet")
    with gzip.open(folder / "packed.csv.gz", "wt") as file:
        file.write("k\n7\n")
    (folder / ".git" / "hidden.csv").write_text("a\n1\n")
    (folder / "__MACOSX" / "items.csv").write_text("a\n1\n")
    (folder / "README.txt").write_text("Read me, please; it matters.\n")
    (folder / "notes.txt").write_text("One line\nand another\n")
    (folder / "logo.png").write_bytes(b"\x89PNG")
    (folder / "empty.csv").touch()
    return folder


EXPECTED = {
    "sub.items": [(1, "a")],
    "other.items": [(2, "b"), (3, "c")],
    "orders": [(0,), (1,), (2,), (3,)],
    "packed": [(7,)],
}


def pack(folder: Path, ending: str) -> Path:
    target = folder.parent / f"packed{ending}"
    if ending == ".zip":
        with zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED) as archive:
            for path in sorted(folder.rglob("*")):
                archive.write(path, path.relative_to(folder))
        return target
    packing = {".tar": "w", ".tgz": "w:gz", ".tar.bz2": "w:bz2", ".tar.xz": "w:xz"}
    with tarfile.open(target, packing[ending]) as archive:
        archive.add(folder, ".")
    return target


@pytest.mark.parametrize("ending", ["", ".zip", ".tar", ".tgz", ".tar.bz2", ".tar.xz"])
def test_a_folder_and_its_archives_hold_the_same_tables(
    tmp_path: Path, ending: str
) -> None:
    folder = fill(tmp_path / "data")
    with read(pack(folder, ending) if ending else folder) as database:
        found = {table.name: rows_of(database, table.name) for table in database.tables}
        told = " ".join(database.warnings)
        assert database.name == ("packed" if ending else "data")
    assert found == EXPECTED
    assert '"logo.png"' in told
    assert '"notes.txt"' in told
    assert '"empty.csv" is empty' in told
    assert "README" not in told
    assert "hidden" not in told
    assert "MACOSX" not in told


def test_parts_with_other_columns_are_tables_of_their_own(tmp_path: Path) -> None:
    (tmp_path / "orders").mkdir()
    pq.write_table(pa.table({"id": [1]}), tmp_path / "orders" / "part-0.parquet")
    pq.write_table(pa.table({"no": [1]}), tmp_path / "orders" / "part-1.parquet")
    with read(tmp_path) as database:
        assert [one.name for one in database.tables] == [
            "orders.part-0",
            "orders.part-1",
        ]


def test_a_link_that_leads_out_of_the_folder_is_left_out_and_told(
    tmp_path: Path,
) -> None:
    (tmp_path / "secret").mkdir()
    (tmp_path / "secret" / "keys.csv").write_text("key\nhidden\n")
    folder = tmp_path / "data"
    folder.mkdir()
    (folder / "a.csv").write_text("x\n1\n")
    (folder / "within.csv").symlink_to(folder / "a.csv")
    (folder / "keys.csv").symlink_to(tmp_path / "secret" / "keys.csv")
    (folder / "all").symlink_to(tmp_path / "secret")
    with read(folder) as database:
        assert [table.name for table in database.tables] == ["a", "within"]
        assert 'lead out of the folder: "all", "keys.csv"' in database.warnings[0]


def test_the_fingerprint_follows_names_and_contents_and_not_the_place(
    tmp_path: Path,
) -> None:
    prints = []
    for name, text in [("p", "x\n1\n"), ("q", "x\n1\n"), ("r", "x\n2\n")]:
        (tmp_path / name).mkdir()
        (tmp_path / name / "a.csv").write_text(text)
        with read(tmp_path / name) as database:
            prints.append(database.fingerprint)
    assert prints[0] == prints[1] != prints[2]
    (tmp_path / "q" / "a.csv").rename(tmp_path / "q" / "b.csv")
    with read(tmp_path / "q") as database:
        assert database.fingerprint not in prints
        assert len(database.fingerprint) == 16


def test_what_is_told_of_a_folder_is_its_own_and_not_that_of_its_twin(
    tmp_path: Path,
) -> None:
    for name in ("p", "q"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "a.csv").write_text("x\n1\n")
    (tmp_path / "q" / "more.png").touch()
    for name, num_warnings in (("p", 0), ("q", 1)):
        with read(tmp_path / name) as database:
            assert len(database.warnings) == num_warnings


def test_parts_in_the_folder_itself_are_called_like_it(tmp_path: Path) -> None:
    for name in ("sales", "orders"):
        (tmp_path / name).mkdir()
        for at in (0, 1):
            part = tmp_path / name / f"part-{at}.parquet"
            pq.write_table(pa.table({"x": [at]}), part)
        with read(tmp_path / name) as database:
            assert rows_of(database, name) == [(0,), (1,)]


def test_rows_that_are_kept_already_are_not_parsed_again(tmp_path: Path) -> None:
    path = tmp_path / "a.csv"
    with read(path, "x\n1\n") as database:
        first = database.path.stat().st_mtime_ns
    with read(path) as database:
        assert database.path.stat().st_mtime_ns == first


def test_a_single_compressed_text_is_one_table(tmp_path: Path) -> None:
    path = tmp_path / "a.csv.gz"
    with read(path, gzip.compress(b"x,y\n1,2\n")) as database:
        assert database.name == "a"
        assert rows_of(database, "a") == [(1, 2)]


def test_parquet_types_become_numbers_and_texts(tmp_path: Path) -> None:
    table = pa.table(
        {
            "whole": pa.array([1, None], pa.int16()),
            "huge": pa.array([2**63, 1], pa.uint64()),
            "number": [0.5, float("nan")],
            "yes": [True, None],
            "day": pa.array([0, 1], pa.date32()),
            "tags": [["a", "b"], None],
            "raw": [b"\x00", b"\x01"],
        }
    )
    pq.write_table(table, tmp_path / "t.parquet")
    with read(tmp_path / "t.parquet") as database:
        assert rows_of(database, "t") == [
            (1, str(2**63), 0.5, 1, "1970-01-01", "a|b"),
            (None, "1", None, None, "1970-01-02", None),
        ]
        assert 'column "t.raw" holds binary data' in " ".join(database.warnings)


@pytest.mark.parametrize(
    ("name", "content", "match"),
    [
        ("a.csv", bytes(range(256)) * 40, "holds binary data"),
        ("a.parquet", b"PAR1 and no more", "no Parquet file, or is damaged"),
        ("a.zip", b"PK\x03\x04 and no more", "damaged or cut short"),
        ("a.csv.gz", gzip.compress(b"x\n1\n")[:-6], "damaged or cut short"),
        ("a.csv", '"' + "x" * 17_000_000, "more than 16,777,216 characters"),
        pytest.param(
            "a.csv",
            'a,b\n1,"' + "x\n" * 9_000_000,
            "quotation mark may not be closed",
            marks=pytest.mark.slow,
        ),
    ],
    ids=["binary", "parquet", "zip", "gzip", "one-line", "open-quote"],
)
def test_a_file_that_cannot_be_read_is_refused_in_a_sentence(
    tmp_path: Path, name: str, content: bytes | str, match: str
) -> None:
    with pytest.raises(DatabaseError, match=match):
        read(tmp_path / name, content)


def test_a_folder_without_tables_says_what_it_holds(tmp_path: Path) -> None:
    (tmp_path / "a.doc").write_text("x")
    with pytest.raises(DatabaseError, match=r'holds no tables.*"a\.doc"'):
        read(tmp_path)


def test_limits_end_the_reading_of_a_text(tmp_path: Path) -> None:
    path = tmp_path / "a.csv"
    path.write_text("x,y,z\n" + "1,2,3\n" * 100)
    with pytest.raises(DatabaseError, match="100 rows read so far"):
        read(path, rows=99)
    with pytest.raises(DatabaseError, match="3 columns"):
        read(path, columns=2)
    (tmp_path / "b.csv").write_text("x\n1\n")
    with pytest.raises(DatabaseError, match="2 tables"):
        read(tmp_path, tables=1)


CELLS = st.text(
    st.characters(codec="utf-8", exclude_categories=["Cc"], exclude_characters="\\"),
    max_size=8,
).map(lambda text: f"{text}w")  # never empty, never a number


@SETTINGS
@given(
    rows=st.integers(2, 4).flatmap(
        lambda width: st.lists(
            st.lists(CELLS, min_size=width, max_size=width), min_size=1, max_size=6
        )
    ),
    delimiter=st.sampled_from([",", ";", "\t", "|"]),
    quoting=st.sampled_from([csv.QUOTE_ALL, csv.QUOTE_MINIMAL]),
    line_end=st.sampled_from(["\n", "\r\n"]),
    encoding=st.sampled_from(["utf-8", "utf-8-sig", "utf-16"]),
    newline=st.booleans(),
)
def test_any_texts_under_any_dialect_come_back_as_they_were(
    tmp_path: Path,
    rows: list[list[str]],
    delimiter: str,
    quoting: int,
    line_end: str,
    encoding: str,
    newline: bool,
) -> None:
    if newline:
        rows[0][0] = f"two{line_end}lines"
    buffer = io.StringIO(newline="")
    writer = csv.writer(
        buffer, delimiter=delimiter, quoting=quoting, lineterminator=line_end
    )
    writer.writerow([f"name{at}" for at in range(len(rows[0]))])
    writer.writerows(rows)
    path = tmp_path / "t.csv"
    path.write_bytes(buffer.getvalue().encode(encoding))
    assert cells_of(path) == [tuple(row) for row in rows]


def test_reading_in_small_blocks_and_row_by_row_give_the_same(tmp_path: Path) -> None:
    path = tmp_path / "t.csv"
    generator = random.Random(0)
    letters = ['"', ",", "\n", "a", "b", "é", " ", "1", "\r"]
    for _ in range(12):
        rows = [
            ["".join(generator.choices(letters, k=6)) + "z" for _ in range(3)]
            for _ in range(30)
        ]
        with path.open("w", newline="") as file:
            writer = csv.writer(file, quoting=csv.QUOTE_ALL)
            writer.writerows([["one", "two", "three"], *rows])
        staging = Staging()
        text = Text(path, "t")
        sql, _, _ = stage_lines(text, detect(text, Limits()), ["a", "b", "c"], staging)
        found = staging.connection.execute(f"SELECT * FROM {sql}").fetchall()
        staging.close()
        assert found == cells_of(path, 256) == [tuple(row) for row in rows]
