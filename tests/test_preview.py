"""Score against hops before training: what is h hops away shows at hop h."""

import json
import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path

import numpy as np
import pytest

from tests.pages import Open, sent
from tests.results_factory import make_results
from tests.test_cli import call
from tests.tiny import make_task, open_tiny
from workbench.database import Database, connect
from workbench.figures import beside_preview, depth_figure, preview_figure
from workbench.head import fit_head
from workbench.hints import TaskSpec
from workbench.memo import Memo
from workbench.planning import plan_study
from workbench.preview import HopScore, Preview, preview, preview_all, preview_to_json
from workbench.previewing import with_previews
from workbench.results import load_results, stored
from workbench.schema import Schema, infer_schema
from workbench.study import Arm, Study
from workbench.task import TEST, TRAIN, VAL, Task, TaskType, define_task
from workbench.topologies import TOPOLOGIES, plan_named, read_topology
from workbench.topology import plan

NUM = 600
CHANCE = 0.15  # half a point and four standard errors of 120 rows stay below .5 + this
HOMES = {"address-flat": 1, "address-normalized": 2, "address-3nf": 3}
ROOMS = """
CREATE TABLE house (id INTEGER PRIMARY KEY, bit REAL, kind TEXT);
CREATE TABLE room (
  id INTEGER PRIMARY KEY, house_id INTEGER REFERENCES house (id), bit REAL, y REAL
);
CREATE TABLE lamp (
  id INTEGER PRIMARY KEY, room_id INTEGER REFERENCES room (id), watt REAL
);
CREATE TABLE empty (
  id INTEGER PRIMARY KEY, room_id INTEGER REFERENCES room (id), size REAL
);
CREATE TABLE nobody (id INTEGER PRIMARY KEY, size REAL);
"""
STYPES = {
    "house.bit": "numerical",
    "house.kind": "categorical",
    "room.bit": "numerical",
    "room.y": "numerical",
    "lamp.watt": "numerical",
    "empty.size": "numerical",
    "nobody.size": "numerical",
}


