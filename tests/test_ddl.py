"""What a script declares is read exactly; what is not read is listed with its line."""

import sqlite3
import string
import time
from collections.abc import Sequence
from contextlib import closing
from pathlib import Path

import pytest
import sqlglot
from hypothesis import given, settings
from hypothesis import strategies as st
from sqlglot import exp

from workbench.ddl.dialects import DIALECTS
from workbench.ddl.reading import (
    DeclaredColumn,
    DeclaredKey,
    DeclaredSchema,
    DeclaredTable,
    Unread,
    detect_dialect,
    read_ddl,
)
from workbench.ddl.sqlite_ddl import sqlite_definition
from workbench.errors import SchemaError
from workbench.resources import resource_path

SCRIPTS = Path(__file__).parent / "ddl"


def read(text: str, dialect: str | None = None) -> DeclaredSchema:
    return read_ddl([("a.sql", text)], dialect)


def script(name: str) -> DeclaredSchema:
    return read_ddl([(name, SCRIPTS / name)])


def shown(table: DeclaredTable) -> list[str]:
    """Return a table as lines: columns ("!" is NOT NULL), its key, its references."""
    lines = [
        f"{column.name}: {column.sql_type}{'' if column.nullable else ' !'}"
        for column in table.columns
    ]
    if table.primary_key:
        lines.append(f"key {', '.join(table.primary_key)}")
    return lines + [
        f"{', '.join(key.columns)} -> {key.ref_table} ({', '.join(key.ref_columns)})"
        for key in table.foreign_keys
    ]


def tables(schema: DeclaredSchema) -> dict[str, list[str]]:
    return {table.name: shown(table) for table in schema.tables}


def unread(schema: DeclaredSchema) -> list[tuple[int, str]]:
    return [(one.line, one.why) for one in schema.unread]


# --- whole scripts, one in each dialect, counted by hand ----------------------


def test_a_dump_of_postgresql_is_read_exactly() -> None:
    schema = script("archive.postgresql.sql")
    person = [
        "id: integer !",
        "name: character varying(80) !",
        "user: text",
        "Full Name: text",
        "nick: text",
        "tags: text[] !",
        "born: timestamp(3) without time zone",
        "seen: timestamp with time zone !",
        "spent: numeric(10,2) !",
        "kind: public.shelf_kind",
        "lasted: interval day to second",
    ]
    document = [
        "id: bigint !",
        "author_id: integer",
        "reviewer_id: integer",
        "replaced_by: bigint",
        "mark: public.shelf_mark",
    ]
    loan = ["document_id: bigint !", "person_id: integer !", "lent_on: date !"]
    assert schema.dialect == "postgresql"
    assert tables(schema) == {
        "person": [*person, "key id"],
        "document": [
            *document,
            "key id",
            "author_id -> person (id)",
            "reviewer_id -> person (id)",
            "replaced_by -> document (id)",
        ],
        "loan": [
            *loan,
            "key document_id, person_id, lent_on",
            "person_id -> person (id)",
        ],
        "scan": [*document, "dpi: integer !"],
        "finance.fine": [
            *loan,
            "amount: money",
            "key document_id, person_id, lent_on",
            "document_id, person_id, lent_on -> loan (document_id, person_id, lent_on)",
        ],
        "person_copy": [*person, "copied_at: date"],
    }
    assert schema.unread == ()
    assert dict(schema.partitions) == {"loan_2023": "loan", "loan_2024": "loan"}
    assert schema.notes == (
        'The rows of 2 partitions of "loan" are read as rows of the table.',
    )
    assert schema.tables[0].comment == "Who reads; and who writes"
    assert schema.tables[0].columns[4].comment == "It's short"


def test_a_dump_of_mysql_is_read_exactly() -> None:
    schema = script("shop.mysql.sql")
    assert schema.dialect == "mysql"
    assert tables(schema) == {
        "customer": [
            "id: int(10) unsigned !",
            "email: varchar(255) !",
            "state: enum('new','a,b','it''s)') !",
            "flags: set('x','y')",
            "balance: decimal(10,2) unsigned zerofill",
            "updated: timestamp !",
            "full: varchar(300)",
            "active: bit(1) !",
            "key: varchar(20)",
            "referrer: int(10) unsigned",
            "key id",
            "referrer -> customer (id)",
        ],
        "item": [
            "sku: char(12) !",
            "index: int",
            "price: double(8,2) !",
            "big: mediumtext",
            "year: year(4)",
            "key sku",
        ],
        "order line": [
            "customer_id: int(10) unsigned !",
            "product_sku: char(12) !",
            "no: smallint !",
            "key customer_id, product_sku, no",
        ],
        "line_note": [
            "first: int",
            "customer_id: int(10) unsigned !",
            "product_sku: char(12) !",
            "note: text",
            "line_no: int !",
            "key customer_id, product_sku, line_no",
            "customer_id -> customer (id)",
        ],
    }
    assert schema.tables[0].comment == "people; who buy"
    assert schema.tables[0].columns[0].comment == "it's; the key"
    assert schema.unread == (
        Unread(
            "shop.mysql.sql",
            schema.unread[0].line,
            "CREATE TABLE `summary` AS SELECT * FROM `customer`",
            "the columns of a query are not read; it would have to be executed",
        ),
    )


