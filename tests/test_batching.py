"""Whether rows are fed in batches: by memory, alike for a whole study, as asked."""

from dataclasses import replace

import pandas as pd
import pytest

from tests.tiny import write_customers
from workbench.batching import Settled, settle_batches, with_batches
from workbench.cost import estimate_cells
from workbench.errors import ModelError
from workbench.execute import run_study
from workbench.feed import Batching
from workbench.load import seen_load
from workbench.planning import PlannedStudy, plan_study
from workbench.run import Budget
from workbench.study import Arm, Study, read_study
from workbench.task import TaskSpec


@pytest.fixture(scope="module")
def town(tmp_path_factory: pytest.TempPathFactory) -> Study:
    """Compares two graphs of 900 customers in 60 cities."""
    path = tmp_path_factory.mktemp("town") / "town.db"
    sizes = (at / 3 for at in range(60))
    customers = ((at, at % 83 / 9, at % 2, at * 7 % 60) for at in range(900))
    write_customers(path, sizes, customers)
    return Study(
        arms=(Arm(str(path), "row2node"), Arm(str(path), "flattened")),
        task=TaskSpec(target="customer.good"),
        depths=(0, 2),
        seeds=1,
        metric="accuracy",
        budget=Budget(epochs=2, width=4),
    )


@pytest.fixture(scope="module")
def planned(town: Study, tmp_path_factory: pytest.TempPathFactory) -> PlannedStudy:
    return plan_study(town, tmp_path_factory.mktemp("cache"))


def grown(planned: PlannedStudy, times: int) -> PlannedStudy:
    """Return the plan as if every city had so many times the customers."""
    plans = {}
    for source, document in planned.plans.items():
        graphs = []
        for one in document["topologies"]:
            nodes = {name: number * times for name, number in one["nodes"].items()}
            edges = [{**edge, "count": edge["count"] * times} for edge in one["edges"]]
            graphs.append({**one, "nodes": nodes, "edges": edges})
        plans[source] = {**document, "topologies": graphs}
    return replace(planned, plans=plans)


def asking(planned: PlannedStudy, **budget: int | str) -> PlannedStudy:
    study = planned.study
    return replace(
        planned, study=replace(study, budget=replace(study.budget, **budget))
    )


def test_what_fits_is_trained_on_all_rows_at_once_and_its_key_stays(planned):
    settled = settle_batches(planned, jobs=2, free_mb=16_000)
    assert settled.batching is None
    assert settled.limit_mb == 16_000 * 0.5 / 2
    assert "All rows are trained at once (full batch)" in settled.sentence
    assert with_batches(planned, settled) == planned


def test_little_memory_does_not_put_a_small_study_into_batches(planned):
    # A process alone is most of it, and batches would not save that.
    settled = settle_batches(planned, jobs=1, free_mb=100)
    assert settled.batching is None
    assert "would save little" in settled.sentence


def test_what_does_not_fit_gets_batches_that_do_alike_for_every_graph_and_depth(
    planned,
):
    large = grown(planned, 20_000)
    whole = settle_batches(asking(large, batch_rows="full"), 1, 10**9)
    free = 2 * 0.7 * whole.whole_mb
    settled = settle_batches(large, jobs=1, free_mb=free)
    assert settled.batching is not None
    assert settled.needed_mb <= settled.limit_mb < settled.whole_mb
    told = with_batches(large, settled)
    assert told.batching == settled.batching
    assert told.study.budget.batch_rows == settled.batching.rows
    assert any("batches (mini-batches)" in note for note in told.notes)
    costs = estimate_cells(told).values()
    assert max(one.megabytes for one in costs) == settled.needed_mb
    # Another machine is not asked again.
    assert settle_batches(told, jobs=1, free_mb=10**9).batching == settled.batching


