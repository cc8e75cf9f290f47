"""The measures of a layer's states, by the name that results use."""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any

import numpy as np

from workbench.measure import Measure, Measurement, Rows
from workbench.measures.cosine_distance import COSINE_DISTANCE
from workbench.measures.cosine_gap import COSINE_GAP
from workbench.measures.dead_share import DEAD_SHARE
from workbench.measures.edge_cosine_distance import EDGE_COSINE_DISTANCE
from workbench.measures.edge_rayleigh import EDGE_RAYLEIGH
from workbench.measures.edge_rayleigh_augmented import EDGE_RAYLEIGH_AUGMENTED
from workbench.measures.effective_rank import EFFECTIVE_RANK
from workbench.measures.effective_rank_centred import EFFECTIVE_RANK_CENTRED
from workbench.measures.group_distance_ratio import GROUP_DISTANCE_RATIO
from workbench.measures.numerical_rank import NUMERICAL_RANK
from workbench.measures.probe import PROBE
from workbench.measures.scale import SCALE
from workbench.measures.sibling_coverage import SIBLING_COVERAGE
from workbench.measures.variance_share import VARIANCE_SHARE
from workbench.measures.within_parent_null import WITHIN_PARENT_NULL
from workbench.measures.within_parent_share import WITHIN_PARENT_SHARE

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
            PROBE,
            GROUP_DISTANCE_RATIO,
            WITHIN_PARENT_SHARE,
            WITHIN_PARENT_NULL,
            SIBLING_COVERAGE,
            EDGE_COSINE_DISTANCE,
            COSINE_GAP,
            EDGE_RAYLEIGH,
            EDGE_RAYLEIGH_AUGMENTED,
        )
    }
)


def measures_of(view: Any) -> dict[str, Measurement]:  # Rows or a view of them
    """Return every measure that reads a view of this type, by name."""
    return {
        name: measure.of(view)
        for name, measure in MEASURES.items()
        if measure.takes is type(view)
    }


def measure_rows(states: np.ndarray) -> dict[str, Measurement]:
    """Return every measure that needs nothing but some rows.

    Args:
        states: [rows, channels], one node type at one layer; computed in float64.

    Returns:
        A measurement by name; singular values are computed once for all.
    """
    return measures_of(Rows(np.asarray(states, dtype=np.float64)))
