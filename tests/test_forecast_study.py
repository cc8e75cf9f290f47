"""A forecast goes through the whole study: every graph, no later row, its history."""

from dataclasses import dataclass, replace
from datetime import date, timedelta
from pathlib import Path

import numpy as np
import pytest

from tests.tiny import write_sqlite
from workbench.database import connect
from workbench.errors import StudyError
from workbench.execute import run_study
from workbench.forecast import Forecast
from workbench.hints import TaskSpec, forecast_task, read_hints
from workbench.history import history
from workbench.planning import PlannedStudy, plan_study
from workbench.run import Budget
from workbench.schema import infer_schema
from workbench.seeds import with_seeds
from workbench.study import Arm, Study, parse_fan_out, read_study
from workbench.task import TEST, TRAIN, VAL, Task, define_task
from workbench.topologies import TOPOLOGIES

NUM_CLIENTS, NUM_DAYS = 12, 70
DAY_S = 86_400.0
START = date(2020, 1, 1)
# A client buys every (number + 2)th day; a visit is a junction that has a time.
CLIENTS = "".join(f"INSERT INTO client VALUES ({who}, {who % 3});"
                  for who in range(NUM_CLIENTS))  # fmt: skip
BUYS = "".join(
    f"INSERT INTO buy (client_id, at, price)"
    f" VALUES ({who}, '{START + timedelta(day)}', {day % 7});"
    for who in range(NUM_CLIENTS)
    for day in range(who % 5, NUM_DAYS, who + 2)
)
VISITS = "".join(
    f"INSERT INTO visit VALUES ({who}, {shop}, '{START + timedelta(day)}', {day % 4});"
    for who in range(NUM_CLIENTS)
    for shop, day in enumerate(range(3 + who, NUM_DAYS, 17))
)
SHOPS = "".join(f"INSERT INTO shop VALUES ({shop}, {shop % 2});" for shop in range(4))
PLAIN = f"""
CREATE TABLE client (id INTEGER PRIMARY KEY, kind INTEGER);
CREATE TABLE buy (id INTEGER PRIMARY KEY, client_id INTEGER REFERENCES client (id),
  at TEXT, price REAL);
{CLIENTS}{BUYS}
"""
VISITED = f"""{PLAIN}
CREATE TABLE shop (id INTEGER PRIMARY KEY, size INTEGER);
CREATE TABLE visit (client_id INTEGER REFERENCES client (id),
  shop_id INTEGER REFERENCES shop (id), at TEXT, spent REAL,
  PRIMARY KEY (client_id, shop_id));
{SHOPS}{VISITS}
"""
ASKED = Forecast("any", "buy", "client", "5d", seed_times=5)


@dataclass(frozen=True)
class Source:
    """A database and the hint file that confirms its times."""

    path: str
    hints: str


def write(folder: Path, sql: str) -> Source:
    hints = folder / "times.toml"
    tables = ["buy", "visit"] if "visit" in sql else ["buy"]
    hints.write_text(
        "".join(f'[tables.{name}]\ntime_column = "at"\n' for name in tables),
        encoding="utf-8",
    )
    return Source(str(write_sqlite(folder / "buys.db", sql)), str(hints))


def study_of(source: Source, *topologies: str, **settings) -> Study:
    arms = tuple(Arm(source.path, one, hints=source.hints) for one in topologies)
    return Study(arms=arms, task=forecast_task(ASKED), **settings)


def labels_of(planned: PlannedStudy) -> list[list[float]]:
    return [arm.task.labels.tolist() for arm in planned.arms]


@pytest.mark.parametrize("sql", [PLAIN, VISITED], ids=["plain", "junction-with-a-time"])
def test_every_topology_plans_a_forecast_without_a_later_row(
    tmp_path: Path, sql: str
) -> None:
    source = write(tmp_path, sql)
    study = study_of(source, *TOPOLOGIES, depths=(0, 1, 2))
    planned = plan_study(study, tmp_path / "cache")
    assert [arm.topology for arm in planned.arms] == [*TOPOLOGIES]
    assert planned.future_rows == 0
    (document,) = planned.plans.values()
    times = {one["name"]: one["time"] for one in document["topologies"]}
    assert {one["future_rows"] for one in times.values()} == {0}
    # A whole graph of rows would show what comes later: the audit looks, and finds it.
    assert times["row2node"]["future_rows_without_unfolding"] > 0
    first, *others = labels_of(planned)
    assert len(first) == 5 * NUM_CLIENTS
    assert all(one == first for one in others)
    if sql is VISITED:
        tables = planned.arms[[*TOPOLOGIES].index("row2edge")].blueprint.tables
        assert {one.subject: one.role for one in tables}["visit"] == "edge"


def test_a_visit_after_the_last_moment_changes_no_label_and_no_link(
    tmp_path: Path,
) -> None:
    after = START + timedelta(NUM_DAYS + 30)
    late = f"INSERT INTO visit VALUES (0, 99, '{after}', 1);"
    told = []
    for name, more in (("without", ""), ("with", late)):
        folder = tmp_path / name
        folder.mkdir()
        sql = f"{VISITED}INSERT INTO shop VALUES (99, 1);{more}"
        study = study_of(write(folder, sql), *TOPOLOGIES, depths=(0, 2))
        planned = plan_study(study, folder)
        (document,) = planned.plans.values()
        sizes = {
            one["name"]: (one["time"]["instances"], one["time"]["messages"])
            for one in document["topologies"]
        }
        told.append((labels_of(planned), sizes))
    assert told[0] == told[1]