def test_a_script_of_sql_server_is_read_exactly() -> None:
    schema = script("ward.tsql.sql")
    assert schema.dialect == "tsql"
    assert tables(schema) == {
        "Patient": [
            "PatientID: int !",
            "Name: dbo.Name !",
            "Insured From: datetime2(7)",
            "Weight: decimal(5, 2)",
            "Height: decimal(5, 2)",
            "Bmi: ",
            "Note: nvarchar(max)",
            "rowguid: uniqueidentifier !",
            "key PatientID",
        ],
        "Staff.Nurse": [
            "NurseID: int !",
            "BossID: int",
            "Order: smallint",
            "key NurseID",
            "BossID -> Staff.Nurse (NurseID)",
        ],
        "Bed.Use": [
            "PatientID: int !",
            "NurseID: int !",
            "Since: datetime !",
            "key PatientID, Since",
            "PatientID -> Patient (PatientID)",
            "NurseID -> Staff.Nurse (NurseID)",
        ],
        "Visit": [
            "VisitID: bigint !",
            "PatientID: int",
            "Ended: datetime",
            "Reason: nvarchar(20) !",
            "key VisitID",
            "PatientID -> Patient (PatientID)",
        ],
    }
    assert schema.unread == ()
    assert schema.tables[3].comment == "One stay."


def test_a_script_of_oracle_is_read_exactly() -> None:
    schema = script("staff.oracle.sql")
    assert schema.dialect == "oracle"
    assert tables(schema) == {
        "regions": [
            "region_id: NUMBER !",
            "region_name: VARCHAR2(25 CHAR)",
            "key region_id",
        ],
        "countries": [
            "country_id: CHAR(2) !",
            "country_name: VARCHAR2(40)",
            "region_id: NUMBER",
            "key country_id",
            "region_id -> regions (region_id)",
        ],
        "employees": [
            "employee_id: NUMBER(6) !",
            "last_name: VARCHAR2(25) !",
            "hire_date: DATE",
            "salary: NUMBER(8,2)",
            "yearly: NUMBER",
            "manager_id: NUMBER(6)",
            "country_id: ",
            "seen: TIMESTAMP(6) WITH LOCAL TIME ZONE",
            "photo: BLOB",
            "key employee_id",
            "country_id -> countries (country_id)",
            "manager_id -> employees (employee_id)",
        ],
        "job_history": [
            "employee_id: NUMBER(6) !",
            "start_date: DATE !",
            "end_date: DATE !",
            "note: VARCHAR2(10)",
            "key employee_id, start_date",
            "employee_id -> employees (employee_id)",
        ],
    }
    assert schema.unread == (
        Unread(
            "staff.oracle.sql",
            6,
            "@@drop_all.sql",
            "the file that is named here is not read; give it, too",
        ),
    )
    assert schema.tables[0].comment == "Regions; it's all of them"
    assert schema.tables[0].columns[0].comment == "The key"


def test_a_dump_of_sqlite_is_read_exactly() -> None:
    schema = script("music.sqlite.sql")
    assert schema.dialect == "sqlite"
    assert tables(schema) == {
        "Artist": [
            "ArtistId: INTEGER !",
            "Name: NVARCHAR(120)",
            "sort name: TEXT",
            "key ArtistId",
        ],
        "Album": [
            "AlbumId: INTEGER !",
            "Title: UNSIGNED BIG INT !",
            "ArtistId: INTEGER",
            "Art: ",
            "Slug: TEXT",
            "Year: INTEGER",
            "key AlbumId",
            "ArtistId -> Artist (ArtistId)",
        ],
        "playlist_track": [
            "playlist: INT !",
            "track: INT !",
            "pos: INT",
            "key playlist, track",
            "playlist, track -> playlist_track (playlist, track)",
        ],
        "Oddity": ['a"b: TEXT', "c d: INT"],
    }
    assert [why.split(";")[0] for _, why in unread(schema)] == [
        "a virtual table is made by a program",
        "the columns of a query are not read",
    ]


EXAMPLES = {
    # tables, columns, columns of primary keys, foreign keys: counted by hand
    "university.sql": (6, 24, 9, 7),
    "web-shop.postgresql.sql": (6, 28, 7, 8),
    "hospital.tsql.sql": (5, 27, 6, 6),
    "library.mysql.sql": (6, 26, 8, 6),
}


@pytest.mark.parametrize("name", EXAMPLES)
def test_an_example_schema_is_read_without_a_gap(name: str) -> None:
    path = resource_path("schemas") / name
    schema = read_ddl([(name, path)])
    assert schema.unread == ()
    assert (
        len(schema.tables),
        sum(len(table.columns) for table in schema.tables),
        sum(len(table.primary_key) for table in schema.tables),
        sum(len(table.foreign_keys) for table in schema.tables),
    ) == EXAMPLES[name]
    parts = name.split(".")
    assert schema.dialect == (parts[1] if len(parts) == 3 else "portable")


# --- one quirk at a time -------------------------------------------------------

PARENT = "CREATE TABLE p (a int, b int, PRIMARY KEY (a, b));"

