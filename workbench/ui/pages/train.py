"""Train: the same networks on every graph, at every depth."""

import streamlit as st

from workbench.batching import SIZES, settle_batches, with_batches
from workbench.cost import cost_table, estimate_seconds
from workbench.engines import DEFAULT_ENGINE, open_engine
from workbench.errors import WorkbenchError
from workbench.halving import halving_in_words, num_runs
from workbench.models import MODELS
from workbench.protocols import PROTOCOLS, USUAL
from workbench.queue import submit
from workbench.remedies import REMEDIES
from workbench.run import AUTO, FULL, SAME, Budget
from workbench.studies import StudyState
from workbench.study import Arm, Study
from workbench.trim import fit_to_budget
from workbench.ui import (
    calls,
    designs,
    place,
    progress,
    tables,
    visitor,
    widgets,
    words,
)

st.title("Train")

# --- a run that was started ------------------------------------------------

running = place.read(place.RESULTS)
entry = None
if running is not None and running != place.STORED_RESULTS:
    try:
        entry = visitor.open_study(running)
    except WorkbenchError as error:
        st.warning(widgets.as_text(str(error)))
if entry is not None and entry.state is not StudyState.NEW:

    @st.fragment(run_every=progress.EVERY_S if entry.is_live else None)
    def follow(identifier: str) -> None:
        """Draw the run as it is now, its end included."""
        with widgets.errors_shown():  # it may have been deleted meanwhile
            progress.show(identifier)

    follow(entry.identifier)
    with st.container(horizontal=True, vertical_alignment="center"):
        if st.button("Set up another run", key="train_another"):
            place.write({place.RESULTS: None})
            st.rerun()
        st.page_link(
            widgets.page_file("studies"),
            label="All studies",
            icon=":material/list:",
        )
    st.stop()

# --- setting one up --------------------------------------------------------

address = widgets.need_source()
spec = widgets.need_question()

left, right = st.columns(2, gap="large")
with left:
    names = st.pills(
        "Graphs (topologies), up to four",
        designs.offered(place.graphs()),
        selection_mode="multi",
        default=list(place.graphs()),
        format_func=designs.label_of,
        key="train_graphs",
        wrap=True,
    )[: place.MAX_GRAPHS]
    shallowest, deepest = st.slider(
        "Depths (number of layers)",
        min_value=0,
        max_value=16,
        value=(0, 3),
        key="train_depths",
        help="One layer reaches one hop further. Depth 0 is the target's row alone and"
        " tells what the graph adds; keep it in.",
    )
    seeds = st.slider(
        "Runs per depth (seeds)",
        min_value=1,
        max_value=12,
        value=6,
        key="train_seeds",
        help="Every run starts from other random weights. Below six nothing is called a"
        " difference.",
    )
with right:
    models = st.multiselect(
        "Network (model)",
        list(MODELS),
        default=[next(iter(MODELS))],
        format_func=lambda name: f"{MODELS[name].title} ({name})",
        key="train_models",
    )
    remedies = st.multiselect(
        "Against collapse (remedy)",
        list(REMEDIES),
        default=[next(iter(REMEDIES))],
        format_func=lambda name: f"{REMEDIES[name].title} ({name})",
        key="train_remedies",
    )
    with st.expander("What a run may spend (budget)"):
        protocol = st.selectbox(
            "Start from (protocol)",
            list(PROTOCOLS),
            format_func=lambda name: f"{PROTOCOLS[name].title} ({name})",
            key="train_protocol",
            help="A published set of these settings; each can be changed below.",
        )
        usual = PROTOCOLS[protocol].budget
        # Widgets of their own a protocol, so that each starts at its values.
        suffix = "" if protocol == USUAL else f"_{protocol}"
        epochs = st.number_input(
            "Most passes over the training rows (epochs)",
            min_value=1,
            max_value=1000,
            value=usual.epochs,
            key=f"train_epochs{suffix}",
        )
        patience = st.number_input(
            "Passes without a better validation score before it stops (patience)",
            min_value=1,
            max_value=1000,
            value=usual.patience,
            key=f"train_patience{suffix}",
        )
        width = st.number_input(
            "Size of a state (width, channels)",
            min_value=1,
            max_value=256,
            value=usual.width,
            key=f"train_width{suffix}",
        )
        rate = st.number_input(
            "Size of a step (learning rate, Adam)",
            min_value=1e-5,
            max_value=1.0,
            value=usual.learning_rate,
            format="%g",
            key=f"train_rate{suffix}",
        )
        decay = st.number_input(
            "Pull of weights towards 0 (weight decay)",
            min_value=0.0,
            max_value=1.0,
            value=usual.weight_decay,
            format="%g",
            key=f"train_decay{suffix}",
        )
        dropout = st.slider(
            "Share of channels dropped while training (dropout)",
            min_value=0.0,
            max_value=0.9,
            value=usual.dropout,
            step=0.05,
            key=f"train_dropout{suffix}",
        )
        input_dropout = st.slider(
            "Share of a row's inputs dropped while training (input dropout)",
            min_value=0.0,
            max_value=0.9,
            value=usual.input_dropout,
            step=0.05,
            key=f"train_input_dropout{suffix}",
        )
        row_normalised = st.checkbox(
            "What a row lists adds up to 1 (row-normalised features)",
            value=usual.row_normalised,
            key=f"train_row_normalised{suffix}",
            help="Makes a text of many words no larger than one of few.",
        )
        same_size = st.checkbox(
            "Networks of the same size (fixed parameters)",
            value=False,
            key="train_same_size",
            help="At the same width a deep network trains more numbers than a shallow"
            " one. With this every network gets the largest width, a multiple of 4,"
            " that fits the number below.",
        )
        parameters = st.number_input(
            "Most numbers that a network trains (parameters); empty: as many as the"
            " shallowest",
            min_value=1,
            value=None,
            disabled=not same_size,
            key="train_parameters",
        )
        batch_rows = st.selectbox(
            "Rows to predict that are trained at once (mini-batch)",
            (AUTO, FULL, *reversed(SIZES)),
            format_func=words.batch_rows,
            key="train_batch_rows",
            help="All at once is exact. Where that needs more memory than there is,"
            " rows are trained in batches, the same for every graph and depth.",
        )

    minutes = st.number_input(
        "Done within so many minutes (time budget); empty: however long it takes",
        min_value=1,
        value=None,
        key="train_within",
        help="Runs, rows and depths are given up, in this order, until it is expected"
        " to be done in time; what was given up is said.",
    )
    halving = st.number_input(
        "Explore only: one configuration in so many goes on (successive halving);"
        " empty: all run",
        min_value=2,
        max_value=16,
        value=None,
        key="train_halving",
        help="A configuration is a graph, a network, a remedy and a depth. All start"
        " with one run; by validation score one in so many goes on to more. Much"
        " faster, but what is left was chosen: nothing is called better or worse.",
    )
    with st.expander("Where it runs (engine)"):
        engine = st.text_input(
            "This machine’s processes, or a Ray cluster",
            value=DEFAULT_ENGINE,
            key="train_engine",
            help="Leave “processes” for this machine. “ray:HOST:PORT” sends the runs to"
            " a Ray cluster that this machine is part of; results come back here.",
        ).strip()

