"""Forecasts: labels counted by hand, moments left out, a table that tells nothing."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime
from itertools import pairwise
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.tiny import write_sqlite
from workbench.blueprint import KeyRole, RowNode
from workbench.closure import draw_rows
from workbench.database import Database, connect
from workbench.errors import SchemaError, TaskError, TopologyError, WorkbenchError
from workbench.forecast import Forecast, read_forecast
from workbench.hints import (
    Hints,
    TableHint,
    TaskSpec,
    forecast_task,
    hints_to_toml,
    read_hints,
)
from workbench.hops import flows, hops
from workbench.links import link
from workbench.planning import plan_study
from workbench.schema import Schema, Stype, infer_schema
from workbench.seeds import moments_of, with_seeds
from workbench.study import Arm, Study, read_study
from workbench.task import Task, TaskType, define_task
from workbench.topologies import TOPOLOGIES, plan_named, read_topology
from workbench.topology import plan

# Windows of 10 days end with the last buy, on the 31st: the moments are the 1st, the
# 11th and the 21st, so a row of buy counts for
#   1st: after the 1st to the 11th;  11th: to the 21st;  21st: to the 31st.
SQL = """
CREATE TABLE shop (id INTEGER PRIMARY KEY, town TEXT);
CREATE TABLE client (id INTEGER PRIMARY KEY, shop_id INTEGER REFERENCES shop(id),
  born TEXT, mood TEXT);
CREATE TABLE buy (id INTEGER PRIMARY KEY, client_id INTEGER REFERENCES client(id),
  giver_id INTEGER REFERENCES client(id), at TEXT, price REAL, kind TEXT);
INSERT INTO shop VALUES (1, 'Ulm'), (2, 'Bonn');
INSERT INTO client VALUES
  (7, 1, '2020-01-01', 'good'),  -- buys at the border of every window
  (8, 1, '2020-01-11', 'bad'),   -- exists from the second moment on
  (9, 2, NULL, 'good'),          -- exists from the first buy on: the 21st
  (5, 2, NULL, 'good');          -- never buys and has no time: never asked about
INSERT INTO buy VALUES
  (1, 7, 8, '2020-01-01', 1.0, 'web'),   -- at the first moment: known by then
  (2, 7, 8, '2020-01-11', 2.0, 'web'),   -- at the end of its window: counts there
  (3, 7, 8, '2020-01-11 00:00:01', NULL, 'web'),  -- just after; no price
  (4, 9, 8, '2020-01-21', 4.0, 'web'),
  (5, 9, 8, '2020-01-22', 8.0, 'till'),
  (6, 8, NULL, NULL, 16.0, 'web'),       -- no time: not counted at all
  (7, 6, NULL, '2020-01-25', 32.0, 'web'),  -- of a client who does not exist
  (8, NULL, NULL, '2020-01-26', 64.0, 'web'),
  (9, 8, 7, '2020-01-31', 128.0, 'web');