# A script and the table ``t`` that it leaves behind.
QUIRKS = {
    "a key inline": (
        "portable",
        "CREATE TABLE t (a int PRIMARY KEY)",
        ["a: int !", "key a"],
    ),
    "a key by ALTER": (
        "portable",
        "CREATE TABLE t (a int); ALTER TABLE t ADD PRIMARY KEY (a)",
        ["a: int !", "key a"],
    ),
    "a key that a later file adds to an earlier table": (
        "portable",
        "ALTER TABLE t ADD CONSTRAINT k PRIMARY KEY (a); CREATE TABLE t (a int)",
        ["a: int !", "key a"],
    ),
    "case does not matter in a reference": (
        "portable",
        f"{PARENT} CREATE TABLE t (X int, y int,"
        " FOREIGN KEY (x, Y) REFERENCES P (A, B))",
        ["X: int", "y: int", "X, y -> p (a, b)"],
    ),
    "a reference without columns": (
        "portable",
        f"{PARENT} CREATE TABLE t (x int, y int, FOREIGN KEY (x, y) REFERENCES p)",
        ["x: int", "y: int", "x, y -> p (a, b)"],
    ),
    "a reference to itself before its key": (
        "portable",
        "CREATE TABLE t (a int REFERENCES t, b int, PRIMARY KEY (b))",
        ["a: int", "b: int !", "key b", "a -> t (b)"],
    ),
    "two roles of one parent": (
        "portable",
        "CREATE TABLE p (a int PRIMARY KEY);"
        "CREATE TABLE t (x int REFERENCES p, y int REFERENCES p (a))",
        ["x: int", "y: int", "x -> p (a)", "y -> p (a)"],
    ),
    "everything behind a reference": (
        "postgresql",
        "CREATE TABLE p (a int PRIMARY KEY); CREATE TABLE t (x int REFERENCES p (a)"
        " MATCH FULL ON DELETE SET NULL ON UPDATE NO ACTION NOT DEFERRABLE"
        " INITIALLY IMMEDIATE NOT NULL, y int)",
        ["x: int !", "y: int", "x -> p (a)"],
    ),
    "keywords as names": (
        "portable",
        "CREATE TABLE t (key varchar(5), index int, comment text, date date, type int,"
        ' value int, "primary" int, user text, first int, start int)',
        [
            *("key: varchar(5)", "index: int", "comment: text", "date: date"),
            *("type: int", "value: int", "primary: int", "user: text"),
            *("first: int", "start: int"),
        ],
    ),
    "an index among the columns": (
        "mysql",
        "CREATE TABLE t (a int, KEY (a), KEY k (a, b), INDEX i USING BTREE (a(3)),"
        " UNIQUE u (a), FULLTEXT (a), CONSTRAINT UNIQUE (a), b binary(16))",
        ["a: int", "b: binary(16)"],
    ),
    "a default that looks like a constraint": (
        "postgresql",
        "CREATE TABLE t (a text DEFAULT 'NOT NULL, PRIMARY KEY (a)'::character varying,"
        " b int DEFAULT -1 NOT NULL, c int DEFAULT NULL, d text DEFAULT ('x' || ')'),"
        " e timestamp DEFAULT timezone('utc'::text, now()) NOT NULL,"
        " f text[] DEFAULT ARRAY['a', 'b']::text[])",
        ["a: text", "b: int !", "c: int", "d: text", "e: timestamp !", "f: text[]"],
    ),
    "comments that look like constraints": (
        "portable",
        "CREATE TABLE t (a int, -- b int,\n /* PRIMARY KEY (a), */ c int -- ,\n)",
        ["a: int", "c: int"],
    ),
    "types of several words": (
        "portable",
        "CREATE TABLE t (a double  precision NOT NULL, b timestamp (3) with time zone,"
        " c national character varying(5), d interval year to month, e long raw,"
        " f bit varying(3), g numeric( 10,  2 ))",
        [
            "a: double precision !",
            "b: timestamp (3) with time zone",
            "c: national character varying(5)",
            "d: interval year to month",
            "e: long raw",
            "f: bit varying(3)",
            "g: numeric( 10, 2 )",
        ],
    ),
    "columns that count": (
        "postgresql",
        "CREATE TABLE t (a serial, b bigserial, c int GENERATED ALWAYS AS IDENTITY,"
        " d int GENERATED ALWAYS AS (a * 2) STORED)",
        ["a: serial !", "b: bigserial !", "c: int !", "d: int"],
    ),
    "a column is added, renamed, dropped": (
        "portable",
        "CREATE TABLE t (a int, b int, c int); ALTER TABLE t ADD COLUMN d int NOT NULL,"
        " DROP COLUMN a; ALTER TABLE t RENAME COLUMN b TO e; ALTER TABLE t ADD f text",
        ["e: int", "c: int", "d: int !", "f: text"],
    ),
    "a column is added twice": (
        "postgresql",
        "CREATE TABLE t (a int); ALTER TABLE t ADD COLUMN IF NOT EXISTS a int",
        ["a: int"],
    ),
    "a column is changed": (
        "postgresql",
        "CREATE TABLE t (a int, b int NOT NULL); ALTER TABLE t ALTER COLUMN a TYPE"
        " bigint USING a::bigint, ALTER a SET NOT NULL, ALTER b DROP NOT NULL",
        ["a: bigint !", "b: int"],
    ),
    "a column is changed in SQL Server": (
        "tsql",
        "CREATE TABLE t (a int)\nGO\n"
        "ALTER TABLE t ALTER COLUMN a varchar(9) NOT NULL\nGO",
        ["a: varchar(9) !"],
    ),
    "a table is renamed and keys follow": (
        "portable",
        "CREATE TABLE p (a int PRIMARY KEY); CREATE TABLE t (x int REFERENCES p (a));"
        "ALTER TABLE p RENAME TO q; ALTER TABLE q RENAME COLUMN a TO b",
        ["x: int", "x -> q (b)"],
    ),
    "a table and a column are renamed in SQL Server": (
        "tsql",
        "CREATE TABLE dbo.old (a int)\nGO\nEXEC sp_rename 'dbo.old.a', 'b', 'COLUMN'\n"
        "GO\nEXEC sp_rename 'dbo.old', 't'\nGO",
        ["b: int"],
    ),
    "a constraint is dropped": (
        "portable",
        "CREATE TABLE p (a int PRIMARY KEY); CREATE TABLE t (a int, b int,"
        " CONSTRAINT k PRIMARY KEY (a), CONSTRAINT f FOREIGN KEY (b) REFERENCES p);"
        "ALTER TABLE t DROP CONSTRAINT k; ALTER TABLE t DROP CONSTRAINT f",
        ["a: int", "b: int"],
    ),
    "a table is dropped and made again": (
        "portable",
        "DROP TABLE IF EXISTS t; CREATE TABLE t (a int); DROP TABLE t, u CASCADE;"
        "CREATE TABLE t (b int)",
        ["b: int"],
    ),
    "IF NOT EXISTS": (
        "portable",
        "CREATE TABLE t (a int); CREATE TABLE IF NOT EXISTS t (b int)",
        ["a: int"],
    ),
    "LIKE with its key": (
        "postgresql",
        f"{PARENT} CREATE TABLE t (x int, LIKE p INCLUDING ALL, y int)",
        ["x: int", "a: int !", "b: int !", "y: int", "key a, b"],
    ),
    "LIKE without its key": (
        "postgresql",
        "CREATE TABLE p (a int NOT NULL, PRIMARY KEY (a)); CREATE TABLE t (LIKE p)",
        ["a: int !"],
    ),
    "inheritance from two": (
        "postgresql",
        "CREATE TABLE p (a int, b int); CREATE TABLE q (b int, c int);"
        "CREATE TABLE t (d int, b int NOT NULL) INHERITS (p, q)",
        ["a: int", "b: int !", "c: int", "d: int"],
    ),
    "a key on a partition alone": (
        "postgresql",
        "CREATE TABLE p (a int PRIMARY KEY); CREATE TABLE t (x int) PARTITION BY LIST"
        " (x); CREATE TABLE t1 PARTITION OF t DEFAULT;"
        "ALTER TABLE t1 ADD FOREIGN KEY (x) REFERENCES p",
        ["x: int", "x -> p (a)"],
    ),
    "a schema with its tables": (
        "portable",
        "CREATE SCHEMA s AUTHORIZATION me CREATE TABLE t (a int PRIMARY KEY, b int"
        " REFERENCES t) CREATE VIEW v AS SELECT a FROM t GRANT SELECT ON v TO you",
        ["a: int !", "b: int", "key a", "b -> t (a)"],
    ),
    "a table without GO or semicolons": (
        "tsql",
        "CREATE TABLE q (a int PRIMARY KEY)\nCREATE TABLE t (a int NOT NULL\n"
        "CONSTRAINT k PRIMARY KEY (a), b int FOREIGN KEY REFERENCES q (a))",
        ["a: int !", "b: int", "key a", "b -> q (a)"],
    ),
    "several clauses without commas": (
        "oracle",
        "CREATE TABLE t (a NUMBER, b NUMBER);\nALTER TABLE t ADD (c DATE) MODIFY (a"
        " NOT NULL) ADD CONSTRAINT k PRIMARY KEY (b) USING INDEX (CREATE INDEX i ON t"
        " (b)) ENABLE;",
        ["a: NUMBER !", "b: NUMBER !", "c: DATE", "key b"],
    ),
    "types in quotes": (
        "tsql",
        'CREATE TABLE t ("a" "int" IDENTITY (1, 1) NOT NULL, [b] [dbo].[Flag] NULL)',
        ["a: int !", "b: dbo.Flag"],
    ),
    "constraints after one ADD": (
        "tsql",
        "CREATE TABLE q (a int PRIMARY KEY)\nCREATE TABLE t (a int, b int, c int)\nGO\n"
        "ALTER TABLE t ADD CONSTRAINT d DEFAULT (0) FOR b,\n"
        "CONSTRAINT e FOREIGN KEY (a) REFERENCES q (a), CONSTRAINT f FOREIGN KEY (b)"
        " REFERENCES q (a);\nALTER TABLE t ADD DEFAULT (1) FOR c\nGO",
        ["a: int", "b: int", "c: int", "a -> q (a)", "b -> q (a)"],
    ),
    "rows with a history": (
        "tsql",
        "CREATE TABLE t (a int NOT NULL PRIMARY KEY CLUSTERED, b datetime2 GENERATED"
        " ALWAYS AS ROW START HIDDEN NOT NULL, c datetime2 GENERATED ALWAYS AS ROW END"
        " NOT NULL, INDEX i NONCLUSTERED (a), PERIOD FOR SYSTEM_TIME (b, c))"
        " WITH (SYSTEM_VERSIONING = ON)",
        ["a: int !", "b: datetime2 !", "c: datetime2 !", "key a"],
    ),
    "comments of one version": (
        "mysql",
        "CREATE TABLE t (a int KEY, /*!50705 b GEOMETRY */ /*!80003 SRID 0 */ /*!50705"
        " NOT NULL,*/ c int UNIQUE KEY, /*!50705 SPATIAL KEY k (b),*/ d int,"
        " -----------\n e int)",
        ["a: int !", "b: GEOMETRY !", "c: int", "d: int", "e: int", "key a"],
    ),
    "how a program writes Oracle's tables out": (
        "oracle",
        'CREATE TABLE "HR"."T" ("A" NUMBER(*,0) NOT NULL ENABLE, "B" CLOB, "C" DATE'
        ' DEFAULT SYSDATE, CONSTRAINT "K" PRIMARY KEY ("A") USING INDEX PCTFREE 10'
        ' STORAGE(INITIAL 65536) TABLESPACE "X" ENABLE) SEGMENT CREATION IMMEDIATE'
        ' LOB ("B") STORE AS (TABLESPACE "X");\nALTER TABLE "HR"."T" MODIFY ("C"'
        ' CONSTRAINT "N" NOT NULL ENABLE);\nALTER TABLE HR.T RENAME TO "t";',
        ["A: NUMBER(*,0) !", "B: CLOB", "C: DATE !", "key A"],
    ),
    "counting without parentheses": (
        "portable",
        "CREATE OR REPLACE TABLE t (a int); CREATE OR REPLACE TABLE t (a int IDENTITY"
        " START 1 INCREMENT 1, b int OPTIONS (description = 'x', y = 1) NOT NULL)",
        ["a: int !", "b: int !"],
    ),
    "a broken column does not cost the others": (
        "portable",
        "CREATE TABLE t (a int, 123 int, b frob !! int, , c int, PRIMARY KEY (a))",
        ["a: int !", "b: frob", "c: int", "key a"],
    ),
}