def rooms(folder: Path, times: dict[str, str] | None = None, num: int = NUM):
    """Return rooms in houses, with lamps in them, and tables without a single row.

    Every second room and every house has a bit of chance; a room has 0 to 4 lamps.
    """
    rng = np.random.default_rng(7)
    houses = [(at, rng.integers(2), "abc"[rng.integers(3)]) for at in range(num // 3)]
    lines = [f"INSERT INTO house VALUES ({at}, {bit}, '{kind}');"
             for at, bit, kind in houses]  # fmt: skip
    lamps = 0
    for at in range(num):
        lines.append(
            f"INSERT INTO room VALUES ({at}, {at % len(houses)}, {rng.integers(2)}, 0);"
        )
        for _ in range(rng.integers(5)):
            watt = round(float(rng.normal()), 3)
            lines.append(f"INSERT INTO lamp VALUES ({lamps}, {at}, {watt});")
            lamps += 1
    return open_tiny(folder, ROOMS + "".join(lines), STYPES, times)


def asked(
    database: Database,
    labels: np.ndarray,
    kind: TaskType = TaskType.BINARY,
    hide: Sequence[str] = (),
) -> Task:
    """Return the task of these labels for all rooms, three in five trained on."""
    task = make_task("room.y", range(len(labels)), hide)
    chance = np.random.default_rng(3).permutation(len(labels)) % 5
    split = np.choose(chance, [TRAIN, TRAIN, TRAIN, VAL, TEST]).astype(np.int8)
    names = {TaskType.REGRESSION: "r2", TaskType.MULTICLASS: "accuracy"}
    classes = (
        () if kind is TaskType.REGRESSION else tuple("abc"[: int(labels.max()) + 1])
    )
    return replace(
        task,
        task_type=kind,
        classes=classes,
        metric=names.get(kind, "roc-auc"),
        labels=labels.astype(float),
        split=split,
    )


def column(database: Database, query: str) -> np.ndarray:
    return np.array([row[0] for row in database.rows(query)])


def house_bits(database: Database) -> np.ndarray:
    return column(
        database,
        "SELECT h.bit FROM room r JOIN house h ON r.house_id = h.id ORDER BY r.id",
    )


def scored(
    database: Database,
    schema: Schema,
    task: Task,
    topology: str = "row2node",
    hops: int = 2,
    memo: Memo | None = None,
) -> Preview:
    blueprint = plan_named(schema, task.spec, topology)
    return preview(database, schema, task, blueprint, hops, memo)


def on_test(found: Preview) -> list[float]:
    return [one.test for one in found.scores]


# --- what is seen, and at which hop -----------------------------------------


@pytest.mark.parametrize(("sample", "step"), HOMES.items())
def test_the_city_shows_at_its_hop_and_not_before(sample: str, step: int) -> None:
    with connect(f"sample:{sample}") as database:
        schema = infer_schema(database, None)
        task = define_task(database, schema, "prosperous")
        found = scored(database, schema, task, hops=4)
    assert [one.hop for one in found.scores] == [0, 1, 2, 3, 4]
    # Residents of a city share its label: 130 test cities, not a thousand people.
    chance = 0.5 + 4 * 0.5 / np.sqrt(130)
    for one in found.scores:
        if one.hop < step:
            assert max(one.val, one.test) < chance
        else:
            assert min(one.val, one.test) > 0.97


def test_a_folded_parent_shows_at_0_hops_and_a_shortcut_at_1() -> None:
    with connect("sample:address-3nf") as database:
        schema = infer_schema(database, None)
        task = define_task(database, schema, "prosperous")
        assert on_test(scored(database, schema, task, "flattened"))[0] > 0.97
        near = on_test(scored(database, schema, task, "shortcut"))
    assert near[0] < 0.7 < 0.97 < near[1]


def test_a_class_that_the_parent_holds_is_learnt_at_1_hop(tmp_path: Path) -> None:
    database, schema = rooms(tmp_path)
    kinds = column(
        database,
        "SELECT h.kind FROM room r JOIN house h ON r.house_id = h.id ORDER BY r.id",
    )
    labels = np.searchsorted(["a", "b", "c"], kinds)
    task = asked(database, labels, TaskType.MULTICLASS)
    none, one, two = on_test(scored(database, schema, task))
    assert none < 1 / 3 + 2 * CHANCE
    assert one == two == 1.0


def test_a_mean_over_children_is_a_regression_at_1_hop(tmp_path: Path) -> None:
    database, schema = rooms(tmp_path)
    means = column(
        database,
        "SELECT coalesce(avg(watt), 0) FROM room r LEFT JOIN lamp l"
        " ON l.room_id = r.id GROUP BY r.id ORDER BY r.id",
    )
    task = asked(database, means, TaskType.REGRESSION)
    none, one, _ = on_test(scored(database, schema, task))
    assert none < 0.1
    assert one > 0.97


def test_how_many_children_a_row_has_shows_at_1_hop(tmp_path: Path) -> None:
    database, schema = rooms(tmp_path)
    counts = column(
        database,
        "SELECT count(l.id) FROM room r LEFT JOIN lamp l ON l.room_id = r.id"
        " GROUP BY r.id ORDER BY r.id",
    )
    none, one, _ = on_test(scored(database, schema, asked(database, counts > 2)))
    assert none < 0.5 + CHANCE
    assert one == 1.0


def test_an_exclusive_or_of_two_columns_is_not_invisible(tmp_path: Path) -> None:
    database, schema = rooms(tmp_path)
    own = column(database, "SELECT bit FROM room ORDER BY id")
    either = own != house_bits(database)
    none, one, _ = on_test(scored(database, schema, asked(database, either)))
    assert none < 0.5 + CHANCE
    assert one > 0.9


def test_what_rides_on_a_junction_shows_at_1_hop(tmp_path: Path) -> None:
    database, schema = open_tiny(tmp_path, JUNCTION, {"holds.much": "numerical"})
    much = column(
        database, "SELECT max(much) FROM holds GROUP BY room_id ORDER BY room_id"
    )
    task = replace(asked(database, much > 0), spec=make_task("room.y", [0]).spec)
    none, one, _ = on_test(scored(database, schema, task, "row2edge"))
    assert none == pytest.approx(0.5)
    assert one == 1.0


JUNCTION = """
CREATE TABLE room (id INTEGER PRIMARY KEY, y REAL);
CREATE TABLE thing (id INTEGER PRIMARY KEY);
CREATE TABLE holds (
  room_id INTEGER REFERENCES room (id), thing_id INTEGER REFERENCES thing (id),
  much REAL, PRIMARY KEY (room_id, thing_id)
);
INSERT INTO thing VALUES (0), (1), (2);
""" + "".join(
    f"INSERT INTO room VALUES ({at}, 0);"
    f"INSERT INTO holds VALUES ({at}, {at % 3}, {at * 7 % 11 - 5});"
    for at in range(200)
)


def test_a_hidden_column_is_never_seen(tmp_path: Path) -> None:
    database, schema = rooms(tmp_path)
    bits = house_bits(database)
    seen = scored(database, schema, asked(database, bits))
    hidden = scored(database, schema, asked(database, bits, hide=["house.bit"]))
    assert on_test(seen)[1] == 1.0
    # Three rooms share a house, and with it the label that is learnt from two of them.
    assert max(on_test(hidden)) < 0.5 + 2 * CHANCE


def test_a_row_that_nothing_reaches_scores_the_same_at_every_hop(
    tmp_path: Path,
) -> None:
    database, schema = rooms(tmp_path)
    task = asked(database, house_bits(database))
    found = scored(database, schema, task, "single-table", hops=4)
    assert len({(one.val, one.test) for one in found.scores}) == 1


@pytest.mark.parametrize("topology", TOPOLOGIES)
def test_empty_tables_and_rows_without_parents_are_normal(
    tmp_path: Path, topology: str
) -> None:
    database, schema = rooms(tmp_path, num=90)
    task = asked(database, house_bits(database))
    found = scored(database, schema, task, topology, hops=3)
    assert np.isfinite([(one.val, one.test) for one in found.scores]).all()


# --- what chooses, and what does not ----------------------------------------


def test_other_test_labels_change_no_choice(tmp_path: Path) -> None:
    database, schema = rooms(tmp_path)
    task = asked(database, house_bits(database))
    is_test = task.split == TEST
    turned = replace(task, labels=np.where(is_test, 1 - task.labels, task.labels))
    before, after = (scored(database, schema, one) for one in (task, turned))
    assert [one.val for one in before.scores] == [one.val for one in after.scores]
    # Ranked the other way round, every pair is: the same outputs, judged again.
    for one, other in zip(before.scores, after.scores, strict=True):
        assert other.test == pytest.approx(1 - one.test)


def test_noise_is_held_down_harder_than_a_clean_signal() -> None:
    rng = np.random.default_rng(0)
    design, places = rng.standard_normal((300, 40)).astype(np.float32), np.arange(300)
    clean = fit_head(design, asked_alone(design[:, 0] > 0), places)
    noise = fit_head(design, asked_alone(rng.random(300) > 0.5), places)
    assert clean.penalty < noise.penalty


def asked_alone(labels: np.ndarray) -> Task:
    task = make_task("room.y", range(len(labels)))
    return replace(task, labels=labels.astype(float), metric="log-loss")


def test_a_head_without_columns_says_what_a_constant_says() -> None:
    labels = np.arange(300) % 4 == 0
    found = fit_head(
        np.zeros((300, 0), np.float32), asked_alone(labels), np.arange(300)
    )
    assert found.test == pytest.approx(
        -0.25 * np.log(0.25) - 0.75 * np.log(0.75), abs=0.01
    )


# --- the same digits, whatever was computed before --------------------------


def test_a_toggled_key_gives_the_digits_of_a_fresh_preview(tmp_path: Path) -> None:
    database, schema = rooms(tmp_path)
    task = asked(database, house_bits(database))
    file = 'base = "row2node"\n[keys]\n"lamp.room_id->room" = "dropped"\n'
    whole = plan_named(schema, task.spec, "row2node")
    less = plan(schema, task.spec, read_topology(file))
    memo = Memo()
    shared = [
        preview(database, schema, task, one, 3, memo) for one in (whole, less, whole)
    ]
    fresh = [preview(database, schema, task, one, 3) for one in (whole, less, whole)]
    assert shared == fresh
    assert whole.hash != less.hash


def test_a_key_rejected_in_the_schema_is_not_remembered(tmp_path: Path) -> None:
    database, schema = rooms(tmp_path)
    task = asked(database, house_bits(database))
    kept = tuple(key for key in schema.foreign_keys if key.ref_table != "house")
    without, memo = replace(schema, foreign_keys=kept), Memo()
    assert on_test(scored(database, schema, task, memo=memo))[1] == 1.0
    assert on_test(scored(database, without, task, memo=memo))[1] < 0.5 + 2 * CHANCE


def test_a_memo_stays_within_its_bytes_and_makes_what_it_lost_again() -> None:
    memo, made = Memo(max_bytes=2_000), []

    def make(name: str) -> np.ndarray:
        made.append(name)
        return np.zeros(125)  # 1 000 bytes

    for name in ("a", "b", "a", "c", "a", "b"):
        memo.get(name, lambda name=name: make(name))
    assert made == ["a", "b", "c", "b"]  # b, the longest unasked for, made way for c


def test_what_one_thread_makes_the_others_wait_for() -> None:
    memo, made = Memo(), []

    def make() -> str:
        made.append(1)
        time.sleep(0.05)
        return "made"

    with ThreadPoolExecutor(8) as pool:
        found = list(pool.map(lambda _: memo.get("k", make), range(8)))
    assert found == ["made"] * 8
    assert made == [1]


def test_what_fails_is_tried_again() -> None:
    memo = Memo()

    def fail() -> str:
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        memo.get("k", fail)
    assert memo.get("k", lambda: "made") == "made"


def test_many_graphs_at_once_have_the_digits_of_one_after_the_other(tmp_path: Path):
    database, schema = rooms(tmp_path)
    task = asked(database, house_bits(database))
    graphs = [(plan_named(schema, task.spec, one), None) for one in TOPOLOGIES]
    together = preview_all(database, schema, task, graphs, 3)
    alone = [preview(database, schema, task, one, 3) for one, _ in graphs]
    assert together == alone
    assert preview_all(database, schema, task, [], 3) == []


# --- what is said of it ------------------------------------------------------


TIMED = ROOMS.replace("bit REAL, y REAL", "bit REAL, y REAL, made TEXT").replace(
    "watt REAL", "watt REAL, made TEXT"
)


def lit(folder: Path, lit_after: bool) -> tuple[Database, Schema, Task]:
    """Return rooms made at a minute each; a lamp a minute later or earlier tells y."""
    rng = np.random.default_rng(11)
    lines, labels = [], rng.integers(2, size=NUM)
    for at, bit in enumerate(labels):
        made = datetime(2020, 1, 1) + timedelta(minutes=int(at))
        lamp = made + timedelta(seconds=30 if lit_after else -30)
        lines.append(
            f"INSERT INTO room VALUES ({at}, {at % 5}, 0, {bit}, '{made}');"
            f"INSERT INTO lamp VALUES ({at}, {at}, {bit}, '{lamp}');"
        )
    houses = "".join(f"INSERT INTO house VALUES ({at}, 0, 'a');" for at in range(5))
    stypes = {
        **STYPES,
        "room.y": "boolean",
        "room.made": "timestamp",
        "lamp.made": "timestamp",
    }
    times = {"room": "made", "lamp": "made"}
    opened = open_tiny(folder, TIMED + houses + "".join(lines), stypes, times)
    spec = TaskSpec(target="room.y", split="time:made")
    return *opened, define_task(*opened, spec)


@pytest.mark.parametrize("topology", ["row2node", "shortcut", "flattened"])
def test_a_label_that_only_later_rows_tell_previews_like_a_coin(
    tmp_path: Path, topology: str
) -> None:
    found = scored(*lit(tmp_path, lit_after=True), topology)
    assert len(found.scores) == 3
    assert max(one.test for one in found.scores) < 0.5 + CHANCE
    assert found.note == ""


def test_a_label_that_an_earlier_row_tells_shows_at_its_hop(tmp_path: Path) -> None:
    none, one, _ = on_test(scored(*lit(tmp_path, lit_after=False)))
    assert none < 0.5 + CHANCE
    assert one > 0.97


def test_a_forecast_has_a_preview_in_the_plan() -> None:
    arms = (Arm("sample:chinook", "row2node"),)
    planned = plan_study(Study(arms=arms, task="buys-again", depths=(0, 1)))
    records = graph_of(with_previews(planned))["preview"]
    assert [one["hop"] for one in records] == [0, 1, 2, 3, 4]
    assert all(one["score"] is not None for one in records)


def test_of_many_rows_a_sample_is_judged_and_it_is_said(tmp_path: Path) -> None:
    lines = "".join(f"INSERT INTO room VALUES ({at}, NULL, {at % 2}, 0);"
                    for at in range(6_100))  # fmt: skip
    database, schema = open_tiny(tmp_path, ROOMS + lines, STYPES)
    task = asked(database, np.arange(6_100) % 2)
    found = scored(database, schema, task, hops=1)
    assert "6,000 of the 6,100 rows" in found.note
    assert on_test(found) == [1.0, 1.0]


def test_of_a_large_database_a_part_is_drawn_and_it_is_said() -> None:
    arms = (Arm("sample:address-flat", "row2node"),)
    planned = plan_study(Study(arms=arms, task="prosperous"))
    graph = graph_of(with_previews(planned, max_rows=4_000))
    assert "a preview takes 4,000 at most" in graph["preview_note"]
    assert graph["preview"][1]["score"] > 0.9


def graph_of(planned) -> dict:
    (document,) = planned.plans.values()
    return document["topologies"][0]


def test_made_up_rows_are_not_previewed() -> None:
    arms = (Arm("schemas/web-shop.postgresql.sql", "row2node"),)
    planned = plan_study(Study(arms=arms, task=make_target(arms[0].source)))
    assert planned.assumed
    assert "preview" not in graph_of(with_previews(planned))


def make_target(source: str):
    with connect(source) as database:
        schema = infer_schema(database, None)
    table, column = next(
        (table.name, column.name)
        for table in schema.tables
        for column in table.columns
        if column.stype == "numerical"
    )
    return make_task(f"{table}.{column}", [0]).spec


def test_a_score_that_is_not_defined_is_null_in_json() -> None:
    found = Preview((HopScore(0, float("nan"), 0.25),))
    assert preview_to_json(found) == [{"hop": 0, "score": None, "test": 0.25}]


# --- where it is shown --------------------------------------------------------


def test_the_command_line_says_a_score_a_hop() -> None:
    question = ("sample:address-normalized", "--task", "prosperous", "--preview")
    shown = call("plan", *question, "--topology", "row2node", "--json")
    (graph,) = json.loads(shown.stdout)["topologies"]
    assert [one["hop"] for one in graph["preview"]] == [0, 1, 2, 3, 4]
    assert graph["preview"][1]["score"] < 0.7 < 0.97 < graph["preview"][2]["score"]
    said_so = call("plan", *question, "--topology", "row2node").stdout
    assert "no network trained (hops: accuracy on validation rows)" in said_so


def test_a_plan_without_the_switch_is_as_it_was() -> None:
    shown = call("plan", "sample:address-flat", "--task", "prosperous", "--json")
    assert all("preview" not in one for one in json.loads(shown.stdout)["topologies"])


def test_the_chart_steps_where_the_scores_do() -> None:
    results = load_results(stored("address"))
    chart = preview_figure(results.plans)
    assert "no network trained" in chart.title
    steps = {
        trace.name: [score > 0.9 for score in trace.y].index(True)
        for trace in chart.figure.data
    }
    assert steps == HOMES


def test_beside_the_trained_curves_stand_the_test_scores_of_the_preview() -> None:
    results = load_results(stored("address"))
    trained = depth_figure(results)
    both = beside_preview(trained, results)
    added = both.figure.data[len(trained.figure.data) :]
    assert len(added) == 3
    for trace, plan_ in zip(added, results.plans.values(), strict=True):
        records = plan_["topologies"][0]["preview"]
        assert list(trace.y) == [one["test"] for one in records]
    assert "Preview of address-3nf" in both.alt


def test_results_without_a_preview_keep_their_chart(tmp_path: Path) -> None:
    results = make_results(tmp_path)
    chart = depth_figure(results)
    assert beside_preview(chart, results) is chart


def test_the_graphs_page_draws_the_preview(visit: Open) -> None:
    app = visit("graphs", source="sample:address-3nf", task="prosperous")
    assert not app.error
    assert "linear model in closed form" in sent(app)


def test_compare_draws_the_preview_unless_it_is_switched_off(visit: Open) -> None:
    app = visit("compare", results="address")
    assert "is the preview" in sent(app)
    app.toggle(key="preview").set_value(False).run()
    assert "is the preview" not in sent(app)
