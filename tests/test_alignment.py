"""Graphs aligned by what they let the target see."""

from tests.tiny import make_schema, make_table
from workbench.alignment import align, align_hops, semantic_reach
from workbench.schema import Schema
from workbench.task import TaskSpec
from workbench.topologies import plan_named

SPEC = TaskSpec("person.rich")
CITY = {"id": "id", "size": "numerical"}


def address(*keys: str) -> Schema:
    """The same facts: a person, an address, a zip code and a city with a size."""
    return make_schema(
        [
            make_table(
                "person", {"id": "id", "rich": "categorical", "age": "numerical"}
            ),
            make_table("address", {"id": "id"}),
            make_table("zip", {"id": "id"}),
            make_table("city", CITY),
        ],
        keys,
    )


FLAT = address("person.c->city")
NORMALIZED = address("person.a->address", "address.c->city")
THIRD = address("person.a->address", "address.z->zip", "zip.c->city")


def test_the_same_column_comes_into_sight_at_one_two_and_three_layers():
    schemas = {"flat": FLAT, "normalized": NORMALIZED, "3nf": THIRD}
    plans = {name: plan_named(one, SPEC, "row2node") for name, one in schemas.items()}
    reach = {name: semantic_reach(one) for name, one in plans.items()}
    assert reach["flat"] == (("person.age",), ("city.size",))
    assert reach["normalized"] == (("person.age",), (), ("city.size",))
    assert reach["3nf"] == (("person.age",), (), (), ("city.size",))
    first, second = align(plans)
    assert first.columns == ("person.age",)
    assert first.depths == {"flat": 0, "normalized": 0, "3nf": 0}
    assert second.columns == ("city.size", "person.age")
    assert second.depths == {"flat": 1, "normalized": 2, "3nf": 3}


def test_with_shortcuts_the_three_schemas_are_level():
    schemas = {"flat": FLAT, "normalized": NORMALIZED, "3nf": THIRD}
    plans = {name: plan_named(one, SPEC, "shortcut") for name, one in schemas.items()}
    assert [dict(one.depths) for one in align(plans)] == [
        {"flat": 0, "normalized": 0, "3nf": 0},
        {"flat": 1, "normalized": 1, "3nf": 1},
    ]


def test_a_graph_that_never_sees_as_much_says_so():
    names = ("single-table", "row2node", "flattened", "aggregated")
    plans = {name: plan_named(NORMALIZED, SPEC, name) for name in names}
    assert [(len(one.columns), dict(one.depths)) for one in align(plans)] == [
        (1, {"single-table": 0, "row2node": 0, "flattened": 0, "aggregated": 0}),
        (2, {"single-table": None, "row2node": 2, "flattened": 0, "aggregated": None}),
    ]


def test_hops_of_other_sources_are_compared_in_the_columns_that_all_have():
    found = align_hops(
        {
            ("flat", "row2node"): {"person.age": 0, "city.size": 1, "note.text": 1},
            ("3nf", "row2node"): {"person.age": 0, "zip.code": 2, "city.size": 3},
        }
    )
    assert [one.columns for one in found] == [
        ("person.age",),
        ("city.size", "person.age"),
    ]
    assert found[1].depths == {("flat", "row2node"): 1, ("3nf", "row2node"): 3}


def test_no_graph_has_no_level():
    assert align({}) == ()
