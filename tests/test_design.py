"""Changing a graph one decision at a time, and saying what that changed."""

import pytest

from tests.tiny import make_schema, make_table
from workbench.blueprint import (
    EDGE_ROLES,
    Blueprint,
    ColumnRole,
    KeyRole,
    PathRole,
    TableRole,
)
from workbench.design import (
    Choice,
    checked_name,
    choices,
    decide,
    design_to_toml,
    open_chains,
    read_design,
)
from workbench.difference import (
    SAME,
    describe_difference,
    describe_sizes,
    table_hops,
)
from workbench.errors import TopologyError
from workbench.schema import Schema
from workbench.task import TaskSpec
from workbench.topologies import TOPOLOGIES, plan_named, read_topology
from workbench.topology import plan
from workbench.ui import drawings, words

RICH = TaskSpec(target="person.rich")
GOOD = TaskSpec(target="pupil.good")
ROLES = (TableRole, KeyRole, ColumnRole, PathRole)


def offered(found: tuple[Choice, ...]) -> dict[str, str]:
    """Return why each role is refused, by role; nothing for one that is possible."""
    return {str(one.role): one.refused for one in found if not one.is_current}


def roles(blueprint: Blueprint) -> dict[str, str]:
    decisions = (*blueprint.tables, *blueprint.keys, *blueprint.columns)
    return {one.subject: str(one.role) for one in decisions}


def test_a_table_in_the_middle_of_a_chain_can_be_anything_but_an_edge(chain):
    found = choices(chain, RICH, plan_named(chain, RICH, "row2node"), "address")
    assert [str(one.role) for one in found if one.is_current] == ["node"]
    refused = offered(found)
    assert refused.pop("edge") == (
        '"address" cannot be an "edge" while "person.a->address" refers to its rows;'
        " drop that key or leave the rows nodes."
    )
    assert refused == {"folded": "", "aggregated": "", "dropped": ""}


def test_the_table_that_is_predicted_stays_a_node(chain):
    found = choices(chain, RICH, plan_named(chain, RICH, "row2node"), "person")
    assert set(offered(found).values()) == {
        '"person" holds what is predicted, so it has to be a "node".'
    }


def test_a_junction_can_become_an_edge_and_says_what_that_brings(school):
    plan_of = plan_named(school, GOOD, "row2node")
    found = {one.role: one for one in choices(school, GOOD, plan_of, "enrolment")}
    assert found[TableRole.EDGE].changes == (
        "rows are edges: enrolment between pupil and course",
        "as a result: course; 1 hop nearer",
    )


def test_the_predicted_column_can_be_nothing_but_left_out(chain):
    found = choices(chain, RICH, plan_named(chain, RICH, "row2node"), "person.rich")
    features = {"feature", "promoted", "promoted-and-feature", "bag"}
    assert set(offered(found)) == features
    assert all("predicted or hidden" in why for why in offered(found).values())


def test_a_key_to_a_folded_table_is_refused_as_an_edge_and_says_why(chain):
    found = choices(chain, RICH, plan_named(chain, RICH, "flattened"), "city.s->state")
    assert offered(found)["edge"] == (
        'The key "city.s->state" is an edge, so "state" has to be a "node", not'
        ' "folded".'
    )
    assert '"state" is "folded" but no key' in offered(found)["dropped"]


def test_every_choice_that_is_offered_can_be_taken_and_every_other_is_refused(
    chain, school
):
    for schema, spec in ((chain, RICH), (school, GOOD)):
        for name in TOPOLOGIES:
            before = plan_named(schema, spec, name)
            for subject in roles(before):
                for one in choices(schema, spec, before, subject):
                    if one.refused:
                        with pytest.raises(TopologyError, match="cannot be"):
                            decide(schema, spec, before, subject, one.role)
                    elif not one.is_current:
                        after = decide(schema, spec, before, subject, one.role)
                        assert roles(after)[subject] == one.role


def test_folding_a_table_folds_its_key_and_undoing_that_restores_the_graph(chain):
    before = plan_named(chain, RICH, "row2node")
    folded = decide(chain, RICH, before, "state", "folded")
    assert roles(folded)["city.s->state"] == "folded"
    assert [rule.name for rule in folded.nodes] == ["person", "address", "city"]
    again = decide(chain, RICH, folded, "state", "node")
    assert again.hash == before.hash


def test_reasons_of_what_was_not_touched_stay(chain):
    before = plan_named(chain, RICH, "flattened")
    after = decide(chain, RICH, before, "address.floor", "dropped")
    assert {one.subject: one.reason for one in after.tables} == {
        one.subject: one.reason for one in before.tables
    }
    reasons = {one.subject: one.reason for one in after.columns}
    assert reasons["address.floor"] == "You decided so."