@pytest.mark.parametrize(
    ("asked", "batching"),
    [
        ({"batch_rows": "full"}, None),
        ({"batch_rows": 50, "batch_fan_out": "all"}, Batching(50)),
        ({"batch_rows": 50, "batch_fan_out": 3}, Batching(50, 3)),
    ],
)
def test_what_is_asked_for_is_done_whatever_memory_there_is(planned, asked, batching):
    for free in (1, 10**9):
        settled = settle_batches(asking(planned, **asked), 1, free)
        assert settled.batching == batching


@pytest.mark.parametrize("name", ["batch_rows", "batch_fan_out"])
@pytest.mark.parametrize("value", [0, -3, "some"])
def test_other_batches_are_refused(name, value):
    with pytest.raises(ModelError, match=f'The budget has {name} "{value}"; a whole'):
        Budget(**{name: value})


def test_a_batch_is_expected_to_see_what_chance_and_the_fan_out_let_it_see():
    # 100 shops of 10 towns: each shop hears its town, each town its 10 shops.
    nodes, ways = (
        {"shop": 100, "town": 10},
        [("town", "shop", 100), ("shop", "town", 100)],
    )
    asked = [{}, {}, {"shop": 1}]
    seen = seen_load(nodes, ways, asked, None)
    assert seen.messages[1] == (1,)
    assert seen.rows[1]["town"] == pytest.approx(1, abs=0.06)
    # One layer down also that town's shops.
    assert seen.messages[0][1] == pytest.approx(10, rel=0.06)
    few = seen_load(nodes, ways, asked, 2)
    assert few.messages[0][1] == pytest.approx(2, rel=0.06)
    # Asked for everything, it is the whole graph.
    every = seen_load(nodes, ways, [{}, {}, nodes], None)
    assert every.messages == ((100, 100), (100, 100))
    assert every.rows == (nodes, nodes, nodes)


def test_children_of_different_parents_are_met_once_each():
    # Every child has one parent: 5 of 10 parents hear 50 of their 100 children.
    ways = [("child", "parent", 100)]
    seen = seen_load({"child": 100, "parent": 10}, ways, [{}, {"parent": 5}], None)
    assert seen.rows[0] == {"child": pytest.approx(50), "parent": 5}
    # Of those without a key, nobody hears: 40 of 100 children have a parent.
    ways = [("child", "parent", 40)]
    seen = seen_load({"child": 100, "parent": 10}, ways, [{}, {"parent": 10}], None)
    assert seen.rows[0]["child"] == pytest.approx(40)


def test_batches_run_are_recorded_and_answer_for_no_run_of_all_rows_at_once(
    town, tmp_path
):
    told: list[Settled] = []
    budget = replace(town.budget, batch_rows=64, batch_fan_out=2)
    asked = replace(town, arms=town.arms[:1], depths=(1,), budget=budget)

    def starts_something(study: Study) -> bool:
        states: set[str] = set()
        run_study(
            study,
            tmp_path / "out",
            lambda progress: states.update(one.state for one in progress.cells),
            jobs=1,
            cache=tmp_path,
            on_settled=told.append,
        )
        return "running" in states

    assert starts_something(asked)
    assert told[0].batching == Batching(64, 2)
    (trial,) = pd.read_parquet(tmp_path / "out" / "trials.parquet").to_dict("records")
    found = trial["status"], trial["batch_rows"], trial["batch_fan_out"]
    assert found == ("ok", 64, 2)
    plan = (tmp_path / "out" / "plan.json").read_text()
    assert "batches (mini-batches) of 64 with at most 2 neighbours" in plan
    # The study beside the results names its batches, so that it is the same run.
    again = read_study(tmp_path / "out" / "study.toml")
    assert again.budget == budget
    assert not starts_something(again)
    # All rows at once is another run, and the same one however it is asked for.
    for rows, is_new in (("full", True), ("auto", False)):
        whole = replace(asked, budget=replace(town.budget, batch_rows=rows))
        assert starts_something(whole) is is_new