with widgets.errors_shown():
    open_engine(engine)
    study = Study(
        arms=tuple(
            Arm(address, designs.topology_of(name), place.hints_file())
            for name in names
        ),
        task=spec,
        models=tuple(models),
        remedies=tuple(remedies),
        depths=tuple(range(shallowest, deepest + 1)),
        seeds=seeds,
        budget=Budget(
            epochs=epochs,
            patience=patience,
            width=width,
            learning_rate=rate,
            weight_decay=decay,
            dropout=dropout,
            input_dropout=input_dropout,
            row_normalised=row_normalised,
            parameters=(parameters or SAME) if same_size else None,
            batch_rows=batch_rows,
        ),
        halving=halving,
    )
    planned = calls.plan_of_study(study)
    slowness = calls.slowness()
    if minutes:
        trimmed = fit_to_budget(planned, 60.0 * minutes, slowness=slowness)
        study = trimmed.study
        planned = calls.plan_of_study(study)
        for sentence in trimmed.sentences:
            st.info(sentence)
place.choose_graphs(names)
widgets.show_notes(planned.notes)
for leak in planned.leaks:
    st.warning(widgets.as_text(f"Suspected leak: {leak}."))

settled = settle_batches(planned)
planned = with_batches(planned, settled)
study = planned.study
if planned.assumed:
    widgets.empty_state(words.ONLY_A_SCHEMA, "data", "Plant a signal")
with st.container(border=True):
    needed = words.duration(estimate_seconds(planned, slowness=slowness))
    st.markdown(
        f"**{num_runs(planned)} runs** on {words.graphs(len(planned.arms))}, and the"
        " floors that need no graph. A first estimate:"
        f" {needed}; it is measured from the first runs on."
    )
    with st.expander("What each run takes"):
        st.dataframe(tables.costs(cost_table(planned, slowness)), hide_index=True)
    if halving:
        st.info(halving_in_words(planned))
    st.caption(settled.sentence)
    st.caption(words.RUNS_ON)
    if st.button("Train", type="primary", key="train_start", shortcut="Mod+Enter"):
        with widgets.errors_shown():
            started = submit(
                visitor.shelf(), study, owner=visitor.visitor(), engine=engine
            )
        place.write({place.RESULTS: started})
        st.rerun()

with st.expander("The same from the command line"):
    written = progress.beside(study).to_toml()
    st.code(written, language="toml")
    with st.container(horizontal=True):
        st.download_button(
            "The study as a file (TOML)",
            written,
            file_name="study.toml",
            mime="application/toml",
            key="train_study",
            on_click="ignore",
        )
        for file in filter(None, map(designs.design_file, names)):
            st.download_button(
                f"{file.name}, which it names",
                file.read_text(encoding="utf-8"),
                file_name=file.name,
                mime="application/toml",
                key=f"train_{file.stem}",
                on_click="ignore",
            )
    st.code(
        f"workbench run study.toml --out out/study --engine {engine}", language="bash"
    )
