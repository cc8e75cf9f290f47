"""Which paths are followed from a row, and what is summarised at their ends."""

import re

import pytest

from tests.tiny import make_schema, make_table, make_task, open_tiny
from tests.zoo import CASES
from workbench.aggregate import Aggregation, Step
from workbench.aggregating import MAX_AGGREGATES
from workbench.blueprint import Blueprint, RowNode
from workbench.errors import TopologyError
from workbench.schema import Schema
from workbench.task import TaskSpec
from workbench.topologies import plan_named, read_topology
from workbench.topology import hops, plan

SPEC = TaskSpec("sale.paid")


def at_depth(depth: int) -> str:
    return f'base = "aggregated"\naggregate_depth = {depth}'


def summaries(blueprint: Blueprint, node: str) -> list[str]:
    rule = blueprint.node(node)
    assert isinstance(rule, RowNode)
    return [ref.name for ref in rule.aggregates]


@pytest.fixture
def shop() -> Schema:
    """A sale of a shop has items; an item is of a kind."""
    return make_schema(
        [
            make_table("shop", {"id": "id", "size": "numerical"}),
            make_table(
                "sale", {"id": "id", "s": "id", "paid": "categorical", "d": "timestamp"}
            ),
            make_table(
                "item",
                {
                    "sale": "id",
                    "kind": "id",
                    "cost": "numerical",
                    "mark": "categorical",
                    "note": "text",
                },
                (),
            ),
            make_table("kind", {"id": "id", "group": "categorical"}),
        ],
        ["sale.s->shop", "item.sale->sale", "item.kind->kind"],
    )


def test_one_key_away_parents_are_joined_and_children_summarised(shop):
    blueprint = plan_named(shop, SPEC, "aggregated")
    assert [node.name for node in blueprint.nodes] == ["sale"]
    assert blueprint.edges == ()
    assert summaries(blueprint, "sale") == [
        "shop.size (→s)",
        "count of item (←item.sale)",
        "mean of item.cost (←item.sale)",
        "min of item.cost (←item.sale)",
        "max of item.cost (←item.sale)",
        "mode of item.mark (←item.sale)",
        "distinct values of item.mark (←item.sale)",
        "distinct values of item.note (←item.sale)",
    ]
    assert blueprint.warnings == ("More than 1 key away, so not seen: kind.",)
    roles = {one.subject: str(one.role) for one in (*blueprint.tables, *blueprint.keys)}
    assert roles == {
        "shop": "aggregated",
        "sale": "node",
        "item": "aggregated",
        "kind": "dropped",
        "sale.s->shop": "aggregated",
        "item.sale->sale": "aggregated",
        "item.kind->kind": "dropped",
    }


def test_two_keys_away_siblings_are_summarised_without_what_is_predicted(shop):
    blueprint = plan(shop, SPEC, read_topology(at_depth(2)))
    further = summaries(blueprint, "sale")[8:]
    assert further == [
        "count of sale (→s←sale.s)",
        "min of sale.d (→s←sale.s)",
        "max of sale.d (→s←sale.s)",
        "count of kind (←item.sale→kind)",
        "mode of kind.group (←item.sale→kind)",
        "distinct values of kind.group (←item.sale→kind)",
    ]
    assert not any("paid" in one for one in summaries(blueprint, "sale"))


def test_what_is_hidden_is_summarised_nowhere_and_no_path_leads_over_it(shop):
    spec = TaskSpec("sale.paid", hide=("item.cost", "sale.s"))
    found = summaries(plan(shop, spec, read_topology(at_depth(3))), "sale")
    assert not any("cost" in one or "shop" in one for one in found)


@pytest.mark.parametrize("depth", [1, 2, 3])
@pytest.mark.parametrize("case", CASES.values(), ids=CASES)
def test_so_many_keys_bring_to_0_hops_what_so_many_layers_see(depth, case, tmp_path):
    database, schema = open_tiny(tmp_path, case.sql, dict(case.stypes))
    database.close()
    spec = make_task(case.target, case.rows).spec
    layers = hops(plan_named(schema, spec, "row2node"))
    found = hops(plan(schema, spec, read_topology(at_depth(depth))))
    for column, hop in layers.items():
        assert found[column] == (0 if hop is not None and hop <= depth else None)


def test_who_came_down_a_key_does_not_go_back_up_it(shop):
    node = plan(shop, SPEC, read_topology(at_depth(3))).node("sale")
    assert isinstance(node, RowNode)
    down_and_up = (Step("item.sale->sale", True), Step("item.sale->sale", False))
    for ref in node.aggregates:
        assert down_and_up not in list(zip(ref.path, ref.path[1:], strict=False))


def test_two_keys_on_the_same_column_are_told_apart_by_their_ids():
    schema = make_schema(
        [
            make_table("row", {"k": "id", "y": "numerical"}, ()),
            make_table("a", {"id": "id", "x": "numerical"}),
            make_table("b", {"id": "id", "x": "numerical"}),
        ],
        ["row.k->a", "row.k->b"],
    )
    blueprint = plan_named(schema, TaskSpec("row.y"), "aggregated")
    assert summaries(blueprint, "row") == ["a.x (→row.k->a)", "b.x (→row.k->b)"]


