import itertools
import math

import pytest

from workbench.ui.diagram.layout import in_hops, in_layers, in_rings

CHAIN = [("person", "address"), ("address", "zip"), ("zip", "city")]
TABLES = ("person", "address", "zip", "city")


def overlap(a: tuple[float, ...], b: tuple[float, ...]) -> bool:
    (ax, ay, aw, ah), (bx, by, bw, bh) = a, b
    return abs(ax - bx) < (aw + bw) / 2 and abs(ay - by) < (ah + bh) / 2


@pytest.mark.parametrize("num_tables", [1, 2, 7, 40])
def test_no_two_cards_overlap(num_tables: int) -> None:
    names = [f"table {index}" for index in range(num_tables)]
    sizes = {name: (200.0, 60.0 + 17 * (len(name) % 5)) for name in names}
    # Everything refers to the first table, itself included; the last two to each other.
    links = [(name, names[0]) for name in names]
    links += [(names[-1], names[-2 % num_tables]), (names[-2 % num_tables], names[-1])]
    places = in_layers(sizes, links)
    boxes = [(*places[name], *sizes[name]) for name in names]
    for index, box in enumerate(boxes):
        assert not any(overlap(box, other) for other in boxes[index + 1 :])


def test_a_child_stands_left_of_its_parent() -> None:
    places = in_layers(dict.fromkeys(TABLES, (200.0, 80.0)), CHAIN)
    across = [places[name][0] for name in TABLES]
    assert across == sorted(set(across))


def test_no_tables_need_no_places() -> None:
    assert in_layers({}, []) == {}


def test_a_node_type_stands_on_the_ring_of_its_hop_distance() -> None:
    sees = [pair for a, b in CHAIN for pair in ((a, b), (b, a))]
    rings = in_rings(TABLES, "person", sees)
    radii = [math.hypot(*rings.places[name]) for name in TABLES]
    assert radii == pytest.approx([0, *(ring.radius for ring in rings.rings)])
    assert [ring.label for ring in rings.rings] == ["1 hop", "2 hops", "3 hops"]


def test_what_no_message_reaches_stands_outside_every_ring() -> None:
    # Messages run from address to person and from person to order: orders are not seen.
    sees = [("person", "address"), ("order", "person")]
    rings = in_rings(("person", "address", "order"), "person", sees)
    assert rings.far == {"order"}
    assert rings.rings[-1].label == "out of reach"
    assert math.hypot(*rings.places["order"]) > math.hypot(*rings.places["address"])


def test_a_target_alone_has_no_rings() -> None:
    rings = in_rings(("person",), "person", [])
    assert rings.places == {"person": (0.0, 0.0)}
    assert rings.rings == ()


def test_a_ring_a_hop_with_one_row_in_the_middle() -> None:
    hops = {"me": 0} | {f"a{at}": 1 for at in range(30)} | {"b": 2}
    found = in_hops(hops, [("me", f"a{at}") for at in range(30)] + [("a0", "b")], 21)
    distances = {name: math.hypot(x, y) for name, (x, y) in found.places.items()}
    assert distances["me"] == 0
    inner = {round(distances[f"a{at}"], 6) for at in range(30)}
    assert len(inner) == 1
    assert distances["b"] > max(inner)
    places = [found.places[f"a{at}"] for at in range(30)]
    gaps = [math.dist(one, other) for one, other in itertools.combinations(places, 2)]
    assert min(gaps) > 15  # a dot is 15 wide
    assert [ring.label for ring in found.rings] == ["1 hop", "2 hops"]
