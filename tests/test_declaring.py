"""Scripts become databases: their rows where they bring some, their schema else."""

from pathlib import Path

import pytest

from workbench.database import JOINT, Database, connect
from workbench.errors import DatabaseError, SchemaError
from workbench.schema import infer_schema

DUMP = """
SET client_encoding = 'UTF8';
CREATE TABLE public.city (
    id bigint NOT NULL, zip character varying(5), size numeric(6,2), cap boolean);
CREATE TABLE public.person (
    id integer NOT NULL, city_id bigint, born date, note text, photo bytea);
COPY public.city (id, zip, size, cap) FROM stdin;
9007199254740993\t12345\t1.5\tt
2\t99999\t\\N\tf
\\.
COPY public.person (id, city_id, born, note, photo) FROM stdin;
1\t9007199254740993\t1999-01-02\ta\\tb\t\\\\x00
2\t2\t\\N\t\t\\N
\\.
"""
KEYS = """
ALTER TABLE ONLY public.city ADD CONSTRAINT city_pkey PRIMARY KEY (id);
ALTER TABLE ONLY public.person ADD CONSTRAINT person_pkey PRIMARY KEY (id);
ALTER TABLE ONLY public.person ADD CONSTRAINT fk FOREIGN KEY (city_id)
    REFERENCES public.city(id);
"""


def values(database: Database, table: str, column: str) -> list[object]:
    return database.arrow(table, [column]).column(0).to_pylist()


def test_a_dump_gives_exact_keys_and_texts_as_they_are_declared(
    tmp_path: Path,
) -> None:
    path = tmp_path / "town.sql"
    path.write_text(DUMP + KEYS)
    with connect(path, cache=tmp_path) as database:
        assert (database.name, database.has_rows) == ("town", True)
        links = database.links("person", ["city_id"], "city", ["id"])
        assert links.tolist() == [0, 1]
        # Declared as text, so that a zip stays one, whatever it looks like.
        assert values(database, "city", "zip") == ["12345", "99999"]
        assert values(database, "city", "size") == [1.5, None]
        assert values(database, "person", "note") == ["a\tb", ""]
        schema = infer_schema(database)
    assert [key.id for key in schema.foreign_keys] == ["person.city_id->city"]
    assert any("photo" in warning for warning in schema.warnings)


def test_several_scripts_are_one_schema(tmp_path: Path) -> None:
    tables, keys = tmp_path / "tables.sql", tmp_path / "keys.sql"
    tables.write_text(DUMP)
    keys.write_text(KEYS)
    with connect(f"{tables}{JOINT}{keys}", cache=tmp_path) as database:
        (key,) = database.table("person").foreign_keys
    assert (key.ref_table, key.ref_columns) == ("city", ("id",))


def test_a_schema_without_rows_says_so_and_keeps_its_types(tmp_path: Path) -> None:
    path = tmp_path / "only.sql"
    path.write_text("CREATE TABLE t (id INTEGER PRIMARY KEY, x REAL, at TIMESTAMP);")
    with connect(path, cache=tmp_path) as database:
        assert not database.has_rows
        schema = infer_schema(database)
    stypes = {one.name: str(one.stype) for one in schema.table("t").columns}
    assert stypes == {"id": "id", "x": "numerical", "at": "timestamp"}


def test_a_dbml_file_gives_its_tables_and_references(tmp_path: Path) -> None:
    path = tmp_path / "shop.dbml"
    path.write_text(
        """
        Table customer {
          id integer [pk]
        }
        Table purchase {
          id integer [pk]
          customer_id integer [ref: > customer.id]
        }
        """
    )
    with connect(path, cache=tmp_path) as database:
        assert not database.has_rows
        schema = infer_schema(database)
    assert [key.id for key in schema.foreign_keys] == ["purchase.customer_id->customer"]


def test_what_is_not_read_is_listed_with_its_line(tmp_path: Path) -> None:
    path = tmp_path / "odd.sql"
    path.write_text(
        "CREATE TABLE a (id INT PRIMARY KEY);\n"
        "INSERT INTO a VALUES (1);\n"
        "CREATE TABLE b AS SELECT * FROM a;\n"
        "INSERT INTO a VALUES (1 + 1);\n"
    )
    with connect(path, cache=tmp_path) as database:
        said = [one for one in database.warnings if "odd.sql, line" in one]
        assert values(database, "a", "id") == [1, None]
    assert [one.partition(":")[0] for one in said] == [
        "odd.sql, line 3",
        "odd.sql, line 4",
    ]


def test_nothing_in_a_script_is_executed(tmp_path: Path) -> None:
    victim = tmp_path / "victim.db"
    path = tmp_path / "evil.sql"
    path.write_text(
        f"""
        CREATE TABLE t (id INTEGER PRIMARY KEY);
        ATTACH DATABASE '{victim}' AS v;
        CREATE TABLE v.stolen (x);
        COPY (SELECT 1) TO '{victim}';
        INSERT INTO t SELECT content FROM read_text('/etc/passwd');
        .shell touch {victim}
        \\! touch {victim}
        """
    )
    with connect(path, dialect="sqlite", cache=tmp_path) as database:
        assert database.table("t").num_rows == 0
    assert not victim.exists()


@pytest.mark.parametrize(
    ("name", "content", "said"),
    [
        ("empty.sql", "-- nothing here\n", "declares no tables"),
        ("view.sql", "CREATE VIEW v AS SELECT 1;", "declares no tables"),
        ("bad.dbml", "Table {", "declares no tables"),
    ],
)
def test_a_script_without_tables_is_refused_in_a_sentence(
    tmp_path: Path, name: str, content: str, said: str
) -> None:
    (tmp_path / name).write_text(content)
    with pytest.raises(DatabaseError, match=said):
        connect(tmp_path / name, cache=tmp_path)


def test_a_dialect_that_is_unknown_is_named_with_the_nearest(tmp_path: Path) -> None:
    path = tmp_path / "a.sql"
    path.write_text("CREATE TABLE t (id INT);")
    with pytest.raises(SchemaError, match='did you mean "postgresql"'):
        connect(path, dialect="postgres", cache=tmp_path)
