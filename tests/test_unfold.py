"""Unfolding over time: equal to the graph of each moment, and never later than it."""

import sqlite3
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

from tests.graphs import features, relation, shop, web
from workbench.cell import Cell, Workload
from workbench.copies import Tracer
from workbench.cost import estimate_seconds
from workbench.errors import GraphError
from workbench.execute import run_study
from workbench.field import receptive_field
from workbench.graph import Graph
from workbench.instances import Unfolding
from workbench.model import Network, gather_inputs
from workbench.models import MODELS
from workbench.planning import plan_study
from workbench.remedies import REMEDIES
from workbench.results import load_results
from workbench.run import Budget
from workbench.sampled import build_probe
from workbench.sampling import Choice
from workbench.study import Arm, Study
from workbench.task import Task, TaskSpec, TaskType
from workbench.unfold import Unfolded, unfold

CPU = torch.device("cpu")


def task_of(rows: list[int], moments: list[float]) -> Task:
    count = len(rows)
    return Task(
        spec=TaskSpec(target="customer.y"),
        task_type=TaskType.BINARY,
        classes=("0", "1"),
        metric="accuracy",
        rows=np.array(rows),
        labels=np.arange(count, dtype=float) % 2,
        split=(np.arange(count) % 3).astype(np.int8),
        keys=tuple(map(str, rows)),
        times=np.array(moments, dtype=float),
    )


def timed(graph: Graph, task: Task, seed: int) -> Graph:
    """Return a graph with random times 0 to 9, here and there none.

    A row is predicted when it is there.
    """
    draw = np.random.default_rng(seed)

    def times(number: int) -> np.ndarray:
        found = draw.integers(0, 10, number).astype(float)
        found[draw.random(number) < 0.1] = -np.inf
        return found

    nodes = {
        name: times(each.num_rows)
        for name, each in graph.nodes.items()
        if name != "city"
    }
    assert task.times is not None
    own = nodes[graph.target]
    own[task.rows] = np.minimum(own[task.rows], task.times)
    return replace(
        graph,
        times=nodes,
        relations=tuple(
            replace(one, times=times(len(one.source_rows)))
            if one.attributes is not None
            else one
            for one in graph.relations
        ),
    )


def at_moment(graph: Graph, moment: float) -> Graph:
    """Return the graph as it was, by a loop over its links."""
    relations = []
    for one in graph.relations:
        kept = [
            place
            for place in range(len(one.source_rows))
            if (one.times is None or one.times[place] <= moment)
            and _there(graph, one.source, one.source_rows[place], moment)
            and _there(graph, one.target, one.target_rows[place], moment)
        ]
        attributes = one.attributes
        relations.append(
            replace(
                one,
                source_rows=one.source_rows[kept],
                target_rows=one.target_rows[kept],
                attributes=None
                if attributes is None
                else attributes.take(torch.tensor(kept, dtype=torch.int64)),
                times=None,
            )
        )
    return replace(graph, relations=tuple(relations))


def _there(graph: Graph, name: str, row: int, moment: float) -> bool:
    return name not in graph.times or graph.times[name][row] <= moment


def network_for(graph: Graph, model: str, depth: int) -> Network:
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(depth)
        return Network(graph, MODELS[model], REMEDIES["none"], depth, 6, 2).eval()


@torch.no_grad()
def outputs(network: Network, graph: Graph, rows: np.ndarray) -> np.ndarray:
    """Return the outputs for rows, ascending, of a network as deep as it is."""
    depth = len(network.layers)
    nothing: list[dict[str, np.ndarray]] = [{} for _ in range(depth)]
    field = receptive_field(graph, [*nothing, {graph.target: rows}])
    return network(field, gather_inputs(graph, field, CPU))[1].numpy()


def small(model: str, seed: int = 0) -> tuple[Graph, Task]:
    graph = web(seed) if MODELS[model].nearest else shop(seed)
    return graph, task_of([0, 1, 2, 3], [5.0, 9.0, 5.0, np.inf])


@pytest.mark.parametrize("depth", [0, 1, 2, 3])
@pytest.mark.parametrize("model", list(MODELS))
def test_where_nothing_is_later_the_outputs_are_those_on_the_whole_graph(model, depth):
    graph, task = small(model)
    network = network_for(graph, model, depth)
    found = unfold(graph, task, Unfolding(depth))
    assert found.cut == 0
    np.testing.assert_allclose(
        outputs(network, found.graph, found.task.rows),
        outputs(network, graph, task.rows),
        atol=1e-5,
    )


