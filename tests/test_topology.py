"""What topologies decide, from schemas alone."""

import re
from collections.abc import Mapping
from pathlib import Path

import pytest

from tests.tiny import make_key, make_schema, make_table
from workbench.blueprint import (
    Blueprint,
    ColumnRef,
    ColumnRole,
    JunctionEdge,
    KeyEdge,
    KeyRole,
    RowNode,
    TableRole,
    ValueEdge,
    ValueNode,
)
from workbench.errors import TopologyError
from workbench.passes import Drop, Fold, Override, Promote
from workbench.schema import Stype
from workbench.task import TaskSpec
from workbench.topologies import (
    TOPOLOGIES,
    plan_named,
    read_topology,
    resolve_topology,
)
from workbench.topology import Topology, hops, plan


def one_off(*passes) -> Topology:
    return Topology("mine", "", "", passes, "", "", "", "")


def one_way(direction: KeyRole, *keys: str) -> Override:
    return Override(keys=dict.fromkeys(keys, direction))


def roles(decisions) -> dict[str, str]:
    return {one.subject: str(one.role) for one in decisions}


def reasons(decisions) -> Mapping[str, str]:
    return {one.subject: one.reason for one in decisions}


def features(blueprint: Blueprint, node: str) -> list[str]:
    rule = blueprint.node(node)
    assert isinstance(rule, RowNode)
    return [ref.name for ref in rule.columns]


RICH = TaskSpec(target="person.rich")
GOOD = TaskSpec(target="pupil.good")


def test_row2node_makes_every_table_a_node_and_every_key_an_edge(chain):
    blueprint = plan_named(chain, RICH, "row2node")
    assert [node.name for node in blueprint.nodes] == [
        "person",
        "address",
        "city",
        "state",
    ]
    assert [edge.name for edge in blueprint.edges] == [
        "person.a->address",
        "address.c->city",
        "city.s->state",
    ]
    assert hops(blueprint) == {
        "person.id": None,
        "person.age": 0,
        "person.a": None,
        "address.id": None,
        "address.floor": 1,
        "address.c": None,
        "city.id": None,
        "city.size": 2,
        "city.s": None,
        "state.id": None,
        "state.kind": 3,
    }


def test_single_table_sees_the_targets_own_columns_and_nothing_else(chain):
    blueprint = plan_named(chain, RICH, "single-table")
    assert [node.name for node in blueprint.nodes] == ["person"]
    assert blueprint.edges == ()
    seen = {name: hop for name, hop in hops(blueprint).items() if hop is not None}
    assert seen == {"person.age": 0}


def test_flattened_carries_every_ancestor_into_the_target(chain):
    blueprint = plan_named(chain, RICH, "flattened")
    assert features(blueprint, "person") == [
        "age",
        "a→address.floor",
        "a→c→city.size",
        "a→c→s→state.kind",
    ]
    assert blueprint.edges == ()
    assert roles(blueprint.tables) == {
        "person": "node",
        "address": "folded",
        "city": "folded",
        "state": "folded",
    }


def test_a_table_below_the_target_inherits_nothing_it_does_not_refer_to(chain):
    blueprint = plan_named(chain, TaskSpec(target="city.size"), "flattened")
    assert features(blueprint, "city") == ["s→state.kind"]
    assert features(blueprint, "person") == ["age", "rich", "a→address.floor"]
    (edge,) = blueprint.edges
    assert edge == KeyEdge(
        name="person.a->address→address.c->city",
        source="person",
        target="city",
        path=("person.a->address",),
        key="address.c->city",
        direction=KeyRole.EDGE,
    )


