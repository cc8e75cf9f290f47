"""Compare: what the choice of graph did, at one depth for all of them."""

import streamlit as st

from workbench.chart import all_series, best_depths, series_style
from workbench.diagnosis import diagnose
from workbench.errors import WorkbenchError
from workbench.evidence import gather
from workbench.figures import (
    aligned_figure,
    contrast_figure,
    cost_figure,
    depth_figure,
    gap_figure,
    hop_heatmap,
    influence_figure,
    last_layer_figure,
    layer_figure,
    projection_figure,
    reach_figure,
    same_sight,
    sibling_figure,
    train_test_figure,
    walk_figure,
)
from workbench.figures.gaps import gap_in_words, has_gaps
from workbench.jobs import find_job
from workbench.measure import Rows
from workbench.measures import MEASURES
from workbench.reading import HEADLINE_MEASURE, read_depth
from workbench.remarks import disagreements, tolerance_remarks, tolerance_rows
from workbench.ui import calls, downloads, place, preview, scores, widgets, words
from workbench.view import Labelled

st.title("Compare")

try:
    folder = place.results()
except WorkbenchError as error:
    widgets.empty_state(str(error), "data", "Open a database")

job = find_job(folder)
if job is not None and job.is_running():
    with st.container(border=True):
        st.markdown("This run is still under way; what has finished is shown.")
        st.page_link(widgets.page_file("train"), label="See how far it is")
if not (folder / "comparison.json").exists():
    widgets.empty_state(words.NO_RESULTS_YET, "train", "Go to the run")
with widgets.errors_shown():
    results = calls.results_in(folder)
dark = widgets.is_dark()
everything = all_series(results)

if folder.name == place.STORED_RESULTS:
    st.caption(words.FROM_THE_SAMPLE)
with st.container(border=True):
    st.markdown(f"**{widgets.as_text(results.comparison['verdict'])}**")
    st.caption(widgets.as_text(scores.audit_in_words(results)))
widgets.show_notes(results.notes)
changed = calls.changed_sources(results)
if changed:
    with st.container(border=True):
        st.markdown(widgets.as_text(words.data_changed(changed)))
        st.page_link(widgets.page_file("train"), label="Train on the data as it is now")
for sentence in (*scores.failures_in_words(results), *disagreements(results)):
    st.warning(widgets.as_text(sentence))

# --- one depth for everything ----------------------------------------------

usual = next(iter(best_depths(results).values()), results.depths[-1])
if len(results.depths) > 1:
    # Pinned to the window's lower edge: it belongs to every picture, near or far.
    depth = st.bottom.select_slider(
        "Depth (number of layers), for everything on this page",
        results.depths,
        value=usual,
        key="depth",
        bind="query-params",
        help="One layer reaches one hop further. The arrow keys move it.",
    )
else:
    depth = usual
    st.caption(f"Every network of this study has depth {depth}.")

LAYERS, SIGHT = "layers", "what is seen"
is_aligned = False
if len(results.arms) > 1 and results.plans:
    aligned_by = st.segmented_control(
        "Align by layers, or by what is seen (semantic reach)",
        (LAYERS, SIGHT),
        default=LAYERS,
        required=True,
        key="align",
        bind="query-params",
        help="Two layers of one graph may see what four of another see. Aligned by what"
        " is seen, graphs stand above one another where they know the same.",
    )
    is_aligned = aligned_by == SIGHT
if is_aligned:
    widgets.show_chart(
        aligned_figure(results, depth=depth, dark=dark), "compare_aligned"
    )
    for sentence in same_sight(results):
        st.caption(widgets.as_text(sentence))
else:
    scored = depth_figure(results, depth=depth, dark=dark)
    widgets.show_chart(preview.beside(scored, results), "compare_depths")

columns = st.columns(min(len(everything), 4))
for index, series in enumerate(everything):
    with columns[index % len(columns)], st.container(border=True, height="stretch"):
        widgets.swatch(series_style(results, series))
        shown = scores.at_depth(results, series, depth)
        st.metric(
            shown.label,
            shown.value,
            delta=shown.note,
            delta_color="off",
            delta_arrow="off",
        )
        for sentence in scores.remarks_at(results, series, depth):
            st.caption(widgets.as_text(sentence))
        st.caption(widgets.as_text(read_depth(results, series).sentence))
        gap = gap_in_words(results, series, depth)
        if gap:
            st.caption(widgets.as_text(gap))
        shows = diagnose(gather(results, series, depth))
        st.markdown(f"At this depth: **{widgets.as_text(', '.join(shows.kinds))}**")
        for sentence in shows.sentences:
            st.caption(widgets.as_text(sentence))

if has_gaps(results):
    widgets.show_chart(gap_figure(results, depth=depth, dark=dark), "compare_gaps")

# --- why -------------------------------------------------------------------

