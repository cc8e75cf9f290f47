"""The remedies against collapse users can choose, by the name they type."""

from collections.abc import Mapping
from types import MappingProxyType

from workbench.member import Remedy
from workbench.remedies.dropedge import DROPEDGE
from workbench.remedies.gradient_gating import GRADIENT_GATING
from workbench.remedies.initial_residual import INITIAL_RESIDUAL
from workbench.remedies.jk_cat import JK_CAT
from workbench.remedies.jk_max import JK_MAX
from workbench.remedies.mean_subtraction import MEAN_SUBTRACTION
from workbench.remedies.none import NONE
from workbench.remedies.pairnorm import PAIRNORM
from workbench.remedies.residual import RESIDUAL
from workbench.remedies.residual_norm import RESIDUAL_NORM

REMEDIES: Mapping[str, Remedy] = MappingProxyType(
    {
        remedy.name: remedy
        for remedy in (
            NONE,
            RESIDUAL,
            RESIDUAL_NORM,
            JK_CAT,
            JK_MAX,
            INITIAL_RESIDUAL,
            PAIRNORM,
            MEAN_SUBTRACTION,
            DROPEDGE,
            GRADIENT_GATING,
        )
    }
)