@pytest.mark.parametrize(("dialect", "text", "expected"), QUIRKS.values(), ids=QUIRKS)
def test_a_quirk_is_read_as_it_is_meant(
    dialect: str, text: str, expected: list[str]
) -> None:
    assert tables(read(text, dialect))["t"] == expected


# --- names ---------------------------------------------------------------------

FILLED_IN = {
    "@prefix@users": "CREATE TABLE @prefix@users (a int)",
    "@prefix_users": "CREATE TABLE @prefix_users (a int)",
    "{{prefix}}users": "CREATE TABLE {{prefix}}users (a int)",
    "${p}users": "CREATE TABLE ${p}users (a int)",
    "#__users": "CREATE TABLE `#__users` (a int)",
    "%p%users": "CREATE TABLE %p%users (a int)",
    "users": "CREATE TABLE ${schema}.users (a int)",
    "actor": "CREATE TABLE /*_*/actor (a int) /*$options*/;",
    "a]b": "CREATE TABLE [a]]b] (a int)",
    'a"b': 'CREATE TABLE "a""b" (a int)',
    "order": 'CREATE TABLE "order" (a int)',
    "größe 漢字": 'CREATE TABLE "größe 漢字" (a int)',
    "straße": "CREATE TABLE straße (a int)",
    "emp$1": "CREATE TABLE emp$1 (a int)",
}