def test_a_shortcut_can_be_added_and_goes_with_a_key_that_it_follows(chain):
    start = plan_named(chain, RICH, "row2node")
    path = "person.a->address→address.c->city"
    # Of three keys in a row: two chains of two, and one of three.
    assert len(open_chains(chain, RICH, start)) == 3
    after = decide(chain, RICH, start, path, PathRole.SHORTCUT)
    assert table_hops(chain, after) == {
        "person": 0,
        "address": 1,
        "city": 1,
        "state": 2,
    }
    without = decide(chain, RICH, after, "address.c->city", "dropped")
    assert without.paths == ()
    again = decide(chain, RICH, after, path, PathRole.DROPPED)
    assert again.hash == start.hash


def test_a_subject_or_role_that_does_not_exist_is_answered_with_the_nearest(chain):
    start = plan_named(chain, RICH, "row2node")
    with pytest.raises(TopologyError, match='did you mean "address"'):
        choices(chain, RICH, start, "adress")
    with pytest.raises(TopologyError, match='did you mean "folded"'):
        decide(chain, RICH, start, "city", "fold")


# --- the difference in words -----------------------------------------------


def test_a_folded_table_is_named_with_its_carrier_and_how_far_it_moved(chain):
    before = plan_named(chain, RICH, "row2node")
    after = decide(chain, RICH, before, "city", "folded")
    # City's column came 2 hops away and is now in the address, 1 hop away; the state
    # was 3 and hangs from the address now: 2.
    assert describe_difference(chain, before, after) == (
        "folded: city into address; 1 hop nearer",
        "as a result: state; 1 hop nearer",
    )
    assert describe_difference(chain, after, before) == (
        "rows are nodes: city; 1 hop further",
        "as a result: state; 1 hop further",
    )


def test_flattened_brings_each_ancestor_nearer_by_its_own_distance(chain):
    one, other = (plan_named(chain, RICH, name) for name in ("row2node", "flattened"))
    assert describe_difference(chain, one, other) == (
        "folded: address into person; 1 hop nearer",
        "folded: city into address; 2 hops nearer",
        "folded: state into city; 3 hops nearer",
    )


def test_what_is_left_out_is_said_once_and_what_it_cut_off_too(chain):
    before = plan_named(chain, RICH, "row2node")
    after = decide(chain, RICH, before, "city", "dropped")
    assert describe_difference(chain, before, after) == (
        "left out: city",
        "as a result: state; out of reach now",
    )


def test_a_direction_and_a_column_are_said_by_themselves(chain):
    before = plan_named(chain, RICH, "row2node")
    after = decide(chain, RICH, before, "person.a->address", KeyRole.UP)
    assert describe_difference(chain, before, after) == (
        "messages from child to parent only: person.a->address",
        "as a result: address, city and state; out of reach now",
    )
    promoted = decide(chain, RICH, before, "state.kind", "promoted")
    # Its state is 3 hops away and the value one more.
    assert describe_difference(chain, before, promoted) == (
        "values are nodes: state.kind; 1 hop further",
    )


def test_a_shortcut_is_said_with_its_ends(chain):
    before = plan_named(chain, RICH, "row2node")
    path = "person.a->address→address.c->city"
    after = decide(chain, RICH, before, path, PathRole.SHORTCUT)
    assert describe_difference(chain, before, after) == (
        "shortcut: person to city",
        "as a result: city and state; 1 hop nearer",
    )


def test_the_same_graph_has_no_difference(chain):
    start = plan_named(chain, RICH, "row2node")
    assert describe_difference(chain, start, start) == (SAME,)


def test_sizes_are_compared_by_their_sums():
    one = {"nodes": {"a": 5, "b": 7}, "edges": [{"count": 4}]}
    other = {"nodes": {"a": 5}, "edges": [{"count": 4}, {"count": 3}]}
    assert describe_sizes(one, other) == "7 nodes fewer, 3 edges more"
    assert describe_sizes(one, one) == "as many nodes and edges"


# --- files -----------------------------------------------------------------


@pytest.mark.parametrize("base", TOPOLOGIES)
def test_a_design_written_down_plans_the_same_decisions(base, chain, school):
    for schema, spec in ((chain, RICH), (school, GOOD)):
        start = plan_named(schema, spec, base)
        for subject in roles(start):
            for one in choices(schema, spec, start, subject):
                if one.is_current or one.refused:
                    continue
                made = decide(schema, spec, start, subject, one.role)
                text = design_to_toml(schema, spec, made, base)
                again = plan(schema, spec, read_topology(text))
                assert (again.hash, roles(again)) == (made.hash, roles(made))


def test_a_design_names_its_base_and_only_what_differs(chain):
    made = decide(
        chain, RICH, plan_named(chain, RICH, "flattened"), "city.size", "dropped"
    )
    assert design_to_toml(chain, RICH, made, "flattened") == (
        'name = "flattened"\nbase = "flattened"\n\n[columns]\n"city.size" = "dropped"\n'
    )


