"""A schema says who says what, keeps its contract, and can be settled by its hints."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.tiny import make_key, make_schema, make_table, write_sqlite
from workbench.blueprint import ColumnRole
from workbench.conflicts import conflicts
from workbench.database import Database, connect
from workbench.draft import begin
from workbench.errors import SchemaError
from workbench.hints import Hints, KeyHint, TableHint, hints_to_toml, read_hints
from workbench.leaks import find_leaks, take_sides
from workbench.passes import Override, Promote
from workbench.schema import (
    Schema,
    Stype,
    hints_of,
    infer_schema,
    schema_to_json,
)
from workbench.split import TRAIN, VAL
from workbench.tabular import Tabulator
from workbench.task import TaskSpec, define_task

SQL = """
CREATE TABLE shop (id INTEGER PRIMARY KEY, code TEXT UNIQUE, tags TEXT, y INTEGER);
CREATE TABLE sale (
  id INTEGER PRIMARY KEY, shop_id INTEGER REFERENCES shop (id), sold_at TEXT, x REAL
);
CREATE TABLE refund (refund_id INTEGER, sale_id INTEGER);
"""


@pytest.fixture
def database(tmp_path: Path) -> Iterator[Database]:
    shops = ", ".join(
        f"({n}, 'S{n:02}', '{'a|b' if n % 3 else 'b|c|a' if n % 2 else 'c'}', {n % 2})"
        for n in range(1, 61)
    )
    sales = ", ".join(
        f"({n}, {1 + n % 60}, '2020-01-{1 + n % 28:02}', {n / 7})"
        for n in range(1, 201)
    )
    refunds = ", ".join(f"({n}, {1 + n * 3 % 200})" for n in range(1, 91))
    sql = (
        f"{SQL} INSERT INTO shop VALUES {shops}; INSERT INTO sale VALUES {sales};"
        f" INSERT INTO refund VALUES {refunds}"
    )
    with connect(write_sqlite(tmp_path / "shop.db", sql), cache=tmp_path) as database:
        yield database


def settled(schema: Schema) -> list[object]:
    """Return all that plans are made of."""
    return [
        [
            (
                table.name,
                table.primary_key,
                table.time_column,
                column.name,
                column.stype,
            )
            for table in schema.tables
            for column in table.columns
        ],
        [(key.id, key.ref_columns) for key in schema.foreign_keys],
    ]


def test_a_schema_written_as_hints_and_read_again_is_the_same(
    database: Database, tmp_path: Path
) -> None:
    chosen = Hints(
        tables={"sale": TableHint(time_column="sold_at")},
        rejected_keys=(KeyHint("refund", ("sale_id",), "sale", ("id",)),),
    )
    for hints in (Hints(), chosen):
        schema = infer_schema(database, hints)
        path = tmp_path / "shop.hints.toml"
        path.write_text(hints_to_toml(hints_of(schema)), encoding="utf-8")
        again = infer_schema(database, read_hints(path))
        assert settled(again) == settled(schema)
        assert again.suggested_keys == ()


def test_the_document_names_every_key_its_origin_and_its_evidence(
    database: Database,
) -> None:
    document = schema_to_json(infer_schema(database, Hints()))
    assert set(document) == {
        "name", "fingerprint", "tables", "suggested_keys", "warnings",
    }  # fmt: skip
    by_name = {table["name"]: table for table in document["tables"]}
    (declared,) = by_name["sale"]["foreign_keys"]
    (found,) = by_name["refund"]["foreign_keys"]
    assert set(declared) == {
        "columns", "ref_table", "ref_columns", "declared", "evidence", "dangling",
    }  # fmt: skip
    assert (declared["declared"], declared["evidence"]["origin"]) == (True, "declared")
    assert (found["declared"], found["evidence"]["origin"]) == (False, "inferred")
    assert declared["evidence"]["confidence"] == 1
    assert found["evidence"]["inclusion"] == 1
    assert by_name["refund"]["primary_key"] == ["refund_id"]


def test_two_keys_of_the_same_columns_and_parent_have_two_ids(
    database: Database,
) -> None:
    hints = Hints(
        foreign_keys=(
            KeyHint("sale", ("shop_id",), "shop", ("code",)),
            KeyHint("sale", ("shop_id",), "shop", ("id",)),  # declared already
        ),
        complete=True,
    )
    schema = infer_schema(database, hints)
    assert [key.id for key in schema.foreign_keys] == [
        "sale.shop_id->shop",
        "sale.shop_id->shop(code)",
    ]
    assert schema.key("sale.shop_id->shop(code)").ref_columns == ("code",)


def test_a_rejected_key_is_gone_even_where_it_is_declared(database: Database) -> None:
    rejected = KeyHint("sale", ("shop_id",), "shop", ("id",))
    schema = infer_schema(database, Hints(rejected_keys=(rejected,)))
    assert "sale" not in {key.table for key in schema.foreign_keys}
    assert schema.rejected_keys == (rejected,)


@pytest.mark.parametrize(
    ("hints", "sentence"),
    [
        (Hints(tables={"shops": TableHint()}), '"shops".*"shop"'),
        (Hints(tables={"shop": TableHint(primary_key=("ID2",))}), '"ID2"'),
        (Hints(tables={"shop": TableHint(time_column="made")}), '"made"'),
        (Hints(tables={"shop": TableHint(columns={"tag": Stype.TEXT})}), '"tag"'),
        (Hints(foreign_keys=(KeyHint("sale", ("x",), "gone", ("id",)),)), '"gone"'),
        (Hints(rejected_keys=(KeyHint("sale", ("z",), "shop", ("id",)),)), '"z"'),
        (Hints(tables={"shop": TableHint(time_column="tags")}), "holds no times"),
    ],
)
def test_a_hint_that_does_not_fit_is_named(
    database: Database, hints: Hints, sentence: str
) -> None:
    with pytest.raises(SchemaError, match=sentence):
        infer_schema(database, hints)


def test_a_hinted_primary_key_that_repeats_is_not_used(database: Database) -> None:
    # 90 refunds of sales 1 + 3 n (mod 200), and 3 has no divisor in common with 200:
    # all of different sales. But 200 sales of 60 shops.
    hints = Hints(tables={"refund": TableHint(primary_key=("sale_id",))})
    schema = infer_schema(
        database, Hints(tables={"sale": TableHint(primary_key=("shop_id",))})
    )
    assert schema.table("sale").primary_key == ("id",)
    assert any("hinted primary key" in warning for warning in schema.warnings)
    assert infer_schema(database, hints).table("refund").primary_key == ("sale_id",)


def test_lists_are_features_for_learners_and_leaks_and_never_nodes(
    database: Database,
) -> None:
    schema = infer_schema(database, Hints())
    assert schema.column("shop", "tags").stype is Stype.MULTICATEGORICAL
    task = define_task(database, schema, TaskSpec(target="shop.y"))
    names = {feature.name for feature in Tabulator(database, schema, task, 100).own()}
    assert {'tags has "a"', 'tags has "b"', 'tags has "c"'} >= names
    assert len(names) >= 2
    draft = Promote()(begin(schema, task.spec))
    assert draft.columns["shop.tags"].role is ColumnRole.FEATURE
    forced = Override(columns={"shop.tags": ColumnRole.PROMOTED})(draft)
    assert any("several values a row" in one for one in conflicts(forced))


def test_a_list_that_gives_the_target_away_is_a_leak(tmp_path: Path) -> None:
    # y is 1 exactly where the list holds "won", whatever else it holds.
    rows = [
        (
            n,
            ", ".join(
                ["abcd"[n % 4], *(["won"] if n % 3 == 0 else []), "xyz"[n % 5 % 3]]
            ),
        )
        for n in range(300)
    ]
    values = ", ".join(f"({n}, '{text}', {int('won' in text)})" for n, text in rows)
    path = write_sqlite(
        tmp_path / "t.db",
        "CREATE TABLE t (id INTEGER, tags TEXT, y INTEGER);"
        f"INSERT INTO t VALUES {values}",
    )
    with connect(path, cache=tmp_path / "cache") as database:
        hints = Hints(tables={"t": TableHint(columns={"tags": Stype.MULTICATEGORICAL})})
        schema = infer_schema(database, hints)
        task = define_task(database, schema, TaskSpec(target="t.y"))
        sides = take_sides(task.rows, task.labels, task.split, 2)
        leaks = find_leaks(database, schema, "t", task.spec.hidden, sides)
        again = find_leaks(database, schema, "t", task.spec.hidden, sides)
        hidden = task.spec.hidden | {("t", "tags")}
        others = find_leaks(database, schema, "t", hidden, sides)
    assert {TRAIN, VAL} <= set(task.split.tolist())
    assert [leak.column for leak in leaks] == ["t.tags"]
    assert again == leaks  # read from what was kept
    assert others == ()  # another question is not answered by it


def test_a_boolean_column_is_promoted_as_a_category_is() -> None:
    schema = make_schema(
        [
            make_table("a", {"id": "id", "y": "numerical"}),
            make_table("b", {"id": "id", "a_id": "id", "paid": "boolean"}),
        ],
        [make_key("b.a_id->a")],
    )
    draft = Promote()(begin(schema, TaskSpec(target="a.y")))
    assert draft.columns["b.paid"].role is ColumnRole.PROMOTED


def test_shipped_hints_that_do_not_fit_a_users_file_become_warnings(
    tmp_path: Path,
) -> None:
    path = write_sqlite(
        tmp_path / "address-flat.db",
        "CREATE TABLE person (id INTEGER PRIMARY KEY, x REAL);"
        "INSERT INTO person VALUES (1, 1.5), (2, 2.5)",
    )
    with connect(path, cache=tmp_path / "cache") as database:
        schema = infer_schema(database)
    assert any("shipped hint is not used" in warning for warning in schema.warnings)
