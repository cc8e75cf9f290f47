"""The measures of a layer's states, by the name that results use."""

from collections.abc import Mapping
from types import MappingProxyType

import numpy as np

from workbench.measure import Measure, Measurement, Rows
from workbench.measures.cosine_distance import COSINE_DISTANCE
from workbench.measures.dead_share import DEAD_SHARE
from workbench.measures.effective_rank import EFFECTIVE_RANK
from workbench.measures.effective_rank_centred import EFFECTIVE_RANK_CENTRED
from workbench.measures.numerical_rank import NUMERICAL_RANK
from workbench.measures.scale import SCALE
from workbench.measures.variance_share import VARIANCE_SHARE

MEASURES: Mapping[str, Measure] = MappingProxyType(
    {
        measure.name: measure
        for measure in (
            EFFECTIVE_RANK_CENTRED,
            EFFECTIVE_RANK,
            VARIANCE_SHARE,
            SCALE,
            COSINE_DISTANCE,
            DEAD_SHARE,
            NUMERICAL_RANK,
        )
    }
)


def measure_rows(states: np.ndarray) -> dict[str, Measurement]:
    """Return every measure of some rows.

    Args:
        states: [rows, channels], one node type at one layer; computed in float64.

    Returns:
        A measurement by name; singular values are computed once for all.
    """
    rows = Rows(np.asarray(states, dtype=np.float64))
    return {name: measure.of(rows) for name, measure in MEASURES.items()}