def test_a_hub_stays_a_node_and_the_reason_names_what_would_be_lost():
    schema = make_schema(
        [
            make_table("people", {"id": "id", "born": "numerical"}),
            make_table("salaries", {"p": "id", "pay": "numerical"}, ()),
            make_table("batting", {"p": "id", "hits": "numerical"}, ()),
        ],
        ["salaries.p->people", "batting.p->people"],
    )
    spec = TaskSpec(target="salaries.pay")
    blueprint = plan_named(schema, spec, "flattened")
    assert roles(blueprint.tables)["people"] == "node"
    assert (
        "batting would lose the way to salaries" in reasons(blueprint.tables)["people"]
    )

    full = plan(schema, spec, one_off(Fold(full=True)))
    assert roles(full.tables)["people"] == "folded"
    assert full.edges == ()
    assert full.warnings == (
        "With people folded, batting lost the way to salaries.",
        'No path leads from the target to "batting".',
    )
    assert hops(full)["people.born"] == 0
    assert hops(full)["batting.hits"] is None


def test_a_parent_is_folded_where_the_others_have_a_second_way_round():
    schema = make_schema(
        [
            make_table("visit", {"h": "id", "d": "id", "y": "numerical"}, ()),
            make_table("hospital", {"id": "id", "beds": "numerical"}),
            make_table("ward", {"h": "id", "d": "id", "size": "numerical"}, ()),
            make_table("doctor", {"id": "id", "skill": "numerical"}),
            make_table("degree", {"d": "id", "grade": "numerical"}, ()),
        ],
        [
            "visit.h->hospital",
            "visit.d->doctor",
            "ward.h->hospital",
            "ward.d->doctor",
            "degree.d->doctor",
        ],
    )
    blueprint = plan_named(schema, TaskSpec(target="visit.y"), "flattened")
    assert roles(blueprint.tables) == {
        "visit": "node",
        "hospital": "folded",
        "ward": "node",
        "doctor": "node",
        "degree": "node",
    }
    assert hops(blueprint)["ward.size"] == 2


def test_a_detour_that_folding_makes_is_told():
    schema = make_schema(
        [
            make_table("row", {"id": "id", "p": "id", "y": "numerical"}),
            make_table("parent", {"id": "id", "x": "numerical"}),
            make_table("aside", {"p": "id", "m": "id", "z": "numerical"}, ()),
            make_table("middle", {"id": "id"}),
            make_table("note", {"r": "id", "m": "id"}, ()),
        ],
        [
            "row.p->parent",
            "aside.p->parent",
            "aside.m->middle",
            "note.r->row",
            "note.m->middle",
        ],
    )
    spec = TaskSpec(target="row.y")
    assert hops(plan_named(schema, spec, "row2node"))["aside.z"] == 2
    blueprint = plan_named(schema, spec, "flattened")
    assert hops(blueprint)["aside.z"] == 3
    assert blueprint.warnings == (
        "With parent folded, rows no longer meet there; further from row now:"
        " aside (2 → 3 hops).",
    )


def test_of_two_parents_that_hold_a_table_together_the_deeper_one_is_folded():
    schema = make_schema(
        [
            make_table("row", {"a": "id", "y": "numerical"}, ()),
            make_table("a", {"id": "id", "b": "id"}),
            make_table("b", {"id": "id", "x": "numerical"}),
            make_table("other", {"a": "id", "b": "id", "z": "numerical"}, ()),
        ],
        ["row.a->a", "a.b->b", "other.a->a", "other.b->b"],
    )
    blueprint = plan_named(schema, TaskSpec(target="row.y"), "flattened")
    assert roles(blueprint.tables) == {
        "row": "node",
        "a": "node",
        "b": "folded",
        "other": "node",
    }
    assert features(blueprint, "other") == ["z", "b→b.x"]


def test_self_references_and_circles_stay_edges():
    schema = make_schema(
        [
            make_table("employee", {"id": "id", "boss": "id", "d": "id", "y": "id"}),
            make_table("department", {"id": "id", "head": "id", "size": "numerical"}),
            make_table("task", {"e": "id", "hours": "numerical"}, ()),
        ],
        [
            "employee.boss->employee",
            "employee.d->department",
            "department.head->employee",
            "task.e->employee",
        ],
    )
    blueprint = plan_named(schema, TaskSpec(target="task.hours"), "flattened")
    assert set(roles(blueprint.tables).values()) == {"node"}
    assert set(roles(blueprint.keys).values()) == {"edge"}
    assert "lead back" in reasons(blueprint.tables)["employee"]


