"""Figures of graphs, drawn once for all who look at the same ones.

Plotly takes longer to put a figure together than anything else on these pages takes.
A figure is known by the numbers in it, so none is ever out of date.
"""

import hashlib
import json
from collections.abc import Callable, Mapping
from types import MappingProxyType

import streamlit as st

from workbench.chart import Chart
from workbench.figures import hop_heatmap, preview_figure, reach_figure, walk_figure
from workbench.figures.plans import Plans

HOPS, REACH, WALK, PREVIEW = "hops", "reach", "walk", "preview"
DRAWN: Mapping[str, Callable[..., Chart]] = MappingProxyType(
    {
        HOPS: hop_heatmap,
        REACH: reach_figure,
        WALK: walk_figure,
        PREVIEW: preview_figure,
    }
)


def chart_of(name: str, plans: Plans, *, dark: bool) -> Chart:
    """Return a figure of graphs; nobody may change it.

    Args:
        name: Which one: a key of `DRAWN`.
        plans: The ``plan --json`` document of every source.
        dark: Whether the ink is for dark paper.
    """
    content = json.dumps(plans, default=dict).encode()
    return _drawn(name, hashlib.sha256(content).hexdigest(), dark, plans)


@st.cache_resource(max_entries=400, show_spinner=False)
def _drawn(name: str, digest: str, dark: bool, _plans: Plans) -> Chart:
    return DRAWN[name](_plans, dark=dark)