@pytest.mark.parametrize(("name", "text"), FILLED_IN.items(), ids=FILLED_IN)
def test_a_name_keeps_its_spelling(name: str, text: str) -> None:
    dialect = "tsql" if "]]" in text else "portable"
    assert [table.name for table in read(text, dialect).tables] == [name]
    assert read(text, dialect).unread == ()


def test_a_table_outside_the_default_schema_carries_its_schema() -> None:
    text = "".join(f"CREATE TABLE {name} (x int);" for name in ("public.a", "s.b", "c"))
    assert list(tables(read(text, "postgresql"))) == ["a", "s.b", "c"]


def test_a_single_schema_is_not_part_of_a_name() -> None:
    text = (
        "CREATE TABLE s.a (x int PRIMARY KEY); CREATE TABLE s.b (y int REFERENCES s.a)"
    )
    assert tables(read(text, "postgresql"))["b"] == ["y: int", "y -> a (x)"]


def test_a_name_in_two_schemas_is_qualified_in_both() -> None:
    text = (
        "CREATE TABLE a (x int PRIMARY KEY); CREATE TABLE s.a (x int PRIMARY KEY);"
        "CREATE TABLE s.b (y int REFERENCES s.a, z int REFERENCES public.a)"
    )
    assert tables(read(text, "postgresql")) == {
        "public.a": ["x: int !", "key x"],
        "s.a": ["x: int !", "key x"],
        "s.b": ["y: int", "z: int", "y -> s.a (x)", "z -> public.a (x)"],
    }


