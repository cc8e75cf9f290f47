"""The figures of a page on graphs, before anything is trained.

They light up together, are drawn in the browser as they come near, and are put
together once for all who look at the same graphs: Plotly takes longer for that than
anything else on these pages takes.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Hashable, Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType
from typing import TYPE_CHECKING

import streamlit as st

from workbench.chart import HEIGHT, Chart
from workbench.figures import hop_heatmap, preview_figure, reach_figure, walk_figure
from workbench.figures.plans import Plans
from workbench.ui import linked, words

if TYPE_CHECKING:
    from workbench.planning import PlannedStudy

HOPS, REACH, WALK, PREVIEW = "hops", "reach", "walk", "preview"
DRAWN: Mapping[str, Callable[..., Chart]] = MappingProxyType(
    {
        HOPS: hop_heatmap,
        REACH: reach_figure,
        WALK: walk_figure,
        PREVIEW: preview_figure,
    }
)
WIDE = (WALK, PREVIEW)
GRAPHS = (PREVIEW, HOPS, REACH, WALK)


@dataclass(frozen=True, slots=True)
class Sheet:
    """Figures of graphs, in the order in which they stand.

    Attributes:
        names: Keys of `DRAWN`.
        plans: The ``plan --json`` document of every source, without previews.
        known_by: What else decides what the preview shows.
        is_dark: Whether the ink is for dark paper.
    """

    names: Sequence[str]
    plans: Plans
    known_by: Hashable
    is_dark: bool

    def show(self, key: str) -> None:
        """Draw a place for every figure; what they show is sent later."""
        digest = self._digest()
        figures = [
            {
                "name": name,
                "payload": self._identity(name, digest),
                "height": HEIGHT,
                "wide": name in WIDE,
                "embedding": False,
            }
            for name in self.names
        ]
        sections = [{"title": words.BEFORE_TRAINING, "figures": figures}]
        linked.show(linked.Looked(sections=sections), key=key)

    def send(self, key: str, names: Sequence[str], plans: Plans | None = None) -> None:
        """Send what some of the figures show.

        Args:
            key: Unique on the page.
            names: The figures.
            plans: The plans with what they show where the sheet's own lack it.
        """
        linked.send(self.payloads(names, plans), key=key)

    def payloads(self, names: Sequence[str], plans: Plans | None = None) -> list[bytes]:
        """Return what some of the figures show, packed; made once."""
        digest, is_bare = self._digest(), plans is None
        shown = self.plans if plans is None else plans
        return [
            _packed(self._identity(name, digest), name, self.is_dark, is_bare, shown)
            for name in names
        ]

    def _digest(self) -> str:
        content = json.dumps(self.plans, default=dict)
        return hashlib.sha256(f"{self.known_by!r} {content}".encode()).hexdigest()

    def _identity(self, name: str, digest: str) -> str:
        """Return the name under which the browser keeps a figure."""
        told = f"{name} {self.is_dark} {digest}"
        return hashlib.sha256(told.encode()).hexdigest()[:16]


def sheet_of(planned: PlannedStudy, *, is_dark: bool) -> Sheet:
    """Return the figures of a study's graphs."""
    return Sheet(GRAPHS, planned.plans, planned.study.to_toml(), is_dark)


@st.cache_resource(max_entries=800, show_spinner=False)
def _packed(
    identity: str, name: str, dark: bool, is_bare: bool, _plans: Plans
) -> bytes:
    return linked.pack_figure(identity, {"*": DRAWN[name](_plans, dark=dark)})