def told_by_history(
    folder: Path, horizon: float | None = None
) -> tuple[Task, np.ndarray, dict[str, np.ndarray]]:
    """Return the task, the moment of each row, and what its history tells of each."""
    source = write(folder, PLAIN)
    with connect(source.path, cache=folder) as given:
        schema = infer_schema(given, read_hints(Path(source.hints)))
        made, schema, spec, _ = with_seeds(given, schema, forecast_task(ASKED), folder)
        with made:
            task = define_task(made, schema, spec)
            if horizon is not None:
                later = replace(task.spec, forecast=None, horizon=horizon)
                task = replace(task, spec=later)
            found = {one.name: one.values for one in history(made, schema, task)}
    assert task.times is not None
    return task, task.times, found


def test_an_earlier_answer_counts_only_once_its_window_is_over(tmp_path: Path) -> None:
    task, times, found = told_by_history(tmp_path)
    # The key of the table of questions is called as the event's.
    known = found["number of earlier labels by client_id"]
    latest = found["latest mean by client_id"]
    moments = np.unique(times)
    assert np.diff(moments).tolist() == [5 * DAY_S] * 4
    sides = [set(task.split[times == one].tolist()) for one in moments]
    assert sides == [{TRAIN}, {TRAIN}, {TRAIN}, {VAL}, {TEST}]
    # A window ends just when the next begins, so at moment k the answers of moments
    # 0 … k-1 are known; those of validation rows to test rows alone.
    expected = dict(zip(moments.tolist(), [0, 1, 2, 3, 4], strict=True))
    assert known.tolist() == [expected[one] for one in times.tolist()]
    # Rows go by moment and then by client, so the same client is a block earlier.
    before = np.append(np.full(NUM_CLIENTS, np.nan), task.labels[:-NUM_CLIENTS])
    np.testing.assert_array_equal(latest, before)


def test_an_answer_whose_window_is_not_over_is_not_known_yet(tmp_path: Path) -> None:
    _, times, found = told_by_history(tmp_path, horizon=6 * DAY_S)
    known = found["number of earlier labels by client_id"]
    # Told a day later, an answer misses the next moment: one fewer is known at each.
    expected = dict(zip(np.unique(times).tolist(), [0, 0, 1, 2, 3], strict=True))
    assert known.tolist() == [expected[one] for one in times.tolist()]


def test_the_history_of_the_asked_is_a_baseline_of_a_forecast(tmp_path: Path) -> None:
    source = write(tmp_path, VISITED)
    study = study_of(
        source, "row2edge", depths=(0, 1), seeds=1, budget=Budget(epochs=3, width=8)
    )
    comparison = run_study(study, tmp_path / "out", jobs=1, cache=tmp_path)
    assert "entity history" in {one.name for one in comparison.floors}
    found = [one.status for cell in comparison.cells for one in cell.trials]
    assert found == ["ok"] * 2


def test_a_fan_out_that_is_asked_for_is_kept_to_and_said(tmp_path: Path) -> None:
    source = write(tmp_path, PLAIN)
    whole, cut, drawn = (
        plan_study(study_of(source, "row2node", depths=(2,), **settings), tmp_path)
        for settings in (
            {},
            {"fan_out": 1},
            {"fan_out": 1, "neighbours": "uniform"},
        )
    )
    sizes = [time_of(one)["messages"] for one in (whole, cut, drawn)]
    # A moment hears its client, who hears one buy: 60 moments of 12 clients.
    assert sizes[0] > sizes[1] == sizes[2]
    assert time_of(whole)["unfolding"]["fan_out"] is None
    assert time_of(cut)["unfolding"]["fan_out"] == 1
    assert time_of(cut)["messages_cut"] > 0
    assert any("at most 1 neighbours per key are seen, the latest first" in note
               for note in cut.notes)  # fmt: skip
    assert any("drawn by chance" in note for note in drawn.notes)
    assert cut.future_rows == drawn.future_rows == 0


def time_of(planned: PlannedStudy) -> dict:
    (document,) = planned.plans.values()
    return document["topologies"][0]["time"]


def test_a_fan_out_is_read_from_a_file_and_kept(tmp_path: Path) -> None:
    study = study_of(write(tmp_path, PLAIN), "row2node", fan_out=4)
    file = tmp_path / "study.toml"
    for written in (study, replace(study, neighbours="uniform"), replace(study)):
        file.write_text(written.to_toml(), encoding="utf-8")
        assert read_study(file) == written
    usual = replace(study, fan_out=None).to_toml()
    assert "\nfan_out =" not in usual
    assert "neighbours =" not in usual
    file.write_text(f'fan_out = "auto"\n{usual}', encoding="utf-8")
    assert read_study(file).fan_out is None


@pytest.mark.parametrize("written", ["0", "-1", "many", "2.5"])
def test_a_fan_out_that_is_no_number_is_refused(written: str, tmp_path: Path) -> None:
    with pytest.raises(StudyError, match='a whole number from 1 up works, or "auto"'):
        study_of(write(tmp_path, PLAIN), "row2node", fan_out=parse_fan_out(written))


def test_neighbours_are_chosen_in_a_known_way(tmp_path: Path) -> None:
    with pytest.raises(StudyError, match="newest"):
        study_of(write(tmp_path, PLAIN), "row2node", neighbours="newest")


def test_a_fan_out_without_moments_is_refused(tmp_path: Path) -> None:
    source = str(write_sqlite(tmp_path / "buys.db", PLAIN))
    study = Study((Arm(source, "row2node"),), TaskSpec("buy.price"), fan_out=2)
    with pytest.raises(StudyError, match="every graph is seen whole"):
        plan_study(study, tmp_path)
