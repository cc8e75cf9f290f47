"""The page Design: change a graph, see what comes of it, undo, keep and train it."""

import re
from pathlib import Path

import pytest
from streamlit.testing.v1 import AppTest

from tests.pages import Open, payloads, said
from workbench.study import read_study

SAMPLE = {"source": "sample:address-3nf", "task": "prosperous"}


def entries(app: AppTest) -> list[str]:
    """Return the names of the graphs in the address, designs without their digest."""
    value = app.query_params["graphs"]
    text = value[0] if isinstance(value, list) else value
    return [re.sub(r"-[0-9a-f]{12}$", "", one) for one in text.split(",")]


def take(app: AppTest, table: str, role: str, subject: str | None = None) -> AppTest:
    """Give a table, or something of it, another role."""
    app.selectbox(key="design_table").set_value(table).run()
    if subject is not None:
        app.selectbox(key=f"design_subject_{table}").set_value(subject).run()
    app.button(key=f"design_role_{subject or table}_{role}").click().run()
    assert not app.exception
    assert not app.error
    return app


def facts(app: AppTest, column: str) -> dict[str, str]:
    frame = next(one.value for one in app.dataframe if "Nodes" in one.value.index)
    return frame[column].to_dict()


def test_folding_a_table_makes_a_copy_and_says_what_it_changed(visit: Open) -> None:
    app = take(visit("design", **SAMPLE, graphs="row2node"), "city", "folded")
    assert entries(app) == ["row2node", "own:own-row2node"]
    text = said(app)
    assert "folded: city into zip; 1 hop nearer" in text
    before = facts(app, "Normalized (row2node)")
    after = facts(app, "own row2node")
    # 2,480 addresses, 520 cities, 4,188 people, 260 streets, 1,034 zips.
    assert (before["Nodes"], after["Nodes"]) == ("8,482", "7,962")
    assert "520 nodes fewer" in text
    assert int(after["Node types"]) == int(before["Node types"]) - 1
    assert before["Farthest column (hops)"] == "3"
    assert after["Farthest column (hops)"] == "2"


def test_undo_and_redo_walk_through_every_kind_of_change(visit: Open) -> None:
    app = visit("design", **SAMPLE, graphs="row2node")
    seen = [entries(app)]
    take(app, "city", "folded")
    seen.append(entries(app))
    app.button(key="design_duplicate").click().run()
    seen.append(entries(app))
    assert seen[-1] == ["row2node", "own:own-row2node", "own:own-row2node-2"]
    app.button(key="design_take_away").click().run()
    seen.append(entries(app))
    for state in reversed(seen[:-1]):
        app.button(key="design_undo").click().run()
        assert entries(app) == state
    assert app.button(key="design_undo").disabled
    for state in seen[1:]:
        app.button(key="design_redo").click().run()
        assert entries(app) == state
    assert app.button(key="design_redo").disabled


def test_a_refused_role_cannot_be_pressed_and_says_why(visit: Open) -> None:
    app = visit("design", **SAMPLE, graphs="row2node")
    app.selectbox(key="design_table").set_value("person").run()
    offered = [one.key for one in app.button if "design_role" in str(one.key)]
    assert offered == ["design_role_person_node"]
    assert app.button(key="design_role_person_node").disabled
    assert '"person" holds what is predicted, so it has to be a "node".' in said(app)


def test_a_key_is_given_a_direction_and_a_column_becomes_nodes(visit: Open) -> None:
    app = visit("design", **SAMPLE, graphs="row2node")
    key = "zip.city_id->city"
    take(app, "zip", "child-to-parent", key)
    assert f"messages from child to parent only: {key}" in said(app)
    take(app, "person", "promoted", "person.age")
    assert "values are nodes: person.age" in said(app)


def test_a_graph_is_renamed_and_a_taken_name_gets_a_number(visit: Open) -> None:
    app = take(visit("design", **SAMPLE, graphs="row2node"), "city", "folded")
    rename(app, "Cities inside")
    assert entries(app) == ["row2node", "own:cities-inside"]
    assert "Cities inside" in said(app)
    rename(app, "row2node")
    assert entries(app) == ["row2node", "own:own-row2node"]
    rename(app, "../x")
    assert "without commas and slashes" in app.error[0].value.replace("\\", "")