@pytest.mark.parametrize(
    ("content", "sentence"),
    [
        (b"\xff\xfe\x00", "is not text"),
        (b"PK\x03\x04", "is not TOML"),
        (b"x" * 1_000_001, "1 MB at most"),
        (b"name = 'a'\n[tables]\nciti = 'node'", 'did you mean "city"'),
        (b"[tables]\ncity = 'squashed'", 'cannot be "squashed"'),
        (b"[tables]\ncity = ['node']", "cannot be"),
        (b"tables = 3", "a table of names and roles"),
        (b"base = ['row2node']", "topology"),
        (b"passes = 1", "topology setting"),
        (b"[tables]\nperson = 'dropped'", "what is predicted"),
        (b"[columns]\n'person.rich' = 'feature'", "predicted or hidden"),
        (b"name = '" + b"x" * 61 + b"'", "1 to 60 letters"),
        (b"name = '../../etc/passwd'", "without commas and slashes"),
        (b'name = "a\\u0000b"', "1 to 60 letters"),
    ],
)
def test_a_file_that_is_no_design_is_refused_in_a_sentence(content, sentence, chain):
    with pytest.raises(TopologyError, match=sentence):
        read_design(content, chain, RICH)


def test_a_file_saved_elsewhere_is_read_and_named_apart_from_the_topologies(chain):
    text = plan_named(chain, RICH, "row2node").to_toml()
    found = read_design(text.encode(), chain, RICH)
    assert found.name == "own row2node"
    assert found.hash == plan_named(chain, RICH, "row2node").hash


def test_a_name_that_is_taken_gets_a_number():
    assert checked_name("mine") == "mine"
    assert checked_name(" mine ", taken=["mine"]) == "mine 2"
    assert checked_name("mine", taken=["mine", "mine 2"]) == "mine 3"
    assert checked_name("flattened", taken=["own flattened"]) == "own flattened 2"


# --- a graph that came as a graph -------------------------------------------


@pytest.fixture
def papers() -> Schema:
    """Papers, citations between them, and a long list of words."""
    return make_schema(
        [
            make_table("paper", {"id": "id", "field": "categorical"}),
            make_table("cites", {"src": "id", "dst": "id"}, primary_key=()),
            make_table("word", {"paper_id": "id", "w": "categorical"}, primary_key=()),
        ],
        ["cites.src->paper", "cites.dst->paper", "word.paper_id->paper"],
    )


FIELD = TaskSpec(target="paper.field")


def kept(papers: Schema) -> Blueprint:
    found = plan_named(papers, FIELD, "row2edge")
    (edge,) = found.edges
    assert edge.direction is KeyRole.UNDIRECTED
    return found


def test_both_ends_of_links_change_their_direction_together(papers: Schema) -> None:
    before = kept(papers)
    after = decide(papers, FIELD, before, "cites.src->paper", "edge")
    assert [one.direction for one in after.edges] == [KeyRole.EDGE]
    back = decide(papers, FIELD, after, "cites.dst->paper", "undirected")
    assert back.hash == before.hash
    assert describe_difference(papers, after, back) == (
        "messages both ways alike, each pair once: cites.src->paper and"
        " cites.dst->paper",
    )


def test_links_and_a_long_list_can_become_nodes_again(papers: Schema) -> None:
    before = kept(papers)
    linked = decide(papers, FIELD, before, "cites", "node")
    assert [one.direction for one in linked.edges] == [KeyRole.EDGE] * 2
    listed_ = decide(papers, FIELD, before, "word", "node")
    assert "word" in [one.name for one in listed_.nodes]
    roles = {one.subject: one.role for one in listed_.columns}
    assert roles["word.w"] is ColumnRole.FEATURE
    # Paper to word is a hop where words are nodes, and none where they are summarised.
    assert describe_difference(papers, listed_, before) == (
        "summarised: word; 1 hop nearer",
        "each value a channel: word.w; 1 hop nearer",
    )


def test_every_role_has_words(papers: Schema) -> None:
    before = kept(papers)
    for subject in ("cites", "word", "cites.src->paper", "word.w"):
        roles = [one.role for one in choices(papers, FIELD, before, subject)]
        assert roles == list(type(roles[0]))
        for one in roles:
            assert words.role(one)
    said = [words.role(one) for kind in ROLES for one in kind]
    assert len(set(said)) == len(said) - 3 + 1  # "Left out" of tables, keys, columns
    for role in TableRole:
        assert words.TABLE_ROLES_SHORT[role]
    for role in KeyRole:
        assert drawings.KEY_LINES[role] in ("solid", "dashed", "dotted")
    assert all(role in drawings.ARROWS for role in EDGE_ROLES)
