"""The pages, in the states a visitor can find them in."""

import json
from typing import Any

import pytest
from streamlit.testing.v1 import AppTest

from tests.pages import Open, components, linked, payloads, said
from workbench.results import stored
from workbench.selection import encode_rows
from workbench.ui import linking, words

PAGES = (
    *("start", "data", "question", "graphs", "design", "row", "train", "compare"),
    "studies",
)
SAMPLE = {"source": "sample:address-3nf", "task": "prosperous"}


@pytest.mark.parametrize("page", PAGES)
def test_a_page_says_something_when_nothing_is_open(visit: Open, page: str) -> None:
    app = visit(page)
    assert app.title
    if page in ("question", "graphs", "design", "row", "train"):
        assert words.NOTHING_OPEN in said(app)


@pytest.mark.parametrize("page", PAGES)
def test_a_page_draws_an_open_sample(visit: Open, page: str) -> None:
    app = visit(page, **SAMPLE)
    assert not app.error
    if page != "start":
        assert "address-3nf" in said(app)


@pytest.mark.parametrize("page", ["graphs", "design", "row", "train"])
def test_a_page_ahead_of_its_question_leads_to_it(visit: Open, page: str) -> None:
    assert words.NO_QUESTION in said(visit(page, source="sample:address-3nf"))


def test_the_app_opens_on_the_verdict_of_the_stored_comparison(visit: Open) -> None:
    text = (stored("address") / "comparison.json").read_text(encoding="utf-8")
    verdict = json.loads(text)["verdict"]
    assert verdict in said(visit("start"))


def test_compare_draws_at_the_depth_of_the_address_and_offers_all(visit: Open) -> None:
    told = linked(visit("compare", results="address", depth="1"))
    assert told["depth"] == 1
    assert told["depths"] == [0, 1, 2, 3, 4, 5]
    assert len(told["series"]) == 3


def test_compare_holds_the_other_graphs_against_the_baseline_of_the_address(
    visit: Open,
) -> None:
    told = linked(visit("compare", results="address", baseline="address-flat"))
    first, second, third = (series["deltas"] for series in told["series"])
    assert set(first.values()) == {"The baseline"}
    # One layer is enough in the flat schema alone; three are enough in all of them.
    for deltas in (second, third):
        assert deltas["1"].endswith("worse")
        assert deltas["3"].endswith("within noise")
    nobody = linked(visit("compare", results="address", baseline="<b>"))
    assert not any(series["deltas"] for series in nobody["series"])


def test_compare_rings_the_rows_of_the_address_and_shows_their_table(
    visit: Open,
) -> None:
    # The first rows that were sampled have the keys 1, 3 and 7.
    code = encode_rows([0, 2], 2000)
    app = visit("compare", results="address", rows=code, view="Chosen rows")
    told = linked(app)
    assert told["rows"] == [0, 2]
    assert [line.split(",")[0] for line in told["csv"].split()[1:3]] != []
    table = next(each.value for each in app.dataframe if "key" in each.value)
    assert table["key"].tolist() == ["1", "7"]
    other = visit("compare", results="address", rows="<script>")
    assert linked(other)["rows"] == []


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("measure", "<b>"),
        ("colour", "nothing"),
        ("rows", "A" * 3000),
        ("projection", "<b>"),
        ("layer", "9"),
    ],
)
def test_compare_takes_from_the_address_only_what_exists(
    visit: Open, name: str, value: str
) -> None:
    usual = linked(visit("compare", results="address"))
    assert linked(visit("compare", results="address", **{name: value})) == usual


def test_another_measure_draws_its_two_figures_again_and_no_other(visit: Open) -> None:
    def payloads(**asked: str) -> dict[str, str]:
        told = linked(visit("compare", results="address", **asked))
        return {
            figure["name"]: figure["payload"]
            for section in told["sections"]
            for figure in section["figures"]
        }

    usual, other = payloads(), payloads(measure="scale")
    changed = {name for name in usual if usual[name] != other[name]}
    assert changed == {"last_layer", "layers"}


def embeddings(app: AppTest) -> dict[str, Any]:
    """Return what is sent of the embeddings."""
    told = linked(app)
    figures = [one for each in told["sections"] for one in each["figures"]]
    wanted = next(one["payload"] for one in figures if one["embedding"])
    return next(one for one in payloads(app) if one["id"] == wanted)


@pytest.mark.slow  # UMAP compiles itself
def test_compare_lays_rows_out_by_umap_where_the_address_says_so(visit: Open) -> None:
    pytest.importorskip("umap", reason="umap-learn is not installed")
    usual = visit("compare", results="address", depth="2")
    assert embeddings(usual)["projection"] == "pca"
    app = visit("compare", results="address", depth="2", layer="1", projection="umap")
    assert linked(app)["layer"] == 1
    drawn = embeddings(app)
    assert drawn["projection"] == "umap"
    assert "15 neighbours" in drawn["note"]
    assert "Distances between groups" in drawn["note"]
    wanted = linked(app)["frames"]
    frames = next(one for one in payloads(app) if one["id"] == wanted)
    assert linked(usual)["frames"] != wanted
    # Three schemas, and of each the one layer that was asked for.
    assert [list(layers) for layers in frames["places"].values()] == [["2/1"]] * 3