def rename(app: AppTest, name: str) -> None:
    field = next(one for one in app.text_input if one.label == "Name")
    field.set_value(name).run()
    app.button(key="design_rename").click().run()
    assert not app.exception


def test_a_saved_graph_is_loaded_again(visit: Open) -> None:
    app = visit("design", **SAMPLE, graphs="row2node")
    text = b'name = "mine"\nbase = "row2node"\n[tables]\ncity = "dropped"\n'
    app.file_uploader(key="design_load").upload("mine.toml", text).run()
    assert not app.exception
    assert entries(app) == ["row2node", "own:mine"]
    assert "left out: city" in said(app)


@pytest.mark.parametrize(
    ("content", "sentence"),
    [
        (b"\xff\xfe", "is not text"),
        (b"not = [toml", "is not TOML"),
        (b"[tables]\nciti = 'node'", 'did you mean "city"'),
        (b"name = '<script>/'", "without commas and slashes"),
    ],
)
def test_a_file_that_is_no_graph_is_refused_in_a_sentence(
    visit: Open, content: bytes, sentence: str
) -> None:
    app = visit("design", **SAMPLE, graphs="row2node")
    app.file_uploader(key="design_load").upload("x.toml", content).run()
    assert not app.exception
    assert sentence in app.error[0].value.replace("\\", "")
    assert entries(app) == ["row2node"]


def test_a_design_is_there_again_by_its_address(visit: Open) -> None:
    app = take(visit("design", **SAMPLE, graphs="row2node"), "city", "folded")
    kept = app.query_params["graphs"]
    address = kept[0] if isinstance(kept, list) else kept
    for page in ("graphs", "design"):
        again = visit(page, **SAMPLE, graphs=address, design="1")
        assert not again.error
        assert "own row2node" in said(again)
    assert "folded: city into zip" in said(again)


@pytest.mark.parametrize(
    "entry", ["own:../../etc/passwd", "own:x", "own:mine-000000000000", "own:"]
)
def test_an_address_opens_no_other_file(visit: Open, entry: str) -> None:
    app = visit("design", **SAMPLE, graphs=f"row2node,{entry}")
    assert not app.error
    assert entries(app) == ["row2node"]


def test_a_graph_that_does_not_fit_the_question_can_be_taken_away(visit: Open) -> None:
    app = take(
        visit("design", **SAMPLE, graphs="row2node"), "person", "promoted",
        "person.age",
    )  # fmt: skip
    kept = app.query_params["graphs"]
    address = kept[0] if isinstance(kept, list) else kept
    asked = {"source": SAMPLE["source"], "target": "person.age"}
    other = visit("design", **asked, graphs=address, design="1")
    assert "predicted or hidden" in other.error[0].value
    other.button(key="design_misfit").click().run()
    assert entries(other) == ["row2node"]
    assert not other.error


def test_the_study_of_a_design_names_its_file_and_the_file_is_beside_it(
    visit: Open, tmp_path: Path
) -> None:
    app = take(visit("design", **SAMPLE, graphs="row2node"), "city", "folded")
    kept = app.query_params["graphs"]
    address = kept[0] if isinstance(kept, list) else kept
    train = visit("train", **SAMPLE, graphs=address)
    written = next(one.value for one in train.code if "topology" in one.value)
    assert "/" not in written
    from workbench.ui.designs import design_file

    file = design_file(address.split(",")[1])
    assert file is not None
    (tmp_path / file.name).write_bytes(file.read_bytes())
    (tmp_path / "study.toml").write_text(written)
    arms = read_study(tmp_path / "study.toml").arms
    assert arms[1].topology == str(tmp_path / file.name)


def test_the_preview_beside_an_edit_shows_the_signal_a_hop_nearer(
    visit: Open,
) -> None:
    """What decides is the city: three hops away, two once it is folded into the zip."""
    app = take(visit("design", **SAMPLE, graphs="row2node"), "city", "folded")
    (preview,) = [
        one for one in payloads(app) if "no network trained" in one["titles"]["*"]
    ]
    curves = {trace["name"]: trace["y"] for trace in preview["figures"]["*"]["data"]}
    before, after = curves["Normalized (row2node)"], curves["own row2node"]
    assert before[2] < 0.65 < 0.9 < before[3]
    assert after[1] < 0.65 < 0.9 < after[2]
