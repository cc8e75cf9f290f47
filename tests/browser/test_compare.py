"""The Compare page's figures move together in the browser; the address says what."""

import csv
import re
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Locator, Page, WebSocket, expect

pytestmark = pytest.mark.browser

IDLE = '[data-testid="stApp"][data-test-script-state="notRunning"]'
# Where a point of a figure is on the screen; `trace` is told by its name and graph.
POINT = """([figure, name, graph, index]) => {
  const card = document.querySelector(`[data-figure="${figure}"]`)
  const plot = card.querySelector('.js-plotly-plot')
  const trace = plot._fullData.find(one => one.name === name
    && (one.meta.mark ?? one.meta).startsWith(graph))
  const box = plot.getBoundingClientRect()
  const x = plot._fullLayout[`xaxis${(trace.xaxis ?? 'x').slice(1)}`]
  const y = plot._fullLayout[`yaxis${(trace.yaxis ?? 'y').slice(1)}`]
  return [box.x + x._offset + x.l2p(trace.x[index]),
          box.y + y._offset + y.l2p(trace.y[index])]
}"""
# By graph: how opaque the traces of a figure are.
OPACITY = """figure => {
  const card = document.querySelector(`[data-figure="${figure}"]`)
  const found = {}
  for (const each of card.querySelectorAll('.scatterlayer .trace')) {
    const trace = each.__data__[0].trace
    found[(trace.meta.mark ?? trace.meta).split('\\t')[0]] = each.style.opacity
  }
  return found
}"""
# By graph: where the chosen rows are ringed.
RINGS = """() => {
  const plot = document.querySelector('[data-figure="embeddings"] .js-plotly-plot')
  return Object.fromEntries(plot.data.filter(one => one.name === 'chosen rows')
    .map(one => [one.meta.split('\\t')[0], one.x.map((x, at) => [x, one.y[at]])]))
}"""
PLACES = """row => {
  const plot = document.querySelector('[data-figure="embeddings"] .js-plotly-plot')
  return Object.fromEntries(plot.data.filter(one => one.name === 'rows')
    .map(one => [one.meta.mark.split('\\t')[0], [[one.x[row], one.y[row]]]]))
}"""
GRAPHS = ("address-flat", "address-normalized", "address-3nf")


def open_compare(page: Page, address: str) -> None:
    page.goto(address)
    page.wait_for_selector('[data-figure="depths"] .main-svg')
    page.wait_for_selector(IDLE, timeout=120_000)


def card(page: Page, name: str) -> Locator:
    """Return a figure once it is in view and drawn."""
    found = page.locator(f'[data-figure="{name}"]')
    found.evaluate("each => each.scrollIntoView({ block: 'center' })")
    found.locator(".main-svg").first.wait_for()
    return found


def test_one_hover_and_one_depth_move_every_figure_before_python_hears_of_it(
    page: Page, app_url: str
) -> None:
    sent: list[object] = []

    def watch(socket: WebSocket) -> None:
        # Playwright writes on what it is given, which a list's own method forbids.
        socket.on("framesent", lambda one: sent.append(one))  # noqa: PLW0108

    page.on("websocket", watch)
    open_compare(page, f"{app_url}/compare?results=address&depth=1")
    card(page, "last_layer")
    card(page, "depths")
    # At depth 2 the line of the 3NF schema stands alone.
    x, y = page.evaluate(POINT, ["depths", "address-3nf", "address-3nf", 2])
    page.mouse.move(x - 3, y - 3)
    page.mouse.move(x, y)
    lit = page.locator('.wb-chips button[data-mark^="address-3nf"]')
    expect(lit).to_have_class(re.compile("wb-lit"))
    for figure in ("depths", "last_layer"):
        faint = page.evaluate(OPACITY, figure)
        assert faint == {
            "address-flat": "0.12",
            "address-normalized": "0.12",
            "address-3nf": "",
        }
    page.mouse.move(5, 5)
    expect(lit).not_to_have_class(re.compile("wb-lit"))

    page.wait_for_selector(IDLE)
    sent.clear()
    slider = page.get_by_role("slider", name="Depth (number of layers)")
    slider.focus()
    # Dragged, not released: a browser says input at every step and change at the end.
    slider.evaluate(
        "each => { each.value = 3; each.dispatchEvent(new Event('input')) }"
    )
    for name in ("depths", "last_layer", "layers"):
        expect(card(page, name)).to_have_attribute("data-drawn", "3")
    expect(page.get_by_text("Test accuracy at depth 3").first).to_be_visible()
    inside = page.get_by_role("heading", name="Layer by layer in networks of depth 3")
    expect(inside).to_be_visible()
    page.wait_for_timeout(600)
    assert sent == []
    assert "depth=1" in page.url
    slider.press("ArrowRight")
    expect(page).to_have_url(re.compile("depth=4"))
    assert sent