def test_two_keys_to_one_parent_give_two_sets_of_columns_with_names_of_their_own():
    schema = make_schema(
        [
            make_table("game", {"home": "id", "away": "id", "y": "numerical"}, ()),
            make_table("team", {"id": "id", "rank": "numerical"}),
        ],
        ["game.home->team", "game.away->team"],
    )
    spec = TaskSpec(target="game.y")
    assert features(plan_named(schema, spec, "flattened"), "game") == [
        "home→team.rank",
        "away→team.rank",
    ]
    edges = plan_named(schema, spec, "row2node").edges
    assert [edge.name for edge in edges] == ["game.home->team", "game.away->team"]


def test_one_column_that_refers_to_two_parents_is_told_apart_by_the_parent():
    schema = make_schema(
        [
            make_table("row", {"k": "id", "y": "numerical"}, ()),
            make_table("a", {"id": "id", "m": "id"}),
            make_table("b", {"id": "id", "m": "id"}),
            make_table("c", {"id": "id", "x": "numerical"}),
        ],
        ["row.k->a", "row.k->b", "a.m->c", "b.m->c"],
    )
    blueprint = plan_named(schema, TaskSpec(target="row.y"), "flattened")
    assert features(blueprint, "row") == ["k(a)→m→c.x", "k(b)→m→c.x"]


def test_a_junction_becomes_an_edge_with_its_columns_as_attributes(school):
    blueprint = plan_named(school, GOOD, "row2edge")
    grade = ColumnRef((), "enrolment", "grade", Stype.NUMERICAL)
    assert blueprint.edges == (
        JunctionEdge(
            name="enrolment",
            table="enrolment",
            source="pupil",
            source_key="enrolment.p->pupil",
            target="course",
            target_key="enrolment.c->course",
            columns=(grade,),
            direction=KeyRole.EDGE,
        ),
    )
    found = hops(blueprint)
    assert found["course.level"] == 1
    assert found["enrolment.grade"] == 1
    assert hops(plan_named(school, GOOD, "row2node"))["course.level"] == 2


def test_what_others_make_of_a_junction_stands_in_its_reason(school):
    reason = reasons(plan_named(school, GOOD, "row2edge").tables)["enrolment"]
    assert "4DBInfer as documented (no primary key, two keys): edge" in reason
    keyed = make_schema(
        [
            *school.tables[:2],
            make_table("enrolment", {"id": "id", "p": "id", "c": "id"}),
        ],
        ["enrolment.p->pupil", "enrolment.c->course"],
    )
    blueprint = plan_named(keyed, GOOD, "row2edge")
    reason = reasons(blueprint.tables)["enrolment"]
    assert roles(blueprint.tables)["enrolment"] == "edge"
    assert "4DBInfer as documented (no primary key, two keys): node" in reason
    assert "4DBInfer as coded (two keys, not referred to): edge" in reason


def test_a_table_that_is_referred_to_or_has_three_keys_or_is_the_target_is_no_junction(
    school,
):
    referred = make_schema(
        [*school.tables, make_table("note", {"e": "id", "text": "text"}, ())],
        [*(key.id for key in school.foreign_keys), "note.e->enrolment"],
    )
    assert roles(plan_named(referred, GOOD, "row2edge").tables)["enrolment"] == "node"

    third = make_schema(
        [*school.tables, make_table("term", {"id": "id"})],
        [*(key.id for key in school.foreign_keys), "enrolment.p->term"],
    )
    blueprint = plan_named(third, GOOD, "row2edge")
    assert "3 foreign keys" in reasons(blueprint.tables)["enrolment"]

    grade = TaskSpec(target="enrolment.grade")
    assert roles(plan_named(school, grade, "row2edge").tables)["enrolment"] == "node"