def test_the_search_path_and_the_database_in_use_qualify_names() -> None:
    path = (
        "CREATE TABLE a (x int); SET search_path = s, pg_catalog;CREATE TABLE b (x int)"
    )
    used = "USE one; CREATE TABLE a (x int); USE two; CREATE TABLE a (x int);"
    assert list(tables(read(path, "postgresql"))) == ["a", "s.b"]
    assert list(tables(read(used, "mysql"))) == ["one.a", "two.a"]


def test_names_that_differ_by_case_alone_stay_apart() -> None:
    text = (
        'CREATE TABLE "A" (x int PRIMARY KEY); CREATE TABLE "a" (y int PRIMARY KEY);'
        'CREATE TABLE t (z int REFERENCES "a", w int REFERENCES "A")'
    )
    assert tables(read(text, "postgresql"))["t"] == [
        *("z: int", "w: int", "z -> a (y)", "w -> A (x)")
    ]


# --- several files, and what is no table ---------------------------------------


def test_several_files_are_one_schema_in_their_order() -> None:
    schema = read_ddl(
        [
            ("1.sql", "CREATE TABLE a (x int PRIMARY KEY)"),
            ("2.sql", "CREATE TABLE b (y int REFERENCES a);\nFROB;"),
            ("3.sql", "ALTER TABLE b RENAME TO c"),
        ]
    )
    assert tables(schema) == {
        "a": ["x: int !", "key x"],
        "c": ["y: int", "y -> a (x)"],
    }
    assert [(one.file, one.line) for one in schema.unread] == [("2.sql", 2)]


@pytest.mark.parametrize("mark", ["-- +goose Down", "-- migrate:down", "-- //@UNDO"])
def test_the_way_back_of_a_migration_is_not_followed(mark: str) -> None:
    schema = read(f"CREATE TABLE t (a int);\n\n{mark}\nDROP TABLE t;\n")
    assert list(tables(schema)) == ["t"]


HARMLESS = """
CREATE VIEW v AS SELECT 1;
CREATE OR REPLACE MATERIALIZED VIEW w AS SELECT 1;
CREATE UNIQUE INDEX i ON t (lower(a));
CREATE SEQUENCE s;
CREATE EXTENSION IF NOT EXISTS x WITH SCHEMA public;
CREATE TYPE mood AS ENUM ('a', 'b');
CREATE DOMAIN d AS text CHECK (VALUE <> 'CREATE TABLE x (y int)');
CREATE FUNCTION f() RETURNS int AS $$ CREATE TABLE inside (a int); $$ LANGUAGE sql;
CREATE POLICY p ON t USING (true);
GRANT ALL ON TABLE t TO you;
SET x = y;
BEGIN;
INSERT INTO t VALUES ('CREATE TABLE y (z int);');
UPDATE t SET a = 1;
COMMIT;
DROP VIEW v;
ALTER VIEW v RENAME TO w;
ALTER TABLE t OWNER TO you;
ALTER TABLE only_a_view OWNER TO you;
ALTER INDEX i RENAME TO j;
SELECT setval('s', 1);
CREATE TEMPORARY TABLE scratch (a int);
ALTER TABLE scratch ADD b int;
"""


def test_what_makes_no_table_is_skipped_in_silence() -> None:
    schema = read(f"CREATE TABLE t (a text);{HARMLESS}", "postgresql")
    assert tables(schema) == {"t": ["a: text"]}
    assert schema.unread == ()


UNREAD = {
    "FROB x": "no statement that is known begins like this",
    "CREATE TABLE t AS SELECT 1": "the columns of a query are not read; it would have"
    " to be executed",
    "CREATE TABLE": "a table's name is missing",
    "CREATE TABLE t": "the table has no list of columns",
    "CREATE TABLE t OF person_type": "the columns come from a type; they are not read",
    "CREATE TABLE t (a int, @more@)": "a program fills this in",
    "CREATE TABLE t (a int, 5 int)": "no column begins like this",
    "CREATE TABLE t (a int b)": '"b" is not understood here and is left out',
    "CREATE TABLE t (a int, a int)": 'the column "a" is there already',
    "CREATE TABLE t (a int": "the list of columns is not closed",
    "CREATE TABLE t (a int, FOREIGN KEY (a))": "the key refers to no table",
    "CREATE TABLE t (a int);\nCREATE TABLE t (b int)": '"t" was created before; that'
    " counts",
    "CREATE TABLE t (a int, PRIMARY KEY (b))": "its primary key names no columns (b)",
    "CREATE TABLE t (a int REFERENCES p)": (
        'the key (a) to "p" is left out: there is no such table'
    ),
    "CREATE TABLE t (a int REFERENCES t (z))": (
        'the key (a) to "t" is left out: a column of it is not there'
    ),
    "CREATE TABLE t1 PARTITION OF t DEFAULT": 'there is no table "t"',
    "CREATE TABLE t (LIKE p)": 'there is no table "p"',
    "CREATE TABLE t (a int) INHERITS (p)": 'there is no table "p"',
    "CREATE TABLE t ()": "the table is left out: it has no columns",
    "\\i other.sql": "the file that is named here is not read; give it, too",
    "CREATE TABLE t (a int REFERENCES t)": 'the key (a) to "t" is left out: its columns'
    " do not pair with those of the primary key",
    "ALTER TABLE t ADD a int": 'there is no table "t"',
    "CREATE TABLE t (a int);\nALTER TABLE t MODIFY b int": 'there is no column "b" in'
    " the table",
    "DO $$ BEGIN CREATE TABLE t (a int); END $$": "tables that a program makes are not"
    " read",
    "CREATE TABLE t (a text DEFAULT 'x)": "the ' opened in this statement never closes",
}