def test_compare_says_how_umap_is_installed_and_keeps_principal_components(
    visit: Open, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("workbench.embedding.PACKAGE", "no_such_package")
    linking.choices_of.clear()
    asked = {"results": "address", "colour": "correctness", "projection": "umap"}
    app = visit("compare", **asked)
    linking.choices_of.clear()
    drawn = embeddings(app)
    assert "python -m pip install" in drawn["note"]
    assert drawn["projection"] == "pca"
    assert (
        linked(app)["frames"] == linked(visit("compare", results="address"))["frames"]
    )


def test_compare_shows_only_what_differs_until_asked_for_all(visit: Open) -> None:
    app = visit("compare", results="address")
    names = app.dataframe[0].value["What"].tolist()
    assert "Hops to the farthest column" in names
    assert "Network (model)" not in names
    app.toggle(key="differs").set_value(False).run()
    assert "Network (model)" in app.dataframe[0].value["What"].tolist()


def test_compare_aligns_by_what_is_seen_where_the_address_says_so(
    visit: Open,
) -> None:
    layers = said(visit("compare", results="address"))
    seen = said(visit("compare", results="address", align="what is seen"))
    sentence = (
        "Layers until city is in sight: 1 in address-flat, 2 in address-normalized,"
        " 3 in address-3nf."
    )
    assert sentence in seen
    assert sentence not in layers
    other = said(visit("compare", results="address", align="<b>"))
    assert sentence not in other


def test_compare_tells_the_noise_of_the_test_rows_from_that_of_training(
    visit: Open,
) -> None:
    app = visit("compare", results="address", depth="1", view="Tolerance")
    assert "between the best and the worst graph" in said(app)


@pytest.mark.parametrize("depth", ["99", "-1", "one", "<b>"])
def test_a_depth_that_was_not_tried_falls_back(visit: Open, depth: str) -> None:
    usual = linked(visit("compare", results="address"))
    assert linked(visit("compare", results="address", depth=depth)) == usual


@pytest.mark.parametrize(
    "results", ["../../etc", "/etc/passwd", "0123456789abcdef", "a b", "%2e%2e"]
)
def test_results_that_are_not_here_are_not_looked_for_elsewhere(
    visit: Open, results: str
) -> None:
    app = visit("compare", results=results)
    assert "not on this machine" in said(app)
    assert not components(app, "workbench_linked")


@pytest.mark.parametrize(
    "source", ["/etc/passwd", "sample:nothing", "upload:../x", "upload:" + "0" * 32]
)
def test_a_link_opens_no_file_of_the_machine(visit: Open, source: str) -> None:
    assert words.LINK_TO_NOTHING in said(visit("graphs", source=source))


def test_a_target_that_cannot_be_predicted_is_refused_in_a_sentence(
    visit: Open,
) -> None:
    app = visit("question", source="sample:address-3nf", target="person.nothing")
    app = visit("graphs", source="sample:address-3nf", target="person.nothing")
    assert app.error
    assert "nothing" in app.error[0].value


def test_graphs_that_do_not_exist_are_left_out_of_the_address(visit: Open) -> None:
    app = visit("graphs", **SAMPLE, graphs="row2node,<script>,../x")
    assert app.pills(key="graphs_chosen").value == ["row2node"]


def test_the_study_to_train_is_the_one_on_the_form(visit: Open) -> None:
    app = visit("train", **SAMPLE, graphs="row2node,flattened")
    app.slider(key="train_depths").set_value((0, 1)).run()
    app.slider(key="train_seeds").set_value(2).run()
    assert not app.exception
    assert "8 runs" in said(app)  # two graphs, two depths, two seeds


def test_a_protocol_and_a_fixed_size_reach_the_study(visit: Open) -> None:
    app = visit("train", **SAMPLE, graphs="row2node,flattened")
    app.selectbox(key="train_protocol").set_value("citation").run()
    assert app.number_input(key="train_width_citation").value == 64
    app.checkbox(key="train_same_size").check().run()
    assert not app.exception
    study = app.code[0].value
    assert 'parameters = "same"' in study
    assert "input_dropout = 0.5" in study
    assert "row_normalised = true" in study
    app.number_input(key="train_parameters").set_value(9000).run()
    assert "parameters = 9000" in app.code[0].value


def test_batches_reach_the_study_and_are_said_before_it_runs(visit: Open) -> None:
    app = visit("train", **SAMPLE, graphs="row2node,flattened")
    assert "All rows are trained at once (full batch)" in said(app)
    app.selectbox(key="train_batch_rows").set_value(1024).run()
    assert not app.exception
    assert "batches (mini-batches) of 1,024" in said(app)
    assert "batch_rows = 1024" in app.code[0].value


def test_halving_is_off_until_it_is_asked_for_and_says_what_it_gives_up(
    visit: Open,
) -> None:
    app = visit("train", **SAMPLE, graphs="row2node,flattened")
    assert "halving" not in app.code[0].value
    app.number_input(key="train_halving").set_value(2).run()
    assert not app.exception
    assert "halving = 2" in app.code[0].value
    # Two graphs at four depths with six seeds: 8 + 4 + 2 · 2 + 2 runs.
    assert "18 runs instead of 48" in said(app)
    assert "**18 runs**" in said(app)
    assert "nothing will be called better or worse" in said(app)


def test_a_study_is_cut_to_the_minutes_there_are_and_says_so(visit: Open) -> None:
    app = visit("train", **SAMPLE, graphs="row2node,flattened")
    app.slider(key="train_depths").set_value((0, 16)).run()
    app.slider(key="train_seeds").set_value(12).run()
    asked = app.code[0].value
    app.number_input(key="train_within").set_value(1).run()
    assert not app.exception
    assert app.code[0].value != asked
    assert any("To answer in time" in one.value for one in app.info)


def test_an_engine_that_is_not_there_is_refused_on_the_page(visit: Open) -> None:
    app = visit("train", **SAMPLE, graphs="row2node,flattened")
    app.text_input(key="train_engine").set_value("rai").run()
    assert not app.exception
    assert any("engine" in one.value for one in app.error)
