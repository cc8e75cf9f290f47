"""Compare: what the choice of graph did, at one depth for all of them."""

import streamlit as st

from workbench.chart import all_series, best_depths, series_style
from workbench.errors import WorkbenchError
from workbench.facts import only_differing, series_facts
from workbench.figures import has_preview, same_sight
from workbench.remarks import disagreements, tolerance_remarks, tolerance_rows
from workbench.selection import decode_rows, encode_rows, selection_table
from workbench.studies import StudyState, look_up
from workbench.ui import (
    calls,
    downloads,
    linked,
    linking,
    place,
    scores,
    visitor,
    widgets,
    words,
)

KEY = "linked"
DEPTH, ROWS, MEASURE, COLOUR = "depth", "rows", "measure", "colour"
LAYER, PROJECTION = "layer", "projection"

st.title("Compare")

try:
    folder = place.results()
except WorkbenchError as error:
    widgets.empty_state(str(error), "data", "Open a database")

if folder.name != place.STORED_RESULTS:
    entry = look_up(visitor.shelf(), folder.name)
    st.caption(f"**{widgets.as_text(entry.title)}**")
    if entry.state is StudyState.RUNNING:
        with st.container(border=True):
            st.markdown("This run is still under way; what has finished is shown.")
            widgets.show_way("train", "See how far it is")
if not (folder / "comparison.json").exists():
    widgets.empty_state(words.NO_RESULTS_YET, "train", "Go to the run")
with widgets.errors_shown():
    results = calls.results_in(folder)
everything = all_series(results)
labels = [series_style(results, series).label for series in everything]

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
        widgets.show_way("train", "Train on the data as it is now")
for sentence in (*scores.failures_in_words(results), *disagreements(results)):
    st.warning(widgets.as_text(sentence))

# --- what the address says: written by anybody, so only what exists is taken -----

stamp = (str(folder), (folder / "comparison.json").stat().st_mtime_ns)
known = linking.choices_of(stamp)
usual = next(iter(best_depths(results).values()), results.depths[-1])
depth = linking.named(place.looked_at(DEPTH), results.depths, usual)
measure = linking.named(
    place.looked_at(MEASURE), known.measures, next(iter(known.measures), "")
)
colour = linking.named(place.looked_at(COLOUR), known.colours, "class")
projection = linking.named(
    place.looked_at(PROJECTION), tuple(linking.PROJECTIONS), linking.PCA
)
layer = linking.named(place.looked_at(LAYER), tuple(range(depth)), None)
if layer is None:
    place.look_at({LAYER: None})  # it may have been that of a deeper network
chosen = decode_rows(place.looked_at(ROWS) or "", len(known.keys))

# --- what differs, and against what -----------------------------------------------

LAYERS, SIGHT = "layers", "what is seen"
is_aligned, is_previewed, baseline = False, False, None
with st.container(horizontal=True, vertical_alignment="bottom"):
    if len(everything) > 1:
        NOBODY = "no baseline"
        held = st.selectbox(
            "Baseline: every other graph is held against it",
            [NOBODY, *labels],
            key="baseline",
            bind="query-params",
            width=340,
            help="Differences of test scores at the depth that is looked at, paired by"
            " seed, with an interval that is widened for their number (Holm).",
        )
        baseline = None if held == NOBODY else labels.index(held)
    if len(results.arms) > 1 and results.plans:
        aligned_by = st.segmented_control(
            "Align by layers, or by what is seen (semantic reach)",
            (LAYERS, SIGHT),
            default=LAYERS,
            required=True,
            key="align",
            bind="query-params",
            help="Two layers of one graph may see what four of another see. Aligned by"
            " what is seen, graphs stand above one another where they know the same.",
        )
        is_aligned = aligned_by == SIGHT
    if has_preview(results.plans) and not is_aligned:
        is_previewed = st.toggle(
            "Show the preview beside it (no network trained)",
            value=True,
            key="preview",
            bind="query-params",
        )
if is_aligned:
    for sentence in same_sight(results):
        st.caption(widgets.as_text(sentence))

# --- the figures, linked in the browser -------------------------------------------


def settle(name: str) -> None:
    """Write what a reader has settled in the browser into the address."""
    found = st.session_state[KEY].get(name)
    if name == ROWS:
        found = encode_rows(linked.whole_numbers(found), len(known.keys))
    place.look_at({name: None if found is None else str(found)})


taken = selection_table(results, [known.keys[row] for row in chosen], depth)
shown = linking.Shown(
    measure=measure,
    colour=colour,
    projection=projection,
    is_aligned=is_aligned,
    has_preview=is_previewed,
    is_dark=widgets.is_dark(),
)
plane = linking.plane_of(stamp, shown, depth, layer)
linked.show(
    linked.Looked(
        sections=linking.outline(stamp, shown),
        series=linking.series_of(results, baseline),
        depths=results.depths,
        said=linking.identity(stamp, linking.SAID),
        frames=linking.identity(stamp, linking.FRAMES, plane) if known.keys else None,
        depth=depth,
        layer=layer,
        rows=chosen,
        csv=taken.to_csv(index=False),
    ),
    key=KEY,
    on_change={
        name: lambda name=name: settle(name)
        for name in (DEPTH, LAYER, ROWS, MEASURE, COLOUR, PROJECTION)
    },
)

# --- the same in tables -----------------------------------------------------------

st.markdown("## In tables")
VIEWS = (
    "What differs",
    "Chosen rows",
    "Loss without a table",
    "Training",
    "Tolerance",
    "All runs",
)
differs, rows, drops, training, spread, runs = st.tabs(
    VIEWS, key="view", on_change="rerun", bind="query-params"
)
if differs.open:
    with differs:
        only = st.toggle(
            "Show only what differs", value=True, key="differs", bind="query-params"
        )
        facts = series_facts(results, depth)
        st.dataframe(
            only_differing(facts) if only else facts,
            hide_index=True,
            key="compare_facts",
            alt="Settings and sizes of every graph of the study, side by side",
        )
if rows.open:
    with rows:
        if len(taken):
            st.dataframe(
                taken,
                hide_index=True,
                key="compare_rows",
                alt="The rows chosen in the embeddings, with their predictions",
            )
            st.caption(words.CHOSEN_ROWS)
        else:
            st.info("Choose rows in an embedding: click a dot, or draw around some.")
if drops.open:
    with drops:
        dropped = scores.drop_table(results, depth)
        if len(dropped):
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
        else:
            st.info("No table costs anything at this depth, or none was shuffled.")
if training.open:
    with training:
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
if spread.open:
    with spread:
        spreads = list(tolerance_rows(results))
        if "halving" in results.comparison:
            st.info("Halving stopped some graphs early, so no spread is given.")
        elif not spreads:
            st.info("One graph alone has nothing to differ from. Compare two or more.")
        else:
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

# --- what the figures show: last, so that everything else is there already --------

with st.container(gap=None, key="linked_payloads"), widgets.errors_shown():
    linked.send(linking.payloads(stamp, shown, plane), key="linked")
