"""What a DBML file declares is read exactly; a broken element costs itself alone."""

from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from workbench.ddl.dbml import read_dbml
from workbench.ddl.reading import DeclaredKey, DeclaredSchema
from workbench.resources import resource_path

FILES = Path(__file__).parent / "ddl"


def keys(schema: DeclaredSchema) -> list[str]:
    """Return every foreign key as one line."""
    return [
        f"{table.name} ({', '.join(key.columns)}) -> {key.ref_table}"
        f" ({', '.join(key.ref_columns)})"
        for table in schema.tables
        for key in table.foreign_keys
    ]


def test_a_file_is_read_exactly() -> None:
    schema = read_dbml("atlas.dbml", (FILES / "atlas.dbml").read_text())
    columns = {
        table.name: [
            f"{one.name}: {one.sql_type}{'' if one.nullable else ' !'}"
            for one in table.columns
        ]
        for table in schema.tables
    }
    assert schema.dialect == "dbml"
    assert columns == {
        "country": [
            "code: char(2) !",
            "name: varchar(80) !",
            "climate: climate",
            "head of state: text",
            "capital: int",
        ],
        "city": ["id: int !", "country: char(2) !", "twin: int", "area: decimal(10,2)"],
        "geo.river": ["source: char(2) !", "number: int !", "mouth: int", "lost: int"],
        "bridge": ["id: int !", "river_source: char(2)", "river_number: int"],
        "street": ["id: int !"],
    }
    assert [table.primary_key for table in schema.tables] == [
        ("code",),
        ("id",),
        ("source", "number"),
        ("id",),
        ("id",),
    ]
    assert keys(schema) == [
        "country (capital) -> city (id)",
        "city (country) -> country (code)",
        "city (twin) -> city (id)",
        "geo.river (mouth) -> city (id)",
        "bridge (river_source, river_number) -> geo.river (source, number)",
        "bridge (id) -> city (id)",
    ]
    country = schema.tables[0]
    assert country.comment == "A country, as others see it"
    assert country.columns[0].comment == "ISO; two letters"
    assert country.columns[4].comment == "ref: > nowhere.id"


def test_what_is_not_read_of_a_file_is_listed_with_its_line() -> None:
    schema = read_dbml("atlas.dbml", (FILES / "atlas.dbml").read_text())
    assert [(one.file, one.line, one.why.split(":")[0]) for one in schema.unread] == [
        ("atlas.dbml", 34, "the reference is left out"),
        (
            "atlas.dbml",
            49,
            "a reference of many to many has no table that holds it; declare one",
        ),
        ("atlas.dbml", 54, "the table is left out"),
    ]


def test_the_example_is_read_without_a_gap() -> None:
    text = (resource_path("schemas") / "clinic.dbml").read_text(encoding="utf-8")
    schema = read_dbml("clinic.dbml", text)
    assert schema.unread == ()
    assert len(schema.tables) == 6
    assert keys(schema) == [
        "animal (owner_id) -> owner (owner_id)",
        "animal (mother_id) -> animal (animal_id)",
        "visit (animal_id) -> animal (animal_id)",
        "visit (vet_id) -> vet (vet_id)",
        "visit_treatment (code) -> treatment (code)",
        "visit_treatment (animal_id, visit_number) -> visit (animal_id, number)",
    ]


TWO = (
    "Table a {\n  id int [pk]\n  b_id int\n}\nTable b {\n  id int [pk]\n  a_id int\n}\n"
)

REFERENCES = {
    "Ref: a.b_id > b.id": ["a (b_id) -> b (id)"],
    "Ref: a.id < b.a_id": ["b (a_id) -> a (id)"],
    "Ref named: a.id < b.a_id [delete: cascade, update: no action]": [
        "b (a_id) -> a (id)"
    ],
    "Ref {\n  a.b_id > b.id\n}": ["a (b_id) -> b (id)"],
    'Ref: "a"."b_id" > public.b.id': ["a (b_id) -> b (id)"],
    "Ref: a.(id, b_id) > b.(a_id, id)": ["a (id, b_id) -> b (a_id, id)"],
    "Ref: a.b_id - b.id": ["a (b_id) -> b (id)"],
    "Ref: b.id - a.b_id": ["a (b_id) -> b (id)"],
    "Ref: a.id - b.id": ["b (id) -> a (id)"],
    "Ref: a.b_id > b.id\nRef: a.b_id > b.id": ["a (b_id) -> b (id)"],
    "// Ref: a.b_id > b.id": [],
}


@pytest.mark.parametrize(("text", "expected"), REFERENCES.items(), ids=REFERENCES)
def test_a_reference_points_from_the_side_that_holds_it(
    text: str, expected: list[str]
) -> None:
    schema = read_dbml("a.dbml", TWO + text + "\n")
    assert keys(schema) == expected
    assert schema.unread == ()


UNREAD = {
    "Ref: a.x > b.id": 'the reference is left out: there is no "a.x"',
    "Ref: a.id > c.id": 'the reference is left out: there is no "c.id"',
    "Ref: a.(id, b_id) > b.id": "the reference is left out: its columns do not pair",
    "Ref: a.id": "no reference looks like this",
    "TablePartial p {\n  x int\n}": "this element of DBML is not read",
    "Table a {\n  x int\n}": '"a" was declared before; that counts',
    "Table c {\n}": "the table is left out: Table c at position 0 has no columns",
}


@pytest.mark.parametrize(("text", "why"), UNREAD.items(), ids=UNREAD)
def test_what_cannot_be_read_is_listed(text: str, why: str) -> None:
    schema = read_dbml("a.dbml", f"{TWO}{text}\nTable last {{\n  id int\n}}\n")
    assert [(one.line, one.why) for one in schema.unread] == [(9, why)]
    assert [table.name for table in schema.tables] == ["a", "b", "last"]


def test_an_empty_file_declares_nothing() -> None:
    assert read_dbml("a.dbml", "").tables == ()


def test_a_byte_order_mark_and_line_ends_of_windows_change_nothing() -> None:
    text = TWO + "Ref: a.b_id > b.id\n"
    windows = "﻿" + text.replace("\n", "\r\n")
    assert read_dbml("a.dbml", windows) == read_dbml("a.dbml", text)


def test_an_inline_reference_may_stand_among_other_settings() -> None:
    text = (
        "Table a {\n  id int [pk, ref: > b.id, note: 'x']\n"
        "  x int [not null, ref: - b.id]\n  y int [ref: < b.z]\n}\n"
        "Table b {\n  id int [pk]\n  z int\n}\n"
    )
    schema = read_dbml("a.dbml", text)
    assert schema.unread == ()
    assert schema.tables[0].foreign_keys == (
        DeclaredKey(("id",), "b", ("id",)),
        DeclaredKey(("x",), "b", ("id",)),
    )
    assert schema.tables[1].foreign_keys == (DeclaredKey(("z",), "a", ("y",)),)
    assert schema.tables[0].columns[1].nullable is False


@given(st.text(alphabet="Tableref Ref:{}[]<>-.'\"`/*\nxid,()", max_size=80))
@settings(max_examples=60, deadline=None)
def test_no_text_breaks_the_reader(text: str) -> None:
    read_dbml("a.dbml", TWO + text)
