"""Help in place: a tour of the pages that can be left at any step, and a glossary."""

from dataclasses import dataclass

import streamlit as st

from workbench.ui import opening, place, widgets
from workbench.ui.glossary import GLOSSARY

_STEP = "tour_step"
TOUR_SAMPLE = "address-3nf"


@dataclass(frozen=True, slots=True)
class Stop:
    """One page of the tour, and what there is to see."""

    page: str
    title: str
    told: str


TOUR = (
    Stop(
        "data",
        "What the database holds",
        "Each card is a table, each arrow a key. What decides here, the four indices of"
        " a city, is three arrows away from a person. Click a card to see its rows.",
    ),
    Stop(
        "question",
        "What is predicted",
        "The target, the rows, and how they are split into training, validation and"
        " test. A column that gives the answer away would be named under leaks.",
    ),
    Stop(
        "graphs",
        "The same rows as two graphs",
        "The target stands in the middle and every ring is one hop. Flattened has"
        " pulled the city nearer. The preview below says what each hop is worth before"
        " anything is trained.",
    ),
    Stop(
        "train",
        "Training, if you want to know for sure",
        "Choose networks, depths and seeds and start. The run goes on when the page is"
        " closed. Nothing has to be trained for this tour.",
    ),
    Stop(
        "compare",
        "What came of it",
        "Score against depth for each graph, how alike nodes become (oversmoothing),"
        " and what each hop brought, with a diagnosis in words. These are the results"
        " that come with the workbench.",
    ),
)


def offer_tour() -> None:
    """Draw the button that starts the tour."""
    if st.button("Show me around", key="tour_start", icon=":material/tour:"):
        st.session_state[_STEP] = 0
        opening.open_sample(TOUR_SAMPLE, then=_to_first_stop)


def show(page: str) -> None:
    """Draw what is offered above every page: the tour's stop, and the glossary.

    Args:
        page: The page's path in the address.
    """
    step = st.session_state.get(_STEP)
    if step is not None and page == TOUR[step].page:
        _show_stop(step)


def show_glossary() -> None:
    """Draw the button under which the words of the field are explained."""
    with st.popover("What do the words mean?", icon=":material/menu_book:"):
        wanted = st.text_input(
            "Find a word", key="glossary_word", placeholder="for example: hop"
        )
        found = {
            word: meaning
            for word, meaning in GLOSSARY.items()
            if wanted.strip().lower() in f"{word} {meaning}".lower()
        }
        # One text: every page carries it, and a browser takes long over many.
        told = (
            f"**{widgets.as_text(word)}**  \n{widgets.as_text(meaning)}"
            for word, meaning in found.items()
        )
        st.markdown("\n\n".join(told))
        if not found:
            st.caption("No word here is written like that.")


def _show_stop(step: int) -> None:
    stop = TOUR[step]
    with st.container(border=True, key="tour"):
        st.markdown(f"**Tour, {step + 1} of {len(TOUR)}: {stop.title}.** {stop.told}")
        with st.container(horizontal=True):
            if step and st.button("Back", key="tour_back"):
                _go_to(step - 1)
            last = step + 1 == len(TOUR)
            if not last and st.button("Next", key="tour_next", type="primary"):
                _go_to(step + 1)
            if st.button("End the tour" if last else "Leave the tour", key="tour_end"):
                del st.session_state[_STEP]
                st.rerun()


def _to_first_stop() -> None:
    place.ask("prosperous")
    _go_to(0)


def _go_to(step: int) -> None:
    st.session_state[_STEP] = step
    st.switch_page(widgets.page_file(TOUR[step].page))
