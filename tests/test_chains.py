"""Which chains of keys one edge may stand for."""

from tests.tiny import make_schema, make_table
from workbench.blueprint import KeyEdge, KeyRole, ShortcutEdge
from workbench.chains import Chain, chains
from workbench.schema import Schema
from workbench.task import TaskSpec
from workbench.topologies import plan_named, read_topology
from workbench.topology import hops, plan


def edge(text: str, direction: KeyRole = KeyRole.EDGE) -> KeyEdge:
    child, parent = text.split("->")
    return KeyEdge(text, child.split(".")[0], parent, (), text, direction)


def names(found: list[Chain]) -> list[str]:
    return [one.name for one in found]


def ladder(length: int) -> Schema:
    """Tables t0 → t1 → …, each with a column x of its own; t0.y is predicted."""
    tables = [
        make_table(
            f"t{at}", {"id": "id", "x": "numerical", "y": "numerical", "k": "id"}
        )
        for at in range(length + 1)
    ]
    return make_schema(tables, [f"t{at}.k->t{at + 1}" for at in range(length)])


def test_a_chain_is_two_edges_or_more_up_to_the_longest():
    edges = [edge("a.b->b"), edge("b.c->c"), edge("c.d->d")]
    assert names(list(chains(edges, 1))) == []
    assert names(list(chains(edges, 2))) == ["a.b->b→b.c->c", "b.c->c→c.d->d"]
    *_, longest = chains(edges, 3)
    assert longest.length == 3
    assert longest.edge == ShortcutEdge(
        name="a.b->b→b.c->c→c.d->d",
        source="a",
        target="d",
        path=("a.b->b", "b.c->c", "c.d->d"),
        direction=KeyRole.EDGE,
    )


def test_two_chains_between_the_same_tables_are_two_edge_types():
    edges = [edge("game.home->team"), edge("game.away->team"), edge("team.c->city")]
    found = [one.edge for one in chains(edges, 3)]
    assert {(one.source, one.target) for one in found} == {("game", "city")}
    assert [one.path for one in found] == [
        ("game.home->team", "team.c->city"),
        ("game.away->team", "team.c->city"),
    ]


def test_self_references_and_circles_make_no_chain_that_returns():
    edges = [edge("a.boss->a"), edge("a.b->b"), edge("b.a->a"), edge("b.c->c")]
    assert names(list(chains(edges, 6))) == ["a.b->b→b.c->c"]


def test_messages_run_along_a_chain_as_along_each_of_its_keys():
    def way(one: KeyRole, other: KeyRole) -> list[KeyRole]:
        edges = [edge("a.b->b", one), edge("b.c->c", other)]
        return [chain.edge.direction for chain in chains(edges, 2)]

    assert way(KeyRole.EDGE, KeyRole.UP) == [KeyRole.UP]
    assert way(KeyRole.DOWN, KeyRole.EDGE) == [KeyRole.DOWN]
    assert way(KeyRole.DOWN, KeyRole.DOWN) == [KeyRole.DOWN]
    assert way(KeyRole.UP, KeyRole.DOWN) == []


def test_a_shortcut_of_p_keys_costs_one_hop_instead_of_p():
    """Science: h' = 1 up to the limit, and never less than h / limit beyond it."""
    schema, spec = ladder(6), TaskSpec("t0.y")
    near = hops(plan_named(schema, spec, "row2node"))
    for longest in (2, 3, 4):
        topology = read_topology(f'base = "shortcut"\nshortcut_length = {longest}')
        closed = hops(plan(schema, spec, topology))
        for at in range(1, 7):
            assert near[f"t{at}.x"] == at
            assert closed[f"t{at}.x"] == -(-at // longest)


def test_no_shortcut_says_again_what_an_inherited_key_says():
    text = 'base = "shortcut"\n[tables]\nt1 = "folded"'
    blueprint = plan(ladder(3), TaskSpec("t0.y"), read_topology(text))
    assert [(type(one).__name__, one.name) for one in blueprint.edges] == [
        ("KeyEdge", "t0.k->t1→t1.k->t2"),
        ("KeyEdge", "t2.k->t3"),
        ("ShortcutEdge", "t0.k->t1→t1.k->t2→t2.k->t3"),
    ]


def test_a_file_leaves_one_shortcut_out_and_names_one_that_is_longer():
    schema, spec = ladder(4), TaskSpec("t0.y")
    full = plan_named(schema, spec, "shortcut")
    two, four = "t0.k->t1→t1.k->t2", "t0.k->t1→t1.k->t2→t2.k->t3→t3.k->t4"
    assert [one.subject for one in full.paths if one.subject == two] == [two]
    text = f'base = "shortcut"\n[paths]\n"{two}" = "dropped"\n"{four}" = "shortcut"'
    changed = plan(schema, spec, read_topology(text))
    before, after = ({one.name for one in b.edges} for b in (full, changed))
    assert before - after == {two}
    assert after - before == {four}


def test_a_key_that_is_hidden_breaks_every_chain_over_it():
    spec = TaskSpec("t0.y", hide=("t1.k",))
    found = plan_named(ladder(3), spec, "shortcut").paths
    assert [one.subject for one in found] == []