def test_a_junction_whose_keys_lead_to_one_table_ties_that_table_to_itself():
    schema = make_schema(
        [
            make_table("person", {"id": "id", "y": "numerical"}),
            make_table("friend", {"a": "id", "b": "id"}, ()),
        ],
        ["friend.a->person", "friend.b->person"],
    )
    (edge,) = plan_named(schema, TaskSpec(target="person.y"), "row2edge").edges
    assert isinstance(edge, JunctionEdge)
    assert (edge.source, edge.target) == ("person", "person")
    assert (edge.source_key, edge.target_key) == (
        "friend.a->person",
        "friend.b->person",
    )


def test_promoted_columns_are_one_hop_away_from_every_row_that_carries_them(chain):
    blueprint = plan_named(chain, RICH, "promoted")
    assert [node.name for node in blueprint.nodes] == ["person", "state.kind"]
    (edge,) = blueprint.edges
    assert isinstance(edge, ValueEdge)
    assert edge.name == "person.a→c→s→state.kind"
    assert edge.column.path == (
        "person.a->address",
        "address.c->city",
        "city.s->state",
    )
    found = hops(blueprint)
    assert found["state.kind"] == 1
    assert found["city.size"] == 0
    assert "state.kind ties about 4 rows" in blueprint.warnings[0]


@pytest.mark.parametrize(
    ("num_distinct", "promoted"), [(1, 0), (2, 1), (50, 1), (51, 0)]
)
def test_only_columns_with_two_to_fifty_values_are_promoted(num_distinct, promoted):
    table = make_table(
        "t", {"kind": "categorical", "y": "numerical"}, (), num_distinct=num_distinct
    )
    blueprint = plan_named(make_schema([table], []), TaskSpec("t.y"), "promoted")
    values = [node for node in blueprint.nodes if isinstance(node, ValueNode)]
    assert len(values) == promoted


def test_a_promoted_column_can_be_kept_as_a_feature():
    table = make_table("t", {"kind": "categorical", "y": "numerical"}, ())
    schema, spec = make_schema([table], []), TaskSpec("t.y")
    kept = plan(schema, spec, one_off(Promote(keep=True)))
    assert features(kept, "t") == ["kind"]
    assert hops(kept)["t.kind"] == 0
    moved = plan(schema, spec, one_off(Promote()))
    assert features(moved, "t") == []
    assert hops(moved)["t.kind"] == 1


def test_what_a_junction_carries_is_not_promoted(school):
    schema = make_schema(
        [
            *school.tables[:2],
            make_table("enrolment", {"p": "id", "c": "id", "mark": "categorical"}, ()),
        ],
        [key.id for key in school.foreign_keys],
    )
    topology = one_off(*TOPOLOGIES["row2edge"].passes, Fold(), Promote())
    blueprint = plan(schema, GOOD, topology)
    assert roles(blueprint.columns)["enrolment.mark"] == "feature"
    assert roles(blueprint.columns)["course.level"] == "promoted"
    assert "edges of enrolment end at" in reasons(blueprint.tables)["course"]


def test_what_a_junction_carries_from_a_folded_parent_is_not_promoted_either(school):
    schema = make_schema(
        [
            *school.tables[:2],
            make_table("enrolment", {"p": "id", "c": "id", "t": "id"}, ()),
            make_table("term", {"id": "id", "kind": "categorical"}),
        ],
        [*(key.id for key in school.foreign_keys), "enrolment.t->term"],
    )
    override = Override(
        tables={"enrolment": TableRole.EDGE},
        keys={"enrolment.t->term": KeyRole.FOLDED},
    )
    blueprint = plan(schema, GOOD, one_off(override, Promote()))
    assert roles(blueprint.columns)["term.kind"] == "feature"
    (edge,) = (one for one in blueprint.edges if isinstance(one, JunctionEdge))
    assert [ref.name for ref in edge.columns] == ["t→term.kind"]


def test_the_names_in_an_id_column_are_categories_once_promoted(chain):
    topology = read_topology('[columns]\n"city.s" = "promoted"')
    node = plan(chain, RICH, topology).node("city.s")
    assert isinstance(node, ValueNode)
    assert node.column.stype is Stype.CATEGORICAL