@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize("model", list(MODELS))
def test_the_outputs_are_those_on_the_graph_of_each_rows_moment(model, seed):
    graph, task = small(model, seed)
    graph = timed(graph, task, seed)
    network = network_for(graph, model, 3)
    found = unfold(graph, task, Unfolding(3))
    mine = outputs(network, found.graph, found.task.rows)
    assert task.times is not None
    for place, (row, moment) in enumerate(zip(task.rows, task.times, strict=True)):
        then = at_moment(graph, moment)
        theirs = outputs(network, then, np.array([row]))[0]
        np.testing.assert_allclose(mine[place], theirs, atol=1e-5)


def test_a_shallower_network_says_the_same_on_a_deeper_unfolding():
    graph, task = small("sage")
    graph = timed(graph, task, 0)
    network = network_for(graph, "sage", 1)
    found = [unfold(graph, task, Unfolding(depth)) for depth in (1, 4)]
    one, other = (outputs(network, each.graph, each.task.rows) for each in found)
    np.testing.assert_allclose(one, other, atol=1e-6)


def fan(num_notes: int) -> tuple[Graph, Task]:
    """Return teams of two people each; notes of a team, one a day, from day 0 on.

    People 0 and 1 are predicted on day 4, person 2 on day 7. People refer to teams, and
    so do notes.
    """
    teams = [0, 0, 1]
    notes = [(at, at % 2) for at in range(num_notes)]
    graph = Graph(
        target="person",
        nodes={
            "person": features(3, 1),
            "team": features(2, 1),
            "note": features(num_notes, 1),
        },
        relations=(
            relation("person.team", ("person", "team"), list(enumerate(teams))),
            relation("note.team", ("note", "team"), notes),
        ),
        times={"note": np.arange(num_notes, dtype=float)},
    )
    return graph, task_of([0, 1, 2], [4.0, 4.0, 7.0])


def test_instances_are_counted_by_hand():
    graph, task = fan(10)
    found = unfold(graph, task, Unfolding(2))
    # Day 4: both people, team 0 once, its notes 0, 2, 4. Day 7: person 2, team 1, its
    # notes 1, 3, 5, 7.
    assert found.rows["person"].tolist() == [0, 1, 2]
    assert found.rows["team"].tolist() == [0, 1]
    assert found.moments["team"].tolist() == [4, 7]
    assert found.rows["note"].tolist() == [0, 2, 4, 1, 3, 5, 7]
    assert found.graph.hops["note"].tolist() == [2] * 7
    # A team hears its people and notes; a note would hear its team, if that mattered.
    assert found.graph.degrees["team"].tolist() == [2 + 3, 1 + 4]
    assert found.graph.degrees["note"].tolist() == [1] * 7
    heard = {(way.relation, way.reverse): way for way in found.graph.directions}
    assert len(heard["note.team", False].senders) == 7
    assert len(heard["note.team", True].senders) == 0


def test_the_task_keeps_all_but_its_row_numbers():
    graph, task = fan(4)
    swapped = replace(task, rows=np.array([1, 2, 0]))
    found = unfold(graph, swapped, Unfolding(1))
    assert found.task.rows.tolist() == [0, 1, 2]
    assert found.rows["person"].tolist() == [1, 2, 0]
    assert replace(found.task, rows=swapped.rows) == swapped


def test_the_same_row_at_two_moments_is_two_instances():
    graph, task = fan(10)
    late = replace(task, times=np.array([1.0, 4.0, 7.0]))
    found = unfold(graph, late, Unfolding(2))
    # On day 1 person 1 is not predicted, but there, having no time; team 0 hears it.
    pairs = zip(found.rows["team"], found.moments["team"], strict=True)
    assert sorted(pairs) == [(0, 1), (0, 4), (1, 7)]
    assert sorted(zip(found.rows["person"], found.moments["person"], strict=True)) == [
        (0, 1),
        (0, 4),
        (1, 1),
        (1, 4),
        (2, 7),
    ]


def received(found: Unfolded) -> dict[tuple[str, bool, int], list[int]]:
    """Return the rows that each receiving instance hears, a direction."""
    heard: dict[tuple[str, bool, int], list[int]] = {}
    for way in found.graph.directions:
        for sender, receiver in zip(way.senders, way.receivers, strict=True):
            key = way.relation, way.reverse, int(receiver)
            heard.setdefault(key, []).append(int(found.rows[way.source][sender]))
    return heard


