"""A source is recognised by what it is, and its password is shown nowhere."""

import os
import sqlite3
import zipfile
from pathlib import Path

import duckdb
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from workbench.address import (
    Kind,
    joined_sources,
    kind_of,
    parse_address,
    with_options,
    without_password,
)
from workbench.errors import DatabaseError


def write_sqlite(path: Path) -> None:
    with sqlite3.connect(path) as connection:
        connection.execute("CREATE TABLE t (a)")


def write_workbook(path: Path) -> None:
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("xl/workbook.xml", "<workbook/>")


def write_zip(path: Path) -> None:
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("a.csv", "a\n1\n")


WRITERS = {
    Kind.SQLITE: write_sqlite,
    Kind.DUCKDB: lambda path: duckdb.connect(str(path)).close(),
    Kind.FILES: write_zip,
    Kind.WORKBOOK: write_workbook,
}


@pytest.mark.parametrize("kind", WRITERS)
@pytest.mark.parametrize("ending", [".db", ".csv", ".xlsx", ".bin", ""])
def test_the_first_bytes_tell_more_than_the_ending(
    tmp_path: Path, kind: Kind, ending: str
) -> None:
    path = tmp_path / f"file{ending}"
    WRITERS[kind](path)
    assert kind_of(path) is kind


@pytest.mark.parametrize(
    ("name", "kind"),
    [
        ("a.csv", Kind.FILES),
        ("a.tsv", Kind.FILES),
        ("a.SQL", Kind.SCRIPT),
        ("a.dbml", Kind.DBML),
    ],
)
def test_a_text_is_known_by_its_ending(tmp_path: Path, name: str, kind: Kind) -> None:
    path = tmp_path / name
    path.write_text("anything")
    assert kind_of(path) is kind


def test_a_folder_is_files_unless_it_says_how_its_tables_hang_together(
    tmp_path: Path,
) -> None:
    table = pa.table({"a": [1]})
    pq.write_table(table, tmp_path / "a.parquet")
    assert kind_of(tmp_path) is Kind.FILES
    pq.write_table(
        table.replace_schema_metadata({"pkey_col": '"a"'}), tmp_path / "a.parquet"
    )
    assert kind_of(tmp_path) is Kind.RELBENCH


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"", "is empty"),
        (b"PGDMP\x01", "pg_restore"),
        (b"\xd0\xcf\x11\xe0\xa1", "save the workbook as .xlsx"),
        (b"\x80\x04pickle", "Parquet"),
        (b"hello", "of no kind that can be read"),
    ],
)
def test_a_file_that_cannot_be_read_says_what_would_work(
    tmp_path: Path, content: bytes, said: str
) -> None:
    path = tmp_path / "file.odd"
    path.write_bytes(content)
    with pytest.raises(DatabaseError, match=said):
        kind_of(path)


def test_a_missing_file_names_its_neighbour(tmp_path: Path) -> None:
    (tmp_path / "shop.csv").write_text("a\n1\n")
    with pytest.raises(DatabaseError, match=r'did you mean ".*shop\.csv"'):
        kind_of(tmp_path / "shops.csv")


def test_something_that_is_no_file_is_not_opened(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe.csv")
    with pytest.raises(DatabaseError, match="neither a file nor a folder"):
        kind_of(tmp_path / "pipe.csv")


@pytest.mark.parametrize(
    "written",
    [
        "postgresql://ann:s3cret@host/shop",
        "postgresql+psycopg://ann:s3cret@host:99/shop?sslmode=require",
        "mysql://ann@host/shop?password=s3cret",
        "mysql://ann:p%40s3cret@host/shop?ssl_passphrase=s3cret",
    ],
)
def test_a_password_is_kept_apart(written: str) -> None:
    found = parse_address(written, environment={})
    assert "s3cret" not in without_password(written)
    assert "s3cret" not in found.shown
    assert "s3cret" not in repr(found)
    assert found.kind is Kind.SERVER
    assert found.url is not None
    assert "s3cret" in found.url.render_as_string(hide_password=False)


def test_a_password_comes_from_the_argument_then_the_environment() -> None:
    bare = "postgresql://ann@host/shop"
    environment = {"WORKBENCH_PASSWORD": "from outside"}
    both = parse_address(bare, "given", environment)
    outside = parse_address(bare, None, environment)
    own = parse_address("postgresql://ann:own@host/shop", "given", environment)
    found = [each.url.password for each in (both, outside, own) if each.url]
    assert found == ["given", "from outside", "own"]


def test_options_are_read_back_from_an_address(tmp_path: Path) -> None:
    server = with_options("mysql://host/a?charset=utf8", ["x y", "z"])
    found = parse_address(server, environment={})
    assert found.schemas == ("x y", "z")
    assert found.url is not None
    assert dict(found.url.query) == {"charset": "utf8"}
    script = tmp_path / "what?.sql"
    script.write_text("CREATE TABLE a (b INT)")
    assert parse_address(str(script)).paths == (script,)
    asked = parse_address(with_options(str(script), dialect="tsql"))
    assert (asked.paths, asked.dialect) == ((script,), "tsql")


def test_several_scripts_are_one_source_and_nothing_else_is(tmp_path: Path) -> None:
    names = ["a.sql", "b.sql", "c.csv"]
    for name in names:
        (tmp_path / name).write_text("x")
    one, two, three = (str(tmp_path / name) for name in names)
    (joined, other) = joined_sources([one, two, three])
    assert parse_address(joined).paths == (Path(one), Path(two))
    assert other == three
    with pytest.raises(DatabaseError, match=r"only \.sql scripts"):
        parse_address(f"{one} + {three}")