def test_messages_up_only_never_bring_a_parent_to_the_target(chain):
    every = [key.id for key in chain.foreign_keys]
    up = plan(chain, RICH, one_off(one_way(KeyRole.UP, *every)))
    assert hops(up)["address.floor"] is None
    assert "address" in up.warnings[0]
    down = plan(chain, RICH, one_off(one_way(KeyRole.DOWN, *every)))
    assert hops(down)["state.kind"] == 3
    one = plan(chain, RICH, one_off(one_way(KeyRole.UP, "city.s->state")))
    assert hops(one)["city.size"] == 2
    assert hops(one)["state.kind"] is None


def test_a_junction_lets_messages_through_the_way_its_two_keys_do(school):
    def direction(**keys: KeyRole) -> KeyRole:
        names = {f"enrolment.{one}->{_PARENT[one]}": role for one, role in keys.items()}
        topology = one_off(*TOPOLOGIES["row2edge"].passes, Override(keys=names))
        return plan(school, GOOD, topology).edges[0].direction

    assert direction(p=KeyRole.UP) is KeyRole.DOWN
    assert direction(p=KeyRole.DOWN) is KeyRole.UP
    assert direction(c=KeyRole.UP) is KeyRole.UP
    assert direction(p=KeyRole.UP, c=KeyRole.DOWN) is KeyRole.DOWN


_PARENT = {"p": "pupil", "c": "course"}


def test_a_dropped_table_takes_its_keys_and_columns_with_it(chain):
    blueprint = plan(chain, RICH, one_off(Drop(tables=("city",))))
    assert roles(blueprint.keys) == {
        "person.a->address": "edge",
        "address.c->city": "dropped",
        "city.s->state": "dropped",
    }
    assert roles(blueprint.columns)["city.size"] == "dropped"
    assert blueprint.warnings == ('No path leads from the target to "state".',)


def test_a_year_inside_a_composite_key_stays_a_feature_and_a_single_key_does_not():
    teams = make_table(
        "teams",
        {"year": "numerical", "team": "categorical", "wins": "numerical"},
        ("year", "team"),
    )
    batting = make_table(
        "batting",
        {"player": "numerical", "year": "numerical", "team": "categorical", "y": "id"},
        (),
    )
    players = make_table("players", {"id": "numerical"})
    schema = make_schema(
        [batting, teams, players],
        [
            make_key("batting.year+team->teams", ("year", "team")),
            "batting.player->players",
        ],
    )
    blueprint = plan_named(schema, TaskSpec(target="batting.y"), "row2node")
    assert features(blueprint, "batting") == ["year", "team"]
    assert features(blueprint, "teams") == ["year", "team", "wins"]
    assert features(blueprint, "players") == []


def test_a_key_made_of_the_target_or_a_hidden_column_makes_no_edge(chain):
    target = plan_named(chain, TaskSpec(target="person.a"), "row2node")
    assert roles(target.keys)["person.a->address"] == "dropped"
    referred = plan_named(chain, TaskSpec(target="state.id"), "row2node")
    assert roles(referred.keys)["city.s->state"] == "dropped"
    hidden = TaskSpec(target="person.rich", hide=("address.c",))
    assert (
        roles(plan_named(chain, hidden, "flattened").keys)["address.c->city"]
        == "dropped"
    )


def test_the_same_plan_has_the_same_hash_and_another_plan_another(chain):
    hash_of = {name: plan_named(chain, RICH, name).hash for name in TOPOLOGIES}
    assert hash_of == {name: plan_named(chain, RICH, name).hash for name in TOPOLOGIES}
    assert hash_of["row2edge"] == hash_of["row2node"]  # the chain has no junction
    assert len(set(hash_of.values())) == len(TOPOLOGIES) - 1
    assert all(re.fullmatch("[0-9a-f]{12}", one) for one in hash_of.values())


