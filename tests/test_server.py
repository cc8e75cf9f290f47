"""Servers are read whole, exactly, in one state, and never written."""

import os
import signal
from pathlib import Path

import pytest
import sqlalchemy as sa

from tests.servers import PASSWORD, postgresql
from workbench.database import Database, Limits, connect, without_password
from workbench.errors import DatabaseError
from workbench.reader import Request
from workbench.readers.server import open_server
from workbench.schema import infer_schema
from workbench.snapshot import take_snapshot

BIG = 2**53 + 1  # the first whole number that a float cannot hold


def text_of(url: sa.URL) -> str:
    return url.render_as_string(hide_password=False)


def fill(url: sa.URL, script: str) -> None:
    """Run statements, each ended by a semicolon at the end of a line."""
    engine = sa.create_engine(url)
    with engine.begin() as connection:
        for statement in script.split(";\n"):
            if statement.strip():
                connection.exec_driver_sql(statement.replace("%", "%%"))
    engine.dispose()


def values(database: Database, table: str, column: str) -> list[object]:
    return database.arrow(table, [column]).column(0).to_pylist()


@pytest.fixture(scope="module")
def shop(postgres: sa.URL) -> sa.URL:
    fill(
        postgres,
        f"""
        CREATE TABLE city (
            id bigint PRIMARY KEY, name text NOT NULL, size numeric(9,2));
        CREATE TABLE "Person" (
            id bigint PRIMARY KEY, city_id bigint REFERENCES city,
            boss bigint REFERENCES "Person", born date, seen timestamptz,
            "Über 100%" double precision, ok boolean, tags text[], photo bytea,
            token uuid, note json, pause interval, price money, huge numeric(30,0));
        CREATE VIEW old AS SELECT * FROM "Person";
        CREATE TABLE visit (person bigint, day int, PRIMARY KEY (person, day))
            PARTITION BY RANGE (day);
        CREATE TABLE visit_1 PARTITION OF visit FOR VALUES FROM (0) TO (10);
        CREATE TABLE visit_2 PARTITION OF visit FOR VALUES FROM (10) TO (20);
        CREATE TABLE empty (id int PRIMARY KEY);
        CREATE SCHEMA audit;
        CREATE TABLE audit.entry (id int PRIMARY KEY, person bigint
            REFERENCES public."Person");
        INSERT INTO city VALUES ({BIG}, 'Ghent', 1.5), ({BIG - 1}, 'Liège', NULL);
        INSERT INTO "Person" VALUES
            (1, {BIG}, NULL, '1970-02-03', '2020-01-01 00:00:00+02', 'NaN', true,
             '{{a,b}}', '\\x00', '00000000-0000-0000-0000-000000000001', '{{"a": 1}}',
             '90 seconds', '$1,234.50', 123456789012345678901234567890),
            (2, {BIG - 1}, 1, 'infinity', NULL, 'Infinity', false,
             NULL, NULL, NULL, NULL, NULL, NULL, NULL);
        INSERT INTO "Person" (id, boss, "Über 100%") VALUES (3, 1, 0.25);
        INSERT INTO visit VALUES (2, 11), (1, 3);
        INSERT INTO audit.entry VALUES (7, 3);
        """,
    )
    return postgres


def test_postgresql_is_read_with_exact_keys_and_every_type(
    shop: sa.URL, tmp_path: Path
) -> None:
    with connect(text_of(shop), cache=tmp_path) as database:
        schema = infer_schema(database)
        assert [(one.name, one.num_rows) for one in database.tables] == [
            ("Person", 3),
            ("city", 2),
            ("empty", 0),
            ("visit", 2),
        ]
        links = database.links("Person", ["city_id"], "city", ["id"])
        # Rows are in the order of the primary key: the city BIG - 1 is row 0.
        assert links.tolist() == [1, 0, -1]
        assert values(database, "Person", "born") == ["1970-02-03", "infinity", None]
        assert values(database, "Person", "seen")[0] == "2019-12-31 22:00:00+00"
        assert values(database, "Person", "Über 100%") == [None, None, 0.25]
        assert values(database, "Person", "ok") == [1, 0, None]
        assert values(database, "Person", "tags") == ["a|b", None, None]
        assert values(database, "Person", "pause") == [90.0, None, None]
        assert values(database, "Person", "price") == [1234.5, None, None]
        assert values(database, "Person", "huge")[0] == "123456789012345678901234567890"
        assert values(database, "visit", "person") == [1, 2]
    keys = {key.id for key in schema.foreign_keys if key.declared}
    assert keys == {"Person.city_id->city", "Person.boss->Person"}
    assert any("photo" in warning for warning in schema.warnings)
    assert schema.table("visit").primary_key == ("person", "day")


def test_the_tables_of_several_schemas_are_told_apart(
    shop: sa.URL, tmp_path: Path
) -> None:
    with connect(
        text_of(shop), cache=tmp_path, schemas=["public", "audit"]
    ) as database:
        names = [one.name for one in database.tables]
        (key,) = database.table("audit.entry").foreign_keys
    assert names == ["Person", "city", "empty", "visit", "audit.entry"]
    assert (key.ref_table, key.ref_columns) == ("Person", ("id",))