@pytest.mark.parametrize("choice", list(Choice))
@pytest.mark.parametrize("fan_out", [1, 2, 3])
def test_a_sample_is_small_distinct_and_of_the_past(fan_out, choice):
    graph, task = fan(10)
    for seed in range(5):
        found = unfold(graph, task, Unfolding(3, fan_out, choice, seed))
        for rows in received(found).values():
            assert len(rows) == len(set(rows)) <= fan_out
        for name, times in graph.times.items():
            assert (times[found.rows[name]] <= found.moments[name]).all()


def test_the_latest_notes_stay_and_the_others_are_counted():
    graph, task = fan(10)
    found = unfold(graph, task, Unfolding(2, 2, Choice.LATEST))
    assert received(found)["note.team", False, 0] == [2, 4]
    assert received(found)["note.team", False, 1] == [5, 7]
    assert found.cut == (3 - 2) + (4 - 2)
    assert found.graph.degrees["team"].tolist() == [2 + 2, 1 + 2]


def test_a_uniform_sample_depends_on_the_seed_alone():
    graph, task = fan(60)
    task = replace(task, times=np.full(3, 60.0))

    def drawn(seed: int) -> list[int]:
        found = unfold(graph, task, Unfolding(2, 5, Choice.UNIFORM, seed))
        return received(found)["note.team", False, 0]

    assert drawn(0) == drawn(0)
    assert drawn(0) != drawn(1)


def test_copies_of_a_sampled_graph_hear_what_the_sampled_rows_hear():
    graph, task = fan(10)
    network = network_for(graph, "sage", 2)
    found = unfold(graph, task, Unfolding(2, 1))
    copies = Tracer(found.graph).copy(found.task.rows, 2, {})
    assert copies is not None
    np.testing.assert_allclose(
        outputs(network, copies, copies.seeds),
        outputs(network, found.graph, found.task.rows),
        atol=1e-5,
    )


def test_only_rows_that_hear_all_their_neighbours_are_measured():
    # Person 1 is not predicted: it stands two hops from person 0 and would hear team 0
    # at a third, so that of the people only the predicted ones are complete.
    graph, _ = fan(10)
    found = unfold(graph, task_of([0, 2], [4.0, 7.0]), Unfolding(2))
    assert found.graph.hops["person"].tolist() == [0, 0, 2]
    probe = build_probe(found.graph, found.task, 2, CPU)
    assert probe.alone.rows["person"].tolist() == [0, 1]
    assert probe.alone.rows["team"].tolist() == [0, 1]
    assert probe.kin is not None
    (family,) = [one for one in probe.kin.groups if one.relation == "person.team"]
    assert family.rows.tolist() == [0, 1]


def test_a_graph_with_empty_tables_is_unfolded():
    graph = Graph(
        target="person",
        nodes={"person": features(3, 1), "team": features(0, 1)},
        relations=(relation("person.team", ("person", "team"), []),),
        times={"team": np.zeros(0)},
    )
    found = unfold(graph, task_of([0, 2], [1.0, 2.0]), Unfolding(2))
    assert found.rows["person"].tolist() == [0, 2]
    assert found.rows["team"].tolist() == []


def test_a_fan_out_below_one_is_refused():
    with pytest.raises(GraphError, match='neighbours is "0"; 1 or more work'):
        Unfolding(2, 0)


def write_future(path: Path, num_rows: int = 400) -> tuple[Path, Path]:
    """Write orders whose label only a visit of the next day tells; return hints too.

    A visit of the day before is there as well, and says nothing.
    """
    draw = np.random.default_rng(0)
    good = draw.integers(0, 2, num_rows).tolist()
    with sqlite3.connect(path) as connection:
        connection.executescript(
            """
            CREATE TABLE customer (id INTEGER PRIMARY KEY, age REAL);
            CREATE TABLE buys (id INTEGER PRIMARY KEY, day TEXT, price REAL,
              good INTEGER, customer INTEGER REFERENCES customer (id));
            CREATE TABLE visit (id INTEGER PRIMARY KEY, day TEXT, score REAL,
              customer INTEGER REFERENCES customer (id));
            """
        )
        ages, prices, noise = draw.normal(size=(3, num_rows)).round(6).tolist()
        connection.executemany("INSERT INTO customer VALUES (?, ?)", enumerate(ages))
        connection.executemany(
            "INSERT INTO buys VALUES (?, ?, ?, ?, ?)",
            [
                (at, f"2020-{1 + at % 12:02d}-15", prices[at], good[at], at)
                for at in range(num_rows)
            ],
        )
        connection.executemany(
            "INSERT INTO visit VALUES (?, ?, ?, ?)",
            [
                (2 * at + late, f"2020-{1 + at % 12:02d}-{14 + 2 * late}", score, at)
                for at in range(num_rows)
                for late, score in ((0, noise[at]), (1, 4.0 * good[at] - 2))
            ],
        )
    connection.close()
    hints = path.with_suffix(".hints.toml")
    hints.write_text(
        '[tables.buys]\ntime_column = "day"\n[tables.visit]\ntime_column = "day"\n'
    )
    return path, hints