@pytest.mark.parametrize("name", list(TOPOLOGIES))
def test_a_plan_saved_as_toml_plans_the_same_graph(name, chain, school, tmp_path):
    for schema, spec in ((chain, RICH), (school, GOOD)):
        blueprint = plan_named(schema, spec, name)
        path = tmp_path / "saved.toml"
        path.write_text(blueprint.to_toml(), encoding="utf-8")
        again = plan_named(schema, spec, path)
        assert again.name == name
        assert again.hash == blueprint.hash
        assert roles(again.columns) == roles(blueprint.columns)


def test_a_topology_file_changes_its_base_where_it_says_so(chain, tmp_path: Path):
    path = tmp_path / "towns.toml"
    path.write_text(
        """
        base = "flattened"
        [tables]
        city = "node"
        [columns]
        "state.kind" = "promoted-and-feature"
        """
    )
    blueprint = plan_named(chain, RICH, str(path))
    assert blueprint.name == "towns"
    assert features(blueprint, "person") == ["age", "a→address.floor"]
    assert features(blueprint, "city") == ["size", "s→state.kind"]
    assert hops(blueprint)["city.size"] == 1
    assert hops(blueprint)["state.kind"] == 1
    assert [edge.name for edge in blueprint.edges] == [
        "person.a->address→address.c->city",
        "city.s→state.kind",
    ]


def test_full_folds_hubs_in_a_topology_file():
    topology = read_topology('base = "flattened"\nfull = true')
    assert topology.passes[0] == Fold(full=True)


def test_a_table_that_comes_back_brings_its_keys_and_columns(chain):
    blueprint = plan(
        chain,
        RICH,
        one_off(Drop(tables=("city",)), Override(tables={"city": TableRole.NODE})),
    )
    assert blueprint.hash == plan_named(chain, RICH, "row2node").hash


BAD_FILES = {
    'base = "row2nod"': 'no topology "row2nod"; did you mean "row2node"',
    'bass = "row2node"': 'no topology setting "bass"; did you mean "base"',
    "base = ": "is not TOML",
    "tables = 3": '"tables" of a topology file is a table of names and roles',
    '[tables]\ncitty = "node"': 'no table "citty"; did you mean "city"',
    '[tables]\ncity = "nodes"': '"city" cannot be "nodes"',
    '[keys]\n"person.a->adress" = "edge"': 'did you mean "person.a->address"',
    '[columns]\n"person.agee" = "feature"': 'did you mean "person.age"',
    '[columns]\n"person.rich" = "feature"': "has to stay",
    '[columns]\n"person.rich" = "promoted"': "has to stay",
    '[columns]\n"person.id" = "feature"': "not something to learn from",
    '[tables]\nperson = "dropped"': 'has to be a "node"',
    '[tables]\nperson = "folded"': 'has to be a "node"',
    '[tables]\ncity = "edge"': '"city" cannot be an "edge" while "address.c->city"',
    '[tables]\ncity = "edge"\n[keys]\n"address.c->city" = "dropped"': (
        "exactly two keys left as edges; it has 1."
    ),
    '[keys]\n"address.c->city" = "folded"\n[tables]\ncity = "dropped"': (
        'is "folded" while "city" is "dropped"'
    ),
    '[tables]\ncity = "folded"\n[keys]\n"address.c->city" = "edge"': (
        '"city" has to be a "node"'
    ),
    '[tables]\ncity = "folded"\n[keys]\n"address.c->city" = "dropped"': (
        "no key that leads to it is"
    ),
    '[tables]\ncity = "dropped"\n[columns]\n"city.size" = "feature"': (
        'is "feature" while "city" is "dropped"'
    ),
    '[tables]\ncity = "dropped"\n[keys]\n"city.s->state" = "edge"': (
        'is "edge" while "city" is "dropped"'
    ),
    'base = "row2node"\nfull = true': 'folds nothing, so "full" says nothing',
}


@pytest.mark.parametrize("text", list(BAD_FILES))
def test_a_topology_file_that_cannot_be_planned_is_refused_with_a_sentence(text, chain):
    with pytest.raises(TopologyError, match=re.escape(BAD_FILES[text])):
        plan(chain, RICH, read_topology(text))