def test_rows_chosen_in_one_embedding_are_ringed_in_all_taken_away_and_linked_to(
    page: Page, chromium: Browser, app_url: str, tmp_path: Path
) -> None:
    open_compare(page, f"{app_url}/compare?results=address&depth=3")
    found = card(page, "embeddings")
    expect(found.get_by_text("No row chosen")).to_be_visible()
    page.wait_for_function(f"({RINGS})()['address-3nf'] !== undefined")
    find = found.get_by_label("Choose a row by its key, then Enter")
    find.fill("7")
    find.press("Enter")
    expect(found.get_by_text("1 row chosen: 7")).to_be_visible()
    # Rows 1, 3 and 7 are the first that were sampled, so 7 is at place 2.
    page.wait_for_function(f"({RINGS})()['address-3nf'].length === 1")
    assert page.evaluate(RINGS) == page.evaluate(PLACES, 2)
    expect(page).to_have_url(re.compile("rows="))

    take = found.get_by_role("button", name="Chosen rows (CSV)")
    expect(take).to_be_enabled()
    with page.expect_download() as caught:
        take.click()
    target = tmp_path / "rows.csv"
    caught.value.save_as(target)
    with target.open(encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    assert [row["key"] for row in rows] == ["7"]
    assert {f"{graph}: prediction" for graph in GRAPHS} <= set(rows[0])

    ringed = page.evaluate(RINGS)
    second = chromium.new_context(reduced_motion="reduce")
    other = second.new_page()
    open_compare(other, page.url)
    again = card(other, "embeddings")
    expect(again.get_by_text("1 row chosen: 7")).to_be_visible()
    other.wait_for_function(f"({RINGS})()['address-3nf']?.length === 1")
    assert other.evaluate(RINGS) == ringed
    second.close()


def test_a_layer_chosen_by_keyboard_is_shown_and_is_in_the_address(
    page: Page, app_url: str
) -> None:
    open_compare(page, f"{app_url}/compare?results=address&depth=3")
    found = card(page, "embeddings")
    layer = found.get_by_label("Layer, 0 is the input")
    layer.press("ArrowLeft")
    expect(found.get_by_text("depth 3, layer 2").first).to_be_visible()
    expect(page).to_have_url(re.compile("layer=2"))
    page.reload()
    page.wait_for_selector('[data-figure="depths"] .main-svg')
    page.wait_for_selector(IDLE, timeout=120_000)
    shown = card(page, "embeddings").get_by_text("depth 3, layer 2")
    expect(shown.first).to_be_visible()
    layer.press("ArrowRight")
    # The last layer is the usual one, and needs no words.
    expect(page).not_to_have_url(re.compile("layer="))


def test_rows_that_are_drawn_around_are_chosen_and_glide_to_another_layer(
    chromium: Browser, app_url: str
) -> None:
    context = chromium.new_context(viewport={"width": 1280, "height": 800})
    page = context.new_page()
    wrong: list[str] = []
    page.on("pageerror", lambda error: wrong.append(str(error)))
    open_compare(page, f"{app_url}/compare?results=address&depth=3")
    found = card(page, "embeddings")
    page.wait_for_function(f"({PLACES})(0)['address-3nf'] !== undefined")
    found.evaluate("each => each.scrollIntoView({ block: 'center' })")
    x, y = page.evaluate(POINT, ["embeddings", "rows", "address-3nf", 5])
    page.mouse.move(x - 30, y - 30)
    page.mouse.down()
    for right, down in ((30, -30), (30, 30), (-30, 30), (-30, -30)):
        page.mouse.move(x + right, y + down, steps=4)
    page.mouse.up()
    expect(found.get_by_text(re.compile(r"\d+ rows? chosen"))).to_be_visible()
    page.wait_for_function(f"({RINGS})()['address-3nf'].length > 0")
    rings = page.evaluate(RINGS)
    assert len({len(places) for places in rings.values()}) == 1
    (aimed_at,) = page.evaluate(PLACES, 5)["address-3nf"]
    assert aimed_at in rings["address-3nf"]
    page.get_by_role("slider", name="Depth (number of layers)").press("ArrowLeft")
    expect(found).to_have_attribute("data-drawn", "2")
    assert page.evaluate(RINGS) != rings
    expect(page).to_have_url(re.compile("depth=2"))
    context.close()
    assert wrong == []


def test_a_figure_is_taken_away_as_numbers_and_as_a_picture(
    page: Page, app_url: str, tmp_path: Path
) -> None:
    open_compare(page, f"{app_url}/compare?results=address")
    found = card(page, "standing")
    with page.expect_download() as caught:
        found.get_by_role("button", name=re.compile("^CSV")).click()
    table = tmp_path / "standing.csv"
    caught.value.save_as(table)
    with table.open(encoding="utf-8") as file:
        header, *lines = list(csv.reader(file))
    assert header[2] == "Depth (number of layers)"
    offered = found.locator(".modebar-btn").evaluate_all(
        "all => all.map(each => each.dataset.title)"
    )
    assert "Reset axes" in offered
    assert not any("hare" in title for title in offered)  # nothing is sent anywhere
    assert len(lines) == 3 * 6  # graphs × depths
    for kind, start in (("SVG", b"<svg"), ("PNG", b"\x89PNG")):
        with page.expect_download() as caught:
            found.get_by_role("button", name=re.compile(f"^{kind}")).click()
        picture = tmp_path / f"picture.{kind.lower()}"
        caught.value.save_as(picture)
        assert picture.read_bytes().startswith(start)
    found.get_by_role("button", name=re.compile("^How to read")).click()
    expect(found.get_by_text("cannot be told from it")).to_be_visible()
    page.keyboard.press("Escape")
    expect(found.get_by_text("cannot be told from it")).to_be_hidden()
    found.get_by_role("button", name=re.compile("^Table")).click()
    expect(found.get_by_role("table")).to_contain_text("address-normalized")
