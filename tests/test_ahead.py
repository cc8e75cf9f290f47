"""What is made before it is asked for: when, how often, and never in a page's way."""

from threading import Event, Timer

from tests.pages import Open, payloads
from workbench.errors import GraphError
from workbench.topologies import TOPOLOGIES
from workbench.ui.ahead import Ahead, one_click_away

WAIT_S = 10
SAMPLE = {"source": "sample:address-3nf", "task": "prosperous"}


def test_nothing_is_made_ahead_while_a_page_is_being_made() -> None:
    ahead, made, others = Ahead(quiet_s=0), Event(), Event()
    with ahead.answering():
        ahead.offer("it", [made.set])
        assert not made.wait(0.2)
    assert made.wait(WAIT_S)
    # A page that begins between two steps comes before the second one.
    first = Event()
    with ahead.answering():
        page = ahead.answering()

        def begin_page() -> None:
            page.__enter__()
            first.set()

        ahead.offer("both", [begin_page, others.set])
    assert first.wait(WAIT_S)
    assert not others.wait(0.2)
    page.__exit__(None, None, None)
    assert others.wait(WAIT_S)


def test_what_was_offered_last_comes_first_and_everything_once() -> None:
    ahead, order, done = Ahead(quiet_s=0), list[str](), Event()
    with ahead.answering():
        ahead.offer("old", [lambda: order.append("old"), done.set])
        ahead.offer("new", [lambda: order.append("new")])
        ahead.offer("new", [lambda: order.append("new")])
    assert done.wait(WAIT_S)
    later = Event()
    ahead.offer("old", [lambda: order.append("old")])
    ahead.offer("later", [later.set])
    assert later.wait(WAIT_S)
    assert order == ["new", "old"]


def test_what_cannot_be_made_ahead_does_not_keep_the_rest_from_it() -> None:
    ahead, made = Ahead(quiet_s=0), Event()

    def fail() -> None:
        raise GraphError("It does not fit.")

    def lose() -> None:
        raise FileNotFoundError

    with ahead.answering():
        ahead.offer("rest", [made.set])
        ahead.offer("lost", [lose])
        ahead.offer("broken", [fail])
    assert made.wait(WAIT_S)


def test_a_server_that_ends_waits_for_one_step_and_takes_no_other() -> None:
    ahead, begun, end, order = Ahead(quiet_s=0), Event(), Event(), list[str]()

    def take() -> None:
        begun.set()
        end.wait(WAIT_S)
        order.append("one")

    ahead.offer("both", [take, lambda: order.append("two")])
    assert begun.wait(WAIT_S)
    Timer(0.1, end.set).start()
    ahead.close()
    assert order == ["one"]
    ahead.offer("late", [lambda: order.append("late")])
    assert order == ["one"]


def test_one_click_adds_any_other_graph_until_four_stand_side_by_side() -> None:
    found = one_click_away(("row2node", "flattened"))
    assert {names[:2] for names in found} == {("row2node", "flattened")}
    rest = set(TOPOLOGIES) - {"row2node", "flattened"}
    assert sorted(names[2] for names in found) == sorted(rest)
    assert one_click_away(("row2node", "row2edge", "flattened", "shortcut")) == []


def test_a_page_seen_again_names_its_figures_alike_and_another_graph_does_not(
    visit: Open,
) -> None:
    """A figure of the same name is neither sent nor drawn again by the browser."""
    app = visit("graphs", **SAMPLE, graphs="row2node,flattened")
    first = {one["id"] for one in payloads(app)}
    assert len(first) == 4  # preview, hops, reach and walk
    app.run()
    assert {one["id"] for one in payloads(app)} == first
    more = visit("graphs", **SAMPLE, graphs="row2node,flattened,shortcut")
    assert not first & {one["id"] for one in payloads(more)}
    (preview,) = [one for one in payloads(more) if "Preview" in one["titles"]["*"]]
    names = [line["name"] for line in preview["figures"]["*"]["data"]]
    assert names == ["Normalized (row2node)", "Flattened", "Shortcuts (shortcut)"]
