"""What the colour of a row in an embedding says: its class, its links, its part."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any

import numpy as np
import pandas as pd
import plotly.graph_objects as go

from workbench.chart import number, plain
from workbench.errors import StoreError, unknown
from workbench.palette import NEUTRAL
from workbench.results import Results

MAX_CLASSES = 7
NUMERIC_METRICS = frozenset({"mae", "r2"})
# Classes are no arms: none of these is an arm's colour.
CLASS_COLOURS = (
    "#8A8D94", "#E0457B", "#2AA198", "#A58B00", "#7A5AF5", "#9A5B2F", "#5F9E3A",
)  # fmt: skip
OTHER = "others"
CORRECTNESS: Mapping[str, str] = MappingProxyType(
    {"predicted right": "#2AA198", "predicted wrongly": "#E0457B"}
)
SCALE_TITLES: Mapping[str, str] = MappingProxyType(
    {"label": "true value", "degree": "links"}
)
# By name: the column of the projection, and what its colour says.
COLOURINGS: Mapping[str, tuple[str, str]] = MappingProxyType(
    {
        "class": ("label", "its true label"),
        "correctness": ("correct", "whether it is predicted right"),
        "degree": ("degree", "how many links it has (degree)"),
        "component": (
            "component",
            "the part of the graph it lies in (connected component)",
        ),
    }
)


@dataclass(frozen=True, slots=True)
class Colouring:
    """What colours say, the same in every panel.

    Attributes:
        column: The column of the projection whose values are shown.
        said: What a colour means, to follow "coloured by".
        entries: Colours by value, as the legend names it; empty where a scale says it.
        scale: Lowest and highest value of the scale, and its ticks.
    """

    column: str
    said: str
    entries: Mapping[str, str] = field(default_factory=dict)
    scale: tuple[float, float, tuple[float, ...]] = (0.0, 1.0, ())

    def marker(self, values: pd.Series, *, first: bool) -> dict[str, Any]:
        """Return what a Plotly marker takes.

        Args:
            values: The column's value of each row; missing ones are allowed.
            first: Whether this panel draws the scale beside it.
        """
        if self.entries:
            other = self.entries.get(OTHER, NEUTRAL)
            names = values.map(self.name)
            return {"color": [self.entries.get(name, other) for name in names]}
        low, high, ticks = self.scale
        return {
            "color": _stretched(self.column, values.to_numpy(dtype=float)),
            "colorscale": "Viridis",
            "cmin": low,
            "cmax": high,
            "showscale": first,
            "colorbar": {
                "title": {"text": SCALE_TITLES[self.column]},
                "thickness": 12,
                "tickvals": list(_stretched(self.column, np.asarray(ticks))),
                "ticktext": [number(tick) for tick in ticks],
            },
        }

    def name(self, value: object) -> str:
        """Return what the legend calls a value."""
        if self.column == "correct":
            return "predicted right" if value == True else "predicted wrongly"  # noqa: E712  # NaN is not
        if self.column == "component":
            return f"part {value + 1:.0f}" if isinstance(value, int | float) else OTHER
        return f"label {value}"

    def legend(self) -> list[go.Scatter]:
        """Return traces that draw nothing but the legend."""
        return [
            go.Scatter(
                x=[None],
                y=[None],
                name=plain(name),
                mode="markers",
                marker={"color": colour, "size": 8},
                hoverinfo="skip",
            )
            for name, colour in self.entries.items()
        ]


def colourings(results: Results) -> tuple[str, ...]:
    """Return what rows can be coloured by: what these results hold."""
    held = set(results.projection.columns)
    return tuple(name for name, (column, _) in COLOURINGS.items() if column in held)


def colouring_of(results: Results, name: str) -> Colouring:
    """Return what the rows of a study are coloured by.

    Args:
        results: A results folder.
        name: Name in `colourings`.

    Raises:
        StoreError: The results do not hold what the rows would be coloured by.
    """
    known = colourings(results)
    if name not in known:
        raise StoreError(unknown("colour", name, known))
    column, said = COLOURINGS[name]
    if column == "correct":
        return Colouring(column, said, CORRECTNESS)
    values = results.projection[column].dropna()
    if column == "degree" or (column == "label" and is_numeric(results)):
        said = said if column == "degree" else "its true value"
        return Colouring(column, said, scale=_scale(column, values))
    blank = Colouring(column, said)
    counts = values.map(blank.name).value_counts()
    # Parts are numbered by their size, so that the first of them are kept.
    order = sorted(counts.index, key=lambda one: (len(one), one))
    if len(order) > MAX_CLASSES:
        kept = order if column == "component" else list(counts.index)
        order = [*sorted(kept[: MAX_CLASSES - 1], key=order.index), OTHER]
    return Colouring(column, said, dict(zip(order, CLASS_COLOURS, strict=False)))


def is_numeric(results: Results) -> bool:
    """Return whether the target is a number."""
    return results.comparison["metric"] in NUMERIC_METRICS


def _scale(column: str, values: pd.Series) -> tuple[float, float, tuple[float, ...]]:
    """Return the ends of a scale that most values lie within, and its ticks."""
    found = values.to_numpy(dtype=float)
    if not len(found):
        return 0.0, 1.0, ()
    low, high = (float(end) for end in np.quantile(found, [0.02, 0.98]))
    if column == "degree":
        low, high = float(found.min()), max(float(found.max()), found.min() + 1.0)
        steps = (0, 1, 3, 10, 30, 100, 300, 1000, 10_000, 100_000)
        ticks = tuple(float(step) for step in steps if low <= step <= high)
    else:
        ticks = tuple(float(tick) for tick in np.linspace(low, high, 5))
    ends = _stretched(column, np.asarray([low, high]))
    return float(ends[0]), float(ends[1]), ticks


def _stretched(column: str, values: np.ndarray) -> np.ndarray:
    """Return values as the scale shows them: degrees as log10(1 + degree)."""
    return np.log10(1 + values) if column == "degree" else values