@pytest.mark.parametrize(("text", "why"), UNREAD.items(), ids=UNREAD)
def test_what_cannot_be_read_is_listed_with_its_line(text: str, why: str) -> None:
    schema = read(f"-- one\n\n{text}", "postgresql")
    line = 2 + len(text.split("\n"))
    assert (line, why) in unread(schema)
    assert all(one.file == "a.sql" and one.text for one in schema.unread)


def test_a_problem_inside_a_table_has_its_own_line() -> None:
    schema = read("CREATE TABLE t (\n  a int,\n  5 int,\n  b int\n);")
    assert tables(schema) == {"t": ["a: int", "b: int"]}
    assert unread(schema) == [(3, "no column begins like this")]


@given(st.text(alphabet="()',;\"`[] \nabAB0.-*/", max_size=60))
@settings(max_examples=200, deadline=None)
def test_no_definition_breaks_the_reader(text: str) -> None:
    for dialect in DIALECTS:
        read(f"CREATE TABLE t (a int, {text}); ALTER TABLE t {text}", dialect)


# --- SQLite reads for itself ---------------------------------------------------

FORBIDDEN = (
    "CREATE TABLE t AS SELECT 1",
    "CREATE TEMP TABLE t (a)",
    "CREATE VIRTUAL TABLE t USING fts5(a)",
    "CREATE VIEW t AS SELECT 1",
    "CREATE TRIGGER t AFTER INSERT ON u BEGIN SELECT 1; END",
    "ATTACH DATABASE 'stolen.db' AS x",
    "VACUUM INTO 'stolen.db'",
    "PRAGMA writable_schema = ON",
    "INSERT INTO sqlite_master VALUES (1, 2, 3, 4, 5)",
    "SELECT load_extension('x')",
    "CREATE TABLE t (a); CREATE TABLE u (b)",
    "CREATE TABLE sqlite_t (a)",
    "DROP TABLE sqlite_master",
)