"""
TIMED = Hints(
    tables={
        "client": TableHint(time_column="born"),
        "buy": TableHint(
            time_column="at",
            columns={"price": Stype.NUMERICAL, "kind": Stype.CATEGORICAL},
        ),
    },
    complete=True,
)
ANY = Forecast("any", "buy", "client", "10d", by="client_id", seed_times=3)


@pytest.fixture(scope="module")
def opened(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple]:
    folder = tmp_path_factory.mktemp("seeds")
    with connect(write_sqlite(folder / "buys.db", SQL), cache=folder) as database:
        yield database, infer_schema(database, TIMED), folder


def seeded(opened: tuple, forecast: Forecast = ANY) -> tuple:
    database, schema, folder = opened
    return with_seeds(database, schema, forecast_task(forecast), folder)


def labels(opened: tuple, forecast: Forecast = ANY) -> dict[tuple[int, int], float]:
    """Return the label by client and day of the month."""
    database, _, spec, _ = seeded(opened, forecast)
    with database:
        found = database.rows(f"SELECT * EXCLUDE (__row) FROM {spec.table}")
    return {(who, int(when[8:10])): label for who, when, label in found}


def test_a_row_at_the_moment_is_known_and_one_at_the_windows_end_counts(
    opened,
) -> None:
    assert labels(opened) == {
        (7, 1): 1,  # buy 2, at the very end; buy 1 is known already
        (7, 11): 1,  # buy 3, a second after the moment
        (7, 21): 0,
        (8, 11): 0,  # buy 6 has no time
        (8, 21): 1,  # buy 9
        (9, 21): 1,  # buy 5
    }


def test_numbers_sums_and_means_are_those_counted_by_hand(opened) -> None:
    assert labels(opened, replace(ANY, what="count")) == {
        (7, 1): 1, (7, 11): 1, (7, 21): 0, (8, 11): 0, (8, 21): 1, (9, 21): 1,
    }  # fmt: skip
    assert labels(opened, replace(ANY, what="sum:price")) == {
        (7, 1): 2, (7, 11): 0, (7, 21): 0, (8, 11): 0, (8, 21): 128, (9, 21): 8,
    }  # fmt: skip  # a buy without a price adds nothing
    assert labels(opened, replace(ANY, what="mean:price")) == {
        (7, 1): 2, (7, 11): None, (7, 21): None,
        (8, 11): None, (8, 21): 128, (9, 21): 8,
    }  # fmt: skip


def test_a_filter_says_which_rows_count_and_not_who_exists(opened) -> None:
    found = labels(opened, replace(ANY, where="kind = 'web' AND price > 2"))
    assert found == {
        (7, 1): 0, (7, 11): 0, (7, 21): 0, (8, 11): 0, (8, 21): 1, (9, 21): 0,
    }  # fmt: skip


def test_the_active_are_those_with_a_row_in_the_window_before(opened) -> None:
    assert labels(opened, replace(ANY, active=True)) == {
        (7, 1): 1,  # bought on the 1st, after the 22nd of December
        (7, 11): 1,
        (7, 21): 0,  # buy 3, a second after the 11th
        (9, 21): 1,  # buy 4, at the moment
    }


def test_another_key_counts_other_rows(opened) -> None:
    found = labels(opened, replace(ANY, what="count", by="giver_id"))
    # Client 9 gave nothing and has no time of its own, so it is not known to exist.
    assert found == {(7, 1): 0, (7, 11): 0, (7, 21): 1,
                     (8, 11): 2, (8, 21): 1}  # fmt: skip


def test_a_moment_whose_window_is_not_over_is_left_out_and_said(opened) -> None:
    asked = replace(ANY, seed_times=4, until="2020-02-05")
    with pytest.raises(TaskError, match="leave 2 of 4 moments whose next 10 days"):
        seeded(opened, asked)
    with_four = replace(asked, within="4d", seed_times=9)
    database, _, spec, notes = seeded(opened, with_four)
    days = database.rows(f"SELECT DISTINCT seed_time FROM {spec.table} ORDER BY 1")
    # Of the nine from the 31st of December to the 1st of February the first is before
    # any buy, and the next 4 days of the last two end after the last one.
    assert [day[0][5:10] for day in days] == [
        "01-04", "01-08", "01-12", "01-16", "01-20", "01-24",
    ]  # fmt: skip
    said = " ".join(notes)
    assert "2 of the 9 moments asked for are left out: the next 4 days" in said
    assert "1 of the 9 moments asked for are left out: they lie before" in said


def test_too_few_moments_are_refused(opened) -> None:
    with pytest.raises(TaskError, match=r"leave 1 of 3 moments whose next 20 days"):
        seeded(opened, replace(ANY, within="20d"))


# --- the table -------------------------------------------------------------


def test_the_table_has_a_key_to_the_entity_a_time_and_a_label(opened) -> None:
    database, schema, spec, _ = seeded(opened)
    table = schema.table("forecast")
    assert spec.target == "forecast.label"
    assert spec.split == "time:seed_time"
    assert spec.horizon == 10 * 86_400
    assert table.primary_key == ("client_id", "seed_time")
    assert table.time_column == "seed_time"
    key = schema.key("forecast.client_id->client")
    assert (key.ref_columns, key.declared) == (("id",), True)
    inferred = infer_schema(database, Hints(complete=True))
    assert inferred.key(key.id).num_dangling == 0
    assert [one.name for one in database.tables] == [
        "buy",
        "client",
        "shop",
        "forecast",
    ]


def test_names_that_are_taken_get_a_number(tmp_path: Path) -> None:
    sql = """
    CREATE TABLE Forecast (label INTEGER PRIMARY KEY, seed_time TEXT);
    CREATE TABLE r (s INTEGER PRIMARY KEY, t TEXT, k REAL,
      label INTEGER REFERENCES Forecast(label));
    INSERT INTO Forecast VALUES (1, 'a'), (2, 'b');
    """ + "".join(
        f"INSERT INTO r VALUES ({at}, '2020-01-{at:02}', 1, {at % 2 + 1});"
        for at in range(1, 29)
    )
    hints = Hints(tables={"r": TableHint(time_column="t")}, complete=True)
    asked = Forecast("count", "r", "Forecast", "5d", seed_times=3)
    with connect(write_sqlite(tmp_path / "r.db", sql), cache=tmp_path) as database:
        schema = infer_schema(database, hints)
        made, schema, spec, _ = with_seeds(
            database, schema, forecast_task(asked), tmp_path
        )
    assert spec.target == "forecast_2.label_2"
    with made:
        found = made.rows('SELECT * EXCLUDE (__row) FROM "forecast_2"')
    assert len(found) == 6
    # Of five days in a row every other one is the first's: 2 or 3.
    assert {label for *_, label in found} == {2.0, 3.0}


def test_a_key_of_two_columns_leads_to_the_entity(tmp_path: Path) -> None:
    sql = """
    CREATE TABLE team (year INTEGER, code TEXT, PRIMARY KEY (year, code));
    CREATE TABLE game (id INTEGER PRIMARY KEY, y INTEGER, c TEXT, at TEXT,
      FOREIGN KEY (y, c) REFERENCES team(year, code));
    INSERT INTO team VALUES (1, 'a'), (1, 'b'), (2, 'a');
    """ + "".join(
        f"INSERT INTO game VALUES ({at}, {at % 2 + 1}, 'a', '2020-01-{at:02}');"
        for at in range(1, 29)
    )
    hints = Hints(tables={"game": TableHint(time_column="at")}, complete=True)
    asked = forecast_task(Forecast("count", "game", "team", "6d", seed_times=4))
    with connect(write_sqlite(tmp_path / "g.db", sql), cache=tmp_path) as database:
        made, schema, *_ = with_seeds(
            database, infer_schema(database, hints), asked, tmp_path
        )
    with made:
        found = made.rows("SELECT y, c, label FROM forecast")
    # Six days in a row hold three games of each; team (1, b) never plays.
    assert found == [(1, "a", 3.0), (2, "a", 3.0)] * 4
    assert schema.key("forecast.y+c->team").ref_columns == ("year", "code")


def test_a_year_counts_as_its_last_day(tmp_path: Path) -> None:
    rows = "".join(
        f"INSERT INTO prize VALUES ({at}, 1, {2000 + at});" for at in range(8)
    )
    sql = f"""
    CREATE TABLE one (id INTEGER PRIMARY KEY);
    CREATE TABLE prize (id INTEGER PRIMARY KEY, one_id INTEGER REFERENCES one(id),
      year INTEGER);
    INSERT INTO one VALUES (1); {rows}
    """
    hints = Hints(
        tables={
            "prize": TableHint(time_column="year", columns={"year": Stype.TIMESTAMP})
        },
        complete=True,
    )
    asked = forecast_task(Forecast("count", "prize", "one", "1y", seed_times=5))
    with connect(write_sqlite(tmp_path / "y.db", sql), cache=tmp_path) as database:
        made, *_ = with_seeds(database, infer_schema(database, hints), asked, tmp_path)
    with made:
        found = made.rows("SELECT seed_time, label FROM forecast")
    assert found[-1] == ("2006-12-31 00:00:00", 1.0)
    assert [label for _, label in found] == [1.0] * 5  # one prize every year


def test_a_source_is_left_as_it_is_and_the_same_question_makes_the_same_table(
    opened,
) -> None:
    database, schema, _ = opened
    before = database.path.read_bytes()
    first, second = seeded(opened)[0], seeded(opened)[0]
    other = seeded(opened, replace(ANY, what="count"))[0]
    assert first.fingerprint == second.fingerprint != other.fingerprint
    assert first.fingerprint != database.fingerprint
    assert (first.name, first.source) == (database.name, database.source)
    assert database.path.read_bytes() == before
    assert "forecast" not in [table.name for table in schema.tables]


def test_a_task_that_is_no_forecast_passes_through(opened) -> None:
    database, schema, folder = opened
    spec = TaskSpec("client.mood")
    found = with_seeds(database, schema, spec, folder)
    assert found == (database, schema, spec, ())


# --- every graph of it -----------------------------------------------------


@pytest.mark.parametrize("name", TOPOLOGIES)
def test_a_moment_tells_nothing_to_others_in_any_graph(opened, name: str) -> None:
    database, schema, spec, _ = seeded(opened)
    blueprint = plan_named(schema, spec, name)
    for edge in blueprint.edges:
        assert spec.table not in [sender for sender, _ in flows(edge)]
    with database:
        found = link(database, schema, blueprint)
    assert spec.table not in {one.sender for one in found.messages}


@pytest.mark.parametrize("name", TOPOLOGIES)
def test_a_moment_shows_its_entity_at_no_hop_and_never_what_comes_later(
    opened, name: str
) -> None:
    _, schema, spec, _ = seeded(opened)
    blueprint = plan_named(schema, spec, name)
    (node,) = [one for one in blueprint.nodes if one.name == spec.table]
    assert isinstance(node, RowNode)
    assert {one.table for one in node.columns} <= {spec.table, "client", "shop"}
    assert spec.target not in {f"{one.table}.{one.column}" for one in node.columns}
    seen = hops(blueprint)
    mood = 1 if name == "promoted" else 0  # a value is a node there
    assert seen["client.mood"] == mood
    if name not in ("single-table", "aggregated"):
        assert seen["buy.price"] == 2  # the client, then what the client bought


def test_a_moment_that_is_summarised_counts_what_came_by_then(opened) -> None:
    from workbench.summarise import row_values

    database, schema, spec, _ = seeded(opened)
    blueprint = plan_named(schema, spec, "aggregated")
    (node,) = [one for one in blueprint.nodes if isinstance(one, RowNode)]
    assert spec.table not in {one.table for one in node.aggregates}
    counts = [one for one in node.aggregates if str(one.how) == "count"]
    by_client = [one for one in counts if "client_id" in one.name.split("←")[-1]]
    with database:
        values = row_values(database, schema, node)
        keys = database.rows("SELECT client_id, seed_time FROM forecast")
    found = {
        (who, int(when[8:10])): count
        for (who, when), count in zip(
            keys, values.column(by_client[0].name).to_pylist(), strict=True
        )
    }
    # Buys at or before the moment; buy 6, which has no time, counts as always known.
    assert found == {(7, 1): 1, (7, 11): 2, (7, 21): 3,
                     (8, 11): 1, (8, 21): 1, (9, 21): 1}  # fmt: skip


@pytest.mark.parametrize("role", ["edge", "child-to-parent"])
def test_a_topology_file_cannot_let_a_moment_speak(opened, role: str) -> None:
    _, schema, spec, _ = seeded(opened)
    text = f'[keys]\n"forecast.client_id->client" = "{role}"\n'
    with pytest.raises(TopologyError, match="let one question tell another"):
        plan(schema, spec, read_topology(text))


@pytest.mark.parametrize(
    "text",
    [
        'base = "flattened"\nfull = true\n',
        'base = "promoted"\nfull = true\n',
        '[tables]\nclient = "folded"\n',
        'base = "promoted"\n[tables]\nclient = "folded"\n',
    ],
)
def test_a_moment_that_inherits_keys_still_tells_nothing(opened, text: str) -> None:
    _, schema, spec, _ = seeded(opened)
    blueprint = plan(schema, spec, read_topology(text))
    assert blueprint.edges
    for edge in blueprint.edges:
        assert spec.table not in [sender for sender, _ in flows(edge)]


def test_a_dropped_entity_comes_back_with_messages_to_the_moment_only(opened) -> None:
    _, schema, spec, _ = seeded(opened)
    text = 'base = "single-table"\n[tables]\nclient = "node"\n'
    blueprint = plan(schema, spec, read_topology(text))
    roles = {one.subject: one.role for one in blueprint.keys}
    assert roles["forecast.client_id->client"] is KeyRole.DOWN


# --- the task --------------------------------------------------------------


def many(folder: Path, num_clients: int = 20) -> tuple[Database, Schema]:
    """Return clients who each buy once in so many days, from the first day on."""
    buys = [
        (who, day) for who in range(num_clients) for day in range(who % 7, 200, who + 3)
    ]
    values = ", ".join(
        f"({at}, {who}, '{datetime.fromtimestamp(day * 86_400, UTC):%Y-%m-%d}', {day})"
        for at, (who, day) in enumerate(buys)
    )
    clients = ", ".join(f"({who}, {who + 3})" for who in range(num_clients))
    sql = f"""
    CREATE TABLE client (id INTEGER PRIMARY KEY, pace REAL);
    CREATE TABLE buy (id INTEGER PRIMARY KEY, client_id INTEGER REFERENCES client(id),
      at TEXT, price REAL);
    INSERT INTO client VALUES {clients};
    INSERT INTO buy VALUES {values};
    """
    database = connect(write_sqlite(folder / "many.db", sql), cache=folder)
    hints = Hints(tables={"buy": TableHint(time_column="at")}, complete=True)
    return database, infer_schema(database, hints)


def defined(folder: Path, forecast: Forecast) -> tuple[Database, Task]:
    database, schema = many(folder)
    made, schema, spec, _ = with_seeds(
        database, schema, forecast_task(forecast), folder
    )
    database.close()
    return made, define_task(made, schema, spec)


def test_the_last_moments_are_tested_and_no_window_reaches_into_them(
    tmp_path: Path,
) -> None:
    database, task = defined(tmp_path, Forecast("any", "buy", "client", "10d"))
    with database:
        moments = moments_of(database, task)
    assert [one.side for one in moments] == [0, 0, 0, 0, 1, 2]
    assert [one.num_rows for one in moments] == [20] * 6
    days = [datetime.fromisoformat(one.time) for one in moments]
    assert {(late - early).days for early, late in pairwise(days)} == {10}
    assert task.task_type is TaskType.BINARY
    for one in moments:
        chosen = np.array([one.time in key for key in task.keys])
        assert one.mean == pytest.approx(task.labels[chosen].mean())


def test_a_number_is_a_value_even_where_it_only_takes_two(tmp_path: Path) -> None:
    slow = Forecast("count", "buy", "client", "3d", where="client_id > 4")
    database, task = defined(tmp_path, slow)
    database.close()
    assert set(task.labels) == {0.0, 1.0}
    assert (task.task_type, task.metric) == (TaskType.REGRESSION, "r2")


def test_a_part_of_the_rows_keeps_the_labels_of_the_whole(tmp_path: Path) -> None:
    database, schema = many(tmp_path)
    made, schema, spec, _ = with_seeds(
        database,
        schema,
        forecast_task(Forecast("count", "buy", "client", "10d")),
        tmp_path,
    )
    whole = dict(_keyed(made))
    drawn = draw_rows(made, schema, spec.table, 150, tmp_path)
    part = dict(_keyed(drawn.database))
    assert 0 < len(part) < len(whole)
    assert part.items() <= whole.items()
    assert drawn.schema.table(spec.table).time_column == "seed_time"
    assert drawn.schema.key("forecast.client_id->client").declared
    assert plan_named(drawn.schema, spec, "row2node").edges
    for each in (database, made, drawn.database):
        each.close()


def _keyed(database: Database) -> list[tuple]:
    return [
        ((who, when), label)
        for who, when, label in database.rows(
            "SELECT client_id, seed_time, label FROM forecast"
        )
    ]


@settings(
    max_examples=12,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(
    buys=st.lists(
        st.tuples(
            st.sampled_from([0, 1, 2, 3, None]),
            st.one_of(st.none(), st.integers(0, 60)),
            st.one_of(st.none(), st.integers(0, 5)),
        ),
        min_size=1,
        max_size=30,
    ),
    what=st.sampled_from(["any", "count", "sum:price", "mean:price"]),
    active=st.booleans(),
)
def test_labels_agree_with_a_loop(tmp_path: Path, buys, what, active) -> None:
    born = {0: None, 1: 0, 2: 30, 3: 45}
    start = pd.Timestamp("2021-01-01")
    date = lambda day: "NULL" if day is None else f"'{start + pd.Timedelta(days=day)}'"  # noqa: E731
    buys = [*buys, (0, 0, 1), (0, 60, 1)]  # so that the span is known
    price = lambda one: "NULL" if one is None else str(one)  # noqa: E731
    sql = "CREATE TABLE client (id INTEGER PRIMARY KEY, born TEXT);"
    sql += "CREATE TABLE buy (client_id INTEGER REFERENCES client(id), at TEXT,"
    sql += " price REAL);"
    sql += "".join(
        f"INSERT INTO client VALUES ({who}, {date(day)});" for who, day in born.items()
    )
    sql += "".join(
        f"INSERT INTO buy VALUES ({price(who)}, {date(day)}, {price(cost)});"
        for who, day, cost in buys
    )
    path = tmp_path / "loop.db"
    path.unlink(missing_ok=True)
    asked = Forecast(what, "buy", "client", "7d", seed_times=5, active=active)
    hints = Hints(
        tables={
            "client": TableHint(time_column="born", columns={"born": Stype.TIMESTAMP}),
            "buy": TableHint(
                time_column="at",
                columns={"price": Stype.NUMERICAL, "at": Stype.TIMESTAMP},
            ),
        },
        complete=True,
    )
    with connect(write_sqlite(path, sql), cache=tmp_path) as database:
        made, *_ = with_seeds(
            database, infer_schema(database, hints), forecast_task(asked), tmp_path
        )
    with made:
        found = {
            (who, when): label
            for who, when, label in made.rows(
                "SELECT client_id, seed_time, label FROM forecast"
            )
        }
    expected = {}
    for seed in range(25, 60, 7):  # 25, 32, 39, 46, 53: the last window ends with 60
        for who, day in born.items():
            own = [(when, cost) for one, when, cost in buys if one == who]
            own = [(when, cost) for when, cost in own if when is not None]
            starts = day if day is not None else min(w for w, _ in own) if own else None
            before = [when for when, _ in own if seed - 7 < when <= seed]
            if starts is None or starts > seed or (active and not before):
                continue
            later = [cost for when, cost in own if seed < when <= seed + 7]
            costs = [cost for cost in later if cost is not None]
            told = {
                "any": int(bool(later)),
                "count": len(later),
                "sum:price": sum(costs),
                "mean:price": np.mean(costs) if costs else None,
            }[what]
            expected[who, str(start + pd.Timedelta(days=seed))] = told
    assert found == expected


# --- written down ----------------------------------------------------------

FULL = Forecast(
    "sum:price", "buy", "client", "8w", "client_id", 7, "1y", "kind = 'a'", True, "2021"
    "-01-01",
)  # fmt: skip
SPECS = (
    forecast_task(ANY),
    forecast_task(FULL, hide=("client.mood",), metric="mae", name="x"),
    replace(forecast_task(ANY), description="", split_seed=3),
)


@pytest.mark.parametrize("spec", SPECS)
def test_a_study_of_a_forecast_reads_back_as_it_was(tmp_path: Path, spec) -> None:
    study = Study(arms=(Arm("sample:chinook", "aggregated"),), task=spec)
    path = tmp_path / "study.toml"
    path.write_text(study.to_toml(), encoding="utf-8")
    assert read_study(path) == study
    assert hash(read_study(path).task) == hash(spec)


@pytest.mark.parametrize("spec", SPECS)
def test_a_hint_file_with_a_forecast_reads_back_as_it_was(tmp_path: Path, spec) -> None:
    hints = Hints(tasks={"again": replace(spec, name="again")})
    path = tmp_path / "hints.toml"
    path.write_text(hints_to_toml(hints), encoding="utf-8")
    assert read_hints(path) == hints


def test_a_study_file_needs_no_more_than_the_forecast(tmp_path: Path) -> None:
    path = tmp_path / "study.toml"
    path.write_text(
        """
        version = 1
        [[arms]]
        source = "sample:chinook"
        topology = "aggregated"
        [task.forecast]
        what = "any"
        events = "invoice"
        entity = "customer"
        within = "90d"
        """,
        encoding="utf-8",
    )
    asked = Forecast("any", "invoice", "customer", "90d")
    assert read_study(path).task == forecast_task(asked)


# --- what a user can put right ---------------------------------------------

SETTINGS = {"what": "any", "events": "buy", "entity": "client", "within": "10d"}


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        ({"what": "most"}, 'The forecast "most" is unknown; write "any"'),
        ({"what": "sum"}, 'The forecast "sum" is unknown'),
        ({"what": "any:price"}, 'The forecast "any:price" is unknown'),
        ({"within": "30"}, 'The span of time "30" is unclear'),
        ({"within": "3m"}, 'The span of time "3m" is unclear'),
        ({"every": "0d"}, 'The span of time "0d" is unclear'),
        ({"every": "9d"}, 'Seed times "9d" apart with a window of "10d"'),
        ({"seed_times": 2}, 'The number of seed times is "2"'),
        ({"seed_times": "6"}, '"seed_times" is "6"; it should be a whole number'),
        ({"active": 1}, '"active" is "1"; it should be true or false'),
        ({"until": "soon"}, 'The end "soon" is no date'),
        ({"evry": "9d"}, 'forecast setting.*"evry".*every'),
        ({"within": None}, 'The forecast has no "within"'),
    ],
)
def test_a_forecast_that_is_written_otherwise_is_refused(change, sentence: str) -> None:
    settings = {k: v for k, v in {**SETTINGS, **change}.items() if v is not None}
    with pytest.raises(TaskError, match=sentence):
        read_forecast(settings)


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        ({"events": "bye"}, "bye.*buy"),
        ({"entity": "shop", "by": None}, 'No key .* from "buy" to "shop"; its keys'),
        ({"by": None}, "Several keys lead .*: client_id, giver_id"),
        ({"by": "gver_id"}, "gver_id.*giver_id"),
        (
            {"events": "client", "entity": "shop", "by": None, "what": "sum:mood"},
            'The column "client.mood" holds no numbers',
        ),
        ({"what": "sum:prize"}, "prize.*price"),
        ({"what": "sum:kind"}, 'The column "buy.kind" holds no numbers'),
        ({"where": "price"}, 'The filter "price" is no condition'),
        ({"where": "prise > 1"}, "prise.*price"),
        ({"where": "kind > 1"}, 'The filter "kind > 1" does not fit the values'),
    ],
)
def test_a_forecast_that_does_not_fit_the_database_is_refused(
    opened, change, sentence: str
) -> None:
    with pytest.raises(WorkbenchError, match=sentence):
        seeded(opened, replace(ANY, **change))


def test_what_comes_later_needs_a_confirmed_time_and_a_key(opened) -> None:
    database, schema, folder = opened
    untimed = infer_schema(database, Hints(complete=True))
    with pytest.raises(TaskError, match=r'"buy" has no confirmed time.*such as "at"'):
        with_seeds(database, untimed, forecast_task(ANY), folder)
    keyless = replace(
        schema,
        tables=tuple(
            replace(one, primary_key=()) if one.name == "client" else one
            for one in schema.tables
        ),
    )
    with pytest.raises(TaskError, match='rows of "client" have no key'):
        with_seeds(database, keyless, forecast_task(ANY), folder)


def test_events_without_any_time_are_refused(opened) -> None:
    database, _, folder = opened
    hints = TIMED.with_time("buy", "kind").with_type("buy", "kind", Stype.TIMESTAMP)
    with pytest.raises(TaskError, match='No row of "buy" has a time in "kind"'):
        with_seeds(database, infer_schema(database, hints), forecast_task(ANY), folder)


def test_a_schema_without_rows_is_refused(tmp_path: Path) -> None:
    (tmp_path / "empty.sql").write_text(
        "CREATE TABLE client (id INTEGER PRIMARY KEY);"
        "CREATE TABLE buy (client_id INTEGER REFERENCES client(id), at DATE);",
        encoding="utf-8",
    )
    study = Study(
        arms=(Arm(str(tmp_path / "empty.sql"), "row2node"),),
        task=forecast_task(Forecast("any", "buy", "client", "10d")),
    )
    with pytest.raises(TaskError, match='told from rows, and "empty" has none'):
        plan_study(study, tmp_path)


def test_a_forecasts_horizon_is_its_window() -> None:
    with pytest.raises(TaskError, match=r'is its window, not "3\.0"'):
        replace(forecast_task(ANY), horizon=3.0)


def test_a_hint_file_names_itself_where_a_forecast_is_wrong(tmp_path: Path) -> None:
    path = tmp_path / "h.toml"
    path.write_text('[tasks.x.forecast]\nwhat = "any"\n', encoding="utf-8")
    with pytest.raises(SchemaError, match=r'h\.toml": The forecast has no "events"'):
        read_hints(path)
    path.write_text('[tasks.x]\ndescription = "any"\n', encoding="utf-8")
    with pytest.raises(SchemaError, match='needs a "target" or a "forecast"'):
        read_hints(path)
    path.write_text('[tasks.x]\ntarget = "a.b"\nhorizon = -1\n', encoding="utf-8")
    with pytest.raises(SchemaError, match='"horizon" should be a number of seconds'):
        read_hints(path)


def test_a_forecast_is_defined_on_the_database_that_holds_its_table(opened) -> None:
    database, schema, _ = opened
    with pytest.raises(TaskError, match="make it with with_seeds first"):
        define_task(database, schema, forecast_task(ANY))


@pytest.mark.samples
def test_the_sample_asks_who_buys_again(tmp_path: Path) -> None:
    arms = tuple(Arm("sample:chinook", name) for name in ("single-table", "aggregated"))
    planned = plan_study(Study(arms=arms, task="buys-again"), tmp_path)
    document = planned.plans["chinook"]
    # 59 customers at 8 moments: 5 to train on, 1 to choose by, 2 to judge on.
    assert document["task"]["rows_per_split"] == [5 * 59, 59, 2 * 59]
    assert any("8 moments (seed times)" in note for note in planned.notes)
