"""The preview on the pages: score against hops, before or beside what was trained."""

import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from workbench.chart import Chart
from workbench.figures import beside_preview, has_preview
from workbench.planning import PlannedStudy
from workbench.results import Results
from workbench.ui import calls, charts, widgets


def show(place: DeltaGenerator, planned: PlannedStudy, key: str) -> None:
    """Draw the preview of graphs into a place kept for it.

    Called when the rest of the page is drawn, so that nothing else waits for it.

    Args:
        place: Where it is drawn.
        planned: The graphs.
        key: The chart's, unique on the page.
    """
    with place:
        if planned.assumed:
            st.caption(
                "No preview: the rows are made up, so there is nothing to score."
            )
            return
        with widgets.errors_shown():
            plans = calls.previews_of(planned)
        if has_preview(plans):
            chart = charts.chart_of(charts.PREVIEW, plans, dark=widgets.is_dark())
            widgets.show_chart(chart, key)
        graphs = [graph for plan in plans.values() for graph in plan["topologies"]]
        widgets.show_notes(
            list(dict.fromkeys(filter(None, (g.get("preview_note") for g in graphs))))
        )


def beside(chart: Chart, results: Results) -> Chart:
    """Return a chart of score against depth with the preview in it, unless unwanted."""
    if not has_preview(results.plans):
        return chart
    wanted = st.toggle(
        "Show the preview beside it (no network trained)",
        value=True,
        key="preview",
        bind="query-params",
    )
    return beside_preview(chart, results) if wanted else chart
