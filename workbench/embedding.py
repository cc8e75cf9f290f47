"""UMAP of a finished study's rows, on request: one layer of every network of a depth.

Principal components are worked out while networks train and are there at once. UMAP
takes seconds a layer, and some of its code is compiled when it is first run; that is
left to a worker process, so that whoever asks can go on with something else.
"""

from collections.abc import Generator
from dataclasses import dataclass
from importlib.util import find_spec

import numpy as np
import pandas as pd

from workbench.chart import Series, all_series, pick
from workbench.engine import Crashed, Finished
from workbench.engines.processes import Processes
from workbench.errors import StoreError
from workbench.plane import Layer, LayOut, Umap
from workbench.results import Results, has_states, load_states

PACKAGE = "umap"
INSTALL = 'python -m pip install "umap-learn==0.5.12"'


@dataclass(frozen=True, slots=True)
class Laid:
    """Where UMAP puts the rows of one network's layer.

    Attributes:
        series: The graph, network and remedy.
        depth: The network's depth.
        layer: The layer; 0 is the input.
        rows: The rows of ``projection.parquet`` with ``x`` and ``y`` from UMAP.
    """

    series: Series
    depth: int
    layer: int
    rows: pd.DataFrame


def umap_refusal(results: Results) -> str | None:
    """Return the sentence that says why UMAP is not to be had, or None where it is."""
    if find_spec(PACKAGE) is None:
        return f"UMAP needs a package that is not installed here: {INSTALL}"
    if not has_states(results.folder):
        return (
            "These results were written by an earlier version, which kept principal"
            " components alone; train the study again to see UMAP."
        )
    return None


def embed(
    results: Results, depth: int, layer: int, settings: Umap | None = None
) -> Generator[Laid | None, None, None]:
    """Lay out one layer of every network of one depth, one after the other.

    Args:
        results: A results folder.
        depth: The networks' depth.
        layer: The layer, at most the depth; 0 is the input.
        settings: How; as usual by default.

    Yields:
        What has been laid out; or None when nothing happened for a moment. Leaving the
        loop ends the worker. A network that did not finish is left out.

    Raises:
        StoreError: UMAP is not to be had of these results, or a worker failed.
    """
    refusal = umap_refusal(results)
    if refusal is not None:
        raise StoreError(refusal)
    kept = pick(load_states(results.folder), depth=depth, layer=layer)
    items: dict[Layer, Series] = {}
    for series in all_series(results):
        for record in series.rows(kept).itertuples():
            packed = Layer(series.mark, int(record.num_components), record.states)
            items[packed] = series
    work = LayOut(settings or Umap())
    for event in Processes(1).run(work, tuple(items)):
        match event:
            case Finished(item=Layer() as item, result=np.ndarray() as places):
                series = items[item]
                rows = pick(series.rows(results.projection), depth=depth, layer=layer)
                laid = rows.assign(x=places[:, 0], y=places[:, 1])
                yield Laid(series, depth, layer, laid)
            case Crashed(reason=reason):
                raise StoreError(f"UMAP could not lay these rows out: {reason}")
            case _:
                yield None