@pytest.mark.parametrize("statement", FORBIDDEN)
def test_sqlite_does_nothing_but_create_a_table(
    statement: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    assert sqlite_definition(statement) is None
    assert list(tmp_path.iterdir()) == []


def test_a_script_leaves_no_file_behind(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    text = "; ".join([*FORBIDDEN, "CREATE TABLE fine (a int)"])
    assert "fine" in tables(read(text, "sqlite"))
    assert list(tmp_path.iterdir()) == []


def test_our_reading_of_a_sqlite_script_is_sqlites_own() -> None:
    text = (SCRIPTS / "music.sqlite.sql").read_text()
    ours = {table.name: table for table in read(text, "portable").tables}
    theirs = {table.name: table for table in read(text, "sqlite").tables}
    assert ours == theirs


# --- laws ----------------------------------------------------------------------

COLUMN_TYPES = ("int", "varchar(20)", "decimal(10,2)", "date", "timestamp", "text")
NAMES = st.text(
    alphabet=string.ascii_letters + "_ é'-.", min_size=1, max_size=8
).filter(lambda name: name.strip() == name)
QUOTES = {
    "postgresql": '""',
    "mysql": "``",
    "sqlite": '""',
    "tsql": "[]",
    "oracle": '""',
    "portable": '""',
}


@st.composite
def schemas(draw: st.DrawFn) -> tuple[DeclaredTable, ...]:
    """Draw tables whose names differ by more than case; keys go to earlier tables."""
    folded = st.lists(NAMES, min_size=1, max_size=4, unique_by=str.casefold)
    drawn: list[DeclaredTable] = []
    for name in draw(folded):
        names = draw(st.lists(NAMES, min_size=1, max_size=5, unique_by=str.casefold))
        key = tuple(names[: draw(st.integers(0, len(names)))])
        columns = tuple(
            DeclaredColumn(
                one,
                draw(st.sampled_from(COLUMN_TYPES)),
                one not in key and draw(st.booleans()),
            )
            for one in names
        )
        fitting = [one for one in drawn if 0 < len(one.primary_key) <= len(names)]
        chosen = draw(st.lists(st.sampled_from(fitting), max_size=2)) if fitting else []
        keys = [
            DeclaredKey(tuple(names[: len(one.primary_key)]), one.name, one.primary_key)
            for one in chosen
        ]
        drawn.append(DeclaredTable(name, columns, key, tuple(dict.fromkeys(keys))))
    return tuple(drawn)


def rendered(found: Sequence[DeclaredTable], dialect: str) -> str:
    """Return the tables as a script; keys into other tables by ALTER TABLE."""
    left, right = QUOTES[dialect]

    def quote(name: str) -> str:
        return left + name.replace(right, right * 2) + right

    def listed(names: Sequence[str]) -> str:
        return "(" + ", ".join(map(quote, names)) + ")"

    statements = []
    for table in found:
        items = [
            f"{quote(one.name)} {one.sql_type}{'' if one.nullable else ' NOT NULL'}"
            for one in table.columns
        ]
        if table.primary_key:
            items.append(f"PRIMARY KEY {listed(table.primary_key)}")
        statements.append(f"CREATE TABLE {quote(table.name)} (\n{', '.join(items)}\n)")
    statements += [
        f"ALTER TABLE {quote(table.name)} ADD FOREIGN KEY {listed(key.columns)}"
        f" REFERENCES {quote(key.ref_table)} {listed(key.ref_columns)}"
        for table in found
        for key in table.foreign_keys
    ]
    return "".join(
        f"{one}{chr(10) + 'GO' if dialect == 'tsql' else ';'}\n" for one in statements
    )


@given(schemas(), st.sampled_from(sorted(DIALECTS)))
@settings(max_examples=80, deadline=None)
def test_a_schema_written_in_any_dialect_is_read_back(
    found: tuple[DeclaredTable, ...], dialect: str
) -> None:
    schema = read(rendered(found, dialect), dialect)
    assert schema.tables == found
    assert schema.unread == ()


@given(schemas())
@settings(max_examples=40, deadline=None)
def test_sqlite_itself_sees_the_same_columns(found: tuple[DeclaredTable, ...]) -> None:
    text = rendered(found, "sqlite").split("ALTER TABLE")[0]
    with closing(sqlite3.connect(":memory:")) as connection:
        connection.executescript(text)
        for table in read(text, "portable").tables:
            rows = connection.execute(
                'SELECT name, type, "notnull" FROM pragma_table_xinfo(?)', [table.name]
            )
            seen = [(name, kind.lower(), must) for name, kind, must in rows]
            assert seen == [
                (one.name, one.sql_type, int(not one.nullable)) for one in table.columns
            ]


@given(schemas())
@settings(max_examples=30, deadline=None)
def test_another_parser_sees_the_same_columns(found: tuple[DeclaredTable, ...]) -> None:
    """An oracle that shares no code with ours: sqlglot."""
    for table in read(rendered(found, "postgresql"), "postgresql").tables:
        parsed = sqlglot.parse_one(rendered([table], "postgresql").split(";")[0])
        names = [column.name for column in parsed.find_all(exp.ColumnDef)]
        assert names == [column.name for column in table.columns]


# --- dialects, size ------------------------------------------------------------


@pytest.mark.parametrize("path", sorted(SCRIPTS.glob("*.*.sql")), ids=lambda p: p.name)
def test_the_dialect_of_a_script_is_found(path: Path) -> None:
    assert detect_dialect(path.read_text()) == path.name.split(".")[1]


@pytest.mark.parametrize(
    ("text", "dialect"),
    [
        ("CREATE TABLE a (b int)", "portable"),
        ("", "portable"),
        ("-- AUTO_INCREMENT in MySQL\nCREATE TABLE a (b int)", "portable"),
        ("CREATE TABLE a (b VARCHAR2(5))", "oracle"),
        ("CREATE TABLE a (b int AUTO_INCREMENT)", "mysql"),
        ("CREATE TABLE a (b INTEGER PRIMARY KEY AUTOINCREMENT)", "sqlite"),
        ("CREATE TABLE a (b bigserial)", "postgresql"),
        ("CREATE TABLE a (b int)\nGO\n", "tsql"),
        ("INSERT INTO a VALUES ('ENGINE= AUTO_INCREMENT `x`')", "portable"),
    ],
)
def test_one_word_of_its_own_tells_a_dialect(text: str, dialect: str) -> None:
    assert detect_dialect(text) == dialect


def test_a_dialect_that_is_not_known_is_named() -> None:
    with pytest.raises(SchemaError, match='no dialect "postgres"; did you mean "post'):
        read("", "postgres")


@pytest.mark.parametrize("dialect", sorted(DIALECTS))
def test_five_hundred_tables_are_read_in_seconds(dialect: str) -> None:
    columns = ", ".join(f"c{n} varchar(20) DEFAULT 'x' NOT NULL" for n in range(20))
    text = "".join(
        f"CREATE TABLE t{n} (id int PRIMARY KEY, {columns});\n"
        f"ALTER TABLE t{n} ADD FOREIGN KEY (id) REFERENCES t{(n + 1) % 500} (id);\n"
        for n in range(500)
    )
    start = time.perf_counter()
    schema = read(text, dialect)
    assert time.perf_counter() - start < 5
    assert len(schema.tables) == 500
    assert sum(len(table.foreign_keys) for table in schema.tables) == 500


def test_an_odd_table_of_many_columns_is_read_in_seconds() -> None:
    columns = ", ".join(f'"{n};\n""x" int' for n in range(20_000))
    start = time.perf_counter()
    schema = read(f"CREATE TABLE t ({columns});")
    assert time.perf_counter() - start < 5
    assert len(schema.tables[0].columns) == 20_000
    assert schema.tables[0].columns[7].name == '7;\n"x'
