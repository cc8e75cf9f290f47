"""Embeddings: where frames put rows, and what their colours say."""

from dataclasses import replace

import numpy as np
import plotly.graph_objects as go
import pytest

from tests.results_factory import make_results
from workbench.chart import all_series
from workbench.embedding import embed, umap_refusal
from workbench.errors import StoreError
from workbench.figures import projection_figure
from workbench.figures.colouring import CORRECTNESS, colourings
from workbench.figures.embeddings import ROWS, laid_frames, projection_frames
from workbench.results import Results


@pytest.fixture(scope="module")
def results(tmp_path_factory: pytest.TempPathFactory) -> Results:
    return make_results(tmp_path_factory.mktemp("results"))


def test_a_frame_of_every_layer_lies_where_the_figure_puts_it(results):
    frames = {
        (each.series, each.depth, each.layer): each
        for each in projection_frames(results)
    }
    # Depths 0 to 4 of 3 graphs: 1 + 2 + 3 + 4 + 5 layers each.
    assert len(frames) == 3 * sum(depth + 1 for depth in results.depths)
    figure = projection_figure(results, depth=3, layer=2).figure
    panels = [each for each in figure.data if each.name == ROWS]
    for series, panel in zip(all_series(results), panels, strict=True):
        frame = frames[series, 3, 2]
        assert panel.meta["mark"] == series.mark
        assert frame.places == pytest.approx(np.column_stack([panel.x, panel.y]))
        hollow = [symbol == "circle-open" for symbol in panel.marker.symbol]
        assert frame.correct.tolist() == [not wrong for wrong in hollow]


def coloured(results: Results, colour: str, column: str, values) -> list[go.Scatter]:
    """Return the panels, and the legend, of results with a column more."""
    held = replace(results, projection=results.projection.assign(**{column: values}))
    return list(projection_figure(held, depth=2, colour=colour).figure.data)


def test_rows_are_coloured_by_what_the_results_hold(results):
    assert colourings(results) == ("class", "correctness")
    with pytest.raises(StoreError, match=r'"degree".*class'):
        projection_figure(results, colour="degree")


def test_rows_of_one_class_share_a_colour_that_the_legend_names(results):
    traces = list(projection_figure(results, depth=2).figure.data)
    legend = {
        each.name: each.marker.color for each in traces if each.showlegend is None
    }
    panel = next(each for each in traces if each.name == ROWS)
    # Row 0 is labelled no and row 1 yes, as every even and odd one.
    assert panel.marker.color[0] == legend["label no"]
    assert panel.marker.color[1] == legend["label yes"]
    assert len(set(panel.marker.color)) == 2


def test_rows_coloured_by_correctness_are_of_two_colours(results):
    traces = list(projection_figure(results, depth=2, colour="correctness").figure.data)
    panel = next(each for each in traces if each.name == ROWS)
    wrong = CORRECTNESS["predicted wrongly"]
    assert list(panel.marker.color).count(wrong) == 60 / 5


def test_rows_coloured_by_degree_share_a_scale_of_logarithms(results):
    degree = results.projection["row"] % 10
    first, *others = [
        each
        for each in coloured(results, "degree", "degree", degree)
        if each.name == ROWS
    ]
    assert first.marker.color[9] == pytest.approx(1.0)  # log10(1 + 9)
    assert (first.marker.cmin, first.marker.cmax) == pytest.approx((0.0, 1.0))
    assert first.marker.showscale
    assert not any(each.marker.showscale for each in others)


def test_small_parts_of_a_graph_share_the_last_colour(results):
    part = results.projection["row"] % 9
    traces = coloured(results, "component", "component", part)
    legend = [each.name for each in traces if each.showlegend is None]
    assert legend == [*(f"part {place}" for place in range(1, 7)), "others"]
    panel = next(each for each in traces if each.name == ROWS)
    assert panel.marker.color[6] == panel.marker.color[7] == panel.marker.color[8]
    assert panel.marker.color[5] != panel.marker.color[6]


def test_results_of_an_earlier_version_say_that_they_have_no_umap(
    tmp_path, monkeypatch
):
    old = make_results(tmp_path / "old", depths=(0, 1), seeds=1)
    monkeypatch.setattr("workbench.embedding.PACKAGE", "json")  # one that is there
    assert umap_refusal(old) is None
    (old.folder / "states.parquet").unlink()
    assert "train the study again" in str(umap_refusal(old))
    with pytest.raises(StoreError, match="written by an earlier version"):
        list(embed(old, 1, 1))


def test_a_missing_package_is_named_with_the_command_that_installs_it(
    results, monkeypatch
):
    monkeypatch.setattr("workbench.embedding.PACKAGE", "no_such_package")
    assert 'python -m pip install "umap-learn==' in str(umap_refusal(results))
    with pytest.raises(StoreError, match="not installed here"):
        list(embed(results, 1, 1))


def test_a_panel_that_is_not_laid_out_yet_is_empty_and_says_what_not_to_read(results):
    chart = projection_figure(results, depth=2, laid=())
    for panel in (each for each in chart.figure.data if each.name == ROWS):
        assert np.isnan(np.asarray(panel.x, dtype=float)).all()
    assert "Distances between groups" in chart.how_to_read
    assert "McInnes, Healy, Melville (2018)" in chart.source


@pytest.mark.slow  # UMAP compiles itself, in a worker
def test_umap_lays_out_the_same_rows_of_every_network_that_finished(results):
    pytest.importorskip("umap", reason="umap-learn is not installed")
    deepest = max(results.depths)
    laid = [each for each in embed(results, deepest, 1) if each is not None]
    assert [each.series for each in laid] == list(all_series(results))
    labels = laid[0].rows["label"].to_numpy()
    for frame in laid_frames(results, laid):
        # The factory's odd rows are "yes", and ten units from the even ones: the five
        # nearest of each of 60 rows are of its own label.
        apart = np.linalg.norm(frame.places[:, None] - frame.places[None], axis=2)
        np.fill_diagonal(apart, np.inf)
        order = np.argsort(apart, axis=1)[:, :5]
        assert (labels[order] == labels[:, None]).all()
    figure = projection_figure(results, depth=deepest, layer=1, laid=laid).figure
    panels = [each for each in figure.data if each.name == ROWS]
    for frame, panel in zip(laid_frames(results, laid), panels, strict=True):
        assert frame.places == pytest.approx(np.column_stack([panel.x, panel.y]))