def test_a_key_that_leads_to_the_target_is_not_folded(school):
    override = Override(keys={"enrolment.p->pupil": KeyRole.FOLDED})
    with pytest.raises(TopologyError, match="leads to the target"):
        plan(school, GOOD, one_off(override))


def test_a_circle_of_folded_keys_is_refused():
    schema = make_schema(
        [
            make_table("t", {"id": "id", "a": "id", "y": "numerical"}),
            make_table("a", {"id": "id", "a": "id"}),
        ],
        ["t.a->a", "a.a->a"],
    )
    with pytest.raises(TopologyError, match="leads back"):
        plan(
            schema,
            TaskSpec(target="t.y"),
            one_off(Override(tables={"a": TableRole.FOLDED})),
        )


def test_a_junction_that_lets_nothing_through_is_refused(school):
    up = one_way(KeyRole.UP, *(key.id for key in school.foreign_keys))
    with pytest.raises(TopologyError, match="no message can cross"):
        plan(school, GOOD, one_off(*TOPOLOGIES["row2edge"].passes, up))


def test_an_edges_attribute_cannot_become_a_value_node(school):
    override = Override(columns={"enrolment.grade": ColumnRole.PROMOTED})
    with pytest.raises(TopologyError, match="keep it a"):
        plan(school, GOOD, one_off(*TOPOLOGIES["row2edge"].passes, override))


def test_a_table_that_rows_refer_to_cannot_be_an_edge():
    schema = make_schema(
        [
            make_table("t", {"id": "id", "p": "id", "q": "id"}),
            make_table("p", {"id": "id", "y": "numerical"}),
            make_table("n", {"t": "id"}, ()),
        ],
        ["t.p->p", "t.q->p", "n.t->t"],
    )
    with pytest.raises(TopologyError, match="refers to its rows"):
        plan(
            schema,
            TaskSpec(target="p.y"),
            one_off(Override(tables={"t": TableRole.EDGE})),
        )


@pytest.mark.parametrize("hidden", ["person.age", "address.floor", "state.kind"])
def test_no_file_brings_a_hidden_column_back(hidden, chain):
    spec = TaskSpec(target="person.rich", hide=(hidden,))
    for role in ("feature", "promoted", "promoted-and-feature"):
        topology = read_topology(f'[columns]\n"{hidden}" = "{role}"')
        with pytest.raises(TopologyError, match="has to stay"):
            plan(chain, spec, topology)


def test_an_unknown_topology_is_answered_with_the_nearest_name():
    with pytest.raises(TopologyError, match='did you mean "flattened"'):
        resolve_topology("flatened")


def test_a_topology_file_that_does_not_exist_is_named(tmp_path):
    with pytest.raises(TopologyError, match="cannot be read"):
        resolve_topology(tmp_path / "none.toml")


def test_a_blueprint_refuses_edges_that_end_nowhere():
    node = RowNode("t", "t", ())
    edge = KeyEdge("e", "t", "u", (), "t.u->u", KeyRole.EDGE)
    with pytest.raises(TopologyError, match="ends at a table that is no node"):
        Blueprint("mine", "t", (node,), (edge,), (), (), ())
    with pytest.raises(TopologyError, match="holds no rows of"):
        Blueprint("mine", "u", (node,), (), (), (), ())
    with pytest.raises(TopologyError, match='two node types named "t"'):
        Blueprint("mine", "t", (node, node), (), (), (), ())
    folded = KeyEdge("e", "t", "t", (), "t.t->t", KeyRole.FOLDED)
    with pytest.raises(TopologyError, match='has the direction "folded"'):
        Blueprint("mine", "t", (node,), (folded,), (), (), ())


@pytest.mark.parametrize("name", list(TOPOLOGIES))
def test_every_topology_says_what_it_counts_and_where_it_comes_from(name):
    topology = TOPOLOGIES[name]
    assert topology.title
    assert topology.story.endswith(".")
    assert topology.node_count
    assert topology.edge_count
    assert topology.hop_change
    assert "(20" in topology.source