def test_a_schema_that_is_not_there_is_named(shop: sa.URL, tmp_path: Path) -> None:
    with pytest.raises(DatabaseError, match='no schema "audits"; did you mean "audit"'):
        connect(text_of(shop), cache=tmp_path, schemas=["audits"])


def test_the_same_rows_give_the_same_fingerprint_and_a_change_another(
    shop: sa.URL, tmp_path: Path
) -> None:
    def fingerprint(folder: str) -> str:
        with connect(text_of(shop), cache=tmp_path / folder) as database:
            return database.fingerprint

    before = fingerprint("a")
    assert fingerprint("b") == before
    fill(shop, "INSERT INTO empty VALUES (5);\n")
    after = fingerprint("a")
    fill(shop, "DELETE FROM empty;\n")
    assert after != before == fingerprint("a")


def test_nothing_is_written_and_rows_of_one_moment_are_read(
    shop: sa.URL, tmp_path: Path
) -> None:
    """Rows that arrive between two tables are not seen."""

    def write(reading: object) -> None:
        if not seen:
            fill(shop, "INSERT INTO visit VALUES (3, 12);\n")
        seen.append(reading)

    seen: list[object] = []
    with connect(text_of(shop), cache=tmp_path, on_reading=write) as database:
        assert database.table("visit").num_rows == 2
        assert values(database, "visit", "person") == [1, 2]
    fill(shop, "DELETE FROM visit WHERE day = 12;\n")
    assert len(seen) == 3  # one batch for each table that has rows


@pytest.mark.parametrize("part", ["password", "user", "database", "port"])
def test_a_server_that_refuses_is_named_without_the_password(
    shop: sa.URL, tmp_path: Path, part: str
) -> None:
    wrong = {
        "password": shop.set(password="hunter2!"),
        "user": shop.set(username="nobody_here"),
        "database": shop.set(database="nowhere"),
        "port": shop.set(port=1),
    }[part]
    with pytest.raises(DatabaseError, match="cannot be reached") as caught:
        connect(text_of(wrong), cache=tmp_path)
    assert PASSWORD not in str(caught.value)
    assert "hunter2!" not in str(caught.value)
    assert caught.value.__cause__ is None