def test_a_path_on_which_every_row_gathers_very_many_is_left_out_and_named():
    schema = make_schema(
        [
            make_table(
                "flight",
                {"c": "id", "y": "numerical", "x": "numerical"},
                (),
                num_rows=336_776,
                num_distinct=16,
            ),
            make_table("carrier", {"id": "id", "z": "numerical"}, num_rows=16),
        ],
        ["flight.c->carrier"],
    )
    blueprint = plan(schema, TaskSpec("flight.y"), read_topology(at_depth(2)))
    assert summaries(blueprint, "flight") == ["carrier.z (→c)"]
    assert blueprint.warnings == (
        "Not summarised in flight: flight (→c←flight.c), about 21,048 rows for each"
        " row.",
    )


def test_of_very_many_summaries_the_nearest_are_kept():
    wide = {f"x{at}": "numerical" for at in range(600)}
    schema = make_schema(
        [
            make_table("row", {"id": "id", "y": "numerical"}),
            make_table("child", {"r": "id", **wide}, ()),
        ],
        ["child.r->row"],
    )
    blueprint = plan_named(schema, TaskSpec("row.y"), "aggregated")
    assert len(summaries(blueprint, "row")) == MAX_AGGREGATES
    assert blueprint.warnings == (
        "Of 1,801 summaries in row the 1,500 nearest are kept.",
    )


def test_one_table_is_summarised_in_every_node_that_it_is_tied_to(shop):
    blueprint = plan(shop, SPEC, read_topology('[tables]\nitem = "aggregated"'))
    assert [node.name for node in blueprint.nodes] == ["shop", "sale", "kind"]
    assert [edge.name for edge in blueprint.edges] == ["sale.s->shop"]
    assert summaries(blueprint, "shop") == []
    assert summaries(blueprint, "sale")[0] == "count of item (←item.sale)"
    assert summaries(blueprint, "kind")[0] == "count of item (←item.kind)"


def test_a_summarised_table_comes_back_as_a_node_with_its_edge(shop):
    text = at_depth(1) + '\n[tables]\nitem = "node"'
    blueprint = plan(shop, SPEC, read_topology(text))
    assert [edge.name for edge in blueprint.edges] == ["item.sale->sale"]
    assert summaries(blueprint, "sale") == ["shop.size (→s)"]
    assert hops(blueprint)["item.cost"] == 1


def test_another_depth_makes_another_graph_and_survives_a_file(shop):
    graphs = [plan(shop, SPEC, read_topology(at_depth(depth))) for depth in (1, 2, 3)]
    assert len({one.hash for one in graphs}) == 3
    for one in graphs:
        again = plan(shop, SPEC, read_topology(one.to_toml()))
        assert again.hash == one.hash
        assert again.aggregate_depth == one.aggregate_depth


def test_a_category_has_a_commonest_value_and_a_text_only_a_number_of_them(shop):
    node = plan_named(shop, SPEC, "aggregated").node("sale")
    assert isinstance(node, RowNode)
    hows = {(ref.column, ref.how) for ref in node.aggregates}
    assert ("mark", Aggregation.MODE) in hows
    assert ("note", Aggregation.MODE) not in hows


BAD_FILES = {
    'base = "aggregated"\naggregate_depth = 4': (
        '"aggregate_depth" cannot be "4"; choose 1 to 3'
    ),
    'base = "aggregated"\naggregate_depth = 0': (
        '"aggregate_depth" cannot be "0"; choose 1 to 3'
    ),
    'base = "aggregated"\naggregate_depth = "two"': 'is a whole number, not "two"',
    'base = "shortcut"\nshortcut_length = 1': (
        '"shortcut_length" cannot be "1"; choose 2 to 6'
    ),
    'base = "shortcut"\nshortcut_length = true': 'is a whole number, not "True"',
    '[paths]\n"item.sale->sale→sale.s->shops" = "shortcut"': (
        'did you mean "item.sale->sale→sale.s->shop"'
    ),
    '[paths]\n"x→y" = "dropped"': 'no chain of keys that are edges "x→y"',
    '[paths]\n"x" = "folded"': (
        '"x" cannot be "folded" in a topology file; choose from "shortcut", "dropped"'
    ),
    '[tables]\nitem = "aggregated"\n[keys]\n"item.sale->sale" = "edge"': (
        'the rows of "item" are summarised, so the key "item.sale->sale" has to be'
    ),
    '[keys]\n"item.sale->sale" = "aggregated"\n[tables]\nitem = "folded"': (
        'is "aggregated", so "item" has to be a "node" or "aggregated", not "folded"'
    ),
    (
        '[tables]\nitem = "aggregated"\n[keys]\n"item.sale->sale" = "dropped"'
        '\n"item.kind->kind" = "dropped"'
    ): '"item" is "aggregated" but no key of it is; drop it instead',
    '[tables]\nitem = "aggregated"\n[columns]\n"item.mark" = "promoted"': (
        '"item.mark" is in rows that are summarised, which no value node can tie'
    ),
    '[tables]\nsale = "aggregated"': 'has to be a "node"',
}


@pytest.mark.parametrize("text", list(BAD_FILES))
def test_a_file_that_cannot_be_planned_is_refused_with_a_sentence(text, shop):
    with pytest.raises(TopologyError, match=re.escape(BAD_FILES[text])):
        plan(shop, SPEC, read_topology(text))
