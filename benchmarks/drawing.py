"""Figures of the benchmarks: the workbench's look, written as pictures."""

import platform
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path

import plotly.graph_objects as go
from plotly.subplots import make_subplots

from workbench.chart import style_figure
from workbench.palette import COLOURS, DASHES, SYMBOLS

FIGURES = Path(__file__).with_name("figures")
PACKAGES = ("torch", "torch-geometric", "numpy", "networkx")


@dataclass(frozen=True, slots=True)
class Line:
    """Values by depth or hop.

    Attributes:
        name: What the legend says.
        at: Positions.
        values: One for each position.
        style: Lines of the same number look the same.
        dashed: Whether it is a reference rather than a finding.
    """

    name: str
    at: Sequence[float]
    values: Sequence[float]
    style: int
    dashed: bool = False


def draw_lines(
    panels: Mapping[str, Sequence[Line]],
    title: str,
    axes: tuple[str, str],
    extent: tuple[float, float] | None = None,
) -> go.Figure:
    """Draw panels of lines side by side, one legend for all of them."""
    figure = make_subplots(
        cols=len(panels),
        rows=1,
        shared_yaxes=True,
        subplot_titles=list(panels),
        horizontal_spacing=0.04,
    )
    named: set[str] = set()
    for column, lines in enumerate(panels.values(), 1):
        for line in lines:
            colour = COLOURS[line.style % len(COLOURS)]
            dash = "dot" if line.dashed else DASHES[line.style // len(COLOURS)]
            trace = go.Scatter(
                x=list(line.at),
                y=list(line.values),
                name=line.name,
                legendgroup=line.name,
                showlegend=line.name not in named,
                mode="lines" if line.dashed else "lines+markers",
                line={"color": colour, "dash": dash, "width": 2},
                marker={"symbol": SYMBOLS[line.style % len(SYMBOLS)], "size": 8},
            )
            figure.add_trace(trace, row=1, col=column)
            named.add(line.name)
        figure.update_xaxes(title_text=axes[0], row=1, col=column)
    style_figure(figure, title, dark=False, height=480)
    figure.update_layout(paper_bgcolor="white", margin_t=88)
    figure.update_yaxes(title_text=axes[1], row=1, col=1)
    if extent:
        figure.update_yaxes(range=list(extent))
    return figure


def save(figure: go.Figure, name: str, width: int = 1100) -> Path:
    """Write a figure as PNG, or as a page where no picture can be made.

    Pictures need the ``export`` extra and a Chromium.
    """
    FIGURES.mkdir(exist_ok=True)
    path = FIGURES / f"{name}.png"
    try:
        figure.write_image(path, width=width, height=480, scale=1.5)
    except (ValueError, RuntimeError, OSError) as error:
        path = path.with_suffix(".html")
        figure.write_html(path, include_plotlyjs="cdn")
        print(f"No picture ({error}); a page instead.")
    return path


def versions() -> str:
    """Return what the numbers were made with."""
    packages = ", ".join(f"{name} {version(name)}" for name in PACKAGES)
    return f"Python {platform.python_version()}, {packages}"


def table(head: Sequence[str], rows: Sequence[Sequence[object]]) -> str:
    """Return a Markdown table; numbers with three digits."""
    shown = [
        [f"{each:.3f}" if isinstance(each, float) else str(each) for each in row]
        for row in rows
    ]
    lines = [head, ["---"] * len(head), *shown]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)