def test_the_password_may_come_from_the_environment_and_is_kept_nowhere(
    shop: sa.URL, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("WORKBENCH_PASSWORD", PASSWORD)
    bare = without_password(text_of(shop))
    assert PASSWORD not in bare
    with connect(bare, cache=tmp_path) as database:
        assert database.source == bare
    kept = [path for path in tmp_path.rglob("*") if path.is_file()]
    assert kept
    assert all(PASSWORD.encode() not in path.read_bytes() for path in kept)


def test_a_statement_that_takes_too_long_is_ended(shop: sa.URL, tmp_path: Path) -> None:
    fill(
        shop,
        """
        CREATE FUNCTION wait() RETURNS int LANGUAGE sql AS 'SELECT 1 FROM pg_sleep(9)';
        CREATE TABLE slow (id int PRIMARY KEY);
        INSERT INTO slow VALUES (1);
        ALTER TABLE slow ENABLE ROW LEVEL SECURITY;
        CREATE POLICY p ON slow USING (wait() = id);
        ALTER TABLE slow FORCE ROW LEVEL SECURITY;
        CREATE ROLE reader LOGIN PASSWORD 'r';
        GRANT SELECT ON slow TO reader;
        """,
    )
    try:
        url = shop.set(username="reader", password="r")
        with pytest.raises(DatabaseError, match="statement timeout"):
            connect(text_of(url), cache=tmp_path, limits=Limits(seconds=1))
    finally:
        fill(
            shop,
            "DROP TABLE slow;\nDROP FUNCTION wait;\nDROP ROLE reader;\n",
        )


def test_a_server_that_goes_away_in_the_middle_is_told_in_a_sentence(
    tmp_path: Path,
) -> None:
    with postgresql() as url:
        fill(
            url,
            """
            CREATE TABLE a (id int PRIMARY KEY);
            INSERT INTO a SELECT generate_series(1, 200000);
            CREATE TABLE b (id int PRIMARY KEY);
            INSERT INTO b SELECT generate_series(1, 200000);
            """,
        )
        engine = sa.create_engine(url)
        with engine.connect() as connection:
            folder = connection.exec_driver_sql("SHOW data_directory").scalar_one()
        engine.dispose()
        pid = int(Path(folder, "postmaster.pid").read_text().split()[0])

        def stop(reading: object) -> None:
            os.kill(pid, signal.SIGQUIT)

        with pytest.raises(DatabaseError, match="cannot be read to the end"):
            connect(text_of(url), cache=tmp_path, on_reading=stop)
    left = [path for path in tmp_path.rglob("*") if path.is_file()]
    assert left == []


def test_mariadb_is_read_with_exact_keys_and_every_type(
    maria: sa.URL, tmp_path: Path
) -> None:
    fill(
        maria,
        f"""
        CREATE TABLE `City` (id BIGINT PRIMARY KEY, `na me` VARCHAR(40));
        CREATE TABLE person (
            id INT AUTO_INCREMENT PRIMARY KEY, city BIGINT,
            big BIGINT UNSIGNED, price DECIMAL(9,2), huge DECIMAL(30,0), born DATE,
            seen DATETIME(3), at TIME, y YEAR, bits BIT(3), ok BOOLEAN,
            kind ENUM('a','b'), tags SET('x','y','z'), doc JSON, photo BLOB,
            long_text LONGTEXT, ratio FLOAT, `order` INT, `odd``name` INT,
            FOREIGN KEY (city) REFERENCES `City` (id));
        CREATE VIEW old AS SELECT * FROM person;
        INSERT INTO `City` VALUES ({BIG}, 'Zürich 🚋'), ({BIG - 1}, NULL);
        SET SESSION sql_mode = '';
        INSERT INTO person VALUES
            (1, {BIG}, 18446744073709551615, 1.25, 123456789012345678901234567890,
             '1999-12-31', '2020-01-02 03:04:05.678', '01:00:30', 1999, b'101', TRUE,
             'b', 'x,z', '{{"a": 1}}', 'bin', 'long', 0.5, 7, 8),
            (2, NULL, NULL, NULL, NULL, '0000-00-00', NULL, NULL, NULL, NULL, NULL,
             NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL);
        """,
    )
    with connect(text_of(maria), cache=tmp_path) as database:
        schema = infer_schema(database)
        links = database.links("person", ["city"], "City", ["id"])
        assert links.tolist() == [1, -1]  # row 0 of City is BIG - 1
        expected = {
            "big": "18446744073709551615",
            "price": 1.25,
            "huge": "123456789012345678901234567890",
            "born": "1999-12-31",
            "seen": "2020-01-02 03:04:05.678",
            "at": 3630.0,
            "y": 1999,
            "bits": 5,
            "ok": 1,
            "kind": "b",
            "tags": "x,z",
            "long_text": "long",
            "ratio": 0.5,
            "order": 7,
            "odd`name": 8,
        }
        found = {name: values(database, "person", name)[0] for name in expected}
        assert found == expected
        assert values(database, "person", "born")[1] is None
        assert values(database, "City", "na me") == [None, "Zürich 🚋"]
    assert [one.name for one in schema.tables] == ["City", "person"]
    assert {key.id for key in schema.foreign_keys} == {"person.city->City"}
    assert any("photo" in warning for warning in schema.warnings)


def test_mariadb_cannot_be_written_by_the_session_that_reads(
    maria: sa.URL, tmp_path: Path
) -> None:
    fill(maria, "CREATE TABLE IF NOT EXISTS few (id INT PRIMARY KEY);\n")
    seen: list[str] = []

    def write(reading: object) -> None:
        engine = sa.create_engine(maria)
        with engine.connect() as connection:
            rows = connection.exec_driver_sql(
                "SELECT trx_is_read_only FROM information_schema.innodb_trx"
            ).scalars()
            seen.extend(map(str, rows))
        engine.dispose()

    with connect(text_of(maria), cache=tmp_path, on_reading=write):
        pass
    assert seen
    assert set(seen) == {"1"}


def test_a_database_of_any_dialect_is_read_by_its_sqlalchemy_driver(
    tmp_path: Path,
) -> None:
    """SQLite by way of SQLAlchemy stands for dialects without a way of their own."""
    url = sa.URL.create("sqlite", database=str(tmp_path / "a.db"))
    fill(
        url,
        """
        CREATE TABLE p (id INTEGER PRIMARY KEY, born DATE, x REAL, b BLOB);
        CREATE TABLE c (id INTEGER PRIMARY KEY, p INTEGER REFERENCES p (id));
        INSERT INTO p VALUES (1, '2020-01-02', 0.5, x'00'), (2, NULL, 9e999, NULL);
        INSERT INTO c VALUES (1, 2);
        """,
    )
    with open_server(Request("any", url=url)) as reader:
        database = Database(take_snapshot(reader, "any", tmp_path))
    with database:
        assert values(database, "p", "x") == [0.5, None]
        assert database.links("c", ["p"], "p", ["id"]).tolist() == [1]


def test_a_driver_that_is_missing_and_a_dialect_that_is_unknown_are_named(
    tmp_path: Path,
) -> None:
    with pytest.raises(DatabaseError, match='"pyodbc"'):
        connect("mssql://host/db", cache=tmp_path)
    with pytest.raises(DatabaseError, match='did you mean "postgresql"'):
        connect("postgresq://host/db", cache=tmp_path)
    with pytest.raises(DatabaseError, match="%40"):
        connect("postgresql://a:b@c:port/x", cache=tmp_path)


def test_the_limits_are_kept_before_rows_are_read(shop: sa.URL, tmp_path: Path) -> None:
    with pytest.raises(DatabaseError, match=r"7 rows.*WORKBENCH_MAX_ROWS"):
        connect(text_of(shop), cache=tmp_path, limits=Limits(rows=6))
    with pytest.raises(DatabaseError, match=r'13 columns in "Person"'):
        connect(text_of(shop), cache=tmp_path, limits=Limits(columns=12))
