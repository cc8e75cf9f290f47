"""What a value of a file becomes: a whole number, a number, or a text."""

from pathlib import Path

import duckdb
import pytest

from workbench.columnar import ColumnarReader, Relation
from workbench.errors import DatabaseError
from workbench.reader import Reflection, SourceColumn, SourceKey


def reader(
    sql: str, *relations: Relation, shown: str = 'file "a"'
) -> tuple[ColumnarReader, Reflection]:
    connection = duckdb.connect()
    connection.execute(sql)
    found = ColumnarReader("a", "0", connection, relations, shown=shown)
    return found, found.reflect()


def values(kind: str, *rows: str | None, declared: str | None = None) -> list[object]:
    """Return what becomes of the values of one column, the type's name first."""
    listed = ", ".join("(NULL)" if row is None else f"('{row}')" for row in rows)
    columns = None if declared is None else (SourceColumn("x", declared, True),)
    relation = Relation("t", "t", columns, is_text=kind == "text")
    stored = "VARCHAR" if kind == "text" else kind
    found, reflection = reader(
        f"CREATE TABLE t (x {stored}); INSERT INTO t VALUES {listed}", relation
    )
    if not reflection.tables[0].columns:
        return ["left out"]
    batches = list(found.batches(reflection.tables[0], reflection.types))
    name = str(reflection.types["t", "x"])
    return [name, *(value for one in batches for value in one.column(0).to_pylist())]


@pytest.mark.parametrize(
    ("texts", "expected"),
    [
        (["1", "-2", None], ["int64", 1, -2, None]),
        ([" 1 ", "2"], ["int64", 1, 2]),
        (["1", "2.5"], ["double", 1.0, 2.5]),
        (["1e3", ".5", "+2."], ["double", 1000.0, 0.5, 2.0]),
        (["0", "0.5", "-0.25"], ["double", 0.0, 0.5, -0.25]),
        (["007", "8"], ["string", "007", "8"]),
        (["1", "x"], ["string", "1", "x"]),
        (["1.5", "NaN", "-inf"], ["double", 1.5, None, None]),
        (["nan", "inf"], ["string", "nan", "inf"]),
        (["9223372036854775807"], ["int64", 2**63 - 1]),
        (["9223372036854775808", "1"], ["string", "9223372036854775808", "1"]),
        (["12345678901234567", "0.5"], ["string", "12345678901234567", "0.5"]),
        (["1e999", "1.5"], ["double", None, 1.5]),
        (["2020-01-01", "1"], ["string", "2020-01-01", "1"]),
        ([None, None], ["string", None, None]),
        (["1,5"], ["string", "1,5"]),
        (["0x10", "1"], ["string", "0x10", "1"]),
        (["1_000"], ["string", "1_000"]),
        (["٣"], ["string", "٣"]),
    ],
)
def test_all_rows_decide_what_a_column_of_texts_is(
    texts: list[str | None], expected: list[object]
) -> None:
    assert values("text", *texts) == expected


def test_a_declared_text_stays_one_and_declared_binary_is_left_out() -> None:
    assert values("text", "1", "2", declared="VARCHAR(9)") == ["string", "1", "2"]
    assert values("text", "1", "2", declared="INT") == ["int64", 1, 2]
    assert values("text", "1", declared="BLOB") == ["left out"]


@pytest.mark.parametrize(
    ("kind", "texts", "expected"),
    [
        ("UTINYINT", ["255"], ["int64", 255]),
        ("BOOLEAN", ["true", "false"], ["int64", 1, 0]),
        ("FLOAT", ["0.5", "nan", "inf"], ["double", 0.5, None, None]),
        ("DECIMAL(9, 2)", ["1.25"], ["double", 1.25]),
        ("DECIMAL(38, 0)", ["7"], ["int64", 7]),
        ("HUGEINT", [str(2**64)], ["string", str(2**64)]),
        ("UBIGINT", ["5", None], ["int64", 5, None]),
        (
            "DATE",
            ["0044-03-15 (BC)", "9999-12-31"],
            ["string", "0044-03-15 (BC)", "9999-12-31"],
        ),
        ("VARCHAR[]", ["[a, b]"], ["string", "a|b"]),
        ("BLOB", ["ab"], ["left out"]),
    ],
)
def test_a_stored_type_decides_where_there_is_one(
    kind: str, texts: list[str | None], expected: list[object]
) -> None:
    assert values(kind, *texts) == expected


def test_names_that_clash_are_told_apart_and_keys_follow_them() -> None:
    _, reflection = reader(
        'CREATE TABLE p ("x.y" INTEGER); CREATE TABLE c ("a b" INTEGER, z INTEGER)',
        Relation("p", "p", primary_key=("x.y",)),
        Relation("P", "p"),
        Relation("c", "c", foreign_keys=(SourceKey(("a b",), "p", ("x.y",)),)),
        Relation("d", "c", foreign_keys=(SourceKey(("z",), "gone"),)),
    )
    assert [table.name for table in reflection.tables] == ["p", "P_2", "c", "d"]
    assert reflection.tables[0].primary_key == ("x_y",)
    assert reflection.tables[2].foreign_keys == (SourceKey(("a b",), "p", ("x_y",)),)
    assert any('to "gone" is left out' in one for one in reflection.warnings)


def test_five_hundred_columns_are_read_in_their_order() -> None:
    names = [f"c{at}" for at in range(500)]
    columns = ", ".join(f"{at} AS {name}" for at, name in enumerate(names))
    found, reflection = reader(
        f"CREATE TABLE t AS SELECT {columns}", Relation("t", "t")
    )
    (batch,) = found.batches(reflection.tables[0], reflection.types)
    assert [column.name for column in reflection.tables[0].columns] == names
    assert [column[0].as_py() for column in batch.columns] == list(range(500))


def test_rows_come_in_the_order_they_were_stored() -> None:
    found, reflection = reader(
        "CREATE TABLE t AS SELECT (range * 7919) % 200003 AS x FROM range(200003)",
        Relation("t", "t"),
    )
    batches = found.batches(reflection.tables[0], reflection.types)
    rows = [value for batch in batches for value in batch.column(0).to_pylist()]
    assert rows == [(at * 7919) % 200003 for at in range(200003)]


def test_a_file_that_goes_bad_between_is_named(tmp_path: Path) -> None:
    with pytest.raises(DatabaseError, match='The file "a" cannot be read: '):
        reader("SELECT 1", Relation("t", f"read_csv('{tmp_path}/gone.csv')"))