@pytest.fixture(scope="module")
def future(tmp_path_factory: pytest.TempPathFactory) -> Study:
    path, hints = write_future(tmp_path_factory.mktemp("future") / "future.db")
    return Study(
        arms=tuple(
            Arm(str(path), topology, str(hints))
            for topology in ("row2node", "aggregated")
        ),
        task=TaskSpec(target="buys.good"),
        depths=(2,),
        seeds=1,
        metric="accuracy",
        budget=Budget(epochs=60, width=16),
    )


def test_a_label_that_only_the_future_tells_is_lost_once_time_is_respected(
    future, tmp_path
):
    planned = plan_study(future, tmp_path)
    (arm, _) = planned.arms
    assert arm.unfolding == Unfolding(2)
    scores = {}
    for name, one in (("then", arm), ("ever", replace(arm, unfolding=None))):
        bench = Workload((one,), future.budget, projected_seed=-1)()
        found = bench(Cell(0, "sage", "none", 2, 0), lambda news: None)
        scores[name] = found.trial.test
    # 60 test rows: three standard errors of a fair coin are .19.
    assert scores["ever"] > 0.9
    assert scores["then"] < 0.5 + 0.19


def test_a_plan_counts_no_future_row_and_says_what_it_would_have_been(future, tmp_path):
    planned = plan_study(future, tmp_path)
    assert planned.future_rows == 0
    (plan,) = planned.plans.values()
    rows, summaries = (one["time"] for one in plan["topologies"])
    # 400 orders, of which a sample of 256 is counted: each sees one visit of later.
    assert rows["future_rows_without_unfolding"] == 256
    assert rows["way_without_unfolding"] == "buys ← customer ← visit"
    assert rows["future_rows"] == summaries["future_rows"] == 0
    assert summaries["future_rows_without_unfolding"] == 0
    # An order, its customer and one visit. The customer hears both, the order hears
    # the customer; at the outermost hop the visit hears nobody.
    assert rows["instances"] == 3 * 400
    assert rows["messages"] == 3 * 400
    assert rows["moments"] == 12
    assert any("what was known at its own time" in note for note in planned.notes)
    assert any("256 later ones, such as by way of buys" in one for one in planned.notes)


@pytest.mark.slow
def test_a_study_over_time_runs_and_its_report_counts_no_future_row(future, tmp_path):
    comparison = run_study(
        replace(future, depths=(0, 1, 2), budget=Budget(epochs=2, width=4)),
        tmp_path / "out",
        jobs=1,
        cache=tmp_path,
    )
    assert comparison.future_rows == 0
    results = load_results(tmp_path / "out")
    assert set(results.trials.status) == {"ok"}
    assert results.predictions.key.isin([str(at) for at in range(400)]).all()
    report = (tmp_path / "out" / "report.html").read_text()
    assert "Future rows reachable: <b>0</b>" in report


def test_an_estimate_counts_what_is_trained_on(future, tmp_path):
    planned = plan_study(future, tmp_path)
    (plan,) = planned.plans.values()
    larger = [
        {**one, "time": {**one["time"], "instances": 10**6}}
        for one in plan["topologies"]
    ]
    inflated = replace(planned, plans={"future": {**plan, "topologies": larger}})
    assert estimate_seconds(inflated, 1) > estimate_seconds(planned, 1) + 1


def test_without_moments_there_is_nothing_to_unfold_over():
    graph, task = fan(2)
    with pytest.raises(ValueError, match="without moments"):
        unfold(graph, replace(task, times=None), Unfolding(1))
