"""The preview on the pages: score against hops, before anything is trained."""

from collections.abc import Callable

from streamlit.delta_generator import DeltaGenerator

from workbench.errors import WorkbenchError
from workbench.planning import PlannedStudy
from workbench.ui import calls, charts, widgets


def send(
    sheet: charts.Sheet,
    plan: Callable[[], PlannedStudy],
    notes: DeltaGenerator,
    key: str,
) -> None:
    """Send the preview of graphs into the place that their figures keep for it.

    Called when the rest of the page is drawn, so that nothing else waits for it.

    Args:
        sheet: The figures, the preview among them.
        plan: Returns the graphs.
        notes: Where it is said why there is none, or what it leaves out.
        key: Unique on the page.
    """
    with notes:
        try:
            planned = plan()
            plans = None if planned.assumed else calls.previews_of(planned)
        except WorkbenchError as error:
            notes.error(widgets.as_text(str(error)))
            plans = None
        else:
            if planned.assumed:
                notes.caption(
                    "No preview: the rows are made up, so there is nothing to score."
                )
        graphs = [
            graph for one in (plans or {}).values() for graph in one["topologies"]
        ]
        widgets.show_notes(
            list(dict.fromkeys(filter(None, (g.get("preview_note") for g in graphs))))
        )
    sheet.send(key, [charts.PREVIEW], plans)