VIEWS = (
    "Sameness (oversmoothing)",
    "Influence (over-squashing)",
    "Embeddings",
    "Train and test",
    "Differences",
    "Reach",
    "Cost",
    "All runs",
)
sameness, influence, embeddings, train_test, differences, reach, cost, runs = st.tabs(
    VIEWS, key="view", on_change="rerun", bind="query-params"
)
if sameness.open:
    with sameness:
        measured = set(results.layers["measure"])
        measures = [
            name
            for name, one in MEASURES.items()
            if name in measured and one.takes in (Rows, Labelled)
        ]
        if not measures:
            st.info("No run of this study was measured.")
        else:
            usual_measure = (
                measures.index(HEADLINE_MEASURE) if HEADLINE_MEASURE in measures else 0
            )
            measure = st.selectbox(
                "Measure of how alike the rows' states have become",
                measures,
                index=usual_measure,
                format_func=lambda name: MEASURES[name].title,
                key="measure",
                bind="query-params",
            )
            left, right = st.columns(2)
            with left:
                widgets.show_chart(
                    last_layer_figure(results, measure, depth=depth, dark=dark),
                    "compare_last_layer",
                )
            with right:
                widgets.show_chart(
                    layer_figure(results, measure, depth=depth, dark=dark),
                    "compare_layers",
                )
            st.caption(widgets.as_text(f"{measure}: {MEASURES[measure].formula}"))
            with st.expander("Smoothing through each foreign key"):
                widgets.show_chart(
                    sibling_figure(results, depth=depth, dark=dark), "compare_siblings"
                )
if influence.open:
    with influence:
        widgets.show_chart(
            influence_figure(results, depth=depth, dark=dark), "compare_influence"
        )
        dropped = scores.drop_table(results, depth)
        if len(dropped):
            st.markdown("## What a score loses without a table")
            st.dataframe(
                dropped,
                hide_index=True,
                key="compare_drops",
                alt="What the test score loses when a table's rows are shuffled",
            )
            st.caption(
                "Test score less the mean score after the table's rows were shuffled;"
                " first seed. Read on test rows, and used to choose nothing."
            )
if embeddings.open:
    with embeddings:
        layer = depth
        if depth:
            layer = st.slider(
                "Layer", 0, depth, depth, key="compare_layer", help="0 is the input."
            )
        widgets.show_chart(
            projection_figure(results, depth=depth, layer=layer, dark=dark),
            "compare_embeddings",
        )
if train_test.open:
    with train_test:
        widgets.show_chart(train_test_figure(results, dark=dark), "compare_train_test")
        st.markdown("## Did the networks train?")
        st.dataframe(
            scores.training_table(results),
            hide_index=True,
            key="compare_training",
            alt="Scores and gradient ratios by graph and depth",
        )
        st.caption(
            "The gradient ratio is the norm of the gradient at the first layer over"
            " that at the last: near 0 the first layers hear nothing of the error"
            " (vanishing), far above 1 it explodes. A low training score then means"
            " that a network did not train, not that it smoothed too much."
        )
if differences.open:
    with differences:
        if results.comparison["contrasts"]:
            widgets.show_chart(contrast_figure(results, dark=dark), "compare_contrasts")
        else:
            st.info("One graph alone has nothing to differ from. Compare two or more.")
        spreads = list(tolerance_rows(results))
        if spreads:
            st.markdown("## How much the choice of graph decides (tolerance)")
            for sentence in tolerance_remarks(results):
                st.markdown(widgets.as_text(sentence))
            st.dataframe(
                spreads,
                hide_index=True,
                key="compare_tolerance",
                alt="Spread of the graphs' mean test scores, by depth",
            )
            st.caption(
                "Largest mean test score less the smallest over the graphs of this"
                " study: 0 where a model does not care which it is given. The interval"
                " is over seeds, and holds for the largest of all the differences."
            )
if reach.open:
    with reach:
        widgets.show_chart(hop_heatmap(results.plans, dark=dark), "compare_hops")
        widgets.show_chart(reach_figure(results.plans, dark=dark), "compare_reach")
        widgets.show_chart(walk_figure(results.plans, dark=dark), "compare_walk")
if cost.open:
    with cost:
        widgets.show_chart(cost_figure(results, dark=dark), "compare_cost")
if runs.open:
    with runs:
        st.dataframe(
            results.trials,
            hide_index=True,
            key="compare_runs",
            alt="Every run with its scores, status and cost",
        )

st.markdown("## Take it with you")
with st.container(horizontal=True):
    for offer in downloads.offers(results):
        downloads.show(offer, "compare_get")
st.caption(
    "The report is one file that opens offline. The study runs again from the command"
    " line to the same numbers: workbench run study.toml --out out/study"
)
with st.container(horizontal=True):
    for offer in downloads.handovers_of_study(results):
        downloads.show(offer, "compare_hand")
st.caption(words.HANDED_OVER)
