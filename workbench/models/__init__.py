"""The networks users can choose, by the name they type."""

from collections.abc import Mapping
from types import MappingProxyType

from workbench.model import Model
from workbench.models.sage import SAGE
from workbench.models.sage_mean import SAGE_MEAN

MODELS: Mapping[str, Model] = MappingProxyType(
    {model.name: model for model in (SAGE, SAGE_MEAN)}
)
